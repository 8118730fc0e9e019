import type { BmpPeer } from '../encode/bmp.ts'
import type { Scenario } from '../scenario.ts'
import { T1, T1_NODES, V1, V2, withV1On, type T1Node } from '../topology/t1.ts'

export const A16: Scenario = {
  id: 'A16',
  topology: 'T1',
  summary:
    "tor1a's pre-policy view says withdrawn for whatever is announced (FRR without soft-reconfiguration)",
  expectation: 'VIEW_UNTRUSTED tor1a adj_in_pre; nothing about VIPs',
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n1', 'n2') })
    stage.fabric.router('tor1a').feed.render = (changes, { view, dump }) => {
      if (view !== 'pre') return changes
      return dump ? [] : changes.map(({ nlri }) => ({ nlri, attrs: null }))
    }
    for (const [index, name] of ['n1', 'n2', 'n1', 'n2', 'n1', 'n2'].entries()) {
      stage.at(60 + index * 10, `${name} announces v1 again, unchanged`, () => {
        stage.fabric.node(name).announce([t1.vip(name, V1)])
      })
    }
    stage.lasts = 240
    stage.expect({
      kind: 'VIEW_UNTRUSTED',
      scope: { router: 'tor1a', rib: 'adj_in_pre' },
    })
    for (const kind of [
      'VIP_FLAP',
      'VIP_OUTAGE',
      'ECMP_SIBLING_DIFF',
      'ECMP_FANOUT_MISSING',
      'POLICY_FLAP',
    ]) {
      stage.mustNot({ kind })
    }
  },
}

/** rack 1 speaks BGP unnumbered: link-local peers, IPv4 routes without any next hop. */
const UNNUMBERED: readonly T1Node[] = [
  { name: 'n1', rack: 1, vips: [V1, V2], links: ['fe80::a1'] },
  { name: 'n2', rack: 1, vips: [V1], links: ['fe80::a2'] },
  { name: 'n3', rack: 1, vips: [V1], links: ['fe80::a3'] },
  { name: 'n4', rack: 2, vips: [V2] },
]
const NO_NEXT_HOPS = { n1: { nextHop: '' }, n2: { nextHop: '' }, n3: { nextHop: '' } }

export const A17: Scenario = {
  id: 'A17',
  topology: 'T1',
  summary:
    'unnumbered: the link n1-tor1a goes down (Peer Down from 0.0.0.0) and up (Peer Down with BGP ID 0.0.0.0, then Peer Up)',
  expectation: 'n1 on tor1a is down exactly once and up once',
  build: (stage) => {
    new T1(stage.fabric, { nodes: UNNUMBERED, attrs: NO_NEXT_HOPS })
    const n1 = stage.fabric.node('n1')
    const session = n1.session('tor1a')
    const { feed } = session.router
    stage.at(100, 'link down: the Peer Down names no address', () => {
      const nameless: BmpPeer = { ...session.bmpPeer, address: '0.0.0.0' }
      feed.peerDownAs(nameless, { reason: 2, fsmEvent: 18 })
      n1.disconnect('tor1a', 'silently')
    })
    stage.at(160, 'link up: a second Peer Down without BGP ID, then the session is back', () => {
      feed.peerDownAs({ ...session.bmpPeer, bgpId: '0.0.0.0' }, { reason: 2, fsmEvent: 18 })
      stage.sim.after(1_200_000, () => {
        n1.connect('tor1a')
      })
    })
    stage.lasts = 260
    stage.expect({ kind: 'PEER_DOWN', scope: { router: 'tor1a' }, status: 'resolved' })
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' }, { kind: 'NODE_DOWN' })
  },
}

export const A18: Scenario = {
  id: 'A18',
  topology: 'T1',
  summary:
    'n1 withdraws v1 for 0.4 s: both have the same BMP timestamp, and a later message has an older one',
  expectation: 'nothing: order is the order of arrival',
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n1', 'n2') })
    const n1 = stage.fabric.node('n1')
    let late = 0
    for (const tor of ['tor1a', 'tor1b']) {
      stage.fabric.router(tor).feed.stamp = (us) => Math.floor(us / 1e6) * 1e6 - late
    }
    stage.at(100.1, 'n1 withdraws v1', () => {
      n1.withdraw([t1.vip('n1', V1)])
    })
    stage.at(100.5, 'n1 announces v1', () => {
      n1.announce([t1.vip('n1', V1)])
    })
    stage.at(130, 'n1 announces v1 unchanged, stamped two minutes ago', () => {
      late = 120e6
      n1.announce([t1.vip('n1', V1)])
      stage.sim.after(1_000_000, () => {
        late = 0
      })
    })
    stage.quiet()
  },
}

