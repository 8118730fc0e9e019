/** Every metric of Ribscope's own by the service that has it, as the code makes them; nothing is read from their sources. */
import { Registry } from 'prom-client'
import { installMetrics } from '../../services/api/src/metrics.ts'
import {
  countAnalyst,
  countPublished,
  countStored,
  watchCollector,
  watchLease,
  watchWriter,
} from '../../services/standalone/src/telemetry.ts'

export interface Metric {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
  readonly help: string
}

/** Is asked for nothing: values are read when somebody scrapes. */
const unread = undefined as never

const MADE: Readonly<Record<string, (registry: Registry) => void>> = {
  collector(registry) {
    watchCollector(registry, unread, { waitingOctets: 0, clockSkewMs: 0 })
    countPublished(registry)
  },
  writer(registry) {
    watchWriter(registry, unread)
    countStored(registry)
  },
  analyst(registry) {
    countAnalyst(registry)
    watchLease(registry, unread)
  },
  api(registry) {
    const routes = { addHook: () => undefined, get: () => undefined }
    installMetrics(routes as unknown as Parameters<typeof installMetrics>[0], registry, unread)
  },
}

export const METRICS: Readonly<Record<string, readonly Metric[]>> = Object.fromEntries(
  Object.entries(MADE).map(([service, make]) => {
    const registry = new Registry()
    make(registry)
    const metrics = registry.getMetricsAsArray().map((each) => ({
      name: each.name,
      help: each.help,
      type: each.constructor.name.toLowerCase(),
      labels: (each as unknown as { labelNames: readonly string[] }).labelNames,
    }))
    return [service, metrics]
  }),
)
