import { describe, expect, test } from 'vitest'
import type { Capability } from '../open/capabilities.ts'
import { PeerCodec } from '../peer-codec.ts'
import { parseBgpMessage } from '../message.ts'
import { update } from '../../testing/bytes.ts'
import { readUpdate } from '../../testing/route-text.ts'
import { familyName, nlriShape, SHAPE_FAMILY, SHAPE_OPAQUE } from '../families.ts'
import { familyOf } from './index.ts'
import type { Route } from '../update.ts'

const h = (n: number, digits: number): string => n.toString(16).padStart(digits, '0')
const octets = (text: string): number => text.replace(/\s/g, '').length / 2
const family = (afi: number, safi: number): string => `${h(afi, 4)} ${h(safi, 2)}`

/** MP_REACH of NLRI given as hex. */
function reach(afi: number, safi: number, nlri: string): Uint8Array {
  const value = `${family(afi, safi)} 04 c0000201 00 ${nlri}`
  return update({ attributes: `90 0e ${h(octets(value), 4)} ${value} 40 01 01 00 40 02 00` })
}

function unreach(afi: number, safi: number, nlri: string): Uint8Array {
  const value = `${family(afi, safi)} ${nlri}`
  return update({ attributes: `90 0f ${h(octets(value), 4)} ${value}` })
}

/** The routes as plain objects; nothing may be wrong. */
function decode(afi: number, safi: number, nlri: string): readonly Route[] {
  const { message, errors } = parseBgpMessage(reach(afi, safi, nlri))
  expect(errors).toEqual([])
  if (message?.type !== 'update') throw new Error('no update')
  const [group] = message.announced
  expect(group).toMatchObject({ afi, safi, family: familyName(afi, safi) })
  expect(group!.count).toBe(group!.routes.length)
  expect(JSON.parse(JSON.stringify(group!.routes))).toEqual(group!.routes)
  return group!.routes
}

/** Texts of the hot path, and what is wrong. */
function walked(afi: number, safi: number, nlri: string, codec?: PeerCodec) {
  const read = readUpdate(reach(afi, safi, nlri), codec)
  return {
    routes: read.routes,
    errors: read.errors.map(({ code, path, handling }) => [code, path, handling]),
    guessed: read.index.addPathGuessed,
  }
}

const RD = '0000 fde8 00000064' // 65000:100
const PE = 'c0000201'

