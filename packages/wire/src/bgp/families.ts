/** Address family numbers, IANA. */
export const AFI_IPV4 = 1
export const AFI_IPV6 = 2
export const AFI_L2VPN = 25

/** Subsequent address family identifiers, IANA. */
export const SAFI_UNICAST = 1
export const SAFI_MULTICAST = 2
/** RFC 8277. */
export const SAFI_LABELED = 4
/** RFC 7432. */
export const SAFI_EVPN = 70
/** RFC 4364, RFC 4659. */
export const SAFI_VPN = 128

/** How the NLRI of a family are laid out. */
export const SHAPE_PREFIX = 0
export const SHAPE_LABELED = 1
export const SHAPE_VPN = 2
export const SHAPE_EVPN = 3
/** Not decoded: the whole field is one opaque thing. */
export const SHAPE_OPAQUE = 4
export type NlriShape = 0 | 1 | 2 | 3 | 4

export function nlriShape(afi: number, safi: number): NlriShape {
  if (afi === AFI_IPV4 || afi === AFI_IPV6) {
    if (safi === SAFI_UNICAST || safi === SAFI_MULTICAST) return SHAPE_PREFIX
    if (safi === SAFI_LABELED) return SHAPE_LABELED
    if (safi === SAFI_VPN) return SHAPE_VPN
  }
  if (afi === AFI_L2VPN && safi === SAFI_EVPN) return SHAPE_EVPN
  return SHAPE_OPAQUE
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x010001, 'ipv4-unicast'],
  [0x010002, 'ipv4-multicast'],
  [0x010004, 'ipv4-labeled'],
  [0x010005, 'ipv4-mcast-vpn'],
  [0x010080, 'ipv4-vpn'],
  [0x010084, 'rt-constraint'],
  [0x010085, 'ipv4-flowspec'],
  [0x010086, 'ipv4-vpn-flowspec'],
  [0x020001, 'ipv6-unicast'],
  [0x020002, 'ipv6-multicast'],
  [0x020004, 'ipv6-labeled'],
  [0x020005, 'ipv6-mcast-vpn'],
  [0x020080, 'ipv6-vpn'],
  [0x020085, 'ipv6-flowspec'],
  [0x020086, 'ipv6-vpn-flowspec'],
  [0x190041, 'l2vpn-vpls'],
  [0x190046, 'l2vpn-evpn'],
])

/** `l2vpn-evpn`; `afi-16388-safi-71` where there is no short name. */
export function familyName(afi: number, safi: number): string {
  const known = afi < 0x100 ? NAMES.get((afi << 16) | safi) : undefined
  return known ?? `afi-${afi}-safi-${safi}`
}
