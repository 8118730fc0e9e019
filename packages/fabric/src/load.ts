/** fabric.yaml -> FabricConfig. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parsePrefix } from './address.ts'
import { defaultBmp, readBmp } from './bmp.ts'
import {
  defaultFabric,
  ROLES,
  SCOPE_KEYS,
  SITE_POLICIES,
  UNDERLAYS,
  VIP_MODES,
  VTEP_KINDS,
  type FabricConfig,
  type Maintenance,
  type NodeConfig,
  type PrefixNode,
  type Role,
  type RouterConfig,
  type ScopeKey,
  type VipConfig,
  type VrfConfig,
  type VtepConfig,
} from './config.ts'
import { PARAM_KEYS, PARAMS, type DetectorParams, type Param } from './params.ts'
import { didYouMean } from './nearest.ts'
import { FabricError, FabricFile, Section, type Reader, type Spot, type Warning } from './reader.ts'
import * as read from './readers.ts'

export interface LoadedFabric {
  readonly fabric: FabricConfig
  readonly warnings: readonly Warning[]
}

/**
 * Reads the file at `path`. Relative paths in it are relative to its folder.
 * @throws FabricError when it is unreadable, no YAML, or a known key has a wrong value
 */
export function loadFabric(path: string): LoadedFabric {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = /^[A-Z0-9_]+: ([^,]+)/.exec(message)?.[1] ?? code ?? message
    throw new FabricError(path, [{ line: 0, message: reason }])
  }
  return parseFabric(text, { file: path, folder: dirname(resolve(path)) })
}

/** The same from a text. @throws FabricError */
export function parseFabric(
  text: string,
  { file = 'fabric.yaml', folder = '.' }: { file?: string; folder?: string } = {},
): LoadedFabric {
  const source = new FabricFile(file, text)
  const fabric = readFabric(source.root, folder)
  source.check()
  return { fabric, warnings: source.warnings.sort((a, b) => a.line - b.line) }
}

const TOP_KEYS = Object.keys(defaultFabric())

function readFabric(root: Spot, folder: string): FabricConfig {
  const top = new Section(root, TOP_KEYS)
  const routers = top.get('routers', unique(router, 'name')) ?? []
  const nodes = top.get('nodes', unique(node(oneOfNames(routers)), 'name')) ?? []
  return {
    segments: top.get('segments', segments) ?? { vip: [], node: [], pod: [] },
    vip_communities: top.get('vip_communities', read.list(read.community)) ?? [],
    routers,
    nodes,
    vips: top.get('vips', read.list(vip(oneOfNames(nodes)))) ?? [],
    vrfs: top.get('vrfs', unique(vrf, 'name')) ?? [],
    prefix_nodes: top.get('prefix_nodes', read.list(prefixNode)) ?? [],
    maintenance: top.get('maintenance', read.list(maintenance)) ?? [],
    detectors: detectors(top),
    auth: { tokens_file: top.get('auth', (spot) => tokensFile(spot, folder)) },
    bmp: top.get('bmp', (spot) => readBmp(spot, folder)) ?? defaultBmp(),
    http: top.get('http', http) ?? { hosts: [], origins: [] },
  }
}

const segments: Reader<FabricConfig['segments']> = (spot) => {
  const section = new Section(spot, ['vip', 'node', 'pod'])
  const prefixes = (key: string): string[] => section.get(key, read.list(read.prefix)) ?? []
  return { vip: prefixes('vip'), node: prefixes('node'), pod: prefixes('pod') }
}

const ROUTER_KEYS = [
  'name',
  'address',
  'bgp_id',
  'role',
  'rack',
  'pair',
  'site',
  'asn',
  'vteps',
  'multipath_relax',
  'max_paths_ebgp',
  'max_paths_ibgp',
  'always_compare_med',
  'stateful',
  'underlay',
  'ecmp_hash',
]

const paths = read.number({ min: 1, max: 65535, integer: true })

