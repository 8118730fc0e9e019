/**
 * THE HOT PATH, first half: an index of offsets over one BGP UPDATE (the walk over its NLRI is in
 * `nlri-walk.ts`).
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
import {
  ATTR_AGGREGATOR,
  ATTR_AS4_AGGREGATOR,
  ATTR_AS4_PATH,
  ATTR_AS_PATH,
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  ATTR_NEXT_HOP,
  ATTR_ORIGIN,
  ATTRIBUTE_RULES,
  attributeName,
  attributeRule,
  hasRule,
  FLAG_EXTENDED_LENGTH,
  FLAG_OPTIONAL,
  FLAG_TRANSITIVE,
} from './attribute-rules.ts'
import { misfitOf } from './attribute-structure.ts'
import { hasAsZero, settleAsWidth } from './as-width.ts'
import { nlriShape, SHAPE_OPAQUE, SHAPE_PREFIX, SHAPE_VPN } from './families.ts'
import { BGP_HEADER_OCTETS, BGP_UPDATE } from './header.ts'
import { ACTION_ANNOUNCE, ACTION_WITHDRAW, NlriField } from './nlri.ts'
import type { PeerCodec } from './peer-codec.ts'

/** Errors kept per message; more are counted in `errorsDropped`. A sender must not fill our memory. */
export const MAX_ERRORS_PER_UPDATE = 64

interface Fault {
  readonly path: string
  readonly spec: string
  readonly handling: Handling
}

/** What can be wrong beside an attribute's value (for that see `attribute-rules.ts`). */
const FAULTS = {
  message: { path: 'update', spec: 'RFC 4271 section 4.1', handling: 'session-reset' },
  messageType: { path: 'update', spec: 'RFC 7854 section 4.6', handling: 'none' },
  marker: { path: 'update.marker', spec: 'RFC 4271 section 4.1', handling: 'session-reset' },
  withdrawnLength: { path: 'withdrawn', spec: 'RFC 4271 section 6.3', handling: 'session-reset' },
  attributesLength: { path: 'attributes', spec: 'RFC 4271 section 6.3', handling: 'session-reset' },
  attributeHeader: {
    path: 'attributes',
    spec: 'RFC 7606 section 4',
    handling: 'treat-as-withdraw',
  },
  attributeFlags: { path: '', spec: 'RFC 7606 section 3', handling: 'treat-as-withdraw' },
  unknownWellKnown: { path: '', spec: 'RFC 4271 section 6.3', handling: 'session-reset' },
  secondAttribute: { path: '', spec: 'RFC 7606 section 3', handling: 'attribute-discard' },
  secondMp: { path: '', spec: 'RFC 7606 section 3', handling: 'session-reset' },
  missing: { path: '', spec: 'RFC 7606 section 3', handling: 'treat-as-withdraw' },
  nextHopLength: {
    path: 'mp_reach.next_hop',
    spec: 'RFC 7606 section 7.11',
    handling: 'session-reset',
  },
} as const satisfies Record<string, Fault>

/** The first two bits of the flags as they must be, and which count: an unknown type must be optional. */
const EXPECTED_FLAGS = new Uint8Array(256).fill(FLAG_OPTIONAL)
const CHECKED_FLAGS = new Uint8Array(256).fill(FLAG_OPTIONAL)
/** Exact octets, or minus the octets that the length must be a multiple of. */
const EXPECTED_LENGTH = new Int16Array(256)
const NO_LENGTH_RULE = 0x7fff
/** The lengths inside have to agree: `attribute-structure.ts`. */
const STRUCTURE_RULE = 0x7ffe
EXPECTED_LENGTH.fill(NO_LENGTH_RULE)
/**
 * The rules that are plain, in a form that the walk checks without a branch for each kind of rule: a
 * length is good when `(length ^ bits 0..7) & bits 8..23` is zero and it is at least bits 24..30. Negative:
 * the length does not tell all, `#special` does. 0, of an unknown type: any length will do.
 */
