/**
 * What the Native encoder sends, read back from the real engine through the views that people use, is what
 * `decode --rows` prints: same rows, same names, same order of columns, same values.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonSink, JSON_TABLES, NativeSink, RouterSession } from '@ribscope/events'
import type { Batch, JsonTable } from '@ribscope/events'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import {
  addPath,
  announce,
  asPath,
  attribute,
  be,
  bgp,
  endOfRib,
  family,
  hex,
  initiation,
  ip,
  message,
  nextHop,
  origin,
  peerDown,
  peerHeader,
  peerUp,
  prefix,
  routeMonitoring,
  statistics,
  update,
  withdraw,
} from '../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../packages/events/src/testing/bytes.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const FIXTURES = join(root, 'test/fixtures/lab')
const VECTORS = join(root, '../shared/vectors')
const T0 = 1_800_000_000_000_000

let store: Store
let db: StoreSession
const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-rows-'))
let sessions = 0

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, [])
  db = await store.session('rows')
  await migrate(db)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

type Row = Record<string, unknown>
interface Limits {
  readonly maxRows?: number
  readonly maxOctets?: number
}

/** Both ways through the same octets. @returns rows by table, from the engine and from JsonSink */
async function bothWays(
  streams: readonly Uint8Array[],
  limits: Limits,
): Promise<{ stored: Record<JsonTable, Row[]>; printed: Record<JsonTable, Row[]> }> {
  const first = T0 + 1000 * sessions
  const batches: Batch[] = []
  const lines: string[] = []
  const decoder = new TextDecoder()
  for (const octets of streams) {
    const openedUs = T0 + 1000 * sessions++
    const native = new NativeSink({ ...limits, onBatch: (batch) => batches.push(batch) })
    const json = new JsonSink({
      write: (bytes) => lines.push(...decoder.decode(bytes).trimEnd().split('\n')),
      tables: new Set(JSON_TABLES),
      withTable: true,
    })
    for (const out of [native, json]) {
      const session = new RouterSession({ collector: 'c1', source: '192.0.2.254', openedUs, out })
      for (let at = 0; at < octets.length; at += 4096) {
        session.push(octets.subarray(at, at + 4096), openedUs + at)
      }
      session.tick(openedUs + 200e6)
      session.end('fin', openedUs + 300e6)
    }
    batches.push(...native.flush())
    json.flush()
  }
  for (const { rows, body } of batches) {
    if (rows > 1) expect(body.length).toBeLessThanOrEqual(limits.maxOctets ?? Infinity)
  }
  for (const table of new Set(batches.map((batch) => batch.table))) {
    const same = batches.filter((batch) => batch.table === table)
    await store.insert({
      table,
      columns: same[0]!.columns,
      bodies: same.map(({ body }) => body),
      token: `${first}-${table.replace('_', '-')}`,
    })
  }
  const stored = {} as Record<JsonTable, Row[]>
  const printed = {} as Record<JsonTable, Row[]>
  const rows = lines.map((line) => JSON.parse(line) as Row)
  const place = (row: Row): number => Number(row['bmp_session']) * 4096 + Number(row['seq'])
  for (const table of JSON_TABLES) {
    const text = await db.queryText(
      `SELECT * FROM ribscope.${table} WHERE bmp_session >= {s:UInt64} ORDER BY bmp_session, seq`,
      'JSONEachRow',
      { s: first },
    )
    stored[table] = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const row = JSON.parse(line) as Row
        // DESIGN 4.1: these stay below 2^53 and are numbers on the command line.
        for (const name of ['seq', 'bmp_session', 'offset']) {
          if (name in row) row[name] = Number(row[name])
        }
        if (row['local_addr'] === '::') row['local_addr'] = ''
        return row
      })
    printed[table] = rows
      .filter((row) => row['table'] === table)
      .map(({ table: _, effects: __, ...row }) => row)
      .sort((a, b) => place(a) - place(b))
  }
  return { stored, printed }
}

async function expectEqual(
  streams: Uint8Array | readonly Uint8Array[],
  limits: Limits = { maxOctets: 2_000 },
): Promise<Record<JsonTable, Row[]>> {
  const list = streams instanceof Uint8Array ? [streams] : streams
  const { stored, printed } = await bothWays(list, limits)
  for (const table of JSON_TABLES) {
    expect(printed[table].length, table).toBe(stored[table].length)
    for (const [i, row] of stored[table].entries()) {
      expect(printed[table][i], `${table} row ${i}`).toEqual(row)
    }
    const [row] = stored[table]
    if (row !== undefined) expect(Object.keys(printed[table][0]!), table).toEqual(Object.keys(row))
  }
  return printed
}

function bmpFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.bmp'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

const folders = (root: string): string[] =>
  existsSync(root)
    ? readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && bmpFiles(join(root, entry.name)).length > 0)
        .map((entry) => entry.name)
    : []
