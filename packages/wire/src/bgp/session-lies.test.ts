/**
 * Routers that lie about the form of their UPDATEs: how often is the reading wrong? Generated, seeded;
 * the bounds are what these generators stay below. RIBSCOPE_FIGURES=100000 prints the shares of that many.
 */
import { describe, expect, test } from 'vitest'
import { PeerHeader } from '../bmp/peer-header.ts'
import { hex, update } from '../testing/bytes.ts'
import { readUpdate } from '../testing/route-text.ts'
import { toHex } from '../text/hex.ts'
import { PeerCodec } from './peer-codec.ts'

/** xorshift32, so that a run can be repeated. */
function random(seed: number): (below: number) => number {
  let x = seed
  return (below) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % below
  }
}

type Draw = ReturnType<typeof random>
type Segment = readonly [type: number, asns: readonly number[]]

const be = (value: number, octets: number): string => value.toString(16).padStart(2 * octets, '0')

function pathHex(segments: readonly Segment[], width: 2 | 4): string {
  return segments
    .map(([type, asns]) => {
      const numbers = asns.map((asn) => be(width === 2 && asn > 0xffff ? 23456 : asn, width))
      return be(type, 1) + be(asns.length, 1) + numbers.join('')
    })
    .join('')
}

/** As the Internet has them: mostly one sequence; some have a set or confederation segments. */
function realisticPath(draw: Draw): Segment[] {
  const asn = (): number => {
    const kind = draw(10)
    if (kind < 6) return 1 + draw(64495)
    if (kind < 9) return 65536 + draw(336_000)
    return 4_200_000_000 + draw(94_967_294)
  }
  const list = (most: number): number[] => Array.from({ length: 1 + draw(most) }, asn)
  const kind = draw(20)
  if (kind === 0) return [[2, list(6)], [1, list(4)]] // prettier-ignore
  if (kind === 1) return [[3, list(4)], [2, list(6)]] // prettier-ignore
  if (kind === 2) return [[3, list(3)], [4, list(3)], [2, list(4)]] // prettier-ignore
  return [[2, list(9)]]
}

/** Data centres: short paths of private numbers, all of 2 or all of 4 octets. */
function fabricPath(draw: Draw): Segment[] {
  const base = draw(2) === 0 ? 64512 : 4_200_000_000
  const list = Array.from({ length: 1 + draw(5) }, () => base + draw(1000))
  return draw(10) === 0 ? [[2, list], [1, [base + draw(1000)]]] : [[2, list]] // prettier-ignore
}

/** As nasty as it gets: small numbers look like segment headers, sets follow sequences one shorter. */
function adversarialPath(draw: Draw): Segment[] {
  const small = (): number => (1 + draw(4)) * 256 + draw(6)
  const n = 1 + draw(5)
  const list = (count: number): number[] => Array.from({ length: count }, small)
  if (draw(2) === 0) return [[2, list(n)]]
  return [[2, list(n + 1)], [1, list(n)]] // prettier-ignore
}

function readPath(segments: readonly Segment[], width: 2 | 4, as2: boolean, codec?: PeerCodec) {
  const value = pathHex(segments, width)
  const header = Object.assign(new PeerHeader(), { as2 })
  const attributes = `40 01 01 00 50 02 ${be(value.length / 2, 2)} ${value}`
  return readUpdate(update({ attributes, nlri: '18 cb0071' }), codec, header)
}

const OPEN = { capabilities: [{ kind: 'as4', code: 65, asn: 4_200_000_001 }] } as const
const PATHS = Number(process.env.RIBSCOPE_FIGURES ?? 4000)

