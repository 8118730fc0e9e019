/**
 * A small fabric in a real embedded engine behind a real HTTP server: two ToRs, two nodes, one VIP that flapped on node1, a
 * Type-5 path, a quarantined view. One data directory per test process: chDB holds one only.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { detectorViews } from '@ribscope/detectors'
import { migrate, openServerStore, type Store, type StoreSession } from '@ribscope/store'
import { openMigratedStore, serveEngine } from '@ribscope/store/testing'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect } from 'vitest'
import { createApi, type Api, type ApiConfig, type ApiDeps } from '../index.ts'

export const SESSION = 1_795_262_400_000_000 // 2026-11-21T12:00:00Z
const T0 = Date.UTC(2026, 10, 21, 12, 0, 0)

/** Seconds after the BMP sessions opened, as ClickHouse reads it. */
export const at = (seconds: number): string =>
  new Date(T0 + seconds * 1000).toISOString().replace('T', ' ').slice(0, 23) + '000'

/** The same as answers have it. */
export const iso = (seconds: number): string => `${at(seconds).replace(' ', 'T')}Z`

export const VIP = '10.10.21.66/32'
export const PEER = {
  tor1node1: '11',
  tor1node2: '12',
  tor2node1: '21',
  tor2node2: '22',
  tor1spine: '13',
}

export interface Fixture {
  readonly store: Store
  readonly engine: Parameters<typeof serveEngine>[0]
  /** The same data over ClickHouse's HTTP interface, as the read-only user that the API has of a server. */
  readonly server: Store
  readonly session: StoreSession
  readonly dataDir: string
  /** Starts an API on a free port; stopped by `close`. */
  serve(config?: Partial<ApiConfig>, deps?: Partial<ApiDeps>): Promise<Served>
  /** One over each store. What is asked of the first is asked of both, a form of a path once, and has to be answered alike. */
  serveBoth(config?: Partial<ApiConfig>): Promise<Served>
  close(): Promise<void>
}

export interface Served {
  readonly api: Api
  readonly url: string
  readonly log: string[]
  get(path: string, init?: RequestInit): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // Answers are checked field by field: their type is what the tests establish.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any
}

export async function openFixture(): Promise<Fixture> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-api-'))
  const store = await openMigratedStore({ dataDir }, detectorViews())
  const session = await store.session('test')
  await migrate(session, detectorViews())
  await fill(store)
  const http = await serveEngine(store, {
    users: { 'ribscope_api:x': { profile: { readonly: 2 } } },
  })
  const server = openServerStore({ url: http.url, user: 'ribscope_api', password: 'x' })
  const running: Api[] = []
  const fixture: Fixture = {
    store,
    engine: store,
    server,
    session,
    dataDir,
    async serve(config = {}, deps = {}) {
      const log: string[] = []
      const api = createApi(
        { host: '127.0.0.1', port: 0, hosts: [], origins: [], insecure: false, ...config },
        {
          store,
          log: pino({ level: 'debug' }, { write: (line: string) => log.push(line) }),
          registry: new Registry(),
          readiness: () => ({ schema: true, bmp: true, analyst: true }),
          now: () => new Date(T0 + 300_000),
          ...deps,
        },
      )
      await api.start()
      running.push(api)
      const url = api.address?.url ?? ''
      const get = async (path: string, init?: RequestInit): Promise<Answer> => {
        const answer = await ask(`${url}${path}`, init)
        // What a failing test wants to see.
        return answer.status === 500
          ? { ...answer, text: `${answer.text}\n${log.at(-1) ?? ''}` }
          : answer
      }
      return { api, url, log, get }
    },
    async serveBoth(config) {
      const embedded = await fixture.serve(config)
      const other = await fixture.serve(config, { store: server })
      const compared = new Set<string>()
      return {
        ...embedded,
        async get(path, init) {
          const answer = await embedded.get(path, init)
          const form = formOf(path, init)
          if (compared.has(form)) return answer
          compared.add(form)
          const same = await other.get(path, init)
          expect([same.status, comparable(same)], `${path} over a server`).toEqual([
            answer.status,
            comparable(answer),
          ])
          return answer
        },
      }
    },
    async close() {
      for (const api of running) await api.stop()
      await server.close()
      await http.close()
      await session.close()
      await store.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
  return fixture
}

/** The resource with the names of its parameters; a body as it is. */
function formOf(path: string, init: RequestInit = {}): string {
  const { pathname, searchParams } = new URL(path, 'http://h')
  const resource = pathname.replace(/[^/]*[\d.%:][^/]*/g, '*')
  return [
    resource,
    ...new Set([...searchParams.keys()].sort()),
    typeof init.body === 'string' ? init.body : '',
  ].join(' ')
}

/** What the engine says of a statement differs in the limit it met first; the kind of answer does not. */
const comparable = ({ status, text, json }: Answer): unknown =>
  status === 200 ? text.replace(/"elapsed": [\d.e-]+/, '') : [json?.type, json?.title]

async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  const isJson = /\/(problem\+)?json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
  }
}

