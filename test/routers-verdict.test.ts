/** The judge of the lab's tests: it must be able to say no. */
import { describe, expect, test } from 'vitest'
import type { Truth } from './lab/scenarios.ts'
import { verdict, type Finding } from './lab/verdict.ts'

const truth: Truth = {
  scenario: 'vip-flap',
  about: '',
  started: 1_800_000_000,
  ended: 1_800_000_010,
  events: [],
  expect: [
    {
      kind: 'VIP_FLAP',
      scope: { vip: '10.10.21.66/32', node: 'node3' },
      metrics: { flaps: 5, tors_down: ['tor3', 'tor4'] },
    },
  ],
  expectNot: ['NODE_DOWN'],
}

const flap: Finding = {
  kind: 'VIP_FLAP',
  status: 'open',
  first_seen: '2027-01-15T08:00:01.000000Z',
  scope: { vip: '10.10.21.66/32', vrf: 'default', node: 'node3' },
  metrics: { flaps: 5, tors_down: ['tor4', 'tor3'], penalty: 4900 },
  explanation: 'it flapped',
}

describe('verdict', () => {
  test('what is expected, in whatever order lists are', () => {
    expect(verdict(truth, [flap])).toEqual([])
  })

  test.each([
    ['no finding', [], /^no VIP_FLAP of/],
    ['another node', [{ ...flap, scope: { ...flap.scope, node: 'node1' } }], /^no VIP_FLAP of/],
    [
      'one flap too few',
      [{ ...flap, metrics: { ...flap.metrics, flaps: 4 } }],
      /flaps is 4, expected 5/,
    ],
    ['one ToR', [{ ...flap, metrics: { ...flap.metrics, tors_down: ['tor3'] } }], /tors_down is/],
    ['twice', [flap, flap], /^2 findings VIP_FLAP for one thing/],
    ['a kind that must not be', [flap, { ...flap, kind: 'NODE_DOWN' }], /^unexpected NODE_DOWN/],
    [
      'the kind, of somebody else as well',
      [flap, { ...flap, scope: { ...flap.scope, node: 'node1' } }],
      /^unexpected VIP_FLAP .*node1/,
    ],
  ])('%s', (_name, findings, complaint) => {
    expect(verdict(truth, findings)[0]).toMatch(complaint)
  })

  test('not resolved yet', () => {
    const over = { ...truth, expect: [{ ...truth.expect[0]!, status: 'resolved' as const }] }
    expect(verdict(over, [flap])).toEqual(['VIP_FLAP: open, expected resolved'])
  })

  test('findings of before are not its doing', () => {
    const before = { ...flap, kind: 'NODE_DOWN', first_seen: '2027-01-15T07:59:00.000000Z' }
    expect(verdict(truth, [flap, before])).toEqual([])
  })
})
