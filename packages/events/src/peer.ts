import { PEER_TYPE_LOC_RIB, PeerCodec, RIBS } from '@ribscope/wire'
import type { PeerHeader, Rib } from '@ribscope/wire'
import type { GracefulOffer } from './graceful-restart.ts'
import { peerKeyOf } from './hash.ts'
import type { RowPeer } from './route-block.ts'
import type { PeerFacts } from './rows.ts'

/** What identifies a peer in the per-peer header (RFC 7854 section 4.2), flags left out. */
export interface PeerIdentity {
  readonly type: number
  /** Loc-RIB instances (RFC 9069) are never matched with BGP peers. */
  readonly locRib: boolean
  readonly rd: bigint
  /** 16 octets, IPv4 as ::ffff:a.b.c.d */
  readonly address: Uint8Array<ArrayBuffer>
  readonly addressIsZero: boolean
  readonly linkLocal: boolean
  readonly asn: number
  readonly bgpId: number
}

const MAPPED_PREFIX = 10

export function identityOf(header: PeerHeader, bytes: Uint8Array): PeerIdentity {
  const address = new Uint8Array(16)
  const from = header.addressAt
  let zero = true
  for (let i = 0; i < header.addressOctets; i++) {
    const octet = bytes[from + i] ?? 0
    address[16 - header.addressOctets + i] = octet
    if (octet !== 0) zero = false
  }
  if (header.addressOctets === 4) {
    address[MAPPED_PREFIX] = 0xff
    address[MAPPED_PREFIX + 1] = 0xff
  }
  return {
    type: header.type,
    locRib: header.type === PEER_TYPE_LOC_RIB,
    rd: (BigInt(header.distinguisherHi) << 32n) | BigInt(header.distinguisherLo),
    address,
    addressIsZero: zero,
    linkLocal:
      header.addressOctets === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80,
    asn: header.asn,
    bgpId: header.bgpId,
  }
}

/** All of it zero: FRR's local routes (ROUTERS.md FRR 6), not a session that could go down. */
export function isLocalRoutes(identity: PeerIdentity): boolean {
  return !identity.locRib && identity.addressIsZero && identity.asn === 0 && identity.bgpId === 0
}

export function factsOf(router: string, identity: PeerIdentity): PeerFacts {
  const header = Buffer.alloc(32)
  header.writeBigUInt64BE(identity.rd, 0)
  // 0.0.0.0 and :: are both no address.
  if (!identity.addressIsZero) header.set(identity.address, 8)
  header.writeUInt32BE(identity.asn, 24)
  header.writeUInt32BE(identity.bgpId, 28)
  return {
    key: peerKeyOf(router, header, identity.locRib),
    type: identity.type,
    address: identity.address,
    asn: identity.asn,
    bgpId: identity.bgpId,
    rd: identity.rd,
  }
}

export type DumpReason = 'eor' | 'quiet' | 'max'

/** One table of a peer for one family, within an epoch. */
export class PeerView {
  readonly ribCode: number
  readonly rib: Rib
  readonly afi: number
  readonly safi: number
  locRibAddPath = false
  /** last Route Monitoring of this view */
  lastUs: number
  /** when the dump counts as done whatever comes */
  readonly maxUs: number
  done: DumpReason | undefined
  /** fields in a row that were (or, after some that were, weren't) against what was agreed on path ids */
  idsRun = 0
  idsAgainst = false

  constructor(ribCode: number, afi: number, safi: number, nowUs: number, maxUs: number) {
    this.ribCode = ribCode
    this.rib = RIBS[ribCode] as Rib
    this.afi = afi
    this.safi = safi
    this.lastUs = nowUs
    this.maxUs = maxUs
  }
}

/** What the OPENs and ports of a Peer Up say, as far as a later one is compared with it. */
export interface PeerTransport {
  readonly localPort: number
  readonly remotePort: number
  readonly sentBgpId: string
  readonly receivedBgpId: string
}

export class Peer {
  /** order of appearance in the session */
  readonly rank: number
  readonly identity: PeerIdentity
  readonly facts: PeerFacts
  epoch: number
  up = false
  /** the peer is up because it sent routes, not because of a Peer Up */
  synthetic = false
  /** the epoch began before this BMP session did: its dump is over, and says nothing about what came before */
  midway = false
  upSeq = 0
  upUs = 0
  lastRmUs = 0
  /** Route Monitoring came since the last Peer Up */
  talked = false
  codec: PeerCodec = PeerCodec.unknown()
  /** graceful restart as the OPENs of this epoch have it; a peer without Peer Up has said nothing */
  sentOffer: GracefulOffer | undefined
  receivedOffer: GracefulOffer | undefined
  transport: PeerTransport | undefined
  /** header flags that Peer Ups of this epoch came with */
  readonly upFlags = new Set<number>()
  /** afi * 256 + safi that OPENs of this epoch listed */
  readonly offered = new Set<number>()
  localAsn = 0
  vrf = ''
  views: PeerView[] = []
  done: DumpReason | undefined
  /** families kept over a graceful restart, each with the instant at which that ends */
  retained: Map<number, number> | undefined
  /** the instant that its entry in the session's deadlines has */
  scheduledUs = Infinity
  readonly #rows: (RowPeer | undefined)[] = []
  readonly #lanes: Int32Array

  constructor(rank: number, identity: PeerIdentity, facts: PeerFacts, epoch: number) {
    this.rank = rank
    this.identity = identity
    this.facts = facts
    this.epoch = epoch
    this.#lanes = new Int32Array(identity.address.buffer)
  }

  /** The values of this epoch for rows of one table. */
  row(ribCode: number): RowPeer {
    return (this.#rows[ribCode] ??= {
      keyLo: Number(BigInt.asIntN(32, this.facts.key)),
      keyHi: Number(BigInt.asIntN(32, this.facts.key >> 32n)),
      epoch: this.epoch,
      ribCode,
      a0: this.#lanes[0] ?? 0,
      a1: this.#lanes[1] ?? 0,
      a2: this.#lanes[2] ?? 0,
      a3: this.#lanes[3] ?? 0,
      asn: this.facts.asn | 0,
      bgpId: this.facts.bgpId | 0,
      rdHi: Number(BigInt.asIntN(32, this.facts.rd >> 32n)),
      rdLo: Number(BigInt.asIntN(32, this.facts.rd)),
      vrf: this.vrf,
    })
  }

  /** Epoch, VRF or codec changed: rows from here on are others. */
  changed(): void {
    this.#rows.length = 0
    for (const view of this.views) view.locRibAddPath = this.#locRibAddPath(view)
  }

  view(ribCode: number, afi: number, safi: number): PeerView | undefined {
    const views = this.views
    for (let i = 0; i < views.length; i++) {
      const view = views[i]!
      if (view.afi === afi && view.safi === safi && view.ribCode === ribCode) return view
    }
    return undefined
  }

  addView(ribCode: number, afi: number, safi: number, nowUs: number, maxUs: number): PeerView {
    const view = new PeerView(ribCode, afi, safi, nowUs, maxUs)
    view.locRibAddPath = this.#locRibAddPath(view)
    this.views.push(view)
    return view
  }

  #locRibAddPath(view: PeerView): boolean {
    return view.rib === 'loc_rib' && this.codec.addPath(view.afi, view.safi, 'loc_rib')
  }
}
