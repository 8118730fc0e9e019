import { cursorOver, remaining, type Cursor } from '../../cursor.ts'
import { formatAsPath } from '../../text/values.ts'
import {
  ATTR_AGGREGATOR,
  ATTR_AS4_AGGREGATOR,
  ATTR_AS4_PATH,
  ATTR_AS_PATH,
} from '../attribute-rules.ts'
import type { UpdateIndex } from '../update-index.ts'
import { decodeSegments, type AsPathSegment } from './attr-02-as-path.ts'

export interface As4PathAttribute {
  readonly kind: 'as4_path'
  readonly type: 17
  readonly segments: readonly AsPathSegment[]
  readonly text: string
}

/** AS4_PATH (type 17), RFC 6793 section 3: AS_PATH with 4-octet numbers. */
export function decodeAs4Path(c: Cursor): As4PathAttribute {
  const text = formatAsPath(c.bytes, c.pos, remaining(c), 4)
  return { kind: 'as4_path', type: 17, segments: decodeSegments(c, 4), text }
}

/** As a router counts (RFC 4271 section 9.1.2.2, RFC 5065 section 5.3): a set is one, confederations none. */
function pathLength(segments: readonly AsPathSegment[]): number {
  let length = 0
  for (const segment of segments) {
    if (segment.kind === 'sequence') length += segment.asns.length
    else if (segment.kind === 'set') length += 1
  }
  return length
}

/** RFC 6793 section 3: the number in AGGREGATOR that says "look in AS4_AGGREGATOR". */
const AS_TRANS = 23456

/**
 * The path with the true 4-octet numbers, RFC 6793 section 4.2.3: what AS_PATH has more in front, then
 * AS4_PATH, whose confederation segments don't count (section 6). undefined where there is nothing to
 * merge: no AS4_PATH, an AS_PATH of 4-octet numbers (then AS4_PATH is to be ignored), one that is shorter
 * than AS4_PATH, or an AGGREGATOR that a router of 2 octets wrote beside an old AS4_AGGREGATOR.
 */
export function mergeAs4Path(index: UpdateIndex): AsPathSegment[] | undefined {
  const pathAt = index.at[ATTR_AS_PATH]!
  const path4At = index.at[ATTR_AS4_PATH]!
  if (index.asOctets === 4 || pathAt < 0 || path4At < 0) return undefined
  const { bytes, view, len } = index
  const aggregatorAt = index.at[ATTR_AGGREGATOR]!
  if (aggregatorAt >= 0 && index.at[ATTR_AS4_AGGREGATOR]! >= 0) {
    if (len[ATTR_AGGREGATOR] === 6 && view.getUint16(aggregatorAt) !== AS_TRANS) return undefined
  }
  const over = (at: number, type: number): Cursor =>
    cursorOver(bytes, at, at + len[type]!, 'as4_path', 'RFC 6793 section 4.2.3', view)
  const path = decodeSegments(over(pathAt, ATTR_AS_PATH), 2)
  const path4 = decodeSegments(over(path4At, ATTR_AS4_PATH), 4)
  let surplus = pathLength(path) - pathLength(path4)
  if (surplus < 0) return undefined
  const merged: AsPathSegment[] = []
  for (const segment of path) {
    const counts = segment.kind === 'sequence' || segment.kind === 'set'
    if (!counts) {
      // Confederation segments lead the path and are no part of AS4_PATH: they stay.
      merged.push(segment)
      continue
    }
    if (surplus === 0) break
    if (segment.kind === 'set') {
      merged.push(segment)
      surplus -= 1
    } else {
      merged.push({ kind: 'sequence', asns: segment.asns.slice(0, surplus) })
      // What follows a sequence that is taken in part is no neighbour of it any more.
      if (surplus < segment.asns.length) break
      surplus -= segment.asns.length
    }
  }
  for (const segment of path4) {
    const last = merged.at(-1)
    if (segment.kind === 'sequence' && last?.kind === 'sequence') {
      merged[merged.length - 1] = { kind: 'sequence', asns: [...last.asns, ...segment.asns] }
    } else if (segment.kind === 'sequence' || segment.kind === 'set') merged.push(segment)
  }
  return merged
}

const BRACKETS = {
  sequence: ['', ' ', ''],
  set: ['{', ',', '}'],
  confed_sequence: ['(', ' ', ')'],
  confed_set: ['[', ',', ']'],
} as const

/** The same text as `formatAsPath`, of segments. */
export function formatSegments(segments: readonly AsPathSegment[]): string {
  return segments
    .map(({ kind, asns }) => {
      const [open, separator, close] = BRACKETS[kind]
      return `${open}${asns.join(separator)}${close}`
    })
    .join(' ')
}
