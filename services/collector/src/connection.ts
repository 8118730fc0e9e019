import type { Socket } from 'node:net'
import { JsonBatchSink, NativeSink, RouterSession } from '@ribscope/events'
import type { Batch, BlockPool, SessionEnd, SessionLimits, SessionOptions } from '@ribscope/events'
import type { Logger } from 'pino'
import { RawFeed } from './raw-feed.ts'
import type { RawOutlet } from './raw-feed.ts'

/** Takes the rows of BMP sessions and keeps the order in which it gets those of one session. */
export interface BatchConsumer {
  /** @returns resolves when the batch is accepted; a session with too much that is not is held back */
  submit(batch: Batch): Promise<void>
}

/** RFC 8446 section 5.1: the first octet of what a TLS client says. */
const TLS_HANDSHAKE = 22

/** How a connection came to be: accepted, accepted with TLS, or ours to a passive router. */
export type Via = 'tcp' | 'tls' | 'dial'

export interface ConnectionOptions {
  readonly socket: Socket
  readonly source: string
  readonly via: Via
  readonly collector: string
  readonly openedUs: number
  /** its number, see `SessionNumbers` */
  readonly bmpSession: number
  readonly consumer: BatchConsumer
  readonly pool: BlockPool
  /** gets the messages as they are received */
  readonly raw: RawOutlet | undefined
  readonly limits: SessionLimits
  readonly v4Tlvs: SessionOptions['v4Tlvs']
  readonly format: 'native' | 'json'
  readonly maxBlockRows: number
  readonly maxBlockOctets: number
  readonly log: Logger
  readonly nameRouter: (connection: Connection, name: string) => string | undefined
  /** octets of rows that wait for the consumer changed by so many */
  readonly onWaiting: (octets: number) => void
  /** octets of rows that are not even encoded yet changed by so many */
  readonly onHeld: (octets: number) => void
  readonly onEnd: (connection: Connection) => void
}

/**
 * One TCP connection: octets into a session, its rows to the consumer, the consumer's pace back to the
 * socket.
 */
