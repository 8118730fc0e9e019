import type { Logger } from 'pino'

/** One line of log a reason and second, however many connections come. */
const LOG_INTERVAL_US = 1_000_000

/** Connections turned away, by reason. Reasons are words of ours: there are few of them. */
export class Refusals {
  readonly #counts: Record<string, number> = {}
  readonly #lastLogged = new Map<string, { us: number; unsaid: number }>()
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  count(reason: string, source: string, us: number): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1
    const last = this.#lastLogged.get(reason)
    if (last !== undefined && Math.abs(us - last.us) < LOG_INTERVAL_US) {
      last.unsaid++
      return
    }
    this.#log.warn({ source, reason, more: last?.unsaid ?? 0 }, 'bmp connection closed')
    this.#lastLogged.set(reason, { us, unsaid: 0 })
  }

  get counts(): Readonly<Record<string, number>> {
    return { ...this.#counts }
  }
}
