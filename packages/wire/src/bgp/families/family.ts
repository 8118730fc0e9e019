/**
 * NLRI of the families that are neither prefixes nor EVPN: one file a family beside this one, all decoded
 * to plain objects. They are rare, so that the economy of the hot path (`nlri-walk.ts`) is not theirs.
 */
import type { Cursor } from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import type { BgpLsRoute } from './safi-071-bgp-ls.ts'
import type { CarRoute } from './safi-083-car.ts'
import type { FlowspecRoute } from './safi-133-flowspec.ts'
import type { McastVpnRoute } from './safi-005-mcast-vpn.ts'
import type { MdtRoute } from './safi-066-mdt.ts'
import type { MupRoute } from './safi-085-mup.ts'
import type { RtConstraintRoute } from './safi-132-rt-constraint.ts'
import type { SrPolicyRoute } from './safi-073-sr-policy.ts'
import type { BgpAdRoute, VplsRoute } from './safi-065-vpls.ts'

/** Discriminated by `kind`. What a route of any of them has is in `FamilyRouteBase`. */
export type FamilyRoute =
  | BgpAdRoute
  | BgpLsRoute
  | CarRoute
  | FlowspecRoute
  | McastVpnRoute
  | MdtRoute
  | MupRoute
  | RtConstraintRoute
  | SrPolicyRoute
  | VplsRoute

export interface FamilyRouteBase {
  /** Canonical text: ASCII without quotes, backslashes or control characters. */
  readonly nlri: string
  /** '' for families without route distinguishers. */
  readonly rd: string
}

/** A route beside what its octets are to BGP. */
export interface FamilyNlri {
  readonly route: FamilyRoute
  /** First octet of the route distinguisher, or -1. */
  readonly rdAt: number
  /**
   * The octets that make it this route and no other, as pairs from, to; what lies outside (labels, say)
   * may change and the route is still the same. Without it: all octets.
   */
  readonly key?: readonly number[]
  /** 20-bit labels that are not part of the key. */
  readonly labels?: readonly number[]
  /** Wrong, but every octet could be told: the route is kept. */
  readonly faults?: readonly DecodeError[]
}

/** How the NLRI of a family are told apart and read. */
export interface NlriFamily {
  /** For the path of errors: `mp_reach.nlri.vpls`. */
  readonly name: string
  /** The clause that lays the NLRI out. */
  readonly spec: string
  /** @returns one past the last octet of the NLRI at `at`, perhaps beyond `end`; -1 when it can't be told */
  cut(bytes: Uint8Array, at: number, end: number): number
  /**
   * @param c  the NLRI alone, its own length field included
   * @throws DecodeError when a length in it does not fit
   */
  decode(c: Cursor, afi: number, safi: number): FamilyNlri
}

/** { length => U8 (bits), octets for as many }: how prefixes are cut. */
export function cutByBits(bytes: Uint8Array, at: number): number {
  return at + 1 + ((bytes[at]! + 7) >> 3)
}

/** { head => `headOctets`, length => U8, octets }: how typed NLRI are cut. */
export function cutByLengthOctet(
  bytes: Uint8Array,
  at: number,
  end: number,
  headOctets: number,
): number {
  const lengthAt = at + headOctets
  return lengthAt < end ? lengthAt + 1 + bytes[lengthAt]! : -1
}

/** { head => `headOctets`, length => U16, octets } */
export function cutByLengthU16(
  bytes: Uint8Array,
  at: number,
  end: number,
  headOctets: number,
): number {
  const lengthAt = at + headOctets
  return lengthAt + 2 <= end ? lengthAt + 2 + ((bytes[lengthAt]! << 8) | bytes[lengthAt + 1]!) : -1
}

/** Type 0 is reserved, and what a path identifier begins with: kept, and reported. */
export function reservedType(c: Cursor, at: number): DecodeError {
  return new DecodeError('BAD_VALUE', 'route type 0, which is reserved', {
    offset: at,
    length: c.end - at,
    path: c.path,
    spec: c.spec,
    handling: 'treat-as-withdraw',
  })
}
