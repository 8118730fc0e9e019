/**
 * THE HOT PATH: an index of offsets over one BGP UPDATE, and the walk over its NLRI.
 *
 * Nothing is copied and nothing allocated per message or per route unless something is wrong: numbers
 * live in typed arrays and reused objects, routes are handed to a sink as offsets. That is a departure
 * from the style of the other decoders, and measured (bench/wire-decode.mjs): objects per route cost
 * ten times as much. One sink class per process keeps the calls monomorphic.
 *
 * RFC 7606 is applied as an observer: what a speaker would do is written into the error (`handling`),
 * but routes that can still be told apart are kept, and so is every attribute that is not itself
 * broken. NLRI without any next hop is legal here: FRR sends IPv4 routes learnt over IPv6 that way.
 */
import type { PeerHeader, Rib } from '../bmp/peer-header.ts'
import { DecodeError, type DecodeCode, type Handling } from '../errors.ts'
import { nlriShape, SHAPE_EVPN, SHAPE_OPAQUE, SHAPE_PREFIX, SHAPE_VPN } from './families.ts'
import { BGP_HEADER_OCTETS, BGP_UPDATE } from './header.ts'
import type { PeerCodec } from './peer-codec.ts'

export const ACTION_ANNOUNCE = 0
export const ACTION_WITHDRAW = 1

export const ATTR_ORIGIN = 1
export const ATTR_AS_PATH = 2
export const ATTR_NEXT_HOP = 3
export const ATTR_MED = 4
export const ATTR_LOCAL_PREF = 5
export const ATTR_ATOMIC_AGGREGATE = 6
export const ATTR_AGGREGATOR = 7
export const ATTR_COMMUNITIES = 8
export const ATTR_ORIGINATOR_ID = 9
export const ATTR_CLUSTER_LIST = 10
export const ATTR_MP_REACH = 14
export const ATTR_MP_UNREACH = 15
export const ATTR_EXT_COMMUNITIES = 16
export const ATTR_AS4_PATH = 17
export const ATTR_AS4_AGGREGATOR = 18
export const ATTR_PMSI_TUNNEL = 22
export const ATTR_IPV6_EXT_COMMUNITIES = 25
export const ATTR_LARGE_COMMUNITIES = 32
export const ATTR_ONLY_TO_CUSTOMER = 35
export const ATTR_D_PATH = 36

/** Errors kept per message; more are counted in `errorsDropped`. A sender must not fill our memory. */
export const MAX_ERRORS_PER_UPDATE = 64

const EXTENDED_LENGTH = 0x10
/** Optional and Transitive. */
const FLAG_MASK = 0xc0
const ANY_FLAGS = 0xff

/**
 * RFC 7606 as a table. `length`: exact octets, or a multiple of `-length` that isn't 0; undefined where
 * the value has its own check in `#checkValue`.
 */
interface AttributeRule {
  readonly type: number
  readonly name: string
  readonly flags: number
  readonly length?: number
  readonly handling: Handling
  readonly spec: string
}

export const ATTRIBUTE_RULES: readonly AttributeRule[] = [
  {
    type: 1,
    name: 'origin',
    flags: 0x40,
    length: 1,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.1',
  },
  {
    type: 2,
    name: 'as_path',
    flags: 0x40,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.2',
  },
  {
    type: 3,
    name: 'next_hop',
    flags: 0x40,
    length: 4,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.3',
  },
  {
    type: 4,
    name: 'med',
    flags: 0x80,
    length: 4,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.4',
  },
  {
    type: 5,
    name: 'local_pref',
    flags: 0x40,
    length: 4,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.5',
  },
  {
    type: 6,
    name: 'atomic_aggregate',
    flags: 0x40,
    length: 0,
    handling: 'attribute-discard',
    spec: 'RFC 7606 section 7.6',
  },
  {
    type: 7,
    name: 'aggregator',
    flags: 0xc0,
    handling: 'attribute-discard',
    spec: 'RFC 7606 section 7.7',
  },
  {
    type: 8,
    name: 'communities',
    flags: 0xc0,
    length: -4,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.8',
  },
  {
    type: 9,
    name: 'originator_id',
    flags: 0x80,
    length: 4,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.9',
  },
  {
    type: 10,
    name: 'cluster_list',
    flags: 0x80,
    length: -4,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.10',
  },
  {
    type: 14,
    name: 'mp_reach',
    flags: 0x80,
    handling: 'session-reset',
    spec: 'RFC 7606 section 7.11',
  },
  {
    type: 15,
    name: 'mp_unreach',
    flags: 0x80,
    handling: 'session-reset',
    spec: 'RFC 7606 section 7.12',
  },
  {
    type: 16,
    name: 'ext_communities',
    flags: 0xc0,
    length: -8,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.14',
  },
  {
    type: 17,
    name: 'as4_path',
    flags: 0xc0,
    handling: 'attribute-discard',
    spec: 'RFC 6793 section 6',
  },
  {
    type: 18,
    name: 'as4_aggregator',
    flags: 0xc0,
    length: 8,
    handling: 'attribute-discard',
    spec: 'RFC 6793 section 6',
  },
  {
    type: 22,
    name: 'pmsi_tunnel',
    flags: 0xc0,
    handling: 'treat-as-withdraw',
    spec: 'RFC 6514 section 5',
  },
  {
    type: 25,
    name: 'ipv6_ext_communities',
    flags: 0xc0,
    length: -20,
    handling: 'treat-as-withdraw',
    spec: 'RFC 7606 section 7.15',
  },
  {
    type: 32,
    name: 'large_communities',
    flags: 0xc0,
    length: -12,
    handling: 'treat-as-withdraw',
    spec: 'RFC 8092 section 6',
  },
  {
    type: 35,
    name: 'only_to_customer',
    flags: 0xc0,
    length: 4,
    handling: 'treat-as-withdraw',
    spec: 'RFC 9234 section 5',
  },
]

