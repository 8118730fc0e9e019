/** A topic for people to look at: read from wherever they say, by nobody's group, and nothing of it remembered. */
import { randomUUID } from 'node:crypto'
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { withAdmin } from './admin.ts'
import { BusError } from './connection.ts'
import type { Message } from './partition.ts'

export interface ReadOptions {
  readonly kafka: Kafka
  readonly topic: string
  /** An offset, of each partition; below 0: so many before the end. */
  readonly from: 'earliest' | 'latest' | bigint
  /** One partition; undefined: all of them, in no order between them. */
  readonly partition?: number | undefined
  /** Ends where the topic ended at the start; else goes on. */
  readonly untilEnd: boolean
  readonly signal: AbortSignal
  /** @returns false when it has enough */
  readonly onMessage: (message: Message & { readonly partition: number }) => Promise<boolean>
}

interface Place {
  next: bigint
  readonly end: bigint
}

const HEARTBEAT_MESSAGES = 100

/** @throws BusError when there is no such topic, partition or offset */
export function readTopic(options: ReadOptions): Promise<void> {
  const { kafka, signal } = options
  return withAdmin(kafka, async (admin) => {
    const places = await placesOf(admin, options)
    const groupId = `ribscope-tap-${randomUUID()}`
    const consumer = kafka.consumer({
      groupId,
      maxWaitTimeInMs: 200,
      allowAutoTopicCreation: false,
    })
    if (signal.aborted) return
    try {
      await new Reading(options, consumer, places).run()
    } finally {
      await consumer.disconnect()
      // It would go by itself, later.
      await admin.deleteGroups([groupId]).catch(() => undefined)
    }
  })
}

async function placesOf(
  admin: Admin,
  { topic, from, partition }: ReadOptions,
): Promise<Map<number, Place>> {
  // Asked about a topic that is not there, the library tries again for long.
  if (!(await admin.listTopics()).includes(topic)) {
    throw new BusError(`topic ${topic} does not exist`)
  }
  const all = await admin.fetchTopicOffsets(topic)
  const wanted = all.filter((each) => partition === undefined || each.partition === partition)
  if (wanted.length === 0) {
    throw new BusError(`topic ${topic} has no partition ${String(partition)}, but ${all.length}`)
  }
  return new Map(
    wanted.map(({ partition: at, low, high }) => {
      const first = BigInt(low)
      const end = BigInt(high)
      let next = from === 'earliest' ? first : from === 'latest' ? end : from
      if (next < 0n) next = end + next > first ? end + next : first
      if (next < first || next > end) {
        const has = `offsets ${first} to ${end}`
        throw new BusError(`topic ${topic}, partition ${at}: no offset ${next}, it has ${has}`)
      }
      return [at, { next, end }]
    }),
  )
}

class Reading {
  readonly #options: ReadOptions
  readonly #consumer: Consumer
  readonly #places: Map<number, Place>
  #placed = false
  #over = false
  #end: () => void = () => undefined
  #fail: (error: Error) => void = () => undefined

  constructor(options: ReadOptions, consumer: Consumer, places: Map<number, Place>) {
    this.#options = options
    this.#consumer = consumer
    this.#places = places
  }

  async run(): Promise<void> {
    const { topic, signal } = this.#options
    const ended = new Promise<void>((resolve, reject) => {
      this.#end = () => {
        this.#over = true
        resolve()
      }
      this.#fail = reject
    })
    const stop = (): void => {
      this.#end()
    }
    signal.addEventListener('abort', stop)
    try {
      this.#look()
      if (this.#over) return
      const consumer = this.#consumer
      const { events } = consumer
      consumer.on(events.GROUP_JOIN, () => {
        // Joined again, it would begin at the end.
        for (const [partition, { next }] of this.#places) {
          consumer.seek({ topic, partition, offset: String(next) })
        }
        this.#placed = true
      })
      consumer.on(events.REBALANCING, () => {
        this.#placed = false
      })
      consumer.on(events.CRASH, ({ payload }) => {
        if (!payload.restart) this.#fail(payload.error)
      })
      consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
        // Also those in which there is nothing for us: then there is no first one, whatever the types say.
        const first = payload.firstOffset as string | null
        this.#passed(payload.partition, BigInt(payload.lastOffset), BigInt(first ?? 0))
      })
      await consumer.connect()
      await consumer.subscribe({ topics: [topic] })
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#batch(payload),
      })
      await ended
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const { partition } = batch
    const place = this.#places.get(partition)
    // Read before its place was taken, or a partition that nobody asked for.
    if (!this.#placed) return
    if (place === undefined) {
      payload.resolveOffset(batch.lastOffset())
      return
    }
    let count = 0
    for (const message of batch.messages) {
      const offset = BigInt(message.offset)
      if (this.#over) return
      if (offset < place.next || (this.#options.untilEnd && offset >= place.end)) continue
      const more = await this.#options.onMessage({
        partition,
        offset,
        key: message.key?.toString('utf8') ?? '',
        value: message.value ?? new Uint8Array(0),
        headers: message.headers ?? {},
        timestampMs: Number(message.timestamp),
      })
      place.next = offset + 1n
      if (!more) {
        this.#end()
        return
      }
      if (++count % HEARTBEAT_MESSAGES === 0) await payload.heartbeat()
    }
    payload.resolveOffset(batch.lastOffset())
  }

  #passed(partition: number, last: bigint, first: bigint): void {
    const place = this.#places.get(partition)
    if (!this.#placed || place === undefined || first > place.next) return
    if (last >= place.next) place.next = last + 1n
    this.#look()
  }

  /** Whether all is read that there was. */
  #look(): void {
    if (!this.#options.untilEnd) return
    if ([...this.#places.values()].every(({ next, end }) => next >= end)) this.#end()
  }
}
