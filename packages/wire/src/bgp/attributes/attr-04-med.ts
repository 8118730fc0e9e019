import { readU32, type Cursor } from '../../cursor.ts'

export interface MedAttribute {
  readonly kind: 'med'
  readonly type: 4
  readonly med: number
}

/** MULTI_EXIT_DISC (type 4), RFC 4271 section 5.1.4: U32. */
export function decodeMed(c: Cursor): MedAttribute {
  return { kind: 'med', type: 4, med: readU32(c) }
}
