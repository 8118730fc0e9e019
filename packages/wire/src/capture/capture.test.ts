import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../errors.ts'
import { bmp, hex, rejection, update } from '../testing/bytes.ts'
import {
  ACK,
  be32,
  ethernet,
  FIN,
  ipv4,
  ipv6,
  pcap,
  pcapng,
  RST,
  SYN,
  tcp,
  type TestPacket,
  type TestSegment,
} from '../testing/packets.ts'
import { CaptureReader, readCapture, type StreamEnd } from './capture.ts'
import { Fragments } from './fragments.ts'
import { couldBeBmp, detectInput, findBmpStart } from './detect.ts'

const INITIATION = bmp(4, hex('0002 0004 746f7231'))
const PEER =
  '00 00 0000000000000000 000000000000000000000000c0000202 0000fbf0 c0000203 6553f100 00000000'
const ROUTES = bmp(0, Uint8Array.from([...hex(PEER), ...update({ withdrawn: '08 0a' })]))
const STREAM = Uint8Array.from([...INITIATION, ...ROUTES, ...ROUTES, ...bmp(5, new Uint8Array(0))])

const START = 1000

/** SYN, the stream in pieces, FIN. */
function session(
  payload = STREAM,
  pieces: readonly number[] = [10, 60, 1000],
  base = START,
): TestSegment[] {
  const segments: TestSegment[] = [{ sequence: base, flags: SYN }]
  let at = 0
  for (const size of pieces) {
    const part = payload.slice(at, at + size)
    if (part.length === 0) break
    segments.push({ sequence: base + 1 + at, payload: part })
    at += part.length
  }
  segments.push({ sequence: base + 1 + at, flags: FIN | ACK })
  return segments
}

const packets = (segments: readonly TestSegment[]): TestPacket[] =>
  segments.map((segment, i) => ({ bytes: ethernet(ipv4(tcp(segment))), microseconds: i * 1000 }))

function joined(chunks: readonly { readonly bytes: Uint8Array }[]): number[] {
  return chunks.flatMap(({ bytes }) => [...bytes])
}

function onlyStream(file: Uint8Array) {
  const { streams } = readCapture(file)
  expect(streams).toHaveLength(1)
  return streams[0]!
}

function expectWhole(file: Uint8Array, end: StreamEnd = 'fin') {
  const stream = onlyStream(file)
  expect(joined(stream.chunks)).toEqual([...STREAM])
  expect(stream.end).toBe(end)
  return stream
}

describe('capture files', () => {
  test.each([
    ['little-endian', { little: true }],
    ['big-endian', { little: false }],
    ['nanoseconds', { nanoseconds: true }],
    ['nanoseconds, big-endian', { nanoseconds: true, little: false }],
    ['the modified form', { modified: true }],
  ])('pcap, %s', (_, options) => {
    const stream = expectWhole(pcap(packets(session()), options))
    expect(stream).toMatchObject({
      id: 0,
      source: '192.0.2.1',
      sourcePort: 40000,
      destination: '192.0.2.2',
      destinationPort: 5000,
      openedUs: 1700000000e6,
      skippedOctets: 0,
    })
    expect(stream.chunks.map(({ timeUs }) => timeUs - 1700000000e6)).toEqual([1000, 2000, 3000])
  })

  test.each([
    ['Enhanced Packet blocks', {}],
    ['big-endian', { little: false }],
    ['nanoseconds', { resolution: 9 }],
    ['obsolete Packet blocks', { block: 2 }],
  ])('pcapng, %s', (_, options) => {
    const stream = expectWhole(pcapng(packets(session()), options))
    expect(stream.chunks.map(({ timeUs }) => timeUs - 1700000000e6)).toEqual([1000, 2000, 3000])
  })
  test('pcapng, time in powers of two', () => {
    const { chunks } = expectWhole(pcapng(packets(session()), { resolution: 0x8a }))
    expect(chunks[0]!.timeUs).toBe(1700000000e6 + Math.floor(1e6 / 1024))
  })
  test('pcapng, Simple Packet blocks have no time', () => {
    expect(expectWhole(pcapng(packets(session()), { block: 3 })).openedUs).toBe(0)
  })
  test('pcapng, several sections of different byte order', () => {
    const [first, ...rest] = packets(session())
    expectWhole(Uint8Array.from([...pcapng([first!]), ...pcapng(rest, { little: false })]))
  })

  test('in pieces of any size', () => {
    for (const file of [pcap(packets(session())), pcapng(packets(session()))]) {
      for (const size of [1, 7, 100]) {
        const got: number[] = []
        const reader = new CaptureReader({ onData: (_stream, bytes) => got.push(...bytes) })
        for (let at = 0; at < file.length; at += size) reader.push(file.subarray(at, at + size))
        expect(reader.end()).toBe(0)
        expect(got).toEqual([...STREAM])
      }
    }
  })

  test('a file that ends inside a record', () => {
    const file = pcap(packets(session()))
    const reader = new CaptureReader({ onData: () => undefined })
    reader.push(file.subarray(0, file.length - 3))
    expect(reader.end()).toBe(16 + 54 - 3)
  })

  test.each([
    ['no capture', hex('03 00000006 05'), 0],
    [
      'a pcapng block of 8 octets',
      Uint8Array.from([...pcapng([]), ...hex('06000000 08000000 00000000')]),
      68,
    ],
    [
      'a pcap record of 4 GB',
      Uint8Array.from([...pcap([]), ...hex('00000000 00000000 ffffffff ffffffff')]),
      24,
    ],
  ])('%s', (_, file, offset) => {
    expect(rejection(() => readCapture(file))).toMatchObject({ code: 'FRAMING', offset })
  })
})

