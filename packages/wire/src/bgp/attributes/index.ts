import { cursorOver, type Cursor } from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import { toHex } from '../../text/hex.ts'
import {
  ATTR_AS4_PATH,
  ATTR_AS_PATH,
  ATTR_ATTR_SET,
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  ATTRIBUTE_RULES,
  attributeName,
} from '../attribute-rules.ts'
import { misfitOf } from '../attribute-structure.ts'
import { asPathFits, type UpdateIndex } from '../update-index.ts'
import { decodeOrigin, type OriginAttribute } from './attr-01-origin.ts'
import { decodeAsPath, type AsPathAttribute } from './attr-02-as-path.ts'
import { decodeNextHop, type NextHopAttribute } from './attr-03-next-hop.ts'
import { decodeMed, type MedAttribute } from './attr-04-med.ts'
import { decodeLocalPref, type LocalPrefAttribute } from './attr-05-local-pref.ts'
import { decodeAtomicAggregate, type AtomicAggregateAttribute } from './attr-06-atomic-aggregate.ts'
import { decodeAggregator, type AggregatorAttribute } from './attr-07-aggregator.ts'
import { decodeCommunities, type CommunitiesAttribute } from './attr-08-communities.ts'
import { decodeOriginatorId, type OriginatorIdAttribute } from './attr-09-originator-id.ts'
import { decodeClusterList, type ClusterListAttribute } from './attr-10-cluster-list.ts'
import { decodeExtCommunities, type ExtCommunitiesAttribute } from './attr-16-ext-communities.ts'
import { decodeAs4Path, type As4PathAttribute } from './attr-17-as4-path.ts'
import { decodeAs4Aggregator, type As4AggregatorAttribute } from './attr-18-as4-aggregator.ts'
import { decodePmsiTunnel, type PmsiTunnelAttribute } from './attr-22-pmsi-tunnel.ts'
import {
  decodeLargeCommunities,
  type LargeCommunitiesAttribute,
} from './attr-32-large-communities.ts'
import { decodeOnlyToCustomer, type OnlyToCustomerAttribute } from './attr-35-only-to-customer.ts'
import { decodeConnector, type ConnectorAttribute } from './attr-20-connector.ts'
import { decodeAsPathLimit, type AsPathLimitAttribute } from './attr-21-as-pathlimit.ts'
import {
  decodeTunnelEncapsulation,
  type TunnelEncapsulationAttribute,
} from './attr-23-tunnel-encapsulation.ts'
import {
  decodeTrafficEngineering,
  type TrafficEngineeringAttribute,
} from './attr-24-traffic-engineering.ts'
import {
  decodeIpv6ExtCommunities,
  type Ipv6ExtCommunitiesAttribute,
} from './attr-25-ipv6-ext-communities.ts'
import { decodeAigp, type AigpAttribute } from './attr-26-aigp.ts'
import {
  decodePeDistinguisherLabels,
  type PeDistinguisherLabelsAttribute,
} from './attr-27-pe-distinguisher-labels.ts'
import { decodeBgpLs, type BgpLsAttribute } from './attr-29-bgp-ls.ts'
import { decodeBgpsecPath, type BgpsecPathAttribute } from './attr-33-bgpsec-path.ts'
import { decodeSfp, type SfpAttribute } from './attr-37-sfp.ts'
import {
  decodeBfdDiscriminator,
  type BfdDiscriminatorAttribute,
} from './attr-38-bfd-discriminator.ts'
import {
  decodeNextHopCharacteristics,
  type NextHopCharacteristicsAttribute,
} from './attr-39-next-hop-characteristics.ts'
import { decodePrefixSid, type PrefixSidAttribute } from './attr-40-prefix-sid.ts'
import { decodeBier, type BierAttribute } from './attr-41-bier.ts'
import { decodeAttrSet, type AttrSetAttribute } from './attr-128-attr-set.ts'
import { decodeDPath, type DPathAttribute } from './attr-36-d-path.ts'

/** An attribute that isn't decoded. */
export interface RawAttribute {
  readonly kind: 'raw'
  readonly type: number
  /** The attribute flags as sent. */
  readonly flags: number
  readonly raw: string
}

export type Attribute =
  | OriginAttribute
  | AsPathAttribute
  | NextHopAttribute
  | MedAttribute
  | LocalPrefAttribute
  | AtomicAggregateAttribute
  | AggregatorAttribute
  | CommunitiesAttribute
  | OriginatorIdAttribute
  | ClusterListAttribute
  | ExtCommunitiesAttribute
  | As4PathAttribute
  | As4AggregatorAttribute
  | PmsiTunnelAttribute
  | LargeCommunitiesAttribute
  | OnlyToCustomerAttribute
  | DPathAttribute
  | ConnectorAttribute
  | AsPathLimitAttribute
  | TunnelEncapsulationAttribute
  | TrafficEngineeringAttribute
  | Ipv6ExtCommunitiesAttribute
  | AigpAttribute
  | PeDistinguisherLabelsAttribute
  | BgpLsAttribute
  | BgpsecPathAttribute
  | SfpAttribute
  | BfdDiscriminatorAttribute
  | NextHopCharacteristicsAttribute
  | PrefixSidAttribute
  | BierAttribute
  | AttrSetAttribute
  | RawAttribute

