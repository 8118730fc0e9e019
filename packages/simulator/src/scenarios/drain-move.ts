import type { Scenario, Stage } from '../scenario.ts'
import { T1, T1_NODES, V1, withV1On, type T1Node } from '../topology/t1.ts'

const GRACEFUL_SHUTDOWN = '65535:0'

/** RFC 8326: n1 marks v1, withdraws it a minute later and brings it back after nine more. */
function drain(stage: Stage, nodes: readonly T1Node[]): void {
  const t1 = new T1(stage.fabric, { nodes })
  const n1 = stage.fabric.node('n1')
  const marked = { communities: [GRACEFUL_SHUTDOWN] }
  stage.at(60, 'n1 announces v1 with GRACEFUL_SHUTDOWN', () => {
    n1.announce([t1.vip('n1', V1, marked)])
  })
  stage.at(120, 'n1 withdraws v1', () => {
    n1.withdraw([t1.vip('n1', V1)])
  })
  stage.at(660, 'n1 announces v1 again, unmarked', () => {
    n1.announce([t1.vip('n1', V1)])
  })
  stage.lasts = 720
}

export const A11: Scenario = {
  id: 'A11',
  topology: 'T1',
  summary: 'n1 drains v1 (GRACEFUL_SHUTDOWN, withdrawal 60 s later, back at 600 s); n2 has it too',
  expectation: 'PLANNED_DRAIN, suppressed; no VIP_FLAP',
  build: (stage) => {
    drain(stage, withV1On('n1', 'n2'))
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' })
  },
}

export const A12: Scenario = {
  id: 'A12',
  topology: 'T1',
  summary: 'as A11, but n1 is the only one that announces v1',
  expectation: 'VIP_OUTAGE critical, "during planned drain"; no VIP_FLAP',
  build: (stage) => {
    drain(stage, withV1On('n1'))
    stage.expect({
      kind: 'VIP_OUTAGE',
      severity: 'critical',
      scope: { vip: V1 },
      metrics: { outages: 1 },
    })
    stage.mustNot({ kind: 'VIP_FLAP' })
  },
}

/** v1 is announced by one node at a time; at each of the seconds it changes sides within 2 s. */
function moveBetweenN1AndN4(stage: Stage, seconds: readonly number[]): void {
  const t1 = new T1(stage.fabric, {
    nodes: T1_NODES,
    vips: { [V1]: { mode: 'active_standby', expected_nodes: ['n1', 'n4'] } },
  })
  seconds.forEach((t, index) => {
    const [from, to] = index % 2 === 0 ? (['n1', 'n4'] as const) : (['n4', 'n1'] as const)
    stage.at(t, `${from} withdraws v1`, () => {
      stage.fabric.node(from).withdraw([t1.vip(from, V1)])
    })
    stage.at(t + 2, `${to} announces v1`, () => {
      stage.fabric.node(to).announce([t1.vip(to, V1)])
    })
  })
  stage.lasts = (seconds.at(-1) ?? 0) + 90
}

export const A13: Scenario = {
  id: 'A13',
  topology: 'T1',
  summary: 'v1 moves from n1 to n4 within 2 s, once',
  expectation: 'VIP_MOVED info; no VIP_FLAP',
  build: (stage) => {
    moveBetweenN1AndN4(stage, [100])
    stage.expect({ kind: 'VIP_MOVED', severity: 'info', scope: { vip: V1 } })
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_PINGPONG' })
  },
}

export const A14: Scenario = {
  id: 'A14',
  topology: 'T1',
  summary: 'v1 changes sides between n1 and n4 six times in 5 min',
  expectation: 'VIP_PINGPONG major; not a flap of each node',
  parameters: { flaps: 6, period: 50 },
  build: (stage) => {
    const period = stage.parameter('period')
    const moves = Array.from({ length: stage.parameter('flaps') }, (_, i) => 100 + i * period)
    moveBetweenN1AndN4(stage, moves)
    stage.expect({ kind: 'VIP_PINGPONG', severity: 'major', scope: { vip: V1 } })
    stage.mustNot({ kind: 'VIP_FLAP' })
  },
}
