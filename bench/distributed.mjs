// TCP -> Kafka -> writer -> ClickHouse: what each process of the distributed way takes for a BMP stream sent as fast as it is read.
//
//   node bench/distributed.mjs FILE.bmp... [--runs staged,together,direct,copy]
//
//   staged    the collector fills the topic first, then the writer empties it: seconds of each stage for itself
//   together  both at a time, as in production: rows a second of the whole chain
//   direct    reference: the same blocks, decoded and inserted by one process over HTTP, no Kafka
//   copy      reference: plain kafkajs copies the topic of the run before (staged or together) to another one
//
// The broker is Kafka 4.1 (`node test/setup/kafka.mjs` gets it), the store the engine of `@ribscope/store/testing` behind HTTP: each
// a process of its own on this machine. CPU is user + system of each process, its start taken off.
import { spawn, spawnSync } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const BIN = path('bin/ribscope.js')
const KAFKA = path('.cache/kafka/lib')
const TICKS_PER_SECOND = 100
const TOPIC = 'ribscope.events'
const INSERT_OCTETS = 64 << 20

const args = process.argv.slice(2)
const option = (name, otherwise) => {
  const at = args.indexOf(name)
  return at < 0 ? otherwise : args.splice(at, 2)[1]
}
const child = option('--child')
const runs = option('--runs', 'staged,copy,together,direct').split(',')

if (child === 'direct') await direct(...args)
else if (child === 'copy') await copy(...args)
else if (args.length === 0 || !existsSync(KAFKA)) {
  console.error(
    'usage: node bench/distributed.mjs FILE.bmp... [--runs staged,together,direct,copy]',
  )
  if (!existsSync(KAFKA)) console.error('no Kafka in .cache/kafka: node test/setup/kafka.mjs')
  process.exitCode = 2
} else {
  for (const file of args) await measure(file)
}

/** user + system of a process, seconds */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** A program that says in a line of JSON when it is up. */
async function start(program, given, isUp, stream = 'stderr') {
  const env = { ...process.env, UV_THREADPOOL_SIZE: '16' }
  const started = spawn(program, given, { stdio: ['pipe', 'pipe', 'pipe'], env })
  let said = ''
  for (const each of [started.stdout, started.stderr]) {
    each.on('data', (text) => (said = (said + text).slice(-4000)))
  }
  const ended = new Promise((done) => started.on('exit', done))
  const up = await new Promise((resolve, reject) => {
    void ended.then((code) => reject(new Error(`${given.join(' ')} ended with ${code}:\n${said}`)))
    createInterface({ input: started[stream] }).on('line', (line) => {
      const row = line.startsWith('{') ? JSON.parse(line) : {}
      if (isUp(row)) resolve(row)
    })
  })
  return {
    pid: started.pid,
    up,
    cpu0: cpuOf(started.pid),
    cpu() {
      return cpuOf(started.pid) - this.cpu0
    },
    async stop(signal = 'SIGTERM') {
      started.kill(signal)
      await ended
    },
  }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((each) => new Promise((done) => each.on('listening', done))))
  const ports = servers.map((each) => each.address().port)
  await Promise.all(servers.map((each) => new Promise((done) => each.close(done))))
  return ports
}

async function startBroker(folder) {
  mkdirSync(folder)
  const [port, controller] = await freePorts(2)
  const properties = join(folder, 'server.properties')
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'offsets.topic.replication.factor': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'log.dirs': join(folder, 'data'),
  }
  writeFileSync(
    properties,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  const java = ['-Xmx512m', '-XX:+UseSerialGC', '-cp', `${KAFKA}/*`]
  const id = 'MkU3OEVBNTcwNTJENDM2Qg'
  const formatted = spawnSync(
    'java',
    [...java, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', properties],
    { encoding: 'utf8' },
  )
  if (formatted.status !== 0) throw new Error(formatted.stdout + formatted.stderr)
  const started = spawn('java', [...java, 'kafka.Kafka', properties], { stdio: 'ignore' })
  const ended = new Promise((done) => started.on('exit', done))
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 300 || started.exitCode !== null) {
      started.kill('SIGKILL')
      throw new Error('the broker does not start')
    }
    await delay(200)
  }
  return {
    address: `127.0.0.1:${port}`,
    cpu: () => cpuOf(started.pid),
    async stop() {
      started.kill('SIGKILL')
      await ended
    },
  }
}

function answers(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.destroy(done(true)))
    socket.on('error', () => done(false))
  })
}