const PLAIN_LENGTH = new Int32Array(256)
const NOT_PLAIN = -1
const ALL_BITS = 0xffff
for (const { type, flags, length } of ATTRIBUTE_RULES) {
  EXPECTED_FLAGS[type] = flags
  CHECKED_FLAGS[type] = FLAG_OPTIONAL | FLAG_TRANSITIVE
  PLAIN_LENGTH[type] = NOT_PLAIN
  if ('exactly' in length) {
    EXPECTED_LENGTH[type] = length.exactly
    PLAIN_LENGTH[type] = length.exactly | (ALL_BITS << 8)
  } else if ('multipleOf' in length) {
    const octets = length.multipleOf
    EXPECTED_LENGTH[type] = -octets
    if ((octets & (octets - 1)) === 0) PLAIN_LENGTH[type] = ((octets - 1) << 8) | (1 << 24)
  } else if (length.checked === 'structure') EXPECTED_LENGTH[type] = STRUCTURE_RULE
}
// The value counts too.
PLAIN_LENGTH[ATTR_ORIGIN] = NOT_PLAIN
PLAIN_LENGTH[ATTR_AS4_AGGREGATOR] = NOT_PLAIN

/**
 * Offsets of one BGP UPDATE (RFC 4271 section 4.3): attributes by type code, fields of NLRI, what is wrong. One
 * is made and filled again for every message; its numbers hold until the next `read`.
 */
export class UpdateIndex {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  /** The BGP message: its header's first octet and one past its last octet. */
  start = 0
  end = 0
  /** One past the last octet given: what lies between `end` and here follows the PDU (TLVs). */
  limit = 0
  rib: Rib = 'adj_in_pre'
  /** What is known of the session; undefined for nothing. */
  codec: PeerCodec | undefined
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

  #withdrawCount = 0
  #announceCount = 0
  /** The message or its attributes end before they should: what isn't there may have been sent. */
  #cut = false
  /** AS_PATH fits both widths: what else is there has to settle it. */
  #asWidthOpen = false

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
    if (this.rib !== rib) this.rib = rib
    if (this.codec !== codec) this.codec = codec
    // RFC 7854 section 4.2: the A flag rules, whatever the OPENs agreed on.
    this.asOctets = header === undefined ? (codec?.asOctets ?? 4) : header.as2 ? 2 : 4

    const last = this.#readHeader(bytes, view, start, end)
    if (last < 0) return
    this.end = last

    const withdrawnAt = start + BGP_HEADER_OCTETS + 2
    const withdrawnOctets = view.getUint16(withdrawnAt - 2)
    const attributesAt = withdrawnAt + withdrawnOctets + 2
    if (attributesAt > last) {
      const detail = `withdrawn routes of ${withdrawnOctets} octets, ${last - withdrawnAt} left`
      return this.#error(FAULTS.withdrawnLength, 'BAD_LENGTH', detail, withdrawnAt - 2, last)
    }
    let attributeOctets = view.getUint16(attributesAt - 2)
    if (attributesAt + attributeOctets > last) {
      const detail = `path attributes of ${attributeOctets} octets, ${last - attributesAt} left`
      this.#error(FAULTS.attributesLength, 'BAD_LENGTH', detail, attributesAt - 2, last)
      // Either length may be the wrong one, so nothing between them can be trusted, unless it is
      // known that the message was cut off.
      if (!this.#cut) return
      attributeOctets = last - attributesAt
    }
    this.withdrawnOctets = withdrawnOctets
    this.attributeOctets = attributeOctets
    const nlriAt = attributesAt + attributeOctets
    this.nlriOctets = last - nlriAt

    if (withdrawnOctets > 0) {
      const field = this.#withdraw()
      field.afi = 1
      field.safi = 1
      field.shape = SHAPE_PREFIX
      field.start = withdrawnAt
      field.end = withdrawnAt + withdrawnOctets
      field.isMp = false
      this.#pathIds(field, codec, rib)
    }
    if (attributeOctets > 0) {
      this.#walkAttributes(attributesAt, nlriAt, codec, rib)
      if (this.#asWidthOpen) this.#settleAsWidth(codec, header)
      if (this.at[ATTR_AGGREGATOR]! >= 0) this.#checkAggregator()
    }
    if (nlriAt < last) {
      const field = this.#announce()
      field.afi = 1
      field.safi = 1
      field.shape = SHAPE_PREFIX
      field.start = nlriAt
      field.end = last
      field.isMp = false
      this.#pathIds(field, codec, rib)
      const nextHopAt = this.at[ATTR_NEXT_HOP]!
      field.nextHopAt = nextHopAt
      field.nextHopLen = nextHopAt < 0 ? 0 : 4
      field.nextHopGlobalAt = nextHopAt
      field.nextHopGlobalOctets = nextHopAt < 0 ? 0 : 4
      field.nextHopLinkLocalAt = -1
    }
    if (this.#announceCount > 0) this.#checkMandatory()
    this.fieldCount = this.#withdrawCount + this.#announceCount
  }

  /** Checks the BGP header. Returns one past the message's last octet, or -1 when there is no UPDATE. */
  #readHeader(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    if (end - start < BGP_HEADER_OCTETS + 4) {
      const detail = `${end - start} octets, expected at least 23`
      this.#error(FAULTS.message, 'TRUNCATED', detail, start, end)
      return -1
    }
    const type = bytes[start + 18]!
    if (type !== BGP_UPDATE) {
      const detail = `BGP message type ${type}, expected 2`
      this.#error(FAULTS.messageType, 'UNSUPPORTED', detail, start + 18, start + 19)
      return -1
    }
    if (
      view.getInt32(start) !== -1 ||
      view.getInt32(start + 4) !== -1 ||
      view.getInt32(start + 8) !== -1 ||
      view.getInt32(start + 12) !== -1
    ) {
      this.#error(FAULTS.marker, 'BAD_VALUE', 'marker is not all ones', start, start + 16)
    }
    const length = view.getUint16(start + 16)
    const last = start + length
    if (length >= BGP_HEADER_OCTETS + 4 && last <= end) return last
    this.#cut = last > end
    const detail = `length ${length}, ${end - start} octets there`
    this.#error(FAULTS.message, 'BAD_LENGTH', detail, start + 16, start + 18)
    return end
  }

