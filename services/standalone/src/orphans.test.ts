import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Analyst } from '@ribscope/analyst'
import { clickhouseTime, detectorViews } from '@ribscope/detectors'
import { NativeSink, RouterSession } from '@ribscope/events'
import { defaultFabric } from '@ribscope/fabric'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  announce,
  endOfRib,
  initiation,
  peerUp,
  statistics,
} from '../../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../../packages/events/src/testing/bytes.ts'
import { closeOrphans } from './orphans.ts'
import { insertBatches } from './pipeline.ts'

const S = 1e6
const T0 = 1_800_000_000 * S
const PEER: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const VIP = '203.0.113.66/32'

let store: Store
let db: StoreSession
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-orphans-'))

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('test')
  await migrate(db, detectorViews())
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A router connects at a second, sends its table and stays (or leaves a second later). */
async function connect(
  name: string,
  second: number,
  how: 'stays' | 'leaves' = 'stays',
): Promise<void> {
  const openedUs = T0 + second * S
  const sink = new NativeSink({ onBatch: (batch) => batches.push(batch) })
  const batches: ReturnType<typeof sink.flush> = []
  const session = new RouterSession({ collector: 'c1', source: '192.0.2.254', openedUs, out: sink })
  const messages = [
    initiation(name),
    peerUp(PEER),
    announce(PEER, VIP, '203.0.113.67/32'),
    endOfRib(PEER),
    // The last row of the session is in another table than its routes.
    statistics(PEER, [7, 2]),
  ]
  session.push(Uint8Array.from(messages.flat()), openedUs + 100_000)
  if (how === 'leaves') session.end('fin', openedUs + S)
  batches.push(...sink.flush())
  await insertBatches(store, batches)
}

interface End {
  router: string
  seq: string
  reason: string
  at: string
}

const ends = (): Promise<End[]> =>
  db.query<End>(`
    SELECT router, toString(seq) AS seq, reason, toString(toUnixTimestamp64Micro(rx_ts)) AS at
    FROM ribscope.session_log FINAL WHERE kind = 'bmp_down' ORDER BY router, pos`)

const current = (router: string): Promise<{ prefix: string; stale: number }[]> =>
  db.query('SELECT prefix, stale FROM ribscope.rib_current WHERE router = {router:String}', {
    router,
  })

test('a session without an end is ended once, after all its rows; its routes stay, as stale', async () => {
  await connect('killed', 0)
  await connect('left', 0, 'leaves')
  const [last] = await db.query<{ seq: string }>(`
    SELECT toString(max(seq)) AS seq FROM
    (SELECT seq FROM ribscope.stats_log WHERE router = 'killed' UNION ALL SELECT seq FROM ribscope.session_log WHERE router = 'killed')`)
  expect(await current('killed')).toMatchObject([{ stale: 0 }, { stale: 0 }])

  await closeOrphans(store, db, T0 + 100 * S)
  const [own, other] = await ends()
  expect(own).toEqual({
    router: 'killed',
    seq: String(Number(last?.seq) + 1),
    reason: 'collector-restart',
    at: String(T0 + 100 * S),
  })
  expect(other).toMatchObject({ router: 'left', reason: 'fin' })
  expect(await current('killed')).toMatchObject([{ stale: 1 }, { stale: 1 }])

  // The process is killed again before any router is back: nothing is left to end.
  await closeOrphans(store, db, T0 + 110 * S)
  expect(await ends()).toHaveLength(2)
})

test('a session opened since is ended too, and only that one', async () => {
  await connect('killed', 120)
  await closeOrphans(store, db, T0 + 150 * S)
  expect((await ends()).map(({ router, at }) => [router, at])).toEqual([
    ['killed', String(T0 + 100 * S)],
    ['killed', String(T0 + 150 * S)],
    ['left', String(T0 + S)],
  ])
})

test('a router that stays away is a lost feed after its grace, one that comes back never was', async () => {
  await connect('back', 170)
  await connect('away', 170)
  const startedAt = T0 + 200 * S
  await closeOrphans(store, db, startedAt)
  const analyst = await Analyst.create({ store, config: defaultFabric(), startedAt })
  const lost = async (second: number): Promise<unknown[]> => {
    await analyst.round(T0 + second * S)
    return analyst
      .findings()
      .filter(({ kind, scope }) => kind === 'FEED_LOST' && scope['router'] !== 'left')
      .map(({ scope, status }) => [scope['router'], status])
      .sort()
  }
  expect(await lost(201)).toEqual([])
  await connect('back', 210)
  expect(await lost(211)).toEqual([])
  expect(await lost(259)).toEqual([])
  expect(analyst.nextDueUs()).toBeLessThanOrEqual(startedAt + 60 * S)
  // `killed` was left alone since the first test: its time begins with this process, too.
  expect(await lost(261)).toEqual([
    ['away', 'open'],
    ['killed', 'open'],
  ])
  await connect('away', 300)
  expect(await lost(301)).toEqual([
    ['away', 'resolved'],
    ['killed', 'open'],
  ])
  await analyst.close()
})

/** A sign of life, by when it was stored: of a session, or with router '' of a writer. Seconds of the store's clock. */
const beat = (router: string, opened: number, stored: number, way = { asked: 0, steady: 0 }) => {
  const time = (second: number): string => clickhouseTime(T0 + second * S)
  return store.insertRows('beats', [
    {
      ...{ topic: 'events', router, sender: router === '' ? `w${way.steady}` : 'c1' },
      bmp_session: router === '' ? 0 : T0 + opened * S,
      // The collector's clock is an hour behind.
      ...{ rx_ts: time(stored - 3_600), patience_us: 60 * S, inserted_at: time(stored) },
      ...{ asked_at: time(way.asked), steady_since: time(way.steady) },
    },
  ])
}

