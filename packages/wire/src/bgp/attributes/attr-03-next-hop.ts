import { skip, type Cursor } from '../../cursor.ts'
import { formatIPv4 } from '../../text/ip.ts'

export interface NextHopAttribute {
  readonly kind: 'next_hop'
  readonly type: 3
  readonly nextHop: string
}

/** NEXT_HOP (type 3), RFC 4271 section 5.1.3: 4 octets. */
export function decodeNextHop(c: Cursor): NextHopAttribute {
  return { kind: 'next_hop', type: 3, nextHop: formatIPv4(c.bytes, skip(c, 4)) }
}
