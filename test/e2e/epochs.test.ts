/**
 * Every way in which state ends or becomes doubtful, one a test, through the collector's code and the real views: what the history
 * of the routes says, and what is announced at each instant. `state-model.test.ts` mixes them at random; here they can be read.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { formatDateTime64 } from '@ribscope/events'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
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
  ip,
  longLived,
  nextHop,
  notification,
  origin,
  peerDown,
  peerUp,
  prefix,
  routeMonitoring,
  update,
  withdraw,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { rowsOf } from './feeds.ts'
import type { Sent } from './feeds.ts'

vi.setConfig({ testTimeout: 120_000 })

const START_US = 1_800_000_000_000_000
const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const B: HandPeer = { address: '192.0.2.2', asn: 64502, id: '192.0.2.2' }
const LOC_RIB: HandPeer = { type: 3, address: '0.0.0.0', asn: 64500, id: '192.0.2.254' }
const OWN: HandPeer = { address: '0.0.0.0', asn: 0, id: '0.0.0.0', flags: 0x40 }
const ONE = '203.0.113.1/32'
const TWO = '203.0.113.2/32'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-epochs-'))
let store: Store
let db: StoreSession
beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, [])
  db = await store.session('epochs')
  await migrate(db)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** What a router says, and when: seconds since the start. */
type Said = readonly [seconds: number, ...messages: (readonly number[])[]]
interface Session {
  readonly said: readonly Said[]
  /** 'stop': the session goes on */
  readonly end?: readonly [Sent['end'], seconds: number]
}

let lives = 0

/** A router of its own, and what the store shows of it. */
async function life(...sessions: readonly Session[]) {
  const fabric = `life${lives++}`
  const feed: Sent[] = sessions.map(({ said, end }) => ({
    ...{ fabric, source: '192.0.2.254', openedUs: START_US + said[0]![0] * 1e6 },
    chunks: said.map(([seconds, ...messages], i) => ({
      us: START_US + seconds * 1e6,
      bytes: Uint8Array.from([...(i === 0 ? initiation('r') : []), ...messages.flat()]),
    })),
    end: end?.[0] ?? 'stop',
    endUs: START_US + (end?.[1] ?? said.at(-1)![0]) * 1e6,
  }))
  const { batches, rows } = rowsOf(feed)
  await insertBatches(store, batches)
  const router = `${fabric}/r`
  const place =
    "if(nlri_key = '', concat(replaceOne(toString(addr), '::ffff:', ''), '/', toString(bits)), hex(nlri_key)), if(path_id = 0, '', concat(' path ', toString(path_id)))"
  return {
    rows,
    /** `seconds class cause prefix`, in order; a cause only where no row told */
    async history(): Promise<string[]> {
      const found = await db.query<{ line: string }>(
        `SELECT concat(toString((toUnixTimestamp64Micro(rx_ts) - ${START_US}) / 1e6), ' ', class, ' ', if(implied = 1, concat(cause, ' '), ''), ${place}) AS line
         FROM ribscope.route_class WHERE router = {router:String} ORDER BY rx_ts, pos, line`,
        { router },
      )
      return found.map(({ line }) => line)
    },
    /** What is announced at that second, `?` where it is in doubt. */
    async at(seconds: number): Promise<string[]> {
      const found = await db.query<{ line: string }>(
        `SELECT concat(${place}, if(stale = 1, ' ?', '')) AS line
         FROM ribscope.rib_live_at(at = {at:String}) WHERE router = {router:String} ORDER BY line`,
        { router, at: formatDateTime64(START_US + seconds * 1e6) },
      )
      return found.map(({ line }) => line)
    },
    kinds: (...names: string[]) =>
      rows.filter((row) => names.includes(String(row['kind']))).map((row) => row['kind']),
  }
}

const up = [0, peerUp(A), announce(A, ONE, TWO), endOfRib(A)] as const satisfies Said

