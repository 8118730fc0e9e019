import type { Attributes } from '../encode/attributes.ts'
import type { ExtCommunity } from '../encode/ext-community.ts'
import { NO_ESI } from '../encode/nlri.ts'
import type { Fabric } from '../model/fabric.ts'
import type { Node } from '../model/node.ts'
import type { Router } from '../model/router.ts'
import { unicast } from '../model/routes.ts'
import type { Route } from '../model/session.ts'
import { reflected } from './common.ts'

export const L3VNI = 5001
export const L2VNI = 100
export const ANYCAST = '10.255.1.1'
const ASN = 65_000
const VRF = 'K8S'
/** NX-OS derives the pair's virtual router MAC from the anycast address. */
const VIRTUAL_RMAC = '02:00:0a:ff:01:01'

export const LEAVES = ['leaf11', 'leaf12', 'leaf23', 'leaf24', 'leaf25', 'bl90'] as const
export type Leaf = (typeof LEAVES)[number]

export interface T2Options {
  /** Names of the two reflectors, for a fabric that has an rr1 already. */
  readonly reflectors?: readonly [string, string]
  /** Workers on leaf24 and leaf25 whose pods those leaves announce; present unless false. */
  readonly background?: boolean
}

export interface Host {
  readonly ip: string
  readonly mac: string
  /** MAC mobility sequence; none is sent for 0. */
  readonly sequence?: number
  /** The leaf's own VTEP address when left out. */
  readonly nextHop?: string
  readonly esi?: string
  /** Bridged only: neither L3VNI nor its route target. */
  readonly layer2?: boolean
  /** Of the anycast gateway address that every leaf has. */
  readonly defaultGateway?: boolean
}

export interface PodPrefix {
  readonly prefix: string
  readonly gateway?: string
  readonly esi?: string
  readonly nextHop?: string
  readonly rmac?: string
  readonly rts?: readonly string[]
}

/**
 * Topology T2: EVPN over an IGP underlay. leaf11 and leaf12 are a pair with an anycast VTEP
 * address, leaf23 to leaf25 stand alone, bl90 is the border; all are iBGP clients of two
 * reflectors. VRF K8S has L3VNI 5001 and one subnet, L2VNI 100. Workers speak BGP inside the VRF.
 */
export class T2 {
  readonly fabric: Fabric

