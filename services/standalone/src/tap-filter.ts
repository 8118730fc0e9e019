/** What of a topic is wanted. */
import { parseIp } from '@ribscope/events'
import { UsageError } from './command.ts'

export interface TapFilter {
  /** `route_log` as well as `route_events`; `raw`, `dead`; undefined: all */
  readonly table: string | undefined
  readonly router: string | undefined
  /** text of an address, as rows have it */
  readonly peer: string | undefined
  readonly prefix: Prefix | undefined
}

export interface Prefix {
  /** 16 octets, IPv4 as ::ffff:a.b.c.d */
  readonly octets: Uint8Array
  /** of those */
  readonly bits: number
}

/** @returns undefined when it is none */
function parsePrefix(text: string): Prefix | undefined {
  const slash = text.lastIndexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const octets = parseIp(address)
  const most = address.includes(':') ? 128 : 32
  const given = slash < 0 ? String(most) : text.slice(slash + 1)
  if (octets === undefined || !/^\d{1,3}$/.test(given) || Number(given) > most) return undefined
  return { octets, bits: 128 - most + Number(given) }
}

/** @throws UsageError */
export function prefixOf(flag: string, text: string): Prefix {
  const prefix = parsePrefix(text)
  if (prefix !== undefined) return prefix
  throw new UsageError(`${flag} ${JSON.stringify(text)}: expected ADDRESS/BITS or an address`)
}

/** Is it the same, or within? */
export function isWithin(text: string, outer: Prefix): boolean {
  const inner = parsePrefix(text)
  if (inner === undefined || inner.bits < outer.bits) return false
  for (let bit = 0; bit < outer.bits; bit += 8) {
    const mask = 0xff00 >> Math.min(8, outer.bits - bit)
    const differs = (inner.octets[bit >> 3] ?? 0) ^ (outer.octets[bit >> 3] ?? 0)
    if ((differs & mask & 0xff) !== 0) return false
  }
  return true
}
