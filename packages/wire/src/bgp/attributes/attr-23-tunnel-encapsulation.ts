import { readU16, readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIP, formatIPv6 } from '../../text/ip.ts'
import { toText } from '../../text/strings.ts'
import { formatMac, labelNumber, labelRaw } from '../../text/values.ts'
import {
  decodePrefixSidTlv,
  endpointBehaviorName,
  type PrefixSidTlv,
} from './attr-40-prefix-sid.ts'
import { eachTlv, rawTlv, rest, TLV_8_16, TLV_8_8, type RawTlv } from './tlvs.ts'

/** One segment of a segment list, RFC 9830 section 2.4.4.2, RFC 9831. */
export type PolicySegment =
  | { readonly kind: 'label'; readonly type: 1; readonly flags: number; readonly label: number }
  | {
      readonly kind: 'node'
      readonly type: 3 | 4
      readonly flags: number
      readonly algorithm: number
      readonly address: string
      readonly label: number | null
    }
  | {
      readonly kind: 'srv6_sid'
      readonly type: 13
      readonly flags: number
      readonly sid: string
      /** Endpoint behaviour where it is given. */
      readonly behavior: number | null
      readonly behaviorName: string
    }
  | RawTlv

export type TunnelSubTlv =
  /** RFC 9012 section 3.2: VXLAN and NVGRE. */
  | {
      readonly kind: 'virtual_network'
      readonly type: 1
      /** null where its flag says that it isn't there. */
      readonly vni: number | null
      readonly mac: string | null
    }
  /** RFC 9012 sections 3.2.2, 3.2.4, 3.2.5: L2TPv3's session id, GRE's key. */
  | {
      readonly kind: 'encapsulation_key'
      readonly type: 1
      readonly key: number
      readonly cookie: string
    }
  | { readonly kind: 'protocol_type'; readonly type: 2; readonly protocol: number }
  | { readonly kind: 'color'; readonly type: 4; readonly flags: number; readonly color: number }
  /** RFC 9012 section 3.1; '' for "the next hop". */
  | { readonly kind: 'egress_endpoint'; readonly type: 6; readonly address: string }
  | { readonly kind: 'ds_field'; readonly type: 7; readonly value: number }
  | { readonly kind: 'udp_port'; readonly type: 8; readonly port: number }
  | { readonly kind: 'embedded_label_handling'; readonly type: 9; readonly value: number }
  | { readonly kind: 'label_stack'; readonly type: 10; readonly labels: readonly number[] }
  | { readonly kind: 'prefix_sid'; readonly type: 11; readonly tlvs: readonly PrefixSidTlv[] }
  /** RFC 9830 section 2.4. */
  | {
      readonly kind: 'preference'
      readonly type: 12
      readonly flags: number
      readonly preference: number
    }
  | {
      readonly kind: 'binding_sid'
      readonly type: 13 | 20
      readonly flags: number
      readonly label: number | null
      readonly sid: string | null
    }
  | { readonly kind: 'explicit_null_policy'; readonly type: 14; readonly value: number }
  | { readonly kind: 'priority'; readonly type: 15; readonly priority: number }
  | {
      readonly kind: 'segment_list'
      readonly type: 128
      readonly weight: number | null
      readonly segments: readonly PolicySegment[]
    }
  | {
      readonly kind: 'candidate_path_name' | 'policy_name'
      readonly type: 129 | 130
      readonly name: string
    }
  | RawTlv

export interface Tunnel {
  readonly tunnelType: number
  readonly tunnelName: string
  readonly subTlvs: readonly TunnelSubTlv[]
}

export interface TunnelEncapsulationAttribute {
  readonly kind: 'tunnel_encapsulation'
  readonly type: 23
  readonly tunnels: readonly Tunnel[]
}

/** IANA "BGP Tunnel Encapsulation Attribute Tunnel Types". */
const TUNNELS: Readonly<Record<number, string>> = {
  1: 'l2tpv3',
  2: 'gre',
  7: 'ip_in_ip',
  8: 'vxlan',
  9: 'nvgre',
  10: 'mpls',
  11: 'mpls_in_gre',
  12: 'vxlan_gpe',
  13: 'mpls_in_udp',
  14: 'ipv6',
  15: 'sr_policy',
  16: 'bare',
  19: 'geneve',
}
const L2TPV3 = 1
const GRE = 2
const VXLAN = 8
const NVGRE = 9
const MPLS_IN_GRE = 11

