/** An address has one spelling, whoever prints it: rows (wire) or fabric.yaml and the API (fabric). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAddress } from '@ribscope/fabric'
import { formatIPv4, formatIPv6 } from '@ribscope/wire'

const octets = (value: bigint, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) =>
    Number((value >> BigInt(8 * (count - 1 - i))) & 0xffn),
  )

test('IPv6 of rows and of configuration is the same text (RFC 5952)', () => {
  const group = fc.constantFrom<bigint[]>(0n, 0n, 0n, 1n, 0xabcn, 0xffffn)
  const sparse = fc
    .array(group, { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce((value, each) => (value << 16n) | each, 0n))
  const mapped = fc.bigInt({ min: 0n, max: 0xffffffffn }).map((v4) => (0xffffn << 32n) | v4)
  fc.assert(
    fc.property(fc.oneof(sparse, mapped), (value) => {
      expect(formatIPv6(octets(value, 16), 0)).toBe(formatAddress(6, value))
    }),
    { numRuns: 1000 },
  )
})

test('IPv4 too', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 0xffffffffn }), (value) => {
      expect(formatIPv4(octets(value, 4), 0)).toBe(formatAddress(4, value))
    }),
  )
})
