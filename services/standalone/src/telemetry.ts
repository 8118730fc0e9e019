/** What the process counts, for /metrics. */
import type { BmpServer } from '@ribscope/collector'
import type { Change, Finding } from '@ribscope/detectors'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EmbeddedWriter } from './writer.ts'

export interface Telemetry {
  readonly registry: Registry
  inserted(rows: number, octets: number, seconds: number): void
  round(seconds: number): void
  finding(finding: Finding, change: Change): void
  /** Gauges that are read when somebody asks. */
  watch(bmp: BmpServer, writer: EmbeddedWriter): void
}

export function createTelemetry(): Telemetry {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const rows = new Counter({
    name: 'ribscope_rows_stored_total',
    help: 'Rows stored, all tables',
    registers,
  })
  const octets = new Counter({
    name: 'ribscope_stored_bytes_total',
    help: 'Native blocks given to the store',
    registers,
  })
  const inserts = new Histogram({
    name: 'ribscope_insert_seconds',
    help: 'Time of an insert',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  })
  const rounds = new Histogram({
    name: 'ribscope_analyst_round_seconds',
    help: 'Time of a round of the analyst',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  })
  const changes = new Counter({
    name: 'ribscope_finding_changes_total',
    help: 'Changes of findings',
    labelNames: ['kind', 'status'],
    registers,
  })
  return {
    registry,
    inserted(count, size, seconds) {
      rows.inc(count)
      octets.inc(size)
      inserts.observe(seconds)
    },
    round(seconds) {
      rounds.observe(seconds)
    },
    finding(finding, change) {
      changes.inc({ kind: finding.kind, status: change.status })
    },
    watch(bmp, writer) {
      new Gauge({
        name: 'ribscope_collector_sessions',
        help: 'BMP sessions that are up',
        registers,
        collect() {
          this.set(bmp.sessions().filter((each) => each.identified).length)
        },
      })
      new Gauge({
        name: 'ribscope_collector_paused_sessions',
        help: 'BMP sessions that are not read because the store is behind',
        registers,
        collect() {
          this.set(bmp.sessions().filter((each) => each.paused).length)
        },
      })
      new Gauge({
        name: 'ribscope_collector_refused_connections',
        help: 'Connections turned away since the start',
        labelNames: ['reason'],
        registers,
        collect() {
          for (const [reason, count] of Object.entries(bmp.refused())) this.set({ reason }, count)
        },
      })
      new Gauge({
        name: 'ribscope_writer_waiting_bytes',
        help: 'Blocks that wait for an insert',
        registers,
        collect() {
          this.set(writer.waitingOctets)
        },
      })
    },
  }
}
