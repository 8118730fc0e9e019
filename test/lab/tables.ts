/**
 * What the daemons themselves say is in their tables, and how that differs from what a collector made of
 * their BMP. A difference is either one of `HABITS`, measured and with its reason, or wrong.
 */
import type { Lab } from './lab.ts'
import { neighbours, peersOf } from './topology.ts'
import type { Router } from './topology.ts'

/** A route as both sides can tell it. */
export interface TableRoute {
  readonly router: string
  readonly rib: 'adj_in_pre' | 'loc_rib'
  /** Router id of the peer; empty in the Loc-RIB. */
  readonly peer: string
  readonly family: string
  readonly nlri: string
  readonly next_hop: string
  /** AS_PATH of eBGP (FRR), CLUSTER_LIST of iBGP (GoBGP). */
  readonly path: readonly string[]
}

/** A route of the collector: what the habits of a router's BMP are told by. */
export interface CollectedRoute extends TableRoute {
  readonly peer_addr: string
  readonly own_as_prepended: number
}

/** Columns of a `CollectedRoute`, of all routers. */
export const COLLECTED = `
  SELECT router, toString(rib) AS rib, if(rib = 'loc_rib', '', peer_bgp_id) AS peer, peer_addr, own_as_prepended, nlri, next_hop,
    multiIf(afi = 25, 'l2vpn evpn', afi = 2, 'ipv6 unicast', 'ipv4 unicast') AS family,
    if(rib = 'loc_rib' OR empty(as_path), cluster_list, arrayMap(asn -> toString(asn), as_path)) AS path
  FROM ribscope.rib_current WHERE rib IN ('adj_in_pre', 'loc_rib')`

/** Routes of which the last that a router said in its last BMP session was that they are withdrawn. */
export const WITHDRAWN = `
  SELECT e.router AS router, toString(e.rib) AS rib, e.peer_bgp_id AS peer, e.nlri AS nlri,
    multiIf(e.afi = 25, 'l2vpn evpn', e.afi = 2, 'ipv6 unicast', 'ipv4 unicast') AS family
  FROM ribscope.route_events AS e
  WHERE e.rib = 'adj_in_pre' AND (e.router, e.bmp_session) IN
    (SELECT router, max(bmp_session) FROM ribscope.session_events GROUP BY router)
  GROUP BY router, rib, peer, nlri, family
  HAVING argMax(e.action, e.seq) = 'withdraw'`

interface FrrReceived {
  readonly receivedRoutes?: Readonly<Record<string, { nextHopGlobal: string; path: string }>>
}

interface FrrEvpnPaths {
  readonly paths?: readonly {
    readonly path: string
    readonly nexthops: { readonly ip: string }[]
  }[]
}

const words = (text: string): string[] => (text === '' ? [] : text.split(' '))

/**
 * Adj-RIB-In of an FRR router, peer by peer: `received-routes`, before any policy. FRR 8.4 has no such
 * command for EVPN; `routes` is what it made of it.
 */
async function frrTables(lab: Lab, router: Router): Promise<TableRoute[]> {
  const asked = neighbours(lab.clos, router).flatMap((peer) =>
    ['ipv4 unicast', 'ipv6 unicast', ...(peer.role === 'node' ? [] : ['l2vpn evpn'])].map(
      (family) => ({
        peer,
        family,
        command: `show bgp ${family} neighbors ${peer.name} ${family === 'l2vpn evpn' ? 'routes' : 'received-routes'} json`,
      }),
    ),
  )
  const answers = await lab.vty(router.name, ...asked.map(({ command }) => command))
  return asked.flatMap(({ peer, family }, i) => {
    const answer: unknown = JSON.parse(answers[i] || '{}')
    const about = { router: router.name, rib: 'adj_in_pre', peer: peer.routerId, family } as const
    if (family !== 'l2vpn evpn') {
      const { receivedRoutes = {} } = answer as FrrReceived
      return Object.entries(receivedRoutes).map(([nlri, route]) => ({
        ...about,
        nlri,
        next_hop: route.nextHopGlobal,
        path: words(route.path),
      }))
    }
    return Object.entries(answer as Record<string, Record<string, FrrEvpnPaths>>)
      .filter(([rd]) => /^[\d.]+:\d+$/.test(rd))
      .flatMap(([rd, routes]) =>
        Object.entries(routes).flatMap(([key, { paths }]) =>
          (paths ?? []).map((path) => ({
            ...about,
            nlri: key.replace(/^\[(\d)\]/, `[$1]:[${rd}]`),
            next_hop: path.nexthops[0]?.ip ?? '',
            path: words(path.path),
          })),
        ),
      )
  })
}

