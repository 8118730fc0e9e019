/**
 * BMP out of Kafka in place of sockets: messages of topics as OpenBMP, gobmp, RouteViews and `collector --raw-topic` publish them.
 *
 * Each stream (collector and router as the header names them) is a BMP session, begun by an Initiation or, where that is not in the
 * topic any more, midway. A group of messages is done when the rows made of it are confirmed; only then are its offsets committed.
 * Sessions are not kept over a restart: messages that were not committed come again, in a new session that begins midway.
 */
import type { Group, Message } from '@ribscope/bus'
import { BlockPool, cleanName, nowUs, parseIp } from '@ribscope/events'
import type { SessionLimits, SessionOptions } from '@ribscope/events'
import { DecodeError, OBMP_BMP_RAW, decodeObmp, isWholeBmp } from '@ribscope/wire'
import type { ObmpFrame } from '@ribscope/wire'
import type { Logger } from 'pino'
import { DEFAULTS } from './config.ts'
import type { BatchConsumer } from './connection.ts'
import { RawNames } from './raw-names.ts'
import { RawSession } from './raw-session.ts'
import { rawStatusOf, type RawSessionStatus } from './status.ts'

export interface RawSourceConfig {
  /** name of this collector in rows */
  readonly collector: string
  /** Streams at a time; beyond it the one that was silent longest is forgotten. Default 4,096 */
  readonly maxSessions?: number
  /** how long a router may say nothing; 0 (default) for ever */
  readonly silenceTimeoutMs?: number
  /** Addresses of routers by name (fabric.yaml): what a router is called that has not said it since we began. */
  readonly routerAddresses?: ReadonlyMap<string, string>
  /** octets of rows that may wait for the consumer before no more messages are read. Default 128 MiB */
  readonly maxTotalOctets?: number
  readonly maxBlockRows?: number
  readonly maxBlockOctets?: number
  readonly limits?: SessionLimits
  readonly v4Tlvs?: SessionOptions['v4Tlvs']
}

export interface RawSourceDeps {
  readonly log: Logger
  /** Called for each session. One consumer may serve them all. */
  readonly openSink: (session: {
    readonly source: string
    readonly bmpSession: number
  }) => BatchConsumer
  /** microseconds since the epoch, for tests. Default: the clock */
  readonly now?: () => number
}

/** A partition for as long as it is ours. */
interface Partition {
  /** Nothing was missed since the offset that was committed. */
  follows: boolean
  /** Whose messages came out of it. */
  readonly sessions: Set<RawSession>
}

/** What happens to the messages of a group. */
interface Work {
  readonly group: Group
  readonly partition: Partition
  /** Sessions that may have rows of it. */
  readonly touched: Set<RawSession>
  /** Octets of rows that are not encoded yet. */
  held: number
}

type Settled = Required<
  Pick<
    RawSourceConfig,
    'maxSessions' | 'silenceTimeoutMs' | 'maxTotalOctets' | 'maxBlockRows' | 'maxBlockOctets'
  >
>

const INITIATION = 4
const TERMINATION = 5
const YEAR_2000_US = 946_684_800_000_000
/** A clock may be ahead of ours by so much. */
const AHEAD_US = 60_000_000
/** Of what a header names a stream by. */
const MAX_KEY = 128
const LOG_INTERVAL_MS = 1_000
/** Rows not encoded yet, of all sessions of a group. */
const MAX_HELD_OCTETS = 64 << 20

export class RawSource {
  readonly name = 'raw source'
  readonly #config: RawSourceConfig & Settled
  readonly #deps: RawSourceDeps
  readonly #now: () => number
  readonly #pool = new BlockPool()
  /** the one that was silent longest first */
  readonly #sessions = new Map<string, RawSession>()
  readonly #partitions = new Map<AbortSignal, Partition>()
  readonly #names: RawNames
  readonly #refusals: Record<string, number> = {}
  readonly #lastLogged = new Map<string, { ms: number; unsaid: number }>()
  #lastSession = 0
  #waiting = 0
  #drained: (() => void)[] = []

