import { readU32, readU8, type Cursor } from '../../cursor.ts'

export interface AsPathLimitAttribute {
  readonly kind: 'as_pathlimit'
  readonly type: 21
  readonly upperBound: number
  readonly asn: number
}

/** AS_PATHLIMIT (type 21, deprecated), draft-ietf-idr-as-pathlimit section 4: upper_bound => U8, asn => U32. */
export function decodeAsPathLimit(c: Cursor): AsPathLimitAttribute {
  const upperBound = readU8(c)
  return { kind: 'as_pathlimit', type: 21, upperBound, asn: readU32(c) }
}
