import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'
import { loadKafkajs } from './library.ts'

/** One bit after the other. */
function slow(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const octet of bytes) {
    sum ^= octet
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) !== 0 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1
  }
  return ~sum >>> 0
}

describe('CRC-32C', () => {
  // RFC 3720 appendix B.4
  test.each([
    ['32 octets of zero', new Uint8Array(32), 0x8a9136aa],
    ['32 octets of ones', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['check', Buffer.from('123456789'), 0xe3069283],
  ])('%s', (_, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum)
  })

  test('any octets, anywhere in a buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(9), (bytes, at) => {
        const within = new Uint8Array(at + bytes.length + 9).fill(0xaa)
        within.set(bytes, at)
        expect(crc32c(within.subarray(at, at + bytes.length))).toBe(slow(bytes))
        // In two parts.
        expect(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at)))).toBe(slow(bytes))
      }),
    )
  })

  test('kafkajs uses it', () => {
    expect(loadKafkajs().fastCrc).toBe(true)
  })
})
