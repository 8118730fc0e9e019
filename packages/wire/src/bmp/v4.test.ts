import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PeerCodec } from '../bgp/peer-codec.ts'
import { bmp, hex, update } from '../testing/bytes.ts'
import { decodeBmpMessage, type BmpMessage, type DecodeOptions } from './message.ts'
import { parseV4TlvTable, V4_TLV_TABLES, type V4TlvTable } from './v4-tlv-table.ts'

const PEER = (type = '00', flags = '00'): string =>
  `${type} ${flags} 0000000000000000 000000000000000000000000 c0000202 0000fbf0 c0000203 6553f100 0000002a`

const ATTRIBUTES = '40 01 01 00 40 02 00 40 03 04 c0000201'
const PLAIN = update({ attributes: ATTRIBUTES, nlri: '18 cb0071' })
/** Path identifier 0: read plainly it is the default route four times over, then 203.0.113.66/32. */
const WITH_ID = update({ attributes: ATTRIBUTES, nlri: '00000000 20 cb007142' })

const be = (value: number): number[] => [value >> 8, value & 255]

function tlv(type: number, index: number, value: Uint8Array): number[] {
  return [...be(type), ...be(value.length), ...be(index), ...value]
}

function decode(tlvs: number[][], options: DecodeOptions = {}, peer = PEER()): BmpMessage {
  const bytes = bmp(0, Uint8Array.from([...hex(peer), ...tlvs.flat()]), 4)
  const decoded = decodeBmpMessage(bytes, 0, bytes.length, options)
  expect(JSON.parse(JSON.stringify(decoded))).toEqual(decoded)
  return decoded
}

const table = (name: string): V4TlvTable => {
  const found = parseV4TlvTable(name)
  if (found === undefined) throw new Error(name)
  return found
}

const VRF = hex('676c6f62616c')
const MARKING = hex('0000008a')
const ADD_PATH = hex('45 04 0001 01 01')
const GROUP = hex('0001 0002')

/** The same message in the code points of each table. */
function inTable({ types }: V4TlvTable): number[][] {
  const list = [
    tlv(types.stateless_parsing!, 0, ADD_PATH),
    tlv(types.group!, 0x8001, GROUP),
    tlv(types.vrf_table_name!, 0, VRF),
    tlv(types.bgp_pdu!, 0, WITH_ID),
  ]
  if (types.path_marking !== undefined) list.push(tlv(types.path_marking, 0x8001, MARKING))
  return list
}

describe('draft-ietf-grow-bmp-tlv: code points are a table', () => {
  test.each(V4_TLV_TABLES.map((each) => [each.name, each] as const))(
    '%s, chosen by name or found by what fits',
    (name, points) => {
      for (const options of [{ v4Tlvs: table(name) }, {}]) {
        const decoded = decode(inTable(points), options)
        if (decoded.kind !== 'route_monitoring') throw new Error(decoded.kind)
        expect({ ...decoded, tlvs: decoded.tlvs.slice(0, 3) }).toMatchObject({
          update: {
            announced: [{ routes: [{ nlri: '203.0.113.66/32', pathId: 0 }] }],
            addPathGuessed: false,
          },
          tlvs: [
            {
              name: 'stateless_parsing',
              capabilities: [{ kind: 'add_path', families: [{ afi: 1, safi: 1, sendReceive: 1 }] }],
            },
            { name: 'group', index: 0x8001, members: [1, 2] },
            { name: 'vrf_table_name', text: 'global', raw: '676c6f62616c' },
          ],
          errors: [],
          trailing: '',
        })
        if (points.types.path_marking !== undefined) {
          expect(decoded).toMatchObject({
            tlvs: [
              {},
              {},
              {},
              {
                name: 'path_marking',
                status: 0x8a,
                statuses: ['best', 'primary', 'add_path'],
                reason: null,
              },
            ],
          })
        }
      }
    },
  )
  test('draft-20 and draft-21: sequence number, timestamp, extended flags', () => {
    for (const name of ['draft-20', 'draft-21']) {
      const { types } = table(name)
      expect(
        decode(
          [
            tlv(types.sequence_number!, 0, hex('00000007')),
            tlv(types.timestamp!, 0, hex('6553f100 0000002a')),
            tlv(types.extended_flags!, 0, hex('40')),
            tlv(types.bgp_pdu!, 0, PLAIN),
          ],
          { v4Tlvs: table(name) },
        ),
      ).toMatchObject({
        tlvs: [
          { name: 'sequence_number', value: 7 },
          { name: 'timestamp', timestamp: '2023-11-14T22:13:20.000042Z' },
          { name: 'extended_flags', raw: '40' },
        ],
      })
    }
  })
  test('a table of one’s own', () => {
    const own = table('bgp_pdu=100, vrf_table_name=101,path_marking=102')
    expect(
      decode([tlv(101, 0, VRF), tlv(102, 0, hex('00000001 0001')), tlv(100, 0, PLAIN)], {
        v4Tlvs: own,
      }),
    ).toMatchObject({
      update: { announced: [{ routes: [{ nlri: '203.0.113.0/24' }] }] },
      tlvs: [
        { name: 'vrf_table_name' },
        { name: 'path_marking', statuses: ['invalid'], reason: 1, reasonName: 'as_loop' },
      ],
    })
  })
  test.each([
    ['draft-99', 'no BMP version 4 table "draft-99"'],
    ['bgp_pdu=7,colour=3', 'no TLV "colour"'],
    ['bgp_pdu=x', 'expected a type of 0 to 32767'],
    ['bgp_pdu=40000', 'expected a type of 0 to 32767'],
    ['group=4', 'bgp_pdu is missing'],
  ])('%s is told', (text, message) => {
    expect(() => parseV4TlvTable(text)).toThrow(message)
  })
  test('auto is no table', () => {
    expect(parseV4TlvTable('auto')).toBeUndefined()
  })
})

