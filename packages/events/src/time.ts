/**
 * Times are numbers: microseconds since the epoch as a double, exact below 2^53 (the year 2255).
 * No Date on the way: it knows milliseconds only.
 */

const MICROS = 1_000_000

/**
 * Parses Unix seconds with up to six decimals ('1795295858.639488'), as recordings have them.
 *
 * @returns microseconds, or undefined when the text is anything else
 */
export function parseUnixSeconds(text: string): number | undefined {
  const match = /^(\d{1,10})(?:\.(\d{1,9}))?$/.exec(text)
  if (match === null) return undefined
  const fraction = (match[2] ?? '').padEnd(6, '0').slice(0, 6)
  return Number(match[1]) * MICROS + Number(fraction)
}

/** The same way back: '1795295858.639488'. */
export function formatUnixSeconds(us: number): string {
  const seconds = Math.floor(us / MICROS)
  return `${seconds}.${String(us - seconds * MICROS).padStart(6, '0')}`
}

/**
 * ClickHouse's text of a DateTime64(6, 'UTC'): '2026-11-21 10:00:00.123456'.
 *
 * @param us microseconds since the epoch, clamped to what Date can show
 */
export function formatDateTime64(us: number): string {
  const seconds = Math.floor(us / MICROS)
  const text = new Date(Math.min(seconds, 8.64e12) * 1000).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${String(us - seconds * MICROS).padStart(6, '0')}`
}

/** Wall clock of this process in microseconds. Only the live services use it. */
export function nowUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}
