import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { announce, initiation, peerUp } from '../../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../../packages/events/src/testing/bytes.ts'
import { createAllowList, sourceOf } from './allow-list.ts'
import type { BmpServerConfig } from './config.ts'
import { Harness, closed, send, until } from './testing/harness.ts'

const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }

/** 127.0.0.1 and a port as /proc has them. */
const place = (port: number): string =>
  `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`

/** Seconds until the kernel asks, as Linux tells; undefined where it will not. */
function keepAliveDue(local: number, remote: number): number | undefined {
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, from, to, , , timer = ''] = line.trim().split(/\s+/)
    if (from !== place(local) || to !== place(remote)) continue
    const [kind, jiffies = ''] = timer.split(':')
    // 02: keepalive; in hundredths, whatever the kernel counts in.
    return kind === '02' ? parseInt(jiffies, 16) / 100 : undefined
  }
  return undefined
}

let harness: Harness | undefined
const start = async (config?: Partial<BmpServerConfig>): Promise<Harness> =>
  (harness = await Harness.start(config))
afterEach(async () => {
  await harness?.stop()
  harness = undefined
})

/** The server's timer has looked at everything at least once more. */
async function turns(h: Harness): Promise<void> {
  const done = h.turns + 2
  await until('turns', () => h.turns >= done)
}

/** An UPDATE with as many routes as fit into 4,096 octets. */
const many = (block: number): number[] =>
  announce(
    A,
    ...Array.from({ length: 800 }, (_, i) => `10.${block & 255}.${i >> 2}.${(i & 3) << 6}/26`),
  )

describe('sessions', () => {
  test('rows of a session reach the consumer, in order, with the router as key', async () => {
    const h = await start()
    const socket = await h.client()
    send(socket, initiation('tor1'), peerUp(A), announce(A, '10.0.0.0/24', '10.0.1.0/24'))
    await until('rows', () => h.rows('route_log') === 2 && h.rows('session_log') === 3)
    expect(new Set(h.batches.map(({ router }) => router))).toEqual(new Set(['tor1']))
    expect(h.server.sessions()).toMatchObject([
      { router: 'tor1', identified: true, peers: 1, rows: 5 },
    ])
    expect(h.log('bmp session up')).toMatchObject([{ router: 'tor1', source: '127.0.0.1' }])
    await until('peer log', () => h.log('peers changed').length === 1)
    expect(h.log('peers changed')).toMatchObject([{ router: 'tor1', peerUps: 1, peerDowns: 0 }])
  })

  test('octet by octet is the same', async () => {
    const h = await start()
    const socket = await h.client()
    socket.setNoDelay(true)
    for (const octet of [...initiation('tor1'), ...peerUp(A), ...announce(A, '10.0.0.0/24')]) {
      socket.write(Uint8Array.of(octet))
    }
    await until('rows', () => h.rows('route_log') === 1)
    expect(h.rows('error_log')).toBe(0)
  })

  test.each([
    ['fin', 'end'],
    ['rst', 'resetAndDestroy'],
  ] as const)('the end is told: %s', async (reason, how) => {
    const h = await start()
    const socket = await h.client()
    send(socket, initiation('tor1'))
    await until('up', () => h.log('bmp session up').length === 1)
    socket[how]()
    await until('ended', () => h.log('bmp session ended').length === 1)
    expect(h.log('bmp session ended')).toMatchObject([{ router: 'tor1', reason, rows: 3 }])
    await until('rows', () => h.rows('session_log') === 3)
  })

  test('silence past a limit is the end, told as such; before it, it is not', async () => {
    const start = 1_800_000_000_000_000
    let us = 0
    harness = await Harness.start(
      { silenceTimeoutMs: 60_000 },
      { now: () => start + us, monotonic: () => us },
    )
    const h = harness
    const socket = await h.client()
    send(socket, initiation('tor1'))
    await until('up', () => h.log('bmp session up').length === 1)
    us = 60_000_000
    await turns(h)
    expect(h.server.sessions()).toHaveLength(1)
    us += 1_000_000
    await closed(socket)
    expect(h.log('bmp session ended')).toMatchObject([{ router: 'tor1', reason: 'silence' }])
  })

  test('numbers of sessions grow even when the clock does not', async () => {
    const h = await start()
    for (let i = 0; i < 5; i++) send(await h.client(), initiation(`r${i}`))
    await until('all up', () => h.server.sessions().filter((each) => each.identified).length === 5)
    const numbers = h.server.sessions().map(({ bmpSession }) => bmpSession)
    expect(new Set(numbers).size).toBe(5)
  })

  test('timers run without any traffic: the dump of a quiet session ends', async () => {
    let now = 1_800_000_000_000_000
    const h = await Harness.start({})
    await h.stop()
    const { createBmpServer } = await import('./bmp-server.ts')
    const { pino } = await import('pino')
    const kinds: number[] = []
    const server = createBmpServer(
      { host: '127.0.0.1', port: 0, collector: 'c', flushIntervalMs: 5 },
      {
        log: pino({ level: 'silent' }),
        now: () => now,
        openSink: () => ({ submit: async (batch) => void kinds.push(batch.rows) }),
      },
    )
    await server.start()
    const { connect } = await import('node:net')
    const socket = connect(server.address!.port, '127.0.0.1')
    socket.write(Uint8Array.from(initiation('tor1')))
    await until('named', () => server.sessions()[0]?.identified === true)
    expect(server.sessions()[0]?.rows).toBe(2)
    now += 6_000_000
    await until('dump_done', () => server.sessions()[0]?.rows === 3)
    socket.destroy()
    await server.stop()
  })
})

