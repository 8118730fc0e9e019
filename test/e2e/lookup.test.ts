/**
 * Look-ups at an instant: longest match against a plain trie, on random tables of both families, and every filter of GET /rib
 * against the same question asked of all rows, on recordings of real routers. Through the collector's code, the real engine, the
 * views and the HTTP API.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApi, type Api } from '@ribscope/api'
import { detectorViews } from '@ribscope/detectors'
import { formatDateTime64 } from '@ribscope/events'
import { formatAddress } from '@ribscope/fabric'
import { migrate, type Store, type StoreSession } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import fc from 'fast-check'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  announce,
  asPath,
  attribute,
  be,
  family,
  initiation,
  ip,
  origin,
  peerUp,
  routeMonitoring,
  update,
  withdraw,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { SEED } from '../setup/seed.ts'
import { recorded, rowsOf } from './feeds.ts'
import type { Sent } from './feeds.ts'

// Seconds on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const START_US = 1_800_000_000_000_000
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-lookup-'))
let store: Store
let db: StoreSession
let api: Api

type Json = Record<string, unknown>

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('lookup')
  await migrate(db, detectorViews())
  api = createApi(
    { host: '127.0.0.1', port: 0, hosts: [], origins: [], insecure: false },
    {
      store,
      log: pino({ level: 'silent' }),
      registry: new Registry(),
      readiness: () => ({ schema: true, bmp: true, analyst: true }),
    },
  )
  await api.start()
})
afterAll(async () => {
  await api.stop()
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function rib(query: Readonly<Record<string, string | readonly string[]>>): Promise<Json[]> {
  const items: Json[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const url = new URL('/api/v1/rib', api.address!.url)
    for (const [name, value] of Object.entries(query)) {
      for (const each of typeof value === 'string' ? [value] : value) {
        url.searchParams.append(name, each)
      }
    }
    if (!('limit' in query)) url.searchParams.set('limit', '10000')
    if (cursor !== '') url.searchParams.set('cursor', cursor)
    const response = await fetch(url)
    const body = (await response.json()) as { items: Json[]; next: string | null; detail?: string }
    expect(response.status, `${url.search}: ${body.detail ?? ''}`).toBe(200)
    items.push(...body.items)
    cursor = body.next
  }
  return items
}

// --- longest match against a trie --------------------------------------------------------------------

interface Table {
  /** [value of the address, bits] */
  readonly prefixes: readonly (readonly [bigint, number])[]
  /** announced first and withdrawn later */
  readonly gone: readonly (readonly [bigint, number])[]
}

const width = { 4: 32, 6: 128 } as const
const masked = (v: 4 | 6, value: bigint, bits: number): bigint =>
  value & ~((1n << BigInt(width[v] - bits)) - 1n)
const text = (v: 4 | 6, [value, bits]: readonly [bigint, number]): string =>
  `${formatAddress(v, masked(v, value, bits))}/${bits}`

/** Addresses whose bits agree often, so that prefixes lie in each other. */
const address = (v: 4 | 6): fc.Arbitrary<bigint> => {
  const base = v === 4 ? 0x0a000000n : 0x20010db8n << 96n
  return fc
    .array(fc.nat(width[v] - 1), { maxLength: 4 })
    .map((flips) => flips.reduce((value, bit) => value ^ (1n << BigInt(bit)), base))
}

const tableOf = (v: 4 | 6): fc.Arbitrary<Table> => {
  const prefixes = fc.array(fc.tuple(address(v), fc.nat(width[v])), { maxLength: 25 })
  return fc.record({ prefixes, gone: prefixes })
}

/** A binary trie: the plainest longest match there is. */
class Trie {
  readonly #root: TrieNode = {}

  set([value, bits]: readonly [bigint, number], v: 4 | 6): void {
    let at = this.#root
    for (let i = 0; i < bits; i++) at = at[bitOf(v, value, i)] ??= {}
    at.end = bits
  }

