import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PeerCodec } from '../bgp/peer-codec.ts'
import { bgp, bmp, hex, update } from '../testing/bytes.ts'
import { decodeBmpMessage, type BmpMessage } from './message.ts'
import { statisticName } from './msg-1-statistics.ts'
import { PeerHeader } from './peer-header.ts'

const NO_RD = '0000000000000000'
const V4_ADDRESS = '000000000000000000000000 c0000202'
const V6_ADDRESS = '20010db8000000000000000000000002'
const REST = 'fa56ea01 c0000203 6553f100 0000002a' // AS, BGP ID, seconds, microseconds

/** Per-peer header. */
function peer(type = '00', flags = '00', address = V4_ADDRESS, distinguisher = NO_RD): string {
  return `${type} ${flags} ${distinguisher} ${address} ${REST}`
}

function message(
  type: number,
  body: string,
  more: Uint8Array = new Uint8Array(0),
  version = 3,
): BmpMessage {
  const bytes = bmp(type, Uint8Array.from([...hex(body), ...more]), version)
  // In the middle of a larger buffer, as the framer hands it out.
  const wide = Uint8Array.from([0xee, 0xee, ...bytes, 0xee])
  const decoded = decodeBmpMessage(wide, 2, 2 + bytes.length)
  expect(decoded).toEqual(decodeBmpMessage(bytes))
  expect(JSON.parse(JSON.stringify(decoded))).toEqual(decoded)
  expect(decoded).toMatchObject({ version, length: bytes.length })
  return decoded
}

const OPEN = bgp(1, hex('04 5ba0 00b4 c0000201 08 02 06 41 04 fa56ea01'))

describe('RFC 7854 section 4.2: per-peer header', () => {
  test('IPv4', () => {
    expect(message(1, `${peer()} 00000000`)).toMatchObject({
      kind: 'statistics',
      peer: {
        type: 0,
        typeName: 'global',
        ipv6: false,
        rib: 'adj_in_pre',
        distinguisher: '',
        address: '192.0.2.2',
        asn: 4200000001,
        bgpId: '192.0.2.3',
        timestamp: '2023-11-14T22:13:20.000042Z',
      },
      errors: [],
    })
  })
  test('V flag: IPv6; peer type 1: route distinguisher', () => {
    expect(
      message(1, `${peer('01', '80', V6_ADDRESS, '0000fde800000064')} 00000000`),
    ).toMatchObject({
      peer: { typeName: 'rd', ipv6: true, address: '2001:db8::2', distinguisher: '65000:100' },
    })
  })
  test.each([
    ['00', '00', 'adj_in_pre', false],
    ['00', '40', 'adj_in_post', false],
    ['00', '20', 'adj_in_pre', true],
    ['00', '10', 'adj_out_pre', false],
    ['02', '50', 'adj_out_post', false],
    ['03', '00', 'loc_rib', false],
    ['03', 'e0', 'loc_rib', false],
  ])('type %s flags %s: %s (RFC 8671 section 4, RFC 9069 section 4.2)', (type, flags, rib, as2) => {
    const decoded = message(1, `${peer(type, flags)} 00000000`)
    expect(decoded).toMatchObject({ peer: { rib, as2 } })
    // RFC 9069 section 4.2: with type 3 the bit of V is F, and there are no others.
    if (type === '03') {
      expect(decoded).toMatchObject({
        peer: { filtered: flags === 'e0', ipv6: false, postPolicy: false, adjRibOut: false },
      })
    }
  })
  test('too short for one', () => {
    expect(message(0, '00 00 0000')).toMatchObject({
      kind: 'unknown',
      type: 0,
      raw: '00000000',
      errors: [{ code: 'TRUNCATED', path: 'peer_header', offset: 6, length: 4 }],
    })
  })
  test('numbers in place', () => {
    const bytes = bmp(0, hex(peer('00', '80', V6_ADDRESS)))
    const header = new PeerHeader()
    header.read(bytes, new DataView(bytes.buffer), 6)
    expect(header).toMatchObject({
      ribCode: 1,
      addressAt: 16,
      addressOctets: 16,
      bgpId: 0xc0000203,
      seconds: 1700000000,
    })
  })
})

