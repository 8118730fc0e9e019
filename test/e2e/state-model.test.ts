/**
 * Thousands of random lives of routers, through the collector's code into the real tables, against a model that holds every route
 * (`model.ts`) and is told what the routers sent, not what the code under test made of it.
 *
 * Lives go into the store by hundreds, in shuffled batches, a part of them late, a part twice, and are compared all at once: what
 * is announced now and at random instants (`rib_live`, `rib_live_at`, `rib_at`), every event with class and cause (`route_class`,
 * `route_history`), and how many links every VIP had (`vip_level`). A life that differs is made as short as it can be and printed with its seed.
 *
 *   RIBSCOPE_TEST_SEED=7 npx vitest run test/e2e/state-model.test.ts     the same lives again
 *   RIBSCOPE_TEST_LIVES=100000 npx vitest run test/e2e/state-model.test.ts     a long run by hand
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { detectorViews, query } from '@ribscope/detectors'
import { BlockPool, NativeSink, RouterSession, formatDateTime64 } from '@ribscope/events'
import type { Batch, RowSink, SessionRow } from '@ribscope/events'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { views } from '../../packages/store/src/sql.ts'
import { SEED } from '../setup/seed.ts'
import {
  FAMILIES,
  PEERS,
  RESTARTING,
  START_US,
  hello,
  life,
  nameOf,
  overlaps,
  tell,
} from './life.ts'
import type { Step } from './life.ts'
import { TAIL, truthOf } from './model.ts'
import type { Event, Held, Truth } from './model.ts'

const LIVES = Number(process.env['RIBSCOPE_TEST_LIVES'] ?? 2000)
const AT_ONCE = 500
/** Long after everything. */
const END_US = START_US + 7 * 86_400e6

// A minute or two on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 300_000 + LIVES * 100 })

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-model-'))
let store: Store
let db: StoreSession

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('model')
  await migrate(db, detectorViews())
  // What the engine would merge sooner or later has to be right before.
  await db.command('SYSTEM STOP MERGES')
  await store.replaceRows('detector_params', [
    // Which view is trusted is another matter: here each one is.
    { key: 'quarantine_withdraws', value: 1e9 },
  ])
  await store.replaceRows('fabric_vips', VIPS)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

// --- lives into the store -------------------------------------------------------------------------

interface Life {
  readonly steps: readonly Step[]
  readonly router: string
  readonly truth: Truth
  readonly overlaps: boolean
}

/** Seeded and good enough to shuffle with. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What a session row says of state is changed on its way into the store: a bug of the collector. */
type Spoil = (row: SessionRow) => SessionRow

class Spoiled implements RowSink {
  readonly #sink: NativeSink
  readonly #spoil: Spoil
  constructor(sink: NativeSink, spoil: Spoil) {
    this.#sink = sink
    this.#spoil = spoil
  }
  open: RowSink['open'] = (facts) => {
    this.#sink.open(facts)
  }
  update: RowSink['update'] = (context) => {
    this.#sink.update(context)
  }
  routes: RowSink['routes'] = (context, field) => this.#sink.routes(context, field)
  session: RowSink['session'] = (row) => {
    this.#sink.session(this.#spoil(row))
  }
  stats: RowSink['stats'] = (row) => {
    this.#sink.stats(row)
  }
  error: RowSink['error'] = (row) => {
    throw new Error(`${row.session.router}: ${row.path}: ${row.text}`)
  }
}

const pool = new BlockPool()

/** Every session of a life through the collector's code. */
function batchesOf(steps: readonly Step[], router: string, spoil: Spoil): Batch[] {
  const batches: Batch[] = []
  let last = 0
  for (const told of tell(steps)) {
    // Two sessions of one instant are two.
    const openedUs = Math.max(told.openedUs, last + 1)
    last = openedUs
    const keep = (batch: Batch): void => {
      batches.push({ ...batch, body: batch.body.slice(), release: () => undefined })
    }
    const sink = new NativeSink({ pool, maxRows: 16, onBatch: keep })
    const session = new RouterSession({
      ...{ collector: 'test', source: '192.0.2.254', openedUs, out: new Spoiled(sink, spoil) },
    })
    session.push(Uint8Array.from(hello(router)), told.openedUs)
    for (const { us, message, bytes } of told.messages) {
      if (message.kind === 'deaf') session.held(us, message.untilUs)
      else session.push(Uint8Array.from(bytes), us)
    }
    if (told.end === 'end') session.end('rst', told.endUs)
    if (told.end === 'open') session.tick(told.endUs + TAIL)
    for (const batch of sink.flush()) keep(batch)
  }
  return batches
}

