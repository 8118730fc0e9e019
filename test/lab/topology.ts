/**
 * What the lab is made of. Two parts that share nothing but the collector:
 *
 *   clos   FRR: spines, two ToRs a rack, Kubernetes nodes on both ToRs of their rack; an AS each for
 *          ToRs and nodes (RFC 7938), BGP unnumbered, IPv4 with IPv6 next hops (RFC 8950)
 *   evpn   GoBGP: route reflectors and leaves, iBGP EVPN, one VM behind each leaf
 */

export type Role = 'spine' | 'tor' | 'node' | 'rr' | 'leaf'

export interface Router {
  readonly name: string
  readonly part: 'clos' | 'evpn'
  readonly role: Role
  /** Unique in the lab, 1..254: in MAC addresses and BMP source addresses. */
  readonly index: number
  readonly asn: number
  readonly routerId: string
  readonly rack: number
  readonly bmp: boolean
}

export interface Link {
  readonly a: Router
  readonly b: Router
}

export interface Vm {
  readonly name: string
  readonly mac: string
  readonly ip: string
  /** Prefix of the pods that run in the VM. */
  readonly pods: string
  /** The leaf it starts at. */
  readonly leaf: string
}

export const SPINE_AS = 65000
export const EVPN_AS = 65000
export const L2VNI = 10100
export const L3VNI = 50001
/** L2VNI that the FRR ToRs bridge: their type 2 and 3 routes. */
export const TOR_L2VNI = 10200

export const V6_LOOPBACK_NET = '2001:db8:19::'

export interface Clos {
  readonly routers: readonly Router[]
  readonly links: readonly Link[]
  /** Service address -> names of the nodes that announce it at rest. */
  readonly vips: ReadonlyMap<string, readonly string[]>
}

export interface Evpn {
  readonly routers: readonly Router[]
  readonly vms: readonly Vm[]
}

const repeat = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i + 1))

/** @param nodesPerRack one number a rack, 1 to 3 each */
export function createClos(nodesPerRack: readonly number[] = [2, 2], spines = 2): Clos {
  const router = (role: Role, n: number, rest: Partial<Router>): Router => ({
    name: `${role}${n}`,
    part: 'clos',
    role,
    index: n,
    asn: SPINE_AS,
    routerId: `10.0.0.${n}`,
    rack: 0,
    bmp: true,
    ...rest,
  })
  const spine = repeat(spines, (n) => router('spine', n, {}))
  const tor = repeat(nodesPerRack.length * 2, (n) =>
    router('tor', n, {
      index: 10 + n,
      asn: 4_200_001_000 + n,
      routerId: `10.0.1.${n}`,
      rack: Math.ceil(n / 2),
    }),
  )
  const racks = nodesPerRack.flatMap((count, i) => repeat(count, () => i + 1))
  const node = racks.map((rack, i) =>
    router('node', i + 1, {
      index: 21 + i,
      asn: 65_101 + i,
      routerId: `10.10.19.${11 + i}`,
      rack,
      bmp: false,
    }),
  )
  const links: Link[] = []
  for (const b of tor) for (const a of spine) links.push({ a, b })
  for (const b of node) for (const a of tor) if (a.rack === b.rack) links.push({ a, b })

  const all = node.map((n) => n.name)
  const firstOfRack = repeat(nodesPerRack.length, (rack) => node.find((n) => n.rack === rack))
    .filter((n) => n !== undefined)
    .map((n) => n.name)
  const vips = new Map([
    ['10.10.21.66/32', all],
    ['10.10.21.67/32', firstOfRack],
    ['2001:db8:21::66/128', all],
  ])
  return { routers: [...spine, ...tor, ...node], links, vips }
}

export function createEvpn(rrs = 2, leaves = 4): Evpn {
  const router = (role: Role, n: number, index: number, net: number): Router => ({
    name: `${role}${n}`,
    part: 'evpn',
    role,
    index,
    asn: EVPN_AS,
    routerId: `10.1.${net}.${n}`,
    rack: 0,
    bmp: true,
  })
  return {
    routers: [
      ...repeat(rrs, (n) => router('rr', n, 30 + n, 0)),
      ...repeat(leaves, (n) => router('leaf', n, 40 + n, 1)),
    ],
    vms: repeat(leaves, (n) => ({
      name: `vm${n}`,
      mac: `02:aa:00:00:00:${hex(n)}`,
      ip: `10.200.0.${10 + n}`,
      pods: `10.201.${n}.0/24`,
      leaf: `leaf${n}`,
    })),
  }
}

const hex = (octet: number): string => octet.toString(16).padStart(2, '0')

/** MAC of `here`'s end of its link to `there`. */
export const linkMac = (here: Router, there: Router): string =>
  `02:10:00:00:${hex(here.index)}:${hex(there.index)}`

/** The router's MAC of an EVPN leaf (RFC 9135 section 8.1). */
export const routerMac = (leaf: Router): string => `02:cc:00:00:00:${hex(leaf.index)}`

/** What a node announces for itself: loopbacks and its pods' prefixes. */
export function nodePrefixes(node: Router): string[] {
  const n = node.index - 20
  return [
    `${node.routerId}/32`,
    `${V6_LOOPBACK_NET}${node.index}/128`,
    `10.128.${n}.0/24`,
    `2001:db8:128:${n}::/64`,
  ]
}

/** Neighbours of a router of the Clos. */
export function neighbours(clos: Clos, router: Router): Router[] {
  return clos.links.flatMap(({ a, b }) => (a === router ? [b] : b === router ? [a] : []))
}

/** Everybody peers with the reflectors, the reflectors not with each other. */
export const peersOf = (evpn: Evpn, router: Router): Router[] =>
  evpn.routers.filter((r) => (r.role === 'rr') !== (router.role === 'rr'))