  longest(value: bigint, v: 4 | 6, upTo: number): number | undefined {
    let at: TrieNode | undefined = this.#root
    let found = at.end
    for (let i = 0; i < upTo && at !== undefined; i++) {
      at = at[bitOf(v, value, i)]
      found = at?.end ?? found
    }
    return found
  }
}
interface TrieNode {
  0?: TrieNode
  1?: TrieNode
  end?: number
}
const bitOf = (v: 4 | 6, value: bigint, i: number): 0 | 1 =>
  (value >> BigInt(width[v] - 1 - i)) & 1n ? 1 : 0

const PEERS: readonly HandPeer[] = ['192.0.2.1', '192.0.2.2'].map((id, i) => ({
  address: id,
  asn: 64501 + i,
  id,
}))

function messages(
  v: 4 | 6,
  peer: HandPeer,
  what: 'announce' | 'withdraw',
  prefix: string,
): number[] {
  if (v === 4) return what === 'announce' ? announce(peer, prefix) : withdraw(peer, prefix)
  const [host = '', bits = ''] = prefix.split('/')
  const nlri = [Number(bits), ...ip(host).slice(0, Math.ceil(Number(bits) / 8))]
  return routeMonitoring(
    peer,
    what === 'withdraw'
      ? update({ attributes: attribute(0x80, 15, [...be(2, 2), 1, ...nlri]) })
      : update({
          attributes: [
            ...origin(),
            ...asPath(Number(peer.asn)),
            ...attribute(0x80, 14, [...be(2, 2), 1, 16, ...ip('2001:db8::1'), 0, ...nlri]),
          ],
        }),
  )
}

let tables = 0

/** A router with a table per peer; what is gone was announced at first. */
async function load(
  v: 4 | 6,
  given: readonly Table[],
): Promise<{ router: string; before: string }> {
  const fabric = `lpm${++tables}`
  const families = [family(1, 1), family(2, 1)]
  const bytes = (lines: readonly (readonly number[])[]): Uint8Array => Uint8Array.from(lines.flat())
  const say = (what: 'announce' | 'withdraw', of: (t: Table) => Table['gone']): number[][] =>
    given.flatMap((each, i) => {
      const kept = new Set(what === 'withdraw' ? each.prefixes.map((p) => text(v, p)) : [])
      const texts = new Set(of(each).map((p) => text(v, p)))
      return [...texts].filter((p) => !kept.has(p)).map((p) => messages(v, PEERS[i]!, what, p))
    })
  const feed: Sent[] = [
    {
      fabric,
      source: '192.0.2.254',
      openedUs: START_US,
      chunks: [
        {
          us: START_US,
          bytes: bytes([
            initiation('r'),
            ...PEERS.map((peer) => peerUp(peer, { sent: families, received: families })),
          ]),
        },
        { us: START_US + 1e6, bytes: bytes(say('announce', (t) => [...t.gone, ...t.prefixes])) },
        { us: START_US + 3e6, bytes: bytes(say('withdraw', (t) => t.gone)) },
      ],
      end: 'fin',
      endUs: START_US + 10e6,
    },
  ]
  const { batches } = rowsOf(feed)
  await insertBatches(store, batches)
  return { router: `${fabric}/r`, before: formatDateTime64(START_US + 2e6) }
}

