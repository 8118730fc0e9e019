/** ECMP_SIBLING_DIFF (B-1), ECMP_FANOUT_MISSING (B-2), ECMP_UNEQUAL_SPLIT (B-3). */
import type { Family, Instant, Observed } from '../family.ts'
import { lagOf, seconds } from '../family.ts'
import type { Observation, Severity } from '../finding.ts'
import { query } from '../queries.ts'
import { computeShares, shareFacts } from '../shares.ts'
import type { Edge } from '../shares.ts'

interface SiblingRow {
  vip: string
  vrf: string
  tor_a: string
  tor_b: string
  only_a: string[]
  only_b: string[]
  count_a: number
  count_b: number
  since: string
}

interface FanoutRow {
  node: string
  tor: string
  vips: string[]
  since: string
  single_link: number
  sub_kind: string
  down_reason: string
  notification_code: number
  notification_subcode: number
}

interface EdgeRow {
  vip: string
  vrf: string
  src: string
  src_role: string
  dst: string
  dst_kind: string
  frac: number
  since: string
  changed: string
}

/** Traffic enters at routers of the first of these roles that hold a route for the VIP. */
const INGRESS_ROLES = ['border', 'superspine', 'spine']
/** Up to this nothing is said: two nodes on both ToRs of a rack and one on one of them, as planned, are just there. */
const RATIO_INFO = 1.25 + 1e-9
/** More traffic than this at routers whose next hops are unknown: no verdict. */
const UNKNOWN_MAX = 0.01

export const ecmp: Family = {
  name: 'ecmp',
  kinds: ['ECMP_SIBLING_DIFF', 'ECMP_FANOUT_MISSING', 'ECMP_UNEQUAL_SPLIT'],
  inputs: ['edge', 'path', 'session', 'fabric'],
  lagUs: (params) => lagOf(Math.min(params.ecmp_hold_s, params.share_hold_s)),
  async observe({ db, params }: Instant): Promise<Observed> {
    const hold = seconds(params.ecmp_hold_s)
    const siblings = await db.query<SiblingRow>(query('sibling_diff'))
    const fanout = await db.query<FanoutRow>(query('fanout'))
    const edges = await db.query<EdgeRow>(query('ecmp_edges'))
    return {
      observations: [
        ...siblings.map((row) => siblingDiff(row, hold)),
        ...fanout.map((row) => fanoutMissing(row, hold)),
        ...unequalSplits(edges, params),
      ],
    }
  },
}

function siblingDiff(row: SiblingRow, hold: number): Observation {
  const low = Math.min(row.count_a, row.count_b)
  const high = Math.max(row.count_a, row.count_b)
  const missing = [
    ...(row.only_a.length === 0 ? [] : [`missing on ${row.tor_b}: ${row.only_a.join(', ')}`]),
    ...(row.only_b.length === 0 ? [] : [`missing on ${row.tor_a}: ${row.only_b.join(', ')}`]),
  ].join('; ')
  return {
    kind: 'ECMP_SIBLING_DIFF',
    scope: { vip: row.vip, vrf: row.vrf, tors: [row.tor_a, row.tor_b] },
    since: Number(row.since),
    openAt: Number(row.since) + hold,
    severity: low === 0 || high / low >= 2 ? 'major' : 'minor',
    confidence: 'high',
    metrics: {
      only: { [row.tor_a]: row.only_a, [row.tor_b]: row.only_b },
      members: { [row.tor_a]: row.count_a, [row.tor_b]: row.count_b },
    },
    explanation: `VIP ${row.vip}: ${row.tor_a} has ${String(row.count_a)} members, ${row.tor_b} has ${String(row.count_b)}; ${missing}.`,
    entities: [...[...row.only_a, ...row.only_b].map((node) => `node:${node}`), `vip:${row.vip}`],
  }
}

