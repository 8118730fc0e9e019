import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import {
  addPath,
  announce,
  asPath,
  be,
  family,
  initiation,
  origin,
  peerUp,
  prefix,
  routeMonitoring,
  update,
  withdraw,
} from '../../../../packages/events/src/testing/bytes.ts'
import { runCommand } from '../index.ts'

const FIXTURE = fileURLToPath(
  new URL('../../../../test/fixtures/lab/vip-flap/tor1.bmp', import.meta.url),
)
const folder = mkdtempSync(join(tmpdir(), 'ribscope-decode-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function decode(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const stdout = new PassThrough({ highWaterMark: 1 << 26 })
  const stderr = new PassThrough()
  const { signal } = new AbortController()
  const code = await runCommand(['decode', ...args], { stdout, stderr, env: {}, signal })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

function file(name: string, ...messages: readonly (readonly number[])[]): string {
  const path = join(folder, name)
  writeFileSync(path, Uint8Array.from(messages.flat()))
  return path
}
const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** A pcap (raw IPv4) of TCP connections, each a SYN, its octets in segments of 100, a FIN. */
function pcap(
  connections: readonly { readonly source: number; readonly octets: readonly number[] }[],
): number[] {
  const le = (value: number): number[] => be(value, 4).reverse()
  const packets: number[][] = []
  const packet = (
    source: number,
    sequence: number,
    flags: number,
    payload: readonly number[],
  ): void => {
    const total = 40 + payload.length
    packets.push([
      ...[0x45, 0, ...be(total, 2), 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, source, 10, 0, 0, 254],
      ...[...be(40_000, 2), ...be(11_019, 2), ...be(sequence, 4), ...be(0, 4), 0x50, flags],
      ...[0xff, 0xff, 0, 0, 0, 0],
      ...payload,
    ])
  }
  for (const { source } of connections) packet(source, 999, 2, [])
  for (let at = 0; connections.some(({ octets }) => at < octets.length); at += 100) {
    for (const { source, octets } of connections) {
      if (at < octets.length) packet(source, 1000 + at, 0x10, octets.slice(at, at + 100))
    }
  }
  for (const { source, octets } of connections) packet(source, 1000 + octets.length, 0x11, [])
  return [
    ...[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, ...le(0), ...le(0), ...le(65_535), ...le(101)],
    ...packets.flatMap((octets, i) => [
      ...[...le(1_700_000_000 + i), ...le(5), ...le(octets.length), ...le(octets.length)],
      ...octets,
    ]),
  ]
}

describe('captures', () => {
  const session = (name: string, ...prefixes: string[]): number[] => [
    ...initiation(name),
    ...peerUp({}),
    ...announce({}, ...prefixes),
  ]

  test('the sessions of a capture overlap, their rows do not mix', async () => {
    const path = file(
      'two.pcap',
      pcap([
        { source: 1, octets: session('tor1', '10.1.0.0/16') },
        { source: 2, octets: session('tor2', '10.2.0.0/16', '10.3.0.0/16') },
      ]),
    )
    const { code, out, err } = await decode('--table', 'all', path)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const rows = lines(out)
    const routes = rows.filter((row) => row['table'] === 'route_events')
    expect(routes.map((row) => [row['router'], row['router_addr'], row['prefix']]).sort()).toEqual([
      ['tor1', '10.0.0.1', '10.1.0.0/16'],
      ['tor2', '10.0.0.2', '10.2.0.0/16'],
      ['tor2', '10.0.0.2', '10.3.0.0/16'],
    ])
    for (const row of rows) expect(row['rx_ts']).toMatch(/^2023-11-14 22:13:\d\d\.000005$/)
    expect(rows.filter((row) => row['kind'] === 'bmp_down').map((row) => row['reason'])).toEqual([
      'fin',
      'fin',
    ])
    expect(lines((await decode('--count', path)).out)).toMatchObject([
      { messages: 6, announced: 3 },
    ])
    expect(lines((await decode(path)).out)).toHaveLength(6)
  })

  test('a capture that ends inside a packet; one without BMP', async () => {
    const whole = pcap([{ source: 1, octets: session('tor1', '10.1.0.0/16') }])
    const cut = await decode('--count', file('cut.pcap', whole.slice(0, -10)))
    expect(cut.code).toBe(1)
    expect(lines(cut.out)).toMatchObject([{ messages: 3, announced: 1 }])
    expect(cut.err).toContain('ends inside a packet')
    const none = await decode(
      file('none.pcap', pcap([{ source: 1, octets: [71, 69, 84, 32, 47, 10] }])),
    )
    expect(none).toMatchObject({ code: 1, out: '' })
    expect(none.err).toContain('no BMP in this capture')
  })
})

describe('decode FILE', () => {
  test('a line per message; ADD-PATH as the Peer Up said', async () => {
    const both = { sent: [family(1, 1), addPath(1, 1, 3)] }
    const path = file(
      'a.bmp',
      initiation('tor1'),
      peerUp({}, both),
      routeMonitoring(
        {},
        update({ attributes: origin(), nlri: [...be(9, 4), ...prefix('10.0.0.0/8')] }),
      ),
    )
    const { code, out, err } = await decode(path)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const messages = lines(out)
    expect(messages.map((each) => each['kind'])).toEqual([
      'initiation',
      'peer_up',
      'route_monitoring',
    ])
    expect(out).toContain('"pathId":9')
  })

  test('--count: totals in one object, in this order', async () => {
    const path = file(
      'c.bmp',
      initiation('tor1'),
      peerUp({}),
      announce({}, '10.0.0.0/24', '10.0.1.0/24'),
      withdraw({}, '10.0.0.0/24'),
      routeMonitoring({}, update({})),
    )
    const { code, out } = await decode('--count', path)
    expect(code).toBe(0)
    const [total] = lines(out)
    expect(Object.keys(total!)).toEqual([
      'messages',
      'updates',
      'announced',
      'withdrawn',
      'eor',
      'errors',
      'bytes',
      'seconds',
    ])
    expect(total).toMatchObject({
      messages: 5,
      updates: 2,
      announced: 2,
      withdrawn: 1,
      eor: 1,
      errors: 0,
      bytes: readFileSync(path).length,
    })
  })

  test('--count: lists of families that are not decoded are named, behind the other totals', async () => {
    const unknown = [...be(1, 2), 241, 1, 2, 3]
    const path = file(
      'unknown.bmp',
      initiation('tor1'),
      peerUp({}),
      announce({}, '10.0.0.0/24'),
      routeMonitoring({}, update({ attributes: [0x80, 15, unknown.length, ...unknown] })),
    )
    const [total] = lines((await decode('--count', path)).out)
    expect(Object.keys(total!).at(-1)).toBe('unknown_fields')
    expect(total).toMatchObject({ announced: 1, withdrawn: 1, errors: 0, unknown_fields: 1 })
    const [message] = lines((await decode(path)).out).slice(-1)
    expect(message).toMatchObject({
      update: {
        withdrawn: [{ family: 'afi-1-safi-241', count: null, routes: [{ raw: '010203' }] }],
      },
    })
  })

  test('--rows: routes with the receive times of the .times beside it', async () => {
    const { code, out } = await decode('--rows', FIXTURE)
    expect(code).toBe(0)
    const rows = lines(out)
    const times = readFileSync(FIXTURE.replace(/bmp$/, 'times'), 'utf8')
    const opened = Number(/opened=(\d+)/.exec(times)?.[1])
    const first = Date.parse(`${String(rows[0]!['rx_ts']).slice(0, 19).replace(' ', 'T')}Z`) / 1000
    expect(first - opened).toBeGreaterThanOrEqual(0)
    expect(first - opened).toBeLessThan(60)
    expect(rows[0]).toMatchObject({ router: 'tor1', router_addr: '10.213.133.11' })
    expect(Object.keys(rows[0]!)[0]).toBe('rx_ts')
  })

  test('--table: others too, with the table first', async () => {
    const all = lines((await decode('--table', 'all', FIXTURE)).out)
    expect(new Set(all.map((row) => row['table']))).toEqual(
      new Set(['route_events', 'session_events']),
    )
    expect(Object.keys(all[0]!)[0]).toBe('table')
    const seqs = all.map((row) => Number(row['seq']))
    expect(seqs).toEqual(seqs.map((_, i) => i + 1))
    const one = lines((await decode('--table', 'session_events', FIXTURE)).out)
    expect(new Set(one.map((row) => row['table']))).toEqual(new Set(['session_events']))
  })

  test.each([[[]], [['--rows']], [['--count']]])(
    'the end inside a message: exit 1, what came is printed (%j)',
    async (flags) => {
      const path = file(
        'cut.bmp',
        initiation('tor1'),
        peerUp({}),
        announce({}, '10.0.0.0/24'),
        peerUp({}).slice(0, 50),
      )
      const whole = readFileSync(path).length - 50
      const { code, out, err } = await decode(...flags, path)
      expect(code).toBe(1)
      expect(lines(out).length).toBeGreaterThan(0)
      expect(err).toBe(
        `ribscope decode: ${path}: ends inside the message at octet ${whole}, of which 50 octets are there\n`,
      )
    },
  )

  test.each([[[]], [['--rows']], [['--count']]])(
    'lost framing: exit 1 and the place (%j)',
    async (flags) => {
      const good = [...initiation('tor1'), ...peerUp({}), ...announce({}, '10.0.0.0/24')]
      const path = file('lost.bmp', good, [7, 7, 7, 7, 7, 7, 7])
      const { code, out, err } = await decode(...flags, path)
      expect(code).toBe(1)
      expect(lines(out).length).toBeGreaterThan(0)
      expect(err).toContain(`framing lost at octet ${good.length}: version 7, expected 3 or 4`)
    },
  )

  test('an empty file is no error', async () => {
    expect(await decode(file('empty.bmp'))).toEqual({ code: 0, out: '', err: '' })
  })

  test.each([
    [['nowhere.bmp'], /^ribscope decode: nowhere\.bmp: no such file\n$/],
    [['.'], /^ribscope decode: \.: a folder, expected a file\n$/],
    [[], /expected one FILE, or -/],
    [['a', 'b'], /expected one FILE, or -/],
    [['--rows', '--count', 'x'], /--count goes with neither/],
    [['--table', 'findings', 'x'], /--table "findings": expected route_events, /],
  ])('%j: one line, exit 2', async (args, message) => {
    const { code, err } = await decode(...args)
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })

  test('a reader that is slow holds the decoding up: memory stays bounded', async () => {
    const block = announce(
      {},
      ...Array.from({ length: 500 }, (_, i) => `10.0.${i >> 8}.${i & 255}/32`),
    )
    const path = file(
      'big.bmp',
      initiation('r'),
      peerUp({}),
      ...new Array<number[]>(400).fill(block),
    )
    let waiting = 0
    let most = 0
    const stdout = new Writable({
      highWaterMark: 1 << 16,
      write(chunk: Uint8Array, _encoding, done) {
        most = Math.max(most, (waiting += chunk.length))
        setImmediate(() => {
          waiting -= chunk.length
          done()
        })
      },
    })
    const { signal } = new AbortController()
    const stderr = new PassThrough()
    expect(await runCommand(['decode', '--rows', path], { stdout, stderr, env: {}, signal })).toBe(
      0,
    )
    expect(most).toBeGreaterThan(0)
    // 200,000 rows are 230 MB of text; what one read of 256 KiB makes may wait.
    expect(stdout.writableLength + most).toBeLessThan(64 << 20)
  })
})

describe('--bmp-v4: code points of BMP version 4', () => {
  const peer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
  const attributes = [...origin(), ...asPath(64501)]
  const pdu = update({ attributes, nlri: [...be(7, 4), ...prefix('10.0.0.0/24')] })
  const tlv = (type: number, value: readonly number[]): number[] => [
    ...[...be(type, 2), ...be(value.length, 2), ...be(0, 2)],
    ...value,
  ]
  const v4 = (...tlvs: number[][]): number[] => {
    const head = routeMonitoring(peer, []).slice(0, 48)
    const body = tlvs.flat()
    return [4, ...be(48 + body.length, 4), ...head.slice(5), ...body]
  }
  // Stateless parsing: ADD-PATH for IPv4 unicast, received.
  const path = file('v4.bmp', v4(tlv(100, [69, 4, 0, 1, 1, 1]), tlv(101, pdu)))

  test('a table of one’s own names the TLVs, and the PDU is read as they say', async () => {
    const { code, out } = await decode(path, '--bmp-v4', 'bgp_pdu=101,stateless_parsing=100')
    expect(code).toBe(0)
    expect(lines(out)).toMatchObject([
      { version: 4, tlvs: [{ name: 'stateless_parsing' }], update: { addPathGuessed: false } },
    ])
    const rows = await decode('--rows', path, '--bmp-v4', 'bgp_pdu=101,stateless_parsing=100')
    expect(lines(rows.out)).toMatchObject([{ nlri: '10.0.0.0/24', path_id: 7, decode_errors: [] }])
  })

  test('an unknown one is a usage error', async () => {
    const { code, err } = await decode(path, '--bmp-v4', 'draft-99')
    expect(code).toBe(2)
    expect(err).toContain('--bmp-v4: no BMP version 4 table "draft-99"')
  })

  test.each([[[]], [['--rows']]])('many small packets are few writes (%j)', async (flags) => {
    const prefixes = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`)
    const octets = [
      ...initiation('tor1'),
      ...peerUp({}),
      ...prefixes.flatMap((each) => announce({}, each)),
    ]
    const path = file('packets.pcap', pcap([{ source: 1, octets }]))
    const chunks: Uint8Array[] = []
    const stdout = new Writable({
      write(chunk: Uint8Array, _encoding, done) {
        chunks.push(chunk)
        done()
      },
    })
    const { signal } = new AbortController()
    const stderr = new PassThrough()
    expect(await runCommand(['decode', ...flags, path], { stdout, stderr, env: {}, signal })).toBe(
      0,
    )
    const text = Buffer.concat(chunks)
    expect(lines(text.toString()).length).toBe(flags.length > 0 ? 3000 : 3002)
    expect(chunks.length).toBeLessThan(2 + text.length / 30_000)
  })
})