describe('layers', () => {
  const each = (wrap: (ip: readonly number[]) => readonly number[]): TestPacket[] =>
    session().map((segment) => ({ bytes: wrap(ipv4(tcp(segment))) }))

  test.each([
    ['Ethernet with a VLAN tag', 1, (ip: readonly number[]) => ethernet(ip, [0x8100])],
    ['Ethernet with two', 1, (ip: readonly number[]) => ethernet(ip, [0x88a8, 0x8100])],
    [
      'Linux cooked',
      113,
      (ip: readonly number[]) => [...Array<number>(14).fill(0), 0x08, 0, ...ip],
    ],
    [
      'Linux cooked 2',
      276,
      (ip: readonly number[]) => [0x08, 0, ...Array<number>(18).fill(0), ...ip],
    ],
    ['loopback, host order', 0, (ip: readonly number[]) => [2, 0, 0, 0, ...ip]],
    ['loopback, network order', 108, (ip: readonly number[]) => [0, 0, 0, 2, ...ip]],
    ['raw IP', 101, (ip: readonly number[]) => ip],
    ['raw IPv4', 228, (ip: readonly number[]) => ip],
    ['raw IP, old number', 12, (ip: readonly number[]) => ip],
  ])('%s', (_, linkType, wrap) => {
    expectWhole(pcap(each(wrap), { linkType }))
  })

  test('IPv6, with extension headers', () => {
    const plain = session().map((segment) => ({ bytes: ethernet(ipv6(tcp(segment))) }))
    expect(expectWhole(pcap(plain))).toMatchObject({
      source: '2001:db8::1',
      destination: '2001:db8::2',
    })
    // Hop-by-hop of 8 octets, then destination options of 16, then TCP.
    const options = [60, 0, 0, 0, 0, 0, 0, 0, 6, 1, ...Array<number>(14).fill(0)]
    const extended = session().map((segment) => ({
      bytes: ethernet(ipv6([...options, ...tcp(segment)], 0)),
    }))
    expectWhole(pcap(extended))
    // A fragment header on a packet that is whole (RFC 6946).
    const atomic = session().map((segment) => ({
      bytes: ethernet(ipv6([6, 0, 0, 0, 0, 0, 0, 1, ...tcp(segment)], 44)),
    }))
    expectWhole(pcap(atomic))
  })
  test('TCP options, padding of short frames, a total length of 0 (offload)', () => {
    const options = [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0]
    expectWhole(
      pcap(session().map((segment) => ({ bytes: ethernet(ipv4(tcp({ ...segment, options }))) }))),
    )
    expectWhole(pcap(each((ip) => [...ethernet(ip), 0, 0, 0, 0, 0, 0])))
    expectWhole(
      pcap(session().map((segment) => ({ bytes: ethernet(ipv4(tcp(segment), { total: 0 })) }))),
    )
  })
  test('MPLS labels, PPPoE', () => {
    const behind = (...octets: number[]) =>
      each((ip) => [...Array<number>(12).fill(0), ...octets, ...ip])
    expectWhole(pcap(behind(0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64)))
    expectWhole(pcap(behind(0x81, 0, 0, 9, 0x88, 0x64, 0x11, 0, 0, 1, 0, 0, 0, 0x21)))
  })
  test('PPP, Cisco HDLC', () => {
    expectWhole(
      pcap(
        each((ip) => [0xff, 3, 0, 0x21, ...ip]),
        { linkType: 9 },
      ),
    )
    expectWhole(
      pcap(
        each((ip) => [0x0f, 0, 0x08, 0, ...ip]),
        { linkType: 104 },
      ),
    )
  })
  test('other protocols and broken headers are counted, not followed', () => {
    const odd: TestPacket[] = [
      { bytes: ethernet(ipv4(tcp({ sequence: 1, payload: STREAM }), { protocol: 17 })) },
      { bytes: ethernet(ipv4([1, 2, 3])) },
      { bytes: ethernet([0x45, 0]) },
      { bytes: [1, 2, 3] },
    ]
    const { streams, counts } = readCapture(pcap([...odd, ...packets(session())]))
    expect(streams).toHaveLength(1)
    expect(counts).toMatchObject({ packets: 9, segments: 5, fragments: 0, broken: 2 })
  })
})

