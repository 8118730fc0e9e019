import { isBgpMarker } from '../bgp/header.ts'
import { BMP_HEADER_OCTETS } from './framer.ts'
import { PEER_HEADER_OCTETS } from './peer-header.ts'
import type { V4TlvTable } from './v4-tlv-table.ts'

/** First octet behind the per-peer header. */
export const BMP_BODY_OFFSET = BMP_HEADER_OCTETS + PEER_HEADER_OCTETS

/**
 * Where the BGP message begins in the Route Monitoring message at `start`; -1 when there is none.
 *
 * Version 3 (RFC 7854 section 4.6): right behind the per-peer header. Version 4: in a TLV
 * { type => U16, length => U16 (of the value), index => U16, value }: the one of the table's type, else the
 * first whose value begins like a BGP message.
 *
 * @param v4Tlvs  code points; without, it is the form alone that counts
 */
export function updatePduAt(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  v4Tlvs?: V4TlvTable,
): number {
  const body = start + BMP_BODY_OFFSET
  if (body > end) return -1
  if (bytes[start] === 3) return body
  let likely = -1
  for (let at = body; at + 6 <= end;) {
    const type = view.getUint16(at)
    const valueEnd = at + 6 + view.getUint16(at + 2)
    if (valueEnd > end) break
    if (isBgpMarker(bytes, at + 6, valueEnd)) {
      if (v4Tlvs === undefined || type === v4Tlvs.types.bgp_pdu) return at + 6
      if (likely < 0) likely = at + 6
    }
    at = valueEnd
  }
  return likely
}