export class Connection {
  readonly source: string
  readonly via: Via
  readonly openedUs: number
  readonly bmpSession: number
  readonly session: RouterSession
  readonly log: Logger
  /** octets of batches that the consumer has not accepted */
  waiting = 0
  /** the rows in them */
  waitingRows = 0
  /** last time that octets came */
  heardUs: number
  ended = false
  /** the router's own name, once it has said it */
  sysName: string | undefined
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #sink: NativeSink | JsonBatchSink
  readonly #raw: RawFeed | undefined
  #submitted: Promise<void> = Promise.resolve()
  /** since when nothing is read from the socket */
  #pausedUs: number | undefined
  #loggedUps = 0
  #loggedDowns = 0
  #held = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#socket = options.socket
    this.source = options.source
    this.via = options.via
    this.openedUs = options.openedUs
    this.bmpSession = options.bmpSession
    this.heardUs = options.openedUs
    this.log = options.log
    const onBatch = (batch: Batch): void => {
      this.#submit(batch)
    }
    const { pool, maxBlockRows: maxRows, maxBlockOctets: maxOctets } = options
    this.#sink =
      options.format === 'json'
        ? new JsonBatchSink({ maxOctets, onBatch })
        : new NativeSink({ pool, maxRows, maxOctets, onBatch })
    this.#raw = options.raw === undefined ? undefined : this.#rawFeed(options.raw)
    const raw = this.#raw
    this.session = new RouterSession({
      collector: options.collector,
      source: options.source,
      openedUs: options.bmpSession,
      out: this.#sink,
      limits: options.limits,
      v4Tlvs: options.v4Tlvs,
      nameRouter: (name) => options.nameRouter(this, name),
      ...(raw === undefined
        ? {}
        : {
            onMessage: (bytes, start, end) => {
              raw.message(this.session.router, bytes, start, end, this.heardUs)
            },
          }),
    })
  }

  #rawFeed(outlet: RawOutlet): RawFeed {
    const { collector, source } = this.#options
    return new RawFeed({
      outlet,
      collector,
      source,
      onWaiting: (octets) => {
        this.waiting += octets
        this.#options.onWaiting(octets)
      },
      onLost: (messages, reason) => {
        const { router } = this.session
        this.log.error({ router, messages, reason }, 'messages not in the raw topic')
      },
    })
  }

  #hold(octets: number): void {
    this.#options.onHeld(octets - this.#held)
    this.#held = octets
  }

  /** Octets of rows that the consumer has not accepted, or that are not encoded yet. */
  get backlog(): number {
    return this.waiting + this.#held
  }

  get paused(): boolean {
    return this.#pausedUs !== undefined
  }

  receive(chunk: Uint8Array, nowUs: number): void {
    this.heardUs = nowUs
    this.session.push(chunk, nowUs)
    this.#hold(this.#sink.pendingOctets)
    const { broken, refused } = this.session
    if (broken !== undefined) {
      const tls = broken.offset === 0 && chunk[0] === TLS_HANDSHAKE
      const facts = { router: this.session.router, offset: broken.offset, reason: broken.detail }
      this.log.warn(
        { ...facts, ...(tls ? { hint: 'this is tls, on the port without' } : {}) },
        'framing lost',
      )
      this.end('framing', nowUs)
    } else if (refused) this.end('shutdown', nowUs, 'name refused')
  }

  /** Timers, and what has waited long enough. */
  turn(nowUs: number): void {
    const due = this.session.nextDueUs()
    if (!this.paused && due !== undefined && due <= nowUs) this.session.tick(nowUs)
    this.flush()
    const { peerUps, peerDowns } = this.session.counters
    if (peerUps === this.#loggedUps && peerDowns === this.#loggedDowns) return
    this.log.info(
      {
        router: this.session.router,
        peerUps: peerUps - this.#loggedUps,
        peerDowns: peerDowns - this.#loggedDowns,
        peers: this.session.peers,
      },
      'peers changed',
    )
    this.#loggedUps = peerUps
    this.#loggedDowns = peerDowns
  }

  flush(): void {
    this.#raw?.flush()
    if (this.#sink.pendingRows > 0) {
      for (const batch of this.#sink.flush()) this.#submit(batch)
    }
    this.#hold(0)
  }

  pause(nowUs: number): void {
    if (this.paused || this.ended) return
    this.#pausedUs = nowUs
    this.#socket.pause()
  }

  resume(nowUs: number): void {
    if (this.#pausedUs === undefined || this.ended) return
    this.held(this.#pausedUs, nowUs)
    this.#pausedUs = undefined
    this.heardUs = nowUs
    this.#socket.resume()
  }

  /** Nobody looked whether this router said something. */
  held(fromUs: number, toUs: number): void {
    this.session.held(fromUs, toUs)
  }

  /** Closes the socket and the session; its last rows go to the consumer. */
  end(how: SessionEnd, nowUs: number, reason: string = how): void {
    if (this.ended) return
    this.ended = true
    this.#socket.destroy()
    if (this.#pausedUs !== undefined) this.held(this.#pausedUs, nowUs)
    this.session.end(how, nowUs)
    this.flush()
    const { counters } = this.session
    this.log.info(
      {
        router: this.session.named ? this.session.router : undefined,
        reason,
        seconds: Math.round((nowUs - this.openedUs) / 1e6),
        octets: counters.octets,
        messages: counters.messages,
        rows: this.session.rows,
        peerUps: counters.peerUps,
        peerDowns: counters.peerDowns,
        errors: counters.errors,
      },
      'bmp session ended',
    )
    this.#options.onEnd(this)
  }

  /** All rows so far are with the consumer. */
  async settled(): Promise<void> {
    await this.#submitted
    await this.#raw?.settled()
  }

  /** In order, and without waiting: a consumer that gets several batches at once makes one large insert of them. */
  #submit(batch: Batch): void {
    const octets = batch.body.length
    const { rows } = batch
    this.waiting += octets
    this.waitingRows += rows
    this.#options.onWaiting(octets)
    const accepted = this.#options.consumer
      .submit(batch)
      .catch((err: unknown) => {
        if (this.ended) return
        // The rows are lost to us; the router has them still, and sends them again when it reconnects.
        this.log.error({ err, router: this.session.router }, 'rows not accepted, session closed')
        this.end('shutdown', this.heardUs, 'rows not accepted')
      })
      .then(() => {
        this.waiting -= octets
        this.waitingRows -= rows
        this.#options.onWaiting(-octets)
      })
    // `then`: what Promise.all collects would grow with the session.
    this.#submitted = Promise.all([this.#submitted, accepted]).then(() => undefined)
  }
}
