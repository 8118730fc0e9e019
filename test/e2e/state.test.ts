/**
 * The state that the store shows is the state that a plain replay of the log gives: for every recording of real routers and
 * every scenario with reconnections, at several instants, through the collector's encoder, the real engine and its views.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatDateTime64 } from '@ribscope/events'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  announce,
  asPath,
  attribute,
  be,
  family,
  gracefulRestart,
  initiation,
  ip,
  origin,
  peerDown,
  peerUp,
  routeMonitoring,
  update,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { recorded, rowsOf, simulated, stream } from './feeds.ts'
import type { Row, Sent } from './feeds.ts'
import { countNlri } from './nlri-count.ts'
import { replay } from './replay.ts'
import type { Held } from './replay.ts'

// Seconds on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 180_000 })

const root = fileURLToPath(new URL('../../', import.meta.url))
const folders = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(path, entry.name))
        .sort()
    : []
const FIXTURES = folders(join(root, 'test/fixtures/lab'))
const LAB = folders(join(root, '../shared/lab/recordings'))
const VECTORS = join(root, '../shared/vectors')

let store: Store
let db: StoreSession
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-state-'))

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, [])
  db = await store.session('state')
  await migrate(db)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

type Shown = Record<string, unknown>

/** Rows of the fabrics whose names begin with `group`. */
async function shown(
  sql: string,
  group: string,
  params: Readonly<Record<string, string>> = {},
): Promise<Shown[]> {
  const rows = await db.query<Shown>(
    `${sql} WHERE startsWith(router, {group:String}) ORDER BY bmp_session, router, seq`,
    { group, ...params },
  )
  return rows.map((row) => ({
    ...row,
    // DESIGN 4.1: these two stay below 2^53 and are numbers on the command line.
    seq: Number(row['seq']),
    bmp_session: Number(row['bmp_session']),
  }))
}

const key = (row: Shown): string => `${row['bmp_session']} ${row['router']} ${row['seq']}`
const byKey = (rows: readonly Shown[]): Map<string, Shown> =>
  new Map(rows.map((row) => [key(row), row]))

/** Whole rows are compared: what is announced, and every column of how. */
function compare(what: string, got: readonly Shown[], wanted: readonly Shown[]): void {
  const rows = byKey(got)
  expect(rows.size, `${what}: rows more than once`).toBe(got.length)
  const missing = wanted.filter((row) => !rows.has(key(row))).map(brief)
  const expected = byKey(wanted)
  const tooMany = got.filter((row) => !expected.has(key(row))).map(brief)
  expect({ missing, tooMany }, what).toEqual({ missing: [], tooMany: [] })
  for (const row of wanted) {
    const other = rows.get(key(row))
    if (JSON.stringify(other) !== JSON.stringify(row)) expect(other, what).toEqual(row)
  }
}

const brief = (row: Shown): string =>
  ['router', 'peer_addr', 'rib', 'nlri', 'path_id', 'bmp_session', 'seq', 'rx_ts', 'stale']
    .map((column) => String(row[column]))
    .join(' ')

const asState = (held: Held): Shown => {
  const { table: _, ...row } = held.row
  return { ...row, stale: Number(held.stale) }
}

/** Instants worth a look: in the middle of things, after Peer Downs, after BMP loss, after the last timer. */
function instants(feed: readonly Sent[], rows: readonly Row[], endUs: number): string[] {
  const from = Math.min(...feed.map((each) => each.openedUs))
  const to = Math.max(...feed.map((each) => each.endUs))
  const first = (kind: string): string[] =>
    rows
      .filter((row) => row['kind'] === kind && (kind !== 'peer_down' || row['counted'] === 1))
      .map((row) => row.rx_ts)
      .sort()
  const downs = first('peer_down')
  return [
    ...new Set([
      ...[from + (to - from) / 3, from + ((to - from) * 2) / 3, endUs].map((us) =>
        formatDateTime64(Math.floor(us)),
      ),
      ...downs.slice(0, 1),
      ...downs.slice(-1),
      ...first('bmp_down').slice(0, 1),
    ]),
  ]
}

