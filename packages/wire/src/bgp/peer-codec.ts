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
  readonly #families: Map<number, number>

  private constructor(asOctets: 2 | 4, families: Map<number, number>) {
    this.asOctets = asOctets
    this.#families = families
  }

  /** @param sent the OPEN that the monitored router sent, @param received the one it got */
  static fromOpens(sent: NegotiatingOpen, received: NegotiatingOpen): PeerCodec {
    const ours = readOffer(sent)
    const theirs = readOffer(received)
    const families = new Map<number, number>()
    const add = (key: number, bits: number): void => {
      families.set(key, (families.get(key) ?? 0) | bits)
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
    return new PeerCodec(ours.as4 && theirs.as4 ? 4 : 2, families)
  }

  /** No session knowledge: 4-octet AS numbers, no path identifiers. */
  static unknown(): PeerCodec {
    return new PeerCodec(4, new Map())
  }

  /** Do NLRI of this family in this table begin with a path identifier (RFC 7911 section 3)? */
  addPath(afi: number, safi: number, rib: Rib): boolean {
    if (this.#families.size === 0) return false
    const bits = this.#families.get(familyKey(afi, safi))
    if (bits === undefined) return false
    if (rib === 'loc_rib') return (bits & LOC) !== 0
    return (bits & (rib === 'adj_in_pre' || rib === 'adj_in_post' ? IN : OUT)) !== 0
  }

  /** Did both sides allow a next hop of another family for this one (RFC 8950 section 4)? */
  extendedNextHop(afi: number, safi: number): boolean {
    return ((this.#families.get(familyKey(afi, safi)) ?? 0) & EXTENDED_NEXT_HOP) !== 0
  }

  /** This router leaves path identifiers of the family out, whatever was agreed (FRR). */
  withoutPathIds(afi: number, safi: number): void {
    const key = familyKey(afi, safi)
    const bits = this.#families.get(key)
    if (bits !== undefined) this.#families.set(key, bits & EXTENDED_NEXT_HOP)
  }

  /** Adds the families of a further Peer Up of the same session; the AS width is the newest one's. */
  merge(other: PeerCodec): this {
    this.asOctets = other.asOctets
    for (const [key, bits] of other.#families) {
      this.#families.set(key, (this.#families.get(key) ?? 0) | bits)
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
