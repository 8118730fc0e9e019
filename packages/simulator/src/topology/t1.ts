import type { Attributes } from '../encode/attributes.ts'
import type { Family } from '../encode/nlri.ts'
import type { Fabric } from '../model/fabric.ts'
import type { Node } from '../model/node.ts'
import type { Policy, Router } from '../model/router.ts'
import { unicast } from '../model/routes.ts'
import type { Path, Route, Session } from '../model/session.ts'
import { ipv6Of, overEbgp } from './common.ts'

export const V1 = '10.10.21.66/32'
export const V2 = '10.10.21.67/32'
export const V3 = '10.10.21.68/32'
export const V1_V6 = '2001:db8:21::66/128'

export interface T1Node {
  readonly name: string
  readonly rack: 1 | 2
  /** VIPs that it announces before the recording starts. */
  readonly vips: readonly string[]
  /** ToRs that it has a session with; both of its rack when left out. */
  readonly tors?: readonly string[]
  /** For fabric.yaml; the same as `tors` when left out. */
  readonly expectedTors?: readonly string[]
  readonly gracefulRestart?: number
  /**
   * Addresses of its end of the sessions, when not its own: unnumbered sessions have link-local
   * ones, and with several addresses there are as many parallel sessions to each ToR.
   */
  readonly links?: readonly string[]
}

export interface T1Options {
  readonly nodes?: readonly T1Node[]
  /** ToRs that tell the spines how many of a VIP's nodes they have (link bandwidth). */
  readonly linkBandwidth?: readonly string[]
  /** Goes into the VIPs' entries of fabric.yaml, over what follows from the nodes. */
  readonly vips?: Readonly<Record<string, VipEntry>>
  /** Goes into the routers' entries of fabric.yaml. */
  readonly routers?: Readonly<Record<string, Readonly<Record<string, boolean | number>>>>
  /** Attributes with which nodes announce their VIPs, by node. */
  readonly attrs?: Readonly<Record<string, Partial<Attributes>>>
}

interface VipEntry {
  readonly mode?: 'active_active' | 'active_standby'
  readonly pair?: string
  readonly expected_nodes?: readonly string[]
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']
const OVERLAY_AS = 64_900
const NODE_BANDWIDTH = 1.25e9

/** Balanced as it stands: n1 and n4, one in each rack, share v2 and v3. */
export const T1_NODES: readonly T1Node[] = [
  { name: 'n1', rack: 1, vips: [V1, V2, V3] },
  { name: 'n2', rack: 1, vips: [] },
  { name: 'n3', rack: 1, vips: [] },
  { name: 'n4', rack: 2, vips: [V2, V3] },
]

/** The nodes of T1 with v1 on these of them. */
export function withV1On(...names: readonly string[]): T1Node[] {
  return T1_NODES.map((node) => ({
    ...node,
    vips: [...(names.includes(node.name) ? [V1] : []), ...node.vips.filter((vip) => vip !== V1)],
  }))
}

/**
 * Topology T1: two racks of two ToRs, two spines, a border and two IPv4 route reflectors. eBGP
 * all the way, an AS per device; the ToRs also speak iBGP (local-as 64900) to the reflectors.
 *
 * ToRs tell spines what nodes told them and nothing else: no valley paths. Spines prefer tor1b
 * over tor1a (its BGP ID is lower), so that tor1a always holds a second path to its own nodes'
 * VIPs, over either spine, and explores both when the direct one goes.
 */
export class T1 {
  readonly fabric: Fabric
  readonly #options: T1Options
  readonly #vipNodes = new Map<string, string[]>()

  constructor(fabric: Fabric, options: T1Options = {}) {
    this.fabric = fabric
    this.#options = options
    this.#routers()
    for (const node of options.nodes ?? T1_NODES) this.#node(node)
    this.#inventory()
  }

  get tors(): Router[] {
    return ['tor1a', 'tor1b', 'tor2a', 'tor2b'].map((name) => this.fabric.router(name))
  }

