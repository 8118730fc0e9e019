import { readU32, type Cursor } from '../../cursor.ts'

export interface LocalPrefAttribute {
  readonly kind: 'local_pref'
  readonly type: 5
  readonly localPref: number
}

/** LOCAL_PREF (type 5), RFC 4271 section 5.1.5: U32. */
export function decodeLocalPref(c: Cursor): LocalPrefAttribute {
  return { kind: 'local_pref', type: 5, localPref: readU32(c) }
}
