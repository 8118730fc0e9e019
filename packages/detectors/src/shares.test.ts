import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { computeShares, shareFacts } from './shares.ts'
import type { Edge } from './shares.ts'

/** Edges of one place, evenly or by weight. */
function split(src: string, to: Readonly<Record<string, number>>, toNode = false): Edge[] {
  const total = Object.values(to).reduce((a, b) => a + b, 0)
  return Object.entries(to).map(([dst, weight]) => ({
    src,
    dst,
    toNode,
    fraction: weight / total,
  }))
}

/** The worked example of DETECTORS B-3: rack 1 has n1 n2 n3, rack 2 has n4, all dual-homed. */
function lopsided(weights: Readonly<Record<string, number>>): Edge[] {
  return [
    ...split('border1', { spine1: 1, spine2: 1 }),
    ...split('spine1', weights),
    ...split('spine2', weights),
    ...split('tor1a', { n1: 1, n2: 1, n3: 1 }, true),
    ...split('tor1b', { n1: 1, n2: 1, n3: 1 }, true),
    ...split('tor2a', { n4: 1 }, true),
    ...split('tor2b', { n4: 1 }, true),
  ]
}

describe('shares', () => {
  test('hop by hop: 1/6 1/6 1/6 1/2, three effective nodes', () => {
    const { nodes, unknown, looped } = computeShares(
      lopsided({ tor1a: 1, tor1b: 1, tor2a: 1, tor2b: 1 }),
      ['border1'],
    )
    expect(unknown).toBe(0)
    expect(looped).toBe(0)
    for (const [node, share] of [
      ['n1', 1 / 6],
      ['n2', 1 / 6],
      ['n3', 1 / 6],
      ['n4', 1 / 2],
    ] as const) {
      expect(nodes.get(node)).toBeCloseTo(share, 12)
    }
    const facts = shareFacts(nodes)
    expect(facts.fair).toBe(1 / 4)
    expect(facts.ratioMax).toBeCloseTo(2, 12)
    expect(facts.effectiveNodes).toBeCloseTo(3, 12)
  })

  test('with link bandwidth 3 3 1 1: a quarter each', () => {
    const { nodes } = computeShares(lopsided({ tor1a: 3, tor1b: 3, tor2a: 1, tor2b: 1 }), [
      'border1',
    ])
    for (const share of nodes.values()) expect(share).toBeCloseTo(1 / 4, 12)
  })

  test('from a ToR itself only its own nodes; the others have nothing', () => {
    const { nodes } = computeShares(lopsided({ tor1a: 1, tor1b: 1, tor2a: 1, tor2b: 1 }), ['tor1a'])
    expect(nodes.get('n1')).toBeCloseTo(1 / 3, 12)
    expect(nodes.get('n4')).toBe(0)
  })

  test('several ingress routers share alike', () => {
    const edges = [...split('b1', { n1: 1 }, true), ...split('b2', { n1: 1, n2: 1 }, true)]
    const { nodes } = computeShares(edges, ['b1', 'b2'])
    expect(nodes.get('n1')).toBeCloseTo(3 / 4, 12)
    expect(nodes.get('n2')).toBeCloseTo(1 / 4, 12)
  })

  test('traffic at a router without next hops is unknown, not gone', () => {
    const { nodes, unknown } = computeShares(
      [...split('spine1', { tor1: 1, dark: 3 }), ...split('tor1', { n1: 1 }, true)],
      ['spine1'],
    )
    expect(nodes.get('n1')).toBeCloseTo(1 / 4, 12)
    expect(unknown).toBeCloseTo(3 / 4, 12)
  })

  test('a loop ends and is said, also a long one', () => {
    expect(
      computeShares(
        [...split('a', { b: 1 }), ...split('b', { a: 1, n: 1 }).map(toNode('n'))],
        ['a'],
      ).looped,
    ).toBeCloseTo(1 / 2, 12)
    const ring = Array.from({ length: 40 }, (_, i) =>
      split(`r${i}`, { [`r${(i + 1) % 40}`]: 1 }),
    ).flat()
    expect(computeShares(ring, ['r0']).looped).toBe(1)
  })

  test('no ingress, no edges', () => {
    expect(computeShares([], ['a'])).toMatchObject({ unknown: 1, looped: 0 })
    expect(computeShares(split('a', { n: 1 }, true), []).nodes.get('n')).toBe(0)
    expect(shareFacts(new Map())).toEqual({ fair: 0, ratioMax: 0, effectiveNodes: 0 })
    expect(shareFacts(new Map([['n', 0]]))).toEqual({ fair: 0, ratioMax: 0, effectiveNodes: 0 })
  })

  test('nothing is lost, whatever the graph', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const place = fc.record({ router: name, weight: fc.integer({ min: 1, max: 9 }) })
    const graph = fc.dictionary(
      name,
      fc.record({
        routers: fc.array(place, { maxLength: 3 }),
        nodes: fc.uniqueArray(fc.constantFrom('n1', 'n2', 'n3'), { maxLength: 3 }),
      }),
    )
    fc.assert(
      fc.property(graph, fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), (given, ingress) => {
        const edges = Object.entries(given).flatMap(([src, { routers, nodes }]) => {
          const total = routers.reduce((sum, { weight }) => sum + weight, nodes.length)
          return [
            ...routers.map(({ router, weight }) => ({
              src,
              dst: router,
              toNode: false,
              fraction: weight / total,
            })),
            ...nodes.map((dst) => ({ src, dst, toNode: true, fraction: 1 / total })),
          ]
        })
        const { nodes, unknown, looped } = computeShares(edges, ingress)
        const sum = [...nodes.values()].reduce((a, b) => a + b, 0)
        expect(sum + unknown + looped).toBeCloseTo(1, 9)
      }),
      { numRuns: 300 },
    )
  })
})

const toNode =
  (name: string) =>
  (edge: Edge): Edge => ({ ...edge, toNode: edge.dst === name })
