// Many routers that send their tables at once, and one that only keeps up: what waits, how large the process grows, how late
// the rows of the one are.
//
//   node bench/many-routers.mjs [ROUTERS 100] [ROUTES 20000] [MIB_PER_SECOND 20]
//
// The consumer takes so many MiB of rows a second, one batch after another, as brokers do that are the slowest part.
import { fork } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const KEEPS_UP = 'keeps-up'
const EVERY_MS = 50
const now = () => performance.timeOrigin + performance.now()

// --- octets: RFC 7854, RFC 4271 -------------------------------------------------------------------

const u16 = (n) => [n >> 8, n & 255]
const u32 = (n) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]
const zeros = (n) => Array(n).fill(0)
const bmp = (type, ...body) => [3, ...u32(6 + body.flat().length), type, ...body.flat()]
const bgp = (type, ...body) => [
  ...Array(16).fill(255),
  ...u16(19 + body.flat().length),
  type,
  ...body.flat(),
]
const PEER = [
  0,
  0,
  ...zeros(8),
  ...zeros(12),
  192,
  0,
  2,
  1,
  ...u32(64501),
  192,
  0,
  2,
  1,
  ...zeros(8),
]
const CAPABILITIES = [2, 6, 65, 4, ...u32(64501)]
const OPEN = bgp(1, 4, u16(64501), u16(90), 192, 0, 2, 1, CAPABILITIES.length, CAPABILITIES)
const hello = (name) => [
  ...bmp(4, u16(1), u16(1), [120], u16(2), u16(name.length), [...Buffer.from(name)]),
  ...bmp(3, PEER, zeros(12), 192, 0, 2, 254, u16(179), u16(50000), OPEN, OPEN),
]
const ATTRIBUTES = [
  ...[0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, ...u32(64501), 0x40, 3, 4, 192, 0, 2, 1],
  ...[0xc0, 8, 8, ...u16(65000), ...u16(1), ...u16(65000), ...u16(2)],
]
const route = (i) =>
  bmp(
    0,
    PEER,
    bgp(2, u16(0), u16(ATTRIBUTES.length), ATTRIBUTES, 24, 10 + (i >> 16), (i >> 8) & 255, i & 255),
  )

// --- routers, in a process of their own --------------------------------------------------------------

async function routers(port, count, routes) {
  const open = (octets) =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket))
      socket.on('error', () => undefined)
      socket.write(Uint8Array.from(octets))
    })
  const keeping = await open(hello(KEEPS_UP))
  keeping.setNoDelay(true)
  await delay(500)
  const table = Uint8Array.from(Array.from({ length: routes }, (_, i) => route(i)).flat())
  process.send({ octets: table.length })
  const sockets = await Promise.all(Array.from({ length: count }, (_, i) => open(hello(`r${i}`))))
  for (const socket of sockets) socket.write(table)
  for (let n = 1; ; n++) {
    keeping.write(Uint8Array.from(route(n)))
    process.send({ n, at: now() })
    await delay(EVERY_MS)
  }
}

// --- the collector, and a consumer of limited speed --------------------------------------------------

async function main(count, routes, mibPerSecond) {
  const { createBmpServer } = await import(process.env['COLLECTOR'] ?? '@ribscope/collector')
  const { pino } = await import('pino')
  const late = []
  const sent = new Map()
  let kept = 0
  let rows = 0
  let waiting = 0
  let peak = 0
  let free = 0
  const submit = async (batch) => {
    const octets = batch.body.length
    waiting += octets
    peak = Math.max(peak, waiting)
    free = Math.max(free, performance.now()) + octets / (mibPerSecond * 1048.576)
    await delay(free - performance.now())
    waiting -= octets
    if (batch.router === KEEPS_UP && batch.table === 'route_log') {
      for (let i = 0; i < batch.rows; i++) late.push(now() - (sent.get(++kept) ?? NaN))
    } else if (batch.table === 'route_log') rows += batch.rows
    batch.release()
  }
  const log = pino({ level: 'error' })
  const server = createBmpServer(
    {
      host: '127.0.0.1',
      port: 0,
      collector: 'bench',
      maxSessions: 10_000,
      maxBlockOctets: 900 << 10,
      maxOfferedOctets: 8 << 20,
    },
    { log, openSink: () => ({ submit }) },
  )
  await server.start()
  const child = fork(new URL(import.meta.url).pathname, [
    'routers',
    server.address.port,
    count,
    routes,
  ])
  let started = 0
  let octets = 0
  let rss = 0
  child.on('message', (message) => {
    if (message.octets !== undefined) {
      octets = message.octets * count
      started = performance.now()
      late.length = 0
    } else sent.set(message.n, message.at)
  })
  const cpu = process.cpuUsage()
  while (rows < count * routes) {
    await delay(20)
    rss = Math.max(rss, process.memoryUsage.rss())
  }
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  child.kill()
  await server.stop()
  const known = late.filter((each) => !Number.isNaN(each)).sort((a, b) => a - b)
  const at = (share) =>
    Math.round(known[Math.min(known.length - 1, Math.floor(share * known.length))])
  console.log(
    JSON.stringify({
      ...{
        routers: count,
        routes,
        bmp_mib: Math.round(octets / 2 ** 20),
        mib_per_second: mibPerSecond,
      },
      ...{ seconds: Number(seconds.toFixed(1)), cpu_s: Number(((user + system) / 1e6).toFixed(1)) },
      ...{ waiting_mib: Math.round(peak / 2 ** 20), rss_mib: Math.round(rss / 2 ** 20) },
      late_ms: { samples: known.length, p50: at(0.5), p99: at(0.99), max: at(1) },
    }),
  )
}

const args = process.argv.slice(2)
if (args[0] === 'routers') await routers(...args.slice(1).map(Number))
else await main(...[100, 20_000, 20].map((value, i) => Number(args[i] ?? value)))