  #reset(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    // References are costly to write (the collector of garbage wants to know), and mostly the same.
    if (this.bytes !== bytes) this.bytes = bytes
    if (this.view !== view) this.view = view
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
    this.#cut = false
    this.#asWidthOpen = false
    if (this.errors.length > 0) this.errors.length = 0
    this.errorsDropped = 0
  }

  #walkAttributes(from: number, to: number, codec: PeerCodec | undefined, rib: Rib): void {
    const bytes = this.bytes
    const view = this.view
    const at = this.at
    const len = this.len
    const types = this.types
    const flagsOf = this.flagsOf
    let count = 0
    let q = from
    while (q < to) {
      const flags = bytes[q]!
      const extended = (flags & FLAG_EXTENDED_LENGTH) !== 0
      const value = extended ? q + 4 : q + 3
      if (value > to) {
        this.#cutHeader(q, to)
        break
      }
      const type = bytes[q + 1]!
      const length = extended ? view.getUint16(q + 2) : bytes[q + 2]!
      const next = value + length
      if (next > to) {
        this.#cutValue(type, length, q, value, to)
        break
      }
      const plain = PLAIN_LENGTH[type]!
      if (
        (plain >= 0 &&
          ((length ^ (plain & 0xff)) & (plain >> 8) & ALL_BITS) === 0 &&
          length >= plain >> 24 &&
          ((flags ^ EXPECTED_FLAGS[type]!) & CHECKED_FLAGS[type]!) === 0 &&
          at[type]! < 0) ||
        this.#special(type, flags, q, value, next, codec, rib)
      ) {
        at[type] = value
        len[type] = length
        flagsOf[type] = flags
        types[count++] = type
      }
      q = next
    }
    this.typeCount = count
  }

  #cutHeader(q: number, to: number): void {
    const detail = `${to - q} octets left, expected an attribute`
    this.#error(FAULTS.attributeHeader, 'TRUNCATED', detail, q, to)
    this.#cut = true
  }

  /** Where the next attribute begins can't be told. */
  #cutValue(type: number, length: number, q: number, value: number, to: number): void {
    const fault = { ...FAULTS.attributeHeader, path: attributeName(type) }
    this.#error(fault, 'BAD_LENGTH', `length ${length}, ${to - value} octets left`, q, to)
    this.#cut = true
  }

  /**
   * An attribute that needs more than a look at its length, or that has something wrong.
   *
   * @returns true when it is the first of its type and its value can be used
   */
  #special(
    type: number,
    flags: number,
    q: number,
    value: number,
    next: number,
    codec: PeerCodec | undefined,
    rib: Rib,
  ): boolean {
    if (((flags ^ EXPECTED_FLAGS[type]!) & CHECKED_FLAGS[type]!) !== 0) {
      this.#wrongFlags(type, flags, q)
    }
    const seen = this.at[type]! >= 0
    if (seen) this.#duplicate(type, q, next)
    if (type === ATTR_MP_REACH) return this.#mpReach(q, value, next, codec, rib) && !seen
    if (type === ATTR_MP_UNREACH) return this.#mpUnreach(q, value, next, codec, rib) && !seen
    return !seen && this.#checkValue(type, value, next - value, q, codec)
  }

  /** Is the value one that can be used? Otherwise the error is noted and the attribute left out. */
  #checkValue(
    type: number,
    value: number,
    length: number,
    q: number,
    codec: PeerCodec | undefined,
  ): boolean {
    const expected = EXPECTED_LENGTH[type]!
    const end = value + length
    if (expected === NO_LENGTH_RULE) {
      switch (type) {
        case ATTR_AS_PATH:
          return this.#checkAsPath(value, length, q, codec)
        case ATTR_AS4_PATH:
          if (asPathFits(this.bytes, value, length, 4)) {
            if (showsAsZero(this.view, value, length, 4)) this.#asZero(type, q, end)
            return true
          }
          return this.#broken(type, 'BAD_VALUE', 'segments do not fill the attribute', q, end)
        case ATTR_AGGREGATOR:
          if (length === 8 || length === 6) {
            const asn = length === 8 ? this.view.getUint32(value) : this.view.getUint16(value)
            if (asn === 0) this.#asZero(type, q, end)
            return true
          }
          return this.#broken(type, 'BAD_LENGTH', `${length} octets, expected 6 or 8`, q, end)
        default:
          return true
      }
    }
    if (expected === STRUCTURE_RULE) {
      const misfit = misfitOf(type, this.bytes, value, length)
      if (misfit === undefined) return true
      const { name, spec, handling } = attributeRule(type)
      const { at, detail } = misfit
      const offset = at === 0 ? q : value + at
      const fault = { path: name, spec: misfit.spec ?? spec, handling: misfit.handling ?? handling }
      this.#error(fault, 'BAD_LENGTH', detail, offset, end)
      return false
    }
    if (expected >= 0) {
      if (length !== expected) {
        return this.#broken(type, 'BAD_LENGTH', `${length} octets, expected ${expected}`, q, end)
      }
      if (type === ATTR_AS4_AGGREGATOR && this.view.getUint32(value) === 0) {
        this.#asZero(type, q, end)
      }
      if (type === ATTR_ORIGIN && this.bytes[value]! > 2) {
        const detail = `origin ${this.bytes[value]!}, expected 0, 1 or 2`
        return this.#broken(type, 'BAD_VALUE', detail, value, end)
      }
      return true
    }
    if (length === 0 || length % -expected !== 0) {
      const detail = `${length} octets is not a non-zero multiple of ${-expected}`
      return this.#broken(type, 'BAD_LENGTH', detail, q, end)
    }
    return true
  }

  /**
   * AS_PATH in the width that was announced, else in the other one (FRR's local routes, habit 6), unless
   * that shows AS 0: then it is a broken path that fits by accident.
   */
  #checkAsPath(value: number, length: number, q: number, codec: PeerCodec | undefined): boolean {
    const bytes = this.bytes
    const other = this.asOctets === 4 ? 2 : 4
    if (asPathFits(bytes, value, length, this.asOctets)) {
      if (length === 0) return true
      if (asPathFits(bytes, value, length, other)) this.#asWidthOpen = true
      else if (codec !== undefined) codec.asWidthHeld()
      return true
    }
    if (asPathFits(bytes, value, length, other) && !hasAsZero(bytes, value, length, other)) {
      this.asOctets = other
      this.asWidthLied = true
      codec?.asWidthLied()
      return true
    }
    const detail = 'segments do not fill the attribute with either AS width'
    return this.#broken(ATTR_AS_PATH, 'BAD_VALUE', detail, q, value + length)
  }

  /** Tells of an AS 0 in AS_PATH. Whoever reads the path anyway has seen it: `asZeroInPath` then. */
  checkAsPathNumbers(): void {
    const at = this.at[ATTR_AS_PATH]!
    if (at < 0 || !showsAsZero(this.view, at, this.len[ATTR_AS_PATH]!, this.asOctets)) return
    this.asZeroInPath()
  }

  asZeroInPath(): void {
    const at = this.at[ATTR_AS_PATH]!
    this.#asZero(ATTR_AS_PATH, at, at + this.len[ATTR_AS_PATH]!, 'treat-as-withdraw')
  }

  /** RFC 7607 section 2. It can be read all the same: told, and kept. */
  #asZero(type: number, q: number, end: number, handling: Handling = 'attribute-discard'): void {
    const fault = { path: attributeName(type), spec: 'RFC 7607 section 2', handling }
    this.#error(fault, 'BAD_VALUE', 'AS 0, which nobody may have', q, end)
  }

  /** AS_PATH fits both widths: AGGREGATOR, the numbers themselves and the router's habit tell. */
  #settleAsWidth(codec: PeerCodec | undefined, header: PeerHeader | undefined): void {
    const declared = this.asOctets
    const aggregator = this.at[ATTR_AGGREGATOR]! < 0 ? 0 : this.len[ATTR_AGGREGATOR]! === 8 ? 4 : 2
    const settled = settleAsWidth(this.bytes, this.at[ATTR_AS_PATH]!, this.len[ATTR_AS_PATH]!, {
      declared,
      aggregator,
      as4Path: this.at[ATTR_AS4_PATH]! >= 0,
      peerAsn: header === undefined ? 0 : header.asn,
      codec,
    })
    this.asOctets = settled
    this.asWidthLied = settled !== declared
  }

  /** Path identifiers as the session has them, or as this router has shown to have them. */
  #pathIds(field: NlriField, codec: PeerCodec | undefined, rib: Rib): void {
    const ids = codec === undefined ? 0 : codec.pathIds(field.afi, field.safi, rib)
    field.addPath = (ids & 1) !== 0
    field.against = ids > 1
    field.negotiated = codec !== undefined && codec.negotiated
  }

  /** AGGREGATOR goes by the width that AS_PATH proved; where that proves nothing, by its own length. */
  #checkAggregator(): void {
    const length = this.len[ATTR_AGGREGATOR]!
    const expected = this.asOctets + 4
    const pathProves = this.at[ATTR_AS_PATH]! >= 0 && this.len[ATTR_AS_PATH]! > 0
    if (!pathProves || length === expected) return
    const value = this.at[ATTR_AGGREGATOR]!
    const detail = `${length} octets, expected ${expected} beside AS numbers of ${this.asOctets} octets`
    this.#broken(ATTR_AGGREGATOR, 'BAD_LENGTH', detail, value, value + length)
    this.at[ATTR_AGGREGATOR] = -1
    const place = this.types.indexOf(ATTR_AGGREGATOR)
    this.types.copyWithin(place, place + 1, this.typeCount)
    this.typeCount--
  }

  /** The value is whole all the same: it is reported and kept. */
  #wrongFlags(type: number, flags: number, q: number): void {
    if (!hasRule(type)) {
      // Whoever sets the flag so says that everybody knows this attribute.
      const fault = { ...FAULTS.unknownWellKnown, path: attributeName(type) }
      return this.#error(fault, 'UNSUPPORTED', 'well-known, and nobody knows it', q, q + 2)
    }
    const expected = EXPECTED_FLAGS[type]!.toString(16)
    const detail = `flags 0x${flags.toString(16)}, expected 0x${expected} in the first two bits`
    const own = attributeRule(type)
    const fault =
      own.flagsHandling === undefined
        ? { ...FAULTS.attributeFlags, path: own.name }
        : { path: own.name, spec: own.spec, handling: own.flagsHandling }
    this.#error(fault, 'BAD_FLAGS', detail, q, q + 1)
  }

  /** RFC 7606 section 3 g: a second MP attribute is a reset, of the others the first one counts. */
  #duplicate(type: number, q: number, next: number): void {
    const mp = type === ATTR_MP_REACH || type === ATTR_MP_UNREACH
    const fault = { ...(mp ? FAULTS.secondMp : FAULTS.secondAttribute), path: attributeName(type) }
    const detail = `attribute appears again; ${mp ? 'all are read' : 'the first one counts'}`
    this.#error(fault, 'DUPLICATE', detail, q, next)
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
      const detail = `${next - value} octets, expected 5 or more`
      return this.#broken(ATTR_MP_REACH, 'BAD_LENGTH', detail, q, next)
    }
    const bytes = this.bytes
    const afi = this.view.getUint16(value)
    const safi = bytes[value + 2]!
    const nextHopLen = bytes[value + 3]!
    const nlriAt = value + 5 + nextHopLen
    if (nlriAt > next) {
      const detail = `next hop of ${nextHopLen} octets, ${next - value - 5} left`
      return this.#broken(ATTR_MP_REACH, 'BAD_LENGTH', detail, value + 3, next)
    }
    const field = this.#announce()
    field.afi = afi
    field.safi = safi
    field.shape = nlriShape(afi, safi)
    field.start = nlriAt
    field.end = next
    field.isMp = true
    this.#pathIds(field, codec, rib)
    if (!setNextHop(field, value + 4, nextHopLen)) {
      const detail = `next hop of ${nextHopLen} octets, expected 4, 16 or 32 (VPN: 12, 24 or 48)`
      this.#error(FAULTS.nextHopLength, 'BAD_LENGTH', detail, value + 3, value + 4 + nextHopLen)
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
      const detail = `${next - value} octets, expected 3 or more`
      return this.#broken(ATTR_MP_UNREACH, 'BAD_LENGTH', detail, q, next)
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
    field.shape = nlriShape(afi, safi)
    field.start = value + 3
    field.end = next
    field.isMp = true
    this.#pathIds(field, codec, rib)
    return true
  }

  /** RFC 7606 section 3 d, less NEXT_HOP (see the head of this file). */
  #checkMandatory(): void {
    // What a broken attribute hid is not missing. And a Loc-RIB has routes that were in no UPDATE: those
    // of the router itself (GoBGP shows them without AS_PATH).
    if (this.#cut || this.rib === 'loc_rib') return
    if (this.at[ATTR_ORIGIN]! < 0) this.#missing(ATTR_ORIGIN)
    if (this.at[ATTR_AS_PATH]! < 0) this.#missing(ATTR_AS_PATH)
  }

  #missing(type: number): void {
    const path = attributeName(type)
    if (this.errors.some((error) => error.path === path)) return
    const fault = { ...FAULTS.missing, path }
    const detail = 'well-known mandatory attribute is missing'
    this.#error(fault, 'MISSING', detail, this.start, this.start)
  }

  /** The next field, behind the withdrawals so far. */
  #withdraw(): NlriField {
    const at = this.#withdrawCount++
    const field = this.#announceCount === 0 ? this.#fieldAt(at) : this.#fieldBefore(at)
    field.action = ACTION_WITHDRAW
    // It may have been an announcement's in another message.
    field.nextHopAt = -1
    field.nextHopLen = 0
    field.nextHopGlobalAt = -1
    field.nextHopGlobalOctets = 0
    field.nextHopLinkLocalAt = -1
    return field
  }

  /** The next field, behind all others. */
  #announce(): NlriField {
    const field = this.#fieldAt(this.#withdrawCount + this.#announceCount++)
    field.action = ACTION_ANNOUNCE
    return field
  }

  #fieldAt(place: number): NlriField {
    const fields = this.fields
    if (place === fields.length) fields.push(new NlriField())
    return fields[place]!
  }

  /** MP_UNREACH behind MP_REACH: what was announced moves up. */
  #fieldBefore(place: number): NlriField {
    const last = place + this.#announceCount
    const field = this.#fieldAt(last)
    this.fields.copyWithin(place + 1, place, last)
    this.fields[place] = field
    return field
  }

  /** Notes that the attribute can't be used. Always false. */
  #broken(type: number, code: DecodeCode, detail: string, offset: number, end: number): false {
    const { name, spec, handling } = attributeRule(type)
    this.#error({ path: name, spec, handling }, code, detail, offset, end)
    return false
  }

  #error(fault: Fault, code: DecodeCode, detail: string, offset: number, end: number): void {
    this.addError(new DecodeError(code, detail, { ...fault, offset, length: end - offset }))
  }

  /** For `walkNlri` and the attribute decoders. */
  addError(error: DecodeError): void {
    if (this.errors.length < MAX_ERRORS_PER_UPDATE) this.errors.push(error)
    else this.errorsDropped++
  }
}

/** AS 0 in a path that fits (RFC 7607 section 2). */
function showsAsZero(view: DataView, at: number, length: number, asOctets: number): boolean {
  const end = at + length
  while (at < end) {
    const next = at + 2 + view.getUint8(at + 1) * asOctets
    if (asOctets === 4) {
      for (at += 2; at < next; at += 4) if (view.getInt32(at) === 0) return true
    } else {
      for (at += 2; at < next; at += 2) if (view.getInt16(at) === 0) return true
    }
  }
  return false
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
      // No next hop is legal: flow specifications have none, and see the head of this file.
      if (length === 0) return true
  }
  if (field.shape >= SHAPE_OPAQUE) return true
  return field.shape === SHAPE_VPN && field.nextHopGlobalOctets !== 0
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
