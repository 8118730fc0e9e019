import type { Rib } from '../bmp/peer-header.ts'
import type { Capability } from './open/capabilities.ts'

/** The part of an OPEN that decides how UPDATEs are encoded. */
export interface NegotiatingOpen {
  readonly capabilities: readonly Capability[]
}

const IN = 1
const OUT = 2
const LOC = 4
const EXTENDED_NEXT_HOP = 8
/** The router leaves path identifiers out though they were agreed, or sends them though they weren't. */
const NEVER_IDS = 16
const ALWAYS_IDS = 32
/** Octets came that can only be read with path identifiers, and since then none that can't. */
const SHOWN_IDS = 64

/** Lies that make a habit, and the most that are counted: as many truths undo it. */
const HABIT = 2
const MOST_LIES = 3

/** Families of a peer; some 30 are registered. What more a sender makes up must not fill our memory. */
const MAX_FAMILIES = 1024

const ADD_PATH_RECEIVE = 1
const ADD_PATH_SEND = 2

interface Offer {
  as4: boolean
  readonly addPath: Map<number, number>
  readonly extendedNextHop: Map<number, Set<number>>
}

/**
 * What both OPENs of a Peer Up say about the encoding of the UPDATEs that follow.
 *
 * ADD-PATH has a direction (RFC 7911 section 4): Adj-RIB-In shows what the peer may send and the
 * router receives, Adj-RIB-Out the other way round. The OPENs of a Loc-RIB Peer Up are made up and
 * both alike (RFC 9069 section 5.1), so there a family that both list has path identifiers.
 *
 * Families add up over several Peer Ups of one peer (Huawei sends one per family): `merge`.
 */
export class PeerCodec {
  asOctets: 2 | 4
  /** OPENs were seen; otherwise nothing here says what the peers agreed on. */
  negotiated: boolean
  #asLies = 0
  readonly #families: Map<number, number>

  private constructor(asOctets: 2 | 4, families: Map<number, number>, negotiated: boolean) {
    this.asOctets = asOctets
    this.negotiated = negotiated
    this.#families = families
  }

  /** @param sent the OPEN that the monitored router sent, @param received the one it got */
  static fromOpens(sent: NegotiatingOpen, received: NegotiatingOpen): PeerCodec {
    const ours = readOffer(sent)
    const theirs = readOffer(received)
    const families = new Map<number, number>()
    const add = (key: number, bits: number): void => {
      const known = families.get(key)
      if (known !== undefined || families.size < MAX_FAMILIES)
        families.set(key, (known ?? 0) | bits)
    }
    for (const [key, own] of ours.addPath) {
      const other = theirs.addPath.get(key)
      if (other === undefined) continue
      let bits = LOC
      if ((own & ADD_PATH_RECEIVE) !== 0 && (other & ADD_PATH_SEND) !== 0) bits |= IN
      if ((own & ADD_PATH_SEND) !== 0 && (other & ADD_PATH_RECEIVE) !== 0) bits |= OUT
      add(key, bits)
    }
    for (const [key, afis] of ours.extendedNextHop) {
      const other = theirs.extendedNextHop.get(key)
      if (other !== undefined && [...afis].some((afi) => other.has(afi)))
        add(key, EXTENDED_NEXT_HOP)
    }
    return new PeerCodec(ours.as4 && theirs.as4 ? 4 : 2, families, true)
  }

  /** No session knowledge: 4-octet AS numbers, no path identifiers. */
  static unknown(): PeerCodec {
    return new PeerCodec(4, new Map(), false)
  }

  /** Do NLRI of this family in this table begin with a path identifier (RFC 7911 section 3)? */
  addPath(afi: number, safi: number, rib: Rib): boolean {
    return (this.pathIds(afi, safi, rib) & 1) !== 0
  }

