/** Instants in parameters: RFC 3339 in, what ClickHouse reads as DateTime64(6, 'UTC') out. */
import { badRequest } from './problem.ts'

const RFC3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+\- ]\d{2}:\d{2})$/

/**
 * @returns e.g. '2026-11-21 10:00:00.000001'; digits beyond microseconds are cut
 * @throws ProblemError 400
 */
export function clickhouseTime(name: string, text: string): string {
  const match = RFC3339.exec(text)
  // A plus sign that was not percent-encoded arrives as a space.
  const zone = match?.[4]?.replace(' ', '+').toUpperCase()
  const date = new Date(`${match?.[1] ?? ''}T${match?.[2] ?? ''}${zone ?? ''}`)
  if (!match || Number.isNaN(date.getTime()) || date.getTime() < 0) {
    throw badRequest(
      `${name} ${JSON.stringify(text)}: expected an RFC 3339 time such as 2026-11-21T10:00:00Z`,
    )
  }
  const micros = (match[3] ?? '').padEnd(6, '0').slice(0, 6)
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}.${micros}`
}

/** The same for an instant of this program. */
export const clickhouseNow = (now: Date): string =>
  `${now.toISOString().slice(0, 23).replace('T', ' ')}000`

export const TIME_MIN = '1970-01-01 00:00:00.000000'
export const TIME_MAX = '2299-12-31 00:00:00.000000'

/** `from` and `to` of a request, open ends filled in. */
export function clickhouseSpan(query: {
  readonly from?: string | undefined
  readonly to?: string | undefined
}): { from: string; to: string } {
  return {
    from: query.from === undefined ? TIME_MIN : clickhouseTime('from', query.from),
    to: query.to === undefined ? TIME_MAX : clickhouseTime('to', query.to),
  }
}
