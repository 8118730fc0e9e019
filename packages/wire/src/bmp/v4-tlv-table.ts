/**
 * Code points of the TLVs in version 4 Route Monitoring (draft-ietf-grow-bmp-tlv). They changed between
 * revisions and differ between implementations, so they are a table that configuration chooses or spells
 * out, not constants.
 */

export type V4TlvName =
  | 'bgp_pdu'
  | 'group'
  | 'vrf_table_name'
  | 'stateless_parsing'
  | 'path_marking'
  | 'sequence_number'
  | 'extended_flags'
  | 'timestamp'

export interface V4TlvTable {
  readonly name: string
  /** TLV type by name; a name that is missing isn't used. Two names may have one type: the form decides. */
  readonly types: Readonly<Partial<Record<V4TlvName, number>>>
  /** Bits of the path status from the lowest (draft-ietf-grow-bmp-path-marking-tlv section 3.1). */
  readonly pathStatus: readonly string[]
}

const STATUS_COMMON = [
  'invalid',
  'best',
  'nonselected',
  'primary',
  'backup',
  'non_installed',
  'best_external',
  'add_path',
  'filtered_in',
  'filtered_out',
] as const
/** As pmacct and NetGauze have it, from a revision with origin validation. */
const STATUS_WITH_ROV = [...STATUS_COMMON, 'invalid_rov', 'stale', 'suppressed']
/** Revision 05. */
const STATUS_05 = [...STATUS_COMMON, 'stale', 'suppressed']

/** The tables that have a name, the likelier ones first. */
export const V4_TLV_TABLES: readonly V4TlvTable[] = [
  {
    // Also NetGauze's, and what its captures of routers show.
    name: 'pmacct',
    types: { stateless_parsing: 1, group: 2, vrf_table_name: 3, bgp_pdu: 4, path_marking: 5 },
    pathStatus: STATUS_WITH_ROV,
  },
  {
    name: 'draft-21',
    types: {
      group: 1,
      vrf_table_name: 2,
      stateless_parsing: 3,
      bgp_pdu: 4,
      sequence_number: 5,
      extended_flags: 6,
      timestamp: 7,
    },
    pathStatus: STATUS_05,
  },
  {
    // Path marking gave itself 5 before revision 20 took it for the table name.
    name: 'draft-20',
    types: {
      sequence_number: 1,
      extended_flags: 2,
      timestamp: 3,
      group: 4,
      vrf_table_name: 5,
      path_marking: 5,
      stateless_parsing: 6,
      bgp_pdu: 7,
    },
    pathStatus: STATUS_05,
  },
  {
    name: 'draft-16',
    types: { bgp_pdu: 1, group: 2, vrf_table_name: 3, stateless_parsing: 4, path_marking: 5 },
    pathStatus: STATUS_WITH_ROV,
  },
]

const NAMES: readonly V4TlvName[] = [
  'bgp_pdu',
  'group',
  'vrf_table_name',
  'stateless_parsing',
  'path_marking',
  'sequence_number',
  'extended_flags',
  'timestamp',
]

/** Highest type: the bit above it says that an enterprise number follows. */
const MAX_TYPE = 0x7fff

/**
 * A table from configuration: the name of one (`draft-20`), or types by name (`bgp_pdu=7,group=4`), which
 * start from nothing. `auto`, undefined here, takes for each message the first table that all of it fits.
 *
 * @throws Error that says what is wrong with the text
 */
export function parseV4TlvTable(text: string): V4TlvTable | undefined {
  if (text === 'auto') return undefined
  const known = V4_TLV_TABLES.find(({ name }) => name === text)
  if (known !== undefined) return known
  const names = V4_TLV_TABLES.map(({ name }) => name).join(', ')
  if (!text.includes('=')) {
    throw new Error(`no BMP version 4 table "${text}": expected auto, ${names}, or bgp_pdu=N,...`)
  }
  const types: Partial<Record<V4TlvName, number>> = {}
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=').map((side) => side.trim())
    if (!(NAMES as readonly string[]).includes(name)) {
      throw new Error(`no TLV "${name}" in BMP version 4: expected ${NAMES.join(', ')}`)
    }
    const type = /^\d+$/.test(value) ? Number(value) : NaN
    if (!(type <= MAX_TYPE))
      throw new Error(`${name}=${value}: expected a type of 0 to ${MAX_TYPE}`)
    types[name as V4TlvName] = type
  }
  if (types.bgp_pdu === undefined) throw new Error(`${text}: bgp_pdu is missing`)
  return { name: text, types, pathStatus: STATUS_05 }
}
