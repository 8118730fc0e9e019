import { readU8, skip, type Cursor } from '../../cursor.ts'
import { formatIP } from '../../text/ip.ts'
import { formatEsi, formatRd } from '../../text/values.ts'

export interface EthernetSegmentRoute {
  readonly kind: 'evpn'
  readonly routeType: 4
  readonly name: 'ethernet_segment'
  readonly rd: string
  readonly esi: string
  readonly originator: string
}

/**
 * EVPN Route Type 4, Ethernet Segment, RFC 7432 section 7.4.
 *
 *   rd => 8, esi => 10, ip_length => U8 (bits: 32 or 128), originator => 4 | 16
 */
export function decodeEthernetSegmentRoute(c: Cursor): EthernetSegmentRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const esi = formatEsi(c.bytes, skip(c, 10))
  const octets = readU8(c) / 8
  const originator = formatIP(c.bytes, skip(c, octets), octets)
  return { kind: 'evpn', routeType: 4, name: 'ethernet_segment', rd, esi, originator }
}
