/** Test helper: a BMP server on a port of the system's choice, clients that speak octets, a consumer to hold up. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Batch } from '@ribscope/events'
import { pino } from 'pino'
import { createBmpServer } from '../bmp-server.ts'
import type { BmpServer, BmpServerDeps } from '../contract.ts'
import type { BmpServerConfig } from '../config.ts'

const LIMIT_MS = 20_000

type Deps = Pick<BmpServerDeps, 'now' | 'monotonic' | 'raw'>

/** Waits for a condition, not for a time. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const start = performance.now()
  while (!condition()) {
    if (performance.now() - start > LIMIT_MS) throw new Error(`not within ${LIMIT_MS} ms: ${what}`)
    await delay(5)
  }
}

export interface LogLine {
  readonly msg: string
  readonly level: number
  readonly [key: string]: unknown
}

export class Harness {
  readonly batches: Batch[] = []
  /** Batches that the consumer was given, accepted or not. */
  readonly offered: Batch[] = []
  readonly logs: LogLine[] = []
  readonly server: BmpServer
  /** Batches wait here while `held`. */
  held = false
  refusing = false
  inFlight = 0
  /** how often the server looked at the clock: with every chunk, and when its timer comes */
  turns = 0
  #release: (() => void)[] = []
  readonly #sockets: Socket[] = []

  private constructor(config: Partial<BmpServerConfig>, deps: Deps) {
    const log = pino(
      { level: 'debug' },
      { write: (line: string) => this.logs.push(JSON.parse(line) as LogLine) },
    )
    this.server = createBmpServer(
      { host: '127.0.0.1', port: 0, collector: 'c1', flushIntervalMs: 10, ...config },
      {
        log,
        ...deps,
        monotonic: () => {
          this.turns++
          return (deps.monotonic ?? (() => Math.floor(performance.now() * 1000)))()
        },
        openSink: () => ({
          submit: async (batch) => {
            this.offered.push(batch)
            this.inFlight += batch.body.length
            if (this.held) {
              await new Promise<void>((resolve) => {
                this.#release.push(resolve)
              })
            }
            this.inFlight -= batch.body.length
            if (this.refusing) throw new Error('disk full')
            this.batches.push(batch)
          },
        }),
      },
    )
  }

  static async start(config: Partial<BmpServerConfig> = {}, deps: Deps = {}): Promise<Harness> {
    const harness = new Harness(config, deps)
    await harness.server.start()
    return harness
  }

  /** @param from a loopback address to connect from */
  async client(from = '127.0.0.1'): Promise<Socket> {
    const port = this.server.address?.port ?? 0
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: from })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.removeListener('error', reject)
        socket.on('error', () => undefined)
        socket.resume()
        this.#sockets.push(socket)
        resolve(socket)
      })
    })
  }

  let(): void {
    this.held = false
    const waiting = this.#release
    this.#release = []
    for (const release of waiting) release()
  }

  /** The oldest go on; those that come are still held. */
  letSome(count: number): void {
    for (const release of this.#release.splice(0, count)) release()
  }

  rows(table: Batch['table'], router?: string): number {
    return this.batches
      .filter((batch) => batch.table === table && (router === undefined || batch.router === router))
      .reduce((sum, batch) => sum + batch.rows, 0)
  }

  log(message: string): LogLine[] {
    return this.logs.filter(({ msg }) => msg === message)
  }

  async stop(): Promise<void> {
    this.let()
    for (const socket of this.#sockets) socket.destroy()
    await this.server.stop()
  }
}

export function send(socket: Socket, ...messages: readonly (readonly number[])[]): void {
  socket.write(Uint8Array.from(messages.flat()))
}

export const closed = (socket: Socket): Promise<void> =>
  until('socket closed', () => socket.closed || socket.readableEnded || socket.destroyed)
