/** What must hold for any octets: properties, with octets of fast-check; the fuzzer tries likelier ones. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBmpMessage, UpdateIndex, walkNlri, type NlriSink } from '@ribscope/wire'
import { CountSink, JsonSink, NativeSink, RouterSession, type RowSink } from '@ribscope/events'
import { Features } from './features.ts'
import { TARGETS } from './targets.ts'

const octets = (max: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ maxLength: max, size: 'max' })

/** Small numbers make for more structure than all numbers alike. */
const smallOctets = (max: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.oneof(fc.nat(255), fc.constantFrom(0, 0, 0, 1, 2, 4, 16, 24, 32, 70, 128, 255)), {
      maxLength: max,
      size: 'max',
    })
    .map((list) => Uint8Array.from(list))

function u16(n: number): number[] {
  return [n >> 8, n & 255]
}

function bgp(type: number, body: ArrayLike<number>): number[] {
  return [...Array<number>(16).fill(255), ...u16(19 + body.length), type, ...Array.from(body)]
}

function bmp(type: number, body: ArrayLike<number>, version = 3): Uint8Array {
  const head = [version, 0, 0, ...u16(0), type]
  const peer = [4, 5].includes(type)
    ? []
    : [0, 0, ...Array<number>(8).fill(0), ...Array<number>(12).fill(0), 192, 0, 2, 1]
  const rest = peer.length === 0 ? [] : [0, 0, 0xfd, 0xe8, 192, 0, 2, 1, 0, 0, 0, 1, 0, 0, 0, 0]
  const bytes = Uint8Array.from([...head, ...peer, ...rest, ...Array.from(body)])
  new DataView(bytes.buffer).setUint32(1, bytes.length)
  return bytes
}

describe('any octets', () => {
  for (const target of TARGETS) {
    test(`${target.name}: as they are`, () => {
      fc.assert(
        fc.property(fc.oneof(octets(600), smallOctets(600)), (bytes) => {
          target.run(bytes, new Features())
        }),
        { numRuns: target.name === 'session' ? 60 : 200 },
      )
    })
  }

  test('behind right headers: BGP of every type', () => {
    const run = TARGETS.find(({ name }) => name === 'bgp')!
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), smallOctets(400), (type, body) => {
        run.run(Uint8Array.from(bgp(type, body)), new Features())
      }),
      { numRuns: 600 },
    )
  })

  test('behind right headers: an UPDATE whose three parts are any octets', () => {
    const run = TARGETS.find(({ name }) => name === 'bgp')!
    const attribute = fc
      .tuple(fc.constantFrom(0x40, 0x80, 0xc0), fc.integer({ min: 1, max: 40 }), smallOctets(60))
      .map(([flags, type, value]) => [flags, type, value.length, ...value])
    fc.assert(
      fc.property(
        smallOctets(60),
        fc.array(attribute, { maxLength: 8 }),
        smallOctets(60),
        (withdrawn, attributes, nlri) => {
          const all = attributes.flat()
          const body = [...u16(withdrawn.length), ...withdrawn, ...u16(all.length), ...all, ...nlri]
          run.run(Uint8Array.from(bgp(2, body)), new Features())
        },
      ),
      { numRuns: 600 },
    )
  })

  test('behind right headers: BMP of every type and version', () => {
    const run = TARGETS.find(({ name }) => name === 'bmp')!
    fc.assert(
      fc.property(fc.nat(7), fc.constantFrom(3, 4), smallOctets(300), (type, version, body) => {
        run.run(bmp(type, body, version), new Features())
      }),
      { numRuns: 600 },
    )
  })
})

// --- linear in size ---------------------------------------------------------------------------------

/** Octets that count how often they are read, singly or through a view. */
function counted(bytes: Uint8Array): { bytes: Uint8Array; view: DataView; reads: () => number } {
  let reads = 0
  const proxy = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const real = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const view = new Proxy(real, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      reads++
      return value.bind(target) as unknown
    },
  })
  return { bytes: proxy, view, reads: () => reads }
}

const fill = (n: number, piece: readonly number[]): number[] => {
  const list: number[] = []
  while (list.length + piece.length <= n) list.push(...piece)
  return list
}

function attribute(flags: number, type: number, value: readonly number[]): number[] {
  return [flags | 0x10, type, ...u16(value.length), ...value]
}

