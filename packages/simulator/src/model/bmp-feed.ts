import {
  encodeInitiation,
  encodePeerDown,
  encodePeerUp,
  encodeRouteMonitoring,
  encodeStatistics,
  type BmpPeer,
  type PeerDownReason,
  type Statistic,
  type View,
} from '../encode/bmp.ts'
import { concat } from '../encode/bytes.ts'
import { FAMILIES, type Family, type Nlri } from '../encode/nlri.ts'
import { encodeAnnouncements, encodeEndOfRib, encodeWithdrawals } from '../encode/update.ts'
import { LocRib, type LocRibOptions } from './loc-rib.ts'
import type { Router } from './router.ts'
import type { Change, Path, Session } from './session.ts'
import type { Simulation } from './simulation.ts'

export type SessionEnd = 'fin' | 'rst' | 'stop'

/** Where a router's BMP goes: a recording, or a TCP connection. */
export interface BmpSink {
  open(us: number): void
  data(us: number, bytes: Uint8Array): void
  close(us: number, how: SessionEnd): void
}

/** What was sent, for tests to compare with what a decoder finds. */
export interface Sent {
  messages: number
  announced: number
  withdrawn: number
  endOfRib: number
}

export type Render = (
  changes: readonly Change[],
  context: { readonly session: Session; readonly view: View; readonly dump: boolean },
) => readonly Change[]

/** Octets of a TCP segment: dumps arrive cut anywhere, as they do from real routers. */
const SEGMENT = 4_344

/** One router's BMP: tells a sink about the router's sessions and tables, and dumps them on connect. */
export class BmpFeed {
  readonly sent: Sent = { messages: 0, announced: 0, withdrawn: 0, endOfRib: 0 }
  connected = false
  /** Views of Adj-RIB-In that are exported. */
  views: readonly View[] = ['pre', 'post']
  /** Time stamped into per-peer headers; routers differ (P5). */
  stamp = (us: number): number => us
  /** What the router makes of changes before it exports them: daemons have habits (ROUTERS.md). */
  render: Render | undefined
  #locRib: LocRib | undefined
  readonly #router: Router
  readonly #sim: Simulation
  readonly #sink: BmpSink
  #lastUs = 0

  constructor(router: Router, sim: Simulation, sink: BmpSink) {
    this.#router = router
    this.#sim = sim
    this.#sink = sink
  }

  /** Opens the BMP session and sends Initiation, Peer Ups and every table with its End-of-RIBs. */
  connect(): void {
    if (this.connected) return
    this.connected = true
    this.#lastUs = this.#sim.nowUs
    this.#sink.open(this.#sim.nowUs)
    this.#burst([encodeInitiation(this.#router.sysDescr, this.#router.name)])
    const sessions = this.#router.sessions.filter((session) => session.up && session.monitored)
    this.#burst(sessions.map((session) => this.#peerUp(session)))
    const tables = sessions.flatMap((session) =>
      this.views.flatMap((view) => this.#table(session, view)),
    )
    this.#burst(tables)
    this.#dumpLocRib()
  }

  /** Exports the Loc-RIB too. Before `connect`. */
  exportLocRib(options: LocRibOptions): void {
    this.#locRib = new LocRib(this.#router, options)
  }

  disconnect(how: SessionEnd): void {
    if (!this.connected) return
    this.connected = false
    this.#sink.close(Math.max(this.#sim.nowUs, this.#lastUs + 1), how)
  }

  peerUp(session: Session): void {
    if (this.#mute(session)) return
    this.#burst([this.#peerUp(session)])
  }

  peerDown(session: Session, why: PeerDownReason): void {
    if (this.#mute(session)) return
    this.peerDownAs(session.bmpPeer, why)
  }

  /** A Peer Down with any header: FRR's don't always name the peer that it means. */
  peerDownAs(peer: BmpPeer, why: PeerDownReason): void {
    if (!this.connected) return
    this.#burst([encodePeerDown(peer, this.stamp(this.#sim.nowUs), why)])
  }

  endOfRib(session: Session): void {
    if (this.#mute(session)) return
    for (const view of this.views) {
      this.#burst(
        session.families.map((family) =>
          this.#endOfRib(session.bmpPeer, view, family, this.#sim.nowUs),
        ),
      )
    }
  }

  /** Live changes of one table, in their order. */
  changes(session: Session, view: View, changes: readonly Change[]): void {
    if (this.#mute(session) || !this.views.includes(view) || changes.length === 0) return
    this.#burst(this.#monitor(session, view, changes, this.#sim.nowUs))
  }

  /** Best paths have changed. */
  locChanges(keys: readonly string[]): void {
    const locRib = this.#locRib
    if (!this.connected || locRib === undefined) return
    this.#burst(this.#updates(locRib.peer, 'loc', locRib.changes(keys), this.#sim.nowUs))
  }

  statistics(): void {
    if (!this.connected) return
    const sessions = this.#router.sessions.filter((session) => session.up && session.monitored)
    this.#burst(
      sessions.map((session) =>
        encodeStatistics(session.bmpPeer, this.stamp(this.#sim.nowUs), statistics(session)),
      ),
    )
  }

  #mute(session: Session): boolean {
    return !this.connected || !session.monitored
  }

  #peerUp(session: Session): Uint8Array {
    return encodePeerUp(session.bmpPeer, this.stamp(session.upUs), session.peerUp())
  }

  /** A table as routers dump it: routes that share attributes share UPDATEs, then End-of-RIB. */
  #table(session: Session, view: View): Uint8Array[] {
    const table = view === 'post' ? session.post : session.adjIn
    return session.families.flatMap((family) => {
      const groups = new Map<string, Path[]>()
      for (const path of table.values()) {
        if (path.nlri.family !== family) continue
        const group = `${path.sinceUs} ${JSON.stringify(path.attrs)}`
        const paths = groups.get(group)
        if (paths === undefined) groups.set(group, [path])
        else paths.push(path)
      }
      const updates = [...groups.values()].flatMap((paths) =>
        this.#monitor(session, view, paths, (paths[0] as Path).sinceUs, true),
      )
      return [...updates, this.#endOfRib(session.bmpPeer, view, family, 0)]
    })
  }

  #monitor(
    session: Session,
    view: View,
    changes: readonly Change[],
    us: number,
    dump = false,
  ): Uint8Array[] {
    const rendered = this.render?.(changes, { session, view, dump }) ?? changes
    return this.#updates(session.bmpPeer, view, rendered, us)
  }

  #updates(peer: BmpPeer, view: View, changes: readonly Change[], us: number): Uint8Array[] {
    const stamp = this.stamp(us)
    const wrap = (updates: Uint8Array[]): Uint8Array[] =>
      updates.map((update) => encodeRouteMonitoring(peer, view, stamp, update))
    return runs(changes).flatMap(({ family, attrs, nlri }) => {
      if (attrs === null) {
        this.sent.withdrawn += nlri.length
        return wrap(encodeWithdrawals(family, nlri))
      }
      this.sent.announced += nlri.length
      return wrap(encodeAnnouncements(family, attrs, nlri))
    })
  }

  #endOfRib(peer: BmpPeer, view: View, family: Family, us: number): Uint8Array {
    this.sent.endOfRib++
    const stamp = us === 0 ? 0 : this.stamp(us)
    return encodeRouteMonitoring(peer, view, stamp, encodeEndOfRib(family))
  }

