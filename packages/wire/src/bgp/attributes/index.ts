import { cursorOver, type Cursor } from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import { toHex } from '../../text/hex.ts'
import { ATTR_MP_REACH, ATTR_MP_UNREACH, attributeName } from '../attribute-rules.ts'
import type { UpdateIndex } from '../update-index.ts'
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
  const decode = DECODERS.get(type)
  if (decode !== undefined) {
    try {
      const c = cursorOver(bytes, at, end, attributeName(type), 'RFC 7606', view)
      return decode(c, index.asOctets)
    } catch (error) {
      // The index let it pass, so this would be a rule that it lacks: kept raw, and told.
      if (!(error instanceof DecodeError)) throw error
      index.addError(error)
    }
  }
  return { kind: 'raw', type, flags: index.flagsOf[type]!, raw: toHex(bytes, at, end) }
}