const streamsOf = (folder: string): Uint8Array[] =>
  bmpFiles(folder).map((file) => readFileSync(file))

describe('recordings of FRR and GoBGP', () => {
  test.each(folders(FIXTURES))('%s', async (name) => {
    const rows = await expectEqual(streamsOf(join(FIXTURES, name)), {})
    expect(rows.route_events.length).toBeGreaterThan(0)
    // Blocks of any size hold the same rows.
    await expectEqual(streamsOf(join(FIXTURES, name)), { maxRows: 7 })
  })
})

describe.skipIf(!existsSync(VECTORS))(
  "other vendors' streams (skipped: ../shared/vectors is not there)",
  () => {
    test.each(folders(VECTORS))('%s', async (name) => {
      await expectEqual(streamsOf(join(VECTORS, name)))
    })
  },
)

const A: HandPeer = { address: '2001:db8::1', asn: 4_200_000_001, id: '192.0.2.1' }
const ATTRIBUTES = [...origin(), ...asPath(4_200_000_001, 64502)]

/** MP_REACH_NLRI, RFC 4760 section 3. */
const reach = (afi: number, safi: number, hop: readonly number[], nlri: readonly number[]) =>
  attribute(0x80, 14, [...be(afi, 2), safi, hop.length, ...hop, 0, ...nlri])
const unreach = (afi: number, safi: number, nlri: readonly number[]) =>
  attribute(0x80, 15, [...be(afi, 2), safi, ...nlri])
const route = (...attributes: readonly number[]) => routeMonitoring(A, update({ attributes }))
const RD = hex('0000fde800000007')
const ESI = hex('00112233445566778899')
const evpn = (type: number, value: readonly number[]) => [type, value.length, ...value]
const labelled = (labels: readonly number[], rest: readonly number[], bits: number) => [
  24 * labels.length + bits,
  ...labels.flatMap((label, i) => be((label << 4) | (i === labels.length - 1 ? 1 : 0), 3)),
  ...rest,
]