describe('RFC 7854 section 4.6: Route Monitoring', () => {
  const pdu = update({ attributes: '40 01 01 00 40 02 06 02 01 0000fbf0', nlri: '18 cb0071' })

  test('an UPDATE', () => {
    expect(message(0, peer(), pdu)).toMatchObject({
      kind: 'route_monitoring',
      update: {
        endOfRib: null,
        announced: [
          {
            family: 'ipv4-unicast',
            nextHop: '',
            routes: [{ nlri: '203.0.113.0/24', pathId: null }],
          },
        ],
        withdrawn: [],
      },
      tlvs: [],
      trailing: '',
      errors: [],
    })
  })
  test('End-of-RIB', () => {
    expect(message(0, peer(), update({ attributes: '80 0f 03 0002 01' }))).toMatchObject({
      update: { endOfRib: { family: 'ipv6-unicast' } },
    })
  })
  test('TLVs behind the PDU stay raw and cost nothing (Huawei)', () => {
    const more = Uint8Array.from([...pdu, ...hex('ea62 0004 00000001 0001 0009 77')])
    expect(message(0, peer(), more)).toMatchObject({
      update: { announced: [{ routes: [{ nlri: '203.0.113.0/24' }] }] },
      tlvs: [{ type: 0xea62, index: null, raw: '00000001' }],
      trailing: '0001000977',
      errors: [],
    })
  })
  test('errors have offsets in the message, the clause and the octets', () => {
    const bad = update({ attributes: '40 01 01 07 40 02 00', nlri: '08 0a' })
    const decoded = message(0, peer(), bad)
    expect(decoded).toMatchObject({
      update: { announced: [{ routes: [{ nlri: '10.0.0.0/8' }] }] },
      errors: [
        {
          code: 'BAD_VALUE',
          path: 'origin',
          offset: 74,
          length: 1,
          raw: '07',
          handling: 'treat-as-withdraw',
        },
      ],
    })
    expect(decoded.errors[0]!.message).toContain(
      'origin 7, expected 0, 1 or 2 (RFC 7606 section 7.1)',
    )
  })
  test('a PDU that is no UPDATE', () => {
    expect(message(0, peer(), bgp(4, new Uint8Array(4)))).toMatchObject({
      errors: [{ code: 'UNSUPPORTED' }],
    })
  })
  test('the session knowledge is asked for by header', () => {
    const families = [{ afi: 1, safi: 1, sendReceive: 3 }]
    const open = { capabilities: [{ kind: 'add_path' as const, code: 69 as const, families }] }
    const identified = update({ attributes: '40 01 01 00 40 02 00', nlri: '00000001 08 0a' })
    const bytes = bmp(0, Uint8Array.from([...hex(peer()), ...identified]))
    const asked: number[] = []
    const codecOf = (header: PeerHeader): PeerCodec => {
      asked.push(header.asn)
      return PeerCodec.fromOpens(open, open)
    }
    expect(decodeBmpMessage(bytes, 0, bytes.length, { codecOf })).toMatchObject({
      update: {
        announced: [{ routes: [{ nlri: '10.0.0.0/8', pathId: 1 }] }],
        addPathGuessed: false,
      },
    })
    expect(asked).toEqual([4200000001])
  })

  describe('version 4 (draft-ietf-grow-bmp-tlv)', () => {
    const tlv = (type: string, value: Uint8Array): number[] => [
      ...hex(type),
      value.length >> 8,
      value.length & 255,
      0,
      0,
      ...value,
    ]
    const group = tlv('0002', hex('00010002'))
    const expected = {
      kind: 'route_monitoring',
      update: { announced: [{ routes: [{ nlri: '203.0.113.0/24' }] }] },
      tlvs: [{ type: 2, index: 0, raw: '00010002' }],
      trailing: '',
      errors: [],
    }
    test('the UPDATE is the TLV of the configured type', () => {
      expect(message(0, peer(), Uint8Array.from([...group, ...tlv('0004', pdu)]), 4)).toMatchObject(
        expected,
      )
    })
    test('or of another type, if it looks like a BGP message', () => {
      expect(message(0, peer(), Uint8Array.from([...tlv('0007', pdu), ...group]), 4)).toMatchObject(
        expected,
      )
    })
    test('none is an error, not a lost session', () => {
      expect(message(0, peer(), Uint8Array.from(group), 4)).toMatchObject({
        update: null,
        errors: [{ code: 'MISSING', path: 'route_monitoring', offset: 48 }],
      })
    })
  })
})

