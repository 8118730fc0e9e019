/**
 * Storing rows twice is impossible to see in any answer (DESIGN section 5): by their token, and when the token is another one,
 * because `(router, bmp_session, seq)` names a row for ever.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Analyst } from '@ribscope/analyst'
import { detectorViews } from '@ribscope/detectors'
import { formatDateTime64 } from '@ribscope/events'
import type { Batch } from '@ribscope/events'
import { parseFabric } from '@ribscope/fabric'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { rowsOf, simulated } from './feeds.ts'
import type { Row } from './feeds.ts'

// Seconds on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 180_000 })

let store: Store
let db: StoreSession
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-twice-'))

// BMP loss with reconciliation, graceful restart that runs out, flaps and a ToR restart: every kind of row and mark.
const SCENARIOS = ['A01', 'A07', 'A21', 'C01', 'C12']
const EMPTY = [
  'mac_dup',
  'node_downs',
  'pipeline',
  'route_errors',
  'router_downs',
  'silent_sessions',
  't5_nh_rewrite',
  'vip_outages',
]
let batches: Batch[]
let rows: Row[]
let endUs = 0

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('test')
  await migrate(db, detectorViews())
  const made = rowsOf(SCENARIOS.flatMap(simulated))
  rows = made.rows
  // A whole minute: the rounds below are of one minute, which has one sample of the sizes of tables.
  endUs = Math.ceil(made.endUs / 60e6) * 60e6
  batches = made.batches
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Every view there is, with parameters where it takes some. */
async function answers(): Promise<Map<string, string>> {
  const from = formatDateTime64(Math.min(...batches.map((each) => each.bmpSession)))
  const to = formatDateTime64(endUs + 60e6)
  const at = formatDateTime64(Math.round((Date.parse(`${from}Z`) + endUs / 1000) / 2) * 1000)
  const vip = rows.find((row) => String(row['prefix']).endsWith('/32'))!['prefix']
  const views = await db.query<{ name: string; query: string }>(
    "SELECT name, create_table_query AS query FROM system.tables WHERE database = 'ribscope' AND engine = 'View' ORDER BY name",
  )
  const found = new Map<string, string>()
  for (const { name, query } of views) {
    const given: Readonly<Record<string, unknown>> = {
      from,
      to,
      at,
      prefix: vip,
      address: vip,
      step_s: 300,
      router: rows.find((row) => row.table === 'route_events')!.router,
      // Of when rows were stored, which is now.
      upto: '2100-01-01 00:00:00',
    }
    const names = [...new Set([...query.matchAll(/\{(\w+):/g)].map((match) => match[1]!))]
    const args = names
      .map((each) => `${each} = {${each}:${each === 'step_s' ? 'UInt32' : 'String'}}`)
      .join(', ')
    const source = `ribscope.${name}${names.length > 0 ? `(${args})` : ''}`
    const params = Object.fromEntries(names.map((each) => [each, given[each]]))
    const text = await db.queryText(`SELECT * FROM ${source} ORDER BY ALL`, 'JSONEachRow', params)
    const lines = text.split('\n').filter((line) => line !== '').length
    found.set(name, `${lines} rows ${createHash('sha256').update(text).digest('hex').slice(0, 12)}`)
  }
  // What has no view of its own.
  for (const table of [
    'route_transitions',
    'edge_log',
    'evpn_state',
    'findings_log',
    'incidents_log',
  ]) {
    const text = await db.queryText(
      `SELECT * ${table === 'route_transitions' ? 'EXCEPT inserted_at' : ''} FROM ribscope.${table} FINAL ORDER BY ALL`,
      'JSONEachRow',
    )
    found.set(table, createHash('sha256').update(text).digest('hex').slice(0, 12))
  }
  return found
}

async function stored(): Promise<unknown> {
  const [row] = await db.query(`SELECT
    (SELECT count() FROM ribscope.route_log) AS route_log, (SELECT count() FROM ribscope.session_log) AS session_log,
    (SELECT count() FROM ribscope.stats_log) AS stats_log, (SELECT count() FROM ribscope.marks) AS marks`)
  return row
}

let before: Map<string, string>
let sizes: unknown
let analyst: Analyst

test('once: every view has its answer', async () => {
  await insertBatches(store, batches)
  // Nothing is configured: who is a node, a VIP, a VTEP is inferred from the same rows.
  const config = parseFabric('').fabric
  analyst = await Analyst.create({ store, config, sizes: true })
  await analyst.round(endUs)
  before = await answers()
  sizes = await stored()
  // Views of which these scenarios have nothing: the others would change if a row counted twice.
  const empty = [...before].filter(([, answer]) => answer.startsWith('0 ')).map(([name]) => name)
  expect(empty).toEqual(EMPTY)
})

test('two more times, as a writer does that tries again: nothing is stored', async () => {
  await insertBatches(store, batches)
  await insertBatches(store, batches)
  expect(await stored()).toEqual(sizes)
  // What views make of it is asked below, when rows are there twice too: that is a fifth of the time of these tests.
  await analyst.round(endUs + 1e6)
})

test('with other tokens, in another order and other groups: nothing is seen', async () => {
  const reversed = [...batches].reverse()
  // A merge would take the rows away before they are counted: they are to be there twice, and not to be seen.
  await db.command('SYSTEM STOP MERGES')
  for (let i = 0; i < reversed.length; i += 7) await insertBatches(store, reversed.slice(i, i + 7))
  expect(await stored()).not.toEqual(sizes)
  expect(await answers()).toEqual(before)
})

test('nor after the analyst looked at it again, nor when parts are merged', async () => {
  await db.command('SYSTEM START MERGES')
  await analyst.round(endUs + 2e6)
  for (const table of [
    'route_log',
    'session_log',
    'stats_log',
    'marks',
    'rib_state',
    'view_counts',
    'churn_minutes',
    'prefix_churn_hours',
    'session_minutes',
    'stats_state',
  ]) {
    await db.command(`OPTIMIZE TABLE ribscope.${table} FINAL`)
  }
  expect(await stored()).toEqual(sizes)
  expect(await answers()).toEqual(before)
})

test('a late duplicate of an old announcement raises nothing', async () => {
  const firsts = batches.filter((batch) => batch.table === 'route_log').slice(0, 3)
  for (const batch of firsts) {
    await store.insert({
      table: batch.table,
      columns: batch.columns,
      bodies: [batch.body],
      token: `late-${batch.bmpSession}-${batch.firstSeq}`,
    })
  }
  expect(await answers()).toEqual(before)
})
