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
])

/**
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
