import { describe, expect, test } from 'vitest'
import { parseBgpMessage } from '../message.ts'
import { update } from '../../testing/bytes.ts'
import { readUpdate } from '../../testing/route-text.ts'
import type { Route } from '../update.ts'

const RD = '0001 0aff000b 0064' // 10.255.0.11:100
const NO_ESI = '00000000000000000000'
const MAC = '02005e100001'

function octets(text: string): number {
  return text.replace(/\s/g, '').length / 2
}

function hex(n: number, digits: number): string {
  return n.toString(16).padStart(digits, '0')
}

/** MP_REACH of EVPN routes given as [type, specific part]. */
function evpn(...routes: (readonly [number, string])[]): Uint8Array {
  const nlri = routes
    .map(([type, part]) => `${hex(type, 2)} ${hex(octets(part), 2)} ${part}`)
    .join(' ')
  const value = `0019 46 04 0aff000b 00 ${nlri}`
  return update({ attributes: `90 0e ${hex(octets(value), 4)} ${value} 40 01 01 00 40 02 00` })
}

function decode(type: number, part: string): Route {
  const { message, errors } = parseBgpMessage(evpn([type, part]))
  expect(errors).toEqual([])
  if (message?.type !== 'update') throw new Error('no update')
  expect(message.announced).toHaveLength(1)
  expect(message.announced[0]).toMatchObject({ family: 'l2vpn-evpn', nextHop: '10.255.0.11' })
  return message.announced[0]!.routes[0]!
}

const ROUTE_2 = `${RD} ${NO_ESI} 00000000 30 ${MAC}`

