/** Nodes: their sessions and what they announce. */
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { pageOf } from '../cursor.ts'
import { notFound } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { openFindings } from './findings.ts'
import { peerOf } from './routers.ts'

const nodeOf = (row: Row): Row => withNumbers(row, ['sessions_up', 'sessions_down'])

export function nodeRoutes(app: FastifyInstance, { db, limits }: Context): void {
  app.get<{ Querystring: { limit: number; cursor?: string } }>(
    '/nodes',
    {
      schema: s.route('nodes', 'Nodes: sessions and VIPs', s.page(shapes.node), {
        querystring: s.query({ limit: s.limit(limits.rows), cursor: s.parameters.cursor }),
      }),
    },
    async ({ query }) => {
      const rows = await db.query<Row>(sql('nodes'), { node: '' })
      return pageOf(rows.map(nodeOf), query.limit, query.cursor)
    },
  )

  app.get<{ Params: { node: string } }>(
    '/nodes/:node',
    {
      schema: s.route(
        'nodes',
        'One node: its sessions, links and open findings',
        s.object({
          ...(shapes.node['properties'] as Record<string, s.Schema>),
          peers: s.list(shapes.peer),
          links: s.list({ type: 'object', additionalProperties: true }),
          open_findings: s.list(shapes.finding),
        }),
        {
          params: { type: 'object', properties: { node: { ...s.parameters.node, minLength: 1 } } },
        },
      ),
    },
    async ({ params: { node } }) => {
      const [found] = await db.query<Row>(sql('nodes'), { node })
      if (!found) throw notFound(`no node ${JSON.stringify(node)}`)
      const [peers, links, open] = await Promise.all([
        db.query<Row>(sql('peers'), { state: '', router: '', node, kind: '' }),
        db.query<Row>(sql('node_links'), { node }),
        openFindings(db, { node }),
      ])
      return {
        ...nodeOf(found),
        peers: peers.map(peerOf),
        links: links.map((each) => withNumbers(each, ['downs'])),
        open_findings: open,
      }
    },
  )
}
