/**
 * For tests only: a ClickHouse server as far as `@clickhouse/client` can tell, that can be killed and started again on the same
 * data and port. It is the embedded engine in a process of its own (`npm run build` makes the program that is started).
 *
 * Nothing is repaired at its start, as nothing is in a server: an insert that was torn by a kill is completed by repeating it with
 * its token, which is what a writer has to do.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { User } from './serve.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/testing/clickhouse-main.js', import.meta.url))

/** Queries run on threads of this pool; its default of four would be the limit of what runs at the same time. */
const THREADS = '16'

const START_MS = 60_000
const LOG_CHARACTERS = 64 * 1024

export interface ClickHouseProcess {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly pid: number | undefined
  /** What it said on stderr, of all its lives: to be printed when a test fails. */
  readonly log: string
  /** SIGKILL: nothing is ended in order. */
  kill(): Promise<void>
  /** After `kill` or `stop`: on the same port and data. */
  start(): Promise<void>
  /** In order: statements that run are waited for. */
  stop(): Promise<void>
}

/** Access control that is in force: ClickHouse's own, read from files as a server reads them. */
export interface AccessFiles {
  /** Has `config.xml`, which names the file with the users. The engine knows the user `default` only, who has a role for each of them. */
  readonly folder: string
  readonly users: Readonly<Record<string, User>>
}

export async function startClickHouse(options: {
  readonly dataDir: string
  readonly user?: string
  readonly password?: string
  readonly access?: AccessFiles
}): Promise<ClickHouseProcess> {
  const { user = 'default', password = '', access } = options
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true })
  let port = 0
  let log = ''
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()

  async function start(): Promise<void> {
    if (child !== undefined) throw new Error('ClickHouse runs already')
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: npm run build`)
    const login = `${user}:${password}`
    const given = JSON.stringify({ dataDir, port, login, users: access?.users })
    const started = spawn(process.execPath, [PROGRAM, given], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // The engine reads config.xml of the folder in which it is started.
      ...(access === undefined ? {} : { cwd: access.folder }),
      env: { ...process.env, UV_THREADPOOL_SIZE: THREADS },
    })
    child = started
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-LOG_CHARACTERS)
    })
    ended = new Promise((resolve) => {
      started.once('exit', (code, signal) => {
        log = `${log}[pid ${started.pid ?? 0}: exit ${code ?? ''}${signal ?? ''}]\n`
        child = undefined
        resolve()
      })
    })
    let timer: NodeJS.Timeout | undefined
    const ready = new Promise<void>((resolve, reject) => {
      let said = ''
      started.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (!said.includes('\n')) return
        port = (JSON.parse(said) as { port: number }).port
        resolve()
      })
      started.once('error', reject)
      started.once('exit', () => {
        reject(new Error(`ClickHouse did not start:\n${log}`))
      })
      timer = setTimeout(() => {
        started.kill('SIGKILL')
        reject(new Error(`ClickHouse did not start in ${START_MS / 1000} s:\n${log}`))
      }, START_MS)
    })
    await ready.finally(() => {
      clearTimeout(timer)
    })
  }

  await start()
  return {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    user,
    password,
    get pid() {
      return child?.pid
    },
    get log() {
      return log
    },
    start,
    async kill() {
      child?.kill('SIGKILL')
      await ended
    },
    async stop() {
      child?.stdin?.end()
      await ended
    },
  }
}
