/**
 * Recordings through the collector's, store's and analyst's own code, on one virtual clock made of the recorded arrival times.
 * Evaluates only when something can change: after events (those within two seconds together) and when a hold, settle or close timer
 * falls due. An idle tail costs nothing, nor do statistics that routers send all the time: they are stored with the next event.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Analyst, findingJson, incidentJson } from '@ribscope/analyst'
import { detectorViews, formatTime } from '@ribscope/detectors'
import type { Change, Finding } from '@ribscope/detectors'
import { BlockPool, listRecordings, NativeSink, RouterSession, timeline } from '@ribscope/events'
import type { Batch, TimelineEvent } from '@ribscope/events'
import type { FabricConfig } from '@ribscope/fabric'
import { migrate, openEmbeddedStore } from '@ribscope/store'
import type { Store, StoreSession } from '@ribscope/store'
import { insertBatches } from './pipeline.ts'
import { v4Tlvs as tableOf } from './values.ts'

export interface AnalyzeOptions {
  readonly paths: readonly string[]
  readonly config: FabricConfig
  /** Virtual seconds after the last byte. */
  readonly tailSeconds: number
  readonly signal?: AbortSignal
  /** Called now and then with the virtual time reached, microseconds. */
  readonly onProgress?: (atUs: number, endUs: number) => void
  /** Opens the temporary store; default `openEmbeddedStore`. The schema may be in it. */
  readonly openStore?: (options: { dataDir: string }) => Promise<Store>
}

export interface Analysis {
  readonly findings: readonly object[]
  readonly incidents: readonly object[]
  readonly routers: readonly object[]
}

/** Events this near to the first one of a burst are evaluated with it. */
const BURST_US = 2_000_000
/** How late a timer may be seen when another follows. */
const TIMER_SLACK_US = 100_000
/** A burst is evaluated once this many octets came, however short it was: memory stays bounded. */
const BURST_OCTETS = 8 << 20
/** What can change an answer at once. Statistics and errors alone change none: they are stored before the next evaluation. */
const MOVING: ReadonlySet<string> = new Set(['route_log', 'session_log'])

interface Track {
  readonly session: RouterSession
  readonly sink: NativeSink
}

/** @throws RecordingError when a path is no recording */
export async function analyze(options: AnalyzeOptions): Promise<Analysis> {
  const changes = new Map<string, Change[]>()
  const onChange = (finding: Finding, change: Change): void => {
    const list = changes.get(finding.id)
    if (list === undefined) changes.set(finding.id, [change])
    else list.push(change)
  }
  return withRecordings({ ...options, onChange }, async ({ analyst, db }) => ({
    findings: analyst
      .findings()
      .sort((a, b) => a.first_seen - b.first_seen || compare(a.kind, b.kind) || compare(a.id, b.id))
      .map((finding) => ({
        ...findingJson(finding),
        changes: (changes.get(finding.id) ?? []).map((each) => ({
          ...each,
          at: formatTime(each.at),
        })),
      })),
    incidents: analyst
      .incidents()
      .map(incidentJson)
      .sort((a, b) => compare(a.first_seen, b.first_seen) || compare(a.id, b.id)),
    routers: await routers(db),
  }))
}

/** What recordings became: a store with all that was said and found, gone when the work with it is done. */
export interface Played {
  readonly analyst: Analyst
  readonly db: StoreSession
}

/**
 * Plays recordings through collector, store and analyst, then does `work`.
 *
 * @throws RecordingError when a path is no recording
 */
