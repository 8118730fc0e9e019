/**
 * The program as it is run: a process, its signals, its sockets. Killed in the middle of things and started again, stopped under
 * load, spoken to by those who mean no good, started twice.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '@ribscope/store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  announce,
  be,
  endOfRib,
  initiation,
  peerUp,
  withdraw,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { Sender, until, Up } from './process.ts'

const N1: HandPeer = { address: '10.10.19.11', asn: 64501, id: '10.10.19.11' }
const N2: HandPeer = { address: '10.10.19.12', asn: 64501, id: '10.10.19.12' }
const VIP = '203.0.113.66/32'
const CONFIG = `
segments: { vip: [203.0.113.0/24] }
routers: [{ name: tor1, role: tor, pair: p1 }, { name: tor2, role: tor, pair: p1 }]
nodes: [{ name: n1, bgp_ids: [10.10.19.11] }, { name: n2, bgp_ids: [10.10.19.12] }]
detectors: { settle_s: 1, ecmp_hold_s: 3, share_hold_s: 3, min_flaps: 1, penalty_open: 900 }
`

let folder: string
let data: string
let config: string
const running: Up[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ribscope-up-'))
  data = join(folder, 'data')
  config = join(folder, 'fabric.yaml')
  writeFileSync(config, CONFIG)
})
afterEach(async () => {
  for (const up of running.splice(0)) {
    up.kill('SIGKILL')
    await up.exit
  }
  rmSync(folder, { recursive: true, force: true })
})

async function start(bmpPort = 0): Promise<Up> {
  const up = await Up.start(data, config, bmpPort)
  running.push(up)
  return up
}

/** `count` host routes from number `from` on. */
const hosts = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => {
    const n = from + i
    return `10.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}/32`
  })

/** UPDATEs of at most 200 prefixes. */
function announced(peer: HandPeer, prefixes: readonly string[]): number[][] {
  const messages: number[][] = []
  for (let at = 0; at < prefixes.length; at += 200) {
    messages.push(announce(peer, ...prefixes.slice(at, at + 200)))
  }
  return messages
}

/** All that a router has to say when BMP begins. */
const table = (name: string, byPeer: readonly (readonly [HandPeer, readonly string[]])[]) => [
  initiation(name),
  ...byPeer.flatMap(([peer, prefixes]) => [
    peerUp(peer),
    ...announced(peer, prefixes),
    endOfRib(peer),
  ]),
]

const CURRENT = `SELECT count() AS n FROM ribscope.rib_current WHERE router = {router:String} AND stale = 0`