describe('RFC 8955 and 8956: flow specifications', () => {
  test.each([
    [
      'RFC 8955 section 4.3.1',
      1,
      '0b 01 18 c00002 03 81 06 04 81 19',
      'destination 192.0.2.0/24 protocol =6 port =25',
    ],
    [
      'RFC 8955 section 4.3.2',
      1,
      '10 01 18 c00002 02 08 cb 04 03 89 45 8b 91 1f90',
      'destination 192.0.2.0/24 source 203.0.0.0/8 port >=137&<=139|=8080',
    ],
    [
      'RFC 8955 section 4.3.3',
      1,
      '09 01 20 c0000201 0c 80 05',
      'destination 192.0.2.1/32 fragment dont-fragment+first-fragment',
    ],
    [
      'RFC 8956 section 3.8.1: a prefix with an offset',
      2,
      '12 01 20 00 20010db8 02 68 40 123456789a 03 81 06',
      'destination 2001:db8::/32 source ::1234:5678:9a00:0/64-104 protocol =6',
    ],
    [
      'RFC 8956 section 3.8.2: an offset that is no whole octet',
      2,
      '08 02 68 41 2468acf134',
      'source ::1234:5678:9a00:0/65-104',
    ],
    ['any IPv6 address', 2, '06 01 00 00 03 81 06', 'destination ::/0 protocol =6'],
    ['RFC 8956 section 3.7', 2, '06 0d a1 000fffff', 'flow-label =1048575'],
    ['false, true, not equal', 1, '09 04 00 01 07 02 46 03 c0 04', 'port false|true&!=3&false'],
    [
      'values of 4 and 8 octets',
      1,
      '0f 0a 21 00010000 b2 ffffffffffffffff',
      'packet-length =65536|>18446744073709551615',
    ],
    [
      'bits: any, all, not',
      1,
      '0a 09 00 02 01 12 42 01 d3 0f00',
      'tcp-flags syn|=syn+ack&!fin&!=ae+0xe00',
    ],
    ['ICMP, DSCP', 1, '09 07 81 08 08 81 00 0b 81 2e', 'icmp-type =8 icmp-code =0 dscp =46'],
    [
      'draft-ietf-idr-flowspec-l2vpn',
      25,
      '0f 0e 91 0800 0f 30 02005e100001 15 81 64',
      'ethernet-type =2048 source-mac 02:00:5e:10:00:01/48 vlan =100',
    ],
  ])('%s', (_, afi, nlri, text) => {
    expect(decode(afi, 133, nlri)).toMatchObject([{ kind: 'flowspec', nlri: text, rd: '' }])
    // RFC 8955 section 8: the same behind a route distinguisher.
    const vpn = `${h(octets(nlri) - 1 + 8, 2)} ${RD} ${nlri.slice(2)}`
    expect(decode(afi, 134, vpn)).toMatchObject([{ nlri: `[65000:100]:${text}`, rd: '65000:100' }])
  })

  test('as data', () => {
    const nlri = '10 01 18 c00002 02 08 cb 04 03 89 45 8b 91 1f90'
    expect(decode(1, 133, nlri)).toMatchObject([
      {
        components: [
          { kind: 'prefix', type: 1, name: 'destination', prefix: '192.0.2.0/24', offset: 0 },
          { kind: 'prefix', type: 2, name: 'source', prefix: '203.0.0.0/8', offset: 0 },
          {
            kind: 'numeric',
            type: 4,
            name: 'port',
            tests: [
              { and: false, op: '>=', value: 137 },
              { and: true, op: '<=', value: 139 },
              { and: false, op: '=', value: 8080 },
            ],
          },
        ],
      },
    ])
  })

  test('RFC 8955 section 4.1: a length of 240 octets and more takes two', () => {
    const ports = Array.from({ length: 80 }, (_, i) => `${i === 79 ? '91' : '11'} ${h(i, 4)}`)
    const long = `05 ${ports.join(' ')}`
    const list = `f${h(octets(long), 3)} ${long} 03 03 81 06`
    expect(octets(long)).toBe(241)
    expect(decode(1, 133, list).map(({ nlri }) => nlri)).toEqual([
      `destination-port ${ports.map((_, i) => `=${i}`).join('|')}`,
      'protocol =6',
    ])
    // The long form for a short rule is no error.
    expect(decode(1, 133, 'f003 03 81 06')).toMatchObject([{ nlri: 'protocol =6' }])
  })

  test('RFC 8956 section 3.1, ExaBGP and Ryu: the octets before the offset are there too', () => {
    const nlri = '16 02 80 78 00000000000000000000000000000001 03 81 06'
    expect(walked(2, 133, nlri)).toMatchObject({
      routes: ['+source ::1/120-128 protocol =6'],
      errors: [['BAD_LENGTH', 'mp_reach.nlri.flowspec', 'treat-as-withdraw']],
    })
  })

  test('RFC 8955 section 4.2: order and unknown components are told, the rule is kept', () => {
    const fault = (code: string): unknown => [code, 'mp_reach.nlri.flowspec', 'treat-as-withdraw']
    expect(walked(1, 133, '06 04 81 50 03 81 06')).toMatchObject({
      routes: ['+port =80 protocol =6'],
      errors: [fault('BAD_VALUE')],
    })
    expect(walked(1, 133, '06 03 81 06 c8 81 07')).toMatchObject({
      routes: ['+protocol =6 type-200 0x8107'],
      errors: [fault('UNSUPPORTED')],
    })
  })

  test.each([
    ['no component', '00'],
    ['a prefix that is too long', '07 01 21 c000020100'],
    ['a prefix that is cut', '03 01 18 c0'],
    ['no end of the tests', '03 03 01 06'],
    ['a value that is cut', '03 03 91 06'],
  ])('one with %s costs only itself', (_, bad) => {
    expect(walked(1, 133, `03 03 81 06 ${bad} 03 03 81 11`)).toMatchObject({
      routes: ['+protocol =6', '+protocol =17'],
      errors: [[expect.anything(), 'mp_reach.nlri.flowspec', 'treat-as-withdraw']],
    })
  })
})

