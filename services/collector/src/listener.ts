import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Logger } from 'pino'

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  readonly keepAliveMs: number
  readonly onSocket: (socket: Socket) => void
  readonly log: Logger
}

/** A TCP port on which routers connect. */
export class Listener {
  readonly #options: ListenerOptions
  readonly #server: Server

  constructor(options: ListenerOptions) {
    const { keepAliveMs, log } = options
    this.#options = options
    this.#server = createServer(
      { keepAlive: true, keepAliveInitialDelay: keepAliveMs },
      options.onSocket,
    )
    this.#server.on('error', (err) => {
      log.error({ err }, 'bmp listener failed')
    })
  }

  get address(): AddressInfo | undefined {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address : undefined
  }

  /** @throws when the port cannot be bound */
  start(): Promise<void> {
    const { host, port } = this.#options
    const server = this.#server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.removeListener('error', reject)
        resolve()
      })
    })
  }

  /** Takes no more connections; resolves when those that it took are closed. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
  }
}