const RULES = new Array<AttributeRule | undefined>(256).fill(undefined)
const EXPECTED_FLAGS = new Uint8Array(256).fill(ANY_FLAGS)
/** As in AttributeRule; NO_LENGTH_RULE where there is none. */
const NO_LENGTH_RULE = 0x7fff
const EXPECTED_LENGTH = new Int16Array(256).fill(NO_LENGTH_RULE)
for (const rule of ATTRIBUTE_RULES) {
  RULES[rule.type] = rule
  EXPECTED_FLAGS[rule.type] = rule.flags
  if (rule.length !== undefined) EXPECTED_LENGTH[rule.type] = rule.length
}

/** One run of NLRI in an UPDATE: a field of the message or of an MP attribute. Reused. */
export class NlriField {
  /** 0 announce, 1 withdraw. */
  action: 0 | 1 = ACTION_ANNOUNCE
  afi = 0
  safi = 0
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
  /** start..end is the route-type-specific part, its lengths checked for types 1 to 5. */
  evpn(bytes: Uint8Array, routeType: number, start: number, end: number, pathId: number): void
  /** A family that isn't decoded: the whole field, once. */
  opaque(bytes: Uint8Array, start: number, end: number): void
}

export class UpdateIndex {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  /** The BGP message: its header's first octet and one past its last octet. */
  start = 0
  end = 0
  /** One past the last octet given: what lies between `end` and here follows the PDU (TLVs). */
  limit = 0
  rib: Rib = 'adj_in_pre'
  /** Offset of the attribute's value by type code; -1 where absent or broken. */
  readonly at: Int32Array = new Int32Array(256).fill(-1)
  /** Octets of the attribute's value. */
  readonly len: Int32Array = new Int32Array(256)
  readonly flagsOf: Uint8Array = new Uint8Array(256)
  /** Type codes present, in wire order, each once. */
  readonly types: Uint8Array = new Uint8Array(256)
  typeCount = 0
  /** Octets per AS number in AS_PATH and AGGREGATOR, after a look at what is really there. */
  asOctets: 2 | 4 = 4
  /** The A flag or the OPENs said otherwise. */
  asWidthLied = false
  /** The first `fieldCount` are valid; withdrawals first (a prefix in both is announced). */
  readonly fields: NlriField[] = []
  fieldCount = 0
  /** The UPDATE holds an empty MP_UNREACH of this family; 0 otherwise. */
  emptyUnreachAfi = 0
  emptyUnreachSafi = 0
  /** A field was read against the session knowledge as to path identifiers. Set by `walkNlri`. */
  addPathGuessed = false
  /** What is wrong, at most MAX_ERRORS_PER_UPDATE. `walkNlri` appends to it. */
  readonly errors: DecodeError[] = []
  errorsDropped = 0
  withdrawnOctets = 0
  attributeOctets = 0
  nlriOctets = 0

  readonly #withdraws: NlriField[] = []
  readonly #announces: NlriField[] = []
  #withdrawCount = 0
  #announceCount = 0

