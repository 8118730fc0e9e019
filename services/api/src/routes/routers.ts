/** Routers, their BGP sessions, and whether what they show is believed. */
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { pageOf } from '../cursor.ts'
import { notFound } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { clickhouseNow } from '../time.ts'

interface ListQuery {
  readonly state?: string
  readonly router?: string
  readonly node?: string
  readonly kind?: string
  readonly limit: number
  readonly cursor?: string
}

const routerOf = (row: Row): Row => ({
  ...withNumbers(row, ['bmp_session', 'sessions', 'peers_up', 'peers_down']),
  dumped: Boolean(row['dumped']),
})

export const peerOf = (row: Row): Row => ({ ...row, stale: Boolean(row['stale']) })

const TRUST_COUNTS = [
  ...['peers', 'announces', 'withdraws', 'routes', 'stale_routes'],
  ...['expected', 'counted_routes', 'missing', 'too_many', 'withdrawn_by_policy'],
  ...['path_ids_lied', 'damaged_routes', 'errors', 'as_widths_lied'],
]

const trustOf = (row: Row): Row => ({
  ...withNumbers(row, TRUST_COUNTS),
  canonical: Boolean(row['canonical']),
})

export function routerRoutes(app: FastifyInstance, { db, limits, now }: Context): void {
  const paging = { limit: s.limit(limits.rows), cursor: s.parameters.cursor }

  app.get<{ Querystring: ListQuery }>(
    '/routers',
    {
      schema: s.route('routers', 'Routers: BMP session, role, peers', s.page(shapes.router), {
        querystring: s.query(paging),
      }),
    },
    async ({ query }) => {
      const rows = await db.query<Row>(sql('routers'), { router: '' })
      return pageOf(rows.map(routerOf), query.limit, query.cursor)
    },
  )

  app.get<{ Params: { router: string } }>(
    '/routers/:router',
    {
      schema: s.route(
        'routers',
        'One router with its peers and views',
        s.object({
          ...(shapes.router['properties'] as Record<string, s.Schema>),
          peers: s.list(shapes.peer),
          views: s.list(shapes.trust),
        }),
        {
          params: {
            type: 'object',
            properties: { router: { ...s.parameters.router, minLength: 1 } },
          },
        },
      ),
    },
    async ({ params: { router } }) => {
      const [found] = await db.query<Row>(sql('routers'), { router })
      if (!found) throw notFound(`no router ${JSON.stringify(router)}`)
      const key = found['router'] === '' ? String(found['name']) : String(found['router'])
      const [peers, views] = await Promise.all([
        db.query<Row>(sql('peers'), { state: '', router: key, node: '', kind: '' }),
        db.query<Row>(sql('trust'), { router: key, at: clickhouseNow(now()) }),
      ])
      return { ...routerOf(found), peers: peers.map(peerOf), views: views.map(trustOf) }
    },
  )

  app.get<{ Querystring: ListQuery }>(
    '/peers',
    {
      schema: s.route('routers', 'BGP sessions that BMP reports', s.page(shapes.peer), {
        querystring: s.query({
          state: { type: 'string', enum: ['up', 'down'] },
          router: s.parameters.router,
          node: s.parameters.node,
          kind: { type: 'string', enum: ['bgp', 'loc_rib', 'local'] },
          ...paging,
        }),
      }),
    },
    async ({ query }) => {
      const { state = '', router = '', node = '', kind = '' } = query
      const rows = await db.query<Row>(sql('peers'), { state, router, node, kind })
      return pageOf(rows.map(peerOf), query.limit, query.cursor)
    },
  )

  app.get<{ Querystring: ListQuery }>(
    '/peers/sessions',
    {
      schema: s.route(
        'routers',
        'Lives of BGP sessions, newest first: how each began, what was agreed on, why it ended',
        s.page(shapes.peerSession),
        {
          querystring: s.query({
            state: { type: 'string', enum: ['up', 'stale', 'over'] },
            router: s.parameters.router,
            node: s.parameters.node,
            kind: { type: 'string', enum: ['bgp', 'loc_rib', 'local'] },
            ...paging,
          }),
        },
      ),
    },
    async ({ query }) => {
      const { state = '', router = '', node = '', kind = '' } = query
      const rows = await db.query<Row>(sql('peer_sessions'), { state, router, node, kind })
      const lives = rows.map((row) => withNumbers(row, ['bmp_session', 'announces', 'withdraws']))
      return pageOf(lives, query.limit, query.cursor)
    },
  )

  app.get<{ Querystring: ListQuery }>(
    '/trust',
    {
      schema: s.route(
        'routers',
        'How far each view is believed: score, rules that it breaks, numbers',
        s.page(shapes.trust),
        {
          querystring: s.query({ router: s.parameters.router, ...paging }),
        },
      ),
    },
    async ({ query }) => {
      const at = clickhouseNow(now())
      const rows = await db.query<Row>(sql('trust'), { router: query.router ?? '', at })
      return pageOf(rows.map(trustOf), query.limit, query.cursor)
    },
  )
}
