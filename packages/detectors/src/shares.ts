/**
 * Traffic shares of the nodes behind a VIP, hop by hop (DETECTORS B-3): the share of a place is split over its next hops by their
 * fractions, from the ingress down to the nodes.
 */

export interface Edge {
  readonly src: string
  readonly dst: string
  readonly toNode: boolean
  /** Fraction of the traffic at `src` that takes this edge; those of one `src` add up to 1. */
  readonly fraction: number
}

export interface Shares {
  /** Share of the traffic per node; every node of the graph is there, with 0 when none reaches it. */
  readonly nodes: ReadonlyMap<string, number>
  /** Traffic that ends at a router of which no next hop is known. */
  readonly unknown: number
  /** Traffic that came back to a router it had passed. */
  readonly looped: number
}

/** A fabric has three or four tiers; what is longer is no path. */
const MAX_HOPS = 12

export function computeShares(edges: readonly Edge[], ingress: readonly string[]): Shares {
  const from = new Map<string, Edge[]>()
  const nodes = new Map<string, number>()
  for (const edge of edges) {
    const list = from.get(edge.src)
    if (list === undefined) from.set(edge.src, [edge])
    else list.push(edge)
    if (edge.toNode) nodes.set(edge.dst, 0)
  }
  let unknown = 0
  let looped = 0
  // By level, all traffic at one router together: O(edges x hops), whatever the number of paths.
  let level = new Map<string, number>()
  for (const router of ingress) level.set(router, 1 / ingress.length)
  const passed = new Map<string, ReadonlySet<string>>(
    ingress.map((each) => [each, new Set([each])]),
  )
  for (let hop = 0; level.size > 0; hop++) {
    const next = new Map<string, number>()
    for (const [router, share] of level) {
      const out = from.get(router)
      if (out === undefined) {
        unknown += share
        continue
      }
      for (const edge of out) {
        const part = share * edge.fraction
        if (edge.toNode) nodes.set(edge.dst, (nodes.get(edge.dst) ?? 0) + part)
        else if (hop >= MAX_HOPS || passed.get(router)?.has(edge.dst) === true) looped += part
        else {
          next.set(edge.dst, (next.get(edge.dst) ?? 0) + part)
          passed.set(
            edge.dst,
            new Set([...(passed.get(edge.dst) ?? []), ...(passed.get(router) ?? []), edge.dst]),
          )
        }
      }
    }
    level = next
  }
  return { nodes, unknown, looped }
}

export interface ShareFacts {
  readonly fair: number
  readonly ratioMax: number
  /** 1 / sum of squares: how many nodes would carry the load evenly. */
  readonly effectiveNodes: number
}

export function shareFacts(nodes: ReadonlyMap<string, number>): ShareFacts {
  const values = [...nodes.values()]
  const total = values.reduce((a, b) => a + b, 0)
  if (values.length === 0 || total <= 0) return { fair: 0, ratioMax: 0, effectiveNodes: 0 }
  const fair = 1 / values.length
  const squares = values.reduce((a, b) => a + (b / total) ** 2, 0)
  return { fair, ratioMax: Math.max(...values) / total / fair, effectiveNodes: 1 / squares }
}