describe('RFC 7432 section 7 and RFC 9136: EVPN routes', () => {
  test('type 1, Ethernet Auto-Discovery', () => {
    expect(decode(1, `${RD} 0011111111111111 1101 ffffffff 000000`)).toMatchObject({
      name: 'ethernet_ad',
      rd: '10.255.0.11:100',
      esi: '00:11:11:11:11:11:11:11:11:01',
      ethTag: 4294967295,
      label: 0,
      nlri: '[1]:[10.255.0.11:100]:[00:11:11:11:11:11:11:11:11:01]:[4294967295]',
      pathId: null,
    })
  })

  test.each([
    ['MAC alone', '00', '', null, 25700, null],
    ['IPv4, one label', '20 0a0a1542', '10.10.21.66', '[32]:[10.10.21.66]', 25700, null],
    ['IPv4, two labels', '20 0a0a1542', '10.10.21.66', '[32]:[10.10.21.66]', 25700, 50001],
    [
      'IPv6, one label',
      '80 20010db8000000000000000000000001',
      '2001:db8::1',
      '[128]:[2001:db8::1]',
      25700,
      null,
    ],
    [
      'IPv6, two labels',
      '80 20010db8000000000000000000000001',
      '2001:db8::1',
      '[128]:[2001:db8::1]',
      25700,
      50001,
    ],
  ])('type 2, %s', (_, host, ip, tail, label1, label2) => {
    const labels = `006464 ${label2 === null ? '' : '00c351'}`
    const nlri = `[2]:[10.255.0.11:100]:[0]:[48]:[02:00:5e:10:00:01]${tail === null ? '' : `:${tail}`}`
    expect(decode(2, `${ROUTE_2} ${host} ${labels}`)).toMatchObject({
      name: 'mac_ip',
      mac: '02:00:5e:10:00:01',
      ip,
      label1,
      label2,
      nlri,
    })
  })

  test.each([
    ['IPv4', '20 0aff000b', '10.255.0.11', '[32]:[10.255.0.11]'],
    ['IPv6', '80 20010db8000000000000000000000001', '2001:db8::1', '[128]:[2001:db8::1]'],
  ])('type 3 and 4, %s originator', (_, host, originator, tail) => {
    expect(decode(3, `${RD} 00002774 ${host}`)).toMatchObject({
      name: 'inclusive_multicast',
      ethTag: 10100,
      originator,
      nlri: `[3]:[10.255.0.11:100]:[10100]:${tail}`,
    })
    expect(decode(4, `${RD} 0011111111111111 1101 ${host}`)).toMatchObject({
      name: 'ethernet_segment',
      originator,
      nlri: `[4]:[10.255.0.11:100]:[00:11:11:11:11:11:11:11:11:01]:${tail}`,
    })
  })

  test.each([
    ['IPv4', '18 0a800100 0a0a130b', '10.128.1.0/24', '10.10.19.11', '[24]:[10.128.1.0]'],
    ['IPv4, no gateway', '18 0a800100 00000000', '10.128.1.0/24', '', '[24]:[10.128.1.0]'],
    [
      'IPv6 of a length that IPv4 could have',
      '20 20010db8000000000000000000000000 20010db8000000000000000000000001',
      '2001:db8::/32',
      '2001:db8::1',
      '[32]:[2001:db8::]',
    ],
  ])('type 5, %s', (_, addresses, prefix, gateway, tail) => {
    expect(decode(5, `${RD} ${NO_ESI} 00000000 ${addresses} 00c351`)).toMatchObject({
      name: 'ip_prefix',
      prefix,
      gateway,
      label: 50001,
      nlri: `[5]:[10.255.0.11:100]:[0]:${tail}`,
    })
  })

  const SG = '20 c0000207 20 ef010101'
  const ORIGINATOR = '20 0aff000b'
  const ESI = '0011111111111111 1101'
  const SG_TEXT = '[32]:[192.0.2.7]:[32]:[239.1.1.1]:[32]:[10.255.0.11]'
  const source = { bits: 32, address: '192.0.2.7' }
  const group = { bits: 32, address: '239.1.1.1' }
  const originator = '10.255.0.11'
  const HEAD = { rd: '10.255.0.11:100', ethTag: 10100, originator }

  test('RFC 9251 section 9.1: type 6, Selective Multicast Ethernet Tag', () => {
    expect(decode(6, `${RD} 00002774 ${SG} ${ORIGINATOR} 04`)).toMatchObject({
      ...HEAD,
      name: 'smet',
      source,
      group,
      flags: 4,
      nlri: `[6]:[10.255.0.11:100]:[10100]:${SG_TEXT}`,
    })
    expect(
      decode(6, `${RD} 00002774 00 80 ff0e0000000000000000000000000001 ${ORIGINATOR} 0c`),
    ).toMatchObject({
      source: { bits: 0, address: '' },
      nlri: '[6]:[10.255.0.11:100]:[10100]:[0]:[*]:[128]:[ff0e::1]:[32]:[10.255.0.11]',
    })
  })

  test('RFC 9251 section 9.2 and 9.3: types 7 and 8, membership and leave synch', () => {
    const part = `${RD} ${ESI} 00002774 ${SG} ${ORIGINATOR}`
    const text = `[10.255.0.11:100]:[00:11:11:11:11:11:11:11:11:01]:[10100]:${SG_TEXT}`
    expect(decode(7, `${part} 02`)).toMatchObject({
      ...HEAD,
      name: 'membership_synch',
      flags: 2,
      nlri: `[7]:${text}`,
    })
    expect(decode(8, `${part} 00000000 64 04`)).toMatchObject({
      ...HEAD,
      name: 'leave_synch',
      maxResponseTime: 100,
      flags: 4,
      nlri: `[8]:${text}`,
    })
    // ExaBGP's corpus has one of an octet less.
    expect(decode(8, `${part} 00000000 04`)).toMatchObject({
      maxResponseTime: null,
      flags: 4,
      nlri: `[8]:${text}`,
    })
  })

  test('RFC 9572 section 3: types 9, 10 and 11, for tunnels of regions', () => {
    expect(decode(9, `${RD} 00002774 0009fde800000001`)).toMatchObject({
      name: 'region_i_pmsi',
      regionId: '0009fde800000001',
      nlri: '[9]:[10.255.0.11:100]:[10100]:[0x0009fde800000001]',
    })
    expect(decode(10, `${RD} 00002774 ${SG} ${ORIGINATOR}`)).toMatchObject({
      ...HEAD,
      name: 's_pmsi',
      source,
      group,
      nlri: `[10]:[10.255.0.11:100]:[10100]:${SG_TEXT}`,
    })
    expect(decode(11, `03 11 ${RD} 00002774 ${ORIGINATOR} ${ORIGINATOR}`)).toMatchObject({
      name: 'leaf',
      rd: '10.255.0.11:100',
      originator,
      nlri: '[11]:[[3]:[10.255.0.11:100]:[10100]:[32]:[10.255.0.11]]:[32]:[10.255.0.11]',
    })
  })

  test.each([
    ['type 6 without flags', 6, `${RD} 00002774 ${SG} ${ORIGINATOR}`, '9.1'],
    [
      'type 6 with a source of 33 bits',
      6,
      `${RD} 00002774 21 c0000207 20 ef010101 ${ORIGINATOR} 02`,
      '9.1',
    ],
    ['type 6 with no originator', 6, `${RD} 00002774 ${SG} 00 02`, '9.1'],
    ['type 7 with octets left over', 7, `${RD} ${ESI} 00002774 ${SG} ${ORIGINATOR} 02 00`, '9.2'],
    ['type 8 without its tail', 8, `${RD} ${ESI} 00002774 ${SG} ${ORIGINATOR} 02`, '9.3'],
    ['type 9 of 19 octets', 9, `${RD} 00002774 0009fde8000000`, '3.1'],
    ['type 10 with a group beyond its end', 10, `${RD} 00002774 20 c0000207 80 ef010101`, '3.2'],
    ['type 11 with a route key beyond its end', 11, `03 ff ${RD} ${ORIGINATOR}`, '3.3'],
    ['type 11 with a route key that does not fit', 11, `03 08 ${RD} ${ORIGINATOR}`, '3.3'],
    ['type 11 for a type 11', 11, `0b 00 ${ORIGINATOR}`, '3.3'],
    ['type 11 of nothing', 11, '', '3.3'],
  ])('%s costs only itself', (_, type, part, section) => {
    const { routes, errors } = readUpdate(evpn([type, part], [3, `${RD} 00002774 ${ORIGINATOR}`]))
    expect(routes).toEqual(['+[3]:[10.255.0.11:100]:[10100]:[32]:[10.255.0.11]'])
    expect(errors).toMatchObject([
      {
        code: 'BAD_LENGTH',
        path: `mp_reach.nlri.evpn(${type})`,
        spec: `RFC ${type < 9 ? 9251 : 9572} section ${section}`,
        handling: 'treat-as-withdraw',
      },
    ])
  })

  test('other types stay raw', () => {
    expect(decode(12, 'c0ffee')).toEqual({
      kind: 'evpn',
      routeType: 12,
      name: 'unknown',
      raw: 'c0ffee',
      nlri: '[12]:0xc0ffee',
      pathId: null,
    })
    expect(decode(200, '')).toMatchObject({ nlri: '[200]:0x' })
  })

  const GOOD: readonly [number, string] = [3, `${RD} 00000000 20 0aff000b`]

  test.each([
    ['type 1 of 24 octets', 1, `${RD} ${NO_ESI} 00000000 0000`, 'BAD_LENGTH', 1, 'section 7.1'],
    ['type 2 of 32 octets', 2, `${ROUTE_2} 00 0000`, 'BAD_LENGTH', 1, 'section 7.2'],
    [
      'type 2 with a MAC of 32 bits',
      2,
      `${RD} ${NO_ESI} 00000000 20 ${MAC} 00 006464`,
      'BAD_VALUE',
      24,
      'section 7.2',
    ],
    [
      'type 2 with an IP of 24 bits',
      2,
      `${ROUTE_2} 18 0a0a15 006464`,
      'BAD_VALUE',
      31,
      'section 7.2',
    ],
    [
      'type 2 with an octet left over',
      2,
      `${ROUTE_2} 00 006464 00`,
      'BAD_LENGTH',
      1,
      'section 7.2',
    ],
    [
      'type 2 with an IP that is not there',
      2,
      `${ROUTE_2} 80 006464`,
      'BAD_LENGTH',
      1,
      'section 7.2',
    ],
    [
      'type 3 with an address of 31 bits',
      3,
      `${RD} 00000000 1f 0aff000b`,
      'BAD_VALUE',
      14,
      'section 7.3',
    ],
    ['type 3 of 16 octets', 3, `${RD} 00000000 20 0aff00`, 'BAD_LENGTH', 1, 'section 7.3'],
    [
      'type 4 with a length of 128 bits and 4 octets',
      4,
      `${RD} ${NO_ESI} 80 0aff000b`,
      'BAD_VALUE',
      20,
      'section 7.4',
    ],
    ['type 4 of 20 octets', 4, `${RD} ${NO_ESI} 20 0a`, 'BAD_LENGTH', 1, 'section 7.4'],
    [
      'type 5 of 35 octets',
      5,
      `${RD} ${NO_ESI} 00000000 18 0a800100 00000000 00c351 00`,
      'BAD_LENGTH',
      1,
      '9136',
    ],
    [
      'type 5, IPv4 of 33 bits',
      5,
      `${RD} ${NO_ESI} 00000000 21 0a800100 00000000 00c351`,
      'BAD_VALUE',
      24,
      '9136',
    ],
    ['type 2 of no octets', 2, '', 'BAD_LENGTH', 1, 'section 7.2'],
  ])('%s is told and costs no other route', (_, type, part, code, at, spec) => {
    const { errors, routes, index } = readUpdate(evpn(GOOD, [type, part], GOOD))
    const firstRoute = index.fields[0]!.start
    expect(routes).toEqual(Array(2).fill('+[3]:[10.255.0.11:100]:[0]:[32]:[10.255.0.11]'))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({
      code,
      path: `mp_reach.nlri.evpn(${type})`,
      offset: firstRoute + 19 + at,
    })
    expect(errors[0]!.spec).toContain(spec)
  })

  test('a route longer than its list ends it', () => {
    const message = evpn(GOOD, [2, ''])
    const at = message.length - 7 - 1
    expect(message[at]).toBe(0)
    message[at] = 33
    const { errors, routes } = readUpdate(message)
    expect(routes).toHaveLength(1)
    expect(errors).toMatchObject([
      { path: 'mp_reach.nlri', code: 'BAD_VALUE', offset: at - 1, length: 2 },
    ])
  })
})
