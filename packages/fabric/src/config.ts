/** What fabric.yaml says, as types. Keys are those of the file; docs/configuration.md explains them. */
import { defaultBmp, type BmpConfig } from './bmp.ts'
import { defaultParams, type DetectorParams } from './params.ts'

export const ROLES = ['tor', 'spine', 'superspine', 'rr', 'border', 'bgw'] as const
export type Role = (typeof ROLES)[number]

export const VTEP_KINDS = ['pip', 'anycast', 'bgw_vip'] as const
export const VIP_MODES = ['active_active', 'active_standby'] as const
export const SITE_POLICIES = ['local', 'active_remote'] as const
export const UNDERLAYS = ['ipv4', 'ipv6', 'igp'] as const
export const SCOPE_KEYS = [
  'node',
  'router',
  'vip',
  'vrf',
  'cluster',
  'service',
  'rack',
  'site',
  'pair',
] as const
export type ScopeKey = (typeof SCOPE_KEYS)[number]

/** All prefixes and addresses are in normal form (address.ts); undefined means "not configured". */
export interface FabricConfig {
  readonly segments: Readonly<Record<'vip' | 'node' | 'pod', readonly string[]>>
  readonly vip_communities: readonly string[]
  readonly routers: readonly RouterConfig[]
  readonly nodes: readonly NodeConfig[]
  readonly vips: readonly VipConfig[]
  readonly vrfs: readonly VrfConfig[]
  readonly prefix_nodes: readonly PrefixNode[]
  readonly maintenance: readonly Maintenance[]
  readonly detectors: DetectorParams
  /** Absolute path of the file with bearer tokens. */
  readonly auth: { readonly tokens_file: string | undefined }
  readonly bmp: BmpConfig
  /** Names a browser may use in Host; address literals and localhost always may. */
  readonly http: { readonly hosts: readonly string[]; readonly origins: readonly string[] }
}

export interface RouterConfig {
  readonly name: string
  readonly address?: string | undefined
  readonly bgp_id?: string | undefined
  /** `leaf` in the file is read as `tor`. */
  readonly role?: Role | undefined
  readonly rack?: string | undefined
  readonly pair?: string | undefined
  readonly site?: string | undefined
  readonly asn?: number | undefined
  readonly vteps: readonly VtepConfig[]
  readonly multipath_relax?: boolean | undefined
  readonly max_paths_ebgp?: number | undefined
  readonly max_paths_ibgp?: number | undefined
  readonly always_compare_med?: boolean | undefined
  readonly stateful?: boolean | undefined
  /** Families of the default VRF that carry VTEPs; `igp`: no BGP underlay, so no verdict from it. */
  readonly underlay?: readonly (typeof UNDERLAYS)[number][] | undefined
  /** Two routers with the same word hash flows alike (same vendor, same seed): polarisation risk. */
  readonly ecmp_hash?: string | undefined
}

export interface VtepConfig {
  readonly ip: string
  readonly kind?: (typeof VTEP_KINDS)[number] | undefined
  readonly site?: string | undefined
}

export interface NodeConfig {
  readonly name: string
  readonly bgp_ids: readonly string[]
  readonly addresses: readonly string[]
  readonly asn?: number | undefined
  readonly rack?: string | undefined
  readonly site?: string | undefined
  readonly cluster?: string | undefined
  /** undefined: learned from sessions. */
  readonly expected_tors?: readonly string[] | undefined
}

export interface VipConfig {
  readonly prefix: string
  /** '' is the default VRF. */
  readonly vrf: string
  readonly service?: string | undefined
  readonly cluster?: string | undefined
  /** The same service in the other address family. */
  readonly pair?: string | undefined
  readonly mode: (typeof VIP_MODES)[number]
  /** Paths that lose by MED or LOCAL_PREF are backups by design. */
  readonly backup_ok: boolean
  readonly site_policy: (typeof SITE_POLICIES)[number]
  readonly expected_nodes?: readonly string[] | undefined
}

export interface VrfConfig {
  readonly name: string
  readonly l3vni?: number | undefined
  readonly import_rts: readonly string[]
  readonly l2vnis: readonly number[]
}

export interface PrefixNode {
  readonly prefix: string
  readonly vrf: string
  /** An address, or the name of a node. */
  readonly node: string
}

export interface Maintenance {
  /** Every given key must match. */
  readonly scope: Readonly<Partial<Record<ScopeKey, string>>>
  readonly from: Date
  readonly to: Date
}

/** What holds without a fabric.yaml. */
export function defaultFabric(): FabricConfig {
  return {
    segments: { vip: [], node: [], pod: [] },
    vip_communities: [],
    routers: [],
    nodes: [],
    vips: [],
    vrfs: [],
    prefix_nodes: [],
    maintenance: [],
    detectors: defaultParams(),
    auth: { tokens_file: undefined },
    bmp: defaultBmp(),
    http: { hosts: [], origins: [] },
  }
}
