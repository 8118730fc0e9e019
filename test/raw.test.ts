/** BMP messages as they are received on Kafka: published with OpenBMP's header, consumed in place of sockets, shown by `tap`. */
import { fileURLToPath } from 'node:url'
import { connectKafka, ensureTopic, KafkaPublisher } from '@ribscope/bus'
import { createBmpServer, replay } from '@ribscope/collector'
import { listRecordings, readRecording, type Recording } from '@ribscope/events'
import { BmpFramer, decodeObmp } from '@ribscope/wire'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaMissing, startKafka, type Cluster } from './kafka/broker.ts'
import { until } from './lab/machine.ts'

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

describe.skipIf(missing !== undefined)('raw BMP on Kafka', { timeout: 240_000 }, () => {
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
})
