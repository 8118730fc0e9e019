/**
 * Time series against counts of the rows themselves: every minute, every prefix and every table, with each row delivered three
 * times in other groups, and on a store that was filled before it had aggregates.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Analyst } from '@ribscope/analyst'
import { formatDateTime64 } from '@ribscope/events'
import { parseFabric } from '@ribscope/fabric'
import { detectorViews } from '@ribscope/detectors'
import { migrate, migrations, openEmbeddedStore } from '@ribscope/store'
import type { Store, StoreSession } from '@ribscope/store'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { rowsOf, simulated } from './feeds.ts'
import type { Row } from './feeds.ts'
import { replay } from './replay.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

// A BMP loss with a second first table, flaps, a ToR restart, EVPN.
const SCENARIOS = ['A01', 'A07', 'A21', 'C12']
const made = rowsOf(
  // Half an hour apart: more than one hour to count.
  SCENARIOS.flatMap((id, i) =>
    simulated(id).map((sent) => ({
      ...sent,
      openedUs: sent.openedUs + i * 1800e6,
      endUs: sent.endUs + i * 1800e6,
      chunks: sent.chunks.map(({ us, bytes }) => ({ us: us + i * 1800e6, bytes })),
    })),
  ),
  997,
)
const endUs = made.endUs
const FROM = '2000-01-01 00:00:00'
const TO = '2100-01-01 00:00:00'

const routes = made.rows.filter(({ table }) => table === 'route_events')
const text = (row: Row, column: string): string => String(row[column])
/** `2026-11-21 12:00:00`, the start of the step of a row. */
const stepOf = (row: Row, seconds: number): string => {
  const us = Date.parse(`${row.rx_ts.slice(0, 19).replace(' ', 'T')}Z`) / 1000
  return new Date(Math.floor(us / seconds) * seconds * 1000)
    .toISOString()
    .slice(0, 19)
    .replace('T', ' ')
}

/** Sums by key, as sorted lines: `key a b c`. */
function tally<T>(
  items: readonly T[],
  key: (item: T) => string | undefined,
  numbers: (item: T) => number[],
): string[] {
  const sums = new Map<string, number[]>()
  for (const item of items) {
    const name = key(item)
    if (name === undefined) continue
    const more = numbers(item)
    sums.set(
      name,
      (sums.get(name) ?? more.map(() => 0)).map((sum, i) => sum + (more[i] ?? 0)),
    )
  }
  return [...sums].map(([name, values]) => `${name} ${values.join(' ')}`).sort()
}

const view = (row: Row): string =>
  `${row.router} ${text(row, 'rib')} ${text(row, 'afi')} ${text(row, 'safi')}`
const said = (row: Row): number[] => [
  Number(row['action'] === 'announce' && row['phase'] === 'live'),
  Number(row['action'] === 'withdraw'),
  Number(row['action'] === 'announce' && row['phase'] === 'dump'),
]

let dataDir: string
let store: Store
let db: StoreSession

async function open(): Promise<void> {
  dataDir = mkdtempSync(join(tmpdir(), 'ribscope-series-'))
  store = await openEmbeddedStore({ dataDir })
  db = await store.session('series')
}
async function close(): Promise<void> {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
}

async function deliverThrice(): Promise<void> {
  await insertBatches(store, made.batches)
  const reversed = [...made.batches].reverse()
  for (let i = 0; i < reversed.length; i += 5) await insertBatches(store, reversed.slice(i, i + 5))
  for (const batch of made.batches) await insertBatches(store, [batch])
}

const lines = async (sql: string): Promise<string[]> =>
  (await db.query<{ line: string }>(sql)).map(({ line }) => line).sort()

async function expectExact(): Promise<void> {
  for (const seconds of [60, 300]) {
    expect(
      await lines(`SELECT concat(toString(at), ' ', router, ' ', toString(rib), ' ', toString(afi), ' ', toString(safi), ' ',
        toString(announces), ' ', toString(withdraws), ' ', toString(dumped)) AS line
        FROM ribscope.churn(from = '${FROM}', to = '${TO}', step_s = ${String(seconds)})`),
    ).toEqual(tally(routes, (row) => `${stepOf(row, seconds)} ${view(row)}`, said))
  }
  const hasPrefix = (row: Row): boolean =>
    row['prefix'] !== '' && (row['phase'] === 'live' || row['action'] === 'withdraw')
  expect(
    await lines(`SELECT concat(toString(hour), ' ', router, ' ', toString(rib), ' ', toString(afi), ' ', toString(safi), ' ', prefix, ' ',
      toString(announces), ' ', toString(withdraws)) AS line
      FROM ribscope.prefix_churn(from = '${FROM}', to = '${TO}')`),
  ).toEqual(
    tally(
      routes.filter(hasPrefix),
      (row) => `${stepOf(row, 3600)} ${view(row)} ${text(row, 'prefix')}`,
      (row) => said(row).slice(0, 2),
    ),
  )
  const lives = made.rows.filter(({ table }) => table === 'session_events')
  const isKind = (row: Row): number[] => [
    Number(row['kind'] === 'bmp_up'),
    Number(row['kind'] === 'bmp_down'),
    Number(row['kind'] === 'peer_up' && row['synthetic'] === 0),
    Number(row['kind'] === 'peer_down' && row['counted'] === 1),
  ]
  const counted = new Set(['bmp_up', 'bmp_down', 'peer_up', 'peer_down'])
  expect(
    await lines(`SELECT concat(toString(at), ' ', router, ' ', toString(bmp_sessions_up), ' ', toString(bmp_sessions_down), ' ', toString(peers_up), ' ', toString(peers_down)) AS line
      FROM ribscope.session_churn(from = '${FROM}', to = '${TO}', step_s = 60)`),
  ).toEqual(
    tally(
      lives,
      (row) => (counted.has(text(row, 'kind')) ? `${stepOf(row, 60)} ${row.router}` : undefined),
      isKind,
    ),
  )
}

