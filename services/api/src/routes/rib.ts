/** Looking glass and time travel. */
import { parseAddress } from '@ribscope/fabric'
import { StoreError } from '@ribscope/store'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import {
  BAD_PATTERN,
  MATCHES,
  peerOf,
  prefixOf,
  RIBS,
  routeWords,
  where,
  type Match,
} from '../lookup.ts'
import { badRequest } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, without, words, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { clickhouseTime, TIME_MAX } from '../time.ts'

interface RibQuery {
  readonly router?: string
  readonly rib?: (typeof RIBS)[number]
  readonly peer?: string
  readonly prefix?: string
  readonly match: Match
  readonly vrf?: string
  readonly afi?: number
  readonly safi?: number
  readonly next_hop?: string
  readonly as_path?: string
  readonly community?: string[]
  readonly origin_node?: string
  readonly rd?: string
  readonly at?: string
  readonly limit: number
  readonly cursor?: string
}

const KEY = 'snnnssnsn'

function after(cursor: string | undefined): Record<string, string | number> {
  const values =
    cursor === undefined ? ['::', 0, 0, 0, '', '0', 0, '', 0] : decodeCursor(cursor, KEY)
  const [k_addr, k_bits, k_afi, k_safi, k_router, k_peer, k_rib, k_nlri, k_path] = values as [
    string,
    number,
    number,
    number,
    string,
    string,
    number,
    string,
    number,
  ]
  const sane =
    parseAddress(k_addr)?.family === 6 &&
    k_bits <= 128 &&
    k_afi <= 65535 &&
    k_safi <= 255 &&
    k_rib <= 5 &&
    k_path < 2 ** 32 &&
    /^\d{1,19}$|^1\d{19}$/.test(k_peer) &&
    /^([0-9A-F]{2})*$/.test(k_nlri)
  if (!sane) throw badRequest('cursor: not one of this list', 'bad-cursor')
  const more = cursor === undefined ? 0 : 1
  return { more, k_addr, k_bits, k_afi, k_safi, k_router, k_peer, k_rib, k_nlri, k_path }
}

const KEY_COLUMNS = ['key_hex', 'key_addr', 'key_rib', 'key_peer', 'key_bits', 'key_route'] as const

const keyOf = (row: Row): (string | number)[] => [
  String(row['key_addr']),
  Number(row['key_bits']),
  Number(row['afi']),
  Number(row['safi']),
  String(row['router']),
  String(row['key_peer']),
  Number(row['key_rib']),
  String(row['key_hex']),
  Number(row['path_id']),
]

/** A statement about the past, asked of one router: its part of the log in receive order answers sooner. */
const ofRouter = (name: string): string =>
  sql(name).replace(
    'ribscope.rib_live_at(at =',
    'ribscope.router_rib_live_at(router = {router:String}, at =',
  )

