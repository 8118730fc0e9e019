/** What the store has, in the words of `truth.ts`. */
import type { StoreSession } from '@ribscope/store'
import { contentOf, keyText, peerText, type Content } from './truth.ts'

export interface StoredRoute {
  readonly seq: number
  readonly text: string
  readonly evpn: boolean
  readonly phase: string
}

export interface StoredFact {
  readonly seq: number
  readonly kind: string
  /** as in SessionTruth.facts; for other kinds the kind and its reason */
  readonly text: string
}

export interface StoredSession {
  readonly router: string
  readonly bmpSession: number
  tag: string | undefined
  readonly routes: StoredRoute[]
  readonly facts: StoredFact[]
}

interface RouteColumns {
  router: string
  bmp_session: string
  seq: string
  peer_addr: string
  peer_asn: number
  peer_bgp_id: string
  afi: number
  safi: number
  action: string
  nlri: string
  path_id: number
  next_hop: string
  as_path: number[]
  med: number | null
  local_pref: number | null
  communities: string[]
  labels: number[]
  rts: string[]
  phase: string
}

const IDENTITY = `router, peer_addr, peer_asn, peer_bgp_id, afi, safi, nlri, path_id, next_hop, as_path, med, local_pref,
  communities, labels, rts`

function described(row: RouteColumns): { key: string; content: string } {
  const peer = peerText({ address: row.peer_addr, asn: row.peer_asn, bgpId: row.peer_bgp_id })
  const content: Content = {
    nextHop: row.next_hop,
    asPath: row.as_path,
    med: row.med,
    localPref: row.local_pref,
    communities: row.communities,
    labels: row.afi === 25 ? row.labels : [],
    rts: row.rts,
  }
  const route = { afi: row.afi, safi: row.safi, nlri: row.nlri, pathId: row.path_id, content: '' }
  return { key: keyText(peer, route), content: contentOf(content) }
}

/** By router, then in the order of their numbers. */
export async function storedSessions(
  db: StoreSession,
  routers: readonly string[],
): Promise<Map<string, StoredSession[]>> {
  const sessions = new Map<string, Map<string, StoredSession>>()
  const sessionOf = (router: string, number: string): StoredSession => {
    const mine = sessions.get(router) ?? new Map<string, StoredSession>()
    sessions.set(router, mine)
    const session = mine.get(number) ?? {
      ...{ router, bmpSession: Number(number), tag: undefined },
      ...{ routes: [], facts: [] },
    }
    mine.set(number, session)
    return session
  }
  for (const some of chunks(routers, 20)) {
    const routes = await db.query<RouteColumns>(
      `SELECT ${IDENTITY}, bmp_session, seq, action, phase FROM ribscope.route_events
       WHERE has({routers:Array(String)}, router) ORDER BY router, bmp_session, seq`,
      { routers: some },
    )
    for (const row of routes) {
      const { key, content } = described(row)
      sessionOf(row.router, row.bmp_session).routes.push({
        seq: Number(row.seq),
        text: `${row.action} ${key}${row.action === 'announce' ? ` ${content}` : ''}`,
        evpn: row.afi === 25,
        phase: row.phase,
      })
    }
  }
  const facts = await db.query<{
    router: string
    bmp_session: string
    seq: string
    kind: string
    peer_addr: string
    afi: number
    safi: number
    reason: string
    reason_code: number
    text: string
  }>(
    `SELECT router, bmp_session, seq, kind, peer_addr, afi, safi, reason, reason_code, text FROM ribscope.session_events
     ORDER BY router, bmp_session, seq`,
  )
  for (const row of facts) {
    const session = sessionOf(row.router, row.bmp_session)
    if (row.kind === 'initiation') session.tag = row.text
    session.facts.push({ seq: Number(row.seq), kind: row.kind, text: factText(row) })
  }
  return new Map([...sessions].map(([router, mine]) => [router, [...mine.values()]]))
}

function factText(row: {
  kind: string
  peer_addr: string
  afi: number
  safi: number
  reason: string
  reason_code: number
}): string {
  switch (row.kind) {
    case 'peer_up':
      return `peer_up ${row.peer_addr}`
    case 'eor':
      return `eor ${row.peer_addr} ${row.afi}/${row.safi}`
    case 'peer_down':
      return `peer_down ${row.peer_addr} ${row.reason_code}`
    case 'termination':
      return 'termination'
    default:
      return `${row.kind} ${row.reason}`
  }
}

/** What every router has now, as `SimulatedRouter.held`. A stale route says so. */
export async function storedTables(db: StoreSession): Promise<Map<string, string[]>> {
  const rows = await db.query<RouteColumns & { stale: number }>(
    `SELECT ${IDENTITY}, stale FROM ribscope.rib_current`,
  )
  const tables = new Map<string, string[]>()
  for (const row of rows) {
    const table = tables.get(row.router) ?? []
    tables.set(row.router, table)
    const { key, content } = described(row)
    table.push(`${key} ${content}${row.stale ? ' stale' : ''}`)
  }
  return tables
}

/** Peers that are up, by router. */
export async function storedPeers(db: StoreSession): Promise<Map<string, string[]>> {
  const rows = await db.query<{ router: string; peers: string[] }>(
    `SELECT router, arraySort(groupArray(replaceOne(toString(peer_addr), '::ffff:', ''))) AS peers
     FROM ribscope.peer_state WHERE up GROUP BY router`,
  )
  return new Map(rows.map(({ router, peers }) => [router, peers]))
}

export function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  )
}