test('these feeds have what there is to count', () => {
  const sums = routes.map(said)
  for (const i of [0, 1, 2]) {
    expect(sums.reduce((sum, each) => sum + (each[i] ?? 0), 0)).toBeGreaterThan(50)
  }
  expect(new Set(routes.map((row) => stepOf(row, 3600))).size).toBeGreaterThan(1)
})

describe('every row delivered three times', () => {
  beforeAll(async () => {
    await open()
    await migrate(db, detectorViews())
    await deliverThrice()
  })
  afterAll(close)

  test('churn of views, prefixes and sessions is that of the rows', expectExact)

  test('and still when parts are merged', async () => {
    for (const table of ['churn_minutes', 'prefix_churn_hours', 'session_minutes']) {
      await db.command(`OPTIMIZE TABLE ribscope.${table} FINAL`)
    }
    await expectExact()
  })

  test('a span takes whole minutes: that of its start, and not that which starts at its end', async () => {
    const minutes = [...new Set(routes.map((row) => stepOf(row, 60)))].sort()
    const [first = '', second = ''] = minutes
    const at = async (from: string, to: string): Promise<string[]> =>
      await lines(
        `SELECT DISTINCT toString(at) AS line FROM ribscope.churn(from = '${from}', to = '${to}', step_s = 60)`,
      )
    expect(await at(first.replace(/00$/, '59.5'), second)).toEqual([first])
    expect(await at(first, second.replace(/00$/, '00.000001'))).toEqual([first, second])
    // Less than a minute, or no whole one, is the next whole one.
    expect(
      await lines(
        `SELECT toString(announces_per_s * 120 = announces) AS line FROM ribscope.churn(from = '${FROM}', to = '${TO}', step_s = 61) WHERE announces > 0 LIMIT 1`,
      ),
    ).toEqual(['1'])
  })

  test('sizes are those of the replayed log', async () => {
    const config = parseFabric('').fabric
    const analyst = await Analyst.create({ store, config, sizes: true })
    const minute = Math.ceil(endUs / 60e6) * 60e6
    await analyst.round(minute + 1e6)
    // Twice in a minute is once; the next minute has the same sizes, nothing was stored.
    await analyst.round(minute + 2e6)
    await analyst.round(minute + 61e6)
    const sizes = (at: number): Promise<string[]> =>
      lines(`SELECT concat(router, ' ', toString(rib), ' ', toString(afi), ' ', toString(safi), ' ', toString(routes), ' ', toString(stale)) AS line
        FROM ribscope.table_sizes(from = '${formatDateTime64(at)}', to = '${formatDateTime64(at + 60e6)}') WHERE sampled_at >= '${formatDateTime64(at)}'`)
    const held = tally(
      [...replay(made.rows.filter(({ table }) => table !== 'stats')).values()],
      ({ row }) => view(row),
      ({ stale }) => [1, Number(stale)],
    )
    expect(held.length).toBeGreaterThan(4)
    const found = await sizes(minute)
    expect(found.filter((line) => !line.endsWith(' 0 0'))).toEqual(held)
    // A view that said something and has nothing left is there, with nothing.
    expect(new Set(found.map((line) => line.split(' ').slice(0, 4).join(' ')))).toEqual(
      new Set(routes.map(view)),
    )
    expect(await sizes(minute + 60e6)).toEqual(found)
    await analyst.close()
  })
})

describe('a store that was filled before it had aggregates', () => {
  beforeAll(async () => {
    await open()
    await migrate(db, detectorViews())
    // As it was: without the materialized views and what they made.
    for (const table of ['churn_minutes', 'prefix_churn_hours', 'session_minutes', 'stats_state']) {
      await db.command(`DROP VIEW ribscope.${table}_mv`)
    }
    await deliverThrice()
    await db.command(`ALTER TABLE ribscope.schema_migrations DELETE WHERE name >= '0060' AND name < '0080'
      SETTINGS mutations_sync = 1`)
    const applied = await migrate(db, detectorViews())
    expect(applied.applied).toEqual(
      migrations()
        .map(({ name }) => name)
        .filter((name) => name >= '0060' && name < '0080'),
    )
  })
  afterAll(close)

  test('has them for all of its rows', async () => {
    await expectExact()
    const [state] = await db.query<{ same: number }>(`SELECT
      (SELECT count() FROM ribscope.stats_state FINAL) = (SELECT uniqExact(router, peer_key, rib, stat_type, afi, safi) FROM ribscope.stats_log WHERE stat_type BETWEEN 7 AND 10) AS same`)
    expect(state?.same).toBe(1)
  })

  test('and what comes later counts too, once', async () => {
    await deliverThrice()
    await expectExact()
  })
})
