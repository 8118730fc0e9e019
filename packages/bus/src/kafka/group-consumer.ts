/**
 * Messages of a topic in groups, each group handled once in effect whatever dies.
 *
 * A group is a run of offsets of one partition. Before it is handled its borders are written down: offset `first` is committed
 * with the metadata `{"upto": last}`. After it the next offset is committed. Who takes the partition over finds the border and forms
 * the same group of the same messages. What the handler does under the name of the group (topic, partition, first and last offset) it
 * can thus recognise as done: see `InsertBlocks.token` of the store.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { GroupConsumerOptions, GroupCounters, PartitionStatus } from './group-options.ts'
import { Room, Slots, whileBeating } from './pace.ts'
import { Partition } from './partition.ts'
import type { Taken } from './partition.ts'
import { commitPlace, findEnds, findPlaces, isRebalance } from './places.ts'
import type { FoundPlace } from './places.ts'

const HEARTBEAT_MS = 3_000
const LOOK_MS = 50
const SURVEY_MS = 10_000
const RESTART_MS = 1_000
/** A new leader may for a moment know less than the old one. */
const SHRUNK_LOOKS = 6

export class GroupConsumer {
  readonly #options: GroupConsumerOptions
  readonly #partitions = new Map<number, Partition>()
  readonly #slots: Slots
  readonly #room: Room
  readonly #counters = { groups: 0, repeated: 0, lost: 0 }
  /** When each broker was last asked for more; all that it had given before was in our hands then. */
  readonly #asked = new Map<string, number>()
  #consumer: Consumer | undefined
  /** Without the library's own retries, which would commit for a later generation what belonged to an earlier one. */
  #commitNow: EachBatchPayload['commitOffsetsIfNecessary'] | undefined
  #timers: NodeJS.Timeout[] = []
  #stopping = false
  #crashed: NodeJS.Timeout | undefined

  constructor(options: GroupConsumerOptions) {
    this.#options = options
    this.#slots = new Slots(options.concurrency)
    const maxOctets = options.maxWaitingOctets ?? 4 * options.maxOctets
    this.#room = new Room(() => this.waitingOctets < maxOctets)
  }

  get topic(): string {
    return this.#options.topic
  }

  /**
   * Until when it is known that our partitions have nothing that was not handled, milliseconds since 1970; undefined while they
   * have, or may have.
   */
  get quietMs(): number | undefined {
    for (const { position, end, busy, waitingOctets } of this.#partitions.values()) {
      if (position === undefined || end > position || busy > 0 || waitingOctets > 0)
        return undefined
    }
    return this.#asked.size === 0 ? undefined : Math.min(...this.#asked.values())
  }

