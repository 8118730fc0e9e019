/** What the parts count, for /metrics. Each part has its own: a process shows those of the parts it runs. */
import type { PartitionStatus } from '@ribscope/bus'
import type { BmpServer, RawSource } from '@ribscope/collector'
import type { Change, Finding } from '@ribscope/detectors'
import type { KafkaWriter } from '@ribscope/writer'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 30]

export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

/** What waits before the next part, and since when that part takes nothing. */
export interface Outlet {
  /** Octets. */
  readonly waitingOctets: number
  /** Milliseconds since 1970; undefined when it takes what it gets. */
  readonly failingSinceMs?: number | undefined
  /** Milliseconds that this clock is ahead of others'; undefined when nobody tells. */
  readonly clockSkewMs?: number | undefined
}

/** @param outlet  where the collector's rows go: the bus, or the embedded writer */
export function watchCollector(registry: Registry, bmp: BmpServer, outlet: Outlet): void {
  const gauge = gaugesOf(registry)
  watchOutlet(registry, outlet, () => bmp.sessions().filter((each) => each.identified).length)
  gauge(
    'ribscope_collector_paused_sessions',
    'BMP sessions that are not read now: the next part is behind, or others have their turn',
    () => bmp.sessions().filter((each) => each.paused).length,
  )
  gauge(
    'ribscope_collector_unaccepted_rows',
    'Rows received that the next part has not confirmed',
    () => bmp.unaccepted().rows,
  )
  gauge(
    'ribscope_collector_unreached_routers',
    'Routers in passive mode that are not connected',
    () => bmp.dials().filter((each) => !each.connected).length,
  )
  if ('clockSkewMs' in outlet) {
    new Gauge({
      name: 'ribscope_collector_clock_skew_seconds',
      help: 'How far this clock is ahead of the brokers, where they tell',
      registers: [registry],
      collect() {
        if (outlet.clockSkewMs !== undefined) this.set(outlet.clockSkewMs / 1000)
      },
    })
  }
  new Gauge({
    name: 'ribscope_collector_refused_connections',
    help: 'Connections turned away since the start',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      for (const [reason, count] of Object.entries(bmp.refused())) this.set({ reason }, count)
    },
  })
}

/** A collector that reads topics: what is read, and what of it is no BMP. */
export function watchRawSource(
  registry: Registry,
  source: RawSource,
  consumers: readonly { readonly topic: string; readonly partitions: readonly PartitionStatus[] }[],
  outlet: Outlet,
): void {
  watchOutlet(registry, outlet, () => source.sessions().length)
  new Gauge({
    name: 'ribscope_collector_refused_messages',
    help: 'Messages of raw topics that no session took, since the start',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      for (const [reason, count] of Object.entries(source.refused())) this.set({ reason }, count)
    },
  })
  new Gauge({
    name: 'ribscope_collector_lag_messages',
    help: 'Messages of a partition of a raw topic whose rows are not confirmed yet',
    labelNames: ['topic', 'partition'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { topic, partitions } of consumers) {
        for (const { partition, lag } of partitions) this.set({ topic, partition }, Number(lag))
      }
    },
  })
}

/** What every collector tells, wherever its BMP comes from. */
function watchOutlet(registry: Registry, outlet: Outlet, sessions: () => number): void {
  const gauge = gaugesOf(registry)
  gauge('ribscope_collector_sessions', 'BMP sessions that are up', sessions)
  gauge(
    'ribscope_collector_waiting_bytes',
    'Blocks that the next part has not confirmed',
    () => outlet.waitingOctets,
  )
  gauge(
    'ribscope_collector_outlet_failing_seconds',
    'For how long the next part takes nothing',
    () => failingSeconds(outlet),
  )
}

/** Counts what goes to the bus. */
export function countPublished(registry: Registry): (rows: number, octets: number) => void {
  const registers = [registry]
  const rows = new Counter({
    name: 'ribscope_rows_published_total',
    help: 'Rows that the bus has confirmed, all tables',
    registers,
  })
  const octets = new Counter({
    name: 'ribscope_published_bytes_total',
    help: 'Blocks that the bus has confirmed',
    registers,
  })
  return (count, size) => {
    rows.inc(count)
    octets.inc(size)
  }
}

