/** Test helper: `ribscope up` as a process of its own, and routers that speak BMP to it over TCP. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Program } from '../program.ts'

const LIMIT_MS = 60_000

/** Waits for a condition, not for a time. What it throws meanwhile is not yet. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const started = performance.now()
  let last: unknown
  while (performance.now() - started < LIMIT_MS) {
    try {
      const found = await condition()
      if (found !== undefined && found !== false) return found
      last = undefined
    } catch (error) {
      last = error
    }
    await delay(50)
  }
  throw new Error(`not within ${LIMIT_MS} ms: ${what}`, { cause: last })
}

export class Up extends Program {
  bmpPort = 0

  /** Runs it; it need not come up. */
  static spawn(...args: readonly string[]): Up {
    return new Up(['up', '--http', '127.0.0.1:0', ...args])
  }

  /** Runs it and waits until it is ready. */
  static async start(
    data: string,
    config: string,
    bmpPort = 0,
    ...more: readonly string[]
  ): Promise<Up> {
    const bmp = `127.0.0.1:${bmpPort}`
    const up = Up.spawn('--data', data, '--config', config, '--bmp', bmp, ...more)
    try {
      await until('up', () => {
        if (!up.running) return true
        const line = up.logs.find(({ msg }) => msg.startsWith('ribscope is up'))
        if (line === undefined) return false
        up.bmpPort = Number(String(line['bmp']).split(':').at(-1))
        up.url = String(line['http'])
        return true
      })
      if (!up.running) throw new Error('it ended')
      await until('ready', async () => (await fetch(`${up.url}/readyz`)).status === 200)
    } catch (error) {
      up.kill('SIGKILL')
      throw new Error(`ribscope up: ${up.text()}`, { cause: error })
    }
    return up
  }

  /** Resident octets. */
  get rss(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024
  }

  async sql<Row = Record<string, string | number>>(
    query: string,
    params: object = {},
  ): Promise<Row[]> {
    const response = await fetch(`${this.url}/api/v1/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, params }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${query}: ${response.status} ${text}`)
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row)
  }

  /** The one number that a query asks for. */
  async count(query: string, params: object = {}): Promise<number> {
    const [row] = await this.sql<{ n: string }>(query, params)
    return Number(row?.n ?? NaN)
  }

  async findings(): Promise<
    { kind: string; status: string; scope: object; explanation: string }[]
  > {
    const response = await fetch(`${this.url}/api/v1/findings?limit=1000`)
    return ((await response.json()) as { items: never[] }).items
  }

  /** Waits until the analyst has looked at what is stored by now. */
  async looked(rounds = 3): Promise<void> {
    const name = 'ribscope_analyst_round_seconds_count'
    const now = await this.metric(name)
    await until('rounds of the analyst', async () => (await this.metric(name)) >= now + rounds)
  }
}

/** A router, or somebody who is none: one TCP connection. */
export class Sender {
  readonly socket: Socket
  readonly closed: Promise<void>
  isClosed = false

  private constructor(socket: Socket) {
    this.socket = socket
    // Whoever is thrown out sees it as a close or a reset.
    socket.on('error', () => undefined)
    socket.resume()
    // Not events.once: it takes an error for the end of the waiting.
    this.closed = new Promise((done) => {
      socket.on('close', () => {
        this.isClosed = true
        done()
      })
    })
  }

  /** @param source a loopback address: two routers are told apart by it */
  static async connect(port: number, source = '127.0.0.1'): Promise<Sender> {
    return await until('connect', async () => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: source })
      await once(socket, 'connect')
      return new Sender(socket)
    })
  }

  /** @returns once the system took the octets, or the connection is gone */
  async send(...messages: readonly (readonly number[] | Uint8Array)[]): Promise<void> {
    const octets = Buffer.concat(messages.map((each) => Uint8Array.from(each)))
    if (this.isClosed || this.socket.write(octets)) return
    await Promise.race([
      new Promise((done) => {
        this.socket.once('drain', done)
      }),
      this.closed,
    ])
  }
}
