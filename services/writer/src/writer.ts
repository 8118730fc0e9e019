/** From Kafka into ClickHouse: groups of messages become few large inserts, each stored once whatever dies. */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { BadMessage, BusError, decodeHeaders, GroupConsumer, KafkaPublisher } from '@ribscope/bus'
import type {
  BatchHeaders,
  connectKafka,
  Group,
  GroupCounters,
  Message,
  PartitionStatus,
} from '@ribscope/bus'
import { faultOf, insertGroups } from '@ribscope/store'
import type { Store } from '@ribscope/store'
import type { Logger } from 'pino'
import { NewestSessions } from './newest-sessions.ts'

export interface WriterOptions {
  readonly kafka: ReturnType<typeof connectKafka>
  readonly topic: string
  readonly groupId: string
  /** Where messages go that nobody can store, with the reason in their headers. */
  readonly deadLetterTopic: string
  readonly store: Store
  readonly log: Logger
  /** Of a group; larger inserts cost ClickHouse less, and memory more. Defaults 64 MiB, 4,000, 500 ms. */
  readonly maxOctets?: number
  readonly maxMessages?: number
  readonly maxWaitMs?: number
  /** Partitions that are worked on at a time. Default 4. */
  readonly concurrency?: number
  readonly sessionTimeoutMs?: number
  readonly onInserted?: (table: string, rows: number, octets: number, seconds: number) => void
}

interface Storable extends BatchHeaders {
  readonly message: Message
}

/** What goes into one insert. */
type Part = [Storable, ...Storable[]]

const RETRY_MS = 250
const MAX_RETRY_MS = 10_000

export class KafkaWriter {
  readonly name = 'writer'
  readonly #options: WriterOptions
  readonly #consumer: GroupConsumer
  readonly #deadLetters: KafkaPublisher
  readonly #sessions: NewestSessions
  #deadLetterCount = 0
  /** Since when inserts fail; undefined when they don't. */
  #failingSinceMs: number | undefined