export async function withRecordings<T>(
  options: AnalyzeOptions & { readonly onChange?: (finding: Finding, change: Change) => void },
  work: (played: Played) => Promise<T>,
): Promise<T> {
  const recordings = await listRecordings(options.paths)
  const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-analyze-'))
  let store: Store | undefined
  try {
    store = await (options.openStore ?? openEmbeddedStore)({ dataDir })
    const db = await store.session('reader', {
      date_time_output_format: 'iso',
      // As for the API (services/api/src/api.ts).
      query_plan_optimize_lazy_materialization: 0,
    })
    await migrate(db, detectorViews())
    const analyst = await Analyst.create({
      store,
      config: options.config,
      ...(options.onChange ? { onChange: options.onChange } : {}),
    })
    await play(recordings, store, analyst, options)
    const result = await work({ analyst, db })
    await analyst.close()
    await db.close()
    return result
  } finally {
    await store?.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function play(
  recordings: Awaited<ReturnType<typeof listRecordings>>,
  store: Store,
  analyst: Analyst,
  options: AnalyzeOptions,
): Promise<void> {
  const pool = new BlockPool()
  const v4Tlvs = await tableOf({}, options.config.bmp.v4_tlvs)
  const tracks = new Map<number, Track>()
  let batches: Batch[] = []
  let clock = 0
  const endUs = recordings.reduce((last, each) => Math.max(last, each.endUs), 0)

  const events = timeline(recordings)
  let next: IteratorResult<TimelineEvent> = await events.next()

  /** The next timer of a session: the end of a dump, of graceful restart. */
  function sessionDue(): number | undefined {
    let first: number | undefined
    for (const { session } of tracks.values()) {
      const own = session.nextDueUs()
      if (own !== undefined && (first === undefined || own < first)) first = own
    }
    return first
  }

  function apply(event: TimelineEvent): number {
    if (event.kind === 'open') {
      const sink = new NativeSink({ pool, onBatch: (batch) => batches.push(batch) })
      tracks.set(event.track, {
        sink,
        session: new RouterSession({
          collector: 'offline',
          source: recordings[event.track]?.source ?? '',
          openedUs: event.bmpSession,
          out: sink,
          v4Tlvs,
        }),
      })
      return 0
    }
    const track = tracks.get(event.track)
    if (track === undefined) return 0
    if (event.kind === 'end') {
      track.session.end(event.how, event.us)
      return 0
    }
    track.session.push(event.chunk, event.us)
    return event.chunk.length
  }

  async function storeAll(): Promise<void> {
    const ready = batches
    batches = []
    await insertBatches(store, ready)
    for (const batch of ready) batch.release()
  }

  /** Up to `at`: timers of sessions have their rows, rows are stored, views evaluated. */
  async function evaluate(at: number): Promise<void> {
    for (const { session, sink } of tracks.values()) {
      session.tick(at)
      batches.push(...sink.flush())
    }
    clock = at
    const timer = analyst.nextDueUs()
    if ((timer !== undefined && timer <= at) || batches.some(({ table }) => MOVING.has(table))) {
      await storeAll()
      await analyst.round(at)
    } else if (batches.reduce((sum, { body }) => sum + body.length, 0) >= BURST_OCTETS) {
      await storeAll()
    }
    options.onProgress?.(at, endUs)
  }

  const stop = endUs + options.tailSeconds * 1e6
  while (options.signal?.aborted !== true) {
    const timer = analyst.nextDueUs()
    const happens = earliest(next.done === true ? undefined : next.value.us, sessionDue())
    if (timer !== undefined && (happens === undefined || timer < happens)) {
      if (timer > stop) break
      // Timers that are almost one are one round.
      await evaluate(Math.max(Math.min(timer + TIMER_SLACK_US, happens ?? Infinity), clock))
      continue
    }
    if (happens === undefined || happens > stop) break
    // A burst: what happens within BURST_US, up to the next timer of the analyst.
    const limit = Math.min(happens + BURST_US, timer ?? Infinity)
    let last = happens
    let octets = 0
    while (next.done !== true && next.value.us <= limit && octets < BURST_OCTETS) {
      last = next.value.us
      octets += apply(next.value)
      next = await events.next()
    }
    for (;;) {
      const due = sessionDue()
      if (due === undefined || due > limit || (next.done !== true && due > next.value.us)) break
      for (const { session } of tracks.values()) session.tick(due)
      last = Math.max(last, due)
    }
    await evaluate(Math.max(last, clock))
  }
  await storeAll()
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b)
}

async function routers(db: { query<Row>(sql: string): Promise<Row[]> }): Promise<object[]> {
  const rows = await db.query<{ router: string; sessions: string; peers: string }>(`
    SELECT s.router AS router, toString(s.sessions) AS sessions, toString(p.peers) AS peers
    FROM ribscope.router_state AS s
    LEFT JOIN (SELECT router, count() AS peers FROM ribscope.peer_state WHERE peer_type != 3 GROUP BY router) AS p ON p.router = s.router
    ORDER BY router`)
  const views = await db.query<{
    router: string
    rib: string
    afi: number
    safi: number
    trust: string
  }>(`
    SELECT router, rib, afi, safi, if(withdraw_only, 'untrusted', 'trusted') AS trust
    FROM ribscope.view_health ORDER BY router, rib, afi, safi`)
  return rows.map((row) => ({
    router: row.router,
    sessions: Number(row.sessions),
    peers: Number(row.peers),
    views: views
      .filter((view) => view.router === row.router)
      .map(({ rib, afi, safi, trust }) => ({ rib, afi, safi, trust })),
  }))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
