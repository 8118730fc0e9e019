/**
 * Signs of life, through the topic: collectors say which BMP sessions they have, writers that whatever was said before has arrived.
 * What the store makes of both is the view silent_sessions.
 */
import { hostname } from 'node:os'
import { encodeHeaders, KafkaPublisher } from '@ribscope/bus'
import type { connectKafka } from '@ribscope/bus'
import type { BmpServer } from '@ribscope/collector'
import { BEATS, encodeBeats, nowUs, type Beat } from '@ribscope/events'
import type { Store, StoreSession } from '@ribscope/store'
import type { Logger } from 'pino'

export interface BeatsOptions {
  readonly kafka: ReturnType<typeof connectKafka>
  readonly topic: string
  /** Silence for so long means that a session is lost; the same for collectors and writers. */
  readonly lostAfterMs: number
  readonly log: Logger
}

export interface Beats {
  stop(): Promise<void>
}

/** Signs of life in that time, so that one that is late is no loss. */
const BEATS_IN_PATIENCE = 4
/** A session that has just come has its first one soon. */
const MAX_LOOK_MS = 1_000
/** With names of 255 octets less than a message may have. */
const MAX_ROWS = 2_000
/** For what is under way at the end. */
const LAST_MS = 500

export function beatOfSessions(bmp: BmpServer, sender: string, options: BeatsOptions): Beats {
  const everyMs = options.lostAfterMs / BEATS_IN_PATIENCE
  let allAt = -Infinity
  let known = new Set<string>()
  const nameOf = (each: { router: string; bmpSession: number }): string =>
    `${each.bmpSession} ${each.router}`
  return startBeats(options, Math.min(MAX_LOOK_MS, everyMs / 4), () => {
    const sessions = bmp.sessions().filter(({ identified }) => identified)
    const now = performance.now()
    const all = now - allAt >= everyMs
    const wanted = all ? sessions : sessions.filter((each) => !known.has(nameOf(each)))
    if (all) allAt = now
    known = new Set(sessions.map(nameOf))
    const common = { ...of(options, sender), askedUs: 0, steadySinceUs: 0 }
    return Promise.resolve(
      wanted.map(({ router, bmpSession }) => ({ ...common, router, bmpSession })),
    )
  })
}

/** Of a way that brokers and store held up the answer is that nothing is known: what waited before it may come behind it. */
export function beatOfWay(store: Store, options: BeatsOptions): Beats {
  const everyMs = options.lostAfterMs / BEATS_IN_PATIENCE
  const sender = `${hostname()}:${String(process.pid)}`
  let session: Promise<StoreSession> | undefined
  let askedUs = -Infinity
  let steadySinceUs = 0
  return startBeats(options, everyMs, async () => {
    session ??= store.session('beats')
    const [row] = await (
      await session
    ).query<{ now: string }>("SELECT toUnixTimestamp64Micro(now64(6, 'UTC')) AS now")
    const now = Number(row?.now)
    // The one before is with the brokers: only then the next one is made.
    if (now - askedUs > 2 * everyMs * 1000) steadySinceUs = now
    askedUs = now
    return [{ ...of(options, sender), router: '', bmpSession: 0, askedUs, steadySinceUs }]
  })
}

const of = ({ topic, lostAfterMs }: BeatsOptions, sender: string) => ({
  ...{ topic, sender, rxUs: nowUs(), patienceUs: Math.round(lostAfterMs * 1000) },
})

/** @param rows  those of this turn; the next one comes when brokers have them */
function startBeats(options: BeatsOptions, everyMs: number, rows: () => Promise<Beat[]>): Beats {
  const { kafka, topic, log } = options
  // One of its own: what else a process publishes, and a partition that takes nothing, hold up no sign of life.
  const publisher = new KafkaPublisher({ kafka, topic, log, patient: false })
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let failing = false

  const turn = async (): Promise<void> => {
    try {
      const all = await rows()
      for (let at = 0; at < all.length; at += MAX_ROWS) {
        await publish(publisher, all.slice(at, at + MAX_ROWS))
      }
      failing = false
    } catch (err) {
      if (!failing && !stopped) {
        log.warn({ err, topic }, 'no sign of life: a collector that dies may not be found')
      }
      failing = true
    }
    if (!stopped) timer = setTimeout(() => void turn(), everyMs)
  }
  void turn()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await publisher.stop(LAST_MS)
    },
  }
}

function publish(publisher: KafkaPublisher, rows: readonly Beat[]): Promise<void> {
  const { columns, body } = encodeBeats(rows)
  // No row of a session: the time tells one message from another.
  const seq = rows[0]?.rxUs ?? 0
  const place = { router: '', bmpSession: 0, firstSeq: seq, lastSeq: seq, rows: rows.length }
  const headers = encodeHeaders({ ...place, table: BEATS, columns, format: 'native' })
  return publisher.send(BEATS, body, headers)
}
