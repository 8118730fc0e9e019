/**
 * Store sessions for requests. A session runs one query at a time, so that a few of them bound what the API takes of the
 * engine; requests wait in order, and when too many wait the next is refused instead of queued for ever.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { QueryParams, StoreSession } from '@ribscope/store'

/** Of the request that is answered: aborted when whoever asked has left. */
export const callerLeft = new AsyncLocalStorage<AbortSignal | undefined>()

/** Work that a request begins and others need too: it goes on when that one leaves. */
export const forEverybody = <T>(work: () => T): T => callerLeft.run(undefined, work)

/** Too many requests wait already. */
export class PoolFull extends Error {
  override readonly name = 'PoolFull'
}

/** What routes see of the store. */
export interface Reader {
  query<Row>(sql: string, params?: QueryParams): Promise<Row[]>
}

export class SessionPool implements Reader {
  readonly #open: () => Promise<StoreSession>
  readonly #size: number
  readonly #limit: number
  readonly #all: StoreSession[] = []
  readonly #free: StoreSession[] = []
  readonly #waiting: ((session: StoreSession) => void)[] = []

  /** @param limit requests that may wait for a session */
  constructor(open: () => Promise<StoreSession>, size: number, limit: number) {
    this.#open = open
    this.#size = size
    this.#limit = limit
  }

  async start(): Promise<void> {
    for (let i = 0; i < this.#size; i++) {
      const session = await this.#open()
      this.#all.push(session)
      this.#free.push(session)
    }
  }

  async stop(): Promise<void> {
    this.#free.length = 0
    await Promise.all(this.#all.splice(0).map((session) => session.close()))
  }

  get waiting(): number {
    return this.#waiting.length
  }

  query<Row>(sql: string, params?: QueryParams): Promise<Row[]> {
    return this.use((session, signal) => session.query<Row>(sql, params, { signal }))
  }

  /**
   * @param work gets the signal for its statements too
   * @throws PoolFull; the reason of the signal when the caller left while waiting
   */
  async use<T>(
    work: (session: StoreSession, signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const signal = callerLeft.getStore()
    const session = await this.#take(signal)
    try {
      return await work(session, signal)
    } catch (error) {
      // An embedded session holds on to a failed query, its memory and what it had printed, until it runs the next.
      await session.query('SELECT 1').catch(() => undefined)
      throw error
    } finally {
      const next = this.#waiting.shift()
      if (next) next(session)
      else this.#free.push(session)
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<StoreSession> {
    signal?.throwIfAborted()
    const session = this.#free.pop()
    if (session) return session
    if (this.#waiting.length >= this.#limit) throw new PoolFull()
    return await new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(taken), 1)
        reject(signal?.reason as Error)
      }
      const taken = (freed: StoreSession): void => {
        signal?.removeEventListener('abort', leave)
        resolve(freed)
      }
      this.#waiting.push(taken)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }
}
