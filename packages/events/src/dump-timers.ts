import { Deadlines } from './deadlines.ts'
import { GRACE_S } from './graceful-restart.ts'
import type { DumpReason, Peer, PeerView } from './peer.ts'
import { NO_PEER } from './session-rows.ts'
import type { SessionRows } from './session-rows.ts'

const QUIET_US = 5_000_000
const MAX_DUMP_US = 120_000_000

/** Stands for the session itself among the deadlines; after all peers of the same instant. */
const ROUTER = { rank: Infinity } as const
type Waiting = Peer | typeof ROUTER

/**
 * When the dumps of a session are over, and when graceful restart is: per table and family, per peer, for
 * the router. Rows of timers carry the instant they fell due, however late the clock was looked at.
 *
 *   view    End-of-RIB, or 5 s without Route Monitoring of it, or 120 s since Peer Up
 *   peer    all its views are over and it said nothing for 5 s; one that said nothing at all: when the whole
 *           session was quiet for 5 s; 120 s since Peer Up
 *   router  all peers that are up are done and the session was quiet for 5 s, or is 120 s old
 *
 * A router that was not listened to was not silent: its clock, which all instants in here are of, stands
 * still for as long (`held`).
 */
export class DumpTimers {
  /** last Route Monitoring of the session */
  lastRmUs = 0
  /** how long nobody listened to this session */
  #heldUs = 0
  readonly #rows: SessionRows
  readonly #maxViews: number
  readonly #deadlines = new Deadlines<Waiting>()
  #upUs = 0
  /** peers up whose dump is not done */
  #dumping = 0
  #dumpsOverUs = 0
  #routerDone = false

  /** @param maxViews tables times families of a peer whose dump is watched */
  constructor(rows: SessionRows, maxViews: number) {
    this.#rows = rows
    this.#maxViews = maxViews
  }

  /** What the router's clock shows at that receive time. */
  clock(rxUs: number): number {
    return rxUs - this.#heldUs
  }

  /** For so long it was not looked whether anything came. */
  held(us: number): void {
    if (us > 0) this.#heldUs += us
  }

  /** The BMP session has begun. */
  start(us: number): void {
    this.#upUs = us
    this.#dumpsOverUs = us
    this.#deadlines.add(us + QUIET_US, ROUTER)
  }

  /** The same, in the middle of what the router says: there is no end of its dump to wait for. */
  startMidway(): void {
    this.#routerDone = true
  }

  /** Receive time at which something is due. */
  get nextUs(): number {
    return this.#deadlines.nextUs + this.#heldUs
  }

  tick(rxUs: number): void {
    const nowUs = this.clock(rxUs)
    while (this.#deadlines.nextUs <= nowUs) {
      const entry = this.#deadlines.take()
      if (entry === undefined) return
      if (entry.item === ROUTER) this.#routerDue(entry.us)
      else {
        const peer = entry.item as Peer
        // An entry that was overtaken by an earlier one.
        if (entry.us !== peer.scheduledUs) continue
        peer.scheduledUs = Infinity
        this.#peerDue(peer, entry.us)
      }
    }
  }

  /** To be called before the peer is marked as up. */
  epochBegins(peer: Peer, us: number): void {
    if (!peer.up || peer.done !== undefined) this.#dumping++
    this.#schedule(peer, us + QUIET_US)
  }

  /** To be called before the peer is marked as down. */
  epochEnds(peer: Peer, rxUs: number): void {
    if (peer.up && peer.done === undefined) this.#dumpIsOver(this.clock(rxUs))
  }

  /** The peer's routes of these families are kept for so many seconds. */
  retain(peer: Peer, families: ReadonlyMap<number, number>, rxUs: number): void {
    const us = this.clock(rxUs)
    peer.retained = new Map(
      [...families].map(([family, seconds]) => [family, us + (seconds + GRACE_S) * 1_000_000]),
    )
    this.#schedule(peer, retainedUntil(peer))
  }

  /** A table and family that the peer sends for the first time in this epoch; undefined beyond the limit. */
  newView(
    peer: Peer,
    ribCode: number,
    afi: number,
    safi: number,
    us: number,
  ): PeerView | undefined {
    if (!peer.up || peer.views.length >= this.#maxViews) return undefined
    // A table that appears long after Peer Up has 120 s of its own.
    const sincePeerUp = peer.upUs + MAX_DUMP_US
    const maxUs = sincePeerUp > us ? sincePeerUp : us + MAX_DUMP_US
    const view = peer.addView(ribCode, afi, safi, us, maxUs)
    if (peer.midway) {
      view.done = 'quiet'
      return view
    }
    this.#schedule(peer, Math.min(us + QUIET_US, maxUs))
    return view
  }

  endOfRib(peer: Peer, view: PeerView, us: number): void {
    view.lastUs = us
    if (view.done !== undefined) return
    this.#viewDone(peer, view, 'eor', us)
    this.#schedule(peer, us + QUIET_US)
  }

  #schedule(peer: Peer, us: number): void {
    if (us >= peer.scheduledUs) return
    peer.scheduledUs = us
    this.#deadlines.add(us, peer)
  }