describe('RFC 4761 and RFC 6074: layer-2 VPNs', () => {
  test('a block of labels and a discovered edge', () => {
    expect(decode(25, 65, `0011 ${RD} 0005 0001 0008 029ce1 000c ${RD} ${PE}`)).toEqual([
      {
        kind: 'vpls',
        nlri: '[65000:100]:[5]:[1]',
        rd: '65000:100',
        veId: 5,
        blockOffset: 1,
        blockSize: 8,
        labelBase: 10702,
        pathId: null,
      },
      {
        kind: 'bgp_ad',
        nlri: '[65000:100]:[192.0.2.1]',
        rd: '65000:100',
        peAddress: '192.0.2.1',
        pathId: null,
      },
    ])
  })
  test('another size costs only itself', () => {
    expect(walked(25, 65, `0003 010203 000c ${RD} ${PE}`)).toMatchObject({
      routes: ['+[65000:100]:[192.0.2.1]'],
      errors: [['BAD_LENGTH', 'mp_reach.nlri.vpls', 'treat-as-withdraw']],
    })
  })
})

describe('RFC 4684: route target constraint', () => {
  test.each([
    ['the default', '00', '0/0', null, ''],
    ['an AS', '20 0000fde8', '65000/32', 65000, ''],
    ['the kind of target', '30 0000fde8 0002', '65000:0x0002/48', 65000, '0x0002'],
    ['bits beyond the length', '23 0000fde8 ff', '65000:0xe0/35', 65000, '0xe0'],
    ['a target', '60 0000fde8 0002fde800000064', '65000:rt:65000:100/96', 65000, 'rt:65000:100'],
    [
      'a target of an address',
      '60 fa56ea01 0102c00002010064',
      '4200000001:rt:192.0.2.1:100/96',
      4200000001,
      'rt:192.0.2.1:100',
    ],
  ])('%s', (_, nlri, text, originAs, routeTarget) => {
    expect(decode(1, 132, nlri)).toMatchObject([{ nlri: text, originAs, routeTarget }])
  })
  test('RFC 4684 section 4: a length of 1 to 31 or beyond 96 costs only itself', () => {
    expect(walked(1, 132, '08 00 20 0000fde8 61 0000fde8 0002fde800000064 00')).toMatchObject({
      routes: ['+65000/32'],
      errors: [
        ['BAD_VALUE', 'mp_reach.nlri.rt_constraint', 'treat-as-withdraw'],
        ['BAD_VALUE', 'mp_reach.nlri.rt_constraint', 'treat-as-withdraw'],
      ],
    })
  })
})

