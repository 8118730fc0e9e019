/** Streams of OpenBMP messages without Kafka: what becomes a session, what ends one, and what strangers may do. */
import { rowsOfBlocks, type Batch, type Table } from '@ribscope/events'
import { encodeObmpHeader, stampObmpHeader } from '@ribscope/wire'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import {
  announce,
  initiation,
  message as bmp,
  peerUp,
} from '../../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../../packages/events/src/testing/bytes.ts'
import { RawSource, type RawSourceConfig } from './raw-source.ts'

const log = pino({ level: 'silent' })
const NOW_US = 1_800_000_000_000_000
const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const TERMINATION = bmp(5, [0, 1, 0, 2, 0, 0])

interface Stream {
  readonly hash?: number
  readonly ip?: readonly number[]
  readonly timeUs?: number
}

const mapped = (octets: readonly number[]): Uint8Array =>
  Uint8Array.from([...new Array<number>(10).fill(0), 255, 255, ...octets])

/** Behind the binary header. */
function binary(octets: readonly number[], stream: Stream = {}): Uint8Array {
  const { hash = 1, ip = [10, 0, 0, 1], timeUs = NOW_US } = stream
  const routerHash = new Uint8Array(16)
  new DataView(routerHash.buffer).setUint32(0, hash)
  const header = encodeObmpHeader({
    collectorHash: new Uint8Array(16).fill(7),
    adminId: 'other',
    routerHash,
    routerIp: mapped(ip),
    routerGroup: 'group',
  })
  stampObmpHeader(header, 0, octets.length, timeUs)
  return Uint8Array.from([...header, ...octets])
}

/** Behind the text header, as OpenBMP's first collectors wrote it. */
function inText(octets: readonly number[]): Uint8Array {
  const hash = '0cafebabe0cafebabe0cafebabe00001'
  const header = `V: 1.7\nC_HASH_ID: ${hash}\nR_HASH: ${hash}\nR_IP: 10.0.0.9\nL: ${octets.length}\n\n`
  return Buffer.concat([Buffer.from(header), Uint8Array.from(octets)])
}

type Row = Record<string, unknown>

class Bench {
  readonly source: RawSource
  readonly batches: Batch[] = []
  answer: () => Promise<void> = () => Promise.resolve()
  #offset = 0n
  #partition = new AbortController()
  #follows = false

  constructor(config: Partial<RawSourceConfig> = {}) {
    this.source = new RawSource(
      { collector: 'c', ...config },
      {
        log,
        now: () => NOW_US,
        openSink: () => ({
          submit: async (batch) => {
            this.batches.push(batch)
            await this.answer()
          },
        }),
      },
    )
  }

  /** The partition is taken, and given to us again: all before was handled, or some of it is lost. */
  moved(follows: boolean): void {
    this.#partition.abort()
    this.#partition = new AbortController()
    this.#follows = follows
  }

