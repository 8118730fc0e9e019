import type { Kafka, Producer } from 'kafkajs'
import type { BusLog } from '../log.ts'
import { encodeHeaders, type BatchHeaders } from '../message.ts'
import type { Publisher } from '../transport.ts'

export interface PublisherOptions {
  readonly kafka: Kafka
  readonly topic: string
  readonly log: BusLog
  /**
   * Octets of values in one request: no more than the topic takes for a partition, see `ensureTopic`. One message may be larger,
   * and is then refused for ever. Default 900 KiB, which every broker takes.
   */
  readonly maxSendOctets?: number
}

interface Waiting {
  readonly key: string
  readonly value: Buffer
  readonly headers: Record<string, string>
  readonly done: () => void
  readonly failed: (reason: Error) => void
}

const MAX_SEND_OCTETS = 900 << 10
/** kafkajs spreads the array again for each message of it: quadratic. */
const MAX_SEND_MESSAGES = 400
const RETRY_MS = 500
const MAX_RETRY_MS = 10_000
/** Of the library, within one call: some 15 s. */
const SEND_RETRIES = 5

/**
 * Messages to a topic, those of a key in the order in which they were given, whatever fails: one request is under way at a
 * time, and it is repeated until the brokers have it. At worst a message is there twice, never after a later one alone.
 */
export class KafkaPublisher implements Publisher {
  readonly #options: PublisherOptions
  #producer: Producer | undefined
  #queue: Waiting[] = []
  #waitingOctets = 0
  #running: Promise<void> | undefined
  #stopping = false
  #wake: (() => void) | undefined
  /** Since when the brokers take nothing; undefined when they do. */
  #failingSinceMs: number | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** Octets that no broker has confirmed. */
  get waitingOctets(): number {
    return this.#waitingOctets
  }

  /** Since when nothing was confirmed though there was something, milliseconds since 1970. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs
  }

  /**
   * @param value  must not change before the promise is settled
   * @returns resolves when all in-sync replicas have it; rejects only when the publisher is stopped before
   */
  publish(headers: BatchHeaders, value: Uint8Array): Promise<void> {
    return this.send(headers.router, value, encodeHeaders(headers))
  }

  send(key: string, value: Uint8Array, headers: Record<string, string>): Promise<void> {
    if (this.#stopping) return Promise.reject(new Error('the publisher is stopped'))
    return new Promise((done, failed) => {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      this.#queue.push({ key, value: bytes, headers, done, failed })
      this.#waitingOctets += value.length
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined
      })
    })
  }

  /** @param limitMs  how long what waits may take; what is not confirmed by then is rejected */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true
    const timer = setTimeout(() => {
      this.#abandon()
    }, limitMs)
    await this.#running
    clearTimeout(timer)
    await this.#producer?.disconnect()
    this.#producer = undefined
  }

  #abandon(): void {
    const left = this.#queue
    this.#queue = []
    this.#waitingOctets = 0
    for (const { failed } of left) failed(new Error('the publisher was stopped'))
    this.#wake?.()
    // Ends the request under way, which else would be tried again for ever.
    void this.#producer?.disconnect().catch(() => undefined)
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const taken = this.#take()
      await this.#sendUntilTaken(taken)
    }
  }

  /** The first ones; they stay in the queue until they are confirmed. */
  #take(): readonly Waiting[] {
    const limit = this.#options.maxSendOctets ?? MAX_SEND_OCTETS
    let octets = 0
    let count = 0
    for (const { value } of this.#queue) {
      if (count > 0 && (octets + value.length > limit || count === MAX_SEND_MESSAGES)) break
      octets += value.length
      count++
    }
    return this.#queue.slice(0, count)
  }

  async #sendUntilTaken(taken: readonly Waiting[]): Promise<void> {
    const { topic, log } = this.#options
    let pauseMs = RETRY_MS
    for (;;) {
      try {
        const producer = await this.#connected()
        await producer.send({
          topic,
          acks: -1,
          messages: taken.map(({ key, value, headers }) => ({ key, value, headers })),
        })
        break
      } catch (err) {
        // Abandoned meanwhile: they were told.
        if (this.#queue[0] !== taken[0]) return
        this.#failingSinceMs ??= Date.now()
        log.error({ err, topic, messages: taken.length }, 'brokers take nothing, trying again')
        // As long as it is the same producer, brokers recognise what they have already.
        if (!isRetriable(err)) await this.#reset()
        await this.#pause(pauseMs)
        pauseMs = Math.min(MAX_RETRY_MS, pauseMs * 2)
        if (this.#queue[0] !== taken[0]) return
      }
    }
    if (this.#failingSinceMs !== undefined) {
      const seconds = Math.round((Date.now() - this.#failingSinceMs) / 1000)
      log.info({ topic, seconds }, 'brokers take messages again')
      this.#failingSinceMs = undefined
    }
    if (this.#queue[0] !== taken[0]) return
    this.#queue.splice(0, taken.length)
    for (const { value, done } of taken) {
      this.#waitingOctets -= value.length
      done()
    }
  }

  async #connected(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer
    const producer = this.#options.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Then the loop here says so, and goes on.
      retry: { retries: SEND_RETRIES },
    })
    await producer.connect()
    this.#producer = producer
    return producer
  }

  /** A producer that failed for good (its number is no longer known, say) makes room for a new one. */
  async #reset(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.disconnect().catch(() => undefined)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, ms)
      this.#wake = () => {
        clearTimeout(timer)
        done()
      }
    })
  }
}

function isRetriable(error: unknown): boolean {
  return (
    (error as { retriable?: boolean }).retriable === true ||
    (error as Error).name === 'KafkaJSNumberOfRetriesExceeded'
  )
}
