// How fast questions about a long history are answered: the store filled from a BMP stream of many routers, then asked.
//
//   node bench/history-latency.mjs fill FILE.bmp DIR     DIR: data directory to make (must not exist)
//   node bench/history-latency.mjs ask DIR [RUNS]        default 30 runs a question; prints p50 and p95 in ms
//
// FILE holds routers one after another, each beginning with its Initiation. A row's receive time is its BMP timestamp, moved so
// that the last one of the stream is now. The rows go through the collector's code and the writer's inserts.
import { existsSync, closeSync, openSync, readSync, statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

async function openStore(dataDir) {
  const { openEmbeddedStore, migrate } = await import('../packages/store/dist/index.js')
  const { detectorViews } = await import('../packages/detectors/dist/index.js')
  const store = await openEmbeddedStore({ dataDir })
  const db = await store.session('bench', { query_plan_optimize_lazy_materialization: 0 })
  await migrate(db, detectorViews())
  return { store, db }
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** BMP messages of the file, in chunks of one instant: {type, us, bytes}. */
function* messages(file) {
  const fd = openSync(file, 'r')
  let rest = Buffer.alloc(0)
  const chunk = Buffer.alloc(8 << 20)
  for (;;) {
    const got = readSync(fd, chunk, 0, chunk.length, null)
    if (got === 0) break
    const bytes = Buffer.concat([rest, chunk.subarray(0, got)])
    let at = 0
    while (at + 6 <= bytes.length) {
      const length = bytes.readUInt32BE(at + 1)
      if (at + length > bytes.length) break
      const type = bytes[at + 5]
      const withPeer = type !== 4 && type !== 5
      const us = withPeer
        ? bytes.readUInt32BE(at + 40) * 1e6 + bytes.readUInt32BE(at + 44)
        : undefined
      yield { type, us, bytes: bytes.subarray(at, at + length) }
      at += length
    }
    rest = bytes.subarray(at)
  }
  closeSync(fd)
}

async function fill(file, dir) {
  if (existsSync(dir)) throw new Error(`${dir} exists`)
  const { RouterSession, NativeSink } = await import('../packages/events/dist/index.js')
  const { insertBatches } = await import('../services/standalone/dist/pipeline.js')
  let lastUs = 0
  let firstUs = Infinity
  for (const { us } of messages(file)) {
    if (us === undefined || us === 0) continue
    if (us > lastUs) lastUs = us
    if (us < firstUs) firstUs = us
  }
  const shift = Date.now() * 1000 - lastUs
  const { store, db } = await openStore(dir)
  const started = performance.now()
  const cpu0 = cpuSeconds()
  let waiting = []
  let octets = 0
  let rows = 0
  const insert = async () => {
    const batches = waiting
    waiting = []
    octets = 0
    await insertBatches(store, batches)
    rows += batches.reduce((sum, batch) => sum + batch.rows, 0)
    process.stderr.write(
      `\r${rows} rows, ${Math.round(rows / ((performance.now() - started) / 1000))}/s `,
    )
  }
  const keep = (batch) => {
    waiting.push(batch)
    octets += batch.body.length
  }
  let sink
  let session
  let rxUs = 0
  let routers = 0
  const finish = () => {
    if (session === undefined) return
    // The recording ends, the session does not.
    session.tick(rxUs)
    sink.flush().forEach(keep)
  }
  for (const { type, us, bytes } of messages(file)) {
    if (type === 4) {
      finish()
      routers++
      rxUs = firstUs + shift
      sink = new NativeSink({ onBatch: keep })
      const source = `127.1.${routers >> 8}.${routers & 255}`
      session = new RouterSession({ collector: 'bench', source, openedUs: rxUs, out: sink })
    }
    if (us !== undefined && us !== 0) rxUs = Math.max(rxUs, us + shift)
    session.push(bytes, rxUs)
    if (octets > 48 << 20) await insert()
  }
  finish()
  await insert()
  const seconds = (performance.now() - started) / 1000
  process.stderr.write('\n')
  for (;;) {
    const [{ n }] = await db.query('SELECT count() AS n FROM system.merges')
    if (Number(n) === 0) break
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  console.log(
    JSON.stringify({
      file,
      octets: statSync(file).size,
      routers,
      rows,
      seconds: Math.round(seconds),
      cpuSecondsPerMillionRows: Number(((cpuSeconds() - cpu0) / (rows / 1e6)).toFixed(2)),
    }),
  )
  await printDisk(db)
  await store.close()
}

async function printDisk(db) {
  const tables = await db.query(
    `SELECT table, sum(rows) AS n, sum(bytes_on_disk) AS octets, count() AS parts FROM system.parts
     WHERE active AND database = 'ribscope' GROUP BY table HAVING n > 0 ORDER BY octets DESC LIMIT 8`,
  )
  for (const { table, n, octets, parts } of tables) {
    console.log(
      `${table.padEnd(20)} ${String(n).padStart(10)} rows ${String(parts).padStart(4)} parts ${(octets / 2 ** 20).toFixed(0).padStart(7)} MiB ${(octets / n).toFixed(1).padStart(7)} octets/row`,
    )
  }
}

async function ask(dir, runs = '20') {
  const { store, db } = await openStore(dir)
  await printDisk(db)
  const { createApi } = await import('../services/api/dist/index.js')
  const { pino } = await import('pino')
  const { EventEmitter } = await import('node:events')
  const { Registry } = await import('prom-client')
  const api = createApi(
    { host: '127.0.0.1', port: 0, hosts: [], origins: [], insecure: false },
    {
      store,
      log: pino({ level: 'silent' }),
      registry: new Registry(),
      events: new EventEmitter(),
      readiness: () => ({ schema: true, bmp: true, analyst: true }),
    },
  )
  await api.start()
  const url = api.address.url
  const [{ router }] = await db.query(
    'SELECT router, count() AS n FROM ribscope.rib_state GROUP BY router ORDER BY n DESC LIMIT 1',
  )
  const [busy] = await db.query(
    `SELECT replaceOne(toString(addr), '::ffff:', '') AS host, bits, count() AS n FROM ribscope.route_log
     WHERE afi = 1 GROUP BY addr, bits ORDER BY n DESC LIMIT 1`,
  )
  const [quiet] = await db.query(
    `SELECT replaceOne(toString(addr), '::ffff:', '') AS host, bits, count() AS n FROM ribscope.route_log
     WHERE afi = 1 GROUP BY addr, bits ORDER BY n LIMIT 1 OFFSET 300`,
  )
  const [{ last }] = await db.query('SELECT toString(max(rx_ts)) AS last FROM ribscope.router_log')
  const lastMs = Date.parse(`${last.replace(' ', 'T')}Z`)
  const before = (hours) => new Date(lastMs - hours * 3_600_000).toISOString()
  const sqlTime = (hours) => before(hours).replace('T', ' ').replace('Z', '')
  const get = (path) => async () => {
    const response = await fetch(new URL(path, url))
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${text.slice(0, 200)}`)
    return JSON.parse(text).items.length
  }
  const sql = (text, params) => async () => (await db.query(text, params)).length
  const vip = `${busy.host}/${busy.bits}`
  const rare = `${quiet.host}/${quiet.bits}`
  const questions = [
    [
      `history of a busy prefix (${busy.n} events), last 200`,
      sql(
        'SELECT * FROM ribscope.route_history(prefix = {p:String}) ORDER BY rx_ts DESC LIMIT 200',
        { p: vip },
      ),
    ],
    [
      `history of a quiet prefix (${quiet.n} events)`,
      sql(
        'SELECT * FROM ribscope.route_history(prefix = {p:String}) ORDER BY rx_ts DESC LIMIT 200',
        { p: rare },
      ),
    ],
    [
      'longest match, one router, now: lpm()',
      sql(
        'SELECT prefix, next_hop FROM ribscope.lpm(address = {a:String}) WHERE router = {router:String}',
        { a: busy.host, router },
      ),
    ],
    [
      'longest match, one router, now: GET /rib',
      get(`/api/v1/rib?router=${router}&prefix=${busy.host}&match=longest`),
    ],
    [
      'longest match, all routers, now: GET /rib',
      get(`/api/v1/rib?prefix=${busy.host}&match=longest`),
    ],
    [
      'longest match, one router, an hour ago: GET /rib',
      get(`/api/v1/rib?router=${router}&prefix=${busy.host}&match=longest&at=${before(1)}`),
    ],
    [
      'RIB of a router: rib_live',
      sql(
        'SELECT addr, bits, next_hop, as_path FROM ribscope.rib_live WHERE router = {router:String}',
        { router },
      ),
    ],
    [
      'RIB of a router: rib_current',
      sql(
        'SELECT prefix, next_hop, as_path_text, since FROM ribscope.rib_current WHERE router = {router:String}',
        { router },
      ),
    ],
    [
      'who has a prefix now: rib_current',
      sql('SELECT router, next_hop, since FROM ribscope.rib_current WHERE prefix = {p:String}', {
        p: vip,
      }),
    ],
    ['RIB of a router, first page of 100: GET /rib', get(`/api/v1/rib?router=${router}`)],
    ...[1, 12, 24].map((hours) => [
      `RIB of a router ${hours} h ago: router_rib_at`,
      sql(
        'SELECT prefix, next_hop, as_path_text FROM ribscope.router_rib_at(router = {router:String}, at = {at:String})',
        { router, at: sqlTime(hours) },
      ),
    ]),
    [
      'RIB of a router 1 h ago: rib_at',
      sql(
        'SELECT prefix, next_hop, as_path_text FROM ribscope.rib_at(at = {at:String}) WHERE router = {router:String}',
        { router, at: sqlTime(1) },
      ),
    ],
    [
      'a prefix 1 h ago, all routers: rib_live_at',
      sql(
        "SELECT router, next_hop FROM ribscope.rib_live_at(at = {at:String}) WHERE addr = toIPv6(concat('::ffff:', {a:String})) AND bits = {b:UInt8}",
        { a: busy.host, b: busy.bits, at: sqlTime(1) },
      ),
    ],
    [
      'events of a router, last hour: router_log',
      sql(
        'SELECT count() FROM ribscope.router_log WHERE router = {router:String} AND rx_ts > {at:String}',
        { router, at: sqlTime(1) },
      ),
    ],
  ]
  for (const [name, question] of questions) {
    const walls = []
    const n = Number(runs)
    let rows = 0
    let cpu = 0
    try {
      rows = await question()
      const cpu0 = cpuSeconds()
      for (let i = 0; i < n; i++) {
        const started = performance.now()
        rows = await question()
        walls.push(performance.now() - started)
      }
      cpu = (cpuSeconds() - cpu0) / n
    } catch (error) {
      console.log(`${name}: ${error.message.slice(0, 200)}`)
      continue
    }
    walls.sort((a, b) => a - b)
    const at = (share) => walls[Math.min(n - 1, Math.floor(share * n))].toFixed(0).padStart(6)
    console.log(
      `${name.padEnd(60)} ${String(rows).padStart(6)} rows  p50 ${at(0.5)} ms  p95 ${at(0.95)} ms  CPU ${(cpu * 1000).toFixed(0).padStart(6)} ms`,
    )
  }
  await api.stop()
  await store.close()
}

const [mode, ...args] = process.argv.slice(2)
if (mode === 'fill' && args.length === 2) await fill(...args)
else if (mode === 'ask' && args.length >= 1) await ask(...args)
else {
  console.error('usage: history-latency.mjs fill FILE.bmp DIR | ask DIR [RUNS]')
  process.exit(2)
}
process.exit()
