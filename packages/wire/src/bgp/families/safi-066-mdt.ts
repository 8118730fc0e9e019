import { fail, readU8, skip } from '../../cursor.ts'
import { formatIP } from '../../text/ip.ts'
import { formatRd } from '../../text/values.ts'
import { cutByBits, type NlriFamily, type FamilyRouteBase } from './family.ts'

/** Who takes part in a multicast distribution tree of draft-rosen VPNs, RFC 6037 section 7.2. */
export interface MdtRoute extends FamilyRouteBase {
  readonly kind: 'mdt'
  /** Address of the provider edge. */
  readonly peAddress: string
  readonly group: string
}

/**
 * MDT NLRI, RFC 6037 section 7.2: length => U8 (bits: 128, IPv6 320), rd => 8, pe_address => 4 | 16,
 * group => 4 | 16. A length of one octet can't say 320, so that IPv6 doesn't occur.
 */
export const mdt: NlriFamily = {
  name: 'mdt',
  spec: 'RFC 6037 section 7.2',
  cut: cutByBits,
  decode(c) {
    const bits = readU8(c)
    if (bits !== 128) fail(c, 'BAD_LENGTH', c.pos - 1, `NLRI of ${bits} bits, expected 128`)
    const rdAt = skip(c, 8)
    const rd = formatRd(c.bytes, rdAt)
    const peAddress = formatIP(c.bytes, skip(c, 4), 4)
    const group = formatIP(c.bytes, skip(c, 4), 4)
    return {
      route: { kind: 'mdt', nlri: `[${rd}]:[${peAddress}]:[${group}]`, rd, peAddress, group },
      rdAt,
    }
  },
}
