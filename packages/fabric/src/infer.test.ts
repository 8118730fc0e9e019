import { describe, expect, test } from 'vitest'
import { configuredRouter, inferFabric, parseFabric } from './index.ts'
import type { FabricConfig, InferredFabric, PeerFact, RouterFact } from './index.ts'

const config = (text = ''): FabricConfig => parseFabric(text).fabric

function router(name: string, more: Partial<RouterFact> = {}): RouterFact {
  return { router: name, address: '', bgpIds: [`10.0.0.${name.length}`], asn: 65000, ...more }
}

let keys = 0
/** A session of `at` with a neighbour that announces only routes of its own. */
function peer(at: string, bgpId: string, more: Partial<PeerFact> = {}): PeerFact {
  return {
    router: at,
    peerKey: String(++keys),
    peerType: 0,
    address: bgpId,
    asn: 65101,
    bgpId,
    rd: '0',
    passesOn: false,
    reflects: false,
    unicast: 3,
    evpn: 0,
    ...more,
  }
}

const who = ({ peers }: InferredFabric): unknown[] =>
  peers.map(({ router, peer_bgp_id, node, device }) => [router, peer_bgp_id, node, device])
const roles = ({ routers }: InferredFabric): object =>
  Object.fromEntries(routers.map(({ name, role }) => [name, role]))
const pairs = ({ routers }: InferredFabric): object =>
  Object.fromEntries(routers.map(({ name, pair }) => [name, pair]))

/** Two ToRs, two spines, two nodes: what BMP shows of it, without any file. */
const CLOS = {
  routers: [
    router('tor1', { bgpIds: ['10.0.1.1'], asn: 65011 }),
    router('tor2', { bgpIds: ['10.0.1.2'], asn: 65012 }),
    router('spine1', { bgpIds: ['10.0.2.1'], asn: 65000 }),
    router('spine2', { bgpIds: ['10.0.2.2'], asn: 65000 }),
  ],
  peers: ['tor1', 'tor2'].flatMap((tor, i) => [
    peer(tor, '10.9.0.1', { asn: 65101 }),
    peer(tor, '10.9.0.2', { asn: 65102 }),
    peer(tor, '10.0.2.1', { asn: 65000, passesOn: true }),
    peer(tor, '10.0.2.2', { asn: 65000, passesOn: true }),
    peer('spine1', `10.0.1.${i + 1}`, { asn: 65011 + i, passesOn: true }),
    peer('spine2', `10.0.1.${i + 1}`, { asn: 65011 + i, passesOn: true }),
  ]),
}