function update(
  withdrawn: readonly number[],
  attributes: readonly number[],
  nlri: readonly number[],
): number[] {
  return bgp(2, [
    ...u16(withdrawn.length),
    ...withdrawn,
    ...u16(attributes.length),
    ...attributes,
    ...nlri,
  ])
}

const reach = (afi: number, safi: number, nlri: readonly number[]): number[] =>
  attribute(0x80, 14, [...u16(afi), safi, 4, 192, 0, 2, 1, 0, ...nlri])
const unreach = (afi: number, safi: number, nlri: readonly number[]): number[] =>
  attribute(0x80, 15, [...u16(afi), safi, ...nlri])

/** Messages of about n octets with as much of one thing as fits. */
const HOSTILE: Readonly<Record<string, (n: number) => Uint8Array>> = {
  'default routes': (n) => bmp(0, update([], [], fill(n, [0]))),
  'withdrawn default routes': (n) => bmp(0, update(fill(n, [0]), [], [])),
  'prefixes that end in the middle': (n) =>
    bmp(0, update([], [], [...fill(n, [24, 10, 0, 0]), 32, 1])),
  'labelled routes': (n) => bmp(0, update([], reach(1, 4, fill(n, [24, 0, 0, 1])), [])),
  'label stacks without an end': (n) =>
    bmp(0, update([], reach(1, 4, fill(n, [240, ...Array<number>(30).fill(2)])), [])),
  'VPN routes': (n) =>
    bmp(0, update([], reach(1, 128, fill(n, [88, 0, 0, 1, ...Array<number>(8).fill(0)])), [])),
  'EVPN routes of no octets': (n) => bmp(0, update([], reach(25, 70, fill(n, [2, 0])), [])),
  'EVPN routes of unknown types': (n) => bmp(0, update([], reach(25, 70, fill(n, [99, 1, 7])), [])),
  'an unknown family': (n) => bmp(0, update([], reach(99, 99, fill(n, [1])), [])),
  flowspec: (n) => bmp(0, update([], reach(1, 133, fill(n, [3, 3, 0x81, 6])), [])),
  'flowspec rules of many tests': (n) =>
    bmp(0, update([], reach(1, 133, fill(n, [0xf3, 0xe7, 4, ...fill(996, [1, 6]), 0x81, 6])), [])),
  'flowspec rules without an end': (n) =>
    bmp(0, update([], reach(2, 133, fill(n, [0xf3, 0xe7, 4, ...fill(998, [1, 6])])), [])),
  'leaf routes of leaf routes': (n) => {
    let key = [2, 12, ...Array<number>(12).fill(0)]
    while (key.length < 245) key = [4, key.length + 4, ...key, 1, 2, 3, 4]
    return bmp(0, update([], reach(1, 5, fill(n, key)), []))
  },
  'link-state descriptors of no octets': (n) => {
    const nlri = [0, 1, 4, 9, 2, ...Array<number>(8).fill(0), ...fill(1024, [2, 0, 0, 0])]
    return bmp(0, update([], reach(16388, 71, fill(n, nlri)), []))
  },
  'BGP-LS': (n) => bmp(0, update([], reach(16388, 71, fill(n, [0, 1, 0, 0])), [])),
  'attributes of no octets': (n) => bmp(0, update([], fill(n, [0xc0, 200, 0]), [])),
  'attributes of unknown types': (n) =>
    bmp(
      0,
      update(
        [],
        Array.from({ length: n >> 2 }, (_, i) => [0xc0, 130 + (i % 120), 1, 1]).flat(),
        [],
      ),
    ),
  'MP_REACH and MP_UNREACH by turns': (n) =>
    bmp(0, update([], fill(n, [...reach(2, 1, [0]), ...unreach(2, 1, [0])]), [])),
  'MP_REACH, then MP_UNREACH': (n) =>
    bmp(0, update([], [...fill(n / 2, reach(2, 1, [0])), ...fill(n / 2, unreach(2, 1, [0]))], [])),
  'AS_PATH segments of one': (n) =>
    bmp(0, update([], attribute(0x40, 2, fill(n, [2, 1, 0, 0, 0, 1])), [0])),
  'AS_PATH that fits nothing': (n) =>
    bmp(0, update([], attribute(0x40, 2, fill(n, [2, 3, 0])), [0])),
  AS4_PATH: (n) =>
    bmp(
      0,
      update(
        [],
        [
          ...attribute(0x40, 2, fill(n / 2, [2, 1, 0, 1])),
          ...attribute(0xc0, 17, fill(n / 2, [2, 1, 0, 0, 0, 1])),
        ],
        [0],
      ),
    ),
  communities: (n) => bmp(0, update([], attribute(0xc0, 8, fill(n, [1, 2, 3, 4])), [0])),
  'extended communities': (n) =>
    bmp(0, update([], attribute(0xc0, 16, fill(n, [0, 2, 0, 1, 0, 0, 0, 1])), [0])),
  'large communities': (n) =>
    bmp(0, update([], attribute(0xc0, 32, fill(n, Array<number>(12).fill(1))), [0])),
  'cluster list': (n) => bmp(0, update([], attribute(0x80, 10, fill(n, [1, 2, 3, 4])), [0])),
  'prefix-SID TLVs': (n) => bmp(0, update([], attribute(0xc0, 40, fill(n, [5, 0, 0])), [0])),
  'tunnel TLVs': (n) => bmp(0, update([], attribute(0xc0, 23, fill(n, [0, 8, 0, 0])), [0])),
  'link-state TLVs': (n) => bmp(0, update([], attribute(0x80, 29, fill(n, [4, 0, 0, 0])), [0])),
  'ATTR_SET in ATTR_SET': (n) => {
    let inner: number[] = []
    while (inner.length < Math.min(n, 4000)) inner = attribute(0xc0, 128, [0, 0, 0, 1, ...inner])
    return bmp(0, update([], inner, [0]))
  },
  ATTR_SETs: (n) =>
    bmp(0, update([], attribute(0xc0, 128, [0, 0, 0, 1, ...fill(n, [0xc0, 200, 0])]), [0])),
  'domain path': (n) =>
    bmp(0, update([], attribute(0xc0, 36, fill(n, [1, 0, 0, 0, 1, 0, 1, 70])), [0])),
  'information TLVs': (n) => bmp(4, fill(n, [0, 0, 0, 0])),
  'information TLVs of version 4': (n) => bmp(4, fill(n, [0, 0, 0, 0]), 4),
  'Route Monitoring TLVs': (n) => bmp(0, fill(n, [0, 3, 0, 0, 0, 0]), 4),
  'stateless parsing TLVs': (n) => {
    const tlv = (i: number): number[] => [...u16(1), ...u16(6), 0, 0, 69, 4, ...u16(i), 1, 3]
    const tlvs = Array.from({ length: Math.floor(n / 12) }, (_, i) => tlv(i)).flat()
    const pdu = update([], [], [0])
    return bmp(0, [...tlvs, ...u16(4), ...u16(pdu.length), 0, 0, ...pdu], 4)
  },
  'TLVs behind the PDU': (n) => bmp(0, [...update([], [], [0]), ...fill(n, [0, 0, 0, 0])]),
  statistics: (n) => bmp(1, [0, 0, ...u16(n >> 3), ...fill(n, [0, 0, 0, 4, 0, 0, 0, 1])]),
  'mirroring TLVs': (n) => bmp(6, fill(n, [0, 1, 0, 2, 0, 0])),
  'mirrored PDUs': (n) => bmp(6, fill(n, [0, 0, 0, 19, ...bgp(4, [])])),
  capabilities: (n) => {
    const most = Math.min(255, n >> 6)
    const parameters = fill(most, [2, 2, 70, 0])
    const open = bgp(1, [4, 0, 1, 0, 90, 1, 2, 3, 4, parameters.length, ...parameters])
    return bmp(3, [...Array<number>(20).fill(0), ...open, ...open, ...fill(n, [0, 0, 0, 0])])
  },
}

