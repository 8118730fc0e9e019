/** Prometheus: requests of this service, and gauges of the fabric read from the store when scraped. */
import type { FastifyInstance } from 'fastify'
import { Gauge, Histogram, type Registry } from 'prom-client'
import type { Context } from './context.ts'
import * as s from './schemas.ts'

/** Several scrapers cost the store no more than one. */
const FRESH_MS = 2000

interface State {
  readonly findings: { kind: string; severity: string; n: string }[]
  readonly incidents: { n: string }[]
  readonly routers: { state: string; n: string }[]
  readonly peers: { state: string; n: string }[]
  readonly views: { trust: string; n: string }[]
  readonly ways: { topic: string; age: number }[]
}

export function installMetrics(app: FastifyInstance, registry: Registry, context: Context): void {
  const requests = new Histogram({
    name: 'ribscope_http_request_duration_seconds',
    help: 'HTTP requests by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [registry],
  })
  app.addHook('onResponse', async (request, reply) => {
    // The pattern, never the path: a scan must not make a series per guess.
    const route = request.routeOptions.url ?? 'unknown'
    const labels = { method: request.method, route, status: String(reply.statusCode) }
    requests.observe(labels, reply.elapsedTime / 1000)
  })

  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers: [registry] })
  const findings = gauge('ribscope_findings_open', 'Open findings', ['kind', 'severity'])
  const incidents = gauge('ribscope_incidents_open', 'Open incidents')
  const routers = gauge('ribscope_bmp_sessions', 'Routers by state of their BMP session', ['state'])
  const peers = gauge('ribscope_bgp_peers', 'BGP sessions that BMP reports, by state', ['state'])
  const views = gauge('ribscope_views', 'Views (router, RIB, family) by trust', ['trust'])
  const ways = gauge(
    'ribscope_pipeline_age_seconds',
    'How long ago was published what is stored; silence of collectors since means nothing',
    ['topic'],
  )

  let read = 0
  let reading: Promise<void> | undefined
  const refresh = async (): Promise<void> => {
    const state = await stateOf(context)
    for (const each of [findings, routers, peers, views, ways]) each.reset()
    for (const { kind, severity, n } of state.findings) findings.set({ kind, severity }, Number(n))
    incidents.set(Number(state.incidents[0]?.n ?? 0))
    for (const { state: name, n } of state.routers) routers.set({ state: name }, Number(n))
    for (const { state: name, n } of state.peers) peers.set({ state: name }, Number(n))
    for (const { trust, n } of state.views) views.set({ trust }, Number(n))
    for (const { topic, age } of state.ways) ways.set({ topic }, age)
    read = Date.now()
  }

  app.get(
    '/metrics',
    {
      schema: {
        tags: ['health'],
        summary: 'Prometheus metrics',
        response: {
          200: { description: 'text format', content: { 'text/plain': { schema: s.string } } },
          ...s.failures,
        },
      },
    },
    async (_request, reply) => {
      if (Date.now() - read > FRESH_MS) {
        reading ??= refresh().finally(() => {
          reading = undefined
        })
        await reading
      }
      return reply.type(registry.contentType).send(await registry.metrics())
    },
  )
}

async function stateOf({ db }: Context): Promise<State> {
  const [findings, incidents, routers, peers, views, ways] = await Promise.all([
    db.query<State['findings'][number]>(
      "SELECT kind, severity, count() AS n FROM ribscope.findings WHERE status = 'open' GROUP BY kind, severity",
    ),
    db.query<State['incidents'][number]>(
      "SELECT count() AS n FROM ribscope.incidents WHERE status = 'open'",
    ),
    db.query<State['routers'][number]>(
      "SELECT if(up, 'up', 'down') AS state, count() AS n FROM ribscope.router_state GROUP BY state",
    ),
    db.query<State['peers'][number]>(
      "SELECT if(up, 'up', 'down') AS state, count() AS n FROM ribscope.peer_state WHERE peer_type != 3 AND NOT (peer_asn = 0 AND peer_bgp_id = 0) GROUP BY state",
    ),
    db.query<State['views'][number]>(
      "SELECT if(withdraw_only, 'untrusted', 'trusted') AS trust, count() AS n FROM ribscope.view_health GROUP BY trust",
    ),
    db.query<State['ways'][number]>(
      "SELECT topic, dateDiff('microsecond', reached, now64(6, 'UTC')) / 1e6 AS age FROM ribscope.pipeline",
    ),
  ])
  return { findings, incidents, routers, peers, views, ways }
}
