import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { readFileSync } from 'node:fs'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { announce, initiation, peerUp } from '../../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../../packages/events/src/testing/bytes.ts'
import { Authority } from './testing/certificates.ts'
import { Harness, send, until } from './testing/harness.ts'

const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const QUICK = { dialRetryMs: { first: 5, most: 50 } }

/** A router in passive mode: it waits for the collector, and sends its table then. */
class PassiveRouter {
  readonly name: string
  readonly sockets: Socket[] = []
  silent = false
  #server: Server | undefined
  #port = 0
  constructor(name: string) {
    this.name = name
  }

  get port(): number {
    return this.#port
  }

  async listen(make: (take: (socket: Socket) => void) => Server = createServer): Promise<void> {
    const server = make((socket) => {
      this.sockets.push(socket)
      socket.on('error', () => undefined).resume()
      if (!this.silent) send(socket, initiation(this.name), peerUp(A), announce(A, '10.0.0.0/24'))
    })
    this.#server = server
    await new Promise<void>((done) => server.listen(this.#port, '127.0.0.1', done))
    this.#port = (server.address() as AddressInfo).port
  }

  /** Like a router that boots: connections are gone, and the port. */
  async goAway(): Promise<void> {
    const closed = new Promise((done) => this.#server?.close(done))
    for (const socket of this.sockets.splice(0)) {
      if (socket instanceof TLSSocket) socket.destroy()
      else socket.resetAndDestroy()
    }
    await closed
  }
}

let harness: Harness | undefined
const routers: PassiveRouter[] = []
const passive = async (name: string): Promise<PassiveRouter> => {
  const router = new PassiveRouter(name)
  routers.push(router)
  await router.listen()
  return router
}
afterEach(async () => {
  await harness?.stop()
  harness = undefined
  for (const router of routers.splice(0)) await router.goAway()
})

describe('passive routers', () => {
  test('one that goes away and returns is dialled again, said once', async () => {
    const router = await passive('tor1')
    const target = { host: '127.0.0.1', port: router.port }
    // Allowed because it was configured.
    const h = (harness = await Harness.start({ dial: [target], allow: ['192.0.2.1'], ...QUICK }))
    await until('rows', () => h.rows('route_log', 'tor1') === 1)
    expect(h.server.dials()).toEqual([{ ...target, connected: true }])
    expect(h.server.sessions()).toMatchObject([
      { router: 'tor1', via: 'dial', source: '127.0.0.1' },
    ])
    await router.goAway()
    await until('lost', () => h.log('bmp session ended').length === 1)
    await until('tried again', () => h.log('router not reached').length >= 3)
    expect(h.server.dials()).toEqual([{ ...target, connected: false }])
    expect(h.log('router not reached, trying again and again')).toMatchObject([
      { ...target, reason: 'ECONNREFUSED', level: 40 },
    ])
    expect(h.log('router not reached').every(({ level }) => level === 20)).toBe(true)
    await router.listen()
    await until('rows again', () => h.rows('route_log', 'tor1') === 2)
    expect(router.sockets).toHaveLength(1)
    expect(h.log('router reached')).toHaveLength(2)
    const numbers = h.batches.map(({ bmpSession }) => bmpSession)
    expect(new Set(numbers).size).toBe(2)
  })

  test('pauses grow for one that accepts and says nothing', async () => {
    const router = await passive('tor1')
    router.silent = true
    const h = (harness = await Harness.start({
      dial: [{ host: '127.0.0.1', port: router.port }],
      identifyTimeoutMs: 20,
      dialRetryMs: { first: 1, most: 60_000 },
    }))
    const reason = 'no whole bmp message in time'
    await until('some tries', () => (h.server.refused()[reason] ?? 0) >= 4)
    expect(h.batches).toEqual([])
    // Doubled each time; from the start again once it speaks.
    router.silent = false
    await until('rows', () => h.rows('route_log', 'tor1') === 1)
  })

  test('several at once, beside those that connect', async () => {
    const [first, second] = [await passive('r1'), await passive('r2')]
    const dial = [first, second].map(({ port }) => ({ host: 'localhost', port }))
    const h = (harness = await Harness.start({ dial, ...QUICK }))
    send(await h.client('127.0.0.2'), initiation('r3'), peerUp(A), announce(A, '10.0.0.0/24'))
    await until('all', () => ['r1', 'r2', 'r3'].every((name) => h.rows('route_log', name) === 1))
    expect(
      h.server
        .sessions()
        .map(({ via }) => via)
        .sort(),
    ).toEqual(['dial', 'dial', 'tcp'])
  })

  test('stop ends the tries', async () => {
    const router = await passive('r1')
    const h = (harness = await Harness.start({
      dial: [{ host: '127.0.0.1', port: router.port }],
      ...QUICK,
    }))
    await until('up', () => h.log('bmp session up').length === 1)
    await h.stop()
    const socket = router.sockets[0]!
    await until('closed', () => socket.destroyed)
    expect(router.sockets).toHaveLength(1)
  })

  test('with tls: only the router whose certificate is right', async () => {
    const [ours, others] = [new Authority('ours'), new Authority('others')]
    const [good, bad, collector] = [ours.issue('r1'), others.issue('r2'), ours.issue('collector')]
    const secured = async (name: string, pair: typeof good): Promise<PassiveRouter> => {
      const router = new PassiveRouter(name)
      routers.push(router)
      const options = {
        ...{
          cert: readFileSync(pair.cert),
          key: readFileSync(pair.key),
          ca: readFileSync(ours.ca),
        },
        ...{ requestCert: true, rejectUnauthorized: true },
      }
      await router.listen((take) => createTlsServer(options, take))
      return router
    }
    const ports = [await secured('r1', good), await secured('r2', bad)].map(({ port }) => port)
    const h = (harness = await Harness.start({
      dial: ports.map((port) => ({ host: '127.0.0.1', port, tls: true })),
      tls: { ...collector, ca: ours.ca },
      ...QUICK,
    }))
    await until('r1', () => h.rows('route_log', 'r1') === 1)
    await until('r2 is no r2', () => h.log('router not reached').length > 2)
    expect(h.server.sessions().map(({ router }) => router)).toEqual(['r1'])
    expect(h.log('router not reached, trying again and again')).toMatchObject([{ port: ports[1] }])
    expect(h.server.tlsAddress).toBeUndefined()
    ours.remove()
    others.remove()
  })
})
