/** The HTTP API: Fastify over the store's views. Built inert; `start` opens sessions and listens. */
import type { EventEmitter } from 'node:events'
import type { AddressInfo } from 'node:net'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { Store } from '@ribscope/store'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { checkExposure, limitsOf, type ApiConfig } from './config.ts'
import type { Context } from './context.ts'
import { installGuard } from './guard.ts'
import { installMetrics } from './metrics.ts'
import { callerLeft, SessionPool } from './pool.ts'
import { answerBroken, handleErrors, refusal, sendProblem } from './problem.ts'
import { diffRoutes } from './routes/diff.ts'
import { EventHub, eventRoutes, type ApiEvents } from './routes/events.ts'
import { fabricRoutes } from './routes/fabric.ts'
import { findingRoutes } from './routes/findings.ts'
import { historyRoutes } from './routes/history.ts'
import { nodeRoutes } from './routes/nodes.ts'
import { healthRoutes, type Readiness } from './routes/health.ts'
import { ribRoutes } from './routes/rib.ts'
import { routerRoutes } from './routes/routers.ts'
import { seriesRoutes } from './routes/series.ts'
import { sqlRoutes } from './routes/sql.ts'
import { vipRoutes } from './routes/vips.ts'
import { visibilityRoutes } from './routes/visibility.ts'
import { StoreEvents } from './store-events.ts'
import { loadTokens, type Tokens } from './tokens.ts'
import { UserSql } from './user-sql/user-sql.ts'

export interface ApiDeps {
  readonly store: Pick<Store, 'session'>
  readonly log: Logger
  /** Where the other parts count; `/metrics` shows it all. */
  readonly registry: Registry
  readonly readiness: () => Readiness | Promise<Readiness>
  /** Changes for GET /api/v1/events, or that they are to be looked for in the store; without it there is no such resource. */
  readonly events?: EventEmitter<ApiEvents> | 'from the store'
  readonly version?: string
  readonly now?: () => Date
}

export interface Api {
  readonly name: 'api'
  /** Where it listens; undefined before `start` and after `stop`. */
  readonly address:
    { readonly host: string; readonly port: number; readonly url: string } | undefined
  /** @throws ApiConfigError for a broken tokens file; EADDRINUSE and the like as they come */
  start(): Promise<void>
  stop(): Promise<void>
}

/** @throws ApiConfigError when `config` would show everything to anyone on the network */
export function createApi(config: ApiConfig, deps: ApiDeps): Api {
  checkExposure(config)
  const limits = limitsOf(config)
  const pool = new SessionPool(
    () =>
      deps.store.session(
        'api',
        {
          max_execution_time: limits.querySeconds,
          max_memory_usage: limits.queryOctets,
          date_time_output_format: 'iso',
          // ClickHouse 26.7 loses columns ("Not found column in block") when it puts off reading below a view and a sort.
          query_plan_optimize_lazy_materialization: 0,
        },
        { readonly: true },
      ),
    limits.sessions,
    limits.waiting,
  )
  const userSql = config.sql === false ? undefined : new UserSql(deps.store, limits)
  let app: FastifyInstance | undefined
  let hub: EventHub | undefined
  let address: Api['address']

  return {
    name: 'api',
    get address() {
      return address
    },
    async start() {
      const tokens =
        config.tokensFile === undefined ? undefined : await loadTokens(config.tokensFile)
      const context = { db: pool, limits, now: deps.now ?? (() => new Date()) }
      try {
        await pool.start()
        await userSql?.start()
        const events =
          deps.events === 'from the store' ? new StoreEvents(pool, deps.log) : deps.events
        hub = events && new EventHub(events, limits.listeners)
        app = await buildApp(config, deps, { context, tokens, userSql, hub })
        await app.listen({ host: config.host === '' ? '::' : config.host, port: config.port })
      } catch (error) {
        await this.stop()
        throw error
      }
      address = addressOf(app.server.address() as AddressInfo)
      deps.log.info({ url: address.url }, 'http listening')
    },
    async stop() {
      address = undefined
      hub?.stop()
      await app?.close()
      await pool.stop()
      await userSql?.stop()
    },
  }
}

function addressOf({ address, port, family }: AddressInfo): NonNullable<Api['address']> {
  const host = family === 'IPv6' ? `[${address}]` : address
  return { host: address, port, url: `http://${host}:${String(port)}` }
}

async function buildApp(
  config: ApiConfig,
  deps: ApiDeps,
  parts: {
    readonly context: Context
    readonly tokens: Tokens | undefined
    readonly userSql: UserSql | undefined
    readonly hub: EventHub | undefined
  },
): Promise<FastifyInstance> {
  const { context, tokens, userSql, hub } = parts
  const { log, registry } = deps
  const app = Fastify({
    bodyLimit: context.limits.bodyOctets,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: (error, request, reply) => {
      void sendProblem(request, reply, refusal(error.statusCode ?? 400, error.message))
    },
    clientErrorHandler: (error, socket) => {
      answerBroken(error, socket)
    },
    // Stopping must not wait for idle keep-alive connections or for event streams.
    forceCloseConnections: true,
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: 'array', allErrors: false },
    },
  })
  // A form or a plain-text body is what a foreign page could send without asking first.
  app.removeContentTypeParser('text/plain')
  // Answers are what routes return: schemas describe them (and tests hold them to it), they do not cut them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.addHook('onRequest', (_request, { raw }, done) => {
    const left = new AbortController()
    raw.once('close', () => {
      if (!raw.writableFinished) left.abort()
    })
    callerLeft.run(left.signal, done)
  })
  handleErrors(app, log)
  installGuard(app, config, () => tokens)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Ribscope',
        description:
          'BMP/BGP route analytics for datacentre fabrics. Times are RFC 3339 UTC with microseconds.',
        version: deps.version ?? '0.1.0',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      ...(tokens
        ? {
            components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
            security: [{ token: [] }],
          }
        : {}),
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  await app.register(async (root) => {
    installMetrics(app, registry, context)
    healthRoutes(root, deps.readiness)
    root.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs/'))
    root.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  })
  await app.register(
    async (v1) => {
      findingRoutes(v1, context)
      vipRoutes(v1, context)
      ribRoutes(v1, context)
      historyRoutes(v1, context)
      diffRoutes(v1, context)
      routerRoutes(v1, context)
      visibilityRoutes(v1, context)
      nodeRoutes(v1, context)
      fabricRoutes(v1, context)
      seriesRoutes(v1, context)
      if (userSql) sqlRoutes(v1, userSql, context)
      if (hub) eventRoutes(v1, hub)
    },
    { prefix: '/api/v1' },
  )
  await app.ready()
  return app
}