describe('draft-ietf-grow-bmp-tlv: a message', () => {
  const pmacct = { v4Tlvs: table('pmacct') }

  test('section 5.2.3: stateless parsing goes by direction, over the OPENs, for its families alone', () => {
    const offer = (afi: number) => ({
      capabilities: [
        {
          kind: 'add_path' as const,
          code: 69 as const,
          families: [{ afi, safi: 1, sendReceive: 3 }],
        },
      ],
    })
    const nobody = PeerCodec.fromOpens({ capabilities: [] }, { capabilities: [] })
    const out = (capability: string): BmpMessage =>
      decode([tlv(1, 0, hex(capability)), tlv(4, 0, WITH_ID)], { ...pmacct, codecOf: () => nobody }, PEER('00', '10')) // prettier-ignore
    expect(out('45 04 0001 01 02')).toMatchObject({ update: { addPathGuessed: false } })
    // Only received: Adj-RIB-Out has none by that, but the form shows them.
    expect(out('45 04 0001 01 01')).toMatchObject({ update: { addPathGuessed: true } })
    // Families that it doesn't list are as the OPENs have it.
    expect(
      decode([tlv(1, 0, hex('45 04 0002 01 03')), tlv(4, 0, WITH_ID)], {
        ...pmacct,
        codecOf: () => PeerCodec.fromOpens(offer(1), offer(1)),
      }),
    ).toMatchObject({
      update: { announced: [{ routes: [{ nlri: '203.0.113.66/32', pathId: 0 }] }] },
    })
  })

  test('without it, and without OPENs, only form counts', () => {
    expect(decode([tlv(4, 0, WITH_ID)], pmacct)).toMatchObject({
      update: { announced: [{ routes: [{}, {}, {}, {}, { nlri: '203.0.113.66/32' }] }] },
    })
  })

  test('section 4.1: the enterprise bit, and the number in front of the value', () => {
    expect(decode([tlv(0x8001, 0, hex('00007ed9 aabb')), tlv(4, 0, PLAIN)], pmacct)).toMatchObject({
      tlvs: [{ name: 'unknown', type: 1, enterprise: 32473, raw: 'aabb' }],
    })
    expect(decode([tlv(0x8001, 0, hex('aa')), tlv(4, 0, PLAIN)], pmacct)).toMatchObject({
      tlvs: [{ name: 'unknown', type: 0x8001, enterprise: null, raw: 'aa' }],
    })
  })

  test('what has not the form of its name is unknown, its neighbours are read', () => {
    expect(
      decode(
        [
          tlv(1, 0, hex('45 09 00')),
          tlv(2, 0, hex('0001')),
          tlv(5, 0, hex('01')),
          tlv(99, 7, hex('0102')),
          tlv(3, 0, VRF),
          tlv(4, 0, PLAIN),
          [0, 3, 0, 9, 0, 0, 1],
        ],
        pmacct,
      ),
    ).toMatchObject({
      update: { announced: [{ routes: [{ nlri: '203.0.113.0/24' }] }] },
      tlvs: [
        { name: 'unknown', type: 1, raw: '450900' },
        { name: 'unknown', type: 2 },
        { name: 'unknown', type: 5 },
        { name: 'unknown', type: 99, index: 7, raw: '0102' },
        { name: 'vrf_table_name', text: 'global' },
      ],
      trailing: '00030009000001',
      errors: [],
    })
  })

  test('no UPDATE is told, the other TLVs are there', () => {
    expect(decode([tlv(3, 0, VRF)], pmacct)).toMatchObject({
      update: null,
      tlvs: [{ name: 'vrf_table_name' }],
      errors: [{ code: 'MISSING' }],
    })
  })

  test('RFC 8654: an UPDATE of 65,535 octets', () => {
    const routes = Array.from({ length: (65535 - 37) / 5 }, (_, i) =>
      [32, 10, (i >> 16) & 255, (i >> 8) & 255, i & 255]
        .map((octet) => octet.toString(16).padStart(2, '0'))
        .join(''),
    )
    const pdu = update({ attributes: ATTRIBUTES, nlri: `${routes.join('')}08 0a 00` })
    expect(pdu.length).toBe(65535)
    expect(decode([tlv(4, 0, pdu)], pmacct)).toMatchObject({
      update: { announced: [{ routes: { length: routes.length + 2 } }] },
      errors: [],
    })
  })
})

