import type { PeerDownReason } from '../encode/bmp.ts'
import { encodeNotification } from '../encode/open.ts'
import type { Scenario, Stage } from '../scenario.ts'
import { T1, T1_NODES, V1, withV1On } from '../topology/t1.ts'

/** CEASE 6/10, BFD Down (RFC 9384), noticed by the router itself. */
const BFD_DOWN: PeerDownReason = { reason: 1, notification: encodeNotification(6, 10) }
/** CEASE 6/6, Other Configuration Change, sent by the peer. */
const CONFIG_CHANGE: PeerDownReason = { reason: 3, notification: encodeNotification(6, 6) }
const HOLD_TIMER: PeerDownReason = { reason: 1, notification: encodeNotification(4, 0) }

export const A08: Scenario = {
  id: 'A08',
  topology: 'T1',
  summary: "n1's session to tor1a goes down by BFD for 5 s, three times; n1 has 20 VIPs",
  expectation: 'one incident LINK_BFD_ONE_TOR (n1, tor1a) with 20 VIPs, minor',
  parameters: { flaps: 3, period: 60 },
  build: (stage) => {
    const vips = Array.from({ length: 20 }, (_, i) => `10.10.21.${100 + i}/32`)
    new T1(stage.fabric, {
      nodes: T1_NODES.map((node) => ({ ...node, vips: node.name === 'n1' ? vips : [] })),
    })
    const n1 = stage.fabric.node('n1')
    const flaps = stage.parameter('flaps')
    const period = stage.parameter('period')
    for (let i = 0; i < flaps; i++) {
      const t = 100 + i * period
      stage.at(t, 'tor1a: BFD to n1 down', () => {
        n1.disconnect('tor1a', BFD_DOWN)
      })
      stage.at(t + 5, 'n1 is back on tor1a', () => {
        n1.connect('tor1a')
      })
    }
    stage.lasts = 100 + flaps * period + 30
    for (const vip of vips) {
      stage.expect({
        kind: 'VIP_FLAP',
        severity: 'minor',
        cause: 'LINK_BFD_ONE_TOR',
        scope: { vip, node: 'n1' },
        metrics: { flaps, tors_down: ['tor1a'] },
      })
    }
    stage.mustNot({ kind: 'VIP_OUTAGE' }, { kind: 'NODE_DOWN' })
    stage.truth.max_incidents = 1
  },
}

export const A10: Scenario = {
  id: 'A10',
  topology: 'T1',
  summary:
    'tor1a reboots: its BMP is lost, the spines see BFD down, everything via tor1a is gone for 90 s',
  expectation: 'ROUTER_DOWN tor1a, one incident TOR_RESTART; no flap per VIP, no NODE_DOWN',
  build: (stage) => {
    const { fabric } = stage
    new T1(fabric, { nodes: withV1On('n1', 'n2') })
    const nodes = ['n1', 'n2', 'n3']
    stage.at(100, 'tor1a dies', () => {
      fabric.router('tor1a').feed.disconnect('rst')
      for (const node of nodes) fabric.node(node).disconnect('tor1a', { reason: 5 })
    })
    stage.at(100.3, 'the spines notice by BFD', () => {
      for (const spine of ['spine1', 'spine2']) fabric.linkDown('tor1a', spine, BFD_DOWN)
    })
    stage.at(108, 'the reflectors notice by hold timer', () => {
      for (const reflector of ['rr1', 'rr2']) fabric.linkDown('tor1a', reflector, HOLD_TIMER)
    })
    stage.at(190, 'tor1a is back', () => {
      for (const other of ['spine1', 'spine2', 'rr1', 'rr2']) fabric.linkUp('tor1a', other)
      for (const node of nodes) fabric.node(node).connect('tor1a')
    })
    stage.at(195, "tor1a's BMP is back", () => {
      fabric.router('tor1a').feed.connect()
    })
    stage.lasts = 280
    stage.expect({ kind: 'ROUTER_DOWN', scope: { router: 'tor1a' } })
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' }, { kind: 'NODE_DOWN' })
    stage.truth.max_incidents = 1
  },
}

