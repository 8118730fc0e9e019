import { familyOf } from './families/index.ts'

/** Address family numbers, IANA. */
export const AFI_IPV4 = 1
export const AFI_IPV6 = 2
export const AFI_L2VPN = 25
/** RFC 9552. */
export const AFI_BGP_LS = 16388

/** Subsequent address family identifiers, IANA. */
export const SAFI_UNICAST = 1
export const SAFI_MULTICAST = 2
/** RFC 8277. */
export const SAFI_LABELED = 4
/** RFC 7432. */
export const SAFI_EVPN = 70
/** RFC 9832: the NLRI of SAFI_VPN. */
export const SAFI_CLASSFUL_TRANSPORT = 76
/** RFC 4364, RFC 4659. */
export const SAFI_VPN = 128
/** RFC 6513. */
export const SAFI_VPN_MULTICAST = 129

/** How the NLRI of a family are laid out. */
export const SHAPE_PREFIX = 0
export const SHAPE_LABELED = 1
export const SHAPE_VPN = 2
export const SHAPE_EVPN = 3
/** Not decoded: the whole field is one opaque thing. */
export const SHAPE_OPAQUE = 4
/** Delimited and decoded, but neither prefixes nor EVPN: see `families/`. */
export const SHAPE_FAMILY = 5
export type NlriShape = 0 | 1 | 2 | 3 | 4 | 5

/** How the NLRI of a family are laid out; SHAPE_OPAQUE for one that isn’t known. */
export function nlriShape(afi: number, safi: number): NlriShape {
  if (afi === AFI_IPV4 || afi === AFI_IPV6) {
    if (safi === SAFI_UNICAST || safi === SAFI_MULTICAST) return SHAPE_PREFIX
    if (safi === SAFI_LABELED) return SHAPE_LABELED
    if (safi === SAFI_VPN || safi === SAFI_CLASSFUL_TRANSPORT) return SHAPE_VPN
    if (safi === SAFI_VPN_MULTICAST) return SHAPE_FAMILY
  }
  if (afi === AFI_L2VPN && safi === SAFI_EVPN) return SHAPE_EVPN
  return familyOf(afi, safi) === undefined ? SHAPE_OPAQUE : SHAPE_FAMILY
}

const IP_NAMES: ReadonlyMap<number, string> = new Map([
  [SAFI_UNICAST, 'unicast'],
  [SAFI_MULTICAST, 'multicast'],
  [SAFI_LABELED, 'labeled'],
  [5, 'mcast-vpn'],
  [73, 'sr-policy'],
  [SAFI_CLASSFUL_TRANSPORT, 'classful-transport'],
  [83, 'car'],
  [84, 'vpn-car'],
  [85, 'mup'],
  [SAFI_VPN, 'vpn'],
  [SAFI_VPN_MULTICAST, 'vpn-multicast'],
  [133, 'flowspec'],
  [134, 'vpn-flowspec'],
])
/** The others, by AFI * 256 + SAFI. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [AFI_IPV4 * 256 + 66, 'ipv4-mdt'],
  [AFI_IPV4 * 256 + 132, 'rt-constraint'],
  [AFI_L2VPN * 256 + 65, 'l2vpn-vpls'],
  [AFI_L2VPN * 256 + SAFI_EVPN, 'l2vpn-evpn'],
  [AFI_L2VPN * 256 + 133, 'l2vpn-flowspec'],
  [AFI_L2VPN * 256 + 134, 'l2vpn-vpn-flowspec'],
  [AFI_BGP_LS * 256 + 71, 'bgp-ls'],
  [AFI_BGP_LS * 256 + 72, 'bgp-ls-vpn'],
  [AFI_BGP_LS * 256 + 80, 'bgp-ls-spf'],
])

/** `l2vpn-evpn`; `afi-16388-safi-99` where there is no short name. */
export function familyName(afi: number, safi: number): string {
  const ip = afi === AFI_IPV4 || afi === AFI_IPV6 ? IP_NAMES.get(safi) : undefined
  if (ip !== undefined) return `${afi === AFI_IPV4 ? 'ipv4' : 'ipv6'}-${ip}`
  return NAMES.get(afi * 256 + safi) ?? `afi-${afi}-safi-${safi}`
}
