/**
 * Addresses and prefixes as configuration and API parameters have them: text in, one normal form
 * out. ip-num does the arithmetic. Not for the hot path: rows from routers are formatted in wire.
 */
import { isIP } from 'node:net'
import { IPv4, IPv4CidrRange, IPv4Prefix, IPv6, IPv6CidrRange, IPv6Prefix } from 'ip-num'

export type Family = 4 | 6

export interface Address {
  readonly family: Family
  readonly value: bigint
  /** Normal form; for IPv6 RFC 5952 section 4, with embedded IPv4 as formatAddress has it. */
  readonly text: string
}

export interface Prefix {
  readonly family: Family
  readonly bits: number
  readonly first: bigint
  readonly last: bigint
  /** Normal form, always with a length; host bits cleared. */
  readonly text: string
  /** The given address had bits set beyond the length. */
  readonly hadHostBits: boolean
}

/** @returns undefined when the text is no address; zone identifiers (`%eth0`) are refused */
export function parseAddress(text: string): Address | undefined {
  // ip-num takes a zone or surrounding garbage in its stride; node:net decides what is an address.
  const family = text.includes('%') ? 0 : isIP(text)
  if (family === 4) {
    const { value } = new IPv4(text)
    return { family, value, text: formatAddress(4, value) }
  }
  if (family === 6) {
    const { value } = new IPv6(text)
    return { family, value, text: formatAddress(6, value) }
  }
  return undefined
}

/**
 * @param text ADDRESS/LENGTH, or a host without length (/32, /128)
 * @returns undefined when the text is neither
 */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text)
  const address = parseAddress(match?.[1] ?? '')
  if (!match || !address) return undefined
  const { family, value } = address
  const width = family === 4 ? 32 : 128
  const bits = match[2] === undefined ? width : Number(match[2])
  if (bits > width) return undefined
  const length = BigInt(bits)
  const range =
    family === 4
      ? new IPv4CidrRange(new IPv4(value), IPv4Prefix.fromNumber(length))
      : new IPv6CidrRange(new IPv6(value), IPv6Prefix.fromNumber(length))
  const first = range.getFirst().value
  const last = range.getLast().value
  return {
    family,
    bits,
    first,
    last,
    text: `${formatAddress(family, first)}/${String(bits)}`,
    hadHostBits: first !== value,
  }
}

/** Whether `outer` covers all of `inner`; prefixes of different families never do. */
export function contains(outer: Prefix, inner: Prefix | Address): boolean {
  if (outer.family !== inner.family) return false
  const [first, last] = 'bits' in inner ? [inner.first, inner.last] : [inner.value, inner.value]
  return first >= outer.first && last <= outer.last
}

/**
 * 10.1.2.3, 2001:db8::1, ::ffff:10.1.2.3. An embedded IPv4 address is dotted where inet_ntop and
 * ClickHouse do so (::ffff:0:0/96, and ::/96 from ::0.1.0.0 on): text from there must be equal.
 */
export function formatAddress(family: Family, value: bigint): string {
  if (family === 4) return new IPv4(value).toString()
  const upper = value >> 32n
  if (upper === 0xffffn || (upper === 0n && value > 0xffffn)) {
    const tail = new IPv4(value & 0xffffffffn).toString()
    return upper === 0n ? `::${tail}` : `::ffff:${tail}`
  }
  const groups: number[] = []
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn))
  const { start, length } = longestZeroRun(groups)
  const hex = groups.map((group) => group.toString(16))
  // RFC 5952 section 4.2.2: one group of zeros is not shortened.
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

/** RFC 5952 section 4.2.3: the longest run, the first one of equals. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let length = 0
  groups.forEach((group, i) => {
    length = group === 0 ? length + 1 : 0
    if (length > best.length) best = { start: i - length + 1, length }
  })
  return best
}
