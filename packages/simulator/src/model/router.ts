import type { Attributes } from '../encode/attributes.ts'
import type { PeerDownReason } from '../encode/bmp.ts'
import { nlriKey, type Family, type Nlri } from '../encode/nlri.ts'
import { BmpFeed, type BmpSink } from './bmp-feed.ts'
import { Session, type Change, type Path, type SessionOptions, type Speaker } from './session.ts'
import type { Simulation } from './simulation.ts'

export interface Policy {
  /** What a received route becomes; null: rejected (in pre, not in post). */
  readonly import?: (session: Session, nlri: Nlri, attrs: Attributes) => Attributes | null
  /** What the peer is told about the best path; null: nothing. */
  readonly export?: (to: Session, path: Path) => Attributes | null
}

export interface RouterOptions {
  readonly name: string
  readonly role: 'tor' | 'leaf' | 'spine' | 'border' | 'rr'
  readonly asn: number
  readonly bgpId: string
  /** Source of its BMP session. */
  readonly address: string
  readonly policy: Policy
  readonly sysDescr?: string
}

/**
 * A router: sessions, tables, a best path per route and an export policy. It speaks plain path
 * vector (RFC 4271 section 9), so that what spines, borders and reflectors see follows from what
 * nodes tell the ToRs.
 */
export class Router {
  readonly name: string
  readonly role: RouterOptions['role']
  readonly asn: number
  readonly bgpId: string
  readonly address: string
  readonly sysDescr: string
  readonly sessions: Session[] = []
  readonly best = new Map<string, Path>()
  readonly feed: BmpFeed
  policy: Policy
  readonly #local = new Map<string, Path>()
  readonly #sim: Simulation

  constructor(sim: Simulation, sink: BmpSink, options: RouterOptions) {
    this.#sim = sim
    this.name = options.name
    this.role = options.role
    this.asn = options.asn
    this.bgpId = options.bgpId
    this.address = options.address
    this.policy = options.policy
    this.sysDescr = options.sysDescr ?? 'Ribscope simulator'
    this.feed = new BmpFeed(this, sim, sink)
  }

  asSpeaker(asn = this.asn): Speaker {
    return { name: this.name, kind: 'router', address: this.bgpId, asn, bgpId: this.bgpId }
  }

  addSession(options: Omit<SessionOptions, 'router'>): Session {
    const session = new Session({ router: this, ...options })
    this.sessions.push(session)
    return session
  }

  session(peer: string): Session {
    const found = this.sessions.find((session) => session.peer.name === peer)
    if (found === undefined) throw new Error(`${this.name} has no session with ${peer}`)
    return found
  }

  /** The router's own routes. */
  originate(changes: readonly Change[]): void {
    for (const { nlri, attrs } of changes) {
      const key = nlriKey(nlri)
      if (attrs === null) this.#local.delete(key)
      else this.#local.set(key, { key, nlri, attrs, sinceUs: this.#sim.nowUs, session: undefined })
    }
    this.#decide(changes)
  }