describe('names', () => {
  test('two live sessions with one sysName from different sources are two routers', async () => {
    const h = await start()
    const first = await h.client('127.0.0.11')
    send(first, initiation('tor1'))
    await until('first', () => h.log('bmp session up').length === 1)
    send(await h.client('127.0.0.12'), initiation('tor1'))
    await until('second', () => h.log('bmp session up').length === 2)
    expect(h.server.sessions().map(({ router }) => router)).toEqual(['tor1', 'tor1@127.0.0.12'])
    expect(h.log('another router uses this sysName')).toHaveLength(1)
  })

  test.skipIf(!existsSync('/proc/net/tcp'))(
    'TCP asks whether a silent router is there: accepted and dialled',
    async () => {
      const passive = createServer()
      await new Promise<void>((done) => passive.listen(0, '127.0.0.1', done))
      const { port } = passive.address() as AddressInfo
      const h = await start({
        keepAliveMs: 77_000,
        dial: [{ host: '127.0.0.1', port }],
        identifyTimeoutMs: 60_000,
      })
      const socket = await h.client()
      await until('both', () => h.server.sessions().length === 2)
      const ports = [[h.server.address!.port, socket.localPort!]]
      for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
        const [, local = '', remote = ''] = line.trim().split(/\s+/)
        if (remote === place(port) && !local.endsWith(':0000')) {
          ports.push([parseInt(local.split(':')[1]!, 16), port])
        }
      }
      expect(ports).toHaveLength(2)
      for (const [local, remote] of ports) {
        const seconds = keepAliveDue(local!, remote!)
        expect(seconds).toBeGreaterThan(30)
        expect(seconds).toBeLessThanOrEqual(77)
      }
      passive.close()
    },
  )

  test('a router that comes back has its name, from another address too once the first is gone', async () => {
    const h = await start()
    const first = await h.client('127.0.0.11')
    send(first, initiation('tor1'))
    await until('first', () => h.log('bmp session up').length === 1)
    send(await h.client('127.0.0.11'), initiation('tor1'))
    await until('second', () => h.log('bmp session up').length === 2)
    expect(new Set(h.server.sessions().map(({ router }) => router))).toEqual(new Set(['tor1']))
  })

  test('a router that is there twice: when the newer session ends, the older begins anew', async () => {
    const h = await start()
    const older = await h.client('127.0.0.11')
    send(older, initiation('tor1'))
    await until('first', () => h.log('bmp session up').length === 1)
    const newer = await h.client('127.0.0.11')
    send(newer, initiation('tor1'))
    await until('second', () => h.log('bmp session up').length === 2)
    // What it says would not be heard any more: positions of the newer one are higher.
    newer.end()
    await closed(older)
    expect(h.log('bmp session ended')).toMatchObject([
      { reason: 'fin' },
      { reason: 'a newer session of this router is over' },
    ])
  })

  test('when the older one ends, the newer goes on', async () => {
    const h = await start()
    const older = await h.client('127.0.0.11')
    send(older, initiation('tor1'))
    await until('first', () => h.log('bmp session up').length === 1)
    send(await h.client('127.0.0.11'), initiation('tor1'), peerUp(A))
    await until('second', () => h.log('bmp session up').length === 2)
    older.end()
    await until('ended', () => h.log('bmp session ended').length === 1)
    expect(h.server.sessions()).toMatchObject([{ router: 'tor1' }])
  })

  test('loopback may use a sysName that belongs to another address', async () => {
    const h = await start({ routerAddresses: new Map([['tor1', '192.0.2.11']]) })
    send(await h.client(), initiation('tor1'))
    await until('up', () => h.log('bmp session up').length === 1)
  })
})