function fanoutMissing(row: FanoutRow, hold: number): Observation {
  const why: Record<string, string> = {
    SESSION_DOWN: `its session there is down (${row.down_reason})`,
    SESSION_UP_VIP_MISSING: 'its session there is up and other VIPs came over it',
    SESSION_UP_ALL_MISSING: 'its session there is up, but no VIP ever came over it',
    NEVER_CONFIGURED: 'no session with it was ever seen there',
  }
  return {
    kind: 'ECMP_FANOUT_MISSING',
    subKind: row.sub_kind,
    scope: { node: row.node, tor: row.tor },
    since: Number(row.since),
    openAt: Number(row.since) + hold,
    severity: row.single_link === 1 ? 'major' : 'minor',
    confidence: 'high',
    metrics: { vips: row.vips },
    explanation: `Node ${row.node} announces ${row.vips.join(', ')}, but not on ${row.tor}, where it is expected: ${why[row.sub_kind] ?? row.sub_kind}.`,
    entities: [`node:${row.node}`, `tor:${row.tor}`],
  }
}

function unequalSplits(rows: readonly EdgeRow[], params: Instant['params']): Observation[] {
  const byVip = new Map<string, EdgeRow[]>()
  for (const row of rows) {
    const key = `${row.vip} ${row.vrf}`
    const list = byVip.get(key)
    if (list === undefined) byVip.set(key, [row])
    else list.push(row)
  }
  const observations: Observation[] = []
  for (const edges of byVip.values()) {
    const found = unequalSplit(edges, params)
    if (found !== undefined) observations.push(found)
  }
  return observations
}

function unequalSplit(
  rows: readonly EdgeRow[],
  params: Instant['params'],
): Observation | undefined {
  const [first] = rows
  const role = INGRESS_ROLES.find((each) => rows.some((row) => row.src_role === each))
  if (first === undefined || role === undefined) return undefined
  const ingress = [
    ...new Set(rows.filter((row) => row.src_role === role).map((row) => row.src)),
  ].sort()
  const shares = computeShares(
    rows.map((row): Edge => ({
      src: row.src,
      dst: row.dst,
      toNode: row.dst_kind === 'node',
      fraction: row.frac,
    })),
    ingress,
  )
  if (shares.unknown > UNKNOWN_MAX || shares.looped > UNKNOWN_MAX) return undefined
  const facts = shareFacts(shares.nodes)
  if (facts.ratioMax <= RATIO_INFO) return undefined
  const [top] = [...shares.nodes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  if (top === undefined) return undefined
  const since = Math.max(...rows.map((row) => Number(row.changed)))
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
  return {
    kind: 'ECMP_UNEQUAL_SPLIT',
    subKind: 'STRUCTURAL',
    scope: { vip: first.vip, vrf: first.vrf, ingress: role },
    since,
    openAt: since + seconds(params.share_hold_s),
    severity: severity(facts.ratioMax, top[1], params),
    confidence: 'high',
    metrics: {
      shares: Object.fromEntries(
        [...shares.nodes]
          .sort((a, b) => (a[0] < b[0] ? -1 : 1))
          .map(([node, share]) => [node, round(share)]),
      ),
      fair: round(facts.fair),
      ratio_max: round(facts.ratioMax),
      effective_nodes: round(facts.effectiveNodes),
      ingress_routers: ingress,
    },
    explanation:
      `From ${ingress.join(', ')}, ${top[0]} receives ${percent(top[1])} of ${first.vip} (fair: ${percent(facts.fair)}): ` +
      'routers split per next hop, not per node. Remedy: link bandwidth (RFC 10005) from the ToRs, or even placement.',
    limits: ['policy unknown: multipath-relax and 64 paths assumed where fabric.yaml says nothing'],
    entities: [`vip:${first.vip}`],
  }
}

function severity(ratio: number, share: number, params: Instant['params']): Severity {
  if (ratio >= params.ratio_major && share >= params.capacity_share) return 'major'
  return ratio >= params.ratio_minor ? 'minor' : 'info'
}

const round = (value: number): number => Math.round(value * 1e6) / 1e6
