/** Readers of single values; each says what it expected. */
import { parseAddress, parsePrefix } from './address.ts'
import type { Reader } from './reader.ts'

export const word: Reader<string> = (spot) => {
  const text = spot.text
  return text === undefined || text.trim() === '' ? spot.wrong('a word') : text
}

/** true/false, and the words that YAML 1.1 took for them. */
export const boolean: Reader<boolean> = (spot) => {
  if (typeof spot.scalar === 'boolean') return spot.scalar
  const text = spot.text?.toLowerCase() ?? ''
  if (['on', 'yes'].includes(text)) return true
  if (['off', 'no'].includes(text)) return false
  return spot.wrong('true or false')
}

export const number =
  (bounds: { min: number; max: number; integer?: boolean }): Reader<number> =>
  (spot) => {
    const value = spot.scalar
    const { min, max, integer = false } = bounds
    if (
      typeof value === 'number' &&
      value >= min &&
      value <= max &&
      (!integer || Number.isInteger(value))
    ) {
      return value
    }
    return spot.wrong(
      `${integer ? 'a whole number' : 'a number'} from ${String(min)} to ${String(max)}`,
    )
  }

export const oneOf =
  <T extends string>(words: readonly T[]): Reader<T> =>
  (spot) =>
    words.find((each) => each === spot.text) ?? spot.wrong(words.join(', '))

/** A single value may stand for a list of one. */
export const list =
  <T>(read: Reader<T>): Reader<T[]> =>
  (spot) => {
    const items = spot.items() ?? (spot.text === undefined ? undefined : [spot])
    return items ? items.map(read).filter((item) => item !== undefined) : spot.wrong('a list')
  }

export const address: Reader<string> = (spot) =>
  parseAddress(spot.text ?? '')?.text ?? spot.wrong('an IPv4 or IPv6 address')

/** BGP identifiers are written as IPv4 addresses (RFC 6286: any non-zero 32 bits). */
export const bgpId: Reader<string> = (spot) => {
  const parsed = parseAddress(spot.text ?? '')
  return parsed?.family === 4 && parsed.value !== 0n
    ? parsed.text
    : spot.wrong('a BGP identifier as a.b.c.d')
}

/** HOST:PORT, for IPv6 [ADDRESS]:PORT. */
export const hostPort: Reader<{ host: string; port: number }> = (spot) => {
  const [, v6, name, digits = ''] =
    /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(spot.text ?? '') ?? []
  const host = v6 === undefined ? name : parseAddress(v6)?.text
  const port = Number(digits)
  return host !== undefined && port <= 65535
    ? { host, port }
    : spot.wrong('HOST:PORT, for IPv6 [ADDRESS]:PORT')
}

export const prefix: Reader<string> = (spot) => {
  const parsed = parsePrefix(spot.text ?? '')
  if (!parsed) return spot.wrong('a prefix as 10.0.0.0/24 or 2001:db8::/64')
  if (parsed.hadHostBits) spot.warn(`${spot.path}: ${spot.text ?? ''} taken as ${parsed.text}`)
  return parsed.text
}

/** AS number in asplain or asdot (RFC 5396). */
export const asn: Reader<number> = (spot) => {
  const text = spot.text ?? ''
  const [, high = '0', low = ''] = /^(?:(\d{1,5})\.)?(\d{1,10})$/.exec(text) ?? []
  const value = Number(high) * 65536 + Number(low)
  const fits = text.includes('.') ? Number(high) < 65536 && Number(low) < 65536 : true
  return low !== '' && fits && value >= 1 && value <= 0xffffffff
    ? value
    : spot.wrong('an AS number from 1 to 4294967295')
}

export const vni: Reader<number> = (spot) => number({ min: 1, max: 0xffffff, integer: true })(spot)

/** As rows have them: standard 65000:1, large 65000:1:2, or `kind:...` of an extended community. */
export const community: Reader<string> = (spot) => {
  const text = spot.text ?? ''
  const parts = text.split(':')
  const plain = parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) <= 0xffffffff)
  const standard = plain && parts.length === 2 && parts.every((part) => Number(part) <= 0xffff)
  const large = plain && parts.length === 3
  const extended = /^(0x[0-9a-f]{4}|[a-z][a-z-]*):\S+$/.test(text)
  return standard || large || extended
    ? text
    : spot.wrong('a community as 65000:1, 65000:1:2 or rt:65000:1')
}

/** Route target without its kind: AS:NUMBER or ADDRESS:NUMBER; `rt:` in front is accepted. */
export const routeTarget: Reader<string> = (spot) => {
  const text = (spot.text ?? '').replace(/^rt:/, '')
  const [, admin = '', assigned = ''] = /^([\d.]+):(\d{1,10})$/.exec(text) ?? []
  const dotted = admin.includes('.')
  const adminOk = dotted
    ? parseAddress(admin)?.family === 4
    : /^\d{1,10}$/.test(admin) && Number(admin) <= 0xffffffff
  const most = dotted || Number(admin) > 0xffff ? 0xffff : 0xffffffff
  return adminOk && Number(assigned) <= most
    ? text
    : spot.wrong('a route target as 65000:50001 or 10.0.0.1:1')
}

/** RFC 3339; YAML 1.2 leaves timestamps as text. */
export const instant: Reader<Date> = (spot) => {
  const text = spot.text ?? ''
  const shape = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/
  const date = new Date(shape.test(text) ? text.replace(' ', 'T') : NaN)
  return Number.isNaN(date.getTime()) ? spot.wrong('a time as 2026-11-21T10:00:00Z') : date
}
