import { readU24, readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIP, formatPrefix } from '../../text/ip.ts'
import { formatEsi, formatRd } from '../../text/values.ts'

export interface IpPrefixRoute {
  readonly kind: 'evpn'
  readonly routeType: 5
  readonly name: 'ip_prefix'
  readonly rd: string
  readonly esi: string
  readonly ethTag: number
  readonly prefix: string
  /** '' when all zero: then the next hop leads on (RFC 9136 section 3.2). */
  readonly gateway: string
  /** 24 raw bits. */
  readonly label: number
}

const IPV4_ROUTE_OCTETS = 34

/**
 * EVPN Route Type 5, IP Prefix, RFC 9136 section 3.1. The size tells the family: 34 octets IPv4, 58 IPv6.
 *
 *   rd => 8, esi => 10, ethernet_tag => U32,
 *   prefix_length => U8 (bits), prefix => 4 | 16, gateway => 4 | 16, label => U24
 */
export function decodeIpPrefixRoute(c: Cursor): IpPrefixRoute {
  const octets = remaining(c) === IPV4_ROUTE_OCTETS ? 4 : 16
  const rd = formatRd(c.bytes, skip(c, 8))
  const esi = formatEsi(c.bytes, skip(c, 10))
  const ethTag = readU32(c)
  const bits = readU8(c)
  const prefix = formatPrefix(c.bytes, skip(c, octets), bits, octets === 16)
  const gatewayAt = skip(c, octets)
  const named = c.bytes.subarray(gatewayAt, gatewayAt + octets).some((octet) => octet !== 0)
  const gateway = named ? formatIP(c.bytes, gatewayAt, octets) : ''
  const label = readU24(c)
  return { kind: 'evpn', routeType: 5, name: 'ip_prefix', rd, esi, ethTag, prefix, gateway, label }
}
