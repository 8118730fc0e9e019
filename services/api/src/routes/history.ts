/** GET /rib/history: what happened to one prefix, implied withdrawals at their moment with their cause. */
import { parsePrefix } from '@ribscope/fabric'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { badRequest } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, without, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { clickhouseSpan } from '../time.ts'

interface Query {
  readonly prefix: string
  readonly router?: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
  readonly cursor?: string
}

const KEY_COLUMNS = ['key_us', 'key_pos', 'key_hex', 'key_rib', 'key_peer']

function after(cursor: string | undefined): Record<string, string | number> {
  const values =
    cursor === undefined ? [0, '', '0', 0, '0', 0, '', 0] : decodeCursor(cursor, 'nssnsnsn')
  const [
    k_us = 0,
    k_router = '',
    k_pos = '',
    k_implied = 0,
    k_peer = '',
    k_rib = 0,
    k_nlri = '',
    k_path = 0,
  ] = values
  const sane =
    /^\d{1,19}$/.test(String(k_pos)) &&
    /^\d{1,19}$|^1\d{19}$/.test(String(k_peer)) &&
    /^([0-9A-F]{2})*$/.test(String(k_nlri)) &&
    Number(k_implied) <= 1 &&
    Number(k_rib) <= 5 &&
    Number(k_path) < 2 ** 32
  if (!sane) throw badRequest('cursor: not one of this list', 'bad-cursor')
  const more = cursor === undefined ? 0 : 1
  return { more, k_us, k_router, k_pos, k_implied, k_peer, k_rib, k_nlri, k_path }
}

const cursorOf = (row: Row): string =>
  encodeCursor([
    Number(row['key_us']),
    String(row['router']),
    String(row['key_pos']),
    Number(row['implied']),
    String(row['key_peer']),
    Number(row['key_rib']),
    String(row['key_hex']),
    Number(row['path_id']),
  ])

export function historyRoutes(app: FastifyInstance, { db, limits }: Context): void {
  app.get<{ Querystring: Query }>(
    '/rib/history',
    {
      schema: s.route('rib', 'What happened to a prefix, oldest first', s.page(shapes.historyRow), {
        querystring: {
          ...s.query({
            prefix: s.parameters.prefix,
            router: s.parameters.router,
            from: s.parameters.from,
            to: s.parameters.to,
            limit: s.limit(limits.rows),
            cursor: s.parameters.cursor,
          }),
          required: ['prefix'],
        },
      }),
    },
    async ({ query }) => {
      const prefix = parsePrefix(query.prefix)
      if (!prefix) {
        throw badRequest(
          `prefix ${JSON.stringify(query.prefix)}: expected PREFIX/LENGTH`,
          'bad-prefix',
        )
      }
      const [address = ''] = prefix.text.split('/')
      const rows = await db.query<Row>(sql('history'), {
        addr: prefix.family === 4 ? `::ffff:${address}` : address,
        bits: prefix.bits,
        ip_version: prefix.family,
        router: query.router ?? '',
        ...clickhouseSpan(query),
        ...after(query.cursor),
        limit: query.limit + 1,
      })
      const shown = rows.slice(0, query.limit)
      const last = shown.at(-1)
      return {
        items: shown.map((row) => withNumbers(without(row, KEY_COLUMNS), ['seq', 'bmp_session'])),
        next: rows.length > query.limit && last ? cursorOf(last) : null,
      }
    },
  )
}
