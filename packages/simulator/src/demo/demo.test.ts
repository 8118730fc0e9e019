import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { demoFabricYaml, DemoFabric } from './fabric.ts'
import { startDemo } from './player.ts'
import { V2 } from '../topology/t1.ts'

const NOWHERE = { open: () => undefined, data: () => undefined, close: () => undefined }

describe('the demo fabric', () => {
  test('within a minute: four flaps of v1, a detour of the pods, a lopsided rack', () => {
    const start = 1_795_262_400e6
    const demo = new DemoFabric(start, () => NOWHERE)
    demo.fabric.connectAll()
    demo.sim.runUntil(start + 60e6)
    // Four flaps in two views; before the first one nothing is withdrawn at tor1a.
    expect(demo.fabric.router('tor1a').feed.sent.withdrawn).toBeGreaterThanOrEqual(4 * 2)
    const announcers = (tor: string): string[] =>
      demo.fabric
        .router(tor)
        .sessions.filter(({ peer, adjIn }) => peer.kind === 'node' && adjIn.has(`ipv4|${V2}|0`))
        .map(({ peer }) => peer.name)
    expect(announcers('tor1a')).toEqual(['n1', 'n2', 'n3'])
    expect(announcers('tor2b')).toEqual(['n4'])
    const leaf = (name: string): number => demo.fabric.router('evpn-rr1').session(name).adjIn.size
    // RT-3 everywhere; node7's RT-2 is at leaf23 by now, the RT-5 of its pods still at leaf11.
    expect(leaf('leaf23')).toBe(2)
    expect(leaf('leaf11')).toBe(2)
  })

  test('plays for an hour without growing', () => {
    const start = 1_795_262_400e6
    const demo = new DemoFabric(start, () => NOWHERE)
    const size = (): number =>
      [...demo.fabric.routers.values()].reduce((n, r) => n + r.best.size, 0)
    const before = size()
    demo.sim.runUntil(start + 3_600e6)
    expect(Math.abs(size() - before)).toBeLessThan(60)
  })

  test('fabric.yaml names every router with its source, and short holds', () => {
    const yaml = demoFabricYaml()
    for (const name of ['tor1a', 'spine2', 'border1', 'rr1', 'evpn-rr2', 'leaf23', 'bl90']) {
      expect(yaml).toMatch(new RegExp(`name: ${name}, address: 127\\.0\\.2\\.\\d+`))
    }
    expect(yaml).toContain(
      'detectors: { settle_s: 3, ecmp_hold_s: 5, share_hold_s: 5, settle_t5_s: 5 }',
    )
  })
})

describe('startDemo', () => {
  let server: Server | undefined
  afterEach(() => {
    server?.close()
  })

  test('a session per router, each from its own address; a lost one comes back; stops when told', async () => {
    const sources: string[] = []
    const sockets = new Set<Socket>()
    let octets = 0
    let terminations = 0
    let talking = 0
    const waiters: (() => void)[] = []
    const until = async (condition: () => boolean): Promise<void> => {
      const limit = Date.now() + 20_000
      while (!condition()) {
        if (Date.now() > limit)
          throw new Error(`gave up: ${sources.length} sessions, ${octets} octets`)
        await new Promise<void>((resolve) => {
          waiters.push(resolve)
          setTimeout(resolve, 100)
        })
      }
    }
    const wake = (): void => {
      for (const waiter of waiters.splice(0)) waiter()
    }
    server = createServer((socket) => {
      sources.push(socket.remoteAddress ?? '')
      sockets.add(socket)
      let tail = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        octets += chunk.length
        if (tail.length === 0) talking++
        tail = Buffer.concat([tail, chunk]).subarray(-12)
        wake()
      })
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        if (tail.toString('hex') === '030000000c05000100020000') terminations++
        wake()
      })
      wake()
    })
    const listening = server
    await once(listening.listen(0, '127.0.0.1'), 'listening')
    const { port } = listening.address() as AddressInfo
    const stop = new AbortController()
    const log = { info: () => undefined, warn: () => undefined }
    const demo = startDemo({ host: '127.0.0.1', port, signal: stop.signal, log })

    await until(() => sockets.size === 17 && octets > 100_000)
    if (process.platform === 'linux') expect(new Set(sources).size).toBe(17)
    const [victim] = sockets
    victim?.destroy()
    await until(() => talking === 18)
    expect(sources.filter((source) => source === sources[17])).toHaveLength(
      process.platform === 'linux' ? 2 : 18,
    )
    stop.abort()
    await demo
    await until(() => sockets.size === 0)
    expect(terminations).toBe(17)
  })

  test('no collector: keeps trying, and stops at once when told', async () => {
    const stop = new AbortController()
    const warnings: object[] = []
    const log = {
      info: () => undefined,
      warn: (fields: object) => {
        warnings.push(fields)
        if (warnings.length === 17) stop.abort()
      },
    }
    // Port 1 of loopback: nobody listens there.
    await startDemo({ host: '127.0.0.1', port: 1, signal: stop.signal, log })
    expect(warnings).toHaveLength(17)
  })
})
