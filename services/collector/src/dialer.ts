import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SecureContextOptions } from 'node:tls'
import type { Logger } from 'pino'
import type { DialTarget } from './config.ts'

export interface DialerOptions {
  readonly target: DialTarget
  /** what to show and whom to believe; read at each try */
  readonly tlsFiles: () => SecureContextOptions
  readonly retryMs: { readonly first: number; readonly most: number }
  readonly log: Logger
  /** @returns tells, when the connection is over, whether the router said something */
  readonly onSocket: (socket: Socket) => () => boolean
}

const CONNECT_TIMEOUT_MS = 10_000

/**
 * One connection to a router that waits for collectors (RFC 7854 section 3.2: passive). When it ends it is made again, later
 * and later (with jitter: not all at once after an outage); from the start when the router had something to say.
 */
export class Dialer {
  readonly #options: DialerOptions
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = true
  #pauseMs: number
  #failing = false
  #connected = false

  constructor(options: DialerOptions) {
    this.#options = options
    this.#pauseMs = options.retryMs.first
  }

  get connected(): boolean {
    return this.#connected
  }

  start(): void {
    this.#stopped = false
    this.#dial()
  }

  /** No more tries; a connection that is there is the server's to close. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    if (!this.#connected) this.#socket?.destroy()
  }

  #dial(): void {
    const { target, log, onSocket } = this.#options
    const { host, port } = target
    let failure: string | undefined
    let said = (): boolean => false
    let socket: Socket
    try {
      socket = this.#connect()
    } catch (err) {
      // Certificates that cannot be read: as if nobody was there.
      this.#failed(err instanceof Error ? err.message : String(err))
      this.#again(false)
      return
    }
    this.#socket = socket
    const timer = setTimeout(() => {
      failure = 'no answer in time'
      socket.destroy()
    }, CONNECT_TIMEOUT_MS)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure ??= error.code ?? error.message
    })
    socket.once(target.tls === true ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      this.#connected = true
      log.info({ host, port }, 'router reached')
      this.#failing = false
      said = onSocket(socket)
    })
    socket.once('close', () => {
      clearTimeout(timer)
      if (!this.#connected) this.#failed(failure ?? 'closed')
      this.#connected = false
      this.#socket = undefined
      this.#again(said())
    })
  }

  #connect(): Socket {
    const { host, port, tls } = this.#options.target
    if (tls !== true) return connect({ host, port })
    const servername = isIP(host) === 0 ? host : ''
    return connectTls({ host, port, servername, ...this.#options.tlsFiles() })
  }

  /** Once, until it changes. */
  #failed(reason: string): void {
    const { target, log } = this.#options
    if (this.#stopped) return
    const facts = { host: target.host, port: target.port, reason }
    if (this.#failing) log.debug(facts, 'router not reached')
    else log.warn(facts, 'router not reached, trying again and again')
    this.#failing = true
  }

  #again(said: boolean): void {
    if (this.#stopped) return
    const { first, most } = this.#options.retryMs
    if (said) this.#pauseMs = first
    const waitMs = this.#pauseMs * (0.5 + Math.random() / 2)
    this.#pauseMs = Math.min(most, this.#pauseMs * 2)
    this.#timer = setTimeout(() => {
      this.#dial()
    }, waitMs)
  }
}
