/** `/metrics`, `/healthz` and `/readyz` of a service that serves nothing else. */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import type { Registry } from 'prom-client'

export interface HealthOptions {
  readonly host: string
  readonly port: number
  readonly registry: Registry
  /** What keeps the service from doing its work, in words; none when it does. */
  readonly missing: () => readonly string[]
}

export interface Health {
  readonly address: { readonly host: string; readonly port: number }
  stop(): Promise<void>
}

/**
 * Listens before the service is up, so that a supervisor can see why it is not.
 *
 * @throws EADDRINUSE and the like
 */
export async function startHealth(options: HealthOptions): Promise<Health> {
  const { registry, missing } = options
  const app = Fastify({ bodyLimit: 1024, requestTimeout: 10_000, forceCloseConnections: true })
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', (_request, reply) => {
    const reasons = missing()
    if (reasons.length > 0) void reply.code(503)
    return { status: reasons.length === 0 ? 'ready' : 'starting', reasons }
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  await app.listen({ host: options.host === '' ? '::' : options.host, port: options.port })
  const { address, port } = app.server.address() as AddressInfo
  return { address: { host: address, port }, stop: () => app.close() }
}
