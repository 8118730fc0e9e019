import { encodeNotification } from '../encode/open.ts'
import type { Scenario } from '../scenario.ts'
import { T1, T1_NODES, V1, V2, V3, withV1On, type T1Node } from '../topology/t1.ts'
import { flapV1 } from './flap-common.ts'

const HOLD_TIMER_EXPIRED = encodeNotification(4, 0)
const ON_BOTH_SKEWED = { skewUs: 800_000 }

export const A01: Scenario = {
  id: 'A01',
  topology: 'T1',
  summary:
    'v1 from n1 only goes for 5 s four times, on tor1b 0.8 s later; reflectors explore two paths',
  expectation: 'VIP_FLAP critical, flaps 4; VIP_OUTAGE 4 x 4.2 s; cause SERVICE_ENDPOINT_ON_NODE',
  parameters: { flaps: 4, period: 60 },
  build: (stage) => {
    const t1 = new T1(stage.fabric)
    const { flaps, longest, peak } = flapV1(stage, t1)
    stage.expect(
      {
        kind: 'VIP_FLAP',
        severity: 'critical',
        cause: 'SERVICE_ENDPOINT_ON_NODE',
        confidence: 'high',
        scope: { vip: V1, node: 'n1' },
        metrics: { flaps, n_alive: 0, n_expected: 1 },
        peak: { penalty: { between: [peak - 5, peak + 5] } },
      },
      {
        kind: 'VIP_OUTAGE',
        severity: 'critical',
        scope: { vip: V1 },
        metrics: {
          outages: flaps,
          longest_s: { between: [longest - 0.05, longest + 0.05] },
          total_s: { between: [flaps * longest - 0.1, flaps * longest + 0.1] },
        },
      },
    )
    stage.mustNot({ kind: 'FABRIC_PATH_CHURN' }, { kind: 'VIP_FLAP', scope: { vip: V2 } })
  },
}

export const A02: Scenario = {
  id: 'A02',
  topology: 'T1',
  summary: 'as A01, but n2 and n3 announce v1 all the time',
  expectation: 'VIP_FLAP minor, flaps 4, 2 of 3 nodes alive while it is down; no VIP_OUTAGE',
  parameters: { flaps: 4, period: 60 },
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n1', 'n2', 'n3') })
    const { flaps } = flapV1(stage, t1)
    stage.expect({
      kind: 'VIP_FLAP',
      severity: 'minor',
      scope: { vip: V1, node: 'n1' },
      metrics: { flaps, n_alive: 2, n_expected: 3 },
    })
    stage.mustNot({ kind: 'VIP_OUTAGE' }, { kind: 'FABRIC_PATH_CHURN' })
  },
}

export const A03: Scenario = {
  id: 'A03',
  topology: 'T1',
  summary: 'n1 withdraws v1 once for 5 s; n2 announces it too',
  expectation: 'nothing',
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n1', 'n2') })
    const n1 = stage.fabric.node('n1')
    stage.at(100, 'n1 withdraws v1', () => {
      n1.withdraw([t1.vip('n1', V1)], ON_BOTH_SKEWED)
    })
    stage.at(105, 'n1 announces v1', () => {
      n1.announce([t1.vip('n1', V1)], ON_BOTH_SKEWED)
    })
    stage.quiet()
  },
}

export const A04: Scenario = {
  id: 'A04',
  topology: 'T1',
  summary: 'n1 withdraws v1 for 5 s every 600 s for 24 h; n2 announces it too',
  expectation:
    'VIP_FLAP_CHRONIC: minor after 6 episodes in 3 distinct hours, major after 24; no VIP_FLAP',
  parameters: { flaps: 144, period: 600 },
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n1', 'n2') })
    stage.statistics = 600
    const { flaps } = flapV1(stage, t1)
    if (flaps >= 24) {
      stage.expect({ kind: 'VIP_FLAP_CHRONIC', severity: 'major', scope: { vip: V1, node: 'n1' } })
    }
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' })
  },
}

export const A05: Scenario = {
  id: 'A05',
  topology: 'T1',
  summary: 'n1 announces v1 a hundred times unchanged, then a route refresh sends everything again',
  expectation: 'nothing',
  parameters: { flaps: 100 },
  build: (stage) => {
    const t1 = new T1(stage.fabric)
    const count = stage.parameter('flaps')
    const n1 = stage.fabric.node('n1')
    for (let i = 0; i < count; i++) {
      stage.at(60 + i, 'n1 announces v1 again, unchanged', () => {
        n1.announce([t1.vip('n1', V1)])
      })
    }
    stage.at(70 + count, 'route refresh on tor1a and tor1b', () => {
      for (const tor of ['tor1a', 'tor1b']) n1.refresh(tor)
    })
    stage.lasts = count + 120
    stage.quiet()
  },
}

export const A09: Scenario = {
  id: 'A09',
  topology: 'T1',
  summary:
    'n1 is killed three times: tor1a sees the connection close, tor1b its hold timer 3 s later; back after 30 s',
  expectation: 'VIP_FLAP of n1, cause NODE_FLAP, flaps 3, one incident; NODE_DOWN n1',
  parameters: { flaps: 3, period: 90 },
  build: (stage) => {
    const nodes: T1Node[] = T1_NODES.map((node) =>
      node.name === 'n1' ? node : { ...node, vips: node.name === 'n4' ? [V1, V2, V3] : [] },
    )
    new T1(stage.fabric, { nodes })
    const n1 = stage.fabric.node('n1')
    const flaps = stage.parameter('flaps')
    const period = stage.parameter('period')
    for (let i = 0; i < flaps; i++) {
      const t = 100 + i * period
      stage.at(t, 'n1 is killed: tor1a sees its connection close', () => {
        n1.disconnect('tor1a', { reason: 4 })
      })
      stage.at(t + 3, 'tor1b: hold timer of n1 expired', () => {
        n1.disconnect('tor1b', { reason: 1, notification: HOLD_TIMER_EXPIRED })
      })
      stage.at(t + 30, 'n1 is back', () => {
        n1.connect('tor1a')
        stage.sim.after(250_000, () => {
          n1.connect('tor1b')
        })
      })
    }
    stage.lasts = 100 + flaps * period + 60
    stage.expect(
      {
        kind: 'VIP_FLAP',
        cause: 'NODE_FLAP',
        scope: { vip: V1, node: 'n1' },
        metrics: { flaps },
      },
      { kind: 'NODE_DOWN', scope: { node: 'n1' }, metrics: { tors: ['tor1a', 'tor1b'] } },
    )
    stage.mustNot({ kind: 'VIP_OUTAGE' }, { kind: 'PEER_DOWN', scope: { node: 'n1' } })
    stage.truth.max_incidents = 1
  },
}
