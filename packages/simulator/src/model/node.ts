import type { PeerDownReason } from '../encode/bmp.ts'
import { nlriKey } from '../encode/nlri.ts'
import type { Change, Route, Session, Speaker } from './session.ts'
import type { Simulation } from './simulation.ts'

export interface Where {
  /** Names of the routers that are told; all of the node's when left out. */
  readonly on?: readonly string[]
  /** The second router hears it this much later than the first, and so on. */
  readonly skewUs?: number
}

/** A host that speaks BGP to its ToRs and exports no BMP. Remembers what it announces to whom. */
export class Node {
  readonly speaker: Speaker
  readonly sessions: Session[] = []
  readonly #sim: Simulation
  readonly #tables = new Map<Session, Map<string, Route>>()

  constructor(sim: Simulation, speaker: Speaker) {
    this.#sim = sim
    this.speaker = speaker
  }

  get name(): string {
    return this.speaker.name
  }

  attach(session: Session): void {
    this.sessions.push(session)
    this.#tables.set(session, new Map())
  }

  session(router: string): Session {
    const found = this.sessions.find((session) => session.router.name === router)
    if (found === undefined) throw new Error(`${this.name} has no session with ${router}`)
    return found
  }

  announce(routes: readonly Route[], where: Where = {}): void {
    this.#tell(routes, where)
  }

  withdraw(routes: readonly Route[], where: Where = {}): void {
    this.#tell(
      routes.map(({ nlri }) => ({ nlri, attrs: null })),
      where,
    )
  }

  /** Sends everything again, unchanged: what a route refresh brings. */
  refresh(router: string): void {
    const session = this.session(router)
    session.router.receive(session, [...this.#table(session).values()])
  }

  /** Opens the session with one router: Peer Up, then the node's table, then End-of-RIB. */
  connect(router: string): void {
    const session = this.session(router)
    if (session.up) return
    session.router.sessionUp(session)
    this.#sim.after(40_000, () => {
      this.refresh(router)
      session.router.endOfTable(session)
    })
  }

  /** @param why 'silently' when the Peer Down has been sent by other means */
  disconnect(router: string, why: PeerDownReason | 'silently', retain = false): void {
    const session = this.session(router)
    session.router.sessionDown(session, why, retain)
  }

  #tell(changes: readonly Change[], where: Where): void {
    const told = this.sessions.filter(
      ({ router }) => where.on === undefined || where.on.includes(router.name),
    )
    told.forEach((session, index) => {
      this.#sim.after(index * (where.skewUs ?? 0), () => {
        const table = this.#table(session)
        for (const { nlri, attrs } of changes) {
          if (attrs === null) table.delete(nlriKey(nlri))
          else table.set(nlriKey(nlri), { nlri, attrs })
        }
        session.router.receive(session, changes)
      })
    })
  }

  #table(session: Session): Map<string, Route> {
    const table = this.#tables.get(session)
    if (table === undefined)
      throw new Error(`${this.name} is not attached to ${session.router.name}`)
    return table
  }
}