describe('RFC 6514: multicast VPN', () => {
  const SG = `20 ${PE} 20 ef010101`
  const V6 = '20010db8000000000000000000000001'
  const typed = (type: number, part: string): string =>
    `${h(type, 2)} ${h(octets(part), 2)} ${part}`
  test.each([
    [1, `${RD} ${PE}`, '[1]:[65000:100]:[192.0.2.1]', 'intra_as_i_pmsi'],
    [1, `${RD} ${V6}`, '[1]:[65000:100]:[2001:db8::1]', 'intra_as_i_pmsi'],
    [2, `${RD} 0000fde8`, '[2]:[65000:100]:[65000]', 'inter_as_i_pmsi'],
    [
      3,
      `${RD} ${SG} ${PE}`,
      '[3]:[65000:100]:[32]:[192.0.2.1]:[32]:[239.1.1.1]:[192.0.2.1]',
      's_pmsi',
    ],
    [3, `${RD} 00 00 ${PE}`, '[3]:[65000:100]:[0]:[*]:[0]:[*]:[192.0.2.1]', 's_pmsi'],
    [4, `${typed(2, `${RD} 0000fde8`)} ${PE}`, '[4]:[[2]:[65000:100]:[65000]]:[192.0.2.1]', 'leaf'],
    [5, `${RD} ${SG}`, '[5]:[65000:100]:[32]:[192.0.2.1]:[32]:[239.1.1.1]', 'source_active'],
    [
      6,
      `${RD} 0000fde8 ${SG}`,
      '[6]:[65000:100]:[65000]:[32]:[192.0.2.1]:[32]:[239.1.1.1]',
      'shared_tree_join',
    ],
    [
      7,
      `${RD} 0000fde8 80 ${V6} 80 ff0e0000000000000000000000000001`,
      '[7]:[65000:100]:[65000]:[128]:[2001:db8::1]:[128]:[ff0e::1]',
      'source_tree_join',
    ],
    [67, 'c0ffee', '[67]:0xc0ffee', 'unknown'],
  ])('type %i', (type, part, nlri, name) => {
    expect(decode(1, 5, typed(type, part))).toMatchObject([{ routeType: type, name, nlri }])
  })
  test.each([
    ['type 1 of 10 octets', typed(1, `${RD} c000`)],
    ['type 2 with octets left over', typed(2, `${RD} 0000fde8 00`)],
    ['a source of 31 bits', typed(5, `${RD} 1f ${PE} 20 ef010101`)],
    ['a leaf whose route key is longer than it is', typed(4, `02 f0 ${PE}`)],
    ['a leaf of a leaf of a leaf', typed(4, `${typed(4, `${typed(4, PE)} ${PE}`)} ${PE}`)],
  ])('%s costs only itself', (_, bad) => {
    const good = typed(2, `${RD} 0000fde8`)
    expect(walked(1, 5, `${bad} ${good}`)).toMatchObject({
      routes: ['+[2]:[65000:100]:[65000]'],
      errors: [[expect.anything(), expect.stringContaining('mcast_vpn'), 'treat-as-withdraw']],
    })
  })
  test('nested leaf routes end with the octets', () => {
    let part = typed(2, `${RD} 0000fde8`)
    while (octets(part) < 240) part = typed(4, `${part} ${PE}`)
    const [route] = decode(1, 5, part)
    expect(route!.nlri.match(/\[4\]/g)!.length).toBeGreaterThan(30)
  })
})