async function check(group: string, feed: readonly Sent[]): Promise<Row[]> {
  const { batches, rows, endUs } = rowsOf(feed)
  await insertBatches(store, batches)
  const printed = rows
    .filter((row) => row.table === 'route_events')
    .map(({ table: _, ...row }) => row)
  expect(printed.length).toBeGreaterThan(100)
  compare('route_events', await shown('SELECT * FROM ribscope.route_events', group), printed)

  for (const at of instants(feed, rows, endUs)) {
    const wanted = [...replay(rows.filter((row) => row.rx_ts <= at)).values()].map(asState)
    const got = await shown('SELECT * FROM ribscope.rib_at(at = {at:String})', group, { at })
    compare(`rib_at ${at}`, got, wanted)
  }
  const held = [...replay(rows).values()]
  const current = await shown('SELECT * EXCEPT view_trust FROM ribscope.rib_current', group)
  const wanted = held.map((each) => ({ ...asState(each), since: each.since }))
  compare('rib_current', current, wanted)
  return rows
}

/**
 * Rows are as many as the NLRI in the octets, session by session.
 *
 * @returns sessions that could be counted
 */
function expectCounted(feed: readonly Sent[], rows: readonly Row[]): number {
  let n = 0
  for (const { fabric, source, openedUs, chunks } of feed) {
    const own = rows.filter(
      (row) =>
        row.bmp_session === openedUs &&
        row['router_addr'] === source &&
        row.router.startsWith(`${fabric}/`),
    )
    const errors = own.filter((row) => row.table === 'route_errors')
    const octets = Buffer.concat(chunks.map(({ bytes }) => bytes))
    // What cannot be decoded has no rows that one could count; BMP version 4 is counted elsewhere.
    if (errors.length > 0 || octets[0] !== 3) continue
    n++
    const of = (action: string): number => own.filter((row) => row['action'] === action).length
    expect(
      { announced: of('announce'), withdrawn: of('withdraw') },
      `${fabric} ${source} ${own[0]?.router}`,
    ).toEqual(countNlri(octets))
  }
  return n
}

const START_US = 1_800_000_000_000_000

test('recordings of FRR and GoBGP', async () => {
  const feed: Sent[] = []
  for (const folder of FIXTURES) {
    feed.push(...(await recorded(folder, `fixture/${basename(folder)}`, START_US)))
  }
  const rows = await check('fixture/', feed)
  const counted = expectCounted(feed, rows)
  // GoBGP's OPENs of an unknown peer do not decode: such a session is not counted.
  expect(counted).toBeGreaterThan(feed.length * 0.8)
  // One prefix of its own is what it is among all.
  const first = (column: string, value: unknown, bits: string): string =>
    String(
      rows.find((row) => row[column] === value && String(row['prefix']).endsWith(bits))!['prefix'],
    )
  for (const prefix of [
    first('afi', 1, '/32'),
    first('afi', 2, ''),
    first('evpn_type', 2, '/32'),
    first('evpn_type', 5, ''),
  ]) {
    const [one, all] = await Promise.all(
      ['route_history(prefix = {prefix:String})', 'route_event_class'].map((source) =>
        shown(
          `SELECT * FROM (SELECT * FROM ribscope.${source} WHERE prefix = {prefix:String})`,
          'fixture/',
          { prefix },
        ),
      ),
    )
    const sorted = (list: readonly Shown[]): string[] =>
      list.map((row) => JSON.stringify(row)).sort()
    expect(all!.length, prefix).toBeGreaterThan(10)
    expect(sorted(one!), prefix).toEqual(sorted(all!))
  }
})

