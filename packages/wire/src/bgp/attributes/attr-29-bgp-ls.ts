import { readU32, remaining, skip, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatIP } from '../../text/ip.ts'
import { toText } from '../../text/strings.ts'
import { eachTlv, TLV_16_16 } from './tlvs.ts'

export interface BgpLsTlv {
  readonly type: number
  /** `igp_metric`; `type_N` where there is no name. */
  readonly name: string
  /** Names, addresses, metrics and bandwidths (octets per second); null for what `raw` alone has. */
  readonly value: string | number | null
  readonly raw: string
}

export interface BgpLsAttribute {
  readonly kind: 'bgp_ls'
  readonly type: 29
  readonly tlvs: readonly BgpLsTlv[]
}

/** IANA "BGP-LS NLRI and Attribute TLVs": RFC 9552 section 5.3, 9085, 9086, 8571, 9514, 8814, 9104, 9294. */
const NAMES: Readonly<Record<number, string>> = {
  258: 'link_local_remote_identifiers',
  266: 'node_msd',
  267: 'link_msd',
  1024: 'node_flags',
  1025: 'opaque_node',
  1026: 'node_name',
  1027: 'isis_area',
  1028: 'ipv4_router_id_local',
  1029: 'ipv6_router_id_local',
  1030: 'ipv4_router_id_remote',
  1031: 'ipv6_router_id_remote',
  1034: 'sr_capabilities',
  1035: 'sr_algorithm',
  1036: 'sr_local_block',
  1037: 'srms_preference',
  1038: 'srv6_capabilities',
  1039: 'flex_algo_definition',
  1088: 'admin_group',
  1089: 'max_link_bandwidth',
  1090: 'max_reservable_bandwidth',
  1091: 'unreserved_bandwidth',
  1092: 'te_metric',
  1093: 'link_protection',
  1094: 'mpls_protocols',
  1095: 'igp_metric',
  1096: 'srlg',
  1097: 'opaque_link',
  1098: 'link_name',
  1099: 'adjacency_sid',
  1100: 'lan_adjacency_sid',
  1101: 'peer_node_sid',
  1102: 'peer_adjacency_sid',
  1103: 'peer_set_sid',
  1106: 'srv6_end_x_sid',
  1107: 'isis_srv6_lan_end_x_sid',
  1108: 'ospf_srv6_lan_end_x_sid',
  1114: 'link_delay',
  1115: 'min_max_link_delay',
  1116: 'delay_variation',
  1117: 'link_loss',
  1118: 'residual_bandwidth',
  1119: 'available_bandwidth',
  1120: 'utilized_bandwidth',
  1122: 'application_specific_link_attributes',
  1152: 'igp_flags',
  1153: 'igp_route_tag',
  1154: 'igp_extended_route_tag',
  1155: 'prefix_metric',
  1156: 'ospf_forwarding_address',
  1157: 'opaque_prefix',
  1158: 'prefix_sid',
  1159: 'sid_range',
  1161: 'sid_label',
  1162: 'srv6_locator',
  1170: 'prefix_attribute_flags',
  1171: 'source_router_id',
  1173: 'extended_admin_group',
  1250: 'srv6_endpoint_behavior',
  1251: 'srv6_bgp_peer_node_sid',
  1252: 'srv6_sid_structure',
}
const TEXTS = new Set([1026, 1098])
const ADDRESSES = new Set([1028, 1029, 1030, 1031, 1156, 1171])
/** The value as one number of as many octets as there are. */
const NUMBERS = new Set([1088, 1092, 1095, 1155])
const BANDWIDTHS = new Set([1089, 1090, 1118, 1119, 1120])

/** Name of a TLV of the BGP-LS attribute, IANA; `type_N` for one that has none. */
export function bgpLsTlvName(type: number): string {
  return NAMES[type] ?? `type_${type}`
}

/** BGP-LS (type 29), RFC 9552 section 5.3: { type => U16, length => U16, value } 0..n. */
export function decodeBgpLs(c: Cursor): BgpLsAttribute {
  const tlvs = eachTlv(c, TLV_16_16, (type, value) => ({
    type,
    name: bgpLsTlvName(type),
    raw: toHex(value.bytes, value.pos, value.end),
    value: simpleValue(type, value),
  }))
  return { kind: 'bgp_ls', type: 29, tlvs }
}

function simpleValue(type: number, c: Cursor): string | number | null {
  const octets = remaining(c)
  if (TEXTS.has(type)) return toText(c.bytes, c.pos, c.end)
  if (ADDRESSES.has(type) && (octets === 4 || octets === 16))
    return formatIP(c.bytes, c.pos, octets)
  if (NUMBERS.has(type) && octets >= 1 && octets <= 4) {
    let value = 0
    for (let i = 0; i < octets; i++) value = value * 256 + c.bytes[c.pos + i]!
    return value
  }
  if (BANDWIDTHS.has(type) && octets === 4) {
    const value = c.view.getFloat32(skip({ ...c }, 4))
    return Number.isFinite(value) ? value : null
  }
  return octets === 4 && type === 1096 ? readU32({ ...c }) : null
}
