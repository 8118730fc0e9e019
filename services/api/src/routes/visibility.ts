/** Which routers see a prefix, how, and why others do not. */
import { parsePrefix } from '@ribscope/fabric'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { pageOf } from '../cursor.ts'
import { badRequest } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'

interface VisibilityQuery {
  readonly vip?: string
  readonly vrf?: string
  readonly missing?: boolean
  readonly limit: number
  readonly cursor?: string
}

const seenBy = (row: Row): Row => ({
  ...withNumbers(row, ['paths']),
  sees: Boolean(row['sees']),
  stale: Boolean(row['stale']),
  missing: Boolean(row['missing']),
})

export function visibilityRoutes(app: FastifyInstance, { db, limits }: Context): void {
  app.get<{ Querystring: VisibilityQuery }>(
    '/visibility',
    {
      schema: s.route(
        'rib',
        'Which routers see a prefix, in which tables, and why others of their role do not',
        s.page(shapes.visibility),
        {
          querystring: s.query({
            vip: s.about(s.parameters.prefix, 'PREFIX/LENGTH, a VIP or not; without: every VIP'),
            vrf: s.parameters.vrf,
            missing: s.about(
              s.boolean,
              'only routers that do not see it although others of their role do',
            ),
            limit: s.limit(limits.rows),
            cursor: s.parameters.cursor,
          }),
        },
      ),
    },
    async ({ query }) => {
      const wanted = { vrf: query.vrf ?? '', missing: query.missing === true ? 1 : 0 }
      if (query.vip === undefined) {
        const rows = await db.query<Row>(sql('vip_visibility'), wanted)
        return pageOf(rows.map(seenBy), query.limit, query.cursor)
      }
      const prefix = parsePrefix(query.vip)
      if (!prefix) {
        throw badRequest(`vip ${JSON.stringify(query.vip)}: expected PREFIX/LENGTH`, 'bad-prefix')
      }
      const rows = await db.query<Row>(sql('visibility'), { ...wanted, prefix: prefix.text })
      return pageOf(rows.map(seenBy), query.limit, query.cursor)
    },
  )
}