describe('RFC 7854 section 4.8: Statistics', () => {
  test('U32, U64, per family, and a length that is none of these', () => {
    expect(
      message(
        1,
        `${peer()} 00000005
         0000 0004 00000007
         0007 0008 0000000000000100
         0009 000b 0001 01 0000000000000005
         fffb 0004 00000001
         0008 0008 ffffffffffffffff`,
      ),
    ).toMatchObject({
      statistics: [
        { type: 0, name: 'prefixes_rejected_by_policy', value: 7 },
        { type: 7, name: 'adj_rib_in_routes', value: 256 },
        { type: 9, name: 'adj_rib_in_routes_per_family', afi: 1, safi: 1, value: 5 },
        { type: 65531, name: 'frr_next_hop_invalid', value: 1 },
        { type: 8, value: '18446744073709551615' },
      ],
      errors: [],
    })
    expect(message(1, `${peer()} 00000001 0063 0002 0102`)).toMatchObject({
      statistics: [{ type: 99, name: 'type_99', value: null, raw: '0102' }],
      errors: [],
    })
  })
  test('RFC 9972 names, unassigned numbers', () => {
    expect(statisticName(18)).toBe('adj_rib_in_pre_policy_routes')
    expect(statisticName(27)).toBe('stale_by_gr_per_family')
    expect(statisticName(43)).toBe('adj_rib_out_rpki_not_found_per_family')
    expect(statisticName(24)).toBe('type_24')
  })
  test('a count that is wrong, and one that is cut off', () => {
    expect(message(1, `${peer()} 00000002 0000 0004 00000007`)).toMatchObject({
      statistics: [{ value: 7 }],
      errors: [{ code: 'BAD_VALUE', offset: 48 }],
    })
    expect(message(1, `${peer()} 00000001 0000 0004 0000`)).toMatchObject({
      statistics: [],
      errors: [{ code: 'TRUNCATED', offset: 56 }],
    })
  })
})

describe('RFC 7854 section 4.9: Peer Down', () => {
  const shutdown = bgp(3, hex('06 02 05 68656c6c6f'))

  test.each([
    [1, 'local_notification'],
    [3, 'remote_notification'],
  ])('reason %i: a NOTIFICATION, RFC 9003 shutdown communication', (reason, reasonName) => {
    expect(message(2, `${peer()} 0${reason}`, shutdown)).toMatchObject({
      kind: 'peer_down',
      reason,
      reasonName,
      notification: {
        code: 6,
        subcode: 2,
        name: 'cease',
        subcodeName: 'administrative_shutdown',
        communication: 'hello',
        hardReset: null,
        data: '0568656c6c6f',
      },
      fsmEvent: null,
      errors: [],
    })
  })
  test('RFC 8538 section 3: hard reset has the reason inside', () => {
    expect(message(2, `${peer()} 03`, bgp(3, hex('06 09 06 04 02 6f6b')))).toMatchObject({
      notification: {
        subcodeName: 'hard_reset',
        hardReset: { code: 6, subcode: 4, name: 'administrative_reset' },
        communication: 'ok',
      },
    })
  })
  test('reason 2: an event of the state machine; reasons 4 and 5: nothing', () => {
    expect(message(2, `${peer()} 02 0018`)).toMatchObject({
      fsmEvent: 24,
      notification: null,
      errors: [],
    })
    expect(message(2, `${peer()} 04`)).toMatchObject({
      reasonName: 'remote_no_notification',
      errors: [],
    })
    expect(message(2, `${peer()} 05`)).toMatchObject({
      reasonName: 'peer_deconfigured',
      errors: [],
    })
  })
  test('reason 6: information (RFC 9069 section 5.3)', () => {
    expect(message(2, `${peer('03')} 06 0003 0007 64656661756c74`)).toMatchObject({
      reasonName: 'loc_rib_closed',
      information: [{ name: 'vrf_table_name', text: 'default' }],
    })
  })
  test('a reason that is not known, octets where none belong', () => {
    expect(message(2, `${peer()} 63 0102`)).toMatchObject({
      reasonName: 'reason_99',
      raw: '0102',
      errors: [],
    })
    expect(message(2, `${peer()} 04 0102`)).toMatchObject({ reason: 4, raw: '0102' })
  })
  test('a NOTIFICATION that is missing or broken leaves the reason', () => {
    expect(message(2, `${peer()} 01`)).toMatchObject({ reason: 1, notification: null, errors: [] })
    expect(message(2, `${peer()} 01`, shutdown.subarray(0, 20))).toMatchObject({
      reason: 1,
      notification: null,
      errors: [{ code: 'BAD_LENGTH' }],
    })
    expect(message(2, peer())).toMatchObject({
      kind: 'unknown',
      errors: [{ code: 'TRUNCATED', offset: 48 }],
    })
  })
})