const router: Reader<RouterConfig> = (spot) => {
  const section = new Section(spot, ROUTER_KEYS)
  const name = section.need('name', read.word)
  if (name === undefined) return undefined
  return {
    name,
    address: section.get('address', read.address),
    bgp_id: section.get('bgp_id', read.bgpId),
    role: section.get('role', role),
    rack: section.get('rack', read.word),
    pair: section.get('pair', read.word),
    site: section.get('site', read.word),
    asn: section.get('asn', read.asn),
    vteps: section.get('vteps', read.list(vtep)) ?? [],
    multipath_relax: section.get('multipath_relax', read.boolean),
    max_paths_ebgp: section.get('max_paths_ebgp', paths),
    max_paths_ibgp: section.get('max_paths_ibgp', paths),
    always_compare_med: section.get('always_compare_med', read.boolean),
    stateful: section.get('stateful', read.boolean),
    underlay: section.get('underlay', read.list(read.oneOf(UNDERLAYS))),
    ecmp_hash: section.get('ecmp_hash', read.word),
  }
}

const role: Reader<Role> = (spot) =>
  spot.text === 'leaf'
    ? 'tor'
    : (ROLES.find((each) => each === spot.text) ?? spot.wrong(`leaf, ${ROLES.join(', ')}`))

/** `{ ip: ..., kind: ... }`, or an address alone. */
const vtep: Reader<VtepConfig> = (spot) => {
  if (spot.text !== undefined) {
    const ip = read.address(spot)
    return ip === undefined ? undefined : { ip }
  }
  const section = new Section(spot, ['ip', 'kind', 'site'])
  const ip = section.need('ip', read.address)
  if (ip === undefined) return undefined
  return {
    ip,
    kind: section.get('kind', read.oneOf(VTEP_KINDS)),
    site: section.get('site', read.word),
  }
}

const node =
  (routerName: Reader<string>): Reader<NodeConfig> =>
  (spot) => {
    const section = new Section(spot, [
      'name',
      'bgp_ids',
      'addresses',
      'asn',
      'rack',
      'site',
      'cluster',
      'expected_tors',
    ])
    const name = section.need('name', read.word)
    if (name === undefined) return undefined
    return {
      name,
      bgp_ids: section.get('bgp_ids', read.list(read.bgpId)) ?? [],
      addresses: section.get('addresses', read.list(read.address)) ?? [],
      asn: section.get('asn', read.asn),
      rack: section.get('rack', read.word),
      site: section.get('site', read.word),
      cluster: section.get('cluster', read.word),
      expected_tors: section.get('expected_tors', read.list(routerName)),
    }
  }

const vip =
  (nodeName: Reader<string>): Reader<VipConfig> =>
  (spot) => {
    const section = new Section(spot, [
      'prefix',
      'vrf',
      'service',
      'cluster',
      'pair',
      'mode',
      'backup_ok',
      'site_policy',
      'expected_nodes',
    ])
    const prefix = section.need('prefix', read.prefix)
    const pair = section.get('pair', read.prefix)
    if (prefix === undefined) return undefined
    if (pair !== undefined && parsePrefix(pair)?.family === parsePrefix(prefix)?.family) {
      section.at('pair').wrong(`the same service in the other address family than ${prefix}`)
    }
    return {
      prefix,
      vrf: section.get('vrf', read.word) ?? '',
      service: section.get('service', read.word),
      cluster: section.get('cluster', read.word),
      pair,
      mode: section.get('mode', read.oneOf(VIP_MODES)) ?? 'active_active',
      backup_ok: section.get('backup_ok', read.boolean) ?? false,
      site_policy: section.get('site_policy', read.oneOf(SITE_POLICIES)) ?? 'local',
      expected_nodes: section.get('expected_nodes', read.list(nodeName)),
    }
  }

const vrf: Reader<VrfConfig> = (spot) => {
  const section = new Section(spot, ['name', 'l3vni', 'import_rts', 'l2vnis'])
  const name = section.need('name', read.word)
  if (name === undefined) return undefined
  return {
    name,
    l3vni: section.get('l3vni', read.vni),
    import_rts: section.get('import_rts', read.list(read.routeTarget)) ?? [],
    l2vnis: section.get('l2vnis', read.list(read.vni)) ?? [],
  }
}