/** Share of paths that are read in the wrong width. */
function misreadPaths(make: (draw: Draw) => Segment[], lying: boolean, habit: boolean) {
  const draw = random(0x5eed)
  const codec = habit ? PeerCodec.fromOpens(OPEN, OPEN) : undefined
  let wrong = 0
  for (let i = 0; i < PATHS; i++) {
    const width = draw(2) === 0 ? 2 : 4
    const as2 = lying ? width === 4 : width === 2
    const { index } = readPath(make(draw), width, as2, codec)
    if (index.asOctets !== width || index.at[2]! < 0) wrong++
    expect(index.asWidthLied).toBe(index.asOctets !== (as2 ? 2 : 4))
  }
  return wrong / PATHS
}

describe('RFC 7854 section 4.2: AS width by consistency', () => {
  test.each([
    ['realistic, honest', realisticPath, false, false, 0],
    ['realistic, lying', realisticPath, true, false, 0],
    ['fabric, honest', fabricPath, false, false, 0],
    ['fabric, lying', fabricPath, true, false, 0],
    ['adversarial, honest', adversarialPath, false, false, 0],
    ['adversarial, lying', adversarialPath, true, false, 0],
    ['adversarial, lying, with the habit of the session', adversarialPath, true, true, 0],
  ] as const)('%s: share misread', (name, make, lying, habit, most) => {
    const share = misreadPaths(make, lying, habit)
    if (process.env.RIBSCOPE_FIGURES !== undefined) console.log(`${name}: ${share * 100} %`)
    expect(share).toBeLessThanOrEqual(most)
  })

  // 64496 64497 {64498} in 2 octets is one segment of 2 numbers in 4: 4226874353 and 16907250.
  const SET: readonly Segment[] = [[2, [64496, 64497]], [1, [64498]]] // prettier-ignore

  test('a path that fits both: numbers that nobody has settle it', () => {
    expect(readPath(SET, 2, false).index).toMatchObject({ asOctets: 2, asWidthLied: true })
    expect(readPath(SET, 2, true).index).toMatchObject({ asOctets: 2, asWidthLied: false })
  })

  test('AGGREGATOR settles it, whatever comes first', () => {
    const path = '40 02 0a 02 02 fa56ea01 0101ea02' // {2: 64086 59905} {1: 59906} or 4200000001 16902658
    const header = Object.assign(new PeerHeader(), { as2: false })
    for (const aggregator of ['c0 07 08 fa56ea01 c0000201', 'c0 07 06 ea01 c0000201']) {
      for (const order of [`${path} ${aggregator}`, `${aggregator} ${path}`]) {
        const { index, errors } = readUpdate(
          update({ attributes: `40 01 01 00 ${order}`, nlri: '08 0a' }),
          undefined,
          header,
        )
        expect(index.asOctets).toBe(aggregator.includes('08 fa') ? 4 : 2)
        expect(errors).toEqual([])
      }
    }
  })

  test('the habit of the session decides where nothing else does, and is unlearnt', () => {
    const codec = PeerCodec.fromOpens(OPEN, OPEN)
    // 2 octets: 64086 {59905, ...}: both readings are of numbers in use.
    const open: readonly Segment[] = [[2, [0xfa56, 0xea01]], [1, [0x0102]]] // prettier-ignore
    const asFour = readUpdate(
      update({ attributes: '40 01 01 00 40 02 0a 02 02 fa56ea01 fa56ea02', nlri: '08 0a' }),
      codec,
      new PeerHeader(),
    )
    expect(asFour.index.asOctets).toBe(4)
    expect(codec.asWidthHabit).toBe(false)
    readPath([[2, [64496]]], 2, false, codec)
    readPath([[2, [64496, 64497]]], 2, false, codec)
    expect(codec.asWidthHabit).toBe(true)
    expect(readPath(open, 2, false, codec).index.asOctets).toBe(2)
    for (let i = 0; i < 3; i++) readPath([[2, [64496]]], 4, false, codec)
    expect(codec.asWidthHabit).toBe(false)
  })

  test('an empty path proves nothing', () => {
    const codec = PeerCodec.fromOpens(OPEN, OPEN)
    for (let i = 0; i < 5; i++) readPath([], 2, false, codec)
    expect(codec.asWidthHabit).toBe(false)
  })

  test('a broken path that fits the other width by accident is broken: it shows AS 0', () => {
    // 4 octets, but the count was written in units of 2.
    const { index, errors } = readUpdate(
      update({ attributes: '40 01 01 00 40 02 0a 02 04 0000fbf0 0000fbf1', nlri: '08 0a' }),
      undefined,
      new PeerHeader(),
    )
    expect(index.at[2]).toBe(-1)
    expect(errors).toMatchObject([{ code: 'BAD_VALUE', path: 'as_path' }])
  })
})

