/** What is known of the fabric, each fact with its source; EVPN: Type-5 paths, hosts and their moves. */
import { parseAddress, parsePrefix } from '@ribscope/fabric'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { pageOf } from '../cursor.ts'
import { badRequest } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { clickhouseSpan } from '../time.ts'

interface MobilityQuery {
  readonly mac?: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
}

interface Type5Query {
  readonly vrf?: string
  readonly verdict?: string
  readonly prefix?: string
  readonly limit: number
  readonly cursor?: string
}

export function fabricRoutes(app: FastifyInstance, { db, limits }: Context): void {
  app.get(
    '/fabric',
    {
      schema: s.route(
        'fabric',
        'Inventory in force: each fact is configured, or inferred and says why',
        shapes.fabric,
      ),
    },
    async () => {
      const read = (name: string): Promise<Row[]> => db.query<Row>(sql(`fabric_${name}`))
      const [routers, nodes, vips, vteps, vrfs, peers, params] = await Promise.all(
        ['routers', 'nodes', 'vips', 'vteps', 'vrfs', 'peers', 'params'].map(read),
      )
      const detectors = Object.fromEntries(
        (params ?? []).map((row) => [String(row['key']), row['value']]),
      )
      return { routers, nodes, vips, vteps, vrfs, peers, detectors }
    },
  )

  app.get<{ Querystring: Type5Query }>(
    '/evpn/type5',
    {
      schema: s.route(
        'evpn',
        'Type-5 paths: the host behind each, who owns it, and the verdict',
        s.page(shapes.type5),
        {
          querystring: s.query({
            vrf: s.parameters.vrf,
            verdict: { type: 'string', maxLength: 64, description: 'e.g. TROMBONE, GW_UNRESOLVED' },
            prefix: s.parameters.prefix,
            limit: s.limit(limits.rows),
            cursor: s.parameters.cursor,
          }),
        },
      ),
    },
    async ({ query }) => {
      const prefix = query.prefix === undefined ? undefined : parsePrefix(query.prefix)
      if (query.prefix !== undefined && !prefix) {
        throw badRequest(`prefix ${JSON.stringify(query.prefix)}: expected a prefix`, 'bad-prefix')
      }
      const rows = await db.query<Row>(sql('type5'), {
        vrf: query.vrf ?? '',
        verdict: query.verdict ?? '',
        prefix: prefix?.text ?? '',
      })
      const shown = rows.map(({ rd_text, ...row }) => ({ ...row, rd: rd_text }))
      return pageOf(shown, query.limit, query.cursor)
    },
  )

  app.get<{ Params: { ip: string } }>(
    '/evpn/hosts/:ip',
    {
      schema: s.route(
        'evpn',
        'Where a host is, per L2VNI',
        s.object({ ip: s.string, items: s.list(shapes.owner) }),
        { params: { type: 'object', properties: { ip: { type: 'string', maxLength: 64 } } } },
      ),
    },
    async ({ params: { ip } }) => {
      const address = parseAddress(ip)
      if (!address) throw badRequest(`${JSON.stringify(ip)} is no address`, 'bad-address')
      const rows = await db.query<Row>(sql('host_owner'), {
        ip: address.family === 4 ? `::ffff:${address.text}` : address.text,
      })
      const items = rows.map(({ mac_text, esi_text, ...row }) => ({
        ...withNumbers(row, ['macs']),
        mac: mac_text,
        esi: esi_text,
      }))
      return { ip: address.text, items }
    },
  )

  app.get<{ Querystring: MobilityQuery }>(
    '/evpn/mobility',
    {
      schema: s.route(
        'evpn',
        'Moves of MAC addresses, newest first',
        s.object({ items: s.list(shapes.move), next: s.nullable(s.string) }),
        {
          querystring: s.query({
            mac: { type: 'string', pattern: '^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$' },
            from: s.parameters.from,
            to: s.parameters.to,
            limit: s.limit(limits.rows),
          }),
        },
      ),
    },
    async ({ query }) => {
      const rows = await db.query<Row>(sql('mobility'), {
        mac: query.mac?.toLowerCase() ?? '',
        ...clickhouseSpan(query),
        limit: query.limit,
      })
      return { items: rows.map(({ mac_text, ...row }) => ({ mac: mac_text, ...row })), next: null }
    },
  )
}