test('a withdrawal', async () => {
  const r = await life({ said: [up, [10, withdraw(A, ONE)]] })
  expect(await r.history()).toEqual([`0 NEW ${ONE}`, `0 NEW ${TWO}`, `10 AW ${ONE}`])
  expect(await r.at(10)).toEqual([TWO])
})

test.each([
  ['local NOTIFICATION', peerDown(A, 1, notification(6, 2))],
  ['FSM event', peerDown(A, 2, be(24, 2))],
  ['remote NOTIFICATION', peerDown(A, 3, notification(4, 0))],
  ['remote close', peerDown(A, 4)],
  ['not configured any more', peerDown(A, 5)],
  ['a reason that nobody knows', peerDown(A, 77)],
])('Peer Down: %s', async (_, down) => {
  const r = await life({ said: [up, [10, down]] })
  expect((await r.history()).slice(2)).toEqual([`10 AW peer_down ${ONE}`, `10 AW peer_down ${TWO}`])
  expect(await r.at(9)).toEqual([ONE, TWO])
  expect(await r.at(10)).toEqual([])
})

test('Peer Down of a peer that was never up: nothing', async () => {
  const r = await life({
    said: [up, [10, peerDown(B, 2, be(0, 2))], [11, peerDown(OWN, 2, be(0, 2))]],
  })
  expect(await r.at(20)).toEqual([ONE, TWO])
  expect(await r.history()).toHaveLength(2)
})

test('Peer Up of a peer thought up: another epoch, whose table is another', async () => {
  const r = await life({
    said: [up, [10, peerUp(A, { ports: [179, 2] })], [11, announce(A, ONE)]],
  })
  expect((await r.history()).slice(2)).toEqual([
    `10 AW peer_down ${ONE}`,
    `10 AW peer_down ${TWO}`,
    `11 WADUP ${ONE}`,
  ])
})

test.each(['fin', 'rst', 'silence', 'framing', 'shutdown'] as const)(
  'BMP session lost (%s): doubtful, not gone; back with a table: what is missing in it is gone at End-of-RIB',
  async (how) => {
    const r = await life(
      { said: [up], end: [how, 20] },
      { said: [[30], [31, peerUp(A, { ports: [179, 2] }), announce(A, ONE)], [32, endOfRib(A)]] },
    )
    expect(await r.at(20)).toEqual([`${ONE} ?`, `${TWO} ?`])
    expect(await r.at(31)).toEqual([ONE, `${TWO} ?`])
    expect(await r.at(32)).toEqual([ONE])
    expect((await r.history()).slice(2)).toEqual([`31 AADUP ${ONE}`, `32 AW reconcile ${TWO}`])
  },
)

test('without End-of-RIB: when it has been quiet for 5 s', async () => {
  const r = await life(
    { said: [up], end: ['fin', 20] },
    {
      said: [[30], [31, peerUp(A, { ports: [179, 2] }), announce(A, ONE)], [33, announce(A, ONE)]],
    },
  )
  expect(await r.at(37)).toEqual([ONE, `${TWO} ?`])
  expect((await r.history()).at(-1)).toBe(`38 AW reconcile ${TWO}`)
})

test('a peer that does not come back with the BMP session: gone when the dump of the router is over', async () => {
  const r = await life(
    { said: [[0, peerUp(A), announce(A, ONE), peerUp(B), announce(B, TWO)]], end: ['fin', 20] },
    { said: [[30], [31, peerUp(A, { ports: [179, 2] }), announce(A, ONE), endOfRib(A)]] },
  )
  expect(await r.at(35)).toEqual([ONE, `${TWO} ?`])
  expect((await r.history()).at(-1)).toBe(`36 AW reconcile ${TWO}`)
})

test('two BMP sessions of one router at once: the later one is the newer word, whatever the older one still says', async () => {
  const r = await life(
    { said: [up, [40, announce(A, TWO)], [41, withdraw(A, ONE)]], end: ['rst', 50] },
    { said: [[30], [31, peerUp(A, { ports: [179, 2] }), announce(A, ONE), endOfRib(A)]] },
  )
  expect(await r.at(35)).toEqual([ONE])
  expect(await r.at(60)).toEqual([ONE])
})

