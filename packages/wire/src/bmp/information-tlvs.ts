import { enter, readU16, remaining, type Cursor } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { toText } from '../text/strings.ts'

/** Information TLV: RFC 7854 sections 4.4 and 4.10, RFC 9069 section 4.3, RFC 9736. */
export interface InformationTlv {
  readonly type: number
  readonly name: 'string' | 'sys_descr' | 'sys_name' | 'vrf_table_name' | 'admin_label' | 'unknown'
  /** UTF-8 as sent (control characters too); '' for unknown types. */
  readonly text: string
  /** Hex, for unknown types only. */
  readonly raw: string
}

const NAMES = ['string', 'sys_descr', 'sys_name', 'vrf_table_name', 'admin_label'] as const

/**
 * { type => U16, length => U16, value => length octets } to the end.
 *
 * @param errors gets what is cut off; the TLVs before it are kept
 */
export function decodeInformationTlvs(c: Cursor, errors: DecodeError[]): InformationTlv[] {
  const found: InformationTlv[] = []
  try {
    while (remaining(c) > 0) {
      const type = readU16(c)
      const value = enter(c, readU16(c), `tlv(${type})`)
      const name = NAMES[type]
      found.push({
        type,
        name: name ?? 'unknown',
        text: name === undefined ? '' : toText(c.bytes, value.pos, value.end),
        raw: name === undefined ? toHex(c.bytes, value.pos, value.end) : '',
      })
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  return found
}
