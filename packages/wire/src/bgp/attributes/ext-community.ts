/**
 * Extended communities taken apart. The text of the event log is `formatExtCommunity`'s, a contract with
 * the SQL side that knows fewer kinds; here every kind that has a specification is typed.
 */
import { toHex } from '../../text/hex.ts'
import { formatIPv4 } from '../../text/ip.ts'
import { formatExtCommunity, formatMac } from '../../text/values.ts'

interface Common {
  /** As the event log has it. */
  readonly text: string
  /** RFC 4360 section 2. */
  readonly transitive: boolean
}

/** AS number or IPv4 address, and a number of its own: `65000:100`, `192.0.2.1:100`. */
interface Administered {
  readonly administrator: string
  readonly number: number
}

/** Sub-types of types 0x00, 0x01 and 0x02 (IANA), whatever the administrator's form. */
const ADMINISTERED = {
  0x02: 'route_target', // RFC 4360 section 4
  0x03: 'site_of_origin', // RFC 4360 section 5
  0x05: 'ospf_domain_id', // RFC 4577 section 4.2.4
  0x07: 'ospf_router_id', // RFC 4577 section 4.2.7
  0x08: 'bgp_data_collection', // RFC 4384
  0x09: 'source_as', // RFC 6514 section 6
  0x0a: 'l2vpn_identifier', // RFC 6074
  0x0b: 'vrf_route_import', // RFC 6514 section 7
  0x10: 'cisco_vpn_distinguisher',
  0x12: 'inter_area_segment_next_hop', // RFC 7524
  0x13: 'route_target_record', // draft-ietf-bess-service-chaining
  0x15: 'vrf_recursive_next_hop',
} as const

export type AdministeredKind = (typeof ADMINISTERED)[keyof typeof ADMINISTERED]

export type ExtCommunity = Common &
  (
    | (Administered & { readonly kind: AdministeredKind })
    /** RFC 10005: octets per second. EVPN's (draft-ietf-bess-evpn-unequal-lb) in the same unit, or a weight. */
    | { readonly kind: 'link_bandwidth'; readonly asn: number; readonly octetsPerSecond: number }
    | {
        readonly kind: 'evpn_link_bandwidth'
        readonly octetsPerSecond: number | null
        readonly weight: number | null
      }
    /** RFC 4577 section 4.2.6. */
    | {
        readonly kind: 'ospf_route_type'
        readonly area: string
        readonly routeType: number
        readonly options: number
      }
    /** RFC 9012 section 4.3. */
    | { readonly kind: 'color'; readonly flags: number; readonly color: number }
    /** RFC 9012 section 4.1. */
    | { readonly kind: 'encapsulation'; readonly tunnelType: number }
    /** RFC 7432 section 7.8. */
    | { readonly kind: 'default_gateway' }
    /** RFC 8097 section 2. */
    | {
        readonly kind: 'origin_validation'
        readonly state: 'valid' | 'not_found' | 'invalid' | 'unknown'
      }
    /** RFC 7432 section 7.7. */
    | { readonly kind: 'mac_mobility'; readonly sticky: boolean; readonly sequence: number }
    /** RFC 7432 section 7.5. */
    | {
        readonly kind: 'esi_label'
        readonly singleActive: boolean
        readonly label: number
        /** Label or VNI in 24 bits (RFC 8365). */
        readonly raw: number
      }
    /** RFC 7432 section 7.6. */
    | { readonly kind: 'es_import'; readonly mac: string }
    /** RFC 9135 section 4.2 (called EVPN router's MAC). */
    | { readonly kind: 'router_mac'; readonly mac: string }
    /** RFC 8214 section 3.1. */
    | {
        readonly kind: 'evpn_l2_attributes'
        readonly primary: boolean
        readonly backup: boolean
        readonly controlWord: boolean
        readonly flags: number
        readonly mtu: number
      }
    /** RFC 8317 section 5.1. */
    | { readonly kind: 'evpn_e_tree'; readonly leaf: boolean; readonly label: number }
    /** RFC 8584 section 2.2. */
    | {
        readonly kind: 'df_election'
        readonly algorithm: number
        readonly capabilities: number
        /** RFC 9785 section 3; 0 otherwise. */
        readonly preference: number
      }
    /** RFC 9047 section 2. */
    | {
        readonly kind: 'arp_nd'
        readonly router: boolean
        readonly override: boolean
        readonly immutable: boolean
      }
    /** RFC 9251 section 9.5. */
    | {
        readonly kind: 'multicast_flags'
        readonly flags: number
        readonly igmpProxy: boolean
        readonly mldProxy: boolean
      }
    /** RFC 9251 section 9.6: type 0 to 3 as the route target inside. */
    | (Administered & { readonly kind: 'evi_rt' })
    /** RFC 9722 section 2.1: seconds of the era, fraction in 1/65536 s. */
    | {
        readonly kind: 'service_carving_timestamp'
        readonly seconds: number
        readonly fraction: number
      }
    /** RFC 8955 section 7.1 and 7.2: octets or packets per second. */
    | {
        readonly kind: 'traffic_rate'
        readonly asn: number
        readonly unit: 'octets' | 'packets'
        readonly rate: number
      }
    /** RFC 8955 section 7.3. */
    | { readonly kind: 'traffic_action'; readonly terminal: boolean; readonly sample: boolean }
    /** RFC 8955 section 7.4. */
    | (Administered & { readonly kind: 'redirect' })
    /** draft-ietf-idr-flowspec-redirect-ip section 3; '' for the next hop (the draft before it, type 8). */
    | { readonly kind: 'redirect_to_ip'; readonly address: string; readonly copy: boolean }
    /** draft-ietf-idr-flowspec-interfaceset section 3. */
    | {
        readonly kind: 'interface_set'
        readonly asn: number
        readonly group: number
        readonly input: boolean
        readonly output: boolean
      }
    /** draft-ietf-bess-mup-safi section 3.3. */
    | { readonly kind: 'mup_segment'; readonly id2: number; readonly id4: number }
    /** RFC 8955 section 7.5. */
    | { readonly kind: 'traffic_marking'; readonly dscp: number }
    /** RFC 4761 section 3.2.4. */
    | {
        readonly kind: 'layer2_info'
        readonly encapsulation: number
        readonly flags: number
        readonly mtu: number
        readonly preference: number
      }
    | {
        readonly kind: 'unknown'
        readonly type: number
        readonly subType: number
        readonly raw: string
      }
  )