  /**
   * Reads the UPDATE at `start`. Whatever is wrong ends up in `errors`; nothing is thrown.
   *
   * @param end  one past the last octet there is; the message's own length decides where it ends
   * @param codec  undefined without session knowledge
   * @param header  the per-peer header of the Route Monitoring message: A flag and table
   */
  read(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    codec?: PeerCodec,
    header?: PeerHeader,
  ): void {
    this.#reset(bytes, view, start, end)
    const rib = header === undefined ? 'adj_in_pre' : header.rib
    this.rib = rib
    // RFC 7854 section 4.2: the A flag rules, whatever the OPENs agreed on.
    this.asOctets = header === undefined ? (codec?.asOctets ?? 4) : header.as2 ? 2 : 4

    if (end - start < BGP_HEADER_OCTETS + 4) {
      return this.#error(
        'TRUNCATED',
        `${end - start} octets, expected at least 23`,
        start,
        end - start,
        'update',
        'RFC 4271 section 4.3',
        'session-reset',
      )
    }
    const type = bytes[start + 18]!
    if (type !== BGP_UPDATE) {
      return this.#error(
        'UNSUPPORTED',
        `BGP message type ${type}, expected 2`,
        start + 18,
        1,
        'update',
        'RFC 7854 section 4.6',
        'none',
      )
    }
    if (
      view.getInt32(start) !== -1 ||
      view.getInt32(start + 4) !== -1 ||
      view.getInt32(start + 8) !== -1 ||
      view.getInt32(start + 12) !== -1
    ) {
      this.#error(
        'BAD_VALUE',
        'marker is not all ones',
        start,
        16,
        'update.marker',
        'RFC 4271 section 4.1',
        'session-reset',
      )
    }
    const length = view.getUint16(start + 16)
    let last = start + length
    if (length < BGP_HEADER_OCTETS + 4 || last > end) {
      this.#error(
        'BAD_LENGTH',
        `length ${length} in ${end - start} octets`,
        start + 16,
        2,
        'update',
        'RFC 4271 section 4.1',
        'session-reset',
      )
      last = end
    }
    this.end = last

    const withdrawnAt = start + BGP_HEADER_OCTETS + 2
    const withdrawnOctets = view.getUint16(withdrawnAt - 2)
    const attributesAt = withdrawnAt + withdrawnOctets + 2
    if (attributesAt > last) {
      return this.#error(
        'BAD_LENGTH',
        `withdrawn routes of ${withdrawnOctets} octets, ${last - withdrawnAt} left`,
        withdrawnAt - 2,
        2,
        'withdrawn',
        'RFC 4271 section 6.3',
        'session-reset',
      )
    }
    this.withdrawnOctets = withdrawnOctets
    if (withdrawnOctets > 0) {
      const field = this.#withdraw()
      field.afi = 1
      field.safi = 1
      field.start = withdrawnAt
      field.end = withdrawnAt + withdrawnOctets
      field.isMp = false
      field.addPath = codec !== undefined && codec.addPath(1, 1, rib)
    }
    let attributeOctets = view.getUint16(attributesAt - 2)
    if (attributesAt + attributeOctets > last) {
      this.#error(
        'BAD_LENGTH',
        `path attributes of ${attributeOctets} octets, ${last - attributesAt} left`,
        attributesAt - 2,
        2,
        'attributes',
        'RFC 4271 section 6.3',
        'session-reset',
      )
      attributeOctets = last - attributesAt
    }
    this.attributeOctets = attributeOctets
    const nlriAt = attributesAt + attributeOctets
    this.nlriOctets = last - nlriAt
    if (attributeOctets > 0) this.#walkAttributes(attributesAt, nlriAt, codec, rib)

    if (nlriAt < last) {
      const field = this.#announce()
      field.afi = 1
      field.safi = 1
      field.start = nlriAt
      field.end = last
      field.isMp = false
      field.addPath = codec !== undefined && codec.addPath(1, 1, rib)
      const nextHopAt = this.at[ATTR_NEXT_HOP]!
      field.nextHopAt = nextHopAt
      field.nextHopLen = nextHopAt < 0 ? 0 : 4
      field.nextHopGlobalAt = nextHopAt
      field.nextHopGlobalOctets = nextHopAt < 0 ? 0 : 4
      field.nextHopLinkLocalAt = -1
    }
    if (this.#announceCount > 0) this.#checkMandatory()
    this.#joinFields()
  }

  #reset(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.bytes = bytes
    this.view = view
    this.start = start
    this.end = end
    this.limit = end
    const at = this.at
    const types = this.types
    for (let i = this.typeCount - 1; i >= 0; i--) at[types[i]!] = -1
    this.typeCount = 0
    this.asWidthLied = false
    this.fieldCount = 0
    this.#withdrawCount = 0
    this.#announceCount = 0
    this.emptyUnreachAfi = 0
    this.emptyUnreachSafi = 0
    this.addPathGuessed = false
    this.withdrawnOctets = 0
    this.attributeOctets = 0
    this.nlriOctets = 0
    if (this.errors.length > 0) this.errors.length = 0
    this.errorsDropped = 0
  }

  #walkAttributes(from: number, to: number, codec: PeerCodec | undefined, rib: Rib): void {
    const bytes = this.bytes
    const view = this.view
    let q = from
    while (q < to) {
      if (to - q < 3) {
        return this.#error(
          'TRUNCATED',
          `${to - q} octets left, expected an attribute`,
          q,
          to - q,
          'attributes',
          'RFC 7606 section 4',
          'treat-as-withdraw',
        )
      }
      const flags = bytes[q]!
      const type = bytes[q + 1]!
      let length: number
      let value: number
      if ((flags & EXTENDED_LENGTH) !== 0) {
        if (to - q < 4) {
          return this.#error(
            'TRUNCATED',
            `${to - q} octets left, expected an attribute`,
            q,
            to - q,
            'attributes',
            'RFC 7606 section 4',
            'treat-as-withdraw',
          )
        }
        length = view.getUint16(q + 2)
        value = q + 4
      } else {
        length = bytes[q + 2]!
        value = q + 3
      }
      const next = value + length
      if (next > to) {
        // Kept as far as it goes? No: what is cut inside a value can't be told from a wrong length.
        return this.#error(
          'BAD_LENGTH',
          `length ${length}, ${to - value} octets left`,
          q,
          to - q,
          attributeName(type),
          'RFC 7606 section 4',
          'treat-as-withdraw',
        )
      }
      if (
        ((flags ^ EXPECTED_FLAGS[type]!) & FLAG_MASK) !== 0 &&
        EXPECTED_FLAGS[type] !== ANY_FLAGS
      ) {
        // The value is whole all the same: it is reported and kept.
        this.#error(
          'BAD_FLAGS',
          `flags 0x${flags.toString(16)}, expected 0x${EXPECTED_FLAGS[type]!.toString(16)} in the first two bits`,
          q,
          1,
          attributeName(type),
          'RFC 7606 section 3',
          'treat-as-withdraw',
        )
      }
      const seen = this.at[type]! >= 0
      if (seen) this.#duplicate(type, q, next)
      let good: boolean
      if (type === ATTR_MP_REACH) good = this.#mpReach(q, value, next, codec, rib)
      else if (type === ATTR_MP_UNREACH) good = this.#mpUnreach(q, value, next, codec, rib)
      else good = !seen && this.#checkValue(type, value, length, q)
      if (good && !seen) {
        this.at[type] = value
        this.len[type] = length
        this.flagsOf[type] = flags
        this.types[this.typeCount++] = type
      }
      q = next
    }
    if (this.at[ATTR_AGGREGATOR]! >= 0) this.#checkAggregator()
  }

  /** Is the value one that can be used? Otherwise the error is noted and the attribute left out. */
  #checkValue(type: number, value: number, length: number, q: number): boolean {
    const expected = EXPECTED_LENGTH[type]!
    if (expected === NO_LENGTH_RULE) {
      switch (type) {
        case ATTR_AS_PATH:
          return this.#checkAsPath(value, length, q)
        case ATTR_AS4_PATH:
          if (asPathFits(this.bytes, value, length, 4)) return true
          this.#broken(type, 'BAD_VALUE', 'segments do not fill the attribute', q, value + length)
          return false
        case ATTR_AGGREGATOR:
          if (length === 8 || length === 6) return true
          this.#broken(type, 'BAD_LENGTH', `${length} octets, expected 6 or 8`, q, value + length)
          return false
        case ATTR_PMSI_TUNNEL:
          if (length >= 5) return true
          this.#broken(
            type,
            'BAD_LENGTH',
            `${length} octets, expected 5 or more`,
            q,
            value + length,
          )
          return false
        default:
          return true
      }
    }
    if (expected >= 0) {
      if (length !== expected) {
        this.#broken(
          type,
          'BAD_LENGTH',
          `${length} octets, expected ${expected}`,
          q,
          value + length,
        )
        return false
      }
      if (type === ATTR_ORIGIN && this.bytes[value]! > 2) {
        this.#broken(
          type,
          'BAD_VALUE',
          `origin ${this.bytes[value]!}, expected 0, 1 or 2`,
          value,
          value + 1,
        )
        return false
      }
      return true
    }
    if (length === 0 || length % -expected !== 0) {
      this.#broken(
        type,
        'BAD_LENGTH',
        `${length} octets is not a non-zero multiple of ${-expected}`,
        q,
        value + length,
      )
      return false
    }
    return true
  }

  /** AS_PATH in the width that was announced, else in the other one (FRR's local routes, habit 6). */
  #checkAsPath(value: number, length: number, q: number): boolean {
    if (asPathFits(this.bytes, value, length, this.asOctets)) return true
    const other = this.asOctets === 4 ? 2 : 4
    if (asPathFits(this.bytes, value, length, other)) {
      this.asOctets = other
      this.asWidthLied = true
      return true
    }
    this.#broken(
      ATTR_AS_PATH,
      'BAD_VALUE',
      'segments do not fill the attribute with either AS width',
      q,
      value + length,
    )
    return false
  }

  /** AGGREGATOR goes by the width that AS_PATH proved; where that proves nothing, by its own length. */
  #checkAggregator(): void {
    const length = this.len[ATTR_AGGREGATOR]!
    const pathProves = this.at[ATTR_AS_PATH]! >= 0 && this.len[ATTR_AS_PATH]! > 0
    if (!pathProves || length === this.asOctets + 4) return
    const value = this.at[ATTR_AGGREGATOR]!
    this.#broken(
      ATTR_AGGREGATOR,
      'BAD_LENGTH',
      `${length} octets, expected ${this.asOctets + 4} beside AS numbers of ${this.asOctets} octets`,
      value,
      value + length,
    )
    this.#drop(ATTR_AGGREGATOR)
  }

  #drop(type: number): void {
    this.at[type] = -1
    const at = this.types.indexOf(type)
    this.types.copyWithin(at, at + 1, this.typeCount)
    this.typeCount--
  }

  /** RFC 7606 section 3 g: a second MP attribute is a reset, of the others the first one counts. */
  #duplicate(type: number, q: number, next: number): void {
    const mp = type === ATTR_MP_REACH || type === ATTR_MP_UNREACH
    this.#error(
      'DUPLICATE',
      mp
        ? 'attribute appears again; all are read'
        : 'attribute appears again; the first one counts',
      q,
      next - q,
      attributeName(type),
      'RFC 7606 section 3',
      mp ? 'session-reset' : 'attribute-discard',
    )
  }

  /**
   * MP_REACH_NLRI, RFC 4760 section 3:
   *   afi => U16, safi => U8, next_hop_len => U8, next_hop => n, reserved => U8, nlri => rest
   */
  #mpReach(
    q: number,
    value: number,
    next: number,
    codec: PeerCodec | undefined,
    rib: Rib,
  ): boolean {
    if (next - value < 5) {
      this.#broken(
        ATTR_MP_REACH,
        'BAD_LENGTH',
        `${next - value} octets, expected 5 or more`,
        q,
        next,
      )
      return false
    }
    const bytes = this.bytes
    const afi = this.view.getUint16(value)
    const safi = bytes[value + 2]!
    const nextHopLen = bytes[value + 3]!
    const nlriAt = value + 5 + nextHopLen
    if (nlriAt > next) {
      this.#broken(
        ATTR_MP_REACH,
        'BAD_LENGTH',
        `next hop of ${nextHopLen} octets, ${next - value - 5} left`,
        value + 3,
        next,
      )
      return false
    }
    const field = this.#announce()
    field.afi = afi
    field.safi = safi
    field.start = nlriAt
    field.end = next
    field.isMp = true
    field.addPath = codec !== undefined && codec.addPath(afi, safi, rib)
    if (!setNextHop(field, value + 4, nextHopLen)) {
      this.#error(
        'BAD_LENGTH',
        `next hop of ${nextHopLen} octets, expected 4, 16 or 32 (VPN: 12, 24 or 48)`,
        value + 3,
        1 + nextHopLen,
        'mp_reach.next_hop',
        'RFC 7606 section 7.11',
        'session-reset',
      )
    }
    // An empty list announces nothing.
    if (nlriAt === next) this.#announceCount--
    return true
  }

  /** MP_UNREACH_NLRI, RFC 4760 section 4: afi => U16, safi => U8, withdrawn => rest */
  #mpUnreach(
    q: number,
    value: number,
    next: number,
    codec: PeerCodec | undefined,
    rib: Rib,
  ): boolean {
    if (next - value < 3) {
      this.#broken(
        ATTR_MP_UNREACH,
        'BAD_LENGTH',
        `${next - value} octets, expected 3 or more`,
        q,
        next,
      )
      return false
    }
    const afi = this.view.getUint16(value)
    const safi = this.bytes[value + 2]!
    if (next - value === 3) {
      this.emptyUnreachAfi = afi
      this.emptyUnreachSafi = safi
      return true
    }
    const field = this.#withdraw()
    field.afi = afi
    field.safi = safi
    field.start = value + 3
    field.end = next
    field.isMp = true
    field.addPath = codec !== undefined && codec.addPath(afi, safi, rib)
    return true
  }

  /** RFC 7606 section 3 d, less NEXT_HOP (see the head of this file). */
  #checkMandatory(): void {
    if (this.at[ATTR_ORIGIN]! < 0 && !this.#reported(ATTR_ORIGIN)) this.#missing(ATTR_ORIGIN)
    if (this.at[ATTR_AS_PATH]! < 0 && !this.#reported(ATTR_AS_PATH)) this.#missing(ATTR_AS_PATH)
  }

  #missing(type: number): void {
    this.#error(
      'MISSING',
      'well-known mandatory attribute is missing',
      this.start,
      0,
      attributeName(type),
      'RFC 7606 section 3',
      'treat-as-withdraw',
    )
  }

  #reported(type: number): boolean {
    const path = attributeName(type)
    return this.errors.some((error) => error.path === path)
  }

  #withdraw(): NlriField {
    const field = (this.#withdraws[this.#withdrawCount] ??= new NlriField())
    this.#withdrawCount++
    field.action = ACTION_WITHDRAW
    field.nextHopAt = -1
    field.nextHopLen = 0
    field.nextHopGlobalAt = -1
    field.nextHopGlobalOctets = 0
    field.nextHopLinkLocalAt = -1
    return field
  }

  #announce(): NlriField {
    const field = (this.#announces[this.#announceCount] ??= new NlriField())
    this.#announceCount++
    field.action = ACTION_ANNOUNCE
    return field
  }

  #joinFields(): void {
    const fields = this.fields
    let n = 0
    for (let i = 0; i < this.#withdrawCount; i++) fields[n++] = this.#withdraws[i]!
    for (let i = 0; i < this.#announceCount; i++) fields[n++] = this.#announces[i]!
    this.fieldCount = n
  }

  #broken(type: number, code: DecodeCode, detail: string, offset: number, end: number): void {
    const rule = RULES[type]!
    this.#error(code, detail, offset, end - offset, rule.name, rule.spec, rule.handling)
  }

  #error(
    code: DecodeCode,
    detail: string,
    offset: number,
    length: number,
    path: string,
    spec: string,
    handling: Handling,
  ): void {
    this.addError(
      new DecodeError(code, detail, { offset, length: Math.max(0, length), path, spec, handling }),
    )
  }

  /** For `walkNlri`. */
  addError(error: DecodeError): void {
    if (this.errors.length < MAX_ERRORS_PER_UPDATE) this.errors.push(error)
    else this.errorsDropped++
  }
}

