import type { Handling } from '../errors.ts'

export const ATTR_ORIGIN = 1
export const ATTR_AS_PATH = 2
export const ATTR_NEXT_HOP = 3
export const ATTR_MED = 4
export const ATTR_LOCAL_PREF = 5
export const ATTR_ATOMIC_AGGREGATE = 6
export const ATTR_AGGREGATOR = 7
export const ATTR_COMMUNITIES = 8
export const ATTR_ORIGINATOR_ID = 9
export const ATTR_CLUSTER_LIST = 10
export const ATTR_MP_REACH = 14
export const ATTR_MP_UNREACH = 15
export const ATTR_EXT_COMMUNITIES = 16
export const ATTR_AS4_PATH = 17
export const ATTR_AS4_AGGREGATOR = 18
export const ATTR_PMSI_TUNNEL = 22
export const ATTR_IPV6_EXT_COMMUNITIES = 25
export const ATTR_LARGE_COMMUNITIES = 32
export const ATTR_ONLY_TO_CUSTOMER = 35
export const ATTR_D_PATH = 36

/** Attribute flags, RFC 4271 section 4.3. */
export const FLAG_OPTIONAL = 0x80
export const FLAG_TRANSITIVE = 0x40
export const FLAG_EXTENDED_LENGTH = 0x10

/** What makes a value usable, and what a speaker would do with one that isn't. */
export interface AttributeRule {
  readonly type: number
  readonly name: string
  /** What the first two bits of the flags must be. */
  readonly flags: number
  readonly length: LengthRule
  readonly handling: Handling
  /** The clause that says so. */
  readonly spec: string
}

/** Exactly so many octets; a multiple of so many but not none; or a check of its own in the index. */
export type LengthRule =
  { readonly exactly: number } | { readonly multipleOf: number } | { readonly checked: 'in-code' }

const wellKnown = FLAG_TRANSITIVE
const transitive = FLAG_OPTIONAL | FLAG_TRANSITIVE
const nonTransitive = FLAG_OPTIONAL
const withdraw = 'treat-as-withdraw'
const discard = 'attribute-discard'
const reset = 'session-reset'
const exactly = (octets: number): LengthRule => ({ exactly: octets })
const multipleOf = (octets: number): LengthRule => ({ multipleOf: octets })
const inCode: LengthRule = { checked: 'in-code' }

/** RFC 7606 as a table, with the attributes that came after it. */
export const ATTRIBUTE_RULES: readonly AttributeRule[] = (
  [
    [ATTR_ORIGIN, 'origin', wellKnown, exactly(1), withdraw, 'RFC 7606 section 7.1'],
    [ATTR_AS_PATH, 'as_path', wellKnown, inCode, withdraw, 'RFC 7606 section 7.2'],
    [ATTR_NEXT_HOP, 'next_hop', wellKnown, exactly(4), withdraw, 'RFC 7606 section 7.3'],
    [ATTR_MED, 'med', nonTransitive, exactly(4), withdraw, 'RFC 7606 section 7.4'],
    [ATTR_LOCAL_PREF, 'local_pref', wellKnown, exactly(4), withdraw, 'RFC 7606 section 7.5'],
    [
      ATTR_ATOMIC_AGGREGATE,
      'atomic_aggregate',
      wellKnown,
      exactly(0),
      discard,
      'RFC 7606 section 7.6',
    ],
    [ATTR_AGGREGATOR, 'aggregator', transitive, inCode, discard, 'RFC 7606 section 7.7'],
    [ATTR_COMMUNITIES, 'communities', transitive, multipleOf(4), withdraw, 'RFC 7606 section 7.8'],
    [
      ATTR_ORIGINATOR_ID,
      'originator_id',
      nonTransitive,
      exactly(4),
      withdraw,
      'RFC 7606 section 7.9',
    ],
    [
      ATTR_CLUSTER_LIST,
      'cluster_list',
      nonTransitive,
      multipleOf(4),
      withdraw,
      'RFC 7606 section 7.10',
    ],
    [ATTR_MP_REACH, 'mp_reach', nonTransitive, inCode, reset, 'RFC 7606 section 7.11'],
    [ATTR_MP_UNREACH, 'mp_unreach', nonTransitive, inCode, reset, 'RFC 7606 section 7.12'],
    [
      ATTR_EXT_COMMUNITIES,
      'ext_communities',
      transitive,
      multipleOf(8),
      withdraw,
      'RFC 7606 section 7.14',
    ],
    [ATTR_AS4_PATH, 'as4_path', transitive, inCode, discard, 'RFC 6793 section 6'],
    [ATTR_AS4_AGGREGATOR, 'as4_aggregator', transitive, exactly(8), discard, 'RFC 6793 section 6'],
    [ATTR_PMSI_TUNNEL, 'pmsi_tunnel', transitive, inCode, withdraw, 'RFC 6514 section 5'],
    [
      ATTR_IPV6_EXT_COMMUNITIES,
      'ipv6_ext_communities',
      transitive,
      multipleOf(20),
      withdraw,
      'RFC 7606 section 7.15',
    ],
    [
      ATTR_LARGE_COMMUNITIES,
      'large_communities',
      transitive,
      multipleOf(12),
      withdraw,
      'RFC 8092 section 6',
    ],
    [
      ATTR_ONLY_TO_CUSTOMER,
      'only_to_customer',
      transitive,
      exactly(4),
      withdraw,
      'RFC 9234 section 5',
    ],
  ] as const
).map(([type, name, flags, length, handling, spec]) => ({
  type,
  name,
  flags,
  length,
  handling,
  spec,
}))

const RULES = new Map(ATTRIBUTE_RULES.map((rule) => [rule.type, rule]))

/** `as_path`; `attribute(99)` for those that have no rule. */
export function attributeName(type: number): string {
  return RULES.get(type)?.name ?? `attribute(${type})`
}

/** @param type one that has a rule */
export function attributeRule(type: number): AttributeRule {
  const rule = RULES.get(type)
  if (rule === undefined) throw new Error(`no rule for attribute ${type}`)
  return rule
}