let inserts = 0

/** In no order, some of it in another insert later, some of it again under another token. */
async function insertShuffled(batches: readonly Batch[], next: () => number): Promise<void> {
  const shuffled = batches
    .map((batch) => ({ batch, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ batch }) => batch)
  const third = Math.ceil(shuffled.length / 3)
  const again = shuffled.filter(() => next() < 0.2)
  for (const part of [shuffled.slice(0, 2 * third), again, shuffled.slice(2 * third)]) {
    const groups = new Map<string, Batch[]>()
    for (const batch of part) {
      const key = `${batch.table} ${batch.columns.join()}`
      groups.set(key, [...(groups.get(key) ?? []), batch])
    }
    for (const group of groups.values()) {
      const { table, columns } = group[0]!
      const token = createHash('sha256').update(`insert ${++inserts}`).digest('hex')
      await store.insert({ table, columns, bodies: group.map(({ body }) => body), token })
    }
  }
}

/** Stores these lives; their routers are `PREFIX.0`, `PREFIX.1` and so on. */
async function live(
  all: readonly (readonly Step[])[],
  prefix: string,
  spoil: Spoil = (row) => row,
): Promise<Life[]> {
  const lives: Life[] = []
  const batches: Batch[] = []
  for (const [i, steps] of all.entries()) {
    const router = `${prefix}.${i}`
    const sessions = tell(steps)
    lives.push({ steps, router, truth: truthOf(sessions), overlaps: overlaps(sessions) })
    batches.push(...batchesOf(steps, router, spoil))
  }
  await insertShuffled(batches, random(all.length))
  return lives
}

/** All rows of all routers; not what is configured. */
async function forget(): Promise<void> {
  const tables = await db.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'ribscope' AND total_rows > 0 AND engine LIKE '%MergeTree' AND name NOT IN ('detector_params', 'fabric_vips') AND name NOT LIKE '%migration%'",
  )
  for (const { name } of tables) await db.command(`TRUNCATE TABLE ribscope.${name}`)
}

// --- what the store shows --------------------------------------------------------------------------

const VIPS = [0, 1].flatMap((family) =>
  [0, 1, 2].map((route) => {
    const name = nameOf(family, route)
    const [addr = '', bits = ''] = name.split('/')
    return {
      ...{ addr, bits: Number(bits), ip_version: family === 0 ? 4 : 6, prefix: vipOf(name) },
      ...{ service: '', cluster: '', pair: '', mode: '', expected_nodes: [], source: 'test' },
    }
  }),
)

const PEER_TEXTS = PEERS.map(({ address = '', id = '', rd }) => {
  const mapped = address.includes('.') ? `::ffff:${address}` : address
  return [mapped, id, BigInt(`0x${rd ?? '0'}`)].join(' ')
})

const PLACE = `concat(toString(peer_addr), ' ', IPv4NumToString(peer_bgp_id), ' ', toString(peer_rd), ' ', toString(rib), ' ',
    toString(afi), '/', toString(safi), ' ', if(afi = 25, hex(nlri_key), concat(toString(addr), '/', toString(bits), if(nlri_key = '', '', concat(' ', hex(nlri_key))))), ' ', toString(path_id))`

function placeOf(of: Held | Event): string {
  const [afi, safi] = FAMILIES[of.family]!
  return `${PEER_TEXTS[of.peer]!} ${of.rib} ${afi}/${safi} ${of.name} ${of.path}`
}

/** router -> lines, in order */
type Shown = Map<string, string[]>

