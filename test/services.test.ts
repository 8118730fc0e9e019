/**
 * The four services as processes around a real broker, with the environment, secrets and health checks of docker-compose.yml and, in
 * ClickHouse, the users and grants of deploy/clickhouse/users.xml: a recording of a flapping VIP becomes findings of the API, those
 * that `ribscope up` makes of it; a collector that is killed for good is told of, and one that nobody hears of for other reasons is
 * not; of two analysts one works, and the other when that one falls silent.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { replay } from '@ribscope/collector'
import { listRecordings } from '@ribscope/events'
import { loadFabric } from '@ribscope/fabric'
import { configureRetention, openServerStore, retain, type Store } from '@ribscope/store'
import { startClickHouse, type ClickHouseProcess } from '@ribscope/store/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { announce, initiation, peerUp } from '../packages/events/src/testing/bytes.ts'
import { startUp } from '../services/standalone/src/up.ts'
import { byHand, type ByHand } from './compose/by-hand.ts'
import { kafkaMissing, startKafka, type Cluster } from './kafka/broker.ts'
import { until } from './lab/machine.ts'
import { METRICS } from './services/metrics.ts'
import { Service, type ServiceName } from './services/process.ts'

const missing = kafkaMissing()
if (missing !== undefined) console.log(`tests with Kafka skip: ${missing}`)
const FIXTURE = fileURLToPath(new URL('fixtures/lab/vip-flap', import.meta.url))
const BIN = fileURLToPath(new URL('../bin/ribscope.js', import.meta.url))
const run = promisify(execFile)

const folder = mkdtempSync(join(tmpdir(), 'ribscope-services-'))
const services: Service[] = []
/** Those that do not live to the end. */
const mortals: Service[] = []
let cluster: Cluster
let clickhouse: ClickHouseProcess
let compose: ByHand

const environment = (name: string): Record<string, string> =>
  compose.environment(name, { kafka: cluster.addresses, clickhouse: clickhouse.url })

async function start(name: ServiceName, env: Record<string, string> = {}) {
  const service = await Service.start(name, { ...environment(name), ...env })
  services.push(service)
  return service
}

const stores: Store[] = []
const as = (user: string): Store => {
  const password = compose.secret(`clickhouse_${user}_password`)
  const store = openServerStore({ url: clickhouse.url, user, password })
  stores.push(store)
  return store
}

const active = (analyst: Service): Promise<number> => analyst.metric('ribscope_analyst_active')

/** Times differ from run to run, and what is made of them. */
const OF_TIME = /_s$|^penalty$/

async function findingsOf(store: Store): Promise<unknown[]> {
  const session = await store.session('findings')
  const rows = await session.query<{ scope: string; metrics: string }>(
    'SELECT kind, sub_kind, cause, severity, confidence, status, scope, metrics FROM ribscope.findings ORDER BY kind, scope',
  )
  await session.close()
  return rows.map((row) => ({
    ...row,
    scope: JSON.parse(row.scope) as unknown,
    metrics: Object.entries(JSON.parse(row.metrics) as object).filter(
      ([key]) => !OF_TIME.test(key),
    ),
  }))
}

async function sameFindings(server: Store, embedded: Store): Promise<void> {
  let pair: [unknown[], unknown[]] = [[], []]
  await until(
    'the same findings',
    async () => {
      pair = [await findingsOf(server), await findingsOf(embedded)]
      return pair[0].length > 3 && JSON.stringify(pair[0]) === JSON.stringify(pair[1])
    },
    40_000,
  ).catch(() => undefined)
  expect(pair[0]).toEqual(pair[1])
  expect(pair[0].length).toBeGreaterThan(3)
}

const PEER = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const SILENCE_S = 3

function routerAt({ bmpPort }: Service, name: string): Socket {
  const socket = connect(bmpPort, '127.0.0.1').on('error', () => undefined)
  const messages = [initiation(name), peerUp(PEER), announce(PEER, '198.51.100.0/24')]
  socket.write(Uint8Array.from(messages.flat()))
  return socket
}

