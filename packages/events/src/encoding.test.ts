/** The parts that rows are made of, against slow and obvious definitions. */
import fc from 'fast-check'
import { formatIPv6 } from '@ribscope/wire'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from './byte-writer.ts'
import { Deadlines } from './deadlines.ts'
import { formatIp, parseIp } from './ip.ts'
import { JsonBuffer } from './json-buffer.ts'
import {
  announce,
  asPath,
  attribute,
  be,
  nextHop,
  origin,
  peerUp,
  prefix,
  routeMonitoring,
  update,
} from './testing/bytes.ts'
import type { HandPeer } from './testing/bytes.ts'
import { TestSession } from './testing/session.ts'
import { cleanText } from './text.ts'
import { formatDateTime64, formatUnixSeconds, parseUnixSeconds } from './time.ts'

const written = (write: (to: JsonBuffer) => void): string => {
  const buffer = new JsonBuffer(4096)
  write(buffer)
  return Buffer.from(buffer.bytes.subarray(0, buffer.length)).toString('latin1')
}

describe('JsonBuffer', () => {
  test('numbers', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
        const lo = Number(BigInt.asIntN(32, value))
        const hi = Number(BigInt.asIntN(32, value >> 32n))
        expect(written((to) => to.u64(lo, hi))).toBe(value.toString())
        expect(written((to) => to.u32(lo))).toBe(String(lo >>> 0))
        const safe = Number(value >> 11n)
        expect(written((to) => to.integer(safe))).toBe(String(safe))
      }),
      { numRuns: 2000, examples: [[0n], [10_000n], [2n ** 32n], [2n ** 64n - 1n]] },
    )
  })

  test('addresses as wire has them', () => {
    const group = fc.oneof(
      fc.constant([0, 0]),
      fc.constant([255, 255]),
      fc.tuple(fc.nat(255), fc.nat(255)),
    )
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const octets = Uint8Array.from(groups.flat())
        expect(written((to) => to.ipv6(octets, 0))).toBe(formatIPv6(octets, 0))
        expect(parseIp(formatIPv6(octets, 0))).toEqual(octets)
      }),
      { numRuns: 2000 },
    )
  })

  test('any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const buffer = new JsonBuffer(1)
        buffer.text(text)
        const json = new TextDecoder().decode(buffer.bytes.subarray(0, buffer.length))
        expect(JSON.parse(json)).toBe(text)
      }),
    )
  })
})

test('ByteWriter grows and keeps what was written', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 300 }), { maxLength: 40 }), (texts) => {
      const out = new ByteWriter(1)
      for (const text of texts) out.text(text)
      const bytes = Buffer.from(out.take())
      const read: string[] = []
      for (let at = 0; at < bytes.length;) {
        let length = 0
        for (let shift = 0; ; shift += 7) {
          const octet = bytes[at++]!
          length |= (octet & 127) << shift
          if (octet < 128) break
        }
        read.push(bytes.toString('utf8', at, (at += length)))
      }
      expect(read).toEqual(texts.map((text) => text.toWellFormed()))
    }),
  )
})

describe('time', () => {
  test('microseconds survive text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_294_967_295_999_999 }), (us) => {
        expect(parseUnixSeconds(formatUnixSeconds(us))).toBe(us)
        const text = formatDateTime64(us)
        expect(Date.parse(`${text.slice(0, 23).replace(' ', 'T')}Z`)).toBe(Math.floor(us / 1000))
        expect(text).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/)
      }),
    )
  })

  test.each(['', '-1', '1e9', ' 1', '1.', '1.2.3', '12345678901', 'NaN'])(
    '%j is no time',
    (text) => {
      expect(parseUnixSeconds(text)).toBeUndefined()
    },
  )
})

describe('addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '::'],
    ['2001:DB8::A', '2001:db8::a'],
  ])('%s', (given, shown) => {
    expect(formatIp(parseIp(given)!)).toBe(shown)
  })

  test.each([
    '',
    '1.2.3',
    '256.1.1.1',
    '01.2.3.4',
    '1:2',
    ':::',
    '1::2::3',
    'fe80::g',
    '1:2:3:4:5:6:7:8:9',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })
})

test('cleanText cuts between characters', () => {
  expect(cleanText('äöü', 5)).toBe('äö')
  expect(cleanText('a\u0000b\u001bc\u007fd\u0085e\u2028f\u202eg', 100)).toBe('abcdefg')
  expect(cleanText('😀😀', 7)).toBe('😀')
})

test('Deadlines gives back in order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(20))), (entries) => {
      const heap = new Deadlines<{ rank: number }>()
      for (const [us, rank] of entries) heap.add(us, { rank })
      const out: [number, number][] = []
      for (let next = heap.take(); next !== undefined; next = heap.take()) {
        out.push([next.us, next.item.rank])
      }
      expect(out).toEqual(entries.sort((a, b) => a[0] - b[0] || a[1] - b[1]))
      expect(heap.nextUs).toBe(Infinity)
    }),
  )
})