async function shown(source: string, line: string, prefix: string, params = {}): Promise<Shown> {
  const rows = await db.query<{ r: string; lines: string[] }>(
    `SELECT router AS r, arraySort(groupArray(concat(${PLACE}, ' ', ${line}))) AS lines
     FROM ribscope.${source} WHERE startsWith(router, {prefix:String}) GROUP BY router`,
    { prefix: `${prefix}.`, ...params },
  )
  return new Map(rows.map(({ r, lines }) => [r, lines]))
}

/** The first life that differs, with what differs. */
interface Difference {
  readonly life: Life
  readonly what: string
  readonly wanted: readonly string[]
  readonly got: readonly string[]
}

function compare(
  what: string,
  lives: readonly Life[],
  got: Shown,
  wanted: (each: Life) => string[],
): Difference[] {
  const differences: Difference[] = []
  for (const each of lives) {
    const want = wanted(each).sort()
    const have = [...(got.get(each.router) ?? [])].sort()
    if (want.length === have.length && want.every((line, i) => line === have[i])) continue
    differences.push({
      ...{ life: each, what },
      wanted: want.filter((line) => !have.includes(line)),
      got: have.filter((line) => !want.includes(line)),
    })
  }
  return differences
}

const LIVE = `toString(toUnixTimestamp64Micro(rx_ts)), ' ', toString(phase), ' ', toString(stale), ' ', toString(as_path), ' ', toString(med), ' ', toString(has(communities, 4294901766))`
const liveLine = (held: Held): string =>
  [
    ...[placeOf(held), held.us, held.dump ? 'dump' : 'live', Number(held.stale)],
    ...[`[64501,${65000 + held.way}]`, held.more, Number(held.llgrStale)],
  ].join(' ')

async function differencesNow(lives: readonly Life[], prefix: string): Promise<Difference[]> {
  const got = await shown('rib_live', LIVE, prefix)
  return compare('rib_live', lives, got, ({ truth }) => truth.heldAt(Infinity).map(liveLine))
}

async function differencesAt(
  lives: readonly Life[],
  prefix: string,
  us: number,
): Promise<Difference[]> {
  const at = formatDateTime64(us)
  const got = await shown('rib_live_at(at = {at:String})', LIVE, prefix, { at })
  return compare(`rib_live_at ${at}`, lives, got, ({ truth }) => truth.heldAt(us).map(liveLine))
}

const EVENT = `toString(toUnixTimestamp64Micro(rx_ts)), ' ', toString(action), ' ', toString(implied), ' ', cause, ' ', class`
const eventLine = (event: Event): string =>
  [
    ...[placeOf(event), event.us, event.announce ? 'announce' : 'withdraw'],
    ...[Number(event.implied), event.cause, event.class],
  ].join(' ')

async function differencesInHistory(lives: readonly Life[], prefix: string): Promise<Difference[]> {
  const got = await shown('route_class', EVENT, prefix)
  return compare('route_class', lives, got, ({ truth }) => truth.events.map(eventLine))
}

/** The same in the views for people, of one prefix: `route_history` and `rib_at`, IPv4 unicast and VPN. */
async function differencesInText(lives: readonly Life[], prefix: string): Promise<Difference[]> {
  const name = nameOf(0, 0)
  const about = `concat(peer_bgp_id, ' ', peer_rd, ' ', toString(rib), ' ', toString(safi), ' ', toString(path_id), ' ', toString(rx_ts)`
  const said = (of: Held | Event): string => {
    const { id = '', rd } = PEERS[of.peer]!
    const [, safi] = FAMILIES[of.family]!
    const peer = `${id} ${rd === undefined ? '' : '65000:7'}`
    return `${peer} ${of.rib} ${safi} ${of.path} ${formatDateTime64(of.us)}`
  }
  const ask = async (source: string, line: string, params: object): Promise<Shown> => {
    const rows = await db.query<{ r: string; lines: string[] }>(
      `SELECT router AS r, groupArray(${about}, ${line})) AS lines FROM ribscope.${source}
       WHERE startsWith(router, {group:String}) AND prefix = {wanted:String} GROUP BY router`,
      { group: `${prefix}.`, wanted: vipOf(name), ...params },
    )
    return new Map(rows.map(({ r, lines }) => [r, lines]))
  }
  const events = await ask(
    'route_history(prefix = {wanted:String})',
    `' ', toString(action), ' ', toString(implied), ' ', cause, ' ', class`,
    {},
  )
  const us = instants(lives)[1]!
  const held = await ask('rib_at(at = {at:String})', `' ', toString(stale)`, {
    at: formatDateTime64(us),
  })
  const ofPrefix = (of: Held | Event): boolean => of.name.split(' ')[0] === name
  return [
    ...compare('route_history', lives, events, ({ truth }) =>
      truth.events
        .filter(ofPrefix)
        .map((event) =>
          [
            ...[said(event), event.announce ? 'announce' : 'withdraw'],
            ...[Number(event.implied), event.cause, event.class],
          ].join(' '),
        ),
    ),
    ...compare(`rib_at ${formatDateTime64(us)}`, lives, held, ({ truth }) =>
      truth
        .heldAt(us)
        .filter(ofPrefix)
        .map((each) => `${said(each)} ${Number(each.stale)}`),
    ),
  ]
}