describe('RFC 7854 section 4.10: Peer Up', () => {
  const local = '000000000000000000000000 c0000201 00b3 c350'
  const opens = Uint8Array.from([...OPEN, ...OPEN])

  test('both OPENs, ports, and no information', () => {
    expect(message(3, `${peer()} ${local}`, opens)).toMatchObject({
      kind: 'peer_up',
      localAddress: '192.0.2.1',
      localPort: 179,
      remotePort: 50000,
      sentOpen: { asn: 4200000001, holdTimeS: 180, bgpId: '192.0.2.1' },
      receivedOpen: { capabilities: [{ kind: 'as4', asn: 4200000001 }] },
      information: [],
      vrfTableName: '',
      errors: [],
    })
  })
  test('information: FRR’s description (0), table name (RFC 9069), admin label (RFC 9736), unknown', () => {
    const tlvs = hex('0000 0005 6e6f646531 0003 0004 76726631 0004 0001 78 0063 0002 0102')
    expect(message(3, `${peer()} ${local}`, Uint8Array.from([...opens, ...tlvs]))).toMatchObject({
      information: [
        { type: 0, name: 'string', text: 'node1' },
        { type: 3, name: 'vrf_table_name', text: 'vrf1' },
        { type: 4, name: 'admin_label', text: 'x' },
        { type: 99, name: 'unknown', text: '', raw: '0102' },
      ],
      vrfTableName: 'vrf1',
      errors: [],
    })
  })
  test('over IPv6', () => {
    expect(
      message(
        3,
        `${peer('00', '80', V6_ADDRESS)} 20010db8000000000000000000000001 0000 0000`,
        opens,
      ),
    ).toMatchObject({ localAddress: '2001:db8::1' })
  })
  test('an OPEN of a header alone is one that the router has not kept (FRR), no error', () => {
    const empty = bgp(1, new Uint8Array(0))
    expect(message(3, `${peer()} ${local}`, Uint8Array.from([...empty, ...OPEN]))).toMatchObject({
      sentOpen: null,
      receivedOpen: { asn: 4200000001 },
      errors: [],
    })
    expect(message(3, `${peer()} ${local}`, Uint8Array.from([...OPEN, ...empty]))).toMatchObject({
      sentOpen: { asn: 4200000001 },
      receivedOpen: null,
      errors: [],
    })
  })
  test('an OPEN that is no OPEN, or cut short, costs only itself', () => {
    const keepalive = bgp(4, new Uint8Array(0))
    expect(
      message(3, `${peer()} ${local}`, Uint8Array.from([...keepalive, ...OPEN])),
    ).toMatchObject({
      sentOpen: null,
      receivedOpen: { asn: 4200000001 },
      errors: [{ path: 'peer_up.sent_open', code: 'BAD_VALUE' }],
    })
    const short = bgp(1, new Uint8Array(3))
    expect(message(3, `${peer()} ${local}`, Uint8Array.from([...short, ...OPEN]))).toMatchObject({
      sentOpen: null,
      errors: [{ path: 'peer_up.sent_open', code: 'TRUNCATED' }],
    })
  })
  test('cut off: what is there', () => {
    expect(message(3, `${peer()} ${local}`, opens.subarray(0, OPEN.length + 5))).toMatchObject({
      localPort: 179,
      sentOpen: { asn: 4200000001 },
      receivedOpen: null,
      errors: [{ code: 'TRUNCATED' }],
    })
  })
})

describe('RFC 7854 section 4.3 to 4.5: Initiation and Termination', () => {
  test('sysName and sysDescr, in any order, control characters kept', () => {
    expect(message(4, '0002 0004 746f7231 0001 0002 0a41 0000 0002 6869')).toMatchObject({
      kind: 'initiation',
      sysName: 'tor1',
      sysDescr: '\nA',
      information: [{}, {}, { name: 'string', text: 'hi' }],
      errors: [],
    })
  })
  test('bytes that are no UTF-8 do not stop it; a TLV that is cut off leaves the others', () => {
    expect(message(4, '0002 0002 ff41 0001 0009 41')).toMatchObject({
      sysName: '�A',
      sysDescr: '',
      errors: [{ path: 'initiation', code: 'TRUNCATED', spec: 'RFC 7854 section 4.3' }],
    })
  })
  test('reason and text', () => {
    expect(message(5, '0000 0003 627965 0001 0002 0003')).toMatchObject({
      kind: 'termination',
      reason: 3,
      reasonName: 'redundant_connection',
      text: 'bye',
      others: [],
    })
    expect(message(5, '')).toMatchObject({ reason: null, reasonName: '', text: '', errors: [] })
  })
})

