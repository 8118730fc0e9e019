/**
 * The analyst as a process of its own: findings and housekeeping over a ClickHouse server. Of several one works, the others wait for
 * its lease (`analyst_lease`).
 */
import { LeaseKeeper, leasedStore } from '@ribscope/analyst'
import type { Lease, Work } from '@ribscope/analyst'
import { detectorViews } from '@ribscope/detectors'
import { nowUs } from '@ribscope/events'
import type { FabricConfig } from '@ribscope/fabric'
import { openServerStore, refuseCluster } from '@ribscope/store'
import type { Retention, Store } from '@ribscope/store'
import { startAnalystWork } from '../analyst-work.ts'
import { countAnalyst, watchLease } from '../telemetry.ts'
import type { Health } from './health.ts'
import { startService, type Service, type ServiceOptions } from './service.ts'
import { NO_SCHEMA, storeWhenCurrent, type StoreOptions } from './store.ts'

export interface AnalystServiceOptions extends ServiceOptions, StoreOptions {
  readonly config: FabricConfig
  readonly retention: Retention
}

export interface AnalystService {
  readonly health: Health
  stop(): Promise<void>
}

/** A renewal of the lease that takes longer is none. */
const LEASE_TIMEOUT_MS = 8_000

/** @throws StoreError when the schema does not become current */
export function startAnalyst(options: AnalystServiceOptions): Promise<AnalystService> {
  return startService(options, NO_SCHEMA, async (service) => {
    const { stops } = service
    const store = await storeWhenCurrent(options, detectorViews())
    stops.push(() => store.close())
    const setup = await store.session('setup')
    await refuseCluster(setup, 'the analyst')
    await setup.close()
    await keepLease(options, store, service)
    return {}
  })
}

async function keepLease(
  options: AnalystServiceOptions,
  store: Store,
  { registry, health, stops }: Service,
): Promise<void> {
  const { config, retention, log } = options
  const leaseStore = openServerStore({ ...options.store, timeoutMs: LEASE_TIMEOUT_MS })
  stops.push(() => leaseStore.close())
  const counted = countAnalyst(registry)
  // Not when it takes over: that the analyst is another one gives no router time to come back.
  const startedAt = nowUs()
  const work = (lease: Lease): Promise<Work> => {
    health.missing = () => ['analyst: no round finished yet']
    return startAnalystWork({
      store: leasedStore(store, lease),
      config,
      startedAt,
      term: lease.term,
      beats: true,
      retention,
      log,
      counted,
      onRound() {
        health.missing = () => []
      },
    })
  }
  let failing = false
  // One that waits is ready too.
  health.missing = () => []
  const keeper = await LeaseKeeper.run(leaseStore, work, {
    onHeld(term) {
      failing = false
      log.info({ part: 'lease', term }, 'this analyst is at work')
    },
    onLost(term) {
      health.missing = () => []
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
}
