import { createHash } from 'node:crypto'

/**
 * Attribute and forwarding hashes: 64 bits as two lanes of 32, made of multiply, rotate and shift steps
 * that JavaScript does on int32 (Math.imul). Not for secrets: a router that wants two of its own
 * attribute sets to look alike can have it so.
 *
 * Stored values are compared over time: changing a constant here makes every route look changed once.
 */
const A1 = 0x9e3779b1 | 0
const A2 = 0x85ebca77 | 0
const B1 = 0xc2b2ae3d | 0
const B2 = 0x27d4eb2f | 0

/** Two running lanes, always int32: what outgrew that would be a double, and an object of its own. One instance per extractor; `seed`, then `word`s, then `finish`. */
export class Hash64 {
  lo = 0
  hi = 0

  seed(value: number): void {
    this.lo = Math.imul(value + 1, A1)
    this.hi = Math.imul(value + 0x5bd1, B1)
  }

  word(value: number): void {
    const a = Math.imul(this.lo ^ value, A1)
    this.lo = ((a ^ (a >>> 15)) + 0x165667b1) | 0
    const b = Math.imul(value, B1) ^ this.hi
    this.hi = (Math.imul((b << 13) | (b >>> 19), 5) + 0x52dce729) | 0
  }

  /** All octets of at..at+length, in order. */
  octets(bytes: Uint8Array, view: DataView, at: number, length: number): void {
    const end = at + length
    let lo = this.lo
    let hi = this.hi
    for (; at + 4 <= end; at += 4) {
      const value = view.getInt32(at, true)
      const a = Math.imul(lo ^ value, A1)
      lo = ((a ^ (a >>> 15)) + 0x165667b1) | 0
      const b = Math.imul(value, B1) ^ hi
      hi = (Math.imul((b << 13) | (b >>> 19), 5) + 0x52dce729) | 0
    }
    this.lo = lo
    this.hi = hi
    if (at < end) {
      let last = 0
      for (; at < end; at++) last = (last << 8) | bytes[at]!
      this.word(last)
    }
    this.word(length)
  }

  /** Spreads what the last words did over all bits. */
  finish(): void {
    this.lo = spread(this.lo ^ Math.imul(this.hi, A2))
    this.hi = spread(this.hi ^ Math.imul(this.lo, B2))
  }
}

function spread(value: number): number {
  let x = value ^ (value >>> 16)
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return x ^ (x >>> 16)
}

/**
 * peer_key: the first eight octets of SHA-256 over what identifies a peer (DETECTORS 0.4). Stable for
 * ever; 0 is kept for the BMP session itself.
 *
 * @param header distinguisher (8), address (16), AS (4), BGP identifier (4) as in the per-peer header
 * @param locRib Loc-RIB peers are apart from BGP peers with the same header
 */
export function peerKeyOf(router: string, header: Uint8Array, locRib: boolean): bigint {
  const digest = createHash('sha256')
    .update(router, 'utf8')
    .update(locRib ? '\u0000loc-rib\u0000' : '\u0000')
    .update(header)
    .digest()
  const key = digest.readBigUInt64BE(0)
  return key === 0n ? 1n : key
}
