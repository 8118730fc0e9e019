/** What the pacer knows of a session and does with it. */
export interface Paced {
  /** octets of its rows that the consumer has not accepted, encoded or not */
  readonly backlog: number
}

export interface PacerOptions<Session extends Paced> {
  /** most of one session */
  readonly maxSessionOctets: number
  /** most of all sessions together, within a quarter and what one read of each makes of it */
  readonly maxTotalOctets: number
  /** @param forRoom it is too much that waits; else others have their turn */
  readonly pause: (session: Session, forRoom: boolean) => void
  readonly resume: (session: Session) => void
}

/** Octets between two ticks (100 ms) below which a session is no dump, and waits for no turn: less than one full read. */
const LIGHT_OCTETS = 64 << 10
/** Sessions that dump and are read in one turn of the event loop: more make everybody wait for longer. */
const READS_A_TURN = 8
/** Share of the total below which a backlog is small: small ones go on when the rest has to wait. */
const SMALL_SHARE = 1 / 256

interface Pace {
  /** since the last tick */
  octets: number
  /** since it began to send much */
  served: number
  heavy: boolean
  /** it is read again since the last tick only */
  fresh: boolean
  state: 'reading' | 'waits for its turn' | 'waits for room'
}

/**
 * Who is read when many routers send their tables at once, and how much of it is kept.
 *
 * Room: a session may have as much waiting as is left for all (the dynamic threshold of shared-memory switches): n that
 * send without end get a share of 1/(n + 1) each and leave one free, so that there is room for one that only keeps up.
 *
 * Turns: sessions that send much are read one chunk a turn, a few in each turn of the event loop, half of them those that
 * got least so far, half those that wait the longest. A session that sends little never waits for a turn.
 */
export class Pacer<Session extends Paced> {
  readonly #options: PacerOptions<Session>
  readonly #paces = new Map<Session, Pace>()
  /** in the order in which they came to wait */
  readonly #forTurn = new Set<Session>()
  readonly #forRoom = new Set<Session>()
  #total = 0
  #heavy = 0
  #scheduled = false

  constructor(options: PacerOptions<Session>) {
    this.#options = options
  }

  /** Octets of rows of all sessions that wait. */
  get totalOctets(): number {
    return this.#total
  }

  add(session: Session): void {
    this.#paces.set(session, { octets: 0, served: 0, heavy: false, fresh: true, state: 'reading' })
  }

  remove(session: Session): void {
    const pace = this.#paces.get(session)
    if (pace?.heavy === true) this.#heavy--
    this.#paces.delete(session)
    this.#forTurn.delete(session)
    this.#forRoom.delete(session)
  }

  /** A backlog changed by so much. */
  changed(octets: number): void {
    this.#total += octets
    if (octets < 0 && this.#forRoom.size > 0) this.#schedule()
  }

  /** So much was read from a session, and its rows are in its backlog. */
  received(session: Session, octets: number): void {
    const pace = this.#paces.get(session)
    if (pace === undefined) return
    pace.octets += octets
    pace.served += octets
    if (!pace.heavy && pace.octets >= LIGHT_OCTETS) {
      pace.heavy = true
      this.#heavy++
    }
    if (session.backlog >= this.#limit()) this.#wait(session, pace, 'waits for room')
    else if (pace.heavy && this.#heavy > READS_A_TURN) {
      this.#wait(session, pace, 'waits for its turn')
    }
    if (this.#total < this.#most) return
    // Nobody is read any more: what is small of each is not of all.
    for (const [each, its] of this.#paces) this.#wait(each, its, 'waits for room')
  }

  /** Now and then: who sends little again, and whoever was forgotten. */
  tick(): void {
    for (const [session, pace] of this.#paces) {
      const light = pace.octets < LIGHT_OCTETS && pace.state === 'reading' && !pace.fresh
      pace.octets = 0
      pace.fresh = false
      if (light && pace.heavy) {
        pace.heavy = false
        pace.served = 0
        this.#heavy--
      }
      // Rows came of a timer, or others took the room.
      if (session.backlog >= this.#limit()) this.#wait(session, pace, 'waits for room')
    }
    this.#schedule()
  }

  /** What a session may have waiting, now. */
  #limit(): number {
    const { maxSessionOctets, maxTotalOctets } = this.#options
    const small = this.#total < this.#most ? maxTotalOctets * SMALL_SHARE : 0
    return Math.min(maxSessionOctets, Math.max(maxTotalOctets - this.#total, small))
  }

  get #most(): number {
    return this.#options.maxTotalOctets * 1.25
  }

  #wait(session: Session, pace: Pace, state: Exclude<Pace['state'], 'reading'>): void {
    if (pace.state === state || pace.state === 'waits for room') return
    if (pace.state === 'reading') this.#options.pause(session, state === 'waits for room')
    pace.state = state
    this.#forTurn.delete(session)
    if (state === 'waits for room') this.#forRoom.add(session)
    else {
      this.#forTurn.add(session)
      this.#schedule()
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#forRoom.size + this.#forTurn.size === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#makeRoom()
      this.#giveTurns()
      if (this.#forTurn.size > 0) this.#schedule()
    })
  }

  /** Small ones first; those who send much go on when their turn comes. */
  #makeRoom(): void {
    if (this.#forRoom.size === 0) return
    const limit = this.#limit()
    const waiting = [...this.#forRoom].sort((a, b) => a.backlog - b.backlog)
    for (const session of waiting) {
      // Half empty, so that it is worth it.
      if (session.backlog * 2 > limit || limit === 0) return
      const pace = this.#paces.get(session)
      if (pace === undefined) continue
      this.#forRoom.delete(session)
      if (pace.heavy && this.#heavy > READS_A_TURN) {
        pace.state = 'waits for its turn'
        this.#forTurn.add(session)
      } else this.#read(session, pace)
    }
  }

  #giveTurns(): void {
    const turns = this.#heavy > READS_A_TURN ? READS_A_TURN : Infinity
    for (let i = 0; i < turns && this.#forTurn.size > 0;) {
      const [longest] = this.#forTurn
      const session = i % 2 === 0 ? longest : this.#leastServed()
      const pace = session && this.#paces.get(session)
      if (session === undefined || pace === undefined) return
      this.#forTurn.delete(session)
      // Others took the room while it waited.
      if (session.backlog >= this.#limit()) {
        pace.state = 'waits for room'
        this.#forRoom.add(session)
        continue
      }
      this.#read(session, pace)
      i++
    }
  }

  #leastServed(): Session | undefined {
    let least = Infinity
    let found: Session | undefined
    for (const session of this.#forTurn) {
      const served = this.#paces.get(session)?.served ?? Infinity
      if (served >= least) continue
      least = served
      found = session
    }
    return found
  }

  #read(session: Session, pace: Pace): void {
    pace.state = 'reading'
    pace.fresh = true
    this.#options.resume(session)
  }
}
