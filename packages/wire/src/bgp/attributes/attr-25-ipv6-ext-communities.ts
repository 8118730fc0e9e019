import { readU16, remaining, skip, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatIPv6 } from '../../text/ip.ts'

export interface Ipv6ExtCommunity {
  readonly kind:
    | 'route_target'
    | 'site_of_origin'
    | 'vrf_route_import'
    | 'redirect_to_ip'
    | 'redirect'
    | 'unknown'
  readonly type: number
  readonly subType: number
  readonly transitive: boolean
  readonly address: string
  readonly number: number
  /** `rt:2001:db8::1:100`; `0xTTSS:hex` for unknown kinds. */
  readonly text: string
}

export interface Ipv6ExtCommunitiesAttribute {
  readonly kind: 'ipv6_ext_communities'
  readonly type: 25
  readonly communities: readonly Ipv6ExtCommunity[]
}

/** Sub-types of type 0x00, RFC 5701 section 3, RFC 6515 section 7, RFC 8956 section 6.1, draft-ietf-idr-flowspec-redirect-ip. */
const KINDS: Readonly<Record<number, readonly [Ipv6ExtCommunity['kind'], string]>> = {
  0x02: ['route_target', 'rt'],
  0x03: ['site_of_origin', 'soo'],
  0x0b: ['vrf_route_import', 'vrf-import'],
  0x0c: ['redirect_to_ip', 'redirect-to-ip'],
  0x0d: ['redirect', 'redirect'],
}

/**
 * IPV6 EXTENDED COMMUNITIES (type 25), RFC 5701 section 2:
 * { type => U8, sub_type => U8, global_admin => 16, local_admin => U16 } 1..n
 */
export function decodeIpv6ExtCommunities(c: Cursor): Ipv6ExtCommunitiesAttribute {
  const communities: Ipv6ExtCommunity[] = []
  while (remaining(c) > 0) {
    const at = c.pos
    const word = readU16(c)
    const address = formatIPv6(c.bytes, skip(c, 16))
    const number = readU16(c)
    const type = word >> 8
    const subType = word & 0xff
    const known = (type & 0x3f) === 0 ? KINDS[subType] : undefined
    communities.push({
      kind: known?.[0] ?? 'unknown',
      type,
      subType,
      transitive: (type & 0x40) === 0,
      address,
      number,
      text:
        known === undefined
          ? `0x${toHex(c.bytes, at, at + 2)}:${toHex(c.bytes, at + 2, at + 20)}`
          : `${known[1]}:${address}:${number}`,
    })
  }
  return { kind: 'ipv6_ext_communities', type: 25, communities }
}