const VALIDATION = ['valid', 'not_found', 'invalid'] as const
/** draft-ietf-bess-evpn-unequal-lb section 4: megabits per second. */
const OCTETS_IN_MEGABIT = 125_000

/** Eight octets of an extended community, RFC 4360 section 2: type => U8, sub_type => U8, value => 6. */
export function decodeExtCommunity(bytes: Uint8Array, at: number, view: DataView): ExtCommunity {
  const type = bytes[at]!
  const common: Common = {
    text: formatExtCommunity(bytes, at),
    transitive: (type & 0x40) === 0,
  }
  return { ...common, ...typed(bytes, at, view) }
}

type Typed = ExtCommunity extends infer T
  ? T extends Common
    ? Omit<T, keyof Common>
    : never
  : never

function typed(bytes: Uint8Array, at: number, view: DataView): Typed {
  const type = bytes[at]!
  const subType = bytes[at + 1]!
  const kind = view.getUint16(at) & 0xbfff // The transitive bit changes no layout.
  const octet = (i: number): number => bytes[at + i]!
  const u16 = (i: number): number => view.getUint16(at + i)
  const u24 = (i: number): number => (u16(i) << 8) | octet(i + 2)
  const u32 = (i: number): number => view.getUint32(at + i)
  const float = (i: number): number => {
    const value = view.getFloat32(at + i)
    return Number.isFinite(value) ? value : 0 // JSON has neither infinity nor NaN.
  }
  const unknown: Typed = {
    kind: 'unknown',
    type,
    subType,
    raw: toHex(bytes, at + 2, at + 8),
  }
  switch (kind) {
    case 0x0004:
      return { kind: 'link_bandwidth', asn: u16(2), octetsPerSecond: float(4) }
    case 0x0306:
    case 0x8000:
      return { kind: 'ospf_route_type', area: formatIPv4(bytes, at + 2), routeType: octet(6), options: octet(7) } // prettier-ignore
    case 0x0300:
      if ((type & 0x40) === 0) return unknown
      return { kind: 'origin_validation', state: VALIDATION[octet(7)] ?? 'unknown' }
    case 0x030b:
      return { kind: 'color', flags: u16(2), color: u32(4) }
    case 0x030c:
      return { kind: 'encapsulation', tunnelType: u16(6) }
    case 0x030d:
      return { kind: 'default_gateway' }
    case 0x0600:
      return { kind: 'mac_mobility', sticky: (octet(2) & 1) !== 0, sequence: u32(4) }
    case 0x0601:
      return { kind: 'esi_label', singleActive: (octet(2) & 1) !== 0, label: u24(5) >> 4, raw: u24(5) } // prettier-ignore
    case 0x0602:
      return { kind: 'es_import', mac: formatMac(bytes, at + 2) }
    case 0x0603:
      return { kind: 'router_mac', mac: formatMac(bytes, at + 2) }
    case 0x0604: {
      const flags = u16(2)
      return {
        kind: 'evpn_l2_attributes',
        primary: (flags & 2) !== 0,
        backup: (flags & 1) !== 0,
        controlWord: (flags & 4) !== 0,
        flags,
        mtu: u16(4),
      }
    }
    case 0x0605:
      return { kind: 'evpn_e_tree', leaf: (octet(2) & 1) !== 0, label: u24(5) >> 4 }
    case 0x0606:
      return { kind: 'df_election', algorithm: octet(2) & 0x1f, capabilities: u16(3), preference: u16(6) } // prettier-ignore
    case 0x0608:
      return {
        kind: 'arp_nd',
        router: (octet(2) & 1) !== 0,
        override: (octet(2) & 2) !== 0,
        immutable: (octet(2) & 8) !== 0,
      }
    case 0x0609: {
      const flags = u16(2)
      return { kind: 'multicast_flags', flags, igmpProxy: (flags & 1) !== 0, mldProxy: (flags & 2) !== 0 } // prettier-ignore
    }
    case 0x060a:
    case 0x060b:
    case 0x060c:
      return { kind: 'evi_rt', ...administered(bytes, at, view, subType - 0x0a) }
    case 0x060f:
      return { kind: 'service_carving_timestamp', seconds: u32(2), fraction: u16(6) }
    case 0x0610: {
      const value = octet(3) * 0x1_0000_0000 + u32(4)
      if (octet(2) > 1) return unknown
      const bandwidth = octet(2) === 0
      return {
        kind: 'evpn_link_bandwidth',
        octetsPerSecond: bandwidth ? value * OCTETS_IN_MEGABIT : null,
        weight: bandwidth ? null : value,
      }
    }
    case 0x8006:
    case 0x800c:
      return { kind: 'traffic_rate', asn: u16(2), unit: subType === 6 ? 'octets' : 'packets', rate: float(4) } // prettier-ignore
    case 0x8007:
      // RFC 8955 section 7.3: bits 47 (T: go on) and 46 (S).
      return { kind: 'traffic_action', terminal: (octet(7) & 1) === 0, sample: (octet(7) & 2) !== 0 } // prettier-ignore
    case 0x8008:
    case 0x8108:
    case 0x8208:
      return { kind: 'redirect', ...administered(bytes, at, view, type & 0x03) }
    case 0x010c:
      return { kind: 'redirect_to_ip', address: formatIPv4(bytes, at + 2), copy: (octet(7) & 1) !== 0 } // prettier-ignore
    case 0x0800:
      return { kind: 'redirect_to_ip', address: '', copy: (octet(7) & 1) !== 0 }
    case 0x0702: {
      const word = u16(6)
      return { kind: 'interface_set', asn: u32(2), group: word & 0x3fff, input: (word & 0x4000) !== 0, output: (word & 0x8000) !== 0 } // prettier-ignore
    }
    case 0x0c00:
      return { kind: 'mup_segment', id2: u16(2), id4: u32(4) }
    case 0x8009:
      return { kind: 'traffic_marking', dscp: octet(7) & 0x3f }
    case 0x800a:
      return { kind: 'layer2_info', encapsulation: octet(2), flags: octet(3), mtu: u16(4), preference: u16(6) } // prettier-ignore
    default:
  }
  const name = ADMINISTERED[subType as keyof typeof ADMINISTERED] as AdministeredKind | undefined
  if (kind >> 8 <= 2 && name !== undefined) {
    return { kind: name, ...administered(bytes, at, view, type & 0x3f) }
  }
  return unknown
}

/** @param form 0 AS of 2 octets, 1 IPv4 address, 2 AS of 4 octets */
function administered(
  bytes: Uint8Array,
  at: number,
  view: DataView,
  form: number,
): { administrator: string; number: number } {
  switch (form) {
    case 0:
      return { administrator: String(view.getUint16(at + 2)), number: view.getUint32(at + 4) }
    case 1:
      return { administrator: formatIPv4(bytes, at + 2), number: view.getUint16(at + 6) }
    default:
      return { administrator: String(view.getUint32(at + 2)), number: view.getUint16(at + 6) }
  }
}
