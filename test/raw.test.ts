/** BMP messages as they are received on Kafka: published with OpenBMP's header, consumed in place of sockets, shown by `tap`. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import {
  connectKafka,
  encodeHeaders,
  ensureTopic,
  GroupConsumer,
  KafkaPublisher,
} from '@ribscope/bus'
import { createBmpServer, publishBatches, RawSource, replay } from '@ribscope/collector'
import type { RawSourceConfig } from '@ribscope/collector'
import { listRecordings, readRecording, type Recording } from '@ribscope/events'
import { BmpFramer, decodeObmp } from '@ribscope/wire'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaMissing, startKafka, type Cluster } from './kafka/broker.ts'
import { until } from './lab/machine.ts'
import { RawFeed } from '../services/collector/src/raw-feed.ts'
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

const broker = (): string[] => ['--kafka', cluster.addresses]

const tap = async (...argv: string[]): Promise<Row[]> => {
  const all = ['tap', ...argv, '--from', 'earliest', '--until-end', ...broker()]
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
function byPeer(
  rows: readonly Row[],
  what: (row: Row) => unknown = (row) => row,
): Map<string, string[]> {
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
    peers.set(key, [...(peers.get(key) ?? []), JSON.stringify(what(rest))])
  }
  return peers
}

/** Without what only the Peer Up tells. */
const said = ({ action, nlri, path_id, next_hop, communities }: Row): unknown => [
  action,
  nlri,
  path_id,
  next_hop,
  communities,
]

function expectSame(got: Map<string, string[]>, expected: Map<string, string[]>): void {
  expect([...got.keys()].sort()).toEqual([...expected.keys()].sort())
  for (const [key, rows] of expected) {
    const mine = got.get(key) ?? []
    expect(mine.length, key).toBe(rows.length)
    for (const [i, row] of rows.entries()) if (mine[i] !== row) expect(mine[i], key).toBe(row)
  }
}

/** What `--from-kafka` makes of topics, until it has read them all. */
async function collect(
  topic: string,
  topics: readonly string[],
  source: RawSourceConfig,
): Promise<Row[]> {
  const running = await startCollecting(topic, topics, source)
  await running.caughtUp()
  await running.stop()
  return tap(topic)
}