/** The broker is frozen, then the writer, then a collector is killed: only the last is the loss of a feed. */
async function lostWithItsCollector(writer: Service, other: Service): Promise<void> {
  const env = { RIBSCOPE_COLLECTOR: 'mortal', RIBSCOPE_LOST_AFTER: String(SILENCE_S) }
  const mortal = await Service.start('collector', { ...environment('collector'), ...env })
  mortals.push(mortal)
  const session = await as('ribscope_api').session('lost')
  const one = async (sql: string): Promise<number> =>
    Number((await session.query<{ n: number }>(sql))[0]?.n)
  /** What was ever found of it. */
  const found = async (): Promise<string> => {
    const rows = await session.query<{ status: string }>(
      'SELECT status FROM ribscope.findings_log WHERE kind = \'FEED_LOST\' AND scope = \'{"router":"bereft"}\' ORDER BY version',
    )
    return rows.map(({ status }) => status).join()
  }
  const up = (): Promise<number> =>
    one("SELECT up AS n FROM ribscope.router_state WHERE router = 'bereft'")
  /** By the clock of the store. */
  const silentFor = (): Promise<number> =>
    one(
      "SELECT dateDiff('millisecond', max(inserted_at), now64(6)) / 1000 AS n FROM ribscope.beats WHERE router = 'bereft'",
    )
  const silence = () =>
    until('silence', async () => (await silentFor()) > SILENCE_S + 1, 30_000, 100)
  const heard = () =>
    until(
      'a sign of life, and that all is stored',
      async () => {
        const seconds = await one(
          "SELECT dateDiff('millisecond', max(reached), now64(6)) / 1000 AS n FROM ribscope.pipeline",
        )
        return seconds < SILENCE_S / 2 && (await silentFor()) < SILENCE_S / 2
      },
      60_000,
      100,
    )
  const sockets = [routerAt(mortal, 'bereft')]
  await heard()
  const broker = cluster.brokers[0]!.pid!
  process.kill(broker, 'SIGSTOP')
  await silence().finally(() => process.kill(broker, 'SIGCONT'))
  await heard()
  writer.kill('SIGSTOP')
  mortal.kill('SIGKILL')
  await mortal.exit
  await silence().finally(() => {
    writer.kill('SIGCONT')
  })
  expect([await found(), await up()]).toEqual(['', 1])
  await until('FEED_LOST', async () => (await found()) === 'open', 60_000)
  expect(await up()).toBe(0)
  const stale = "SELECT max(stale) AS n FROM ribscope.rib_current WHERE router = 'bereft'"
  expect(await one(stale)).toBe(1)
  sockets.push(routerAt(other, 'bereft'))
  await until('it is back', async () => (await found()) === 'open,resolved', 30_000)
  expect([await up(), await one(stale)]).toEqual([1, 0])
  for (const socket of sockets) socket.destroy()
  await session.close()
}

/** One is frozen, the other goes on, and what the first finds when it wakes up is nobody's. */
async function takenOver(first: Service, second: Service): Promise<void> {
  expect([await active(first), await active(second)]).toEqual([1, 0])
  first.kill('SIGSTOP')
  const began = performance.now()
  await until('the other one works', async () => (await active(second)) === 1, 30_000)
  // The lease expires after 12 s; the rest is for machines with much to do.
  expect(performance.now() - began).toBeLessThan(25_000)
  first.kill('SIGCONT')
  await until(
    'the first knows',
    () => first.logs.some(({ msg }) => msg.startsWith('the lease is lost')),
    20_000,
  )
  expect([await active(first), await active(second)]).toEqual([0, 1])
  second.kill('SIGTERM')
  await second.exit
  const released = performance.now()
  await until('the first works again', async () => (await active(first)) === 1, 20_000)
  // Sooner than a lease that nobody gave back would have expired.
  expect(performance.now() - released).toBeLessThan(8_000)
  const session = await as('ribscope_api').session('versions')
  const torn = await session.query(
    `SELECT id, max(version) AS last, count() AS n, uniqExact(version) AS versions FROM ribscope.findings_log
     GROUP BY id HAVING n != versions OR last != versions`,
  )
  // Each change of each finding is there once, whoever wrote it.
  expect(torn).toEqual([])
}

