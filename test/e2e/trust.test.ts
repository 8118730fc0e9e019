/**
 * Trust: each rule of view_trust fires on octets that break it and on nothing else; peer_sessions says of each life of a BGP
 * session how it began and why it ended. Through the collector's encoder, the real engine and its views.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatDateTime64, listRecordings } from '@ribscope/events'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { familyName, notificationName, notificationSubcodeName } from '@ribscope/wire'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  addPath,
  announce,
  asPath,
  attribute,
  be,
  endOfRib,
  family,
  gracefulRestart,
  initiation,
  message,
  nextHop,
  notification,
  origin,
  peerDown,
  peerHeader,
  peerUp,
  prefix,
  routeMonitoring,
  statistics,
  update,
  withdraw,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { recorded, rowsOf } from './feeds.ts'
import type { Sent } from './feeds.ts'

// Seconds on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 180_000 })

const root = fileURLToPath(new URL('../../', import.meta.url))
/** 2026-11-21T12:00:00Z */
const T0 = 1_795_262_400_000_000
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-trust-'))
let store: Store
let db: StoreSession

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, [])
  db = await store.session('trust')
  await migrate(db)
  await store.insertRows('detector_params', [{ key: 'quarantine_withdraws', value: 3 }])
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

type Step = readonly [seconds: number, ...messages: (readonly number[])[]]

/** What a router of that name sent, by seconds since it connected. */
function sent(steps: readonly Step[], end: Sent['end'] = 'stop', openedUs = T0): Sent {
  const chunks = steps.map(([seconds, ...messages]) => ({
    us: openedUs + seconds * 1e6,
    bytes: Uint8Array.from(messages.flat()),
  }))
  const endUs = (chunks.at(-1)?.us ?? openedUs) + 1e6
  return { fabric: 't', source: '192.0.2.9', openedUs, chunks, end, endUs }
}

interface Trust {
  readonly score: number
  readonly trust: string
  readonly codes: string[]
  readonly reasons: string[]
  readonly [column: string]: unknown
}

let routers = 0

/** @returns the view of that table, `seconds` after the router connected */
async function trustOf(
  steps: (router: string) => readonly Step[],
  options: { rib?: string; afi?: number; at?: number; end?: Sent['end'] } = {},
): Promise<Trust> {
  const { rib = 'adj_in_pre', afi = 1, at = 30, end = 'stop' } = options
  const router = `r${String(++routers)}`
  await insertBatches(store, rowsOf([sent(steps(router), end)]).batches)
  const rows = await trusts(`t/${router}`, at)
  const row = rows.find((each) => each['rib'] === rib && each['afi'] === afi)
  if (row === undefined) throw new Error(`no view ${rib} ${String(afi)} of ${router}`)
  return row
}

async function trusts(router: string, at = 30): Promise<Trust[]> {
  const rows = await db.query<Trust>(
    "SELECT * FROM ribscope.view_trust_at(at = {at:String}) WHERE router = {router:String} OR startsWith(router, concat({router:String}, '/')) ORDER BY router, rib, afi, safi",
    { router, at: formatDateTime64(T0 + at * 1e6) },
  )
  return rows.map((row) => ({
    ...row,
    codes: row.reasons.map((reason) => /^[A-Z0-9]+(?=: )/.exec(reason)?.[0] ?? reason),
  }))
}

// The routers' clocks are right unless a test says otherwise.
const at = (seconds: number): number => T0 / 1e6 + seconds
const peer = (n: number, more: HandPeer = {}): HandPeer => ({
  address: `192.0.2.${String(n)}`,
  id: `192.0.2.${String(n)}`,
  asn: 64500 + n,
  seconds: at(0),
  ...more,
})
const post = (of: HandPeer): HandPeer => ({ ...of, flags: 0x40 })
const p1 = peer(1)
const p2 = peer(2)
const FRR = 'FRRouting 8.4.4'
const routes = (n: number, net = 1): string[] =>
  Array.from({ length: n }, (_, i) => `10.${String(net)}.${String(i)}.0/24`)

