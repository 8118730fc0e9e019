/** `/metrics`, `/healthz` and `/readyz` of a service that serves nothing else. */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import type { Registry } from 'prom-client'
import type { HostPort } from '../values.ts'

/** What keeps a service from doing its work, in words; none when it does. */
type Missing = () => readonly string[]

export interface Health {
  readonly address: HostPort
  missing: Missing
  stop(): Promise<void>
}

/** What fails for so long keeps the service from its work: a load balancer may send routers elsewhere. */
const READY_FAILING_MS = 10_000

/**
 * Listens before the service is up, so that a supervisor can see why it is not.
 *
 * @param waitsFor  what is missing until `missing` says something else
 * @throws EADDRINUSE and the like
 */
export async function startHealth(
  at: HostPort,
  registry: Registry,
  waitsFor: string,
): Promise<Health> {
  const app = Fastify({ bodyLimit: 1024, requestTimeout: 10_000, forceCloseConnections: true })
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', (_request, reply) => {
    const reasons = health.missing()
    if (reasons.length > 0) void reply.code(503)
    return { status: reasons.length === 0 ? 'ready' : 'starting', reasons }
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  const health: Health = { address: at, missing: () => [waitsFor], stop: () => app.close() }
  await app.listen({ host: at.host === '' ? '::' : at.host, port: at.port })
  const { address, port } = app.server.address() as AddressInfo
  return Object.assign(health, { address: { host: address, port } })
}

/** Missing is `reason` while that part has failed for a while. */
export function unlessFailing(
  part: { readonly failingSinceMs: number | undefined },
  reason: string,
): Missing {
  return () => {
    const since = part.failingSinceMs
    return since === undefined || Date.now() - since < READY_FAILING_MS ? [] : [reason]
  }
}
