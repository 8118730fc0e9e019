/**
 * What fabric.yaml leaves out is inferred from what BMP shows, and each fact says so: who is a node, which role a router has, which
 * ToRs are siblings, which ToRs a node should be on. A pure function of configuration and facts.
 */
import type { FabricConfig, RouterConfig } from './config.ts'

/** A router that streams BMP. */
export interface RouterFact {
  /** As in the log: sysName, else source address. */
  readonly router: string
  readonly address: string
  /** BGP identifiers that it sent in its OPENs. */
  readonly bgpIds: readonly string[]
  readonly asn: number
}

/** A BGP session that a router reports. */
export interface PeerFact {
  readonly router: string
  /** UInt64 as a decimal string. */
  readonly peerKey: string
  /** BMP peer type (RFC 7854 section 4.2, RFC 9069 section 4.1): 3 is the Loc-RIB. */
  readonly peerType: number
  readonly address: string
  readonly asn: number
  readonly bgpId: string
  /** UInt64 as a decimal string. */
  readonly rd: string
  /** It announced paths of another AS or originator. */
  readonly passesOn: boolean
  /** It announced routes with somebody else's ORIGINATOR_ID. */
  readonly reflects: boolean
  readonly unicast: number
  readonly evpn: number
}

export interface RouterRowInferred {
  router: string
  name: string
  role: string
  role_source: string
  rack: string
  pair: string
  pair_source: string
  site: string
  asn: number
  bgp_id: string
  address: string
  multipath_relax: number
  max_paths_ebgp: number
  max_paths_ibgp: number
  always_compare_med: number
  policy_known: number
  stateful: number
}

export interface PeerRowInferred {
  router: string
  router_name: string
  router_role: string
  peer_key: string
  peer_addr: string
  peer_asn: number
  peer_bgp_id: string
  peer_rd: string
  node: string
  device: string
  source: string
}

export interface NodeRowInferred {
  node: string
  bgp_ids: string[]
  addresses: string[]
  asn: number
  rack: string
  site: string
  expected_tors: string[]
  source: string
}

export interface InferredFabric {
  readonly routers: RouterRowInferred[]
  readonly peers: PeerRowInferred[]
  readonly nodes: NodeRowInferred[]
  readonly nodeKeys: { key: string; node: string }[]
}

const UNSPECIFIED = new Set(['0.0.0.0', '::', ''])

interface Classified extends PeerFact {
  node: string
  device: string
  source: string
}

/** Device name by BGP identifier and by address: what fabric.yaml or BMP says is a router is never a node. */
function deviceIndex(
  config: FabricConfig,
  names: ReadonlyMap<string, string>,
  facts: readonly RouterFact[],
): { byId: Map<string, string>; byAddress: Map<string, string> } {
  const byId = new Map<string, string>()
  const byAddress = new Map<string, string>()
  for (const fact of facts) {
    for (const id of fact.bgpIds) byId.set(id, names.get(fact.router) ?? fact.router)
  }
  for (const router of config.routers) {
    if (router.bgp_id !== undefined) byId.set(router.bgp_id, router.name)
    if (router.address !== undefined) byAddress.set(router.address, router.name)
  }
  return { byId, byAddress }
}

/** DESIGN 4.7: matched by sysName, else source address, else BGP identifier. */
export function configuredRouter(config: FabricConfig, fact: RouterFact): RouterConfig | undefined {
  return (
    config.routers.find((each) => each.name === fact.router) ??
    config.routers.find((each) => each.address !== undefined && each.address === fact.address) ??
    config.routers.find((each) => each.bgp_id !== undefined && fact.bgpIds.includes(each.bgp_id))
  )
}

export function inferFabric(
  config: FabricConfig,
  routers: readonly RouterFact[],
  peers: readonly PeerFact[],
): InferredFabric {
  const configured = new Map(routers.map((fact) => [fact.router, configuredRouter(config, fact)]))
  const names = new Map(
    routers.map((fact) => [fact.router, configured.get(fact.router)?.name ?? fact.router]),
  )
  const devices = deviceIndex(config, names, routers)
  const classified = peers.map((peer) => classify(config, devices, peer))
  const roles = inferRoles(routers, configured, names, classified)
  const nodes = inferNodes(config, names, classified)
  const pairs = inferPairs(routers, configured, names, roles, nodes)

  const routerRows = routers.map((fact) =>
    routerRow(
      fact.router,
      names.get(fact.router) ?? fact.router,
      fact,
      configured.get(fact.router),
      {
        role: roles.get(fact.router) ?? { role: '', source: '' },
        pair: pairs.get(fact.router) ?? { pair: '', source: '' },
      },
    ),
  )
  for (const router of config.routers) {
    if ([...configured.values()].includes(router)) continue
    // Configured, never seen: no router of the log.
    routerRows.push(
      routerRow('', router.name, undefined, router, {
        role: { role: router.role ?? '', source: 'configured' },
        pair: { pair: router.pair ?? '', source: 'configured' },
      }),
    )
  }
  return {
    routers: routerRows.sort((a, b) => compare(a.name, b.name) || compare(a.router, b.router)),
    peers: classified
      .map((peer) => ({
        router: peer.router,
        router_name: names.get(peer.router) ?? peer.router,
        router_role: roles.get(peer.router)?.role ?? '',
        peer_key: peer.peerKey,
        peer_addr: peer.address,
        peer_asn: peer.asn,
        peer_bgp_id: peer.bgpId,
        peer_rd: peer.rd,
        node: peer.node,
        device: peer.device,
        source: peer.source,
      }))
      .sort((a, b) => compare(a.router, b.router) || compare(a.peer_key, b.peer_key)),
    nodes,
    nodeKeys: nodeKeys(nodes, routers),
  }
}

