/**
 * Random lives of routers, through the collector's code into the real tables, against an in-memory model that holds every route:
 * peers come and go, gracefully and not, BMP is lost and taken up again, sessions overlap, dumps end in all ways, and withdrawals
 * come for what was never announced. Seeds are printed; a failing one is shrunk by fast-check.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { formatDateTime64 } from '@ribscope/events'
import type { SessionEnd } from '@ribscope/events'
import { migrate, openEmbeddedStore } from '@ribscope/store'
import type { Store, StoreSession } from '@ribscope/store'
import {
  addPath,
  asPath,
  attribute,
  be,
  endOfRib,
  family,
  gracefulRestart,
  initiation,
  ip,
  nextHop,
  notification,
  origin,
  peerDown,
  peerUp,
  prefix,
  routeMonitoring,
  update,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandCapability, HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { views } from '../../packages/store/src/sql.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { rowsOf } from './feeds.ts'
import type { Row, Sent } from './feeds.ts'
import { replay } from './replay.ts'
import type { Event } from './replay.ts'

// Seconds on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 180_000 })

/** The first lives are always the same ones, so that what they cover is known; the others are new every time. */
const RUNS = [
  { seed: 1, numRuns: 30 },
  { seed: Number(process.env['RIBSCOPE_TEST_SEED'] ?? Date.now() % 2 ** 31), numRuns: 20 },
]
const START_US = 1_800_000_000_000_000

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-model-'))
let store: Store
let db: StoreSession

beforeAll(async () => {
  store = await openEmbeddedStore({ dataDir })
  db = await store.session('model')
  await migrate(db)
  // What the engine would merge sooner or later has to be right before.
  await db.command('SYSTEM STOP MERGES')
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

// --- what a router does ---------------------------------------------------------------------------

/** Peer 0 keeps nothing over a restart, peer 1 IPv4 only, peer 2 both families and sends path identifiers. */
const CAPABILITIES: readonly (readonly HandCapability[])[] = [
  [family(1, 1), family(2, 1)],
  [family(1, 1), family(2, 1), gracefulRestart(4, 30, [1, 1])],
  [family(1, 1), family(2, 1), gracefulRestart(0, 60, [1, 1], [2, 1]), addPath(1, 1, 3)],
]
const POST_POLICY = 0x40

interface Step {
  readonly what:
    | 'announce'
    | 'withdraw'
    | 'up'
    | 'down'
    | 'graceful'
    | 'hard'
    | 'eor'
    | 'wait'
    | 'lose'
    | 'overlap'
  readonly peer: number
  readonly v6: boolean
  readonly post: boolean
  readonly route: number
  readonly path: number
  readonly way: number
  readonly more: number
  readonly ms: number
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    ...(
      [
        [12, 'announce'],
        [5, 'withdraw'],
        [4, 'up'],
        [1, 'down'],
        [3, 'graceful'],
        [1, 'hard'],
        [3, 'eor'],
        [2, 'wait'],
        [1, 'lose'],
        [1, 'overlap'],
      ] as const
    ).map(([weight, what]) => ({ weight, arbitrary: fc.constant(what) })),
  ),
  peer: fc.nat(2),
  v6: fc.boolean(),
  post: fc.nat(3).map((n) => n === 0),
  route: fc.nat(3),
  path: fc.nat(1),
  way: fc.nat(2),
  more: fc.nat(1),
  ms: fc.oneof(fc.constant(0), fc.nat(900), fc.nat(7000), fc.nat(140_000)),
})

