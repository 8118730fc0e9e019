import { readU16, readU32, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIPv4 } from '../../text/ip.ts'

export interface AggregatorAttribute {
  readonly kind: 'aggregator'
  readonly type: 7
  readonly asn: number
  readonly address: string
}

/** AGGREGATOR (type 7), RFC 4271 section 5.1.7, RFC 6793: asn => U16 | U32, address => 4. */
export function decodeAggregator(c: Cursor): AggregatorAttribute {
  const asn = remaining(c) === 8 ? readU32(c) : readU16(c)
  return { kind: 'aggregator', type: 7, asn, address: formatIPv4(c.bytes, skip(c, 4)) }
}
