/** Findings and incidents (DETECTORS 0.5). */
import type { FastifyInstance } from 'fastify'
import { parsePrefix } from '@ribscope/fabric'
import type { Context } from '../context.ts'
import { decodeCursor, encodeCursor, type Page } from '../cursor.ts'
import type { Reader } from '../pool.ts'
import { badRequest, notFound } from '../problem.ts'
import { sql } from '../queries.ts'
import { parsedJson, withNumbers, without, words, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { clickhouseSpan, clickhouseTime, TIME_MAX, TIME_MIN } from '../time.ts'

interface FindingsQuery {
  readonly kind?: string[]
  readonly severity?: string[]
  readonly status?: string[]
  readonly incident?: string
  readonly vip?: string
  readonly node?: string
  readonly router?: string
  readonly site?: string
  readonly vrf?: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
  readonly cursor?: string
}

const EVERYTHING = {
  id: '',
  kind: [] as string[],
  severity: [] as string[],
  status: [] as string[],
  incident: '',
  vip: '',
  node: '',
  router: '',
  site: '',
  vrf: '',
  from: TIME_MIN,
  to: TIME_MAX,
  after: '',
  after_us: 0,
  limit: 1,
}

/** A row of the view as the finding object of DESIGN 4.6. */
export function findingOf(row: Row): Row {
  return {
    ...withNumbers(without(row, ['first_us']), ['changes']),
    scope: parsedJson(row['scope']),
    metrics: parsedJson(row['metrics']),
    evidence: parsedJson(row['evidence']),
  }
}

/** Open findings of one node or router, as far as a page shows them. */
export async function openFindings(
  db: Reader,
  scope: { readonly node?: string; readonly router?: string },
): Promise<Row[]> {
  const query = { ...EVERYTHING, ...scope, status: ['open'], limit: 100 }
  return (await db.query<Row>(sql('findings'), query)).map(findingOf)
}

/** Rows ordered by (first_us DESC, id), one more than asked for when there is a next page. */
function pageByTime(rows: readonly Row[], limit: number, show: (row: Row) => Row): Page<Row> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const next =
    rows.length > limit && last
      ? encodeCursor([Number(last['first_us']), String(last['id'])])
      : null
  return { items: items.map(show), next }
}

function after(cursor: string | undefined): { after: string; after_us: number } {
  if (cursor === undefined) return { after: '', after_us: 0 }
  const [us, id] = decodeCursor(cursor, 'ns') as [number, string]
  return { after: id, after_us: us }
}

