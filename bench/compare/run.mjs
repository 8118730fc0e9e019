// Other programs on the same octets, on the same machine, in one run.
//   node bench/compare/run.mjs FILE.bmp... [--runs N] [--only NAME,...] [--skip NAME,...]
// CPU is user and system time of the whole process. "routes" is what each program itself counted. What is not
// installed is left out, and said so:
//   bgpkit, gobgp  built here with cargo and go into the cache folder (RIBSCOPE_BENCH_CACHE, default below tmp)
//   pmbmpd         of the package pmacct; gets the file over TCP, logs JSON to a file
//   gobmp          a binary of github.com/sbezverk/gobmp, given as GOBMP=PATH; gets the file over TCP
import { spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createConnection } from 'node:net'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuOf, median } from '../process-cpu.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const args = process.argv.slice(2)
const option = (name, otherwise) => {
  const at = args.indexOf(name)
  return at < 0 ? otherwise : args.splice(at, 2)[1]
}
const runs = Number(option('--runs', '5'))
const only = option('--only', '')
const skip = option('--skip', '').split(',')
const cache = process.env['RIBSCOPE_BENCH_CACHE'] ?? join(tmpdir(), 'ribscope-bench')
mkdirSync(cache, { recursive: true })
if (args.length === 0) {
  console.error(
    'usage: node bench/compare/run.mjs FILE.bmp... [--runs N] [--only NAME,...] [--skip NAME,...]',
  )
  process.exit(2)
}

const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
const bin = here('../../bin/ribscope.js')
const programs = []
const add = (name, run) => {
  if ((only === '' || only.split(',').includes(name)) && !skip.includes(name)) {
    programs.push({ name, run })
  }
}
const built = (folder, tool, build, binary) => {
  if (!has(tool)) return void console.log(`(no ${tool}: ${folder} left out)`)
  const { status, stderr } = build()
  if (status !== 0) return void console.log(`(${folder} does not build: ${stderr})`)
  return binary
}
const ribscopeRoutes = (file) => {
  const count = JSON.parse(
    spawnSync(process.execPath, [bin, 'decode', '--count', file], { encoding: 'utf8' }).stdout,
  )
  return count.announced + count.withdrawn
}
let ownRoutes = 0

add('md5sum', async (file) => ({ seconds: cpuOf('md5sum', file).seconds }))
for (const [name, how] of [
  ['ribscope count', '--count'],
  ['ribscope json', '--rows'],
]) {
  add(name, async (file) => ({
    seconds: cpuOf(process.execPath, bin, 'decode', how, file).seconds,
    routes: ownRoutes,
  }))
}
add('ribscope native', async (file) => {
  const bench = here('../events-rows.mjs')
  const flags = ['--child', 'native', '--passes', '1', file]
  return { seconds: cpuOf(process.execPath, bench, ...flags).seconds, routes: ownRoutes }
})

const printed = (binary, mode) => async (file) => {
  const { seconds, stderr } = cpuOf(binary, mode, file)
  return { seconds, ...JSON.parse(stderr) }
}
const bgpkit = built(
  'bgpkit',
  'cargo',
  () =>
    spawnSync('cargo', ['build', '--release', '--locked', '--quiet'], {
      cwd: here('bgpkit'),
      env: { ...process.env, CARGO_TARGET_DIR: join(cache, 'bgpkit') },
      encoding: 'utf8',
    }),
  join(cache, 'bgpkit/release/bmp-bgpkit'),
)
if (bgpkit !== undefined) {
  for (const mode of ['count', 'elems', 'json']) add(`bgpkit ${mode}`, printed(bgpkit, mode))
}
const gobgp = built(
  'gobgp',
  'go',
  () =>
    spawnSync('go', ['build', '-o', join(cache, 'bmp-gobgp'), '.'], {
      cwd: here('gobgp'),
      encoding: 'utf8',
    }),
  join(cache, 'bmp-gobgp'),
)
if (gobgp !== undefined) {
  for (const mode of ['count', 'json']) add(`gobgp ${mode}`, printed(gobgp, mode))
}
if (has('pmbmpd')) {
  add('pmbmpd json', (file) =>
    listening(file, (folder, port) => {
      const config = join(folder, 'pmbmpd.conf')
      const lines = ['bmp_daemon_ip: 127.0.0.1', `bmp_daemon_port: ${port}`]
      lines.push(`bmp_daemon_msglog_file: ${join(folder, 'log')}`, 'bmp_daemon_max_peers: 4')
      writeFileSync(config, `${lines.join('\n')}\n`)
      return { command: 'pmbmpd', args: ['-f', config], log: join(folder, 'log') }
    }),
  )
} else console.log('(no pmbmpd: left out)')
const gobmp = process.env['GOBMP']
if (gobmp !== undefined) {
  add('gobmp json', (file) =>
    listening(file, (folder, port) => ({
      command: gobmp,
      args: [`--source-port=${port}`, '--dump=file', `--msg-file=${join(folder, 'log')}`],
      log: join(folder, 'log'),
    })),
  )
} else console.log('(GOBMP=PATH is not set: gobmp left out)')