/** Counts inserts. */
export function countStored(
  registry: Registry,
): (rows: number, octets: number, seconds: number) => void {
  const registers = [registry]
  const rows = new Counter({
    name: 'ribscope_rows_stored_total',
    help: 'Rows stored, all tables',
    registers,
  })
  const octets = new Counter({
    name: 'ribscope_stored_bytes_total',
    help: 'Blocks given to the store',
    registers,
  })
  const inserts = new Histogram({
    name: 'ribscope_insert_seconds',
    help: 'Time of an insert',
    buckets: SECONDS,
    registers,
  })
  return (count, size, seconds) => {
    rows.inc(count)
    octets.inc(size)
    inserts.observe(seconds)
  }
}

/** Any writer: the embedded one tells no more. */
export function watchWaiting(registry: Registry, writer: Outlet): void {
  gaugesOf(registry)(
    'ribscope_writer_waiting_bytes',
    'Blocks that wait for an insert',
    () => writer.waitingOctets,
  )
}

export function watchWriter(registry: Registry, writer: KafkaWriter): void {
  watchWaiting(registry, writer)
  const gauge = gaugesOf(registry)
  gauge('ribscope_writer_partitions', 'Partitions that this writer has', () => {
    return writer.partitions.length
  })
  const counter = countersOf(registry)
  counter(
    'ribscope_writer_superseded_rows_total',
    'Rows that change no state: a newer BMP session of their router was there for a minute',
    () => writer.supersededRows,
  )
  counter(
    'ribscope_writer_dead_letters_total',
    'Messages sent to the dead-letter topic since the start',
    () => writer.deadLetters,
  )
  counter('ribscope_writer_groups_total', 'Groups of messages stored', () => {
    return writer.counters.groups
  })
  counter(
    'ribscope_writer_repeated_groups_total',
    'Groups that somebody had begun before, and that were stored again under the same tokens',
    () => writer.counters.repeated,
  )
  counter(
    'ribscope_writer_lost_messages_total',
    'Messages that the topic dropped before they were stored: its retention is too short',
    () => writer.counters.lost,
  )
  gauge('ribscope_writer_store_failing_seconds', 'For how long the store takes nothing', () =>
    failingSeconds(writer),
  )
  new Gauge({
    name: 'ribscope_writer_lag_messages',
    help: 'Messages of a partition that are not stored yet',
    labelNames: ['partition'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { partition, lag } of writer.partitions) this.set({ partition }, Number(lag))
    },
  })
}

export interface AnalystTelemetry {
  round(seconds: number): void
  finding(finding: Finding, change: Change): void
}

export function countAnalyst(registry: Registry): AnalystTelemetry {
  const registers = [registry]
  const rounds = new Histogram({
    name: 'ribscope_analyst_round_seconds',
    help: 'Time of a round of the analyst',
    buckets: SECONDS,
    registers,
  })
  const changes = new Counter({
    name: 'ribscope_finding_changes_total',
    help: 'Changes of findings',
    labelNames: ['kind', 'status'],
    registers,
  })
  return {
    round(seconds) {
      rounds.observe(seconds)
    },
    finding(finding, change) {
      changes.inc({ kind: finding.kind, status: change.status })
    },
  }
}

/** Of several analysts one works. */
export function watchLease(registry: Registry, lease: () => boolean): void {
  gaugesOf(registry)('ribscope_analyst_active', 'Whether this analyst holds the lease', () =>
    lease() ? 1 : 0,
  )
}

function failingSeconds({ failingSinceMs }: { readonly failingSinceMs?: number | undefined }) {
  return failingSinceMs === undefined ? 0 : (Date.now() - failingSinceMs) / 1000
}

/** Gauges that are read when somebody asks. */
function gaugesOf(registry: Registry): (name: string, help: string, value: () => number) => void {
  return (name, help, value) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  }
}

/** Counters that are kept elsewhere. */
function countersOf(registry: Registry): (name: string, help: string, value: () => number) => void {
  return (name, help, value) => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }
}
