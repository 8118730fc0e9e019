/** How the services that serve nothing but their health begin. */
import type { Logger } from 'pino'
import { startParts, type Stops } from '../start.ts'
import { createRegistry } from '../telemetry.ts'
import type { HostPort } from '../values.ts'
import { startHealth, type Health } from './health.ts'

export interface ServiceOptions {
  /** Where `/metrics`, `/healthz` and `/readyz` are. */
  readonly metrics: HostPort
  readonly log: Logger
  /** Ends the waits at the start. */
  readonly signal: AbortSignal
}

/** What the parts of a service are started with. */
export interface Service {
  readonly registry: ReturnType<typeof createRegistry>
  readonly health: Health
  readonly stops: Stops
}

/** @param waitsFor  what is missing at first, as `/readyz` says it */
export function startService<T extends object>(
  { metrics, log }: ServiceOptions,
  waitsFor: string,
  start: (service: Service) => Promise<T>,
): Promise<T & { readonly health: Health; stop(): Promise<void> }> {
  return startParts(log, async (stops) => {
    const registry = createRegistry()
    const health = await startHealth(metrics, registry, waitsFor)
    stops.push(() => health.stop())
    return { ...(await start({ registry, health, stops })), health }
  })
}
