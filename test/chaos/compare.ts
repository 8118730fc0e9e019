/** What was stored against what was sent. */
import type { SimulatedRouter } from './router.ts'
import { storedPeers, storedSessions, storedTables, type StoredSession } from './stored.ts'
import { isWhole, sentText, type SessionTruth } from './truth.ts'
import type { World } from './world.ts'

export interface Comparison {
  readonly differences: string[]
  /** sessions of which every row had to be there, those of dead collectors, and their rows */
  readonly whole: number
  readonly cut: number
  readonly routes: number
  readonly sent: number
  /** rows of the tables that are there more than once */
  readonly doubles: number
}

const SHOWN = 3

export async function compare(
  world: World,
  routers: readonly SimulatedRouter[],
  say: (line: string) => void,
): Promise<Comparison> {
  const { db } = world
  const differences: string[] = []
  const places: string[] = []
  const doubles = await countDoubles(world, differences, places)
  const stored = await storedSessions(
    db,
    routers.map(({ name }) => name),
  )
  if (doubles > 0) {
    const { rows, said } = await world.doublesInTopic()
    const facts = `${said.length} batches are in the topic twice, ${rows} rows${indented(said)}`
    // A collector that loses its producer's number publishes again what had arrived: for views that is one row.
    if (doubles > rows) differences.push(...places, facts)
    else say(`${doubles} rows are stored twice, all of them published twice: ${facts}`)
  }
  let whole = 0
  let cut = 0
  let routes = 0
  let sent = 0
  for (const router of routers) {
    const mine = stored.get(router.name) ?? []
    const byTag = new Map(mine.map((session) => [session.tag, session]))
    for (const truth of router.sessions) {
      const must = isWhole(truth)
      if (must) whole++
      else cut++
      const found = byTag.get(truth.tag)
      sent += truth.routes.length
      routes += found?.routes.length ?? 0
      differences.push(...session(truth, found, must).map((each) => `${truth.tag}: ${each}`))
    }
    differences.push(...strangers(router, mine))
  }
  const tables = await storedTables(db)
  const peers = await storedPeers(db)
  for (const router of routers) {
    const { name } = router
    differences.push(
      ...sets(`${name}: rib_current`, [...router.held()], tables.get(name) ?? []),
      ...sets(
        `${name}: peers that are up`,
        router.peers.filter(({ up }) => up).map(({ address }) => address),
        peers.get(name) ?? [],
      ),
    )
  }
  return { differences, whole, cut, routes, sent, doubles }
}

async function countDoubles(
  { db }: World,
  differences: string[],
  places: string[],
): Promise<number> {
  let doubles = 0
  for (const table of ['route_log', 'session_log', 'error_log']) {
    const [row] = await db.query<{ n: string; ids: string }>(
      `SELECT count() AS n, uniqExact(router, bmp_session, seq) AS ids FROM ribscope.${table}`,
    )
    const more = Number(row?.n) - Number(row?.ids)
    doubles += more
    if (more > 0) {
      const parts = await db.query<{ part: string; at: string; n: string }>(
        `SELECT p.name AS part, toString(p.modification_time) AS at, d.n AS n
         FROM (SELECT _part, count() AS n FROM ribscope.${table} WHERE (router, bmp_session, seq) IN
           (SELECT router, bmp_session, seq FROM ribscope.${table} GROUP BY ALL HAVING count() > 1) GROUP BY _part) AS d
         INNER JOIN system.parts AS p ON p.name = d._part AND p.database = 'ribscope' AND p.table = '${table}' AND p.active
         ORDER BY at, part LIMIT 10`,
      )
      const where = parts.map(({ part, at, n }) => `\n    ${n} in part ${part} of ${at}`)
      places.push(`${table}: ${more} of ${row?.n ?? ''} rows are there already${where.join('')}`)
    }
    if (table === 'error_log' && Number(row?.n) > 0) {
      differences.push(`error_log: ${row?.n ?? ''} rows, nothing was malformed`)
    }
  }
  return doubles
}