describe('IP fragments', () => {
  /** Fragments of `octets` each, RFC 791 section 3.2. */
  const cut4 = (segment: TestSegment, octets: number, id: number): TestPacket[] => {
    const payload = tcp(segment)
    return Array.from({ length: Math.ceil(payload.length / octets) }, (_, i) => {
      const part = payload.slice(i * octets, (i + 1) * octets)
      const more = (i + 1) * octets < payload.length ? 0x2000 : 0
      const ip = [...ipv4(part, { fragment: more | ((i * octets) >> 3) })]
      ip[4] = id >> 8
      ip[5] = id & 255
      return { bytes: ethernet(ip) }
    })
  }
  /** RFC 8200 section 4.5, behind destination options that are cut too. */
  const cut6 = (segment: TestSegment, octets: number, id: number): TestPacket[] => {
    const payload = [6, 0, 1, 4, 0, 0, 0, 0, ...tcp(segment)]
    return Array.from({ length: Math.ceil(payload.length / octets) }, (_, i) => {
      const part = payload.slice(i * octets, (i + 1) * octets)
      const place = (i * octets) | ((i + 1) * octets < payload.length ? 1 : 0)
      const header = [60, 0, place >> 8, place & 255, 0, 0, id >> 8, id & 255]
      return { bytes: ethernet(ipv6([...header, ...part], 44)) }
    })
  }

  test.each([
    ['IPv4', cut4],
    ['IPv6', cut6],
  ])('%s: in any order, repeated, of segments that take turns', (_, cut) => {
    const parts = session().map((segment, i) => cut(segment, 24, 1000 + i))
    const all = parts.flat()
    expectWhole(pcap(all))
    expectWhole(pcap(parts.flatMap((part) => part.toReversed())))
    const mixed = [...parts[0]!]
    for (let i = 0; i < 20; i++) {
      for (const part of parts.slice(1)) if (part[i] !== undefined) mixed.push(part[i]!, part[i]!)
    }
    expectWhole(pcap(mixed))
    const cutUp = parts.filter((part) => part.length > 1).flat().length
    expect(readCapture(pcap(all)).counts).toMatchObject({ fragments: cutUp, broken: 0 })
  })
  test('fragments that overlap make their datagram worthless (RFC 5722)', () => {
    const [syn, data] = session(STREAM, [STREAM.length])
    const good = cut4(data!, 24, 7)
    const forged = cut4({ ...data!, payload: new Uint8Array(STREAM.length).fill(9) }, 32, 7)
    for (const order of [
      [good[0]!, forged[1]!, ...good.slice(1)],
      [forged[1]!, ...good],
    ]) {
      const { streams } = readCapture(pcap([...packets([syn!]), ...order]))
      expect(streams).toEqual([])
    }
  })
  test('one that is missing, one that a snap length cut, one that came a minute late', () => {
    const [syn, data] = session(STREAM, [STREAM.length])
    const parts = cut4(data!, 24, 7)
    const late = { ...parts.at(-1)!, seconds: 1700000061 }
    for (const order of [
      parts.slice(0, -1),
      parts.map((part, i) => (i === 1 ? { ...part, snap: 50 } : part)),
      [...parts.slice(0, -1), late],
    ]) {
      expect(readCapture(pcap([...packets([syn!]), ...order])).streams).toEqual([])
    }
  })
  test('memory is bounded', () => {
    const fragments = new Fragments()
    const bytes = new Uint8Array(60000)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 3000; i++) fragments.add(`a ${i}`, 0, true, bytes, i)
    // Of 180 MB; what is collected when is not ours to say.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(120 << 20)
    // The newest are still there.
    expect(fragments.add('a 2999', 60000, false, new Uint8Array(8), 3000)).toHaveLength(60008)
    expect(fragments.add('a 0', 60000, false, new Uint8Array(8), 3000)).toBeUndefined()
  })
  test('a datagram is never longer than one can be, and has one end', () => {
    const fragments = new Fragments()
    const eight = new Uint8Array(8)
    expect(fragments.add('a', 65528, false, new Uint8Array(16), 0)).toBeUndefined()
    expect(fragments.add('b', 8, false, eight, 0)).toBeUndefined()
    expect(fragments.add('b', 16, true, eight, 0)).toBeUndefined()
    expect(fragments.add('b', 0, true, eight, 0)).toBeUndefined()
    expect(fragments.add('c', 16, true, eight, 0)).toBeUndefined()
    expect(fragments.add('c', 8, false, eight, 0)).toBeUndefined()
    expect(fragments.add('c', 0, true, eight, 0)).toBeUndefined()
  })
})