/** RFC 7854 section 4.8, types 9 and 10: a gauge per family. */
const familyGauge = (
  of: HandPeer,
  type: number,
  afi: number,
  safi: number,
  value: number,
): number[] =>
  message(1, [
    ...peerHeader(of),
    ...be(1, 4),
    ...be(type, 2),
    ...be(11, 2),
    ...be(afi, 2),
    safi,
    ...be(value, 8),
  ])

describe('view_trust, healthy', () => {
  test('a table that ends with End-of-RIB and agrees with the router: 100, no reason', async () => {
    const view = await trustOf((name) => [
      [0, initiation(name), peerUp(p1), peerUp(p2)],
      [1, announce(p1, ...routes(4)), endOfRib(p1), announce(p2, ...routes(3)), endOfRib(p2)],
      [10, statistics({ ...p1, seconds: at(10) }, [7, 4]), statistics(p2, [7, 3])],
      [20, statistics({ ...p1, seconds: at(20) }, [7, 4]), statistics(p2, [7, 3])],
      [29, statistics({ ...p1, seconds: at(29) }, [7, 4]), familyGauge(p2, 9, 1, 1, 3)],
    ])
    expect(view).toMatchObject({ score: 100, trust: 'trusted', reasons: [], notes: [] })
    expect(view).toMatchObject({ peers: '2', announces: '7', withdraws: '0', routes: '7' })
    expect(view).toMatchObject({ expected: '7', counted_routes: '7', eor: 'eor', silent_s: 1 })
    expect(view).toMatchObject({ counted_at: formatDateTime64(T0 + 29e6), skew_s: 0 })
  })

  test('the recording `steady` is trusted; scores are those of docs/sql.md', async () => {
    const folder = join(root, 'test/fixtures/lab/steady')
    // At its own time: the clocks of these routers are right.
    const start = Math.min(...(await listRecordings([folder])).map(({ openedUs }) => openedUs))
    const feed = await recorded(folder, 'steady', start)
    await insertBatches(store, rowsOf(feed).batches)
    const rows = await trusts('steady', (start - T0) / 1e6 + 12)
    expect(rows).toHaveLength(54)
    expect(new Set(rows.map(({ trust }) => trust))).toEqual(new Set(['trusted']))
    const scores = new Map<string, Set<unknown>>()
    for (const row of rows) {
      const who = /^steady\/(tor|spine)/.test(String(row['router'])) ? 'FRR' : 'GoBGP'
      const key = `${who} ${String(row['rib'])}`
      scores.set(key, (scores.get(key) ?? new Set()).add([row.score, ...row.codes].join(' ')))
    }
    expect(Object.fromEntries([...scores].map(([key, set]) => [key, [...set]]))).toEqual({
      'FRR adj_in_pre': ['100'],
      'FRR adj_in_post': ['100'],
      'GoBGP adj_in_pre': ['95 P9'],
      'GoBGP adj_in_post': ['95 P9'],
      'GoBGP loc_rib': ['85 P9 P12 P13'],
    })
  })
})

