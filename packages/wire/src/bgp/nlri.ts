import type { FamilyNlri } from './families/family.ts'
import type { NlriShape } from './families.ts'

export const ACTION_ANNOUNCE = 0
export const ACTION_WITHDRAW = 1

/** One run of NLRI in an UPDATE: a field of the message or of an MP attribute. Reused. */
export class NlriField {
  /** 0 announce, 1 withdraw. */
  action: 0 | 1 = ACTION_ANNOUNCE
  afi = 0
  safi = 0
  /** How its NLRI are laid out: SHAPE_ of `families.ts`. */
  shape: NlriShape = 4
  start = 0
  end = 0
  /** The next hop as sent: offset and octets; -1 and 0 where there is none. */
  nextHopAt = -1
  nextHopLen = 0
  /** The global part of it, a route distinguisher in front skipped: 4, 16 or (none) 0 octets. */
  nextHopGlobalAt = -1
  nextHopGlobalOctets: 0 | 4 | 16 = 0
  /** The link-local part (RFC 2545 section 3), 16 octets, or -1. */
  nextHopLinkLocalAt = -1
  isMp = false
  /** NLRI begin with a path identifier. `walkNlri` puts right what the session knowledge had wrong. */
  addPath = false
  /** `addPath` is not what the OPENs agreed on. */
  against = false
  /** The OPENs are known: what they say can be doubted. */
  negotiated = false
}

/**
 * Gets the routes of a field, one call each, as offsets into `bytes` that are valid during the call.
 */
export interface NlriSink {
  /**
   * Unicast, multicast, labelled unicast and VPN; IPv4 or IPv6 by the field's `afi`.
   *
   * @param at  first octet of the prefix; as many follow as `bits` needs
   * @param pathId  0 without ADD-PATH
   * @param labelsAt  first of `labelCount` labels of 3 octets, or -1. The label of a withdrawal that
   *   only fills the space (0x800000 or 0, RFC 8277 section 2.4) is left out
   * @param rdAt  route distinguisher, or -1
   */
  prefix(
    bytes: Uint8Array,
    at: number,
    bits: number,
    pathId: number,
    labelsAt: number,
    labelCount: number,
    rdAt: number,
  ): void
  /** start..end is the route-type-specific part, its lengths checked for types 1 to 11. */
  evpn(bytes: Uint8Array, routeType: number, start: number, end: number, pathId: number): void
  /**
   * Any other family that is decoded (`families/`).
   *
   * @param start  the NLRI's first octet, its length field included, behind the path identifier
   * @param pathId  0 without ADD-PATH
   */
  family(bytes: Uint8Array, nlri: FamilyNlri, start: number, end: number, pathId: number): void
  /** A family that isn't decoded: the whole field, once. */
  opaque(bytes: Uint8Array, start: number, end: number): void
}