/** Instants at which much has happened already, two of them exactly those of an end that no row told. */
function instants(lives: readonly Life[]): number[] {
  const all = lives.flatMap(({ truth }) => truth.instants).sort((a, b) => a - b)
  const ends = lives.flatMap(({ truth }) => truth.events.filter((event) => event.implied))
  const pick = (from: readonly number[], share: number): number =>
    from[Math.floor(share * (from.length - 1))] ?? START_US
  const ended = ends.map(({ us }) => us).sort((a, b) => a - b)
  return [pick(all, 0.4), pick(ended, 0.3), pick(ended, 0.7), pick(all, 1)]
}

/** @returns the differences of the first question that has any */
async function differences(lives: readonly Life[], prefix: string): Promise<Difference[]> {
  const questions = [
    () => differencesNow(lives, prefix),
    () => differencesInHistory(lives, prefix),
    () => differencesInText(lives, prefix),
    ...instants(lives).map((us) => () => differencesAt(lives, prefix, us)),
    () => differencesInLinks(lives),
  ]
  for (const question of questions) {
    const found = await question()
    if (found.length > 0) return found
  }
  return []
}

// --- links of VIPs ---------------------------------------------------------------------------------

/** Peers 0 to 2 are nodes; a router with two sessions at a time has no order in time, and is left out. */
const NODES = 3

/** What the analyst does: classifies what is new, then the links. */
async function classify(lives: readonly Life[]): Promise<void> {
  await store.replaceRows(
    'fabric_peers',
    await db.query(
      `SELECT DISTINCT router, router AS router_name, 'tor' AS router_role, peer_key, peer_addr, peer_asn, peer_bgp_id, peer_rd,
           concat('node ', IPv4NumToString(peer_bgp_id)) AS node, '' AS device, 'test' AS source
       FROM ribscope.session_log
       WHERE peer_key != 0 AND peer_rd = 0 AND peer_asn BETWEEN 64501 AND 64503 AND has({routers:Array(String)}, toString(router))`,
      { routers: lives.map(({ router }) => router) },
    ),
  )
  const since = formatDateTime64(0)
  await db.command(query('classify'), { changed_after: since, since })
  await db.command('CREATE TABLE IF NOT EXISTS ribscope.edge_log_next AS ribscope.edge_log')
  await db.command('TRUNCATE TABLE ribscope.edge_log_next')
  await db.command(query('edges_rebuild'))
  await db.command('EXCHANGE TABLES ribscope.edge_log_next AND ribscope.edge_log')
}

