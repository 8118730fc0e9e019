import { decodeUpdate, type BgpUpdate } from '../bgp/update.ts'
import type { BgpContext } from '../bgp/message.ts'
import { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { BMP_BODY_OFFSET, updatePduAt } from './route-monitoring-pdu.ts'

/** A TLV beside the BGP UPDATE: version 4, and Huawei's behind the PDU in version 3. Always raw. */
export interface RouteMonitoringTlv {
  readonly type: number
  /** Version 4: which NLRI it is about (0 all, bit 15 a group); null in version 3. */
  readonly index: number | null
  readonly raw: string
}

export interface RouteMonitoring {
  /** null when no UPDATE could be found (see `errors`). */
  readonly update: BgpUpdate | null
  readonly tlvs: readonly RouteMonitoringTlv[]
  /** What follows the PDU and is no TLV, as hex. */
  readonly trailing: string
}

/**
 * Route Monitoring, RFC 7854 section 4.6: a BGP UPDATE. In version 4 (draft-ietf-grow-bmp-tlv) it is one
 * of several TLVs. What follows it in version 3 is kept raw and is no error: routes come first.
 *
 * @param start..end  the whole BMP message
 * @param v4PduType  see `DEFAULT_V4_PDU_TYPE`
 */
export function decodeRouteMonitoring(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  context: BgpContext,
  errors: DecodeError[],
  v4PduType?: number,
): RouteMonitoring {
  const pduAt = updatePduAt(bytes, view, start, end, v4PduType)
  if (pduAt < 0) {
    const body = Math.min(start + BMP_BODY_OFFSET, end)
    errors.push(
      new DecodeError('MISSING', 'no BGP UPDATE among the TLVs', {
        offset: body,
        length: end - body,
        path: 'route_monitoring',
        spec: 'draft-ietf-grow-bmp-tlv section 4.2',
      }),
    )
    return { update: null, tlvs: [], trailing: toHex(bytes, body, end) }
  }
  const decoded = decodeUpdate(bytes, view, pduAt, end, context)
  errors.push(...decoded.errors)
  const v4 = bytes[start] !== 3
  const rest = v4 ? start + BMP_BODY_OFFSET : decoded.end
  return { update: decoded.update, ...readTlvs(bytes, view, rest, end, v4, pduAt) }
}

/** { type => U16, length => U16, index => U16 (version 4), value }; the UPDATE's own TLV left out. */
function readTlvs(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  end: number,
  v4: boolean,
  pduAt: number,
): { tlvs: RouteMonitoringTlv[]; trailing: string } {
  const header = v4 ? 6 : 4
  const tlvs: RouteMonitoringTlv[] = []
  let at = from
  while (at + header <= end) {
    const value = at + header
    const next = value + view.getUint16(at + 2)
    if (next > end) break
    if (value !== pduAt) {
      const index = v4 ? view.getUint16(at + 4) : null
      tlvs.push({ type: view.getUint16(at), index, raw: toHex(bytes, value, next) })
    }
    at = next
  }
  return { tlvs, trailing: toHex(bytes, at, end) }
}
