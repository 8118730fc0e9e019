import type { BgpContext } from '../bgp/message.ts'
import { decodeCapabilities, type Capability } from '../bgp/open/capabilities.ts'
import { decodeUpdate, type BgpUpdate } from '../bgp/update.ts'
import { jsonInteger } from '../bgp/attributes/tlvs.ts'
import { cursorOver } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { toText } from '../text/strings.ts'
import { formatTimestamp } from '../text/time.ts'
import { BMP_BODY_OFFSET, updatePduAt } from './route-monitoring-pdu.ts'
import {
  ENTERPRISE_BIT,
  GROUP_BIT,
  V4_TLV_OCTETS,
  v4CodecOf,
  v4TableOf,
  v4TlvName,
} from './v4-route-monitoring.ts'
import { V4_TLV_TABLES, type V4TlvTable } from './v4-tlv-table.ts'

interface Tlv {
  readonly type: number
  /** Version 4: the NLRI it is about, from 1; 0 all; bit 15: a group. null in version 3. */
  readonly index: number | null
  /** Private enterprise number (E bit of the type, section 4.1); null where there is none. */
  readonly enterprise: number | null
  /** The value as hex, without the enterprise number. */
  readonly raw: string
}

/** A TLV beside the BGP UPDATE: version 4, and Huawei's behind the PDU in version 3. */
export type RouteMonitoringTlv = Tlv &
  (
    | { readonly name: 'vrf_table_name'; readonly text: string }
    /** `index` without bit 15 is the group's number; `members` are indexes of NLRI. */
    | { readonly name: 'group'; readonly members: readonly number[] }
    | { readonly name: 'stateless_parsing'; readonly capabilities: readonly Capability[] }
    | {
        readonly name: 'path_marking'
        readonly status: number
        /** `best`, `primary`, `add_path` ...; `bit_N` for those without a name. */
        readonly statuses: readonly string[]
        readonly reason: number | null
        readonly reasonName: string
      }
    | { readonly name: 'sequence_number'; readonly value: number | string }
    | { readonly name: 'timestamp'; readonly timestamp: string | null }
    | { readonly name: 'extended_flags' | 'unknown' }
  )

export interface RouteMonitoring {
  /** null when no UPDATE could be found (see `errors`). */
  readonly update: BgpUpdate | null
  readonly tlvs: readonly RouteMonitoringTlv[]
  /** What follows the PDU and is no TLV, as hex. */
  readonly trailing: string
}

/** Huawei, behind the PDU in version 3: path marking. */
const HUAWEI_PATH_MARKING = 0xea62

/** draft-ietf-grow-bmp-path-marking-tlv section 3.2. */
const REASONS = [
  '',
  'as_loop',
  'unresolvable_next_hop',
  'local_pref',
  'as_path_length',
  'origin',
  'med',
  'peer_type',
  'igp_cost',
  'router_id',
  'peer_address',
  'aigp',
] as const

/**
 * Route Monitoring, RFC 7854 section 4.6: a BGP UPDATE. In version 4 (draft-ietf-grow-bmp-tlv) it is one
 * of several TLVs, some of which say how it is to be read. What follows it in version 3 is no error: routes
 * come first.
 *
 * @param start..end  the whole BMP message
 * @param v4Tlvs  code points of version 4; undefined: the first table that all of the message fits
 */
export function decodeRouteMonitoring(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  context: BgpContext,
  errors: DecodeError[],
  v4Tlvs?: V4TlvTable,
): RouteMonitoring {
  const v4 = bytes[start] !== 3
  const table = v4Tlvs ?? (v4 ? v4TableOf(bytes, view, start, end) : V4_TLV_TABLES[0]!)
  const pduAt = updatePduAt(bytes, view, start, end, table)
  const body = Math.min(start + BMP_BODY_OFFSET, end)
  if (pduAt < 0) {
    errors.push(
      new DecodeError('MISSING', 'no BGP UPDATE among the TLVs', {
        offset: body,
        length: end - body,
        path: 'route_monitoring',
        spec: 'draft-ietf-grow-bmp-tlv section 4.2',
      }),
    )
    return { update: null, ...readTlvs(bytes, view, body, end, v4, -1, table) }
  }
  const codec = v4 ? v4CodecOf(bytes, view, start, end, context.codec, table) : context.codec
  const decoded = decodeUpdate(bytes, view, pduAt, end, { ...context, codec })
  errors.push(...decoded.errors)
  const rest = v4 ? body : decoded.end
  return { update: decoded.update, ...readTlvs(bytes, view, rest, end, v4, pduAt, table) }
}

