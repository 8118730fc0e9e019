/** GET /diff: what changed between two instants, by likely cause. */
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { computeDiff, SCOPES, type DiffQuery } from '../diff.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { clickhouseNow, clickhouseTime } from '../time.ts'

interface Query {
  readonly from: string
  readonly to?: string
  readonly router?: string
  readonly vip?: string
  readonly prefix?: string
  readonly vrf?: string
  readonly scope: NonNullable<DiffQuery['scope']>
  readonly limit: number
  readonly cursor?: string
}

/** Groups that a walk over pages may reach: the store makes the list anew for each. */
const GROUPS_MAX = 10_000

export function diffRoutes(app: FastifyInstance, { db, limits, now }: Context): void {
  app.get<{ Querystring: Query }>(
    '/diff',
    {
      schema: s.route(
        'rib',
        'What changed between two instants, grouped by likely cause, biggest blast radius first',
        shapes.diff,
        {
          querystring: {
            ...s.query({
              from: s.about(s.parameters.from, 'RFC 3339: the state before'),
              to: s.about(s.parameters.to, 'RFC 3339: the state after (default now)'),
              router: s.about(s.parameters.router, 'changes seen by this router only'),
              vip: s.about(s.parameters.prefix, 'changes of this VIP only; a host needs no length'),
              prefix: s.about(s.parameters.prefix, 'changes of this prefix and all inside it only'),
              vrf: s.parameters.vrf,
              scope: { type: 'string', enum: SCOPES, default: 'all' },
              limit: s.limit(Math.min(limits.rows, 1000)),
              cursor: s.parameters.cursor,
            }),
            required: ['from'],
          },
        },
      ),
    },
    async ({ query }) => {
      const offset =
        query.cursor === undefined
          ? 0
          : Math.min(Number(decodeCursor(query.cursor, 'n')[0]), GROUPS_MAX)
      const diff = await computeDiff(db, {
        ...query,
        from: clickhouseTime('from', query.from),
        to: query.to === undefined ? clickhouseNow(now()) : clickhouseTime('to', query.to),
        offset,
      })
      const next = offset + diff.items.length
      const more = diff.summary.left_out.groups > 0 && diff.items.length > 0 && next < GROUPS_MAX
      return { ...diff, next: more ? encodeCursor([next]) : null }
    },
  )
}
