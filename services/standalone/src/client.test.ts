/** findings, vips and rib as people start them, against the real API over a real store. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { createApi, type Api } from '@ribscope/api'
import { detectorViews } from '@ribscope/detectors'
import { migrate, type Store } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from './index.ts'
import { clean, screenOf, table } from './screen.ts'

let folder: string
let store: Store
let api: Api
const VIP = '10.10.21.66/32'
const T = '2026-11-21 12:00:30.000000'

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ribscope-cli-'))
  store = await openMigratedStore({ dataDir: folder }, detectorViews())
  const setup = await store.session('setup')
  await migrate(setup, detectorViews())
  await setup.close()
  await fill()
  api = createApi(
    { host: '127.0.0.1', port: 0, hosts: [], origins: [], insecure: false },
    {
      store,
      log: pino({ level: 'silent' }),
      registry: new Registry(),
      readiness: () => ({ schema: true, bmp: true, analyst: true }),
    },
  )
  await api.start()
})

afterAll(async () => {
  await api.stop()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function fill(): Promise<void> {
  const finding = (
    id: string,
    kind: string,
    severity: string,
    status: string,
    scope: object,
  ): object => ({
    id,
    version: 1,
    at: T,
    kind,
    severity,
    confidence: 'high',
    status,
    first_seen: T,
    last_seen: T,
    scope: JSON.stringify(scope),
    metrics: JSON.stringify({ flaps: 4 }),
    explanation: `${kind} \u001b[31mof\nnode1`,
    limits: ['at least'],
    incident_id: '',
    evidence: JSON.stringify([
      {
        router: 'tor1',
        peer: '10.10.19.11',
        seq: 30,
        rx_ts: '2026-11-21T12:00:30.000000Z',
        text: 'withdrawn',
      },
    ]),
  })
  await store.insertRows('findings_log', [
    finding('f1', 'VIP_FLAP', 'minor', 'open', { vip: VIP, vrf: 'default', node: 'node1' }),
    finding('f2', 'NODE_DOWN', 'critical', 'open', { node: 'node2' }),
    finding('f3', 'PEER_DOWN', 'critical', 'resolved', { router: 'tor1', peer: 'x' }),
  ])
  await store.insertRows('fabric_vips', [
    {
      addr: '::ffff:10.10.21.66',
      bits: 32,
      ip_version: 4,
      prefix: VIP,
      service: 'shop',
      cluster: 'k1',
      pair: '',
      mode: 'active_active',
      expected_nodes: ['node1'],
      source: 'configured',
    },
  ])
  await store.insertRows('edge_log', [
    {
      vip: VIP,
      vrf: 'default',
      node: 'node1',
      tor: 'tor1',
      rx_ts: T,
      pos: '1',
      router: 'tor1',
      peer_key: '11',
      seq: 1,
      class: 'NEW',
      cause: 'update',
      gshut: 0,
      phase: 'live',
      w: 0,
    },
    {
      vip: VIP,
      vrf: 'default',
      node: 'node1',
      tor: 'tor2',
      rx_ts: T,
      pos: '1',
      router: 'tor2',
      peer_key: '21',
      seq: 1,
      class: 'AW',
      cause: 'peer_down',
      gshut: 0,
      phase: 'live',
      w: 1000,
    },
  ])
  await store.insertRows(
    'route_log',
    Array.from({ length: 3 }, (_, i) => ({
      addr: `::ffff:10.0.${String(i)}.0`,
      bits: 24,
      afi: 1,
      safi: 1,
      router: 'tor1',
      peer_key: '11',
      rib: 'adj_in_pre',
      bmp_session: 1_795_262_400_000_000,
      pos: String(1_795_262_400_000_000n * 4096n + BigInt(10 + i)),
      rx_ts: T,
      collector: 'c',
      router_addr: '127.0.0.1',
      peer_addr: '::ffff:10.10.19.11',
      peer_asn: 65101,
      action: 'announce',
      next_hop: '::ffff:10.10.19.11',
      as_path: [65101, 65000],
      // next_hop and as_path are present; live, igp, IPv4
      flags: 4 + 2048 + (2 << 12) + (4 << 16),
      communities: [65000 * 65536 + 21],
      attr_hash: '1',
      fwd_hash: '1',
    })),
  )
}

async function ribscope(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [command = '', ...rest] = argv
  return bare(command, '--api', api.address?.url ?? '', ...rest)
}

async function bare(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const code = await runCommand(argv, {
    stdout,
    stderr,
    env: {},
    signal: new AbortController().signal,
  })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

async function listening(): Promise<Server> {
  const server = createServer((_request, response) => response.end('<html>hello</html>'))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return server
}

const urlOf = (server: Server): string =>
  `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`

const lines = (text: string): string[] => text.trimEnd().split('\n')

describe('ribscope findings', () => {
  test('a table: open ones first, the worst first; nothing that moves the cursor', async () => {
    const { code, out, err } = await ribscope('findings')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines(out).map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
      ['SEVERITY', 'STATUS', 'KIND', 'SCOPE'],
      ['critical', 'open', 'NODE_DOWN', 'node=node2'],
      ['minor', 'open', 'VIP_FLAP', `vip=${VIP} node=node1`],
      ['critical', 'resolved', 'PEER_DOWN', 'router=tor1 peer=x'],
    ])
    expect(out).not.toContain('\u001b')
    expect(lines(out)[2]).toContain(
      '2026-11-21 12:00:30.000Z  f1  VIP_FLAP \ufffd[31mof\ufffdnode1',
    )
  })

  test('filters, --json is what the API says', async () => {
    const { code, out } = await ribscope(
      'findings',
      '--status',
      'open',
      '--severity',
      'minor,major',
      '--json',
    )
    expect(code).toBe(0)
    const list = JSON.parse(out) as { items: { id: string; scope: object }[]; next: null }
    expect(list).toMatchObject({ items: [{ id: 'f1', scope: { vip: VIP } }], next: null })
    expect((await ribscope('findings', '--node', 'nobody')).out).toBe('no findings\n')
    expect(JSON.parse((await ribscope('findings', '--node', 'nobody', '--json')).out)).toEqual({
      items: [],
      next: null,
    })
  })

  test('--limit says when there is more', async () => {
    const { out, err, code } = await ribscope('findings', '--limit', '2')
    expect(lines(out)).toHaveLength(3)
    expect({ err, code }).toEqual({ err: 'there are more than 2: see --limit\n', code: 0 })
  })

  test('one, with its evidence', async () => {
    const { out, code } = await ribscope('findings', 'f1')
    expect(code).toBe(0)
    expect(out).toMatch(/^finding +f1\nkind +VIP_FLAP\n/)
    expect(out).toMatch(/flaps +4\n/)
    expect(out).toMatch(/2026-11-21 12:00:30.000Z {2}tor1 +10.10.19.11 +30 +withdrawn/)
    expect(JSON.parse((await ribscope('findings', 'f1', '--json')).out)).toMatchObject({ id: 'f1' })
  })
})

describe('ribscope vips', () => {
  test('a table', async () => {
    const { out, code } = await ribscope('vips')
    expect(code).toBe(0)
    expect(lines(out).map((line) => line.split(/ {2,}/))).toEqual([
      ['VIP', 'STATE', 'SERVICE', 'LINKS', 'ORIGINS', 'OPEN FINDINGS'],
      [VIP, 'degraded', 'shop', '1/2', 'node1(tor1 -tor2)', 'VIP_FLAP'],
    ])
    expect((await ribscope('vips', '--state', 'down')).out).toBe('no VIPs\n')
  })

  test('one, with or without length', async () => {
    for (const prefix of [VIP, '10.10.21.66']) {
      const { out, code } = await ribscope('vips', prefix)
      expect(code).toBe(0)
      expect(out).toMatch(/node1 +tor2 +down +2026-11-21 12:00:30.000Z +1 +peer_down/)
    }
    expect(JSON.parse((await ribscope('vips', VIP, '--json')).out)).toMatchObject({
      prefix: VIP,
      links_up: 1,
    })
  })
})

describe('ribscope rib', () => {
  test('now, at an instant, longest match', async () => {
    const { out, code } = await ribscope('rib')
    expect(code).toBe(0)
    expect(lines(out)).toHaveLength(4)
    expect(lines(out)[1]).toMatch(
      /^10\.0\.0\.0\/24 +tor1 +adj_in_pre +10\.10\.19\.11 +10\.10\.19\.11 +2026-11-21 12:00:30\.000Z +path 65101 65000 origin igp 65000:21$/,
    )
    expect(lines((await ribscope('rib', '10.0.1.9', '--match', 'longest')).out)[1]).toContain(
      '10.0.1.0/24',
    )
    expect((await ribscope('rib', '--at', '2026-11-21T12:00:00Z')).out).toBe('no routes\n')
    expect(
      JSON.parse(
        (await ribscope('rib', '10.0.0.0/8', '--match', 'covered', '--limit', '2', '--json')).out,
      ),
    ).toMatchObject({ items: [{ prefix: '10.0.0.0/24', seq: 10 }, {}], next: expect.any(String) })
  })

  test('by what routes say; times may be relative', async () => {
    const count = async (...flags: string[]): Promise<number> => {
      const { out, err, code } = await ribscope('rib', ...flags)
      expect({ err, code }).toEqual({ err: '', code: 0 })
      return out === 'no routes\n' ? 0 : lines(out).length - 1
    }
    expect(await count('--as-path', '^65101_65000$', '--community', '65000:21')).toBe(3)
    expect(await count('--as-path', '_64999_')).toBe(0)
    expect(await count('--next-hop', '10.10.19.11', '--vrf', 'default')).toBe(3)
    expect(await count('--community', '65000:21,no-export')).toBe(0)
    expect(await count('10.0.1.9', '--match', 'covering')).toBe(1)
    expect(await count('--rd', '65000:1')).toBe(0)
    expect(await count('--origin-node', 'nobody')).toBe(0)
    expect(await count('--at', '-0s')).toBe(3)
  })
})

describe('ribscope diff', () => {
  test('text and JSON of the API; relative times; what is left out', async () => {
    const { out, err, code } = await ribscope(
      'diff',
      '2026-11-21T12:00:00Z',
      '2026-11-21T12:10:00Z',
    )
    expect({ err, code }).toEqual({ err: '', code: 0 })
    expect(lines(out)[0]).toBe('2026-11-21 12:00:00.000Z .. 2026-11-21 12:10:00.000Z')
    expect(lines(out)[1]).toBe('routes    3 added, 0 removed, 0 changed, 0 moved and as before')
    const { out: json } = await ribscope('diff', '2026-11-21T12:00:00Z', 'now', '--json')
    expect(JSON.parse(json)).toMatchObject({
      from: '2026-11-21T12:00:00.000000Z',
      summary: { routes: { added: 3, removed: 0 } },
      next: null,
    })
    const { out: quiet } = await ribscope('diff', '-1s', 'now', '--vip', VIP)
    expect(quiet).toContain('nothing changed')
  })
})

describe('failures are one line', () => {
  test.each([
    [
      ['findings', '--vip', 'nonsense'],
      2,
      'ribscope findings: vip "nonsense": expected a prefix\n',
    ],
    [
      ['findings', '--from', 'noon'],
      2,
      /^ribscope findings: from "noon": expected an RFC 3339 time[^\n]*\n$/,
    ],
    [['findings', 'nope'], 1, /^ribscope findings: http:[^\n]*: no finding "nope"\n$/],
    [['findings', 'a', 'b'], 2, 'ribscope findings: expected at most one ID\n'],
    [['vips', '10.9.9.9'], 1, /^ribscope vips: [^\n]* 10\.9\.9\.9\/32 is no VIP[^\n]*\n$/],
    [['vips', '10.9.9.9.9'], 2, /^ribscope vips: "10\.9\.9\.9\.9" is no prefix\n$/],
    [
      ['vips', '--state', 'sideways'],
      2,
      /^ribscope vips: --state "sideways": expected up, degraded[^\n]*\n$/,
    ],
    [
      ['rib', '--limit', '0'],
      2,
      /^ribscope rib: --limit "0": expected a whole number from 1[^\n]*\n$/,
    ],
    [['rib', '--match', 'longest'], 2, 'ribscope rib: --match goes with a PREFIX\n'],
    [
      ['rib', '10.0.0.0/40'],
      2,
      /^ribscope rib: prefix "10\.0\.0\.0\/40": expected PREFIX\/LENGTH\n$/,
    ],
  ])('%j', async (argv, code, err) => {
    const result = await ribscope(...argv)
    expect(result).toMatchObject({ code, out: '' })
    expect(result.err).toMatch(err)
  })

  test('nobody there, no URL, no API', async () => {
    const gone = await listening()
    const nobody = urlOf(gone)
    await new Promise<void>((resolve) => {
      gone.close(() => resolve())
    })
    expect(await bare('findings', '--api', nobody)).toEqual({
      code: 1,
      out: '',
      err: `ribscope findings: ${nobody}: connection refused; is ribscope up there? see --api\n`,
    })
    expect(await bare('findings', '--api', 'ftp://x')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^ribscope findings: --api "ftp:\/\/x": expected http:[^\n]*\n$/),
    })
    expect(await bare('findings', '--api', 'nonsense')).toMatchObject({ code: 2 })
    const other = await listening()
    const url = urlOf(other)
    expect((await bare('rib', '--api', url)).err).toBe(
      `ribscope rib: ${url}: status 200, which is no answer of ribscope\n`,
    )
    other.close()
  })
})

describe('screen', () => {
  test('colour for people only, and the last column is cut to the terminal', () => {
    const tty = Object.assign(new PassThrough(), { isTTY: true, columns: 20 })
    const screen = screenOf(tty, {})
    expect(screen.red('x')).toBe('\u001b[31mx\u001b[0m')
    expect(screenOf(tty, { NO_COLOR: '1' }).red('x')).toBe('x')
    expect(screenOf(new PassThrough(), {}).red('x')).toBe('x')
    const plain = screenOf(tty, { NO_COLOR: '1' })
    expect(table(plain, ['A', 'B'], [[{ text: 'abcd' }, { text: 'x'.repeat(50) }]])).toBe(
      `A     B\nabcd  ${'x'.repeat(13)}…\n`,
    )
    expect(clean('a\u001b[2Jb\u202ec\nd')).toBe('a\ufffd[2Jb\ufffdc\ufffdd')
  })
})
