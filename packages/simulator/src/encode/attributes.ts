import { ipOctets, ipv4Octets } from './address.ts'
import { Bytes, concat } from './bytes.ts'
import { encodeExtCommunity, type ExtCommunity } from './ext-community.ts'
import { encodeNlri, FAMILIES, type Family, type Nlri } from './nlri.ts'

/** Path attributes of a route, in terms of their meaning. AS_PATH is one AS_SEQUENCE. */
export interface Attributes {
  /** 0 IGP, 1 EGP, 2 incomplete. */
  readonly origin: 0 | 1 | 2
  readonly asPath: readonly number[]
  /** '' for none, which FRR does with IPv4 over IPv6 next hops: IPv4 unicast only. */
  readonly nextHop: string
  readonly med?: number
  readonly localPref?: number
  /** '65000:21' */
  readonly communities?: readonly string[]
  /** '65000:1:2' */
  readonly largeCommunities?: readonly string[]
  readonly extCommunities?: readonly ExtCommunity[]
  readonly originatorId?: string
  readonly clusterList?: readonly string[]
  /** PMSI_TUNNEL, RFC 6514 section 5: ingress replication to this endpoint with this VNI. */
  readonly pmsi?: { readonly label: number; readonly endpoint: string }
}

const OPTIONAL = 0x80
const TRANSITIVE = 0x40
const EXTENDED_LENGTH = 0x10

/** Flags, type, length and value, RFC 4271 section 4.3. */
export function attribute(flags: number, type: number, value: Uint8Array): Uint8Array {
  const bytes = new Bytes()
  if (value.length > 255)
    bytes
      .u8(flags | EXTENDED_LENGTH)
      .u8(type)
      .u16(value.length)
  else bytes.u8(flags).u8(type).u8(value.length)
  return bytes.raw(value).done()
}

/**
 * All attributes of an announcement in ascending order of type, MP_REACH_NLRI among them for all
 * but IPv4 unicast with an IPv4 next hop.
 */
export function encodeAttributes(
  attrs: Attributes,
  family: Family,
  nlri: readonly Nlri[],
): Uint8Array {
  const classic = isClassic(family, attrs)
  const parts: Uint8Array[] = []
  const add = (flags: number, type: number, value: Bytes): void => {
    parts.push(attribute(flags, type, value.done()))
  }

  add(TRANSITIVE, 1, new Bytes().u8(attrs.origin))
  add(TRANSITIVE, 2, asPath(attrs.asPath))
  if (classic && attrs.nextHop !== '')
    add(TRANSITIVE, 3, new Bytes().raw(ipv4Octets(attrs.nextHop)))
  if (attrs.med !== undefined) add(OPTIONAL, 4, new Bytes().u32(attrs.med))
  if (attrs.localPref !== undefined) add(TRANSITIVE, 5, new Bytes().u32(attrs.localPref))
  if (attrs.communities?.length) add(OPTIONAL | TRANSITIVE, 8, communities(attrs.communities))
  if (attrs.originatorId !== undefined) {
    add(OPTIONAL, 9, new Bytes().raw(ipv4Octets(attrs.originatorId)))
  }
  if (attrs.clusterList?.length) {
    add(OPTIONAL, 10, new Bytes().raw(concat(attrs.clusterList.map(ipv4Octets))))
  }
  if (!classic) add(OPTIONAL, 14, mpReach(family, attrs.nextHop, nlri))
  if (attrs.extCommunities?.length) {
    add(
      OPTIONAL | TRANSITIVE,
      16,
      new Bytes().raw(concat(attrs.extCommunities.map(encodeExtCommunity))),
    )
  }
  if (attrs.pmsi !== undefined) add(OPTIONAL | TRANSITIVE, 22, pmsi(attrs.pmsi))
  if (attrs.largeCommunities?.length) {
    const value = new Bytes()
    for (const text of attrs.largeCommunities) for (const n of text.split(':')) value.u32(Number(n))
    add(OPTIONAL | TRANSITIVE, 32, value)
  }
  return concat(parts)
}

/** IPv4 unicast with an IPv4 next hop travels outside MP_REACH_NLRI. */
export function isClassic(family: Family, attrs: Attributes): boolean {
  return family === 'ipv4' && !attrs.nextHop.includes(':')
}

/** Four-octet AS numbers throughout (RFC 6793): all simulated speakers have the capability. */
function asPath(path: readonly number[]): Bytes {
  const bytes = new Bytes()
  if (path.length === 0) return bytes
  bytes.u8(2).u8(path.length)
  for (const asn of path) bytes.u32(asn)
  return bytes
}

function communities(list: readonly string[]): Bytes {
  const bytes = new Bytes()
  for (const text of list) for (const half of text.split(':')) bytes.u16(Number(half))
  return bytes
}

/** RFC 4760 section 3. */
function mpReach(family: Family, nextHop: string, nlri: readonly Nlri[]): Bytes {
  const { afi, safi } = FAMILIES[family]
  const hop = ipOctets(nextHop)
  return new Bytes()
    .u16(afi)
    .u8(safi)
    .u8(hop.length)
    .raw(hop)
    .u8(0)
    .raw(concat(nlri.map(encodeNlri)))
}

/** RFC 6514 section 5; tunnel type 6 is ingress replication. */
function pmsi(value: { label: number; endpoint: string }): Bytes {
  return new Bytes().u8(0).u8(6).u24(value.label).raw(ipOctets(value.endpoint))
}