  #dumpLocRib(): void {
    const locRib = this.#locRib
    if (locRib === undefined) return
    const { nowUs } = this.#sim
    locRib.reset()
    this.#burst([encodePeerUp(locRib.peer, this.stamp(nowUs), locRib.peerUp)])
    this.#burst(
      this.#updates(locRib.peer, 'loc', locRib.changes([...this.#router.best.keys()]), nowUs),
    )
    this.#burst(locRib.families.map((family) => this.#endOfRib(locRib.peer, 'loc', family, 0)))
  }

  /** Export takes the router a moment, and what it sends stays in order. */
  #burst(messages: readonly Uint8Array[]): void {
    if (messages.length === 0) return
    this.sent.messages += messages.length
    const bytes = concat(messages)
    let us = Math.max(
      this.#sim.nowUs + this.#sim.random.between(120, 900),
      this.#lastUs + this.#sim.random.between(20, 200),
    )
    for (let at = 0; at < bytes.length; at += SEGMENT) {
      this.#sink.data(us, bytes.subarray(at, at + SEGMENT))
      this.#lastUs = us
      us += this.#sim.random.between(30, 400)
    }
  }
}

/** Neighbouring changes that one UPDATE can carry: the same family and the same attributes. */
function runs(
  changes: readonly Change[],
): { family: Family; attrs: Change['attrs']; nlri: Nlri[] }[] {
  const result: { family: Family; attrs: Change['attrs']; key: string; nlri: Nlri[] }[] = []
  for (const { nlri, attrs } of changes) {
    const key = JSON.stringify(attrs)
    const last = result.at(-1)
    if (last?.key === key && last.family === nlri.family) last.nlri.push(nlri)
    else result.push({ family: nlri.family, attrs, key, nlri: [nlri] })
  }
  return result
}

/** RFC 7854 section 4.8: 7 is routes in Adj-RIBs-In, 8 in Loc-RIB, 9 the former per AFI/SAFI. */
function statistics(session: Session): Statistic[] {
  const count = (family: Family): number =>
    [...session.adjIn.values()].filter((path) => path.nlri.family === family).length
  return [
    { type: 0, counter: session.adjIn.size - session.post.size },
    { type: 2, counter: session.duplicateWithdrawals },
    { type: 7, gauge: session.adjIn.size },
    { type: 8, gauge: session.router.best.size },
    ...session.families.map((family) => ({ type: 9, ...FAMILIES[family], gauge: count(family) })),
  ]
}