async function startStore(folder) {
  const program = path('packages/store/dist/testing/clickhouse-main.js')
  const given = [program, JSON.stringify({ dataDir: folder, port: 0, login: 'default:' })]
  const store = await start(process.execPath, given, ({ port }) => port !== undefined, 'stdout')
  store.url = `http://127.0.0.1:${store.up.port}`
  const made = spawnSync(process.execPath, [BIN, 'migrate', '--url', store.url], {
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(made.stderr)
  store.cpu0 = cpuOf(store.pid)
  return store
}

function service(name, ...given) {
  const said = `${name} is up`
  const isUp = ({ msg }) => typeof msg === 'string' && msg.startsWith(said)
  return start(process.execPath, [BIN, name, ...given, '--metrics', '127.0.0.1:0', '--json'], isUp)
}

function startCollector(kafka) {
  return service('collector', '--bmp', '127.0.0.1:0', '--name', 'bench', '--kafka', kafka)
}

function startWriter(kafka, url) {
  return service('writer', '--kafka', kafka, '--url', url)
}

async function metric({ up }, name) {
  const { host, port } = up.metrics
  const text = await (await fetch(`http://${host}:${port}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

/** The instant at which `count` has reached `goal`, or stands still without a goal. */
async function settled(count, goal = Infinity) {
  let last = -1
  let since = performance.now()
  for (;;) {
    const now = await count()
    if (now !== last) since = performance.now()
    last = now
    if (now >= goal || (now > 0 && goal === Infinity && performance.now() - since > 3000)) break
    if (performance.now() - since > 120_000) throw new Error(`stands at ${now} of ${goal}`)
    await delay(500)
  }
  return { rows: last, at: since }
}

async function send(collector, file) {
  const socket = connect(Number(collector.up.bmp.split(':').at(-1)), '127.0.0.1')
  createReadStream(file, { highWaterMark: 1 << 20 }).pipe(socket)
  await new Promise((done, fail) => socket.on('close', done).on('error', fail).resume())
}

async function measure(file) {
  console.log(`${file}, load ${loadavg()[0].toFixed(1)}`)
  for (const run of runs.filter((each) => each !== 'copy')) {
    const folder = mkdtempSync(join(tmpdir(), 'ribscope-bench-'))
    const open = []
    const keep = (each) => (open.push(each), each)
    try {
      const store = keep(await startStore(join(folder, 'store')))
      if (run === 'direct') {
        const started = performance.now()
        const client = reference('direct', file, store.url)
        print('direct', client.rows, performance.now() - started, {
          'decode and insert': client.cpu,
          store: store.cpu(),
        })
        continue
      }
      const broker = keep(await startBroker(join(folder, 'kafka')))
      const collector = keep(await startCollector(broker.address))
      const published = () => metric(collector, 'ribscope_rows_published_total')
      const stored = (writer) => () => metric(writer, 'ribscope_rows_stored_total')
      if (run === 'together') {
        const writer = keep(await startWriter(broker.address, store.url))
        const broker0 = broker.cpu()
        const started = performance.now()
        await send(collector, file)
        const { rows } = await settled(published)
        const { at } = await settled(stored(writer), rows)
        const groups = await metric(writer, 'ribscope_writer_groups_total')
        console.log(`  together: ${groups} groups`)
        print('together', rows, at - started, {
          collector: collector.cpu(),
          broker: broker.cpu() - broker0,
          writer: writer.cpu(),
          store: store.cpu(),
        })
      } else {
        const broker0 = broker.cpu()
        const started = performance.now()
        await send(collector, file)
        const { rows, at } = await settled(published)
        const broker1 = broker.cpu()
        print('staged: TCP to Kafka', rows, at - started, {
          collector: collector.cpu(),
          broker: broker1 - broker0,
        })
        const writer = keep(await startWriter(broker.address, store.url))
        // It reads from its start on: what it did until it said that it is up counts.
        writer.cpu0 = 0
        const from = performance.now()
        const end = await settled(stored(writer), rows)
        print('staged: Kafka to store', rows, end.at - from, {
          broker: broker.cpu() - broker1,
          'writer, start included': writer.cpu(),
          store: store.cpu(),
        })
      }
      if (runs.includes('copy')) {
        const broker0 = broker.cpu()
        const octets = await metric(collector, 'ribscope_published_bytes_total')
        const rows = await published()
        const copied = reference('copy', broker.address, String(octets))
        print('copy by plain kafkajs', rows, copied.seconds * 1000, {
          client: copied.cpu,
          broker: broker.cpu() - broker0,
        })
      }
    } catch (error) {
      console.error(error)
      process.exitCode = 1
    } finally {
      for (const each of open.reverse()) await each.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function print(what, rows, ms, cpu) {
  const m = rows / 1e6
  const each = Object.entries(cpu)
    .map(([name, seconds]) => `${name} ${seconds.toFixed(2)} (${(seconds / m).toFixed(3)})`)
    .join(', ')
  const speed = Math.round(rows / ms)
  console.log(`  ${what}: ${rows} rows, ${(ms / 1000).toFixed(1)} s, ${speed} k rows/s`)
  console.log(`    CPU-s (a million rows): ${each}`)
}

/** One of the functions below in a process of its own. */
function reference(name, ...given) {
  const ran = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), '--child', name, ...given],
    { encoding: 'utf8', maxBuffer: 1 << 20 },
  )
  if (ran.status !== 0) throw new Error(`${name}: ${ran.stderr}`)
  return JSON.parse(ran.stdout.trim().split('\n').at(-1))
}

function report(facts, started, cpu0) {
  const { user, system } = process.cpuUsage(cpu0)
  const seconds = (performance.now() - started) / 1000
  console.log(JSON.stringify({ ...facts, seconds, cpu: (user + system) / 1e6 }))
}

/** Decodes and inserts, as many octets an insert as the writer takes. */
async function direct(file, url) {
  const { NativeSink, RouterSession } = await import('../packages/events/dist/index.js')
  const { openServerStore } = await import('../packages/store/dist/index.js')
  const store = openServerStore({ url })
  const started = performance.now()
  const cpu0 = process.cpuUsage()
  let rows = 0
  let inserts = 0
  let waiting = []
  let octets = 0
  const sink = new NativeSink({
    onBatch: (batch) => {
      waiting.push(batch)
      octets += batch.body.length
    },
  })
  const flush = async () => {
    const groups = Map.groupBy
      ? Map.groupBy(waiting, ({ table, columns }) => `${table} ${columns.join()}`)
      : grouped(waiting, ({ table, columns }) => `${table} ${columns.join()}`)
    waiting = []
    octets = 0
    for (const group of groups.values()) {
      const [{ table, columns }] = group
      const bodies = group.map(({ body }) => body)
      await store.insert({ table, columns, bodies, token: `bench-${++inserts}` })
      for (const batch of group) {
        rows += batch.rows
        batch.release()
      }
    }
  }
  const openedUs = Date.now() * 1000
  const session = new RouterSession({
    collector: 'bench',
    source: '127.0.0.1',
    openedUs,
    out: sink,
  })
  let us = openedUs
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 16 })) {
    session.push(chunk, ++us)
    if (octets >= INSERT_OCTETS) await flush()
  }
  session.end('fin', ++us)
  waiting.push(...sink.flush())
  await flush()
  await store.close()
  report({ rows, inserts }, started, cpu0)
}

function grouped(list, keyOf) {
  const groups = new Map()
  for (const each of list) {
    const key = keyOf(each)
    groups.set(key, [...(groups.get(key) ?? []), each])
  }
  return groups
}

/** Every message of the topic to another one, by the library as it comes. */
async function copy(address, octets) {
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
  const { default: kafkajs } = await import('kafkajs')
  const kafka = new kafkajs.Kafka({ clientId: 'copy', brokers: [address], logLevel: 0 })
  const admin = kafka.admin()
  await admin.connect()
  const topic = `${TOPIC}.copy`
  const configEntries = [{ name: 'max.message.bytes', value: String(2 << 20) }]
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic, numPartitions: 16, replicationFactor: 1, configEntries }],
  })
  await delay(2000)
  await admin.disconnect()
  const producer = kafka.producer({ idempotent: true })
  const consumer = kafka.consumer({ groupId: 'copy', maxBytesPerPartition: 8 << 20 })
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  const started = performance.now()
  const cpu0 = process.cpuUsage()
  let copied = 0
  await new Promise((done, fail) => {
    consumer.on('consumer.crash', ({ payload }) => fail(payload.error))
    void consumer.run({
      eachBatch: async ({ batch }) => {
        for (const { key, value, headers } of batch.messages) {
          await producer.send({ topic, acks: -1, messages: [{ key, value, headers }] })
          copied += value.length
        }
        if (copied >= Number(octets)) done()
      },
    })
  })
  report({ copied }, started, cpu0)
  process.exit(0)
}