/** `as_path`; `attribute(99)` for those that have no rule. */
export function attributeName(type: number): string {
  return RULES[type]?.name ?? `attribute(${type})`
}

/**
 * RFC 4271 section 4.3 and RFC 5065 section 3: segments { type => U8 1..4, count => U8 1.., ASNs }
 * that fill `length` exactly. An empty path is one.
 */
export function asPathFits(
  bytes: Uint8Array,
  at: number,
  length: number,
  asOctets: number,
): boolean {
  const end = at + length
  while (at < end) {
    if (end - at < 2) return false
    const type = bytes[at]!
    const count = bytes[at + 1]!
    if (type === 0 || type > 4 || count === 0) return false
    at += 2 + count * asOctets
  }
  return at === end
}

/**
 * Next hop layouts by length: IPv4 (4), IPv6 (16), IPv6 and link-local (32, RFC 2545 section 3), and
 * the same behind a zero route distinguisher each for VPN families (12, 24, 48; RFC 4364 section 4.3.2,
 * RFC 4659 section 3.2.1, RFC 8950 section 3). False when the length is none of the family's.
 */
function setNextHop(field: NlriField, at: number, length: number): boolean {
  field.nextHopAt = length === 0 ? -1 : at
  field.nextHopLen = length
  field.nextHopLinkLocalAt = -1
  switch (length) {
    case 4:
      field.nextHopGlobalAt = at
      field.nextHopGlobalOctets = 4
      return true
    case 12:
      field.nextHopGlobalAt = at + 8
      field.nextHopGlobalOctets = 4
      break
    case 16:
      field.nextHopGlobalAt = at
      field.nextHopGlobalOctets = 16
      return true
    case 24:
      field.nextHopGlobalAt = at + 8
      field.nextHopGlobalOctets = 16
      break
    case 32:
      field.nextHopGlobalAt = at
      field.nextHopGlobalOctets = 16
      field.nextHopLinkLocalAt = at + 16
      return true
    case 48:
      field.nextHopGlobalAt = at + 8
      field.nextHopGlobalOctets = 16
      field.nextHopLinkLocalAt = at + 32
      break
    default:
      field.nextHopGlobalAt = -1
      field.nextHopGlobalOctets = 0
  }
  const shape = nlriShape(field.afi, field.safi)
  if (shape === SHAPE_OPAQUE) return true
  return shape === SHAPE_VPN && field.nextHopGlobalOctets !== 0
}