const v4 = (address: string): string => `::ffff:${address}`
const number = (address: string): number =>
  address.split('.').reduce((value, octet) => value * 256 + Number(octet), 0)

const NODES = {
  node1: { addr: '10.10.19.11', asn: 65101 },
  node2: { addr: '10.10.19.12', asn: 65102 },
} as const

interface RouteOptions {
  router: string
  peer: string
  from: { addr: string; asn: number }
  seconds: number
  seq: number
  prefix: string
  action?: 'announce' | 'withdraw'
  rib?: string
  more?: Record<string, unknown>
}

export function routeRow({
  router,
  peer,
  from,
  seconds,
  seq,
  prefix,
  action = 'announce',
  rib = 'adj_in_pre',
  more = {},
}: RouteOptions): object {
  const [address = '', bits = '0'] = prefix.split('/')
  const v6 = address.includes(':')
  return {
    addr: v6 ? address : v4(address),
    bits: Number(bits),
    afi: v6 ? 2 : 1,
    safi: 1,
    router,
    peer_key: peer,
    rib,
    bmp_session: SESSION,
    pos: String(BigInt(SESSION) * 4096n + BigInt(seq)),
    rx_ts: at(seconds),
    bmp_ts: at(Math.floor(seconds)),
    collector: 'c1',
    router_addr: '127.0.1.11',
    peer_epoch: 1,
    peer_addr: v4(from.addr),
    peer_asn: from.asn,
    peer_bgp_id: number(from.addr),
    action,
    // Phase, origin and IP version, as the comment of the column has it.
    flags:
      (action === 'announce' ? 4 + 2048 : 3 << 14) |
      ((seconds < 2 ? 1 : 2) << 12) |
      ((v6 ? 6 : 4) << 16),
    ...(action === 'announce'
      ? {
          next_hop: v4(from.addr),
          as_path: [from.asn],
          communities: [65000 * 65536 + 21],
          attr_hash: `1844674407370950${String(from.asn).slice(-4)}`,
          fwd_hash: String(from.asn),
        }
      : {}),
    ...more,
  }
}

const sessionRow = (
  router: string,
  kind: string,
  seconds: number,
  seq: number,
  more: object = {},
): object => ({
  router,
  peer_key: '0',
  bmp_session: SESSION,
  seq,
  rx_ts: at(seconds),
  collector: 'c1',
  router_addr: v4(router === 'tor1' ? '127.0.1.11' : '127.0.1.12'),
  kind,
  ...more,
})

const peerUp = (
  router: string,
  peer: string,
  from: { addr: string; asn: number },
  seq: number,
): object =>
  sessionRow(router, 'peer_up', 0.5, seq, {
    peer_key: peer,
    peer_epoch: 1,
    peer_addr: v4(from.addr),
    peer_asn: from.asn,
    peer_bgp_id: number(from.addr),
    local_asn: 65001,
    local_bgp_id: number('10.0.1.1'),
    hold_time_sent: 90,
    hold_time_received: 90,
    received_capabilities: ['4-octet AS'],
  })

