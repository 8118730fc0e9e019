/**
 * How traffic to a VIP that enters at one router spreads over nodes: every router splits over its multipath set, hop by hop
 * (DETECTORS B-3).
 */
export interface Edge {
  readonly vrf: string
  readonly src: string
  readonly dst: string
  readonly dst_kind: string
  readonly frac: number
}

export interface Share {
  readonly vrf: string
  readonly ingress: string
  /** Node -> share of 1. */
  readonly shares: Readonly<Record<string, number>>
  readonly fair: number
  /** Largest share over smallest; null when there is none. */
  readonly ratio_max: number | null
  /** exp of the entropy: 2 means "as good as two equal nodes". */
  readonly effective_nodes: number
  /** Share that ends at a router without a path, or goes round in a loop. */
  readonly lost: number
}

/** More hops than any fabric has: a loop. */
const MAX_HOPS = 16

/** @returns one entry per router that has a path, sorted by VRF and router */
export function ecmpShares(edges: readonly Edge[]): Share[] {
  const out = new Map<string, Edge[]>()
  const key = (vrf: string, router: string): string => JSON.stringify([vrf, router])
  for (const edge of edges) {
    const at = key(edge.vrf, edge.src)
    out.set(at, [...(out.get(at) ?? []), edge])
  }
  return [...out.values()].map(([first]) => {
    const { vrf, src } = first as Edge
    const shares = new Map<string, number>()
    let lost = 0
    // Level by level: what is at each router after n hops.
    let here = new Map([[src, 1]])
    for (let hop = 0; here.size > 0; hop++) {
      const next = new Map<string, number>()
      for (const [router, amount] of here) {
        const ways = hop < MAX_HOPS ? (out.get(key(vrf, router)) ?? []) : []
        if (ways.length === 0) lost += amount
        for (const { dst, dst_kind, frac } of ways) {
          const to = dst_kind === 'node' ? shares : next
          to.set(dst, (to.get(dst) ?? 0) + amount * frac)
        }
      }
      here = next
    }
    const values = [...shares.values()]
    const sum = values.reduce((a, b) => a + b, 0)
    const entropy = values.reduce((total, v) => total - (v / sum) * Math.log(v / sum), 0)
    return {
      vrf,
      ingress: src,
      shares: Object.fromEntries([...shares].sort(([a], [b]) => (a < b ? -1 : 1)).map(rounded)),
      fair: values.length === 0 ? 0 : round(1 / values.length),
      ratio_max: values.length === 0 ? null : round(Math.max(...values) / Math.min(...values)),
      effective_nodes: values.length === 0 ? 0 : round(Math.exp(entropy)),
      lost: round(lost),
    }
  })
}

const round = (value: number): number => Math.round(value * 1e6) / 1e6
const rounded = ([name, value]: [string, number]): [string, number] => [name, round(value)]
