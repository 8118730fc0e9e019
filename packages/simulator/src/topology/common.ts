import type { Attributes } from '../encode/attributes.ts'
import type { Session } from '../model/session.ts'

/** '10.0.1.12' -> '2001:db8:0:1::12': every speaker's IPv6 address follows from its IPv4 address. */
export function ipv6Of(ipv4: string): string {
  const [, b = '0', c = '0', d = '0'] = ipv4.split('.')
  // RFC 5952 wants one run of zeros written as '::', and the longest.
  return b === '0' && c === '0' ? `2001:db8::${d}` : `2001:db8:${b}:${c}::${d}`
}

/** Attributes as they go out over eBGP: own AS in front, next hop self, no LOCAL_PREF, no MED. */
export function overEbgp(to: Session, attrs: Attributes): Attributes {
  return {
    origin: attrs.origin,
    asPath: [to.localAsn, ...attrs.asPath],
    nextHop: attrs.nextHop.includes(':') ? ipv6Of(to.localAddress) : to.localAddress,
    ...(attrs.communities === undefined ? {} : { communities: attrs.communities }),
    ...(attrs.largeCommunities === undefined ? {} : { largeCommunities: attrs.largeCommunities }),
    ...(attrs.extCommunities === undefined ? {} : { extCommunities: attrs.extCommunities }),
  }
}

/** RFC 4456 section 8: what a reflector adds. */
export function reflected(attrs: Attributes, source: Session): Attributes {
  return {
    ...attrs,
    originatorId: attrs.originatorId ?? source.peer.bgpId,
    clusterList: [source.router.bgpId, ...(attrs.clusterList ?? [])],
  }
}
