/** T5_TROMBONE (C-1), T5_CENTRALISED_HAIRPIN (C-2), T5_GW_UNRESOLVED (C-3), T5_NH_REWRITTEN (C-5). */
import type { Family, Instant, Observed } from '../family.ts'
import { lagOf, seconds } from '../family.ts'
import { findingId } from '../book.ts'
import { formatTime } from '../finding.ts'
import type { Evidence, Observation } from '../finding.ts'
import { query } from '../queries.ts'

interface Row {
  prefix: string
  vrf: string
  via: string
  rd: string
  nh: string
  gw_ip: string
  has_gw: number
  verdict: string
  next_host: string
  next_host_src: string
  owners: string[]
  has_owner: number
  since: string
  owner_since: string
  owner_mm_seq: number
  seen_at: string[]
  e_router: string
  e_peer: string
  e_seq: string
  e_at: string
}

interface Rewrite {
  rd_text: string
  prefix: string
  seen: [string, string, string][]
  since: string
}

/** One Type-5 path: (vrf, prefix, via), with all hosts behind it. */
interface Path {
  readonly first: Row
  readonly rows: readonly Row[]
  readonly since: number
}

const DEFAULT_ROUTES = new Set(['0.0.0.0/0', '::/0'])

export const type5: Family = {
  name: 'type5',
  kinds: ['T5_TROMBONE', 'T5_CENTRALISED_HAIRPIN', 'T5_GW_UNRESOLVED', 'T5_NH_REWRITTEN'],
  inputs: ['evpn', 'fabric'],
  lagUs: (params) => lagOf(params.settle_t5_s),
  async observe(instant: Instant): Promise<Observed> {
    const { db, params } = instant
    const [paths5] = await db.query<{ paths: string }>(query('type5_count'))
    if (Number(paths5?.paths ?? 0) === 0) return { observations: [] }
    const settle = seconds(params.settle_t5_s)
    const rows = (await db.query<Row>(query('type5'))).filter(
      (row) => !DEFAULT_ROUTES.has(row.prefix) && !params.t5_allow_nexthops.includes(row.nh),
    )
    const rewrites = await db.query<Rewrite>(query('nh_rewrites'))
    const paths = groupPaths(rows)
    const trombones = paths.filter((path) => path.rows.every((row) => row.verdict === 'TROMBONE'))
    const central = centralised(paths, trombones, params, settle)
    const covered = new Set(central.flatMap((each) => each.supersedes ?? []))
    return {
      observations: [
        // What a centralised leaf explains is not opened beside it; what is open already is replaced when that opens.
        ...trombones
          .map((path) => trombone(path, settle))
          .filter(
            (each) =>
              !covered.has(findingId(each.kind, each.scope)) ||
              instant.isOpen('T5_TROMBONE', each.scope),
          ),
        ...central,
        ...unresolved(paths, settle),
        ...rewrites.map((row) => rewritten(row, settle)),
      ],
    }
  },
}

function groupPaths(rows: readonly Row[]): Path[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.vrf, row.prefix, row.via, row.rd, row.gw_ip])
    const list = groups.get(key)
    if (list === undefined) groups.set(key, [row])
    else list.push(row)
  }
  return [...groups.values()].flatMap((list) => {
    const [first] = list
    if (first === undefined) return []
    const since = Math.max(
      ...list.map((row) => Math.max(Number(row.since), Number(row.owner_since))),
    )
    return [{ first, rows: list, since }]
  })
}

const tromboneScope = (row: Row): { vrf: string; prefix: string; via: string } => ({
  vrf: row.vrf,
  prefix: row.prefix,
  via: row.via,
})

const ownersOf = (path: Path): string[] =>
  [...new Set(path.rows.flatMap((row) => row.owners))].sort()

function evidence(row: Row, text: string): Evidence[] {
  return [
    {
      router: row.e_router,
      peer: row.e_peer,
      seq: Number(row.e_seq),
      rx_ts: formatTime(Number(row.e_at)),
      text,
    },
  ]
}

function trombone(path: Path, settle: number): Observation {
  const { first } = path
  const owners = ownersOf(path)
  const hosts = path.rows.map((row) => row.next_host).sort()
  return {
    kind: 'T5_TROMBONE',
    scope: tromboneScope(first),
    since: path.since,
    openAt: path.since + settle,
    severity: 'minor',
    confidence: 'high',
    metrics: { next_hosts: hosts, owners, next_hop: first.nh, seen_at: first.seen_at },
    explanation:
      `${first.prefix} is advertised by ${first.via} (${first.nh}) without gateway address, but ${hosts.join(', ')} ` +
      `is behind ${owners.join(', ')} (Type-2 since ${formatTime(Number(first.owner_since))}): every packet takes the detour over ${first.via}.`,
    evidence: evidence(first, `Type-5 ${first.prefix} next hop ${first.nh}`),
    entities: [`router:${first.via}`, ...hosts.map((host) => `host:${host}`)],
  }
}