describe('any bytes', () => {
  test('as TLVs of any table: decoded, or kept raw and told; JSON-ready', () => {
    const piece = fc.tuple(
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom(0, 1, 0x8001),
      fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.constantFrom(PLAIN, WITH_ID, ADD_PATH, GROUP)),
    )
    const options = [undefined, ...V4_TLV_TABLES].map((v4Tlvs) => ({ v4Tlvs }))
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        fc.uint8Array({ maxLength: 8 }),
        fc.constantFrom(...options),
        (pieces, rest, chosen) => {
          const tlvs = pieces.map(([type, index, value]) => tlv(type, index, value))
          expect(decode([...tlvs, [...rest]], chosen)).toMatchObject({ kind: 'route_monitoring' })
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('version 4 of the other messages', () => {
  const other = (type: number, body: string): BmpMessage => {
    const bytes = bmp(type, hex(body), 4)
    return decodeBmpMessage(bytes)
  }

  test('section 5.4: statistics in a TLV of their own, or as in version 3', () => {
    const report = '00000001 0007 0008 0000000000000100'
    const statistics = [{ type: 7, name: 'adj_rib_in_routes', value: 256 }]
    expect(other(1, `${PEER()} 0001 0010 ${report}`)).toMatchObject({ statistics, errors: [] })
    expect(other(1, `${PEER()} 0001 0010 ${report} 0002 0001 aa`)).toMatchObject({
      statistics,
      errors: [],
    })
    expect(other(1, `${PEER()} ${report}`)).toMatchObject({ statistics, errors: [] })
  })

  test('section 4.1: enterprise TLVs in Initiation and behind a Peer Down', () => {
    expect(other(4, '0002 0004 746f7231 8002 0006 00007ed9 aabb')).toMatchObject({
      sysName: 'tor1',
      information: [
        { name: 'sys_name', enterprise: null },
        { name: 'unknown', type: 2, enterprise: 32473, raw: 'aabb' },
      ],
    })
    expect(other(2, `${PEER()} 02 0012 0003 0004 76726631`)).toMatchObject({
      fsmEvent: 18,
      information: [{ name: 'vrf_table_name', text: 'vrf1' }],
    })
  })

  test('in version 3 the bit is part of the type', () => {
    const decoded = decodeBmpMessage(bmp(4, hex('8002 0006 00007ed9 aabb')))
    expect(decoded).toMatchObject({
      information: [{ type: 0x8002, enterprise: null, raw: '00007ed9aabb' }],
    })
  })
})

describe('version 3: Huawei’s path marking behind the PDU', () => {
  const trailing = (text: string): BmpMessage =>
    decodeBmpMessage(bmp(0, Uint8Array.from([...hex(PEER()), ...PLAIN, ...hex(text)])))
  test.each([
    ['status', 'ea62 0004 0000008a', { index: null, status: 0x8a, reason: null }],
    [
      'status and reason',
      'ea62 0006 00000004 0003',
      { status: 4, reason: 3, reasonName: 'local_pref' },
    ],
    ['index and status', 'ea62 0006 0000 00000002', { index: 0, status: 2, reason: null }],
    [
      'index, status and reason',
      'ea62 0008 0001 00000001 0002',
      { index: 1, status: 1, reason: 2 },
    ],
  ])('%s', (_, text, expected) => {
    expect(trailing(text)).toMatchObject({
      update: { announced: [{ routes: [{ nlri: '203.0.113.0/24' }] }] },
      tlvs: [{ name: 'path_marking', type: 0xea62, ...expected }],
      errors: [],
    })
  })
  test('another size, another type: as it is', () => {
    expect(trailing('ea62 0003 000000 0063 0001 aa')).toMatchObject({
      tlvs: [
        { name: 'unknown', raw: '000000' },
        { name: 'unknown', type: 99, raw: 'aa' },
      ],
    })
  })
})

describe('RFC 9736 section 3: a registry for each message', () => {
  test('Peer Up: string, table name, admin label; 1 and 2 are reserved there', () => {
    const open = 'ffffffffffffffffffffffffffffffff 001d 01 04 fbf0 00b4 c0000201 00'
    const tlvs = '0000 0001 61 0001 0001 62 0002 0001 63 0003 0001 64 0004 0001 65'
    const body = `${PEER()} ${'00'.repeat(16)} 00b3 00b3 ${open} ${open} ${tlvs}`
    expect(decodeBmpMessage(bmp(3, hex(body)))).toMatchObject({
      information: [
        { name: 'string', text: 'a' },
        { name: 'unknown', type: 1, raw: '62' },
        { name: 'unknown', type: 2, raw: '63' },
        { name: 'vrf_table_name', text: 'd' },
        { name: 'admin_label', text: 'e' },
      ],
    })
  })
})