function messages(each: Step): number[] {
  const { peer: n, v6, post, route, path, way, more } = each
  const id = `192.0.2.${n + 1}`
  const peer: HandPeer = { address: id, asn: 64501 + n, id, flags: post ? POST_POLICY : 0 }
  const nlri = v6
    ? [64, ...ip(`2001:db8:${route}::`).slice(0, 8)]
    : [...(n === 2 ? be(path, 4) : []), ...prefix(`203.0.113.${route}/32`)]
  const common = [
    ...origin(),
    ...asPath(64501 + n, 65000 + way),
    ...(more === 0 ? [] : attribute(0x80, 4, be(more, 4))),
  ]
  switch (each.what) {
    case 'announce':
      return routeMonitoring(
        peer,
        v6
          ? update({
              attributes: [
                ...common,
                ...attribute(0x80, 14, [...be(2, 2), 1, 16, ...ip('2001:db8::1'), 0, ...nlri]),
              ],
            })
          : update({ attributes: [...common, ...nextHop(id)], nlri }),
      )
    case 'withdraw':
      return routeMonitoring(
        peer,
        v6
          ? update({ attributes: attribute(0x80, 15, [...be(2, 2), 1, ...nlri]) })
          : update({ withdrawn: nlri }),
      )
    case 'up': {
      const capabilities = CAPABILITIES[n]!
      return peerUp({ ...peer, flags: 0 }, { sent: capabilities, received: capabilities })
    }
    case 'down':
      return peerDown(peer, 2, [0, 9])
    case 'graceful':
      return peerDown(peer, 4)
    case 'hard':
      return peerDown(peer, 3, notification(6, 9))
    case 'eor':
      return endOfRib(peer, v6 ? 2 : 1, 1)
    default:
      return []
  }
}

const plain = { peer: 1, v6: false, post: false, route: 1, path: 0, way: 0, more: 0, ms: 10 }
/** What chance rarely makes: the log ends while a peer restarts gracefully. */
const RESTARTING: readonly Step[] = [
  { ...plain, what: 'up' },
  { ...plain, what: 'announce' },
  { ...plain, what: 'announce', v6: true },
  { ...plain, what: 'graceful' },
]

/** A router's life as its BMP sessions; two of them at a time when one is half open. */
function sessionsOf(steps: readonly Step[], fabric: string): Sent[] {
  const sessions: (Sent & { chunks: { us: number; bytes: Uint8Array }[]; endUs: number })[] = []
  let us = START_US
  const end = (session: Sent | undefined, how: SessionEnd): void => {
    if (session !== undefined) Object.assign(session, { end: how, endUs: us })
  }
  const open = (): void => {
    const bytes = Uint8Array.from(initiation('r'))
    const chunks = [{ us, bytes }]
    sessions.push({ fabric, source: '192.0.2.254', openedUs: us, chunks, end: 'stop', endUs: us })
  }
  open()
  for (const each of steps) {
    us += each.ms * 1000 + 1
    const current = sessions.at(-1)!
    if (each.what === 'lose') {
      end(current, 'rst')
      us += each.ms * 1000
      open()
    } else if (each.what === 'overlap') {
      // The router opens another session; the old one goes on talking for a moment.
      open()
    } else {
      const old = sessions.at(-2)
      const late = old?.end === 'stop' && each.route === 0
      const session = late ? old : current
      session.chunks.push({ us, bytes: Uint8Array.from(messages(each)) })
      if (late && each.way === 0) end(old, 'fin')
    }
  }
  for (const each of sessions) if (each.end === 'stop') each.endUs = us
  // Half of them end in doubt: nothing has settled what was announced.
  if (steps.at(-1)?.more === 0) end(sessions.at(-1), 'rst')
  return sessions
}

// --- comparison -----------------------------------------------------------------------------------

interface Life {
  readonly name: string
  readonly rows: readonly Row[]
  readonly instants: readonly string[]
}

async function live(life: Life): Promise<void> {
  const { rows, instants, name } = life
  for (const at of [...instants, undefined]) {
    const until = at === undefined ? rows : rows.filter((row) => row.rx_ts <= at)
    const wanted = [...replay(until).values()].map(({ row, stale }) =>
      [row.bmp_session, row.seq, Number(stale)].join(' '),
    )
    const source = at === undefined ? 'rib_live' : 'rib_live_at(at = {at:String})'
    const got = await db.query<{ k: string }>(
      `SELECT concat(toString(bmp_session), ' ', toString(seq), ' ', toString(stale)) AS k
       FROM ribscope.${source} WHERE router = {router:String}`,
      { router: `${name}/r`, ...(at === undefined ? {} : { at }) },
    )
    expect(got.map(({ k }) => k).sort(), `${name} ${at ?? 'now'}`).toEqual(wanted.sort())
  }
}

const line = ({ row, implied, by, cause, class: name }: Event): string =>
  [
    row.bmp_session,
    row.seq,
    implied,
    BigInt(by.bmp_session) * 4096n + BigInt(by.seq),
    by.rx_ts,
    implied === 1 ? 'withdraw' : row['action'],
    cause,
    name,
  ].join(' ')

