import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka, Producer } from 'kafkajs'
import type { BusLog } from '../log.ts'
import { encodeHeaders, type BatchHeaders } from '../message.ts'
import type { Publisher } from '../transport.ts'
import { BrokerClock } from './broker-clock.ts'
import { BusError } from './connection.ts'
import { partitionCount, partitionOf } from './partitions.ts'
import { OneProducer } from './producer.ts'
import { isClosed, isRetriable, isTooLarge } from './send-errors.ts'
import { firstOf, waitingFor, type Outgoing, type Waiting } from './waiting.ts'

export interface PublisherOptions {
  readonly kafka: Kafka
  readonly topic: string
  readonly log: BusLog
  /**
   * Octets of messages in one request: no more than the topic takes for a partition, see `ensureTopic`. One message may be larger.
   * Default 900 KiB, which every broker takes.
   */
  readonly maxSendOctets?: number | undefined
  /** How many the topic has, see `ensureTopic`. Default: brokers are asked when the first message is there. */
  readonly partitions?: number | undefined
  /** Topic that is not there, or may not be written: true (default) waits for it to change, false rejects. */
  readonly patient?: boolean
  /** milliseconds since 1970, for tests. Default: the clock */
  readonly now?: () => number
}

const MAX_SEND_OCTETS = 900 << 10
const RETRY_MS = 500
const MAX_RETRY_MS = 10_000
const TOO_LARGE = Symbol('too large')

/**
 * Messages to a topic, those of a key in the order in which they were given, whatever fails: one request is under way for a
 * partition at a time, and it is repeated until the brokers have it. At worst a message is there twice, never after a later one alone.
 */