const wayIsFree = (asked: number, steady: number, stored = asked + 1) =>
  beat('', 0, stored, { asked, steady })

test('a collector that is silent is a lost feed once all that it might have said is stored, and no sooner', async () => {
  const analyst = await Analyst.create({ store, config: defaultFabric(), beats: true })
  const NAMES = ['quiet', 'twice', 'older']
  /** What is open, and what else says so. */
  const lost = async (second: number): Promise<readonly string[]> => {
    await analyst.round(T0 + second * S)
    const open = analyst
      .findings()
      .filter(({ kind, status }) => kind === 'FEED_LOST' && status === 'open')
      .map(({ scope }) => String(scope['router']))
      .filter((name) => NAMES.includes(name))
    const down = await db.query<{ router: string }>(
      `SELECT router FROM ribscope.router_state WHERE NOT up AND router IN {names:Array(String)}`,
      { names: NAMES },
    )
    const stale = await db.query<{ router: string }>(
      `SELECT DISTINCT router FROM ribscope.rib_live WHERE stale AND router IN {names:Array(String)}`,
      { names: NAMES },
    )
    expect([down, stale].map((rows) => rows.map(({ router }) => router))).toEqual([open, open])
    return open
  }
  // `older` has a collector of an earlier version; the first session of `twice` goes on beside the second for a while.
  for (const name of NAMES) await connect(name, 600)
  await connect('twice', 700)
  await beat('quiet', 600, 4_300)
  await beat('twice', 600, 4_300)
  await beat('twice', 700, 4_300)
  await wayIsFree(4_359, 4_000)
  expect(await lost(760)).toEqual([])
  // No writer, then one that begins anew.
  expect(await lost(1_000)).toEqual([])
  await beat('twice', 700, 4_990)
  await wayIsFree(5_000, 5_000)
  expect(await lost(1_010)).toEqual([])
  await wayIsFree(5_059, 5_000)
  expect(await lost(1_060)).toEqual([])
  await beat('twice', 700, 5_060)
  await wayIsFree(5_061, 5_000)
  expect(await lost(1_061)).toEqual(['quiet'])
  const [finding] = analyst.findings().filter(({ scope }) => scope['router'] === 'quiet')
  expect(finding).toMatchObject({
    metrics: { reason: 'collector-silent', collector: 'c1' },
    evidence: [{ router: 'quiet', seq: 1, rx_ts: '2027-01-15T08:11:40.000000Z' }],
  })
  // A writer wakes up, with what it asked long ago.
  await wayIsFree(4_365, 4_001, 5_065)
  expect(await lost(1_065)).toEqual(['quiet'])
  // Brokers are away and come back, writers are others: what was lost stays lost.
  await wayIsFree(5_068, 5_067)
  expect(await lost(1_068)).toEqual(['quiet'])
  // The collector was only slow.
  await beat('quiet', 600, 5_070)
  expect(await lost(1_070)).toEqual([])
  await beat('twice', 700, 5_140)
  await wayIsFree(5_140, 5_000)
  expect(await lost(1_140)).toEqual(['quiet'])
  await connect('quiet', 1_200)
  await beat('quiet', 1_200, 5_200)
  await beat('twice', 700, 5_200)
  await wayIsFree(5_210, 5_000)
  expect(await lost(1_210)).toEqual([])
  // Its routes are those of the new session, and are not in doubt again when that one is closed as it should be.
  expect(await ends()).not.toContainEqual(expect.objectContaining({ router: 'quiet' }))
  await analyst.close()
}, 60_000)

test('a store that fails in the middle of rounds, wherever in them: what was found is stored, each change once', async () => {
  const startedAt = T0 + 400 * S
  let left = Infinity
  const failing = <T>(work: () => Promise<T>): Promise<T> =>
    left-- > 0 ? work() : Promise.reject(new Error('the store is away'))
  const flaky: Store = {
    ...store,
    async session(...args) {
      const session = await store.session(...args)
      return {
        query: <Row>(...query: Parameters<StoreSession['query']>) =>
          failing(() => session.query<Row>(...query)),
        queryText: (...query) => session.queryText(...query),
        queryBytes: (...query) => session.queryBytes(...query),
        command: (...command) => failing(() => session.command(...command)),
        close: () => session.close(),
      }
    },
    insertRows: (...rows) => failing(() => store.insertRows(...rows)),
    replaceRows: (...rows) => failing(() => store.replaceRows(...rows)),
  }
  await connect('flaky', 390)
  const analyst = await Analyst.create({ store: flaky, config: defaultFabric(), startedAt })
  /** One round again and again, with ever more of its statements done before one fails. */
  const round = async (second: number): Promise<number> => {
    for (let statements = second % 3; ; statements += 3) {
      left = statements
      const done = await analyst.round(T0 + second * S).then(
        () => true,
        () => false,
      )
      if (done) return statements
    }
  }
  const stored = async (): Promise<string[]> => {
    const rows = await db.query<{ version: string; status: string }>(
      `SELECT toString(version) AS version, status FROM ribscope.findings_log
       WHERE kind = 'FEED_LOST' AND JSONExtractString(scope, 'router') = 'flaky' ORDER BY at, version`,
    )
    return rows.map(({ version, status }) => `${version} ${status}`)
  }
  expect(await round(401)).toBeGreaterThan(5)
  expect(await stored()).toEqual([])
  await closeOrphans(store, db, T0 + 410 * S)
  await round(411)
  await round(480)
  expect(await stored()).toEqual(['1 open'])
  await connect('flaky', 500)
  await round(501)
  expect(await stored()).toEqual(['1 open', '2 resolved'])
  left = Infinity
  await analyst.close()
}, 60_000)
