import { describe, expect, test } from 'vitest'
import { asPathPattern, prefixOf, routeWords, where } from './lookup.ts'

/** The pattern as JavaScript runs it: RE2 reads what is used here alike. */
const matches = (pattern: string, path: string): boolean =>
  new RegExp(asPathPattern(pattern)).test(path)

describe('AS path patterns', () => {
  test.each([
    ['_65001_', '65001', true],
    ['_65001_', '65000 65001 65002', true],
    ['_65001_', '65000 {65001,65002}', true],
    ['_65001_', '65000 (65001 65003)', true],
    ['_65001_', '165001', false],
    ['_65001_', '650011', false],
    ['^65001_', '65001 65002', true],
    ['^65001_', '65002 65001', false],
    ['_65002$', '65001 65002', true],
    ['_65002$', '65001 65002 1', false],
    ['^$', '', true],
    ['^$', '1', false],
    ['^65001_65002$', '65001 65002', true],
    ['_(65001|65002)_65003_', '1 65002 65003', true],
    ['^[0-9]+(_65[0-9]+)*$', '1 65002 65003', true],
    ['^[0-9]+(_65[0-9]+)*$', '1 64002', false],
  ])('%s on %j: %s', (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected)
  })

  test('_ is itself in a class and behind a backslash', () => {
    expect(asPathPattern('[_]')).toBe('[_]')
    expect(asPathPattern('[]_]_')).toBe(`[]_]${asPathPattern('_')}`)
    expect(asPathPattern('[^]_]')).toBe('[^]_]')
    expect(asPathPattern('\\_')).toBe('_')
    expect(asPathPattern('\\[_')).toBe(`\\[${asPathPattern('_')}`)
  })

  test.each(['', '\\', '65001\\'])('%j is refused', (pattern) => {
    expect(() => asPathPattern(pattern)).toThrow('as_path')
  })
})

describe('communities', () => {
  const params = (...community: string[]): Record<string, unknown> => routeWords({ community })

  test('standard, by name, large', () => {
    expect(params('65000:1', 'no-export', 'gshut', '4200000000:1:2')).toMatchObject({
      communities: [65000 * 65536 + 1, 0xffffff01, 0xffff0000],
      large_communities: ['4200000000:1:2'],
      ext_of: [],
    })
  })

  /** The values of one text, as 16 hex digits, with the bits that count. */
  const encodings = (text: string): string[] => {
    const { ext_masks, ext_values } = params(text) as Record<string, bigint[]>
    const hex = (value: bigint | undefined): string => (value ?? 0n).toString(16).padStart(16, '0')
    return (ext_values ?? []).map((value, i) => `${hex(value)}/${hex(ext_masks?.[i])}`)
  }
  const ALL = 'ffffffffffffffff'

  test.each([
    // RFC 4360 section 4: types 0 (2-octet AS), 1 (address), 2 (4-octet AS, RFC 5668)
    ['rt:65000:100', [`0002fde800000064/${ALL}`, `02020000fde80064/${ALL}`]],
    ['rt:4200001001:100', [`0202fa56ede90064/${ALL}`]],
    ['rt:65000:100000', [`0002fde8000186a0/${ALL}`]],
    ['rt:10.0.0.1:100', [`01020a0000010064/${ALL}`]],
    ['soo:10.0.0.1:100', [`01030a0000010064/${ALL}`]],
    ['rmac:02:aa:00:00:00:01', [`060302aa00000001/${ALL}`]],
    ['es-import:02:aa:00:00:00:01', [`060202aa00000001/${ALL}`]],
    ['color:7', ['030b000000000007/ffff0000ffffffff']],
    ['encap:8', ['030c000000000008/ffff00000000ffff']],
    ['default-gw', ['030d000000000000/ffff000000000000']],
    ['mm:5', ['0600000000000005/ffff0100ffffffff']],
    ['mm:5:sticky', ['0600010000000005/ffff0100ffffffff']],
    ['esi-label:1000:single-active', ['0601010000003e80/ffff010000fffff0']],
    ['0x8006:0000fde80001', [`80060000fde80001/${ALL}`]],
  ])('%s', (text, expected) => {
    expect(encodings(text)).toEqual(expected)
  })

  test('link bandwidth in octets a second, transitive or not', () => {
    expect(encodings('link-bw:65000:1250000000')).toEqual([
      `0004fde84e9502f9/${ALL}`,
      `4004fde84e9502f9/${ALL}`,
    ])
  })

  test('several extended ones are told apart', () => {
    expect(params('rt:65000:1', 'color:7')).toMatchObject({ ext_of: [0, 0, 1] })
  })

  test.each([
    '65536:1',
    '1',
    '1:2:3:4',
    'rt:1',
    'rt:70000:70000',
    'rt:10.0.0.256:1',
    'rt:10.0.0.1:65536',
    'rmac:1',
    'mm:',
    'encap:70000',
    'default-gw:1',
    '0x80:1',
    'constructor',
    "'; DROP",
  ])('%j is refused', (text) => {
    expect(() => params(text)).toThrow('community')
  })
})

describe('distinguishers and prefixes', () => {
  test('each encoding of a distinguisher (RFC 4364 section 4.2)', () => {
    expect(routeWords({ rd: '65000:99' })['rds']).toEqual([
      0x0000fde800000063n,
      0x00020000fde80063n,
    ])
    expect(routeWords({ rd: '10.0.0.1:2' })['rds']).toEqual([0x00010a0000010002n])
    expect(routeWords({ rd: '0x0000FDE800000063' })['rds']).toEqual([0x0000fde800000063n])
  })

  test('at most 33 or 129 prefixes cover one', () => {
    expect(where(prefixOf('10.1.2.3'), 'longest').lengths).toHaveLength(33)
    expect(where(prefixOf('2001:db8::1'), 'longest').lengths).toHaveLength(129)
    expect(where(prefixOf('10.1.2.3/16'), 'covering')).toMatchObject({
      ip_version: 4,
      addresses: expect.arrayContaining(['::ffff:0.0.0.0', '::ffff:10.0.0.0', '::ffff:10.1.0.0']),
      lengths: Array.from({ length: 17 }, (_, i) => i),
    })
    expect(where(prefixOf('0.0.0.0/0'), 'longest').lengths).toEqual([0])
    expect(where(prefixOf('10.1.0.0/16'), 'covered')).toMatchObject({
      first: '::ffff:10.1.0.0',
      last: '::ffff:10.1.255.255',
      bits: 16,
      addresses: [],
    })
  })
})