beforeAll(async () => {
  if (missing !== undefined) return
  compose = byHand(folder, join(FIXTURE, 'fabric.yaml'))
  const { access } = compose
  ;[cluster, clickhouse] = await Promise.all([
    startKafka(),
    startClickHouse({ dataDir: join(folder, 'store'), password: 'of nobody', access }),
  ])
}, 120_000)

afterAll(async () => {
  for (const each of stores) await each.close()
  for (const service of [...services, ...mortals]) service.kill('SIGKILL')
  if (missing === undefined) await Promise.all([cluster.close(), clickhouse.kill()])
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(missing !== undefined)(
  'collector, writer, analyst, api',
  { timeout: 180_000 },
  () => {
    test('a service that has no schema says so and ends', async () => {
      const api = Service.spawn('api', { ...environment('api'), RIBSCOPE_WAIT: '0' })
      const [code] = await api.exit
      expect(code).toBe(1)
      expect(api.other).toMatch(/^ribscope api: .*run ribscope migrate\n$/)
    })

    test('a flapping VIP, from TCP to the API', async ({ onTestFailed }) => {
      onTestFailed(() => {
        for (const each of services) console.log(each.name, each.text().slice(-4_000))
      })
      const migrated = await run(process.execPath, [BIN, 'migrate'], {
        env: { ...process.env, ...environment('migrate') },
      })
      expect(migrated.stdout).toMatch(/^schema version \d+, \d+ migrations applied\n$/)
      const [collector, writer, analyst, api, up] = await Promise.all([
        start('collector'),
        // For what is asked of it at the end.
        start('writer', { RIBSCOPE_LOST_AFTER: String(SILENCE_S) }),
        start('analyst'),
        start('api'),
        startUp({
          bmp: { host: '127.0.0.1', port: 0 },
          http: { host: '127.0.0.1', port: 0 },
          dataDir: join(folder, 'up'),
          dataLimit: { share: 1 },
          retention: { logDays: 0, aggregateDays: 0, errorDays: 0 },
          config: loadFabric(join(FIXTURE, 'fabric.yaml')).fabric,
          insecure: false,
          log: pino({ level: 'silent' }),
        }),
      ])
      await until('at work', async () => (await active(analyst)) === 1, 30_000)
      const standby = await start('analyst')
      expect(await compose.healthy('api', 'http://127.0.0.1:1')).toBe(false)
      for (const { name, url } of services) {
        expect([name, await compose.healthy(name, url)]).toEqual([name, true])
      }
      const recordings = await listRecordings([FIXTURE])
      const to = { host: '127.0.0.1', speed: 4 }
      await Promise.all([
        replay({ ...to, recordings, port: collector.bmpPort }),
        replay({ ...to, recordings: await listRecordings([FIXTURE]), port: up.bmp.address!.port }),
      ])
      const published = await until(
        'all rows published',
        async () => {
          const waiting = await collector.metric('ribscope_collector_unaccepted_rows')
          const rows = await collector.metric('ribscope_rows_published_total')
          return waiting === 0 && rows > 1_000 ? rows : undefined
        },
        60_000,
      )
      const stored = () => writer.metric('ribscope_rows_stored_total')
      await until('all rows stored', async () => (await stored()) >= published, 30_000)
      const finding = await until(
        'VIP_FLAP',
        async () => {
          const answer = await fetch(`${api.url}/api/v1/findings?kind=VIP_FLAP`, {
            headers: { authorization: `Bearer ${compose.secret('api_tokens')}` },
          })
          const { items } = (await answer.json()) as { items: { scope: object }[] }
          return items[0]
        },
        30_000,
      )
      expect(finding).toMatchObject({
        kind: 'VIP_FLAP',
        scope: { vip: expect.any(String) as string },
      })
      expect(await analyst.metric('ribscope_analyst_round_seconds_count')).toBeGreaterThan(1)
      for (const each of services) {
        const documented = METRICS[each.name]?.map(({ name, type }) => `${name} ${type}`)
        expect([each.name, await each.ownMetrics(compose.secret('api_tokens'))]).toEqual([
          each.name,
          documented?.sort(),
        ])
      }
      await sameFindings(as('ribscope_api'), up.store)
      await up.stop()
      await lostWithItsCollector(writer, collector)
      await takenOver(analyst, standby)
      // Nobody was refused anything.
      for (const each of services) expect(each.text()).not.toMatch(/Not enough privileges/)
      // What stops says so, and ends with 0 before Docker would end it.
      const stopping = performance.now()
      expect(await Promise.all(services.map((each) => each.stop()))).toEqual([0, 0, 0, 0, 0])
      const grace = Math.min(...services.map(({ name }) => compose.grace(name)))
      expect(performance.now() - stopping).toBeLessThan(grace)
      for (const each of services) expect(each.logs.at(-1)?.msg).toBe('stopped')
    })

    describe('a user of ClickHouse', () => {
      test('of the analyst: may end what has been kept long enough', async () => {
        const session = await as('ribscope_analyst').session('keeper')
        const days = { logDays: 7, aggregateDays: 100, errorDays: 3 }
        await configureRetention(session, days)
        // Seen from next year, all of it.
        const { days: dropped } = await retain(
          session,
          days,
          (Date.now() + 365 * 86_400_000) * 1000,
        )
        expect(dropped.length).toBeGreaterThan(0)
      })

      test('of the writer: what did not decode goes where it belongs', async () => {
        await as('ribscope_writer').insertRows('error_log', [{ router: 'r1' }])
      })

      const refused = /Not enough privileges|Cannot execute query in readonly mode/
      test.each([
        ['ribscope_writer', 'SELECT count() FROM ribscope.findings_log'],
        ['ribscope_writer', 'TRUNCATE TABLE ribscope.route_log'],
        ['ribscope_writer', 'INSERT INTO ribscope.findings_log (id) VALUES (1)'],
        ['ribscope_analyst', 'DROP VIEW ribscope.findings'],
        ['ribscope_analyst', 'CREATE OR REPLACE VIEW ribscope.findings AS SELECT 1'],
        ['ribscope_analyst', 'CREATE DATABASE other'],
        ['ribscope_api', 'INSERT INTO ribscope.route_log (router) VALUES (1)'],
        ['ribscope_api', 'TRUNCATE TABLE ribscope.route_log'],
        ['ribscope_api', "SELECT * FROM file('/etc/passwd', 'LineAsString')"],
        ['grafana', 'TRUNCATE TABLE ribscope.route_log'],
        ['grafana', "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')"],
        ['ribscope_migrate', 'CREATE DATABASE other'],
        ['ribscope_migrate', 'CREATE USER other'],
      ])('%s may not: %s', async (user, sql) => {
        const session = await as(user).session('test')
        await expect(session.command(sql)).rejects.toThrow(refused)
      })

      test('of Grafana: reads, within limits that it cannot raise', async () => {
        const store = as('grafana')
        const session = await store.session('test', { max_execution_time: 60 })
        expect(await session.query('SELECT count() AS n FROM ribscope.findings')).toHaveLength(1)
        const greedy = await store.session('test', { max_execution_time: 61 })
        await expect(greedy.query('SELECT 1')).rejects.toThrow(/shouldn't be greater than 60/)
      })

      test('with another password is none', async () => {
        const store = openServerStore({ url: clickhouse.url, user: 'grafana', password: 'x' })
        stores.push(store)
        const session = await store.session('test')
        await expect(session.query('SELECT 1')).rejects.toThrow(/[Aa]uthentication|password/)
      })
    })
  },
)