describe('made by hand', () => {
  const up = (...capabilities: Parameters<typeof peerUp>[1][]) => [
    ...initiation('router "1"\\'),
    ...peerUp(A, capabilities[0]),
  ]

  test('every kind of attribute', async () => {
    const all = [
      ...ATTRIBUTES,
      ...nextHop('192.0.2.1'),
      ...attribute(0x80, 4, be(4_294_967_295, 4)),
      ...attribute(0x40, 5, be(100, 4)),
      ...attribute(0xc0, 7, [...be(64999, 4), ...ip('192.0.2.9')]),
      ...attribute(0xc0, 8, [...be(64500, 2), ...be(1, 2), ...be(65535, 2), ...be(65281, 2)]),
      ...attribute(0x80, 9, ip('192.0.2.3')),
      ...attribute(0x80, 10, [...ip('192.0.2.4'), ...ip('192.0.2.5')]),
      ...attribute(
        0xc0,
        16,
        hex(`
          0002fde800000064 0102c00002010064 0202fa56ea010064 0003fde800000001
          0004fde84e9502f9 4004fde84e1502f9 030b000000000064 030c000000000008 030d000000000000
          0600010000000005 0601010000000000 0602020000000001 06030200000000aa
          8006000000000000 0610010000000000`),
      ),
      ...attribute(
        0xc0,
        32,
        [1, 2, 3, 4_294_967_295, 0, 7].flatMap((n) => be(n, 4)),
      ),
      ...attribute(0xc0, 36, [2, ...be(65000, 4), 0, 1, 70, ...be(65001, 4), 0, 2, 128]),
      ...attribute(0xe0, 99, [1, 2, 3]),
      ...attribute(0xc0, 35, be(64500, 4)),
    ]
    const rows = await expectEqual(
      Uint8Array.from([
        ...up(),
        ...routeMonitoring(A, update({ attributes: all, nlri: prefix('203.0.113.0/24') })),
        ...announce(A, '203.0.113.0/24'),
        ...withdraw(A, '203.0.113.0/24'),
      ]),
    )
    expect(rows.route_events[0]).toMatchObject({
      med: 4_294_967_295,
      communities: ['64500:1', '65535:65281'],
      link_bw: 625000000,
      mm_seq: 5,
      mm_sticky: 1,
      is_default_gw: 1,
      rmac: '02:00:00:00:00:aa',
      encap: 'vxlan',
      d_path: '65000:1:70 65001:2:128',
      unknown_attrs: ['0xe063:010203', '0xc023:0000fbf4'],
    })
  })

  test('one UPDATE of 64 KiB that makes several batches', async () => {
    const communities = Array.from({ length: 2_000 }, (_, i) => [...be(i, 2), ...be(1, 2)]).flat()
    const attributes = (unknown: number): number[] => [
      ...origin(),
      ...attribute(0x40, 2, [1, 2, ...be(1, 4), ...be(2, 4)]),
      ...nextHop('192.0.2.1'),
      ...attribute(0xd0, 8, communities),
      ...attribute(0xd0, 16, communities),
      ...attribute(
        0xd0,
        99,
        Array.from({ length: 3_000 }, () => unknown),
      ),
    ]
    const nlri = Array.from({ length: 60 }, (_, i) => prefix(`10.0.${i}.0/24`))
    const octets = [
      ...announce(A, '10.9.0.0/16'),
      // Not yet a full batch: what is cut begins in the texts of the second message.
      ...routeMonitoring(A, update({ attributes: attributes(1), nlri: nlri.slice(0, 2).flat() })),
      ...routeMonitoring(A, update({ attributes: attributes(2), nlri: nlri.flat() })),
      ...announce(A, '10.7.0.0/16'),
    ]
    const rows = await expectEqual(Uint8Array.from([...up(), ...octets]), { maxOctets: 100_000 })
    expect(rows.route_events).toHaveLength(64)
  })

  test('values of zero are values', async () => {
    const zeros = [
      ...ATTRIBUTES,
      ...attribute(0x80, 4, be(0, 4)),
      ...attribute(0x40, 5, be(0, 4)),
      ...attribute(0xc0, 16, hex('0600000000000000 0004fde800000000 0603000000000000')),
    ]
    const ones = [...ATTRIBUTES, ...attribute(0x80, 4, be(1, 4)), ...attribute(0x40, 5, be(1, 4))]
    const nlri = prefix('10.0.0.0/8')
    const rows = await expectEqual(
      Uint8Array.from([
        ...up(),
        ...[ones, zeros, ATTRIBUTES, ones, zeros].flatMap((attributes) =>
          routeMonitoring(A, update({ attributes, nlri })),
        ),
      ]),
    )
    expect(rows.route_events.map((row) => [row['med'], row['mm_seq'], row['link_bw']])).toEqual([
      [1, null, null],
      [0, 0, 0],
      [null, null, null],
      [1, null, null],
      [0, 0, 0],
    ])
  })

  test('paths: sets, confederations, several segments, none, two octets with AS4_PATH', async () => {
    const path = (...octets: readonly number[]) => attribute(0x40, 2, octets)
    const paths = [
      path(2, 1, ...be(64501, 4), 1, 2, ...be(64502, 4), ...be(64503, 4)),
      path(3, 1, ...be(65001, 4), 4, 1, ...be(65002, 4), 2, 1, ...be(64501, 4)),
      path(2, 1, ...be(64501, 4), 2, 1, ...be(64502, 4)),
      path(),
      [],
    ]
    const two = { ...A, flags: 0xa0 }
    const rows = await expectEqual(
      Uint8Array.from([
        ...up(),
        ...paths.flatMap((each) =>
          routeMonitoring(
            A,
            update({ attributes: [...origin(), ...each], nlri: prefix('10.0.0.0/8') }),
          ),
        ),
        ...routeMonitoring(
          two,
          update({
            attributes: [
              ...origin(),
              ...path(2, 3, ...be(64500, 2), ...be(23456, 2), ...be(64502, 2)),
              ...attribute(0xc0, 17, [2, 2, ...be(4_200_000_001, 4), ...be(64502, 4)]),
            ],
            nlri: prefix('10.0.0.0/8'),
          }),
        ),
      ]),
    )
    expect(rows.route_events.map((row) => row['as_path_text'])).toEqual([
      '64501 {64502,64503}',
      '(65001) [65002] 64501',
      '64501 64502',
      '',
      '',
      '64500 4200000001 64502',
    ])
  })

  test('IPv6, next hops, lengths and host bits', async () => {
    const rows = await expectEqual(
      Uint8Array.from([
        ...up(),
        ...route(
          ...ATTRIBUTES,
          ...reach(
            2,
            1,
            [...ip('2001:db8::2'), ...ip('fe80::2')],
            [
              ...[0, 64, ...ip('2001:db8::').slice(0, 8), 61, ...hex('20010db8000000ff')],
              ...[
                128,
                ...ip('::ffff:c000:0201'),
                128,
                ...ip('::1:0:0:1'),
                96,
                ...ip('::').slice(0, 12),
              ],
            ],
          ),
        ),
        ...route(
          ...ATTRIBUTES,
          ...reach(1, 1, ip('2001:db8::3'), [...prefix('10.0.0.0/8'), 9, 10, 255, 0]),
        ),
        ...route(...unreach(2, 1, [64, ...ip('2001:db8::').slice(0, 8)])),
        ...route(...ATTRIBUTES, ...reach(1, 2, ip('192.0.2.1'), [...prefix('224.0.0.0/4')])),
      ]),
    )
    expect(rows.route_events.map((row) => row['prefix'])).toEqual([
      '::/0',
      '2001:db8::/64',
      '2001:db8:0:f8::/61',
      '::ffff:192.0.2.1/128',
      '::1:0:0:1/128',
      '::/96',
      '10.0.0.0/8',
      '10.128.0.0/9',
      '0.0.0.0/0',
      '2001:db8::/64',
      '224.0.0.0/4',
    ])
  })

  test('labelled, VPN, unknown families, beside plain ones in one block', async () => {
    const plain = announce(A, '10.9.9.0/24')
    const rows = await expectEqual(
      Uint8Array.from([
        ...up(),
        ...plain,
        ...route(...ATTRIBUTES, ...reach(1, 4, ip('192.0.2.1'), labelled([100], [10, 1, 0], 24))),
        ...plain,
        ...route(
          ...ATTRIBUTES,
          ...reach(
            1,
            128,
            [...be(0, 8), ...ip('192.0.2.1')],
            [
              ...labelled([200, 300], [...RD, 10, 2, 0], 64 + 24),
              ...labelled([400], [...hex('0001c00002010009'), 10, 3], 64 + 16),
            ],
          ),
        ),
        ...plain,
        ...route(
          ...ATTRIBUTES,
          ...reach(
            2,
            128,
            [...be(0, 8), ...ip('2001:db8::9')],
            labelled([500], [...hex('0002fa56ea010005'), 0x20], 64 + 8),
          ),
        ),
        ...route(...unreach(1, 128, [24 + 64 + 24, 0x80, 0, 0, ...RD, 10, 2, 0])),
        ...route(...unreach(1, 4, [24 + 24, 0, 0, 0, 10, 1, 0])),
        ...route(...ATTRIBUTES, ...reach(16388, 99, ip('192.0.2.1'), [1, 2, 3, 4])),
        ...route(...unreach(25, 128, [0xde, 0xad])),
        ...plain,
        ...withdraw(A, '10.9.9.0/24'),
      ]),
    )
    expect(rows.route_events.map((row) => [row['nlri'], row['rd'], row['labels']])).toEqual([
      ['10.9.9.0/24', '', []],
      ['10.1.0.0/24', '', [100]],
      ['10.9.9.0/24', '', []],
      ['65000:7:10.2.0.0/24', '65000:7', [200, 300]],
      ['192.0.2.1:9:10.3.0.0/16', '192.0.2.1:9', [400]],
      ['10.9.9.0/24', '', []],
      ['4200000001:5:2000::/8', '4200000001:5', [500]],
      ['65000:7:10.2.0.0/24', '65000:7', []],
      ['10.1.0.0/24', '', []],
      ['0x01020304', '', []],
      ['0xdead', '', []],
      ['10.9.9.0/24', '', []],
      ['10.9.9.0/24', '', []],
    ])
  })

  test('EVPN types 1 to 5 and one that is not known', async () => {
    const mac = hex('0200000000aa')
    const nlri = [
      ...evpn(1, [...RD, ...ESI, ...be(7, 4), ...be(10100, 3)]),
      ...evpn(2, [...RD, ...ESI, ...be(0, 4), 48, ...mac, 0, ...be(10100, 3)]),
      ...evpn(2, [
        ...RD,
        ...be(0, 10),
        ...be(0, 4),
        48,
        ...mac,
        32,
        ...ip('10.0.0.5'),
        ...be(10100, 3),
        ...be(50001, 3),
      ]),
      ...evpn(2, [
        ...RD,
        ...be(0, 10),
        ...be(0, 4),
        48,
        ...mac,
        128,
        ...ip('2001:db8::5'),
        ...be(0, 3),
      ]),
      ...evpn(3, [...RD, ...be(0, 4), 32, ...ip('192.0.2.1')]),
      ...evpn(3, [...RD, ...be(0, 4), 128, ...ip('2001:db8::1')]),
      ...evpn(4, [...RD, ...ESI, 32, ...ip('192.0.2.1')]),
      ...evpn(5, [
        ...RD,
        ...be(0, 10),
        ...be(0, 4),
        23,
        ...ip('10.1.3.7'),
        ...ip('10.0.0.9'),
        ...be(50001, 3),
      ]),
      ...evpn(5, [...RD, ...ESI, ...be(0, 4), 0, ...ip('0.0.0.0'), ...ip('0.0.0.0'), ...be(0, 3)]),
      ...evpn(5, [
        ...RD,
        ...be(0, 10),
        ...be(0, 4),
        56,
        ...ip('2001:db8:1:2ff::'),
        ...ip('2001:db8::9'),
        ...be(0, 3),
      ]),
      ...evpn(12, [1, 2, 3, 4, 5]),
      ...evpn(200, new Array<number>(200).fill(0xab)),
    ]
    const extra = [
      ...attribute(0xc0, 16, hex('0002fde80000c351 06030200000000bb')),
      ...attribute(0xc0, 22, [0, 6, ...be(10200, 3), ...ip('192.0.2.1')]),
    ]
    const rows = await expectEqual(
      Uint8Array.from([
        ...up(),
        ...route(...ATTRIBUTES, ...extra, ...reach(25, 70, ip('192.0.2.1'), nlri)),
        ...announce(A, '10.0.0.0/8'),
        ...route(...unreach(25, 70, nlri)),
      ]),
      { maxRows: 3 },
    )
    const announced = rows.route_events.slice(0, 12)
    expect(announced.map((row) => row['nlri'])).toEqual([
      '[1]:[65000:7]:[00:11:22:33:44:55:66:77:88:99]:[7]',
      '[2]:[65000:7]:[0]:[48]:[02:00:00:00:00:aa]',
      '[2]:[65000:7]:[0]:[48]:[02:00:00:00:00:aa]:[32]:[10.0.0.5]',
      '[2]:[65000:7]:[0]:[48]:[02:00:00:00:00:aa]:[128]:[2001:db8::5]',
      '[3]:[65000:7]:[0]:[32]:[192.0.2.1]',
      '[3]:[65000:7]:[0]:[128]:[2001:db8::1]',
      '[4]:[65000:7]:[00:11:22:33:44:55:66:77:88:99]:[32]:[192.0.2.1]',
      '[5]:[65000:7]:[0]:[23]:[10.1.2.0]',
      '[5]:[65000:7]:[0]:[0]:[0.0.0.0]',
      '[5]:[65000:7]:[0]:[56]:[2001:db8:1:200::]',
      '[12]:0x0102030405',
      `[200]:0x${'ab'.repeat(200)}`,
    ])
    expect(announced.map((row) => [row['vni'], row['vni2']])).toEqual([
      [10100, 0],
      [10100, 0],
      [10100, 50001],
      [50001, 0],
      [10200, 0],
      [10200, 0],
      [50001, 0],
      [50001, 0],
      [50001, 0],
      [50001, 0],
      [0, 0],
      [0, 0],
    ])
    expect(announced.map((row) => row['gw_ip']).filter((gateway) => gateway !== '')).toEqual([
      '10.0.0.9',
      '2001:db8::9',
    ])
  })

  test('EVPN types 6 to 11', async () => {
    const group = [32, ...ip('192.0.2.7'), 32, ...ip('239.1.1.1')]
    const router = [32, ...ip('192.0.2.1')]
    const imet = [3, 17, ...RD, ...be(9, 4), ...router]
    const nlri = (flags: number): readonly number[] => [
      ...evpn(6, [...RD, ...be(10, 4), ...group, ...router, flags]),
      ...evpn(6, [...RD, ...be(10, 4), 0, 128, ...ip('ff0e::1'), 128, ...ip('2001:db8::1'), flags]),
      ...evpn(7, [...RD, ...ESI, ...be(11, 4), ...group, ...router, flags]),
      ...evpn(8, [...RD, ...ESI, ...be(12, 4), ...group, ...router, ...be(0, 4), 10, flags]),
      ...evpn(9, [...RD, ...be(13, 4), ...hex('0009fde800000001')]),
      ...evpn(10, [...RD, ...be(14, 4), 0, 0, ...router]),
      ...evpn(11, [...imet, ...router]),
    ]
    const extra = [
      ...attribute(0xc0, 16, hex('0002fde80000c351')),
      ...attribute(0xc0, 22, [0, 6, ...be(10200, 3), ...ip('192.0.2.1')]),
    ]
    const told = (flags: number): readonly number[] =>
      route(...ATTRIBUTES, ...extra, ...reach(25, 70, ip('192.0.2.1'), nlri(flags)))
    const announced = [...up(), ...told(2), ...told(4)]
    await expectLive(await expectEqual(Uint8Array.from(announced), { maxRows: 4 }), 7)
    const rows = await expectEqual(
      Uint8Array.from([
        ...announced,
        ...announce(A, '10.0.0.0/8'),
        ...route(...unreach(25, 70, nlri(0))),
      ]),
      { maxRows: 4 },
    )
    const shown = (row: Row): unknown[] =>
      ['nlri', 'rd', 'evpn_type', 'eth_tag', 'esi', 'vni'].map((name) => row[name])
    const esi = '00:11:22:33:44:55:66:77:88:99'
    const sg = '[32]:[192.0.2.7]:[32]:[239.1.1.1]:[32]:[192.0.2.1]'
    const rd = '65000:7'
    expect(rows.route_events.slice(0, 7).map(shown)).toEqual([
      [`[6]:[65000:7]:[10]:${sg}`, rd, 6, 10, '', 50001],
      ['[6]:[65000:7]:[10]:[0]:[*]:[128]:[ff0e::1]:[128]:[2001:db8::1]', rd, 6, 10, '', 50001],
      [`[7]:[65000:7]:[${esi}]:[11]:${sg}`, rd, 7, 11, esi, 50001],
      [`[8]:[65000:7]:[${esi}]:[12]:${sg}`, rd, 8, 12, esi, 50001],
      ['[9]:[65000:7]:[13]:[0x0009fde800000001]', rd, 9, 13, '', 10200],
      ['[10]:[65000:7]:[14]:[0]:[*]:[0]:[*]:[32]:[192.0.2.1]', rd, 10, 14, '', 10200],
      ['[11]:[[3]:[65000:7]:[9]:[32]:[192.0.2.1]]:[32]:[192.0.2.1]', rd, 11, 0, '', 10200],
    ])
    // Flags are what a route says, not which route it is.
    const same = rows.route_events.slice(0, 7).map((row, i) => {
      const again = rows.route_events[i + 7]!
      expect(again['nlri']).toBe(row['nlri'])
      return again['attr_hash'] === row['attr_hash']
    })
    expect(same).toEqual([false, false, false, false, true, true, true])
    await expectGone(rows, 7)
  })

  test('families beside prefixes and EVPN', async () => {
    const rule = [
      ...[1, 24, 10, 1, 2, 3, 0x81, 6],
      ...[5, 0x12, 0x1f, 0x90, 0x54, 0x1f, 0x98, 0x81, 25],
      ...[9, 0x80, 2],
    ]
    const pe = ip('192.0.2.1')
    const lsNode = [...be(256, 2), ...be(18, 2), ...hex('020000040000fde8 02030006010000000001')]
    const ls = [2, ...be(7, 8), ...lsNode]
    const vplsOf = (label: number): readonly number[] => [
      ...be(17, 2),
      ...RD,
      ...be(5, 2),
      ...be(1, 2),
      ...be(8, 2),
      ...be(label << 4, 3),
    ]
    const list: (label: number) => [number, number, readonly number[]][] = (label) => [
      [1, 133, [rule.length, ...rule, 3, 3, 0x81, 17]],
      [1, 134, [rule.length + 8, ...RD, ...rule]],
      [2, 133, [10, 1, 64, 32, ...hex('12345678'), 3, 0x81, 6]],
      [
        1,
        132,
        [
          0,
          32,
          ...be(65000, 4),
          48,
          ...be(65000, 4),
          0,
          2,
          96,
          ...be(65000, 4),
          0,
          2,
          ...RD.slice(2),
        ],
      ],
      [25, 65, [...vplsOf(label), ...be(12, 2), ...RD, ...pe]],
      [
        1,
        5,
        [
          1,
          12,
          ...RD,
          ...pe,
          7,
          22,
          ...RD,
          ...be(65000, 4),
          32,
          ...pe,
          32,
          ...ip('239.1.1.1'),
          99,
          1,
          7,
        ],
      ],
      [1, 73, [96, ...be(1, 4), ...be(100, 4), ...pe]],
      [2, 73, [192, ...be(1, 4), ...be(100, 4), ...ip('2001:db8::1')]],
      [16388, 71, [...be(1, 2), ...be(ls.length, 2), ...ls, ...be(77, 2), ...be(2, 2), 1, 2]],
      [16388, 72, [...be(1, 2), ...be(ls.length + 8, 2), ...RD, ...ls]],
      [1, 85, [1, 0, 3, 23, ...RD, 32, ...ip('10.0.0.9'), ...be(label, 4), 9, 32, ...pe]],
      [1, 66, [128, ...RD, ...pe, ...ip('239.9.9.9')]],
      [1, 83, [16, 9, 1, 32, ...ip('10.0.0.1'), ...be(100, 4), 1, 3, ...be(label << 4, 3)]],
      [1, 129, [64 + 24, ...RD, 10, 2, 0]],
      [2, 76, labelled([label], [...RD, 0x20], 64 + 8)],
    ]
    const told = (label: number): readonly number[] =>
      list(label).flatMap(([afi, safi, nlri]) =>
        route(...ATTRIBUTES, ...reach(afi, safi, pe, nlri)),
      )
    const plain = announce(A, '10.9.9.0/24')
    const announced = [...up(), ...told(100), ...plain, ...told(200), ...plain]
    await expectLive(await expectEqual(Uint8Array.from(announced), { maxRows: 5 }), 23)
    const rows = await expectEqual(
      Uint8Array.from([
        ...announced,
        ...list(0).flatMap(([afi, safi, nlri]) => route(...unreach(afi, safi, nlri))),
      ]),
      { maxRows: 5 },
    )
    const text =
      'destination 10.1.2.0/24 protocol =6 destination-port >8080&<8088|=25 tcp-flags syn'
    const node = '[1]:[isis-l2]:[7]:[as=65000,igp-router-id=0100.0000.0001]'
    const expected: [string, string, number[]][] = [
      [text, '', []],
      ['protocol =17', '', []],
      [`[65000:7]:${text}`, '65000:7', []],
      ['destination 0:0:1234:5678::/32-64 protocol =6', '', []],
      ['0/0', '', []],
      ['65000/32', '', []],
      ['65000:0x0002/48', '', []],
      ['65000:rt:65000:7/96', '', []],
      ['[65000:7]:[5]:[1]', '65000:7', [100]],
      ['[65000:7]:[192.0.2.1]', '65000:7', []],
      ['[1]:[65000:7]:[192.0.2.1]', '65000:7', []],
      ['[7]:[65000:7]:[65000]:[32]:[192.0.2.1]:[32]:[239.1.1.1]', '65000:7', []],
      ['[99]:0x07', '', []],
      ['[1]:[100]:[192.0.2.1]', '', []],
      ['[1]:[100]:[2001:db8::1]', '', []],
      [node, '', []],
      ['[77]:0x0102', '', []],
      [`[65000:7]:${node}`, '65000:7', []],
      ['[1]:[3]:[65000:7]:[32]:[10.0.0.9]', '65000:7', []],
      ['[65000:7]:[192.0.2.1]:[239.9.9.9]', '65000:7', []],
      ['[1]:[32]:[10.0.0.1]:[100]', '', []],
      ['65000:7:10.2.0.0/24', '65000:7', []],
      ['65000:7:2000::/8', '65000:7', [100]],
    ]
    const n = expected.length
    const routes = withoutUnicast(rows)
    expect(routes.slice(0, n).map((row) => [row['nlri'], row['rd'], row['labels']])).toEqual(
      expected,
    )
    expect(
      routes
        .slice(0, n)
        .map((row) => row['prefix'])
        .filter((prefix) => prefix !== ''),
    ).toEqual(['10.2.0.0/24', '2000::/8'])
    // Labels and tunnels are what a route says.
    const changed = routes.slice(0, n).flatMap((row, i) => {
      const again = routes[n + i]!
      expect(again['nlri']).toBe(row['nlri'])
      return again['attr_hash'] === row['attr_hash'] ? [] : [row['nlri']]
    })
    expect(changed).toEqual([
      '[65000:7]:[5]:[1]',
      '[1]:[3]:[65000:7]:[32]:[10.0.0.9]',
      '[1]:[32]:[10.0.0.1]:[100]',
      '65000:7:2000::/8',
    ])
    await expectGone(rows, n)
  })

  test('RFC 8955 section 4.2.2: rules of one text and other octets are two routes', async () => {
    const short = [3, 5, 0x81, 80]
    const long = [4, 5, 0x91, 0, 80]
    const told = (nlri: readonly number[]): readonly number[] =>
      route(...ATTRIBUTES, ...reach(1, 133, [], nlri))
    const rows = await expectEqual(
      Uint8Array.from([
        ...up(),
        ...told([...short, ...long]),
        ...route(...unreach(1, 133, short)),
        ...told(long),
      ]),
    )
    const routes = withoutUnicast(rows)
    expect(new Set(routes.map((row) => row['nlri']))).toEqual(new Set(['destination-port =80']))
    const s = Number(routes[0]!['bmp_session'])
    const live = await db.query(`SELECT seq FROM ribscope.rib_current ${MINE}`, { s })
    expect(live).toEqual([{ seq: String(routes.at(-1)!['seq']) }])
  })

  test('rows of before these families were known keep the text that they had', async () => {
    const s = 1000
    const row = (seq: number, afi: number, safi: number, key: string): string =>
      `('old', 7, 'adj_in_pre', ${afi}, ${safi}, unhex('${key}'), ${s * 4096 + seq}, ${s}, fromUnixTimestamp64Micro(${T0}, 'UTC'), 'announce', 8192)`
    await db.command(`INSERT INTO ribscope.route_log
      (router, peer_key, rib, afi, safi, nlri_key, pos, bmp_session, rx_ts, action, flags)
      VALUES ${row(1, 1, 133, '03038106')}, ${row(2, 1, 129, '580000')}, ${row(3, 25, 70, '06c0ffee')}`)
    const found = await db.query(
      `SELECT nlri, prefix, rd, evpn_type, eth_tag, esi FROM ribscope.route_events
       WHERE bmp_session = {s:UInt64} ORDER BY seq`,
      { s },
    )
    const none = { prefix: '', rd: '', evpn_type: 0, eth_tag: 0, esi: '' }
    expect(found).toEqual([
      { ...none, nlri: '0x03038106' },
      { ...none, nlri: '0x580000' },
      { ...none, nlri: '[6]:0xc0ffee', evpn_type: 6 },
    ])
  })

  type Tables = Record<JsonTable, Row[]>
  const MINE = 'WHERE bmp_session = {s:UInt64} AND NOT (afi = 1 AND safi = 1)'
  const withoutUnicast = (rows: Tables): Row[] =>
    rows.route_events.filter((row) => row['afi'] !== 1 || row['safi'] !== 1)
  const routeOf = (row: Row): string =>
    [row['afi'], row['safi'], row['nlri'], row['rd'], row['attr_hash']].map(String).join(' ')

  /** `n` routes announced twice: the views of what is there have each once, as announced last. */
  async function expectLive(rows: Tables, n: number): Promise<void> {
    const routes = withoutUnicast(rows)
    expect(routes).toHaveLength(2 * n)
    const wanted = routes.slice(n).map(routeOf).sort()
    const [first] = routes
    const params = {
      s: Number(first!['bmp_session']),
      router: String(first!['router']),
      at: String(routes.at(-1)!['rx_ts']),
    }
    const at = "at = {at:DateTime64(6, 'UTC')}"
    for (const view of [
      'rib_current',
      `rib_at(${at})`,
      `router_rib_at(router = {router:String}, ${at})`,
    ]) {
      const found = await db.query<Row>(`SELECT * FROM ribscope.${view} ${MINE}`, params)
      expect(found.map(routeOf).sort(), view).toEqual(wanted)
    }
  }

  /** `n` routes announced twice and withdrawn: each withdrawal is one of a route that was there. */
  async function expectGone(rows: Tables, n: number): Promise<void> {
    const routes = withoutUnicast(rows)
    expect(routes).toHaveLength(3 * n)
    const s = Number(routes[0]!['bmp_session'])
    expect(await db.query(`SELECT * FROM ribscope.rib_current ${MINE}`, { s })).toEqual([])
    const classes = await db.query<Row>(
      `SELECT nlri, class, rd FROM ribscope.route_event_class ${MINE} AND implied = 0 ORDER BY seq`,
      { s },
    )
    expect(classes.map((row) => [row['nlri'], row['rd']])).toEqual(
      routes.map((row) => [row['nlri'], row['rd']]),
    )
    const of = (from: number): string[] =>
      classes.slice(from, from + n).map((row) => String(row['class']).slice(0, 2))
    // A later session of the same router finds what an earlier one left.
    expect(of(0).filter((name) => name !== 'NE' && name !== 'AA')).toEqual([])
    expect(new Set(of(n))).toEqual(new Set(['AA']))
    expect(new Set(of(2 * n))).toEqual(new Set(['AW']))
  }

  test('path identifiers, VRFs, distinguishers, statistics, errors, all session rows', async () => {
    const vpn: HandPeer = {
      type: 1,
      rd: '0000fde800000001',
      address: '192.0.2.7',
      asn: 64507,
      id: '192.0.2.7',
    }
    const both = { sent: [family(1, 1), addPath(1, 1, 3)] }
    const rows = await expectEqual(
      Uint8Array.from([
        ...up(both),
        ...routeMonitoring(
          A,
          update({
            attributes: [...ATTRIBUTES, ...nextHop('192.0.2.1')],
            nlri: [
              ...be(1, 4),
              ...prefix('10.0.0.0/8'),
              ...be(4_294_967_295, 4),
              ...prefix('10.0.0.0/8'),
            ],
          }),
        ),
        ...routeMonitoring(A, update({ attributes: [...ATTRIBUTES], nlri: prefix('10.0.0.0/8') })),
        ...peerUp(vpn, { vrf: 'red "vrf"\\' }),
        ...announce(vpn, '10.0.0.0/8'),
        ...statistics(A, [7, 4_294_967_295]),
        ...message(1, [
          ...peerHeader(A),
          ...be(1, 4),
          0,
          9,
          0,
          11,
          0,
          25,
          70,
          ...hex('ffffffffffffffff'),
        ]),
        ...endOfRib(A),
        ...routeMonitoring(A, update({ attributes: origin(9), nlri: [40, 1] })),
        ...routeMonitoring(A, bgp(2, [0, 9])),
        ...message(200, [1, 2]),
        ...peerDown(A, 3, bgp(3, [6, 2, 4, 98, 121, 101, 33])),
        ...message(5, [0, 0, 0, 3, 98, 121, 101]),
      ]),
    )
    expect(rows.route_events.map((row) => [row['path_id'], row['vrf'], row['peer_rd']])).toEqual([
      [1, '', ''],
      [4_294_967_295, '', ''],
      [0, '', ''],
      [0, 'red "vrf"\\', '65000:1'],
    ])
    expect(rows.stats.map((row) => row['value'])).toContain('18446744073709551615')
    expect(new Set(rows.session_events.map((row) => row['kind']))).toEqual(
      new Set([
        'bmp_up',
        'initiation',
        'peer_up',
        'eor',
        'dump_done',
        'peer_down',
        'termination',
        'bmp_down',
      ]),
    )
  })
})