  constructor(fabric: Fabric, options: T2Options = {}) {
    this.fabric = fabric
    const reflectors = (options.reflectors ?? ['rr1', 'rr2']).map((name, index) =>
      fabric.addRouter({
        name,
        role: 'rr',
        asn: ASN,
        bgpId: `10.255.9.${index + 1}`,
        address: `127.0.2.${231 + index}`,
        policy: {
          export: (_to, path) =>
            path.session === undefined ? null : reflected(path.attrs, path.session),
        },
      }),
    )
    const leaves = LEAVES.map((name) => this.#leaf(name))
    for (const leaf of leaves) {
      reflectors.forEach((reflector, index) => {
        fabric.link(leaf, reflector, { families: ['evpn'], delayUs: index === 0 ? 6_000 : 9_000 })
      })
    }
    fabric.sim.after(0, () => {
      fabric.allUp()
      for (const name of LEAVES) this.#originateMulticast(name)
      for (const prefix of ['0.0.0.0/0', '203.0.113.0/24']) this.announcePrefix('bl90', { prefix })
    })
    this.#inventory([...leaves, ...reflectors])
    if (options.background !== false) this.#background()
  }

  /** RT-2 of a host behind a leaf: MAC and IP, L2VNI and L3VNI. */
  hostRoute(leaf: Leaf, host: Host): Route {
    const nextHop = host.nextHop ?? vtep(leaf)
    const mobility: ExtCommunity[] =
      (host.sequence ?? 0) > 0 ? [{ kind: 'mobility', sequence: host.sequence ?? 0 }] : []
    const layer3: ExtCommunity[] = [
      { kind: 'rt', value: `${ASN}:${L3VNI}` },
      { kind: 'rmac', mac: nextHop === ANYCAST ? VIRTUAL_RMAC : rmac(leaf) },
    ]
    return {
      nlri: {
        family: 'evpn',
        type: 2,
        rd: `${vtep(leaf)}:${L2VNI}`,
        esi: host.esi ?? NO_ESI,
        tag: 0,
        mac: host.mac,
        ip: host.ip,
        label: L2VNI,
        ...(host.layer2 === true ? {} : { label2: L3VNI }),
      },
      attrs: overlay(nextHop, [
        { kind: 'rt', value: `${ASN}:${L2VNI}` },
        ...(host.layer2 === true ? [] : layer3),
        { kind: 'encap', tunnel: 8 },
        ...mobility,
        ...(host.defaultGateway === true ? [{ kind: 'default-gateway' } as const] : []),
      ]),
    }
  }

  /** RT-5 of a prefix that a leaf announces, RFC 9136. */
  prefixRoute(leaf: Leaf, pod: PodPrefix): Route {
    const nextHop = pod.nextHop ?? vtep(leaf)
    return {
      nlri: {
        family: 'evpn',
        type: 5,
        rd: `${vtep(leaf)}:${L3VNI}`,
        esi: pod.esi ?? NO_ESI,
        tag: 0,
        prefix: pod.prefix,
        gateway: pod.gateway ?? '',
        label: L3VNI,
      },
      attrs: overlay(nextHop, [
        ...(pod.rts ?? [`${ASN}:${L3VNI}`]).map((value): ExtCommunity => ({ kind: 'rt', value })),
        { kind: 'encap', tunnel: 8 },
        { kind: 'rmac', mac: pod.rmac ?? (nextHop === ANYCAST ? VIRTUAL_RMAC : rmac(leaf)) },
      ]),
    }
  }

  /** RT-1 per EVI and per segment, and RT-4: this leaf is on a multihomed Ethernet segment. */
  segmentRoutes(leaf: Leaf, esi: string): Route[] {
    const endpoint = vtep(leaf)
    const perEvi: ExtCommunity[] = [
      { kind: 'rt', value: `${ASN}:${L2VNI}` },
      { kind: 'encap', tunnel: 8 },
    ]
    const esImport = esi.split(':').slice(1, 7).join(':')
    return [
      {
        nlri: { family: 'evpn', type: 1, rd: `${endpoint}:${L2VNI}`, esi, tag: 0, label: L2VNI },
        attrs: overlay(endpoint, perEvi),
      },
      {
        nlri: { family: 'evpn', type: 1, rd: `${endpoint}:1`, esi, tag: 0xffffffff, label: 0 },
        attrs: overlay(endpoint, [...perEvi, { kind: 'esi-label', label: 0 }]),
      },
      {
        nlri: { family: 'evpn', type: 4, rd: `${endpoint}:1`, esi, ip: endpoint },
        attrs: overlay(endpoint, [{ kind: 'es-import', mac: esImport }]),
      },
    ]
  }

  announceHost(leaf: Leaf, host: Host): void {
    this.fabric.router(leaf).originate([this.hostRoute(leaf, host)])
  }

  withdrawHost(leaf: Leaf, host: Host): void {
    this.fabric.router(leaf).originate([{ nlri: this.hostRoute(leaf, host).nlri, attrs: null }])
  }

  announcePrefix(leaf: Leaf, pod: PodPrefix): void {
    this.fabric.router(leaf).originate([this.prefixRoute(leaf, pod)])
  }

  withdrawPrefix(leaf: Leaf, pod: PodPrefix): void {
    this.fabric.router(leaf).originate([{ nlri: this.prefixRoute(leaf, pod).nlri, attrs: null }])
  }

  /** A worker with BGP sessions inside the VRF, to these leaves, announcing these prefixes there. */
  worker(name: string, ip: string, leaves: readonly Leaf[], prefixes: readonly string[]): Node {
    const { fabric } = this
    const number = Number(ip.split('.')[3])
    const node = fabric.addNode({ name, address: ip, asn: 65_100 + number, bgpId: ip })
    for (const leaf of leaves) {
      fabric.attach(node, fabric.router(leaf), { families: ['ipv4'], rd: `${vtep(leaf)}:${L3VNI}` })
    }
    fabric.inventory.nodes.push({
      name,
      bgp_ids: [ip],
      addresses: [ip],
      asn: 65_100 + number,
      site: 'dc1',
      expected_tors: leaves,
    })
    fabric.sim.after(2_000_000, () => {
      for (const leaf of leaves) {
        if (!node.session(leaf).up) node.session(leaf).router.sessionUp(node.session(leaf))
      }
      node.announce(
        prefixes.map((prefix) =>
          unicast(prefix, { origin: 0, asPath: [node.speaker.asn], nextHop: ip }),
        ),
      )
    })
    return node
  }

  /** fabric.yaml knows which host is behind a prefix; else only the VRF sessions tell. */
  prefixNode(prefix: string, node: string): void {
    this.fabric.inventory.prefixNodes.push({ prefix, node })
  }

  /** Happens before the recording starts. */
  before(run: () => void): void {
    this.fabric.sim.after(3_000_000, run)
  }

  #leaf(name: Leaf): Router {
    return this.fabric.addRouter({
      name,
      role: name === 'bl90' ? 'border' : 'leaf',
      asn: ASN,
      bgpId: vtep(name),
      address: `127.0.2.${100 + leafNumber(name)}`,
      policy: { export: (_to, path) => (path.session === undefined ? path.attrs : null) },
    })
  }

