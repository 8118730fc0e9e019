/**
 * What changed between two instants: the differences, applied to the state at the first, give the state at the second, exactly;
 * on recordings of real routers and on random lives of routers.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { detectorViews, formatTime } from '@ribscope/detectors'
import { NativeSink, RouterSession, type Batch } from '@ribscope/events'
import { migrate, type Store, type StoreSession } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { SEED } from '../setup/seed.ts'
import { recorded, rowsOf } from './feeds.ts'
import { hello, life, START_US as LIFE_US, tell, type Step } from './life.ts'
import { TAIL } from './model.ts'
import type { Row, Sent } from './feeds.ts'

// Seconds on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const START_US = 1_800_000_000_000_000
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-diff-'))
let store: Store
let db: StoreSession

type Json = Record<string, unknown>

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('diff', { query_plan_optimize_lazy_materialization: 0 })
  await migrate(db, detectorViews())
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const KEY = ['router', 'peer_key', 'rib', 'afi', 'safi', 'nlri', 'path_id'] as const
const key = (row: Json): string => KEY.map((name) => String(row[name])).join(' ')

/** What a message or its session is (`vrf` is said by a Peer Up), not what the route is; and CLUSTER_LIST, in which reflectors differ without meaning (attr_hash). */
const NOT_COMPARED = [
  'rx_ts',
  'seq',
  'bmp_ts',
  'bmp_session',
  'peer_epoch',
  'phase',
  'collector',
  'router_addr',
  'decode_errors',
  'cluster_list',
  'stale',
  'vrf',
]
const route = (row: Json): Json =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !NOT_COMPARED.includes(name)))

const plain = (value: unknown): string =>
  value === null || value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value)

async function stateAt(group: string, at: string): Promise<Map<string, Json>> {
  const rows = await db.query<Json>(
    'SELECT * FROM ribscope.rib_at(at = {at:String}) WHERE startsWith(router, {group:String})',
    { group, at },
  )
  return new Map(rows.map((row) => [key(row), row]))
}

const DIFF_ONLY = [
  'vrf_name',
  'change',
  'attributes',
  'before',
  'cause',
  'class',
  'at',
  'implied',
  'downs',
  'ups',
  'shifts',
  'edits',
]

async function check(group: string, from: string, to: string): Promise<Json[]> {
  const [before, after] = [await stateAt(group, from), await stateAt(group, to)]
  const diff = await db.query<Json>(
    'SELECT * FROM ribscope.rib_diff(from = {from:String}, to = {to:String}) WHERE startsWith(router, {group:String})',
    { group, from, to },
  )
  const what = `${group} ${from} .. ${to}`
  expect(new Set(diff.map(key)).size, `${what}: routes more than once`).toBe(diff.length)
  const state = new Map([...before].map(([name, row]) => [name, route(row)]))
  for (const row of diff) {
    const name = key(row)
    const shown = Object.fromEntries(
      Object.entries(route(row)).filter(([column]) => !DIFF_ONLY.includes(column)),
    )
    const had = state.get(name)
    switch (row['change']) {
      case 'added':
        expect(had, `${what}: ${name} added twice`).toBeUndefined()
        state.set(name, shown)
        break
      case 'changed':
        expect(had, `${what}: ${name} changed from nothing`).toBeDefined()
        expect(row['attributes'], `${what}: ${name}`).not.toEqual([])
        for (const [attribute, value] of Object.entries(row['before'] as Record<string, string>)) {
          const old = had?.[attribute === 'as_path' ? 'as_path_text' : attribute]
          expect(value, `${what}: ${name} ${attribute}`).toBe(
            Array.isArray(old) ? old.join(' ') : plain(old),
          )
        }
        state.set(name, shown)
        break
      case 'removed':
        expect(shown, `${what}: ${name} as it was`).toEqual(had)
        state.delete(name)
        break
      default:
        expect(row['change']).toBe('flapped')
    }
    expect(row['class'], `${what}: ${name} has an event`).not.toBe('')
  }
  const wanted = new Map([...after].map(([name, row]) => [name, route(row)]))
  expect([...state.keys()].sort(), what).toEqual([...wanted.keys()].sort())
  for (const [name, row] of wanted) {
    if (JSON.stringify(state.get(name)) !== JSON.stringify(row)) {
      expect(state.get(name), what).toEqual(row)
    }
  }
  return diff
}

const time = (us: number): string => formatTime(Math.floor(us)).replace('T', ' ').replace('Z', '')