describe('hostile connections', () => {
  test.each([
    ['garbage', [0x47, 0x45, 0x54, 0x20, 0x2f, 0x0d, 0x0a], 0],
    ['a message of 4 GiB', [3, 0xff, 0xff, 0xff, 0xff, 0, 1, 2, 3], 0],
    ['a length below the header', [3, 0, 0, 0, 5, 4], 0],
    [
      'garbage behind good messages',
      [...initiation('bad'), 0, 0, 0, 0, 0],
      initiation('bad').length,
    ],
  ])('%s: that session ends with a reason, others go on', async (_, octets, offset) => {
    const h = await start()
    const good = await h.client('127.0.0.2')
    send(good, initiation('good'), peerUp(A))
    const bad = await h.client('127.0.0.3')
    send(bad, octets)
    await closed(bad)
    expect(h.log('framing lost')).toMatchObject([{ source: '127.0.0.3', offset }])
    send(good, announce(A, '10.0.0.0/24'))
    await until('rows of the good one', () => h.rows('route_log', 'good') === 1)
    await until('the error is a row', () => h.rows('error_log') === 1)
  })

  test('half a message and the end', async () => {
    const h = await start()
    const socket = await h.client()
    send(socket, initiation('tor1'), peerUp(A).slice(0, 30))
    await until('up', () => h.log('bmp session up').length === 1)
    socket.end()
    await until('error row', () => h.rows('error_log') === 1)
  })

  test('silent connections: the oldest goes when a new one needs the place', async () => {
    const h = await start({ maxUnidentified: 20 })
    const silent = await Promise.all(Array.from({ length: 60 }, () => h.client('127.0.0.9')))
    const good = await h.client('127.0.0.2')
    send(good, initiation('good'))
    await until('good is up', () => h.log('bmp session up').length === 1)
    await until(
      'others closed',
      () => silent.filter((each) => each.readableEnded || each.closed).length >= 40,
    )
    expect(h.server.sessions().length).toBeLessThanOrEqual(21)
    const logged = h.logs.filter(({ msg }) => msg === 'bmp connection closed')
    expect(logged.length).toBeLessThan(10)
    expect(h.server.refused()['said nothing while others waited']).toBeGreaterThanOrEqual(40)
  })

  test('a connection that never says anything is closed in time', async () => {
    const h = await start({ identifyTimeoutMs: 50 })
    const socket = await h.client()
    await closed(socket)
    expect(h.server.refused()).toEqual({ 'no whole bmp message in time': 1 })
    expect(h.batches).toEqual([])
  })

  test('half a message for ever is nothing said', async () => {
    const h = await start({ identifyTimeoutMs: 50 })
    const socket = await h.client()
    send(socket, initiation('slow').slice(0, 12))
    await closed(socket)
    expect(h.server.refused()).toEqual({ 'no whole bmp message in time': 1 })
  })

  test('session limit', async () => {
    const h = await start({ maxSessions: 2 })
    for (const name of ['a', 'b']) send(await h.client(), initiation(name))
    await until('two up', () => h.log('bmp session up').length === 2)
    await closed(await h.client())
    expect(h.server.refused()).toEqual({ 'session limit reached': 1 })
  })

  test('one source does not take all sessions, nor push others out of the lobby', async () => {
    const h = await start({ maxSessionsPerSource: 2, maxUnidentified: 4 })
    for (const name of ['a', 'b']) send(await h.client('127.0.0.9'), initiation(name))
    await until('two up', () => h.log('bmp session up').length === 2)
    await closed(await h.client('127.0.0.9'))
    expect(h.server.refused()).toEqual({ 'session limit of this source reached': 1 })
    const slow = await h.client('127.0.0.2')
    await until('slow is there', () => h.server.sessions().length === 3)
    for (let i = 0; i < 6; i++) await h.client('127.0.0.3')
    const reason = 'said nothing while others waited'
    await until('made room', () => h.server.refused()[reason] === 3)
    send(slow, initiation('slow'))
    await until('slow is up', () => h.log('bmp session up').length === 3)
  })

  test('sources that are not allowed', async () => {
    const h = await start({ allow: ['127.0.0.16/28', '::1'] })
    await closed(await h.client('127.0.0.1'))
    expect(h.server.refused()).toEqual({ 'source not in bmp.allow': 1 })
    send(await h.client('127.0.0.17'), initiation('tor1'))
    await until('up', () => h.log('bmp session up').length === 1)
  })
})