class Calls implements NlriSink {
  count = 0
  prefix(): void {
    this.count++
  }
  evpn(): void {
    this.count++
  }
  family(): void {
    this.count++
  }
  opaque(): void {
    this.count++
  }
}

describe('twice the octets are twice the work', () => {
  /** Not reads alone: what is copied and looked up takes time, too. A factor of 4 is quadratic. */
  const seconds = (message: Uint8Array): number => {
    const times = Array.from({ length: 5 }, () => {
      const { user: before } = process.cpuUsage()
      decodeBmpMessage(message)
      return process.cpuUsage().user - before
    })
    return Math.min(...times) / 1e6
  }

  test.each(Object.keys(HOSTILE))('%s: time of the processor', (name) => {
    const message = HOSTILE[name]!(60_000)
    // Some milliseconds where it is linear, a second and more where it is not; a slow machine has room.
    expect(seconds(message)).toBeLessThan(0.5)
  })

  const SIZES = [4000, 8000, 16_000, 32_000, 60_000]

  test.each(Object.keys(HOSTILE))('%s: octets read', (name) => {
    const reads = SIZES.map((size) => {
      const message = HOSTILE[name]!(size)
      expect(message.length).toBeGreaterThan(3000)
      const { bytes, view, reads: count } = counted(message)
      const decoded = decodeBmpMessage(bytes, 0, message.length, {}, view)
      JSON.stringify(decoded)
      return { octets: message.length, reads: count() }
    })
    const first = reads[0]!
    for (const { octets: size, reads: n } of reads) {
      // Were it not counted, it would be bounded, too.
      expect(n).toBeGreaterThan(50)
      // Beside what every message costs.
      expect(n).toBeLessThanOrEqual((first.reads * size * 1.5) / first.octets + 2000)
      expect(n).toBeLessThanOrEqual(64 * size)
    }
  })

  test.each(Object.keys(HOSTILE))('%s: calls of a sink', (name) => {
    const message = HOSTILE[name]!(60_000)
    const at = message.indexOf(255)
    if (message[5] !== 0 || message[0] !== 3 || at !== 48) return
    const index = new UpdateIndex()
    index.read(message, new DataView(message.buffer), 48, message.length)
    const calls = new Calls()
    for (let i = 0; i < index.fieldCount; i++) walkNlri(index, index.fields[i]!, calls)
    expect(calls.count).toBeLessThanOrEqual(message.length)
  })

  /** Octets that come out, at most so many for one that goes in, beside what lists may take in one UPDATE. */
  const ROW_OCTETS = 4000
  const LIST_OCTETS = 96 << 20

  const sinks: Readonly<
    Record<string, (out: (octets: number) => void) => RowSink & { flush?: () => unknown }>
  > = {
    native: (out) =>
      new NativeSink({
        onBatch: (batch) => {
          out(batch.body.length)
          batch.release()
        },
      }),
    json: (out) =>
      new JsonSink({
        write: (lines, release) => {
          out(lines.length)
          release()
        },
      }),
    count: () => new CountSink(),
  }

  const LONG_LISTS = [
    ...attribute(0x40, 1, [0]),
    ...attribute(0x40, 2, [2, 1, 0, 0, 0, 1]),
    ...attribute(0xc0, 8, fill(16_000, [1, 2, 3, 4])),
  ]
  const WORST: Readonly<Record<string, () => Uint8Array>> = {
    ...Object.fromEntries(Object.entries(HOSTILE).map(([name, of]) => [name, () => of(60_000)])),
    'long lists, many routes': () => bmp(0, update([], LONG_LISTS, fill(45_000, [0]))),
    'long lists, many fields': () =>
      bmp(
        0,
        update([], [...LONG_LISTS, ...fill(45_000, reach(1, 1, Array<number>(1000).fill(0)))], []),
      ),
    'many errors, many routes': () =>
      bmp(0, update([], fill(600, attribute(0x80, 4, [1])), fill(60_000, [0]))),
    'long unknown attribute, many routes': () =>
      bmp(0, update([], attribute(0xc0, 200, Array<number>(5000).fill(1)), fill(60_000, [0]))),
  }

  test.each(Object.keys(sinks))('rows are bounded: %s', (name) => {
    const sizes: string[] = []
    for (const [what, make] of Object.entries(WORST)) {
      const message = make()
      let total = 0
      const sink = sinks[name]!((n) => {
        total += n
      })
      const session = new RouterSession({
        collector: 'x',
        source: '192.0.2.1',
        openedUs: 1_700_000_000_000_000,
        out: sink,
      })
      session.push(message, 1_700_000_000_000_000)
      const rest = sink.flush?.()
      if (Array.isArray(rest))
        for (const batch of rest as { body: Uint8Array }[]) total += batch.body.length
      if (total > ROW_OCTETS * message.length + LIST_OCTETS)
        sizes.push(`${what}: ${total} of ${message.length}`)
    }
    expect(sizes).toEqual([])
  })
})
