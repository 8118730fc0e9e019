import { bgpLs } from './safi-071-bgp-ls.ts'
import { car } from './safi-083-car.ts'
import { flowspec } from './safi-133-flowspec.ts'
import { mcastVpn } from './safi-005-mcast-vpn.ts'
import { mdt } from './safi-066-mdt.ts'
import { mup } from './safi-085-mup.ts'
import { rtConstraint } from './safi-132-rt-constraint.ts'
import { srPolicy } from './safi-073-sr-policy.ts'
import { vpls } from './safi-065-vpls.ts'
import type { NlriFamily } from './family.ts'

const IPV4 = 1
const IPV6 = 2
const L2VPN = 25
/** RFC 9552. */
const BGP_LS = 16388

/** AFIs and SAFIs, IANA; 80 (BGP-LS-SPF, RFC 9815) has the NLRI of 71. */
const FAMILIES: readonly (readonly [NlriFamily, readonly number[], readonly number[]])[] = [
  [mcastVpn, [IPV4, IPV6], [5]],
  [vpls, [L2VPN], [65]],
  [mdt, [IPV4], [66]],
  [bgpLs, [BGP_LS], [71, 72, 80]],
  [srPolicy, [IPV4, IPV6], [73]],
  [car, [IPV4, IPV6], [83, 84]],
  [mup, [IPV4, IPV6], [85]],
  [rtConstraint, [IPV4], [132]],
  [flowspec, [IPV4, IPV6, L2VPN], [133, 134]],
]

const BY_CODE: ReadonlyMap<number, NlriFamily> = new Map(
  FAMILIES.flatMap(([family, afis, safis]) =>
    afis.flatMap((afi) => safis.map((safi) => [afi * 256 + safi, family] as const)),
  ),
)

/** undefined for families that are decoded elsewhere (prefixes, EVPN) or not at all. */
export function familyOf(afi: number, safi: number): NlriFamily | undefined {
  return BY_CODE.get(afi * 256 + safi)
}