async function history(life: Life): Promise<string[]> {
  const events: Event[] = []
  replay(life.rows, events)
  const got = await db.query<{ k: string }>(
    `SELECT concatWithSeparator(' ', toString(bmp_session), toString(seq), toString(implied), toString(pos), toString(rx_ts), toString(action), cause, class) AS k
     FROM ribscope.route_class WHERE router = {router:String}`,
    { router: `${life.name}/r` },
  )
  expect(got.map(({ k }) => k).sort(), life.name).toEqual(events.map(line).sort())
  return events.map(
    ({ implied, cause, class: name }) => `${name}${implied === 1 ? ` ${cause}` : ''}`,
  )
}

const lives: Life[] = []
const seen = new Map<string, number>()

let n = 0

test.each(RUNS)(
  'views agree with a model that holds every route: seed $seed (RIBSCOPE_TEST_SEED)',
  async (runs) => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 70, size: 'max' }),
      async (steps) => {
        const name = `run${n++}`
        const { batches, rows, endUs } = rowsOf(sessionsOf(steps, name), 5)
        const late = batches.filter((_, i) => i % 3 === 1)
        await insertBatches(
          store,
          batches.filter((batch) => !late.includes(batch)),
        )
        await insertBatches(store, late.reverse())
        // Some of it twice, under another token.
        await insertBatches(
          store,
          batches.filter((_, i) => i % 4 === 2),
        )
        const times = rows.map((row) => row.rx_ts).sort()
        const instants = [0.3, 0.6].map((share) => times[Math.floor(share * times.length)]!)
        const life = { name, rows, instants: [...instants, formatDateTime64(endUs)] }
        await live(life)
        for (const kind of await history(life)) seen.set(kind, (seen.get(kind) ?? 0) + 1)
        lives.push(life)
      },
    )
    await fc.assert(property, {
      ...runs,
      examples: [[[...RESTARTING]]],
      // Shrinking that takes longer than a test may would show nothing.
      interruptAfterTimeLimit: 50_000,
    })
  },
)

test('everything that can happen did', () => {
  expect([...seen.keys()]).toEqual(
    expect.arrayContaining([
      ...['NEW', 'AADUP', 'AAATTR', 'AADIFF', 'WADUP', 'WADIFF', 'AW', 'WWDUP'],
      ...['AW peer_down', 'AW reconcile', 'AW gr_expired'],
    ]),
  )
})

// What would go unnoticed if the comparison above could not fail.
const BUGS: readonly (readonly [view: string, right: string, wrong: string])[] = [
  ...['20_rib_live', '22_rib_live_at'].flatMap((view) => [
    [view, "maxIf(before, effect = 'sweep')", "maxIf(pos, effect = 'sweep')"] as const,
    [view, "maxIf(before, effect = 'stale')", "maxIf(before, effect = 'sweep')"] as const,
    [view, 's.peer_key, toInt8(0), s.afi', 's.peer_key, toInt8(9), s.afi'] as const,
  ]),
  ['20_rib_live', 'FROM ribscope.rib_state AS s FINAL', 'FROM ribscope.rib_state AS s'],
  ['22_rib_live_at', 'e.path_id AS path_id', 'toUInt32(0) AS path_id'],
  ['22_rib_live_at', 'FROM ribscope.marks WHERE rx_ts <= ', 'FROM ribscope.marks WHERE rx_ts < '],
  ['24_route_class', 'm.1 > e.pos', 'm.2 > e.pos'],
  ['24_route_class', 'kill_pos < next_pos', 'kill_pos < toUInt64(-1)'],
  ['24_route_class', 'prev_kill < pos', 'prev_kill < 0'],
  ['24_route_class', 'e.peer_key, toInt8(0), e.afi', 'e.peer_key, toInt8(9), e.afi'],
  ['24_route_class', 'AS e FINAL', 'AS e'],
]

test.each(BUGS)('a planted bug in %s is found: %s', async (name, right, wrong) => {
  const view = views().find((each) => each.name === name)!
  const broken = view.text.replaceAll(right, wrong)
  expect(broken).not.toBe(view.text)
  await db.command(broken)
  const check = name === '24_route_class' ? history : live
  let found = 0
  for (const life of lives) {
    found += await check(life).then(
      () => 0,
      () => 1,
    )
    if (found > 0) break
  }
  await db.command(view.text)
  expect(found).toBe(1)
})
