import { fail, readU16, readU24, skip } from '../../cursor.ts'
import { formatIPv4 } from '../../text/ip.ts'
import { formatRd } from '../../text/values.ts'
import { cutByLengthU16, type NlriFamily, type FamilyRouteBase } from './family.ts'

/** A block of labels for the pseudowires of a VPLS edge, RFC 4761 section 3.2.2. */
export interface VplsRoute extends FamilyRouteBase {
  readonly kind: 'vpls'
  readonly veId: number
  readonly blockOffset: number
  readonly blockSize: number
  /** 20 bits: the label of the edge `blockOffset`. */
  readonly labelBase: number
}

/** Who takes part in a layer-2 VPN signalled by LDP, RFC 6074 section 3.2.2.1. */
export interface BgpAdRoute extends FamilyRouteBase {
  readonly kind: 'bgp_ad'
  /** Address of the provider edge. */
  readonly peAddress: string
}

const VPLS_OCTETS = 17
const BGP_AD_OCTETS = 12

/**
 * L2VPN NLRI of SAFI 65. The size tells which of the two it is.
 *
 *   RFC 4761 section 3.2.2:    length => U16 (octets, 17), rd => 8, ve_id => U16, ve_block_offset => U16,
 *                              ve_block_size => U16, label_base => U24
 *   RFC 6074 section 3.2.2.1:  length => U16 (octets, 12), rd => 8, pe_address => 4
 *
 * Size and labels of the block are what the route says, not which route it is.
 */
export const vpls: NlriFamily = {
  name: 'vpls',
  spec: 'RFC 4761 section 3.2.2',
  cut: (bytes, at, end) => cutByLengthU16(bytes, at, end, 0),
  decode(c) {
    const octets = readU16(c)
    if (octets !== VPLS_OCTETS && octets !== BGP_AD_OCTETS) {
      fail(
        c,
        'BAD_LENGTH',
        c.pos - 2,
        `NLRI of ${octets} octets, expected 17 (VPLS) or 12 (BGP-AD)`,
      )
    }
    const rdAt = skip(c, 8)
    const rd = formatRd(c.bytes, rdAt)
    if (octets === BGP_AD_OCTETS) {
      const peAddress = formatIPv4(c.bytes, skip(c, 4))
      return { route: { kind: 'bgp_ad', nlri: `[${rd}]:[${peAddress}]`, rd, peAddress }, rdAt }
    }
    const veId = readU16(c)
    const blockOffset = readU16(c)
    const keyEnd = c.pos
    const blockSize = readU16(c)
    const labelBase = readU24(c) >> 4
    const nlri = `[${rd}]:[${veId}]:[${blockOffset}]`
    return {
      route: { kind: 'vpls', nlri, rd, veId, blockOffset, blockSize, labelBase },
      rdAt,
      key: [rdAt - 2, keyEnd],
      labels: [labelBase],
    }
  },
}