const prefixNode: Reader<PrefixNode> = (spot) => {
  const section = new Section(spot, ['prefix', 'vrf', 'node'])
  const prefix = section.need('prefix', read.prefix)
  const node = section.need('node', (at) =>
    at.text?.includes(':') ? read.address(at) : read.word(at),
  )
  if (prefix === undefined || node === undefined) return undefined
  return { prefix, vrf: section.get('vrf', read.word) ?? '', node }
}

const maintenance: Reader<Maintenance> = (spot) => {
  const section = new Section(spot, ['scope', 'from', 'to'])
  const scope = section.need('scope', maintenanceScope)
  const from = section.need('from', read.instant)
  const to = section.need('to', read.instant)
  if (scope === undefined || from === undefined || to === undefined) return undefined
  if (from >= to) return section.at('to').wrong(`a time after from (${from.toISOString()})`)
  return { scope, from, to }
}

const maintenanceScope: Reader<Maintenance['scope']> = (spot) => {
  const section = new Section(spot, SCOPE_KEYS)
  const scope: Partial<Record<ScopeKey, string>> = {}
  for (const key of SCOPE_KEYS) {
    const value = section.get(key, key === 'vip' ? read.prefix : read.word)
    if (value !== undefined) scope[key] = value
  }
  return Object.keys(scope).length > 0
    ? scope
    : spot.wrong(`at least one of ${SCOPE_KEYS.join(', ')}`)
}

const tokensFile = (spot: Spot, folder: string): string | undefined => {
  const path = new Section(spot, ['tokens_file']).get('tokens_file', read.word)
  return path === undefined ? undefined : resolve(folder, path)
}

const http: Reader<FabricConfig['http']> = (spot) => {
  const section = new Section(spot, ['hosts', 'origins'])
  const words = (key: string): string[] => section.get(key, read.list(read.word)) ?? []
  return { hosts: words('hosts').map((host) => host.toLowerCase()), origins: words('origins') }
}

function detectors(top: Section): DetectorParams {
  const params = defaultFabric().detectors as Record<string, unknown>
  top.get('detectors', (spot) => {
    const section = new Section(spot, PARAM_KEYS)
    for (const key of PARAM_KEYS) {
      const value = section.get(key, paramReader(PARAMS[key]))
      if (value !== undefined) params[key] = value
    }
    const { penalty_close, penalty_open } = params as unknown as DetectorParams
    if (penalty_close > penalty_open) {
      section.at('penalty_close').wrong(`at most penalty_open (${String(penalty_open)})`)
    }
    return undefined
  })
  return params as unknown as DetectorParams
}

function paramReader(param: Param): Reader<unknown> {
  switch (param.type) {
    case 'number':
      return read.number(param)
    case 'switch':
      return read.boolean
    case 'addresses':
      return read.list(read.address)
    case 'prefixes':
      return read.list(read.prefix)
    case 'communities':
      return read.list(read.community)
    case 'roles':
      return read.list(role)
    case 'weights':
      return weights
  }
}

const weights: Reader<Record<string, number>> = (spot) => {
  const entries = spot.entries()
  if (!entries) return spot.wrong('a map of ingress class to weight')
  const weight = read.number({ min: 0, max: 1e6 })
  return Object.fromEntries([...entries].map(([key, at]) => [key, weight(at) ?? 0]))
}

/** A list of things whose key may occur once. */
function unique<T extends object>(reader: Reader<T>, key: keyof T & string): Reader<T[]> {
  return (spot) => {
    const seen = new Map<unknown, number>()
    return read.list((item: Spot) => {
      const value = reader(item)
      if (value === undefined) return undefined
      const line = seen.get(value[key])
      if (line !== undefined) {
        return item.problem(
          `${item.path}: ${key} ${String(value[key])} is already used on line ${String(line)}`,
        )
      }
      seen.set(value[key], item.line)
      return value
    })(spot)
  }
}

/** A name that leads nowhere is no error (the thing may come later), but most likely a slip. */
function oneOfNames(known: readonly { readonly name: string }[]): Reader<string> {
  const names = known.map(({ name }) => name)
  return (spot) => {
    const name = read.word(spot)
    if (name !== undefined && names.length > 0 && !names.includes(name)) {
      spot.warn(`${spot.path}: ${name} is not configured${didYouMean(name, names)}`)
    }
    return name
  }
}