/** { type => U16, length => U16, index => U16 (version 4), value }; the UPDATE's own TLV left out. */
function readTlvs(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  end: number,
  v4: boolean,
  pduAt: number,
  table: V4TlvTable,
): { tlvs: RouteMonitoringTlv[]; trailing: string } {
  const header = v4 ? V4_TLV_OCTETS : 4
  const tlvs: RouteMonitoringTlv[] = []
  let at = from
  while (at + header <= end) {
    const value = at + header
    const next = value + view.getUint16(at + 2)
    if (next > end) break
    if (value !== pduAt) {
      tlvs.push(
        v4
          ? decodeV4Tlv(bytes, view, at, next, table)
          : decodeTrailingTlv(bytes, view, at, value, next),
      )
    }
    at = next
  }
  return { tlvs, trailing: toHex(bytes, at, end) }
}

function decodeTrailingTlv(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  value: number,
  end: number,
): RouteMonitoringTlv {
  const type = view.getUint16(at)
  const common: Tlv = { type, index: null, enterprise: null, raw: toHex(bytes, value, end) }
  if (type !== HUAWEI_PATH_MARKING) return { ...common, name: 'unknown' }
  const octets = end - value
  // An index may come first, as in version 4: then status and reason are two octets further on.
  const indexed = octets === 8 || (octets === 6 && view.getUint32(value) === 0)
  const from = indexed ? value + 2 : value
  const marking = pathMarking(view, from, end, V4_TLV_TABLES[0]!)
  if (marking === undefined) return { ...common, name: 'unknown' }
  return { ...common, index: indexed ? view.getUint16(value) : null, ...marking }
}

function decodeV4Tlv(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  table: V4TlvTable,
): RouteMonitoringTlv {
  const word = view.getUint16(at)
  const index = view.getUint16(at + 4)
  const octets = end - at - V4_TLV_OCTETS
  const owned = (word & ENTERPRISE_BIT) !== 0 && octets >= 4
  const value = at + V4_TLV_OCTETS + (owned ? 4 : 0)
  const common: Tlv = {
    type: owned ? word & ~ENTERPRISE_BIT : word,
    index,
    enterprise: owned ? view.getUint32(value - 4) : null,
    raw: toHex(bytes, value, end),
  }
  const unknown: RouteMonitoringTlv = { ...common, name: 'unknown' }
  switch (v4TlvName(table, bytes, view, at)) {
    case 'vrf_table_name':
      return { ...common, name: 'vrf_table_name', text: toText(bytes, value, end) }
    case 'group': {
      if ((index & GROUP_BIT) === 0 || octets % 2 !== 0) return unknown
      const members: number[] = []
      for (let p = value; p < end; p += 2) members.push(view.getUint16(p))
      return { ...common, name: 'group', members }
    }
    case 'stateless_parsing': {
      const c = cursorOver(bytes, value, end, 'stateless_parsing', 'RFC 5492 section 4', view)
      const problems: DecodeError[] = []
      const capabilities = decodeCapabilities(c, problems)
      return problems.length > 0 ? unknown : { ...common, name: 'stateless_parsing', capabilities }
    }
    case 'path_marking':
      return {
        ...common,
        ...(pathMarking(view, value, end, table) ?? { name: 'unknown' as const }),
      }
    case 'sequence_number': {
      if (octets !== 4 && octets !== 8) return unknown
      const number = octets === 4 ? view.getUint32(value) : jsonInteger(view.getBigUint64(value))
      return { ...common, name: 'sequence_number', value: number }
    }
    case 'timestamp': {
      if (octets !== 8) return unknown
      const timestamp = formatTimestamp(view.getUint32(value), view.getUint32(value + 4))
      return { ...common, name: 'timestamp', timestamp }
    }
    case 'extended_flags':
      return { ...common, name: 'extended_flags' }
    // A second PDU, or one that is no BGP message, among them.
    default:
      return unknown
  }
}

/** status => U32, reason => U16 where there is one. */
function pathMarking(
  view: DataView,
  at: number,
  end: number,
  table: V4TlvTable,
): Omit<Extract<RouteMonitoringTlv, { name: 'path_marking' }>, keyof Tlv> | undefined {
  const octets = end - at
  if (octets !== 4 && octets !== 6) return undefined
  const status = view.getUint32(at)
  const statuses: string[] = []
  for (let bit = 0; bit < 32; bit++) {
    if (((status >>> bit) & 1) !== 0) statuses.push(table.pathStatus[bit] ?? `bit_${bit}`)
  }
  const reason = octets === 6 ? view.getUint16(at + 4) : null
  const reasonName = reason === null ? '' : (REASONS[reason] ?? `reason_${reason}`)
  return { name: 'path_marking', status, statuses, reason, reasonName }
}