test.skipIf(LAB.length === 0)(
  'recordings of the lab (skipped: ../shared/lab/recordings is not there)',
  async () => {
    const feed: Sent[] = []
    for (const folder of LAB) {
      feed.push(...(await recorded(folder, `lab/${basename(folder)}`, START_US)))
    }
    expect(expectCounted(feed, await check('lab/', feed))).toBe(feed.length)
  },
)

test('scenarios with reconnections, reconciliation and graceful restart', async () => {
  const feed = ['A06', 'A07', 'A10', 'A20', 'A21'].flatMap(simulated)
  const rows = await check('A', feed)
  expect(expectCounted(feed, rows)).toBe(feed.length)
  const kinds = new Set(rows.map((row) => row['kind']))
  expect([...kinds]).toEqual(expect.arrayContaining(['bmp_down', 'dump_done', 'gr_expired']))
})

test.skipIf(!existsSync(VECTORS))(
  "other vendors' streams (skipped: ../shared/vectors is not there)",
  async () => {
    const feed = readdirSync(VECTORS, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.bmp'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => stream(file, `vector/${relative(VECTORS, file)}`, START_US))
    const counted = expectCounted(feed, await check('vector/', feed))
    expect(counted).toBeGreaterThan(feed.length * 0.8)
  },
)

test('graceful restart keeps the families of capability 64, the others end with the Peer Down', async () => {
  const peer: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
  const families = [family(1, 1), family(2, 1), gracefulRestart(0, 60, [1, 1])]
  const v6 = [...be(2, 2), 1, 16, ...ip('2001:db8::1'), 0, 64, ...ip('2001:db8:1::').slice(0, 8)]
  const announceV6 = routeMonitoring(
    peer,
    update({ attributes: [...origin(), ...asPath(64501), ...attribute(0x80, 14, v6)] }),
  )
  const second = (n: number, ...messages: readonly (readonly number[])[]) => ({
    us: START_US + n * 1e6,
    bytes: Uint8Array.from(messages.flat()),
  })
  const feed: Sent[] = [
    {
      fabric: 'hand',
      source: '192.0.2.254',
      openedUs: START_US,
      chunks: [
        second(0, initiation('gr'), peerUp(peer, { sent: families, received: families })),
        second(1, announce(peer, '203.0.113.1/32'), announceV6),
        second(20, peerDown(peer, 4)),
      ],
      end: 'stop',
      endUs: START_US + 30e6,
    },
  ]
  const { batches, rows, endUs } = rowsOf(feed)
  await insertBatches(store, batches)
  const at = async (us: number): Promise<unknown> =>
    (
      await shown('SELECT * FROM ribscope.rib_at(at = {at:String})', 'hand/', {
        at: formatDateTime64(us),
      })
    )
      .map((row) => [row['nlri'], row['stale']])
      .sort()
  expect(await at(START_US + 19e6)).toEqual([
    ['2001:db8:1::/64', 0],
    ['203.0.113.1/32', 0],
  ])
  expect(await at(START_US + 21e6)).toEqual([['203.0.113.1/32', 1]])
  expect(await at(endUs)).toEqual([])
  for (const us of [START_US + 19e6, START_US + 21e6, endUs]) {
    const until = rows.filter((row) => row.rx_ts <= formatDateTime64(us))
    const held = [...replay(until).values()].map(({ row, stale }) => [row['nlri'], Number(stale)])
    expect(held.sort()).toEqual(await at(us))
  }
  const ended = await shown(
    'SELECT nlri, cause, rx_ts, router, bmp_session, seq FROM (SELECT * FROM ribscope.route_event_class WHERE implied)',
    'hand/',
  )
  expect(ended.map(({ nlri, cause, rx_ts }) => [nlri, cause, rx_ts]).sort()).toEqual([
    ['2001:db8:1::/64', 'peer_down', formatDateTime64(START_US + 20e6)],
    // 60 s of restart time and 5 s of grace.
    ['203.0.113.1/32', 'gr_expired', formatDateTime64(START_US + 85e6)],
  ])
})