describe('without fabric.yaml', () => {
  const fabric = inferFabric(config(), CLOS.routers, CLOS.peers)

  test('who announces only its own routes and exports no BMP is a node, named by its BGP ID', () => {
    expect(who(fabric)).toEqual(
      expect.arrayContaining([
        ['tor1', '10.9.0.1', '10.9.0.1', ''],
        ['tor1', '10.0.2.1', '', 'spine1'],
        ['spine1', '10.0.1.2', '', 'tor2'],
      ]),
    )
    expect(fabric.nodes.map(({ node }) => node)).toEqual(['10.9.0.1', '10.9.0.2'])
    expect(fabric.nodes[0]).toMatchObject({
      bgp_ids: ['10.9.0.1'],
      expected_tors: ['tor1', 'tor2'],
      source: 'inferred: announces only its own routes',
    })
  })

  test('roles and pairs follow, each with its reason', () => {
    expect(roles(fabric)).toEqual({ tor1: 'tor', tor2: 'tor', spine1: 'spine', spine2: 'spine' })
    expect(pairs(fabric)).toEqual({ tor1: 'tor1+tor2', tor2: 'tor1+tor2', spine1: '', spine2: '' })
    expect(fabric.routers.find(({ name }) => name === 'tor1')).toMatchObject({
      role_source: 'inferred: has nodes',
      pair_source: 'inferred: shared nodes',
      policy_known: 0,
      multipath_relax: 1,
      max_paths_ebgp: 64,
      always_compare_med: 0,
      asn: 65011,
    })
  })

  test('the order of what was seen does not matter', () => {
    const turned = inferFabric(config(), [...CLOS.routers].reverse(), [...CLOS.peers].reverse())
    expect(turned).toEqual(fabric)
  })

  test.each([
    ['passes on paths of others', { passesOn: true }],
    ['speaks EVPN', { evpn: 2 }],
    ['announced nothing yet', { unicast: 0 }],
    ['is the Loc-RIB', { peerType: 3 }],
    ['is the router itself', { bgpId: '0.0.0.0', address: '0.0.0.0' }],
    ['exports BMP', { bgpId: '10.0.2.1' }],
  ])('who %s is no node', (_why, more) => {
    const { nodes } = inferFabric(config(), CLOS.routers, [peer('tor1', '10.9.0.7', more)])
    expect(nodes).toEqual([])
  })

  test('a node without BGP ID is known by its address', () => {
    const { nodes } = inferFabric(config(), CLOS.routers, [
      peer('tor1', '0.0.0.0', { address: 'fe80::1' }),
    ])
    expect(nodes).toMatchObject([{ node: 'fe80::1', bgp_ids: [] }])
  })

  test('several sessions of one node are one node', () => {
    const { nodes } = inferFabric(config(), CLOS.routers, [
      peer('tor1', '10.9.0.1', { address: 'fe80::1' }),
      peer('tor1', '10.9.0.1', { address: 'fe80::2' }),
    ])
    expect(nodes).toMatchObject([{ node: '10.9.0.1', expected_tors: ['tor1'] }])
  })

  test('reflectors and leaves of an EVPN fabric', () => {
    const found = inferFabric(
      config(),
      [
        router('rr1', { bgpIds: ['10.1.0.1'] }),
        router('leaf1', { bgpIds: ['10.1.1.1'] }),
        router('leaf2', { bgpIds: ['10.1.1.2'] }),
      ],
      [
        peer('rr1', '10.1.1.1', { unicast: 0, evpn: 9 }),
        peer('rr1', '10.1.1.2', { unicast: 0, evpn: 9 }),
        peer('leaf1', '10.1.0.1', { unicast: 0, evpn: 9, passesOn: true, reflects: true }),
        peer('leaf2', '10.1.0.1', { unicast: 0, evpn: 9, passesOn: true, reflects: true }),
      ],
    )
    expect(roles(found)).toEqual({ rr1: 'rr', leaf1: 'tor', leaf2: 'tor' })
    expect(found.nodes).toEqual([])
  })

  test('ToRs that share no node are no siblings', () => {
    const found = inferFabric(config(), CLOS.routers, [
      peer('tor1', '10.9.0.1'),
      peer('tor2', '10.9.0.2'),
    ])
    expect(pairs(found)).toMatchObject({ tor1: '', tor2: '' })
  })

  test('nothing seen, nothing inferred', () => {
    expect(inferFabric(config(), [], [])).toEqual({
      routers: [],
      peers: [],
      nodes: [],
      nodeKeys: [],
    })
  })
})

