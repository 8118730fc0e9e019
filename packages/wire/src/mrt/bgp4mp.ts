import { fail, readU16, readU32, remaining, skip, type Cursor } from '../cursor.ts'

/** BGP4MP subtypes: RFC 6396 section 4.4, RFC 8050 section 4. */
interface Subtype {
  readonly stateChange: boolean
  readonly asOctets: 2 | 4
  /** Sent by the collector, not received. */
  readonly local: boolean
  /** NLRI have path identifiers. */
  readonly addPath: boolean
}

const subtype = (asOctets: 2 | 4, local: boolean, addPath: boolean): Subtype => ({
  stateChange: false,
  asOctets,
  local,
  addPath,
})

const SUBTYPES: ReadonlyMap<number, Subtype> = new Map([
  [0, { ...subtype(2, false, false), stateChange: true }],
  [1, subtype(2, false, false)],
  [4, subtype(4, false, false)],
  [5, { ...subtype(4, false, false), stateChange: true }],
  [6, subtype(2, true, false)],
  [7, subtype(4, true, false)],
  [8, subtype(2, false, true)],
  [9, subtype(4, false, true)],
  [10, subtype(2, true, true)],
  [11, subtype(4, true, true)],
])

/** What a BGP4MP record is about, in place. */
export interface Bgp4mp extends Subtype {
  readonly peerAsn: number
  readonly localAsn: number
  readonly interfaceIndex: number
  readonly afi: number
  readonly addressOctets: 4 | 16
  readonly peerAt: number
  readonly localAt: number
  /** The BGP message; of a state change 0. */
  readonly messageAt: number
  readonly messageEnd: number
  /** RFC 4271 section 8.2.2 from 1 (Idle) to 6 (Established); of a message 0. */
  readonly oldState: number
  readonly newState: number
}

/**
 * Body of a BGP4MP or BGP4MP_ET record, RFC 6396 section 4.4:
 *
 *   peer_as, local_as => U16 each (subtypes _AS4: U32), interface => U16, afi => U16,
 *   peer_ip, local_ip => 4 or 16 each by afi,
 *   then the BGP message, or of a state change old_state => U16, new_state => U16
 *
 * @param c the body alone
 * @returns undefined for a subtype that is none of these (the obsolete BGP4MP_ENTRY and _SNAPSHOT)
 * @throws DecodeError when it is too short or its address family is no IP
 */
export function readBgp4mp(c: Cursor, code: number): Bgp4mp | undefined {
  const kind = SUBTYPES.get(code)
  if (kind === undefined) return undefined
  const readAs = kind.asOctets === 4 ? readU32 : readU16
  const peerAsn = readAs(c)
  const localAsn = readAs(c)
  const interfaceIndex = readU16(c)
  const afiAt = c.pos
  const afi = readU16(c)
  if (afi !== 1 && afi !== 2) fail(c, 'BAD_VALUE', afiAt, `address family ${afi}, expected 1 or 2`)
  const addressOctets: 4 | 16 = afi === 1 ? 4 : 16
  const peerAt = skip(c, addressOctets)
  const localAt = skip(c, addressOctets)
  let oldState = 0
  let newState = 0
  const messageAt = kind.stateChange ? 0 : c.pos
  if (kind.stateChange) {
    oldState = readU16(c)
    newState = readU16(c)
    if (remaining(c) > 0) fail(c, 'BAD_LENGTH', c.pos, `${remaining(c)} octets after the states`)
  }
  // Spelled out: spreading costs more than all the rest of a record.
  return {
    stateChange: kind.stateChange,
    asOctets: kind.asOctets,
    local: kind.local,
    addPath: kind.addPath,
    peerAsn,
    localAsn,
    interfaceIndex,
    afi,
    addressOctets,
    peerAt,
    localAt,
    messageAt,
    messageEnd: kind.stateChange ? 0 : c.end,
    oldState,
    newState,
  }
}

/** RFC 6396 section 4.4.1. */
export const MRT_STATE_ESTABLISHED = 6
/** The last two are FRR's. */
const STATES = [
  '',
  'Idle',
  'Connect',
  'Active',
  'OpenSent',
  'OpenConfirm',
  'Established',
  'Clearing',
  'Deleted',
]

/** `Established`; `state(9)` for one that has no name. */
export function mrtStateName(state: number): string {
  const name = STATES[state] ?? ''
  return name === '' ? `state(${state})` : name
}
