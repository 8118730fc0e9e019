/**
 * Messages of a topic in groups, each group handled once in effect whatever dies.
 *
 * A group is a run of offsets of one partition. Before it is handled its borders are written down: offset `first` is committed
 * with the metadata `{"upto": last}`. After it the next offset is committed, with the next group's border beside it when it is known already.
 * Who takes the partition over finds the border and forms the same group of the same messages. What the handler does under the name
 * of the group (topic, partition, first offset) it can thus recognise as done: see `InsertBlocks.token` of the store.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import type { BusLog } from '../log.ts'

export interface Message {
  readonly offset: bigint
  readonly key: string
  readonly value: Uint8Array
  readonly headers: NonNullable<KafkaMessage['headers']>
  /** When the broker got it, milliseconds since 1970. */
  readonly timestampMs: number
}

export interface Group {
  readonly topic: string
  readonly partition: number
  readonly first: bigint
  readonly last: bigint
  readonly messages: readonly Message[]
  /** Someone began this group before: what it did may be done already. */
  readonly repeated: boolean
}

export interface GroupConsumerOptions {
  readonly kafka: Kafka
  readonly groupId: string
  readonly topic: string
  readonly log: BusLog
  /**
   * Handles a group; when it resolves the group is done. It may be called again for a group that it was called for, here or elsewhere,
   * with the same messages.
   *
   * @param cancelled  aborts when the partition went to somebody else: trying again is no longer ours
   * @throws only when the consumer is to give the partition up
   */
  readonly handle: (group: Group, cancelled: AbortSignal) => Promise<void>
  /** A group is closed when it holds so many octets of values, or so many messages, or has waited so long. */
  readonly maxOctets: number
  readonly maxMessages: number
  readonly maxWaitMs: number
  /** Partitions handled at a time. */
  readonly concurrency: number
  /** Default 30 s: a member that is silent for so long is taken for dead. */
  readonly sessionTimeoutMs?: number
}

export interface PartitionStatus {
  readonly partition: number
  /** What is committed: the offset that is handled next. */
  readonly position: bigint
  /** Messages behind the end of the partition, as far as it is known. */
  readonly lag: bigint
  readonly waitingOctets: number
}

interface Border {
  readonly position: bigint
  readonly upto: bigint | undefined
}

/** One partition for as long as it is ours. */
interface Assigned {
  readonly partition: number
  readonly gone: AbortController
  /** The next offset that belongs to no group yet; undefined until the border was read. */
  position: bigint | undefined
  /** The last offset of a group that was begun before us. */
  upto: bigint | undefined
  waiting: Message[]
  waitingOctets: number
  waitingSinceMs: number
  /** Of the end of the partition when it was last heard of. */
  end: bigint
  work: Promise<void>
  /** What is committed says that this group was begun. */
  recorded: bigint | undefined
  /** What is committed. */
  committed: bigint | undefined
}

const HEARTBEAT_MS = 3_000
const LOOK_MS = 50
const RESTART_MS = 1_000
/** Kafka's own number for it. */
const EARLIEST = -2n

export class GroupConsumer {
  readonly #options: GroupConsumerOptions
  readonly #partitions = new Map<number, Assigned>()
  #consumer: Consumer | undefined
  #borders: Promise<Map<number, Border>> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopping = false
  #crashed: NodeJS.Timeout | undefined

  constructor(options: GroupConsumerOptions) {
    this.#options = options
  }