export const A24: Scenario = {
  id: 'A24',
  topology: 'T1',
  summary:
    'v1 flaps 10 times in 300 ms: BMP shows one message, the statistics ten withdrawals more',
  expectation: 'at most a note undercount_suspected on v1; never 20 flaps',
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n1', 'n2') })
    const n1 = stage.fabric.node('n1')
    stage.at(100.3, 'what is left of 20 transitions: v1 announced, unchanged', () => {
      for (const session of n1.sessions) session.duplicateWithdrawals += 10
      n1.announce([t1.vip('n1', V1)])
    })
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' })
  },
}

export const A25: Scenario = {
  id: 'A25',
  topology: 'T1',
  summary:
    'n1 gets v1 on lo (ORIGIN incomplete), two seconds later its network statement (IGP), and loses it at 120 s',
  expectation: 'NEW, AAATTR, AW: no flap',
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n2') })
    const n1 = stage.fabric.node('n1')
    stage.at(60, 'n1 announces v1, ORIGIN incomplete', () => {
      n1.announce([t1.vip('n1', V1, { origin: 2 })])
    })
    stage.at(62, 'n1 announces v1, ORIGIN IGP', () => {
      n1.announce([t1.vip('n1', V1)])
    })
    stage.at(120, 'n1 withdraws v1', () => {
      n1.withdraw([t1.vip('n1', V1)])
    })
    stage.lasts = 200
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' })
  },
}

export const B15: Scenario = {
  id: 'B15',
  topology: 'T1',
  summary: 'BGP unnumbered: v1 from n1, n2 and n3 with neither NEXT_HOP nor MP_REACH_NLRI',
  expectation: 'three members by peer identity; nothing',
  build: (stage) => {
    new T1(stage.fabric, { nodes: UNNUMBERED, attrs: NO_NEXT_HOPS })
    stage.lasts = 200
    stage.quiet()
  },
}

export const B16: Scenario = {
  id: 'B16',
  topology: 'T1',
  summary: 'n1 and n2 have the same link-local address on tor1a and tor1b; their BGP IDs differ',
  expectation: 'two members; nothing',
  build: (stage) => {
    const links = ['fe80::1']
    new T1(stage.fabric, {
      nodes: [
        { name: 'n1', rack: 1, vips: [V1], links },
        { name: 'n2', rack: 1, vips: [V1], links },
      ],
      attrs: { n1: { nextHop: '' }, n2: { nextHop: '' } },
    })
    stage.lasts = 200
    stage.quiet()
  },
}

export const B17: Scenario = {
  id: 'B17',
  topology: 'T1',
  summary: 'n1 has two parallel sessions to each ToR; n4 in rack 2 has one',
  expectation: 'n1 is one member: shares 1/2 and 1/2, nothing',
  build: (stage) => {
    new T1(stage.fabric, {
      nodes: T1_NODES.filter(({ name }) => name === 'n1' || name === 'n4').map((node) => ({
        ...node,
        vips: [V1],
        ...(node.name === 'n1' ? { links: ['10.10.18.1', '10.10.18.3'] } : {}),
      })),
    })
    stage.lasts = 200
    stage.mustNot({ kind: 'ECMP_UNEQUAL_SPLIT' }, { kind: 'ECMP_SIBLING_DIFF' })
  },
}

export const B19: Scenario = {
  id: 'B19',
  topology: 'T1',
  summary: 'spine1 puts its own AS in front of AS_PATH in BMP, as FRR does; spine2 does not',
  expectation: 'equal after stripping it: nothing',
  build: (stage) => {
    new T1(stage.fabric, { nodes: withV1On('n1', 'n4') })
    stage.fabric.router('spine1').feed.render = (changes, { session }) =>
      changes.map(({ nlri, attrs }) => ({
        nlri,
        attrs: attrs && { ...attrs, asPath: [session.localAsn, ...attrs.asPath] },
      }))
    stage.lasts = 200
    stage.quiet()
  },
}
