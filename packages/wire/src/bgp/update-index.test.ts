import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../errors.ts'
import { viewOf } from '../cursor.ts'
import { formatIP, formatPrefix } from '../text/ip.ts'
import { formatAsPath, formatEvpnNlri, formatRd, labelNumber } from '../text/values.ts'
import { update } from '../testing/bytes.ts'
import { PeerCodec } from './peer-codec.ts'
import type { NlriField, NlriSink } from './nlri.ts'
import { walkNlri } from './nlri-walk.ts'
import { UpdateIndex, isEndOfRib } from './update-index.ts'

const ORIGIN = '40 01 01 00'
const AS_PATH = '40 02 06 02 01 0000fbf0'
const NEXT_HOP = '40 03 04 c0000201'

/** Renders routes as text: `+` announce, `-` withdraw. */
class TextSink implements NlriSink {
  readonly routes: string[] = []
  field!: NlriField
  prefix(
    bytes: Uint8Array,
    at: number,
    bits: number,
    pathId: number,
    labelsAt: number,
    labelCount: number,
    rdAt: number,
  ): void {
    const labels = Array.from({ length: labelCount }, (_, i) =>
      labelNumber(bytes, labelsAt + 3 * i),
    )
    const rd = rdAt < 0 ? '' : `${formatRd(bytes, rdAt)}:`
    this.#push(
      `${rd}${formatPrefix(bytes, at, bits, this.field.afi === 2)}${labelCount > 0 ? ` [${labels.join(' ')}]` : ''}`,
      pathId,
    )
  }
  evpn(bytes: Uint8Array, routeType: number, start: number, end: number, pathId: number): void {
    this.#push(formatEvpnNlri(bytes, routeType, start, end), pathId)
  }
  family(): void {
    throw new Error('no such family here')
  }

  opaque(_bytes: Uint8Array, start: number, end: number): void {
    this.#push(`opaque ${end - start}`, 0)
  }
  #push(text: string, pathId: number): void {
    this.routes.push(
      `${this.field.action === 0 ? '+' : '-'}${text}${pathId > 0 ? ` #${pathId}` : ''}`,
    )
  }
}

function read(message: Uint8Array, codec?: PeerCodec) {
  const index = new UpdateIndex()
  index.read(message, viewOf(message), 0, message.length, codec)
  const sink = new TextSink()
  for (let i = 0; i < index.fieldCount; i++) {
    sink.field = index.fields[i]!
    walkNlri(index, sink.field, sink)
  }
  return { index, routes: sink.routes, errors: index.errors }
}

describe('RFC 4271 section 4.3 UPDATE', () => {
  test('withdrawals first, then announcements; attributes by offset', () => {
    const message = update({
      withdrawn: '18 c63364 00',
      attributes: `${ORIGIN} ${AS_PATH} ${NEXT_HOP} 80 04 04 00000064`,
      nlri: '18 cb0071  20 c0000205',
    })
    const { index, routes, errors } = read(message)
    expect(routes).toEqual(['-198.51.100.0/24', '-0.0.0.0/0', '+203.0.113.0/24', '+192.0.2.5/32'])
    expect(errors).toEqual([])
    expect([...index.types.subarray(0, index.typeCount)]).toEqual([1, 2, 3, 4])
    expect(index.view.getUint32(index.at[4]!)).toBe(100)
    expect(index.len[2]).toBe(6)
    const field = index.fields[1]!
    expect(formatIP(index.bytes, field.nextHopGlobalAt, field.nextHopGlobalOctets)).toBe(
      '192.0.2.1',
    )
    expect(isEndOfRib(index)).toBeUndefined()
  })

  test('NLRI with neither NEXT_HOP nor MP_REACH are routes (FRR over IPv6)', () => {
    const { index, routes, errors } = read(
      update({ attributes: `${ORIGIN} ${AS_PATH}`, nlri: '20 0a0a1542' }),
    )
    expect(routes).toEqual(['+10.10.21.66/32'])
    expect(errors).toEqual([])
    expect(index.fields[0]).toMatchObject({ nextHopAt: -1, nextHopLen: 0, nextHopGlobalOctets: 0 })
  })

  test('an index that is used again remembers nothing', () => {
    const index = new UpdateIndex()
    const first = update({
      attributes: `${ORIGIN} ${AS_PATH} ${NEXT_HOP} 40 05 03 000000`,
      nlri: '08 0a',
    })
    index.read(first, viewOf(first), 0, first.length)
    expect(index.errors).toHaveLength(1)
    const second = update({ attributes: 'c0 08 04 fbf00001' })
    index.read(second, viewOf(second), 0, second.length)
    expect(index).toMatchObject({ fieldCount: 0, typeCount: 1, errors: [] })
    expect([1, 2, 3, 5].map((type) => index.at[type])).toEqual([-1, -1, -1, -1])
  })
})

