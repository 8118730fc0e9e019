import { readU32, skip, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatRd } from '../../text/values.ts'

export interface RegionIPmsiRoute {
  readonly kind: 'evpn'
  readonly routeType: 9
  readonly name: 'region_i_pmsi'
  readonly rd: string
  readonly ethTag: number
  /** Hex: encoded like an extended community, but of the region's own kind (RFC 9572 section 6.2). */
  readonly regionId: string
}

/**
 * EVPN Route Type 9, Per-Region I-PMSI A-D, RFC 9572 section 3.1.
 *
 *   rd => 8, ethernet_tag => U32, region_id => 8
 */
export function decodeRegionIPmsiRoute(c: Cursor): RegionIPmsiRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const ethTag = readU32(c)
  const at = skip(c, 8)
  const regionId = toHex(c.bytes, at, at + 8)
  return { kind: 'evpn', routeType: 9, name: 'region_i_pmsi', rd, ethTag, regionId }
}
