import { describe, expect, test } from 'vitest'
import { formatIP } from '../text/ip.ts'
import { update } from '../testing/bytes.ts'
import { readUpdate } from '../testing/route-text.ts'
import { PeerHeader } from '../bmp/peer-header.ts'

const REST = '40 01 01 00 40 02 00'

/** One MP_REACH of the family with this next hop; as hex, lengths filled in. */
function reach(family: string, nextHop: string, nlri: string): Uint8Array {
  const octets = (text: string): number => text.replace(/\s/g, '').length / 2
  const h = (n: number, digits: number): string => n.toString(16).padStart(digits, '0')
  const value = `${family} ${h(octets(nextHop), 2)} ${nextHop} 00 ${nlri}`
  return update({ attributes: `90 0e ${h(octets(value), 4)} ${value} ${REST}` })
}

function hops(message: Uint8Array) {
  const { index, errors } = readUpdate(message)
  const field = index.fields[0]!
  return {
    errors: errors.length,
    global:
      field.nextHopGlobalOctets === 0
        ? ''
        : formatIP(index.bytes, field.nextHopGlobalAt, field.nextHopGlobalOctets),
    linkLocal:
      field.nextHopLinkLocalAt < 0 ? '' : formatIP(index.bytes, field.nextHopLinkLocalAt, 16),
  }
}

const V4 = 'c0000201'
/** Something that decodes. */
const NLRI_OF: Record<string, string> = { '0019 46': '6300', '0001 85': '03 038106' }
const GLOBAL = '20010db8000000000000000000000001'
const LINK_LOCAL = 'fe800000000000000000000000000002'
const RD = '0000000000000000'

describe('next hops', () => {
  test.each([
    ['RFC 4271: IPv4', '0001 01', V4, '192.0.2.1', ''],
    ['RFC 8950 section 3: IPv6 for IPv4 unicast', '0001 01', GLOBAL, '2001:db8::1', ''],
    [
      'RFC 8950 section 3: both for IPv4 unicast',
      '0001 01',
      GLOBAL + LINK_LOCAL,
      '2001:db8::1',
      'fe80::2',
    ],
    ['RFC 2545 section 3: IPv6', '0002 01', GLOBAL, '2001:db8::1', ''],
    [
      'RFC 2545 section 3: with link-local',
      '0002 01',
      GLOBAL + LINK_LOCAL,
      '2001:db8::1',
      'fe80::2',
    ],
    ['FRR: link-local twice', '0002 01', LINK_LOCAL + LINK_LOCAL, 'fe80::2', 'fe80::2'],
    ['RFC 4364 section 4.3.2: VPNv4', '0001 80', RD + V4, '192.0.2.1', ''],
    ['RFC 4659 section 3.2.1: VPNv6', '0002 80', RD + GLOBAL, '2001:db8::1', ''],
    [
      'RFC 4659 section 3.2.1: VPNv6 with link-local',
      '0002 80',
      RD + GLOBAL + RD + LINK_LOCAL,
      '2001:db8::1',
      'fe80::2',
    ],
    ['RFC 8950 section 3: IPv6 for VPNv4', '0001 80', RD + GLOBAL, '2001:db8::1', ''],
    ['EVPN over IPv4', '0019 46', V4, '192.0.2.1', ''],
    ['EVPN over IPv6', '0019 46', GLOBAL, '2001:db8::1', ''],
    ['none at all', '0001 85', '', '', ''],
    [
      'RFC 4798: IPv4-mapped',
      '0002 01',
      '00000000000000000000ffffc0000201',
      '::ffff:192.0.2.1',
      '',
    ],
  ])('%s', (_, family, nextHop, global, linkLocal) => {
    const found = hops(reach(family, nextHop, NLRI_OF[family] ?? '00'))
    const vpn = family.endsWith('80')
    // A VPN list of one zero octet has no room for its label: that error is not the point.
    expect(found).toEqual({ errors: vpn ? 1 : 0, global, linkLocal })
  })

  test.each([
    ['0001 01', RD + V4],
    ['0002 01', RD + GLOBAL],
    ['0019 46', RD + GLOBAL + RD + LINK_LOCAL],
  ])(
    '%s: a length that is another family’s is told and read all the same (%s)',
    (family, nextHop) => {
      const { errors } = readUpdate(reach(family, nextHop, NLRI_OF[family] ?? '00'))
      expect(errors).toMatchObject([{ path: 'mp_reach.next_hop', code: 'BAD_LENGTH' }])
    },
  )
})

