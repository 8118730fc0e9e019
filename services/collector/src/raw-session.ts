import { NativeSink, RouterSession } from '@ribscope/events'
import type { Batch, BlockPool, SessionEnd, SessionLimits, SessionOptions } from '@ribscope/events'
import type { BatchConsumer } from './connection.ts'

export interface RawSessionOptions {
  /** Which stream it is: collector and router as OpenBMP's header names them. */
  readonly key: string
  readonly source: string
  readonly collector: string
  readonly openedUs: number
  readonly midway: SessionOptions['midway']
  readonly consumer: BatchConsumer
  readonly pool: BlockPool
  readonly limits: SessionLimits
  readonly v4Tlvs: SessionOptions['v4Tlvs']
  readonly maxBlockRows: number
  readonly maxBlockOctets: number
  readonly nameRouter: (session: RawSession, name: string) => string
  /** octets of rows that wait for the consumer changed by so many */
  readonly onWaiting: (octets: number) => void
}

/** BMP type codes, RFC 7854 section 4.1. */
const INITIATION = 4

/** One router's stream out of Kafka, as a Connection is one out of a socket. */
export class RawSession {
  readonly key: string
  readonly source: string
  readonly openedUs: number
  readonly session: RouterSession
  /** The router said something else than its name: another Initiation is another BMP session. */
  begun = false
  ended = false
  /** what it is called, once it is */
  sysName: string | undefined
  /** octets of batches that the consumer has not accepted */
  waiting = 0
  /** the session's clock, and what ours showed when it was set, milliseconds */
  heardUs = 0
  heardMs = 0
  readonly #options: RawSessionOptions
  readonly #sink: NativeSink
  #confirmed: Promise<void> = Promise.resolve()

  constructor(options: RawSessionOptions) {
    this.#options = options
    this.key = options.key
    this.source = options.source
    this.openedUs = options.openedUs
    this.#sink = new NativeSink({
      pool: options.pool,
      maxRows: options.maxBlockRows,
      maxOctets: options.maxBlockOctets,
      onBatch: (batch) => {
        this.#submit(batch)
      },
    })
    this.session = new RouterSession({
      collector: options.collector,
      source: options.source,
      openedUs: options.openedUs,
      out: this.#sink,
      limits: options.limits,
      v4Tlvs: options.v4Tlvs,
      midway: options.midway,
      nameRouter: (name) => options.nameRouter(this, name),
    })
  }

  /**
   * @param message one whole BMP message
   * @returns by how much the rows grew that are not encoded yet, octets
   */
  receive(message: Uint8Array, rxUs: number, nowMs: number): number {
    const before = this.#sink.pendingOctets
    this.heardUs = Math.max(rxUs, this.heardUs)
    this.heardMs = nowMs
    if (message[5] !== INITIATION) this.begun = true
    this.session.push(message, this.heardUs)
    return this.#sink.pendingOctets - before
  }

  /** What the session's clock shows when ours shows that. */
  clockAt(nowMs: number): number {
    return this.heardUs + Math.max(0, Math.floor(nowMs - this.heardMs)) * 1000
  }

  tick(nowMs: number): void {
    const due = this.session.nextDueUs()
    const nowUs = this.clockAt(nowMs)
    if (due !== undefined && due <= nowUs) this.session.tick(nowUs)
  }

  end(how: SessionEnd, nowMs: number): void {
    this.ended = true
    this.session.end(how, this.clockAt(nowMs))
  }

  /** Hands all rows to the consumer. */
  flush(): void {
    if (this.#sink.pendingRows === 0) return
    for (const batch of this.#sink.flush()) this.#submit(batch)
  }

  /** @returns resolves when the consumer has confirmed all that was flushed so far @throws what it refused with, for good */
  async confirmed(): Promise<void> {
    await this.#confirmed
  }

  #submit(batch: Batch): void {
    const octets = batch.body.length
    this.waiting += octets
    this.#options.onWaiting(octets)
    const accepted = this.#options.consumer.submit(batch).finally(() => {
      this.waiting -= octets
      this.#options.onWaiting(-octets)
    })
    // `then`: what Promise.all collects would grow with the session.
    const confirmed = Promise.all([this.#confirmed, accepted]).then(() => undefined)
    // Whoever waits for it hears of it.
    confirmed.catch(() => undefined)
    this.#confirmed = confirmed
  }
}
