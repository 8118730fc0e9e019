import { readU32, skip, type Cursor } from '../../cursor.ts'
import { formatIPv4 } from '../../text/ip.ts'

export interface As4AggregatorAttribute {
  readonly kind: 'as4_aggregator'
  readonly type: 18
  readonly asn: number
  readonly address: string
}

/** AS4_AGGREGATOR (type 18), RFC 6793 section 3: asn => U32, address => 4. */
export function decodeAs4Aggregator(c: Cursor): As4AggregatorAttribute {
  const asn = readU32(c)
  return { kind: 'as4_aggregator', type: 18, asn, address: formatIPv4(c.bytes, skip(c, 4)) }
}
