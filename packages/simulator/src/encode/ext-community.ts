import { ipv4Octets, macOctets } from './address.ts'
import { Bytes } from './bytes.ts'

export type ExtCommunity =
  /** RFC 4360 section 4: '65000:5001' (types 00, 02) or '10.0.0.1:7' (type 01). */
  | { kind: 'rt'; value: string }
  /** EVPN Router's MAC, RFC 9135 section 8.1. */
  | { kind: 'rmac'; mac: string }
  /** MAC Mobility, RFC 7432 section 7.7. */
  | { kind: 'mobility'; sequence: number; sticky?: boolean }
  /** ESI Label, RFC 7432 section 7.5. */
  | { kind: 'esi-label'; label: number; singleActive?: boolean }
  /** ES-Import Route Target, RFC 7432 section 7.6. */
  | { kind: 'es-import'; mac: string }
  /** Encapsulation, RFC 9012 section 4.1; 8 is VXLAN. */
  | { kind: 'encap'; tunnel: number }
  /** Default Gateway, RFC 7432 section 7.8. */
  | { kind: 'default-gateway' }
  /** Link bandwidth, octets per second as IEEE float; sub-type 4 of type 00 or 40. */
  | { kind: 'link-bandwidth'; asn: number; octetsPerSecond: number; transitive: boolean }

const AS_TRANS = 23_456

/** @returns eight octets */
export function encodeExtCommunity(community: ExtCommunity): Uint8Array {
  const bytes = new Bytes()
  switch (community.kind) {
    case 'rt':
      return routeTarget(community.value)
    case 'rmac':
      return bytes.u16(0x0603).raw(macOctets(community.mac)).done()
    case 'mobility':
      return bytes
        .u16(0x0600)
        .u8(community.sticky === true ? 1 : 0)
        .u8(0)
        .u32(community.sequence)
        .done()
    case 'esi-label':
      return bytes
        .u16(0x0601)
        .u8(community.singleActive === true ? 1 : 0)
        .u16(0)
        .u24(community.label)
        .done()
    case 'es-import':
      return bytes.u16(0x0602).raw(macOctets(community.mac)).done()
    case 'encap':
      return bytes.u16(0x030c).u32(0).u16(community.tunnel).done()
    case 'default-gateway':
      return bytes.u16(0x030d).u32(0).u16(0).done()
    case 'link-bandwidth':
      return bytes
        .u16(community.transitive ? 0x0004 : 0x4004)
        .u16(community.asn > 0xffff ? AS_TRANS : community.asn)
        .f32(community.octetsPerSecond)
        .done()
  }
}

function routeTarget(text: string): Uint8Array {
  const [admin = '', number = ''] = text.split(':')
  const value = Number(number)
  if (admin.includes('.')) {
    return new Bytes().u16(0x0102).raw(ipv4Octets(admin)).u16(value).done()
  }
  const asn = Number(admin)
  return asn <= 0xffff
    ? new Bytes().u16(0x0002).u16(asn).u32(value).done()
    : new Bytes().u16(0x0202).u32(asn).u16(value).done()
}
