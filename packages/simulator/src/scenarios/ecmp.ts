import type { Scenario, Stage } from '../scenario.ts'
import { T1, V1, V2, withV1On, type T1Node, type T1Options } from '../topology/t1.ts'

const TORS = ['tor1a', 'tor1b', 'tor2a', 'tor2b']

/** v1 on all of rack 1's nodes and on n4, alone in rack 2. @returns nodes of rack 1 */
function lopsided(stage: Stage, options: T1Options = {}): number {
  const inRack1 = stage.parameter('nodes')
  const rack1 = Array.from({ length: inRack1 }, (_, i): T1Node => ({
    name: i < 3 ? `n${i + 1}` : `n${i + 2}`,
    rack: 1,
    vips: i === 0 ? [V1, V2] : [V1],
  }))
  const nodes: T1Node[] = [...rack1, { name: 'n4', rack: 2, vips: [V1, V2] }]
  new T1(stage.fabric, { ...options, nodes })
  stage.lasts = 200
  return inRack1
}

export const B01: Scenario = {
  id: 'B01',
  topology: 'T1',
  summary: 'v1 on three nodes of rack 1 and one of rack 2, all dual-homed',
  expectation: 'ECMP_UNEQUAL_SPLIT from border1: 1/6 1/6 1/6 1/2, 3.0 effective nodes',
  parameters: { nodes: 3 },
  build: (stage) => {
    const inRack1 = lopsided(stage)
    const effective = 1 / (inRack1 * (1 / (2 * inRack1)) ** 2 + 0.25)
    const ratio = (inRack1 + 1) / 2
    if (inRack1 > 1) {
      stage.expect({
        kind: 'ECMP_UNEQUAL_SPLIT',
        severity: ratio >= 2 ? 'major' : 'minor',
        scope: { vip: V1 },
        metrics: {
          ratio_max: { between: [ratio - 0.01, ratio + 0.01] },
          effective_nodes: { between: [effective - 0.01, effective + 0.01] },
        },
      })
    }
    stage.mustNot({ kind: 'ECMP_SIBLING_DIFF' }, { kind: 'ECMP_FANOUT_MISSING' })
  },
}

export const B02: Scenario = {
  id: 'B02',
  topology: 'T1',
  summary: 'as B01, and ToRs tell the spines their link bandwidth: 3, 3, 1, 1',
  expectation: 'shares 1/4 each, nothing',
  parameters: { nodes: 3 },
  build: (stage) => {
    lopsided(stage, { linkBandwidth: TORS })
    stage.quiet()
  },
}

export const B03: Scenario = {
  id: 'B03',
  topology: 'T1',
  summary: 'as B02, but tor2b sends no link bandwidth: weights are off for everybody',
  expectation: 'LB_PARTIAL major',
  parameters: { nodes: 3 },
  build: (stage) => {
    lopsided(stage, { linkBandwidth: TORS.filter((tor) => tor !== 'tor2b') })
    stage.expect({ kind: 'LB_PARTIAL', severity: 'major', scope: { vip: V1 } })
  },
}

export const B04: Scenario = {
  id: 'B04',
  topology: 'T1',
  summary: 'v1 on two nodes in each rack',
  expectation: 'nothing',
  build: (stage) => {
    new T1(stage.fabric, {
      nodes: [
        { name: 'n1', rack: 1, vips: [V1, V2] },
        { name: 'n2', rack: 1, vips: [V1] },
        { name: 'n4', rack: 2, vips: [V1, V2] },
        { name: 'n5', rack: 2, vips: [V1] },
      ],
    })
    stage.lasts = 200
    stage.quiet()
  },
}

/** n3 announces v2 to both ToRs and v1 only to tor1a. */
function halfHomed(stage: Stage, options: T1Options): void {
  const t1 = new T1(stage.fabric, options)
  // Long before the recording: the fault is as old as the service.
  stage.sim.after(4e6, () => {
    stage.fabric.node('n3').announce([t1.vip('n3', V1)], { on: ['tor1a'] })
  })
  stage.lasts = 200
}

const HALF_HOMED: readonly T1Node[] = [
  { name: 'n1', rack: 1, vips: [V1, V2] },
  { name: 'n2', rack: 1, vips: [V1, V2] },
  { name: 'n3', rack: 1, vips: [V2] },
]

export const B05: Scenario = {
  id: 'B05',
  topology: 'T1',
  summary: 'n3 announces v1 on tor1a only, everything else on both; its session to tor1b is up',
  expectation:
    'ECMP_FANOUT_MISSING SESSION_UP_VIP_MISSING n3@tor1b; ECMP_SIBLING_DIFF 3 and 2; one incident',
  build: (stage) => {
    halfHomed(stage, { nodes: HALF_HOMED })
    stage.expect(
      {
        kind: 'ECMP_FANOUT_MISSING',
        sub_kind: 'SESSION_UP_VIP_MISSING',
        scope: { node: 'n3', tor: 'tor1b' },
        metrics: { vips: [V1] },
      },
      {
        kind: 'ECMP_SIBLING_DIFF',
        severity: 'minor',
        scope: { vip: V1, tors: ['tor1a', 'tor1b'] },
      },
    )
    stage.truth.max_incidents = 1
  },
}

export const B06: Scenario = {
  id: 'B06',
  topology: 'T1',
  summary: 'n3 is single-homed to tor1a, and the inventory says so',
  expectation: 'nothing',
  build: (stage) => {
    new T1(stage.fabric, {
      nodes: HALF_HOMED.map((node) =>
        node.name === 'n3' ? { ...node, vips: [V1, V2], tors: ['tor1a'] } : node,
      ),
    })
    stage.lasts = 200
    // Nor an unequal split: n3 has one link of two, and 1.25 times the fair share is not worth a word.
    stage.quiet()
  },
}

export const B18: Scenario = {
  id: 'B18',
  topology: 'T1',
  summary: 'two nodes in each rack; n5 of rack 2 takes v1 back and stays',
  expectation: 'ECMP_UNEQUAL_SPLIT 120 s later (1/4 1/4 1/2), escalated because it is new',
  build: (stage) => {
    const nodes: T1Node[] = [
      ...withV1On('n1', 'n2', 'n4').filter(({ name }) => name !== 'n3'),
      { name: 'n5', rack: 2, vips: [V1] },
    ]
    const t1 = new T1(stage.fabric, { nodes })
    stage.at(60, 'n5 withdraws v1', () => {
      stage.fabric.node('n5').withdraw([t1.vip('n5', V1)])
    })
    stage.lasts = 260
    stage.expect({ kind: 'ECMP_UNEQUAL_SPLIT', scope: { vip: V1 }, opened_between: [175, 190] })
    stage.mustNot({ kind: 'ECMP_UNEQUAL_SPLIT', before: 170 }, { kind: 'VIP_FLAP' })
  },
}