describe('kill -9 in the middle of updates', () => {
  test(
    'history is there, routers say everything again, nothing is invented',
    { timeout: 240_000 },
    async () => {
      let up = await start()
      const port = up.bmpPort
      const own = new Map([
        ['tor1', hosts(0, 2_000)],
        ['tor2', hosts(2_000, 2_000)],
      ])
      const say = (name: string): (readonly number[])[] =>
        table(name, [
          [N1, [VIP, '203.0.113.67/32', ...own.get(name)!]],
          [N2, [VIP]],
        ])
      const names = [...own.keys()]
      const connectAll = (): Promise<Sender[]> =>
        Promise.all(names.map((_, i) => Sender.connect(port, `127.0.2.${i + 1}`)))
      const settled = (which: Up): Promise<true> =>
        until('tables are complete', async () => {
          for (const router of names) {
            const n = await which.count(CURRENT, { router })
            if (n !== own.get(router)!.length + 3) throw new Error(`${router}: ${n}`)
          }
          const dumped = await which.count(
            'SELECT count() AS n FROM ribscope.router_state WHERE up AND dumped',
          )
          return dumped === names.length
        })

      let routers = await connectAll()
      for (const [i, router] of routers.entries()) await router.send(...say(names[i]!))
      await settled(up)
      await up.looked()
      expect(await up.findings()).toEqual([])

      // Live updates, one after another, until there is nobody to listen.
      let next = 10_000
      const streams = routers.map(async (router, i) => {
        while (!router.isClosed) {
          const [prefix] = hosts(next++, 1)
          own.get(names[i]!)!.push(prefix!)
          await router.send(announce(N1, prefix!))
          await new Promise((done) => setTimeout(done, 1))
        }
      })
      const ROWS = 'SELECT count() AS n FROM ribscope.route_events'
      const stored = await until('live updates are stored', async () => {
        const n = await up.count(ROWS)
        return n > 4_300 && n
      })
      up.kill('SIGKILL')
      expect(await up.exit).toEqual([null, 'SIGKILL'])
      await Promise.all([...streams, ...routers.map(({ closed }) => closed)])

      // Nobody is back yet: what was known is there, and known to be old.
      up = await start(port)
      const kept = await up.count(ROWS)
      expect(kept).toBeGreaterThanOrEqual(stored)
      expect(await up.count('SELECT count() AS n FROM ribscope.rib_current WHERE NOT stale')).toBe(
        0,
      )
      expect(await up.count('SELECT count() AS n FROM ribscope.rib_current')).toBe(kept)
      const ends = await up.sql(
        "SELECT router, reason FROM ribscope.session_events WHERE kind = 'bmp_down' ORDER BY router",
      )
      expect(ends).toEqual(names.map((router) => ({ router, reason: 'collector-restart' })))

      // A route went away while nobody listened.
      own.set('tor1', own.get('tor1')!.slice(1))
      routers = await connectAll()
      for (const [i, router] of routers.entries()) await router.send(...say(names[i]!))
      await settled(up)
      expect(await up.count('SELECT count() AS n FROM ribscope.rib_current WHERE stale')).toBe(0)
      const [gone] = hosts(0, 1)
      expect(
        await up.sql(
          'SELECT class, cause FROM ribscope.route_event_class WHERE prefix = {gone:String} ORDER BY rx_ts, seq',
          { gone },
        ),
      ).toEqual([
        { class: 'NEW', cause: 'update' },
        { class: 'AW', cause: 'reconcile' },
      ])
      await up.looked(5)
      expect(await up.findings()).toEqual([])
      expect(
        await up.count(
          `SELECT count() AS n FROM ribscope.route_event_class WHERE prefix = {vip:String} AND class = 'AW'`,
          { vip: VIP },
        ),
      ).toBe(0)

      // And it still sees what is true: one flap is enough with this configuration.
      await routers[0]!.send(withdraw(N1, '203.0.113.67/32'))
      await routers[1]!.send(withdraw(N1, '203.0.113.67/32'))
      await until('the outage is found', async () =>
        (await up.findings()).some(
          ({ kind, status }) => kind === 'VIP_OUTAGE' && status === 'open',
        ),
      )

      // Killed twice in a row, before anything could be said.
      up.kill('SIGKILL')
      await up.exit
      up = await start(port)
      up.kill('SIGKILL')
      await up.exit
      up = await start(port)
      // What was open still is, once.
      expect((await up.findings()).filter(({ kind }) => kind === 'VIP_OUTAGE')).toMatchObject([
        { status: 'open' },
      ])
    },
  )
})