describe('backpressure', () => {
  test('a consumer that lags stops the router, memory stays bounded, no row is lost', async () => {
    const h = await start({ maxSessionOctets: 1 << 20, maxBlockRows: 1024 })
    const socket = await h.client()
    send(socket, initiation('tor1'), peerUp(A))
    await until('up', () => h.log('bmp session up').length === 1)
    h.held = true
    // 4,000 UPDATEs of 800 routes: 13 MB of BMP, some 700 MB of rows were they all kept.
    const total = 4000
    let sent = 0
    let stalled = false
    while (sent < total && !stalled) {
      const room = socket.write(Uint8Array.from(many(sent++)))
      if (room) continue
      stalled = await Promise.race([
        once(socket, 'drain').then(() => false),
        until('paused', () => h.server.sessions()[0]?.paused === true).then(() => true),
      ])
    }
    expect(stalled).toBe(true)
    const [status] = h.server.sessions()
    expect(status?.waitingOctets).toBeLessThan(32 << 20)
    h.let()
    await until('everything sent has arrived', () => h.rows('route_log') === sent * 800)
    await until('it is read again', () => h.server.sessions()[0]?.paused === false)
    expect(h.server.sessions()).toMatchObject([{ waitingOctets: 0 }])
    expect(sent).toBeLessThan(total)
  })

  test('a raw topic that takes nothing holds the router back, but no rows', async () => {
    let taken = 0
    let open = false
    const waiting: (() => void)[] = []
    const raw = {
      sendAll: async (messages: readonly unknown[]) => {
        if (!open) await new Promise<void>((resolve) => waiting.push(resolve))
        taken += messages.length
      },
    }
    harness = await Harness.start({ maxSessionOctets: 200_000 }, { raw })
    const h = harness
    const socket = await h.client()
    send(socket, initiation('tor1'), peerUp(A))
    for (let i = 0; i < 90; i++) send(socket, many(i))
    await until('paused', () => h.server.sessions()[0]?.paused === true)
    const { waitingOctets, messages } = h.server.sessions()[0]!
    expect(waitingOctets).toBeGreaterThan(100_000)
    expect(waitingOctets).toBeLessThan(1 << 20)
    await until('its rows', () => h.rows('route_log') === (messages - 2) * 800)
    expect([taken, messages < 92]).toEqual([0, true])
    open = true
    for (const each of waiting) each()
    await until('the rest', () => h.rows('route_log') === 90 * 800 && taken === 92)
    await until('all confirmed', () => h.server.sessions()[0]?.waitingOctets === 0)
  })

  test('a router that is held back is not silent: its dump does not end, its time is not up', async () => {
    let now = 1_800_000_000_000_000
    harness = await Harness.start(
      { maxSessionOctets: 1000, silenceTimeoutMs: 60_000 },
      { now: () => now },
    )
    const h = harness
    h.held = true
    const socket = await h.client()
    send(socket, initiation('tor1'), peerUp(A), many(1))
    await until('paused', () => h.server.sessions()[0]?.paused === true)
    const { rows } = h.server.sessions()[0]!
    send(socket, many(2))
    now += 300_000_000
    await turns(h)
    expect(h.server.sessions()).toMatchObject([{ rows, paused: true }])
    h.let()
    await until('the rest was read', () => h.rows('route_log') === 1600)
    await turns(h)
    // bmp_up, initiation, peer_up: nothing was concluded.
    expect(h.rows('session_log')).toBe(3)
    now += 5_000_000
    await until('the dump is over', () => h.rows('session_log') === 6)
  })

  test('a process that was busy did not listen: nothing is concluded from that', async () => {
    const start = 1_800_000_000_000_000
    let us = 0
    harness = await Harness.start({}, { now: () => start + us, monotonic: () => us })
    const h = harness
    send(await h.client(), initiation('tor1'), peerUp(A), many(1))
    await until('rows', () => h.rows('route_log') === 800)
    us += 60_000_000
    await turns(h)
    expect(h.rows('session_log')).toBe(3)
    // Seen at every turn that nothing came, on the other hand, it is silent.
    for (let i = 0; i < 20; i++) {
      us += 400_000
      await turns(h)
    }
    await until('the dump is over', () => h.rows('session_log') === 6)
  })

  test('one slow consumer does not hold up another session', async () => {
    const h = await start({ maxSessionOctets: 1000 })
    h.held = true
    const slow = await h.client()
    send(slow, initiation('slow'), peerUp(A), many(1))
    await until('slow one paused', () => h.server.sessions()[0]?.paused === true)
    h.held = false
    send(await h.client('127.0.0.2'), initiation('fast'), peerUp(A), announce(A, '10.0.0.0/24'))
    await until('fast one is served', () => h.rows('route_log', 'fast') === 1)
    h.let()
    await until('slow one, too', () => h.rows('route_log', 'slow') === 800)
  })

  test('all sessions together are bounded', async () => {
    const h = await start({ maxTotalOctets: 1000 })
    h.held = true
    const first = await h.client()
    send(first, initiation('a'), peerUp(A), many(1))
    await until('paused', () => h.server.sessions()[0]?.paused === true)
    const second = await h.client('127.0.0.2')
    send(second, initiation('b'), peerUp(A), many(2))
    await until('the other, too', () => h.server.sessions().every((each) => each.paused))
    h.let()
    await until('both go on', () => h.rows('route_log') === 1600)
    await until('resumed', () => h.server.sessions().every((each) => !each.paused))
  })

  test('a consumer that refuses ends the session, so that the router sends again', async () => {
    const h = await start()
    h.refusing = true
    const socket = await h.client()
    send(socket, initiation('tor1'), peerUp(A))
    await closed(socket)
    expect(h.log('rows not accepted, session closed')).not.toEqual([])
    await until('gone', () => h.server.sessions().length === 0)
  })
})

