/** FabricConfig -> plain rows for the inventory tables. Sorted, so that equal files give equal rows. */
import type { FabricConfig, ScopeKey } from './config.ts'
import { PARAM_KEYS } from './params.ts'

/** ClickHouse Nullable(UInt8). */
type Flag = 0 | 1 | null

export interface InventoryRows {
  readonly routers: readonly RouterRow[]
  readonly nodes: readonly NodeRow[]
  readonly vips: readonly VipRow[]
  readonly vteps: readonly VtepRow[]
  readonly vrfs: readonly VrfRow[]
  readonly prefixNodes: readonly PrefixNodeRow[]
  readonly segments: readonly SegmentRow[]
  readonly maintenance: readonly MaintenanceRow[]
  readonly params: readonly ParamRow[]
}

/** '' and 0 mean "not configured"; where unknown differs from false the type is nullable. */
export interface RouterRow {
  router: string
  address: string
  bgp_id: string
  role: string
  rack: string
  pair: string
  site: string
  asn: number
  multipath_relax: Flag
  max_paths_ebgp: number | null
  max_paths_ibgp: number | null
  always_compare_med: Flag
  stateful: Flag
  underlay: string[]
  ecmp_hash: string
}

export interface NodeRow {
  node: string
  bgp_ids: string[]
  addresses: string[]
  asn: number
  rack: string
  site: string
  cluster: string
  /** Empty: learned, when expected_tors_known is 0; none, when it is 1. */
  expected_tors: string[]
  expected_tors_known: 0 | 1
}

export interface VipRow {
  vip: string
  vrf: string
  service: string
  cluster: string
  pair: string
  mode: string
  backup_ok: 0 | 1
  site_policy: string
  expected_nodes: string[]
}

export interface VtepRow {
  vtep: string
  vgroup: string
  router: string
  kind: string
  site: string
}

export interface VrfRow {
  vrf: string
  l3vni: number
  import_rts: string[]
  l2vnis: number[]
}

export interface PrefixNodeRow {
  prefix: string
  vrf: string
  node: string
}

/** `community`: a VIP is what carries it; `vip`, `node`, `pod`: prefixes. */
export interface SegmentRow {
  kind: 'vip' | 'node' | 'pod' | 'community'
  value: string
}

export interface MaintenanceRow {
  /** Every key must match. */
  scope: Partial<Record<ScopeKey, string>>
  /** RFC 3339 in UTC. */
  from: string
  to: string
}

export interface ParamRow {
  key: string
  /** JSON. */
  value: string
  /** Numbers and switches as a number, else null. */
  number: number | null
}

export function inventoryRows(fabric: FabricConfig): InventoryRows {
  const { routers, nodes, vips, vrfs, prefix_nodes, maintenance, segments, detectors } = fabric
  return {
    routers: sorted(
      routers.map((each) => ({
        router: each.name,
        address: each.address ?? '',
        bgp_id: each.bgp_id ?? '',
        role: each.role ?? '',
        rack: each.rack ?? '',
        pair: each.pair ?? '',
        site: each.site ?? '',
        asn: each.asn ?? 0,
        multipath_relax: flag(each.multipath_relax),
        max_paths_ebgp: each.max_paths_ebgp ?? null,
        max_paths_ibgp: each.max_paths_ibgp ?? null,
        always_compare_med: flag(each.always_compare_med),
        stateful: flag(each.stateful),
        underlay: [...(each.underlay ?? [])],
        ecmp_hash: each.ecmp_hash ?? '',
      })),
    ),
    nodes: sorted(
      nodes.map((each) => ({
        node: each.name,
        bgp_ids: [...each.bgp_ids],
        addresses: [...each.addresses],
        asn: each.asn ?? 0,
        rack: each.rack ?? '',
        site: each.site ?? '',
        cluster: each.cluster ?? '',
        expected_tors: [...(each.expected_tors ?? [])].sort(),
        expected_tors_known: each.expected_tors ? 1 : 0,
      })),
    ),
    vips: sorted(
      vips.map((each) => ({
        vip: each.prefix,
        vrf: each.vrf,
        service: each.service ?? '',
        cluster: each.cluster ?? '',
        pair: each.pair ?? '',
        mode: each.mode,
        backup_ok: each.backup_ok ? 1 : 0,
        site_policy: each.site_policy,
        expected_nodes: [...(each.expected_nodes ?? [])].sort(),
      })),
    ),
    vteps: vtepRows(fabric),
    vrfs: sorted(
      vrfs.map((each) => ({
        vrf: each.name,
        l3vni: each.l3vni ?? 0,
        import_rts: [...each.import_rts],
        l2vnis: [...each.l2vnis],
      })),
    ),
    prefixNodes: sorted(prefix_nodes.map(({ prefix, vrf, node }) => ({ prefix, vrf, node }))),
    segments: sorted([
      ...(['vip', 'node', 'pod'] as const).flatMap((kind) =>
        segments[kind].map((value) => ({ kind, value })),
      ),
      ...fabric.vip_communities.map((value) => ({ kind: 'community' as const, value })),
    ]),
    maintenance: maintenance.map(({ scope, from, to }) => ({
      scope: { ...scope },
      from: from.toISOString(),
      to: to.toISOString(),
    })),
    params: PARAM_KEYS.map((key) => {
      const value = detectors[key]
      const number = typeof value === 'number' || typeof value === 'boolean' ? Number(value) : null
      return { key, value: JSON.stringify(value), number }
    }),
  }
}

/**
 * VTEP groups: addresses of one router, of the routers of one pair, and of routers that share an
 * address (anycast) are one place. A group is named after its pair, else its first router.
 */
function vtepRows(fabric: FabricConfig): VtepRow[] {
  const parent = new Map<string, string>()
  const find = (key: string): string => {
    const up = parent.get(key) ?? key
    return up === key ? key : find(up)
  }
  const join = (a: string, b: string): void => {
    const [x, y] = [find(a), find(b)]
    if (x !== y) parent.set(x, y)
  }
  const withVteps = fabric.routers.filter(({ vteps }) => vteps.length > 0)
  for (const { name, pair, vteps } of withVteps) {
    if (pair !== undefined) join(`router ${name}`, `pair ${pair}`)
    for (const { ip } of vteps) join(`router ${name}`, `ip ${ip}`)
  }
  const names = new Map<string, string>()
  const candidates = [
    ...withVteps
      .flatMap(({ pair }) => (pair === undefined ? [] : [[`pair ${pair}`, pair] as const]))
      .sort(),
    ...withVteps.map(({ name }) => [`router ${name}`, name] as const).sort(),
  ]
  for (const [key, name] of candidates) if (!names.has(find(key))) names.set(find(key), name)
  return sorted(
    withVteps.flatMap((router) =>
      router.vteps.map(({ ip, kind, site }) => ({
        vtep: ip,
        vgroup: names.get(find(`ip ${ip}`)) ?? router.name,
        router: router.name,
        kind: kind ?? '',
        site: site ?? router.site ?? '',
      })),
    ),
  )
}

const flag = (value: boolean | undefined): Flag => (value === undefined ? null : value ? 1 : 0)

/** By the text of the row: total, and independent of the machine's language. */
function sorted<T>(rows: T[]): T[] {
  return rows
    .map((row) => ({ row, text: JSON.stringify(row) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ row }) => row)
}
