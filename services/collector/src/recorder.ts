import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { RecordingWriter, nowUs } from '@ribscope/events'
import { BmpFramer, DecodeError, decodeBmpMessage } from '@ribscope/wire'
import { createAllowList, sourceOf } from './allow-list.ts'

export interface RecorderConfig {
  readonly host: string
  readonly port: number
  /** folder that gets the recordings; must exist */
  readonly folder: string
  /** CIDRs that may connect; default as for the collector */
  readonly allow?: readonly string[]
}

export interface RecorderDeps {
  /** A session was named and its files are there. */
  readonly onOpen?: (path: string, source: string) => void
  /** @param how how the recording ends, and with how many octets */
  readonly onEnd?: (path: string, how: 'fin' | 'rst' | 'stop', octets: number) => void
  readonly onRefused?: (source: string) => void
  /** A file could not be written: the session was closed. */
  readonly onError?: (source: string, error: Error) => void
}

export interface Recorder {
  start(): Promise<void>
  /** Ends all recordings with `stop`. */
  stop(): Promise<void>
  readonly address: AddressInfo | undefined
}

/** Octets that may wait for the disk before the socket is paused. */
const MAX_WAITING_OCTETS = 4 << 20
/** Octets kept while waiting for the name. */
const MAX_NAMELESS_OCTETS = 1 << 20

/** Keeps what routers send: a recording per BMP session. */
export function createRecorder(config: RecorderConfig, deps: RecorderDeps = {}): Recorder {
  const allowed = createAllowList(config.allow)
  const tracks = new Set<Track>()
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: 15_000 }, (socket) => {
    socket.on('error', () => {
      // Told apart in `close`.
    })
    const source = sourceOf(socket.remoteAddress)
    if (!allowed(source)) {
      deps.onRefused?.(source)
      socket.destroy()
      return
    }
    const track = new Track(socket, source, config.folder, deps)
    tracks.add(track)
    void track.done.then(() => tracks.delete(track))
  })
  return {
    async start() {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host: config.host, port: config.port }, () => {
          server.removeListener('error', reject)
          resolve()
        })
      })
    },
    async stop() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      const all = [...tracks]
      for (const track of all) track.end('stop')
      await Promise.all(all.map((track) => track.done))
      await closed
    },
    get address() {
      const address = server.address()
      return typeof address === 'object' && address !== null ? address : undefined
    },
  }
}

/** One connection on its way into a file. */
class Track {
  readonly done: Promise<void>
  readonly #source: string
  readonly #folder: string
  readonly #deps: RecorderDeps
  readonly #socket: Socket
  readonly #openedUs = Math.floor(nowUs())
  readonly #framer: BmpFramer
  #sysName: string | undefined
  #nameless: { readonly chunk: Uint8Array; readonly us: number }[] = []
  #namelessOctets = 0
  #writer: RecordingWriter | undefined
  #writes: Promise<void> = Promise.resolve()
  #waiting = 0
  #octets = 0
  #ended = false
  #resolve: () => void = () => undefined

  constructor(socket: Socket, source: string, folder: string, deps: RecorderDeps) {
    this.#socket = socket
    this.#source = source
    this.#folder = folder
    this.#deps = deps
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#framer = new BmpFramer((bytes, start, end) => {
      if (this.#sysName !== undefined) return
      const message = decodeBmpMessage(bytes, start, end)
      this.#sysName = message.kind === 'initiation' ? message.sysName : ''
    })
    let failure: string | undefined
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code
    })
    socket.on('data', (chunk: Uint8Array) => {
      this.#receive(chunk)
    })
    socket.on('close', () => {
      this.end(failure === undefined ? 'fin' : 'rst')
    })
  }

  #receive(chunk: Uint8Array): void {
    if (this.#ended) return
    const us = Math.floor(nowUs())
    this.#octets += chunk.length
    if (this.#writer !== undefined || this.#namelessOctets > MAX_NAMELESS_OCTETS) {
      this.#write(chunk, us)
      return
    }
    try {
      this.#framer.push(chunk)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      // It is no BMP, or no longer: keep it all the same.
      this.#sysName ??= ''
    }
    this.#nameless.push({ chunk, us })
    this.#namelessOctets += chunk.length
    if (this.#sysName !== undefined || this.#namelessOctets > MAX_NAMELESS_OCTETS) this.#open()
  }

  #open(): void {
    const source = this.#source
    this.#namelessOctets = MAX_NAMELESS_OCTETS + 1
    const kept = this.#nameless
    this.#nameless = []
    this.#writes = this.#writes.then(async () => {
      const facts = { sysName: this.#sysName ?? '', source, openedUs: this.#openedUs }
      this.#writer = await RecordingWriter.create(this.#folder, facts)
      this.#deps.onOpen?.(this.#writer.path, source)
    })
    for (const { chunk, us } of kept) this.#write(chunk, us)
  }

  #write(chunk: Uint8Array, us: number): void {
    this.#waiting += chunk.length
    if (this.#waiting > MAX_WAITING_OCTETS) this.#socket.pause()
    this.#writes = this.#writes
      .then(() => this.#writer?.write(chunk, us))
      .then(() => {
        this.#waiting -= chunk.length
        if (this.#waiting * 2 < MAX_WAITING_OCTETS) this.#socket.resume()
      })
    this.#writes.catch((error: unknown) => {
      this.#fail(error)
    })
  }

  #fail(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket.destroy()
    this.#deps.onError?.(this.#source, error instanceof Error ? error : new Error(String(error)))
    this.#resolve()
  }

  end(how: 'fin' | 'rst' | 'stop'): void {
    if (this.#ended) return
    const us = Math.floor(nowUs())
    if (this.#writer === undefined && this.#nameless.length > 0) this.#open()
    this.#ended = true
    this.#socket.destroy()
    this.#writes
      .then(async () => {
        await this.#writer?.end(how, us)
        if (this.#writer !== undefined) this.#deps.onEnd?.(this.#writer.path, how, this.#octets)
      })
      .catch((error: unknown) => {
        this.#deps.onError?.(
          this.#source,
          error instanceof Error ? error : new Error(String(error)),
        )
      })
      .finally(() => {
        this.#resolve()
      })
  }
}