  /** Does the one thing that is due for this peer at `us`, if it still is, and schedules the next. */
  #peerDue(peer: Peer, us: number): void {
    if (this.#nextOf(peer) <= us) {
      const view = peer.views.find((v) => v.done === undefined && viewDue(v) <= us)
      if (retainedUntil(peer) <= us) this.#graceOver(peer, us)
      else if (view !== undefined) {
        this.#viewDone(peer, view, view.lastUs + QUIET_US <= us ? 'quiet' : 'max', us)
      } else this.#peerDone(peer, us)
    }
    const next = this.#nextOf(peer)
    if (next < Infinity) this.#schedule(peer, next)
  }

  /** The next instant at which something is due for this peer, as far as is known now. */
  #nextOf(peer: Peer): number {
    let due = retainedUntil(peer)
    if (!peer.up) return due
    let open = false
    for (const view of peer.views) {
      if (view.done !== undefined) continue
      open = true
      due = Math.min(due, viewDue(view))
    }
    if (open || peer.done !== undefined) return due
    const quietSince = Math.max(peer.upUs, peer.views.length > 0 ? peer.lastRmUs : this.lastRmUs)
    return Math.min(due, quietSince + QUIET_US, peer.upUs + MAX_DUMP_US)
  }

  #viewDone(peer: Peer, view: PeerView, reason: DumpReason, us: number): void {
    view.done = reason
    const { rib, afi, safi } = view
    const cause = peer.retained === undefined ? 'reconcile' : 'gr_expired'
    this.#rows.row('dump_done', peer.facts, peer.epoch, {
      rxUs: us + this.#heldUs,
      rib,
      afi,
      safi,
      vrf: peer.vrf,
      reason,
      synthetic: reason !== 'eor',
      effects: [{ effect: 'sweep', rib, afi, safi, beforeSeq: peer.upSeq, cause }],
    })
  }

  #peerDone(peer: Peer, us: number): void {
    const reasons = peer.views.map((view) => view.done)
    const late = us === peer.upUs + MAX_DUMP_US
    let reason: DumpReason = 'quiet'
    if (late || reasons.includes('max')) reason = 'max'
    else if (reasons.length > 0 && reasons.every((done) => done === 'eor')) reason = 'eor'
    const cause = peer.retained === undefined ? 'reconcile' : 'gr_expired'
    peer.done = reason
    peer.retained = undefined
    this.#rows.row('dump_done', peer.facts, peer.epoch, {
      rxUs: us + this.#heldUs,
      vrf: peer.vrf,
      reason,
      synthetic: true,
      effects: [this.#rows.sweepPeer(peer.upSeq, cause)],
    })
    this.#dumpIsOver(us)
  }

  #dumpIsOver(us: number): void {
    this.#dumping--
    if (this.#dumping > 0 || this.#routerDone) return
    this.#dumpsOverUs = us
    this.#deadlines.add(us, ROUTER)
  }

  /** All peers that are up have said what they have: who is not there has gone. */
  #routerDue(us: number): void {
    if (this.#routerDone || this.#dumping > 0) return
    const quiet = Math.max(this.#upUs, this.lastRmUs) + QUIET_US
    const max = this.#upUs + MAX_DUMP_US
    const due = Math.max(this.#dumpsOverUs, Math.min(quiet, max))
    if (due > us) {
      this.#deadlines.add(due, ROUTER)
      return
    }
    this.#routerDone = true
    this.#rows.row('dump_done', NO_PEER, 0, {
      rxUs: due + this.#heldUs,
      reason: quiet <= max ? 'quiet' : 'max',
      synthetic: true,
      effects: [{ ...this.#rows.staleRouter(), effect: 'sweep', beforeSeq: 1, cause: 'reconcile' }],
    })
  }

  /** Time is over for some families, and the peer is not back, or back without having said all. */
  #graceOver(peer: Peer, us: number): void {
    const kept = peer.retained ?? new Map<number, number>()
    const over = [...kept].filter(([, until]) => until <= us).map(([family]) => family)
    for (const family of over) kept.delete(family)
    const said = { rxUs: us + this.#heldUs, vrf: peer.vrf, synthetic: true }
    const before = (): number => (peer.up ? peer.upSeq : this.#rows.seq)
    if (kept.size === 0) {
      peer.retained = undefined
      const effects = [this.#rows.sweepPeer(before(), 'gr_expired')]
      this.#rows.row('gr_expired', peer.facts, peer.epoch, { ...said, effects })
      return
    }
    // The others are held longer (RFC 9494).
    for (const family of over.sort((a, b) => a - b)) {
      this.#rows.row('gr_expired', peer.facts, peer.epoch, {
        ...said,
        afi: family >> 8,
        safi: family & 255,
        effects: [this.#rows.sweepFamily(family, before(), 'gr_expired')],
      })
    }
  }
}

function viewDue(view: PeerView): number {
  return Math.min(view.lastUs + QUIET_US, view.maxUs)
}

function retainedUntil(peer: Peer): number {
  return peer.retained === undefined ? Infinity : Math.min(...peer.retained.values())
}