async function differencesInLinks(lives: readonly Life[]): Promise<Difference[]> {
  const counted = lives.filter((each) => !each.overlaps)
  await classify(counted)
  const found: Difference[] = []
  for (const us of [...instants(counted), END_US]) {
    const at = formatDateTime64(us)
    const rows = await db.query<{ r: string; lines: string[] }>(
      `SELECT router AS r, groupArray(concat(node, ' ', vip)) AS lines
       FROM (
           SELECT router, node, vip, argMax(class, (rx_ts, pos)) AS last_class FROM ribscope.edge_transitions
           WHERE rx_ts <= {at:String} AND class != 'AADIFF' GROUP BY router, node, vip
       )
       WHERE last_class != 'AW' GROUP BY router`,
      { at },
    )
    const got = new Map(rows.map(({ r, lines }) => [r, lines]))
    found.push(
      ...compare(`edge_transitions ${at}`, counted, got, ({ truth }) =>
        linksOf(truth, us).map(({ peer, vip }) => `node ${PEERS[peer]!.id!} ${vip}`),
      ),
    )
  }
  return found
}

/** VIPs whose number of links is another one than that of all lives together. */
async function wrongLevels(lives: readonly Life[]): Promise<string[]> {
  const counted = lives.filter((each) => !each.overlaps)
  const found: string[] = []
  for (const us of [...instants(counted), END_US]) {
    const at = formatDateTime64(us)
    const rows = await db.query<{ vip: string; links: string }>(
      `SELECT vip, toString(live_links) AS links FROM ribscope.vip_level
       WHERE rx_ts <= {at:String} AND (until IS NULL OR until > {at:String}) AND live_links != 0`,
      { at },
    )
    const links = new Map<string, number>()
    for (const { truth } of counted) {
      for (const { vip } of linksOf(truth, us)) links.set(vip, (links.get(vip) ?? 0) + 1)
    }
    const wanted = [...links].map(([vip, n]) => `${vip} ${n}`).sort()
    const got = rows.map(({ vip, links: n }) => `${vip} ${n}`).sort()
    if (wanted.join() !== got.join()) {
      found.push(`${at}: ${got.join(', ')} is not ${wanted.join(', ')}`)
    }
  }
  return found
}

function vipOf(name: string): string {
  return name.replace('::ffff:', '')
}

/** VIPs, once for each node that announces it in the view that counts: pre-policy where it ever said anything. */
function linksOf(truth: Truth, us: number): { peer: number; vip: string }[] {
  const counts = [0, 1].map((family) =>
    truth.events.some(
      (each) => each.family === family && each.rib === 'adj_in_pre' && each.announce,
    )
      ? 'adj_in_pre'
      : 'adj_in_post',
  )
  const links = new Map<string, { peer: number; vip: string }>()
  for (const { peer, rib, family, name } of truth.heldAt(us)) {
    if (peer < NODES && rib === counts[family]) {
      links.set(`${peer} ${name}`, { peer, vip: vipOf(name) })
    }
  }
  return [...links.values()]
}

// --- the tests -------------------------------------------------------------------------------------

const seen = new Map<string, number>()

/** Leaves out whatever can be left out so that the lives still differ: all candidates of a turn at once. */
async function shortest(steps: readonly Step[], spoil?: Spoil): Promise<Difference | undefined> {
  let best: Difference | undefined
  let current = steps
  for (let turn = 0; turn < 30; turn++) {
    const candidates = [current]
    for (let size = current.length >> 1; size >= 1; size >>= 1) {
      for (let from = 0; from < current.length; from += size) {
        candidates.push([...current.slice(0, from), ...current.slice(from + size)])
      }
    }
    const prefix = `short${inserts}`
    const found = await differences(await live(candidates, prefix, spoil), prefix)
    await forget()
    const shorter = found.sort((a, b) => a.life.steps.length - b.life.steps.length)[0]
    if (shorter === undefined) return best
    best = shorter
    if (shorter.life.steps.length >= current.length) return best
    current = shorter.life.steps
  }
  return best
}

function described({ life: { steps, router }, what, wanted, got }: Difference): string {
  const list = (lines: readonly string[]): string =>
    lines.length === 0 ? '  nothing' : lines.map((line) => `  ${line}`).join('\n')
  return `RIBSCOPE_TEST_SEED=${SEED} ${router}: ${what}\nwanted and not there:\n${list(wanted)}\nthere and not wanted:\n${list(got)}\nsteps:\n${list(steps.map((each) => JSON.stringify(each)))}`
}

