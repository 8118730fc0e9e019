import { describe, expect, test } from 'vitest'
import { esiOctets, ipOctets, macOctets, prefixParts, rdOctets } from './address.ts'
import {
  encodeInitiation,
  encodePeerDown,
  encodePeerUp,
  encodeRouteMonitoring,
  encodeStatistics,
  encodeTermination,
  type BmpPeer,
} from './bmp.ts'
import { encodeExtCommunity, type ExtCommunity } from './ext-community.ts'
import { encodeNlri, NO_ESI } from './nlri.ts'
import { encodeNotification, encodeOpen } from './open.ts'
import { encodeAnnouncements, encodeEndOfRib, encodeWithdrawals } from './update.ts'

/** Hex as in a capture: blanks don't count. The right side of every test is written by hand. */
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')
const by = (text: string): string => text.replace(/\s/g, '')
const MARKER = 'ffffffffffffffffffffffffffffffff'

describe('addresses', () => {
  test.each([
    ['192.0.2.1', 'c0000201'],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['fe80::a:b', 'fe8000000000000000000000000a000b'],
  ])('%s', (text, octets) => {
    expect(hex(ipOctets(text))).toBe(octets)
  })

  test.each(['192.0.2', '192.0.2.256', '2001:db8:1', '1::2::3', 'x::'])('rejects %s', (text) => {
    expect(() => ipOctets(text)).toThrow(RangeError)
  })

  test('rejects what is no MAC address, ESI, RD or prefix', () => {
    expect(() => macOctets('00:11:22')).toThrow(RangeError)
    expect(() => esiOctets('00:11')).toThrow(RangeError)
    expect(() => rdOctets('65000')).toThrow(RangeError)
    expect(() => prefixParts('192.0.2.0/33')).toThrow(RangeError)
  })

  test('RFC 4364 section 4.2: the three types of route distinguisher', () => {
    expect(hex(rdOctets('65000:100'))).toBe(by('0000 fde8 00000064'))
    expect(hex(rdOctets('192.0.2.1:100'))).toBe(by('0001 c0000201 0064'))
    expect(hex(rdOctets('4200000001:100'))).toBe(by('0002 fa56ea01 0064'))
  })
})

describe('RFC 4271', () => {
  test('section 4.2: OPEN with capabilities; a four-octet AS goes as AS_TRANS (RFC 6793)', () => {
    const open = encodeOpen({
      asn: 4_200_000_001,
      holdSeconds: 9,
      bgpId: '192.0.2.1',
      capabilities: [
        { kind: 'multiprotocol', family: 'evpn' },
        { kind: 'route-refresh' },
        { kind: 'extended-next-hop' },
        { kind: 'graceful-restart', seconds: 120, families: ['ipv4'], notification: true },
        { kind: 'as4', asn: 4_200_000_001 },
        { kind: 'add-path', families: ['ipv6'], mode: 3 },
      ],
    })
    expect(hex(open)).toBe(
      by(`${MARKER} 004d 01  04 5ba0 0009 c0000201 30
          02 06 01 04 0019 00 46
          02 02 02 00
          02 08 05 06 0001 0001 0002
          02 08 40 06 4078 0001 01 80
          02 06 41 04 fa56ea01
          02 06 45 04 0002 01 03`),
    )
  })

  test('section 4.3: UPDATE of two prefixes; only the octets that the length needs', () => {
    const [update, ...rest] = encodeAnnouncements(
      'ipv4',
      {
        origin: 2,
        asPath: [65_001, 4_200_000_001],
        nextHop: '192.0.2.1',
        med: 20,
        localPref: 100,
        communities: ['65535:0'],
        largeCommunities: ['64496:1:2'],
        originatorId: '192.0.2.9',
        clusterList: ['192.0.2.8', '192.0.2.7'],
      },
      [
        { family: 'ipv4', prefix: '198.51.100.0/25' },
        { family: 'ipv4', prefix: '10.0.0.0/8' },
      ],
    )
    expect(rest).toEqual([])
    expect(hex(update)).toBe(
      by(`${MARKER} 006c 02 0000 004e
          40 01 01 02
          40 02 0a 02 02 0000fde9 fa56ea01
          40 03 04 c0000201
          80 04 04 00000014
          40 05 04 00000064
          c0 08 04 ffff0000
          80 09 04 c0000209
          80 0a 08 c0000208 c0000207
          c0 20 0c 0000fbf0 00000001 00000002
          19 c6336400 08 0a`),
    )
  })

  test('section 4.3: withdrawal; and NOTIFICATION of section 4.5', () => {
    expect(hex(encodeWithdrawals('ipv4', [{ family: 'ipv4', prefix: '192.0.2.1/32' }])[0])).toBe(
      by(`${MARKER} 001c 02 0005 20 c0000201 0000`),
    )
    expect(hex(encodeNotification(4, 0))).toBe(by(`${MARKER} 0015 03 04 00`))
  })

  test('section 4: no message above 4096 octets, and no route lost to that', () => {
    const nlri = Array.from({ length: 2_000 }, (_, i) => ({
      family: 'ipv4' as const,
      prefix: `10.${i >> 8}.${i & 255}.1/32`,
    }))
    const updates = encodeAnnouncements(
      'ipv4',
      { origin: 0, asPath: [], nextHop: '192.0.2.1' },
      nlri,
    )
    expect(Math.max(...updates.map((update) => update.length))).toBeLessThanOrEqual(4_096)
    // 19 header, 4 lengths, 4 + 3 + 7 attributes
    const routes = updates.reduce((sum, update) => sum + (update.length - 37) / 5, 0)
    expect(routes).toBe(2_000)
  })
})

