// BMP streams into rows: counted, as Native blocks, as JSON lines; nothing is written anywhere.
//   node bench/events-rows.mjs FILE.bmp... [--passes N] [--sinks count,native,json]
// Each sink has a process of its own, as in the product: call sites stay monomorphic. Prints M routes/s and
// CPU seconds per M routes, the latter also in calibration loops of the same run: absolute figures of a
// shared machine mean little.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const CHUNK_OCTETS = 65536
const T0 = 1_800_000_000_000_000

const args = process.argv.slice(2)
const option = (name, otherwise) => {
  const at = args.indexOf(name)
  return at < 0 ? otherwise : args.splice(at, 2)[1]
}
const passes = Number(option('--passes', '5'))
const sinks = option('--sinks', 'count,native,json').split(',')
const child = option('--child', '')

if (child !== '') await runOne(args[0], child)
else if (args.length === 0) {
  console.error(
    'usage: node bench/events-rows.mjs FILE.bmp... [--passes N] [--sinks count,native,json]',
  )
  process.exitCode = 2
} else {
  const loop = median([1, 2, 3].map(() => cpu(calibrate).seconds))
  console.log(`calibration loop ${loop.toFixed(3)} CPU-s (131 M steps)`)
  for (const file of args) {
    for (const sink of sinks) {
      const flags = ['--child', sink, '--passes', String(passes), file]
      const out = execFileSync(process.execPath, [fileURLToPath(import.meta.url), ...flags])
      const { runs, routes, octetsOut, counters } = JSON.parse(out)
      const m = routes / 1e6
      const seconds = median(runs)
      if (sink === sinks[0]) console.log(`${file}: ${JSON.stringify(counters)}`)
      console.log(
        `  ${sink.padEnd(6)} first pass ${(m / runs[0]).toFixed(2)}, median ${(m / seconds).toFixed(2)} M routes/CPU-s, ` +
          `${(seconds / m).toFixed(3)} CPU-s per M, ${(seconds / m / loop).toFixed(2)} calibration loops per M, ` +
          `${(octetsOut / routes).toFixed(0)} octets a row`,
      )
    }
  }
}

async function runOne(file, kind) {
  const { CountSink, JsonSink, NativeSink, RouterSession } =
    await import('../packages/events/dist/index.js')
  let octetsOut = 0
  const take = (batch) => {
    octetsOut += batch.body.length
    batch.release()
  }
  const create = {
    count: () => new CountSink(),
    native: () => new NativeSink({ onBatch: take }),
    json: () =>
      new JsonSink({
        write: (lines, release) => {
          octetsOut += lines.length
          release()
        },
      }),
  }[kind]
  const runs = []
  let counters
  for (let pass = 0; pass < passes; pass++) {
    octetsOut = 0
    const out = create()
    const session = new RouterSession({ collector: 'b', source: '127.0.0.1', openedUs: T0, out })
    const { seconds } = cpu(() => {
      let us = T0
      eachChunk(file, (chunk) => session.push(chunk, us++))
      session.end('stop', us)
      for (const batch of out.flush?.() ?? []) take(batch)
    })
    runs.push(seconds)
    counters = session.counters
  }
  const routes = counters.announced + counters.withdrawn
  console.log(JSON.stringify({ runs, routes, octetsOut, counters }))
}

function eachChunk(file, onChunk) {
  const fd = openSync(file, 'r')
  const buffer = new Uint8Array(CHUNK_OCTETS)
  for (let got; (got = readSync(fd, buffer, 0, CHUNK_OCTETS, null)) > 0;) {
    onChunk(got === CHUNK_OCTETS ? buffer : buffer.subarray(0, got))
  }
  closeSync(fd)
}

/** CPU seconds (user and system) of `run`. */
function cpu(run) {
  const before = process.cpuUsage()
  const result = run()
  const used = process.cpuUsage(before)
  return { seconds: (used.user + used.system) / 1e6, result }
}

function median(list) {
  return list.toSorted((a, b) => a - b)[list.length >> 1]
}

/** Integer arithmetic over 64 KiB, as much work on any machine. */
function calibrate() {
  const data = new Uint8Array(65536).map((_, i) => i * 7)
  let sum = 0
  for (let round = 0; round < 2000; round++)
    for (let i = 0; i < data.length; i++) sum = (Math.imul(sum, 31) + data[i]) | 0
  return sum
}