describe('view_trust, rules', () => {
  test('P1: withdrawals only', async () => {
    const steps = (n: number) => (name: string) =>
      [
        [0, initiation(name), peerUp(p1)],
        [1, withdraw(p1, ...routes(n)), endOfRib(p1)],
      ] as const
    expect(await trustOf(steps(3))).toMatchObject({ score: 0, trust: 'untrusted', codes: ['P1'] })
    // Two are no pattern yet.
    expect(await trustOf(steps(2))).toMatchObject({ score: 100, codes: [] })
  })

  test('P4: post-policy withdraws what pre-policy announces; loops do not count', async () => {
    const looped = routeMonitoring(
      p1,
      update({
        attributes: [...origin(), ...asPath(64501, 64500), ...nextHop('192.0.2.1')],
        nlri: prefix('10.9.0.0/24'),
      }),
    )
    const view = await trustOf(
      (name) => [
        [0, initiation(name, FRR), peerUp(p1), peerUp(post(p1))],
        [1, announce(p1, ...routes(4)), looped, endOfRib(p1)],
        [2, announce(post(p1), ...routes(2)), endOfRib(post(p1))],
        [3, withdraw(post(p1), '10.1.2.0/24', '10.1.3.0/24', '10.9.0.0/24')],
      ],
      { rib: 'adj_in_post' },
    )
    expect(view).toMatchObject({ trust: 'doubtful', codes: ['P4'], withdrawn_by_policy: '2' })
    expect(view.reasons[0]).toContain('withdrew 2 of 4 routes')
    expect(view.score).toBe(100 - 5 - 17)
  })

  test('P4: what post-policy never had is no withdrawal', async () => {
    const view = await trustOf(
      (name) => [
        [0, initiation(name), peerUp(p1), peerUp(post(p1))],
        [1, announce(p1, ...routes(4)), endOfRib(p1)],
        [2, announce(post(p1), ...routes(2)), endOfRib(post(p1))],
      ],
      { rib: 'adj_in_post' },
    )
    expect(view).toMatchObject({ score: 100, codes: [] })
  })

  test('P5: a clock that is hours off weighs next to nothing; an old dump says nothing of the clock', async () => {
    const late = { ...p1, seconds: at(-3 * 3600) }
    const view = await trustOf((name) => [
      [0, initiation(name), peerUp(late)],
      [1, announce(late, ...routes(2)), endOfRib(late)],
      [9, statistics(late, [0, 0])],
    ])
    expect(view).toMatchObject({ score: 98, codes: ['P5'], skew_s: 3 * 3600 + 9 })
    const old = await trustOf((name) => [
      [0, initiation(name), peerUp(late)],
      [1, announce(late, ...routes(2)), endOfRib(late)],
    ])
    expect(old).toMatchObject({ score: 100, codes: [], skew_s: null })
  })

  test('P9: no End-of-RIB; a table that does not end; one that has only begun', async () => {
    const quiet = await trustOf((name) => [
      [0, initiation(name), peerUp(p1), peerUp(p2)],
      [1, announce(p1, ...routes(2)), announce(p2, '10.2.0.0/24'), endOfRib(p2)],
    ])
    expect(quiet).toMatchObject({ score: 95, codes: ['P9'], eor: 'quiet' })
    expect(quiet.reasons[0]).toContain('no End-of-RIB from 1 of 2 peers')

    const long = await trustOf(
      (name) => [
        [0, initiation(name), peerUp(p1)],
        ...Array.from({ length: 40 }, (_, i): Step => [
          4 * i + 1,
          announce(p1, `10.3.${String(i)}.0/24`),
        ]),
      ],
      { at: 200 },
    )
    expect(long).toMatchObject({ score: 85, trust: 'trusted', codes: ['P9'], eor: 'max' })

    const router = `r${String(++routers)}`
    const begun = sent([
      [0, initiation(router), peerUp(p1)],
      [1, announce(p1, ...routes(2))],
    ])
    // The collector's timers have not fallen due.
    await insertBatches(store, rowsOf([{ ...begun, end: 'fin', endUs: T0 + 2e6 }]).batches)
    const [running] = await trusts(`t/${router}`, 2)
    expect(running).toMatchObject({ trust: 'untrusted', eor: 'running', codes: ['P9', 'FEED'] })
  })

  test('P11: FRR shows one of several paths; another router with ADD-PATH shows them', async () => {
    const caps = {
      sent: [family(1, 1), addPath(1, 1, 1)],
      received: [family(1, 1), addPath(1, 1, 2)],
    }
    const path = (id: number): number[] =>
      routeMonitoring(
        p1,
        update({
          attributes: [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')],
          nlri: [...be(id, 4), ...prefix('10.1.0.0/24')],
        }),
      )
    const steps = (descr: string) => (name: string) =>
      [
        [0, initiation(name, descr), peerUp(p1, caps)],
        [1, path(1), path(2), endOfRib(p1)],
      ] as const
    expect(await trustOf(steps(FRR))).toMatchObject({ score: 85, codes: ['P11'] })
    expect(await trustOf(steps('another'))).toMatchObject({ score: 100, codes: [], routes: '2' })
  })

  test('P12: a Loc-RIB without ADD-PATH', async () => {
    const loc = { ...peer(9), type: 3, address: '0.0.0.0' }
    const view = await trustOf(
      (name) => [
        [0, initiation(name), peerUp(loc)],
        [1, announce(loc, ...routes(2)), endOfRib(loc)],
        [9, familyGauge({ ...loc, seconds: at(9) }, 10, 1, 1, 2)],
      ],
      { rib: 'loc_rib' },
    )
    expect(view).toMatchObject({ score: 95, codes: ['P12'], expected: '2', counted_routes: '2' })
  })

  test('P13: routes without Peer Up', async () => {
    const view = await trustOf((name) => [
      [0, initiation(name)],
      [1, announce(p1, ...routes(2)), endOfRib(p1)],
    ])
    expect(view).toMatchObject({ score: 85, codes: ['P13'] })
    expect(view.reasons[0]).toContain('no Peer Up from 192.0.2.1')
  })

  test('P13: up and empty for 60 s while another has routes', async () => {
    const steps =
      (...more: Step[]) =>
      (name: string): Step[] => [
        [0, initiation(name), peerUp(p1), peerUp(p2)],
        [1, announce(p1, ...routes(3)), endOfRib(p1)],
        ...more,
      ]
    const empty = await trustOf(steps(), { at: 61 })
    expect(empty).toMatchObject({ score: 70, trust: 'doubtful', codes: ['P13'] })
    expect(empty.reasons[0]).toContain('192.0.2.2')
    expect(await trustOf(steps(), { at: 59 })).toMatchObject({ score: 100, codes: [] })
    // The router says that there is nothing: by End-of-RIB, or by its counter.
    expect(await trustOf(steps([2, endOfRib(p2)]), { at: 61 })).toMatchObject({ score: 100 })
    expect(await trustOf(steps([2, statistics(p2, [7, 0])]), { at: 61 })).toMatchObject({
      score: 100,
    })
    // Or that there is something.
    const lost = await trustOf(steps([2, statistics(p2, [7, 5])]), { at: 61 })
    expect(lost).toMatchObject({ score: 40, trust: 'untrusted', codes: ['STATS'] })
    expect(lost.reasons[0]).toContain('nothing arrived from 192.0.2.2')
    // A family that the peer does not speak says nothing about it.
    const other = await trustOf(
      (name) => [
        [0, initiation(name), peerUp(p1), peerUp(p2, { sent: [family(2, 1)] })],
        [1, announce(p1, ...routes(3)), endOfRib(p1)],
      ],
      { at: 61 },
    )
    expect(other).toMatchObject({ score: 100, codes: [] })
  })

  test('P14: two peers with one link-local address', async () => {
    const steps = (second: string) => (name: string) => {
      const a = { ...peer(1), address: 'fe80::1' }
      const b = { ...peer(2), address: second }
      return [
        [0, initiation(name), peerUp(a), peerUp(b)],
        [1, announce(a, ...routes(2)), endOfRib(a), announce(b, ...routes(2)), endOfRib(b)],
      ] as const
    }
    const view = await trustOf(steps('fe80::1'))
    expect(view).toMatchObject({ score: 95, codes: ['P14'], routes: '4' })
    expect(await trustOf(steps('fe80::2'))).toMatchObject({ score: 100, codes: [] })
  })

  describe('STATS: completeness against the statistics of the router', () => {
    const table =
      (...more: Step[]) =>
      (name: string): Step[] => [
        [0, initiation(name), peerUp(p1)],
        [1, announce(p1, ...routes(4)), endOfRib(p1)],
        ...more,
      ]

    test('it counts more than ever arrived', async () => {
      const view = await trustOf(table([9, familyGauge(p1, 9, 1, 1, 16)]))
      expect(view).toMatchObject({ codes: ['STATS'], expected: '16', missing: '12', too_many: '0' })
      // 20 for the contradiction, 60 for the share that is missing
      expect(view).toMatchObject({ score: 100 - 20 - 45, trust: 'untrusted' })
    })

    test('it counts less than what is here', async () => {
      const view = await trustOf(table([9, statistics(p1, [7, 3])]))
      expect(view).toMatchObject({ codes: ['STATS'], missing: '0', too_many: '1', score: 80 })
    })

    test('what changed since the report before is no proof', async () => {
      const changing = await trustOf(
        table(
          [7, withdraw(p1, '10.1.0.0/24')],
          [9, familyGauge(p1, 9, 1, 1, 4)],
          [10, announce(p1, '10.5.0.0/24')],
        ),
      )
      expect(changing).toMatchObject({ score: 100, codes: [], expected: '4', counted_routes: '4' })
      // One more than all changes could explain.
      const beyond = await trustOf(
        table([7, withdraw(p1, '10.1.0.0/24')], [9, familyGauge(p1, 9, 1, 1, 6)]),
      )
      expect(beyond).toMatchObject({ codes: ['STATS'], missing: '2' })
    })

    test('a report during the first table is no proof', async () => {
      const view = await trustOf((name) => [
        [0, initiation(name), peerUp(p1)],
        [1, announce(p1, ...routes(4)), familyGauge(p1, 9, 1, 1, 90)],
        [2, endOfRib(p1)],
      ])
      expect(view).toMatchObject({ score: 100, codes: [], expected: null })
    })

    test('a counter of all families proves nothing while one of them is not monitored', async () => {
      const caps = { sent: [family(1, 1), family(2, 1)] }
      const steps =
        (...more: (readonly number[])[]) =>
        (name: string): Step[] => [
          [0, initiation(name), peerUp(p1, caps)],
          [1, announce(p1, ...routes(4)), endOfRib(p1), ...more],
          [9, statistics(p1, [7, 6])],
        ]
      expect(await trustOf(steps())).toMatchObject({ score: 100, codes: [], expected: '6' })
      const both = await trustOf(steps(endOfRib(p1, 2, 1)))
      expect(both).toMatchObject({ score: 80, codes: ['STATS'], missing: '2' })
      expect(both.reasons[0]).toContain('6 routes of all families')
    })

    test('a report of an earlier life of the session is no proof', async () => {
      const view = await trustOf((name) => [
        [0, initiation(name), peerUp(p1)],
        [1, announce(p1, ...routes(4)), endOfRib(p1)],
        [9, familyGauge(p1, 9, 1, 1, 4), peerDown(p1, 4)],
        [10, peerUp(p1, { ports: [179, 40_001] }), announce(p1, '10.1.0.0/24'), endOfRib(p1)],
      ])
      expect(view).toMatchObject({ score: 100, codes: [], routes: '1', expected: null })
    })
  })

  test('ADDPATH: path identifiers that no OPEN agreed on', async () => {
    const view = await trustOf((name) => [
      [0, initiation(name), peerUp(p1)],
      [
        1,
        routeMonitoring(
          p1,
          update({
            attributes: [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')],
            nlri: [...be(77, 4), ...prefix('10.1.0.0/24')],
          }),
        ),
        endOfRib(p1),
      ],
    ])
    expect(view).toMatchObject({ score: 85, codes: ['ADDPATH'], path_ids_lied: '1' })
  })

  test('ASWIDTH: an AS_PATH of 2 octets a number where 4 were said is read right, and told', async () => {
    const narrow = routeMonitoring(
      p1,
      update({
        attributes: [
          ...origin(),
          ...attribute(0x40, 2, [2, 1, ...be(64501, 2)]),
          ...nextHop('192.0.2.1'),
        ],
        nlri: prefix('10.1.0.0/24'),
      }),
    )
    const view = await trustOf((name) => [
      [0, initiation(name), peerUp(p1)],
      [1, narrow, announce(p1, '10.2.0.0/24'), endOfRib(p1)],
    ])
    expect(view).toMatchObject({ score: 90, codes: ['ASWIDTH'], damaged_routes: '0', errors: '0' })
  })

  test('ASWIDTH, DECODE: an AS_PATH of no width, and NLRI that end too early', async () => {
    const wide = routeMonitoring(
      p1,
      update({
        attributes: [...origin(), ...attribute(0x40, 2, [2, 2, 0, 1, 2]), ...nextHop('192.0.2.1')],
        nlri: prefix('10.1.0.0/24'),
      }),
    )
    const view = await trustOf((name) => [
      [0, initiation(name), peerUp(p1)],
      [1, wide, announce(p1, '10.2.0.0/24', '10.3.0.0/24', '10.4.0.0/24'), endOfRib(p1)],
    ])
    expect(view).toMatchObject({ codes: ['ASWIDTH', 'DECODE'], damaged_routes: '1', errors: '1' })
    expect(view.reasons[1]).toContain('1 of 4 routes are damaged')
    const cut = await trustOf((name) => [
      [0, initiation(name), peerUp(p1)],
      [
        1,
        announce(p1, '10.2.0.0/24'),
        routeMonitoring(
          p1,
          update({
            attributes: [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')],
            nlri: [...prefix('10.5.0.0/24'), 99, 1, 2],
          }),
        ),
        endOfRib(p1),
      ],
    ])
    expect(cut.codes).toEqual(['DECODE'])
  })

  test('OPEN: a received OPEN that cannot be read (bmp-configured, ROUTERS.md)', async () => {
    const feed = await recorded(join(root, 'test/fixtures/lab/bmp-configured'), 'configured', T0)
    await insertBatches(store, rowsOf(feed).batches)
    const rows = await trusts('configured', 10)
    expect(rows.filter(({ codes }) => codes.includes('OPEN')).length).toBeGreaterThan(0)
    expect(rows.filter(({ trust }) => trust !== 'trusted')).toEqual([])
  })

  test('SILENT: longer than three of its own intervals', async () => {
    const steps = (name: string): Step[] => [
      [0, initiation(name), peerUp(p1)],
      [1, announce(p1, ...routes(2)), endOfRib(p1)],
      ...[10, 25, 40].map((s): Step => [s, statistics({ ...p1, seconds: at(s) }, [0, 0])]),
    ]
    expect(await trustOf(steps, { at: 84 })).toMatchObject({ score: 100, interval_s: 15 })
    const silent = await trustOf(steps, { at: 86 })
    expect(silent).toMatchObject({ score: 70, trust: 'doubtful', codes: ['SILENT'], silent_s: 46 })
  })

  test('FEED: the BMP session is lost', async () => {
    const view = await trustOf(
      (name) => [
        [0, initiation(name), peerUp(p1)],
        [1, announce(p1, ...routes(2)), endOfRib(p1)],
      ],
      { end: 'fin' },
    )
    expect(view).toMatchObject({ trust: 'doubtful', codes: ['FEED'], score: 60 })
    expect(view.reasons[0]).toContain('lost since 2026-11-21T12:00:02Z (fin)')
  })

  test('P4 in a recording: tor2 came back before its next hops did (tor-down)', async () => {
    const feed = await recorded(join(root, 'test/fixtures/lab/tor-down'), 'tordown', T0)
    await insertBatches(store, rowsOf(feed).batches)
    const rows = await trusts('tordown', 40)
    const doubtful = rows.filter(({ trust }) => trust !== 'trusted')
    expect(doubtful.map((row) => `${String(row['router'])} ${String(row['rib'])}`)).toEqual(
      new Array(3).fill('tordown/tor2 adj_in_post'),
    )
    for (const row of doubtful) expect(row.codes).toContain('P4')
  })
})

interface Life {
  readonly [column: string]: unknown
}

const lives = (router: string, where = '1'): Promise<Life[]> =>
  db.query<Life>(
    `SELECT * FROM ribscope.peer_sessions WHERE (router = {router:String} OR startsWith(router, concat({router:String}, '/'))) AND ${where} ORDER BY bmp_session, router, peer_addr, peer_epoch`,
    { router },
  )

describe('peer_sessions', () => {
  async function lived(
    steps: (router: string) => readonly Step[],
    end?: Sent['end'],
  ): Promise<Life[]> {
    const router = `r${String(++routers)}`
    await insertBatches(store, rowsOf([sent(steps(router), end)]).batches)
    return lives(`t/${router}`)
  }

  test.each([
    {
      reason: 1,
      rest: notification(4, 0),
      why: 'local system closed, NOTIFICATION sent: hold timer expired',
    },
    {
      reason: 2,
      rest: be(10, 2),
      why: 'local system closed, no NOTIFICATION: HoldTimer_Expires',
    },
    {
      reason: 3,
      rest: notification(6, 2, [11, ...new TextEncoder().encode('maintenance')]),
      why: 'remote system closed, NOTIFICATION received: cease: administrative shutdown, "maintenance"',
    },
    {
      reason: 3,
      rest: notification(6, 10),
      why: 'remote system closed, NOTIFICATION received: cease: bfd down',
    },
    {
      reason: 3,
      rest: notification(6, 9, [4, 0]),
      why: 'remote system closed, NOTIFICATION received: cease: hard reset',
    },
    { reason: 4, rest: [], why: 'remote system closed without NOTIFICATION' },
    { reason: 5, rest: [], why: 'router no longer sends information on this peer' },
  ])('$reason: $why', async ({ reason, rest, why }) => {
    const [life, ...more] = await lived((name) => [
      [0, initiation(name), peerUp(p1)],
      [1, announce(p1, ...routes(2)), endOfRib(p1)],
      [9.5, peerDown(p1, reason, rest)],
    ])
    expect(more).toEqual([])
    expect(life).toMatchObject({ why, ended: 'peer_down', state: 'over', duration_s: 9.5 })
    expect(life).toMatchObject({ reason_code: reason, began: 'peer_up', announces: '2' })
    expect(life).toMatchObject({ dumps: ['adj_in_pre ipv4-unicast eor'], gr_kept: [] })
  })

  test('what both OPENs agreed on', async () => {
    const up = peerUp(p1, {
      sent: [
        family(1, 1),
        family(25, 70),
        family(2, 1),
        addPath(1, 1, 3),
        addPath(2, 1, 2),
        [5, [0, 1, 0, 1, 0, 2]],
        gracefulRestart(0, 120, [1, 1]),
      ],
      received: [
        family(1, 1),
        family(2, 1),
        addPath(1, 1, 2),
        addPath(2, 1, 1),
        [5, [0, 1, 0, 1, 0, 2]],
        gracefulRestart(4, 90, [1, 1]),
      ],
    })
    const [first, second] = await lived((name) => [
      [0, initiation(name), up],
      [1, announce(p1, '10.0.0.0/24')],
      [2, peerDown(p1, 4)],
      [3, up],
    ])
    expect(first).toMatchObject({
      families: ['ipv4-unicast', 'ipv6-unicast'],
      add_path: ['ipv4-unicast/receive', 'ipv6-unicast/send'],
      extended_next_hop: ['ipv4-unicast/afi-2'],
      as4: 1,
      hold_time_s: 90,
      gr_sent: 'graceful-restart 120s ipv4-unicast/F',
      gr_received: 'graceful-restart 90s N ipv4-unicast/F',
      opens_known: 1,
      local_asn: 64500,
      local_addr: '192.0.2.254',
      local_port: 179,
      remote_port: 40_000,
      // Graceful restart: the routes of this family stay.
      gr_kept: ['ipv4-unicast'],
      first_route_at: formatDateTime64(T0 + 1e6),
      last_route_at: formatDateTime64(T0 + 1e6),
    })
    expect(second).toMatchObject({ peer_epoch: 2, state: 'up', ended: '', down_at: null, why: '' })
  })

  test('a second Peer Up without a Peer Down', async () => {
    const rows = await lived((name) => [
      [0, initiation(name), peerUp(p1), announce(p1, '10.0.0.0/24')],
      [5, peerUp(p1, { ports: [179, 40_001] })],
    ])
    expect(rows).toMatchObject([
      { ended: 'replaced', duration_s: 5, state: 'over' },
      { ended: '', began: 'peer_up', state: 'up' },
    ])
  })

  test('BMP loss: the same connection goes on, another one began, one is absent', async () => {
    const router = `r${String(++routers)}`
    const p3 = peer(3)
    const up = (of: HandPeer, port: number): number[] => peerUp(of, { ports: [179, port] })
    const first = sent(
      [
        [0, initiation(router), up(p1, 1001), up(p2, 1002), up(p3, 1003)],
        [1, announce(p1, '10.1.0.0/24'), announce(p2, '10.2.0.0/24'), announce(p3, '10.3.0.0/24')],
      ],
      'rst',
    )
    await insertBatches(store, rowsOf([first]).batches)
    expect(await lives(`t/${router}`)).toMatchObject([
      { ended: 'feed_lost', state: 'stale', why: 'BMP session lost (rst): BGP may well be up' },
      { ended: 'feed_lost', state: 'stale' },
      { ended: 'feed_lost', state: 'stale' },
    ])
    const again = sent(
      [
        [0, initiation(router), up(p1, 1001), up(p2, 2002)],
        [1, announce(p1, '10.1.0.0/24'), endOfRib(p1), announce(p2, '10.2.0.0/24'), endOfRib(p2)],
      ],
      'stop',
      T0 + 100e6,
    )
    await insertBatches(store, rowsOf([again]).batches)
    expect(await lives(`t/${router}`)).toMatchObject([
      { peer_addr: '192.0.2.1', ended: 'feed_lost', state: 'over' },
      { peer_addr: '192.0.2.2', ended: 'feed_lost', state: 'over' },
      {
        peer_addr: '192.0.2.3',
        ended: 'absent',
        state: 'over',
        why: 'missing in the table of the next BMP session',
      },
      { peer_addr: '192.0.2.1', began: 'continued', state: 'up' },
      { peer_addr: '192.0.2.2', began: 'restarted', state: 'up' },
    ])
  })

  test('recordings: node-down, tor-down, bmp-reconnect', async () => {
    for (const name of ['node-down', 'bmp-reconnect'] as const) {
      const feed = await recorded(join(root, 'test/fixtures/lab', name), name, T0)
      await insertBatches(store, rowsOf(feed).batches)
    }
    // node2's bgpd was killed: both ToRs lost it, and it came back once.
    const node2 = await lives('node-down', "peer_bgp_id = '10.10.19.12'")
    expect(node2.map(({ router, ended, why }) => [router, ended, why])).toEqual(
      ['tor1', 'tor1', 'tor2', 'tor2'].map((tor, i) => [
        `node-down/${tor}`,
        ...(i % 2 === 0 ? ['peer_down', 'remote system closed without NOTIFICATION'] : ['', '']),
      ]),
    )
    // BGP lived through tor1's loss of BMP.
    const tor1 = await lives('bmp-reconnect/tor1', "kind = 'bgp'")
    expect(tor1.map(({ began, ended }) => [began, ended])).toEqual([
      ...new Array<string[]>(3).fill(['peer_up', 'feed_lost']),
      ...new Array<string[]>(3).fill(['continued', '']),
    ])
    expect(tor1[0]).toMatchObject({
      families: ['ipv4-unicast', 'ipv6-unicast', 'l2vpn-evpn'],
      as4: 1,
      gr_kept: [],
    })
    // tor2 itself was off: BGP began anew while nobody looked. Loaded by a test above.
    const tor2 = await lives('tordown/tor2', "kind = 'bgp' AND began != 'peer_up'")
    expect(tor2.map(({ began }) => began)).toEqual(new Array(3).fill('restarted'))
  })

  test('names are those of the decoder', async () => {
    const [{ sql } = { sql: '' }] = await db.query<{ sql: string }>(
      "SELECT create_table_query AS sql FROM system.tables WHERE database = 'ribscope' AND name = 'peer_sessions'",
    )
    for (let code = 1; code <= 8; code++) {
      expect(sql).toContain(`'${notificationName(code).replaceAll('_', ' ')}'`)
      for (let subcode = 0; subcode < 16; subcode++) {
        const name = notificationSubcodeName(code, subcode)
        if (name !== '') expect(sql).toContain(`'${name.replaceAll('_', ' ')}'`)
      }
    }
    const families = [1, 2, 25, 16388].flatMap((afi) =>
      Array.from({ length: 256 }, (_, safi) => [afi, safi] as const),
    )
    const known = families.filter(([afi, safi]) => !familyName(afi, safi).startsWith('afi-'))
    const text =
      /transform\(\(toUInt32\(x\.1\) \* 256\) \+ \(?x\.2\)?, \[([\d, ]+)\], \[([^\]]+)\]/.exec(sql)
    expect(text?.[1]?.split(', ').map(Number)).toEqual(known.map(([afi, safi]) => afi * 256 + safi))
    expect(text?.[2]?.split(', ')).toEqual(known.map(([afi, safi]) => `'${familyName(afi, safi)}'`))
  })
})