export class KafkaPublisher implements Publisher {
  readonly #options: PublisherOptions
  readonly #clock: BrokerClock
  readonly #producer: OneProducer
  readonly #now: () => number
  #maxSendOctets: number
  #partitions: number | undefined
  #queue: Waiting[] = []
  #waitingOctets = 0
  #running: Promise<void> | undefined
  #stopping = false
  readonly #abandoned = new AbortController()
  /** Since when the brokers take nothing; undefined when they do. */
  #failingSinceMs: number | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#maxSendOctets = options.maxSendOctets ?? MAX_SEND_OCTETS
    this.#partitions = options.partitions
    this.#clock = new BrokerClock(options.log)
    this.#producer = new OneProducer(options.kafka)
    this.#now = options.now ?? Date.now
  }

  /** Octets that no broker has confirmed. */
  get waitingOctets(): number {
    return this.#waitingOctets
  }

  /** Milliseconds that this clock is ahead of the brokers'; undefined where they do not tell. */
  get clockSkewMs(): number | undefined {
    return this.#clock.skewMs
  }

  /** Since when nothing was confirmed though there was something, milliseconds since 1970. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs
  }

  /**
   * @param value  must not change before the promise is settled
   * @returns resolves when all in-sync replicas have it; rejects when the publisher is stopped before, and with a BusError when
   *   the brokers will never take it
   */
  publish(headers: BatchHeaders, value: Uint8Array): Promise<void> {
    return this.send(headers.router, value, encodeHeaders(headers))
  }

  send(key: string, value: Uint8Array, headers: Record<string, string>): Promise<void> {
    return this.sendAll([{ key, value, headers }])
  }

  /** @returns resolves when the brokers have all of them; rejects as `publish` does, with the first that failed */
  sendAll(messages: readonly Outgoing[]): Promise<void> {
    if (this.#stopping) return Promise.reject(new Error('the publisher is stopped'))
    if (messages.length === 0) return Promise.resolve()
    return new Promise((done, failed) => {
      for (const each of waitingFor(messages, done, failed)) {
        this.#queue.push(each)
        this.#waitingOctets += each.value.length
      }
      this.#running ??= this.#run()
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
    await this.#producer.disconnect()
  }

  #abandon(): void {
    const left = this.#queue
    this.#queue = []
    this.#waitingOctets = 0
    for (const { failed } of left) failed(new Error('the publisher was stopped'))
    this.#abandoned.abort()
    // Ends the request under way, which else would be tried again for ever.
    void this.#producer.disconnect().catch(() => undefined)
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        // They stay in the queue until they are confirmed.
        const taken = firstOf(this.#queue, this.#maxSendOctets)
        const refused = new Map<Waiting, Error>()
        await this.#sendAll(taken, refused)
        // Abandoned meanwhile: they were told.
        if (this.#queue[0] !== taken[0]) return
        this.#recovered()
        this.#queue.splice(0, taken.length)
        for (const each of taken) {
          this.#waitingOctets -= each.value.length
          const reason = refused.get(each)
          if (reason === undefined) each.done()
          else each.failed(reason)
        }
      }
    } finally {
      // In the same turn as the last look at the queue: what comes in between would wait for the next one.
      this.#running = undefined
    }
  }

  /**
   * A request for each partition. With several in one the library, when it tries again, leaves out brokers that have
   * answered: what has moved to one of those meanwhile it says to have sent.
   */
  async #sendAll(taken: readonly Waiting[], refused: Map<Waiting, Error>): Promise<void> {
    const partitions = await this.#untilTaken(taken, taken, refused, () => this.#countPartitions())
    if (typeof partitions !== 'number') return
    const byPartition = new Map<number, Waiting[]>()
    for (const each of taken) {
      const partition = partitionOf(each.key, partitions)
      const list = byPartition.get(partition)
      if (list === undefined) byPartition.set(partition, [each])
      else list.push(each)
    }
    await Promise.all(
      [...byPartition].map(([partition, messages]) =>
        this.#sendPartition(taken, partition, messages, refused),
      ),
    )
  }

  async #sendPartition(
    taken: readonly Waiting[],
    partition: number,
    messages: readonly Waiting[],
    refused: Map<Waiting, Error>,
  ): Promise<void> {
    const sent = await this.#untilTaken(taken, messages, refused, (producer) =>
      this.#send(producer, partition, messages),
    )
    if (sent !== TOO_LARGE) return
    const half = Math.ceil(messages.length / 2)
    await this.#sendPartition(taken, partition, messages.slice(0, half), refused)
    await this.#sendPartition(taken, partition, messages.slice(half), refused)
  }

  async #send(producer: Producer, partition: number, messages: readonly Waiting[]): Promise<void> {
    const sentMs = this.#now()
    const answers = await producer.send({
      topic: this.#options.topic,
      acks: -1,
      messages: messages.map(({ key, value, headers }) => ({ key, value, headers, partition })),
    })
    this.#clock.answered(answers, sentMs, this.#now())
  }

  /**
   * @param messages  what it is about
   * @returns what `work` gives; undefined when they are refused for good, or abandoned; TOO_LARGE when fewer may be taken
   */
  async #untilTaken<T>(
    taken: readonly Waiting[],
    messages: readonly Waiting[],
    refused: Map<Waiting, Error>,
    work: (producer: Producer) => Promise<T>,
  ): Promise<T | typeof TOO_LARGE | undefined> {
    const { topic, log } = this.#options
    let pauseMs = RETRY_MS
    for (;;) {
      let producer: Producer | undefined
      try {
        producer = await this.#producer.connected()
        return await work(producer)
      } catch (err) {
        if (this.#queue[0] !== taken[0]) return undefined
        if (isTooLarge(err)) {
          if (messages.length > 1) return this.#lessAtOnce(messages)
          this.#refuse(messages, refused, this.#tooLarge(messages), err)
          return undefined
        }
        if (this.#options.patient === false && isClosed(err)) {
          const text = `topic ${topic} takes no messages: ${(err as Error).message}`
          this.#refuse(messages, refused, text, err)
          return undefined
        }
        this.#failingSinceMs ??= Date.now()
        log.error({ err, topic, messages: messages.length }, 'brokers take nothing, trying again')
        // As long as it is the same producer, brokers recognise what they have already.
        if (!isRetriable(err)) await this.#producer.reset(producer)
        await this.#pause(pauseMs)
        pauseMs = Math.min(MAX_RETRY_MS, pauseMs * 2)
        if (this.#queue[0] !== taken[0]) return undefined
      }
    }
  }

  #lessAtOnce(messages: readonly Waiting[]): typeof TOO_LARGE {
    const { topic, log } = this.#options
    const sum = messages.reduce((octets, each) => octets + each.octets, 0)
    this.#maxSendOctets = Math.floor(sum / 2)
    log.warn({ topic, maxSendOctets: this.#maxSendOctets }, 'topic takes less in one request')
    return TOO_LARGE
  }

  #tooLarge(messages: readonly Waiting[]): string {
    const { topic, log } = this.#options
    const octets = messages[0]?.octets ?? 0
    log.error({ topic, octets }, 'message refused: raise max.message.bytes of the topic')
    return `topic ${topic} refuses a message of ${octets} octets: raise its max.message.bytes`
  }

  /** What would be refused for ever must not hold up what is behind it. */
  #refuse(
    messages: readonly Waiting[],
    refused: Map<Waiting, Error>,
    text: string,
    cause: unknown,
  ): void {
    for (const each of messages) refused.set(each, new BusError(text, { cause }))
  }

  #recovered(): void {
    if (this.#failingSinceMs === undefined) return
    const seconds = Math.round((Date.now() - this.#failingSinceMs) / 1000)
    this.#options.log.info({ topic: this.#options.topic, seconds }, 'brokers take messages again')
    this.#failingSinceMs = undefined
  }

  /** Once: a key stays in its partition as long as this program runs, also when the topic gets more of them. */
  async #countPartitions(): Promise<number> {
    this.#partitions ??= await partitionCount(this.#options.kafka, this.#options.topic)
    return this.#partitions
  }

  #pause(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#abandoned.signal }).catch(() => undefined)
  }
}
