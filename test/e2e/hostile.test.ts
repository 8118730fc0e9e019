/**
 * A router that sends SQL: chDB ends data that stands in a statement at the first blank line and runs what follows, so the octets
 * 0A 0A in a community would do. The whole way of a route, from the BMP stream to rows and findings.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Analyst } from '@ribscope/analyst'
import { detectorViews } from '@ribscope/detectors'
import { NativeSink, RouterSession } from '@ribscope/events'
import { parseFabric } from '@ribscope/fabric'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import {
  asPath,
  attribute,
  be,
  family,
  initiation,
  ip,
  message,
  nextHop,
  notification,
  origin,
  peerDown,
  peerUp,
  prefix,
  routeMonitoring,
  update,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-hostile-'))
const PWNED = join(dataDir, 'pwned')
// A multiple of 12 octets, so that it fits AS numbers, communities and large communities.
const statement = `\n\nDROP TABLE ribscope.stats_log;\n\nSELECT 1 INTO OUTFILE '${PWNED}';\n\nDROP DATABASE ribscope;\n\n`
const SQL = Buffer.from(statement.padEnd(Math.ceil(statement.length / 12) * 12, '\n'))

let store: Store
let db: StoreSession

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('test')
  await migrate(db, detectorViews())
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** All but the spare ones of tables that are replaced as a whole. */
const tables = (): Promise<unknown[]> =>
  db.query(
    "SELECT name FROM system.tables WHERE database = 'ribscope' AND NOT endsWith(name, '_next') ORDER BY name",
  )

const words = (octets: Buffer): number[] =>
  Array.from({ length: octets.length / 4 }, (_, i) => octets.readUInt32BE(4 * i))
/** The octets as they lie in a block of the engine, which is little-endian. */
const swapped = Buffer.from(SQL).swap32()

const PEER: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const text = [...SQL]

test('that danger is real: data in a statement would be run', async () => {
  await db.command('CREATE TABLE ribscope.victim (x String) ENGINE = MergeTree ORDER BY x')
  await db
    .command(
      'INSERT INTO ribscope.victim FORMAT JSONEachRow {"x":"1"}\n\nDROP TABLE ribscope.victim',
    )
    .catch(() => undefined)
  expect(JSON.stringify(await tables())).not.toContain('"victim"')
})

