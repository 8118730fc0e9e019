import type { Cursor } from '../../cursor.ts'
import { eachTlv, rawTlv, TLV_16_16, type RawTlv } from './tlvs.ts'

export interface BierAttribute {
  readonly kind: 'bier'
  readonly type: 41
  /** Values raw. */
  readonly tlvs: readonly RawTlv[]
}

/** BIER (type 41), RFC 9793 section 3: { type => U16, length => U16, value } 1..n. */
export function decodeBier(c: Cursor): BierAttribute {
  return { kind: 'bier', type: 41, tlvs: eachTlv(c, TLV_16_16, rawTlv) }
}
