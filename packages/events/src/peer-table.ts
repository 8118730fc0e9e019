import { PeerHeader } from '@ribscope/wire'
import { Peer, factsOf, identityOf } from './peer.ts'
import type { PeerIdentity } from './peer.ts'

/** A per-peer header as it came, times left out, and whom it means. */
export interface HeaderEntry {
  readonly peer: Peer
  /** flags and type of this header; its offsets are meaningless */
  readonly header: PeerHeader
  /** matched on all of its identity: stays true whatever happens. Others hold for one generation */
  readonly exact: boolean
  readonly generation: number
  readonly key: Int32Array
}

/** type and flags, distinguisher, address, AS, BGP identifier */
const KEY_LANES = 9
const FIRST_SLOTS = 64
const MAX_ENTRIES = 65_536

/**
 * Peers of a BMP session by per-peer header. HOT PATH: `lookup` compares nine lanes and allocates
 * nothing; all else runs once per header, Peer Up or Peer Down.
 */
export class PeerTable {
  readonly #router: string
  readonly #limit: number
  readonly #peers = new Map<string, Peer>()
  readonly #byPart = new Map<string, Peer[]>()
  #rank = 1
  /** Peers forgotten for want of room ended at most here: a name that returns counts on. */
  #epochFloor = 0
  /** Fall-back matches hold until a peer appears, comes up or goes down. */
  generation = 0