describe('real captures (test/fixtures/captures)', () => {
  const sent = ['tor1.bmp', 'tor2.bmp'].map((name) =>
    readFileSync(new URL(`../../../../test/fixtures/lab/bmp-configured/${name}`, import.meta.url)),
  )
  test.each([
    ['frag.pcap', 1],
    ['sll1.pcap', 1],
    ['sll2.pcap', 1],
    ['merged.pcapng', 3],
    ['v6-shuffled.pcap', 1],
  ])('%s: what was sent comes out', (name, times) => {
    const url = new URL(`../../../../test/fixtures/captures/${name}.gz`, import.meta.url)
    const { streams } = readCapture(gunzipSync(readFileSync(url)))
    const got = streams.map(({ chunks, end }) => [Buffer.concat(chunks.map((c) => c.bytes)), end])
    expect(got).toHaveLength(2 * times)
    for (const octets of sent) {
      const same = got.filter(([bytes, end]) => end === 'fin' && octets.equals(bytes as Buffer))
      expect(same).toHaveLength(times)
    }
  })
})

describe('RFC 9293: streams', () => {
  test('any pieces in any order, with repeats and overlaps, near the wrap of sequence numbers', () => {
    const piece = fc.record({
      at: fc.nat(STREAM.length - 1),
      size: fc.integer({ min: 1, max: 60 }),
    })
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.constantFrom(START, 0xffffffff, 0xfffffff0, 0x7fffffff),
        fc.infiniteStream(fc.nat(1000)),
        (extra, base, order) => {
          // Every octet at least once, and more.
          const cover = Array.from({ length: Math.ceil(STREAM.length / 25) }, (_, i) => ({
            at: i * 25,
            size: 25,
          }))
          const shuffled = [...cover, ...extra]
            .map((p) => ({ ...p, rank: order.next().value as number }))
            .toSorted((a, b) => a.rank - b.rank)
          const segments: TestSegment[] = [
            { sequence: base, flags: SYN },
            ...shuffled.map(({ at, size }) => ({
              sequence: base + 1 + at,
              payload: STREAM.slice(at, at + size),
            })),
            { sequence: base + 1 + STREAM.length, flags: FIN },
          ]
          expectWhole(pcap(packets(segments)))
        },
      ),
      { numRuns: 150 },
    )
  })

  test('a late octet is received when the one before it is', () => {
    const [syn, a, b, c, fin] = session()
    const stream = expectWhole(pcap(packets([syn!, a!, c!, b!, fin!])))
    expect(stream.chunks.map(({ timeUs }) => timeUs - 1700000000e6)).toEqual([1000, 3000, 3000])
  })
  test('a hole ends the stream as a gap; what comes behind it is another one, from its first message', () => {
    const [syn, a, , c, fin] = session(STREAM, [INITIATION.length + 5, 50, 1000])
    const { streams } = readCapture(pcap(packets([syn!, a!, c!, fin!])))
    const rest = STREAM.slice(INITIATION.length + ROUTES.length)
    expect(
      streams.map(({ chunks, end, skippedOctets }) => [joined(chunks), end, skippedOctets]),
    ).toEqual([
      [[...STREAM.slice(0, INITIATION.length + 5)], 'gap', 0],
      [[...rest], 'fin', ROUTES.length - 55],
    ])
    // What is behind the hole was received when it came.
    expect(streams[1]!.openedUs).toBe(1700000000e6 + 2000)
  })
  test('octets that the other side acknowledged won’t come: the stream goes on after a second', () => {
    const data = Array.from({ length: 40 }, () => [...ROUTES]).flat()
    const segments = session(Uint8Array.from([...STREAM, ...data]), Array<number>(60).fill(70))
    segments.splice(2, 1)
    const ends: [StreamEnd, number][] = []
    const opens: number[] = []
    const reader = new CaptureReader({
      onData: () => undefined,
      onOpen: () => opens.push(reader.counts.packets),
      onEnd: (_stream, how) => ends.push([how, reader.counts.packets]),
    })
    const acknowledged = (sequence: number): TestPacket['bytes'] => {
      const ack = [...tcp({ sequence: 1, sourcePort: 5000, destinationPort: 40000 })]
      ack.splice(8, 4, ...be32(sequence))
      const ip = [...ipv4(ack)]
      ip.splice(12, 8, 192, 0, 2, 2, 192, 0, 2, 1)
      return ethernet(ip)
    }
    const list = segments.slice(0, -1).flatMap((segment, i) => [
      { bytes: ethernet(ipv4(tcp(segment))), microseconds: i * 100_000 },
      {
        bytes: acknowledged(segment.sequence + (segment.payload?.length ?? 1)),
        microseconds: i * 100_000 + 1,
      },
    ])
    reader.push(
      pcap(
        list.map((p) => ({
          ...p,
          seconds: 1700000000 + Math.floor(p.microseconds / 1e6),
          microseconds: p.microseconds % 1e6,
        })),
      ),
    )
    // Long before the file is at its end.
    expect(ends).toEqual([['gap', expect.any(Number)]])
    expect(ends[0]![1]).toBeLessThan(35)
    expect(opens).toHaveLength(2)
    reader.end()
    expect(ends.map(([how]) => how)).toEqual(['gap', 'capture'])
  })
  test('keepalives, with and without an octet, and data with the SYN', () => {
    const [syn, a, b, c, fin] = session()
    const keepalive = (next: number, octets: number): TestSegment => ({
      sequence: next - 1,
      payload: new Uint8Array(octets).fill(0xee),
    })
    const list = [
      { ...syn!, payload: a!.payload! },
      keepalive(b!.sequence, 1),
      b!,
      keepalive(c!.sequence, 0),
      keepalive(c!.sequence, 1),
      c!,
      keepalive(fin!.sequence, 1),
      fin!,
    ]
    expectWhole(pcap(packets(list)))
  })
  test('a snap length that cuts a payload is a gap', () => {
    const list = packets(session()).map((packet, i) => (i === 2 ? { ...packet, snap: 80 } : packet))
    expect(onlyStream(pcap(list))).toMatchObject({ end: 'gap' })
  })
  test('RST, and a capture that ends first', () => {
    const segments = session().slice(0, -1)
    const at = START + 1 + STREAM.length
    expectWhole(pcap(packets([...segments, { sequence: at, flags: RST }])), 'rst')
    expectWhole(pcap(packets(segments)), 'capture')
  })
  test('the same ports again are another stream; a repeated SYN is not', () => {
    const twice = [session()[0]!, ...session(), ...session(STREAM, [500], 900000)]
    const { streams } = readCapture(pcap(packets(twice)))
    expect(streams.map(({ id, end, chunks }) => [id, end, joined(chunks).length])).toEqual([
      [0, 'fin', STREAM.length],
      [1, 'fin', STREAM.length],
    ])
  })
  test('a SYN on ports that are in use ends what was there', () => {
    const segments = [...session().slice(0, 3), ...session(STREAM, [500], 900000)]
    expect(readCapture(pcap(packets(segments))).streams.map(({ end }) => end)).toEqual([
      'rst',
      'fin',
    ])
  })
  test('several at once, by address and port; other protocols are counted', () => {
    const on = (sourcePort: number, payload: Uint8Array<ArrayBuffer>): TestSegment[] =>
      session(payload).map((segment) => ({ ...segment, sourcePort }))
    const a = on(1, STREAM)
    const b = on(2, STREAM)
    const http = on(3, new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'))
    const mixed = a.flatMap((segment, i) =>
      [segment, b[i]!, http[i]].filter((s) => s !== undefined),
    )
    const { streams, counts } = readCapture(pcap(packets(mixed)))
    expect(streams.map(({ sourcePort, chunks }) => [sourcePort, joined(chunks).length])).toEqual([
      [1, STREAM.length],
      [2, STREAM.length],
    ])
    expect(counts.otherStreams).toBe(1)
  })
  test('a session under way: from the first message that can be told', () => {
    const tail = STREAM.slice(5)
    const stream = onlyStream(pcap(packets([{ sequence: 77, payload: tail }])))
    expect(stream.skippedOctets).toBe(INITIATION.length - 5)
    expect(joined(stream.chunks)).toEqual([...STREAM.slice(INITIATION.length)])
  })
  test('a single message of a session under way', () => {
    expect(joined(onlyStream(pcap(packets([{ sequence: 77, payload: ROUTES }]))).chunks)).toEqual([
      ...ROUTES,
    ])
  })
})