interface GobgpRoute {
  readonly best: boolean
  readonly nlri: { readonly type: number; readonly value: GobgpEvpn }
  readonly attrs: readonly {
    readonly type: number
    readonly value?: unknown
    readonly nexthop?: string
  }[]
}

interface GobgpEvpn {
  readonly rd: { readonly admin: string; readonly assigned: number }
  readonly etag: number
  readonly mac?: string
  readonly ip?: string
  readonly prefix?: string
}

const CLUSTER_LIST = 10
const MP_REACH_NLRI = 14

function gobgpNlri({ type, value }: GobgpRoute['nlri']): string {
  const { rd, etag, mac, ip = '', prefix = '' } = value
  const head = `[${type}]:[${rd.admin}:${rd.assigned}]:[${etag}]`
  if (type === 2) return `${head}:[48]:[${mac ?? ''}]:[32]:[${ip}]`
  if (type === 3) return `${head}:[32]:[${ip}]`
  const [address, bits] = prefix.split('/')
  return `${head}:[${bits ?? ''}]:[${address ?? ''}]`
}

/** Adj-RIB-In and the best paths of a GoBGP router. */
async function gobgpTables(lab: Lab, router: Router): Promise<TableRoute[]> {
  const tables = [
    { rib: 'loc_rib' as const, peer: '', words: ['global', 'rib'] },
    ...peersOf(lab.evpn, router).map(({ routerId }) => ({
      rib: 'adj_in_pre' as const,
      peer: routerId,
      words: ['neighbor', routerId, 'adj-in'],
    })),
  ]
  const rows: TableRoute[] = []
  for (const { rib, peer, words } of tables) {
    const text = await lab.gobgp(router.name, ...words, '-a', 'evpn', '-j')
    const routes = Object.values(JSON.parse(text || '{}') as Record<string, GobgpRoute[]>).flat()
    for (const { best, nlri, attrs } of routes) {
      if (rib === 'loc_rib' && !best) continue // RFC 9069: what was selected
      const attribute = (type: number) => attrs.find((a) => a.type === type)
      rows.push({
        ...{ router: router.name, rib, peer, family: 'l2vpn evpn', nlri: gobgpNlri(nlri) },
        next_hop: attribute(MP_REACH_NLRI)?.nexthop ?? '',
        path: (attribute(CLUSTER_LIST)?.value ?? []) as string[],
      })
    }
  }
  return rows
}

/** The tables of every router that exports BMP, by its daemon's own word. */
export async function tablesOf(lab: Lab): Promise<TableRoute[]> {
  const exporters = lab.routers.filter((r) => r.bmp)
  const tables = exporters.map((r) => (r.part === 'clos' ? frrTables(lab, r) : gobgpTables(lab, r)))
  return (await Promise.all(tables)).flat()
}

/** One route, as far as the two sides have it, that differs. */
interface Difference {
  readonly router: Router
  readonly ours?: CollectedRoute | undefined
  readonly theirs?: TableRoute | undefined
  /** The last that the router's BMP said of it, in this BMP session, was a withdrawal. */
  readonly withdrawn: boolean
}

/** A difference that is the daemon's, not the collector's. */
interface Habit {
  /** What it is, and where it was measured (FRR N: the number of the habit in ROUTERS.md). */
  readonly reason: string
  /** Both have the route, and differ in this. */
  readonly field?: 'next_hop' | 'path'
  readonly explains: (difference: Difference) => boolean
}

const isFrr = (router: Router): boolean => router.part === 'clos'
const isLoop = (router: Router, path: readonly string[]): boolean =>
  path.includes(String(router.asn))

