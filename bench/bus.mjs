// The bus: CRC-32C of kafkajs and ours; batches to a Kafka broker and back, beside kafkajs used plainly in a process of its own.
//
//   node bench/bus.mjs [HOST:PORT [MIB]]
//
// Without a broker the sums alone. With one it makes topics `bench-...` there and deletes them. CPU is that of this process, not the
// broker's.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const [address, mib = '256', plainly] = process.argv.slice(2)
const total = Number(mib) << 20
// The bus's own kafkajs, and a module inside it.
const require = createRequire(new URL('../packages/bus/package.json', import.meta.url))
const OWN_SUM = 'kafkajs/src/protocol/recordBatch/crc32C'
const SIZES = [900_000, 64_000, 4_000]
const quiet = { debug() {}, info() {}, warn() {}, error: console.error }
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'

/** Wall and CPU of some octets. */
async function measured(name, octets, work) {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const perGigabyte = (user + system) / 1e6 / (octets / 1e9)
  const speed = octets / 1e6 / seconds
  console.log(
    `${name.padEnd(44)}${speed.toFixed(0).padStart(6)} MB/s${perGigabyte.toFixed(2).padStart(8)} CPU-s/GB`,
  )
}

async function sums() {
  const own = require(OWN_SUM)
  const { crc32c } = await import('../packages/bus/dist/kafka/crc32c.js')
  const value = Buffer.alloc(900_000, 'some octets')
  for (let i = 0; i < 20; i++) if (own(value) !== crc32c(value)) throw new Error('sums differ')
  for (const [name, sum] of [
    ["CRC-32C, kafkajs's own", own],
    ['CRC-32C, ours', crc32c],
  ]) {
    await measured(name, 200 * value.length, () => {
      for (let i = 0; i < 200; i++) sum(value)
    })
  }
}

const headers = (i) => ({
  table: 'route_log',
  columns: Array.from({ length: 35 }, (_, column) => `column_${column}`),
  format: 'native',
  router: `router${i % 64}`,
  bmpSession: 1_795_328_521_000_000,
  firstSeq: i,
  lastSeq: i,
  rows: 1,
})

/** As fast as it goes with 64 MiB that are not confirmed. */
async function send(size, publish) {
  const value = Buffer.alloc(size, 'rows')
  const sent = new Set()
  let waiting = 0
  for (let octets = 0, i = 0; octets < total; octets += size, i++) {
    waiting += size
    const one = publish(headers(i), value).then(() => {
      waiting -= size
      sent.delete(one)
    })
    sent.add(one)
    while (waiting > 64 << 20) await Promise.race(sent)
  }
  await Promise.all(sent)
}

async function ours() {
  const { connectKafka, ensureTopic, GroupConsumer, KafkaPublisher } =
    await import('../packages/bus/dist/index.js')
  const kafka = connectKafka({ brokers: [address], clientId: 'bench' }, quiet)
  const admin = kafka.admin()
  await admin.connect()
  for (const size of SIZES) {
    const topic = `bench-${process.pid}-${size}`
    const facts = { topic, create: true, partitions: 16, replication: 1, retentionMs: 3_600_000 }
    const { maxSendOctets } = await ensureTopic(kafka, { ...facts, maxMessageOctets: 900 << 10 })
    const publisher = new KafkaPublisher({ kafka, topic, log: quiet, maxSendOctets })
    await publisher.publish(headers(0), Buffer.from('warm'))
    await measured(`publisher, batches of ${size}`, total, () =>
      send(size, (head, value) => publisher.publish(head, value)),
    )
    await publisher.stop(10_000)
    let read = 0
    let whole
    const all = new Promise((done) => (whole = done))
    const consumer = new GroupConsumer({
      ...{ kafka, topic, groupId: topic, log: quiet, concurrency: 4 },
      ...{ maxOctets: 32 << 20, maxMessages: 4_000, maxWaitMs: 500 },
      async handle({ messages }) {
        for (const { value } of messages) read += value.length
        if (read >= total) whole()
      },
    })
    await measured(`group consumer, with joining the group`, total, async () => {
      await consumer.start()
      await all
    })
    await consumer.stop()
    await admin.deleteTopics({ topics: [topic] })
  }
  await admin.disconnect()
}

/** kafkajs as its documentation has it: not idempotent, several requests at once, its own sums. */
async function reference() {
  const { Kafka, logLevel } = require('kafkajs')
  const { encodeHeaders } = await import('../packages/bus/dist/message.js')
  const kafka = new Kafka({ brokers: [address], clientId: 'bench', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  for (const size of SIZES) {
    const topic = `bench-${process.pid}-${size}`
    const configEntries = [{ name: 'max.message.bytes', value: String(5 << 20) }]
    await admin.createTopics({ topics: [{ topic, numPartitions: 16, configEntries }] })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic, messages: [{ value: 'warm' }] })
    await measured(`kafkajs, a send each, batches of ${size}`, total, () =>
      send(size, (head, value) =>
        producer.send({
          topic,
          acks: -1,
          messages: [{ key: head.router, value, headers: encodeHeaders(head) }],
        }),
      ),
    )
    await producer.disconnect()
    await admin.deleteTopics({ topics: [topic] })
  }
  await admin.disconnect()
}

if (plainly === 'plainly') await reference()
else {
  await sums()
  if (address !== undefined) {
    await ours()
    const again = [fileURLToPath(import.meta.url), address, mib, 'plainly']
    spawnSync(process.execPath, again, { stdio: 'inherit' })
  }
}