// --- path identifiers -----------------------------------------------------------------------------

interface Prefix {
  readonly bits: number
  readonly octets: string
}

function prefixes(draw: Draw, ipv6: boolean): Prefix[] {
  const lengths = ipv6 ? [32, 40, 44, 48, 48, 48, 56, 64, 128] : [8, 16, 19, 20, 22, 23, 24, 24, 24, 24, 32] // prettier-ignore
  return Array.from({ length: 1 + draw(8) }, () => {
    const bits = lengths[draw(lengths.length)]!
    const octets = Math.ceil(bits / 8)
    const list = Array.from({ length: octets }, (_, i) =>
      i === 0 ? (ipv6 ? 0x20 + draw(10) : 1 + draw(222)) : draw(256),
    )
    if (bits % 8 !== 0) list[octets - 1]! &= (0xff00 >> (bits % 8)) & 0xff
    return { bits, octets: list.map((octet) => be(octet, 1)).join('') }
  })
}

const ADD_PATH = {
  capabilities: [
    {
      kind: 'add_path',
      code: 69,
      families: [
        { afi: 1, safi: 1, sendReceive: 3 },
        { afi: 2, safi: 1, sendReceive: 3 },
      ],
    },
  ],
} as const
const NO_ADD_PATH = { capabilities: [] } as const

/**
 * Share of fields whose routes come out wrong, each the first of its session.
 *
 * @param identifier undefined: none are sent
 * @param one they are all of one session
 */
function misreadFields(
  agreed: boolean,
  identifier: ((draw: Draw) => number) | undefined,
  ipv6: boolean,
  one = false,
): number {
  const draw = random(0xfeed)
  const fields = PATHS
  const offer = agreed ? ADD_PATH : NO_ADD_PATH
  let codec = PeerCodec.fromOpens(offer, offer)
  let wrong = 0
  for (let i = 0; i < fields; i++) {
    if (!one) codec = PeerCodec.fromOpens(offer, offer)
    const list = prefixes(draw, ipv6)
    const nlri = list
      .map(({ bits, octets }) => {
        const id = identifier === undefined ? '' : be(identifier(draw), 4)
        return `${id}${be(bits, 1)}${octets}`
      })
      .join('')
    const octets = hex(nlri).length
    const attribute = `90 0e ${be(octets + 21, 2)} 0002 01 10 20010db8000000000000000000000001 00 ${nlri}`
    const message = ipv6
      ? update({ attributes: `40 01 01 00 40 02 00 ${attribute}` })
      : update({ attributes: '40 01 01 00 40 02 00', nlri })
    const { index, routes } = readUpdate(message, codec)
    const there = identifier !== undefined
    if (index.fields[0]!.addPath !== there || routes.length !== list.length) wrong++
    expect(index.addPathGuessed).toBe(index.fields[0]!.addPath !== agreed)
  }
  return wrong / fields
}

const small: (draw: Draw) => number = (draw) => 1 + draw(255)
const wide: (draw: Draw) => number = (draw) => draw(0x1_0000_0000)

