import { readU16, readU8, skip, type Cursor } from '../cursor.ts'
import { toHex } from '../text/hex.ts'
import { familyName } from './families.ts'
import { BGP_HEADER_OCTETS } from './header.ts'

export interface BgpRouteRefresh {
  readonly type: 'route_refresh'
  readonly afi: number
  readonly safi: number
  readonly family: string
  readonly subtype: number
  readonly subtypeName: 'request' | 'begin_of_refresh' | 'end_of_refresh' | 'unknown'
  /** Outbound route filters (RFC 5291 section 5) as hex; '' where there are none. */
  readonly filters: string
}

const SUBTYPES = ['request', 'begin_of_refresh', 'end_of_refresh'] as const

/** ROUTE-REFRESH, RFC 2918 section 3, RFC 7313 section 3.2: afi => U16, subtype => U8, safi => U8. */
export function decodeRouteRefresh(c: Cursor): BgpRouteRefresh {
  skip(c, BGP_HEADER_OCTETS)
  const afi = readU16(c)
  const subtype = readU8(c)
  const safi = readU8(c)
  return {
    type: 'route_refresh',
    afi,
    safi,
    family: familyName(afi, safi),
    subtype,
    subtypeName: SUBTYPES[subtype] ?? 'unknown',
    filters: toHex(c.bytes, c.pos, c.end),
  }
}