  /** Bit 0: `addPath`; bit 1: the router's habit has it against what was agreed. */
  pathIds(afi: number, safi: number, rib: Rib): number {
    if (this.#families.size === 0) return 0
    const bits = this.#families.get(familyKey(afi, safi))
    if (bits === undefined) return 0
    const direction =
      rib === 'loc_rib' ? LOC : rib === 'adj_in_pre' || rib === 'adj_in_post' ? IN : OUT
    if ((bits & direction) !== 0) return (bits & NEVER_IDS) !== 0 ? 2 : 1
    return (bits & ALWAYS_IDS) !== 0 ? 3 : 0
  }

  /** The router has shown that its AS_PATHs are not of the width that it says. */
  get asWidthHabit(): boolean {
    return this.#asLies >= HABIT
  }

  /** An AS_PATH that only fits the other width. */
  asWidthLied(): void {
    if (this.#asLies < MOST_LIES) this.#asLies++
  }

  /** An AS_PATH that only fits the width that was said. */
  asWidthHeld(): void {
    if (this.#asLies > 0) this.#asLies--
  }

  /** Did both sides allow a next hop of another family for this one (RFC 8950 section 4)? */
  extendedNextHop(afi: number, safi: number): boolean {
    return ((this.#families.get(familyKey(afi, safi)) ?? 0) & EXTENDED_NEXT_HOP) !== 0
  }

  /**
   * What this router does whatever was agreed for the family: FRR leaves path identifiers out, Huawei has
   * them in labelled unicast. undefined: it keeps to what was agreed again.
   */
  pathIdHabit(afi: number, safi: number, habit: boolean | undefined): void {
    const key = familyKey(afi, safi)
    const bits = (this.#families.get(key) ?? 0) & ~(NEVER_IDS | ALWAYS_IDS | SHOWN_IDS)
    const more = habit === undefined ? 0 : habit ? ALWAYS_IDS : NEVER_IDS
    this.#families.set(key, bits | more)
  }

  /** Has the router shown that it sends the path identifiers that were agreed? Then a field that fits both is not doubted. */
  pathIdsShown(afi: number, safi: number): boolean {
    return ((this.#families.get(familyKey(afi, safi)) ?? 0) & SHOWN_IDS) !== 0
  }

  /** @param there  a field can only be read with path identifiers; false: only, or much better, without */
  showPathIds(afi: number, safi: number, there: boolean): void {
    const key = familyKey(afi, safi)
    const bits = this.#families.get(key) ?? 0
    this.#families.set(key, there ? bits | SHOWN_IDS : bits & ~SHOWN_IDS)
  }

  /**
   * A copy in which the families that a version 4 message itself lists are as it says, whatever the OPENs
   * were (draft-ietf-grow-bmp-tlv section 5.2.3); the direction counts as in an OPEN of the router's.
   */
  stateless(capabilities: readonly Capability[]): PeerCodec {
    const families = new Map(this.#families)
    for (const [key, own] of readOffer({ capabilities }).addPath) {
      let bits = (families.get(key) ?? 0) & EXTENDED_NEXT_HOP
      if (own !== 0) bits |= LOC
      if ((own & ADD_PATH_RECEIVE) !== 0) bits |= IN
      if ((own & ADD_PATH_SEND) !== 0) bits |= OUT
      families.set(key, bits)
    }
    return new PeerCodec(this.asOctets, families, true)
  }

  /** Adds the families of a further Peer Up of the same session; the AS width is the newest one's. */
  merge(other: PeerCodec): this {
    this.asOctets = other.asOctets
    this.negotiated ||= other.negotiated
    for (const [key, bits] of other.#families) {
      const known = this.#families.get(key)
      if (known === undefined && this.#families.size >= MAX_FAMILIES) continue
      this.#families.set(key, (known ?? 0) | bits)
    }
    return this
  }
}

function familyKey(afi: number, safi: number): number {
  return afi * 256 + safi
}

function readOffer(open: NegotiatingOpen): Offer {
  const offer: Offer = { as4: false, addPath: new Map(), extendedNextHop: new Map() }
  for (const capability of open.capabilities) {
    if (capability.kind === 'as4') offer.as4 = true
    else if (capability.kind === 'add_path') {
      for (const { afi, safi, sendReceive } of capability.families) {
        offer.addPath.set(familyKey(afi, safi), sendReceive)
      }
    } else if (capability.kind === 'extended_next_hop') {
      for (const { afi, safi, nextHopAfi } of capability.families) {
        const key = familyKey(afi, safi)
        const afis = offer.extendedNextHop.get(key) ?? new Set()
        offer.extendedNextHop.set(key, afis.add(nextHopAfi))
      }
    }
  }
  return offer
}