test('a collector that dies without a word: the next session raises the doubt', async () => {
  const r = await life(
    { said: [[0, peerUp(A), announce(A, ONE, TWO)]], end: ['crash', 20] },
    { said: [[30], [31, peerUp(A, { ports: [179, 2] }), announce(A, ONE)], [32, endOfRib(A)]] },
  )
  expect(r.kinds('bmp_up', 'bmp_down')).toEqual(['bmp_up', 'bmp_up'])
  expect(await r.at(29)).toEqual([ONE, TWO])
  expect(await r.at(30)).toEqual([`${ONE} ?`, `${TWO} ?`])
  expect(await r.at(32)).toEqual([ONE])
})

const keeps = (...more: readonly (readonly [number, readonly number[]])[]) => ({
  sent: [family(1, 1), family(2, 1), gracefulRestart(0, 60, [1, 1])],
  received: [family(1, 1), family(2, 1), gracefulRestart(0, 30, [1, 1]), ...more],
})
const V6 = routeMonitoring(
  A,
  update({
    attributes: [
      ...[...origin(), ...asPath(64501)],
      ...attribute(0x80, 14, [
        ...[...be(2, 2), 1, 16, ...ip('2001:db8::1'), 0, 128],
        ...ip('2001:db8::9'),
      ]),
    ],
  }),
)

test('graceful restart: the families of capability 64 are in doubt, the others gone; what is not said again goes with the dump', async () => {
  const r = await life({
    said: [
      [0, peerUp(A, keeps()), announce(A, ONE, TWO), V6],
      [20, peerDown(A, 4)],
      [30, peerUp(A, { ...keeps(), ports: [179, 2] }), announce(A, ONE)],
      [31, endOfRib(A)],
    ],
  })
  expect(await r.at(20)).toEqual([`${ONE} ?`, `${TWO} ?`])
  expect(await r.at(30)).toEqual([ONE, `${TWO} ?`])
  expect((await r.history()).slice(3)).toEqual([
    '20 AW peer_down 2001:db8::9/128',
    `30 AADUP ${ONE}`,
    `31 AW gr_expired ${TWO}`,
  ])
})

test('graceful restart: not back in its time and 5 s', async () => {
  const r = await life({
    said: [
      [0, peerUp(A, keeps()), announce(A, ONE)],
      [20, peerDown(A, 4)],
    ],
  })
  expect(await r.at(54)).toEqual([`${ONE} ?`])
  expect((await r.history()).at(-1)).toBe(`55 AW gr_expired ${ONE}`)
})

test('long-lived graceful restart: its stale time longer; LLGR_STALE routes are the word of the router', async () => {
  const both = [family(1, 1), gracefulRestart(0, 30, [1, 1]), longLived([1, 1, 1000])]
  const marked = routeMonitoring(
    A,
    update({
      attributes: [
        ...[...origin(), ...asPath(64501), ...nextHop('192.0.2.1')],
        ...attribute(0xc0, 8, be(0xffff0006, 4)),
      ],
      nlri: prefix(ONE),
    }),
  )
  const r = await life({
    said: [
      [0, peerUp(A, { sent: both }), announce(A, ONE, TWO)],
      [20, peerDown(A, 4)],
      [60, marked],
    ],
  })
  expect(await r.at(59)).toEqual([`${ONE} ?`, `${TWO} ?`])
  expect(await r.at(1000)).toEqual([ONE, `${TWO} ?`])
  expect((await r.history()).slice(2)).toEqual([
    `60 AAATTR ${ONE}`,
    `1055 AW gr_expired ${ONE}`,
    `1055 AW gr_expired ${TWO}`,
  ])
})

