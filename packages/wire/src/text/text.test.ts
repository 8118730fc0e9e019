import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hex } from '../testing/bytes.ts'
import { familyName } from '../bgp/families.ts'
import { formatIPv4Number, formatIPv6, formatPrefix } from './ip.ts'
import { formatTimestamp } from './time.ts'
import {
  formatAsPath,
  formatEsi,
  formatExtCommunity,
  formatMac,
  formatRd,
  labelNumber,
  labelRaw,
} from './values.ts'

describe('RFC 5952 section 4', () => {
  test.each([
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['00010000000000000000000000000000', '1::'],
    ['00000001000200030004000500060007', '0:1:2:3:4:5:6:7'],
    ['ABCDEF0123456789ABCDEF0123456789', 'abcd:ef01:2345:6789:abcd:ef01:2345:6789'],
    // As inet_ntop and ClickHouse have it.
    ['00000000000000000000ffffc0000201', '::ffff:192.0.2.1'],
    ['000000000000000000000000c0000201', '::192.0.2.1'],
    ['0000000000000000ffff0000c0000201', '::ffff:0:c000:201'],
    ['00000000000000000000ffff00000000', '::ffff:0.0.0.0'],
    ['fe800000000000000000000000000000', 'fe80::'],
  ])('%s is %s', (bytes, text) => {
    expect(formatIPv6(hex(bytes), 0)).toBe(text)
  })

  test('text reads back as the same address', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }),
        (octets) => {
          const text = formatIPv6(Uint8Array.from(octets), 0)
          // URL is a parser that isn't ours; it prints the embedded IPv4 as two groups.
          const groups = expand(new URL(`http://[${text}]/`).hostname.slice(1, -1))
          expect(groups).toEqual(octets)
        },
      ),
      { numRuns: 500 },
    )
  })
})

function expand(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((g) => parseInt(g, 16))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
  return all.flatMap((group) => [group >> 8, group & 255])
}

describe('prefixes', () => {
  test.each([
    ['', 0, false, '0.0.0.0/0'],
    ['0aff', 9, false, '10.128.0.0/9'],
    ['ffffffff', 32, false, '255.255.255.255/32'],
    ['', 0, true, '::/0'],
    ['20010db8ff', 33, true, '2001:db8:8000::/33'],
  ])('%s/%i', (bytes, bits, ipv6, text) => {
    expect(formatPrefix(hex(`${bytes} 77`), 0, bits, ipv6)).toBe(text)
  })
  test('a number as an address', () => {
    expect(formatIPv4Number(0xc0000201)).toBe('192.0.2.1')
  })
})

describe('extended communities', () => {
  test.each([
    ['0002 fde8 00000064', 'rt:65000:100'],
    ['0102 0a000001 0064', 'rt:10.0.0.1:100'],
    ['0202 fa56ee69 0064', 'rt:4200001129:100'],
    ['0003 fde8 ffffffff', 'soo:65000:4294967295'],
    ['0103 0a000001 0064', 'soo:10.0.0.1:100'],
    ['0203 fa56ee69 0064', 'soo:4200001129:100'],
    ['0004 fde8 4e9502f9', 'link-bw:65000:1250000000'],
    ['4004 fde8 4cbebc20', 'link-bw:65000:100000000'],
    ['030b 0000 00000064', 'color:100'],
    ['030c 0000 00000008', 'encap:8'],
    ['030d 0000 00000000', 'default-gw'],
    ['0600 00 00 00000007', 'mm:7'],
    ['0600 01 00 00000007', 'mm:7:sticky'],
    ['0601 00 0000 000641', 'esi-label:100'],
    ['0601 01 0000 000641', 'esi-label:100:single-active'],
    ['0602 02005e100001', 'es-import:02:00:5e:10:00:01'],
    ['0603 02005e100001', 'rmac:02:00:5e:10:00:01'],
    ['4002 fde8 00000064', '0x4002:fde800000064'],
    ['8006 0000 00000000', '0x8006:000000000000'],
  ])('%s is %s', (bytes, text) => {
    expect(formatExtCommunity(hex(bytes), 0)).toBe(text)
  })
})

describe('other values', () => {
  test('RFC 4364 section 4.2: route distinguishers', () => {
    expect(formatRd(hex('0000 fde8 ffffffff'), 0)).toBe('65000:4294967295')
    expect(formatRd(hex('0001 c0000201 ffff'), 0)).toBe('192.0.2.1:65535')
    expect(formatRd(hex('0002 fa56ea01 0001'), 0)).toBe('4200000001:1')
    expect(formatRd(hex('0005 000000000001'), 0)).toBe('0x0005000000000001')
  })
  test('MAC and ESI', () => {
    expect(formatMac(hex('02005e10000f'), 0)).toBe('02:00:5e:10:00:0f')
    expect(formatEsi(hex('00112233445566778899'), 0)).toBe('00:11:22:33:44:55:66:77:88:99')
  })
  test('labels', () => {
    expect(labelNumber(hex('fffff1'), 0)).toBe(1048575)
    expect(labelRaw(hex('fffff1'), 0)).toBe(0xfffff1)
  })
  test('AS path of two octets', () => {
    expect(formatAsPath(hex('02 02 fbf0 fbf1 01 02 0001 0002'), 0, 12, 2)).toBe('64496 64497 {1,2}')
  })
  test('RFC 7854 section 4.2: time, 0 is none, too many microseconds are carried', () => {
    expect(formatTimestamp(0, 0)).toBeNull()
    expect(formatTimestamp(1700000000, 42)).toBe('2023-11-14T22:13:20.000042Z')
    expect(formatTimestamp(1700000000, 1000001)).toBe('2023-11-14T22:13:21.000001Z')
    expect(formatTimestamp(0xffffffff, 999999)).toBe('2106-02-07T06:28:15.999999Z')
    expect(formatTimestamp(0xffffffff, 0xffffffff)).toMatch(/Z$/)
  })
  test('families', () => {
    expect(familyName(25, 70)).toBe('l2vpn-evpn')
    expect(familyName(16388, 71)).toBe('bgp-ls')
    expect(familyName(2, 134)).toBe('ipv6-vpn-flowspec')
    expect(familyName(16388, 99)).toBe('afi-16388-safi-99')
  })
})