  /** RT-3: broadcast, unknown unicast and multicast of the subnet by ingress replication. */
  #originateMulticast(leaf: Leaf): void {
    const endpoint = vtep(leaf)
    const attrs = overlay(endpoint, [
      { kind: 'rt', value: `${ASN}:${L2VNI}` },
      { kind: 'encap', tunnel: 8 },
    ])
    this.fabric.router(leaf).originate([
      {
        nlri: { family: 'evpn', type: 3, rd: `${endpoint}:${L2VNI}`, tag: 0, ip: endpoint },
        attrs: { ...attrs, pmsi: { label: L2VNI, endpoint } },
      },
    ])
  }

  #background(): void {
    for (const [leaf, host, prefix] of [
      ['leaf24', 41, '10.10.22.64/26'],
      ['leaf25', 42, '10.10.22.128/26'],
    ] as const) {
      const ip = `10.10.19.${host}`
      this.worker(`w${host}`, ip, [leaf], [prefix])
      this.before(() => {
        this.announceHost(leaf, { ip, mac: mac(host) })
        this.announcePrefix(leaf, { prefix })
      })
    }
  }

  #inventory(routers: readonly Router[]): void {
    const { inventory } = this.fabric
    if (Object.keys(inventory.segments).length === 0) {
      inventory.segments = {
        vip: ['10.10.21.0/24'],
        node: ['10.10.19.0/24'],
        pod: ['10.10.20.0/22'],
      }
    }
    for (const router of routers) {
      const pair = router.name === 'leaf11' || router.name === 'leaf12'
      const leaf = LEAVES.find((name) => name === router.name)
      inventory.routers.push({
        name: router.name,
        address: router.address,
        bgp_id: router.bgpId,
        role: router.role,
        rack: leaf === undefined || leaf === 'bl90' ? undefined : pair ? 'pair1' : leaf,
        pair: pair ? 'pair1' : undefined,
        site: 'dc1',
        asn: router.asn,
        vteps:
          leaf === undefined
            ? undefined
            : [
                { ip: vtep(leaf), kind: 'pip' },
                ...(pair ? [{ ip: ANYCAST, kind: 'anycast' }] : []),
              ],
      })
    }
    inventory.vrfs.push({
      name: VRF,
      l3vni: L3VNI,
      import_rts: [`${ASN}:${L3VNI}`],
      l2vnis: [L2VNI],
    })
  }
}

/** A leaf's own VTEP address, which is its loopback and BGP ID too. */
export function vtep(leaf: Leaf): string {
  return `10.255.0.${leafNumber(leaf)}`
}

export function mac(host: number): string {
  return `52:54:00:00:19:${host.toString(16).padStart(2, '0')}`
}

export function rmac(leaf: Leaf): string {
  return `52:54:00:ff:00:${leafNumber(leaf).toString(16).padStart(2, '0')}`
}

function leafNumber(leaf: Leaf): number {
  return Number(leaf.replace(/\D/g, ''))
}

function overlay(nextHop: string, extCommunities: readonly ExtCommunity[]): Attributes {
  return { origin: 0, asPath: [], nextHop, localPref: 100, extCommunities }
}
