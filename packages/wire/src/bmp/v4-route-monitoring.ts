/**
 * Where things are in a version 4 Route Monitoring message (draft-ietf-grow-bmp-tlv section 4.2), and what
 * it says itself of how its PDU is to be read. Version 3 never comes here.
 */
import { isBgpMarker } from '../bgp/header.ts'
import { decodeCapabilities, type Capability } from '../bgp/open/capabilities.ts'
import { PeerCodec } from '../bgp/peer-codec.ts'
import { cursorOver } from '../cursor.ts'
import type { DecodeError } from '../errors.ts'
import { BMP_BODY_OFFSET } from './route-monitoring-pdu.ts'
import { V4_TLV_TABLES, type V4TlvName, type V4TlvTable } from './v4-tlv-table.ts'

/** Type, length of the value, index. */
export const V4_TLV_OCTETS = 6
/** Of the type: an enterprise number comes first in the value. */
export const ENTERPRISE_BIT = 0x8000
/** Of the index: it numbers a group, not an NLRI. */
export const GROUP_BIT = 0x8000

/** Which of the table's TLVs is it? '' for none of them. The form settles types that two have. */
export function v4TlvName(
  table: V4TlvTable,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): V4TlvName | '' {
  const type = view.getUint16(at)
  if ((type & ENTERPRISE_BIT) !== 0) return ''
  let found: V4TlvName | '' = ''
  for (const name of Object.keys(table.types) as V4TlvName[]) {
    if (table.types[name] !== type) continue
    if (fits(name, bytes, view, at)) return name
    found = name
  }
  return found
}

/** Does the TLV at `at` have the form of its name? Not looked into further than to tell tables apart. */
function fits(name: V4TlvName, bytes: Uint8Array, view: DataView, at: number): boolean {
  const length = view.getUint16(at + 2)
  const value = at + V4_TLV_OCTETS
  switch (name) {
    case 'bgp_pdu':
      return isBgpMarker(bytes, value, value + length)
    case 'group':
      return (view.getUint16(at + 4) & GROUP_BIT) !== 0 && length > 0 && length % 2 === 0
    case 'stateless_parsing':
      return length >= 2 && bytes[value + 1]! + 2 === length
    case 'path_marking':
      return (length === 4 || length === 6) && bytes[value] === 0
    case 'vrf_table_name': {
      for (let p = value; p < value + length; p++) if (bytes[p]! < 0x20) return false
      return length <= 255
    }
    case 'sequence_number':
      return length === 4 || length === 8
    case 'timestamp':
      return length === 8
    default:
      return true
  }
}

/**
 * The first table that every TLV of the message fits; where none does, the first whose BGP UPDATE is there.
 *
 * @param start..end  the whole BMP message
 */
export function v4TableOf(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): V4TlvTable {
  let second: V4TlvTable | undefined
  for (const table of V4_TLV_TABLES) {
    let all = true
    let pdu = false
    for (let at = start + BMP_BODY_OFFSET; at + V4_TLV_OCTETS <= end;) {
      const next = at + V4_TLV_OCTETS + view.getUint16(at + 2)
      if (next > end) break
      const name = v4TlvName(table, bytes, view, at)
      if (name !== '' && !fits(name, bytes, view, at)) all = false
      // A BGP message under another type is one that this table doesn't explain.
      if (name !== 'bgp_pdu' && isBgpMarker(bytes, at + V4_TLV_OCTETS, next)) all = false
      if (name === 'bgp_pdu' && fits(name, bytes, view, at)) pdu = true
      at = next
    }
    if (pdu && all) return table
    if (pdu) second ??= table
  }
  return second ?? V4_TLV_TABLES[0]!
}

/**
 * The session knowledge for this message's PDU: the capabilities of its stateless parsing TLVs in place of
 * what the OPENs say of those families (section 5.2.3). `base` itself where there are none.
 */
export function v4CodecOf(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  base: PeerCodec | undefined,
  table: V4TlvTable = v4TableOf(bytes, view, start, end),
): PeerCodec | undefined {
  // All at once: a copy of the knowledge for each of thousands would take the square of them.
  const capabilities: Capability[] = []
  for (let at = start + BMP_BODY_OFFSET; at + V4_TLV_OCTETS <= end;) {
    const value = at + V4_TLV_OCTETS
    const next = value + view.getUint16(at + 2)
    if (next > end) break
    if (v4TlvName(table, bytes, view, at) === 'stateless_parsing') {
      const errors: DecodeError[] = []
      const c = cursorOver(bytes, value, next, 'stateless_parsing', 'RFC 5492 section 4', view)
      for (const capability of decodeCapabilities(c, errors)) capabilities.push(capability)
    }
    at = next
  }
  return capabilities.length === 0 ? base : (base ?? PeerCodec.unknown()).stateless(capabilities)
}