/**
 * End-of-RIB, RFC 4724 section 2: an UPDATE with nothing in it at all is that of IPv4 unicast, one with
 * nothing but an empty MP_UNREACH_NLRI that of its family.
 */
export function isEndOfRib(index: UpdateIndex): { afi: number; safi: number } | undefined {
  if (index.withdrawnOctets !== 0 || index.nlriOctets !== 0) return undefined
  // Wrong flag bits don't make it another message; anything else wrong may have hidden routes.
  for (const error of index.errors) if (error.code !== 'BAD_FLAGS') return undefined
  if (index.end - index.start === BGP_HEADER_OCTETS + 4 && index.attributeOctets === 0) {
    return { afi: 1, safi: 1 }
  }
  if (
    index.typeCount === 1 &&
    index.at[ATTR_MP_UNREACH]! >= 0 &&
    index.len[ATTR_MP_UNREACH] === 3
  ) {
    return { afi: index.emptyUnreachAfi, safi: index.emptyUnreachSafi }
  }
  return undefined
}

/** All NLRI are there and well formed. */
const SCAN_GOOD = 0
/** Some are not, but each can be told from the next. */
const SCAN_SOME_BAD = 1
/** The list falls apart somewhere. */
const SCAN_LOST = 2

/**
 * Hands every route of `field` to `sink`, in wire order.
 *
 * Path identifiers (RFC 7911): as the session knowledge says, unless the field only makes sense the
 * other way; then that is done and `index.addPathGuessed` set.
 *
 * One bad NLRI costs only what can't be delimited any more: an EVPN route of wrong size is skipped by
 * its length octet, a prefix of wrong size ends its field.
 *
 * @returns the first error of this field; all of them are appended to `index.errors`
 */