  get partitions(): PartitionStatus[] {
    return [...this.#partitions.values()].map(({ number, committed, end, waitingOctets }) => {
      const position = committed ?? 0n
      const lag = committed !== undefined && end > position ? end - position : 0n
      return { partition: number, position, lag, waitingOctets }
    })
  }

  get waitingOctets(): number {
    let sum = 0
    for (const { waitingOctets } of this.#partitions.values()) sum += waitingOctets
    return sum
  }

  get counters(): GroupCounters {
    return { ...this.#counters }
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
    this.#listen(consumer)
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.#options.concurrency,
      eachBatch: (payload) => this.#batch(payload),
    })
    if (this.#timers.length > 0) return
    const look = (): void => {
      this.#look()
    }
    const survey = (): void => {
      void this.#survey()
    }
    this.#timers = [setInterval(look, LOOK_MS), setInterval(survey, SURVEY_MS)]
  }

  /**
   * Ends what is under way, leaves the group.
   *
   * @param limitMs  how long that may take; what is not done by then the next member repeats
   */
  async stop(limitMs = 15_000): Promise<void> {
    this.#stopping = true
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#crashed)
    const limit = setTimeout(() => {
      this.#forget()
    }, limitMs)
    await Promise.allSettled([...this.#partitions.values()].map(({ work }) => work))
    clearTimeout(limit)
    this.#forget()
    await this.#consumer?.disconnect()
  }

  #listen(consumer: Consumer): void {
    const { groupId, topic, log } = this.#options
    const { events } = consumer
    consumer.on(events.FETCH_START, ({ timestamp, payload }) => {
      const { nodeId } = payload as { nodeId?: unknown }
      if (this.#consumer === consumer) this.#asked.set(String(nodeId), timestamp)
    })
    consumer.on(events.REBALANCING, () => {
      if (this.#consumer === consumer) this.#forget()
    })
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (this.#consumer !== consumer) return
      this.#forget()
      const numbers = payload.memberAssignment[topic] ?? []
      log.info({ topic, groupId, partitions: numbers }, 'partitions assigned')
      this.#begin(numbers)
    })
    consumer.on(events.CRASH, ({ payload }) => {
      if (this.#consumer !== consumer) return
      this.#forget()
      if (this.#stopping) return
      const facts = { err: payload.error, topic, groupId }
      log.error(facts, 'consumer ended, starting again')
      this.#restartSoon()
    })
  }

  #restartSoon(): void {
    this.#crashed = setTimeout(() => {
      void this.#restart()
    }, RESTART_MS)
  }

  async #restart(): Promise<void> {
    try {
      await this.#consumer?.disconnect().catch(() => undefined)
      if (!this.#stopping) await this.start()
    } catch (err) {
      this.#options.log.error({ err }, 'consumer does not start, trying again')
      if (!this.#stopping) this.#restartSoon()
    }
  }

  /** Nothing of what waits is ours any more: whoever has the partitions now reads it again. */
  #forget(): void {
    for (const { gone } of this.#partitions.values()) gone.abort()
    this.#partitions.clear()
    this.#asked.clear()
    this.#room.look()
  }

  /** Reads nothing of the partitions until it is known where to begin. */
  #begin(numbers: readonly number[], pauseMs = 0): void {
    if (this.#stopping || numbers.length === 0) return
    const partitions = numbers.map((number) => new Partition(number, this.#options))
    for (const each of partitions) this.#partitions.set(each.number, each)
    try {
      this.#consumer?.pause([{ topic: this.#options.topic, partitions: [...numbers] }])
    } catch (err) {
      // A consumer that has just ended: it is started again.
      this.#options.log.debug({ err }, 'not paused')
    }
    void this.#place(partitions, pauseMs)
  }

  async #place(partitions: readonly Partition[], pauseMs: number): Promise<void> {
    const { topic, log } = this.#options
    const left = (): Partition[] => partitions.filter((each) => !each.isGone())
    const wait = async (ms: number): Promise<void> => {
      await delay(ms)
    }
    if (pauseMs > 0) await wait(pauseMs)
    for (let looks = 1; left().length > 0; looks++) {
      try {
        const numbers = left().map(({ number }) => number)
        const places = await findPlaces({ ...this.#options, partitions: numbers })
        if (looks < SHRUNK_LOOKS && [...places.values()].some(({ shrunk }) => shrunk)) {
          await wait(RESTART_MS)
          continue
        }
        for (const each of left()) this.#beginAt(each, places.get(each.number))
        return
      } catch (err) {
        log.warn({ err, topic }, 'committed offsets not read, trying again')
        await wait(RESTART_MS)
      }
    }
  }

  #beginAt(partition: Partition, place: FoundPlace | undefined): void {
    const { topic, log } = this.#options
    const consumer = this.#consumer
    if (place === undefined || consumer === undefined) return
    const { number } = partition
    const { position, lost, shrunk } = place
    if (lost > 0n) this.#lost(number, position - lost, position)
    if (shrunk) {
      const facts = { topic, partition: number, position: String(position) }
      log.error(facts, 'the topic ends before what was read of it: it is read from its beginning')
    }
    partition.begin(place)
    consumer.seek({ topic, partition: number, offset: String(position) })
    consumer.resume([{ topic, partitions: [number] }])
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const partition = this.#partitions.get(batch.partition)
    // Fetched before it was known where to begin: it is fetched again.
    if (partition?.position === undefined || this.#stopping) return
    const last = batch.messages.at(-1)
    if (last === undefined) return
    this.#commitNow = (offsets) => payload.commitOffsetsIfNecessary(offsets)
    if (!(await this.#isNext(partition, batch))) return
    // The library joins anew inside a fetch, while this waits: what we resolve then would be in the new idea of what was read.
    if (partition.isGone()) return
    partition.end = BigInt(batch.highWatermark)
    const { position } = partition
    for (const message of batch.messages) {
      if (BigInt(message.offset) >= position) partition.add(message)
    }
    partition.position = BigInt(batch.lastOffset()) + 1n
    // The library fetches from here on; what is done is what was committed.
    payload.resolveOffset(last.offset)
    await whileBeating(this.#makeRoom(partition), () => payload.heartbeat(), HEARTBEAT_MS)
  }

  /** What fills up is handled; what is more than may wait is waited for. */
  async #makeRoom(partition: Partition): Promise<void> {
    const handled = this.#close(partition)
    // A group that is repeated must be whole first.
    if (partition.isRepeating) return
    if (partition.waitingOctets >= this.#options.maxOctets) await handled
    await this.#room.enter(partition.gone.signal)
  }

  /** Does the batch continue what we have? The library goes elsewhere when an offset is out of range, and says nothing. */
  async #isNext(partition: Partition, batch: EachBatchPayload['batch']): Promise<boolean> {
    const { position, number } = partition
    const fetched = (batch as { fetchedOffset?: unknown }).fetchedOffset
    if (position === undefined || typeof fetched !== 'string') return position !== undefined
    const from = BigInt(fetched)
    if (from === position) return true
    const { kafka, topic, log } = this.#options
    const facts = { topic, partition: number, position: String(position), from: String(from) }
    if (from < position) {
      log.error(facts, 'the topic ends before what was read of it: beginning anew')
      partition.gone.abort()
      this.#begin([number])
      return false
    }
    const low = (await findEnds(kafka, topic)).get(number)?.low ?? 0n
    if (low > position) {
      this.#lost(number, position, low)
      partition.follows = false
    } else if (partition.askedAgain !== position) {
      // Once more; if there is nothing again, it is nothing that could be read.
      partition.askedAgain = position
      this.#consumer?.seek({ topic, partition: number, offset: String(position) })
      return false
    }
    partition.position = from
    return true
  }

  #lost(partition: number, from: bigint, to: bigint): void {
    const { topic, log } = this.#options
    this.#counters.lost += Number(to - from)
    log.error(
      { topic, partition, from: String(from), to: String(to), lost: String(to - from) },
      'the topic no longer has messages that were not stored: its retention is too short',
    )
  }

  /** Handles all groups that are full, or with `all` what there is. One that fails is read again. */
  #close(partition: Partition, all = false): Promise<void> {
    partition.busy++
    partition.work = partition.work.then(async () => {
      try {
        for (;;) {
          // What is not begun when we stop is left to the next member, whose groups it can have any borders in.
          if (partition.isGone() || this.#stopping) return
          const taken = partition.take(all)
          if (taken === undefined) return
          // What comes meanwhile waits as long as the others did.
          all = false
          this.#room.look()
          await this.#slots.run(() => this.#handle(partition, taken))
        }
      } catch (err) {
        this.#failed(partition, err)
      } finally {
        partition.busy--
      }
    })
    return partition.work
  }

  async #handle(partition: Partition, taken: Taken): Promise<void> {
    const { topic, handle } = this.#options
    const { number, gone } = partition
    const { first, last, repeated } = taken
    if (partition.isGone() || this.#stopping) return
    if (!repeated) await this.#commit(partition, first, last)
    if (partition.isGone()) return
    this.#counters.groups++
    if (repeated) this.#counters.repeated++
    const begun = performance.now()
    await handle({ ...taken, topic, partition: number }, gone.signal)
    partition.handled(performance.now() - begun, Date.now())
    if (partition.isGone()) return
    await this.#commit(partition, last + 1n, undefined)
  }

  async #commit(partition: Partition, position: bigint, upto: bigint | undefined): Promise<void> {
    const { topic } = this.#options
    const { number, gone } = partition
    const place = { topic, partition: number, position, upto }
    await commitPlace(place, (offsets) => this.#commitNow?.(offsets), gone.signal)
    partition.committed = position
  }

  /** Groups that have waited long enough. */
  #look(): void {
    const now = Date.now()
    for (const each of this.#partitions.values()) if (each.isDue(now)) void this.#close(each, true)
  }

  /** A partition of which nothing is fetched has a lag too. */
  async #survey(): Promise<void> {
    const { kafka, topic } = this.#options
    // Brokers that don't answer are no news here.
    const ends = await findEnds(kafka, topic).catch(() => new Map<number, { end: bigint }>())
    for (const [number, { end }] of ends) {
      const partition = this.#partitions.get(number)
      if (partition !== undefined && end > partition.end) partition.end = end
    }
  }

  /** The partition is read again from what is committed, as a successor would. */
  #failed(partition: Partition, err: unknown): void {
    if (partition.isGone()) return
    const { topic, log } = this.#options
    partition.gone.abort()
    const facts = { err, topic, partition: partition.number }
    if (isRebalance(err)) log.info(facts, 'group not handled, the members change')
    else log.error(facts, 'group not handled, it is read again')
    this.#begin([partition.number], RESTART_MS)
  }
}
