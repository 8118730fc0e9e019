/** visibility: who sees a prefix, in which tables; and each reason for which a router of the same role does not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { detectorViews } from '@ribscope/detectors'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  announce,
  asPath,
  endOfRib,
  family,
  initiation,
  nextHop,
  origin,
  peerDown,
  peerUp,
  prefix,
  routeMonitoring,
  update,
  withdraw,
} from '../../packages/events/src/testing/bytes.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { rowsOf } from './feeds.ts'
import type { Sent } from './feeds.ts'

/** 2026-11-21T12:00:00Z */
const T0 = 1_795_262_400_000_000
const VIP = '10.10.21.66/32'
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-visibility-'))
let store: Store
let db: StoreSession

type Step = readonly [seconds: number, ...messages: (readonly number[])[]]

const node1 = { address: '192.0.2.1', id: '192.0.2.1', asn: 64501 }
const node2 = { address: '192.0.2.2', id: '192.0.2.2', asn: 64502 }
const loc = { type: 3, address: '0.0.0.0', id: '192.0.2.254', asn: 64500 }
const other = '10.9.9.0/24'
/** The way by which all have it: AS 64501. */
const vip = (from: typeof node1): number[] => announce(from, VIP)

const ROUTERS: Record<string, readonly [end: Sent['end'], ...steps: Step[]]> = {
  sees: [
    'stop',
    [0, peerUp(node1), peerUp(loc), vip(node1), endOfRib(node1)],
    [
      1,
      routeMonitoring(
        loc,
        update({
          attributes: [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')],
          nlri: prefix(VIP),
        }),
      ),
    ],
  ],
  lost: ['rst', [0, peerUp(node1), announce(node1, other), endOfRib(node1)]],
  kept: ['rst', [0, peerUp(node1), vip(node1), endOfRib(node1)]],
  down: [
    'stop',
    [0, peerUp(node1), peerUp(node2), vip(node1), endOfRib(node1)],
    [2, announce(node2, other), endOfRib(node2)],
    [9, peerDown(node1, 4)],
  ],
  gone: ['stop', [0, peerUp(node1), vip(node1), endOfRib(node1)], [9, withdraw(node1, VIP)]],
  never: ['stop', [0, peerUp(node1), announce(node1, other), endOfRib(node1)]],
  alone: ['stop', [0, peerUp(node2), announce(node2, other), endOfRib(node2)]],
  six: ['stop', [0, peerUp(node1, { sent: [family(2, 1)] }), endOfRib(node1, 2, 1)]],
  liar: ['stop', [0, peerUp(node1), withdraw(node1, VIP, other, '10.8.0.0/24'), endOfRib(node1)]],
}

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('visibility')
  await migrate(db, detectorViews())
  await store.insertRows('detector_params', [{ key: 'quarantine_withdraws', value: 3 }])
  const feed = Object.entries(ROUTERS).map(([name, [end, ...steps]], i): Sent => {
    const chunks = steps.map(([seconds, ...messages], first) => ({
      us: T0 + seconds * 1e6,
      bytes: Uint8Array.from([...(first === 0 ? initiation(name) : []), ...messages.flat()]),
    }))
    return {
      fabric: '',
      source: `198.51.100.${String(i)}`,
      openedUs: T0 + i,
      chunks,
      end,
      endUs: T0 + 20e6,
    }
  })
  await insertBatches(store, rowsOf(feed, 65_536, (name) => name).batches)
  const routers = [...Object.keys(ROUTERS), 'unmet']
  await store.insertRows(
    'fabric_routers',
    routers.map((name) => ({ router: name === 'unmet' ? '' : name, name, role: 'tor' })),
  )
  const peers = await db.query<{ router: string; peer_key: string; addr: string }>(
    "SELECT DISTINCT router, toString(peer_key) AS peer_key, peer_addr AS addr FROM ribscope.session_events WHERE kind = 'peer_up' AND peer_type != 3",
  )
  await store.insertRows(
    'fabric_peers',
    peers.map(({ router, peer_key, addr }) => ({
      router,
      router_name: router,
      router_role: 'tor',
      peer_key,
      peer_addr: `::ffff:${addr}`,
      node: addr === '192.0.2.1' ? 'node1' : 'node2',
    })),
  )
  await store.insertRows('fabric_vips', [
    { addr: '::ffff:10.10.21.66', bits: 32, ip_version: 4, prefix: VIP },
  ])
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

interface Seen {
  readonly router_name: string
  readonly rib: string
  readonly missing: number
  readonly why: string
  readonly [column: string]: unknown
}

const seen = (from: string): Promise<Seen[]> =>
  db.query<Seen>(`SELECT * FROM ribscope.${from} ORDER BY router_name, rib`)

test('who sees it: tables, next hops, nodes, since when', async () => {
  const rows = (await seen(`visibility(prefix = '${VIP}')`)).filter(({ sees }) => sees === 1)
  expect(rows).toMatchObject([
    { router_name: 'kept', rib: 'adj_in_pre', stale: 1, missing: 0 },
    {
      router_name: 'sees',
      rib: 'adj_in_pre',
      how: 'candidate',
      level: 'candidates',
      paths: '1',
      peers: ['node1'],
      next_hops: ['192.0.2.1'],
      origin_nodes: ['node1'],
      since: '2026-11-21 12:00:00.000000',
      stale: 0,
      siblings: ['kept'],
    },
    {
      router_name: 'sees',
      rib: 'loc_rib',
      how: 'best',
      peers: [],
      since: '2026-11-21 12:00:01.000000',
    },
  ])
})

test('who does not, and why', async () => {
  const rows = (await seen(`visibility(prefix = '${VIP}')`)).filter(({ missing }) => missing === 1)
  expect(Object.fromEntries(rows.map(({ router_name, why }) => [router_name, why]))).toEqual({
    unmet: 'feed: no BMP session so far',
    lost: 'feed: BMP session lost since 2026-11-21T12:00:20Z (rst)',
    down: 'peer: session down, node1, 2026-11-21T12:00:09Z',
    gone: 'withdrawn: node1, 2026-11-21T12:00:09Z',
    never: 'not announced by node1, from which siblings have it',
    alone: 'no session with node1, from which siblings have it',
    six: 'family: no BMP of ipv4-unicast',
    liar: 'untrusted: adj_in_pre withdraws only (P1)',
  })
})

test('every VIP at once is the same; a prefix that nobody has is no row', async () => {
  expect(await seen('vip_visibility')).toEqual(await seen(`visibility(prefix = '${VIP}')`))
  expect(await seen("visibility(prefix = '203.0.113.0/24')")).toEqual([])
})

test('origin nodes are those of route_events', async () => {
  const of = (rows: { origin_node: string }[]): string[] => rows.map((row) => row.origin_node)
  const current = await db.query<{ origin_node: string }>(
    `SELECT DISTINCT origin_node FROM ribscope.rib_current WHERE prefix = '${VIP}' AND router = 'sees' AND rib = 'adj_in_pre'`,
  )
  const rows = (await seen(`visibility(prefix = '${VIP}')`)).find(
    ({ router_name, rib }) => router_name === 'sees' && rib === 'adj_in_pre',
  )
  expect(rows?.['origin_nodes']).toEqual(of(current))
})