describe.each([4, 6] as const)('IPv%s', (v) => {
  test('longest match is that of a trie, now and before, in the view and in the API', async () => {
    const wantedOf = (sets: readonly Table[], all: boolean) => {
      return sets.map((each) => {
        const trie = new Trie()
        for (const p of [...each.prefixes, ...(all ? each.gone : [])]) trie.set(p, v)
        return trie
      })
    }
    let found = 0
    let nothing = 0
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(tableOf(v), tableOf(v)),
        fc.array(fc.tuple(address(v), fc.oneof(fc.constant(width[v]), fc.nat(width[v]))), {
          minLength: 2,
          maxLength: 4,
        }),
        async (sets, questions) => {
          const { router, before } = await load(v, sets)
          const now = wantedOf(sets, false)
          const then = wantedOf(sets, true)
          for (const [value, bits] of questions) {
            const asked = bits === width[v] ? formatAddress(v, value) : text(v, [value, bits])
            const expected = (tries: readonly Trie[]): string[] =>
              tries
                .flatMap((trie, i) => {
                  const length = trie.longest(value, v, bits)
                  return length === undefined
                    ? []
                    : [`${PEERS[i]!.address} ${text(v, [value, length])}`]
                })
                .sort()
            const shown = (rows: readonly Json[]): string[] =>
              rows.map((row) => `${String(row['peer_addr'])} ${String(row['prefix'])}`).sort()
            const view = (source: string): Promise<Json[]> =>
              db.query(
                `SELECT peer_addr, prefix FROM ribscope.${source} WHERE router = {router:String}`,
                {
                  router,
                  asked,
                  before,
                },
              )
            const wanted = expected(now)
            if (wanted.length > 0) found++
            else nothing++
            const hint = `${asked} at ${router}`
            expect(shown(await view('lpm(address = {asked:String})')), hint).toEqual(wanted)
            expect(shown(await rib({ router, prefix: asked, match: 'longest' })), hint).toEqual(
              wanted,
            )
            const earlier = expected(then)
            expect(
              shown(await view('lpm_at(address = {asked:String}, at = {before:String})')),
              hint,
            ).toEqual(earlier)
            const at = `${before.replace(' ', 'T')}${before.endsWith('Z') ? '' : 'Z'}`
            expect(shown(await rib({ router, prefix: asked, match: 'longest', at })), hint).toEqual(
              earlier,
            )
            // All that it lies in, and all that lies in it.
            const inside = (outer: string, inner: string): boolean => {
              const [o, i] = [outer, inner].map((each) => each.split('/')) as [string[], string[]]
              const [ov, iv] = [values.get(outer) ?? 0n, values.get(inner) ?? 0n]
              return Number(o[1]) <= Number(i[1]) && masked(v, iv, Number(o[1])) === ov
            }
            const values = new Map<string, bigint>()
            const named = (value_: bigint, bits_: number): string => {
              const name = text(v, [value_, bits_])
              values.set(name, masked(v, value_, bits_))
              return name
            }
            const me = named(value, bits)
            const held = sets.map(({ prefixes }) => [
              ...new Set(prefixes.map(([each, length]) => named(each, length))),
            ])
            const those = (keep: (name: string) => boolean): string[] =>
              held
                .flatMap((names, i) =>
                  names.filter(keep).map((name) => `${PEERS[i]!.address} ${name}`),
                )
                .sort()
            expect(shown(await rib({ router, prefix: me, match: 'covering' })), hint).toEqual(
              those((name) => inside(name, me)),
            )
            expect(shown(await rib({ router, prefix: me, match: 'covered' })), hint).toEqual(
              those((name) => inside(me, name)),
            )
          }
        },
      ),
      { numRuns: 6, seed: SEED + v },
    )
    // Not all of one kind: the test would prove little.
    expect(found).toBeGreaterThan(2)
    expect(nothing).toBeGreaterThan(0)
  })
})

// --- filters -------------------------------------------------------------------------------------------

