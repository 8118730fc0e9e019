/** A TCP proxy that can fail as networks do, so that a link between two processes is cut without either knowing why. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * reset: connections are reset, new ones refused. hang: nothing passes, in either direction, and nobody is told. deaf: what clients
 * send arrives, answers do not: the worst moment for whoever must know whether something was stored.
 */
export type Cut = 'reset' | 'hang' | 'deaf'
export const CUTS: readonly Cut[] = ['reset', 'hang', 'deaf']

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** Octets of it were lost. */
  torn: boolean
}

export class Proxy {
  readonly port: number
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #waiting: Socket[] = []
  #target: number
  #cut: Cut | undefined

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client: Socket) => {
      this.#accept(client)
    })
  }

  static open(target = 0): Promise<Proxy> {
    return new Promise((done, fail) => {
      const server = createServer({ noDelay: true, allowHalfOpen: true })
      server.on('error', fail)
      server.listen(0, '127.0.0.1', () => {
        done(new Proxy(server, target))
      })
    })
  }

  to(port: number): void {
    this.#target = port
  }

  cut(how: Cut): void {
    this.#cut = how
    for (const { client, server } of this.#pairs) {
      if (how === 'reset') {
        client.resetAndDestroy()
        server.resetAndDestroy()
      } else if (how === 'hang') {
        client.pause()
        server.pause()
      }
    }
  }

  heal(): void {
    this.#cut = undefined
    for (const pair of this.#pairs) {
      if (pair.torn) {
        pair.client.resetAndDestroy()
        pair.server.resetAndDestroy()
      } else {
        pair.client.resume()
        pair.server.resume()
      }
    }
    for (const client of this.#waiting.splice(0)) {
      this.#accept(client)
      client.resume()
    }
  }

  async close(): Promise<void> {
    this.cut('reset')
    for (const client of this.#waiting) client.destroy()
    await new Promise((done) => this.#server.close(done))
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined)
    if (this.#cut === 'reset') {
      client.resetAndDestroy()
      return
    }
    if (this.#cut === 'hang') {
      client.pause()
      this.#waiting.push(client)
      return
    }
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    server.on('error', () => undefined)
    const pair: Pair = { client, server, torn: false }
    this.#pairs.add(pair)
    const forward = (from: Socket, to: Socket, answers: boolean): void => {
      from.on('data', (chunk) => {
        if (answers && this.#cut === 'deaf') {
          pair.torn = true
          return
        }
        if (!to.write(chunk)) from.pause()
      })
      to.on('drain', () => {
        if (this.#cut !== 'hang') from.resume()
      })
      // Who is deaf does not hear that the other side is gone either.
      const unheard = (): boolean => {
        if (!answers || this.#cut !== 'deaf') return false
        pair.torn = true
        return true
      }
      from.on('end', () => {
        if (!unheard()) to.end()
      })
      from.on('close', () => {
        if (unheard()) return
        this.#pairs.delete(pair)
        to.destroy()
      })
    }
    forward(client, server, false)
    forward(server, client, true)
  }
}
