/**
 * Retention: random lives of routers over seven weeks, then everything older than 30 days ends. What readers are told about now,
 * about any instant since then and about what happened since then must stay the same; killed after any statement, too.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { detectorViews } from '@ribscope/detectors'
import { formatDateTime64 } from '@ribscope/events'
import { configureRetention, DEFAULT_RETENTION, migrate, retain } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import {
  asPath,
  endOfRib,
  family,
  initiation,
  ip,
  attribute,
  be,
  nextHop,
  origin,
  peerDown,
  peerUp,
  prefix,
  routeMonitoring,
  update,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { SEED } from '../setup/seed.ts'
import { rowsOf } from './feeds.ts'
import type { Sent } from './feeds.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

const DAY_US = 86_400_000_000
const START_US = 1_800_000_000_000_000
const NOW_US = START_US + 50 * DAY_US
const HORIZON_US = (Math.floor(NOW_US / DAY_US) - 30) * DAY_US

let dataDir: string
let store: Store
let db: StoreSession

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'ribscope-retention-'))
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('retention')
  await migrate(db, detectorViews())
})
afterEach(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Mulberry32. */
function randomOf(seed: number): (n: number) => number {
  let a = seed
  return (n) => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

function lifeOf(router: number, random: (n: number) => number): Sent[] {
  const sessions: (Sent & { chunks: { us: number; bytes: Uint8Array }[] })[] = []
  const up = new Set<number>()
  let us = START_US + random(3600) * 1e6
  const open = (): void => {
    const chunks = [{ us, bytes: Uint8Array.from(initiation(`r${router}`)) }]
    const source = `192.0.2.${200 + router}`
    sessions.push({ fabric: 'f', source, openedUs: us, chunks, end: 'stop', endUs: us })
  }
  open()
  while (us < NOW_US - DAY_US) {
    // From seconds to days, so that some routes are as old as the router and others of a moment.
    us += [2e6, 9e6, 3600e6, 20 * 3600e6, 80 * 3600e6][random(5)]! + random(1e6)
    const n = random(3) + 1
    const id = `192.0.2.${n}`
    const peer: HandPeer = { address: id, asn: 64500 + n, id }
    const v6 = random(3) === 0
    const route = random(6)
    const nlri = v6
      ? [64, ...ip(`2001:db8:${route}::`).slice(0, 8)]
      : prefix(`203.0.113.${route}/32`)
    const common = [...origin(), ...asPath(64500 + n, 65000 + random(3))]
    const current = sessions.at(-1)!
    const say = (bytes: number[]): void => {
      current.chunks.push({ us, bytes: Uint8Array.from(bytes) })
    }
    const what = random(20)
    if (what < 9) {
      const reach = attribute(0x80, 14, [...be(2, 2), 1, 16, ...ip('2001:db8::1'), 0, ...nlri])
      say(
        routeMonitoring(
          peer,
          v6
            ? update({ attributes: [...common, ...reach] })
            : update({ attributes: [...common, ...nextHop(id)], nlri }),
        ),
      )
    } else if (what < 13) {
      say(
        routeMonitoring(
          peer,
          v6
            ? update({ attributes: attribute(0x80, 15, [...be(2, 2), 1, ...nlri]) })
            : update({ withdrawn: nlri }),
        ),
      )
    } else if (what < 16) {
      const both = { sent: [family(1, 1), family(2, 1)], received: [family(1, 1), family(2, 1)] }
      say(peerUp(peer, both))
      up.add(n)
    } else if (what < 17) {
      say(peerDown(peer, 2, [0, 9]))
      up.delete(n)
    } else if (what < 19) say(endOfRib(peer, v6 ? 2 : 1, 1))
    else {
      Object.assign(current, { end: 'rst', endUs: us })
      us += random(9) * 1e6
      up.clear()
      open()
    }
  }
  // Whatever happened, some routes are there at the end.
  const last = sessions.at(-1)!
  for (const n of [1, 2, 3]) {
    const id = `192.0.2.${n}`
    const peer: HandPeer = { address: id, asn: 64500 + n, id }
    const attributes = [...origin(), ...asPath(64500 + n), ...nextHop(id)]
    const nlri = prefix(`203.0.113.${n}/32`)
    const both = { sent: [family(1, 1)], received: [family(1, 1)] }
    if (!up.has(n)) last.chunks.push({ us, bytes: Uint8Array.from(peerUp(peer, both)) })
    const announced = routeMonitoring(peer, update({ attributes, nlri }))
    last.chunks.push({ us, bytes: Uint8Array.from(announced) })
  }
  if (last.end === 'stop') Object.assign(last, { endUs: us })
  return sessions
}

async function fill(): Promise<void> {
  const random = randomOf(SEED)
  const lives = [0, 1, 2].flatMap((router) => lifeOf(router, random))
  await insertBatches(store, rowsOf(lives, 20).batches)
}

/** All that is said about the time since the horizon. */
async function told(
  shares: readonly number[] = [0, 0.01, 0.2, 0.5, 0.9, 1],
): Promise<Record<string, unknown[]>> {
  const at = (share: number): string =>
    formatDateTime64(Math.floor(HORIZON_US + share * (NOW_US - HORIZON_US)))
  const route = "concat(router, ' ', toString(pos), ' ', toString(stale))"
  const said: Record<string, unknown[]> = {
    now: await db.query(`SELECT ${route} AS k FROM ribscope.rib_live ORDER BY k`),
    events: await db.query(
      'SELECT * FROM ribscope.route_events WHERE rx_ts >= {from:String} ORDER BY ALL',
      { from: at(0) },
    ),
    // A route that had ended before is new when it comes back.
    classes: await db.query(
      `SELECT router, pos, implied, action, cause, if(class IN ('WADUP', 'WADIFF'), 'NEW', class) AS cls
       FROM ribscope.route_class WHERE rx_ts >= {from:String} ORDER BY ALL`,
      { from: at(0) },
    ),
    peers: await db.query(
      'SELECT router, peer_key, up FROM ribscope.peer_state WHERE up = 1 ORDER BY ALL',
    ),
  }
  for (const share of shares) {
    said[`router at ${share}`] = await db.query(
      `SELECT ${route} AS k FROM ribscope.router_rib_live_at(router = 'f/r1', at = {at:String}) ORDER BY k`,
      { at: at(share) },
    )
    said[`at ${share}`] = await db.query(
      `SELECT ${route} AS k FROM ribscope.rib_live_at(at = {at:String}) ORDER BY k`,
      { at: at(share) },
    )
  }
  return said
}

const older = async (): Promise<unknown> =>
  (
    await db.query<Record<string, string>>(
      `SELECT (SELECT count() FROM ribscope.route_log WHERE rx_ts < {h:String} AND kept = 0) AS log,
        (SELECT count() FROM ribscope.router_log WHERE rx_ts < {h:String} AND kept = 0) AS router_log,
        (SELECT count() FROM ribscope.route_log FINAL WHERE kept = 1) AS kept,
        (SELECT count() FROM ribscope.router_log FINAL WHERE kept = 1) AS router_kept,
        (SELECT count() FROM ribscope.marks WHERE rx_ts < {h:String} AND effect = 'sweep') AS marks,
        (SELECT count() FROM ribscope.rib_state WHERE rx_ts < {h:String}) - (SELECT count() FROM ribscope.rib_live WHERE rx_ts < {h:String}) AS dead`,
      { h: formatDateTime64(HORIZON_US) },
    )
  )[0]

test(`state and history since the horizon survive: seed ${SEED} (RIBSCOPE_TEST_SEED)`, async () => {
  await fill()
  const before = await told()
  expect(before['now']!.length).toBeGreaterThan(5)
  expect(before['events']!.length).toBeGreaterThan(30)
  const { days, kept } = await retain(db, DEFAULT_RETENTION, NOW_US)
  expect(days.length).toBeGreaterThan(5)
  expect(kept).toBeGreaterThan(0)
  const n = String(kept)
  expect(await older()).toEqual({
    log: '0',
    router_log: '0',
    kept: n,
    router_kept: n,
    marks: '0',
    dead: '0',
  })
  expect(await told()).toEqual(before)

  expect(await retain(db, DEFAULT_RETENTION, NOW_US)).toEqual({ days: [], kept: 0 })
  // A month later those days end, too: what was kept is looked at again.
  // The last rows may lie some days after NOW_US.
  const later = NOW_US + 40 * DAY_US
  const now = before['now']
  const next = await retain(db, DEFAULT_RETENTION, later)
  expect(next.days.length).toBeGreaterThan(5)
  expect(
    await db.query(
      "SELECT concat(router, ' ', toString(pos), ' ', toString(stale)) AS k FROM ribscope.rib_live ORDER BY k",
    ),
  ).toEqual(now)
  expect(
    await db.query(
      'SELECT count() = countIf(kept = 1) AS all_kept, count() AS n FROM ribscope.route_log FINAL',
    ),
  ).toEqual([{ all_kept: 1, n: String(next.kept) }])
})

test('killed after any statement, and done again', async () => {
  await fill()
  const before = await told([0])
  const cut = (left: number): StoreSession => ({
    ...db,
    query: (sql, params) => db.query(sql, params),
    queryText: (sql, format, params) => db.queryText(sql, format, params),
    close: () => Promise.resolve(),
    command: async (sql, params) => {
      if (left-- === 0) throw new Error('killed')
      await db.command(sql, params)
    },
  })
  let killed = 0
  for (let statements = 0; ; statements++) {
    const done = await retain(cut(statements), DEFAULT_RETENTION, NOW_US).then(
      () => true,
      (error: unknown) => {
        if ((error as Error).message !== 'killed') throw error
        return false
      },
    )
    expect(await told([0]), `after ${statements} statements`).toEqual(before)
    if (done) break
    killed++
  }
  expect(killed).toBeGreaterThan(15)
  expect(await older()).toMatchObject({ log: '0', router_log: '0', marks: '0', dead: '0' })
})

test('0 days keep for ever', async () => {
  await fill()
  const all = (): Promise<unknown[]> =>
    db.query('SELECT count() AS n FROM ribscope.route_log FINAL')
  const before = await all()
  const none = { logDays: 0, aggregateDays: 0, errorDays: 0 }
  expect(await retain(db, none, NOW_US + 1000 * DAY_US)).toEqual({ days: [], kept: 0 })
  expect(await all()).toEqual(before)
})

test('errors and statistics have a TTL of their own, changed with the setting', async () => {
  const ttl = async (): Promise<unknown> =>
    Object.fromEntries(
      (
        await db.query<{ name: string; days: string }>(
          `SELECT name, extract(create_table_query, 'TTL [^)]*\\\\) \\\\+ toIntervalDay\\\\((\\\\d+)\\\\)') AS days
           FROM system.tables WHERE database = 'ribscope' AND name IN ('error_log', 'stats_log')`,
        )
      ).map(({ name, days }) => [name, days]),
    )
  await configureRetention(db, DEFAULT_RETENTION)
  expect(await ttl()).toEqual({ error_log: '7', stats_log: '30' })
  await store.insertRows('error_log', [
    { router: 'r', bmp_session: 1, seq: 1, rx_ts: '2020-01-01 00:00:00.000000', code: 'OLD' },
    {
      router: 'r',
      bmp_session: 1,
      seq: 2,
      rx_ts: formatDateTime64(Date.now() * 1000),
      code: 'NEW',
    },
  ])
  await db.command('OPTIMIZE TABLE ribscope.error_log FINAL')
  expect(await db.query('SELECT code FROM ribscope.route_errors')).toEqual([{ code: 'NEW' }])
  await configureRetention(db, { ...DEFAULT_RETENTION, errorDays: 90, logDays: 0 })
  expect(await ttl()).toEqual({ error_log: '90', stats_log: '' })
})
