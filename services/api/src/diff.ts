/**
 * What changed between two instants, grouped by likely cause, biggest blast radius first. The store finds and groups the routes
 * (diff_groups.sql); here the sessions, feeds and outages in between become the names of causes, and groups become readable.
 */
import { prefixOf, where } from './lookup.ts'
import type { Reader } from './pool.ts'
import { badRequest } from './problem.ts'
import { sql } from './queries.ts'
import type { Row } from './rows.ts'

export const SCOPES = ['all', 'vips', 'unicast', 'vpn', 'evpn'] as const

export interface DiffQuery {
  /** As ClickHouse reads DateTime64(6, 'UTC'). */
  readonly from: string
  readonly to: string
  readonly router?: string | undefined
  readonly vip?: string | undefined
  readonly prefix?: string | undefined
  readonly vrf?: string | undefined
  readonly scope?: (typeof SCOPES)[number] | undefined
  readonly limit: number
  readonly offset?: number
}

export interface DiffGroup {
  /** Stable for one request: cause and entity. */
  readonly id: string
  readonly cause: string
  readonly entity: { readonly kind: string; readonly name: string }
  readonly at: string
  readonly until: string
  readonly blast_radius: {
    readonly score: number
    readonly vips: number
    readonly routers: number
    readonly prefixes: number
  }
  readonly explanation: string
  readonly vips: readonly string[]
  readonly routers: readonly string[]
  readonly prefixes: readonly string[]
  readonly routes: Readonly<Record<'added' | 'removed' | 'changed' | 'flapped', number>>
  readonly attributes: Readonly<Record<string, number>>
  readonly peers: readonly string[]
  readonly sessions: readonly object[]
  readonly evidence: readonly object[]
  readonly findings: readonly string[]
  readonly incidents: readonly string[]
}

export interface Diff {
  readonly from: string
  readonly to: string
  readonly summary: {
    readonly groups: number
    readonly routes: Readonly<Record<'added' | 'removed' | 'changed' | 'flapped', number>>
    readonly sessions_down: number
    readonly sessions_up: number
    readonly feeds_lost: number
    /** More than is shown: groups beyond the page, or sessions beyond what is looked at. */
    readonly left_out: { readonly groups: number; readonly sessions: boolean }
  }
  readonly items: readonly DiffGroup[]
}

/** Ups and downs of BGP sessions that are told apart; more of them are grouped by router and peer alone. */
const SESSIONS_MAX = 20_000

interface SessionRow {
  readonly router: string
  readonly router_name: string
  readonly peer_key: string
  readonly node: string
  readonly device: string
  readonly peer: string
  readonly up: number
  readonly us: string
  readonly seq: string
  readonly bmp_session: string
  readonly reason: string
  readonly reason_code: number
  readonly notification_code: number
  readonly notification_subcode: number
  readonly fsm_event: number
  readonly text: string
  readonly initial: number
  readonly nodes_of_router: string
}

interface FeedRow {
  readonly router: string
  readonly name: string
  readonly up: number
  readonly us: string
  readonly seq: string
  readonly bmp_session: string
  readonly reason: string
  readonly first: number
}

interface OutageRow {
  readonly kind: 'node' | 'router'
  readonly name: string
  readonly down_us: string
  readonly up_us: string | null
  readonly reported_by: readonly string[]
}

interface Session extends SessionRow {
  readonly at: number
  readonly group: string
}

const microseconds = (clickhouse: string): number => {
  const [date = '', fraction = ''] = clickhouse.split('.')
  return Date.parse(`${date.replace(' ', 'T')}Z`) * 1000 + Number(fraction.padEnd(6, '0'))
}