  constructor(config: RawSourceConfig, deps: RawSourceDeps) {
    this.#config = { ...DEFAULTS, ...config }
    this.#deps = deps
    this.#names = new RawNames(deps.log, this.#config.maxSessions, config.routerAddresses)
    this.#now = deps.now ?? nowUs
  }

  sessions(): RawSessionStatus[] {
    return [...this.#sessions.values()].map(({ session, source, openedUs, waiting }) =>
      rawStatusOf({ session, source, bmpSession: openedUs, waiting, paused: false }),
    )
  }

  /** Messages that no session took, by reason. */
  refused(): Readonly<Record<string, number>> {
    return { ...this.#refusals }
  }

  /**
   * @param cancelled aborts when the partition is no longer ours
   * @returns resolves when all rows of the group are confirmed
   * @throws what the consumer refuses with
   */
  async handle(group: Group, cancelled: AbortSignal): Promise<void> {
    const partition = this.#partition(group, cancelled)
    const touched = new Set<RawSession>()
    const work: Work = { group, partition, touched, held: 0 }
    for (const message of group.messages) {
      if (cancelled.aborted) return
      this.#message(work, message)
      if (work.held > MAX_HELD_OCTETS) {
        for (const each of touched) each.flush()
        work.held = 0
      }
      if (this.#waiting >= this.#config.maxTotalOctets) await this.#room()
    }
    for (const each of touched) each.flush()
    await Promise.all([...touched].map((each) => each.confirmed()))
  }

  /**
   * Time goes on for routers that say nothing.
   *
   * @param quietMs until when it is known that the topics have nothing that was not handled
   */
  async turn(quietMs: number): Promise<void> {
    const silence = this.#config.silenceTimeoutMs
    for (const each of [...this.#sessions.values()]) {
      // While another one's rows were waited for it may have been dropped.
      if (this.#sessions.get(each.key) !== each) continue
      each.tick(quietMs)
      if (silence > 0 && quietMs - each.heardMs > silence) this.#end(each, 'silence', quietMs)
      each.flush()
      await each.confirmed()
    }
  }

  /** Forgets all sessions: whoever has the partitions next goes on with their routers. */
  async stop(): Promise<void> {
    const all = [...this.#sessions.values()]
    for (const each of all) this.#end(each, 'stop', each.heardMs)
    for (const each of all) each.flush()
    await Promise.allSettled(all.map((each) => each.confirmed()))
  }

  #partition(group: Group, cancelled: AbortSignal): Partition {
    const known = this.#partitions.get(cancelled)
    if (known !== undefined) {
      if (group.follows) return known
      known.follows = false
      for (const each of [...known.sessions]) this.#drop(each)
      return known
    }
    const partition = { follows: group.follows, sessions: new Set<RawSession>() }
    this.#partitions.set(cancelled, partition)
    cancelled.addEventListener('abort', () => {
      this.#partitions.delete(cancelled)
      // What they have not got confirmed is read again.
      for (const each of [...partition.sessions]) this.#drop(each)
    })
    return partition
  }

  #message(work: Work, { value, headers, offset, timestampMs }: Message): void {
    const { group } = work
    let frame: ObmpFrame
    try {
      frame = decodeObmp(value)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#refuse('no OpenBMP message', group, offset, error.message)
      return
    }
    const { messageAt, messageEnd, objectType } = frame
    if (objectType !== OBMP_BMP_RAW) {
      this.#refuse('no raw BMP', group, offset, `object type ${objectType}`)
      return
    }
    if (!isWholeBmp(value, messageAt, messageEnd)) {
      this.#refuse('no whole BMP message', group, offset, `router ${frame.routerIp}`)
      return
    }
    const rxUs = this.#receiveTime(frame.timeUs, timestampMs)
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
    const called = headers['router']
    const name = called instanceof Uint8Array ? cleanName(called.toString()) : ''
    for (let at = messageAt; at < messageEnd;) {
      const end = at + view.getUint32(at + 1)
      const type = view.getUint8(at + 5)
      const session = this.#sessionOf(work, frame, name, type)
      work.touched.add(session)
      work.partition.sessions.add(session)
      work.held += session.receive(value.subarray(at, end), rxUs, Date.now())
      if (session.session.broken !== undefined) this.#end(session, 'framing', session.heardMs)
      else if (type === TERMINATION) this.#end(session, 'fin', session.heardMs)
      at = end
    }
  }

  /** The stream's session; another one where the router begins anew. */
  #sessionOf(work: Work, frame: ObmpFrame, name: string, type: number): RawSession {
    const { topic } = work.group
    const source = parseIp(frame.routerIp) === undefined ? '0.0.0.0' : frame.routerIp
    const key = [topic, frame.collectorHash, frame.routerHash, source]
      .map((part) => part.slice(0, MAX_KEY))
      .join(' ')
    const known = this.#sessions.get(key)
    if (known !== undefined) {
      // Last in the row of those to be forgotten.
      this.#sessions.delete(key)
      if (type !== INITIATION || !known.begun) {
        this.#sessions.set(key, known)
        return known
      }
      work.touched.add(known)
      this.#end(known, 'fin', known.heardMs)
    }
    if (this.#sessions.size >= this.#config.maxSessions) this.#forget(work)
    const openedUs = Math.max(Math.floor(this.#now()), this.#lastSession + 1)
    this.#lastSession = openedUs
    const midway = type === INITIATION ? undefined : work.partition.follows ? 'current' : 'stale'
    const { collector, limits = {}, v4Tlvs, maxBlockRows, maxBlockOctets } = this.#config
    const session = new RawSession({
      key,
      source,
      collector,
      openedUs,
      midway,
      consumer: this.#deps.openSink({ source, bmpSession: openedUs }),
      pool: this.#pool,
      limits,
      v4Tlvs,
      maxBlockRows,
      maxBlockOctets,
      nameRouter: (self, own) =>
        this.#names.claim(self, { given: name, own, hash: frame.routerHash }),
      onWaiting: (octets) => {
        this.#onWaiting(octets)
      },
    })
    this.#sessions.set(key, session)
    return session
  }

  /** The stream that was silent longest: should it go on, a session begins midway. */
  #forget({ touched }: Work): void {
    const [oldest] = this.#sessions.values()
    if (oldest === undefined) return
    this.#count('more routers than sessions', { router: oldest.session.router })
    this.#end(oldest, 'stop', oldest.heardMs)
    touched.add(oldest)
  }

  #end(session: RawSession, how: 'fin' | 'framing' | 'silence' | 'stop', nowMs: number): void {
    if (session.ended) return
    session.end(how, nowMs)
    this.#drop(session)
    const { router, counters, rows } = session.session
    const { messages, errors } = counters
    this.#deps.log.info({ router, reason: how, messages, rows, errors }, 'bmp session ended')
  }

  #drop(session: RawSession): void {
    if (this.#sessions.get(session.key) === session) this.#sessions.delete(session.key)
    for (const { sessions } of this.#partitions.values()) sessions.delete(session)
    this.#names.release(session)
  }

  /** What the header says, else when Kafka got it; never in the future, which would hold the session's clock. */
  #receiveTime(headerUs: number, timestampMs: number): number {
    const now = Math.floor(this.#now())
    const us = headerUs > 0 ? headerUs : timestampMs * 1000
    return us > now + AHEAD_US || us < YEAR_2000_US ? now : us
  }

  #refuse(reason: string, { topic, partition }: Group, offset: bigint, detail: string): void {
    this.#count(reason, { topic, partition, offset: String(offset), detail })
  }

  /** One line of log a reason and second, however many messages come. */
  #count(reason: string, facts: object): void {
    this.#refusals[reason] = (this.#refusals[reason] ?? 0) + 1
    const ms = Date.now()
    const last = this.#lastLogged.get(reason)
    if (last !== undefined && ms - last.ms < LOG_INTERVAL_MS) {
      last.unsaid++
      return
    }
    this.#deps.log.warn({ ...facts, reason, more: last?.unsaid ?? 0 }, 'message not taken')
    this.#lastLogged.set(reason, { ms, unsaid: 0 })
  }

  #onWaiting(octets: number): void {
    this.#waiting += octets
    if (octets > 0 || this.#waiting * 2 > this.#config.maxTotalOctets) return
    const drained = this.#drained
    this.#drained = []
    for (const each of drained) each()
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained.push(resolve)
    })
  }
}
