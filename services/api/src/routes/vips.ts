/** VIPs: who announces them, through which ToRs, how they flapped. */
import { parsePrefix } from '@ribscope/fabric'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import { badRequest, notFound } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, without, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import { ecmpShares, type Edge } from '../shares.ts'
import * as shapes from '../shapes.ts'
import { clickhouseNow, clickhouseSpan, clickhouseTime, TIME_MAX, TIME_MIN } from '../time.ts'

interface PrefixParams {
  readonly prefix: string
  /** Of a path whose slash was not percent-encoded. */
  readonly length?: string
}

interface ListQuery {
  readonly state?: string
  readonly limit: number
  readonly cursor?: string
}

interface SpanQuery {
  readonly at?: string
  readonly from?: string
  readonly to?: string
  readonly half_life_s?: number
  readonly ingress?: string
  readonly limit: number
  readonly cursor?: string
}

/** (vrf, node, tor, up, since, cause, downs) as vips.sql groups them. */
type LinkTuple = [string, string, string, number | boolean, string, string, string]

export function vipOf(row: Row): Row {
  const links = row['links'] as LinkTuple[]
  const origins = new Map<
    string,
    { vrf: string; node: string; tors: string[]; tors_down: string[] }
  >()
  for (const [vrf, node, tor, up] of links) {
    const key = JSON.stringify([vrf, node])
    const origin = origins.get(key) ?? { vrf, node, tors: [], tors_down: [] }
    origins.set(key, origin)
    ;(up ? origin.tors : origin.tors_down).push(tor)
  }
  const up = links.filter((link) => link[3]).length
  const alive = new Set(links.filter((link) => link[3]).map((link) => link[1]))
  const missing = (row['expected_nodes'] as string[]).filter((node) => !alive.has(node))
  const degraded = up < links.length || missing.length > 0
  const open = row['open_findings'] as [string, string, string][]
  return {
    ...without(row, ['links', 'ip_version']),
    state: links.length === 0 ? 'unseen' : up === 0 ? 'down' : degraded ? 'degraded' : 'up',
    origins: [...origins.values()],
    links_up: up,
    links_down: links.length - up,
    open_findings: open.map(([id, kind, severity]) => ({ id, kind, severity })),
  }
}

const linksOf = (row: Row): Row[] =>
  (row['links'] as LinkTuple[]).map(([vrf, node, tor, up, since, cause, downs]) => ({
    vrf,
    node,
    tor,
    state: up ? 'up' : 'down',
    since,
    cause,
    downs: Number(downs),
  }))

const pathOf = (row: Row): Row => ({
  ...row,
  member: Boolean(row['member']),
  is_ebgp: Boolean(row['is_ebgp']),
})

const isAt = (wanted: string | undefined, router: unknown): boolean =>
  wanted === undefined || router === wanted

const penaltyOf = (row: Row): Row => ({
  ...withNumbers(row, ['flaps', 'episodes']),
  peer_down_seen: Boolean(row['peer_down_seen']),
})

const episodeOf = (row: Row): Row => ({
  ...withNumbers(without(row, ['weights', 'ep']), ['flaps']),
  peer_down_seen: Boolean(row['peer_down_seen']),
  planned: Boolean(row['planned']),
})

const outageOf = (row: Row): Row => ({
  ...without(row, ['gshut']),
  planned: Boolean(row['gshut']),
})

