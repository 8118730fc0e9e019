import { readU32, readU8, skip, type Cursor } from '../../cursor.ts'
import { formatIP } from '../../text/ip.ts'
import { formatRd } from '../../text/values.ts'

export interface InclusiveMulticastRoute {
  readonly kind: 'evpn'
  readonly routeType: 3
  readonly name: 'inclusive_multicast'
  readonly rd: string
  readonly ethTag: number
  readonly originator: string
}

/**
 * EVPN Route Type 3, Inclusive Multicast Ethernet Tag, RFC 7432 section 7.3.
 *
 *   rd => 8, ethernet_tag => U32, ip_length => U8 (bits: 32 or 128), originator => 4 | 16
 */
export function decodeInclusiveMulticastRoute(c: Cursor): InclusiveMulticastRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const ethTag = readU32(c)
  const octets = readU8(c) / 8
  const originator = formatIP(c.bytes, skip(c, octets), octets)
  return { kind: 'evpn', routeType: 3, name: 'inclusive_multicast', rd, ethTag, originator }
}