function classify(
  config: FabricConfig,
  devices: { byId: Map<string, string>; byAddress: Map<string, string> },
  peer: PeerFact,
): Classified {
  const as = (node: string, device: string, source: string): Classified => ({
    ...peer,
    node,
    device,
    source,
  })
  if (peer.peerType === 3 || (UNSPECIFIED.has(peer.bgpId) && UNSPECIFIED.has(peer.address))) {
    return as('', '', 'the router itself')
  }
  const device = devices.byId.get(peer.bgpId) ?? devices.byAddress.get(peer.address)
  if (device !== undefined) return as('', device, 'inferred: exports BMP or stands in fabric.yaml')
  const known = config.nodes.find(
    (node) =>
      node.bgp_ids.includes(peer.bgpId) ||
      node.addresses.includes(peer.address) ||
      (node.asn !== undefined &&
        node.asn === peer.asn &&
        config.nodes.filter((each) => each.asn === peer.asn).length === 1),
  )
  if (known !== undefined) return as(known.name, '', 'configured')
  if (config.nodes.length > 0) return as('', '', 'not in fabric.yaml')
  if (peer.passesOn) return as('', '', 'inferred: passes on paths of others')
  if (peer.evpn > 0) return as('', '', 'inferred: speaks EVPN, a VTEP')
  if (peer.unicast === 0) return as('', '', 'announced nothing yet')
  return as(
    UNSPECIFIED.has(peer.bgpId) ? peer.address : peer.bgpId,
    '',
    'inferred: announces only its own routes',
  )
}

interface RoleFact {
  readonly role: string
  readonly source: string
}

function inferRoles(
  routers: readonly RouterFact[],
  configured: ReadonlyMap<string, RouterConfig | undefined>,
  names: ReadonlyMap<string, string>,
  peers: readonly Classified[],
): Map<string, RoleFact> {
  const roles = new Map<string, RoleFact>()
  const withNodes = new Set(peers.filter((each) => each.node !== '').map((each) => each.router))
  const vteps = new Set(
    peers
      .filter((each) => each.device !== '' && each.evpn > 0 && !each.passesOn)
      .map((each) => each.device),
  )
  const reflectors = new Set(
    peers.filter((each) => each.device !== '' && each.reflects).map((each) => each.device),
  )
  for (const { router } of routers) {
    const name = names.get(router) ?? router
    const role = configured.get(router)?.role
    if (role !== undefined) roles.set(router, { role, source: 'configured' })
    else if (withNodes.has(router))
      roles.set(router, { role: 'tor', source: 'inferred: has nodes' })
    else if (reflectors.has(name))
      roles.set(router, { role: 'rr', source: 'inferred: reflects routes' })
    else if (vteps.has(name))
      roles.set(router, { role: 'tor', source: 'inferred: originates EVPN routes' })
  }
  const tors = new Set(
    routers
      .filter(({ router }) => roles.get(router)?.role === 'tor')
      .map(({ router }) => names.get(router) ?? router),
  )
  for (const { router } of routers) {
    if (roles.has(router)) continue
    if (peers.some((each) => each.router === router && tors.has(each.device))) {
      roles.set(router, { role: 'spine', source: 'inferred: neighbour of ToRs, without nodes' })
    }
  }
  return roles
}