describe('RFC 4760 and RFC 7911', () => {
  test('section 3: MP_REACH_NLRI for IPv6', () => {
    const [update] = encodeAnnouncements(
      'ipv6',
      { origin: 0, asPath: [], nextHop: '2001:db8::1' },
      [{ family: 'ipv6', prefix: '2001:db8:1::/48' }],
    )
    expect(hex(update)).toBe(
      by(`${MARKER} 003d 02 0000 0026
          40 01 01 00  40 02 00
          80 0e 1c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001`),
    )
  })

  test('section 4: MP_UNREACH_NLRI', () => {
    const [update] = encodeWithdrawals('ipv6', [{ family: 'ipv6', prefix: '::/0' }])
    expect(hex(update)).toBe(by(`${MARKER} 001e 02 0000 0007 80 0f 04 0002 01 00`))
  })

  test('RFC 7911 section 3: path identifier in front', () => {
    expect(hex(encodeNlri({ family: 'ipv4', prefix: '10.0.0.0/8', pathId: 7 }))).toBe(
      by('00000007 08 0a'),
    )
  })
})

describe('RFC 4724', () => {
  test('section 2: End-of-RIB', () => {
    expect(hex(encodeEndOfRib('ipv4'))).toBe(by(`${MARKER} 0017 02 0000 0000`))
    expect(hex(encodeEndOfRib('evpn'))).toBe(by(`${MARKER} 001d 02 0000 0006 80 0f 03 0019 46`))
  })
})