/** Lives that are always the same, among which planted bugs are known to show, then those of the seed. */
function sample(round: number): Step[][] {
  const seed = round === 0 ? 1 : SEED + round
  const lives = fc.sample(life, { seed, numRuns: AT_ONCE })
  if (round === 0) lives[0] = [...RESTARTING]
  return lives
}

const ROUNDS = Math.max(2, Math.ceil(LIVES / AT_ONCE))

test(`${ROUNDS * AT_ONCE} lives are as a model says that holds every route (RIBSCOPE_TEST_SEED=${SEED})`, async () => {
  console.log(`RIBSCOPE_TEST_SEED=${SEED}: ${ROUNDS} rounds of ${AT_ONCE} lives`)
  for (let round = 0; round < ROUNDS; round++) {
    const prefix = `round${round}`
    const lives = await live(sample(round), prefix)
    const [first] = await differences(lives, prefix)
    if (first !== undefined) {
      await forget()
      const short = await shortest(first.life.steps)
      throw new Error(
        `${prefix}: ${described(short ?? first)}${short === undefined ? '\n(not when alone)' : ''}`,
      )
    }
    expect(await wrongLevels(lives), prefix).toEqual([])
    for (const { truth } of lives) {
      for (const { class: name, implied, cause } of truth.events) {
        const kind = `${name}${implied ? ` ${cause}` : ''}`
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
    }
    await forget()
  }
  console.log([...seen].map(([kind, n]) => `${kind}: ${n}`).join(', '))
})

test('everything that can happen did', () => {
  expect([...seen.keys()]).toEqual(
    expect.arrayContaining([
      ...['NEW', 'AADUP', 'AAATTR', 'AADIFF', 'WADUP', 'WADIFF', 'AW', 'WWDUP'],
      ...['AW peer_down', 'AW reconcile', 'AW gr_expired'],
    ]),
  )
})

// --- what would go unnoticed if nothing above could fail ----------------------------------------------

const none = { effects: [] }

const COLLECTOR_BUGS: readonly (readonly [what: string, spoil: Spoil])[] = [
  [
    'a Peer Down that closes no epoch',
    (row) => (row.kind === 'peer_down' ? { ...row, ...none } : row),
  ],
  [
    'a Peer Up of a peer that is up, the same',
    (row) => (row.kind === 'peer_up' ? { ...row, ...none } : row),
  ],
  [
    'a new BMP session that raises no doubt',
    (row) => (row.kind === 'bmp_up' ? { ...row, ...none } : row),
  ],
  [
    'the end of one that raises none',
    (row) => (row.kind === 'bmp_down' ? { ...row, ...none } : row),
  ],
  [
    'a dump that reconciles nothing',
    (row) => (row.kind === 'dump_done' && row.peer.key !== 0n ? { ...row, ...none } : row),
  ],
  [
    'peers that do not come back, the same',
    (row) => (row.kind === 'dump_done' && row.peer.key === 0n ? { ...row, ...none } : row),
  ],
  [
    'a restart time that never ends',
    (row) => (row.kind === 'gr_expired' ? { ...row, ...none } : row),
  ],
  [
    'a dump that takes what it brought',
    (row) => (row.kind === 'dump_done' ? changed(row, () => ({ beforeSeq: row.seq })) : row),
  ],
  [
    'graceful restart for no family',
    (row) =>
      changed(row, ({ effect, cause }) =>
        effect === 'stale' && cause === 'peer_down' ? { effect: 'sweep' } : {},
      ),
  ],
  [
    'graceful restart for all families',
    (row) =>
      changed(row, ({ effect, afi }) =>
        row.kind === 'peer_down' && effect === 'sweep' && afi > 0 ? { effect: 'stale' } : {},
      ),
  ],
  [
    'one view for all views of a peer',
    (row) => (row.kind === 'dump_done' ? changed(row, () => ({ rib: 'any' })) : row),
  ],
  [
    'positions off by one',
    (row) => changed(row, ({ beforeSeq }) => ({ beforeSeq: beforeSeq - 1 })),
  ],
]

type Effect = SessionRow['effects'][number]
function changed(row: SessionRow, how: (effect: Effect) => Partial<Effect>): SessionRow {
  return { ...row, effects: row.effects.map((each) => ({ ...each, ...how(each) })) }
}

const FEW = 150

test.each(COLLECTOR_BUGS)('a planted bug of the collector is found: %s', async (_, spoil) => {
  const lives = await live(sample(0).slice(0, FEW), 'spoiled', spoil)
  const found = await differences(lives, 'spoiled')
  await forget()
  expect(found).not.toEqual([])
})

test('a life that differs is made as short as it can be', async () => {
  const [, spoil] = COLLECTOR_BUGS[0]!
  const lives = await live(sample(0).slice(0, FEW), 'long', spoil)
  const [first] = await differences(lives, 'long')
  await forget()
  const short = await shortest(first!.life.steps, spoil)
  expect(short?.life.steps.map(({ what }) => what)).toEqual(['announce', 'down'])
  expect(described(short!)).toContain('wanted and not there:\n  nothing\nthere and not wanted:\n  ')
})

const VIEW_BUGS: readonly (readonly [view: string, right: string, wrong: string])[] = [
  ...['20_rib_live', '22_rib_live_at'].flatMap((view) => [
    [view, "maxIf(before, effect = 'stale')", "maxIf(before, effect = 'sweep')"] as const,
    [view, 's.peer_key, toInt8(0), s.afi', 's.peer_key, toInt8(9), s.afi'] as const,
  ]),
  ['20_rib_live', 'effect, before FROM', 'effect, pos AS before FROM'],
  ['22_rib_live_at', "maxIf(before, effect = 'sweep')", "maxIf(pos, effect = 'sweep')"],
  ['20_rib_live', 'FROM ribscope.rib_state AS s FINAL', 'FROM ribscope.rib_state AS s'],
  ['22_rib_live_at', 'e.path_id AS path_id', 'toUInt32(0) AS path_id'],
  ['22_rib_live_at', 'FROM ribscope.marks WHERE rx_ts <= ', 'FROM ribscope.marks WHERE rx_ts < '],
  // In the order of time, or of a session's own numbers, and not of positions.
  ['22_rib_live_at', ', e.pos)', ', e.rx_ts)'],
  ['22_rib_live_at', ', e.pos)', ', e.seq)'],
  ['24_route_class', 'ORDER BY pos ROWS', 'ORDER BY rx_ts ROWS'],
  ['24_route_class', 'rib, nlri_key, path_id ORDER', 'rib, nlri_key ORDER'],
  ['24_route_class', 'm.1 > e.pos', 'm.2 > e.pos'],
  ['24_route_class', 'kill_pos < next_pos', 'kill_pos < toUInt64(-1)'],
  ['24_route_class', 'prev_kill < pos', 'prev_kill < 0'],
  ['24_route_class', 'e.peer_key, toInt8(0), e.afi', 'e.peer_key, toInt8(9), e.afi'],
  ['24_route_class', 'AS e FINAL', 'AS e'],
  ['31_rib_at', 'l.stale AS stale', 'toUInt8(0) AS stale'],
  ['33_route_history', 'l.cause AS cause', 'l.class AS cause'],
]

let few: Promise<Life[]> | undefined

test.each(VIEW_BUGS)('a planted bug in %s is found: %s -> %s', async (name, right, wrong) => {
  const lives = await (few ??= live(sample(0).slice(0, FEW), 'few'))
  const view = views().find((each) => each.name === name)!
  const broken = view.text.replaceAll(right, wrong)
  expect(broken).not.toBe(view.text)
  await db.command(broken)
  const found: Difference[] = []
  if (name === '24_route_class') found.push(...(await differencesInHistory(lives, 'few')))
  else if (name === '20_rib_live') found.push(...(await differencesNow(lives, 'few')))
  else if (name > '3') found.push(...(await differencesInText(lives, 'few')))
  else {
    for (const us of instants(lives)) found.push(...(await differencesAt(lives, 'few', us)))
  }
  await db.command(view.text)
  expect(found).not.toEqual([])
})

test('and without it, nothing is', async () => {
  expect(await differences((await few)!, 'few')).toEqual([])
})