describe('hashes', () => {
  const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
  const hop = nextHop('192.0.2.1')
  const communities = (...values: number[]) =>
    attribute(
      0xc0,
      8,
      values.flatMap((v) => be(v, 4)),
    )
  const hashes = (...attributes: readonly number[]): readonly [string, string] => {
    const s = new TestSession().at(
      0,
      peerUp(A),
      routeMonitoring(A, update({ attributes, nlri: prefix('10.0.0.0/24') })),
    )
    const [row] = s.rows('route_events')
    return [String(row!['attr_hash']), String(row!['fwd_hash'])]
  }
  const base = hashes(...origin(), ...asPath(64501), ...hop, ...communities(1, 2))

  test('do not depend on the order of attributes, nor on how lengths are written', () => {
    expect(hashes(...communities(1, 2), ...hop, ...asPath(64501), ...origin())).toEqual(base)
    expect(hashes(...[0x50, 1, 0, 1, 0], ...asPath(64501), ...hop, ...communities(1, 2))).toEqual(
      base,
    )
  })

  test('CLUSTER_LIST does not count', () => {
    const list = attribute(0x80, 10, [1, 2, 3, 4])
    expect(hashes(...origin(), ...asPath(64501), ...hop, ...communities(1, 2), ...list)).toEqual(
      base,
    )
  })

  test('AS numbers of two and four octets are the same', () => {
    const s = new TestSession().at(
      0,
      peerUp(A),
      routeMonitoring(
        { ...A, flags: 0x20 },
        update({
          attributes: [
            ...origin(),
            ...attribute(0x40, 2, [2, 1, ...be(64501, 2)]),
            ...hop,
            ...communities(1, 2),
          ],
          nlri: prefix('10.0.0.0/24'),
        }),
      ),
    )
    expect(s.rows('route_events')).toMatchObject([{ attr_hash: base[0], fwd_hash: base[1] }])
  })

  test('NEXT_HOP and MP_REACH say the same', () => {
    const mp = attribute(0x80, 14, [0, 1, 1, 4, 192, 0, 2, 1, 0, ...prefix('10.0.0.0/24')])
    const s = new TestSession().at(
      0,
      peerUp(A),
      routeMonitoring(
        A,
        update({ attributes: [...mp, ...origin(), ...asPath(64501), ...communities(1, 2)] }),
      ),
    )
    expect(s.rows('route_events')).toMatchObject([{ attr_hash: base[0], fwd_hash: base[1] }])
  })

  test.each([
    ['origin', [...origin(2), ...asPath(64501), ...hop, ...communities(1, 2)]],
    ['communities', [...origin(), ...asPath(64501), ...hop, ...communities(1, 3)]],
    ['order of communities', [...origin(), ...asPath(64501), ...hop, ...communities(2, 1)]],
    [
      'one attribute more',
      [
        ...origin(),
        ...asPath(64501),
        ...hop,
        ...communities(1, 2),
        ...attribute(0x80, 4, be(0, 4)),
      ],
    ],
    [
      'an unknown attribute',
      [...origin(), ...asPath(64501), ...hop, ...communities(1, 2), ...attribute(0xc0, 99, [1])],
    ],
  ])('%s: attributes differ, forwarding does not', (_, attributes) => {
    const [attr, fwd] = hashes(...attributes)
    expect(attr).not.toBe(base[0])
    expect(fwd).toBe(base[1])
  })

  test.each([
    ['AS_PATH', [...origin(), ...asPath(64501, 64501), ...hop, ...communities(1, 2)]],
    ['next hop', [...origin(), ...asPath(64501), ...nextHop('192.0.2.2'), ...communities(1, 2)]],
    ['no next hop', [...origin(), ...asPath(64501), ...communities(1, 2)]],
  ])('%s: both differ', (_, attributes) => {
    const [attr, fwd] = hashes(...attributes)
    expect(attr).not.toBe(base[0])
    expect(fwd).not.toBe(base[1])
  })

  test('are not zero, but for withdrawals', () => {
    expect(base).not.toContain('0')
    const s = new TestSession().at(
      0,
      peerUp(A),
      announce(A, '10.0.0.0/24'),
      routeMonitoring(A, update({ withdrawn: prefix('10.0.0.0/24') })),
    )
    expect(s.rows('route_events')[1]).toMatchObject({ attr_hash: '0', fwd_hash: '0' })
  })

  test('EVPN: labels, ESI and gateway count, the key does not', () => {
    const RD = [0, 0, 0xfd, 0xe8, 0, 0, 0, 1]
    const type5 = (parts: { esi?: number; gw?: number; label?: number; net?: number }) => {
      const value = [
        ...RD,
        ...new Array<number>(9).fill(0),
        ...[parts.esi ?? 0, 0, 0, 0, 0, 24, 10, parts.net ?? 0, 0, 0],
        ...[10, 0, 0, parts.gw ?? 9, ...be(parts.label ?? 100, 3)],
      ]
      const mp = attribute(0x80, 14, [0, 25, 70, 4, 192, 0, 2, 1, 0, 5, value.length, ...value])
      const s = new TestSession().at(
        0,
        peerUp(A),
        routeMonitoring(A, update({ attributes: [...origin(), ...asPath(64501), ...mp] })),
      )
      const [row] = s.rows('route_events')
      return [row!['attr_hash'], row!['fwd_hash']]
    }
    const plain = type5({})
    expect(type5({ net: 7 })).toEqual(plain)
    for (const other of [type5({ esi: 1 }), type5({ gw: 8 }), type5({ label: 101 })]) {
      expect(other[0]).not.toBe(plain[0])
      expect(other[1]).not.toBe(plain[1])
    }
  })

  test('no collision among twenty thousand paths', () => {
    const seen = new Set<string>()
    const s = new TestSession().at(0, peerUp(A))
    for (let i = 0; i < 200; i++) {
      s.at(
        0,
        ...Array.from({ length: 100 }, (_, j) =>
          routeMonitoring(
            A,
            update({
              attributes: [...origin(), ...asPath(64501, i, j), ...hop],
              nlri: prefix('10.0.0.0/24'),
            }),
          ),
        ),
      )
    }
    for (const row of s.rows('route_events')) seen.add(String(row['attr_hash']))
    expect(seen.size).toBe(20_000)
  })
})
