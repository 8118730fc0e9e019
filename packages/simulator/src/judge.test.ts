import { describe, expect, test } from 'vitest'
import { judge, type Analysis } from './judge.ts'
import type { Truth } from './scenario.ts'

const START = 1_795_262_400
const truth = (more: Partial<Truth>): Truth => ({
  scenario: 'X',
  topology: 'T1',
  about: '',
  expectation: '',
  seed: 1,
  parameters: {},
  started: START,
  ended: START + 100,
  events: [],
  expect: [],
  must_not: [],
  ...more,
})
const finding = {
  kind: 'VIP_FLAP',
  sub_kind: '',
  cause: 'NODE_FLAP',
  severity: 'minor',
  confidence: 'high',
  status: 'open',
  scope: { vip: '10.10.21.66/32', vrf: 'default', tors: ['b', 'a'] },
  metrics: { flaps: 3, penalty: 900 },
  changes: [{ at: '2026-11-21T12:01:00.500000Z', metrics: { penalty: 2_500 } }],
}
const analysis: Analysis = { findings: [finding], incidents: [{}, {}] }

describe('judge', () => {
  test('nothing wrong', () => {
    const expected = {
      kind: 'VIP_FLAP',
      cause: 'NODE_FLAP',
      severity: 'minor',
      scope: { vip: '10.10.21.66/32', tors: ['a', 'b'] },
      metrics: { flaps: 3, penalty: { between: [899, 901] } },
      peak: { penalty: { between: [2_495, 2_505] } },
      opened_between: [60, 61],
    } as const
    const must_not = [
      { kind: 'VIP_OUTAGE' },
      { kind: '*', before: 60 },
      { kind: '*', scope: { node: 'n1' } },
    ]
    expect(judge(truth({ expect: [expected], must_not, max_incidents: 2 }), analysis)).toEqual([])
  })

  test.each([
    [{ expect: [{ kind: 'VIP_OUTAGE' }] }, 'missing: VIP_OUTAGE {}'],
    [{ expect: [{ kind: 'VIP_FLAP', scope: { node: 'n1' } }] }, 'there is {"vip"'],
    [{ expect: [{ kind: 'VIP_FLAP', severity: 'major' }] }, 'severity is minor, not major'],
    [{ expect: [{ kind: 'VIP_FLAP', metrics: { flaps: 4 } }] }, 'flaps is 3, not 4'],
    [{ expect: [{ kind: 'VIP_FLAP', peak: { penalty: 1 } }] }, 'the highest penalty is 2500'],
    [{ expect: [{ kind: 'VIP_FLAP', opened_between: [0, 60] as const }] }, 'opened at 60.5 s'],
    [{ must_not: [{ kind: '*' }] }, 'must not be: VIP_FLAP'],
    [{ must_not: [{ kind: 'VIP_FLAP', before: 61 }] }, 'must not be: VIP_FLAP'],
    [{ must_not: [{ kind: 'VIP_FLAP', status: 'open' as const }] }, 'must not be: VIP_FLAP'],
    [{ max_incidents: 1 }, '2 incidents, at most 1'],
  ])('%j', (more: Partial<Truth>, problem) => {
    const problems = judge(truth(more), analysis)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
  })
})
