import { query } from '@ribscope/detectors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  at,
  insert,
  iso,
  openFixture,
  PEER,
  SESSION,
  VIP,
  type Fixture,
  type Served,
} from './testing/fixture.ts'

let fixture: Fixture
let served: Served

beforeAll(async () => {
  fixture = await openFixture()
  served = await fixture.serveBoth()
})
afterAll(() => fixture.close())

const get: Served['get'] = async (path, init) => {
  const answer = await served.get(path, init)
  expect(answer.status, answer.text).not.toBe(500)
  return answer
}
const ids = async (path: string): Promise<string[]> => {
  const { status, json, text } = await get(path)
  expect(status, text).toBe(200)
  return (json.items as { id: string }[]).map((each) => each.id)
}

describe('health', () => {
  test('healthz and readyz', async () => {
    expect((await get('/healthz')).json).toEqual({ status: 'ok' })
    expect((await get('/readyz')).status).toBe(200)
  })

  test('readyz is 503 and says what is missing', async () => {
    const other = await fixture.serve(
      {},
      { readiness: () => ({ schema: true, bmp: false, analyst: false }) },
    )
    const { status, json } = await other.get('/readyz')
    expect(status).toBe(503)
    expect(json).toEqual({
      status: 'starting',
      reasons: ['bmp: port not bound', 'analyst: no round finished yet'],
    })
  })
})

describe('findings', () => {
  test('of all statuses, newest first, with the last state of each', async () => {
    expect(await ids('/api/v1/findings')).toEqual(['f4', 'f2', 'f3', 'f1'])
    const { json } = await get('/api/v1/findings/f1')
    expect(json).toEqual({
      id: 'f1',
      kind: 'VIP_FLAP',
      sub_kind: '',
      cause: 'node',
      severity: 'major',
      confidence: 'high',
      status: 'open',
      first_seen: iso(30),
      last_seen: iso(60),
      resolved_at: null,
      scope: { vip: VIP, vrf: 'default', node: 'node1' },
      metrics: { flaps: 3, penalty: 2400.5 },
      explanation: 'node1 flaps',
      evidence: expect.arrayContaining([expect.objectContaining({ router: 'tor1', seq: 30 })]),
      limits: ['at least'],
      incident_id: 'i1',
      reopened: 0,
      changes: 2,
    })
  })

  test.each([
    ['kind=VIP_FLAP', ['f1']],
    ['kind=VIP_FLAP,PEER_DOWN', ['f2', 'f1']],
    ['kind=VIP_FLAP&kind=PEER_DOWN', ['f2', 'f1']],
    ['severity=major', ['f1']],
    ['severity=minor', ['f4', 'f2']],
    ['status=open', ['f3', 'f1']],
    ['status=resolved', ['f2']],
    ['status=suppressed', ['f4']],
    ['vip=10.10.21.66/32', ['f3', 'f1']],
    ['vip=10.10.21.66', ['f3', 'f1']],
    ['vip=10.10.21.66%2F32&node=node1', ['f1']],
    ['vip=10.128.1.0/24', ['f4']],
    ['node=node2', ['f2']],
    ['router=tor2', ['f2', 'f3']],
    ['site=dc2', ['f4']],
    ['site=dc1', ['f2', 'f1']],
    ['vrf=K8S', ['f4']],
    ['incident=i1', ['f3', 'f1']],
    [`from=${iso(106)}`, ['f4']],
    [`to=${iso(50)}`, ['f1']],
    ['kind=NO_SUCH', []],
    [`node=${encodeURIComponent("x' OR 1=1 --")}`, []],
  ])('%s', async (query, expected) => {
    expect(await ids(`/api/v1/findings?${query}`)).toEqual(expected)
  })

  test('pages by cursor, none twice and none left out', async () => {
    const seen: string[] = []
    let next: string | null = ''
    let pages = 0
    while (next !== null) {
      const { json } = await get(`/api/v1/findings?limit=1${next === '' ? '' : `&cursor=${next}`}`)
      seen.push(...(json.items as { id: string }[]).map((each) => each.id))
      next = json.next as string | null
      expect(++pages).toBeLessThan(10)
    }
    expect(seen).toEqual(['f4', 'f2', 'f3', 'f1'])
  })

  test('evidence: the rows of the log behind it', async () => {
    const { json } = await get('/api/v1/findings/f1/evidence')
    expect(json.items).toHaveLength(2)
    expect(json.routes).toEqual([
      expect.objectContaining({
        router: 'tor1',
        seq: 30,
        bmp_session: SESSION,
        action: 'withdraw',
        prefix: VIP,
        rx_ts: iso(30),
        origin_node: 'node1',
      }),
    ])
    expect(json.sessions).toEqual([
      expect.objectContaining({ router: 'tor2', seq: 40, kind: 'peer_down', text: 'maintenance' }),
    ])
  })

  test('an unknown one is 404', async () => {
    const { status, json, headers } = await get('/api/v1/findings/nope')
    expect(status).toBe(404)
    expect(headers.get('content-type')).toContain('application/problem+json')
    expect(json).toMatchObject({
      status: 404,
      title: 'Not Found',
      detail: 'no finding "nope"',
      instance: '/api/v1/findings/nope',
    })
  })
})

