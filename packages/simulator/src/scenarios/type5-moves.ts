import { unicast } from '../model/routes.ts'
import type { Scenario } from '../scenario.ts'
import { ANYCAST, LEAVES, mac, T2, type Leaf } from '../topology/t2.ts'
import { V1 } from '../topology/t1.ts'
import { healthyWorker, host } from './type5-common.ts'

const NODE7 = '10.10.19.17'
const NODE7_PODS = '10.10.20.0/26'

export const A28: Scenario = {
  id: 'A28',
  topology: 'T2',
  summary: 'v1 as RT-5 from leaf24 goes for 5 s four times; leaf25 announces it all the time',
  expectation: 'the flap is of w41 at leaf24 alone; no VIP_OUTAGE',
  parameters: { flaps: 4, period: 60 },
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const route = (node: string): ReturnType<typeof unicast> => {
      const { asn, address } = stage.fabric.node(node).speaker
      return unicast(V1, { origin: 0, asPath: [asn], nextHop: address })
    }
    t2.before(() => {
      for (const [node, leaf] of [
        ['w41', 'leaf24'],
        ['w42', 'leaf25'],
      ] as const) {
        stage.fabric.node(node).announce([route(node)])
        t2.announcePrefix(leaf, { prefix: V1 })
      }
    })
    const flaps = stage.parameter('flaps')
    const period = stage.parameter('period')
    for (let i = 0; i < flaps; i++) {
      const t = 100 + i * period
      stage.at(t, 'w41 withdraws v1, and leaf24 its RT-5', () => {
        stage.fabric.node('w41').withdraw([route('w41')])
        t2.withdrawPrefix('leaf24', { prefix: V1 })
      })
      stage.at(t + 5, 'w41 announces v1', () => {
        stage.fabric.node('w41').announce([route('w41')])
        t2.announcePrefix('leaf24', { prefix: V1 })
      })
    }
    stage.fabric.inventory.vips.push({
      prefix: V1,
      service: 'shop',
      mode: 'active_active',
      expected_nodes: ['w41', 'w42'],
    })
    stage.lasts = 100 + flaps * period + 20
    stage.expect({ kind: 'VIP_FLAP', scope: { vip: V1, node: 'w41' }, metrics: { flaps } })
    stage.mustNot({ kind: 'VIP_OUTAGE' }, { kind: 'VIP_FLAP', scope: { node: 'w42' } })
  },
}

export const C12: Scenario = {
  id: 'C12',
  topology: 'T2',
  summary: 'node7 moves from leaf11 to leaf23; leaf11 keeps its /32 RT-5 for 16 min',
  expectation:
    'T5_HOST_ROUTE_CONFLICT after 60 s, T5_STALE_AFTER_MOVE, critical after 15 min; not for VIPs',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const prefix = `${NODE7}/32`
    t2.before(() => {
      t2.announceHost('leaf11', host(NODE7, 3))
      t2.announcePrefix('leaf11', { prefix })
      t2.announcePrefix('leaf24', { prefix: V1 })
    })
    stage.at(60, 'node7 is at leaf23, sequence 4', () => {
      t2.announceHost('leaf23', host(NODE7, 4))
    })
    stage.at(60.4, 'leaf11 takes its RT-2 back, and keeps the RT-5', () => {
      t2.withdrawHost('leaf11', host(NODE7, 3))
    })
    stage.lasts = 1_020
    stage.expect({
      kind: 'T5_STALE_AFTER_MOVE',
      severity: 'critical',
      scope: { prefix },
      note: 'T5_HOST_ROUTE_CONFLICT before, or beside it',
    })
    stage.mustNot({ kind: 'T5_HOST_ROUTE_CONFLICT', scope: { prefix: V1 } })
  },
}

export const C14: Scenario = {
  id: 'C14',
  topology: 'T2',
  summary:
    "v1 is announced by leaf11 with the pair's anycast next hop; only leaf11 has the worker's session",
  expectation: 'T5_PAIR_ATTRACT, wrong member with probability 0.5',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const ip = '10.10.19.18'
    t2.worker('node18', ip, ['leaf11'], [V1])
    t2.before(() => {
      for (const leaf of ['leaf11', 'leaf12'] as const) {
        t2.announceHost(leaf, { ...host(ip), nextHop: ANYCAST })
      }
      t2.announcePrefix('leaf11', { prefix: V1, nextHop: ANYCAST })
    })
    stage.expect({ kind: 'T5_PAIR_ATTRACT', severity: 'major', scope: { prefix: V1 } })
    stage.mustNot({ kind: 'T5_TROMBONE' })
  },
}

export const C23: Scenario = {
  id: 'C23',
  topology: 'T2',
  summary: 'v1 is announced by leaf24, whose workers for it are behind leaf24 and leaf25',
  expectation: 'T5_PARTIAL_TROMBONE, share 0.5; no T5_TROMBONE',
  build: (stage) => {
    const t2 = new T2(stage.fabric, { background: false })
    for (const [name, ip, leaf] of [
      ['w46', '10.10.19.46', 'leaf24'],
      ['w47', '10.10.19.47', 'leaf25'],
    ] as const) {
      t2.worker(name, ip, ['leaf24'], [V1])
      t2.before(() => {
        t2.announceHost(leaf, host(ip))
      })
    }
    t2.before(() => {
      t2.announcePrefix('leaf24', { prefix: V1 })
    })
    stage.expect({ kind: 'T5_PARTIAL_TROMBONE', scope: { prefix: V1 } })
    stage.mustNot({ kind: 'T5_TROMBONE' })
  },
}

export const C25: Scenario = {
  id: 'C25',
  topology: 'T2',
  summary:
    "every leaf announces the subnet's anycast gateway as RT-2 with the Default Gateway community",
  expectation: 'nothing',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const gateway = { ip: '10.10.19.1', mac: '02:00:00:00:19:01', defaultGateway: true }
    t2.before(() => {
      for (const leaf of LEAVES) t2.announceHost(leaf, gateway)
    })
    stage.at(60, 'leaf23 announces it again', () => {
      t2.withdrawHost('leaf23', gateway)
      t2.announceHost('leaf23', gateway)
    })
    stage.quiet()
  },
}

export const C26: Scenario = {
  id: 'C26',
  topology: 'T2',
  summary: "node7's MAC jumps between leaf23 and leaf24, six times in 120 s",
  expectation: 'MAC_DUP and NODE_PINGPONG; not six T5_TROMBONE',
  parameters: { flaps: 6, period: 20 },
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    healthyWorker(t2, 'node7', NODE7, 'leaf23', NODE7_PODS)
    const moves = stage.parameter('flaps')
    const period = stage.parameter('period')
    for (let move = 1; move <= moves; move++) {
      const [from, to]: [Leaf, Leaf] = move % 2 === 1 ? ['leaf23', 'leaf24'] : ['leaf24', 'leaf23']
      const t = 60 + (move - 1) * period
      stage.at(t, `node7 appears at ${to}, sequence ${move}`, () => {
        t2.announceHost(to, host(NODE7, move))
      })
      stage.at(t + 0.3, `${from} takes its RT-2 back`, () => {
        t2.withdrawHost(from, host(NODE7, move - 1))
      })
    }
    stage.lasts = 60 + moves * period + 60
    stage.expect(
      { kind: 'MAC_DUP', scope: { mac: mac(17) }, metrics: { moves } },
      { kind: 'NODE_PINGPONG', scope: { node: 'node7' } },
    )
    stage.mustNot({ kind: 'T5_TROMBONE' })
  },
}
