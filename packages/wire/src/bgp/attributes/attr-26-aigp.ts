import { enter, fail, readU16, readU64, readU8, remaining, type Cursor } from '../../cursor.ts'
import { jsonInteger, rawTlv, type RawTlv } from './tlvs.ts'

export interface AigpAttribute {
  readonly kind: 'aigp'
  readonly type: 26
  /** Accumulated metric of the first TLV of type 1; a decimal string beyond 2^53; null without one. */
  readonly metric: number | string | null
  readonly others: readonly RawTlv[]
}

/**
 * AIGP (type 26), RFC 7311 section 3: { type => U8, length => U16 (of the whole TLV), value } 1..n;
 * type 1 has a metric => U64. Of several only the first counts.
 */
export function decodeAigp(c: Cursor): AigpAttribute {
  let metric: number | string | null = null
  const others: RawTlv[] = []
  while (remaining(c) > 0) {
    const type = readU8(c)
    const at = c.pos
    const length = readU16(c)
    if (length < 3) fail(c, 'BAD_LENGTH', at, `TLV of ${length} octets, expected 3 or more`)
    const value = enter(c, length - 3, `tlv(${type})`)
    if (type === 1 && metric === null && length === 11) metric = jsonInteger(readU64(value))
    else others.push(rawTlv(type, value))
  }
  return { kind: 'aigp', type: 26, metric, others }
}