describe('incidents', () => {
  test('list, filter, one with its findings', async () => {
    expect(await ids('/api/v1/incidents')).toEqual(['i1', 'i0'])
    expect(await ids('/api/v1/incidents?status=open')).toEqual(['i1'])
    const { json } = await get('/api/v1/incidents/i1')
    expect(json).toMatchObject({ id: 'i1', node: 'node1', findings: ['f1', 'f3'] })
    expect((json.items as { id: string }[]).map((each) => each.id)).toEqual(['f3', 'f1'])
    expect((await get('/api/v1/incidents/none')).status).toBe(404)
  })
})

describe('vips', () => {
  test('list: live origins, links, open findings', async () => {
    const { json } = await get('/api/v1/vips')
    expect(json.next).toBeNull()
    expect(json.items).toHaveLength(2)
    expect(json.items[0]).toMatchObject({
      prefix: VIP,
      service: 'shop',
      state: 'degraded',
      links_up: 3,
      links_down: 1,
      origins: [
        { vrf: 'default', node: 'node1', tors: ['tor1', 'tor2'], tors_down: [] },
        { vrf: 'default', node: 'node2', tors: ['tor1'], tors_down: ['tor2'] },
      ],
      open_findings: [
        { id: 'f1', kind: 'VIP_FLAP', severity: 'major' },
        { id: 'f3', kind: 'ECMP_SIBLING_DIFF', severity: 'critical' },
      ],
    })
    expect(json.items[1]).toMatchObject({
      prefix: '2001:db8:21::66/128',
      state: 'unseen',
      origins: [],
      open_findings: [],
    })
    expect((await get('/api/v1/vips?state=unseen')).json.items).toHaveLength(1)
  })

  test.each(['10.10.21.66/32', '10.10.21.66%2F32', '10.10.21.66', '10.10.21.66%2f32'])(
    '%s is the VIP',
    async (path) => {
      const { status, json } = await get(`/api/v1/vips/${path}`)
      expect(status).toBe(200)
      expect(json.prefix).toBe(VIP)
      for (const below of ['flaps', 'timeline']) {
        expect((await get(`/api/v1/vips/${path}/${below}`)).status, below).toBe(200)
      }
    },
  )

  test('IPv6 in any spelling', async () => {
    for (const path of [
      '2001:db8:21::66',
      '2001:DB8:21:0::66/128',
      '2001%3Adb8%3A21%3A%3A66%2F128',
    ]) {
      const { json } = await get(`/api/v1/vips/${path}`)
      expect(json.prefix, path).toBe('2001:db8:21::66/128')
    }
  })

  test('one: links, penalty, episodes', async () => {
    const { json } = await get(`/api/v1/vips/${VIP}?at=${iso(150)}`)
    expect(json.links).toContainEqual({
      vrf: 'default',
      node: 'node2',
      tor: 'tor2',
      state: 'down',
      since: iso(100),
      cause: 'peer_down',
      downs: 1,
    })
    expect(json.episodes).toMatchObject([
      {
        node: 'node2',
        flaps: 1,
        tors_down: ['tor2'],
        started: iso(100),
        peer_down_seen: true,
        planned: false,
      },
      { node: 'node1', flaps: 1, tors_down: ['tor1'], started: iso(30), ended: iso(35) },
      { flaps: 0 },
      { flaps: 0 },
    ])
    const node1 = json.penalty.find((each: { node: string }) => each.node === 'node1')
    expect(node1.penalty).toBeCloseTo(1000 * 2 ** (-120 / 300), 6)
    expect(json.outages).toEqual([])
  })

  test("flaps: causes, and a half life of one's own", async () => {
    const { json } = await get(`/api/v1/vips/${VIP}/flaps?at=${iso(150)}&half_life_s=60`)
    expect(json.causes).toEqual({ update: 1, peer_down: 1 })
    const node1 = json.penalty.find((each: { node: string }) => each.node === 'node1')
    expect(node1.penalty).toBeCloseTo(1000 * 2 ** (-120 / 60), 6)
  })

  test('timeline: each change once, pages by cursor', async () => {
    const all = (await get(`/api/v1/vips/${VIP}/timeline`)).json
    expect(all.items.map((each: { at: string; class: string }) => [each.at, each.class])).toEqual([
      [iso(1), 'NEW'],
      [iso(1), 'NEW'],
      [iso(1), 'NEW'],
      [iso(1), 'NEW'],
      [iso(30), 'AW'],
      [iso(35), 'WADUP'],
      [iso(100), 'AW'],
    ])
    expect(all.items[4]).toMatchObject({
      node: 'node1',
      tor: 'tor1',
      seq: 30,
      weight: 1000,
      peer_key: PEER.tor1node1,
    })
    const first = (await get(`/api/v1/vips/${VIP}/timeline?limit=3`)).json
    const second = (await get(`/api/v1/vips/${VIP}/timeline?limit=100&cursor=${first.next}`)).json
    expect([...first.items, ...second.items]).toEqual(all.items)
    const some = (await get(`/api/v1/vips/${VIP}/timeline?from=${iso(20)}&to=${iso(40)}`)).json
    expect(some.items).toHaveLength(2)
  })

  test('a prefix that is none: 400; that is no VIP: 404', async () => {
    expect((await get('/api/v1/vips/10.10.21.300')).json).toMatchObject({
      status: 400,
      type: 'urn:ribscope:problem:bad-prefix',
    })
    expect((await get('/api/v1/vips/10.10.21.66/33')).status).toBe(400)
    expect((await get('/api/v1/vips/10.10.21.67')).status).toBe(404)
    expect((await get('/api/v1/vips/10.10.21.67/32/flaps')).status).toBe(404)
  })
})