export const HABITS: Readonly<Record<string, Habit>> = {
  'frr-own-as-in-front': {
    reason: 'FRR 1: it exports AS_PATH with its own AS in front; own_as_prepended says so',
    field: 'path',
    explains: ({ router, ours, theirs }) =>
      isFrr(router) &&
      ours?.own_as_prepended === 1 &&
      same(ours.path, [String(router.asn), ...(theirs?.path ?? [])]),
  },
  'frr-no-ipv4-next-hop': {
    reason: 'FRR 2: an IPv4 route with an IPv6 next hop is exported without; it is the peer itself',
    field: 'next_hop',
    explains: ({ router, ours, theirs }) =>
      isFrr(router) &&
      ours?.family === 'ipv4 unicast' &&
      ours.next_hop === '' &&
      ours.peer_addr === theirs?.next_hop,
  },
  'frr-evpn-loop-not-shown': {
    reason:
      'FRR 14: a route that came back with its own AS is in Adj-RIB-In and goes no further. FRR 8.4 has ' +
      '`received-routes` for unicast, which shows such routes, and only `routes` for EVPN, which does not',
    explains: ({ router, ours, theirs }) =>
      isFrr(router) &&
      theirs === undefined &&
      ours?.family === 'l2vpn evpn' &&
      ours.own_as_prepended === 1 &&
      isLoop(router, ours.path.slice(1)),
  },
  'frr-loop-withdrawn': {
    reason:
      'Measured here, akin to FRR 4: a route that comes back with its own AS while no peer sends one that ' +
      'is accepted (a spine and the other spine) is withdrawn live, pre-policy too, though it is in ' +
      'Adj-RIB-In, and stays so when there is an accepted one later. We say what we were told',
    explains: ({ router, ours, theirs, withdrawn }) =>
      isFrr(router) &&
      ours === undefined &&
      theirs?.family !== 'l2vpn evpn' &&
      isLoop(router, theirs?.path ?? []) &&
      withdrawn,
  },
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

type Identity = Pick<TableRoute, 'router' | 'rib' | 'peer' | 'family' | 'nlri'>

const identity = (r: Identity): string => [r.router, r.rib, r.peer, r.family, r.nlri].join(' ')

function grouped<T extends TableRoute>(routes: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const route of routes) {
    const group = groups.get(identity(route))
    if (group === undefined) groups.set(identity(route), [route])
    else group.push(route)
  }
  return groups
}

export interface Comparison {
  /** Differences that nothing explains, one line each. */
  readonly wrong: readonly string[]
  /** How often each habit was met. */
  readonly habits: ReadonlyMap<string, number>
}

export function compareTables(
  lab: Lab,
  ours: readonly CollectedRoute[],
  theirs: readonly TableRoute[],
  withdrawn: readonly Identity[],
): Comparison {
  const wrong: string[] = []
  const habits = new Map<string, number>()
  const met = (name: string | undefined): boolean => {
    if (name !== undefined) habits.set(name, (habits.get(name) ?? 0) + 1)
    return name !== undefined
  }
  const gone = new Set(withdrawn.map(identity))
  const habitOf = (
    field: Habit['field'],
    ours: CollectedRoute | undefined,
    theirs: TableRoute | undefined,
  ): string | undefined => {
    const route = ours ?? theirs
    if (route === undefined) return undefined
    const router = lab.router(route.router)
    const difference = { router, ours, theirs, withdrawn: gone.has(identity(route)) }
    return Object.entries(HABITS).find(
      ([, habit]) => habit.field === field && habit.explains(difference),
    )?.[0]
  }

  const left = grouped(ours)
  for (const [key, group] of grouped(theirs)) {
    const [their] = group
    const [our, ...more] = left.get(key) ?? []
    left.delete(key)
    if (our === undefined || their === undefined) {
      if (!met(habitOf(undefined, our, their))) {
        wrong.push(`${key}: the daemon has it (${String(their?.path)}), we do not`)
      }
      continue
    }
    if (group.length > 1 || more.length > 0) {
      wrong.push(`${key}: ${group.length} times at the daemon, ${more.length + 1} times here`)
    }
    for (const field of ['next_hop', 'path'] as const) {
      if (same(our[field], their[field]) || met(habitOf(field, our, their))) continue
      wrong.push(
        `${key}: ${field} ${String(their[field])} at the daemon, ${String(our[field])} here`,
      )
    }
  }
  for (const [key, group] of left) {
    for (const our of group) {
      if (!met(habitOf(undefined, our, undefined))) {
        wrong.push(`${key}: we have it (${String(our.path)}), the daemon does not`)
      }
    }
  }
  return { wrong, habits }
}