describe('RFC 7911 section 3: path identifiers by consistency', () => {
  test.each([
    ['agreed, small identifiers', true, small, false, 0],
    ['agreed, random identifiers', true, wide, false, 0.004],
    ['agreed and not sent (FRR)', true, undefined, false, 0],
    ['not agreed and not sent', false, undefined, false, 0],
    ['not agreed, small identifiers', false, small, false, 0],
    ['not agreed, random identifiers', false, wide, false, 0.01],
    ['IPv6: agreed, random identifiers', true, wide, true, 0.003],
    ['IPv6: agreed and not sent', true, undefined, true, 0],
    ['IPv6: not agreed and not sent', false, undefined, true, 0],
    ['IPv6: not agreed, small identifiers', false, small, true, 0],
  ] as const)('%s: share of fields misread', (name, agreed, identifier, ipv6, most) => {
    const share = misreadFields(agreed, identifier, ipv6)
    if (process.env.RIBSCOPE_FIGURES !== undefined) console.log(`${name}: ${share * 100} %`)
    expect(share).toBeLessThanOrEqual(most)
  })

  test.each([
    ['agreed, random identifiers', wide, false],
    ['agreed, small identifiers', small, false],
    ['IPv6: agreed, random identifiers', wide, true],
    ['agreed and not sent (FRR)', undefined, false],
    ['IPv6: agreed and not sent', undefined, true],
  ] as const)('%s: in one session none is misread', (_, identifier, ipv6) => {
    // The first field of this seed leaves no doubt; before that a share as above may go wrong.
    expect(misreadFields(true, identifier, ipv6, true)).toBe(0)
  })

  test('two prefixes of 24 bits make one with an identifier: read plainly', () => {
    const codec = PeerCodec.fromOpens(ADD_PATH, ADD_PATH)
    const message = update({ attributes: '40 01 01 00 40 02 00', nlri: '18 0a0000 18 0a0001' })
    const { routes, index } = readUpdate(message, codec)
    expect(routes).toEqual(['+10.0.0.0/24', '+10.0.1.0/24'])
    expect(index.addPathGuessed).toBe(true)
  })

  test('the default route with two identifiers stays what it is', () => {
    const codec = PeerCodec.fromOpens(ADD_PATH, ADD_PATH)
    const message = update({ attributes: '40 01 01 00 40 02 00', nlri: '00000001 00 00000002 00' })
    expect(readUpdate(message, codec).routes).toEqual(['+0.0.0.0/0 #1', '+0.0.0.0/0 #2'])
  })

  test('without OPENs only form counts: the default route may come several times over', () => {
    const message = update({ attributes: '40 01 01 00 40 02 00', nlri: '00000000 20 01010101' })
    expect(readUpdate(message).routes).toHaveLength(5)
    expect(readUpdate(message, PeerCodec.unknown()).routes).toHaveLength(5)
    expect(readUpdate(message, PeerCodec.fromOpens(NO_ADD_PATH, NO_ADD_PATH)).routes).toEqual([
      '+1.1.1.1/32 #0',
    ])
  })

  test('a habit goes first, and is said as long as it goes against the OPENs', () => {
    const codec = PeerCodec.fromOpens(NO_ADD_PATH, NO_ADD_PATH)
    const message = update({ attributes: '40 01 01 00 40 02 00', nlri: '0a000001 18 c00002' })
    codec.pathIdHabit(1, 1, true)
    const { index, routes } = readUpdate(message, codec)
    expect(routes).toEqual([`+192.0.2.0/24 #167772161`])
    expect(index.addPathGuessed).toBe(true)
    codec.pathIdHabit(1, 1, undefined)
    expect(codec.addPath(1, 1, 'adj_in_pre')).toBe(false)
  })

  test('EVPN: route type 0 is the beginning of a path identifier', () => {
    const route = '03 11 0000fde800000064 00000000 20 c0000201'
    const message = update({
      attributes: `40 01 01 00 40 02 00 80 0e 20 0019 46 04 c0000201 00 00000001 ${route}`,
    })
    expect(readUpdate(message, PeerCodec.fromOpens(NO_ADD_PATH, NO_ADD_PATH)).routes).toEqual([
      '+[3]:[65000:100]:[0]:[32]:[192.0.2.1] #1',
    ])
    expect(toHex(message, 0, 1)).toBe('ff')
  })
})
