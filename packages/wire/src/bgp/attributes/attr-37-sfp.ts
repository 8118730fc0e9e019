import { readU16, readU24, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatRd } from '../../text/values.ts'
import { eachTlv, rawTlv, TLV_8_16, type RawTlv } from './tlvs.ts'

export type SfpTlv =
  /** RFC 9015 section 3.2.1.1. */
  | {
      readonly kind: 'association'
      readonly type: 1
      readonly associationType: number
      readonly rd: string
      readonly spi: number
    }
  /** RFC 9015 section 3.2.1.2: the hop's details are TLVs of their own. */
  | {
      readonly kind: 'hop'
      readonly type: 2
      readonly serviceIndex: number
      readonly details: readonly SfpTlv[]
    }
  /** RFC 9015 section 3.2.1.3. */
  | {
      readonly kind: 'sft'
      readonly type: 3
      readonly functionType: number
      readonly rds: readonly string[]
    }
  | RawTlv

export interface SfpAttribute {
  readonly kind: 'sfp'
  readonly type: 37
  readonly tlvs: readonly SfpTlv[]
}

/** SFP (type 37), RFC 9015 section 3.2: { type => U8, length => U16, value } 1..n. */
export function decodeSfp(c: Cursor): SfpAttribute {
  return { kind: 'sfp', type: 37, tlvs: eachTlv(c, TLV_8_16, decodeTlv) }
}

function decodeTlv(type: number, c: Cursor): SfpTlv {
  const octets = remaining(c)
  if (type === 1 && octets === 12) {
    const associationType = readU8(c)
    const rd = formatRd(c.bytes, skip(c, 8))
    return { kind: 'association', type, associationType, rd, spi: readU24(c) }
  }
  if (type === 2 && octets >= 1) {
    const serviceIndex = readU8(c)
    // Hops aren't in hops: one level only.
    const details = eachTlv(c, TLV_8_16, (inner, value) =>
      inner === 2 ? rawTlv(inner, value) : decodeTlv(inner, value),
    )
    return { kind: 'hop', type, serviceIndex, details }
  }
  if (type === 3 && octets >= 2 && (octets - 2) % 8 === 0) {
    const functionType = readU16(c)
    const rds: string[] = []
    while (remaining(c) > 0) rds.push(formatRd(c.bytes, skip(c, 8)))
    return { kind: 'sft', type, functionType, rds }
  }
  return rawTlv(type, c)
}