describe('hostile captures', () => {
  test('any bytes are read or rejected with a DecodeError', () => {
    const headers = [pcap([]), pcapng([]), pcap([], { linkType: 113 }), pcap([], { linkType: 101 })]
    const good = [pcap(packets(session())), pcapng(packets(session()))]
    const attempt = (file: Uint8Array): void => {
      try {
        readCapture(file)
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }
    fc.assert(
      fc.property(
        fc.constantFrom(...headers),
        fc.uint8Array({ maxLength: 300 }),
        (header, noise) => {
          attempt(Uint8Array.from([...header, ...noise]))
        },
      ),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (file, edits) => {
          const bytes = file.slice()
          for (const [at, octet] of edits) if (at < bytes.length) bytes[at] = octet
          attempt(bytes)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('what waits behind a hole is bounded', () => {
    const ended: StreamEnd[] = []
    const reader = new CaptureReader({
      onData: () => undefined,
      onEnd: (_stream, how) => ended.push(how),
    })
    reader.push(pcap(packets(session().slice(0, 2))))
    const [packet] = packets([{ sequence: 0, payload: new Uint8Array(60000) }])
    const record = pcap([packet!]).slice(24)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 1200 && ended.length === 0; i++) {
      // The sequence number, behind record, Ethernet and IP headers and the ports.
      new DataView(record.buffer).setUint32(16 + 14 + 20 + 4, START + 1000 + i * 60000)
      reader.push(record)
    }
    expect(ended[0]).toBe('gap')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150 << 20)
  })
})

describe('what begins like BMP', () => {
  test.each([
    ['0a0d0d0a', 'pcapng'],
    ['a1b2c3d4', 'pcap'],
    ['4d3cb2a1', 'pcap'],
    ['03 00000020 04', 'bmp'],
    ['04 00000020 04', 'bmp'],
    ['03', 'bmp'],
    ['', undefined],
    ['ffffffff', undefined],
    ['03 00000020 09', undefined],
    ['03 00000020 00', undefined],
    ['03 00000005 04', undefined],
    ['03 00200000 04', undefined],
  ])('%s is %s', (bytes, kind) => {
    expect(detectInput(hex(bytes))).toBe(kind)
  })
  test('three headers in a row, or two with a BGP marker', () => {
    const shorts = Uint8Array.from([9, 9, ...INITIATION, ...INITIATION, ...INITIATION])
    expect(findBmpStart(shorts)).toBe(2)
    expect(findBmpStart(shorts.subarray(0, 20))).toBe(-1)
    expect(findBmpStart(Uint8Array.from([3, 0, ...ROUTES, ...INITIATION]))).toBe(2)
    expect(findBmpStart(Uint8Array.from([...shorts, 1, 2, 3, 4, 5, 6]))).toBe(-1)
    expect(couldBeBmp(hex('03 00'), 0)).toBe(true)
  })
  test('takes no longer on bytes made to be slow', () => {
    const header = [...bmp(5, new Uint8Array(0))]
    const bad = Uint8Array.from([
      ...Array.from({ length: 10000 }, () => header).flat(),
      9,
      9,
      9,
      9,
      9,
      9,
    ])
    expect(findBmpStart(bad)).toBe(-1)
  })
})