test('several Peer Ups for one peer with other capabilities: one epoch, nothing ends', async () => {
  const r = await life({
    said: [
      [0, peerUp(A, { sent: [family(1, 1), addPath(1, 1, 3)] })],
      [
        1,
        routeMonitoring(
          A,
          update({
            attributes: [...origin(), ...asPath(1), ...nextHop('192.0.2.1')],
            nlri: [...be(7, 4), ...prefix(ONE)],
          }),
        ),
      ],
      [2, peerUp(A, { sent: [family(2, 1)] })],
      [
        3,
        routeMonitoring(
          A,
          update({
            attributes: [...origin(), ...asPath(1), ...nextHop('192.0.2.1')],
            nlri: [...be(7, 4), ...prefix(ONE)],
          }),
        ),
        V6,
      ],
    ],
  })
  expect(await r.history()).toEqual([
    `1 NEW ${ONE} path 7`,
    `3 AADUP ${ONE} path 7`,
    '3 NEW 2001:db8::9/128',
  ])
})

test("Loc-RIB and a router's own routes without Peer Up: swept like any other when they do not come back", async () => {
  const r = await life(
    { said: [[0, announce(LOC_RIB, ONE), announce(OWN, TWO)]], end: ['fin', 20] },
    {
      said: [
        [30, peerDown(OWN, 2, be(0, 2))],
        [31, announce(OWN, TWO)],
      ],
    },
  )
  // The Peer Down of a peer that never was has the header of its own routes: they stay.
  expect(await r.at(30)).toEqual([`${ONE} ?`, `${TWO} ?`])
  expect((await r.history()).slice(2)).toEqual([`31 AADUP ${TWO}`, `36 AW reconcile ${ONE}`])
})

test('instances by distinguisher: the same address in two VRFs is two peers; rows have the name of theirs', async () => {
  const red: HandPeer = { ...A, type: 1, rd: '0000fde800000001' }
  const blue: HandPeer = { ...A, type: 1, rd: '0000fde800000002' }
  const r = await life({
    said: [
      [0, peerUp(A), announce(A, ONE)],
      [1, peerUp(red, { vrf: 'red' }), announce(red, ONE)],
      [2, peerUp(blue, { vrf: 'blue' }), announce(blue, ONE)],
      [20, peerDown(red, 4)],
    ],
  })
  expect(await r.at(19)).toEqual([ONE, ONE, ONE])
  expect(await r.at(20)).toEqual([ONE, ONE])
  const routes = r.rows.filter((row) => row.table === 'route_events')
  expect(routes.map((row) => [row['vrf'], row['peer_rd']])).toEqual([
    ['', ''],
    ['red', '65000:1'],
    ['blue', '65000:2'],
  ])
  const down = r.rows.find((row) => row['kind'] === 'peer_down')
  expect(down).toMatchObject({ vrf: 'red', counted: 1 })
})

test('path identifiers hold in one epoch (RFC 7911 section 3): over a restart the old one goes, the new one is new', async () => {
  const opens = { sent: [family(1, 1), addPath(1, 1, 3), gracefulRestart(0, 60, [1, 1])] }
  const path = (id: number): number[] =>
    routeMonitoring(
      A,
      update({
        attributes: [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')],
        nlri: [...be(id, 4), ...prefix(ONE)],
      }),
    )
  const r = await life({
    said: [
      [0, peerUp(A, opens), path(1), path(2)],
      [20, peerDown(A, 4)],
      [30, peerUp(A, { ...opens, ports: [179, 2] }), path(2), path(3)],
      [31, endOfRib(A)],
    ],
  })
  expect(await r.at(20)).toEqual([`${ONE} path 1 ?`, `${ONE} path 2 ?`])
  expect(await r.at(31)).toEqual([`${ONE} path 2`, `${ONE} path 3`])
  expect((await r.history()).slice(2)).toEqual([
    `30 AADUP ${ONE} path 2`,
    `30 NEW ${ONE} path 3`,
    `31 AW gr_expired ${ONE} path 1`,
  ])
})
