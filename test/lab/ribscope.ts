/** `ribscope up` as a process of its own, asked over HTTP as anybody would. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { until } from './machine.ts'

const BIN = fileURLToPath(new URL('../../bin/ribscope.js', import.meta.url))

export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port)
        else reject(new Error('no port'))
      })
    })
  })
}

export class Ribscope {
  readonly bmp: { readonly host: string; readonly port: number }
  readonly #http: string
  readonly #child: ChildProcess
  readonly #exited: Promise<number | null>
  #output = ''

  private constructor(bmp: { host: string; port: number }, http: string, child: ChildProcess) {
    this.bmp = bmp
    this.#http = http
    this.#child = child
    this.#exited = new Promise((done) => {
      child.once('exit', done)
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString('utf8')).slice(-20_000)
      })
    }
  }

  /** Starts it and waits until it is ready. */
  static async up(options: { host: string; data: string; config: string }): Promise<Ribscope> {
    const port = await freePort(options.host)
    const http = `127.0.0.1:${await freePort('127.0.0.1')}`
    const args = ['up', '--bmp', `${options.host}:${port}`, '--http', http]
    const child = spawn(
      process.execPath,
      [BIN, ...args, '--data', options.data, '--config', options.config],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    const ribscope = new Ribscope({ host: options.host, port }, http, child)
    try {
      await until(
        'ribscope up to be ready',
        async () => {
          if (child.exitCode !== null) return true
          return (await fetch(`http://${http}/readyz`)).status === 200
        },
        60_000,
        200,
      )
    } catch (error) {
      await ribscope.stop()
      throw new Error(`ribscope up is not ready: ${ribscope.output}`, { cause: error })
    }
    if (child.exitCode !== null) throw new Error(`ribscope up ended: ${ribscope.output}`)
    return ribscope
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#output
  }

  get url(): string {
    return `http://${this.#http}`
  }

  /** @throws Error with the problem document on anything but 200 */
  async get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    const search = new URLSearchParams(query).toString()
    const url = `${this.url}${path}${search === '' ? '' : `?${search}`}`
    const response = await fetch(url)
    const text = await response.text()
    if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${text}`)
    return JSON.parse(text) as T
  }

  /** All items of a list, page by page. */
  async list<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T[]> {
    const items: T[] = []
    let next: string | null = null
    do {
      const page: { items: T[]; next: string | null } = await this.get(path, {
        ...query,
        ...(next === null ? {} : { cursor: next }),
      })
      items.push(...page.items)
      next = page.next
    } while (next !== null)
    return items
  }

  /** Rows of a read-only query. */
  async sql<T>(query: string, params: Readonly<Record<string, unknown>> = {}): Promise<T[]> {
    const response = await fetch(`${this.url}/api/v1/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, params, format: 'JSONEachRow' }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${query}: ${response.status} ${text}`)
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T)
  }

  /** @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 20_000)
    const code = await this.#exited
    clearTimeout(late)
    return code
  }
}