function inferNodes(
  config: FabricConfig,
  names: ReadonlyMap<string, string>,
  peers: readonly Classified[],
): NodeRowInferred[] {
  const rows = new Map<string, NodeRowInferred>()
  for (const node of config.nodes) {
    rows.set(node.name, {
      node: node.name,
      bgp_ids: [...node.bgp_ids],
      addresses: [...node.addresses],
      asn: node.asn ?? 0,
      rack: node.rack ?? '',
      site: node.site ?? '',
      expected_tors: [...(node.expected_tors ?? [])],
      source: 'configured',
    })
  }
  for (const peer of peers) {
    if (peer.node === '') continue
    let row = rows.get(peer.node)
    if (row === undefined) {
      row = {
        node: peer.node,
        bgp_ids: [],
        addresses: [],
        asn: peer.asn,
        rack: '',
        site: '',
        expected_tors: [],
        source: peer.source,
      }
      rows.set(peer.node, row)
    }
    if (!UNSPECIFIED.has(peer.bgpId) && !row.bgp_ids.includes(peer.bgpId))
      row.bgp_ids.push(peer.bgpId)
    const tor = names.get(peer.router) ?? peer.router
    const expected = config.nodes.find((each) => each.name === peer.node)?.expected_tors
    if (expected === undefined && !row.expected_tors.includes(tor)) row.expected_tors.push(tor)
  }
  for (const row of rows.values()) {
    row.bgp_ids.sort(compare)
    row.expected_tors.sort(compare)
  }
  return [...rows.values()].sort((a, b) => compare(a.node, b.node))
}

/** ToRs that share nodes are siblings; a configured pair or, failing that, rack says it better. */
function inferPairs(
  routers: readonly RouterFact[],
  configured: ReadonlyMap<string, RouterConfig | undefined>,
  names: ReadonlyMap<string, string>,
  roles: ReadonlyMap<string, RoleFact>,
  nodes: readonly NodeRowInferred[],
): Map<string, { pair: string; source: string }> {
  const parent = new Map<string, string>()
  const find = (name: string): string => {
    let root = name
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root))
      root = up
    return root
  }
  for (const node of nodes) {
    const [first, ...rest] = node.expected_tors
    if (first === undefined) continue
    for (const other of rest) {
      const [a, b] = [find(first), find(other)].sort(compare)
      if (a !== undefined && b !== undefined && a !== b) parent.set(b, a)
    }
  }
  const tors = routers.map(({ router }) => names.get(router) ?? router)
  const pairs = new Map<string, { pair: string; source: string }>()
  for (const { router } of routers) {
    const name = names.get(router) ?? router
    const own = configured.get(router)
    if (own?.pair !== undefined) pairs.set(router, { pair: own.pair, source: 'configured' })
    else if (roles.get(router)?.role !== 'tor') continue
    else if (own?.rack !== undefined) {
      pairs.set(router, { pair: `rack ${own.rack}`, source: 'inferred: same rack' })
    } else {
      const group = tors.filter((each) => find(each) === find(name)).sort(compare)
      if (group.length > 1) {
        pairs.set(router, { pair: group.join('+'), source: 'inferred: shared nodes' })
      }
    }
  }
  return pairs
}

function routerRow(
  router: string,
  name: string,
  fact: RouterFact | undefined,
  config: RouterConfig | undefined,
  inferred: { role: RoleFact; pair: { pair: string; source: string } },
): RouterRowInferred {
  const known =
    config?.multipath_relax !== undefined ||
    config?.max_paths_ebgp !== undefined ||
    config?.max_paths_ibgp !== undefined ||
    config?.always_compare_med !== undefined
  return {
    router,
    name,
    role: inferred.role.role,
    role_source: inferred.role.source,
    rack: config?.rack ?? '',
    pair: inferred.pair.pair,
    pair_source: inferred.pair.source,
    site: config?.site ?? '',
    asn: config?.asn ?? fact?.asn ?? 0,
    bgp_id: config?.bgp_id ?? fact?.bgpIds[0] ?? '0.0.0.0',
    address: config?.address ?? fact?.address ?? '',
    multipath_relax: (config?.multipath_relax ?? true) ? 1 : 0,
    max_paths_ebgp: config?.max_paths_ebgp ?? 64,
    max_paths_ibgp: config?.max_paths_ibgp ?? 64,
    always_compare_med: (config?.always_compare_med ?? false) ? 1 : 0,
    policy_known: known ? 1 : 0,
    stateful: (config?.stateful ?? false) ? 1 : 0,
  }
}

/** What names a node beside its own session (DETECTORS 0.4). An AS number does when no other node or router has it. */
function nodeKeys(
  nodes: readonly NodeRowInferred[],
  routers: readonly RouterFact[],
): { key: string; node: string }[] {
  const keys: { key: string; node: string }[] = []
  for (const node of nodes) {
    for (const id of node.bgp_ids) keys.push({ key: `id:${id}`, node: node.node })
    for (const address of node.addresses) keys.push({ key: `ip:${address}`, node: node.node })
    const alone =
      node.asn !== 0 &&
      nodes.filter((each) => each.asn === node.asn).length === 1 &&
      routers.every((each) => each.asn !== node.asn)
    if (alone) keys.push({ key: `as:${String(node.asn)}`, node: node.node })
  }
  return keys
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