describe('RFC 9552: BGP-LS', () => {
  const tlv = (type: number, value: string): string =>
    `${h(type, 4)} ${h(octets(value), 4)} ${value}`
  const nlri = (type: number, part: string): string => `${h(type, 4)} ${h(octets(part), 4)} ${part}`
  const node = `${tlv(512, '0000fde8')} ${tlv(515, '010000000001')}`
  const head = '02 0000000000000007'
  const NODE = '[as=65000,igp-router-id=0100.0000.0001]'
  test.each([
    [1, tlv(256, node), `[1]:[isis-l2]:[7]:${NODE}`, 'node'],
    [
      2,
      `${tlv(256, node)} ${tlv(257, tlv(515, '01000000000203'))} ${tlv(258, '0000000100000002')} ${tlv(259, PE)} ${tlv(263, '00028003')}`,
      `[2]:[isis-l2]:[7]:${NODE}:[igp-router-id=0100.0000.0002.03]:[link-ids=1/2,interface-ipv4=192.0.2.1,topology=2+3]`,
      'link',
    ],
    [
      3,
      `${tlv(256, node)} ${tlv(265, '18c00002')}`,
      `[3]:[isis-l2]:[7]:${NODE}:[prefix=192.0.2.0/24]`,
      'prefix-v4',
    ],
    [
      4,
      `${tlv(256, node)} ${tlv(265, '2020010db8')}`,
      `[4]:[isis-l2]:[7]:${NODE}:[prefix=2001:db8::/32]`,
      'prefix-v6',
    ],
    [
      6,
      `${tlv(256, node)} ${tlv(518, `20010db8${'00'.repeat(12)}`)}`,
      `[6]:[isis-l2]:[7]:${NODE}:[sid=2001:db8::]`,
      'srv6-sid',
    ],
    // A descriptor that isn't known, and one of another size than its own, stay hex.
    [
      1,
      tlv(256, `${tlv(999, 'c0ffee')} ${tlv(512, 'fde8')}`),
      '[1]:[isis-l2]:[7]:[tlv-999=0xc0ffee,as=0xfde8]',
      'node',
    ],
  ])('type %i', (type, tlvs, text, name) => {
    expect(decode(16388, 71, nlri(type, `${head} ${tlvs}`))).toMatchObject([
      { kind: 'bgp_ls', nlriType: type, name, nlri: text, protocol: 'isis-l2', identifier: '7' },
    ])
    expect(decode(16388, 72, nlri(type, `${RD} ${head} ${tlvs}`))).toMatchObject([
      { nlri: `[65000:100]:${text}`, rd: '65000:100' },
    ])
  })
  test('other types stay raw; a TLV that is too long costs only its NLRI', () => {
    expect(decode(16388, 71, nlri(99, 'c0ffee'))).toMatchObject([
      { nlri: '[99]:0xc0ffee', raw: 'c0ffee' },
    ])
    const bad = nlri(1, `${head} 0100 0008 0200 0010`)
    expect(walked(16388, 71, `${bad} ${nlri(1, `${head} ${tlv(256, node)}`)}`)).toMatchObject({
      routes: [`+[1]:[isis-l2]:[7]:${NODE}`],
      errors: [['BAD_LENGTH', expect.stringContaining('bgp_ls'), 'treat-as-withdraw']],
    })
  })
})

