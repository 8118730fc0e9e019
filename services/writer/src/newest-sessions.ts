import type { Logger } from 'pino'

/** The old collector of a router that changed may flush for so long. */
const GRACE_MS = 60_000
const MAX_ROUTERS = 100_000

interface Newest {
  readonly session: number
  readonly sinceMs: number
  /** the older session that was told of */
  said: number
}

/**
 * Who goes on to send rows of a BMP session that is not the newest of its router. They are stored, and change no state: positions
 * of the newer session are higher. Two collectors have the router at a time, or the clock of one is wrong.
 */
export class NewestSessions {
  readonly #log: Logger
  readonly #newest = new Map<string, Newest>()
  #rows = 0

  constructor(log: Logger) {
    this.#log = log
  }

  /** Rows that came for a session that was not the newest for a minute already. */
  get supersededRows(): number {
    return this.#rows
  }

  saw(router: string, session: number, rows: number, nowMs: number): void {
    const newest = this.#newest.get(router)
    if (newest === undefined || session > newest.session) {
      this.#newest.delete(router)
      this.#newest.set(router, { session, sinceMs: nowMs, said: 0 })
      if (this.#newest.size > MAX_ROUTERS) {
        const [oldest = ''] = this.#newest.keys()
        this.#newest.delete(oldest)
      }
      return
    }
    if (session === newest.session || nowMs - newest.sinceMs < GRACE_MS) return
    this.#rows += rows
    if (newest.said === session) return
    newest.said = session
    this.#log.warn(
      { router, bmpSession: session, newest: newest.session },
      'rows of a BMP session that is not the newest of its router: two collectors have it, or a clock is wrong',
    )
  }
}
