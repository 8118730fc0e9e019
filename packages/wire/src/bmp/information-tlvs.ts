import { enter, readU16, readU32, remaining, type Cursor } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { toText } from '../text/strings.ts'

/** Where the TLVs are: each kind of message has a registry of its own (RFC 9736 section 3). */
export type InformationPlace = 'initiation' | 'peer_up' | 'peer_down'

export interface InformationTlv {
  readonly type: number
  readonly name: 'string' | 'sys_descr' | 'sys_name' | 'vrf_table_name' | 'admin_label' | 'unknown'
  /** Version 4: private enterprise number (E bit of the type); null where there is none. */
  readonly enterprise: number | null
  /** UTF-8 as sent (control characters too); '' for unknown types. */
  readonly text: string
  /** Hex, for unknown types only. */
  readonly raw: string
}

type KnownName = Exclude<InformationTlv['name'], 'unknown'>

/**
 * RFC 7854 section 4.4 (Initiation), RFC 9736 section 3.3 (Peer Up; types 1 and 2 are reserved in it),
 * RFC 9069 section 5.3 (Peer Down reason 6: the table's name). Initiation keeps the names of 3 and 4 from
 * when there was one registry.
 */
const NAMES: Readonly<Record<InformationPlace, Readonly<Record<number, KnownName>>>> = {
  initiation: {
    0: 'string',
    1: 'sys_descr',
    2: 'sys_name',
    3: 'vrf_table_name',
    4: 'admin_label',
  },
  peer_up: { 0: 'string', 3: 'vrf_table_name', 4: 'admin_label' },
  peer_down: { 0: 'string', 3: 'vrf_table_name' },
}

const ENTERPRISE_BIT = 0x8000

/**
 * { type => U16, length => U16, value => length octets } to the end; in version 4 a type with its highest
 * bit set has an enterprise number => U32 in front of the value (draft-ietf-grow-bmp-tlv section 4.1).
 *
 * @param errors gets what is cut off; the TLVs before it are kept
 */
export function decodeInformationTlvs(
  c: Cursor,
  errors: DecodeError[],
  place: InformationPlace,
  version = 3,
): InformationTlv[] {
  const found: InformationTlv[] = []
  try {
    while (remaining(c) > 0) {
      const word = readU16(c)
      const value = enter(c, readU16(c), `tlv(${word})`)
      const owned = version > 3 && (word & ENTERPRISE_BIT) !== 0 && remaining(value) >= 4
      const enterprise = owned ? readU32(value) : null
      const type = owned ? word & ~ENTERPRISE_BIT : word
      const name = owned ? undefined : NAMES[place][type]
      found.push({
        type,
        name: name ?? 'unknown',
        enterprise,
        text: name === undefined ? '' : toText(c.bytes, value.pos, value.end),
        raw: name === undefined ? toHex(c.bytes, value.pos, value.end) : '',
      })
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  return found
}