  constructor(options: WriterOptions) {
    this.#options = options
    const { kafka, log, maxOctets = 64 << 20 } = options
    this.#sessions = new NewestSessions(log)
    // A topic that is not there must not stop all others for a message that nobody can store.
    const topic = options.deadLetterTopic
    this.#deadLetters = new KafkaPublisher({ kafka, topic, log, patient: false })
    this.#consumer = new GroupConsumer({
      kafka,
      log,
      topic: options.topic,
      groupId: options.groupId,
      maxOctets,
      // Four groups that are inserted and two that wait.
      maxWaitingOctets: 2 * maxOctets,
      maxMessages: options.maxMessages ?? 4_000,
      maxWaitMs: options.maxWaitMs ?? 500,
      concurrency: options.concurrency ?? 4,
      ...(options.sessionTimeoutMs === undefined
        ? {}
        : { sessionTimeoutMs: options.sessionTimeoutMs }),
      handle: (group, cancelled) => this.#store(group, cancelled),
    })
  }

  get partitions(): PartitionStatus[] {
    return this.#consumer.partitions
  }

  /** Messages that nobody can store, since the start. */
  get deadLetters(): number {
    return this.#deadLetterCount
  }

  /** Rows that change no state, because a newer BMP session of their router was there for a minute. */
  get supersededRows(): number {
    return this.#sessions.supersededRows
  }

  /** Groups, those that somebody had begun before, messages that the topic dropped before they were stored. */
  get counters(): GroupCounters {
    return this.#consumer.counters
  }

  /** Octets that wait for an insert. */
  get waitingOctets(): number {
    return this.#consumer.waitingOctets
  }

  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs
  }

  async start(): Promise<void> {
    await this.#consumer.start()
  }

  /** Ends the group that is under way; what it leaves the next writer repeats. */
  async stop(): Promise<void> {
    await this.#consumer.stop()
    await this.#deadLetters.stop(10_000)
  }

  async #store(group: Group, cancelled: AbortSignal): Promise<void> {
    const storable: Storable[] = []
    for (const message of group.messages) {
      try {
        const headers = decodeHeaders(message.headers)
        if (headers.format !== 'native') {
          throw new BadMessage(`format ${headers.format}: only native blocks can be stored`)
        }
        this.#sessions.saw(headers.router, headers.bmpSession, headers.rows, Date.now())
        storable.push({ ...headers, message })
      } catch (error) {
        if (!(error instanceof BadMessage)) throw error
        await this.#bury(group, message, error.message)
      }
    }
    for (const part of insertGroups(storable)) await this.#insertPart(group, part, cancelled)
  }

  async #insertPart(group: Group, part: Part, cancelled: AbortSignal): Promise<void> {
    const refused = await this.#insert(part, tokenOf(group, part[0]), cancelled)
    if (refused === undefined) return
    // One of them is bad. Each has a token of its own then, the same whoever repeats this.
    for (const each of part) {
      const why =
        part.length === 1
          ? refused
          : await this.#insert([each], tokenOf(group, each, each.message), cancelled)
      if (why !== undefined) await this.#bury(group, each.message, why)
    }
  }

  /** @returns why the store will never take them; undefined when they are stored */
  async #insert(part: Part, token: string, cancelled: AbortSignal): Promise<string | undefined> {
    const { store, log, onInserted } = this.#options
    const [{ table, columns }] = part
    const bodies = part.map(({ message }) => message.value)
    const octets = bodies.reduce((sum, { length }) => sum + length, 0)
    const rows = part.reduce((sum, each) => sum + each.rows, 0)
    let pauseMs = RETRY_MS
    for (;;) {
      const started = performance.now()
      try {
        await unlessCancelled(store.insert({ table, columns, bodies, token }), cancelled)
        this.#failingSinceMs = undefined
        onInserted?.(table, rows, octets, (performance.now() - started) / 1000)
        return undefined
      } catch (err) {
        if (cancelled.aborted) throw err
        if (faultOf(err) === 'data') return (err as Error).message
        this.#failingSinceMs ??= Date.now()
        log.error({ err, table, rows }, 'insert failed, trying again')
        // Throws when the partition went to somebody else.
        await delay(pauseMs, undefined, { signal: cancelled })
        pauseMs = Math.min(MAX_RETRY_MS, pauseMs * 2)
      }
    }
  }

  /** A message that can't be stored does not stop its partition. */
  async #bury(group: Group, message: Message, reason: string): Promise<void> {
    this.#deadLetterCount++
    const place = {
      topic: group.topic,
      partition: group.partition,
      offset: String(message.offset),
    }
    this.#options.log.error({ ...place, reason }, 'message not stored, sent to the dead letters')
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(message.headers)) {
      const first = Array.isArray(value) ? value[0] : value
      if (first !== undefined) headers[name] = Buffer.from(first).toString('utf8')
    }
    try {
      await this.#deadLetters.send(message.key, message.value, {
        ...headers,
        dead_reason: reason.slice(0, 1000),
        dead_topic: place.topic,
        dead_partition: String(place.partition),
        dead_offset: place.offset,
      })
    } catch (err) {
      if (!(err instanceof BusError)) throw err
      this.#options.log.error(
        { err, ...place },
        'no dead letter: only its own topic has the message',
      )
    }
  }
}

/** A store that does not answer keeps nobody from leaving: whoever repeats the insert has the same token for it. */
function unlessCancelled(work: Promise<void>, cancelled: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    const leave = (): void => {
      failed(new Error('the partition is no longer ours'))
    }
    if (cancelled.aborted) leave()
    cancelled.addEventListener('abort', leave, { once: true })
    const stay = (): void => {
      cancelled.removeEventListener('abort', leave)
    }
    work.then(done, failed).finally(stay)
  })
}

/**
 * The same messages of the same place have the same token: what is repeated is stored once. The time tells a topic that was made anew,
 * whose offsets begin again.
 *
 * @param alone  one message of the group, inserted for itself
 */
function tokenOf(group: Group, { table, columns }: BatchHeaders, alone?: Message): string {
  const { topic, partition, first, last, messages } = group
  const time = messages.at(-1)?.timestampMs ?? 0
  const kind = createHash('sha256').update(`${topic} ${table} ${columns.join()} ${time}`)
  const place = [kind.digest('hex').slice(0, 24), partition, first, last]
  return [...place, ...(alone === undefined ? [] : [alone.offset])].join('-')
}
