import { readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatEsi, formatRd } from '../../text/values.ts'
import {
  readMulticastAddress,
  readRouterAddress,
  type MulticastAddress,
} from '../families/multicast.ts'
import { LEAVE_TAIL_OCTETS } from './multicast.ts'

export interface LeaveSynchRoute {
  readonly kind: 'evpn'
  readonly routeType: 8
  readonly name: 'leave_synch'
  readonly rd: string
  readonly esi: string
  readonly ethTag: number
  readonly source: MulticastAddress
  readonly group: MulticastAddress
  readonly originator: string
  /** Tenths of a second, or as IGMPv3 encodes more (RFC 3376 section 4.1.1); null where the route is an octet short. */
  readonly maxResponseTime: number | null
  /** As in type 6. */
  readonly flags: number
}

/**
 * EVPN Route Type 8, Multicast Leave Synch, RFC 9251 section 9.3.
 *
 *   rd => 8, esi => 10, ethernet_tag => U32, source_length => U8 (bits), source,
 *   group_length => U8 (bits), group, originator_length => U8 (bits), originator => 4 | 16,
 *   reserved => 4, maximum_response_time => U8, flags => U8
 */
export function decodeLeaveSynchRoute(c: Cursor): LeaveSynchRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const esi = formatEsi(c.bytes, skip(c, 10))
  const ethTag = readU32(c)
  const source = readMulticastAddress(c, 'source')
  const group = readMulticastAddress(c, 'group')
  const originator = readRouterAddress(c, 'originator').address
  const whole = remaining(c) === LEAVE_TAIL_OCTETS
  skip(c, 4)
  const maxResponseTime = whole ? readU8(c) : null
  const flags = readU8(c)
  return {
    kind: 'evpn',
    routeType: 8,
    name: 'leave_synch',
    rd,
    esi,
    ethTag,
    source,
    group,
    originator,
    maxResponseTime,
    flags,
  }
}