describe('SIGTERM', () => {
  test('everything that was received is stored, exit 0', { timeout: 120_000 }, async () => {
    const up = await start()
    const COUNT = 30_000
    const whole = await Sender.connect(up.bmpPort, '127.0.2.1')
    await whole.send(...table('whole', [[N1, hosts(0, COUNT)]]))

    // Another is in the middle of its table.
    const endless = await Sender.connect(up.bmpPort, '127.0.2.2')
    let sent = 0
    const stream = (async () => {
      await endless.send(initiation('endless'), peerUp(N1))
      while (!endless.isClosed) {
        await endless.send(...announced(N1, hosts(sent % 4_000_000, 1_000)))
        sent += 1_000
        // A collector that keeps up never makes it wait: others have to have their turn.
        await new Promise(setImmediate)
      }
    })()
    await until('the endless one is on its way', () => sent > 5_000)

    // It closes when the collector has read to the end, whatever of it is stored by then.
    whole.socket.end()
    await whole.closed
    up.kill('SIGTERM')
    expect(await up.exit).toEqual([0, null])
    await Promise.all([stream, endless.closed])
    expect(up.logs.at(-1)?.msg).toBe('stopped: what was received is stored')
    expect(up.logs.filter(({ level }) => level >= 50)).toEqual([])

    const store = await openEmbeddedStore({ dataDir: data })
    try {
      const db = await store.session('look')
      const rows = await db.query<Record<string, string>>(`
        SELECT router, count() AS n, uniqExact(seq) AS seqs, min(seq) AS first, max(seq) AS last
        FROM (SELECT router, seq FROM ribscope.route_log UNION ALL SELECT router, seq FROM ribscope.session_log
          UNION ALL SELECT router, seq FROM ribscope.error_log)
        GROUP BY router ORDER BY router`)
      // bmp_up, initiation, peer_up, eor and the dumps that are done, bmp_down, and the message that was cut off, if one was: no row
      // is missing, none is there twice.
      for (const { router, n, seqs, first, last } of rows) {
        expect({ router, seqs, first, last }).toEqual({ router, seqs: n, first: '1', last: n })
      }
      const routes = await db.query<{ router: string; n: string }>(
        'SELECT router, count() AS n FROM ribscope.route_log GROUP BY router ORDER BY router',
      )
      expect(routes[1]).toEqual({ router: 'whole', n: String(COUNT) })
      const some = Number(routes[0]?.n)
      // Messages are whole: 200 routes each.
      expect(some % 200).toBe(0)
      expect(some).toBeGreaterThan(5_000)
      expect(some).toBeLessThanOrEqual(sent + 1_000)
      const ends = await db.query(
        "SELECT router, reason FROM ribscope.session_log WHERE kind = 'bmp_down' ORDER BY router",
      )
      expect(ends).toEqual([
        { router: 'endless', reason: 'shutdown' },
        { router: 'whole', reason: 'fin' },
      ])
    } finally {
      await store.close()
    }
  })
})

