/** Looking glass and time travel. */
import { parseAddress, parsePrefix, type Prefix } from '@ribscope/fabric'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { badRequest } from '../problem.ts'
import { sql } from '../queries.ts'
import { withNumbers, without, type Row } from '../rows.ts'
import * as s from '../schemas.ts'
import * as shapes from '../shapes.ts'
import { clickhouseNow, clickhouseTime } from '../time.ts'

const RIBS = ['adj_in_pre', 'adj_in_post', 'loc_rib', 'adj_out_pre', 'adj_out_post'] as const
const MATCHES = ['exact', 'longest', 'covered'] as const

interface RibQuery {
  readonly router?: string
  readonly rib?: (typeof RIBS)[number]
  readonly peer?: string
  readonly prefix?: string
  readonly match: (typeof MATCHES)[number]
  readonly vrf?: string
  readonly afi?: number
  readonly safi?: number
  readonly at?: string
  readonly limit: number
  readonly cursor?: string
}

/** As the store keeps addresses: IPv4 as ::ffff:a.b.c.d. */
const stored = (family: 4 | 6, text: string): string => (family === 4 ? `::ffff:${text}` : text)

/** Parameters of rib_now.sql and rib_at.sql that choose prefixes. */
interface Where {
  readonly ip_version: number
  readonly first: string
  readonly last: string
  readonly bits: number
  readonly addresses: readonly string[]
  readonly lengths: readonly number[]
}

const ANYWHERE: Where = { ip_version: 0, first: '', last: '', bits: 0, addresses: [], lengths: [] }

function where(prefix: Prefix | undefined, match: RibQuery['match']): Where {
  if (!prefix) return ANYWHERE
  const { family, bits } = prefix
  if (match === 'covered') {
    const [first, last] = [prefix.first, prefix.last].map((v) =>
      stored(family, addressText(family, v)),
    )
    return { ...ANYWHERE, ip_version: family, first: first ?? '', last: last ?? '', bits }
  }
  const lengths = match === 'exact' ? [bits] : Array.from({ length: bits + 1 }, (_, i) => i)
  const width = family === 4 ? 32 : 128
  const addresses = lengths.map((length) => {
    const host = (1n << BigInt(width - length)) - 1n
    return stored(family, addressText(family, prefix.first & ~host))
  })
  return { ...ANYWHERE, ip_version: family, addresses, lengths }
}

function addressText(family: 4 | 6, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((n) => String((value >> n) & 255n)).join('.')
  return [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n]
    .map((n) => ((value >> n) & 0xffffn).toString(16))
    .join(':')
}

/** A peer is an address, a key of the log, or the name of the node or device at the other end. */
function peerOf(text: string | undefined): Record<'peer_addr' | 'peer_name' | 'peer_key', string> {
  const none = { peer_addr: '', peer_name: '', peer_key: '0' }
  if (text === undefined) return none
  const address = parseAddress(text)
  if (address) return { ...none, peer_addr: stored(address.family, address.text) }
  if (/^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n) return { ...none, peer_key: text }
  return { ...none, peer_name: text }
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

const KEY_COLUMNS = ['key_hex', 'key_addr', 'key_rib', 'key_peer', 'key_bits'] as const

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

/** Of routes that cover a prefix, those that a router would use: the longest of each of its views. */
export function longestOnly(rows: readonly Row[]): Row[] {
  const view = (row: Row): string =>
    JSON.stringify([
      row['router'],
      row['key_peer'],
      row['rib'],
      row['afi'],
      row['safi'],
      row['vrf'],
    ])
  const longest = new Map<string, number>()
  for (const row of rows) {
    longest.set(view(row), Math.max(longest.get(view(row)) ?? 0, Number(row['key_bits'])))
  }
  return rows.filter((row) => Number(row['key_bits']) === longest.get(view(row)))
}

export function ribRoutes(app: FastifyInstance, { db, limits, now }: Context): void {
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
                'exact; longest: what each view would use for it; covered: all inside it',
            },
            vrf: s.parameters.vrf,
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
      const prefix = query.prefix === undefined ? undefined : parsePrefix(query.prefix)
      if (query.prefix !== undefined && !prefix) {
        throw badRequest(
          `prefix ${JSON.stringify(query.prefix)}: expected PREFIX/LENGTH`,
          'bad-prefix',
        )
      }
      const longest = match === 'longest' && prefix !== undefined
      if (longest && query.cursor !== undefined) {
        throw badRequest('cursor: match=longest has one page', 'bad-cursor')
      }
      const at = query.at === undefined ? undefined : clickhouseTime('at', query.at)
      const statement = at === undefined ? 'rib_now' : 'rib_at'
      const wanted = {
        router: query.router ?? '',
        rib: query.rib ?? '',
        vrf: query.vrf ?? '',
        afi: query.afi ?? 0,
        safi: query.safi ?? 0,
        ...peerOf(query.peer),
        ...where(prefix, match),
        ...after(query.cursor),
        ...(at === undefined ? {} : { at }),
        limit: longest ? limits.rows : limit + 1,
      }
      const rows = await db.query<Row>(sql(statement), {
        ...wanted,
        ...(wanted.lengths.length === 0 ? await prefixesOf(statement, wanted) : {}),
      })
      const chosen = longest ? longestOnly(rows) : rows
      const shown = chosen.slice(0, limit)
      const since = await sinceOf(shown, at ?? clickhouseNow(now()))
      const last = shown.at(-1)
      return {
        items: shown.map((row) => ({
          ...withNumbers(without(row, KEY_COLUMNS), ['seq', 'bmp_session']),
          since: since.get(JSON.stringify(keyOf(row))) ?? null,
        })),
        next: !longest && rows.length > limit && last ? encodeCursor(keyOf(last)) : null,
      }
    },
  )

  /** The prefixes of one page: found by few columns, so that all columns are read of these routes only. */
  async function prefixesOf(
    statement: string,
    wanted: Readonly<Record<string, unknown>>,
  ): Promise<{ addresses: string[]; lengths: number[] }> {
    const found = await db.query<{ address: string; length: number }>(
      sql(`${statement}_prefixes`),
      wanted,
    )
    // No routes, no prefixes; an empty list would mean all.
    if (found.length === 0) return { addresses: ['::'], lengths: [255] }
    return {
      addresses: found.map(({ address }) => address),
      lengths: found.map(({ length }) => length),
    }
  }

  async function sinceOf(rows: readonly Row[], at: string): Promise<Map<string, string>> {
    const prefixes = new Map(
      rows.map((row) => [
        `${String(row['key_addr'])}/${String(row['key_bits'])}`,
        [String(row['key_addr']), Number(row['key_bits'])] as const,
      ]),
    )
    if (prefixes.size === 0) return new Map()
    const keys = [...prefixes.values()]
    const found = await db.query<Row>(sql('rib_since'), {
      addresses: keys.map(([address]) => address),
      lengths: keys.map(([, length]) => length),
      at,
    })
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
