import { readU8, type Cursor } from '../../cursor.ts'

export interface OriginAttribute {
  readonly kind: 'origin'
  readonly type: 1
  readonly origin: 'igp' | 'egp' | 'incomplete'
}

const ORIGINS = ['igp', 'egp', 'incomplete'] as const

/** ORIGIN (type 1), RFC 4271 section 4.3: U8, 0 to 2. */
export function decodeOrigin(c: Cursor): OriginAttribute {
  return { kind: 'origin', type: 1, origin: ORIGINS[readU8(c)] ?? 'incomplete' }
}