describe('RFC 4724 section 2 End-of-RIB', () => {
  test('an empty UPDATE is that of IPv4 unicast', () => {
    expect(isEndOfRib(read(update({})).index)).toEqual({ afi: 1, safi: 1 })
  })
  test('an empty MP_UNREACH alone is that of its family', () => {
    expect(isEndOfRib(read(update({ attributes: '80 0f 03 0019 46' })).index)).toEqual({
      afi: 25,
      safi: 70,
    })
  })
  test('with anything beside it, it is not', () => {
    expect(
      isEndOfRib(read(update({ attributes: `80 0f 03 0019 46 ${ORIGIN}` })).index),
    ).toBeUndefined()
    expect(
      isEndOfRib(read(update({ attributes: '80 0f 07 0002 01 18 200100' })).index),
    ).toBeUndefined()
  })
})

describe('RFC 7911 path identifiers', () => {
  const family = { afi: 1, safi: 1 }
  const open = (sendReceive: number) => ({
    capabilities: [
      { kind: 'add_path' as const, code: 69 as const, families: [{ ...family, sendReceive }] },
    ],
  })
  const attributes = `${ORIGIN} ${AS_PATH} ${NEXT_HOP}`
  const plain = update({ attributes, nlri: '18 cb0071' })
  const identified = update({ attributes, nlri: '00000007 18 cb0071  ffffffff 20 c0000205' })

  test('section 4: the direction decides', () => {
    const codec = PeerCodec.fromOpens(open(1), open(2))
    expect(codec.addPath(1, 1, 'adj_in_pre')).toBe(true)
    expect(codec.addPath(1, 1, 'adj_out_post')).toBe(false)
    expect(codec.addPath(2, 1, 'adj_in_pre')).toBe(false)
    expect(PeerCodec.fromOpens(open(2), open(2)).addPath(1, 1, 'adj_in_pre')).toBe(false)
    expect(PeerCodec.fromOpens(open(2), open(1)).addPath(1, 1, 'adj_out_pre')).toBe(true)
    expect(PeerCodec.fromOpens(open(2), open(2)).addPath(1, 1, 'loc_rib')).toBe(true)
  })
  test('with session knowledge', () => {
    const { routes, index } = read(identified, PeerCodec.fromOpens(open(3), open(3)))
    expect(routes).toEqual(['+203.0.113.0/24 #7', '+192.0.2.5/32 #4294967295'])
    expect(index.addPathGuessed).toBe(false)
  })
  test('without it only where plain does not fit', () => {
    expect(read(identified)).toMatchObject({
      routes: ['+203.0.113.0/24 #7', '+192.0.2.5/32 #4294967295'],
      index: { addPathGuessed: true },
    })
    expect(read(plain)).toMatchObject({
      routes: ['+203.0.113.0/24'],
      index: { addPathGuessed: false },
    })
  })
  test('where it is wrong, the other form', () => {
    expect(read(plain, PeerCodec.fromOpens(open(3), open(3)))).toMatchObject({
      routes: ['+203.0.113.0/24'],
      index: { addPathGuessed: true },
      errors: [],
    })
  })
  test('capabilities of several Peer Ups add up', () => {
    const codec = PeerCodec.unknown().merge(PeerCodec.fromOpens(open(1), open(2)))
    expect(codec.addPath(1, 1, 'adj_in_post')).toBe(true)
  })
})

describe('any bytes', () => {
  test('are indexed and walked without a throw, errors being DecodeErrors with places inside', () => {
    const index = new UpdateIndex()
    const sink = new TextSink()
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(60),
        fc.nat(60),
        fc.boolean(),
        (noise, withdrawn, attributes, framed) => {
          const message = framed ? update({}) : noise
          const bytes = framed ? Uint8Array.from([...message.subarray(0, 19), ...noise]) : noise
          if (framed && bytes.length > 23) {
            bytes[16] = bytes.length >> 8
            bytes[17] = bytes.length & 255
            bytes[19] = 0
            bytes[20] = withdrawn
            const at = 21 + withdrawn
            if (at + 2 <= bytes.length) {
              bytes[at] = 0
              bytes[at + 1] = attributes
            }
          }
          index.read(bytes, viewOf(bytes), 0, bytes.length)
          for (let i = 0; i < index.fieldCount; i++) {
            sink.field = index.fields[i]!
            walkNlri(index, sink.field, sink)
          }
          sink.routes.length = 0
          isEndOfRib(index)
          for (const error of index.errors) {
            expect(error).toBeInstanceOf(DecodeError)
            expect(error.offset).toBeGreaterThanOrEqual(0)
            expect(error.offset + error.length).toBeLessThanOrEqual(bytes.length)
          }
          const at = index.at[2]!
          if (at >= 0) formatAsPath(bytes, at, index.len[2]!, index.asOctets)
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('NLRI text', () => {
  test('RFC 8277 and RFC 4364: labels and route distinguishers', () => {
    const { routes, errors } = read(
      update({
        attributes: `${ORIGIN} ${AS_PATH}
          80 0e 30 0001 80 0c 0000000000000000 c0000201 00
             70 186a01 0000 fde8 00000064 0a0a14           ; label 100000, RD 65000:100, 10.10.20.0/24
             78 000640 000651 0000 fde8 00000064 0a`,
      }),
    )
    expect(errors).toEqual([])
    expect(routes).toEqual(['+65000:100:10.10.20.0/24 [100000]', '+65000:100:10.0.0.0/8 [100 101]'])
  })
})
