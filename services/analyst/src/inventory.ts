/** Keeps the fabric_ tables: what fabric.yaml says, and what is inferred from what BMP shows. */
import { query } from '@ribscope/detectors'
import { formatAddress, inferFabric, parsePrefix, PARAM_KEYS } from '@ribscope/fabric'
import type { FabricConfig, InferredFabric, PeerFact, RouterFact } from '@ribscope/fabric'
import type { Store, StoreSession } from '@ribscope/store'

interface VipRow {
  addr: string
  bits: number
  ip_version: number
  prefix: string
  service: string
  cluster: string
  pair: string
  mode: string
  expected_nodes: string[]
  source: string
}

/** IPv4 the way the log has it: ::ffff:a.b.c.d. */
const mapped = (address: string): string => (address.includes(':') ? address : `::ffff:${address}`)

/** Roles of routers that pass EVPN routes on and have no VTEP of their own. */
const REFLECTING: ReadonlySet<string> = new Set(['rr', 'spine', 'superspine'])

export class Inventory {
  readonly #store: Store
  readonly #db: StoreSession
  readonly #config: FabricConfig
  /** What each table holds, to write only what changed. */
  readonly #written = new Map<string, string>()
  #inferred: InferredFabric = { routers: [], peers: [], nodes: [], nodeKeys: [] }

  constructor(store: Store, db: StoreSession, config: FabricConfig) {
    this.#store = store
    this.#db = db
    this.#config = config
  }