/** Pairs of instants around what happens. */
function pairs(feed: readonly Sent[], rows: readonly Row[]): [string, string][] {
  const from = Math.min(...feed.map((each) => each.openedUs))
  const to = Math.max(...feed.map((each) => each.endUs))
  const at = (share: number): string => time(from + (to - from) * share)
  const downs = rows
    .filter((row) => row['kind'] === 'peer_down' && row['counted'] === 1)
    .map((row) => row.rx_ts.replace('T', ' ').replace('Z', ''))
    .sort()
  const [first, last] = [downs[0], downs.at(-1)]
  return [
    [time(from - 1e6), at(1.2)],
    [at(0.3), at(1.2)],
    [at(0.5), at(0.6)],
    ...(first === undefined || last === undefined
      ? []
      : ([
          [first, last],
          [last, at(1.2)],
        ] as [string, string][])),
  ]
}

async function load(feed: readonly Sent[]): Promise<Row[]> {
  const { batches, rows } = rowsOf(feed)
  await insertBatches(store, batches)
  return rows
}

const FIXTURES = fileURLToPath(new URL('../fixtures/lab/', import.meta.url))
const LAB = fileURLToPath(new URL('../../../shared/lab/recordings/', import.meta.url))
const folders = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(path, entry.name))
        .sort()
    : []

test.each([
  ...folders(FIXTURES).map((folder) => [basename(folder), 'fixture', folder] as const),
  ...folders(LAB).map((folder) => [basename(folder), 'lab', folder] as const),
])(
  '%s (%s): the difference applied to the state at T1 is the state at T2',
  async (name, set, folder) => {
    const group = `${set}/${name}/`
    const feed = await recorded(folder, `${set}/${name}`, START_US)
    const rows = await load(feed)
    const changes = new Set<unknown>()
    for (const [from, to] of pairs(feed, rows)) {
      for (const row of await check(group, from, to)) changes.add(row['change'])
    }
    expect(changes.has('added')).toBe(true)
  },
)

if (folders(LAB).length === 0) {
  test.skip('recordings of the lab: ../shared/lab/recordings is not there', () => undefined)
}

/** Lives of `life.ts` (peers come and go, BMP is lost, sessions overlap, timers fall due), all on one clock. */
function batchesOf(steps: readonly Step[], router: string): Batch[] {
  const batches: Batch[] = []
  const keep = (batch: Batch): void => {
    batches.push({ ...batch, body: batch.body.slice(), release: () => undefined })
  }
  let last = 0
  for (const told of tell(steps)) {
    const openedUs = Math.max(told.openedUs, last + 1)
    last = openedUs
    const sink = new NativeSink({ onBatch: keep })
    const session = new RouterSession({
      ...{ collector: 'test', source: '192.0.2.254', openedUs, out: sink },
    })
    session.push(Uint8Array.from(hello(router)), told.openedUs)
    for (const { us, message, bytes } of told.messages) {
      if (message.kind === 'deaf') session.held(us, message.untilUs)
      else session.push(Uint8Array.from(bytes), us)
    }
    if (told.end === 'end') session.end('rst', told.endUs)
    if (told.end === 'open') session.tick(told.endUs + TAIL)
    for (const batch of sink.flush()) keep(batch)
  }
  return batches
}

const LIVES = 80
test.each([SEED, SEED + 1])(
  'random lives, seed %i: the difference applied to T1 is T2',
  async (seed) => {
    const group = `life${seed}.`
    const lives = fc.sample(life, { seed, numRuns: LIVES })
    const batches = lives.flatMap((steps, i) => batchesOf(steps, `${group}${i}`))
    await insertBatches(store, batches)
    const [span] = await db.query<{ first: string; last: string; times: string[] }>(
      `SELECT min(rx_ts) AS first, max(rx_ts) AS last, arraySort(groupUniqArray(rx_ts)) AS times
     FROM ribscope.session_log WHERE startsWith(router, {group:String})`,
      { group },
    )
    const times = span!.times
    const pick = (share: number): string => times[Math.floor(share * (times.length - 1))]!
    const changes = new Map<unknown, number>()
    for (const [from, to] of [
      [time(LIFE_US - 1), span!.last],
      [span!.first, pick(0.5)],
      [pick(0.2), pick(0.3)],
      [pick(0.5), pick(0.9)],
      [pick(0.4), span!.last],
    ] as const) {
      for (const row of await check(group, from, to)) {
        changes.set(row['change'], (changes.get(row['change']) ?? 0) + 1)
      }
    }
    // All of it happened, or little is proven.
    expect([...changes.keys()].sort()).toEqual(['added', 'changed', 'flapped', 'removed'])
  },
)
