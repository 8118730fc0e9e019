/**
 * Test helper: what the state of a router must be, told from what it sent (`life.ts`) and from nothing else. Every route is held
 * by itself and taken away by itself; every rule of DESIGN section 5, its timers included, is written down here a second time.
 * It knows no rows, positions, marks, tables or views.
 */
import type { Message, Rib, Said, Told } from './life.ts'

const S = 1_000_000
const QUIET = 5 * S
const LONGEST_DUMP = 120 * S
const GRACE = 5 * S
/** How long sessions that did not end are watched further: longer than every timer. */
export const TAIL = 400 * S

export type Class = 'NEW' | 'AADUP' | 'AAATTR' | 'AADIFF' | 'AW' | 'WADUP' | 'WADIFF' | 'WWDUP'

interface Place {
  readonly peer: number
  readonly rib: Rib
  readonly family: number
  readonly name: string
  readonly path: number
}

interface Content {
  readonly way: number
  readonly more: number
  readonly llgrStale: boolean
}

/** An announced route. */
export interface Held extends Place, Content {
  readonly us: number
  readonly dump: boolean
  stale: boolean
  /** session and number of the fact in it */
  readonly session: number
  readonly at: number
}

type Which = (held: Held) => boolean

/** Something that happened, in the order in which its session said it. */
type Fact =
  | {
      readonly us: number
      readonly kind: 'route'
      readonly place: Place
      readonly announce: boolean
      readonly content: Content
      readonly dump: boolean
    }
  | { readonly us: number; readonly kind: 'doubt'; readonly which: Which }
  | { readonly us: number; readonly kind: 'gone'; readonly which: Which; readonly cause: string }

/** An event of a route, as the history shows it. */
export interface Event extends Place {
  readonly us: number
  readonly announce: boolean
  readonly implied: boolean
  readonly cause: string
  readonly class: Class
}

// --- one session ----------------------------------------------------------------------------------

interface View {
  readonly rib: Rib
  readonly family: number
  last: number
  readonly latest: number
  done: boolean
}

interface Peer {
  up: boolean
  byRoutes: boolean
  upAt: number
  upUs: number
  lastUs: number
  talked: boolean
  session: string
  flags: Set<number>
  families: Set<number>
  sent: Said[]
  received: Said[]
  views: View[]
  done: boolean
  kept: Map<number, number>
}

const ALL: Which = () => true

