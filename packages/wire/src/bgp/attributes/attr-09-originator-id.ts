import { skip, type Cursor } from '../../cursor.ts'
import { formatIPv4 } from '../../text/ip.ts'

export interface OriginatorIdAttribute {
  readonly kind: 'originator_id'
  readonly type: 9
  readonly originatorId: string
}

/** ORIGINATOR_ID (type 9), RFC 4456 section 8: 4 octets. */
export function decodeOriginatorId(c: Cursor): OriginatorIdAttribute {
  return { kind: 'originator_id', type: 9, originatorId: formatIPv4(c.bytes, skip(c, 4)) }
}
