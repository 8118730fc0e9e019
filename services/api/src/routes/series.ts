/** Time series: churn of routers and prefixes, sizes of tables. A step in which nothing came has no item. */
import { parsePrefix } from '@ribscope/fabric'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { decodeCursor, encodeCursor, type Page } from '../cursor.ts'
import { badRequest } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { clickhouseNow, clickhouseTime } from '../time.ts'

interface Query {
  readonly from?: string
  readonly to?: string
  readonly step?: number
  readonly router?: string
  readonly rib?: string
  readonly afi?: number
  readonly safi?: number
  readonly prefix?: string
  readonly limit: number
  readonly cursor?: string
}

const HOUR_MS = 3_600_000
const MINUTE_S = 60

const filters: Readonly<Record<string, s.Schema>> = {
  router: s.parameters.router,
  rib: {
    type: 'string',
    enum: ['adj_in_pre', 'adj_in_post', 'loc_rib', 'adj_out_pre', 'adj_out_post'],
    description: 'one table only: what a router shows before and after policy is counted in both',
  },
  afi: { type: 'integer', minimum: 1, maximum: 65535 },
  safi: { type: 'integer', minimum: 1, maximum: 255 },
}
const span: Readonly<Record<string, s.Schema>> = {
  from: s.about(s.parameters.from, 'RFC 3339, inclusive; default: an hour before `to`'),
  to: s.about(s.parameters.to, 'RFC 3339, exclusive; default: now'),
}
const step: s.Schema = {
  type: 'integer',
  minimum: MINUTE_S,
  maximum: 86_400,
  multipleOf: MINUTE_S,
  default: MINUTE_S,
  description: 'seconds, whole minutes',
}

const counts = ['announces', 'withdraws', 'dumped']
const sessions = ['bmp_sessions_up', 'bmp_sessions_down', 'peers_up', 'peers_down']

/** Tuples of the statement, by name. */
const named = (tuples: unknown, names: readonly string[]): Row[] =>
  (tuples as unknown[][]).map((tuple) =>
    Object.fromEntries(names.map((name, i) => [name, tuple[i]])),
  )

const churnOf = (row: Row): Row => ({
  ...withNumbers(row, [...counts, ...sessions]),
  views: named(row['views'], ['rib', 'afi', 'safi', ...counts]).map((each) =>
    withNumbers(each, counts),
  ),
})

const prefixOf = (row: Row): Row => ({
  ...withNumbers(row, ['announces', 'withdraws', 'changes']),
  hours: named(row['hours'], ['hour', 'announces', 'withdraws']).map((each) =>
    withNumbers(each, ['announces', 'withdraws']),
  ),
})

const sizeOf = (row: Row): Row => withNumbers(row, ['routes', 'stale', 'reported', 'reported_all'])

export function seriesRoutes(app: FastifyInstance, { db, limits, now }: Context): void {
  /** Parameters as the statements take them; one row more than asked tells whether there is a next page. */
  function bound(query: Query): Record<string, string | number> & { offset: number } {
    const to = query.to === undefined ? clickhouseNow(now()) : clickhouseTime('to', query.to)
    const from =
      query.from === undefined
        ? clickhouseNow(new Date(Date.parse(`${to.slice(0, 23).replace(' ', 'T')}Z`) - HOUR_MS))
        : clickhouseTime('from', query.from)
    if (from >= to) throw badRequest(`from ${from} is not before to ${to}`)
    const [offset] =
      query.cursor === undefined ? [0] : (decodeCursor(query.cursor, 'n') as [number])
    if (offset > 2 ** 31) throw badRequest('cursor: not one of this list', 'bad-cursor')
    const { router = '', rib = '', afi = 0, safi = 0, step: seconds = MINUTE_S } = query
    return { from, to, router, rib, afi, safi, step: seconds, limit: query.limit + 1, offset }
  }

  async function page(
    name: string,
    render: (row: Row) => Row,
    query: Query,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Page<Row>> {
    const params = { ...bound(query), ...more }
    const rows = await db.query<Row>(sql(name), params)
    return {
      items: rows.slice(0, query.limit).map(render),
      next: rows.length > query.limit ? encodeCursor([params.offset + query.limit]) : null,
    }
  }

  const paging = { limit: s.limit(limits.rows), cursor: s.parameters.cursor }

  app.get<{ Querystring: Query }>(
    '/churn',
    {
      schema: s.route(
        'series',
        'What each router announced and withdrew, step by step, and its sessions',
        s.page(shapes.churn),
        { querystring: s.query({ ...span, step, ...filters, ...paging }) },
      ),
    },
    async ({ query }) => page('churn', churnOf, query),
  )

  app.get<{ Querystring: Query }>(
    '/prefixes/churn',
    {
      schema: s.route(
        'series',
        'Prefixes that change most, first tables left out, with their hours',
        s.page(shapes.prefixChurn),
        {
          querystring: s.query({
            ...span,
            prefix: s.parameters.prefix,
            ...filters,
            ...paging,
          }),
        },
      ),
    },
    async ({ query }) => {
      const prefix = query.prefix === undefined ? undefined : parsePrefix(query.prefix)
      if (query.prefix !== undefined && prefix === undefined) {
        throw badRequest(`prefix ${JSON.stringify(query.prefix)}: expected PREFIX/LENGTH`)
      }
      return page('prefix_churn', prefixOf, query, { prefix: prefix?.text ?? '' })
    },
  )

  app.get<{ Querystring: Query }>(
    '/tables',
    {
      schema: s.route(
        'series',
        'How many routes each table held, step by step, and what the router says of it',
        s.page(shapes.tableSize),
        { querystring: s.query({ ...span, step, ...filters, ...paging }) },
      ),
    },
    async ({ query }) => page('tables', sizeOf, query),
  )
}