/** Sessions that no router knows. */
function strangers(router: SimulatedRouter, stored: readonly StoredSession[]): string[] {
  const known = new Set(router.sessions.map(({ tag }) => tag))
  return stored
    .filter(({ tag, routes, facts }) =>
      tag === undefined ? routes.length > 0 || facts.length > 1 : !known.has(tag),
    )
    .map(
      ({ tag, bmpSession, routes, facts }) =>
        `${router.name}: BMP session ${bmpSession} (${tag ?? 'no Initiation'}): ${routes.length} routes and ${facts.length} facts that belong to nothing`,
    )
}

function session(truth: SessionTruth, found: StoredSession | undefined, must: boolean): string[] {
  const { life, end } = truth
  if (end === 'lost' && !life.lost && life.stoppedAt === undefined) {
    return [`collector ${life.collector + 1} closed it, though nothing had happened to it`]
  }
  if (found === undefined) return must ? ['nothing of it is stored'] : []
  const differences: string[] = []
  const facts = found.facts.filter(({ kind }) => SAID.has(kind)).map(({ text }) => text)
  const routes = found.routes.map(({ text }) => text)
  differences.push(
    ...lists('routes', truth.routes.map(sentText), routes, must),
    ...lists('session events', truth.facts, facts, must),
    ...numbers(found),
  )
  const downs = found.facts.filter(({ kind }) => kind === 'bmp_down').map(({ text }) => text)
  if (must && downs.join() !== (end === 'fin' ? 'bmp_down fin' : '')) {
    differences.push(`ended by ${end}, stored is: ${downs.join() || 'nothing'}`)
  }
  const late = found.routes.filter(
    ({ phase }, i) => truth.routes[i]?.live === true && phase !== 'live',
  )
  if (late.length > 0) differences.push(`${late.length} routes after End-of-RIB are part of a dump`)
  return differences
}

const SAID = new Set(['peer_up', 'eor', 'peer_down', 'termination'])

/** Rows of all tables together are numbered from 1 without a gap. */
function numbers({ routes, facts }: StoredSession): string[] {
  const all = [...routes, ...facts].map(({ seq }) => seq).sort((a, b) => a - b)
  const at = all.findIndex((seq, i) => seq !== i + 1)
  if (at < 0) return []
  const there = new Set(all)
  const last = all.at(-1)!
  const missing = Array.from({ length: last }, (_, i) => i + 1).filter((seq) => !there.has(seq))
  return [
    missing.length === 0
      ? `row ${all[at]!} is there twice`
      : `of ${last} rows ${missing.length} are missing: ${missing.slice(0, 20).join(' ')}`,
  ]
}

/** In order, all of them or, of a session that died, the first ones. */
function lists(
  what: string,
  sent: readonly string[],
  stored: readonly string[],
  must: boolean,
): string[] {
  const at = stored.findIndex((text, i) => text !== sent[i])
  if (at >= 0) {
    return [
      `${what}: number ${at + 1} of ${stored.length} stored is\n    ${stored[at]!}\n  sent was\n    ${sent[at] ?? 'nothing more'}`,
    ]
  }
  if (!must || stored.length === sent.length) return []
  return [
    `${what}: ${stored.length} of ${sent.length} are stored, the next is ${sent[stored.length]!}`,
  ]
}

export function sets(what: string, wanted: readonly string[], got: readonly string[]): string[] {
  const count = (list: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>()
    for (const each of list) counts.set(each, (counts.get(each) ?? 0) + 1)
    return counts
  }
  const [a, b] = [count(wanted), count(got)]
  const missing = [...a].filter(([text, n]) => (b.get(text) ?? 0) < n).map(([text]) => text)
  const more = [...b].filter(([text, n]) => (a.get(text) ?? 0) < n).map(([text]) => text)
  if (missing.length + more.length === 0) return []
  return [
    `${what}: of ${wanted.length} are missing ${missing.length}:${indented(missing)}\n  there and not wanted ${more.length}:${indented(more)}`,
  ]
}

const indented = (list: readonly string[]): string =>
  list
    .slice(0, SHOWN)
    .map((text) => `\n    ${text}`)
    .join('')