  get partitions(): PartitionStatus[] {
    return [...this.#partitions.values()].map(({ partition, committed, end, waitingOctets }) => {
      const position = committed ?? 0n
      return { partition, position, lag: end > position ? end - position : 0n, waitingOctets }
    })
  }

  /** Joins the group and goes on until `stop`. @throws when the brokers can't be reached at all */
  async start(): Promise<void> {
    const { kafka, groupId, topic } = this.#options
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: this.#options.sessionTimeoutMs ?? 30_000,
      rebalanceTimeout: 60_000,
      heartbeatInterval: HEARTBEAT_MS,
      // Of a fetch: what waits in memory is bounded by that and the groups.
      maxBytesPerPartition: Math.max(1 << 20, Math.min(8 << 20, this.#options.maxOctets)),
      maxBytes: 32 << 20,
      maxWaitTimeInMs: 100,
      allowAutoTopicCreation: false,
      // We restart it: the library gives up on some errors that pass.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    })
    this.#consumer = consumer
    const { events } = consumer
    const forget = (): void => {
      this.#forget()
    }
    consumer.on(events.REBALANCING, forget)
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#forget()
      const partitions = payload.memberAssignment[topic] ?? []
      for (const partition of partitions) this.#partitions.set(partition, newlyAssigned(partition))
      this.#options.log.info({ topic, groupId, partitions }, 'partitions assigned')
    })
    consumer.on(events.CRASH, ({ payload }) => {
      this.#forget()
      if (this.#stopping) return
      this.#options.log.error(
        { err: payload.error, topic, groupId },
        'consumer ended, starting again',
      )
      this.#crashed = setTimeout(() => {
        void this.#restart()
      }, RESTART_MS)
    })
    await consumer.connect()
    // What is older than the group is read too: nothing that the topic still has is left out.
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.#options.concurrency,
      eachBatch: (payload) => this.#batch(payload),
    })
    this.#timer ??= setInterval(() => {
      this.#look()
    }, LOOK_MS)
  }

  /** Ends what is under way, leaves the group. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    clearTimeout(this.#crashed)
    const under = [...this.#partitions.values()].map(({ work }) => work)
    await Promise.allSettled(under)
    await this.#consumer?.disconnect()
    this.#forget()
  }

  async #restart(): Promise<void> {
    try {
      await this.#consumer?.disconnect().catch(() => undefined)
      if (!this.#stopping) await this.start()
    } catch (err) {
      this.#options.log.error({ err }, 'consumer does not start, trying again')
      if (this.#stopping) return
      this.#crashed = setTimeout(() => {
        void this.#restart()
      }, RESTART_MS)
    }
  }

  /** Nothing of what waits is ours any more: whoever has the partitions now reads it again. */
  #forget(): void {
    for (const { gone } of this.#partitions.values()) gone.abort()
    this.#partitions.clear()
    this.#borders = undefined
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const { partition } = batch
    const assigned = await this.#assigned(partition)
    const [first] = batch.messages
    const last = batch.messages.at(-1)
    if (first === undefined || last === undefined) return
    // The library rejoins while handlers run, and forgets what it had read: so do we, else nobody reads it again.
    if (isGone(assigned)) return
    const position = assigned.position ?? 0n
    if (BigInt(first.offset) > position && (await this.#fetchedTooLate(payload, position))) {
      this.#consumer?.seek({ topic: batch.topic, partition, offset: String(position) })
      return
    }
    if (isGone(assigned)) return
    assigned.end = BigInt(batch.highWatermark)
    for (const message of batch.messages) this.#add(assigned, message)
    // The library fetches from here on; what is done is what was committed.
    payload.resolveOffset(last.offset)
    await this.#whileBeating(this.#close(assigned), () => payload.heartbeat())
  }

  /** Whether the topic still has what lies between `position` and the batch: it was asked for from a later offset. */
  async #fetchedTooLate({ batch }: EachBatchPayload, position: bigint): Promise<boolean> {
    const { fetchedOffset } = batch as typeof batch & { readonly fetchedOffset: string }
    if (BigInt(fetchedOffset) <= position) return false
    const low = await this.#withAdmin((admin) => admin.fetchTopicOffsets(batch.topic))
    const start = low.find((each) => each.partition === batch.partition)?.low ?? '0'
    return BigInt(start) <= position
  }

  async #withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#options.kafka.admin()
    await admin.connect()
    try {
      return await use(admin)
    } finally {
      await admin.disconnect()
    }
  }

  async #assigned(partition: number): Promise<Assigned> {
    let assigned = this.#partitions.get(partition)
    if (assigned === undefined) {
      // One whose group failed: it begins anew.
      assigned = newlyAssigned(partition)
      this.#partitions.set(partition, assigned)
    }
    if (assigned.position === undefined) {
      this.#borders ??= this.#readBorders().catch((error: unknown) => {
        this.#borders = undefined
        throw error
      })
      const border = (await this.#borders).get(partition)
      assigned.position ??= border?.position ?? 0n
      assigned.upto ??= border?.upto
      assigned.recorded = border?.upto
      assigned.committed = border?.position
    }
    return assigned
  }

  async #readBorders(): Promise<Map<number, Border>> {
    const { groupId, topic } = this.#options
    const [found] = await this.#withAdmin((admin) =>
      admin.fetchOffsets({ groupId, topics: [topic] }),
    )
    const borders = new Map<number, Border>()
    for (const { partition, offset, metadata } of found?.partitions ?? []) {
      const position = BigInt(offset)
      if (position >= 0n) borders.set(partition, { position, upto: readUpto(metadata, position) })
    }
    return borders
  }

  #add(assigned: Assigned, message: KafkaMessage): void {
    const offset = BigInt(message.offset)
    const position = assigned.position ?? 0n
    if (offset < position) return
    if (offset > position && assigned.waiting.length === 0 && position > 0n) {
      const { topic } = this.#options
      this.#options.log.error(
        { topic, partition: assigned.partition, from: String(position), to: String(offset) },
        'the topic no longer has messages that were not stored: its retention is too short',
      )
    }
    const value = message.value ?? new Uint8Array(0)
    if (assigned.waiting.length === 0) assigned.waitingSinceMs = Date.now()
    assigned.waiting.push({
      offset,
      key: message.key?.toString('utf8') ?? '',
      value,
      headers: message.headers ?? {},
      timestampMs: Number(message.timestamp),
    })
    assigned.waitingOctets += value.length
    assigned.position = offset + 1n
  }

  /** Handles all groups that are full, or with `all` what there is. One that fails is read again. */
  #close(assigned: Assigned, all = false): Promise<void> {
    assigned.work = assigned.work.then(async () => {
      try {
        for (;;) {
          if (isGone(assigned)) return
          const taken = this.#take(assigned, all)
          if (taken.length === 0) return
          await this.#handle(assigned, taken)
        }
      } catch (err) {
        this.#failed(assigned, err)
      }
    })
    return assigned.work
  }

  /** The messages of the next group; none when it is not full yet. */
  #take(assigned: Assigned, all: boolean): Message[] {
    const { maxOctets, maxMessages } = this.#options
    const { waiting, upto } = assigned
    const begun = upto !== undefined
    let count = 0
    let octets = 0
    let last = -1n
    for (const { offset, value } of waiting) {
      if (begun ? offset > upto : count === maxMessages || octets >= maxOctets) break
      octets += value.length
      last = offset
      count++
    }
    // A group that was begun is exactly that group, even when its last message takes long to come.
    const full = begun
      ? last === upto || count < waiting.length
      : all || count === maxMessages || octets >= maxOctets
    if (!full) return []
    assigned.upto = undefined
    // The topic has nothing of the begun group any more: there is nothing to repeat.
    if (count === 0) return waiting.length > 0 ? this.#take(assigned, all) : []
    assigned.waitingOctets -= octets
    assigned.waitingSinceMs = Date.now()
    return waiting.splice(0, count)
  }

  async #handle(assigned: Assigned, messages: readonly Message[]): Promise<void> {
    const { topic, handle } = this.#options
    const { partition } = assigned
    const first = messages[0]?.offset
    const last = messages.at(-1)?.offset
    if (first === undefined || last === undefined) return
    const repeated = assigned.recorded === last
    if (!repeated) await this.#commit(assigned, first, last)
    if (isGone(assigned)) return
    await handle({ topic, partition, first, last, messages, repeated }, assigned.gone.signal)
    if (isGone(assigned)) return
    await this.#commit(assigned, last + 1n, undefined)
  }

  /** Fenced: a member that is no longer in the group is refused by the broker. */
  async #commit(assigned: Assigned, position: bigint, upto: bigint | undefined): Promise<void> {
    const { topic } = this.#options
    await this.#consumer?.commitOffsets([
      {
        topic,
        partition: assigned.partition,
        offset: String(position),
        metadata: upto === undefined ? '' : JSON.stringify({ upto: String(upto) }),
      },
    ])
    assigned.recorded = upto
    assigned.committed = position
  }

  /** Groups that have waited long enough. */
  #look(): void {
    const now = Date.now()
    for (const assigned of this.#partitions.values()) {
      if (assigned.waiting.length === 0) continue
      if (now - assigned.waitingSinceMs < this.#options.maxWaitMs) continue
      assigned.waitingSinceMs = now
      void this.#close(assigned, true)
    }
  }

  /** The partition is read again from what is committed, as a successor would. */
  #failed(assigned: Assigned, err: unknown): void {
    if (isGone(assigned)) return
    const { topic, log } = this.#options
    const { partition, committed } = assigned
    assigned.gone.abort()
    this.#partitions.delete(partition)
    this.#borders = undefined
    // The library tries a commit again and joins anew when a heartbeat fails, not when we do.
    if (!isRebalance(err))
      log.error({ err, topic, partition }, 'group not handled, it is read again')
    this.#consumer?.seek({ topic, partition, offset: String(committed ?? EARLIEST) })
  }

  /** The broker must hear of us while a store is slow. @throws what `work` throws; what `heartbeat` throws (a rebalance) */
  async #whileBeating(work: Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
    const ended = new AbortController()
    const done = work.finally(() => {
      ended.abort()
    })
    done.catch(() => undefined)
    for (;;) {
      await delay(HEARTBEAT_MS, undefined, { signal: ended.signal }).catch(() => undefined)
      if (ended.signal.aborted) break
      await heartbeat()
    }
    await done
  }
}

function newlyAssigned(partition: number): Assigned {
  return {
    partition,
    gone: new AbortController(),
    position: undefined,
    upto: undefined,
    waiting: [],
    waitingOctets: 0,
    waitingSinceMs: 0,
    end: 0n,
    work: Promise.resolve(),
    recorded: undefined,
    committed: undefined,
  }
}

/** @returns undefined when no group was begun at this position */
function readUpto(metadata: string | null, position: bigint): bigint | undefined {
  if (metadata === null || metadata === '') return undefined
  try {
    const { upto } = JSON.parse(metadata) as { upto?: unknown }
    if (typeof upto !== 'string' || !/^\d{1,19}$/.test(upto)) return undefined
    const last = BigInt(upto)
    return last >= position ? last : undefined
  } catch {
    return undefined
  }
}

/** Asked anew after every wait. */
function isGone(assigned: Assigned): boolean {
  return assigned.gone.signal.aborted
}

function isRebalance(error: unknown): boolean {
  const type = (error as { type?: string }).type
  return (
    type === 'REBALANCE_IN_PROGRESS' ||
    type === 'ILLEGAL_GENERATION' ||
    type === 'UNKNOWN_MEMBER_ID'
  )
}