type AttributeDecoder = (c: Cursor, asOctets: 2 | 4) => Attribute

const DECODERS: ReadonlyMap<number, AttributeDecoder> = new Map<number, AttributeDecoder>([
  [1, decodeOrigin],
  [2, decodeAsPath],
  [3, decodeNextHop],
  [4, decodeMed],
  [5, decodeLocalPref],
  [6, decodeAtomicAggregate],
  [7, decodeAggregator],
  [8, decodeCommunities],
  [9, decodeOriginatorId],
  [10, decodeClusterList],
  [16, decodeExtCommunities],
  [17, decodeAs4Path],
  [18, decodeAs4Aggregator],
  [22, decodePmsiTunnel],
  [32, decodeLargeCommunities],
  [35, decodeOnlyToCustomer],
  [36, decodeDPath],
  [20, decodeConnector],
  [21, decodeAsPathLimit],
  [23, decodeTunnelEncapsulation],
  [24, decodeTrafficEngineering],
  [25, decodeIpv6ExtCommunities],
  [26, decodeAigp],
  [27, decodePeDistinguisherLabels],
  [29, decodeBgpLs],
  [33, decodeBgpsecPath],
  [37, decodeSfp],
  [38, decodeBfdDiscriminator],
  [39, decodeNextHopCharacteristics],
  [40, decodePrefixSid],
  [41, decodeBier],
])

/**
 * The attributes of an UPDATE in wire order, but MP_REACH_NLRI and MP_UNREACH_NLRI, which are its
 * routes. Broken ones aren't in the index: `index.errors` has them.
 */
export function decodeAttributes(index: UpdateIndex): Attribute[] {
  const attributes: Attribute[] = []
  for (let i = 0; i < index.typeCount; i++) {
    const type = index.types[i]!
    if (type !== ATTR_MP_REACH && type !== ATTR_MP_UNREACH) attributes.push(decodeOne(index, type))
  }
  return attributes
}

function decodeOne(index: UpdateIndex, type: number): Attribute {
  const { bytes, view } = index
  const at = index.at[type]!
  const end = at + index.len[type]!
  const spec = 'RFC 7606'
  const c = cursorOver(bytes, at, end, attributeName(type), spec, view)
  const onError = (error: DecodeError): void => {
    index.addError(error)
  }
  return decodeAttributeValue(type, index.flagsOf[type]!, c, index.asOctets, onError)
}

/**
 * One attribute's value, wherever it is. What isn't known, or can't be read, is kept raw.
 *
 * @param onError  gets what is wrong; it may come from an attribute inside an ATTR_SET
 */
function decodeAttributeValue(
  type: number,
  flags: number,
  c: Cursor,
  asOctets: 2 | 4,
  onError: (error: DecodeError) => void,
  nested = false,
): Attribute {
  const { bytes, pos, end } = c
  const raw: RawAttribute = { kind: 'raw', type, flags, raw: toHex(bytes, pos, end) }
  const decode = DECODERS.get(type)
  try {
    if (type === ATTR_ATTR_SET && !nested) {
      return decodeAttrSet(c, (inner, innerFlags, value) =>
        decodeNested(inner, innerFlags, value, onError),
      )
    }
    return decode === undefined ? raw : decode(c, asOctets)
  } catch (error) {
    // The index let it pass, so this would be a rule that it lacks: kept raw, and told.
    if (!(error instanceof DecodeError)) throw error
    onError(error)
    return raw
  }
}

/** RFC 6368 section 5: the index has not seen these, so that nothing about their lengths is known. */
function decodeNested(
  type: number,
  flags: number,
  c: Cursor,
  onError: (error: DecodeError) => void,
): Attribute {
  const octets = c.end - c.pos
  const wrong = lengthFault(type, octets) ?? misfitOf(type, c.bytes, c.pos, octets)?.detail
  const path = type === ATTR_AS_PATH || type === ATTR_AS4_PATH
  const fits = (width: number): boolean => asPathFits(c.bytes, c.pos, octets, width)
  // Numbers of 4 octets, unless they are 2: nothing around says it.
  const asOctets = path && !fits(4) && fits(2) ? 2 : 4
  if (wrong === undefined && (!path || fits(asOctets))) {
    return decodeAttributeValue(type, flags, c, asOctets, onError, true)
  }
  const detail = wrong ?? 'segments do not fill the attribute with either AS width'
  onError(
    new DecodeError('BAD_LENGTH', detail, {
      offset: c.pos,
      length: octets,
      path: `attr_set.${attributeName(type)}`,
      spec: 'RFC 7606 section 7.16',
      handling: 'treat-as-withdraw',
    }),
  )
  return { kind: 'raw', type, flags, raw: toHex(c.bytes, c.pos, c.end) }
}

/** What the rule of a fixed length has against so many octets. */
function lengthFault(type: number, octets: number): string | undefined {
  const rule = ATTRIBUTE_RULES.find((row) => row.type === type)?.length
  if (rule === undefined) return undefined
  if ('exactly' in rule && octets !== rule.exactly) {
    return `${octets} octets, expected ${rule.exactly}`
  }
  if ('multipleOf' in rule && (octets === 0 || octets % rule.multipleOf !== 0)) {
    return `${octets} octets is not a non-zero multiple of ${rule.multipleOf}`
  }
  return undefined
}
