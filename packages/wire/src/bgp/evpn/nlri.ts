import { cursorOver, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatEvpnNlri } from '../../text/values.ts'
import { decodeEthernetAdRoute, type EthernetAdRoute } from './route-1-ethernet-ad.ts'
import { decodeMacIpRoute, type MacIpRoute } from './route-2-mac-ip.ts'
import {
  decodeInclusiveMulticastRoute,
  type InclusiveMulticastRoute,
} from './route-3-inclusive-multicast.ts'
import {
  decodeEthernetSegmentRoute,
  type EthernetSegmentRoute,
} from './route-4-ethernet-segment.ts'
import { decodeIpPrefixRoute, type IpPrefixRoute } from './route-5-ip-prefix.ts'
import { decodeSmetRoute, type SmetRoute } from './route-6-smet.ts'
import {
  decodeMembershipSynchRoute,
  type MembershipSynchRoute,
} from './route-7-membership-synch.ts'
import { decodeLeaveSynchRoute, type LeaveSynchRoute } from './route-8-leave-synch.ts'
import { decodeRegionIPmsiRoute, type RegionIPmsiRoute } from './route-9-region-i-pmsi.ts'
import { decodeSPmsiRoute, type SPmsiRoute } from './route-10-s-pmsi.ts'
import { decodeLeafRoute, type LeafRoute } from './route-11-leaf.ts'

/** A route type that isn't decoded. */
export interface RawEvpnRoute {
  readonly kind: 'evpn'
  readonly routeType: number
  readonly name: 'unknown'
  readonly raw: string
}

type DecodedEvpnRoute =
  | EthernetAdRoute
  | MacIpRoute
  | InclusiveMulticastRoute
  | EthernetSegmentRoute
  | IpPrefixRoute
  | SmetRoute
  | MembershipSynchRoute
  | LeaveSynchRoute
  | RegionIPmsiRoute
  | SPmsiRoute
  | LeafRoute
  | RawEvpnRoute

/** `nlri` is the canonical text, the same as in the event log. */
export type EvpnRoute = DecodedEvpnRoute & { readonly nlri: string }

interface RouteRow {
  readonly spec: string
  readonly decode: (c: Cursor) => DecodedEvpnRoute
}

const DECODERS: ReadonlyMap<number, RouteRow> = new Map<number, RouteRow>([
  [1, { spec: 'RFC 7432 section 7.1', decode: decodeEthernetAdRoute }],
  [2, { spec: 'RFC 7432 section 7.2', decode: decodeMacIpRoute }],
  [3, { spec: 'RFC 7432 section 7.3', decode: decodeInclusiveMulticastRoute }],
  [4, { spec: 'RFC 7432 section 7.4', decode: decodeEthernetSegmentRoute }],
  [5, { spec: 'RFC 9136 section 3.1', decode: decodeIpPrefixRoute }],
  [6, { spec: 'RFC 9251 section 9.1', decode: decodeSmetRoute }],
  [7, { spec: 'RFC 9251 section 9.2', decode: decodeMembershipSynchRoute }],
  [8, { spec: 'RFC 9251 section 9.3', decode: decodeLeaveSynchRoute }],
  [9, { spec: 'RFC 9572 section 3.1', decode: decodeRegionIPmsiRoute }],
  [10, { spec: 'RFC 9572 section 3.2', decode: decodeSPmsiRoute }],
  [11, { spec: 'RFC 9572 section 3.3', decode: decodeLeafRoute }],
])

/**
 * An EVPN route as plain data, RFC 7432 section 7 and later; a type that isn’t known stays raw.
 *
 * @param start..end  the route-type-specific part, which must have passed `evpnRouteFits`: `walkNlri`
 *   hands out no other
 */
export function decodeEvpnRoute(
  bytes: Uint8Array,
  routeType: number,
  start: number,
  end: number,
): EvpnRoute {
  const nlri = formatEvpnNlri(bytes, routeType, start, end)
  const row = DECODERS.get(routeType)
  if (row === undefined) {
    return { kind: 'evpn', routeType, name: 'unknown', nlri, raw: toHex(bytes, start, end) }
  }
  const route = row.decode(cursorOver(bytes, start, end, `evpn(${routeType})`, row.spec))
  return { ...route, nlri }
}
