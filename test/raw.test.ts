/** BMP messages as they are received on Kafka: published with OpenBMP's header, consumed in place of sockets, shown by `tap`. */
import { PassThrough } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { connectKafka, ensureTopic, KafkaPublisher } from '@ribscope/bus'
import { createBmpServer, replay } from '@ribscope/collector'
import { listRecordings, readRecording, type Recording } from '@ribscope/events'
import { BmpFramer, decodeObmp } from '@ribscope/wire'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaMissing, startKafka, type Cluster } from './kafka/broker.ts'
import { until } from './lab/machine.ts'
import { runCommand } from '../services/standalone/src/index.ts'
import { startFromKafka } from '../services/standalone/src/services/from-kafka.ts'

const missing = kafkaMissing()
if (missing !== undefined) console.log(`tests with Kafka skip: ${missing}`)
const FIXTURE = fileURLToPath(new URL('fixtures/lab/vip-flap', import.meta.url))
const log = pino({ level: process.env['RIBSCOPE_TEST_LOG'] ?? 'silent' })

let cluster: Cluster
beforeAll(async () => {
  if (missing === undefined) cluster = await startKafka()
})
afterAll(async () => {
  if (missing === undefined) await cluster.close()
})

const connect = () => connectKafka({ brokers: cluster.addresses.split(','), clientId: 'test' }, log)

async function newTopic(topic: string, partitions: number): Promise<string> {
  await ensureTopic(connect(), {
    topic,
    create: true,
    partitions,
    replication: 1,
    retentionMs: 3_600_000,
    maxMessageOctets: 900 << 10,
  })
  return topic
}

/** Messages of a recording, in hex. */
async function messagesOf(recording: Recording): Promise<string[]> {
  const messages: string[] = []
  const framer = new BmpFramer((bytes, start, end) => {
    messages.push(Buffer.from(bytes.subarray(start, end)).toString('hex'))
  })
  for await (const { chunk } of readRecording(recording)) framer.push(chunk)
  return messages
}

interface Consumed {
  readonly key: string
  readonly value: Buffer
  readonly partition: number
}

/** Everything that is in a topic. */
async function contents(topic: string): Promise<Consumed[]> {
  const kafka = connect()
  const admin = kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const all = ends.reduce((sum, { high }) => sum + Number(high), 0)
  const consumed: Consumed[] = []
  const consumer = kafka.consumer({ groupId: `test-${topic}` })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message: { key, value } }) => {
      consumed.push({ partition, key: String(key), value: value ?? Buffer.alloc(0) })
    },
  })
  await until(`all of ${topic}`, () => consumed.length >= all, 30_000)
  await consumer.disconnect()
  return consumed
}

/** A command in this process. */
async function ribscope(
  ...argv: string[]
): Promise<{ code: number; lines: string[]; said: string }> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const { signal } = new AbortController()
  const [code, out, said] = await Promise.all([
    runCommand(argv, { stdout, stderr, env: {}, signal }).finally(() => {
      stdout.end()
      stderr.end()
    }),
    readText(stdout),
    readText(stderr),
  ])
  return { code, lines: out.split('\n').slice(0, -1), said }
}

const tap = async (...argv: string[]): Promise<Row[]> => {
  const all = ['tap', ...argv, '--from', 'earliest', '--until-end', '--kafka', cluster.addresses]
  const { code, lines, said } = await ribscope(...all)
  expect([code, said]).toEqual([0, ''])
  return lines.map((line) => JSON.parse(line) as Row)
}

const decode = async (...argv: string[]): Promise<Row[]> => {
  const { lines } = await ribscope('decode', ...argv)
  return lines.map((line) => JSON.parse(line) as Row)
}

type Row = Record<string, unknown>

/** Sequences of what each peer announced and withdrew; what depends on when and by whom it was received left out. */
function byPeer(rows: readonly Row[]): Map<string, string[]> {
  const peers = new Map<string, string[]>()
  // Routes with and without EVPN are in blocks of their own.
  const by = (name: string) => (a: Row, b: Row) => Number(a[name]) - Number(b[name])
  for (const row of [...rows].sort(by('seq')).sort(by('bmp_session'))) {
    if (row['table'] !== 'route_events') continue
    const { router, peer_addr, rib, ...rest } = row
    for (const name of ['rx_ts', 'seq', 'collector', 'router_addr', 'bmp_session', 'phase']) {
      Reflect.deleteProperty(rest, name)
    }
    const key = `${String(router)} ${String(peer_addr)} ${String(rib)}`
    peers.set(key, [...(peers.get(key) ?? []), JSON.stringify(rest)])
  }
  return peers
}

