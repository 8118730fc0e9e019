/** The four services as processes around a real broker: a recording of a flapping VIP becomes a finding of the API. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { replay } from '@ribscope/collector'
import { listRecordings } from '@ribscope/events'
import { startClickHouse, type ClickHouseProcess } from '@ribscope/store/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaMissing, startKafka, type Cluster } from './kafka/broker.ts'
import { until } from './lab/machine.ts'
import { Service, type ServiceName } from './services/process.ts'

const missing = kafkaMissing()
if (missing !== undefined) console.log(`tests with Kafka skip: ${missing}`)
const FIXTURE = fileURLToPath(new URL('fixtures/lab/vip-flap', import.meta.url))
const BIN = fileURLToPath(new URL('../bin/ribscope.js', import.meta.url))
const run = promisify(execFile)

const folder = mkdtempSync(join(tmpdir(), 'ribscope-services-'))
const services: Service[] = []
let cluster: Cluster
let clickhouse: ClickHouseProcess
let env: Readonly<Record<string, string>>

async function start(name: ServiceName, more: Readonly<Record<string, string>> = {}) {
  const service = await Service.start(name, { ...env, ...more })
  services.push(service)
  return service
}

beforeAll(async () => {
  if (missing !== undefined) return
  ;[cluster, clickhouse] = await Promise.all([
    startKafka(),
    startClickHouse({ dataDir: join(folder, 'store'), password: 'secret' }),
  ])
  env = {
    RIBSCOPE_KAFKA_BROKERS: cluster.addresses,
    RIBSCOPE_PARTITIONS: '4',
    RIBSCOPE_CLICKHOUSE_URL: clickhouse.url,
    RIBSCOPE_CLICKHOUSE_PASSWORD: 'secret',
  }
}, 120_000)

afterAll(async () => {
  for (const service of services) service.kill('SIGKILL')
  if (missing === undefined) await Promise.all([cluster.close(), clickhouse.kill()])
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(missing !== undefined)(
  'collector, writer, analyst, api',
  { timeout: 180_000 },
  () => {
    test('a service that has no schema says so and ends', async () => {
      const api = Service.spawn('api', { ...env, RIBSCOPE_WAIT: '0' })
      const [code] = await api.exit
      expect(code).toBe(1)
      expect(api.other).toMatch(/^ribscope api: .*run ribscope migrate\n$/)
    })

    test('a flapping VIP, from TCP to the API', async () => {
      const migrated = await run(process.execPath, [BIN, 'migrate'], {
        env: { ...process.env, ...env },
      })
      expect(migrated.stdout).toMatch(/^schema version \d+, \d+ migrations applied\n$/)
      const [collector, writer, analyst, api] = await Promise.all([
        start('collector'),
        start('writer'),
        start('analyst', { RIBSCOPE_CONFIG: join(FIXTURE, 'fabric.yaml') }),
        start('api'),
      ])
      const recordings = await listRecordings([FIXTURE])
      await replay({ recordings, host: '127.0.0.1', port: collector.bmpPort, speed: 4 })
      const published = await collector.metric('ribscope_rows_published_total')
      expect(published).toBeGreaterThan(1_000)
      const stored = () => writer.metric('ribscope_rows_stored_total')
      await until('all rows stored', async () => (await stored()) >= published, 30_000)
      const finding = await until(
        'VIP_FLAP',
        async () => {
          const answer = await fetch(`${api.url}/api/v1/findings?kind=VIP_FLAP`)
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
      // What stops says so, and ends with 0.
      expect(await Promise.all(services.map((each) => each.stop()))).toEqual([0, 0, 0, 0])
      for (const each of services) expect(each.logs.at(-1)?.msg).toBe('stopped')
    })
  },
)