/** What one BMP session tells about state. Instants inside are those of a clock that stands still while nobody listens. */
function factsOf(told: Told, number: number): Fact[] {
  const facts: Fact[] = []
  const peers = new Map<number, Peer>()
  const saidGoodbye = new Set<number>()
  let deafUs = 0
  const openedUs = told.openedUs
  let lastUs = 0
  let settledUs = openedUs
  let routerDone = false

  const doubt = (us: number, which: Which): void => void facts.push({ us, kind: 'doubt', which })
  const gone = (us: number, cause: string, which: Which): void =>
    void facts.push({ us, kind: 'gone', cause, which })
  const of =
    (n: number): Which =>
    (held) =>
      held.peer === n
  /** announced before the epoch that began with fact `at` */
  const before = (at: number, held: Held): boolean => held.session < number || held.at < at
  const dumping = (): boolean => [...peers.values()].some((peer) => peer.up && !peer.done)

  // --- timers ---

  const viewDue = (view: View): number =>
    view.done ? Infinity : Math.min(view.last + QUIET, view.latest)
  const keptDue = (peer: Peer): number => Math.min(Infinity, ...peer.kept.values())

  function peerDue(peer: Peer): number {
    if (!peer.up || peer.done || peer.views.some((view) => !view.done)) return Infinity
    const silentSince = Math.max(peer.upUs, peer.views.length === 0 ? lastUs : peer.lastUs)
    return Math.min(silentSince + QUIET, peer.upUs + LONGEST_DUMP)
  }

  function routerDue(): number {
    if (routerDone || dumping()) return Infinity
    const quiet = Math.min(Math.max(openedUs, lastUs) + QUIET, openedUs + LONGEST_DUMP)
    return Math.max(settledUs, quiet)
  }

  function viewEnds(n: number, peer: Peer, view: View, us: number): void {
    view.done = true
    const { upAt } = peer
    gone(
      us + deafUs,
      peer.kept.size > 0 ? 'gr_expired' : 'reconcile',
      (held) =>
        held.peer === n &&
        held.rib === view.rib &&
        held.family === view.family &&
        before(upAt, held),
    )
  }

  function peerEnds(n: number, peer: Peer, us: number): void {
    const { upAt } = peer
    const cause = peer.kept.size > 0 ? 'gr_expired' : 'reconcile'
    gone(us + deafUs, cause, (held) => held.peer === n && before(upAt, held))
    peer.done = true
    peer.kept.clear()
    if (!dumping()) settledUs = us
  }

  function graceEnds(n: number, peer: Peer, us: number): void {
    const over = [...peer.kept].filter(([, until]) => until <= us).map(([each]) => each)
    for (const each of over) peer.kept.delete(each)
    const all = peer.kept.size === 0
    const upAt = peer.up ? peer.upAt : facts.length
    gone(
      us + deafUs,
      'gr_expired',
      (held) => held.peer === n && (all || over.includes(held.family)) && before(upAt, held),
    )
  }

  /** Everything that falls due until then, the earliest first. */
  function pass(nowUs: number): void {
    for (;;) {
      let due = routerDue()
      let does = (): void => {
        routerDone = true
        gone(due + deafUs, 'reconcile', (held) => held.session < number)
      }
      for (const [n, peer] of [...peers].reverse()) {
        const ends = peerDue(peer)
        if (ends <= due) {
          due = ends
          does = () => {
            peerEnds(n, peer, ends)
          }
        }
        for (const view of [...peer.views].reverse()) {
          const at = viewDue(view)
          if (at > due) continue
          due = at
          does = () => {
            viewEnds(n, peer, view, at)
          }
        }
        const kept = keptDue(peer)
        if (kept <= due) {
          due = kept
          does = () => {
            graceEnds(n, peer, kept)
          }
        }
      }
      if (due > nowUs || due === Infinity) return
      does()
    }
  }

  // --- messages ---

  function begin(n: number, us: number, byRoutes: boolean): Peer {
    const was = peers.get(n)
    const peer: Peer = {
      ...{
        up: true,
        byRoutes,
        upAt: facts.length,
        upUs: us,
        lastUs: 0,
        talked: false,
        session: '',
      },
      ...{ flags: new Set(), families: new Set(), sent: [], received: [], views: [], done: false },
      kept: was?.kept ?? new Map<number, number>(),
    }
    peers.set(n, peer)
    return peer
  }

  function peerUp(message: Message & { kind: 'up' }, us: number): void {
    const { peer: n, flags, sent, received } = message
    let peer = peers.get(n)
    const families = [...sent.families, ...(received?.families ?? [])]
    const adds =
      peer?.up === true &&
      !peer.byRoutes &&
      peer.session === message.session &&
      (families.some((each) => !peer!.families.has(each)) || !peer.flags.has(flags) || !peer.talked)
    if (peer === undefined || !adds) {
      if (peer?.up === true) {
        gone(us + deafUs, 'peer_down', of(n))
        peer.kept.clear()
      }
      peer = begin(n, us, false)
    }
    peer.sent.push(sent)
    if (received !== undefined) peer.received.push(received)
    if (!adds && received !== undefined && peer.kept.size > 0) {
      const lost = [...peer.kept.keys()].filter(
        (each) =>
          received.graceful?.families.get(each) !== true &&
          received.longLived?.get(each)?.kept !== true,
      )
      for (const each of lost) peer.kept.delete(each)
      const all = peer.kept.size === 0
      gone(us + deafUs, 'gr_expired', (held) => {
        return held.peer === n && (all || lost.includes(held.family))
      })
    }
    peer.session = message.session
    peer.flags.add(flags)
    for (const each of families) peer.families.add(each)
    peer.talked = false
  }

  /** Seconds for which each family outlives this Peer Down; empty: a hard end. */
  function outlives(peer: Peer, message: Message & { kind: 'down' }): Map<number, number> {
    const kept = new Map<number, number>()
    // The newest OPEN has the times and the flags, families add up.
    const gracefulOf = (list: Said[]) => list.map((each) => each.graceful).filter((each) => each)
    const ours = gracefulOf(peer.sent).at(-1)
    const theirs = gracefulOf(peer.received)
    const newest = theirs.at(-1)
    if (ours === undefined || newest === undefined) return kept
    const { reason } = message
    if (reason === 1 || reason === 3) {
      if (!ours.notification || !newest.notification || message.hardReset) return kept
    } else if (reason !== 4) return kept
    if (newest.seconds > 0) {
      for (const each of theirs.flatMap((one) => [...one!.families.keys()])) {
        kept.set(each, newest.seconds)
      }
    }
    if (peer.sent.some((each) => each.longLived !== undefined)) {
      for (const each of peer.received) {
        for (const [family, { seconds }] of each.longLived ?? []) {
          const base = newest.seconds > 0 && theirs.some((one) => one!.families.has(family))
          kept.set(family, (base ? newest.seconds : 0) + seconds)
        }
      }
    }
    return kept
  }

  function peerDown(message: Message & { kind: 'down' }, us: number): void {
    const { peer: n, reason } = message
    // The router's own routes: no session that could end.
    if (n === 5) return
    const peer = peers.get(n)
    const rxUs = us + deafUs
    if (peer === undefined) {
      if (!saidGoodbye.has(n)) gone(rxUs, 'reconcile', of(n))
      saidGoodbye.add(n)
      return
    }
    if (!peer.up) {
      if (reason !== 5 || peer.kept.size === 0) return
      gone(rxUs, 'peer_down', of(n))
      peer.kept.clear()
      return
    }
    const keeps = outlives(peer, message)
    const held = peer.kept
    const { upAt } = peer
    const long = (family: number): boolean =>
      peer.sent.some((each) => each.longLived !== undefined) &&
      peer.received.some((each) => each.longLived?.has(family) === true)
    if (keeps.size === 0) gone(rxUs, 'peer_down', of(n))
    else {
      // What this epoch could have said, or did.
      const known = new Set([
        ...peer.families,
        ...peer.views.map((view) => view.family),
        ...keeps.keys(),
      ])
      gone(rxUs, 'gr_expired', (each) => {
        const { family } = each
        const restarts = keeps.has(family) && held.has(family) && !long(family)
        return each.peer === n && restarts && before(upAt, each)
      })
      gone(rxUs, 'peer_down', (each) => {
        return each.peer === n && known.has(each.family) && !keeps.has(each.family)
      })
      doubt(rxUs, (each) => each.peer === n && keeps.has(each.family))
    }
    const wasDumping = !peer.done
    peer.up = false
    peer.views = []
    peer.kept = new Map([...keeps].map(([family, seconds]) => [family, us + seconds * S + GRACE]))
    if (wasDumping && !dumping()) settledUs = us
  }

  function monitoring(message: Message & { kind: 'route' | 'eor' }, us: number): void {
    const { peer: n, rib, family } = message
    let peer = peers.get(n) ?? begin(n, us, true)
    const announces = message.kind === 'route' && message.announce
    if (!peer.up && announces && !(peer.kept.size > 0 && message.llgrStale)) {
      peer = begin(n, us, true)
    }
    peer.talked = true
    peer.lastUs = us
    lastUs = us
    let view = peer.views.find((each) => each.rib === rib && each.family === family)
    if (view === undefined && peer.up) {
      const byUp = peer.upUs + LONGEST_DUMP
      const latest = byUp > us ? byUp : us + LONGEST_DUMP
      view = { rib, family, last: us, latest, done: false }
      peer.views.push(view)
    }
    if (view !== undefined) view.last = us
    if (message.kind === 'eor') {
      if (peer.up && view?.done === false) viewEnds(n, peer, view, us)
      return
    }
    const dump = message.announce && peer.up && !peer.done && view?.done === false
    const { announce, way, more, llgrStale } = message
    for (const { name, path } of message.routes) {
      const place = { peer: n, rib, family, name, path }
      const content = { way, more, llgrStale }
      facts.push({ us: us + deafUs, kind: 'route', place, announce, content, dump })
    }
  }

  doubt(openedUs, ALL)
  for (const { us: rxUs, message } of told.messages) {
    const us = rxUs - deafUs
    pass(us)
    if (message.kind === 'up') peerUp(message, us)
    else if (message.kind === 'down') peerDown(message, us)
    else if (message.kind === 'deaf') deafUs += message.untilUs - rxUs
    else monitoring(message, us)
  }
  if (told.end !== 'crash') pass(told.endUs - deafUs + (told.end === 'open' ? TAIL : 0))
  if (told.end === 'end') doubt(told.endUs, ALL)
  return facts
}