describe('rib', () => {
  const prefixes = async (query: string): Promise<string[]> => {
    const { status, json, text } = await get(`/api/v1/rib?${query}`)
    expect(status, text).toBe(200)
    return (json.items as { router: string; prefix: string; peer_addr: string }[]).map(
      (each) => `${each.router} ${each.prefix} ${each.peer_addr}`,
    )
  }

  test('exact: what is announced now, in the columns of route_events', async () => {
    const { json } = await get(`/api/v1/rib?prefix=${VIP}`)
    expect(json.items).toHaveLength(3)
    expect(json.items[0]).toMatchObject({
      router: 'tor1',
      prefix: VIP,
      nlri: VIP,
      seq: 31,
      bmp_session: SESSION,
      peer_key: PEER.tor1node1,
      peer_addr: '10.10.19.11',
      peer_asn: 65101,
      next_hop: '10.10.19.11',
      as_path: [65101],
      communities: ['65000:21'],
      rib: 'adj_in_pre',
      vantage: 0,
      origin_node: 'node1',
      med: null,
      rx_ts: iso(35),
      since: iso(35),
      stale: 0,
      attr_hash: '18446744073709505101',
    })
  })

  test.each([
    ['router=tor2', ['tor2 10.10.21.66/32 10.10.19.11']],
    ['peer=10.10.19.12', ['tor1 10.10.21.66/32 10.10.19.12']],
    ['peer=node2', ['tor1 10.10.21.66/32 10.10.19.12']],
    [`peer=${PEER.tor2node1}`, ['tor2 10.10.21.66/32 10.10.19.11']],
    ['peer=spine1&prefix=10.10.20.1&match=longest', ['tor1 10.10.20.0/24 10.0.2.1']],
    ['prefix=10.10.99.1&match=longest', ['tor1 10.10.0.0/16 10.0.2.1']],
    ['prefix=192.0.2.1&match=longest', ['tor1 0.0.0.0/0 10.0.2.1']],
    ['prefix=2001:db8:1::/48&match=longest', ['tor1 2001:db8::/32 10.0.2.1']],
    [
      'prefix=10.10.0.0/16&match=covered&peer=spine1',
      ['tor1 10.10.0.0/16 10.0.2.1', 'tor1 10.10.20.0/24 10.0.2.1'],
    ],
    [
      'prefix=2001:db8::/32&match=covered',
      ['tor1 2001:db8::/32 10.0.2.1', 'tor1 2001:db8:21::66/128 10.0.2.1'],
    ],
    ['prefix=0.0.0.0/0', ['tor1 0.0.0.0/0 10.0.2.1']],
    ['rib=loc_rib', []],
    ['prefix=10.10.21.66&afi=25', []],
    ['router=nobody', []],
  ])('%s', async (query, expected) => {
    expect(await prefixes(query)).toEqual(expected)
  })

  test('at: as it was, withdrawn and ended by a Peer Down included', async () => {
    const q = `prefix=${VIP}&at=`
    expect(await prefixes(`${q}${iso(0)}`)).toEqual([])
    expect(await prefixes(`${q}${iso(20)}`)).toHaveLength(4)
    expect(await prefixes(`${q}${iso(32)}`)).toHaveLength(3)
    expect(await prefixes(`${q}${iso(99)}`)).toHaveLength(4)
    expect(await prefixes(`${q}${iso(101)}`)).toEqual(await prefixes(`prefix=${VIP}`))
    // 12:00:20 UTC with another offset, the plus sign left as it is.
    expect(await prefixes(`${q}2026-11-21T14:00:20+02:00`)).toHaveLength(4)
    const { json } = await get(`/api/v1/rib?${q}${iso(20)}`)
    expect(json.items[0]).toMatchObject({ since: iso(1), stale: 0, seq: 10 })
  })

  test('pages by cursor, the same set and order', async () => {
    const all = (await get('/api/v1/rib')).json.items
    expect(all).toHaveLength(9)
    const seen: unknown[] = []
    let cursor = ''
    for (let i = 0; i < 20 && cursor !== 'end'; i++) {
      const { json, status, text } = await get(
        `/api/v1/rib?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      expect(status, text).toBe(200)
      seen.push(...json.items)
      cursor = (json.next as string | null) ?? 'end'
    }
    expect(seen).toEqual(all)
  })
})

describe('history', () => {
  test('classed rows, implied withdrawals at their moment, pages by cursor', async () => {
    const { json } = await get(`/api/v1/rib/history?prefix=${VIP}`)
    const short = (rows: Record<string, unknown>[]): unknown[] =>
      rows.map((row) => [
        row['router'],
        row['seq'],
        row['action'],
        row['class'],
        row['cause'],
        row['implied'],
        row['rx_ts'],
      ])
    expect(short(json.items)).toEqual([
      ['tor1', 10, 'announce', 'NEW', 'update', 0, iso(1)],
      ['tor1', 11, 'announce', 'NEW', 'update', 0, iso(1)],
      ['tor2', 10, 'announce', 'NEW', 'update', 0, iso(1)],
      ['tor2', 11, 'announce', 'NEW', 'update', 0, iso(1)],
      ['tor1', 30, 'withdraw', 'AW', 'update', 0, iso(30)],
      ['tor1', 31, 'announce', 'WADUP', 'update', 0, iso(35)],
      ['tor2', 11, 'withdraw', 'AW', 'peer_down', 1, iso(100)],
    ])
    const seen: unknown[] = []
    let cursor: string | null = ''
    while (cursor !== null && seen.length < 20) {
      const page = await get(
        `/api/v1/rib/history?prefix=${VIP}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      seen.push(...page.json.items)
      cursor = page.json.next as string | null
    }
    expect(seen).toEqual(json.items)
    const some = await get(`/api/v1/rib/history?prefix=10.10.21.66&router=tor2&from=${iso(50)}`)
    expect(short(some.json.items)).toEqual([
      ['tor2', 11, 'withdraw', 'AW', 'peer_down', 1, iso(100)],
    ])
    expect((await get('/api/v1/rib/history')).status).toBe(400)
    expect((await get('/api/v1/rib/history?prefix=x')).status).toBe(400)
  })
})

describe('nodes', () => {
  test('sessions, VIPs, links', async () => {
    const { json } = await get('/api/v1/nodes')
    expect(json.items).toMatchObject([
      {
        node: 'node1',
        bgp_ids: ['10.10.19.11'],
        sessions_up: 2,
        sessions_down: 0,
        vips_up: [VIP],
        vips_down: [],
      },
      { node: 'node2', sessions_up: 1, sessions_down: 1, vips_up: [], vips_down: [VIP] },
    ])
    const one = (await get('/api/v1/nodes/node1')).json
    expect(one.peers).toHaveLength(2)
    expect(one.links).toHaveLength(2)
    expect(one.open_findings.map((each: { id: string }) => each.id)).toEqual(['f1'])
    expect((await get('/api/v1/nodes/nobody')).status).toBe(404)
  })
})

describe('ECMP and EVPN', () => {
  test('paths and shares of a VIP', async () => {
    const { json } = await get(`/api/v1/vips/${VIP}/shares`)
    expect(json).toMatchObject({ prefix: VIP, shares: expect.any(Array) })
    expect((await get(`/api/v1/vips/${VIP}/ecmp?ingress=nobody`)).json.paths).toEqual([])
  })

  test('hosts and moves', async () => {
    expect((await get('/api/v1/evpn/hosts/10.128.0.1')).json).toEqual({
      ip: '10.128.0.1',
      items: [],
    })
    expect((await get('/api/v1/evpn/hosts/x')).status).toBe(400)
    expect((await get('/api/v1/evpn/mobility')).json).toEqual({ items: [], next: null })
    expect((await get('/api/v1/evpn/mobility?mac=x')).status).toBe(400)
  })
})

describe('routers, peers, trust, fabric', () => {
  test('routers: state and peers', async () => {
    const { json } = await get('/api/v1/routers')
    expect(json.items).toMatchObject([
      { name: 'spine9', router: '', state: 'never_seen', since: null, peers_up: 0 },
      {
        name: 'tor1',
        state: 'up',
        since: iso(0),
        description: 'FRR 10.1',
        sessions: 1,
        bmp_session: SESSION,
        dumped: true,
        peers_up: 3,
        peers_down: 0,
        role_source: 'configured',
      },
      { name: 'tor2', state: 'up', peers_up: 1, peers_down: 1 },
    ])
  })

  test('one router: peers and views', async () => {
    const { json } = await get('/api/v1/routers/tor2')
    expect(json.peers).toHaveLength(2)
    expect(json.views).toMatchObject([
      {
        rib: 'adj_in_pre',
        afi: 1,
        safi: 1,
        score: 100,
        trust: 'trusted',
        rules: [],
        canonical: true,
        peers: 1,
        announces: 2,
        routes: 1,
        expected: null,
        eor: 'eor',
        silent_s: 200,
        skew_s: null,
      },
      {
        rib: 'adj_in_post',
        score: 0,
        trust: 'untrusted',
        rules: ['P1'],
        canonical: false,
        withdraws: 4,
        routes: 0,
        reasons: [expect.stringContaining('P1')],
      },
    ])
    expect((await get('/api/v1/routers/nobody')).status).toBe(404)
  })

  test('peers: down ones with the reason', async () => {
    const { json } = await get('/api/v1/peers?state=down')
    expect(json.items).toEqual([
      expect.objectContaining({
        router: 'tor2',
        node: 'node2',
        peer_addr: '10.10.19.12',
        state: 'down',
        down_at: iso(100),
        down_reason: 'remote-notification',
        notification_code: 6,
        notification_subcode: 2,
        down_text: 'maintenance',
        peer_key: PEER.tor2node2,
      }),
    ])
    expect((await get('/api/v1/peers?state=up')).json.items).toHaveLength(4)
    expect((await get('/api/v1/peers?router=tor1&node=node1')).json.items).toHaveLength(1)
    expect((await get('/api/v1/peers?limit=2')).json.next).not.toBeNull()
  })

  test('lives of peers: why one ended, in words', async () => {
    const { json } = await get('/api/v1/peers/sessions?state=over')
    expect(json.items).toEqual([
      expect.objectContaining({
        router: 'tor2',
        node: 'node2',
        peer_key: PEER.tor2node2,
        began: 'peer_up',
        ended: 'peer_down',
        up_at: iso(0.5),
        down_at: iso(100),
        duration_s: 99.5,
        why: 'remote system closed, NOTIFICATION received: cease: administrative shutdown, "maintenance"',
        announces: 1,
        bmp_session: SESSION,
      }),
    ])
    expect((await get('/api/v1/peers/sessions?router=tor1&kind=bgp')).json.items).toHaveLength(3)
    expect((await get('/api/v1/peers/sessions?state=x')).status).toBe(400)
  })

  test('visibility: who sees a prefix, and why another does not', async () => {
    const vip = (await get(`/api/v1/visibility?vip=${VIP}`)).json.items
    expect(vip).toMatchObject([
      { router_name: 'spine9', sees: false, missing: true, why: 'feed: no BMP session so far' },
      { router: 'tor1', sees: true, rib: 'adj_in_pre', peers: ['node1', 'node2'], paths: 2 },
      {
        router: 'tor2',
        rib: 'adj_in_pre',
        how: 'candidate',
        level: 'candidates',
        next_hops: ['10.10.19.11'],
        origin_nodes: ['node1'],
        since: iso(1),
        siblings: ['tor1'],
        missing: false,
        why: '',
      },
    ])
    // Every VIP that anybody sees: these rows, and those of the IPv6 twin that only tor1 has.
    const all = (await get('/api/v1/visibility')).json.items
    expect(all.filter((each: { prefix: string }) => each.prefix === VIP)).toEqual(vip)
    expect(new Set(all.map((each: { prefix: string }) => each.prefix)).size).toBe(2)

    const { json } = await get('/api/v1/visibility?vip=10.10.0.0%2F16&missing=true')
    expect(json.items).toMatchObject([
      { router_name: 'spine9' },
      {
        router: 'tor2',
        siblings: ['tor1'],
        why: 'no session with spine1, from which siblings have it',
      },
    ])
    expect((await get('/api/v1/visibility?vip=192.0.2.1')).json.items).toEqual([])
    expect((await get('/api/v1/visibility?vip=x')).status).toBe(400)
  })

  test('trust', async () => {
    expect(
      (await get('/api/v1/trust?router=tor1')).json.items.every(
        (each: { trust: string }) => each.trust === 'trusted',
      ),
    ).toBe(true)
    expect(
      (await get('/api/v1/trust')).json.items.filter(
        (each: { trust: string }) => each.trust === 'untrusted',
      ),
    ).toHaveLength(1)
  })

  test('fabric: facts with their source', async () => {
    const { json } = await get('/api/v1/fabric')
    expect(json.routers[1]).toMatchObject({
      name: 'tor1',
      role: 'tor',
      role_source: 'configured',
      pair_source: 'inferred: shared nodes',
    })
    expect(json.nodes[0]).toMatchObject({
      node: 'node1',
      bgp_ids: ['10.10.19.11'],
      source: 'configured',
    })
    expect(json.vteps).toEqual([
      {
        ip: '10.255.1.1',
        vgroup: 'p1',
        router: 'tor1',
        kind: 'anycast',
        site: 'dc1',
        source: 'configured',
      },
    ])
    expect(json.peers).toHaveLength(5)
    expect(json.detectors.half_life_s).toBe(300)
  })
})

describe('time series', () => {
  const span = `from=${iso(0)}&to=${iso(600)}`

  test('churn: first tables apart from what came later, sessions beside', async () => {
    const { json } = await get(`/api/v1/churn?${span}&router=tor1`)
    expect(json).toEqual({
      items: [
        {
          at: iso(0),
          router: 'tor1',
          router_name: 'tor1',
          announces: 1,
          withdraws: 1,
          dumped: 8,
          announces_per_s: 0.016667,
          withdraws_per_s: 0.016667,
          bmp_sessions_up: 1,
          bmp_sessions_down: 0,
          peers_up: 3,
          peers_down: 0,
          views: [
            { rib: 'adj_in_pre', afi: 1, safi: 1, announces: 1, withdraws: 1, dumped: 6 },
            { rib: 'adj_in_pre', afi: 2, safi: 1, announces: 0, withdraws: 0, dumped: 2 },
          ],
        },
      ],
      next: null,
    })
    // A minute in which only a session ended.
    const other = (await get(`/api/v1/churn?${span}&router=tor2&rib=adj_in_post`)).json.items
    expect(other).toMatchObject([
      { at: iso(0), withdraws: 4, dumped: 0, peers_down: 0 },
      { at: iso(60), withdraws: 0, peers_down: 1, views: [] },
    ])
    const steps = (await get(`/api/v1/churn?${span}&router=tor2&step=600`)).json.items
    expect(steps).toMatchObject([{ at: iso(0), withdraws: 4, peers_up: 2, peers_down: 1 }])
  })

  test('prefixes that change most', async () => {
    const { json } = await get(`/api/v1/prefixes/churn?${span}&limit=2`)
    expect(json.items).toEqual([
      {
        prefix: VIP,
        afi: 1,
        safi: 1,
        announces: 1,
        withdraws: 1,
        changes: 2,
        routers: ['tor1'],
        hours: [{ hour: iso(0), announces: 1, withdraws: 1 }],
      },
      expect.objectContaining({ prefix: '10.9.0.1/32', changes: 1, routers: ['tor2'] }),
    ])
    const second = await get(`/api/v1/prefixes/churn?${span}&limit=2&cursor=${json.next}`)
    expect(second.json.items.map((each: { prefix: string }) => each.prefix)).toEqual([
      '10.9.0.2/32',
      '10.9.0.3/32',
    ])
    const one = await get(`/api/v1/prefixes/churn?${span}&prefix=10.9.0.4`)
    expect(one.json.items).toHaveLength(1)
    expect((await get(`/api/v1/prefixes/churn?${span}&router=tor1`)).json.items).toHaveLength(1)
  })

  test('sizes of tables, and what the router says of them', async () => {
    const counter = (router: string, peer: string, seq: number, type: number, value: number) => ({
      router,
      peer_key: peer,
      stat_type: type,
      ...(type === 9 ? { afi: 1, safi: 1 } : { afi: 0, safi: 0 }),
      bmp_session: SESSION,
      seq,
      rx_ts: at(50),
      rib: 'any',
      value,
    })
    await insert(fixture.store, 'stats_log', [
      counter('tor1', PEER.tor1node1, 32, 9, 7),
      counter('tor1', PEER.tor1node1, 33, 9, 1),
      counter('tor1', PEER.tor1node2, 34, 9, 1),
      counter('tor2', PEER.tor2node1, 30, 7, 12),
      // Its session ended at second 100.
      counter('tor2', PEER.tor2node2, 31, 7, 5),
    ])
    await fixture.session.command(query('sample_tables'), { at: at(120) })
    const { json } = await get(`/api/v1/tables?${span}`)
    expect(json.items).toEqual([
      {
        at: iso(120),
        sampled_at: iso(120),
        router: 'tor1',
        router_name: 'tor1',
        rib: 'adj_in_pre',
        afi: 1,
        safi: 1,
        routes: 6,
        stale: 0,
        reported: 2,
        reported_all: null,
      },
      expect.objectContaining({ router: 'tor1', afi: 2, routes: 2, reported: null }),
      expect.objectContaining({ router: 'tor2', rib: 'adj_in_post', afi: 1, routes: 0 }),
      expect.objectContaining({
        router: 'tor2',
        rib: 'adj_in_pre',
        afi: 1,
        routes: 1,
        reported: null,
        reported_all: 12,
      }),
    ])
    expect((await get(`/api/v1/tables?${span}&afi=2`)).json.items).toHaveLength(1)
    expect((await get(`/api/v1/tables?from=${iso(0)}&to=${iso(120)}`)).json.items).toEqual([])
  })

  test.each([
    ['step=61', 400],
    ['step=0', 400],
    ['rib=any', 400],
    [`from=${iso(5)}&to=${iso(5)}`, 400],
    ['prefix=x', 400],
    ['cursor=x', 400],
  ])('%s is refused', async (parameters, status) => {
    const path = parameters.startsWith('prefix') ? 'prefixes/churn' : 'churn'
    expect((await get(`/api/v1/${path}?${parameters}`)).status).toBe(status)
  })
})