/** Name of a tunnel type, RFC 9012 section 3.2; `type_N` for one that has none. */
export function tunnelName(type: number): string {
  return TUNNELS[type] ?? `type_${type}`
}

/**
 * TUNNEL_ENCAPSULATION (type 23), RFC 9012 section 2: tunnels { type => U16, length => U16, sub-TLVs };
 * sub-TLVs { type => U8, length => U8, or U16 from type 128 on, value }.
 */
export function decodeTunnelEncapsulation(c: Cursor): TunnelEncapsulationAttribute {
  const tunnels: Tunnel[] = []
  eachTlv(c, { typeOctets: 2, lengthOctets: 2 }, (tunnelType, value) => {
    const subTlvs: TunnelSubTlv[] = []
    while (remaining(value) > 0) {
      const wide = value.view.getUint8(value.pos) >= 128
      // One TLV of the form that its own type asks for.
      const one = eachTlv(
        { ...value, end: value.pos + subTlvOctets(value, wide) },
        wide ? TLV_8_16 : TLV_8_8,
        (type, c) => decodeSubTlv(tunnelType, type, c),
      )
      value.pos += subTlvOctets(value, wide)
      subTlvs.push(...one)
    }
    tunnels.push({ tunnelType, tunnelName: tunnelName(tunnelType), subTlvs })
  })
  return { kind: 'tunnel_encapsulation', type: 23, tunnels }
}

/** Octets of the sub-TLV at `c.pos`, header included, as many as there are at most. */
function subTlvOctets(c: Cursor, wide: boolean): number {
  const header = wide ? 3 : 2
  if (remaining(c) < header) return remaining(c)
  const length = wide ? c.view.getUint16(c.pos + 1) : c.view.getUint8(c.pos + 1)
  return Math.min(remaining(c), header + length)
}

function decodeSubTlv(tunnelType: number, type: number, c: Cursor): TunnelSubTlv {
  const octets = remaining(c)
  switch (type) {
    case 1:
      return decodeEncapsulation(tunnelType, c)
    case 2:
      return octets === 2 ? { kind: 'protocol_type', type, protocol: readU16(c) } : rawTlv(type, c)
    case 4: {
      // An extended community: 03 0b, flags => U16, colour => U32 (RFC 9012 section 3.4.2).
      if (octets !== 8 || c.view.getUint16(c.pos) !== 0x030b) return rawTlv(type, c)
      readU16(c)
      const flags = readU16(c)
      return { kind: 'color', type, flags, color: readU32(c) }
    }
    case 6: {
      if (octets < 6) return rawTlv(type, c)
      const afi = c.view.getUint16(c.pos + 4)
      const expected = afi === 0 ? 0 : afi === 1 ? 4 : afi === 2 ? 16 : -1
      if (octets - 6 !== expected) return rawTlv(type, c)
      skip(c, 6)
      const address = expected === 0 ? '' : formatIP(c.bytes, skip(c, expected), expected)
      return { kind: 'egress_endpoint', type, address }
    }
    case 7:
      return octets === 1 ? { kind: 'ds_field', type, value: readU8(c) } : rawTlv(type, c)
    case 8:
      return octets === 2 ? { kind: 'udp_port', type, port: readU16(c) } : rawTlv(type, c)
    case 9:
      return octets === 1
        ? { kind: 'embedded_label_handling', type, value: readU8(c) }
        : rawTlv(type, c)
    case 10: {
      if (octets % 4 !== 0) return rawTlv(type, c)
      const labels: number[] = []
      while (remaining(c) > 0) labels.push(labelNumber(c.bytes, skip(c, 4)))
      return { kind: 'label_stack', type, labels }
    }
    case 11:
      return { kind: 'prefix_sid', type, tlvs: eachTlv(c, TLV_8_16, decodePrefixSidTlv) }
    default:
      return decodePolicySubTlv(type, c)
  }
}

