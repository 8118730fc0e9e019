/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) sixteen octets at a time. kafkajs goes octet by octet, which is half of what a
 * producer of large messages costs (bench/bus.mjs).
 */
const POLYNOMIAL = 0x82f63b78

/** TABLES[k][b]: what octet b does to the sum with k zero octets behind it. */
const TABLES: readonly Int32Array[] = Array.from({ length: 16 }, () => new Int32Array(256))
for (let b = 0; b < 256; b++) {
  let sum = b
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) !== 0 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1
  TABLES[0]![b] = sum
}
for (let k = 1; k < 16; k++) {
  for (let b = 0; b < 256; b++) {
    const before = TABLES[k - 1]![b]!
    TABLES[k]![b] = (before >>> 8) ^ TABLES[0]![before & 0xff]!
  }
}

// Constants of their own: so they are known to be 256 long, which no index has to be compared with.
const T0 = TABLES[0]!
const T1 = TABLES[1]!
const T2 = TABLES[2]!
const T3 = TABLES[3]!
const T4 = TABLES[4]!
const T5 = TABLES[5]!
const T6 = TABLES[6]!
const T7 = TABLES[7]!
const T8 = TABLES[8]!
const T9 = TABLES[9]!
const T10 = TABLES[10]!
const T11 = TABLES[11]!
const T12 = TABLES[12]!
const T13 = TABLES[13]!
const T14 = TABLES[14]!
const T15 = TABLES[15]!

/**
 * @param before  the sum of what stands before these octets
 * @returns the sum as an unsigned 32-bit number
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const end = bytes.length
  const fast = end - (end & 15)
  const view = new DataView(bytes.buffer, bytes.byteOffset, end)
  let sum = ~before
  let at = 0
  for (; at < fast; at += 16) {
    const a = sum ^ view.getInt32(at, true)
    const b = view.getInt32(at + 4, true)
    const c = view.getInt32(at + 8, true)
    const d = view.getInt32(at + 12, true)
    sum =
      T11[b & 0xff]! ^
      T10[(b >>> 8) & 0xff]! ^
      T9[(b >>> 16) & 0xff]! ^
      T8[b >>> 24]! ^
      T7[c & 0xff]! ^
      T6[(c >>> 8) & 0xff]! ^
      T5[(c >>> 16) & 0xff]! ^
      T4[c >>> 24]! ^
      T3[d & 0xff]! ^
      T2[(d >>> 8) & 0xff]! ^
      T1[(d >>> 16) & 0xff]! ^
      T0[d >>> 24]! ^
      T15[a & 0xff]! ^
      T14[(a >>> 8) & 0xff]! ^
      T13[(a >>> 16) & 0xff]! ^
      T12[a >>> 24]!
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ T0[(sum ^ bytes[at]!) & 0xff]!
  return ~sum >>> 0
}
