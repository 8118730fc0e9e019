// TCP -> embedded store: what `ribscope up` takes in from one router that sends a BMP stream as fast as it is read.
//
//   node bench/tcp-store.mjs FILE.bmp
//
// Prints rows stored, seconds from the first octet to the last row stored, CPU-seconds of the process per million
// rows (schema and start-up taken off), and its largest resident set.
import { spawn } from 'node:child_process'
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const [file] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node bench/tcp-store.mjs FILE.bmp')
  process.exit(2)
}
const TICKS_PER_SECOND = 100
const data = mkdtempSync(join(tmpdir(), 'ribscope-bench-'))
const bin = new URL('../bin/ribscope.js', import.meta.url).pathname
const child = spawn(
  process.execPath,
  [bin, 'up', '--data', data, '--bmp', '127.0.0.1:0', '--http', '127.0.0.1:0', '--json'],
  { stdio: ['ignore', 'ignore', 'pipe'] },
)

/** user + system, seconds */
function cpuSeconds() {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}
const rssMegabytes = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

try {
  const { bmp, http } = await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`ribscope up ended with ${code}`)))
    createInterface({ input: child.stderr }).on('line', (line) => {
      const row = JSON.parse(line)
      if (row.bmp !== undefined && row.http !== undefined) resolve(row)
    })
  })
  const stored = async () => {
    const text = await (await fetch(new URL('/metrics', http))).text()
    return Number(/^ribscope_rows_stored_total (\d+)/m.exec(text)?.[1] ?? 0)
  }
  const cpu0 = cpuSeconds()
  const started = performance.now()
  let peak = 0
  const watch = setInterval(() => {
    peak = Math.max(peak, rssMegabytes())
  }, 200)
  const socket = connect(Number(bmp.split(':').at(-1)), '127.0.0.1')
  createReadStream(file, { highWaterMark: 1 << 20 }).pipe(socket)
  await new Promise((resolve, reject) => {
    socket.on('close', resolve)
    socket.on('error', reject)
  })
  const sent = (performance.now() - started) / 1000
  // All is stored when the number stands still.
  let rows = -1
  let done = performance.now()
  for (let now = await stored(); now !== rows; now = await stored()) {
    rows = now
    done = performance.now()
    await delay(1500)
  }
  clearInterval(watch)
  const seconds = (done - started) / 1000
  const cpu = cpuSeconds() - cpu0
  console.log(
    JSON.stringify({
      file,
      octets: statSync(file).size,
      rows,
      sentSeconds: Number(sent.toFixed(1)),
      seconds: Number(seconds.toFixed(1)),
      rowsPerSecond: Math.round(rows / seconds),
      cpuSecondsPerMillionRows: Number(((cpu / rows) * 1e6).toFixed(2)),
      peakMegabytes: Math.round(peak),
    }),
  )
} finally {
  child.removeAllListeners('exit')
  child.kill('SIGTERM')
  await new Promise((resolve) => {
    child.on('exit', resolve)
  })
  rmSync(data, { recursive: true, force: true })
}