describe('stop', () => {
  test('what was received is with the consumer before stop resolves', async () => {
    const h = await start({ flushIntervalMs: 60_000 })
    const socket = await h.client()
    send(socket, initiation('tor1'), peerUp(A), announce(A, '10.0.0.0/24'))
    await until('received', () => h.server.sessions()[0]?.rows === 4)
    expect(h.batches).toEqual([])
    h.held = true
    const stopped = h.server.stop()
    await until('offered', () => h.inFlight > 0)
    h.let()
    await stopped
    expect(h.rows('route_log')).toBe(1)
    // bmp_up, initiation, peer_up, bmp_down
    expect(h.rows('session_log')).toBe(4)
    expect(h.log('bmp session ended')).toMatchObject([{ reason: 'shutdown' }])
  })

  test('a consumer that never accepts does not keep it for ever; what is lost is said', async () => {
    const h = await start({ stopTimeoutMs: 50 })
    const socket = await h.client()
    h.held = true
    send(socket, initiation('tor1'), peerUp(A), announce(A, '10.0.0.0/24'))
    await until('offered', () => h.inFlight > 0)
    await h.server.stop()
    expect(h.log('stopped with rows that were not accepted in time')).toMatchObject([
      { rows: 5, routers: 1 },
    ])
    expect(h.server.unaccepted()).toMatchObject({ rows: 5 })
  })

  test('a port that is taken is an error of start', async () => {
    const h = await start()
    await expect(Harness.start({ port: h.server.address!.port })).rejects.toThrow(/EADDRINUSE/)
  })
})

describe('allow list', () => {
  test.each([
    ['10.1.2.3', true],
    ['172.31.0.1', true],
    ['172.32.0.1', false],
    ['192.168.9.9', true],
    ['169.254.1.1', true],
    ['127.0.1.11', true],
    ['8.8.8.8', false],
    ['fd00::1', true],
    ['fe80::1', true],
    ['::1', true],
    ['2001:db8::1', false],
    ['', false],
  ])('by default %s: %s', (address, expected) => {
    expect(createAllowList()(address)).toBe(expected)
  })

  test.each(['10.0.0.0/33', 'ten', '::1/129', '10.0.0.0/', '10.0.0.0/-1'])(
    '%j is refused',
    (entry) => {
      expect(() => createAllowList([entry])).toThrow(JSON.stringify(entry))
    },
  )

  test('addresses of sockets', () => {
    expect(sourceOf('::ffff:192.0.2.1')).toBe('192.0.2.1')
    expect(sourceOf('fe80::1%eth0')).toBe('fe80::1')
    expect(sourceOf(undefined)).toBe('')
  })
})
