import { readU32, skip, type Cursor } from '../../cursor.ts'
import { formatRd } from '../../text/values.ts'
import {
  readMulticastAddress,
  readRouterAddress,
  type MulticastAddress,
} from '../families/multicast.ts'

export interface SPmsiRoute {
  readonly kind: 'evpn'
  readonly routeType: 10
  readonly name: 's_pmsi'
  readonly rd: string
  readonly ethTag: number
  readonly source: MulticastAddress
  readonly group: MulticastAddress
  readonly originator: string
}

/**
 * EVPN Route Type 10, S-PMSI A-D, RFC 9572 section 3.2.
 *
 *   rd => 8, ethernet_tag => U32, source_length => U8 (bits), source, group_length => U8 (bits), group,
 *   originator_length => U8 (bits), originator => 4 | 16
 */
export function decodeSPmsiRoute(c: Cursor): SPmsiRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const ethTag = readU32(c)
  const source = readMulticastAddress(c, 'source')
  const group = readMulticastAddress(c, 'group')
  const originator = readRouterAddress(c, 'originator').address
  return { kind: 'evpn', routeType: 10, name: 's_pmsi', rd, ethTag, source, group, originator }
}