function expectSame(got: Map<string, string[]>, expected: Map<string, string[]>): void {
  expect([...got.keys()].sort()).toEqual([...expected.keys()].sort())
  for (const [key, rows] of expected) {
    const mine = got.get(key) ?? []
    expect(mine.length, key).toBe(rows.length)
    for (const [i, row] of rows.entries()) if (mine[i] !== row) expect(mine[i], key).toBe(row)
  }
}

/** What `--from-kafka` makes of topics, until it has read them all. */
async function collect(topic: string, ...topics: string[]): Promise<Row[]> {
  const running = await startCollecting(topic, ...topics)
  await running.caughtUp()
  await running.stop()
  return tap(topic)
}

async function startCollecting(topic: string, ...topics: string[]) {
  const running = await startFromKafka({
    kafka: { brokers: cluster.addresses.split(','), clientId: 'test' },
    topic: { topic, create: true, partitions: 3, replication: 1, retentionMs: 3_600_000 },
    topics,
    group: 'collectors',
    source: { collector: 'c2' },
    metrics: { host: '127.0.0.1', port: 0 },
    log,
    signal: new AbortController().signal,
  })
  const admin = connect().admin()
  return {
    source: running.source,
    async caughtUp(): Promise<void> {
      await admin.connect()
      for (const each of topics) {
        const groupId = `collectors.${each}`
        await until(
          `${groupId} at the end`,
          async () => {
            const ends = await admin.fetchTopicOffsets(each)
            const [group] = await admin.fetchOffsets({ groupId, topics: [each] })
            const at = new Map(group?.partitions.map((p) => [p.partition, p.offset]))
            return ends.every(({ partition, high }) => high === '0' || at.get(partition) === high)
          },
          60_000,
        )
      }
      await admin.disconnect()
    },
    stop: () => running.stop(),
  }
}

describe.skipIf(missing !== undefined)('raw BMP on Kafka', { timeout: 90_000 }, () => {
  test('a collector publishes what it receives, message by message, in order', async () => {
    const topic = await newTopic('ribscope.raw', 4)
    const publisher = new KafkaPublisher({ kafka: connect(), topic, log })
    const bmp = createBmpServer(
      { host: '127.0.0.1', port: 0, collector: 'c1' },
      {
        log,
        openSink: () => ({
          submit(batch) {
            batch.release()
            return Promise.resolve()
          },
        }),
        raw: publisher,
      },
    )
    await bmp.start()
    const recordings = await listRecordings([FIXTURE])
    await replay({ recordings, host: '127.0.0.1', port: bmp.address!.port, speed: Infinity })
    await bmp.stop()
    expect(publisher.waitingOctets).toBe(0)
    await publisher.stop(5_000)

    const streams = new Map<string, string[]>()
    for (const { key, value } of await contents(topic)) {
      const frame = decodeObmp(value)
      expect(frame.messageEnd).toBe(value.length)
      expect(frame).toMatchObject({
        form: 'binary',
        version: '1.7',
        adminId: 'c1',
        routerHash: key,
        routerIp: '127.0.0.1',
        objectType: 12,
      })
      expect(Math.abs(frame.timeUs / 1000 - Date.now())).toBeLessThan(120_000)
      const messages = streams.get(key) ?? []
      messages.push(value.toString('hex', frame.messageAt))
      streams.set(key, messages)
    }
    const sent = await Promise.all(recordings.map(messagesOf))
    expect(new Set(streams.values())).toEqual(new Set(sent))
  })

  test('read in place of sockets: the rows that decode makes of the recording; tap shows both topics', async () => {
    const recordings = await listRecordings([FIXTURE])
    const rows = await collect('rows.of.raw', 'ribscope.raw')
    const expected = await Promise.all(recordings.map(({ path }) => decode(path, '--table', 'all')))
    const routes = byPeer(rows)
    expect(routes.size).toBeGreaterThan(10)
    expectSame(routes, byPeer(expected.flat()))
    expect(
      new Set(rows.map(({ collector, router_addr }) => [collector, router_addr].join())),
    ).toEqual(new Set(['c2,127.0.0.1']))
    const ups = rows.filter(({ kind }) => kind === 'peer_up').length
    expect(ups).toBe(expected.flat().filter(({ kind }) => kind === 'peer_up').length)

    const raw = await tap('ribscope.raw', '--router', 'tor1')
    const tor1 = recordings.find(({ path }) => path.endsWith('tor1.bmp'))!
    const messages = await decode(tor1.path)
    expect(raw.map((message) => ({ ...message, openbmp: undefined }))).toEqual(messages)
    expect((raw[0]?.['openbmp'] as Row)['adminId']).toBe('c1')
  })
})
