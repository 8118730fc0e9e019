import type { Scenario } from '../scenario.ts'
import { T1, V1, V1_V6, V2, withV1On, type T1Node } from '../topology/t1.ts'
import { flapV1 } from './flap-common.ts'

const BALANCED: readonly T1Node[] = [
  { name: 'n1', rack: 1, vips: [V1, V2] },
  { name: 'n2', rack: 1, vips: [V1] },
  { name: 'n4', rack: 2, vips: [V1, V2] },
  { name: 'n5', rack: 2, vips: [V1] },
]

const ONE_RACK: readonly T1Node[] = [
  { name: 'n1', rack: 1, vips: [V1, V2] },
  { name: 'n2', rack: 1, vips: [V1, V2] },
  { name: 'n3', rack: 1, vips: [V1, V2] },
]

export const A22: Scenario = {
  id: 'A22',
  topology: 'T1',
  summary: 'the link spine1-tor2a goes down for 5 s four times; nodes and their sessions are fine',
  expectation: 'FABRIC_PATH_CHURN (spine1, tor2a); no VIP_FLAP',
  parameters: { flaps: 4, period: 60 },
  build: (stage) => {
    new T1(stage.fabric, { nodes: withV1On('n4') })
    const flaps = stage.parameter('flaps')
    const period = stage.parameter('period')
    for (let i = 0; i < flaps; i++) {
      const t = 100 + i * period
      stage.at(t, 'link spine1-tor2a down', () => {
        stage.fabric.linkDown('spine1', 'tor2a')
      })
      stage.at(t + 5, 'link spine1-tor2a up', () => {
        stage.fabric.linkUp('spine1', 'tor2a')
      })
    }
    stage.lasts = 100 + flaps * period + 60
    stage.expect({ kind: 'FABRIC_PATH_CHURN', scope: { vip: V1 } })
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' })
  },
}

export const A23: Scenario = {
  id: 'A23',
  topology: 'T1',
  summary: "tor1a's import policy drops v1 from n1 for 5 s, five times; pre-policy is stable",
  expectation: 'POLICY_FLAP tor1a; no VIP_FLAP of n1',
  parameters: { flaps: 5, period: 60 },
  build: (stage) => {
    new T1(stage.fabric, { nodes: withV1On('n1', 'n2') })
    const tor = stage.fabric.router('tor1a')
    const session = tor.session('n1')
    let open = true
    tor.policy = {
      ...tor.policy,
      import: (from, nlri, attrs) =>
        !open && from === session && nlri.family === 'ipv4' && nlri.prefix === V1 ? null : attrs,
    }
    const toggle = (to: boolean): void => {
      open = to
      tor.reapplyPolicy(session)
    }
    const flaps = stage.parameter('flaps')
    const period = stage.parameter('period')
    for (let i = 0; i < flaps; i++) {
      const t = 100 + i * period
      stage.at(t, 'tor1a rejects v1 from n1', () => {
        toggle(false)
      })
      stage.at(t + 5, 'tor1a accepts v1 from n1', () => {
        toggle(true)
      })
    }
    stage.lasts = 100 + flaps * period + 30
    stage.expect({ kind: 'POLICY_FLAP', scope: { tor: 'tor1a' } })
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' })
  },
}

export const A27: Scenario = {
  id: 'A27',
  topology: 'T1',
  summary:
    "v1 is on n1 of rack 1, whose ToRs export no BMP; the reflectors' paths go and come four times",
  expectation: 'VIP_FLAP with confidence medium',
  parameters: { flaps: 4, period: 60 },
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n1') })
    for (const tor of ['tor1a', 'tor1b']) stage.fabric.silent.add(tor)
    const { flaps } = flapV1(stage, t1)
    stage.expect({ kind: 'VIP_FLAP', confidence: 'medium', scope: { vip: V1 }, metrics: { flaps } })
  },
}

/** v1 on all three nodes of rack 1, with something about their attributes. */
export const B07: Scenario = {
  id: 'B07',
  topology: 'T1',
  summary: 'n2 redistributes v1 (ORIGIN incomplete), n1 and n3 have a network statement (IGP)',
  expectation: 'MULTIPATH_EXCLUDED ORIGIN for n2 on tor1a and tor1b; no ECMP_SIBLING_DIFF',
  build: (stage) => {
    new T1(stage.fabric, { nodes: ONE_RACK, attrs: { n2: { origin: 2 } } })
    stage.lasts = 200
    stage.expect({ kind: 'MULTIPATH_EXCLUDED', sub_kind: 'ORIGIN', scope: { vip: V1 } })
    stage.mustNot({ kind: 'ECMP_SIBLING_DIFF' }, { kind: 'ECMP_FANOUT_MISSING' })
  },
}

export const B08: Scenario = {
  id: 'B08',
  topology: 'T1',
  summary: 'tor1a has no multipath-relax, and every node an AS of its own',
  expectation: 'MULTIPATH_EXCLUDED AS_PATH_CONTENT on tor1a: it uses one of three',
  build: (stage) => {
    new T1(stage.fabric, { nodes: ONE_RACK, routers: { tor1a: { multipath_relax: false } } })
    stage.lasts = 200
    stage.expect({ kind: 'MULTIPATH_EXCLUDED', sub_kind: 'AS_PATH_CONTENT', scope: { vip: V1 } })
    stage.mustNot({ kind: 'ECMP_SIBLING_DIFF' })
  },
}

