/**
 * The machine under the lab: namespaces, links and daemons, all of them named after this process and
 * removed with it.
 *
 * Clean-up belongs to a helper process (`reaper.sh`) that waits at a pipe: when this process ends,
 * however it ends, the pipe closes and the reaper ends the daemons noted in `RUN/processes`, by pid
 * and start time, and removes the namespaces, links and files. `close()` takes the same way.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, mkdirSync, openSync, closeSync } from 'node:fs'
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

/** Interface names have at most 15 octets: `rb` + pid (7 digits) + run (1) + `v` + number. */
const MAX_RUNS = 10
/** Unix socket paths have at most 107 octets; a router's directory and `bgpd.vty` take about 40. */
const MAX_TMPDIR = 60

/** Seconds since 1970 with microseconds, the clock of `.times` files. */
export const unixNow = (): number =>
  Math.round((performance.timeOrigin + performance.now()) * 1000) / 1e6

export const pause = (ms: number): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, ms)
  })

/**
 * Polls until `test` gives something truthy.
 *
 * @throws Error naming `what`, with the last error of `test`, after `limitMs`
 */
export async function until<T>(
  what: string,
  test: () => T | Promise<T>,
  limitMs: number,
  stepMs = 100,
): Promise<NonNullable<T>> {
  const end = performance.now() + limitMs
  let cause: unknown
  for (;;) {
    try {
      const got = await test()
      if (got) return got
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > end) {
      const why = cause instanceof Error ? `: ${cause.message}` : ''
      throw new Error(`gave up after ${limitMs / 1000} s waiting for ${what}${why}`, { cause })
    }
    await pause(stepMs)
  }
}

/**
 * Runs a program to its end.
 *
 * @returns its standard output
 * @throws Error with its arguments and standard error when it fails or takes too long
 */
export function run(
  file: string,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      { timeout: options.timeoutMs ?? 30_000, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else {
          const said = (stderr.trim() || stdout.trim() || error.message).slice(0, 2000)
          reject(new Error(`${file} ${args.join(' ')}: ${said}`, { cause: error }))
        }
      },
    )
    if (options.input !== undefined) child.stdin?.end(options.input)
  })
}

/** `ip -batch` in this namespace or another: one process for many commands. */
export async function ip(lines: readonly string[], namespace?: string): Promise<void> {
  if (lines.length === 0) return
  const where = namespace === undefined ? [] : ['-n', namespace]
  await run('ip', [...where, '-batch', '-'], { input: lines.join('\n') + '\n' })
}

/** When a process was started, in clock ticks since boot; with the pid it names one process. */
function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

/** uid and gid of a user of this machine. */
function userIds(name: string): { uid: number; gid: number } {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':')
    if (user === name) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error(`/etc/passwd has no user ${name}`)
}

/** A daemon that the lab runs. */
export class Daemon {
  readonly key: string
  readonly pid: number
  readonly #child: ChildProcess
  readonly ended: Promise<void>

  constructor(key: string, child: ChildProcess, pid: number) {
    this.key = key
    this.pid = pid
    this.#child = child
    this.ended = new Promise((done) => {
      child.once('exit', () => done())
    })
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  signal(signal: NodeJS.Signals): void {
    // A child is not reaped before node has seen its end: its pid is nobody else's.
    if (this.alive) this.#child.kill(signal)
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.signal('SIGCONT')
    this.signal(signal)
    await this.ended
  }
}

let runs = 0

export class Machine {
  /** Prefix of every namespace: `rbs-PID-RUN-`. */
  readonly prefix: string
  /** Prefix of every interface in this machine's own namespace. */
  readonly linkPrefix: string
  /** Configuration, sockets and logs of every daemon. */
  readonly dir: string
  readonly #daemons = new Map<string, Daemon>()
  readonly #reaper: ChildProcess
  readonly #reaped: Promise<void>

  constructor(options: { keepLogs?: boolean } = {}) {
    if (runs >= MAX_RUNS) throw new Error(`at most ${MAX_RUNS} labs in one process`)
    this.prefix = `rbs-${process.pid}-${runs}-`
    this.linkPrefix = `rb${process.pid}${runs}`
    runs += 1
    const base = tmpdir().length <= MAX_TMPDIR ? tmpdir() : '/tmp'
    this.dir = mkdtempSync(join(base, this.prefix))
    chmodSync(this.dir, 0o755) // daemons give up root and still have to get at their files
    if (options.keepLogs === true) writeFileSync(join(this.dir, 'keep'), '')

    // Beside this file in the sources; one up when this file was compiled to dist/.
    const script = ['reaper.sh', '../reaper.sh']
      .map((name) => fileURLToPath(new URL(name, import.meta.url)))
      .find((path) => existsSync(path))
    if (script === undefined) throw new Error('test/lab/reaper.sh is missing')
    this.#reaper = spawn('/bin/sh', [script, this.dir], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true, // a Ctrl-C at the terminal must not reach it
    })
    this.#reaped = new Promise((done) => {
      this.#reaper.once('exit', () => done())
    })
    this.#reaper.unref()
  }

  /** Creates namespaces; `close` removes them. */
  async namespaces(names: readonly string[]): Promise<void> {
    appendFileSync(join(this.dir, 'namespaces'), names.join('\n') + '\n')
    await ip(names.map((name) => `netns add ${name}`))
  }

  /** Notes interfaces of this machine's own namespace for removal. */
  noteLinks(names: readonly string[]): void {
    appendFileSync(join(this.dir, 'links'), names.join('\n') + '\n')
  }

  /** A directory for one router's files. */
  routerDir(router: string, owner?: string): string {
    const dir = join(this.dir, router)
    if (!existsSync(dir)) {
      mkdirSync(dir)
      if (owner !== undefined) {
        const { uid, gid } = userIds(owner)
        chownSync(dir, uid, gid)
      }
    }
    return dir
  }

  /** Starts a daemon in a namespace; its output goes to `log`. */
  start(key: string, argv: readonly string[], log: string, namespace: string): Daemon {
    const out = openSync(log, 'a')
    // `ip netns exec` replaces itself with the daemon: the pid is the daemon's.
    const child = spawn('ip', ['netns', 'exec', namespace, ...argv], {
      stdio: ['ignore', out, out],
      detached: true,
    })
    closeSync(out)
    const { pid } = child
    if (pid === undefined) throw new Error(`${key}: ip netns exec did not start`)
    const born = bornAt(pid)
    if (born !== undefined) appendFileSync(join(this.dir, 'processes'), `${pid} ${born}\n`)
    const daemon = new Daemon(key, child, pid)
    this.#daemons.set(key, daemon)
    return daemon
  }

  daemon(key: string): Daemon | undefined {
    return this.#daemons.get(key)
  }

  get daemons(): Daemon[] {
    return [...this.#daemons.values()]
  }

  /** Ends the daemons and removes everything; resolves when it is gone. */
  async close(): Promise<void> {
    this.#reaper.ref() // wait for it, even if nothing else is left to do
    this.#reaper.stdin?.end()
    await this.#reaped
    await Promise.all(this.daemons.map((daemon) => daemon.ended))
  }
}
