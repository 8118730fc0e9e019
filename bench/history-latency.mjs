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

async function ask(dir, runs = '30') {
  const { store, db } = await openStore(dir)
  await printDisk(db)
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

