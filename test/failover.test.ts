/** Three brokers with three copies of each partition: any of them may die, one at a time, and every row arrives once, in order. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectKafka, ensureTopic, KafkaPublisher } from '@ribscope/bus'
import { createBmpServer, publishBatches, replay } from '@ribscope/collector'
import { listRecordings } from '@ribscope/events'
import { migrate, openEmbeddedStore } from '@ribscope/store'
import { KafkaWriter } from '@ribscope/writer'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaMissing, startKafka, type Cluster } from './kafka/broker.ts'
import { until } from './lab/machine.ts'

const missing = kafkaMissing()
if (missing !== undefined) console.log(`tests with Kafka skip: ${missing}`)
const FIXTURE = fileURLToPath(new URL('fixtures/lab/vip-flap', import.meta.url))
const log = pino({ level: process.env['RIBSCOPE_TEST_LOG'] ?? 'silent' }, pino.destination(2))
const TOPIC = 'ribscope.events'
const ROWS = ['route_log', 'session_log', 'stats_log', 'error_log']
  .map((table) => `SELECT router, bmp_session, seq FROM ribscope.${table}`)
  .join(' UNION ALL ')

let cluster: Cluster
const folder = mkdtempSync(join(tmpdir(), 'ribscope-failover-'))
beforeAll(async () => {
  if (missing !== undefined) return
  cluster = await startKafka(3, {
    // A dead broker is known to be dead after so long: short, for the test.
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '500',
  })
}, 120_000)
afterAll(async () => {
  if (missing === undefined) await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(missing !== undefined)('three brokers', { timeout: 240_000 }, () => {
  test('each of them is killed once, while routers send', async () => {
    const kafka = connectKafka({ brokers: cluster.addresses.split(','), clientId: 'test' }, log)
    const common = { create: true, replication: 3, retentionMs: 3_600_000 }
    const sizes = { ...common, maxMessageOctets: 900 << 10 }
    await ensureTopic(kafka, { ...sizes, topic: TOPIC, partitions: 6 })
    await ensureTopic(kafka, { ...sizes, topic: `${TOPIC}.dead`, partitions: 1 })
    const store = await openEmbeddedStore({ dataDir: join(folder, 'store') })
    const db = await store.session('test')
    await migrate(db)
    const publisher = new KafkaPublisher({ kafka, topic: TOPIC, log })
    const writer = new KafkaWriter({
      kafka,
      topic: TOPIC,
      groupId: 'writers',
      deadLetterTopic: `${TOPIC}.dead`,
      store,
      log,
      maxWaitMs: 100,
    })
    await writer.start()
    let published = 0
    const bus = publishBatches(publisher)
    const bmp = createBmpServer(
      { host: '127.0.0.1', port: 0, collector: 'test' },
      {
        log,
        openSink: () => ({
          async submit(batch) {
            const { rows } = batch
            await bus.submit(batch)
            published += rows
          },
        }),
      },
    )
    await bmp.start()
    const recordings = await listRecordings([FIXTURE])
    const admin = kafka.admin()
    await admin.connect()
    const inSync = async (): Promise<boolean> => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC] })
      return topics[0]!.partitions.every(({ isr }) => isr.length === 3)
    }
    for (const broker of cluster.brokers) {
      const before = published
      const round = replay({ recordings, host: '127.0.0.1', port: bmp.address!.port, speed: 40 })
      await until('rows on the bus', () => published > before, 30_000)
      await broker.kill()
      await round
      await until('sessions ended', () => bmp.sessions().length === 0, 30_000)
      // With one broker away: two copies are enough.
      await until('all confirmed', () => publisher.waitingOctets === 0, 60_000)
      expect(published).toBeGreaterThan(before)
      await broker.start()
      await until('three copies again', inSync, 60_000)
    }
    await bmp.stop()
    await publisher.stop(10_000)
    const stored = async (): Promise<number> => {
      const [row] = await db.query<{ n: string }>(
        `SELECT uniqExact(router, bmp_session, seq) AS n FROM (${ROWS})`,
      )
      return Number(row?.n)
    }
    await until('all rows stored', async () => (await stored()) >= published, 90_000)
    // Every sequence number from the first to the last of each session.
    const [sessions] = await db.query<{ whole: string; all: string; rows: string }>(
      `SELECT countIf(first = 1 AND last = n) AS whole, count() AS all, sum(n) AS rows FROM (
         SELECT min(seq) AS first, max(seq) AS last, uniqExact(seq) AS n
         FROM (${ROWS}) GROUP BY router, bmp_session)`,
    )
    const all = String(cluster.brokers.length * recordings.length)
    expect(sessions).toEqual({ whole: all, all, rows: String(published) })
    await admin.disconnect()
    await writer.stop()
    await db.close()
    await store.close()
  })
})
