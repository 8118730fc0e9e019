/**
 * The analyst as a process of its own: findings and housekeeping over a ClickHouse server. Of several one works, the others wait for
 * its lease (`analyst_lease`).
 */
import { Analyst, LeaseKeeper, leasedStore } from '@ribscope/analyst'
import type { Lease, Work } from '@ribscope/analyst'
import { nowUs } from '@ribscope/events'
import type { FabricConfig } from '@ribscope/fabric'
import { openServerStore, refuseCluster } from '@ribscope/store'
import type { Retention, ServerOptions, Store } from '@ribscope/store'
import type { Logger } from 'pino'
import type { HostPort } from '../values.ts'
import { startKeeper } from '../keeper.ts'
import { startRounds } from '../rounds.ts'
import { Stops } from '../start.ts'
import { countAnalyst, createRegistry, watchLease } from '../telemetry.ts'
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
  /** Whether it is this one that works. */
  readonly active: boolean
  stop(): Promise<void>
}

/** A renewal of the lease that takes longer is none. */
const LEASE_TIMEOUT_MS = 8_000

/** @throws StoreError when the schema does not become current */
export async function startAnalyst(options: AnalystServiceOptions): Promise<AnalystService> {
  const { log } = options
  const stops = new Stops(log)
  const registry = createRegistry()
  let missing: () => readonly string[] = () => ['store: schema not current yet']
  try {
    const health = await startHealth({ ...options.metrics, registry, missing: () => missing() })
    stops.push(() => health.stop())
    const store = await storeWhenCurrent(options.store, { ...options, views: true })
    stops.push(() => store.close())
    const setup = await store.session('setup')
    await refuseCluster(setup, 'the analyst')
    await setup.close()
    const leases = openServerStore({ ...options.store, timeoutMs: LEASE_TIMEOUT_MS })
    stops.push(() => leases.close())
    const counted = countAnalyst(registry)
    // Not when it takes over: that the analyst is another one gives no router time to come back.
    const startedAt = nowUs()
    const work = (lease: Lease): Promise<Work> => {
      missing = () => ['analyst: no round finished yet']
      const onRound = (seconds: number): void => {
        missing = () => []
        counted.round(seconds)
      }
      return startWork(options, store, lease, startedAt, { ...counted, round: onRound })
    }
    let failing = false
    // One that waits is ready too.
    missing = () => []
    const keeper = await LeaseKeeper.run(leases, work, {
      onHeld(term) {
        failing = false
        log.info({ part: 'lease', term }, 'this analyst is at work')
      },
      onLost(term) {
        missing = () => []
        log.warn({ part: 'lease', term }, 'the lease is lost: another analyst is at work')
      },
      onError(err) {
        if (!failing)
          log.error({ err, part: 'lease' }, 'lease not held: the store refuses or is away')
        failing = true
      },
    })
    stops.push(() => keeper.stop())
    watchLease(registry, () => keeper.held)
    log.info({ part: 'lease' }, 'waiting for the lease')
    return {
      health,
      get active() {
        return keeper.held
      },
      stop: () => stops.run(),
    }
  } catch (error) {
    await stops.run()
    throw error
  }
}

/** What the holder of the lease does. */
async function startWork(
  options: AnalystServiceOptions,
  whole: Store,
  lease: Lease,
  startedAt: number,
  counted: Pick<ReturnType<typeof countAnalyst>, 'finding' | 'round'>,
): Promise<Work> {
  const { log, config, retention } = options
  const store = leasedStore(whole, lease)
  const analyst = await Analyst.create({
    store,
    config,
    startedAt,
    term: lease.term,
    sizes: true,
    onChange(finding, change) {
      const { kind, scope, explanation } = finding
      const { status, severity } = change
      log.info({ part: 'analyst', kind, status, severity, scope }, explanation)
      counted.finding(finding, change)
    },
  })
  try {
    const keeper = await startKeeper(store, retention, log.child({ part: 'keeper' }))
    const rounds = startRounds(analyst, log, (seconds) => {
      counted.round(seconds)
    })
    return {
      async stop(held) {
        await keeper.stop()
        await rounds.stop(held)
        await analyst.close()
      },
    }
  } catch (error) {
    await analyst.close()
    throw error
  }
}
