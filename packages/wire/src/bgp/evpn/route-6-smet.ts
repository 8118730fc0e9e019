import { readU32, readU8, skip, type Cursor } from '../../cursor.ts'
import { formatRd } from '../../text/values.ts'
import {
  readMulticastAddress,
  readRouterAddress,
  type MulticastAddress,
} from '../families/multicast.ts'

export interface SmetRoute {
  readonly kind: 'evpn'
  readonly routeType: 6
  readonly name: 'smet'
  readonly rd: string
  readonly ethTag: number
  readonly source: MulticastAddress
  readonly group: MulticastAddress
  readonly originator: string
  /** RFC 9251 section 9.1: bit 0 IGMPv1, 1 IGMPv2, 2 IGMPv3, 3 exclude group type. */
  readonly flags: number
}

/**
 * EVPN Route Type 6, Selective Multicast Ethernet Tag, RFC 9251 section 9.1.
 *
 *   rd => 8, ethernet_tag => U32, source_length => U8 (bits), source, group_length => U8 (bits), group,
 *   originator_length => U8 (bits), originator => 4 | 16, flags => U8
 */
export function decodeSmetRoute(c: Cursor): SmetRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const ethTag = readU32(c)
  const source = readMulticastAddress(c, 'source')
  const group = readMulticastAddress(c, 'group')
  const originator = readRouterAddress(c, 'originator').address
  const flags = readU8(c)
  return {
    kind: 'evpn',
    routeType: 6,
    name: 'smet',
    rd,
    ethTag,
    source,
    group,
    originator,
    flags,
  }
}