function centralised(
  paths: readonly Path[],
  trombones: readonly Path[],
  params: Instant['params'],
  settle: number,
): Observation[] {
  const groups = new Map<string, Path[]>()
  for (const path of trombones) {
    const key = JSON.stringify([path.first.vrf, path.first.via])
    const list = groups.get(key)
    if (list === undefined) groups.set(key, [path])
    else list.push(path)
  }
  const observations: Observation[] = []
  for (const list of groups.values()) {
    const [head] = list
    if (head === undefined) continue
    const { vrf, via } = head.first
    // Node prefixes of the VRF: those with a host whose place is known.
    const known = new Set(
      paths
        .filter((path) => path.first.vrf === vrf && path.rows.some((row) => row.has_owner === 1))
        .map((path) => path.first.prefix),
    )
    const prefixes = [...new Set(list.map((path) => path.first.prefix))].sort()
    const owners = new Set<string>()
    let since = 0
    for (const path of [...list].sort((a, b) => a.since - b.since)) {
      const set = ownersOf(path).join(' ')
      if (!owners.has(set) && owners.size < params.central_min_owners) since = path.since
      owners.add(set)
    }
    if (owners.size < params.central_min_owners) continue
    if (prefixes.length / known.size < params.central_min_share) continue
    observations.push({
      kind: 'T5_CENTRALISED_HAIRPIN',
      scope: { vrf, via },
      since,
      openAt: since + settle,
      severity: 'major',
      confidence: 'high',
      metrics: { prefixes, owner_sets: [...owners].sort(), known_prefixes: known.size },
      explanation:
        `${via} advertises ${String(prefixes.length)} prefixes of hosts behind ${String(owners.size)} other VTEPs without gateway address: all their traffic crosses ${via}. ` +
        'Remedy: gateway IP as overlay index (RFC 9136 section 4.1).',
      evidence: evidence(head.first, `Type-5 ${head.first.prefix} next hop ${head.first.nh}`),
      entities: [`router:${via}`],
      supersedes: list.map((path) => findingId('T5_TROMBONE', tromboneScope(path.first))),
    })
  }
  return observations
}

function unresolved(paths: readonly Path[], settle: number): Observation[] {
  return paths
    .filter((path) => path.rows.some((row) => row.verdict === 'GW_UNRESOLVED'))
    .map((path): Observation => {
      const { first } = path
      const usable = paths.some(
        (other) =>
          other !== path &&
          other.first.vrf === first.vrf &&
          other.first.prefix === first.prefix &&
          other.rows.some((row) => row.verdict.startsWith('OK') || row.verdict === 'UNKNOWN_OWNER'),
      )
      return {
        kind: 'T5_GW_UNRESOLVED',
        scope: { vrf: first.vrf, prefix: first.prefix, via: first.via },
        since: path.since,
        openAt: path.since + settle,
        severity: usable ? 'major' : 'critical',
        confidence: 'high',
        metrics: { gw_ip: first.gw_ip, next_hop: first.nh, next_hosts: [first.gw_ip], owners: [] },
        explanation: `${first.prefix} points to gateway ${first.gw_ip}, and no Type-2 has this address: unusable where RFC 9136 is honoured${usable ? '; another path exists' : ''}.`,
        evidence: evidence(first, `Type-5 ${first.prefix} gateway ${first.gw_ip}`),
        entities: [`router:${first.via}`, `host:${first.gw_ip}`],
      }
    })
}

function rewritten(row: Rewrite, settle: number): Observation {
  const hops = new Map<string, Set<string>>()
  for (const [router, , hop] of row.seen) {
    const set = hops.get(router)
    if (set === undefined) hops.set(router, new Set([hop]))
    else set.add(hop)
  }
  const seen: Record<string, string> = {}
  for (const [router, peer, hop] of row.seen) {
    // A router that sees two next hops itself is told apart by who told it.
    seen[(hops.get(router)?.size ?? 0) > 1 ? `${router} from ${peer}` : router] = hop
  }
  return {
    kind: 'T5_NH_REWRITTEN',
    scope: { rd: row.rd_text, prefix: row.prefix },
    since: Number(row.since),
    openAt: Number(row.since) + settle,
    severity: 'critical',
    confidence: 'high',
    metrics: { seen },
    explanation: `Type-5 ${row.prefix} RD ${row.rd_text} has different next hops: ${Object.entries(
      seen,
    )
      .map(([router, hop]) => `${hop} at ${router}`)
      .join(', ')}. One originator has one next hop: a router between rewrote it.`,
    entities: [`rd:${row.rd_text}`],
  }
}