/** All tables of a peer ended with End-of-RIB. */
const dumpDone = (router: string, peer: string, seq: number): object =>
  sessionRow(router, 'dump_done', 6, seq, { peer_key: peer, peer_epoch: 1, reason: 'eor' })

/** The store takes the columns of the first row for all: rows of one shape at a time. */
export async function insert(store: Store, table: string, rows: readonly object[]): Promise<void> {
  const shapes = new Map<string, object[]>()
  for (const row of rows) {
    const shape = Object.keys(row).join()
    shapes.set(shape, [...(shapes.get(shape) ?? []), row])
  }
  for (const each of shapes.values()) await store.insertRows(table, each)
}

async function fill(store: Store): Promise<void> {
  const spine = { addr: '10.0.2.1', asn: 65000 }
  await insert(store, 'session_log', [
    sessionRow('tor1', 'bmp_up', 0, 1),
    sessionRow('tor1', 'initiation', 0.1, 2, { text: 'FRR 10.1' }),
    peerUp('tor1', PEER.tor1node1, NODES.node1, 3),
    peerUp('tor1', PEER.tor1node2, NODES.node2, 4),
    peerUp('tor1', PEER.tor1spine, spine, 5),
    ...[PEER.tor1node1, PEER.tor1node2, PEER.tor1spine].map((peer, i) =>
      dumpDone('tor1', peer, 17 + i),
    ),
    sessionRow('tor1', 'dump_done', 6, 20, { reason: 'eor' }),
    sessionRow('tor2', 'bmp_up', 0, 1),
    peerUp('tor2', PEER.tor2node1, NODES.node1, 3),
    peerUp('tor2', PEER.tor2node2, NODES.node2, 4),
    ...[PEER.tor2node1, PEER.tor2node2].map((peer, i) => dumpDone('tor2', peer, 17 + i)),
    sessionRow('tor2', 'dump_done', 6, 20, { reason: 'eor' }),
    sessionRow('tor2', 'peer_down', 100, 40, {
      peer_key: PEER.tor2node2,
      peer_epoch: 1,
      peer_addr: v4(NODES.node2.addr),
      peer_asn: NODES.node2.asn,
      peer_bgp_id: number(NODES.node2.addr),
      counted: 1,
      reason: 'remote-notification',
      reason_code: 3,
      notification_code: 6,
      notification_subcode: 2,
      text: 'maintenance',
      effects: [
        { effect: 'sweep', rib: 'any', afi: 0, safi: 0, before_seq: 40, cause: 'peer_down' },
      ],
    }),
  ])
  const announce = (
    router: string,
    peer: string,
    node: keyof typeof NODES,
    seconds: number,
    seq: number,
    action?: 'withdraw',
  ): object =>
    routeRow({
      router,
      peer,
      from: NODES[node],
      seconds,
      seq,
      prefix: VIP,
      ...(action ? { action } : {}),
    })
  await insert(store, 'route_log', [
    announce('tor1', PEER.tor1node1, 'node1', 1, 10),
    announce('tor1', PEER.tor1node2, 'node2', 1, 11),
    announce('tor2', PEER.tor2node1, 'node1', 1, 10),
    announce('tor2', PEER.tor2node2, 'node2', 1, 11),
    announce('tor1', PEER.tor1node1, 'node1', 30, 30, 'withdraw'),
    announce('tor1', PEER.tor1node1, 'node1', 35, 31),
    ...[
      '10.0.0.0/8',
      '10.10.0.0/16',
      '10.10.20.0/24',
      '2001:db8::/32',
      '2001:db8:21::66/128',
      '0.0.0.0/0',
    ].map((prefix, i) =>
      routeRow({
        router: 'tor1',
        peer: PEER.tor1spine,
        from: spine,
        seconds: 1,
        seq: 12 + i,
        prefix,
      }),
    ),
    // Only ever withdraws: not to be believed.
    ...[1, 2, 3, 4].map((i) =>
      routeRow({
        router: 'tor2',
        peer: PEER.tor2node1,
        from: NODES.node1,
        seconds: 3,
        seq: 20 + i,
        prefix: `10.9.0.${String(i)}/32`,
        action: 'withdraw',
        rib: 'adj_in_post',
      }),
    ),
  ])
  await fillFabric(store)
  await fillFindings(store)
}