export function vipRoutes(app: FastifyInstance, { db, limits, now }: Context): void {
  const paging = { limit: s.limit(limits.rows), cursor: s.parameters.cursor }

  app.get<{ Querystring: ListQuery }>(
    '/vips',
    {
      schema: s.route('vips', 'VIPs: inventory, live links, open findings', s.page(shapes.vip), {
        querystring: s.query({
          state: { type: 'string', enum: ['up', 'degraded', 'down', 'unseen'] },
          ...paging,
        }),
      }),
    },
    async ({ query }) => {
      const rows = await db.query<Row>(sql('vips'), { prefix: '' })
      const vips = rows.map(vipOf)
      const shown =
        query.state === undefined ? vips : vips.filter((each) => each['state'] === query.state)
      return pageOf(shown, query.limit, query.cursor)
    },
  )

  const span = {
    at: s.parameters.at,
    from: s.parameters.from,
    to: s.parameters.to,
    limit: paging.limit,
  }

  onPrefix(
    app,
    '',
    s.route(
      'vips',
      'One VIP: links, penalty, episodes, outages, paths and shares',
      s.object({
        ...(shapes.vip['properties'] as Record<string, s.Schema>),
        links: s.list(shapes.link),
        penalty: s.list(shapes.penalty),
        episodes: s.list(shapes.episode),
        outages: s.list(shapes.outage),
        paths: s.list(shapes.path),
        shares: s.list(shapes.share),
      }),
      { querystring: s.query({ at: s.parameters.at }) },
    ),
    async (prefix, query) => {
      const row = await vipRow(prefix)
      const at = instant(query)
      const span = { prefix, from: TIME_MIN, to: TIME_MAX, limit: 100 }
      const [penalty, episodes, outages, paths, edges] = await Promise.all([
        db.query<Row>(sql('vip_penalty'), { prefix, at }),
        db.query<Row>(sql('vip_episodes'), { ...span, at }),
        db.query<Row>(sql('vip_outages'), span),
        db.query<Row>(sql('vip_paths'), { prefix }),
        db.query<Edge>(sql('vip_edges'), { prefix }),
      ])
      return {
        ...vipOf(row),
        links: linksOf(row),
        penalty: penalty.map(penaltyOf),
        episodes: episodes.map(episodeOf),
        outages: outages.map(outageOf),
        paths: paths.map(pathOf),
        shares: ecmpShares(edges),
      }
    },
  )

  onPrefix(
    app,
    '/flaps',
    s.route(
      'vips',
      'Flaps of a VIP: penalty per node, episodes, outages, causes',
      s.object({
        prefix: s.string,
        half_life_s: s.nullable(s.number),
        penalty: s.list(shapes.penalty),
        episodes: s.list(shapes.episode),
        outages: s.list(shapes.outage),
        causes: s.about({ type: 'object', additionalProperties: s.integer }, 'cause -> times down'),
      }),
      {
        querystring: s.query({
          ...span,
          half_life_s: {
            type: 'number',
            exclusiveMinimum: 0,
            maximum: 86400 * 365,
            description: 'penalty as it would be with another half life',
          },
        }),
      },
    ),
    async (prefix, query) => {
      await vipRow(prefix)
      const at = instant(query)
      const span = { prefix, ...clickhouseSpan(query), limit: query.limit }
      const [penalty, episodes, outages, causes] = await Promise.all([
        db.query<Row>(sql('vip_penalty'), { prefix, at }),
        db.query<Row>(sql('vip_episodes'), { ...span, at }),
        db.query<Row>(sql('vip_outages'), span),
        db.query<{ cause: string; downs: string }>(sql('vip_causes'), span),
      ])
      const half = query.half_life_s
      return {
        prefix,
        half_life_s: half ?? null,
        penalty: penalty
          .map(penaltyOf)
          .map((row) =>
            half === undefined ? row : { ...row, ...decayed(episodes, row, at, half) },
          ),
        episodes: episodes.map(episodeOf),
        outages: outages.map(outageOf),
        causes: Object.fromEntries(causes.map(({ cause, downs }) => [cause, Number(downs)])),
      }
    },
  )

  onPrefix(
    app,
    '/timeline',
    s.route('vips', 'Changes of the links of a VIP, oldest first', s.page(shapes.transition), {
      querystring: s.query({ from: span.from, to: span.to, ...paging }),
    }),
    async (prefix, query) => {
      await vipRow(prefix)
      const [rx_us, pos, vrf, node, tor] =
        query.cursor === undefined ? [0, '0', '', '', ''] : decodeCursor(query.cursor, 'nssss')
      if (!/^\d{1,19}$/.test(String(pos)))
        throw badRequest('cursor: not one of this list', 'bad-cursor')
      const rows = await db.query<Row>(sql('vip_timeline'), {
        prefix,
        ...clickhouseSpan(query),
        more: query.cursor === undefined ? 0 : 1,
        rx_us,
        pos,
        vrf,
        node,
        tor,
        limit: query.limit + 1,
      })
      const shown = rows.slice(0, query.limit)
      const last = shown.at(-1)
      return {
        items: shown.map(({ rx_ts, ...row }) => ({
          at: rx_ts,
          ...withNumbers(without(row, ['rx_us', 'pos_text', 'gshut']), ['seq']),
          planned: Boolean(row['gshut']),
        })),
        next:
          rows.length > query.limit && last
            ? encodeCursor([
                Number(last['rx_us']),
                String(last['pos_text']),
                String(last['vrf']),
                String(last['node']),
                String(last['tor']),
              ])
            : null,
      }
    },
  )

  const ingress = s.about(s.parameters.router, 'only this router')

  onPrefix(
    app,
    '/ecmp',
    s.route(
      'vips',
      'Paths to a VIP at every router: members of the multipath set, and what keeps others out',
      s.object({ prefix: s.string, paths: s.list(shapes.path) }),
      { querystring: s.query({ ingress }) },
    ),
    async (prefix, query) => {
      await vipRow(prefix)
      const rows = await db.query<Row>(sql('vip_paths'), { prefix })
      const paths = rows.map(pathOf)
      return { prefix, paths: paths.filter(({ router }) => isAt(query.ingress, router)) }
    },
  )

  onPrefix(
    app,
    '/shares',
    s.route(
      'vips',
      'How traffic that enters at a router spreads over nodes',
      s.object({ prefix: s.string, shares: s.list(shapes.share) }),
      { querystring: s.query({ ingress }) },
    ),
    async (prefix, query) => {
      await vipRow(prefix)
      const shares = ecmpShares(await db.query<Edge>(sql('vip_edges'), { prefix }))
      return { prefix, shares: shares.filter((each) => isAt(query.ingress, each.ingress)) }
    },
  )

  function instant(query: SpanQuery): string {
    return query.at === undefined ? clickhouseNow(now()) : clickhouseTime('at', query.at)
  }

  async function vipRow(prefix: string): Promise<Row> {
    const [row] = await db.query<Row>(sql('vips'), { prefix })
    if (!row) throw notFound(`${prefix} is no VIP that is configured or was inferred`)
    return row
  }
}