  #entries: (HeaderEntry | undefined)[] = new Array<HeaderEntry | undefined>(FIRST_SLOTS).fill(
    undefined,
  )
  #count = 0
  #last: HeaderEntry | undefined
  #beforeLast: HeaderEntry | undefined

  constructor(router: string, limit: number) {
    this.#router = router
    this.#limit = limit
  }

  get size(): number {
    return this.#peers.size
  }

  values(): IterableIterator<Peer> {
    return this.#peers.values()
  }

  /** @param at first octet of the per-peer header, all of which is there */
  lookup(view: DataView, at: number): HeaderEntry | undefined {
    const k0 = view.getInt16(at)
    const k1 = view.getInt32(at + 2)
    const k2 = view.getInt32(at + 6)
    const k3 = view.getInt32(at + 10)
    const k4 = view.getInt32(at + 14)
    const k5 = view.getInt32(at + 18)
    const k6 = view.getInt32(at + 22)
    const k7 = view.getInt32(at + 26)
    const k8 = view.getInt32(at + 30)
    // The dumps of two peers of a router often take turns.
    const last = this.#last
    if (last !== undefined) {
      if (isKey(last.key, k0, k1, k2, k3, k4, k5, k6, k7, k8)) return this.#fresh(last)
      const other = this.#beforeLast
      if (other !== undefined && isKey(other.key, k0, k1, k2, k3, k4, k5, k6, k7, k8)) {
        this.#beforeLast = last
        this.#last = other
        return this.#fresh(other)
      }
    }
    const entries = this.#entries
    const mask = entries.length - 1
    let slot = hashOf(k0, k1, k2, k3, k4, k5, k6, k7, k8) & mask
    for (;;) {
      const entry = entries[slot]
      if (entry === undefined) return undefined
      if (isKey(entry.key, k0, k1, k2, k3, k4, k5, k6, k7, k8)) {
        this.#beforeLast = last
        this.#last = entry
        return this.#fresh(entry)
      }
      slot = (slot + 1) & mask
    }
  }

  #fresh(entry: HeaderEntry): HeaderEntry | undefined {
    return entry.exact || entry.generation === this.generation ? entry : undefined
  }

  /** Remembers whom a header means, for `lookup`. */
  remember(bytes: Uint8Array, view: DataView, at: number, peer: Peer, exact: boolean): HeaderEntry {
    const header = new PeerHeader()
    header.read(bytes, view, at)
    const key = new Int32Array(KEY_LANES)
    key[0] = view.getInt16(at)
    for (let i = 1; i < KEY_LANES; i++) key[i] = view.getInt32(at + 2 + 4 * (i - 1))
    const entry: HeaderEntry = { peer, header, exact, generation: this.generation, key }
    this.#beforeLast = undefined
    this.#last = entry
    if (this.#count >= MAX_ENTRIES) this.#forgetEntries()
    if (this.#count * 2 >= this.#entries.length) this.#growEntries()
    this.#insert(entry)
    return entry
  }

  #insert(entry: HeaderEntry): void {
    const mask = this.#entries.length - 1
    const k = entry.key
    const hash = hashOf(k[0]!, k[1]!, k[2]!, k[3]!, k[4]!, k[5]!, k[6]!, k[7]!, k[8]!)
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const there = this.#entries[slot]
      if (there !== undefined && !there.key.every((lane, i) => lane === k[i])) continue
      if (there === undefined) this.#count++
      this.#entries[slot] = entry
      return
    }
  }

  #growEntries(): void {
    const old = this.#entries
    this.#entries = new Array<HeaderEntry | undefined>(old.length * 2).fill(undefined)
    this.#count = 0
    for (const entry of old) if (entry !== undefined) this.#insert(entry)
  }

  #forgetEntries(): void {
    this.#entries.fill(undefined)
    this.#count = 0
    this.#last = undefined
    this.#beforeLast = undefined
  }

  /**
   * Whom a header means, first hit wins (DETECTORS 0.4): all equal; address unknown; BGP identifier
   * unknown; AS unknown; both unknown; a link-local address that is new for a known BGP identifier and AS.
   *
   * @param forUp the header of a Peer Up: a second link-local address beside a peer that is up is a
   *   second session to the same node, not the same one
   */
  match(identity: PeerIdentity, forUp: boolean): { peer: Peer; exact: boolean } | undefined {
    const same = this.#peers.get(fullKey(identity))
    if (same !== undefined) return { peer: same, exact: true }
    if (identity.locRib) return undefined
    const { addressIsZero, bgpId, asn } = identity
    const peer =
      (addressIsZero ? this.#unique(partKey('id-as', identity)) : undefined) ??
      (bgpId === 0 ? this.#unique(partKey('ip-as', identity)) : undefined) ??
      (asn === 0 ? this.#unique(partKey('ip-id', identity)) : undefined) ??
      (asn === 0 && bgpId === 0 ? this.#unique(partKey('ip', identity)) : undefined)
    if (peer !== undefined) return { peer, exact: false }
    if (!identity.linkLocal) return undefined
    const moved = this.#unique(partKey('id-as', identity))
    if (moved === undefined || !moved.identity.linkLocal || (forUp && moved.up)) return undefined
    return { peer: moved, exact: false }
  }

  /** The only one, or the only one that is up. */
  #unique(key: string): Peer | undefined {
    const peers = this.#byPart.get(key)
    if (peers === undefined || peers.length === 1) return peers?.[0]
    const up = peers.filter((peer) => peer.up)
    return up.length === 1 ? up[0] : undefined
  }

  /** @returns undefined when there is no room and no ended peer to forget */
  create(identity: PeerIdentity): Peer | undefined {
    if (this.#peers.size >= this.#limit && !this.#forgetEnded()) return undefined
    const facts = factsOf(this.#router, identity)
    const peer = new Peer(this.#rank++, identity, facts, this.#epochFloor)
    this.#peers.set(fullKey(identity), peer)
    for (const key of partKeys(identity)) {
      const list = this.#byPart.get(key)
      if (list === undefined) this.#byPart.set(key, [peer])
      else list.push(peer)
    }
    this.generation++
    return peer
  }

  #forgetEnded(): boolean {
    // Insertion order: the first one down appeared first. Good enough to choose by.
    for (const [key, peer] of this.#peers) {
      if (peer.up || peer.retained !== undefined) continue
      this.#peers.delete(key)
      for (const part of partKeys(peer.identity)) {
        const rest = (this.#byPart.get(part) ?? []).filter((other) => other !== peer)
        if (rest.length === 0) this.#byPart.delete(part)
        else this.#byPart.set(part, rest)
      }
      this.#epochFloor = Math.max(this.#epochFloor, peer.epoch)
      this.#forgetEntries()
      return true
    }
    return false
  }
}

export function readIdentity(
  header: PeerHeader,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
): PeerIdentity {
  header.read(bytes, view, at, end)
  return identityOf(header, bytes)
}

function hashOf(
  k0: number,
  k1: number,
  k2: number,
  k3: number,
  k4: number,
  k5: number,
  k6: number,
  k7: number,
  k8: number,
): number {
  let hash = mix(0, k0)
  hash = mix(hash, k1)
  hash = mix(hash, k2)
  hash = mix(hash, k3)
  hash = mix(hash, k4)
  hash = mix(hash, k5)
  hash = mix(hash, k6)
  hash = mix(hash, k7)
  hash = mix(hash, k8)
  return hash ^ (hash >>> 13)
}

function mix(hash: number, lane: number): number {
  return Math.imul(hash ^ lane, 0x9e3779b1) ^ (hash >>> 15)
}

/** The lanes that differ between the peers of a router come first. */
function isKey(
  key: Int32Array,
  k0: number,
  k1: number,
  k2: number,
  k3: number,
  k4: number,
  k5: number,
  k6: number,
  k7: number,
  k8: number,
): boolean {
  return (
    key[8] === k8 &&
    key[6] === k6 &&
    key[0] === k0 &&
    key[7] === k7 &&
    key[5] === k5 &&
    key[4] === k4 &&
    key[3] === k3 &&
    key[2] === k2 &&
    key[1] === k1
  )
}

function addressKey(identity: PeerIdentity): string {
  return identity.addressIsZero ? '' : Buffer.from(identity.address).toString('latin1')
}

function fullKey(identity: PeerIdentity): string {
  const { locRib, rd, bgpId, asn } = identity
  return `${locRib ? 'L' : 'P'}${rd}/${bgpId}/${asn}/${addressKey(identity)}`
}

type Part = 'id-as' | 'ip-as' | 'ip-id' | 'ip'

function partKey(part: Part, identity: PeerIdentity): string {
  const { rd, bgpId, asn } = identity
  switch (part) {
    case 'id-as':
      return `${part}/${rd}/${bgpId}/${asn}`
    case 'ip-as':
      return `${part}/${rd}/${asn}/${addressKey(identity)}`
    case 'ip-id':
      return `${part}/${rd}/${bgpId}/${addressKey(identity)}`
    case 'ip':
      return `${part}/${rd}/${addressKey(identity)}`
  }
}

/** Loc-RIB instances and local routes are nobody's fall-back. */
function partKeys(identity: PeerIdentity): string[] {
  if (identity.locRib || (identity.addressIsZero && identity.asn === 0 && identity.bgpId === 0)) {
    return []
  }
  const parts: Part[] = ['id-as', 'ip-as', 'ip-id', 'ip']
  return parts.map((part) => partKey(part, identity))
}