  /** A VIP as this node announces it. */
  vip(node: string, prefix: string, attrs: Partial<Attributes> = {}): Route {
    const { speaker } = this.fabric.node(node)
    const nextHop = prefix.includes(':') ? ipv6Of(speaker.address) : speaker.address
    return unicast(prefix, {
      origin: 0,
      asPath: [speaker.asn],
      nextHop,
      ...(this.isVip(prefix) ? this.#options.attrs?.[node] : undefined),
      ...attrs,
    })
  }

  isVip(prefix: string): boolean {
    return prefix.startsWith('10.10.21.') || prefix.startsWith('2001:db8:21::')
  }

  /** Loopbacks and pod prefixes of a node, both families. */
  ownRoutes(node: Node): Route[] {
    const { address } = node.speaker
    const host = Number(address.split('.')[3]) - 10
    return [
      `${address}/32`,
      `10.128.${host}.0/24`,
      `${ipv6Of(address)}/128`,
      `2001:db8:128:${host}::/64`,
    ].map((prefix) => this.vip(node.name, prefix))
  }

  #routers(): void {
    const { fabric } = this
    const tor = (name: string, asn: number, bgpId: string, source: number): Router =>
      fabric.addRouter({
        name,
        role: 'tor',
        asn,
        bgpId,
        address: `127.0.2.${source}`,
        policy: this.#torPolicy(name),
      })
    const tors = [
      tor('tor1a', 4_200_001_001, '10.0.1.12', 11),
      tor('tor1b', 4_200_001_002, '10.0.1.11', 12),
      tor('tor2a', 4_200_001_003, '10.0.1.21', 13),
      tor('tor2b', 4_200_001_004, '10.0.1.22', 14),
    ]
    const spines = [1, 2].map((n) =>
      fabric.addRouter({
        name: `spine${n}`,
        role: 'spine',
        asn: 65_000 + n,
        bgpId: `10.0.0.${n}`,
        address: `127.0.2.${n}`,
        policy: { export: (to, path) => spineExport(to, path) },
      }),
    )
    const border = fabric.addRouter({
      name: 'border1',
      role: 'border',
      asn: 65_010,
      bgpId: '10.0.3.1',
      address: '127.0.2.51',
      policy: {
        export: (to, path) => (path.session === undefined ? overEbgp(to, path.attrs) : null),
      },
    })
    const reflectors = [1, 2].map((n) =>
      fabric.addRouter({
        name: `rr${n}`,
        role: 'rr',
        asn: OVERLAY_AS,
        bgpId: `10.0.4.${n}`,
        address: `127.0.2.${30 + n}`,
        policy: {},
      }),
    )
    spines.forEach((spine, index) => {
      const delayUs = index === 0 ? 8_000 : 20_000
      for (const each of tors) fabric.link(each, spine, { families: FAMILIES, delayUs })
      fabric.link(spine, border, { families: FAMILIES, delayUs: 10_000 })
    })
    for (const reflector of reflectors) {
      // The reflectors only listen: a peer without routes would look broken in a ToR's BMP.
      for (const each of tors) {
        fabric.link(each, reflector, {
          families: FAMILIES,
          asns: [OVERLAY_AS, OVERLAY_AS],
          delayUs: 12_000,
          unmonitored: true,
        })
      }
    }
    fabric.sim.after(0, () => {
      fabric.allUp()
      for (const router of [...tors, ...spines]) {
        router.originate(own([`${router.bgpId}/32`, `${ipv6Of(router.bgpId)}/128`], router))
      }
      border.originate(own(['0.0.0.0/0', '::/0'], border))
    })
  }

  #torPolicy(name: string): Policy {
    return {
      export: (to, path) => {
        const fromNode = path.session === undefined || path.session.peer.kind === 'node'
        if (to.external) {
          if (!fromNode) return null
          const attrs = overEbgp(to, path.attrs)
          return this.#options.linkBandwidth?.includes(name) === true
            ? withBandwidth(attrs, to.localAsn, NODE_BANDWIDTH * announcers(to.router, path.key))
            : attrs
        }
        const self = path.attrs.nextHop.includes(':') ? ipv6Of(to.localAddress) : to.localAddress
        return {
          ...path.attrs,
          localPref: 100,
          ...(fromNode && path.attrs.nextHop !== '' ? {} : { nextHop: self }),
        }
      },
    }
  }