export function walkNlri(
  index: UpdateIndex,
  field: NlriField,
  sink: NlriSink,
): DecodeError | undefined {
  const shape = nlriShape(field.afi, field.safi)
  if (shape === SHAPE_OPAQUE) {
    sink.opaque(index.bytes, field.start, field.end)
    return undefined
  }
  const bytes = index.bytes
  const start = field.start
  const end = field.end
  const maxBits = field.afi === 1 ? 32 : 128
  let scan = scanField(bytes, start, end, shape, maxBits, field.addPath, field.action)
  if (
    scan !== SCAN_GOOD &&
    scanField(bytes, start, end, shape, maxBits, !field.addPath, field.action) === SCAN_GOOD
  ) {
    field.addPath = !field.addPath
    index.addPathGuessed = true
    scan = SCAN_GOOD
  }
  switch (shape) {
    case SHAPE_PREFIX:
      return walkPrefixes(index, field, maxBits, sink)
    case SHAPE_EVPN:
      return walkEvpn(index, field, scan, sink)
    default:
      return walkLabeled(index, field, maxBits, shape === SHAPE_VPN ? 64 : 0, sink)
  }
}

function scanField(
  bytes: Uint8Array,
  at: number,
  end: number,
  shape: number,
  maxBits: number,
  addPath: boolean,
  action: number,
): number {
  const idOctets = addPath ? 4 : 0
  if (shape === SHAPE_PREFIX) {
    while (at < end) {
      at += idOctets
      if (at >= end) return SCAN_LOST
      const bits = bytes[at]!
      if (bits > maxBits) return SCAN_LOST
      at += 1 + ((bits + 7) >> 3)
    }
    return at === end ? SCAN_GOOD : SCAN_LOST
  }
  if (shape === SHAPE_EVPN) {
    let result = SCAN_GOOD
    while (at < end) {
      at += idOctets
      if (end - at < 2) return SCAN_LOST
      const length = bytes[at + 1]!
      if (at + 2 + length > end) return SCAN_LOST
      if (!evpnRouteFits(bytes, bytes[at]!, at + 2, length)) result = SCAN_SOME_BAD
      at += 2 + length
    }
    return result
  }
  const rdBits = shape === SHAPE_VPN ? 64 : 0
  while (at < end) {
    at += idOctets
    if (at >= end) return SCAN_LOST
    const bits = bytes[at]!
    const octets = (bits + 7) >> 3
    if (at + 1 + octets > end) return SCAN_LOST
    if (countLabels(bytes, at + 1, bits, rdBits, maxBits, action) < 0) return SCAN_LOST
    at += 1 + octets
  }
  return SCAN_GOOD
}

