/**
 * One analyst of several is at work: the holder of the highest term in `analyst_lease`.
 *
 * A term is taken by an insert whose token names it: ClickHouse stores one such insert, whoever else comes, and each reads back
 * whether it was its own. No two clocks are compared. The holder renews and trusts its lease for a time that it counts from before
 * the last renewal was sent, on both of its clocks; another one takes the next term when it has seen no renewal for longer than
 * that, on its own. A holder that slept finds its time over before its next statement (`check`), and what was on its way by then
 * the server refuses by the term (`findings_offered`).
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Store, StoreSession } from '@ribscope/store'

export interface LeaseTimes {
  /** Without a renewal for so long, another one takes over. */
  readonly expiresMs: number
  /** The holder stops so much earlier. */
  readonly marginMs: number
  readonly renewMs: number
  /** How often those look who wait. */
  readonly lookMs: number
}

const TIMES: LeaseTimes = { expiresMs: 12_000, marginMs: 2_000, renewMs: 2_000, lookMs: 1_000 }

/** What was to be done is another one's to do, or nobody's until the lease is renewed. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError'
}

export interface Lease {
  readonly term: number
  /** @throws LeaseError unless it is surely held: to be called right before every statement that changes something */
  check(): void
}

/** What is done by the holder. */
export interface Work {
  /** @param held false: the lease is lost, nothing may be written any more */
  stop(held: boolean): Promise<void>
}

export interface LeaseHooks {
  onHeld?(term: number): void
  onLost?(term: number): void
  /** The store does not answer, or the work does not start. */
  onError?(error: unknown): void
}

interface Latest {
  readonly term: number
  readonly holder: string
  readonly beat: string
  readonly released: number
}

export class LeaseKeeper {
  readonly #store: Store
  readonly #db: StoreSession
  readonly #times: LeaseTimes
  readonly #hooks: LeaseHooks
  readonly #start: (lease: Lease) => Promise<Work>
  readonly #holder = `${hostname()}-${process.pid}-${randomBytes(6).toString('hex')}`
  readonly #stopping = new AbortController()
  #ended: Promise<void> = Promise.resolve()
  #held = false

  private constructor(
    store: Store,
    db: StoreSession,
    start: (lease: Lease) => Promise<Work>,
    times: LeaseTimes,
    hooks: LeaseHooks,
  ) {
    this.#store = store
    this.#db = db
    this.#start = start
    this.#times = times
    this.#hooks = hooks
  }

  /**
   * Waits for the lease in the background, works while it is held, waits again when it is lost.
   *
   * @param store one of its own with a short timeout: a renewal that hangs is none
   * @param start begins the work; it is ended before another term is taken
   */
  static async run(
    store: Store,
    start: (lease: Lease) => Promise<Work>,
    hooks: LeaseHooks = {},
    times: Partial<LeaseTimes> = {},
  ): Promise<LeaseKeeper> {
    const db = await store.session('lease')
    const keeper = new LeaseKeeper(store, db, start, { ...TIMES, ...times }, hooks)
    keeper.#ended = keeper.#run()
    return keeper
  }

  /** Whether the work is under way. */
  get held(): boolean {
    return this.#held
  }

  /** Ends the work in order and gives the lease back. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
    await this.#db.close()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const lease = await this.#wait()
      if (lease === undefined) return
      await this.#hold(lease)
    }
  }

  /** Renews from the first moment: to begin the work may take longer than a lease lasts. */
  async #hold(lease: HeldLease): Promise<void> {
    const over = new AbortController()
    const renewed = this.#renew(lease, AbortSignal.any([this.#stopping.signal, over.signal]))
    let work: Work
    try {
      work = await this.#start(lease)
    } catch (error) {
      this.#hooks.onError?.(error)
      over.abort()
      await renewed
      if (!lease.lost) await this.#release(lease)
      await this.#pause(this.#times.expiresMs / 2)
      return
    }
    this.#held = true
    this.#hooks.onHeld?.(lease.term)
    await renewed
    this.#held = false
    const still = !lease.lost
    if (!still) this.#hooks.onLost?.(lease.term)
    await work.stop(still).catch((error: unknown) => this.#hooks.onError?.(error))
    if (still) await this.#release(lease)
  }