function decodeEncapsulation(tunnelType: number, c: Cursor): TunnelSubTlv {
  const octets = remaining(c)
  if ((tunnelType === VXLAN || tunnelType === NVGRE) && octets === 12) {
    const flags = readU8(c)
    const vni = labelRaw(c.bytes, skip(c, 3))
    const mac = formatMac(c.bytes, skip(c, 6))
    return {
      kind: 'virtual_network',
      type: 1,
      vni: (flags & 0x80) === 0 ? null : vni,
      mac: (flags & 0x40) === 0 ? null : mac,
    }
  }
  const keyed = tunnelType === GRE || tunnelType === MPLS_IN_GRE
  if ((keyed && octets === 4) || (tunnelType === L2TPV3 && octets >= 4)) {
    return { kind: 'encapsulation_key', type: 1, key: readU32(c), cookie: rest(c) }
  }
  return rawTlv(1, c)
}

/** SR policy, RFC 9830 section 2.4. */
function decodePolicySubTlv(type: number, c: Cursor): TunnelSubTlv {
  const octets = remaining(c)
  switch (type) {
    case 12: {
      if (octets !== 6) return rawTlv(type, c)
      const flags = readU16(c) >> 8
      return { kind: 'preference', type, flags, preference: readU32(c) }
    }
    case 13:
    case 20: {
      const wide = type === 20 ? octets === 18 || octets === 26 : octets === 18
      if (octets !== 2 && octets !== 6 && !wide) return rawTlv(type, c)
      const flags = readU16(c) >> 8
      const label = octets === 6 ? labelNumber(c.bytes, c.pos) : null
      return {
        kind: 'binding_sid',
        type,
        flags,
        label,
        sid: wide ? formatIPv6(c.bytes, c.pos) : null,
      }
    }
    case 14: {
      if (octets !== 3) return rawTlv(type, c)
      readU16(c)
      return { kind: 'explicit_null_policy', type, value: readU8(c) }
    }
    case 15:
      return octets === 2 ? { kind: 'priority', type, priority: readU8(c) } : rawTlv(type, c)
    case 128: {
      if (octets < 1) return rawTlv(type, c)
      readU8(c) // Reserved.
      let weight: number | null = null
      const segments: PolicySegment[] = []
      eachTlv(c, TLV_8_8, (inner, value) => {
        if (inner === 9 && remaining(value) === 6) {
          readU16(value)
          weight = readU32(value)
        } else segments.push(decodeSegment(inner, value))
      })
      return { kind: 'segment_list', type, weight, segments }
    }
    case 129:
    case 130: {
      if (octets < 1) return rawTlv(type, c)
      readU8(c) // Reserved.
      const name = toText(c.bytes, c.pos, c.end)
      return { kind: type === 129 ? 'candidate_path_name' : 'policy_name', type, name }
    }
    default:
      return rawTlv(type, c)
  }
}

function decodeSegment(type: number, c: Cursor): PolicySegment {
  const octets = remaining(c)
  if (type === 1 && octets === 6) {
    const flags = readU16(c) >> 8
    return { kind: 'label', type, flags, label: labelNumber(c.bytes, c.pos) }
  }
  if (type === 3 || type === 4) {
    const address = type === 3 ? 4 : 16
    if (octets === 2 + address || octets === 6 + address) {
      const flags = readU8(c)
      const algorithm = readU8(c)
      const text = formatIP(c.bytes, skip(c, address), address)
      const label = remaining(c) === 4 ? labelNumber(c.bytes, c.pos) : null
      return { kind: 'node', type, flags, algorithm, address: text, label }
    }
  }
  if (type === 13 && (octets === 18 || octets === 26)) {
    const flags = readU16(c) >> 8
    const sid = formatIPv6(c.bytes, skip(c, 16))
    const behavior = octets === 26 ? readU16(c) : null
    const behaviorName = behavior === null ? '' : endpointBehaviorName(behavior)
    return { kind: 'srv6_sid', type, flags, sid, behavior, behaviorName }
  }
  return rawTlv(type, c)
}
