/**
 * A data directory of the first released schema (migrations 0001 to 0033), filled with what its collector sent, is upgraded by
 * `migrate`: every row is there with the same values, and state, marks and findings are what they were.
 *
 * test/fixtures/schema-0033: the Native blocks and the rows (`decode --rows --table all`) that version 0.1.0 made of the lab
 * recordings vip-flap and vm-move.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { migrate, migrations, openEmbeddedStore } from '@ribscope/store'
import type { SqlFile, Store, StoreSession } from '@ribscope/store'
import { replay } from './e2e/replay.ts'
import type { Row } from './e2e/feeds.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const FIXTURE = fileURLToPath(new URL('fixtures/schema-0033/', import.meta.url))
const LAST_OF_FIRST = '0033_fabric_rds'
const unzipped = (name: string): Buffer => gunzipSync(readFileSync(join(FIXTURE, name)))

/** A row with everything that moved to another place, small and large numbers, zeros at the end. */
const FULL = {
  addr: '2001:db8::1',
  bits: 128,
  ip_version: 6,
  afi: 25,
  safi: 70,
  router: 'by-hand',
  peer_key: '77',
  rib: 'loc_rib',
  // Type 2: RD 258:7, tag 258, MAC, IPv6 host.
  nlri_key: `\u0002\u0000\u0000\u0001\u0002\u0000\u0000\u0000\u0007\u0000\u0000\u0001\u00020\u0002\u0011"3DU\u0001`,
  path_id: 9,
  bmp_session: '1800000000000000',
  seq: '4097',
  rx_ts: '2027-01-15 08:00:00.000001',
  bmp_ts: '2027-01-15 08:00:00.000000',
  collector: 'c',
  router_addr: '::ffff:192.0.2.1',
  peer_epoch: 2,
  peer_addr: '2001:db8::2',
  peer_asn: 65001,
  peer_bgp_id: 3221225985,
  peer_rd: '281474976710656',
  phase: 'dump',
  vrf: 'blue',
  action: 'announce',
  rd: '1108101562375',
  labels: [16777215, 256],
  next_hop: '2001:db8::3',
  next_hop_ll: 'fe80::',
  origin: 'incomplete',
  as_path: [65001, 4200000000],
  as_path_sets: '65001 {4200000000}',
  med: 0,
  local_pref: 256,
  communities: [4294901760],
  ext_communities: ['844424930131972'],
  large_communities: [65536, 0, 256, 4294967295, 1, 0],
  originator_id: 16777216,
  cluster_list: [256, 0, 167772161],
  evpn_type: 2,
  eth_tag: 258,
  gw_ip: '2001:db8::',
  vni: 50001,
  vni2: 256,
  mm_seq: 0,
  link_bw: 1.25e9,
  encap: 8,
  d_path: '65000:1(1)',
  flags: 4095,
  attr_hash: '18446744073709551615',
  fwd_hash: '1',
  unknown_attrs: ['0xc080:00', '0xc081:ff'],
  decode_errors: ['attribute 4: twice (RFC 7606 section 3)'],
}

let dataDir: string
let store: Store
let db: StoreSession
let rows: Row[]

async function note({ name, text }: SqlFile): Promise<void> {
  await db.command(
    'INSERT INTO ribscope.schema_migrations (name, digest) SELECT {name:String}, {digest:String}',
    { name, digest: createHash('sha256').update(text).digest('hex') },
  )
}

async function fill(): Promise<void> {
  dataDir = mkdtempSync(join(tmpdir(), 'ribscope-upgrade-'))
  store = await openEmbeddedStore({ dataDir })
  db = await store.session('upgrade')
  await db.command('CREATE DATABASE IF NOT EXISTS ribscope')
  await db.command(
    "CREATE TABLE ribscope.schema_migrations (name String, digest String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY name",
  )
  for (const file of migrations()) {
    if (file.name > LAST_OF_FIRST) break
    await db.command(file.text)
    await note(file)
  }
  const columns = JSON.parse(readFileSync(join(FIXTURE, 'columns.json'), 'utf8')) as Record<
    string,
    string[]
  >
  for (const [table, names] of Object.entries(columns)) {
    const body = unzipped(`${table}.native.gz`)
    await store.insert({ table, columns: names, bodies: [body], token: table.replace('_', '-') })
  }
  await store.insertRows('route_log', [FULL])
  await store.insertRows('findings_log', [
    { id: 'f1', version: 1, kind: 'VIP_FLAP', status: 'open', scope: '{}', metrics: '{}' },
  ])
  rows = unzipped('rows.ndjson.gz')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
}