// --- all sessions of a router -----------------------------------------------------------------------

export interface Truth {
  /** routes that were announced at that instant, of what was said until then */
  heldAt(us: number): Held[]
  readonly events: readonly Event[]
  /** instants at which something happened, in no order */
  readonly instants: readonly number[]
}

export function truthOf(sessions: readonly Told[]): Truth {
  const facts = sessions.map((told, number) => factsOf(told, number))
  const events: Event[] = []
  run(facts, Infinity, events)
  return {
    heldAt: (us) => [...run(facts, us, []).values()],
    events,
    instants: facts.flat().map(({ us }) => us),
  }
}

/** One session after another, whatever was said when: a new session is the newer word of the router. */
function run(
  facts: readonly (readonly Fact[])[],
  untilUs: number,
  events: Event[],
): Map<string, Held> {
  const state = new Map<string, Held>()
  /** the last announcement of every route that was ever told of */
  const last = new Map<string, Content | undefined>()
  for (const [session, list] of facts.entries()) {
    for (const [at, fact] of list.entries()) {
      if (fact.us > untilUs) continue
      if (fact.kind === 'route') {
        const { place, announce, content, us, dump } = fact
        const key = JSON.stringify(place)
        const had = state.get(key)
        const was = last.get(key)
        events.push({
          ...place,
          ...{ us, announce, implied: false, cause: 'update' },
          class: announce
            ? classOf(last.has(key), was, had !== undefined, content)
            : had === undefined
              ? 'WWDUP'
              : 'AW',
        })
        last.set(key, announce ? content : was)
        if (announce) state.set(key, { ...place, ...content, us, dump, stale: false, session, at })
        else state.delete(key)
        continue
      }
      for (const [key, held] of [...state]) {
        if (!fact.which(held)) continue
        if (fact.kind === 'doubt') held.stale = true
        else {
          state.delete(key)
          const { peer, rib, family, name, path } = held
          events.push({
            ...{ peer, rib, family, name, path },
            ...{ us: fact.us, announce: false, implied: true, cause: fact.cause, class: 'AW' },
          })
        }
      }
    }
  }
  return state
}

/** DETECTORS.md A.2. */
function classOf(known: boolean, was: Content | undefined, up: boolean, now: Content): Class {
  if (!known) return 'NEW'
  const sameWay = was?.way === now.way
  if (!up) return sameWay ? 'WADUP' : 'WADIFF'
  if (!sameWay) return 'AADIFF'
  return was.more === now.more && was.llgrStale === now.llgrStale ? 'AADUP' : 'AAATTR'
}
