import { enter, readU16, remaining, type Cursor } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { toText } from '../text/strings.ts'

export interface Termination {
  /** null when the router gave none. */
  readonly reason: number | null
  readonly reasonName: string
  /** All strings, joined by line feeds. */
  readonly text: string
  /** TLVs of other types. */
  readonly others: readonly { readonly type: number; readonly raw: string }[]
}

/** RFC 7854 section 4.5. */
const REASONS = [
  'administratively_closed',
  'unspecified',
  'out_of_resources',
  'redundant_connection',
  'permanently_closed',
] as const

/** Termination, RFC 7854 section 4.5: TLVs; type 0 a string, type 1 the reason => U16. */
export function decodeTermination(c: Cursor, errors: DecodeError[]): Termination {
  let reason: number | null = null
  const texts: string[] = []
  const others: { type: number; raw: string }[] = []
  try {
    while (remaining(c) > 0) {
      const type = readU16(c)
      const value = enter(c, readU16(c), `tlv(${type})`)
      if (type === 0) texts.push(toText(c.bytes, value.pos, value.end))
      else if (type === 1) reason = readU16(value)
      else others.push({ type, raw: toHex(c.bytes, value.pos, value.end) })
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  const reasonName = reason === null ? '' : (REASONS[reason] ?? `reason_${reason}`)
  return { reason, reasonName, text: texts.join('\n'), others }
}