describe('the others', () => {
  const V6 = '20010db8000000000000000000000001'
  test.each([
    ['RFC 9830: SR policy', 1, 73, `60 00000001 00000064 ${PE}`, '[1]:[100]:[192.0.2.1]'],
    ['RFC 9830: SR policy', 2, 73, `c0 00000001 00000064 ${V6}`, '[1]:[100]:[2001:db8::1]'],
    ['RFC 6037: MDT', 1, 66, `80 ${RD} ${PE} ef010101`, '[65000:100]:[192.0.2.1]:[239.1.1.1]'],
    ['MUP type 1', 1, 85, `01 0001 0c ${RD} 18 0a0001`, '[1]:[1]:[65000:100]:[24]:[10.0.1.0]'],
    ['MUP type 2', 1, 85, `01 0002 0c ${RD} ${PE}`, '[1]:[2]:[65000:100]:[192.0.2.1]'],
    [
      'MUP type 3',
      1,
      85,
      `01 0003 17 ${RD} 20 0a000009 00003039 09 20 ${PE}`,
      '[1]:[3]:[65000:100]:[32]:[10.0.0.9]',
    ],
    [
      'MUP type 4',
      1,
      85,
      `01 0004 11 ${RD} 40 ${PE} 00003039`,
      '[1]:[4]:[65000:100]:[64]:[192.0.2.1]:[12345]',
    ],
    ['MUP, another architecture', 1, 85, '02 0001 01 ff', '[2]:[1]:0xff'],
    ['RFC 9871: CAR type 1', 1, 83, '0b 09 01 20 c0000201 00000064', '[1]:[32]:[192.0.2.1]:[100]'],
    [
      'RFC 9871: CAR type 1 with a label',
      1,
      83,
      '10 09 01 20 c0000201 00000064 01 03 000641',
      '[1]:[32]:[192.0.2.1]:[100]',
    ],
    ['RFC 9871: CAR type 2', 2, 83, '07 05 02 20 20010db8', '[2]:[32]:[2001:db8::]'],
    [
      'RFC 9871: VPN CAR',
      1,
      84,
      `13 11 01 ${RD} 20 c0000201 00000064`,
      '[65000:100]:[1]:[32]:[192.0.2.1]:[100]',
    ],
  ])('%s', (_, afi, safi, nlri, text) => {
    expect(decode(afi, safi, nlri)).toMatchObject([{ nlri: text }])
  })

  test.each([
    ['SR policy of another length', 1, 73, `40 00000001 00000064`, `60 00000001 00000064 ${PE}`],
    ['MDT of another length', 1, 66, `60 ${RD} ${PE}`, `80 ${RD} ${PE} ef010101`],
    ['MUP endpoint of 31 bits', 1, 85, `01 0004 0d ${RD} 1f ${PE}`, `01 0002 0c ${RD} ${PE}`],
    ['MUP prefix of 33 bits', 1, 85, `01 0001 0e ${RD} 21 0a00010000`, `01 0002 0c ${RD} ${PE}`],
    ['CAR key longer than the NLRI', 1, 83, '07 0a 01 20 c0000201', '07 05 02 20 c0000201'],
  ])('%s costs only itself', (_, afi, safi, bad, good) => {
    const { routes, errors } = walked(afi, safi, `${good} ${bad} ${good}`)
    expect(routes).toHaveLength(2)
    expect(errors).toEqual([[expect.anything(), expect.anything(), 'treat-as-withdraw']])
  })

  test('RFC 6513, RFC 9832: prefixes behind a route distinguisher', () => {
    const plain = `58 ${RD} 0a0200`
    expect(walked(1, 129, `${plain} 70 000641 ${RD} 0a0300`)).toMatchObject({
      routes: ['+65000:100:10.2.0.0/24', '+65000:100:10.3.0.0/24 [100]'],
      errors: [],
    })
    expect(walked(1, 76, `70 000641 ${RD} 0a0300`).routes).toEqual(['+65000:100:10.3.0.0/24 [100]'])
    expect(walked(1, 129, `${plain} 20 0a020000 ${plain}`)).toMatchObject({
      routes: ['+65000:100:10.2.0.0/24'],
      errors: [['BAD_VALUE', 'mp_reach.nlri', 'session-reset']],
    })
  })
})

/** One NLRI of each family. */
const ONE: readonly (readonly [number, number, string, string])[] = [
  [1, 5, `02 0c ${RD} 0000fde8`, '[2]:[65000:100]:[65000]'],
  [25, 65, `000c ${RD} ${PE}`, '[65000:100]:[192.0.2.1]'],
  [1, 66, `80 ${RD} ${PE} ef010101`, '[65000:100]:[192.0.2.1]:[239.1.1.1]'],
  [16388, 71, '0063 0003 c0ffee', '[99]:0xc0ffee'],
  [16388, 72, `0063 000a ${RD} c0ff`, '[65000:100]:[99]:0xc0ff'],
  [16388, 80, '0063 0003 c0ffee', '[99]:0xc0ffee'],
  [1, 73, `60 00000001 00000064 ${PE}`, '[1]:[100]:[192.0.2.1]'],
  [1, 83, '07 05 02 20 c0000201', '[2]:[32]:[192.0.2.1]'],
  [1, 84, `0f 0d 02 ${RD} 20 c0000201`, '[65000:100]:[2]:[32]:[192.0.2.1]'],
  [1, 85, `01 0002 0c ${RD} ${PE}`, '[1]:[2]:[65000:100]:[192.0.2.1]'],
  [1, 129, `58 ${RD} 0a0200`, '65000:100:10.2.0.0/24'],
  [1, 132, '60 0000fde8 0002fde800000064', '65000:rt:65000:100/96'],
  [1, 133, '03 03 81 06', 'protocol =6'],
  [2, 133, '03 03 81 06', 'protocol =6'],
  [1, 134, `0b ${RD} 03 81 06`, '[65000:100]:protocol =6'],
  [25, 133, '03 03 81 06', 'protocol =6'],
]