  /** @returns undefined when told to stop */
  async #wait(): Promise<HeldLease | undefined> {
    let seen: { readonly key: string; readonly at: number } | undefined
    while (!this.#stopping.signal.aborted) {
      const asked = performance.now()
      try {
        const latest = await this.#latest()
        const [first] = latest
        const key = JSON.stringify(latest)
        if (seen?.key !== key) seen = { key, at: performance.now() }
        // From before the question: an answer that lay about while this process slept says nothing of now.
        const silent = asked - seen.at >= this.#times.expiresMs
        const free = latest.every((each) => each.released === 1)
        if (free || silent) {
          const taken = await this.#take((first?.term ?? 0) + 1)
          if (taken !== undefined) return taken
        }
      } catch (error) {
        // Who could not ask does not know that nobody renewed.
        seen = undefined
        this.#hooks.onError?.(error)
      }
      await this.#pause(this.#times.lookMs)
    }
    return undefined
  }

  async #take(term: number): Promise<HeldLease | undefined> {
    const lease = new HeldLease(term, this.#times.expiresMs - this.#times.marginMs)
    await this.#write(lease, 0, `analyst-lease-${term}`)
    if (!(await this.#isMine(term))) return undefined
    return lease
  }

  /** Until the lease is lost, or it is time to stop. */
  async #renew(lease: HeldLease, signal: AbortSignal): Promise<void> {
    for (let sent = now(); ;) {
      // One that took long is followed by the next at once.
      const rest = this.#times.renewMs - (performance.now() - sent.steady)
      await this.#pause(Math.max(0, rest), signal)
      if (signal.aborted) return
      sent = now()
      try {
        await this.#write(lease, 0)
        if (!(await this.#isMine(lease.term))) {
          lease.lost = true
          return
        }
        lease.renewedAt = sent
      } catch (error) {
        this.#hooks.onError?.(error)
        await this.#pause(this.#times.lookMs, signal)
      }
    }
  }

  async #release(lease: HeldLease): Promise<void> {
    await this.#write(lease, 1).catch((error: unknown) => this.#hooks.onError?.(error))
  }

  async #write(lease: HeldLease, released: 0 | 1, token?: string): Promise<void> {
    const { term } = lease
    const row = { term, holder: this.#holder, beat: lease.beat++, released }
    await this.#store.insertRows('analyst_lease', [row], token)
  }

  async #isMine(term: number): Promise<boolean> {
    const latest = await this.#latest()
    return latest.length === 1 && latest[0]?.term === term && latest[0].holder === this.#holder
  }

  /** Rows of the highest term: one, unless somebody slept so long over its insert that the token of the term was forgotten. */
  async #latest(): Promise<Latest[]> {
    const rows = await this.#db.query<Omit<Latest, 'term'> & { term: string }>(
      `SELECT l.term AS term, l.holder AS holder, max(l.beat) AS beat, max(l.released) AS released FROM ribscope.analyst_lease AS l
       WHERE l.term = (SELECT max(m.term) FROM ribscope.analyst_lease AS m) GROUP BY term, holder ORDER BY holder`,
    )
    return rows.map((row) => ({ ...row, term: Number(row.term) }))
  }

  async #pause(ms: number, signal = this.#stopping.signal): Promise<void> {
    await delay(ms, undefined, { signal }).catch(() => undefined)
  }
}

interface Instant {
  readonly steady: number
  readonly wall: number
}

/** Two clocks: the steady one may stand still while a machine sleeps, the other may be set back. */
const now = (): Instant => ({ steady: performance.now(), wall: Date.now() })

class HeldLease implements Lease {
  readonly term: number
  readonly #validMs: number
  beat = 0
  lost = false
  renewedAt = now()

  constructor(term: number, validMs: number) {
    this.term = term
    this.#validMs = validMs
  }

  check(): void {
    if (this.lost) throw new LeaseError('another analyst holds the lease')
    const at = now()
    const { steady, wall } = this.renewedAt
    const elapsed = Math.max(at.steady - steady, at.wall - wall)
    if (elapsed >= this.#validMs) {
      throw new LeaseError(`the lease was not renewed for ${Math.round(elapsed / 1000)} s`)
    }
  }
}

/** The same store; whatever could change something is done only while the lease is held. */
export function leasedStore(store: Store, lease: Lease): Store {
  const session: Store['session'] = async (...args) => {
    const inner = await store.session(...args)
    return {
      query: (...query) => inner.query(...query),
      queryText: (...query) => inner.queryText(...query),
      queryBytes: (...query) => inner.queryBytes(...query),
      async command(...command) {
        lease.check()
        await inner.command(...command)
      },
      close: () => inner.close(),
    }
  }
  return {
    session,
    async insert(blocks) {
      lease.check()
      await store.insert(blocks)
    },
    async insertRows(...args) {
      lease.check()
      await store.insertRows(...args)
    },
    async replaceRows(...args) {
      lease.check()
      await store.replaceRows(...args)
    },
    close: () => store.close(),
  }
}