describe('those who mean no good', () => {
  test(
    'a good router does not notice, and memory stays bounded',
    { timeout: 240_000 },
    async () => {
      const up = await start()
      const good = await Sender.connect(up.bmpPort, '127.0.2.1')
      await good.send(...table('good', [[N1, [VIP]]]))
      let sent = 1
      const goesOn = async (what: string): Promise<void> => {
        const prefixes = hosts(sent, 50)
        for (const prefix of prefixes) await good.send(announce(N1, prefix))
        sent += prefixes.length
        await until(`good is heard: ${what}`, async () => {
          expect(good.isClosed, `${what}: ${up.text().slice(-2_000)}`).toBe(false)
          return (await up.count(CURRENT, { router: 'good' })) === sent
        })
      }
      await goesOn('alone')
      const before = up.rss
      const bad = (n: number): Promise<Sender> => Sender.connect(up.bmpPort, `127.0.3.${n}`)
      const framingLost = (): number => up.logs.filter(({ msg }) => msg === 'framing lost').length

      const garbage = await bad(1)
      await garbage.send(randomBytes(1 << 20))
      await garbage.closed
      await goesOn('garbage')

      // A known router turns bad in the middle: what it said is kept, its session ends.
      const turns = await bad(2)
      await turns.send(...table('turns', [[N2, hosts(60_000, 400)]]), randomBytes(4_096))
      await turns.closed
      await until('its routes are stored', async () => {
        const n = await up.count(
          "SELECT count() AS n FROM ribscope.route_events WHERE router = 'turns'",
        )
        return n === 400
      })
      expect(
        await up.sql(
          "SELECT reason FROM ribscope.session_events WHERE router = 'turns' AND kind = 'bmp_down'",
        ),
      ).toEqual([{ reason: 'framing' }])
      await goesOn('framing lost in a session')

      // 4 GiB, a length below its own header, one octet beyond the limit.
      const lengths = [0xffff_ffff, 3, (1 << 20) + 1]
      const lost = framingLost()
      for (const [i, length] of lengths.entries()) {
        const liar = await bad(10 + i)
        await liar.send([3, ...be(length, 4), 4], new Uint8Array(65_536))
        await liar.closed
      }
      expect(framingLost()).toBe(lost + lengths.length)
      await goesOn('impossible lengths')

      // Half a message and then nothing; it stays, and costs nobody anything.
      const half = await bad(20)
      await half.send(initiation('half').slice(0, 20))
      const promised = await bad(21)
      await promised.send([3, ...be(1 << 20, 4), 0], new Uint8Array(500_000))
      await goesOn('half messages')
      expect(half.isClosed).toBe(false)

      const silent: Sender[] = []
      for (let n = 0; n < 300; n++) silent.push(await bad(100 + (n % 100)))
      // Those who say nothing are let in up to a limit, and the oldest gives way.
      await until(
        'the oldest are closed',
        () => silent.filter((each) => each.isClosed).length >= 40,
      )
      expect(silent.at(-1)?.isClosed).toBe(false)
      await goesOn('300 silent connections')
      const late = await Sender.connect(up.bmpPort, '127.0.2.9')
      await late.send(...table('late', [[N2, hosts(70_000, 10)]]))
      await until('a router that comes late is heard', async () => {
        return (await up.count(CURRENT, { router: 'late' })) === 10
      })

      // Many connections that come and go.
      for (let n = 0; n < 200; n++) {
        const visitor = await bad(1 + (n % 50))
        await visitor.send(randomBytes(64))
        visitor.socket.destroy()
      }
      await goesOn('visitors')
      for (const each of silent) each.socket.destroy()

      expect(up.rss - before).toBeLessThan(300 << 20)
      await up.looked()
      const of = await up.sql(
        "SELECT uniqExact(bmp_session) AS sessions, countIf(kind = 'bmp_down') AS ends FROM ribscope.session_events WHERE router = 'good'",
      )
      expect(of).toEqual([{ sessions: '1', ends: '0' }])
      const about = (await up.findings()).filter(({ scope }) =>
        JSON.stringify(scope).includes('good'),
      )
      expect(about).toEqual([])
      expect(up.logs.filter(({ level }) => level >= 50)).toEqual([])
      // Nobody's name is made of garbage.
      const routers = await up.sql<{ router: string }>(
        'SELECT DISTINCT router FROM ribscope.session_events ORDER BY router',
      )
      expect(routers.map(({ router }) => router)).toEqual(['good', 'late', 'turns'])
    },
  )
})

describe('started twice', () => {
  test(
    'on one data directory: one line, exit 1, and the first does not notice',
    { timeout: 120_000 },
    async () => {
      const up = await start()
      const router = await Sender.connect(up.bmpPort, '127.0.2.1')
      const second = Up.spawn('--data', data, '--config', config, '--bmp', '127.0.0.1:0')
      expect(await second.exit).toEqual([1, null])
      expect(second.logs.filter(({ level }) => level >= 40)).toEqual([])
      const lines = second.other.trim().split('\n')
      expect(lines).toHaveLength(1)
      expect(lines[0]).toContain(data)
      expect(lines[0]).toContain('in use by another process')

      await router.send(...table('tor1', [[N1, hosts(0, 1_000)]]))
      await until('the first goes on', async () => {
        return (await up.count(CURRENT, { router: 'tor1' })) === 1_000
      })
    },
  )

  test('on one port: one line, exit 1', { timeout: 120_000 }, async () => {
    const up = await start()
    const bmp = `127.0.0.1:${up.bmpPort}`
    const other = join(folder, 'other')
    const second = Up.spawn('--data', other, '--config', config, '--bmp', bmp)
    expect(await second.exit).toEqual([1, null])
    const lines = second.other.trim().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`${bmp} is in use`)
  })
})