describe('with fabric.yaml', () => {
  test('a router is found by sysName, else source address, else BGP ID', () => {
    const given = config(`
routers:
  - { name: tor1, bgp_id: 10.0.1.9 }
  - { name: by-address, address: 192.0.2.1 }
  - { name: by-id, bgp_id: 10.0.1.3 }
`)
    const found = (fact: Partial<RouterFact>): string | undefined =>
      configuredRouter(given, router('x', { bgpIds: [], ...fact }))?.name
    expect(found({ router: 'tor1', address: '192.0.2.1' })).toBe('tor1')
    expect(found({ address: '192.0.2.1', bgpIds: ['10.0.1.3'] })).toBe('by-address')
    expect(found({ bgpIds: ['10.0.1.3'] })).toBe('by-id')
    expect(found({})).toBeUndefined()
  })

  test('its names are the names', () => {
    const found = inferFabric(
      config('routers: [{ name: rack1-a, bgp_id: 10.0.1.1, rack: r1 }]'),
      CLOS.routers,
      CLOS.peers,
    )
    expect(found.routers.find(({ router }) => router === 'tor1')?.name).toBe('rack1-a')
    expect(found.nodes[0]?.expected_tors).toEqual(['rack1-a', 'tor2'])
    expect(who(found)).toContainEqual(['spine1', '10.0.1.1', '', 'rack1-a'])
    expect(found.peers.find(({ router }) => router === 'tor1')?.router_name).toBe('rack1-a')
  })

  test('a router of the file is never a node, also when it exports no BMP', () => {
    const quiet = peer('tor1', '10.7.0.1', { address: '192.0.2.7' })
    const nodes = (text: string): number =>
      inferFabric(config(text), CLOS.routers, [quiet]).nodes.length
    expect(nodes('')).toBe(1)
    expect(nodes('routers: [{ name: lb1, bgp_id: 10.7.0.1 }]')).toBe(0)
    expect(nodes('routers: [{ name: lb1, address: 192.0.2.7 }]')).toBe(0)
  })

  test('nodes of the file are all the nodes there are: by BGP ID, address or an AS of their own', () => {
    const found = inferFabric(
      config(`
nodes:
  - { name: n1, bgp_ids: [10.9.0.1], expected_tors: [tor1] }
  - { name: n2, addresses: [10.8.0.2] }
  - { name: n3, asn: 65103 }
  - { name: n4, asn: 65104 }
  - { name: n5, asn: 65104 }
`),
      CLOS.routers,
      [
        peer('tor1', '10.9.0.1'),
        peer('tor2', '10.9.0.1'),
        peer('tor1', '10.9.0.2', { address: '10.8.0.2' }),
        peer('tor1', '10.9.0.3', { asn: 65103 }),
        peer('tor1', '10.9.0.4', { asn: 65104 }),
        peer('tor1', '10.9.0.9'),
      ],
    )
    expect(found.peers.map(({ node }) => node)).toEqual(['n1', 'n2', 'n3', '', '', 'n1'])
    const of = (name: string): object | undefined => found.nodes.find(({ node }) => node === name)
    // What the file says about ToRs is not widened by what is seen.
    expect(of('n1')).toMatchObject({ expected_tors: ['tor1'], source: 'configured' })
    expect(of('n3')).toMatchObject({ expected_tors: ['tor1'], bgp_ids: ['10.9.0.3'] })
    expect(found.nodes).toHaveLength(5)
  })

  test('a configured role is kept, and routers never seen are there without a name in the log', () => {
    const found = inferFabric(
      config('routers: [{ name: tor1, role: border }, { name: absent, role: leaf, rack: r9 }]'),
      CLOS.routers,
      CLOS.peers,
    )
    expect(roles(found)).toMatchObject({ tor1: 'border', absent: 'tor' })
    expect(found.routers.find(({ name }) => name === 'absent')).toMatchObject({ router: '' })
  })

  test('siblings: the pair of the file, else the rack, else shared nodes', () => {
    const of = (text: string): object => pairs(inferFabric(config(text), CLOS.routers, CLOS.peers))
    expect(of('routers: [{ name: tor1, pair: p1, rack: r1 }, { name: tor2, rack: r1 }]')).toEqual(
      expect.objectContaining({ tor1: 'p1', tor2: 'rack r1' }),
    )
  })

  test('policy is known when the file says something of it', () => {
    const found = inferFabric(
      config(
        'routers: [{ name: tor1, max_paths_ebgp: 2 }, { name: tor2, multipath_relax: false }]',
      ),
      CLOS.routers,
      [],
    )
    expect(found.routers.filter(({ policy_known }) => policy_known === 1)).toMatchObject([
      { name: 'tor1', max_paths_ebgp: 2, multipath_relax: 1 },
      { name: 'tor2', multipath_relax: 0 },
    ])
  })
})

describe('what names a node beside its own session', () => {
  const keysOf = (text: string, peers: PeerFact[] = []): string[] =>
    inferFabric(config(text), CLOS.routers, peers).nodeKeys.map(({ key, node }) => `${node} ${key}`)

  test('BGP IDs, addresses, and an AS number that nobody else has', () => {
    expect(
      keysOf(`
nodes:
  - { name: n1, bgp_ids: [10.9.0.1], addresses: [10.8.0.1], asn: 65101 }
  - { name: n2, asn: 65102 }
  - { name: n3, asn: 65102 }
  - { name: n4, asn: 65011 }
`),
    ).toEqual(['n1 id:10.9.0.1', 'n1 ip:10.8.0.1', 'n1 as:65101'])
  })

  test('inferred nodes too', () => {
    expect(keysOf('', [peer('tor1', '10.9.0.1', { asn: 65101 })])).toEqual([
      '10.9.0.1 id:10.9.0.1',
      '10.9.0.1 as:65101',
    ])
  })
})
