/**
 * Keeps what routers send over BMP, byte for byte, as recordings: `NAME.bmp` and `NAME.times`, whose
 * format docs describe under `ribscope record`. The lab has one of its own so that what it tests is
 * not also what it tests with.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pause, unixNow, until } from './machine.ts'

export interface RecorderOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly out: string
  /** Router name by source address; others are named after the address. */
  readonly names: ReadonlyMap<string, string>
}

export class Recorder {
  readonly #server: Server
  readonly #out: string
  readonly #names: ReadonlyMap<string, string>
  readonly #sessionsOf = new Map<string, number>()
  readonly #live = new Map<Socket, (how: 'fin' | 'rst' | 'stop') => void>()
  #lastByteMs = performance.now()
  octets = 0

  private constructor(options: RecorderOptions) {
    this.#out = options.out
    this.#names = options.names
    this.#server = createServer((socket) => this.#accept(socket))
  }

  static async start(options: RecorderOptions): Promise<Recorder> {
    mkdirSync(options.out, { recursive: true })
    const recorder = new Recorder(options)
    await new Promise<void>((resolve, reject) => {
      recorder.#server.once('error', reject)
      recorder.#server.listen(options.port, options.host, resolve)
    })
    return recorder
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** BMP sessions that are open now. */
  get open(): number {
    return this.#live.size
  }

  /** Waits until `sessions` are open and nothing has come for `quietMs`. */
  async quiet(sessions: number, quietMs = 1500, limitMs = 30_000): Promise<void> {
    await until(
      `${sessions} BMP sessions, quiet for ${quietMs} ms`,
      () => this.open >= sessions && performance.now() - this.#lastByteMs > quietMs,
      limitMs,
    )
  }

  #accept(socket: Socket): void {
    const source = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
    const name = this.#names.get(source) ?? source.replaceAll(':', '_')
    const session = (this.#sessionsOf.get(name) ?? 0) + 1
    this.#sessionsOf.set(name, session)
    const stem = join(this.#out, session === 1 ? name : `${name}.${session}`)
    const data = openSync(`${stem}.bmp`, 'w')
    const times = openSync(`${stem}.times`, 'w')
    const opened = unixNow().toFixed(6)
    writeSync(
      times,
      `# bmp-times 1 router=${name} session=${session} source=${source} opened=${opened}\n`,
    )
    let size = 0

    const end = (how: 'fin' | 'rst' | 'stop'): void => {
      if (!this.#live.delete(socket)) return
      writeSync(times, `${size} ${unixNow().toFixed(6)} end=${how}\n`)
      closeSync(data)
      closeSync(times)
      socket.destroy()
    }
    this.#live.set(socket, end)
    socket.on('data', (chunk) => {
      if (!this.#live.has(socket)) return
      writeSync(times, `${size} ${unixNow().toFixed(6)}\n`)
      writeSync(data, chunk)
      size += chunk.length
      this.octets += chunk.length
      this.#lastByteMs = performance.now()
    })
    socket.on('end', () => end('fin'))
    socket.on('error', () => end('rst'))
    socket.on('close', () => end('rst'))
  }

  /** Ends the recording: sessions that are open are marked `stop`, they did not end. */
  async stop(): Promise<void> {
    await pause(0) // what the kernel has already handed over belongs to the recording
    for (const end of [...this.#live.values()]) end('stop')
    await new Promise<void>((done) => {
      this.#server.close(() => done())
    })
  }
}