test('octets of a router are data on the whole way', async () => {
  const before = await tables()
  const many = [...origin(), ...nextHop('192.0.2.1')]
  const attributes = [
    [...asPath(64501, ...words(SQL))],
    [...asPath(64501, ...words(swapped))],
    [...asPath(64501), ...attribute(0xc0, 8, text), ...attribute(0xc0, 32, text)],
    [...asPath(64501), ...attribute(0xc0, 8, [...swapped]), ...attribute(0xc0, 32, [...swapped])],
    [...asPath(64501), ...attribute(0xc0, 16, text.slice(0, SQL.length & ~7))],
    [...asPath(64501), ...attribute(0x80, 10, text), ...attribute(0xc0, 99, text)],
    // Broken: goes to route_errors as it came.
    [...asPath(64501), ...attribute(0xc0, 8, [...text, 1])],
  ]
  const opaque = (afi: number, safi: number, nlri: readonly number[]) =>
    routeMonitoring(
      PEER,
      update({
        attributes: [
          ...origin(),
          ...asPath(64501),
          ...attribute(0x80, 14, [...be(afi, 2), safi, 4, ...ip('192.0.2.1'), 0, ...nlri]),
        ],
      }),
    )
  const stream = [
    initiation(`tor${String(SQL)}`, String(SQL)),
    peerUp(PEER, {
      sent: [family(1, 1), [73, [60, ...text.slice(0, 60), 0]]],
      vrf: `vrf${String(SQL)}`,
    }),
    ...attributes.map((each, i) =>
      routeMonitoring(
        PEER,
        update({ attributes: [...many, ...each], nlri: prefix(`203.0.113.${i}/32`) }),
      ),
    ),
    opaque(16388, 99, text),
    opaque(25, 70, [200, text.length, ...text]),
    message(200, text),
    peerDown(PEER, 3, notification(6, 2, [120, ...text.slice(0, 120)])),
    message(5, [0, 0, ...be(text.length, 2), ...text]),
  ].flat()

  const native = new NativeSink()
  const openedUs = 1_800_000_000_000_000
  const session = new RouterSession({
    collector: 'c',
    source: '192.0.2.254',
    openedUs,
    out: native,
  })
  session.push(Uint8Array.from(stream), openedUs)
  session.tick(openedUs + 10e6)
  session.end('rst', openedUs + 20e6)
  const batches = native.flush()
  const octets = Buffer.concat(batches.map(({ body }) => body))
  // The test would test nothing if the statement were not in the blocks.
  expect(octets.includes(SQL)).toBe(true)
  await insertBatches(store, batches)

  // The router's name is in findings and incidents.
  const analyst = await Analyst.create({ store, config: parseFabric('').fabric })
  await analyst.round(openedUs + 30e6)
  await analyst.round(openedUs + 400e6)
  await analyst.close()

  expect(existsSync(PWNED)).toBe(false)
  expect(await tables()).toEqual(before)
  const name = `tor${String(SQL).replaceAll('\n', '')}`
  const rows = await db.query<Record<string, unknown>>(
    `SELECT prefix, nlri, as_path, communities, large_communities, ext_communities, cluster_list, unknown_attrs
     FROM ribscope.route_events WHERE router = {name:String} ORDER BY seq`,
    { name },
  )
  expect(rows).toHaveLength(attributes.length + 2)
  const hex = SQL.toString('hex')
  const pairs = (from: Buffer): string[] =>
    words(from).map((word) => `${word >>> 16}:${word & 65535}`)
  const triples = (from: Buffer): string[] =>
    Array.from({ length: from.length / 12 }, (_, i) =>
      words(from)
        .slice(3 * i, 3 * i + 3)
        .join(':'),
    )
  expect(rows[0]!['as_path']).toEqual([64501, ...words(SQL)])
  expect(rows[1]!['as_path']).toEqual([64501, ...words(swapped)])
  expect(rows[2]).toMatchObject({ communities: pairs(SQL), large_communities: triples(SQL) })
  expect(rows[3]).toMatchObject({
    communities: pairs(swapped),
    large_communities: triples(swapped),
  })
  expect(
    (rows[4]!['ext_communities'] as string[]).map((each) => each.replace(/^0x|:/g, '')).join(''),
  ).toBe(hex.slice(0, (SQL.length & ~7) * 2))
  expect(rows[5]).toMatchObject({
    cluster_list: words(SQL).map((word) => be(word, 4).join('.')),
    unknown_attrs: [`0xc063:${hex}`],
  })
  expect(rows.map((row) => row['nlri']).slice(-2)).toEqual([`0x${hex}`, `[200]:0x${hex}`])

  const errors = await db.query<{ raw: string }>(
    'SELECT raw FROM ribscope.route_errors ORDER BY seq',
  )
  expect(errors.some(({ raw }) => raw.includes(hex))).toBe(true)
  const said = await db.query<{ kind: string; text: string; vrf: string; received: string }>(
    "SELECT kind, text, vrf, toString(received_capabilities) AS received FROM ribscope.session_events WHERE kind != 'dump_done' ORDER BY seq",
  )
  expect(said.map(({ kind }) => kind)).toEqual([
    'bmp_up',
    'initiation',
    'peer_up',
    'peer_down',
    'termination',
    'bmp_down',
  ])
  const flat = String(SQL).replaceAll('\n', '')
  expect(said[1]!.text).toBe(flat)
  expect(said[2]!.vrf).toBe(`vrf${flat}`)
  expect(flat).toContain(said[3]!.text)
  expect(said[3]!.text.length).toBeGreaterThan(80)
  expect(said[4]!.text).toBe(flat)

  const findings = await db.query<{ kind: string; scope: string; explanation: string }>(
    'SELECT kind, scope, explanation FROM ribscope.findings',
  )
  const lost = findings.find(({ kind }) => kind === 'FEED_LOST')
  expect(JSON.parse(lost!.scope)).toMatchObject({ router: name })
  expect(lost!.explanation).toContain(name)
})