describe('RFC 7854 section 4.7: Route Mirroring', () => {
  test('BGP messages of any type, messages lost, unknown TLVs', () => {
    const keepalive = bgp(4, new Uint8Array(0))
    const pdu = update({ withdrawn: '08 0a' })
    const refresh = bgp(5, hex('0019 00 46'))
    const strange = bgp(9, hex('aa'))
    const tlv = (bytes: Uint8Array): number[] => [
      0,
      0,
      bytes.length >> 8,
      bytes.length & 255,
      ...bytes,
    ]
    const more = Uint8Array.from([
      ...[keepalive, pdu, refresh, strange].flatMap(tlv),
      ...hex('0001 0002 0001 0063 0001 ff'),
    ])
    expect(message(6, peer(), more)).toMatchObject({
      kind: 'route_mirroring',
      messagesLost: true,
      tlvs: [
        { name: 'bgp_message', message: { type: 'keepalive' } },
        { message: { type: 'update', withdrawn: [{ routes: [{ nlri: '10.0.0.0/8' }] }] } },
        { message: { type: 'route_refresh', family: 'l2vpn-evpn', subtypeName: 'request' } },
        { message: { type: 'unknown', typeCode: 9, raw: 'aa' } },
        { name: 'information', code: 1, meaning: 'messages_lost' },
        { type: 99, name: 'unknown', raw: 'ff' },
      ],
      errors: [],
    })
  })
  test('an errored PDU is kept raw beside its error', () => {
    expect(message(6, `${peer()} 0000 0003 010203 0001 0002 0000`)).toMatchObject({
      tlvs: [
        { type: 0, name: 'unknown', raw: '010203' },
        { name: 'information', meaning: 'errored_pdu' },
      ],
      errors: [{ code: 'TRUNCATED', path: 'route_mirroring.tlv(0)' }],
    })
  })
  test('a mirrored UPDATE has the session’s AS width, not the A flag’s', () => {
    const two = update({ attributes: '40 02 04 02 01 fbf0' })
    const bytes = bmp(6, Uint8Array.from([...hex(peer()), 0, 0, 0, two.length, ...two]))
    const none = { capabilities: [] }
    const codecOf = (): PeerCodec => PeerCodec.fromOpens(none, none)
    expect(decodeBmpMessage(bytes, 0, bytes.length, { codecOf })).toMatchObject({
      tlvs: [{ message: { asOctets: 2, asWidthLied: false } }],
    })
  })
})

describe('anything else', () => {
  test('a type that is not known', () => {
    expect(message(7, '0102')).toEqual({
      kind: 'unknown',
      type: 7,
      version: 3,
      length: 8,
      raw: '0102',
      errors: [expect.objectContaining({ code: 'UNSUPPORTED', offset: 5 })],
    })
  })
  test('any bytes of any type are a message', () => {
    fc.assert(
      fc.property(
        fc.nat(8),
        fc.constantFrom(3, 4),
        fc.boolean(),
        fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0, 0, 1, 2, 4, 255)), { maxLength: 200 }),
        (type, version, withPeer, noise) => {
          const body = Uint8Array.from([...(withPeer ? hex(peer()) : []), ...noise])
          const bytes = bmp(type, body, version)
          const decoded = decodeBmpMessage(bytes)
          JSON.stringify(decoded)
          for (const error of decoded.errors) {
            expect(error.offset).toBeGreaterThanOrEqual(0)
            expect(error.offset + error.length).toBeLessThanOrEqual(bytes.length)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })
  test('any damage to a good message is survived', () => {
    const pdu = update({
      withdrawn: '08 0a',
      attributes:
        '40 01 01 00 50 02 0006 02 01 0000fbf0 80 0e 0e 0002 01 00 00 40 20010db800000001 c0 08 04 fde80001',
      nlri: '18 cb0071',
    })
    const good = bmp(0, Uint8Array.from([...hex(peer()), ...pdu]))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(30),
        (edits, cut) => {
          const bytes = good.slice(0, good.length - cut)
          for (const [at, octet] of edits) if (at < bytes.length) bytes[at] = octet
          JSON.stringify(decodeBmpMessage(bytes))
        },
      ),
      { numRuns: 3000 },
    )
  })
})