/** @returns RFC 3339 with microseconds */
export function timeText(us: number): string {
  const seconds = Math.floor(us / 1e6)
  const fraction = String(us - seconds * 1e6).padStart(6, '0')
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${fraction}Z`
}

/**
 * What is wrong with a question can be said before there is anything to look at.
 *
 * @returns the prefix that it is about
 * @throws ProblemError 400
 */
export function checkDiff(query: DiffQuery): ReturnType<typeof prefixOf> | undefined {
  const { from, to, vip, prefix } = query
  if (from >= to) throw badRequest('from: expected an instant before `to`')
  if (vip !== undefined && prefix !== undefined) throw badRequest('vip, prefix: give one of them')
  const asked = vip ?? prefix
  return asked === undefined ? undefined : prefixOf(asked)
}

/** @throws ProblemError 400 */
export async function computeDiff(db: Reader, query: DiffQuery): Promise<Diff> {
  const { from, to, limit, offset = 0 } = query
  const span = { from, to }
  const prefix = checkDiff(query)
  const { first, last, bits, ip_version } = where(prefix, 'covered')
  const [sessionRows, feeds, outages, findings] = await Promise.all([
    db.query<SessionRow>(sql('diff_sessions'), { ...span, limit: SESSIONS_MAX + 1 }),
    db.query<FeedRow>(sql('diff_feeds'), { ...span, limit: SESSIONS_MAX }),
    db.query<OutageRow>(sql('diff_outages'), span),
    db.query<Row>(sql('diff_findings'), span),
  ])
  const sessions = nameSessions(sessionRows.slice(0, SESSIONS_MAX), outages, microseconds(from))
  const [downs, ups] = [sessions.filter(({ up }) => !up), sessions.filter(({ up }) => up)]
  const rows = await db.query<Row>(sql('diff_groups'), {
    ...span,
    ...sessionParams('down', downs),
    ...sessionParams('up', ups),
    ...feedParams(outages, feeds),
    first,
    last,
    bits,
    ip_version,
    router: query.router ?? '',
    vrf: query.vrf ?? '',
    scope: query.scope ?? 'all',
    limit: offset + limit,
  })
  const context = { feeds, outages, sessions, findings, from: microseconds(from) }
  const groups = rows.map((row) => groupOf(row, context))
  // What changed no route is worth a line too, when nothing narrower was asked for.
  const whole = prefix === undefined && query.vrf === undefined && (query.scope ?? 'all') === 'all'
  const seen = new Set(rows.map((row) => String(row['grp'])))
  const total = Number(rows[0]?.['groups_n'] ?? 0)
  const silent = whole && rows.length >= total ? silentGroups(seen, context, query.router) : []
  const all = [...groups, ...silent]
  const within = sessions.filter(({ at }) => at > context.from)
  const number = (name: string): number => Number(rows[0]?.[name] ?? 0)
  const known = Math.max(total, groups.length) + silent.length
  return {
    from: timeText(microseconds(from)),
    to: timeText(microseconds(to)),
    summary: {
      groups: known,
      routes: {
        added: number('added_n'),
        removed: number('removed_n'),
        changed: number('changed_n'),
        flapped: number('flapped_n'),
      },
      sessions_down: within.filter(({ up }) => !up).length,
      sessions_up: within.filter(({ up, initial }) => up && !initial).length,
      feeds_lost: feeds.filter(({ up }) => !up).length,
      left_out: {
        groups: Math.max(0, known - offset - limit),
        sessions: sessionRows.length > SESSIONS_MAX,
      },
    },
    items: all.slice(offset, offset + limit),
  }
}

function sessionParams(what: 'down' | 'up', sessions: readonly Session[]): Record<string, unknown> {
  return {
    [`${what}_routers`]: sessions.map(({ router }) => router),
    [`${what}_peers`]: sessions.map(({ peer_key }) => BigInt(peer_key)),
    [`${what}_us`]: sessions.map(({ at }) => at),
    [`${what}_groups`]: sessions.map(({ group }) => group),
  }
}

/** A BMP session of a router that was down as a whole belongs to that. */
function feedParams(
  outages: readonly OutageRow[],
  feeds: readonly FeedRow[],
): { feed_routers: string[]; feed_groups: string[] } {
  const down = new Set(outages.filter(({ kind }) => kind === 'router').map(({ name }) => name))
  const known = new Map(
    feeds.map(({ router, name }) => [router, name] as const).filter(([, name]) => down.has(name)),
  )
  return {
    feed_routers: [...known.keys()],
    feed_groups: [...known.values()].map((name) => `router_down\t${name}`),
  }
}

const NEAR_US = 10e6
const NEAR_ROUTER_US = 60e6
/** DETECTORS A.7, TOR_RESTART */
const MOST = 0.8

/** The group of each up and down: node and router before the single session. */
function nameSessions(
  rows: readonly SessionRow[],
  outages: readonly OutageRow[],
  fromUs: number,
): Session[] {
  const named = rows.map((row) => ({
    ...row,
    at: Number(row.us),
    router_name: row.router_name === '' ? row.router : row.router_name,
  }))
  const spans = (kind: OutageRow['kind'], name: string): { down: number; up: number }[] =>
    name === ''
      ? []
      : outages
          .filter((each) => each.kind === kind && each.name === name)
          .map(({ down_us, up_us }) => ({
            down: Number(down_us),
            up: up_us === null ? Infinity : Number(up_us),
          }))

  const downsOf = byKey(
    named.filter(({ up }) => !up),
    (s) => s.router,
  )
  const upsOf = byKey(
    named.filter(({ up, initial, node }) => up && !initial && node !== ''),
    (s) => s.node,
  )
  /** Most node sessions of one router ended within ten seconds: it is about the router. */
  const lostMost = (session: (typeof named)[number]): boolean => {
    const nodes = Number(session.nodes_of_router)
    if (nodes < 3 || session.node === '') return false
    const near = (downsOf.get(session.router) ?? []).filter(
      (other) => other.node !== '' && Math.abs(other.at - session.at) <= NEAR_US,
    )
    return new Set(near.map(({ peer_key }) => peer_key)).size >= nodes * MOST
  }
  return named.map((session) => {
    const { at, node, device, router, router_name, peer, up, initial } = session
    const alone = (kind: string): string => [kind, router_name, peer].join('\t')
    let group: string
    if (!up) {
      group = lostMost(session)
        ? `sessions_lost\t${router_name}`
        : spans('node', node).some(({ down }) => at <= down && at >= down - NEAR_US)
          ? `node_down\t${node}`
          : spans('router', device).some(({ down }) => Math.abs(at - down) <= NEAR_ROUTER_US)
            ? `router_down\t${device}`
            : alone('peer_down')
    } else if (initial) {
      group = spans('router', router_name).some((span) => at >= span.down && span.up > fromUs)
        ? `router_down\t${router_name}`
        : `feed\t${router}`
    } else {
      const back = (kind: OutageRow['kind'], name: string): boolean =>
        spans(kind, name).some((span) => span.up > fromUs && at >= span.down)
      group =
        back('node', node) || (upsOf.get(node)?.length ?? 0) > 1
          ? `node_up\t${node}`
          : back('router', device)
            ? `router_up\t${device}`
            : alone('peer_up')
    }
    return { ...session, group }
  })
}

function byKey<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const map = new Map<string, T[]>()
  for (const item of items) {
    const list = map.get(key(item))
    if (list) list.push(item)
    else map.set(key(item), [item])
  }
  return map
}

interface GroupContext {
  readonly feeds: readonly FeedRow[]
  readonly outages: readonly OutageRow[]
  readonly sessions: readonly Session[]
  readonly findings: readonly Row[]
  readonly from: number
}

const ENTITY: Readonly<Record<string, string>> = {
  node: 'node',
  router: 'router',
  sessions: 'router',
  feed: 'router',
  peer: 'session',
  vip: 'prefix',
  import: 'router',
  evpn: 'vtep',
  path: 'origin',
}

function groupOf(row: Row, context: GroupContext): DiffGroup {
  const id = String(row['grp'])
  const [kind = '', name = '', peer] = id.split('\t')
  const number = (column: string): number => Number(row[column])
  const texts = (column: string): string[] => row[column] as string[]
  const [keys, counts] = row['attribute_counts'] as [string[], (string | number)[]]
  const facts: Facts = {
    vips: texts('vips'),
    routers: texts('routers'),
    prefixes: texts('prefix_sample'),
    prefix_count: number('prefixes'),
    routes: {
      added: number('added'),
      removed: number('removed'),
      changed: number('changed'),
      flapped: number('flapped'),
    },
    downs: number('downs'),
    attributes: Object.fromEntries(keys.map((key, i) => [key, Number(counts[i])])),
    peers: texts('peers'),
    first: number('began_us'),
    last: number('last_us'),
    blast: [number('vips_n'), number('routers_n')],
    evidence: (row['evidence'] as Evidence[]).map(
      ([router_name, router, seq, bmp_session, us, name_, what]) => ({
        router: router_name,
        sysname: router,
        bmp_session: Number(bmp_session),
        seq: Number(seq),
        rx_ts: timeText(Number(us)),
        text: `${name_} ${what}`,
      }),
    ),
  }
  return assemble(id, kind, name, peer, facts, context)
}

type Evidence = [string, string, string, string, string, string, string]

interface Facts {
  readonly vips: readonly string[]
  readonly routers: readonly string[]
  readonly prefixes: readonly string[]
  readonly prefix_count: number
  readonly routes: DiffGroup['routes']
  readonly downs: number
  readonly attributes: Readonly<Record<string, number>>
  readonly peers: readonly string[]
  readonly first: number
  readonly last: number
  readonly blast: readonly [vips: number, routers: number]
  readonly evidence: readonly object[]
}

function assemble(
  id: string,
  kind: string,
  name: string,
  peer: string | undefined,
  facts: Facts,
  context: GroupContext,
): DiffGroup {
  const own = context.sessions.filter(({ group }) => group === id)
  const feeds = kind === 'feed' ? context.feeds.filter(({ router }) => router === name) : []
  const cause = kind === 'feed' ? feedCause(feeds) : kind
  const shown = kind === 'feed' ? (feeds.find((each) => each.name !== '')?.name ?? name) : name
  const entity = {
    kind:
      kind === 'path_changed'
        ? 'router'
        : kind === 'evpn_move'
          ? 'host'
          : (ENTITY[kind.split('_')[0] ?? ''] ?? 'router'),
    name: peer === undefined ? shown : `${shown} ${peer}`,
  }
  const shownSessions = own.slice(0, 50).map(sessionJson)
  const findings = context.findings.filter((finding) => concerns(finding, entity, shown, facts))
  const [vips, routers] = facts.blast
  return {
    id: id.replaceAll('\t', ' '),
    cause,
    entity,
    at: timeText(Math.min(facts.first, ...own.map(({ at }) => at))),
    until: timeText(Math.max(facts.last, ...own.map(({ at }) => at))),
    blast_radius: { score: vips * routers, vips, routers, prefixes: facts.prefix_count },
    explanation: explain(cause, entity.name, peer, own, feeds, facts),
    vips: facts.vips,
    routers: facts.routers,
    prefixes: facts.prefixes,
    routes: facts.routes,
    attributes: facts.attributes,
    peers: facts.peers,
    sessions: [...shownSessions, ...feeds.slice(0, 10).map(feedJson)],
    evidence: [
      ...own.slice(0, 5).map((session) => ({
        router: session.router_name,
        sysname: session.router,
        bmp_session: Number(session.bmp_session),
        seq: Number(session.seq),
        rx_ts: timeText(session.at),
        text: session.up ? `Peer Up ${session.peer}` : `Peer Down ${session.peer}`,
      })),
      ...facts.evidence,
    ],
    findings: findings.map((each) => String(each['id'])),
    incidents: [
      ...new Set(findings.map((each) => String(each['incident_id'])).filter((each) => each !== '')),
    ],
  }
}

/** No feed event in between: its dump was done in between, and what it did not tell is gone. */
const feedCause = (feeds: readonly FeedRow[]): string =>
  feeds.some(({ first }) => first)
    ? 'feed_new'
    : feeds.length === 0 || feeds.some(({ up }) => up)
      ? 'feed_resumed'
      : 'feed_lost'

const sessionJson = (session: Session): object => ({
  kind: session.up ? 'peer_up' : 'peer_down',
  router: session.router_name,
  peer: session.peer,
  at: timeText(session.at),
  reason: session.reason,
  reason_code: session.reason_code,
  notification:
    session.notification_code === 0
      ? null
      : `${String(session.notification_code)}/${String(session.notification_subcode)}`,
  fsm_event: session.fsm_event,
  text: session.text,
})

const feedJson = (feed: FeedRow): object => ({
  kind: feed.up ? 'bmp_up' : 'bmp_down',
  router: feed.name === '' ? feed.router : feed.name,
  peer: '',
  at: timeText(Number(feed.us)),
  reason: feed.reason,
  text: '',
})

function concerns(
  finding: Row,
  entity: DiffGroup['entity'],
  name: string,
  { vips, prefixes }: Facts,
): boolean {
  let scope: Record<string, unknown>
  try {
    scope = JSON.parse(String(finding['scope'])) as Record<string, unknown>
  } catch {
    return false
  }
  const word = (...names: string[]): string => {
    const found = names.map((each) => scope[each]).find((each) => each !== undefined)
    return typeof found === 'string' ? found : ''
  }
  const vip = word('vip', 'prefix')
  const node = word('node')
  const router = word('router', 'tor')
  if (vip !== '') {
    const about = vips.includes(vip) || prefixes.includes(vip)
    return about && (entity.kind !== 'node' || node === '' || node === name)
  }
  if (node !== '')
    return entity.kind === 'node'
      ? node === name
      : entity.kind === 'session' && entity.name.endsWith(` ${node}`)
  return router !== '' && router === name
}

/** Feeds and sessions that came or went and changed no route. */
function silentGroups(
  seen: ReadonlySet<string>,
  context: GroupContext,
  router: string | undefined,
): DiffGroup[] {
  const ids = new Map<string, number[]>()
  const note = (id: string, at: number): void => {
    if (!seen.has(id)) ids.set(id, [...(ids.get(id) ?? []), at])
  }
  const mine = (...names: string[]): boolean => router === undefined || names.includes(router)
  for (const feed of context.feeds) {
    if (seen.has(`router_down\t${feed.name}`)) continue
    if (mine(feed.router, feed.name)) note(`feed\t${feed.router}`, Number(feed.us))
  }
  for (const session of context.sessions) {
    if (session.at <= context.from || session.initial) continue
    if (mine(session.router, session.router_name)) note(session.group, session.at)
  }
  return [...ids]
    .map(([id, times]) => {
      const [kind = '', name = '', peer] = id.split('\t')
      const routers = [
        ...new Set(
          context.sessions.filter(({ group }) => group === id).map((each) => each.router_name),
        ),
      ].sort()
      return assemble(
        id,
        kind,
        name,
        peer,
        {
          vips: [],
          routers,
          prefixes: [],
          prefix_count: 0,
          routes: { added: 0, removed: 0, changed: 0, flapped: 0 },
          downs: 0,
          attributes: {},
          peers: [],
          first: Math.min(...times),
          last: Math.max(...times),
          blast: [0, routers.length],
          evidence: [],
        },
        context,
      )
    })
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : 1))
}

const REASONS: Readonly<Record<string, string>> = {
  '4/0': 'hold timer expired',
  '6/2': 'administrative shutdown',
  '6/3': 'peer de-configured',
  '6/4': 'administrative reset',
  '6/6': 'configuration change',
  '6/9': 'hard reset',
  '6/10': 'BFD down',
}

/** Why a session ended, as short as possible. */
function why(session: Session): string {
  const code = `${String(session.notification_code)}/${String(session.notification_subcode)}`
  const known = REASONS[code] ?? (session.notification_code === 0 ? '' : `NOTIFICATION ${code}`)
  const text = session.text === '' ? '' : ` "${session.text}"`
  return `${known === '' ? session.reason : known}${text}`
}

const list = (words: readonly string[], max = 6): string =>
  words.length <= max
    ? words.join(', ')
    : `${words.slice(0, max).join(', ')} and ${String(words.length - max)} more`

const many = (n: number, what: string): string =>
  `${String(n)} ${what}${n === 1 ? '' : what.endsWith('x') ? 'es' : 's'}`

function explain(
  cause: string,
  name: string,
  peer: string | undefined,
  sessions: readonly Session[],
  feeds: readonly FeedRow[],
  facts: Facts,
): string {
  const { routes, vips, prefix_count } = facts
  const moved = (['added', 'removed', 'changed', 'flapped'] as const)
    .filter((each) => routes[each] > 0)
    .map((each) =>
      each === 'flapped'
        ? `${String(routes[each])} moved and as before`
        : `${String(routes[each])} ${each}`,
    )
  const effect =
    moved.length === 0
      ? 'no route changed'
      : `${many(prefix_count, 'prefix')} on ${many(facts.blast[1], 'router')}: ${moved.join(', ')}${facts.blast[0] === 0 ? '' : `; VIPs ${list(vips, 4)}`}`
  const reasons = [...new Set(sessions.filter(({ up }) => !up).map(why))].filter(
    (each) => each !== '',
  )
  const because = reasons.length === 0 ? '' : ` (${list(reasons, 3)})`
  const at = list([...new Set(sessions.map((each) => each.router_name))])
  const attributes = Object.keys(facts.attributes)
  const of = attributes.length === 0 ? '' : ` (${list(attributes)})`
  const head: Readonly<Record<string, () => string>> = {
    node_down: () => `${name} lost all its sessions, at ${at}${because}`,
    node_up: () => `${name} is back, at ${at}`,
    router_down: () => `${name} is down, as ${at} say${because}`,
    router_up: () => `${name} is back, as ${at} say`,
    sessions_lost: () => `${name} lost most of its sessions with nodes at once${because}`,
    peer_down: () =>
      `the session of ${name.replace(` ${peer ?? ''}`, '')} with ${peer ?? ''} ended${because}`,
    peer_up: () =>
      `the session of ${name.replace(` ${peer ?? ''}`, '')} with ${peer ?? ''} came up`,
    feed_lost: () =>
      `the BMP session of ${name} ended${feeds.at(-1)?.reason ? ` (${feeds.at(-1)?.reason ?? ''})` : ''}: what it has is not known since`,
    feed_resumed: () =>
      `the BMP session of ${name} was made anew: what changed while nobody listened`,
    feed_new: () => `${name} sends BMP for the first time`,
    node_withdrew: () => `${name} withdrew`,
    node_announced: () => `${name} announced`,
    node_changed: () => `${name} announces with other attributes${of}`,
    node_flapped: () =>
      `${name} withdrew and announced again, ${many(facts.downs, 'withdrawal')} seen`,
    vip_withdrew: () => `${list(facts.peers)} withdrew ${name}`,
    vip_announced: () => `${list(facts.peers)} announced ${name}`,
    vip_changed: () => `${list(facts.peers)} announce ${name} with other attributes${of}`,
    vip_flapped: () => `${list(facts.peers)} withdrew and announced ${name} again`,
    import_policy: () =>
      `${name} changed what it makes of what it receives, which did not change: import policy${of}`,
    evpn_move: () => `${name} moved to another VTEP${of}`,
    evpn_withdrew: () => `EVPN routes of ${name} are gone`,
    evpn_announced: () => `EVPN routes of ${name} are new`,
    evpn_changed: () => `EVPN routes of ${name} have other attributes${of}`,
    evpn_flapped: () => `EVPN routes of ${name} moved and are as before`,
    path_withdrew: () => `paths of ${name} are gone`,
    path_announced: () => `paths of ${name} are new`,
    path_flapped: () => `paths of ${name} moved and are as before`,
    path_changed: () => `${name} has other paths${of}`,
  }
  return `${head[cause]?.() ?? `${cause} ${name}`}: ${effect}`
}
