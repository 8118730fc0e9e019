/** Reading typed values out of a command's flags. Every refusal is a UsageError naming the flag. */
import { isIP } from 'node:net'
import type { V4TlvTable } from '@ribscope/wire'
import { UsageError, type Context, type Value } from './command.ts'

type Values = Context['values']

/**
 * The table of `--bmp-v4`, else of `bmp.v4_tlvs` in fabric.yaml; undefined: the first that a message fits.
 *
 * @throws UsageError when it is none
 */
export async function v4Tlvs(values: Values, configured?: string): Promise<V4TlvTable | undefined> {
  const given = text(values, 'bmp-v4')
  const chosen = given ?? configured
  if (chosen === undefined) return undefined
  const { parseV4TlvTable } = await import('@ribscope/wire')
  try {
    return parseV4TlvTable(chosen)
  } catch (error) {
    const where = given === undefined ? 'bmp.v4_tlvs' : '--bmp-v4'
    throw new UsageError(`${where}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A string flag, or undefined when it was not given. */
export function text(values: Values, flag: string): string | undefined {
  const value = values[flag]
  return typeof value === 'string' ? value : undefined
}

/** A boolean flag; false when it was not given. */
export function flag(values: Values, name: string): boolean {
  return values[name] === true
}

/** A number within bounds, or undefined when it was not given. */
export function number(
  values: Values,
  flag: string,
  bounds: { min?: number; max?: number; integer?: boolean } = {},
): number | undefined {
  const given = text(values, flag)
  if (given === undefined) return undefined
  const { min = -Infinity, max = Infinity, integer = false } = bounds
  const value = given.trim() === '' ? NaN : Number(given)
  if (
    Number.isFinite(value) &&
    value >= min &&
    value <= max &&
    (!integer || Number.isInteger(value))
  )
    return value
  const range =
    min === -Infinity && max === Infinity ? '' : ` from ${String(min)} to ${String(max)}`
  throw new UsageError(
    `--${flag} ${JSON.stringify(given)}: expected ${integer ? 'a whole number' : 'a number'}${range}`,
  )
}

/** One of the given words, or undefined when it was not given. */
export function oneOf<T extends string>(
  values: Values,
  flag: string,
  words: readonly T[],
): T | undefined {
  const given = text(values, flag)
  if (given === undefined) return undefined
  const found = words.find((word) => word === given)
  if (found !== undefined) return found
  throw new UsageError(`--${flag} ${JSON.stringify(given)}: expected ${words.join(', ')}`)
}

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** HOST:PORT, [IPV6]:PORT, :PORT or PORT (then `defaultHost`). Port 0 lets the system choose one. */
export function hostPort(what: string, given: Value, defaultHost = '127.0.0.1'): HostPort {
  const input = typeof given === 'string' ? given : ''
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(input)
  const port = Number(match?.[3] ?? NaN)
  const v6 = match?.[1]
  if (!match || port > 65535 || (v6 !== undefined && isIP(v6.replace(/%.*/, '')) !== 6)) {
    throw new UsageError(
      `${what} ${JSON.stringify(input)}: expected HOST:PORT, for IPv6 [ADDRESS]:PORT`,
    )
  }
  return { host: v6 ?? (match[2] === undefined || match[2] === '' ? defaultHost : match[2]), port }
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** Of 1h, 90s, 1h30m; undefined for what is no such time. */
export function seconds(length: string): number | undefined {
  if (!/^(?:\d{1,12}[smhdw])+$/.test(length)) return undefined
  return [...length.matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, n = '', unit = '']) => sum + Number(n) * (UNITS[unit] ?? 0),
    0,
  )
}

/**
 * An instant as people say it: RFC 3339 (left as it is), `now`, `-1h30m` before now; with a `start` also `+30s` after it.
 *
 * @returns RFC 3339, or whatever was given: who takes it says what is wrong
 */
export function instant(
  what: string,
  given: string,
  clock: { readonly now: Date; readonly start?: Date } = { now: new Date() },
): string {
  if (given === 'now') return clock.now.toISOString()
  const sign = given.charAt(0)
  if ((sign !== '-' && sign !== '+') || given.length < 2) return given
  const length = seconds(given.slice(1))
  const base = sign === '-' ? clock.now : clock.start
  if (length === undefined || base === undefined) {
    throw new UsageError(
      `${what} ${JSON.stringify(given)}: expected an RFC 3339 time, now, or so long ago: -90s, -5m, -1h30m, -2d`,
    )
  }
  const ms = base.getTime() + (sign === '-' ? -length : length) * 1000
  const date = new Date(ms)
  if (Number.isNaN(date.getTime()) || ms < 0) {
    throw new UsageError(`${what} ${JSON.stringify(given)}: before all time`)
  }
  return date.toISOString()
}
