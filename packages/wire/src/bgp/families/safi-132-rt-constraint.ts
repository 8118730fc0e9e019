import { fail, readU32, readU8, remaining, skip } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatExtCommunity } from '../../text/values.ts'
import { cutByBits, type NlriFamily, type FamilyRouteBase } from './family.ts'

/** Which VPN routes a speaker wants, RFC 4684 section 4: a prefix of origin AS and route target. */
export interface RtConstraintRoute extends FamilyRouteBase {
  readonly kind: 'rt_constraint'
  /** 0: every route target (the default); 32: all of an AS; 96: one route target of an AS. */
  readonly bits: number
  /** null in the default route. */
  readonly originAs: number | null
  /** `rt:65000:100`; of a shorter prefix the bits that are there, as `0x` and hex; '' where there are none. */
  readonly routeTarget: string
}

const scratch = new Uint8Array(8)

/**
 * RT membership NLRI, RFC 4684 section 4: length => U8 (bits: 0 or 32 to 96), origin_as => U32,
 * route_target => 8, as many octets of both as the length needs.
 *
 * Text: `0/0` (default), `65000/32`, `65000:0x0002/48`, `65000:rt:65000:100/96`.
 */
export const rtConstraint: NlriFamily = {
  name: 'rt_constraint',
  spec: 'RFC 4684 section 4',
  cut: cutByBits,
  decode(c) {
    const bits = readU8(c)
    if (bits > 96 || (bits > 0 && bits < 32)) {
      fail(c, 'BAD_VALUE', c.pos - 1, `prefix length ${bits}, expected 0 or 32 to 96`)
    }
    const originAs = bits === 0 ? null : readU32(c)
    let routeTarget = ''
    if (bits > 32) {
      const octets = remaining(c)
      const at = skip(c, octets)
      // Bits beyond the length are no part of the prefix.
      scratch.fill(0)
      scratch.set(c.bytes.subarray(at, at + octets))
      if ((bits & 7) !== 0) scratch[octets - 1]! &= 0xff00 >> (bits & 7)
      routeTarget = bits === 96 ? formatExtCommunity(scratch, 0) : `0x${toHex(scratch, 0, octets)}`
    }
    const target = routeTarget === '' ? '' : `:${routeTarget}`
    const nlri = `${originAs ?? 0}${target}/${bits}`
    return {
      route: { kind: 'rt_constraint', nlri, rd: '', bits, originAs, routeTarget },
      rdAt: -1,
    }
  },
}