  /** UPDATEs from a peer. Withdrawals of what is not there are seen by BMP all the same. */
  receive(session: Session, changes: readonly Change[]): void {
    if (!session.up) return
    const after: Change[] = []
    for (const { nlri, attrs } of changes) {
      const key = nlriKey(nlri)
      session.stale.delete(key)
      if (attrs === null) {
        session.adjIn.delete(key)
        if (session.post.delete(key)) after.push({ nlri, attrs: null })
        continue
      }
      const path = { key, nlri, sinceUs: this.#sim.nowUs, session }
      session.adjIn.set(key, { ...path, attrs })
      const accepted = this.#accept(session, nlri, attrs)
      if (accepted !== null) {
        session.post.set(key, { ...path, attrs: accepted })
        after.push({ nlri, attrs: accepted })
      } else if (session.post.delete(key)) after.push({ nlri, attrs: null })
    }
    this.feed.changes(session, 'pre', changes)
    this.feed.changes(session, 'post', after)
    this.#decide(changes)
  }

  /** Applies the import policy anew to everything a peer sent: a changed policy shows in post. */
  reapplyPolicy(session: Session): void {
    const changes: Change[] = []
    for (const [key, path] of session.adjIn) {
      const accepted = this.#accept(session, path.nlri, path.attrs)
      const before = session.post.get(key)
      if (JSON.stringify(before?.attrs ?? null) === JSON.stringify(accepted)) continue
      if (accepted === null) session.post.delete(key)
      else session.post.set(key, { ...path, attrs: accepted, sinceUs: this.#sim.nowUs })
      changes.push({ nlri: path.nlri, attrs: accepted })
    }
    this.feed.changes(session, 'post', changes)
    this.#decide(changes)
  }

  /** The session comes up; both ends of a pair have to be told. */
  sessionUp(session: Session): void {
    if (session.up) return
    session.dial(this.#sim.random.between(32_768, 60_999), this.#sim.nowUs)
    this.feed.peerUp(session)
    this.#send(session, [...this.best.keys()])
  }

  /** End of the peer's initial table: what a restart left stale and was not sent again goes. */
  endOfTable(session: Session): void {
    if (!session.up) return
    this.feed.endOfRib(session)
    const gone = [...session.stale]
      .map((key) => session.adjIn.get(key))
      .filter((path) => path !== undefined)
    if (gone.length > 0)
      this.receive(
        session,
        gone.map(({ nlri }) => ({ nlri, attrs: null })),
      )
  }

  sessionDown(session: Session, why: PeerDownReason | 'silently', retain = false): void {
    if (!session.up) return
    session.up = false
    if (why !== 'silently') this.feed.peerDown(session, why)
    session.advertised.clear()
    if (retain) {
      for (const key of session.adjIn.keys()) session.stale.add(key)
      return
    }
    this.flush(session)
  }

  /** Forgets a dead peer's routes: at once, or when its restart timer has run out. */
  flush(session: Session): void {
    const routes = [...session.adjIn.values()]
    session.adjIn.clear()
    session.post.clear()
    session.stale.clear()
    this.#decide(routes)
  }

  /** Paths as good as the best one, which comes first; AS_PATHs of equal length will do (relax). */
  multipath(key: string): Path[] {
    const best = this.best.get(key)
    if (best?.session === undefined) return best === undefined ? [] : [best]
    const others = this.sessions.flatMap((session) => {
      const path = session.post.get(key)
      return path === undefined || path === best || !equal(path, best) ? [] : [path]
    })
    return [best, ...others]
  }

  #accept(session: Session, nlri: Nlri, attrs: Attributes): Attributes | null {
    if (session.external && attrs.asPath.includes(session.localAsn)) return null
    return this.policy.import === undefined ? attrs : this.policy.import(session, nlri, attrs)
  }

  #decide(changes: readonly { nlri: Nlri }[]): void {
    const keys = [...new Set(changes.map(({ nlri }) => nlriKey(nlri)))]
    for (const key of keys) {
      let best = this.#local.get(key)
      for (const session of this.sessions) {
        const path = session.post.get(key)
        if (path !== undefined && (best === undefined || better(path, best))) best = path
      }
      if (best === undefined) this.best.delete(key)
      else this.best.set(key, best)
    }
    this.feed.locChanges(keys)
    for (const session of this.sessions) this.#send(session, keys)
  }

  /** Tells a neighbouring router what has become different for it. */
  #send(session: Session, keys: readonly string[]): void {
    const { twin } = session
    if (twin === undefined || !session.up || this.policy.export === undefined) return
    const changes: Change[] = []
    for (const key of keys) {
      const path = this.best.get(key)
      const attrs =
        path === undefined || path.session === session || !carries(session.families, path.nlri)
          ? null
          : this.policy.export(session, path)
      const before = session.advertised.get(key)
      const text = JSON.stringify([path?.nlri, attrs])
      if (attrs !== null && path !== undefined) {
        if (before?.text === text) continue
        session.advertised.set(key, { text, nlri: path.nlri })
        changes.push({ nlri: path.nlri, attrs })
      } else if (before !== undefined) {
        session.advertised.delete(key)
        changes.push({ nlri: before.nlri, attrs: null })
      }
    }
    if (changes.length === 0) return
    const epoch = twin.upUs
    const us = this.#sim.nowUs + session.delayUs + this.#sim.random.between(0, 2_000)
    session.sentUs = Math.max(us, session.sentUs + 1)
    this.#sim.at(session.sentUs, () => {
      // What was on its way when the session broke never arrives.
      if (twin.upUs === epoch) twin.router.receive(twin, changes)
    })
  }
}

function carries(families: readonly Family[], nlri: Nlri): boolean {
  return families.includes(nlri.family)
}

/** RFC 4271 section 9.1.2, as far as it applies here. */
function better(a: Path, b: Path): boolean {
  if (b.session === undefined || a.session === undefined) return false
  const id = idNumber(a.session.peer.bgpId) - idNumber(b.session.peer.bgpId)
  const decisive = [...preference(a, b), id].find((step) => step !== 0)
  return decisive !== undefined && decisive < 0
}

function equal(a: Path, b: Path): boolean {
  return preference(a, b).every((step) => step === 0)
}

/** The steps up to the IGP metric: negative where a is preferred. */
function preference(a: Path, b: Path): number[] {
  return [
    (b.attrs.localPref ?? 100) - (a.attrs.localPref ?? 100),
    a.attrs.asPath.length - b.attrs.asPath.length,
    a.attrs.origin - b.attrs.origin,
    a.attrs.asPath[0] === b.attrs.asPath[0] ? (a.attrs.med ?? 0) - (b.attrs.med ?? 0) : 0,
    Number(b.session?.external === true) - Number(a.session?.external === true),
  ]
}

function idNumber(id: string): number {
  return id.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