describe('recordings of FRR and GoBGP', () => {
  let all: Json[]
  const columns = ['router', 'peer_addr', 'rib', 'afi', 'safi', 'nlri', 'path_id', 'seq']
  const id = (row: Json): string => columns.map((name) => String(row[name])).join(' ')
  const ids = (rows: readonly Json[]): string[] => rows.map(id).sort()

  beforeAll(async () => {
    const lab = fileURLToPath(new URL('../fixtures/lab/', import.meta.url))
    const feed: Sent[] = []
    for (const entry of readdirSync(lab, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      feed.push(...(await recorded(join(lab, entry.name), `lab/${entry.name}`, START_US)))
    }
    const { batches, rows } = rowsOf(feed)
    await insertBatches(store, batches)
    // Who is a node: enough of an inventory for origins to have names.
    const peers = new Map(
      rows
        .filter((row) => row.table === 'session_events' && row['kind'] === 'peer_up')
        .map((row) => [`${row.router} ${String(row['peer_key'])}`, row]),
    )
    const nodes = [...peers.values()].filter((row) =>
      String(row['peer_bgp_id']).startsWith('10.10.19.'),
    )
    expect(nodes.length).toBeGreaterThan(5)
    const nodeOf = (row: Json): string => `node-${String(row['peer_bgp_id'])}`
    await store.insertRows(
      'fabric_peers',
      nodes.map((row) => ({ router: row.router, peer_key: row['peer_key'], node: nodeOf(row) })),
    )
    const keys = new Set(nodes.map((row) => String(row['peer_bgp_id'])))
    await store.insertRows(
      'fabric_node_keys',
      [...keys].flatMap((key) => [
        { key: `id:${key}`, node: `node-${key}` },
        { key: `ip:${key}`, node: `node-${key}` },
      ]),
    )
    await store.insertRows('fabric_vrfs', [
      { vrf: 'K8S', l3vni: 50001, import_rts: ['65000:50001'], source: 'configured' },
    ])
    all = await rib({})
    expect(all.length).toBeGreaterThan(3000)
  })

  /** The values of a column that the fewest and the most routes have, and some in between. */
  function valuesOf(of: (row: Json) => readonly string[]): string[] {
    const counts = new Map<string, number>()
    for (const value of all.flatMap(of)) counts.set(value, (counts.get(value) ?? 0) + 1)
    const sorted = [...counts].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))
    return [
      ...new Set(
        [0, 0.3, 0.6, 1].map((at) => sorted[Math.floor(at * (sorted.length - 1))]?.[0] ?? ''),
      ),
    ]
  }

  const one =
    (name: string) =>
    (row: Json): string[] =>
      row[name] === '' ? [] : [String(row[name])]
  const some =
    (name: string) =>
    (row: Json): string[] =>
      row[name] as string[]

  test.each([
    ['next_hop', (row: Json) => [...one('next_hop')(row), ...one('next_hop_ll')(row)]],
    ['community', some('communities')],
    ['community', some('ext_communities')],
    ['community', some('large_communities')],
    ['rd', (row: Json) => [...new Set([...one('rd')(row), ...one('peer_rd')(row)])]],
    ['origin_node', one('origin_node')],
    ['vrf', one('vrf_name')],
  ] as const)('%s (%#) finds what all rows say', async (name, of) => {
    const values = valuesOf(of)
    if (values[0] === '') {
      // No lab router sets it: looked up all the same, to find nothing.
      expect(await rib({ [name]: '64999:1:2' })).toEqual([])
      return
    }
    for (const value of values) {
      const wanted = all.filter((row) => of(row).includes(value))
      expect(wanted.length).toBeGreaterThan(0)
      expect(ids(await rib({ [name]: value })), value).toEqual(ids(wanted))
    }
  })

  test('as_path: patterns as routers have them', async () => {
    const paths = valuesOf(one('as_path_text'))
    const [first = '', last = ''] = [paths.at(-1)?.split(' ')[0], paths.at(-1)?.split(' ').at(-1)]
    const words = (row: Json): string[] => (row['as_path_text'] as string).split(/[ ,{}()[\]]/)
    const patterns: [string, (row: Json) => boolean][] = [
      [`_${first}_`, (row) => words(row).includes(first)],
      [`^${first}_`, (row) => words(row)[0] === first],
      [`_${last}$`, (row) => words(row).at(-1) === last],
      ['^$', (row) => row['as_path_text'] === ''],
      ['^[0-9]+$', (row) => /^[0-9]+$/.test(row['as_path_text'] as string)],
      ['_[0-9]+_[0-9]+_', (row) => words(row).length > 1],
      [
        `(${first}|${last})`,
        (row) =>
          /./.test(String(row['as_path_text'])) &&
          [first, last].some((as) => String(row['as_path_text']).includes(as)),
      ],
      ['_4_2_0_', () => false],
    ]
    for (const [pattern, keep] of patterns) {
      expect(ids(await rib({ as_path: pattern })), pattern).toEqual(ids(all.filter(keep)))
    }
  })

  test('together, paged, and at an instant', async () => {
    const value = valuesOf(some('ext_communities')).at(-1)!
    const router = String(
      all.find((row) => some('ext_communities')(row).includes(value))!['router'],
    )
    const keep = (row: Json): boolean =>
      row['router'] === router && row['afi'] === 25 && some('ext_communities')(row).includes(value)
    const wanted = all.filter(keep)
    expect(wanted.length).toBeGreaterThan(3)
    const limit = String(Math.ceil(wanted.length / 3))
    expect(await rib({ router, community: value, afi: '25', limit })).toEqual(wanted)
    const two = wanted
      .map((row) => row['ext_communities'] as string[])
      .find((list) => list.length > 1)
    if (two !== undefined) {
      expect(ids(await rib({ router, community: two.slice(0, 2), afi: '25' }))).toEqual(
        ids(
          wanted.filter((row) =>
            two.slice(0, 2).every((each) => some('ext_communities')(row).includes(each)),
          ),
        ),
      )
    }
    const at = '2199-01-01T00:00:00Z'
    expect(ids(await rib({ router, community: value, afi: '25', at }))).toEqual(ids(wanted))
    expect(await rib({ router, community: value, at: '2001-01-01T00:00:00Z' })).toEqual([])
  })

  test('longest match in a VRF: Type-5 routes by L3VNI, whatever their distinguisher', async () => {
    const t5 = all.filter((row) => row['evpn_type'] === 5 && row['vrf_name'] === 'K8S')
    expect(t5.length).toBeGreaterThan(3)
    const router = String(t5[0]!['router'])
    const host = String(t5[0]!['prefix']).split('/')[0]!
    const found = await rib({ router, prefix: host, match: 'longest', vrf: 'K8S', afi: '25' })
    expect(found.length).toBeGreaterThan(0)
    const views = new Map<string, Json[]>()
    const viewOf = (row: Json): string => `${String(row['peer_key'])} ${String(row['rib'])}`
    for (const row of found) views.set(viewOf(row), [...(views.get(viewOf(row)) ?? []), row])
    for (const rows of views.values()) {
      expect(new Set(rows.map((row) => row['prefix'])).size).toBe(1)
    }
    expect(ids(found)).toEqual(
      ids(
        all.filter(
          (row) =>
            row['router'] === router &&
            row['afi'] === 25 &&
            row['vrf_name'] === 'K8S' &&
            views.get(viewOf(row))?.[0]?.['prefix'] === row['prefix'],
        ),
      ),
    )
  })

  test.each([
    ['as_path=(', 'as_path'],
    ['as_path=[', 'as_path'],
    ['as_path=%5C', 'as_path'],
    ['as_path=', 'as_path'],
    [`as_path=${'1'.repeat(201)}`, 'as_path'],
    ['community=65536:1', 'community'],
    ['community=rt:1', 'community'],
    ['community=nonsense', 'community'],
    ['rd=1', 'rd'],
    ['rd=70000:70000', 'rd'],
    ['next_hop=tor1', 'next_hop'],
    ['match=longest', 'prefix'],
    ['prefix=10.0.0.1&match=best', 'match'],
    ['prefix=x', 'prefix'],
  ])('%s is refused and named', async (query, name) => {
    const response = await fetch(new URL(`/api/v1/rib?${query}`, api.address!.url))
    const body = (await response.json()) as { detail: string }
    expect([response.status, body.detail]).toEqual([400, expect.stringContaining(name)])
  })
})