export function findingRoutes(app: FastifyInstance, { db, limits }: Context): void {
  app.get<{ Querystring: FindingsQuery }>(
    '/findings',
    {
      schema: s.route(
        'findings',
        'Findings, newest first, of all statuses',
        s.page(shapes.finding),
        {
          querystring: s.query({
            kind: s.wordsOf('e.g. VIP_FLAP'),
            severity: s.wordsOf('info, minor, major, critical'),
            status: s.wordsOf('open, resolved, suppressed'),
            incident: { type: 'string', maxLength: 255, description: 'id of an incident' },
            vip: s.about(s.parameters.prefix, 'vip or prefix of the scope'),
            node: s.parameters.node,
            router: s.about(s.parameters.router, 'router or ToR of the scope'),
            site: s.parameters.site,
            vrf: s.parameters.vrf,
            from: s.parameters.from,
            to: s.parameters.to,
            limit: s.limit(limits.rows),
            cursor: s.parameters.cursor,
          }),
        },
      ),
    },
    async ({ query }) => {
      const { limit } = query
      const vip = query.vip === undefined ? undefined : parsePrefix(query.vip)
      if (query.vip !== undefined && !vip) {
        throw badRequest(`vip ${JSON.stringify(query.vip)}: expected a prefix`, 'bad-prefix')
      }
      const rows = await db.query<Row>(sql('findings'), {
        ...EVERYTHING,
        kind: words(query.kind),
        severity: words(query.severity),
        status: words(query.status),
        incident: query.incident ?? '',
        vip: vip?.text ?? '',
        node: query.node ?? '',
        router: query.router ?? '',
        site: query.site ?? '',
        vrf: query.vrf ?? '',
        ...clickhouseSpan(query),
        ...after(query.cursor),
        limit: limit + 1,
      })
      return pageByTime(rows, limit, findingOf)
    },
  )

  const one = async (id: string): Promise<Row> => {
    const [row] = await db.query<Row>(sql('findings'), { ...EVERYTHING, id })
    if (!row) throw notFound(`no finding ${JSON.stringify(id)}`)
    return findingOf(row)
  }

  const params = {
    type: 'object',
    properties: { id: { type: 'string', minLength: 1, maxLength: 255 } },
  }

  app.get<{ Params: { id: string } }>(
    '/findings/:id',
    { schema: s.route('findings', 'One finding', shapes.finding, { params }) },
    ({ params: { id } }) => one(id),
  )

  app.get<{ Params: { id: string } }>(
    '/findings/:id/evidence',
    {
      schema: s.route(
        'findings',
        'The evidence of a finding, with the rows of the log behind it',
        s.object({
          items: s.list({ type: 'object', additionalProperties: true }),
          routes: s.list(shapes.route),
          sessions: s.list({ type: 'object', additionalProperties: true }),
        }),
        { params },
      ),
    },
    async ({ params: { id } }) => {
      const finding = await one(id)
      const items = Array.isArray(finding['evidence']) ? (finding['evidence'] as Row[]) : []
      const rows = items.flatMap(identity).slice(0, 500)
      if (rows.length === 0) return { items, routes: [], sessions: [] }
      const times = rows.map(([, , at]) => at)
      const sorted = times.toSorted()
      const span = {
        routers: rows.map(([router]) => router),
        seqs: rows.map(([, seq]) => seq),
        times,
        from: sorted[0],
        to: sorted.at(-1),
      }
      const [routes, sessions] = await Promise.all([
        db.query<Row>(sql('evidence_routes'), span),
        db.query<Row>(sql('evidence_sessions'), span),
      ])
      const numbered = (row: Row): Row => withNumbers(row, ['seq', 'bmp_session'])
      return { items, routes: routes.map(numbered), sessions: sessions.map(numbered) }
    },
  )

  app.get<{ Querystring: FindingsQuery }>(
    '/incidents',
    {
      schema: s.route('incidents', 'Incidents: findings with one cause', s.page(shapes.incident), {
        querystring: s.query({
          status: s.wordsOf('open, resolved'),
          severity: s.wordsOf('info, minor, major, critical'),
          from: s.parameters.from,
          to: s.parameters.to,
          limit: s.limit(limits.rows),
          cursor: s.parameters.cursor,
        }),
      }),
    },
    async ({ query }) => {
      const { limit } = query
      const rows = await db.query<Row>(sql('incidents'), {
        id: '',
        status: words(query.status),
        severity: words(query.severity),
        ...clickhouseSpan(query),
        ...after(query.cursor),
        limit: limit + 1,
      })
      return pageByTime(rows, limit, incidentOf)
    },
  )

  app.get<{ Params: { id: string } }>(
    '/incidents/:id',
    {
      schema: s.route(
        'incidents',
        'One incident, with its findings in full',
        s.object({
          ...(shapes.incident['properties'] as Record<string, s.Schema>),
          items: s.list(shapes.finding),
        }),
        { params },
      ),
    },
    async ({ params: { id } }) => {
      const [row] = await db.query<Row>(sql('incidents'), {
        ...EVERYTHING,
        id,
      })
      if (!row) throw notFound(`no incident ${JSON.stringify(id)}`)
      const findings = await db.query<Row>(sql('findings'), {
        ...EVERYTHING,
        incident: id,
        limit: limits.rows,
      })
      return { ...incidentOf(row), items: findings.map(findingOf) }
    },
  )
}

/** `entity` and `name` of the store as DESIGN 4.1 has them: a key of that name. */
export function incidentOf(row: Row): Row {
  const { entity, name } = row as { entity: string; name: string }
  return { ...without(row, ['first_us']), ...(entity === '' ? {} : { [entity]: name }) }
}

/** (router, seq, time) of a piece of evidence, when it names a row of the log. */
function identity(item: Row): [string, number, string][] {
  const { router, seq, rx_ts } = item
  const number = Number(seq)
  if (typeof router !== 'string' || typeof rx_ts !== 'string' || !Number.isSafeInteger(number)) {
    return []
  }
  try {
    const zoned = /(?:Z|[+-]\d\d:\d\d)$/.test(rx_ts) ? rx_ts : `${rx_ts}Z`
    return [[router, number, clickhouseTime('rx_ts', zoned)]]
  } catch {
    return []
  }
}