  async take(...values: readonly Uint8Array[]): Promise<void> {
    const first = this.#offset
    this.#offset += BigInt(values.length)
    const messages = values.map((value, i) => ({
      offset: first + BigInt(i),
      key: '',
      value,
      headers: {},
      timestampMs: NOW_US / 1000,
    }))
    const last = this.#offset - 1n
    const group = { topic: 't', partition: 0, first, last, messages, repeated: false }
    await this.source.handle({ ...group, follows: this.#follows }, this.#partition.signal)
    this.#follows = true
  }

  rows(kind?: string): Row[] {
    const rows = this.batches
      .flatMap(({ table, body }) => [...rowsOfBlocks(table as Table, body)])
      .map((row) => JSON.parse(row.json()) as Row)
      .sort((a, b) => Number(a['bmp_session']) - Number(b['bmp_session']) || seq(a) - seq(b))
    return kind === undefined ? rows : rows.filter((row) => row['kind'] === kind)
  }
}

const seq = (row: Row): number => Number(row['seq'])
const nlri = (rows: readonly Row[]): unknown[] =>
  rows.filter(({ table }) => table === 'route_events').map((row) => row['nlri'])
const column = (rows: readonly Row[], name: string): unknown[] => rows.map((row) => row[name])

describe('streams', () => {
  test('binary and text headers, several messages in one, each router its session', async () => {
    const bench = new Bench()
    await bench.take(
      binary([...initiation('tor1'), ...peerUp(A)]),
      inText(initiation('tor9')),
      binary(announce(A, '10.1.0.0/24')),
      inText(peerUp(A)),
      inText(announce(A, '10.9.0.0/24')),
      binary(initiation('tor2'), { hash: 2, ip: [10, 0, 0, 2] }),
    )
    expect(bench.source.refused()).toEqual({})
    expect(column(bench.source.sessions() as unknown as Row[], 'router').sort()).toEqual([
      'tor1',
      'tor2',
      'tor9',
    ])
    const routes = bench.rows().filter(({ table }) => table === 'route_events')
    expect(routes.map((row) => [row['router'], row['router_addr'], row['nlri']])).toEqual([
      ['tor1', '10.0.0.1', '10.1.0.0/24'],
      ['tor9', '10.0.0.9', '10.9.0.0/24'],
    ])
    expect(column(bench.rows('bmp_up'), 'effects')).toMatchObject(
      new Array(3).fill([{ effect: 'stale' }]),
    )
  })

  test('an Initiation behind anything else begins another session, a Termination ends one', async () => {
    const bench = new Bench()
    await bench.take(
      binary(initiation('tor1')),
      binary(initiation('tor1')),
      binary(peerUp(A)),
      binary(initiation('tor1')),
      binary(TERMINATION),
    )
    expect(bench.source.sessions()).toEqual([])
    expect(column(bench.rows('bmp_down'), 'reason')).toEqual(['fin', 'fin'])
    expect(bench.rows('bmp_up').length).toBe(2)
    expect(new Set(column(bench.rows(), 'bmp_session')).size).toBe(2)
  })

  test('begun midway: stale when something may be missing, else what was known stays; the name stays', async () => {
    const bench = new Bench()
    await bench.take(binary(announce(A, '10.1.0.0/24')))
    bench.moved(true)
    await bench.take(binary(announce(A, '10.2.0.0/24')))
    await bench.take(binary(initiation('tor1')), binary(peerUp(A)))
    bench.moved(true)
    await bench.take(binary(announce(A, '10.3.0.0/24')))
    bench.moved(false)
    await bench.take(binary(announce(A, '10.4.0.0/24')))
    await bench.source.turn(Date.now() + 3_600_000)
    const ups = bench.rows('bmp_up')
    expect(column(ups, 'router')).toEqual(['10.0.0.1', '10.0.0.1', 'tor1', 'tor1', 'tor1'])
    expect(ups.map((row) => (row['effects'] as unknown[]).length)).toEqual([1, 0, 1, 0, 1])
    expect(nlri(bench.rows())).toEqual(['10.1.0.0/24', '10.2.0.0/24', '10.3.0.0/24', '10.4.0.0/24'])
    expect(bench.rows('dump_done')).toEqual([])
    // Whoever has the partition goes on with it: nothing went down.
    expect(column(bench.rows('bmp_down'), 'router')).toEqual(['10.0.0.1'])
  })

  test('a name of the inventory for a router that does not say its own', async () => {
    const bench = new Bench({ routerAddresses: new Map([['leaf7', '10.0.0.1']]) })
    await bench.take(
      binary(announce(A, '10.1.0.0/24')),
      binary(announce(A, '::/0'), { hash: 2, ip: [0, 0, 0, 0] }),
    )
    const routers = bench.source.sessions().map(({ router }) => router)
    expect(routers).toEqual(['leaf7', '00000002000000000000000000000000'])
  })

  test('time passes for silent routers, and only as told', async () => {
    const bench = new Bench({ silenceTimeoutMs: 60_000 })
    const timeUs = NOW_US - 86_400_000_000
    await bench.take(
      binary([...initiation('tor1'), ...peerUp(A), ...announce(A, '10.1.0.0/24')], { timeUs }),
    )
    await bench.source.turn(Date.now() + 4_000)
    expect(bench.rows('dump_done')).toEqual([])
    await bench.source.turn(Date.now() + 10_000)
    expect(bench.rows('dump_done').length).toBe(3)
    expect(bench.rows('bmp_down')).toEqual([])
    await bench.source.turn(Date.now() + 61_000)
    expect(bench.rows('bmp_down')).toMatchObject([{ reason: 'silence', router: 'tor1' }])
    expect(bench.source.sessions()).toEqual([])
    const day = new Date((NOW_US - 86_400_000_000) / 1000).toISOString().slice(0, 10)
    for (const row of bench.rows()) expect(String(row['rx_ts']).slice(0, 10)).toBe(day)
  })

  test('a time in the future is not believed: it would hold the clock of the session', async () => {
    const bench = new Bench()
    const timeUs = NOW_US * 2
    await bench.take(binary(initiation('tor1'), { timeUs }), binary(peerUp(A)))
    const now = new Date(NOW_US / 1000).toISOString().slice(0, 19).replace('T', ' ')
    for (const row of bench.rows()) expect(String(row['rx_ts']).slice(0, 19)).toBe(now)
  })
})

describe('strangers', () => {
  test('what is no raw BMP is counted and stops nothing', async () => {
    const bench = new Bench()
    const whole = binary(initiation('tor1'))
    const parsed = binary(initiation('x'))
    parsed[13] = 2
    const long = binary(initiation('x'))
    new DataView(long.buffer).setUint32(8, 0xffffffff)
    const header = binary(initiation('x'))
    new DataView(header.buffer).setUint16(38, 0xffff)
    await bench.take(
      new Uint8Array(0),
      Buffer.from('OBMP'),
      Buffer.from('{"a":1}'),
      Buffer.from('V: 1.7\nL: 99999999999\n\n'),
      Buffer.from(`V: 1.7\n${'x'.repeat(9000)}`),
      whole.subarray(0, 60),
      long,
      header,
      parsed,
      binary([3, 0, 0, 0, 99, 4]),
      binary([]),
      whole,
      binary([...initiation('tor1'), 3, 0]),
    )
    expect(bench.source.refused()).toEqual({
      'no OpenBMP message': 8,
      'no raw BMP': 1,
      'no whole BMP message': 3,
    })
    expect(bench.source.sessions().map(({ router }) => router)).toEqual(['tor1'])
  })

  test(
    'ten thousand routers: sessions stay bounded, the others go on',
    { timeout: 60_000 },
    async () => {
      const bench = new Bench({ maxSessions: 50 })
      await bench.take(binary(initiation('tor1')), binary(peerUp(A)))
      let hash = 2
      for (let group = 0; group < 10; group++) {
        const values = Array.from({ length: 1000 }, () =>
          binary(initiation(`x${hash}`), { hash: hash++ }),
        )
        await bench.take(...values)
        expect(bench.source.sessions().length).toBe(50)
        bench.batches.length = 0
      }
      expect(bench.source.refused()).toEqual({ 'more routers than sessions': 10_001 - 50 })
      await bench.take(binary(announce(A, '10.1.0.0/24')))
      expect(bench.rows('bmp_up')).toMatchObject([{ router: '10.0.0.1' }])
      expect(nlri(bench.rows())).toEqual(['10.1.0.0/24'])
    },
  )
})

describe('the consumer', () => {
  test('a group is done when its rows are confirmed; what is refused is thrown', async () => {
    const bench = new Bench()
    let confirm: () => void = () => undefined
    bench.answer = () =>
      new Promise((resolve) => {
        confirm = resolve
      })
    let done = false
    const taken = bench.take(binary(initiation('tor1'))).then(() => {
      done = true
    })
    await Promise.resolve()
    expect([bench.batches.length, done]).toEqual([1, false])
    confirm()
    await taken
    bench.answer = () => Promise.reject(new Error('refused'))
    await expect(bench.take(binary(peerUp(A)))).rejects.toThrow('refused')
  })

  test('a turn meanwhile takes no confirmation away from a group', async () => {
    const bench = new Bench({ maxTotalOctets: 20_000, maxBlockRows: 10 })
    const waiting: (() => void)[] = []
    bench.answer = () => new Promise((resolve) => waiting.push(resolve))
    const many = Array.from({ length: 200 }, (_, i) => binary(announce(A, `10.1.${i}.0/24`)))
    let done = false
    const taken = bench.take(...many).then(() => {
      done = true
    })
    await Promise.resolve()
    expect(bench.source.sessions()[0]?.messages).toBeLessThan(200)
    const first = waiting.shift()!
    const turned = bench.source.turn(Date.now())
    while ((bench.source.sessions()[0]?.messages ?? 0) < 200 || waiting.length > 0) {
      for (const each of waiting.splice(0)) each()
      await new Promise(setImmediate)
    }
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
    expect(done).toBe(false)
    first()
    await Promise.all([taken, turned])
  })

  test('more rows than may wait: no more messages are read', async () => {
    const bench = new Bench({ maxTotalOctets: 4_000, maxBlockRows: 10 })
    const waiting: (() => void)[] = []
    bench.answer = () => new Promise((resolve) => waiting.push(resolve))
    const many = Array.from({ length: 200 }, (_, i) => binary(announce(A, `10.1.${i}.0/24`)))
    const taken = bench.take(...many)
    await Promise.resolve()
    const before = bench.source.sessions()[0]?.messages ?? 0
    expect(before).toBeGreaterThan(5)
    expect(before).toBeLessThan(100)
    let done = false
    void taken.then(() => {
      done = true
    })
    while (!done) {
      for (const each of waiting.splice(0)) each()
      await new Promise(setImmediate)
    }
    expect(nlri(bench.rows()).length).toBe(200)
  })
})