export const B09: Scenario = {
  id: 'B09',
  topology: 'T1',
  summary: 'the nodes announce v1 with the metric of their kernel route: MED 0, 20 and 1024',
  expectation: 'MULTIPATH_EXCLUDED MED for n2 and n3',
  build: (stage) => {
    // Different neighbour AS: MED counts only because the ToRs always compare it.
    const compares = { always_compare_med: true }
    new T1(stage.fabric, {
      nodes: ONE_RACK,
      attrs: { n1: { med: 0 }, n2: { med: 20 }, n3: { med: 1024 } },
      routers: { tor1a: compares, tor1b: compares },
    })
    stage.lasts = 200
    stage.expect({ kind: 'MULTIPATH_EXCLUDED', sub_kind: 'MED', scope: { vip: V1 } })
    stage.mustNot({ kind: 'ECMP_SIBLING_DIFF' })
  },
}

export const B10: Scenario = {
  id: 'B10',
  topology: 'T1',
  summary: 'border1 exports its Loc-RIB only, best paths without ADD-PATH; v1 has four origins',
  expectation: 'ECMP_VISIBILITY_GAP border1 info; no width claimed',
  build: (stage) => {
    new T1(stage.fabric, { nodes: BALANCED })
    const { feed } = stage.fabric.router('border1')
    feed.views = []
    for (const session of stage.fabric.router('border1').sessions) session.monitored = false
    feed.exportLocRib({ addPath: false, maxPaths: 1 })
    stage.lasts = 200
    stage.expect({ kind: 'ECMP_VISIBILITY_GAP', severity: 'info', scope: { router: 'border1' } })
    stage.mustNot({ kind: 'ECMP_UNEQUAL_SPLIT' }, { kind: 'MAX_PATHS_TRUNCATED' })
  },
}

export const B11: Scenario = {
  id: 'B11',
  topology: 'T1',
  summary: "tor1b rejects n2's v1 on import: pre has n1, n2, n3, post lacks n2",
  expectation: 'POLICY_DROP n2@tor1b; not ECMP_FANOUT_MISSING SESSION_*',
  build: (stage) => {
    new T1(stage.fabric, { nodes: ONE_RACK })
    const tor = stage.fabric.router('tor1b')
    tor.policy = {
      ...tor.policy,
      import: (from, nlri, attrs) =>
        from.peer.name === 'n2' && nlri.family === 'ipv4' && nlri.prefix === V1 ? null : attrs,
    }
    stage.lasts = 200
    stage.expect({ kind: 'POLICY_DROP', scope: { vip: V1, node: 'n2', tor: 'tor1b' } })
    stage.mustNot({ kind: 'ECMP_FANOUT_MISSING' })
  },
}

export const B12: Scenario = {
  id: 'B12',
  topology: 'T1',
  summary: "v1's IPv6 twin is on n1 and n2 only; v1 is on n3 too; v2 has no twin",
  expectation: 'DUAL_STACK_DISPARITY V6_MISSING_NODE n3; nothing about v2',
  build: (stage) => {
    new T1(stage.fabric, {
      nodes: ONE_RACK.map((node) =>
        node.name === 'n3' ? node : { ...node, vips: [...node.vips, V1_V6] },
      ),
      vips: { [V1]: { pair: V1_V6 }, [V1_V6]: { pair: V1 } },
    })
    stage.lasts = 200
    stage.expect({ kind: 'DUAL_STACK_DISPARITY', sub_kind: 'V6_MISSING_NODE', scope: { vip: V1 } })
    stage.mustNot({ kind: 'DUAL_STACK_DISPARITY', scope: { vip: V2 } })
  },
}

export const B13: Scenario = {
  id: 'B13',
  topology: 'T1',
  summary: 'tor2b does not tell spine2 about v1; spine1 hears it',
  expectation: 'SPINE_DIVERGENCE: spine2 lacks tor2b; no flap',
  build: (stage) => {
    new T1(stage.fabric, { nodes: BALANCED })
    const tor = stage.fabric.router('tor2b')
    const { policy } = tor
    tor.policy = {
      ...policy,
      export: (to, path) =>
        to.peer.name === 'spine2' && path.nlri.family === 'ipv4' && path.nlri.prefix === V1
          ? null
          : (policy.export?.(to, path) ?? null),
    }
    stage.lasts = 200
    stage.expect({ kind: 'SPINE_DIVERGENCE', severity: 'major', scope: { vip: V1 } })
    stage.mustNot({ kind: 'VIP_FLAP' })
  },
}

export const B14: Scenario = {
  id: 'B14',
  topology: 'T1',
  summary:
    'tor1a and tor1b have 20 nodes with v1 and maximum-paths 16; Loc-RIB with ADD-PATH shows 16',
  expectation: 'MAX_PATHS_TRUNCATED: 4 of 20 nodes get no traffic',
  parameters: { nodes: 20 },
  build: (stage) => {
    const nodes = Array.from({ length: stage.parameter('nodes') }, (_, i): T1Node => ({
      name: `n${i + 1}`,
      rack: 1,
      vips: [V1],
    }))
    const limit = { max_paths_ebgp: 16 }
    new T1(stage.fabric, { nodes, routers: { tor1a: limit, tor1b: limit } })
    for (const tor of ['tor1a', 'tor1b']) {
      stage.fabric.router(tor).feed.exportLocRib({ addPath: true, maxPaths: 16 })
    }
    stage.lasts = 200
    if (nodes.length > 16) stage.expect({ kind: 'MAX_PATHS_TRUNCATED', scope: { vip: V1 } })
    else stage.mustNot({ kind: 'MAX_PATHS_TRUNCATED' })
  },
}