/** RFC 4271 section 4.3, RFC 4760 section 5: { path_id => U32 }?, length => U8 (bits), prefix. */
function walkPrefixes(
  index: UpdateIndex,
  field: NlriField,
  maxBits: number,
  sink: NlriSink,
): DecodeError | undefined {
  const bytes = index.bytes
  const view = index.view
  const end = field.end
  const addPath = field.addPath
  let at = field.start
  let pathId = 0
  while (at < end) {
    if (addPath) {
      if (end - at < 5)
        return lost(
          index,
          field,
          at,
          `${end - at} octets left, expected a path identifier and a prefix`,
        )
      pathId = view.getUint32(at)
      at += 4
    }
    const bits = bytes[at]!
    if (bits > maxBits)
      return lost(index, field, at, `prefix length ${bits}, expected at most ${maxBits}`)
    const octets = (bits + 7) >> 3
    if (at + 1 + octets > end)
      return lost(index, field, at, `prefix of ${octets} octets, ${end - at - 1} left`)
    sink.prefix(bytes, at + 1, bits, pathId, -1, 0, -1)
    at += 1 + octets
  }
  return undefined
}

/**
 * RFC 8277 section 2.2 and 2.3, RFC 4364 section 4.3.4:
 * { path_id => U32 }?, length => U8 (bits of all that follows), labels => 3 each, rd => 8 (VPN), prefix
 */
function walkLabeled(
  index: UpdateIndex,
  field: NlriField,
  maxBits: number,
  rdBits: number,
  sink: NlriSink,
): DecodeError | undefined {
  const bytes = index.bytes
  const view = index.view
  const end = field.end
  const addPath = field.addPath
  const action = field.action
  let at = field.start
  let pathId = 0
  while (at < end) {
    if (addPath) {
      if (end - at < 5)
        return lost(
          index,
          field,
          at,
          `${end - at} octets left, expected a path identifier and a prefix`,
        )
      pathId = view.getUint32(at)
      at += 4
    }
    const bits = bytes[at]!
    const octets = (bits + 7) >> 3
    if (at + 1 + octets > end)
      return lost(index, field, at, `NLRI of ${octets} octets, ${end - at - 1} left`)
    const labels = countLabels(bytes, at + 1, bits, rdBits, maxBits, action)
    if (labels < 0)
      return lost(
        index,
        field,
        at,
        `NLRI of ${bits} bits has no room for a label${rdBits > 0 ? ', a route distinguisher' : ''} and a prefix of at most ${maxBits} bits`,
      )
    const labelsAt = at + 1
    const afterLabels = labelsAt + 3 * labels
    const filler = action === ACTION_WITHDRAW && isFillerLabel(bytes, labelsAt)
    sink.prefix(
      bytes,
      afterLabels + (rdBits >> 3),
      bits - 24 * labels - rdBits,
      pathId,
      filler ? -1 : labelsAt,
      filler ? 0 : labels,
      rdBits > 0 ? afterLabels : -1,
    )
    at += 1 + octets
  }
  return undefined
}

/**
 * Labels in front of a prefix of `bits` bits in all, or -1 when they don't fit. The bottom-of-stack bit
 * ends the stack. A withdrawal has one field of 24 bits whatever is in it (RFC 8277 section 2.4); zero
 * and 0x800000 end a stack too. A sender that never sets the bit still gets its one label out.
 */
function countLabels(
  bytes: Uint8Array,
  at: number,
  bits: number,
  rdBits: number,
  maxBits: number,
  action: number,
): number {
  const room = bits - rdBits
  if (room < 24) return -1
  let labels = 0
  let p = at
  for (;;) {
    const raw = (bytes[p]! << 16) | (bytes[p + 1]! << 8) | bytes[p + 2]!
    labels++
    p += 3
    if ((raw & 1) !== 0 || raw === 0x800000 || raw === 0) break
    if (action === ACTION_WITHDRAW && room - 24 <= maxBits) break
    if (room - 24 * labels < 24) {
      labels = 1
      break
    }
  }
  return room - 24 * labels > maxBits ? -1 : labels
}

function isFillerLabel(bytes: Uint8Array, at: number): boolean {
  return (bytes[at] === 0x80 || bytes[at] === 0) && bytes[at + 1] === 0 && bytes[at + 2] === 0
}

