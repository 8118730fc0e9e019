import { readU8, skip, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatRd } from '../../text/values.ts'
import { readRouterAddress } from '../families/multicast.ts'

export interface LeafRoute {
  readonly kind: 'evpn'
  readonly routeType: 11
  readonly name: 'leaf'
  /** Of the route that it answers; '' when that is too short to have one. */
  readonly rd: string
  /** The route that it answers (types 3, 9 and 10), as hex of the whole NLRI. */
  readonly routeKey: string
  readonly originator: string
}

/**
 * EVPN Route Type 11, Leaf A-D, RFC 9572 section 3.3.
 *
 *   route_key => { route_type => U8, length => U8 (octets), specific part },
 *   originator_length => U8 (bits), originator => 4 | 16
 */
export function decodeLeafRoute(c: Cursor): LeafRoute {
  const keyAt = skip(c, 1)
  const octets = readU8(c)
  const partAt = skip(c, octets)
  const rd = octets >= 8 ? formatRd(c.bytes, partAt) : ''
  const routeKey = toHex(c.bytes, keyAt, c.pos)
  const originator = readRouterAddress(c, 'originator').address
  return { kind: 'evpn', routeType: 11, name: 'leaf', rd, routeKey, originator }
}