  #node(node: T1Node): void {
    const { fabric } = this
    const number = Number(node.name.slice(1))
    const speaker = fabric.addNode({
      name: node.name,
      address: `10.10.19.${10 + number}`,
      asn: 65_100 + number,
      bgpId: `10.10.19.${10 + number}`,
    })
    const tors = node.tors ?? [`tor${node.rack}a`, `tor${node.rack}b`]
    for (const tor of tors) {
      for (const address of node.links ?? [speaker.speaker.address]) {
        fabric.attach(speaker, fabric.router(tor), {
          families: FAMILIES,
          address,
          ...(node.gracefulRestart === undefined ? {} : { gracefulRestart: node.gracefulRestart }),
        })
      }
    }
    for (const vip of node.vips) {
      this.#vipNodes.set(vip, [...(this.#vipNodes.get(vip) ?? []), node.name])
    }
    fabric.sim.after(2_000_000 + number * 150_000, () => {
      speaker.announce([
        ...this.ownRoutes(speaker),
        ...node.vips.map((vip) => this.vip(node.name, vip)),
      ])
    })
    fabric.inventory.nodes.push({
      name: node.name,
      bgp_ids: [speaker.speaker.bgpId],
      addresses: [speaker.speaker.address, ipv6Of(speaker.speaker.address)],
      asn: speaker.speaker.asn,
      rack: `r${node.rack}`,
      site: 'dc1',
      expected_tors: node.expectedTors ?? tors,
    })
  }

  #inventory(): void {
    const { inventory, routers } = this.fabric
    inventory.segments = {
      vip: ['10.10.21.0/24', '2001:db8:21::/64'],
      node: ['10.10.19.0/24', '2001:db8:10:19::/64'],
      pod: ['10.128.0.0/16', '10.10.20.0/22', '2001:db8:128::/48'],
    }
    for (const router of routers.values()) {
      const rack = /^tor(\d)/.exec(router.name)?.[1]
      inventory.routers.push({
        name: router.name,
        address: router.address,
        bgp_id: router.bgpId,
        role: router.role,
        rack: rack === undefined ? undefined : `r${rack}`,
        pair: rack === undefined ? undefined : `p${rack}`,
        site: 'dc1',
        asn: router.asn,
        multipath_relax: router.role === 'rr' ? undefined : true,
        max_paths_ebgp: router.role === 'rr' ? undefined : 64,
        ...this.#options.routers?.[router.name],
      })
    }
    for (const prefix of Object.keys(this.#options.vips ?? {})) {
      if (!this.#vipNodes.has(prefix)) this.#vipNodes.set(prefix, [])
    }
    for (const [prefix, nodes] of this.#vipNodes) {
      inventory.vips.push({
        prefix,
        service: SERVICES[prefix],
        cluster: 'k1',
        mode: 'active_active',
        expected_nodes: nodes,
        ...this.#options.vips?.[prefix],
      })
    }
  }
}

const SERVICES: Readonly<Record<string, string>> = {
  [V1]: 'shop',
  [V2]: 'api',
  [V3]: 'metrics',
  [V1_V6]: 'shop6',
}

function own(prefixes: readonly string[], router: Router): Route[] {
  return prefixes.map((prefix) =>
    unicast(prefix, {
      origin: 0,
      asPath: [],
      nextHop: prefix.includes(':') ? ipv6Of(router.bgpId) : router.bgpId,
    }),
  )
}

/** Link bandwidth ends at the spines, which tell the border the sum over their next hops. */
function spineExport(to: Session, path: Path): Attributes | null {
  const { extCommunities, ...attrs } = overEbgp(to, path.attrs)
  if (to.peer.name !== 'border1' || extCommunities === undefined) return attrs
  const all = to.router.sessions
    .map((session) => session.post.get(path.key)?.attrs)
    .filter((a) => a !== undefined)
  const bandwidths = all.map(bandwidth)
  if (bandwidths.includes(undefined)) return attrs
  const sum = bandwidths.reduce<number>((total, each) => total + (each ?? 0), 0)
  return withBandwidth(attrs, to.localAsn, sum)
}

function bandwidth(attrs: Attributes): number | undefined {
  const found = attrs.extCommunities?.find((community) => community.kind === 'link-bandwidth')
  return found?.octetsPerSecond
}

function withBandwidth(attrs: Attributes, asn: number, octetsPerSecond: number): Attributes {
  const others = attrs.extCommunities?.filter(({ kind }) => kind !== 'link-bandwidth') ?? []
  return {
    ...attrs,
    extCommunities: [...others, { kind: 'link-bandwidth', asn, octetsPerSecond, transitive: true }],
  }
}

function announcers(router: Router, key: string): number {
  return router.sessions.filter(({ peer, post }) => peer.kind === 'node' && post.has(key)).length
}