console.log(
  `${cpus().length} x ${cpus()[0]?.model}, Node ${process.versions.node}, load ${loadavg()[0].toFixed(1)}`,
)
for (const file of args) {
  ownRoutes = ribscopeRoutes(file)
  const found = programs.map(({ name, run }) => ({ name, run, seconds: [], routes: undefined }))
  for (let turn = 0; turn < runs; turn++) {
    for (const each of found) {
      const { seconds, routes } = await each.run(file)
      each.seconds.push(seconds)
      each.routes = routes
    }
  }
  const own = found.find(({ name }) => name === 'ribscope count')
  console.log(`${file}, load ${loadavg()[0].toFixed(1)}`)
  console.log('program            CPU s   routes      CPU-s/M   x ribscope count, a route')
  for (const { name, seconds, routes } of found) {
    const cpu = median(seconds)
    const perM = routes === undefined ? undefined : (cpu / routes) * 1e6
    const ownPerM = own === undefined ? undefined : (median(own.seconds) / own.routes) * 1e6
    const cells = [name.padEnd(17), cpu.toFixed(3).padStart(7), String(routes ?? '-').padStart(9)]
    cells.push((perM?.toFixed(3) ?? '-').padStart(10))
    cells.push(
      (perM === undefined || ownPerM === undefined ? '-' : (perM / ownPerM).toFixed(1)).padStart(8),
    )
    console.log(cells.join('  '))
  }
}

/** A collector that is sent the file: CPU until it has been idle for two seconds. */
async function listening(file, prepare) {
  const folder = mkdtempSync(join(tmpdir(), 'ribscope-compare-'))
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const { command, args: flags, log } = prepare(folder, port)
  const daemon = spawn(command, flags, { stdio: 'ignore' })
  try {
    const socket = await connected(port)
    await sent(socket, file)
    let seconds = cpuOfGroup(daemon.pid)
    for (let idle = 0; idle < 4;) {
      await sleep(500)
      const now = cpuOfGroup(daemon.pid)
      idle = now - seconds < 0.02 ? idle + 1 : 0
      seconds = now
    }
    socket.destroy()
    return { seconds, routes: countLines(log) }
  } finally {
    daemon.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function connected(port) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await new Promise((resolve, reject) => {
        const socket = createConnection(port, '127.0.0.1', () => resolve(socket))
        socket.on('error', reject)
      })
    } catch (error) {
      if (attempt === 100) throw error
      await sleep(100)
    }
  }
}

/** With a half-close at the end; what the collector answers is thrown away. */
function sent(socket, file) {
  socket.resume()
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.end(readFileSync(file), resolve)
  })
}

/** User and system time of a process and of its children, in ticks of 10 ms (Linux). */
function cpuOfGroup(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  let ticks = 0
  for (const each of [String(pid), ...children]) {
    if (each === '') continue
    const stat = readFileSync(`/proc/${each}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / 100
}

/** Lines that tell of a route: "log_type" update or withdraw with pmbmpd, "action" add or del with gobmp. */
function countLines(path) {
  const fd = openSync(path, 'r')
  const buffer = Buffer.alloc(1 << 22)
  let rest = ''
  let routes = 0
  for (let got; (got = readSync(fd, buffer, 0, buffer.length, null)) > 0;) {
    const lines = (rest + buffer.toString('latin1', 0, got)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (/"log_type": "(update|withdraw|delete)"|"action": ?"(add|del)"/.test(line)) routes++
    }
  }
  closeSync(fd)
  return routes
}
