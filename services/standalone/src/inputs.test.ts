import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { announce, be, initiation, peerUp } from '../../../packages/events/src/testing/bytes.ts'
import { runCommand } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'ribscope-inputs-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/mrt/${name}`, import.meta.url))

async function decode(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const stdout = new PassThrough({ highWaterMark: 1 << 26 })
  const stderr = new PassThrough()
  const { signal } = new AbortController()
  const code = await runCommand(['decode', ...args], { stdout, stderr, env: {}, signal })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

function file(name: string, ...parts: readonly (Uint8Array | readonly number[])[]): string {
  const path = join(folder, name)
  writeFileSync(path, Uint8Array.from(parts.flatMap((part) => [...part])))
  return path
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** A message behind OpenBMP's binary header, from router 192.0.2.N. */
function obmp(router: number, message: readonly number[], seconds: number): number[] {
  return [
    ...[0x4f, 0x42, 0x4d, 0x50, 1, 7, ...be(78 + 4, 2), ...be(message.length, 4), 0x80, 12],
    ...[...be(seconds, 4), ...be(250_000, 4), ...new Array<number>(16).fill(0xcc)],
    ...[...be(3, 2), 99, 111, 108],
    ...[...new Array<number>(15).fill(0), router],
    ...[192, 0, 2, router, ...new Array<number>(12).fill(0)],
    ...[...be(1, 2), 103, ...be(1, 4)],
    ...message,
  ]
}

function obmpText(router: number, message: readonly number[]): Uint8Array {
  const header = `V: 1.7\nC_HASH_ID: cc\nR_HASH: r${router}\nR_IP: 192.0.2.${router}\nL: ${message.length}\n\n`
  return Uint8Array.from([...new TextEncoder().encode(header), ...message])
}

/** Two routers, whose messages take turns. */
const TURNS: readonly (readonly [router: number, message: readonly number[]])[] = [
  [1, initiation('tor1')],
  [2, initiation('tor2')],
  [1, peerUp({})],
  [2, peerUp({})],
  [2, announce({}, '10.2.0.0/16')],
  [1, announce({}, '10.1.0.0/16')],
  [2, announce({}, '10.3.0.0/16', '10.4.0.0/16')],
]

describe('OpenBMP', () => {
  const binary = file('a.obmp', ...TURNS.map(([r, message], i) => obmp(r, message, 1700000000 + i)))

  test('routers take turns: a session each, received when the collector received it', async () => {
    const { code, out, err } = await decode('--table', 'all', binary)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const rows = lines(out)
    const routes = rows.filter((row) => row['table'] === 'route_events')
    expect(
      routes.map((row) => [row['router'], row['router_addr'], row['prefix'], row['rx_ts']]),
    ).toEqual(
      expect.arrayContaining([
        ['tor1', '192.0.2.1', '10.1.0.0/16', '2023-11-14 22:13:25.250000'],
        ['tor2', '192.0.2.2', '10.2.0.0/16', '2023-11-14 22:13:24.250000'],
        ['tor2', '192.0.2.2', '10.3.0.0/16', '2023-11-14 22:13:26.250000'],
        ['tor2', '192.0.2.2', '10.4.0.0/16', '2023-11-14 22:13:26.250000'],
      ]),
    )
    expect(routes).toHaveLength(4)
    expect(new Set(rows.map((row) => row['bmp_session']))).toEqual(
      new Set([1700000000250000, 1700000001250000]),
    )
  })
  test('a line per message says where it is from', async () => {
    const { code, out } = await decode(binary)
    expect(code).toBe(0)
    const messages = lines(out)
    expect(messages.map(({ kind }) => kind)).toEqual([
      ...['initiation', 'initiation', 'peer_up', 'peer_up'],
      ...['route_monitoring', 'route_monitoring', 'route_monitoring'],
    ])
    expect(messages[5]).toMatchObject({
      openbmp: {
        collectorHash: 'cc'.repeat(16),
        adminId: 'col',
        routerHash: '0'.repeat(30) + '01',
        routerIp: '192.0.2.1',
        routerGroup: 'g',
        received: '2023-11-14T22:13:25.250000Z',
      },
    })
  })
  test('--count; the text header; newlines between', async () => {
    expect(lines((await decode('--count', binary)).out)).toMatchObject([
      { messages: 7, updates: 3, announced: 4 },
    ])
    const parts = TURNS.flatMap(([r, message]) => [obmpText(r, message), [10]])
    const { code, out, err } = await decode('--rows', file('a.txt', ...parts))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(
      lines(out)
        .map((row) => [row['router'], row['prefix'], String(row['rx_ts']) > '2001'])
        .sort(),
    ).toEqual([
      ['tor1', '10.1.0.0/16', true],
      ['tor2', '10.2.0.0/16', true],
      ['tor2', '10.3.0.0/16', true],
      ['tor2', '10.4.0.0/16', true],
    ])
  })
  test('after a Termination the router has another session', async () => {
    const bye = [3, 0, 0, 0, 12, 5, 0, 1, 0, 2, 0, 1]
    const path = file(
      'two.obmp',
      ...[initiation('tor1'), bye, initiation('tor1'), announce({}, '10.1.0.0/16')].map((m, i) =>
        obmp(1, m, 1700000000 + i),
      ),
    )
    const { out } = await decode('--table', 'session_events', path)
    expect(
      lines(out)
        .filter(({ kind }) => kind === 'bmp_up' || kind === 'bmp_down')
        .map((row) => [row['kind'], row['bmp_session']]),
    ).toEqual([
      ['bmp_up', 1700000000250000],
      ['bmp_down', 1700000000250000],
      ['bmp_up', 1700000002250000],
    ])
  })
  test('lost framing, an end inside a message, a message that is no BMP: exit 1 and the place', async () => {
    const good = readFileSync(binary)
    const lost = await decode('--rows', file('lost.obmp', good, [1, 2, 3, 4, 5]))
    expect(lost.err).toBe(
      `ribscope decode: ${join(folder, 'lost.obmp')}: framing lost at octet ${good.length}: 0x01020304, expected "OBMP" or "V: "\n`,
    )
    expect(lost.code).toBe(1)
    expect(lines(lost.out)).toHaveLength(4)
    const cut = await decode('--count', file('cut.obmp', good.subarray(0, -3)))
    expect(cut.code).toBe(1)
    expect(cut.err).toContain('ends inside the OpenBMP message at octet')
    expect(lines(cut.out)).toMatchObject([{ messages: 6 }])
    const noise = file('noise.obmp', obmp(1, [9, 9, 9], 1), good)
    const passed = await decode('--count', noise)
    expect(passed).toMatchObject({
      code: 1,
      err: `ribscope decode: ${noise}: octet 82: no whole BMP message in the OpenBMP message\n`,
    })
    expect(lines(passed.out)).toMatchObject([{ messages: 7, announced: 4 }])
  })
})

describe('MRT', () => {
  test('a line per record', async () => {
    const { code, out, err } = await decode(fixture('gobgp-table.mrt'))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const records = lines(out)
    expect(records).toHaveLength(11)
    expect(records[0]).toMatchObject({ kind: 'peer_index_table', type: 'TABLE_DUMP_V2' })
    expect(records[1]).toMatchObject({ kind: 'rib', family: 'l2vpn-evpn', errors: [] })
  })
  test('--rows: the routes, received when the record says', async () => {
    const { code, out, err } = await decode('--rows', fixture('bird-table.mrt'))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines(out)).toMatchObject([
      {
        rx_ts: '2026-11-22 05:57:14.000000',
        router: 'master6',
        router_addr: '192.0.2.3',
        rib: 'loc_rib',
        prefix: '2001:db8:3::/48',
        decode_errors: [],
      },
    ])
    const updates = await decode('--rows', fixture('gobgp-updates.mrt'))
    expect(lines(updates.out).map((row) => row['nlri'])).toContain(
      '[2]:[64500:1]:[0]:[48]:[02:00:00:00:00:01]:[32]:[10.1.1.1]',
    )
  })
  test('--count: records and octets of the file', async () => {
    const path = fixture('gobgp-updates.mrt')
    expect(lines((await decode('--count', path)).out)).toMatchObject([
      { messages: 12, updates: 12, announced: 13, withdrawn: 1, errors: 0, bytes: 1163 },
    ])
  })
  test('a record that can’t be read is told, and no lost framing; an end inside one is', async () => {
    const whole = await decode('--count', fixture('frr-all.mrt'))
    expect(whole.code).toBe(0)
    expect(whole.err).toContain('address family 8, expected 1 or 2')
    expect(lines(whole.out)).toMatchObject([{ messages: 26, errors: 1 }])
    const bytes = readFileSync(fixture('frr-all.mrt'))
    for (const flags of [[], ['--rows'], ['--count']]) {
      const cut = await decode(...flags, file('cut.mrt', bytes.subarray(0, -20)))
      expect(cut.code).toBe(1)
      expect(cut.err).toMatch(/ends inside the record at octet \d+, of which 4 octets are there/)
    }
    const lost = await decode(file('lost.mrt', bytes, new Uint8Array(20).fill(7)))
    expect(lost.code).toBe(1)
    expect(lost.err).toContain(
      `framing lost at octet ${bytes.length + 4}: type 1799 is none of MRT`,
    )
  })
})

describe('compressed', () => {
  const plain = [...initiation('tor1'), ...peerUp({}), ...announce({}, '10.0.0.0/24')]

  test('gzip of any of them, also several members', async () => {
    for (const [name, octets, expected] of [
      ['a.bmp.gz', Uint8Array.from(plain), { messages: 3, announced: 1 }],
      ['a.mrt.gz', readFileSync(fixture('gobgp-updates.mrt')), { messages: 12, bytes: 1163 }],
    ] as const) {
      const half = octets.length >> 1
      const path = file(name, gzipSync(octets.subarray(0, half)), gzipSync(octets.subarray(half)))
      const { code, out, err } = await decode('--count', path)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(lines(out)).toMatchObject([expected])
    }
  })
  test('gzip that breaks off: what came is printed, exit 1', async () => {
    const big = Uint8Array.from([...plain, ...announce({}, '10.9.0.0/24'), ...plain])
    const path = file('cut.gz', gzipSync(big).subarray(0, -9))
    const { code, out, err } = await decode('--rows', path)
    expect(code).toBe(1)
    expect(lines(out).length).toBeGreaterThan(0)
    expect(err).toContain(`${path}: gzip: unexpected end of file`)
  })
  test('gzip that unpacks to very much stays small in memory', async () => {
    const block = Uint8Array.from(announce({}, '10.0.0.0/24'))
    const much = new Uint8Array(block.length * 1_000_000)
    for (let at = 0; at < much.length; at += block.length) much.set(block, at)
    const path = file('bomb.gz', gzipSync(much, { level: 1 }))
    const before = process.memoryUsage().arrayBuffers
    const { out } = await decode('--count', path)
    expect(lines(out)).toMatchObject([{ bytes: much.length, announced: 1_000_000 }])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
  })
  test.each([
    ['bzip2', [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26], 'bzcat'],
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], 'xzcat'],
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd, 0, 0], 'zstdcat'],
  ])('%s: one line that names it, exit 2', async (name, octets, tool) => {
    const path = file(`a.${name}`, octets)
    const { code, err } = await decode(path)
    expect(code).toBe(2)
    expect(err).toContain(
      `${path}: ${name}, decompress it first: ${tool} ${path} | ribscope decode -`,
    )
  })
  test('gzip within gzip', async () => {
    const { code, err } = await decode(file('twice.gz', gzipSync(gzipSync(Uint8Array.from(plain)))))
    expect(code).toBe(2)
    expect(err).toContain('gzip within gzip: unpack it first')
  })
})

describe('standard input', () => {
  const bin = fileURLToPath(new URL('../../../bin/ribscope.js', import.meta.url))
  test.each([
    [
      'BMP',
      Uint8Array.from([...initiation('r'), ...peerUp({}), ...announce({}, '10.0.0.0/24')]),
      3,
    ],
    ['MRT, compressed', gzipSync(readFileSync(fixture('gobgp-updates.mrt'))), 12],
    ['OpenBMP', Uint8Array.from(obmp(1, initiation('r'), 5)), 1],
    ['nothing', new Uint8Array(0), 0],
  ])('%s', (_, input, messages) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [bin, 'decode', '--count', '-'],
      {
        input,
        encoding: 'utf8',
      },
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ messages })
  })
})