export function ribRoutes(app: FastifyInstance, { db, limits }: Context): void {
  app.get<{ Querystring: RibQuery }>(
    '/rib',
    {
      schema: s.route(
        'rib',
        'Routes that routers have now, or had at an instant',
        s.page(shapes.ribRoute),
        {
          querystring: s.query({
            router: s.parameters.router,
            rib: { type: 'string', enum: RIBS },
            peer: {
              type: 'string',
              maxLength: 255,
              description: 'address, peer_key, or name of the node or router at the other end',
            },
            prefix: s.parameters.prefix,
            match: {
              type: 'string',
              enum: MATCHES,
              default: 'exact',
              description:
                'exact; longest: what each view (router, peer, table, family, VRF) would use for it; covering: it and all that it lies in; covered: it and all inside it',
            },
            vrf: s.about(
              s.parameters.vrf,
              'name of the VRF, `default` for the global one; of VPN and EVPN routes by L3VNI or route target',
            ),
            next_hop: { type: 'string', maxLength: 64, description: 'address' },
            as_path: {
              type: 'string',
              maxLength: 200,
              description:
                'regular expression (RE2) over the path as text, `65001 65002 {65003,65004}`; `_` is a boundary as on routers: `_65001_`, `_65002$`, `^$`',
            },
            community: s.wordsOf(
              '65000:1, 65000:1:2 (large), rt:65000:100 and the other extended ones as answers have them, or a name such as no-export; all of them',
            ),
            origin_node: {
              type: 'string',
              maxLength: 255,
              description: 'node that announced it first, as far as is known',
            },
            rd: {
              type: 'string',
              maxLength: 64,
              description: 'distinguisher of the route, or of the session that it came by',
            },
            afi: { type: 'integer', minimum: 1, maximum: 65535 },
            safi: { type: 'integer', minimum: 1, maximum: 255 },
            at: s.parameters.at,
            limit: s.limit(limits.rows),
            cursor: s.parameters.cursor,
          }),
        },
      ),
    },
    async ({ query }) => {
      const { limit, match } = query
      const prefix = query.prefix === undefined ? undefined : prefixOf(query.prefix)
      if (!prefix && match !== 'exact') throw badRequest(`match=${match} goes with a prefix`)
      const at = query.at === undefined ? undefined : clickhouseTime('at', query.at)
      const longest = match === 'longest'
      const statement = at !== undefined && query.router !== undefined && !prefix ? ofRouter : sql
      const wanted = {
        router: query.router ?? '',
        rib: query.rib ?? '',
        vrf: query.vrf ?? '',
        afi: query.afi ?? 0,
        safi: query.safi ?? 0,
        ...peerOf(query.peer),
        ...where(prefix, match),
        ...routeWords({ ...query, community: words(query.community) }),
        ...after(query.cursor),
        at: at ?? TIME_MAX,
        limit: limit + 1,
      }
      // Prefixes by name are read from the log, which has them in order; all routes as of now from the state.
      const keys = at === undefined && wanted.lengths.length === 0 ? 'rib_now_keys' : 'rib_at_keys'
      const found = await refusingPatterns(() =>
        db.query<Row>(statement(longest ? 'rib_at_longest' : keys), wanted),
      )
      const full = keys === 'rib_now_keys' && !longest ? 'rib_now' : 'rib_at'
      const shown = await routesOf(statement(full), found.slice(0, limit), wanted)
      const since = at === undefined ? await sinceNow(shown) : await sinceAt(shown, at)
      const last = found.length > limit ? found[limit - 1] : undefined
      return {
        items: shown.map((row) => ({
          ...withNumbers(without(row, KEY_COLUMNS), ['seq', 'bmp_session']),
          since: since.get(at === undefined ? routeOf(row) : JSON.stringify(keyOf(row))) ?? null,
        })),
        next: last ? encodeCursor(keyOf(last)) : null,
      }
    },
  )

  /** The routes of one page in full. */
  function routesOf(
    statement: string,
    keys: readonly Row[],
    wanted: Readonly<Record<string, unknown>>,
  ): Promise<Row[]> {
    if (keys.length === 0) return Promise.resolve([])
    return db.query<Row>(statement, {
      ...wanted,
      ...prefixList(keys),
      keys: keys.map((row) => BigInt(String(row['key_hash']))),
    })
  }

  async function sinceNow(rows: readonly Row[]): Promise<Map<string, string>> {
    if (rows.length === 0) return new Map()
    const found = await db.query<Row>(sql('rib_since_now'), {
      routers: routersOf(rows),
      routes: rows.map((row) => BigInt(String(row['key_route']))),
    })
    return new Map(found.map((row) => [routeOf(row), String(row['since'])]))
  }

  async function sinceAt(rows: readonly Row[], at: string): Promise<Map<string, string>> {
    if (rows.length === 0) return new Map()
    const wanted = { ...prefixList(rows), routers: routersOf(rows), at }
    const found = await db.query<Row>(sql('rib_since'), wanted)
    return new Map(
      found.map((row) => [
        JSON.stringify([
          row['addr'],
          row['bits'],
          row['afi'],
          row['safi'],
          row['router'],
          row['peer_key'],
          row['rib_id'],
          row['nlri_key'],
          row['path_id'],
        ]),
        String(row['since']),
      ]),
    )
  }
}

const routersOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.map((row) => String(row['router']))),
]

const routeOf = (row: Row): string => `${String(row['router'])} ${String(row['key_route'])}`

/** Each prefix once. */
function prefixList(rows: readonly Row[]): { addresses: string[]; lengths: number[] } {
  const prefixes = new Map(
    rows.map((row) => {
      const [address, bits] = [String(row['key_addr']), Number(row['key_bits'])]
      return [`${address}/${String(bits)}`, [address, bits] as const]
    }),
  )
  return {
    addresses: [...prefixes.values()].map(([address]) => address),
    lengths: [...prefixes.values()].map(([, bits]) => bits),
  }
}

/** A pattern that is no regular expression is the caller's mistake; only the engine knows. */
async function refusingPatterns<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreError && BAD_PATTERN.test(error.message)) {
      throw badRequest('as_path: not a regular expression that RE2 takes', 'bad-pattern')
    }
    throw error
  }
}
