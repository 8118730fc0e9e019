import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BmpFramer } from '../bmp/framer.ts'
import { decodeBmpMessage, type BmpMessage } from '../bmp/message.ts'
import { PeerCodec } from '../bgp/peer-codec.ts'
import { detectInput } from '../capture/detect.ts'
import { DecodeError } from '../errors.ts'
import { hex, rejection, update } from '../testing/bytes.ts'
import { MrtDecoder, type MrtRecord } from './record.ts'
import { MrtReader } from './reader.ts'
import { MrtToBmp } from './to-bmp.ts'

const be = (value: number, octets: number): number[] =>
  Array.from({ length: octets }, (_, i) => Math.floor(value / 256 ** (octets - 1 - i)) & 255)

/** A record around a body, at 2023-11-14T22:13:20Z. */
function record(type: number, subtype: number, body: string | Uint8Array, seconds = 1700000000) {
  const octets = typeof body === 'string' ? hex(body) : body
  return Uint8Array.from([
    ...[...be(seconds, 4), ...be(type, 2), ...be(subtype, 2), ...be(octets.length, 4)],
    ...octets,
  ])
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

function decodeAll(file: Uint8Array): MrtRecord[] {
  const decoder = new MrtDecoder()
  const records: MrtRecord[] = []
  const reader = new MrtReader((header, bytes) => records.push(decoder.decode(header, bytes)))
  reader.push(file)
  return records
}

function only(file: Uint8Array): MrtRecord {
  const records = decodeAll(file)
  expect(records).toHaveLength(1)
  return records[0]!
}

/** What the BMP that it amounts to says. */
function asBmp(file: Uint8Array) {
  const messages: (BmpMessage & { readonly timeUs: number })[] = []
  const opened: { address: string; openedUs: number }[] = []
  const errors: DecodeError[] = []
  const others: string[] = []
  const codecs = new Map<string, PeerCodec>()
  let time = 0
  const framer = new BmpFramer((bytes, start, end) => {
    const codecOf = (header: { asn: number }) => codecs.get(String(header.asn))
    const message = decodeBmpMessage(bytes, start, end, { codecOf }, framer.view)
    if (message.kind === 'peer_up' && message.sentOpen && message.receivedOpen) {
      const codec = PeerCodec.fromOpens(message.sentOpen, message.receivedOpen)
      codecs.set(String(message.peer.asn), codec)
    }
    messages.push({ ...message, timeUs: time })
  })
  const adapter = new MrtToBmp({
    onOpen: (source) => opened.push(source),
    onData: (bytes, timeUs) => {
      time = timeUs
      framer.push(bytes)
      expect(framer.pending).toBe(0)
    },
    onError: (error) => errors.push(error),
    onOther: ({ type, subtype }) => others.push(`${type}/${subtype}`),
  })
  const reader = new MrtReader((header, bytes, offset) => adapter.record(header, bytes, offset))
  reader.push(file)
  adapter.flush()
  return { messages, opened, errors, others, reader }
}

const ORIGIN = '40 01 01 00'
const AS_PATH_4 = '40 02 06 02 01 fa56ea01' // 4200000001
const NEXT_HOP = '40 03 04 c0000201'
const UNICAST = update({ attributes: ORIGIN + AS_PATH_4 + NEXT_HOP, nlri: '18 c00002' })
const PEERS_4 = 'fa56ea01 0000fbf4 0000 0001 c0000201 c0000202'
const withPeers = (peers: string, message: Uint8Array) => join(hex(peers), message)

describe('RFC 6396 section 2: records', () => {
  const file = join(
    record(16, 4, withPeers(PEERS_4, UNICAST)),
    record(11, 0, 'ffff'),
    record(17, 4, join(hex('0001e240'), withPeers(PEERS_4, UNICAST))),
  )
  test('any chunking', () => {
    for (let size = 1; size < file.length + 1; size += 7) {
      const found: [number, number, number][] = []
      const reader = new MrtReader((header, _bytes, offset) =>
        found.push([header.type, header.microseconds, offset]),
      )
      for (let at = 0; at < file.length; at += size) reader.push(file.subarray(at, at + size))
      expect(found).toEqual([
        [16, 0, 0],
        [11, 0, 12 + 20 + UNICAST.length],
        [17, 123456, 12 + 20 + UNICAST.length + 14],
      ])
      expect(reader).toMatchObject({ pending: 0, offset: file.length, count: 3 })
    }
  })
  test('lost framing names the place; an end inside a record is pending', () => {
    const reader = new MrtReader(() => undefined)
    const lost = { code: 'FRAMING', offset: file.length + 4 }
    expect(rejection(() => reader.push(join(file, record(99, 0, ''))))).toMatchObject(lost)
    const cut = new MrtReader(() => undefined)
    cut.push(file.subarray(0, file.length - 1))
    expect(cut.pending).toBeGreaterThan(0)
  })
  test('told from other inputs by its first header', () => {
    expect(detectInput(file)).toBe('mrt')
    expect(detectInput(record(13, 1, '00000000 0000 0000'))).toBe('mrt')
    expect(detectInput(record(13, 99, '00000000 0000 0000'))).toBeUndefined()
    expect(detectInput(record(16, 4, ''))).toBeUndefined()
  })
})

describe('RFC 6396 section 4.4: BGP4MP', () => {
  test('_MESSAGE_AS4 in an _ET record', () => {
    const body = join(hex('0001e240'), withPeers(PEERS_4, UNICAST))
    expect(only(record(17, 4, body))).toMatchObject({
      kind: 'bgp4mp_message',
      timestamp: '2023-11-14T22:13:20.123456Z',
      type: 'BGP4MP_ET',
      peerAsn: 4200000001,
      localAsn: 64500,
      peerAddress: '192.0.2.1',
      localAddress: '192.0.2.2',
      local: false,
      addPath: false,
      asOctets: 4,
      message: { type: 'update', announced: [{ routes: [{ nlri: '192.0.2.0/24' }] }] },
      errors: [],
    })
    const { messages, opened, errors } = asBmp(record(17, 4, body))
    expect(opened).toEqual([{ address: '192.0.2.2', openedUs: 1700000000123456 }])
    expect(errors).toEqual([])
    expect(messages).toMatchObject([
      { kind: 'initiation', sysDescr: 'MRT of 192.0.2.2' },
      {
        kind: 'route_monitoring',
        timeUs: 1700000000123456,
        peer: {
          address: '192.0.2.1',
          asn: 4200000001,
          rib: 'adj_in_pre',
          timestamp: '2023-11-14T22:13:20.123456Z',
        },
        errors: [],
      },
    ])
  })
  test('_MESSAGE: two octets per AS; IPv6 peers; _LOCAL is Adj-RIB-Out', () => {
    const peers = `fbf1 fbf4 0000 0002 ${'20010db8'.padEnd(32, '0')} ${'20010db9'.padEnd(32, '0')}`
    const pdu = update({ attributes: `${ORIGIN} 40 02 04 0201fbf1 ${NEXT_HOP}`, nlri: '08 0a' })
    const file = join(record(16, 1, withPeers(peers, pdu)), record(16, 6, withPeers(peers, pdu)))
    expect(decodeAll(file)).toMatchObject([
      {
        asOctets: 2,
        local: false,
        peerAddress: '2001:db8::',
        message: { asOctets: 2 },
        errors: [],
      },
      { asOctets: 2, local: true, localAddress: '2001:db9::', errors: [] },
    ])
    expect(asBmp(file).messages.slice(1)).toMatchObject([
      { peer: { rib: 'adj_in_pre', address: '2001:db8::', asn: 64497 }, errors: [] },
      { peer: { rib: 'adj_out_post' }, errors: [] },
    ])
  })
  test('RFC 8050: path identifiers, agreed on in a Peer Up before', () => {
    const pdu = update({ attributes: ORIGIN + AS_PATH_4 + NEXT_HOP, nlri: '00000007 18 c00002' })
    const file = record(16, 9, withPeers(PEERS_4, pdu))
    expect(only(file)).toMatchObject({
      addPath: true,
      message: { addPathGuessed: false, announced: [{ routes: [{ pathId: 7 }] }] },
    })
    const { messages } = asBmp(join(file, file))
    expect(messages).toMatchObject([
      { kind: 'initiation' },
      { kind: 'peer_up', information: [{ text: expect.stringContaining('made up') }], errors: [] },
      { kind: 'route_monitoring', errors: [] },
      { kind: 'route_monitoring', errors: [] },
    ])
    expect(JSON.stringify(messages[2])).toContain('"pathId":7')
    expect(JSON.stringify(messages[2])).toContain('"addPathGuessed":false')
  })
  test('state changes are Peer Up and Peer Down, with the NOTIFICATION before', () => {
    const change = (from: number, to: number) => record(16, 5, `${PEERS_4} 000${from} 000${to}`)
    const cease = hex(`${'ff'.repeat(16)} 0015 03 06 02`)
    const file = join(
      change(1, 3),
      change(5, 6),
      record(16, 4, withPeers(PEERS_4, cease)),
      change(6, 1),
      change(5, 6),
      change(6, 7),
    )
    expect(decodeAll(file)[1]).toMatchObject({
      kind: 'bgp4mp_state_change',
      oldStateName: 'OpenConfirm',
      newStateName: 'Established',
    })
    expect(asBmp(file).messages).toMatchObject([
      { kind: 'initiation' },
      { kind: 'peer_up', receivedOpen: { asn: 4200000001 }, errors: [] },
      { kind: 'peer_down', reason: 3, errors: [] },
      { kind: 'peer_up', errors: [] },
      { kind: 'peer_down', reason: 2, errors: [] },
    ])
  })
  test('what is broken is told; what is not BGP goes on as an error', () => {
    const short = record(16, 4, 'fa56ea01 0000fbf4 0000 0001 c000')
    expect(only(short)).toMatchObject({ kind: 'unknown', errors: [{ code: 'TRUNCATED' }] })
    const good = record(16, 4, withPeers(PEERS_4, UNICAST))
    const { errors, messages } = asBmp(join(good, short))
    expect(errors).toMatchObject([{ code: 'TRUNCATED', offset: good.length + 12 + 12 }])
    expect(messages).toHaveLength(2)
    const noise = asBmp(record(16, 4, withPeers(PEERS_4, hex('010203'))))
    expect(noise.messages[1]).toMatchObject({ errors: [{ code: 'TRUNCATED' }] })
    const rest = join(UNICAST, hex('0102'))
    expect(only(record(16, 4, withPeers(PEERS_4, rest)))).toMatchObject({
      errors: [{ message: expect.stringContaining('2 octets after the BGP message') }],
    })
  })
})

describe('RFC 6396 section 4.3: TABLE_DUMP_V2', () => {
  /** Collector 192.0.2.9, view "v": an IPv4 peer with 4 octets of AS, an IPv6 peer with 2. */
  const INDEX = record(
    13,
    1,
    `c0000209 0001 76 0002
     02 c0000201 c0000201 fa56ea01
     01 c0000207 20010db8000000000000000000000007 fbf1`,
  )
  const entry = (peer: number, attributes: string, pathId = '') => {
    const octets = hex(attributes)
    return join(
      hex(`000${peer} 65000000 ${pathId} ${octets.length.toString(16).padStart(4, '0')}`),
      octets,
    )
  }
  const rib = (subtype: number, head: string, ...entries: readonly Uint8Array[]) =>
    record(13, subtype, join(hex(`00000005 ${head} 000${entries.length}`), ...entries))
  const V6 = '30 20010db80001'
  const ABBREVIATED = '80 0e 11 10 20010db8000000000000000000000001'
  const WHOLE = '80 0e 1c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001'

  test('RIB_IPV4_UNICAST: a Route Monitoring message per path, with the time of the path', () => {
    const file = join(
      INDEX,
      rib(
        2,
        '18 c00002',
        entry(0, ORIGIN + AS_PATH_4 + NEXT_HOP),
        entry(1, ORIGIN + AS_PATH_4 + NEXT_HOP),
      ),
    )
    expect(decodeAll(file)).toMatchObject([
      {
        kind: 'peer_index_table',
        collectorBgpId: '192.0.2.9',
        viewName: 'v',
        peers: [
          { address: '192.0.2.1', asn: 4200000001, bgpId: '192.0.2.1' },
          { address: '2001:db8::7', asn: 64497, bgpId: '192.0.2.7' },
        ],
      },
      {
        kind: 'rib',
        sequence: 5,
        family: 'ipv4-unicast',
        route: { nlri: '192.0.2.0/24' },
        entries: [
          { peerIndex: 0, originated: '2023-09-12T06:06:56.000000Z', nextHop: '192.0.2.1' },
          { peer: { address: '2001:db8::7' }, pathId: null },
        ],
        errors: [],
      },
    ])
    const { messages, opened, errors } = asBmp(file)
    expect(errors).toEqual([])
    expect(opened).toEqual([{ address: '192.0.2.9', openedUs: 1700000000e6 }])
    expect(messages).toMatchObject([
      { kind: 'initiation', sysName: 'v' },
      {
        kind: 'route_monitoring',
        timeUs: 1700000000e6,
        peer: {
          asn: 4200000001,
          bgpId: '192.0.2.1',
          rib: 'adj_in_post',
          timestamp: '2023-09-12T06:06:56.000000Z',
        },
        errors: [],
      },
      { peer: { address: '2001:db8::7', bgpId: '192.0.2.7' }, errors: [] },
    ])
  })
  test.each([
    ['section 4.3.4: next hop alone', ABBREVIATED],
    ['written whole all the same', WHOLE],
  ])('RIB_IPV6_UNICAST, MP_REACH_NLRI %s', (_, mpReach) => {
    const file = join(INDEX, rib(4, V6, entry(0, ORIGIN + AS_PATH_4 + mpReach)))
    const [, table] = decodeAll(file)
    expect(table).toMatchObject({
      family: 'ipv6-unicast',
      route: { nlri: '2001:db8:1::/48' },
      entries: [{ nextHop: '2001:db8::1' }],
      errors: [],
    })
    expect(asBmp(file).messages[1]).toMatchObject({ kind: 'route_monitoring', errors: [] })
    expect(JSON.stringify(asBmp(file).messages[1])).toContain('"nextHop":"2001:db8::1"')
  })
  test('RFC 8950: an IPv6 next hop of an IPv4 route', () => {
    const [, table] = decodeAll(
      join(INDEX, rib(2, '18 c00002', entry(0, ORIGIN + AS_PATH_4 + ABBREVIATED))),
    )
    expect(table).toMatchObject({
      family: 'ipv4-unicast',
      route: { nlri: '192.0.2.0/24' },
      entries: [{ nextHop: '2001:db8::1' }],
      errors: [],
    })
  })
  test('an attribute that can’t be delimited costs neither route nor next hop', () => {
    const broken = `${ORIGIN}${AS_PATH_4}${ABBREVIATED} c0 08 ff 0001`
    expect(decodeAll(join(INDEX, rib(4, V6, entry(0, broken))))[1]).toMatchObject({
      route: { nlri: '2001:db8:1::/48' },
      entries: [{ nextHop: '2001:db8::1' }],
      errors: [{ path: 'rib.entry(0).communities', code: 'BAD_LENGTH' }],
    })
  })
  test('RFC 8050: _ADDPATH', () => {
    const file = join(
      INDEX,
      rib(
        8,
        '18 c00002',
        entry(0, ORIGIN + AS_PATH_4 + NEXT_HOP, '00000007'),
        entry(0, ORIGIN + AS_PATH_4 + NEXT_HOP, '00000008'),
      ),
    )
    expect(decodeAll(file)[1]).toMatchObject({
      addPath: true,
      route: { nlri: '192.0.2.0/24', pathId: null },
      entries: [{ pathId: 7 }, { pathId: 8 }],
      errors: [],
    })
    const { messages } = asBmp(file)
    expect(messages.map(({ kind }) => kind)).toEqual([
      'initiation',
      'peer_up',
      'route_monitoring',
      'route_monitoring',
    ])
    expect(JSON.stringify(messages[3])).toContain('"pathId":8')
    expect(JSON.stringify(messages[3])).toContain('"addPathGuessed":false')
  })
  const EVPN =
    '0019 46 05 22 0001 c0000201 0001 00000000000000000000 00000000 18 0a010200 00000000 001388'
  const EVPN_NEXT_HOP = '80 0e 05 04 c0000201'
  test('RIB_GENERIC: EVPN', () => {
    expect(
      decodeAll(join(INDEX, rib(6, EVPN, entry(0, ORIGIN + AS_PATH_4 + EVPN_NEXT_HOP))))[1],
    ).toMatchObject({
      family: 'l2vpn-evpn',
      route: { nlri: '[5]:[192.0.2.1:1]:[0]:[24]:[10.1.2.0]' },
      entries: [{ nextHop: '192.0.2.1' }],
      errors: [],
    })
  })
  test('RIB_GENERIC_ADDPATH: path identifiers in the entries (GoBGP) or before the NLRI (RFC 8050)', () => {
    const attributes = ORIGIN + AS_PATH_4 + EVPN_NEXT_HOP
    const gobgp = rib(12, EVPN, entry(0, attributes, '00000007'))
    const rfc = rib(12, EVPN.replace(' 05', ' 00000007 05'), entry(0, attributes))
    for (const file of [gobgp, rfc]) {
      expect(decodeAll(join(INDEX, file))[1]).toMatchObject({
        addPath: true,
        route: { nlri: '[5]:[192.0.2.1:1]:[0]:[24]:[10.1.2.0]' },
        entries: [{ pathId: 7, nextHop: '192.0.2.1' }],
        errors: [],
      })
    }
  })
  test('a peer that the index has not; a family that can’t be delimited; another subtype', () => {
    const table = rib(
      2,
      '18 c00002',
      entry(9, ORIGIN + AS_PATH_4 + NEXT_HOP),
      entry(0, ORIGIN + AS_PATH_4 + NEXT_HOP),
    )
    expect(decodeAll(join(INDEX, table))[1]).toMatchObject({ entries: [{ peer: null }, {}] })
    const strange = rib(6, '0001 63 0102', entry(0, ORIGIN))
    const geo = record(13, 7, '00000000 0000 0000')
    const { messages, errors, others } = asBmp(join(INDEX, table, strange, geo))
    expect(messages.map(({ kind }) => kind)).toEqual(['initiation', 'route_monitoring'])
    expect(errors).toMatchObject([
      { detail: 'peer 9 is in no PEER_INDEX_TABLE' },
      { code: 'UNSUPPORTED', offset: INDEX.length + table.length + 12 + 7 },
    ])
    expect(others).toEqual(['13/7'])
  })
  test('a table of another collector is another session, the same one again is not', () => {
    const other = INDEX.slice()
    other[12 + 3] = 8
    const { opened } = asBmp(join(INDEX, INDEX, other))
    expect(opened.map(({ address }) => address)).toEqual(['192.0.2.9', '192.0.2.8'])
  })
  test('an UPDATE that would be longer than one can be', () => {
    const path = `5002 ff00 ${'02ff'.padEnd(4)}${'fa56ea01'.repeat(255)}`
    const many = hex(path)
    const rest = join(many.slice(0, 4 + 2 + 1020), new Uint8Array(0xff00 - 1022))
    const table = record(
      13,
      2,
      join(
        hex('00000005 18 c00002 0001 0000 65000000 ffff'),
        rest,
        new Uint8Array(0xffff - rest.length),
      ),
    )
    const { errors } = asBmp(join(INDEX, table))
    expect(errors).toMatchObject([{ code: 'BAD_LENGTH' }])
  })
})

test('RFC 6396 section 4.2: TABLE_DUMP', () => {
  const attributes = hex(`${ORIGIN} 40 02 04 0201fbf1 ${NEXT_HOP}`)
  const body = join(
    hex('0000 0003 c0000200 18 01 65000000 c0000201 fbf1'),
    Uint8Array.from(be(attributes.length, 2)),
    attributes,
  )
  const file = record(12, 1, body)
  expect(only(file)).toMatchObject({
    kind: 'table_dump',
    sequence: 3,
    route: { nlri: '192.0.2.0/24' },
    entries: [{ peer: { address: '192.0.2.1', asn: 64497, bgpId: '' }, nextHop: '192.0.2.1' }],
    errors: [],
  })
  expect(asBmp(file).messages[1]).toMatchObject({
    peer: { asn: 64497, rib: 'adj_in_post' },
    errors: [],
  })
})

describe('files of real daemons (test/fixtures/mrt)', () => {
  const fixture = (name: string) =>
    new URL(`../../../../test/fixtures/mrt/${name}`, import.meta.url)
  const NAMES = ['gobgp-updates', 'gobgp-table', 'bird-table', 'frr-all', 'frr-table']

  test.each(NAMES)('%s: unicast routes are those of bgpdump', (name) => {
    const expected = readFileSync(fixture(`${name}.bgpdump`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('|'))
      .filter((fields) => fields[2] !== 'STATE')
      .map((fields) => {
        const at = fields[0] === 'BGP4MP_AP' ? 7 : 6
        const pathId = at === 7 && fields[2] === 'A' ? fields[6]! : ''
        return fields[2] === 'W'
          ? [fields[1], 'W', ...fields.slice(3, 6)]
          : [fields[1], 'A', ...fields.slice(3, 6), pathId, fields[at], fields[at + 1]]
      })
    const found: (string | undefined)[][] = []
    for (const message of asBmp(readFileSync(fixture(`${name}.mrt`))).messages) {
      if (message.kind !== 'route_monitoring') continue
      const bgp = message.update
      if (bgp === null) continue
      const seconds = String(Math.floor(message.timeUs / 1e6))
      const { address, asn } = message.peer
      const from = [address, String(asn)]
      for (const group of bgp.withdrawn) {
        if (group.safi !== 1) continue
        for (const route of group.routes) found.push([seconds, 'W', ...from, route.nlri])
      }
      for (const group of bgp.announced) {
        if (group.safi !== 1) continue
        for (const route of group.routes) {
          const path = bgp.attributes.find((a) => a.kind === 'as_path')
          const origin = bgp.attributes.find((a) => a.kind === 'origin')
          const pathId =
            route.kind === 'prefix' && route.pathId !== null ? String(route.pathId) : ''
          const text = path?.kind === 'as_path' ? path.text : ''
          const code = origin?.kind === 'origin' ? origin.origin.toUpperCase() : 'INCOMPLETE'
          found.push([seconds, 'A', ...from, route.nlri, pathId, text, code])
        }
      }
    }
    // libbgpdump has no Loc-RIB: there the writer itself is a peer `::`.
    const own = expected.map((fields) =>
      fields.map((field, i) => (i === 2 && field === '::' ? '0.0.0.0' : field)),
    )
    expect(found).toEqual(own)
    expect(found.length).toBeGreaterThan(0)
  })
  test('FRR: an OPEN with half the AS number belongs to the session; state changes; a cut record', () => {
    const { messages, errors } = asBmp(readFileSync(fixture('frr-all.mrt')))
    expect(messages.map(({ kind }) => kind)).toEqual([
      'initiation',
      ...['peer_up', 'peer_up', 'route_monitoring', 'peer_down'],
      ...['peer_up', 'peer_up', 'route_monitoring', 'peer_down'],
    ])
    const up = messages[1]!
    expect(
      up.kind === 'peer_up' && up.receivedOpen?.capabilities.map(({ kind }) => kind),
    ).toContain('fqdn')
    expect(errors).toMatchObject([{ code: 'BAD_VALUE', offset: 1188 }])
  })
  test('GoBGP: EVPN and VPN from RIB_GENERIC', () => {
    const routes = decodeAll(readFileSync(fixture('gobgp-table.mrt'))).flatMap((each) =>
      each.kind === 'rib' ? [each.route?.nlri] : [],
    )
    expect(new Set(routes)).toEqual(
      new Set([
        '[2]:[64500:1]:[0]:[48]:[02:00:00:00:00:01]:[32]:[10.1.1.1]',
        '[5]:[64500:1]:[0]:[16]:[10.9.0.0]',
        '64500:7:10.3.0.0/16',
        '2001:db8:1::/48',
      ]),
    )
  })
  test('any bytes are decoded or rejected with a DecodeError, and what comes out frames as BMP', () => {
    const files = NAMES.map((name) => new Uint8Array(readFileSync(fixture(`${name}.mrt`))))
    const edits = fc.array(fc.tuple(fc.nat(1200), fc.nat(255)), { maxLength: 8 })
    fc.assert(
      fc.property(fc.constantFrom(...files), edits, (file, changes) => {
        const bytes = file.slice()
        for (const [at, octet] of changes) if (at < bytes.length) bytes[at] = octet
        try {
          decodeAll(bytes)
          asBmp(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
          expect(error).toMatchObject({ code: 'FRAMING', path: 'mrt' })
        }
      }),
      { numRuns: 1500 },
    )
  })
})
