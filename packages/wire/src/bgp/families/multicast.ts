import { fail, readU8, skip, type Cursor } from '../../cursor.ts'
import { formatIP } from '../../text/ip.ts'

/** A multicast source or group as NLRI have it; `address` is '' for the wildcard (RFC 6625 section 3). */
export interface MulticastAddress {
  /** 0 (wildcard), 32 or 128 */
  readonly bits: number
  readonly address: string
}

/**
 * { length => U8 (bits: 0, 32 or 128), address => 0 | 4 | 16 }, RFC 6514 section 4.3, RFC 9251 section 9.
 *
 * @throws DecodeError BAD_VALUE on any other length
 */
export function readMulticastAddress(c: Cursor, what: string): MulticastAddress {
  const at = c.pos
  const bits = readU8(c)
  if (bits !== 0 && bits !== 32 && bits !== 128) {
    fail(c, 'BAD_VALUE', at, `${what} length ${bits} bits, expected 0, 32 or 128`)
  }
  const octets = bits >> 3
  const address = skip(c, octets)
  return { bits, address: octets === 0 ? '' : formatIP(c.bytes, address, octets) }
}

/** { length => U8 (bits: 32 or 128), address => 4 | 16 }: a router, never a wildcard. */
export function readRouterAddress(c: Cursor, what: string): MulticastAddress {
  const at = c.pos
  const read = readMulticastAddress(c, what)
  if (read.bits === 0) fail(c, 'BAD_VALUE', at, `${what} length 0 bits, expected 32 or 128`)
  return read
}

/** The rest of the NLRI as one address, told by its size. */
export function readLastAddress(c: Cursor, what: string): string {
  const octets = c.end - c.pos
  if (octets !== 4 && octets !== 16) {
    fail(c, 'BAD_LENGTH', c.pos, `${what} of ${octets} octets, expected 4 or 16`)
  }
  return formatIP(c.bytes, skip(c, octets), octets)
}

/** `[32]:[192.0.2.1]`, and `[0]:[*]` for the wildcard. */
export function multicastText({ bits, address }: MulticastAddress): string {
  return `[${bits}]:[${address === '' ? '*' : address}]`
}
