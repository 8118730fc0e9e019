import type { RecordMetadata } from 'kafkajs'
import type { BusLog } from '../log.ts'

/** A difference beyond which a session may get the wrong place among those of its router: routers come back within a second or two. */
const TOO_MUCH_MS = 500
/** An answer that took longer tells little. */
const MAX_ROUND_TRIP_MS = 1_000
/** A good measurement is good for so long. */
const KEEP_MS = 60_000

/**
 * How far this machine's clock is from that of the brokers, told by their answers: topics made by us have the brokers' time
 * (LogAppendTime), which is somewhere between request and answer.
 */
export class BrokerClock {
  readonly #log: BusLog
  #best: { skewMs: number; errorMs: number; atMs: number } | undefined
  #said = false

  constructor(log: BusLog) {
    this.#log = log
  }

  /** Milliseconds that this clock is ahead, negative: behind; undefined where brokers do not tell. */
  get skewMs(): number | undefined {
    return this.#best?.skewMs
  }

  /** @param sentMs  @param answeredMs  by this clock */
  answered(answers: readonly RecordMetadata[], sentMs: number, answeredMs: number): void {
    const appendedMs = Number(answers[0]?.logAppendTime ?? -1)
    const errorMs = (answeredMs - sentMs) / 2
    if (!(appendedMs > 0) || errorMs < 0 || errorMs > MAX_ROUND_TRIP_MS / 2) return
    const best = this.#best
    const fresh = best !== undefined && Math.abs(answeredMs - best.atMs) < KEEP_MS
    if (fresh && best.errorMs < errorMs) return
    const skewMs = Math.round((sentMs + answeredMs) / 2 - appendedMs)
    this.#best = { skewMs, errorMs, atMs: answeredMs }
    const off = Math.abs(skewMs) - errorMs > TOO_MUCH_MS
    if (off === this.#said) return
    this.#said = off
    const seconds = Math.round(skewMs) / 1000
    if (off) {
      this.#log.error(
        { seconds },
        'this clock is not that of the brokers (NTP?): sessions of routers that change collectors may be put in the wrong order',
      )
    } else this.#log.info({ seconds }, 'this clock is that of the brokers again')
  }
}
