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
export const ATTR_CONNECTOR = 20
export const ATTR_AS_PATHLIMIT = 21
export const ATTR_PMSI_TUNNEL = 22
export const ATTR_TUNNEL_ENCAPSULATION = 23
export const ATTR_TRAFFIC_ENGINEERING = 24
export const ATTR_IPV6_EXT_COMMUNITIES = 25
export const ATTR_AIGP = 26
export const ATTR_PE_DISTINGUISHER_LABELS = 27
export const ATTR_BGP_LS = 29
export const ATTR_LARGE_COMMUNITIES = 32
export const ATTR_BGPSEC_PATH = 33
export const ATTR_ONLY_TO_CUSTOMER = 35
export const ATTR_D_PATH = 36
export const ATTR_SFP = 37
export const ATTR_BFD_DISCRIMINATOR = 38
export const ATTR_NEXT_HOP_CHARACTERISTICS = 39
export const ATTR_PREFIX_SID = 40
export const ATTR_BIER = 41
export const ATTR_ATTR_SET = 128

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
  /** What a speaker would do about wrong flags where that isn't RFC 7606 section 3 c (treat as withdraw). */
  readonly flagsHandling?: Handling
}

/**
 * Exactly so many octets; a multiple of so many but not none; a check of its own in the index; or lengths
 * inside that have to agree (`attribute-structure.ts`).
 */
export type LengthRule =
  | { readonly exactly: number }
  | { readonly multipleOf: number }
  | { readonly checked: 'in-code' | 'structure' }

const wellKnown = FLAG_TRANSITIVE
const transitive = FLAG_OPTIONAL | FLAG_TRANSITIVE
const nonTransitive = FLAG_OPTIONAL
const withdraw = 'treat-as-withdraw'
const discard = 'attribute-discard'
const reset = 'session-reset'
const exactly = (octets: number): LengthRule => ({ exactly: octets })
const multipleOf = (octets: number): LengthRule => ({ multipleOf: octets })
const inCode: LengthRule = { checked: 'in-code' }
const structure: LengthRule = { checked: 'structure' }

type Row = readonly [
  type: number,
  name: string,
  flags: number,
  length: LengthRule,
  handling: Handling,
  spec: string,
  flagsHandling?: Handling,
]

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
    [ATTR_PMSI_TUNNEL, 'pmsi_tunnel', transitive, structure, withdraw, 'RFC 6514 section 5'],
    // RFC 9012 section 13: without the transitive bit it is discarded.
    [
      ATTR_TUNNEL_ENCAPSULATION,
      'tunnel_encapsulation',
      transitive,
      structure,
      withdraw,
      'RFC 9012 section 13',
      discard,
    ],
    [
      ATTR_TRAFFIC_ENGINEERING,
      'traffic_engineering',
      nonTransitive,
      structure,
      withdraw,
      'RFC 7606 section 7.13',
    ],
    [
      ATTR_IPV6_EXT_COMMUNITIES,
      'ipv6_ext_communities',
      transitive,
      multipleOf(20),
      withdraw,
      'RFC 7606 section 7.15',
    ],
    // RFC 7311 section 3: with the transitive bit it is malformed.
    [ATTR_AIGP, 'aigp', nonTransitive, structure, discard, 'RFC 7311 section 3.2', discard],
    [
      ATTR_PE_DISTINGUISHER_LABELS,
      'pe_distinguisher_labels',
      transitive,
      structure,
      withdraw,
      'RFC 6514 section 8',
    ],
    [ATTR_BGP_LS, 'bgp_ls', nonTransitive, structure, discard, 'RFC 9552 section 8.2.2'],
    [
      ATTR_LARGE_COMMUNITIES,
      'large_communities',
      transitive,
      multipleOf(12),
      withdraw,
      'RFC 8092 section 6',
    ],
    [ATTR_BGPSEC_PATH, 'bgpsec_path', nonTransitive, structure, withdraw, 'RFC 8205 section 5.2'],
    [
      ATTR_ONLY_TO_CUSTOMER,
      'only_to_customer',
      transitive,
      exactly(4),
      withdraw,
      'RFC 9234 section 5',
    ],
    [
      ATTR_D_PATH,
      'd_path',
      transitive,
      structure,
      withdraw,
      'draft-ietf-bess-evpn-ipvpn-interworking section 4',
    ],
    [ATTR_SFP, 'sfp', transitive, structure, withdraw, 'RFC 9015 section 3.2'],
    [
      ATTR_BFD_DISCRIMINATOR,
      'bfd_discriminator',
      transitive,
      structure,
      discard,
      'RFC 9026 section 3.1.6',
    ],
    [
      ATTR_NEXT_HOP_CHARACTERISTICS,
      'next_hop_characteristics',
      transitive,
      structure,
      discard,
      'draft-ietf-idr-nhc section 2',
    ],
    [ATTR_PREFIX_SID, 'prefix_sid', transitive, structure, discard, 'RFC 8669 section 6'],
    [ATTR_ATTR_SET, 'attr_set', transitive, structure, withdraw, 'RFC 7606 section 7.16'],
  ] satisfies readonly Row[]
).map(([type, name, flags, length, handling, spec, flagsHandling]: Row) => ({
  type,
  name,
  flags,
  length,
  handling,
  spec,
  ...(flagsHandling === undefined ? {} : { flagsHandling }),
}))

/** Names of those without a rule: no specification says what is wrong with them, or none is in force. */
const OTHER_NAMES: Readonly<Record<number, string>> = {
  [ATTR_CONNECTOR]: 'connector',
  [ATTR_AS_PATHLIMIT]: 'as_pathlimit',
  [ATTR_BIER]: 'bier',
}

const RULES = new Map(ATTRIBUTE_RULES.map((rule) => [rule.type, rule]))

/** `as_path`; `attribute(99)` for those that have no rule. */
export function attributeName(type: number): string {
  return RULES.get(type)?.name ?? OTHER_NAMES[type] ?? `attribute(${type})`
}

export function hasRule(type: number): boolean {
  return RULES.has(type)
}

/**
 * The row of `ATTRIBUTE_RULES` of a type.
 *
 * @param type one that has a rule
 */
export function attributeRule(type: number): AttributeRule {
  const rule = RULES.get(type)
  if (rule === undefined) throw new Error(`no rule for attribute ${type}`)
  return rule
}
