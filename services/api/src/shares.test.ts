import { describe, expect, test } from 'vitest'
import { ecmpShares, type Edge } from './shares.ts'

const edges = (...list: [string, string, number][]): Edge[] =>
  list.map(([src, dst, frac]) => ({
    vrf: 'default',
    src,
    dst,
    frac,
    dst_kind: /^n/.test(dst) ? 'node' : 'device',
  }))

describe('ECMP shares, hop by hop', () => {
  test('two ToRs of four and one nodes: the lone node takes half', () => {
    const all = ecmpShares(
      edges(
        ['border', 'tor1', 0.5],
        ['border', 'tor2', 0.5],
        ['tor1', 'n1', 1 / 3],
        ['tor1', 'n2', 1 / 3],
        ['tor1', 'n3', 1 / 3],
        ['tor2', 'n4', 1],
      ),
    )
    expect(all.map((each) => each.ingress)).toEqual(['border', 'tor1', 'tor2'])
    expect(all[0]).toEqual({
      vrf: 'default',
      ingress: 'border',
      shares: { n1: 0.166667, n2: 0.166667, n3: 0.166667, n4: 0.5 },
      fair: 0.25,
      ratio_max: 3,
      // exp(3 * ln(6)/6 + ln(2)/2)
      effective_nodes: Math.round(Math.sqrt(12) * 1e6) / 1e6,
      lost: 0,
    })
    expect(all[2]).toMatchObject({ shares: { n4: 1 }, ratio_max: 1, effective_nodes: 1 })
  })

  test('a router without a path loses what it gets', () => {
    expect(ecmpShares(edges(['b', 't1', 0.5], ['b', 't2', 0.5], ['t1', 'n1', 1]))[0]).toMatchObject(
      { shares: { n1: 0.5 }, lost: 0.5, effective_nodes: 1 },
    )
  })

  test('a loop ends', () => {
    const [first] = ecmpShares(edges(['a', 'b', 1], ['b', 'a', 1]))
    expect(first).toMatchObject({
      shares: {},
      ratio_max: null,
      fair: 0,
      effective_nodes: 0,
      lost: 1,
    })
  })

  test('VRFs are apart', () => {
    const [one, two] = [
      edges(['a', 'n1', 1]),
      edges(['a', 'n2', 1]).map((each) => ({ ...each, vrf: 'blue' })),
    ]
    expect(ecmpShares([...one, ...two]).map((each) => [each.vrf, each.shares])).toEqual([
      ['default', { n1: 1 }],
      ['blue', { n2: 1 }],
    ])
  })
})