export const A15: Scenario = {
  id: 'A15',
  topology: 'T1',
  summary:
    "a Service is created: every node's speaker reloads within 3 s and resets all its sessions, three times in 15 min",
  expectation:
    'NODE_DOWN of each node with cause CLUSTER_SPEAKER_RELOAD, one incident; not a NODE_FLAP for each',
  parameters: { flaps: 3, period: 300 },
  build: (stage) => {
    new T1(stage.fabric, { nodes: withV1On('n1', 'n2', 'n4') })
    const flaps = stage.parameter('flaps')
    const period = stage.parameter('period')
    for (let i = 0; i < flaps; i++) {
      let t = 100 + i * period
      for (const node of stage.fabric.nodes.values()) {
        const tors = node.sessions.map(({ router }) => router.name)
        stage.at(t, `${node.name} resets its sessions (6/6)`, () => {
          for (const tor of tors) node.disconnect(tor, CONFIG_CHANGE)
        })
        stage.at(t + 1.5, `${node.name} is back`, () => {
          for (const tor of tors) node.connect(tor)
        })
        t = Math.round((t + 0.4) * 10) / 10
      }
    }
    stage.lasts = 100 + flaps * period
    // Not VIP_FLAP: three flaps 300 s apart have a penalty of 1750 at most, below the threshold (A.5).
    for (const node of stage.fabric.nodes.keys()) {
      stage.expect({ kind: 'NODE_DOWN', cause: 'CLUSTER_SPEAKER_RELOAD', scope: { node } })
    }
    stage.truth.max_incidents = 1
  },
}

export const A19: Scenario = {
  id: 'A19',
  topology: 'T1',
  summary:
    "n1's session to tor1a breaks three times; like GoBGP, tor1a withdraws post-policy before the Peer Down",
  expectation: 'the withdrawals have cause peer_down: VIP_FLAP with cause LINK_ONE_TOR',
  parameters: { flaps: 3, period: 60 },
  build: (stage) => {
    new T1(stage.fabric)
    const n1 = stage.fabric.node('n1')
    const session = n1.session('tor1a')
    const flaps = stage.parameter('flaps')
    const period = stage.parameter('period')
    for (let i = 0; i < flaps; i++) {
      const t = 100 + i * period
      stage.at(t, 'n1 closes its session to tor1a', () => {
        const gone = [...session.post.values()].map(({ nlri }) => ({ nlri, attrs: null }))
        session.router.feed.changes(session, 'post', gone)
        n1.disconnect('tor1a', { reason: 4 })
      })
      stage.at(t + 15, 'n1 is back on tor1a', () => {
        n1.connect('tor1a')
      })
    }
    stage.lasts = 100 + flaps * period + 30
    stage.expect({
      kind: 'VIP_FLAP',
      cause: 'LINK_ONE_TOR',
      scope: { vip: V1, node: 'n1' },
      metrics: { flaps, tors_down: ['tor1a'] },
    })
    stage.mustNot({ kind: 'VIP_OUTAGE' }, { kind: 'POLICY_FLAP' })
  },
}

/** n1's speaker dies at second 100; both ToRs keep its routes for the 120 s of graceful restart. */
function restartGracefully(stage: Stage): void {
  new T1(stage.fabric, {
    nodes: withV1On('n1', 'n2').map((node) => ({ ...node, gracefulRestart: 120 })),
  })
  const n1 = stage.fabric.node('n1')
  stage.at(100, "n1's speaker dies; routes are kept as stale", () => {
    for (const tor of ['tor1a', 'tor1b']) n1.disconnect(tor, { reason: 4 }, true)
  })
}

export const A20: Scenario = {
  id: 'A20',
  topology: 'T1',
  summary: "n1's speaker restarts gracefully (120 s) and is back after 20 s with the same routes",
  expectation: 'no flap: stale for 20 s only',
  build: (stage) => {
    restartGracefully(stage)
    stage.at(120, 'n1 is back, announces the same routes, End-of-RIB', () => {
      for (const tor of ['tor1a', 'tor1b']) stage.fabric.node('n1').connect(tor)
    })
    stage.lasts = 260
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' }, { kind: 'GR_STALE_VIP' })
  },
}

export const A21: Scenario = {
  id: 'A21',
  topology: 'T1',
  summary: "n1's speaker does not come back within its 120 s of graceful restart",
  expectation: 'GR_STALE_VIP after 60 s; withdrawn at 125 s by gr_expired; no flap before',
  build: (stage) => {
    restartGracefully(stage)
    stage.at(220, 'the ToRs flush what n1 left', () => {
      for (const session of stage.fabric.node('n1').sessions) session.router.flush(session)
    })
    stage.lasts = 300
    stage.expect({ kind: 'GR_STALE_VIP', scope: { vip: V1 }, opened_between: [155, 170] })
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' })
  },
}
