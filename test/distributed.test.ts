/** The distributed half: BMP over TCP -> Kafka -> writer -> store, against what `decode` and the embedded way make of the same octets. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  connectKafka,
  decodeHeaders,
  ensureTopic,
  GroupConsumer,
  KafkaPublisher,
} from '@ribscope/bus'
import { createBmpServer, publishBatches, replay } from '@ribscope/collector'
import { detectorViews } from '@ribscope/detectors'
import { listRecordings, type Batch } from '@ribscope/events'
import { migrate, openEmbeddedStore } from '@ribscope/store'
import { KafkaWriter } from '@ribscope/writer'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { announce, initiation, peerUp } from '../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../packages/events/src/testing/bytes.ts'
import { kafkaMissing, startKafka, type Cluster } from './kafka/broker.ts'
import { until } from './lab/machine.ts'

const missing = kafkaMissing()
if (missing !== undefined) console.log(`tests with Kafka skip: ${missing}`)
const FIXTURE = fileURLToPath(new URL('fixtures/lab/vip-flap', import.meta.url))
const log = pino({ level: process.env['RIBSCOPE_TEST_LOG'] ?? 'silent' })

let cluster: Cluster
const folder = mkdtempSync(join(tmpdir(), 'ribscope-distributed-'))
beforeAll(async () => {
  if (missing === undefined) cluster = await startKafka()
})
afterAll(async () => {
  if (missing === undefined) await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(missing !== undefined)('TCP, Kafka, writer, store', { timeout: 240_000 }, () => {
  test('a recording arrives whole, between messages that nobody can store', async () => {
    const kafka = connectKafka({ brokers: cluster.addresses.split(','), clientId: 'test' }, log)
    const topic = 'ribscope.events'
    const common = {
      create: true,
      replication: 1,
      retentionMs: 3_600_000,
      maxMessageOctets: 900 << 10,
    }
    await ensureTopic(kafka, { ...common, topic, partitions: 4 })
    await ensureTopic(kafka, { ...common, topic: `${topic}.dead`, partitions: 1 })
    const store = await openEmbeddedStore({ dataDir: join(folder, 'store') })
    const db = await store.session('test')
    await migrate(db, detectorViews())
    const publisher = new KafkaPublisher({ kafka, topic, log })
    const writer = new KafkaWriter({
      kafka,
      topic,
      groupId: 'writers',
      deadLetterTopic: `${topic}.dead`,
      store,
      log,
    })
    let rows = 0
    let cut = false
    const bus = publishBatches(publisher)
    const bmp = createBmpServer(
      { host: '127.0.0.1', port: 0, collector: 'test', maxBlockRows: 2_000 },
      {
        log,
        openSink: () => ({
          submit(batch: Batch) {
            rows += batch.rows
            if (cut || batch.table !== 'route_log') return bus.submit(batch)
            // Half of a block, among whole ones of the same columns.
            cut = true
            const half = { ...batch, body: batch.body.slice(0, batch.body.length / 2) }
            return Promise.all([bus.submit(batch), bus.submit(half)]).then(() => undefined)
          },
        }),
      },
    )
    await bmp.start()
    await writer.start()
    const poison = {
      table: 'route_log',
      columns: ['router'],
      format: 'native',
      router: 'tor1',
      bmpSession: 1,
      firstSeq: 1,
      lastSeq: 1,
      rows: 1,
    } as const
    // No block; a table that is none; a header that says nothing; rows for other programs.
    await publisher.publish(poison, Buffer.from('no block of anything'))
    await publisher.publish({ ...poison, table: 'no_such_table' }, Buffer.from([1, 1]))
    await publisher.send('tor1', Buffer.from('x'), { table: 'route_log; DROP TABLE route_log' })
    await publisher.publish({ ...poison, format: 'json' }, Buffer.from('{"router":"tor1"}\n'))
    const recordings = await listRecordings([FIXTURE])
    await replay({ recordings, host: '127.0.0.1', port: bmp.address!.port, speed: Infinity })
    await bmp.stop()
    await publisher.stop(10_000)
    const stored = async (): Promise<number> => {
      const tables = ['route_log', 'session_log', 'stats_log', 'error_log']
      let sum = 0
      for (const table of tables) {
        const [row] = await db.query<{ n: string }>(`SELECT count() AS n FROM ribscope.${table}`)
        sum += Number(row?.n)
      }
      return sum
    }
    await until('all rows', async () => (await stored()) >= rows, 30_000)
    expect(rows).toBeGreaterThan(1_000)
    expect(await stored()).toBe(rows)
    await until('the dead letters', () => writer.deadLetters >= 5, 30_000)
    expect(writer.deadLetters).toBe(5)
    const admin = kafka.admin()
    await admin.connect()
    const [dead] = await admin.fetchTopicOffsets(`${topic}.dead`)
    await admin.disconnect()
    expect(dead?.high).toBe('5')
    await writer.stop()

    // Nowhere to put them: the partition goes on all the same.
    const lonely = new KafkaPublisher({ kafka, topic: 'lonely', log })
    await ensureTopic(kafka, { ...common, topic: 'lonely', partitions: 1 })
    await lonely.publish({ ...poison, format: 'json' }, Buffer.from('{}'))
    await lonely.stop(10_000)
    const another = new KafkaWriter({
      ...{ kafka, topic: 'lonely', groupId: 'others', deadLetterTopic: 'nowhere', store, log },
      maxWaitMs: 50,
    })
    await another.start()
    await until('it goes on', () => another.partitions[0]?.position === 1n, 60_000)
    expect(another.deadLetters).toBe(1)
    expect(another.counters).toEqual({ groups: 1, repeated: 0, lost: 0 })
    await another.stop()
    await db.close()
    await store.close()
  })

  test('brokers go away while routers send: sockets wait, memory is bounded, no row is lost', async () => {
    const kafka = connectKafka({ brokers: cluster.addresses.split(','), clientId: 'loss' }, log)
    const topic = 'loss'
    const maxMessageOctets = 900 << 10
    const made = { create: true, partitions: 2, replication: 1, retentionMs: 3_600_000 }
    await ensureTopic(kafka, { ...made, topic, maxMessageOctets })
    const publisher = new KafkaPublisher({ kafka, topic, log })
    const most = 4 << 20
    const bmp = createBmpServer(
      {
        ...{ host: '127.0.0.1', port: 0, collector: 'loss', maxBlockOctets: maxMessageOctets },
        ...{ maxTotalOctets: most, maxSessionOctets: most, stopTimeoutMs: 60_000 },
      },
      { log, openSink: () => publishBatches(publisher) },
    )
    await bmp.start()
    const peer: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
    const routes = (from: number, to: number): Uint8Array =>
      Uint8Array.from(
        Array.from({ length: to - from }, (_, i) =>
          announce(peer, `10.${(from + i) >> 8}.${(from + i) & 255}.0/24`),
        ).flat(),
      )
    const names = ['r1', 'r2', 'r3', 'r4']
    const sockets = names.map((name) => {
      const socket = connect(bmp.address!.port, '127.0.0.1')
      socket.write(Uint8Array.from([...initiation(name), ...peerUp(peer)]))
      socket.write(routes(0, 500))
      return socket
    })
    const rows = (): number => bmp.sessions().reduce((sum, each) => sum + each.rows, 0)
    await until(
      'the first are there',
      () => rows() === 4 * 503 && bmp.unaccepted().rows === 0,
      30_000,
    )

    await cluster.brokers[0]!.kill()
    for (const socket of sockets) socket.write(routes(500, 15_000))
    await until('nobody is read', () => bmp.sessions().every((each) => each.paused), 30_000)
    expect(rows()).toBeLessThan(4 * 12_000)
    expect(bmp.unaccepted().octets).toBeGreaterThan(most / 4)
    expect(bmp.unaccepted().octets).toBeLessThan(1.5 * most)
    await cluster.brokers[0]!.start()

    const all = (): boolean => rows() >= 4 * 15_003 && bmp.unaccepted().rows === 0
    await until('all is there', all, 90_000)
    for (const socket of sockets) socket.destroy()
    await until('they are gone', () => bmp.sessions().length === 0, 10_000)
    await bmp.stop()
    expect(bmp.unaccepted()).toEqual({ rows: 0, octets: 0 })
    await publisher.stop(10_000)

    /** Router -> route rows, each batch once, and the last number so far. */
    const found = new Map(names.map((name) => [name, { rows: 0, upTo: 0 }]))
    const consumer = new GroupConsumer({
      ...{ kafka, topic, groupId: 'loss', log, maxOctets: 8 << 20, maxMessages: 1_000 },
      ...{ maxWaitMs: 100, concurrency: 2 },
      handle: async (group) => {
        for (const { headers } of group.messages) {
          const { router, table, firstSeq, lastSeq, rows: count } = decodeHeaders(headers)
          const mine = found.get(router)!
          // Repeated at worst, never late.
          if (table !== 'route_log' || firstSeq <= mine.upTo) continue
          mine.upTo = lastSeq
          mine.rows += count
        }
      },
    })
    await consumer.start()
    const counts = (): number[] => [...found.values()].map((each) => each.rows)
    await until('every row', () => counts().every((count) => count >= 15_000), 60_000)
    await consumer.stop()
    expect(counts()).toEqual(names.map(() => 15_000))
  })

  test('rows as JSON lines, for a program that knows nothing of ours', async () => {
    const kafka = connectKafka({ brokers: cluster.addresses.split(','), clientId: 'test' }, log)
    const topic = 'ribscope.json'
    const sizes = { replication: 1, retentionMs: 3_600_000, maxMessageOctets: 900 << 10 }
    await ensureTopic(kafka, { ...sizes, topic, create: true, partitions: 2 })
    const publisher = new KafkaPublisher({ kafka, topic, log })
    const bus = publishBatches(publisher)
    const bmp = createBmpServer(
      { host: '127.0.0.1', port: 0, collector: 'test', format: 'json', maxBlockOctets: 900 << 10 },
      { log, openSink: () => bus },
    )
    await bmp.start()
    const recordings = await listRecordings([FIXTURE])
    await replay({ recordings, host: '127.0.0.1', port: bmp.address!.port, speed: Infinity })
    await bmp.stop()
    await publisher.stop(10_000)
    const admin = kafka.admin()
    await admin.connect()
    const ends = await admin.fetchTopicOffsets(topic)
    await admin.disconnect()
    const messages = ends.reduce((sum, { high }) => sum + Number(high), 0)
    const sessions = new Map<string, number>()
    let read = 0
    const consumer = kafka.consumer({ groupId: 'somebody' })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      eachMessage: ({ message: { key, value, headers = {} } }) => {
        const header = (name: string): string => String(headers[name])
        const lines = String(value).trimEnd().split('\n')
        const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
        expect(header('format')).toBe('json')
        expect(header('rows')).toBe(String(rows.length))
        expect(Object.keys(rows[0]!).join()).toBe(header('columns'))
        const name = `${String(key)} ${header('bmp_session')}`
        for (const row of rows) {
          // A router's rows, of all tables, one after another.
          expect(row['seq']).toBe((sessions.get(name) ?? 0) + 1)
          sessions.set(name, Number(row['seq']))
          expect(`${String(row['router'])} ${String(row['bmp_session'])}`).toBe(name)
        }
        read++
        return Promise.resolve()
      },
    })
    await until('all messages', () => read >= messages, 30_000)
    await consumer.disconnect()
    expect(sessions.size).toBe(recordings.length)
    expect([...sessions.values()].reduce((sum, rows) => sum + rows, 0)).toBeGreaterThan(1_000)
  })
})