async function startCollecting(topic: string, topics: readonly string[], source: RawSourceConfig) {
  const running = await startFromKafka({
    kafka: { brokers: cluster.addresses.split(','), clientId: 'test' },
    topic: { topic, create: true, partitions: 3, replication: 1, retentionMs: 3_600_000 },
    topics,
    group: 'collectors',
    source,
    metrics: { host: '127.0.0.1', port: 0 },
    log,
    signal: new AbortController().signal,
  })
  const admin = connect().admin()
  return {
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
    const rows = await collect('rows.of.raw', ['ribscope.raw'], { collector: 'c2' })
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

  test('stopped, and killed before a commit: nothing is missed, what comes again keeps its order', async () => {
    const topic = await newTopic('restarts.raw', 2)
    const recordings = await listRecordings([FIXTURE])
    const streams = await Promise.all(recordings.map(messagesOf))
    const publisher = new KafkaPublisher({ kafka: connect(), topic, log })
    const publish = async (from: number, to: number): Promise<void> => {
      for (const [i, messages] of streams.entries()) {
        const router = recordings[i]!.router
        const feed = new RawFeed({
          // As others publish it: without our header that names the router.
          outlet: { sendAll: (all) => publisher.sendAll(all.map((o) => ({ ...o, headers: {} }))) },
          collector: 'c1',
          source: `10.0.0.${i}`,
          onWaiting: () => undefined,
          onLost: (_, reason) => expect.unreachable(reason),
        })
        for (const message of messages.slice(messages.length * from, messages.length * to)) {
          const octets = Buffer.from(message, 'hex')
          feed.message(router, octets, 0, octets.length, 1_800_000_000_000_000)
        }
        feed.flush()
        await feed.settled()
      }
    }
    const addresses = recordings.map(({ router }, i) => [router, `10.0.0.${i}`] as const)
    const source = { collector: 'c2', routerAddresses: new Map(addresses) }
    await publish(0, 0.5)
    await collect('rows.of.restarts', [topic], source)
    await publish(0.5, 1)
    await publisher.stop(5_000)
    // One that dies when its rows are there and nothing is committed.
    const rows = new KafkaPublisher({ kafka: connect(), topic: 'rows.of.restarts', log })
    const dying = new RawSource(source, { log, openSink: () => publishBatches(rows) })
    let handled = 0
    const consumer = new GroupConsumer({
      kafka: connect(),
      topic,
      groupId: `collectors.${topic}`,
      log,
      maxOctets: 1 << 20,
      maxMessages: 50,
      maxWaitMs: 100,
      concurrency: 2,
      handle: async (group, cancelled) => {
        await dying.handle(group, cancelled)
        handled++
        await once(cancelled, 'abort')
        throw new Error('planned')
      },
    })
    await consumer.start()
    await until('two groups', () => handled === 2, 30_000)
    await consumer.stop(1)
    await rows.stop(5_000)

    const all = await collect('rows.of.restarts', [topic], source)
    const got = byPeer(all, said)
    const whole = byPeer(
      (await Promise.all(recordings.map(({ path }) => decode(path, '--table', 'all')))).flat(),
      said,
    )
    expect([...got.keys()].sort()).toEqual([...whole.keys()].sort())
    let repeated = 0
    for (const [key, lines] of whole) {
      const mine = got.get(key) ?? []
      repeated += mine.length - lines.length
      expect(mine.at(-1), key).toBe(lines.at(-1))
      // What was said, in its order, and a run of it once more.
      let next = 0
      for (const line of mine) if (line === lines[next]) next++
      expect(next, key).toBe(lines.length)
    }
    expect(repeated).toBeGreaterThan(0)
    expect(repeated).toBeLessThan(1_000)
    const ups = all.filter(({ kind }) => kind === 'bmp_up')
    expect(ups.length).toBeGreaterThan(recordings.length)
    // Only where a router began is anything stale.
    const stale = ups.filter(({ effects }) => (effects as unknown[]).length > 0)
    expect(stale.length).toBe(recordings.length)
  })

  test('tap: filters, places, dead letters, and what nobody understands', async () => {
    const topic = await newTopic('tapped', 2)
    const publisher = new KafkaPublisher({ kafka: connect(), topic, log })
    const [message] = (await contents('rows.of.raw')).filter(({ value }) => value.length > 5_000)
    const headers = { table: 'route_log', router: 'tor1' }
    await publisher.send('tor1', Buffer.from('\u001b[2J\u009b2J no message'), {})
    await publisher.send('tor1', Buffer.from('no block'), {
      ...encodeHeaders({
        table: 'route_log',
        columns: ['addr'],
        format: 'native',
        router: 'evil\u009b2J',
        bmpSession: 1,
        firstSeq: 1,
        lastSeq: 1,
        rows: 1,
      }),
    })
    await publisher.send('tor1', message!.value, { ...headers, schema: '9' })
    await publisher.send('tor1', message!.value, {
      ...headers,
      dead_reason: 'table is full',
      dead_topic: 'ribscope.events',
      dead_partition: '3',
      dead_offset: '77',
    })
    await publisher.send(
      'tor2',
      Buffer.from('{"peer_addr":"192.0.2.1","big":18446744073709551615}\n'),
      {
        ...encodeHeaders({
          table: 'stats_log',
          columns: ['peer_addr'],
          format: 'json',
          router: 'tor2',
          bmpSession: 1,
          firstSeq: 1,
          lastSeq: 1,
          rows: 1,
        }),
      },
    )
    await publisher.stop(5_000)
    const rows = await tap(topic, '--headers')
    expect(rows.map(({ table, reason }) => [table, reason]).sort()).toEqual([
      [undefined, undefined],
      ['dead', 'table is full'],
      ['unreadable', 'ends inside a block'],
      ['unreadable', 'no header table, and no OpenBMP message'],
      ['unreadable', 'schema 9, this program knows 1'],
    ])
    expect(rows.find(({ table }) => table === 'dead')).toMatchObject({
      kafka: { topic, key: 'tor1' },
      partition: 3,
      offset: '77',
      router: 'tor1',
    })
    const lines = await ribscope(
      'tap',
      topic,
      '--from',
      'earliest',
      '--until-end',
      '--headers',
      ...broker(),
    )
    expect(lines.lines.join('')).toContain('"big":18446744073709551615')
    expect(lines.lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)

    const all = await tap('rows.of.raw', '--table', 'route_events', '--router', 'tor1')
    const vip = all.filter(({ prefix }) => prefix === '10.10.21.66/32')
    expect(vip.length).toBeGreaterThan(3)
    const same = (some: Row[]): string[] => some.map((row) => JSON.stringify(row)).sort()
    const filters = ['--table', 'route_log', '--router', 'tor1', '--prefix', '10.10.21.66']
    expect(same(await tap('rows.of.raw', ...filters))).toEqual(same(vip))
    const peer = String(vip[0]?.['peer_addr'])
    expect(same(await tap('rows.of.raw', ...filters, '--peer', peer))).toEqual(
      same(vip.filter(({ peer_addr }) => peer_addr === peer)),
    )
    expect((await tap('rows.of.raw', '--count', '7')).length).toBe(7)
    expect((await tap('ribscope.raw', '--prefix', '10.10.21.0/24', '--count', '2')).length).toBe(2)

    const { partition } = rows[0]!['kafka'] as { partition: number }
    const place = ['--partition', String(partition), '--from', '-1', '--until-end']
    const last = await ribscope('tap', topic, ...place, ...broker())
    expect([last.code, last.lines.length]).toEqual([0, 1])
    for (const [argv, said] of [
      [['nowhere'], 'topic nowhere does not exist'],
      [[topic, '--partition', '9'], 'topic tapped has no partition 9, but 2'],
      [[topic, '--partition', '0', '--from', '999'], /no offset 999, it has offsets 0 to/],
      [[topic, '--prefix', '10.0.0.0/99'], '--prefix "10.0.0.0/99": expected ADDRESS/BITS'],
    ] as const) {
      const failed = await ribscope('tap', ...argv, ...broker())
      expect(failed.code).not.toBe(0)
      expect(failed.said).toMatch(said)
    }
    const admin = connect().admin()
    await admin.connect()
    const { groups } = await admin.listGroups()
    await admin.disconnect()
    expect(groups.filter(({ groupId }) => groupId.startsWith('ribscope-tap'))).toEqual([])
  })
})
