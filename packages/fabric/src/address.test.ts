import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contains, formatAddress, parseAddress, parsePrefix } from './address.ts'

const prefix = (text: string): NonNullable<ReturnType<typeof parsePrefix>> => {
  const parsed = parsePrefix(text)
  if (!parsed) throw new Error(`${text} is no prefix`)
  return parsed
}

describe('RFC 5952 normal form', () => {
  test.each([
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1::', '1::'],
    ['::ffff:a00:1', '::ffff:10.0.0.1'],
    ['::FFFF:10.0.0.1', '::ffff:10.0.0.1'],
    ['::1.2.3.4', '::1.2.3.4'],
    ['::ffff', '::ffff'],
    ['::1', '::1'],
    ['10.0.0.1', '10.0.0.1'],
  ])('%s is %s', (given, text) => {
    expect(parseAddress(given)?.text).toBe(text)
  })

  test.each(['', '10.0.0', '10.0.0.256', '010.0.0.1', '10.0.0.1 ', '1::2::3', 'fe80::1%eth0', 'x'])(
    'refuses %j',
    (given) => {
      expect(parseAddress(given)).toBeUndefined()
    },
  )

  test('any value comes back from its text', () => {
    const v6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
    // Sparse groups, so that runs of zeros of every length and place occur.
    const sparse = fc
      .array(fc.constantFrom<bigint[]>(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.reduce((value, group) => (value << 16n) | group, 0n))
    fc.assert(
      fc.property(fc.oneof(v6, sparse), (value) => {
        const text = formatAddress(6, value)
        expect(parseAddress(text)).toEqual({ family: 6, value, text })
      }),
    )
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 0xffffffffn }), (value) => {
        const text = formatAddress(4, value)
        expect(parseAddress(text)).toEqual({ family: 4, value, text })
      }),
    )
  })
})

describe('prefixes', () => {
  test.each([
    ['10.0.0.0/24', '10.0.0.0/24', false],
    ['10.0.0.7/24', '10.0.0.0/24', true],
    ['10.0.0.7', '10.0.0.7/32', false],
    ['2001:DB8::/32', '2001:db8::/32', false],
    ['2001:db8::1', '2001:db8::1/128', false],
    ['0.0.0.0/0', '0.0.0.0/0', false],
    ['::/0', '::/0', false],
  ])('%s is %s', (given, text, hadHostBits) => {
    expect(parsePrefix(given)).toMatchObject({ text, hadHostBits })
  })

  test.each(['', '/24', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/08', '::/129', '10.0.0.0/-1', 'a/8'])(
    'refuses %j',
    (given) => {
      expect(parsePrefix(given)).toBeUndefined()
    },
  )

  test('contains what lies inside, in its own family only', () => {
    const outer = prefix('10.1.0.0/16')
    expect(contains(outer, prefix('10.1.255.0/24'))).toBe(true)
    expect(contains(outer, outer)).toBe(true)
    expect(contains(outer, prefix('10.0.0.0/8'))).toBe(false)
    expect(contains(outer, prefix('10.2.0.0'))).toBe(false)
    expect(contains(prefix('::/0'), prefix('10.0.0.0/8'))).toBe(false)
    const host = parseAddress('10.1.2.3')
    expect(host && contains(outer, host)).toBe(true)
  })
})
