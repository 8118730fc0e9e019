/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) eight octets at a time. kafkajs goes octet by octet, which is half of what a
 * producer of large messages costs (bench/bus.mjs).
 */
const POLYNOMIAL = 0x82f63b78

/** TABLES[k][b]: what octet b does to the sum with k zero octets behind it. */
const TABLES: readonly Int32Array[] = Array.from({ length: 8 }, () => new Int32Array(256))
for (let b = 0; b < 256; b++) {
  let sum = b
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) !== 0 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1
  TABLES[0]![b] = sum
}
for (let k = 1; k < 8; k++) {
  for (let b = 0; b < 256; b++) {
    const before = TABLES[k - 1]![b]!
    TABLES[k]![b] = (before >>> 8) ^ TABLES[0]![before & 0xff]!
  }
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/**
 * @param before  the sum of what stands before these octets
 * @returns the sum as an unsigned 32-bit number
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const end = bytes.length
  const fast = end - (end & 7)
  const view = new DataView(bytes.buffer, bytes.byteOffset, end)
  let sum = ~before
  let at = 0
  for (; at < fast; at += 8) {
    const low = sum ^ view.getInt32(at, true)
    const high = view.getInt32(at + 4, true)
    sum =
      T7[low & 0xff]! ^
      T6[(low >>> 8) & 0xff]! ^
      T5[(low >>> 16) & 0xff]! ^
      T4[low >>> 24]! ^
      T3[high & 0xff]! ^
      T2[(high >>> 8) & 0xff]! ^
      T1[(high >>> 16) & 0xff]! ^
      T0[high >>> 24]!
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ T0[(sum ^ bytes[at]!) & 0xff]!
  return ~sum >>> 0
}