describe('RFC 7432 and RFC 9136', () => {
  const rd = '192.0.2.1:100'
  const RD = '0001 c0000201 0064'
  const ESI = '00:11:22:33:44:55:66:77:88:99'
  const ESI_HEX = '00112233445566778899'

  test('section 7.1: Ethernet Auto-Discovery', () => {
    expect(
      hex(encodeNlri({ family: 'evpn', type: 1, rd, esi: ESI, tag: 0xffffffff, label: 0 })),
    ).toBe(by(`01 19 ${RD} ${ESI_HEX} ffffffff 000000`))
  })

  test('section 7.2: MAC/IP with two labels', () => {
    const route = {
      family: 'evpn',
      type: 2,
      rd,
      esi: NO_ESI,
      tag: 0,
      mac: '52:54:00:00:00:11',
      ip: '198.51.100.17',
      label: 100,
      label2: 5001,
    } as const
    expect(hex(encodeNlri(route))).toBe(
      by(`02 28 ${RD} 00000000000000000000 00000000 30 525400000011 20 c6336411 000064 001389`),
    )
  })

  test('section 7.2: MAC alone', () => {
    expect(
      hex(
        encodeNlri({
          family: 'evpn',
          type: 2,
          rd,
          esi: NO_ESI,
          tag: 0,
          mac: '52:54:00:00:00:11',
          label: 100,
        }),
      ),
    ).toBe(by(`02 21 ${RD} 00000000000000000000 00000000 30 525400000011 00 000064`))
  })

  test('section 7.3: Inclusive Multicast; section 7.4: Ethernet Segment', () => {
    expect(hex(encodeNlri({ family: 'evpn', type: 3, rd, tag: 0, ip: '192.0.2.1' }))).toBe(
      by(`03 11 ${RD} 00000000 20 c0000201`),
    )
    expect(hex(encodeNlri({ family: 'evpn', type: 4, rd, esi: ESI, ip: '192.0.2.1' }))).toBe(
      by(`04 17 ${RD} ${ESI_HEX} 20 c0000201`),
    )
  })

  test('RFC 9136 section 3.1: IP prefix, 34 octets for IPv4 and 58 for IPv6', () => {
    const route = { family: 'evpn', type: 5, rd, esi: NO_ESI, tag: 0, label: 5001 } as const
    expect(hex(encodeNlri({ ...route, prefix: '198.51.100.0/26', gateway: '192.0.2.9' }))).toBe(
      by(`05 22 ${RD} 00000000000000000000 00000000 1a c6336400 c0000209 001389`),
    )
    expect(hex(encodeNlri({ ...route, prefix: '2001:db8::/32', gateway: '' }))).toBe(
      by(`05 3a ${RD} 00000000000000000000 00000000 20
          20010db8000000000000000000000000 00000000000000000000000000000000 001389`),
    )
  })

  test('PMSI_TUNNEL (RFC 6514 section 5) after the extended communities', () => {
    const [update] = encodeAnnouncements(
      'evpn',
      {
        origin: 0,
        asPath: [],
        nextHop: '192.0.2.1',
        localPref: 100,
        extCommunities: [{ kind: 'encap', tunnel: 8 }],
        pmsi: { label: 100, endpoint: '192.0.2.1' },
      },
      [{ family: 'evpn', type: 3, rd, tag: 0, ip: '192.0.2.1' }],
    )
    expect(hex(update)).toBe(
      by(`${MARKER} 005b 02 0000 0044
          40 01 01 00  40 02 00  40 05 04 00000064
          80 0e 1c 0019 46 04 c0000201 00 03 11 ${RD} 00000000 20 c0000201
          c0 10 08 030c 00000000 0008
          c0 16 09 00 06 000064 c0000201`),
    )
  })
})

describe('extended communities', () => {
  test.each<[string, ExtCommunity, string]>([
    ['RFC 4360 4', { kind: 'rt', value: '65000:5001' }, '0002 fde8 00001389'],
    ['RFC 4360 4', { kind: 'rt', value: '192.0.2.1:7' }, '0102 c0000201 0007'],
    ['RFC 5668 2', { kind: 'rt', value: '4200000001:7' }, '0202 fa56ea01 0007'],
    ['RFC 9135 8.1', { kind: 'rmac', mac: '02:00:0a:ff:01:01' }, '0603 02000aff0101'],
    ['RFC 7432 7.7', { kind: 'mobility', sequence: 4 }, '0600 00 00 00000004'],
    ['RFC 7432 7.7', { kind: 'mobility', sequence: 0, sticky: true }, '0600 01 00 00000000'],
    ['RFC 7432 7.5', { kind: 'esi-label', label: 16, singleActive: true }, '0601 01 0000 000010'],
    ['RFC 7432 7.6', { kind: 'es-import', mac: '11:22:33:44:55:66' }, '0602 112233445566'],
    ['RFC 7432 7.8', { kind: 'default-gateway' }, '030d 000000000000'],
    ['RFC 9012 4.1', { kind: 'encap', tunnel: 8 }, '030c 00000000 0008'],
    [
      'link bandwidth',
      { kind: 'link-bandwidth', asn: 65_000, octetsPerSecond: 1.25e9, transitive: false },
      '4004 fde8 4e9502f9',
    ],
  ])('%s: %j', (_, community, octets) => {
    expect(hex(encodeExtCommunity(community))).toBe(by(octets))
  })
})

