import { describe, expect, test } from 'vitest'
import { BlockPool, NativeSink } from './native-sink.ts'
import { RouterSession } from './session.ts'
import type { Batch } from './sink.ts'
import {
  announce,
  asPath,
  attribute,
  be,
  bgp,
  initiation,
  ip,
  message,
  nextHop,
  origin,
  peerHeader,
  peerUp,
  prefix,
  routeMonitoring,
  update,
} from './testing/bytes.ts'

const OPENED_US = 1_795_328_521_000_000

describe('batches', () => {
  test('say which rows they hold, also of blocks that were used before', () => {
    const batches: Batch[] = []
    const sink = new NativeSink({ pool: new BlockPool(), maxRows: 50 })
    const session = new RouterSession({
      collector: 'c',
      source: '10.0.0.1',
      openedUs: OPENED_US,
      out: sink,
    })
    const push = (...octets: number[]): void => {
      session.push(Uint8Array.from(octets), OPENED_US + 1)
      batches.push(...sink.flush())
    }
    push(...initiation('tor1'), ...peerUp({}))
    for (let i = 0; i < 5; i++) {
      const prefixes = Array.from({ length: 30 }, (_, j) => `10.${i}.${j}.0/24`)
      push(...announce({}, ...prefixes))
    }
    const seqs = batches.flatMap(({ firstSeq, lastSeq, rows }) => {
      expect(lastSeq - firstSeq + 1).toBe(rows)
      return Array.from({ length: rows }, (_, i) => firstSeq + i)
    })
    expect(seqs).toEqual(Array.from({ length: session.rows }, (_, i) => i + 1))
    expect(seqs.length).toBe(153)
  })
})

/** What hostile routers can make of one message, and thus the largest row: DESIGN 4.4 wants batches of 900 KB at most. */
describe('octets of batches', () => {
  const MAX_OCTETS = 900_000
  const MAX_ROW_OCTETS = 400_000

  function batchesOf(peer: object, ...messages: readonly number[][]): Batch[] {
    const batches: Batch[] = []
    const out = new NativeSink({ maxOctets: MAX_OCTETS, onBatch: (batch) => batches.push(batch) })
    const session = new RouterSession({ collector: 'c', source: '10.0.0.1', openedUs: 1, out })
    const all = [initiation('tor1'), peerUp(peer), ...messages]
    for (const octets of all) session.push(Uint8Array.from(octets), OPENED_US)
    batches.push(...out.flush())
    return batches
  }

  const many = (octets: number, unit: readonly number[]): number[] =>
    Array.from({ length: Math.floor(octets / unit.length) }, () => unit).flat()
  const shared = [...origin(), ...nextHop('192.0.2.1')]
  const reach = (afi: number, safi: number, nlri: readonly number[]): number[] =>
    attribute(0x80, 14, [...be(afi, 2), safi, 4, ...ip('192.0.2.1'), 0, ...nlri])
  const set = [1, 255, ...many(510, [0xff, 0xfe])]
  const node = many(60_000, [...be(515, 2), ...be(1, 2), 255])
  const linkState = [2, ...be(1, 8), ...be(256, 2), ...be(node.length, 2), ...node]

  test.each([
    ['sets of AS numbers in two octets', attribute(0x50, 2, many(64_000, set))],
    ['communities', [...asPath(1), ...attribute(0xd0, 8, many(64_000, [255]))]],
    ['an unknown attribute', [...asPath(1), ...attribute(0xd0, 99, many(64_000, [255]))]],
    ['domains', [...asPath(1), ...attribute(0xd0, 36, many(64_000, [1, ...many(7, [255])]))]],
    ['BGP-LS', reach(16388, 71, [...be(1, 2), ...be(linkState.length, 2), ...linkState])],
    ['an unknown family', reach(16000, 99, many(64_000, [255]))],
  ])('the row of %s', (_, attributes) => {
    const peer = { flags: 0x20 }
    const nlri = prefix('10.0.0.0/8')
    const pdu = update({ attributes: [...shared, ...attributes], nlri })
    const batches = batchesOf(peer, routeMonitoring(peer, pdu))
    const routes = batches.filter(({ table }) => table === 'route_log')
    expect(routes.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(0)
    for (const { body } of routes) expect(body.length).toBeLessThan(MAX_ROW_OCTETS)
  })

  test.each([
    ['large ones', many(60_000, [200, 250, ...many(250, [255])])],
    ['empty ones', many(60_000, [70, 0])],
  ])('OPENs of 64 KiB of capabilities, %s', (_, parameters) => {
    const large = bgp(1, [
      ...[4, ...be(64501, 2), ...be(90, 2), ...ip('192.0.2.1')],
      ...[255, 255, ...be(parameters.length + 3, 2), 2, ...be(parameters.length, 2), ...parameters],
    ])
    const addresses = [...be(0, 16), ...be(179, 2), ...be(40_000, 2)]
    const up = message(3, [...peerHeader({}), ...addresses, ...large, ...large])
    const sessions = batchesOf({}, up, up, up, up, up, up)
    expect(sessions.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(6)
    for (const { body } of sessions) expect(body.length).toBeLessThan(MAX_OCTETS)
  })

  test('a message that becomes many megabytes is many batches', () => {
    const attributes = [...shared, ...asPath(1), ...attribute(0xd0, 8, many(40_000, [255]))]
    const nlri = Array.from({ length: 400 }, (_, i) =>
      prefix(`10.${i >> 8}.${i & 255}.0/24`),
    ).flat()
    const batches = batchesOf({}, routeMonitoring({}, update({ attributes, nlri })))
    const routes = batches.filter(({ table }) => table === 'route_log')
    expect(routes.reduce((sum, { rows }) => sum + rows, 0)).toBe(400)
    expect(routes.length).toBeGreaterThan(16)
    for (const { body } of routes) expect(body.length).toBeLessThan(MAX_OCTETS)
  })

  test('a table comes in batches that are nearly as large as they may be', () => {
    const messages = Array.from({ length: 60 }, (_, i) =>
      announce({}, ...Array.from({ length: 500 }, (_, j) => `10.${i}.${j >> 8}.${j & 255}/32`)),
    )
    const routes = batchesOf({}, ...messages).filter(({ table }) => table === 'route_log')
    expect(routes.length).toBeGreaterThan(3)
    for (const { body } of routes.slice(0, -1)) {
      expect(body.length).toBeGreaterThan(MAX_OCTETS / 2)
      expect(body.length).toBeLessThan(MAX_OCTETS)
    }
  })
})
