/** The analyst as a process of its own: findings and housekeeping over a ClickHouse server. */
import { Analyst } from '@ribscope/analyst'
import { nowUs } from '@ribscope/events'
import type { FabricConfig } from '@ribscope/fabric'
import type { Retention, ServerOptions } from '@ribscope/store'
import type { Logger } from 'pino'
import type { HostPort } from '../values.ts'
import { startKeeper } from '../keeper.ts'
import { startRounds } from '../rounds.ts'
import { Stops } from '../start.ts'
import { countAnalyst, createRegistry } from '../telemetry.ts'
import { startHealth, type Health } from './health.ts'
import { storeWhenCurrent } from './store.ts'

export interface AnalystServiceOptions {
  readonly store: ServerOptions
  readonly config: FabricConfig
  readonly retention: Retention
  /** How long the schema may be missing or old at the start. */
  readonly waitMs: number
  readonly metrics: HostPort
  readonly log: Logger
  /** Ends the wait at the start. */
  readonly signal: AbortSignal
}

export interface AnalystService {
  readonly health: Health
  stop(): Promise<void>
}

/** @throws StoreError when the schema does not become current */
export async function startAnalyst(options: AnalystServiceOptions): Promise<AnalystService> {
  const { log, config } = options
  const stops = new Stops(log)
  const registry = createRegistry()
  let missing: () => readonly string[] = () => ['store: schema not current yet']
  try {
    const health = await startHealth({ ...options.metrics, registry, missing: () => missing() })
    stops.push(() => health.stop())
    const store = await storeWhenCurrent(options.store, { ...options, views: true })
    stops.push(() => store.close())
    missing = () => ['analyst: no round finished yet']
    const counted = countAnalyst(registry)
    const analyst = await Analyst.create({
      store,
      config,
      startedAt: nowUs(),
      sizes: true,
      onChange(finding, change) {
        const { kind, scope, explanation } = finding
        const { status, severity } = change
        log.info({ part: 'analyst', kind, status, severity, scope }, explanation)
        counted.finding(finding, change)
      },
    })
    const rounds = startRounds(analyst, log, (seconds) => {
      missing = () => []
      counted.round(seconds)
    })
    stops.push(async () => {
      await rounds.stop()
      await analyst.close()
    })
    const keeper = await startKeeper(store, options.retention, log.child({ part: 'keeper' }))
    stops.push(() => keeper.stop())
    return { health, stop: () => stops.run() }
  } catch (error) {
    await stops.run()
    throw error
  }
}