  /** Tables that depend on fabric.yaml alone. */
  async writeConfigured(): Promise<void> {
    const { detectors, segments, vip_communities, prefix_nodes, vrfs, maintenance } = this.#config
    const params = PARAM_KEYS.flatMap((key) => {
      const value = detectors[key]
      return typeof value === 'number' || typeof value === 'boolean'
        ? [{ key, value: Number(value) }]
        : []
    })
    await this.#replace('detector_params', params)
    const ranges = (['vip', 'node', 'pod'] as const).flatMap((kind) =>
      segments[kind].flatMap((text) => {
        const prefix = parsePrefix(text)
        return prefix === undefined
          ? []
          : [
              {
                kind,
                lo: mapped(formatAddress(prefix.family, prefix.first)),
                hi: mapped(formatAddress(prefix.family, prefix.last)),
                ip_version: prefix.family,
                bits: prefix.bits,
                community: 0,
              },
            ]
      }),
    )
    const communities = vip_communities.map((text) => {
      const [asn = '0', value = '0'] = text.split(':')
      const community = (Number(asn) * 65_536 + Number(value)) >>> 0
      return { kind: 'community', lo: '::', hi: '::', ip_version: 0, bits: 0, community }
    })
    await this.#replace('fabric_segments', [...ranges, ...communities])
    await this.#replace(
      'fabric_prefix_nodes',
      prefix_nodes.flatMap((each) => {
        const prefix = parsePrefix(each.prefix)
        if (prefix === undefined) return []
        const node = this.#config.nodes.find((one) => one.name === each.node)
        const hosts = node === undefined ? [each.node] : node.addresses
        return hosts.map((host) => ({
          addr: mapped(formatAddress(prefix.family, prefix.first)),
          bits: prefix.bits,
          node_ip: mapped(host),
        }))
      }),
    )
    await this.#replace(
      'fabric_vrfs',
      vrfs.map((each) => ({
        vrf: each.name,
        l3vni: each.l3vni ?? 0,
        import_rts: each.import_rts,
        l2vnis: each.l2vnis,
        source: 'configured',
      })),
    )
    await this.#replace(
      'fabric_maintenance',
      maintenance.map((each) => ({
        node: each.scope.node ?? '',
        router: each.scope.router ?? '',
        vip: each.scope.vip ?? '',
        site: each.scope.site ?? '',
        from_ts: each.from.toISOString().replace('T', ' ').slice(0, -1),
        to_ts: each.to.toISOString().replace('T', ' ').slice(0, -1),
      })),
    )
    await this.#replace('fabric_vips', this.#configuredVips())
  }

  /** @returns whether routers, peers or nodes are not what they were */
  async inferPeers(): Promise<boolean> {
    const routers = await this.#db.query<{
      router: string
      address: string
      bgp_ids: string[]
      asn: number
    }>(query('fact_routers'))
    const peers = await this.#db.query<{
      router: string
      peer_key: string
      peer_type: number
      peer_addr: string
      peer_asn: number
      peer_bgp_id: string
      peer_rd: string
      passes_on: number
      reflects: number
      unicast: number
      evpn: number
    }>(query('fact_peers'))
    this.#inferred = inferFabric(
      this.#config,
      routers.map((row): RouterFact => ({
        router: row.router,
        address: row.address,
        bgpIds: row.bgp_ids,
        asn: row.asn,
      })),
      peers.map((row): PeerFact => ({
        router: row.router,
        peerKey: row.peer_key,
        peerType: row.peer_type,
        address: row.peer_addr,
        asn: row.peer_asn,
        bgpId: row.peer_bgp_id,
        rd: row.peer_rd,
        passesOn: row.passes_on === 1,
        reflects: row.reflects === 1,
        unicast: row.unicast,
        evpn: row.evpn,
      })),
    )
    const { nodes, nodeKeys } = this.#inferred
    const changed = [
      await this.#replace('fabric_routers', this.#inferred.routers.map(withNumericId)),
      await this.#replace(
        'fabric_peers',
        this.#inferred.peers.map((row) => ({
          ...row,
          peer_addr: mapped(row.peer_addr),
          peer_bgp_id: ipv4Number(row.peer_bgp_id),
        })),
      ),
      await this.#replace(
        'fabric_nodes',
        nodes.map((row) => ({ ...row, bgp_ids: row.bgp_ids.map(ipv4Number) })),
      ),
      await this.#replace('fabric_node_keys', nodeKeys),
    ]
    return changed.includes(true)
  }

  /** @returns whether the set of VIPs is not what it was */
  async inferVips(): Promise<boolean> {
    const { segments, vip_communities, vips } = this.#config
    const given = segments.vip.length > 0 || vip_communities.length > 0 || vips.length > 0
    const found = await this.#db.query<{
      addr: string
      bits: number
      ip_version: number
      source: string
    }>(query(given ? 'vips_matched' : 'vips_inferred'))
    const rows = new Map(this.#configuredVips().map((row) => [row.prefix, row]))
    for (const each of found) {
      const prefix = `${each.addr}/${String(each.bits)}`
      if (rows.has(prefix)) continue
      rows.set(prefix, {
        addr: mapped(each.addr),
        bits: each.bits,
        ip_version: each.ip_version,
        prefix,
        service: '',
        cluster: '',
        pair: '',
        mode: 'active_active',
        expected_nodes: [],
        source: each.source,
      })
    }
    return await this.#replace('fabric_vips', [...rows.values()])
  }

  /** @returns whether VTEPs are not what they were */
  async inferVteps(): Promise<boolean> {
    const seen = await this.#db.query<{ ip: string; devices: string[] }>(query('fact_vteps'))
    const rows: object[] = []
    const known = new Set<string>()
    const byName = new Map(this.#inferred.routers.map((row) => [row.name, row]))
    for (const router of this.#config.routers) {
      const { pair, name } = router
      const vgroup = pair !== undefined && this.#pairHasAnycast(pair) ? pair : name
      for (const vtep of router.vteps) {
        // An anycast address stands at each of its routers: one row.
        if (known.has(vtep.ip)) continue
        known.add(vtep.ip)
        rows.push({
          ip: mapped(vtep.ip),
          vgroup,
          router: name,
          kind: vtep.kind ?? 'pip',
          site: vtep.site ?? router.site ?? '',
          source: 'configured',
        })
      }
    }
    for (const { ip, devices } of seen) {
      if (known.has(ip)) continue
      const own = this.#inferred.routers.filter((row) => row.bgp_id === ip || row.address === ip)
      const leaves = devices.filter((name) => {
        const role = byName.get(name)?.role
        return role === undefined || !REFLECTING.has(role)
      })
      const names = own.length > 0 ? own.map((row) => row.name) : leaves
      if (names.length === 0) continue
      rows.push({
        ip: mapped(ip),
        vgroup: [...new Set(names)].sort().join('+'),
        router: names.length === 1 ? names[0] : '',
        kind: names.length === 1 ? 'learned' : 'anycast',
        site: byName.get(names[0] ?? '')?.site ?? '',
        source:
          own.length > 0
            ? 'inferred: address of the router'
            : 'inferred: announced by it as its own next hop',
      })
    }
    const changed = await this.#replace('fabric_vteps', rows)
    // Only VRF sessions need names for their distinguishers.
    const rds = this.#inferred.peers.some((peer) => peer.peer_rd !== '0')
      ? await this.#db.query<{ rd: string; vrf: string }>(query('fact_rds'))
      : []
    return (await this.#replace('fabric_rds', rds)) || changed
  }

  #pairHasAnycast(pair: string): boolean {
    return this.#config.routers.some(
      (router) => router.pair === pair && router.vteps.some((vtep) => vtep.kind === 'anycast'),
    )
  }

  #configuredVips(): VipRow[] {
    return this.#config.vips.flatMap((vip) => {
      const prefix = parsePrefix(vip.prefix)
      if (prefix === undefined) return []
      return [
        {
          addr: mapped(formatAddress(prefix.family, prefix.first)),
          bits: prefix.bits,
          ip_version: prefix.family,
          prefix: prefix.text,
          service: vip.service ?? '',
          cluster: vip.cluster ?? '',
          pair: vip.pair ?? '',
          mode: vip.mode,
          expected_nodes: [...(vip.expected_nodes ?? [])],
          source: 'configured: vips',
        },
      ]
    })
  }

  async #replace(table: string, rows: readonly object[]): Promise<boolean> {
    const text = JSON.stringify(rows)
    if (this.#written.get(table) === text) return false
    await this.#store.replaceRows(table, rows)
    this.#written.set(table, text)
    return true
  }
}

function ipv4Number(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function withNumericId<Row extends { bgp_id: string }>(
  row: Row,
): Omit<Row, 'bgp_id'> & { bgp_id: number } {
  return { ...row, bgp_id: ipv4Number(row.bgp_id) }
}
