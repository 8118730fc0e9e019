import { readU16, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIPv4 } from '../../text/ip.ts'
import { formatRd } from '../../text/values.ts'
import { rest } from './tlvs.ts'

export interface ConnectorAttribute {
  readonly kind: 'connector'
  readonly type: 20
  readonly connectorType: number
  /** '' where the value has none. */
  readonly rd: string
  /** '' for other types, which `raw` has. */
  readonly address: string
  readonly raw: string
}

/**
 * Connector (type 20, deprecated), RFC 6037 section 5.2.1: type => U16; type 1: address => 4, with a route
 * distinguisher in front as deployed.
 */
export function decodeConnector(c: Cursor): ConnectorAttribute {
  const connectorType = readU16(c)
  const octets = remaining(c)
  const known = connectorType === 1 && (octets === 4 || octets === 12)
  const rd = known && octets === 12 ? formatRd(c.bytes, skip(c, 8)) : ''
  const address = known ? formatIPv4(c.bytes, skip(c, 4)) : ''
  return { kind: 'connector', type: 20, connectorType, rd, address, raw: rest(c) }
}
