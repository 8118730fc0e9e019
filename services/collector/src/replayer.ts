import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { timeline } from '@ribscope/events'
import type { Recording } from '@ribscope/events'

export interface ReplayOptions {
  readonly recordings: readonly Recording[]
  readonly host: string
  readonly port: number
  /** times the recorded pace; Infinity: as fast as the collector takes it */
  readonly speed: number
  /** how long sessions that did not end in the recording stay open after the last octet. Default 0 */
  readonly holdMs?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ReplayProgress) => void
}

export interface ReplayProgress {
  readonly octets: number
  readonly totalOctets: number
  /** recorded time reached, microseconds since the first session opened */
  readonly us: number
  readonly sessions: number
}

export interface ReplayResult {
  readonly octets: number
  readonly sessions: number
  /** sessions that the collector closed before all was sent, as text */
  readonly failures: readonly string[]
}

/** How long the collector may take to read what is on its way when a session closes. */
const CLOSE_TIMEOUT_MS = 60_000

/**
 * Plays recordings to a collector: a connection per session, from the recording's own source where that
 * is a loopback address, so that routers stay apart.
 *
 * @throws when the collector cannot be reached
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { recordings, speed, signal } = options
  const aborted = (): boolean => signal?.aborted === true
  const players = new Map<number, Player>()
  const failures: string[] = []
  const totalOctets = recordings.reduce((sum, { size }) => sum + size, 0)
  let octets = 0
  let startedMs: number | undefined
  let firstUs = 0
  let sessions = 0
  try {
    for await (const event of timeline(recordings)) {
      if (aborted()) break
      if (startedMs === undefined) {
        startedMs = performance.now()
        firstUs = event.us
      }
      const us = event.us - firstUs
      const waitMs = startedMs + us / 1000 / speed - performance.now()
      if (waitMs > 1) await delay(waitMs, undefined, { signal }).catch(() => undefined)
      if (aborted()) break
      const recording = recordings[event.track]
      if (recording === undefined) continue
      if (event.kind === 'open') {
        players.set(event.track, await Player.open(recording, options))
        sessions++
      } else {
        const player = players.get(event.track)
        if (player === undefined) continue
        if (event.kind === 'chunk') {
          await player.send(event.chunk, signal)
          octets += event.chunk.length
        } else if (event.how !== 'stop') {
          players.delete(event.track)
          await player.close(event.how, failures)
        }
      }
      options.onProgress?.({ octets, totalOctets, us, sessions })
    }
    const holdMs = options.holdMs ?? 0
    if (holdMs > 0 && !aborted()) {
      await delay(holdMs, undefined, { signal }).catch(() => undefined)
    }
    await Promise.all([...players.values()].map((player) => player.close('fin', failures)))
    players.clear()
  } finally {
    for (const player of players.values()) player.drop()
  }
  return { octets, sessions, failures }
}

class Player {
  readonly #socket: Socket
  readonly #recording: Recording
  #sent = 0
  #gone: string | undefined

  private constructor(socket: Socket, recording: Recording) {
    this.#socket = socket
    this.#recording = recording
    // Nobody answers in BMP, but the end is read.
    socket.resume()
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#gone ??= error.code ?? error.message
    })
    socket.on('end', () => {
      this.#gone ??= 'closed by the collector'
    })
  }

  static async open(recording: Recording, { host, port }: ReplayOptions): Promise<Player> {
    const own = recording.source.startsWith('127.') ? recording.source : undefined
    const socket = await connected(host, port, own).catch((error: unknown) => {
      // Other systems than Linux have one loopback address only.
      if (own === undefined || (error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL')
        throw error
      return connected(host, port, undefined)
    })
    return new Player(socket, recording)
  }

  async send(chunk: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    if (this.#gone !== undefined) return
    this.#sent += chunk.length
    if (this.#socket.write(chunk)) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.removeListener('drain', done)
        this.#socket.removeListener('close', done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
      signal?.addEventListener('abort', done)
    })
  }

  /** Ends the connection; after a `fin` waits until the collector has read everything and closes, too. */
  async close(how: 'fin' | 'rst', failures: string[]): Promise<void> {
    const socket = this.#socket
    const { router, session, size } = this.#recording
    if (this.#gone !== undefined) {
      failures.push(
        `${router} session ${session}: ${this.#gone} after about ${this.#sent} of ${size} octets`,
      )
      socket.destroy()
      return
    }
    const closed = new Promise<void>((resolve) => {
      if (socket.closed) resolve()
      else socket.once('close', resolve)
    })
    if (how === 'rst') {
      await sentAll(socket)
      socket.resetAndDestroy()
    } else socket.end()
    const timer = new AbortController()
    await Promise.race([
      closed,
      delay(CLOSE_TIMEOUT_MS, undefined, { signal: timer.signal, ref: false }).catch(
        () => undefined,
      ),
    ])
    timer.abort()
    socket.destroy()
  }

  drop(): void {
    this.#socket.destroy()
  }
}

const SENT_POLL_MS = 20
const SENT_TIMEOUT_MS = 10_000

/** A reset discards what has not left yet: waits until the other side's kernel has it all. */
async function sentAll(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.write('', () => {
      resolve()
    })
  })
  const start = performance.now()
  while (performance.now() - start < SENT_TIMEOUT_MS) {
    const left = await unacknowledged(socket)
    if (left === 0) return
    await delay(SENT_POLL_MS)
    // Where the kernel does not tell, one wait has to do.
    if (left === undefined) return
  }
}

/** Octets in the kernel's send queue as Linux tells; undefined elsewhere. */
async function unacknowledged({ localPort, remotePort }: Socket): Promise<number | undefined> {
  const port = (value: number | undefined): string =>
    (value ?? 0).toString(16).toUpperCase().padStart(4, '0')
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const table = await readFile(file, 'utf8').catch(() => '')
    for (const line of table.split('\n')) {
      // sl local:port remote:port state tx_queue:rx_queue
      const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/)
      if (local.endsWith(`:${port(localPort)}`) && remote.endsWith(`:${port(remotePort)}`)) {
        return parseInt(queues.split(':')[0] ?? '', 16)
      }
    }
  }
  return undefined
}

function connected(host: string, port: number, localAddress: string | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}