const later = (): SqlFile[] => migrations().filter(({ name }) => name > LAST_OF_FIRST)

/** Marks by what they say; when they were stored does not matter. */
const marks = (): Promise<unknown[]> =>
  db.query('SELECT * EXCEPT inserted_at FROM ribscope.marks FINAL ORDER BY ALL')

async function atOnce(): Promise<void> {
  expect((await migrate(db)).applied).toEqual(later().map(({ name }) => name))
}

/** Killed after every step and before the note of it: the next start does the step again. */
async function interrupted(): Promise<void> {
  for (const file of later()) {
    await db.command(file.text)
    await db.command(file.text)
    await note(file)
  }
  await migrate(db)
}

/** As `decode --rows` prints them: these stay below 2^53. */
const numbers = (name: string, value: unknown): unknown =>
  name === 'seq' || name === 'bmp_session' ? Number(value) : value

describe.each([
  ['at once', atOnce],
  ['with a crash after every step', interrupted],
])('a first schema upgraded %s', (_, upgrade) => {
  beforeAll(fill)
  afterAll(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  test('is brought to the present', async () => {
    const before = await marks()
    expect(before.length).toBeGreaterThan(10)
    await upgrade()
    expect(await marks()).toEqual(before)
    expect((await migrate(db)).applied).toEqual([])
  })

  test('every row reads as before', async () => {
    const wanted = rows.filter(({ table }) => table === 'route_events')
    expect(wanted.length).toBeGreaterThan(1000)
    const names = Object.keys(wanted[0]!).filter((name) => name !== 'table')
    const key = (row: object): string => JSON.stringify(row)
    const got = await db.query<Record<string, unknown>>(
      `SELECT ${names.join(', ')} FROM ribscope.route_events WHERE router != 'by-hand'`,
    )
    const plain = (row: Record<string, unknown>): string =>
      key(Object.fromEntries(names.map((name) => [name, numbers(name, row[name])])))
    expect(got.map(plain).sort()).toEqual(wanted.map(plain).sort())
  })

  test('what moved to another place reads as before', async () => {
    const { router_addr, ip_version, nlri_key, ...same } = FULL
    const [row] = await db.query<Record<string, unknown>>(
      `SELECT ${Object.keys(same).join(', ')}, router_addr, ip_version, hex(nlri_key) AS key_hex, hex(mac) AS mac_hex, hex(esi) AS esi_hex
     FROM ribscope.route_log WHERE router = 'by-hand'`,
    )
    expect(row).toEqual({
      ...same,
      // Five bits more tell phase, origin and IP version.
      flags: 4095 + (1 << 12) + (2 << 14) + (6 << 16),
      router_addr: '192.0.2.1',
      ip_version: 6,
      key_hex: Buffer.from(nlri_key, 'latin1').toString('hex').toUpperCase(),
      mac_hex: '021122334455',
      esi_hex: '0'.repeat(20),
    })
  })

  test('state is what it was', async () => {
    const routes = rows.filter(({ table }) => table !== 'stats' && table !== 'route_errors')
    const wanted = [...replay(routes).values()].map(({ row, stale }) =>
      [row.router, row.bmp_session, row.seq, Number(stale)].join(' '),
    )
    expect(wanted.length).toBeGreaterThan(100)
    const got = await db.query<{ k: string }>(
      `SELECT concat(router, ' ', toString(bmp_session), ' ', toString(seq), ' ', toString(stale)) AS k
     FROM ribscope.rib_live WHERE router != 'by-hand'`,
    )
    expect(got.map(({ k }) => k).sort()).toEqual(wanted.sort())
    // The other order of the log has the same rows.
    expect(
      await db.query(
        `SELECT (SELECT count() FROM ribscope.route_log FINAL) = (SELECT count() FROM ribscope.router_log FINAL) AS same,
        (SELECT sum(cityHash64(router, pos, attr_hash, more)) FROM ribscope.route_log FINAL)
          = (SELECT sum(cityHash64(router, pos, attr_hash, more)) FROM ribscope.router_log FINAL) AS equal`,
      ),
    ).toEqual([{ same: 1, equal: 1 }])
    expect(await db.query('SELECT id, kind FROM ribscope.findings')).toEqual([
      { id: 'f1', kind: 'VIP_FLAP' },
    ])
  })
})