async function fillFabric(store: Store): Promise<void> {
  await insert(store, 'detector_params', [
    { key: 'settle_s', value: 10 },
    { key: 'episode_gap_s', value: 10 },
    { key: 'half_life_s', value: 300 },
    { key: 'penalty_close', value: 750 },
    { key: 'quarantine_withdraws', value: 3 },
  ])
  const router = (name: string, i: number): object => ({
    router: name,
    name,
    role: 'tor',
    role_source: 'configured',
    rack: 'r1',
    pair: 'p1',
    pair_source: 'inferred: shared nodes',
    site: 'dc1',
    asn: 65001,
    bgp_id: number(`10.0.1.${String(i)}`),
    address: `127.0.1.1${String(i)}`,
    max_paths_ebgp: 64,
    multipath_relax: 1,
  })
  await insert(store, 'fabric_routers', [
    router('tor1', 1),
    router('tor2', 2),
    { ...router('spine9', 9), router: '', site: 'dc2' },
  ])
  await insert(
    store,
    'fabric_nodes',
    Object.entries(NODES).map(([node, { addr, asn }]) => ({
      node,
      bgp_ids: [number(addr)],
      addresses: [addr],
      asn,
      rack: 'r1',
      site: 'dc1',
      expected_tors: ['tor1', 'tor2'],
      source: 'configured',
    })),
  )
  const peer = (
    router: string,
    key: string,
    from: { addr: string; asn: number },
    node: string,
  ): object => ({
    router,
    router_name: router,
    router_role: 'tor',
    peer_key: key,
    peer_addr: v4(from.addr),
    peer_asn: from.asn,
    peer_bgp_id: number(from.addr),
    node,
    source: 'configured',
  })
  await insert(store, 'fabric_peers', [
    peer('tor1', PEER.tor1node1, NODES.node1, 'node1'),
    peer('tor1', PEER.tor1node2, NODES.node2, 'node2'),
    peer('tor2', PEER.tor2node1, NODES.node1, 'node1'),
    peer('tor2', PEER.tor2node2, NODES.node2, 'node2'),
    { ...peer('tor1', PEER.tor1spine, { addr: '10.0.2.1', asn: 65000 }, ''), device: 'spine1' },
  ])
  await insert(store, 'fabric_vips', [
    {
      addr: v4('10.10.21.66'),
      bits: 32,
      ip_version: 4,
      prefix: VIP,
      service: 'shop',
      cluster: 'k1',
      pair: '2001:db8:21::66/128',
      mode: 'active_active',
      expected_nodes: ['node1', 'node2'],
      source: 'configured',
    },
    {
      addr: '2001:db8:21::66',
      bits: 128,
      ip_version: 6,
      prefix: '2001:db8:21::66/128',
      service: 'shop',
      cluster: 'k1',
      pair: VIP,
      mode: 'active_active',
      source: 'configured',
    },
  ])
  await insert(store, 'fabric_vrfs', [
    {
      vrf: 'K8S',
      l3vni: 50001,
      import_rts: ['65000:50001'],
      l2vnis: [10100],
      source: 'configured',
    },
  ])
  await insert(store, 'fabric_vteps', [
    {
      ip: v4('10.255.1.1'),
      vgroup: 'p1',
      router: 'tor1',
      kind: 'anycast',
      site: 'dc1',
      source: 'configured',
    },
  ])
  const edge = (
    node: string,
    tor: string,
    peer_key: string,
    seconds: number,
    seq: number,
    cls: string,
    cause = 'update',
  ): object => ({
    vip: VIP,
    vrf: 'default',
    node,
    tor,
    rx_ts: at(seconds),
    pos: String(BigInt(SESSION) * 4096n + BigInt(seq)),
    router: tor,
    peer_key,
    seq,
    class: cls,
    cause,
    phase: seconds < 2 ? 'dump' : 'live',
    w: cls === 'AW' ? 1000 : 0,
  })
  await insert(store, 'edge_log', [
    edge('node1', 'tor1', PEER.tor1node1, 1, 10, 'NEW'),
    edge('node2', 'tor1', PEER.tor1node2, 1, 11, 'NEW'),
    edge('node1', 'tor2', PEER.tor2node1, 1, 10, 'NEW'),
    edge('node2', 'tor2', PEER.tor2node2, 1, 11, 'NEW'),
    edge('node1', 'tor1', PEER.tor1node1, 30, 30, 'AW'),
    edge('node1', 'tor1', PEER.tor1node1, 35, 31, 'WADUP'),
    edge('node2', 'tor2', PEER.tor2node2, 100, 40, 'AW', 'peer_down'),
  ])
}

