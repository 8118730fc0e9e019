/** What the views and the analyst make of the rows, against a replay that knows neither. */
import { Analyst } from '@ribscope/analyst'
import { parseFabric } from '@ribscope/fabric'
import { replay, type Event } from '../e2e/replay.ts'
import { sets } from './compare.ts'
import type { SimulatedRouter } from './router.ts'
import type { World } from './world.ts'

type Row = Parameters<typeof replay>[0][number]

export interface Detected {
  readonly differences: string[]
  /** VIPs on nodes at routers whose ups and downs were counted */
  readonly links: number
}

const VIPS = ['10.10.20.0/22', '2001:db8:21::/64']

export async function detect(
  { db, store }: World,
  routers: readonly SimulatedRouter[],
): Promise<Detected> {
  const differences: string[] = []
  const nodes = new Map<string, string>()
  for (const router of routers) {
    for (const { text } of router.peers) {
      const id = text.split(' ')[2]!
      // The route reflector is none.
      if (!text.includes('AS4200000001')) nodes.set(id, `node-${id}`)
    }
  }
  const list = [...nodes].map(([id, name]) => `  - { name: ${name}, bgp_ids: [${id}] }`)
  const yaml = `segments: { vip: [${VIPS.map((each) => JSON.stringify(each)).join()}] }\nnodes:\n${list.join('\n')}\n`
  const analyst = await Analyst.create({ store, config: parseFabric(yaml).fabric })
  await analyst.round(Date.now() * 1000)

  const wanted = new Map<string, number>()
  const counted: string[] = []
  for (const { name } of routers) {
    const rows = await rowsOf(db, name)
    const history: Event[] = []
    replay(rows, history)
    const got = await db.query<{ text: string }>(
      `SELECT concat(toString(pos), ' ', nlri, ' ', peer_addr, ' ', toString(path_id), ' ', toString(implied), ' ', class, ' ', cause) AS text
       FROM ribscope.route_event_class WHERE router = {name:String}`,
      { name },
    )
    differences.push(
      ...sets(
        `${name}: route_event_class`,
        history.map(classText),
        got.map(({ text }) => text),
      ),
    )
    // Two sessions at a time have no order in time.
    if (overlap(rows)) continue
    counted.push(name)
    for (const link of downs(name, history, nodes)) wanted.set(link, (wanted.get(link) ?? 0) + 1)
  }
  const found = await db.query<{ link: string; n: string }>(
    `SELECT concat(tor, ' ', node, ' ', vip) AS link, count() AS n FROM ribscope.edge_transitions
     WHERE class = 'AW' AND has({counted:Array(String)}, tor) GROUP BY link`,
    { counted },
  )
  differences.push(
    ...sets(
      'times that VIPs went away (edge_transitions)',
      [...wanted].map(([link, n]) => `${link} ${n}`),
      found.map(({ link, n }) => `${link} ${n}`),
    ),
  )
  const changes = await db.query<{ peer: string; n: string }>(
    `SELECT concat(toString(router), ' ', toString(peer_key)) AS peer, count() AS n FROM ribscope.peer_changes
     WHERE NOT up GROUP BY peer`,
  )
  const peers = await peerDowns(db, routers)
  differences.push(
    ...sets(
      'times that peers went down (peer_changes)',
      peers,
      changes.map(({ peer, n }) => `${peer} ${n}`),
    ),
  )
  return { differences, links: wanted.size }
}

async function rowsOf(db: World['db'], router: string): Promise<Row[]> {
  const rows: Row[] = []
  for (const table of ['route_events', 'session_events']) {
    const found = await db.query<Record<string, unknown> & { rx_ts: string }>(
      `SELECT * FROM ribscope.${table} WHERE router = {router:String}`,
      { router },
    )
    for (const row of found) {
      const numbers = { bmp_session: Number(row['bmp_session']), seq: Number(row['seq']) }
      rows.push({ ...row, ...numbers, table, router, rx_ts: row.rx_ts })
    }
  }
  return rows
}

const posOf = ({ bmp_session, seq }: Row): string =>
  String(BigInt(bmp_session) * 4096n + BigInt(seq))

const classText = ({ row, by, implied, class: name, cause }: Event): string =>
  [...[posOf(by), row['nlri'], row['peer_addr'], row['path_id'], implied, name, cause]].join(' ')

/** Had an earlier session anything to say when a later one had begun? */
function overlap(rows: readonly Row[]): boolean {
  const spans = new Map<number, string>()
  for (const { bmp_session, rx_ts, ...row } of rows) {
    // That it ended changes no route.
    if (row['kind'] === 'bmp_down') continue
    const last = spans.get(bmp_session)
    if (last === undefined || rx_ts > last) spans.set(bmp_session, rx_ts)
  }
  const inOrder = [...spans].sort(([a], [b]) => a - b)
  return inOrder.some(([, last], i) => {
    const next = inOrder[i + 1]
    return next !== undefined && Date.parse(`${last.replace(' ', 'T')}Z`) * 1000 > next[0]
  })
}

/** A VIP goes away when the last path of its node does. */
function* downs(
  router: string,
  history: readonly Event[],
  nodes: ReadonlyMap<string, string>,
): Generator<string> {
  const levels = new Map<string, number>()
  for (const { row, class: name } of history) {
    const node = nodes.get(String(row['peer_bgp_id']))
    const vip = String(row['prefix'])
    if (node === undefined || row['afi'] === 25) continue
    const link = `${router} ${node} ${vip}`
    const level = levels.get(link) ?? 0
    if (['NEW', 'WADUP', 'WADIFF'].includes(name)) levels.set(link, level + 1)
    else if (name === 'AW') {
      levels.set(link, level - 1)
      if (level === 1) yield link
    }
  }
}

/** Changes from up to down that some row tells, counted one after the other. */
async function peerDowns(db: World['db'], routers: readonly SimulatedRouter[]): Promise<string[]> {
  const rows = await db.query<{ router: string; peer_key: string; kind: string }>(
    `SELECT router, peer_key, kind FROM ribscope.session_events
     WHERE kind = 'peer_up' OR (kind = 'peer_down' AND counted = 1) ORDER BY router, bmp_session, seq`,
  )
  const names = new Set(routers.map(({ name }) => name))
  const up = new Set<string>()
  const counts = new Map<string, number>()
  for (const { router, peer_key, kind } of rows) {
    if (!names.has(router)) continue
    const peer = `${router} ${peer_key}`
    if (kind === 'peer_up') up.add(peer)
    else if (up.delete(peer)) counts.set(peer, (counts.get(peer) ?? 0) + 1)
  }
  return [...counts].map(([peer, n]) => `${peer} ${n}`)
}
