import { fail, readU32, readU8, skip } from '../../cursor.ts'
import { formatIP } from '../../text/ip.ts'
import { cutByBits, type NlriFamily, type FamilyRouteBase } from './family.ts'

/** A candidate path of a segment routing policy, RFC 9830 section 2.1; what it is made of is in attribute 23. */
export interface SrPolicyRoute extends FamilyRouteBase {
  readonly kind: 'sr_policy'
  readonly distinguisher: number
  readonly color: number
  readonly endpoint: string
}

/**
 * SR Policy NLRI, RFC 9830 section 2.1:
 *   length => U8 (bits: IPv4 96, IPv6 192), distinguisher => U32, color => U32, endpoint => 4 | 16
 */
export const srPolicy: NlriFamily = {
  name: 'sr_policy',
  spec: 'RFC 9830 section 2.1',
  cut: cutByBits,
  decode(c, afi) {
    const octets = afi === 2 ? 16 : 4
    const expected = 64 + 8 * octets
    const bits = readU8(c)
    if (bits !== expected) {
      fail(c, 'BAD_LENGTH', c.pos - 1, `NLRI of ${bits} bits, expected ${expected}`)
    }
    const distinguisher = readU32(c)
    const color = readU32(c)
    const endpoint = formatIP(c.bytes, skip(c, octets), octets)
    const nlri = `[${distinguisher}]:[${color}]:[${endpoint}]`
    return {
      route: { kind: 'sr_policy', nlri, rd: '', distinguisher, color, endpoint },
      rdAt: -1,
    }
  },
}
