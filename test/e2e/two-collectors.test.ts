/**
 * A router that changes collectors, or is with two at a time: rows come to the store in any order, clocks differ, and the end of
 * the old session is noticed when the new one is long up. Positions (`bmp_session * 4096 + seq`) decide, not who was stored first.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { detectorViews } from '@ribscope/detectors'
import { NativeSink, RouterSession } from '@ribscope/events'
import type { Batch } from '@ribscope/events'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import {
  announce,
  endOfRib,
  initiation,
  peerUp,
  withdraw,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { SessionNumbers } from '../../services/collector/src/session-number.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'

vi.setConfig({ testTimeout: 120_000 })

const START_US = 1_800_000_000_000_000
const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const [ONE, TWO, THREE] = ['203.0.113.1/32', '203.0.113.2/32', '203.0.113.3/32'] as const

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-two-'))
let store: Store
let db: StoreSession
beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('two')
  await migrate(db, detectorViews())
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

type Said = readonly [seconds: number, ...messages: (readonly number[])[]]

interface Heard {
  readonly collector: string
  /** of the collector's clock: seconds that it is ahead */
  readonly ahead?: number
  readonly said: readonly Said[]
  /** when the collector notices the end; undefined: the session goes on */
  readonly ends?: number
  readonly number?: number
}

/** What one collector makes of what a router says to it; times are true ones. */
function batchesOf(router: string, heard: Heard): Batch[] {
  const { collector, said, ends, ahead = 0 } = heard
  const us = (seconds: number): number => START_US + Math.round((seconds + ahead) * 1e6)
  const opened = us(said[0]![0])
  const openedUs = heard.number ?? new SessionNumbers(collector).next(opened, '192.0.2.254')
  const batches: Batch[] = []
  const keep = (batch: Batch): void => {
    batches.push({ ...batch, body: batch.body.slice(), release: () => undefined })
  }
  const sink = new NativeSink({ maxRows: 2, onBatch: keep })
  const session = new RouterSession({ collector, source: '192.0.2.254', openedUs, out: sink })
  session.push(Uint8Array.from(initiation(router)), opened)
  for (const [seconds, ...messages] of said) {
    session.push(Uint8Array.from(messages.flat()), us(seconds))
    for (const batch of sink.flush()) keep(batch)
  }
  if (ends === undefined) session.tick(us(said.at(-1)![0] + 200))
  else session.end('rst', us(ends))
  for (const batch of sink.flush()) keep(batch)
  return batches
}

async function shown(router: string) {
  const routes = await db.query<{ line: string }>(
    `SELECT concat(replaceOne(toString(addr), '::ffff:', ''), '/', toString(bits), ' ', collector, if(stale, ' ?', '')) AS line
     FROM ribscope.rib_live WHERE router = {router:String} ORDER BY line`,
    { router },
  )
  const [state] = await db.query<{ up: number; dumped: number }>(
    'SELECT up, dumped FROM ribscope.router_state WHERE router = {router:String}',
    { router },
  )
  return { routes: routes.map(({ line }) => line), up: state?.up, dumped: state?.dumped }
}

let routers = 0

/** What the store shows, in three orders in which collectors may flush. */
async function inAnyOrder(first: Heard, second: Heard) {
  const seen: unknown[] = []
  for (const order of ['as it was', 'the new one first', 'by turns'] as const) {
    const router = `r${routers++}`
    const [old, young] = [batchesOf(router, first), batchesOf(router, second)]
    const mixed = order === 'as it was' ? [...old, ...young] : [...young, ...old]
    if (order === 'by turns') {
      for (let i = 0; i < Math.max(old.length, young.length); i++) {
        await insertBatches(
          store,
          [young[i], old[i]].filter((each) => each !== undefined),
        )
      }
    } else for (const batch of mixed) await insertBatches(store, [batch])
    seen.push(await shown(router))
  }
  expect(seen[1]).toEqual(seen[0])
  expect(seen[2]).toEqual(seen[0])
  return seen[0]
}

const table = [peerUp(A), announce(A, ONE, TWO), endOfRib(A)] as const

test('the old collector notices the end when the new session is long up: nothing is in doubt', async () => {
  expect(
    await inAnyOrder(
      {
        collector: 'c1',
        said: [
          [0, ...table],
          [9, announce(A, THREE)],
        ],
        ends: 300,
      },
      { collector: 'c2', said: [[10, peerUp(A), announce(A, ONE), endOfRib(A)]] },
    ),
  ).toEqual({ routes: [`${ONE} c2`], up: 1, dumped: 1 })
})

test.each([-8, 8, -9.4])('clocks %d s apart, a session that was longer: right', async (ahead) => {
  expect(
    await inAnyOrder(
      { collector: 'c1', said: [[0, ...table]], ends: 10.2 },
      { collector: 'c2', ahead, said: [[10, peerUp(A), announce(A, ONE), endOfRib(A)]] },
    ),
  ).toEqual({ routes: [`${ONE} c2`], up: 1, dumped: 1 })
})

test('a clock behind by more than the old session lasted: what is shown is old, said to be in doubt, until the next session', async () => {
  const heard: Heard = { collector: 'c1', said: [[0, ...table]], ends: 10.2 }
  const behind: Heard = {
    ...{ collector: 'c2', ahead: -60 },
    said: [[10, peerUp(A), announce(A, ONE), endOfRib(A)]],
  }
  expect(await inAnyOrder(heard, behind)).toMatchObject({
    routes: [`${ONE} c1 ?`, `${TWO} c1 ?`],
    up: 0,
  })
  const router = `r${routers - 1}`
  const next: Heard = { ...behind, said: [[100, peerUp(A), announce(A, TWO), endOfRib(A)]] }
  await insertBatches(store, batchesOf(router, next))
  expect(await shown(router)).toEqual({ routes: [`${TWO} c2`], up: 1, dumped: 1 })
})

test('accepted by two in one microsecond, both heard: every row is stored, the state is what both say', async () => {
  const router = `r${routers++}`
  const changes: Said[] = [
    [0, ...table],
    [20, withdraw(A, ONE)],
    [21, announce(A, THREE)],
    [22, withdraw(A, TWO)],
  ]
  const both = ['collector-1', 'collector-2'].map((collector) =>
    batchesOf(router, { collector, said: changes }),
  )
  for (const batches of both) for (const batch of batches) await insertBatches(store, [batch])
  const rows = both
    .flat()
    .reduce((sum, each) => sum + (each.table === 'route_log' ? each.rows : 0), 0)
  const [stored] = await db.query<{ n: string }>(
    'SELECT uniqExact(pos) AS n FROM ribscope.route_log FINAL WHERE router = {router:String}',
    { router },
  )
  expect(Number(stored?.n)).toBe(rows)
  expect(await shown(router)).toMatchObject({ routes: [`${THREE} collector-2`], up: 1 })
})

test('of two that are heard the newer counts; when it ends the state is in doubt, though the older goes on', async () => {
  const older: Heard = {
    collector: 'c1',
    said: [
      [0, ...table],
      [30, announce(A, THREE)],
    ],
  }
  const newer: Heard = { collector: 'c2', said: [[10, ...table]] }
  expect(await inAnyOrder(older, newer)).toEqual({
    ...{ routes: [`${ONE} c2`, `${TWO} c2`], up: 1, dumped: 1 },
  })
  expect(await inAnyOrder(older, { ...newer, ends: 40 })).toMatchObject({
    routes: [`${ONE} c2 ?`, `${TWO} c2 ?`],
    up: 0,
  })
})
