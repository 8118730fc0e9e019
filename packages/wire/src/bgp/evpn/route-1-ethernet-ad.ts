import { readU24, readU32, skip, type Cursor } from '../../cursor.ts'
import { formatEsi, formatRd } from '../../text/values.ts'

export interface EthernetAdRoute {
  readonly kind: 'evpn'
  readonly routeType: 1
  readonly name: 'ethernet_ad'
  readonly rd: string
  readonly esi: string
  /** 4294967295: per Ethernet segment. */
  readonly ethTag: number
  /** 24 raw bits. */
  readonly label: number
}

/**
 * EVPN Route Type 1, Ethernet Auto-Discovery, RFC 7432 section 7.1.
 *
 *   rd => 8, esi => 10, ethernet_tag => U32, label => U24
 */
export function decodeEthernetAdRoute(c: Cursor): EthernetAdRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const esi = formatEsi(c.bytes, skip(c, 10))
  const ethTag = readU32(c)
  const label = readU24(c)
  return { kind: 'evpn', routeType: 1, name: 'ethernet_ad', rd, esi, ethTag, label }
}