/** Penalty of one node with another half life, from the weights of its episodes. */
function decayed(episodes: readonly Row[], row: Row, at: string, halfLifeS: number): Row {
  const atUs = Date.parse(`${at.slice(0, 23).replace(' ', 'T')}Z`) * 1000
  let penalty = 0
  for (const { vrf, node, planned, weights } of episodes) {
    if (vrf !== row['vrf'] || node !== row['node'] || Boolean(planned)) continue
    for (const [us, weight] of weights as [string, number][]) {
      penalty += weight * 2 ** (-(atUs - Number(us)) / 1e6 / halfLifeS)
    }
  }
  return { penalty, seconds_to_reuse: penalty > 750 ? halfLifeS * Math.log2(penalty / 750) : 0 }
}

/**
 * A route below a prefix: `/vips/10.0.0.1`, `/vips/10.0.0.1%2F32`, and `/vips/10.0.0.1/32`, which is a route of its own because
 * of its slash; OpenAPI shows the first.
 */
function onPrefix(
  app: FastifyInstance,
  path: string,
  schema: s.Schema,
  answer: (prefix: string, query: SpanQuery) => Promise<unknown>,
): void {
  const handler = async (
    request: FastifyRequest<{ Params: PrefixParams; Querystring: SpanQuery }>,
  ): Promise<unknown> => {
    const { prefix, length } = request.params
    const text = length === undefined ? prefix : `${prefix}/${length}`
    const parsed = parsePrefix(text)
    if (!parsed) throw badRequest(`${JSON.stringify(text)} is no prefix`, 'bad-prefix')
    return answer(parsed.text, request.query)
  }
  const prefix = s.about(
    s.parameters.prefix,
    'PREFIX/LENGTH, slash as it is or %2F; a host needs no length',
  )
  const params = { type: 'object', properties: { prefix } }
  app.get(`/vips/:prefix${path}`, { schema: { ...schema, params } }, handler)
  app.get(`/vips/:prefix/:length(^\\d+$)${path}`, { schema: { ...schema, hide: true } }, handler)
}