function codecOf(families: readonly (readonly [number, number])[]): PeerCodec {
  const list = families.map(([afi, safi]) => ({ afi, safi, family: '', sendReceive: 3 }))
  const capabilities = [
    { kind: 'add_path', code: 69, families: list, raw: '' },
  ] as unknown as Capability[]
  return PeerCodec.fromOpens({ capabilities }, { capabilities })
}

describe.each(ONE)('every family: %i/%i', (afi, safi, nlri, text) => {
  const agreed = codecOf([[afi, safi]])
  const nothing = codecOf([])
  const withIds = `00000005 ${nlri} 00000006 ${nlri}`

  test('is told from others', () => {
    expect(nlriShape(afi, safi)).toBe(SHAPE_FAMILY)
    if (safi !== 129) expect(familyOf(afi, safi)).toBeDefined()
    expect(familyName(afi, safi)).not.toMatch(/^afi-/)
    expect(nlriShape(afi, 251)).toBe(SHAPE_OPAQUE)
    expect(familyName(afi, 251)).toBe(`afi-${afi}-safi-251`)
  })
  test('RFC 4724 section 2: End-of-RIB', () => {
    expect(readUpdate(unreach(afi, safi, ''))).toMatchObject({
      endOfRib: { afi, safi },
      routes: [],
      errors: [],
    })
  })
  test('withdrawn', () => {
    expect(readUpdate(unreach(afi, safi, nlri))).toMatchObject({
      endOfRib: undefined,
      routes: [`-${text}`],
      errors: [],
    })
  })
  test('RFC 7911: path identifiers as agreed, else where only they fit', () => {
    const both = [`+${text} #5`, `+${text} #6`]
    expect(walked(afi, safi, withIds, agreed)).toEqual({ routes: both, errors: [], guessed: false })
    expect(walked(afi, safi, withIds)).toMatchObject({ routes: both, errors: [] })
    expect(walked(afi, safi, withIds, nothing)).toEqual({ routes: both, errors: [], guessed: true })
    const plain = { routes: [`+${text}`], errors: [], guessed: true }
    expect(walked(afi, safi, nlri, agreed)).toEqual(plain)
    expect(walked(afi, safi, nlri)).toEqual({ ...plain, guessed: false })
  })
  test('what comes before an NLRI that is cut is kept', () => {
    const cut = nlri.replace(/\s/g, '').slice(0, -2)
    expect(walked(afi, safi, `${nlri} ${cut}`, nothing)).toMatchObject({
      routes: [`+${text}`],
      errors: [['BAD_VALUE', 'mp_reach.nlri', 'session-reset']],
    })
  })
  test('any octets are routes or errors', () => {
    let seed = afi * 256 + safi
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16
    const good = nlri.replace(/\s/g, '')
    for (let round = 0; round < 300; round++) {
      const bytes = [...(good + good).matchAll(/../g)].map(([octet]) => octet)
      for (let n = 0; n < 1 + (round % 4); n++)
        bytes[random() % bytes.length] = h(random() & 255, 2)
      const { message, errors } = parseBgpMessage(reach(afi, safi, bytes.join('')))
      const groups = message?.type === 'update' ? message.announced : []
      const routes = groups.flatMap((group) => group.routes)
      expect(routes.length + errors.length).toBeGreaterThan(0)
      for (const { nlri } of routes) expect(nlri).toMatch(/^[ !#-[\]-~]+$/)
    }
  })
})