export function findingRow(
  id: string,
  seconds: number,
  more: Record<string, unknown> = {},
): object {
  return {
    id,
    version: 1,
    at: at(seconds),
    kind: 'VIP_FLAP',
    severity: 'minor',
    confidence: 'high',
    status: 'open',
    first_seen: at(seconds),
    last_seen: at(seconds + 5),
    scope: JSON.stringify({ vip: VIP, vrf: 'default', node: 'node1' }),
    metrics: JSON.stringify({ flaps: 3, penalty: 2400.5 }),
    explanation: 'node1 flaps',
    evidence: JSON.stringify([
      {
        router: 'tor1',
        peer: '10.10.19.11',
        rib: 'adj_in_pre',
        seq: 30,
        rx_ts: iso(30),
        text: 'withdrawn',
      },
      {
        router: 'tor2',
        peer: '10.10.19.12',
        rib: 'adj_in_pre',
        seq: 40,
        rx_ts: iso(100),
        text: 'Peer Down',
      },
    ]),
    limits: ['at least'],
    incident_id: 'i1',
    ...more,
  }
}

async function fillFindings(store: Store): Promise<void> {
  await insert(store, 'findings_log', [
    findingRow('f1', 30),
    // The last state counts, not the first.
    findingRow('f1', 30, {
      version: 2,
      at: at(60),
      severity: 'major',
      last_seen: at(60),
      cause: 'node',
    }),
    findingRow('f2', 100, {
      kind: 'PEER_DOWN',
      scope: JSON.stringify({ router: 'tor2', peer: '10.10.19.12', node: 'node2' }),
      status: 'resolved',
      resolved_at: at(200),
      incident_id: '',
    }),
    findingRow('f3', 100, {
      kind: 'ECMP_SIBLING_DIFF',
      severity: 'critical',
      scope: JSON.stringify({ vip: VIP, vrf: 'default', tors: ['tor1', 'tor2'] }),
      incident_id: 'i1',
    }),
    findingRow('f4', 110, {
      kind: 'T5_TROMBONE',
      status: 'suppressed',
      scope: JSON.stringify({ vrf: 'K8S', prefix: '10.128.1.0/24', via: 'p1', site: 'dc2' }),
      incident_id: '',
    }),
  ])
  await insert(store, 'incidents_log', [
    {
      id: 'i1',
      version: 1,
      at: at(100),
      cause: 'node',
      entity: 'node',
      name: 'node1',
      severity: 'major',
      status: 'open',
      first_seen: at(30),
      last_seen: at(105),
      findings: ['f1', 'f3'],
    },
    {
      id: 'i0',
      version: 1,
      at: at(50),
      cause: 'feed',
      entity: 'router',
      name: 'tor9',
      severity: 'minor',
      status: 'resolved',
      first_seen: at(20),
      last_seen: at(50),
      findings: [],
    },
  ])
}
