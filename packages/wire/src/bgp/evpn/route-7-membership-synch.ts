import { readU32, readU8, skip, type Cursor } from '../../cursor.ts'
import { formatEsi, formatRd } from '../../text/values.ts'
import {
  readMulticastAddress,
  readRouterAddress,
  type MulticastAddress,
} from '../families/multicast.ts'

export interface MembershipSynchRoute {
  readonly kind: 'evpn'
  readonly routeType: 7
  readonly name: 'membership_synch'
  readonly rd: string
  readonly esi: string
  readonly ethTag: number
  readonly source: MulticastAddress
  readonly group: MulticastAddress
  readonly originator: string
  /** As in type 6. */
  readonly flags: number
}

/**
 * EVPN Route Type 7, Multicast Membership Report Synch, RFC 9251 section 9.2.
 *
 *   rd => 8, esi => 10, ethernet_tag => U32, source_length => U8 (bits), source,
 *   group_length => U8 (bits), group, originator_length => U8 (bits), originator => 4 | 16, flags => U8
 */
export function decodeMembershipSynchRoute(c: Cursor): MembershipSynchRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const esi = formatEsi(c.bytes, skip(c, 10))
  const ethTag = readU32(c)
  const source = readMulticastAddress(c, 'source')
  const group = readMulticastAddress(c, 'group')
  const originator = readRouterAddress(c, 'originator').address
  const flags = readU8(c)
  const name = 'membership_synch'
  return { kind: 'evpn', routeType: 7, name, rd, esi, ethTag, source, group, originator, flags }
}