describe('NLRI by family', () => {
  const routes = (family: string, nlri: string): unknown => {
    const read = readUpdate(reach(family, '', nlri))
    return [...read.routes, ...read.errors.map((e) => e.message)]
  }

  test('RFC 4271 section 4.3: every length, irrelevant bits shown as zero', () => {
    expect(routes('0001 01', '00  01 ff  0b 0aff  18 c00002  1f c00002ff  20 c00002ff')).toEqual([
      '+0.0.0.0/0',
      '+128.0.0.0/1',
      '+10.224.0.0/11',
      '+192.0.2.0/24',
      '+192.0.2.254/31',
      '+192.0.2.255/32',
    ])
  })
  test('RFC 4760: IPv6 and multicast', () => {
    expect(routes('0002 02', `00 40 20010db800000001 80 ${GLOBAL}`)).toEqual([
      '+::/0',
      '+2001:db8:0:1::/64',
      '+2001:db8::1/128',
    ])
  })
  test('RFC 8277 section 2.2 and 2.3: labelled unicast', () => {
    expect(
      routes('0001 04', '30 000641 c00002  48 000640 000651 c00002  38 0000 31 c0000201'),
    ).toEqual(['+192.0.2.0/24 [100]', '+192.0.2.0/24 [100 101]', '+192.0.2.1/32 [3]'])
  })
  test('a sender that never sets the bottom-of-stack bit gets its one label', () => {
    expect(routes('0001 04', '38 000640 c0000201')).toEqual(['+192.0.2.1/32 [100]'])
  })
  test('RFC 4364: VPNv4 with each type of route distinguisher, RFC 4659: VPNv6', () => {
    expect(
      routes(
        '0001 80',
        `70 000641 0000 fde8 00000064 c00002
         70 000641 0001 c0000201 0064 c00002
         70 000641 0002 fa56ea01 0064 c00002
         70 000641 0003 000000000001 c00002`,
      ),
    ).toEqual([
      '+65000:100:192.0.2.0/24 [100]',
      '+192.0.2.1:100:192.0.2.0/24 [100]',
      '+4200000001:100:192.0.2.0/24 [100]',
      '+0x0003000000000001:192.0.2.0/24 [100]',
    ])
    expect(routes('0002 80', `d8 000641 0000 fde8 00000064 ${GLOBAL}`)).toEqual([
      '+65000:100:2001:db8::1/128 [100]',
    ])
  })
  test('no room for label, route distinguisher or prefix', () => {
    for (const [family, nlri] of [
      ['0001 04', '10 0000'],
      ['0001 04', '59 000641 c0000201 000000 00 00'],
      ['0001 80', '50 000641 0000fde8000000'],
    ] as const) {
      expect(routes(family, nlri)).toEqual([expect.stringContaining('mp_reach.nlri at octet')])
    }
  })
  test('RFC 8277 section 2.4: the label of a withdrawal is no label', () => {
    const gone = (nlri: string, octets: string): readonly string[] =>
      readUpdate(update({ attributes: `80 0f ${octets} 0001 04 ${nlri}` })).routes
    expect(gone('30 800000 c00002 30 000000 c00002 30 000641 c00002', '18')).toEqual([
      '-192.0.2.0/24',
      '-192.0.2.0/24',
      '-192.0.2.0/24 [100]',
    ])
    expect(gone('30 000640 c00002', '0a')).toEqual(['-192.0.2.0/24 [100]'])
  })
  test('a family that is not decoded is one opaque field', () => {
    expect(routes('0001 f1', '0501180a0000')).toEqual(['+0x0501180a0000'])
    expect(routes('0003 81', '00010000')).toEqual(['+0x00010000'])
  })
  test('RFC 7911 section 3: path identifiers in front of labelled and EVPN routes', () => {
    expect(routes('0001 04', '00000005 30 000641 c00002 00000006 30 000651 c00003')).toEqual([
      '+192.0.2.0/24 [100] #5',
      '+192.0.3.0/24 [101] #6',
    ])
    expect(routes('0019 46', '00000007 03 11 0000fde800000064 00000000 20 c0000201')).toEqual([
      '+[3]:[65000:100]:[0]:[32]:[192.0.2.1] #7',
    ])
  })
})

describe('RFC 7854 section 4.2: AS width', () => {
  const two = update({
    attributes: '40 01 01 00 40 02 04 02 01 fbf0 c0 07 06 fbf0 c0000201',
    nlri: '08 0a',
  })
  const four = update({ attributes: '40 01 01 00 40 02 06 02 01 0000fbf0', nlri: '08 0a' })
  const header = (as2: boolean): PeerHeader => Object.assign(new PeerHeader(), { as2 })

  test.each([
    ['A flag set, 2 octets there', two, true, 2, false],
    ['A flag clear, 4 octets there', four, false, 4, false],
    ['A flag clear, 2 octets there (FRR’s local routes)', two, false, 2, true],
    ['A flag set, 4 octets there', four, true, 4, true],
  ])('%s', (_, message, as2, asOctets, asWidthLied) => {
    const { index, errors } = readUpdate(message, undefined, header(as2))
    expect(index).toMatchObject({ asOctets, asWidthLied })
    expect(errors).toEqual([])
    expect(index.at[7]! > 0).toBe(message === two)
  })
})