/** RFC 7432 section 7: { path_id => U32 }?, route_type => U8, length => U8 (octets), specific part. */
function walkEvpn(
  index: UpdateIndex,
  field: NlriField,
  scan: number,
  sink: NlriSink,
): DecodeError | undefined {
  const bytes = index.bytes
  const view = index.view
  const end = field.end
  const addPath = field.addPath
  let at = field.start
  let pathId = 0
  let first: DecodeError | undefined
  while (at < end) {
    if (end - at < (addPath ? 6 : 2)) {
      const error = lost(index, field, at, `${end - at} octets left, expected a route`)
      return first ?? error
    }
    if (addPath) {
      pathId = view.getUint32(at)
      at += 4
    }
    const routeType = bytes[at]!
    const length = bytes[at + 1]!
    const value = at + 2
    if (value + length > end) {
      const error = lost(
        index,
        field,
        at,
        `route type ${routeType} of ${length} octets, ${end - value} left`,
      )
      return first ?? error
    }
    if (scan === SCAN_GOOD || evpnRouteFits(bytes, routeType, value, length)) {
      sink.evpn(bytes, routeType, value, value + length, pathId)
    } else {
      const error = badEvpnRoute(field, bytes, routeType, value, length)
      index.addError(error)
      first ??= error
    }
    at = value + length
  }
  return first
}

/** Do the lengths inside an EVPN route agree? Types beyond 5 are not looked into. */
export function evpnRouteFits(
  bytes: Uint8Array,
  routeType: number,
  at: number,
  length: number,
): boolean {
  switch (routeType) {
    case 1:
      return length === 25
    case 2: {
      if (length < 33 || bytes[at + 22] !== 48) return false
      const ip = bytes[at + 29]!
      if (ip !== 0 && ip !== 32 && ip !== 128) return false
      const base = 33 + (ip >> 3)
      return length === base || length === base + 3
    }
    case 3:
      return (length === 17 && bytes[at + 12] === 32) || (length === 29 && bytes[at + 12] === 128)
    case 4:
      return (length === 23 && bytes[at + 18] === 32) || (length === 35 && bytes[at + 18] === 128)
    case 5:
      return (length === 34 && bytes[at + 22]! <= 32) || (length === 58 && bytes[at + 22]! <= 128)
    default:
      return true
  }
}

const EVPN_SPECS = [
  '',
  'RFC 7432 section 7.1',
  'RFC 7432 section 7.2',
  'RFC 7432 section 7.3',
  'RFC 7432 section 7.4',
  'RFC 9136 section 3.1',
]

/** Which octet is wrong in a route that `evpnRouteFits` turned down. */
function badEvpnRoute(
  field: NlriField,
  bytes: Uint8Array,
  routeType: number,
  at: number,
  length: number,
): DecodeError {
  let code: DecodeCode = 'BAD_LENGTH'
  let offset = at - 1
  let octets = 1 + length
  let detail = `route of ${length} octets`
  const octet = (where: number, what: string, allowed: string): void => {
    code = 'BAD_VALUE'
    offset = at + where
    octets = 1
    detail = `${what} ${bytes[at + where]!} bits, expected ${allowed}`
  }
  if (routeType === 1) detail += ', expected 25'
  else if (routeType === 2) {
    if (length < 33) detail += ', expected at least 33'
    else if (bytes[at + 22] !== 48) octet(22, 'MAC length', '48')
    else {
      const ip = bytes[at + 29]!
      if (ip !== 0 && ip !== 32 && ip !== 128) octet(29, 'IP length', '0, 32 or 128')
      else detail += `, expected ${33 + ip / 8} or ${36 + ip / 8} with an IP of ${ip} bits`
    }
  } else if (routeType === 3) {
    if (length === 17 || length === 29) octet(12, 'IP length', length === 17 ? '32' : '128')
    else detail += ', expected 17 or 29'
  } else if (routeType === 4) {
    if (length === 23 || length === 35) octet(18, 'IP length', length === 23 ? '32' : '128')
    else detail += ', expected 23 or 35'
  } else if (length === 34 || length === 58)
    octet(22, 'prefix length', length === 34 ? 'at most 32' : 'at most 128')
  else detail += ', expected 34 or 58'
  return new DecodeError(code, detail, {
    offset,
    length: octets,
    path: `${fieldPath(field)}.evpn(${routeType})`,
    spec: EVPN_SPECS[routeType] ?? 'RFC 7432 section 7',
    // RFC 7606 section 5.4: a typed NLRI of a known type that is malformed is discarded alone.
    handling: 'treat-as-withdraw',
  })
}

/** `nlri`, `withdrawn`, `mp_reach.nlri` or `mp_unreach.nlri`. */
export function fieldPath(field: NlriField): string {
  if (field.isMp) return field.action === ACTION_WITHDRAW ? 'mp_unreach.nlri' : 'mp_reach.nlri'
  return field.action === ACTION_WITHDRAW ? 'withdrawn' : 'nlri'
}

/** The rest of the field can't be delimited: RFC 7606 section 5.3. */
function lost(index: UpdateIndex, field: NlriField, at: number, detail: string): DecodeError {
  const error = new DecodeError('BAD_VALUE', detail, {
    offset: at,
    length: field.end - at,
    path: fieldPath(field),
    spec: 'RFC 7606 section 5.3',
    handling: field.isMp ? 'session-reset' : 'treat-as-withdraw',
  })
  index.addError(error)
  return error
}
