/**
 * `rib_current.since` is the time of a route's last event that was no duplicate, as `route_class` has it: with nothing written down,
 * with everything written down, and with whatever lies between, late rows and repeated ones included.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { advanceSince, migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { recorded, rowsOf } from './feeds.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })

const FIXTURES = fileURLToPath(new URL('../fixtures/lab/', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-since-'))
let store: Store
let db: StoreSession

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, [])
  db = await store.session('since')
  await migrate(db)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A router's past is the same out of either order of the log. */
async function comparePast(): Promise<void> {
  const routers = await db.query<{ router: string }>(
    'SELECT DISTINCT router FROM ribscope.rib_state',
  )
  expect(routers.length).toBeGreaterThan(5)
  for (const seconds of [20, 45, 3630]) {
    const at = `toDateTime64(${1_800_000_000 + seconds}, 6, 'UTC')`
    for (const { router } of routers) {
      const past = (view: string, where: string): Promise<unknown[]> =>
        db.query(`SELECT * FROM ribscope.${view} ${where} ORDER BY ALL`, { router })
      expect(
        await past(`router_rib_at(router = {router:String}, at = ${at})`, ''),
        `${router} ${seconds}`,
      ).toEqual(await past(`rib_at(at = ${at})`, 'WHERE router = {router:String}'))
    }
  }
}

const KEY = 'router, peer_key, rib, afi, safi, nlri, path_id'

/** Nothing is left to be written down, as if the margin had passed. */
const settle = (): Promise<void> =>
  db.command(
    'INSERT INTO ribscope.since_watermark SELECT max(stored_at) + toIntervalMillisecond(1) FROM ribscope.router_log',
  )

async function compare(when: string): Promise<void> {
  const got = await db.query<{ since: string }>(
    `SELECT ${KEY}, since FROM ribscope.rib_current ORDER BY ALL`,
  )
  const wanted = await db.query(
    `SELECT ${KEY}, max(rx_ts) AS since FROM ribscope.route_event_class
     WHERE class NOT IN ('AADUP', 'WWDUP') AND (${KEY}) IN (SELECT ${KEY} FROM ribscope.rib_current)
     GROUP BY ${KEY} ORDER BY ALL`,
  )
  expect(got.length, when).toBeGreaterThan(100)
  expect(got, when).toEqual(wanted)
}

test('as route_class has it, at every stage', async () => {
  const startUs = 1_800_000_000_000_000
  const feeds = [
    ...(await recorded(join(FIXTURES, 'bmp-reconnect'), 'one', startUs)),
    ...(await recorded(join(FIXTURES, 'vm-move'), 'two', startUs)),
    // The same fabric again an hour later: its dumps are duplicates of what it had.
    ...(await recorded(join(FIXTURES, 'bmp-reconnect'), 'one', startUs + 3_600_000_000)),
  ]
  const { batches } = rowsOf(feeds, 40)
  const third = Math.ceil(batches.length / 3)
  const early = batches.slice(0, third)
  const late = early.filter((_, i) => i % 5 === 2)
  await insertBatches(
    store,
    early.filter((batch) => !late.includes(batch)),
  )
  await compare('nothing written down')
  await advanceSince(store, db)
  await compare('written down, all of it within the margin')
  await settle()
  await compare('settled')
  await insertBatches(store, batches.slice(third, 2 * third))
  await compare('a tail behind what is settled')
  await advanceSince(store, db)
  await insertBatches(store, late)
  await compare('late rows')
  await advanceSince(store, db)
  await advanceSince(store, db)
  await compare('written down twice')
  await settle()
  await insertBatches(store, batches.slice(2 * third))
  // Delivered again, under other tokens.
  await insertBatches(
    store,
    batches.filter((_, i) => i % 4 === 1),
  )
  await compare('repeated')
  await advanceSince(store, db)
  await settle()
  await db.command('OPTIMIZE TABLE ribscope.rib_since FINAL')
  await compare('the end')
  await comparePast()
})
