import { readU16, readU32, readU8, remaining, type Cursor } from '../../cursor.ts'
import { formatAsPath } from '../../text/values.ts'

export interface AsPathSegment {
  readonly kind: 'set' | 'sequence' | 'confed_sequence' | 'confed_set'
  readonly asns: readonly number[]
}

export interface AsPathAttribute {
  readonly kind: 'as_path'
  readonly type: 2
  readonly segments: readonly AsPathSegment[]
  /** `65001 65002 {65003,65004}`, confederations in `( )` and `[ ]`. */
  readonly text: string
}

const KINDS = ['set', 'set', 'sequence', 'confed_sequence', 'confed_set'] as const

/**
 * AS_PATH (type 2), RFC 4271 section 4.3, RFC 5065 section 3, RFC 6793.
 *
 *   { type => U8 (1 to 4), count => U8, asns => (U16 | U32) count } 0..n
 */
export function decodeAsPath(c: Cursor, asOctets: 2 | 4): AsPathAttribute {
  const text = formatAsPath(c.bytes, c.pos, remaining(c), asOctets)
  return { kind: 'as_path', type: 2, segments: decodeSegments(c, asOctets), text }
}

export function decodeSegments(c: Cursor, asOctets: 2 | 4): AsPathSegment[] {
  const segments: AsPathSegment[] = []
  while (remaining(c) > 0) {
    const kind = KINDS[readU8(c)] ?? 'sequence'
    const count = readU8(c)
    const asns: number[] = []
    for (let i = 0; i < count; i++) asns.push(asOctets === 4 ? readU32(c) : readU16(c))
    segments.push({ kind, asns })
  }
  return segments
}