describe('RFC 7854', () => {
  const peer: BmpPeer = {
    type: 0,
    distinguisher: new Uint8Array(8),
    address: '192.0.2.1',
    asn: 64_496,
    bgpId: '192.0.2.2',
  }
  const US = 1_795_262_400_000_123
  const header = (type: string, flags: string, address: string): string =>
    `${type} ${flags} 0000000000000000 ${address} 0000fbf0 c0000202 6b0187c0 0000007b`
  const V4 = '000000000000000000000000c0000201'
  const V6 = '20010db8000000000000000000000001'

  test('section 4.3: Initiation; section 4.5: Termination', () => {
    expect(hex(encodeInitiation('sim', 'tor1'))).toBe(
      by('03 00000015 04 0001 0003 73696d 0002 0004 746f7231'),
    )
    expect(hex(encodeTermination(0))).toBe(by('03 0000000c 05 0001 0002 0000'))
  })

  test('sections 4.2 and 4.6: Route Monitoring, pre-policy IPv4 and post-policy IPv6', () => {
    const eor = encodeEndOfRib('ipv4')
    expect(hex(encodeRouteMonitoring(peer, 'pre', US, eor))).toBe(
      by(`03 00000047 00 ${header('00', '00', V4)} ${hex(eor)}`),
    )
    const v6 = { ...peer, address: '2001:db8::1' }
    expect(hex(encodeRouteMonitoring(v6, 'post', US, eor))).toBe(
      by(`03 00000047 00 ${header('00', 'c0', V6)} ${hex(eor)}`),
    )
  })

  test('RFC 8671 section 4: the O flag; RFC 9069 section 4.1: Loc-RIB', () => {
    const eor = encodeEndOfRib('ipv4')
    expect(hex(encodeRouteMonitoring(peer, 'out', US, eor))).toContain(by(header('00', '50', V4)))
    const loc: BmpPeer = { ...peer, type: 3, address: '' }
    expect(hex(encodeRouteMonitoring(loc, 'loc', US, eor))).toContain(
      by(header('03', '00', '00000000000000000000000000000000')),
    )
  })

  test('section 4.8: statistics, counters of 4 octets and gauges of 8', () => {
    expect(
      hex(
        encodeStatistics(peer, US, [
          { type: 0, counter: 3 },
          { type: 7, gauge: 12 },
          { type: 9, afi: 25, safi: 70, gauge: 12 },
        ]),
      ),
    ).toBe(
      by(`03 00000057 01 ${header('00', '00', V4)} 00000003
          0000 0004 00000003
          0007 0008 000000000000000c
          0009 000b 0019 46 000000000000000c`),
    )
  })

  test('section 4.9: Peer Down with NOTIFICATION, FSM event, or nothing', () => {
    const notification = encodeNotification(6, 10)
    const down = (body: string, length: string): string =>
      by(`03 ${length} 02 ${header('00', '00', V4)} ${body}`)
    expect(hex(encodePeerDown(peer, US, { reason: 1, notification }))).toBe(
      down(`01 ${hex(notification)}`, '00000046'),
    )
    expect(hex(encodePeerDown(peer, US, { reason: 2, fsmEvent: 18 }))).toBe(
      down('02 0012', '00000033'),
    )
    expect(hex(encodePeerDown(peer, US, { reason: 4 }))).toBe(down('04', '00000031'))
  })

  test('section 4.10: Peer Up holds both OPENs; RFC 9069 section 4.4: table name', () => {
    const open = encodeOpen({ asn: 64_496, holdSeconds: 9, bgpId: '192.0.2.2', capabilities: [] })
    const up = { localAddress: '192.0.2.3', localPort: 179, remotePort: 40_000 }
    expect(
      hex(encodePeerUp(peer, US, { ...up, sentOpen: open, receivedOpen: open, tableName: 'K8S' })),
    ).toBe(
      by(`03 00000085 03 ${header('00', '00', V4)}
          000000000000000000000000c0000203 00b3 9c40 ${hex(open)} ${hex(open)} 0003 0003 4b3853`),
    )
  })
})
