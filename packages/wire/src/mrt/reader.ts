import { viewOf } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { RecordBuffer } from '../records.ts'

/** Common header, RFC 6396 section 2: timestamp, type, subtype, length of what follows. */
export const MRT_HEADER_OCTETS = 12

/** Types, RFC 6396 section 4; the others are of protocols that aren't decoded here. */
export const MRT_TABLE_DUMP = 12
export const MRT_TABLE_DUMP_V2 = 13
export const MRT_BGP4MP = 16
export const MRT_BGP4MP_ET = 17

/** RFC 6396 sections 4 and appendix B. Any other number means that framing is lost. */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'NULL'],
  [1, 'START'],
  [2, 'DIE'],
  [3, 'I_AM_DEAD'],
  [4, 'PEER_DOWN'],
  [5, 'BGP'],
  [6, 'RIP'],
  [7, 'IDRP'],
  [8, 'RIPNG'],
  [9, 'BGP4PLUS'],
  [10, 'BGP4PLUS_01'],
  [11, 'OSPFv2'],
  [MRT_TABLE_DUMP, 'TABLE_DUMP'],
  [MRT_TABLE_DUMP_V2, 'TABLE_DUMP_V2'],
  [MRT_BGP4MP, 'BGP4MP'],
  [MRT_BGP4MP_ET, 'BGP4MP_ET'],
  [32, 'ISIS'],
  [33, 'ISIS_ET'],
  [48, 'OSPFv3'],
  [49, 'OSPFv3_ET'],
])
/** RFC 6396 section 3: the body begins with microseconds. */
const EXTENDED_TIME: readonly number[] = [MRT_BGP4MP_ET, 33, 49]

/** `TABLE_DUMP_V2`; `type(99)` for one that has no name. */
export function mrtTypeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `type(${type})`
}

/** Subtypes of BGP4MP: RFC 6396 section 4.4, RFC 8050 section 4. */
export const MAX_BGP4MP_SUBTYPE = 11
/** Subtypes of TABLE_DUMP_V2: RFC 6396 section 4.3, RFC 6397, RFC 8050 section 4. */
export const MAX_TABLE_DUMP_V2_SUBTYPE = 12

/** One MRT record in place: valid as long as the bytes are. */
export interface MrtHeader {
  /** Unix time. */
  readonly seconds: number
  /** Of the extended types; 0 otherwise. */
  readonly microseconds: number
  readonly type: number
  readonly subtype: number
  /** Its first octet, its body's (behind the microseconds of extended types), one past its last. */
  readonly start: number
  readonly bodyAt: number
  readonly end: number
}

/** How a record begins: enough to tell MRT from other inputs, which has no magic number. */
export function couldBeMrt(bytes: Uint8Array, at = 0): boolean {
  if (bytes.length - at < MRT_HEADER_OCTETS) return false
  const view = viewOf(bytes)
  const type = view.getUint16(at + 4)
  const subtype = view.getUint16(at + 6)
  const octets = view.getUint32(at + 8)
  if (octets > MAX_RECORD_OCTETS) return false
  switch (type) {
    case MRT_TABLE_DUMP:
      return (subtype === 1 && octets >= 22) || (subtype === 2 && octets >= 46)
    case MRT_TABLE_DUMP_V2:
      return subtype >= 1 && subtype <= MAX_TABLE_DUMP_V2_SUBTYPE && octets >= 8
    case MRT_BGP4MP:
      return subtype <= MAX_BGP4MP_SUBTYPE && octets >= 16
    case MRT_BGP4MP_ET:
      return subtype <= MAX_BGP4MP_SUBTYPE && octets >= 20
    default:
      // OSPF and IS-IS records are among those of BGP in the files of some daemons.
      return (type === 11 || type === 32 || type === 33 || type === 48 || type === 49) && octets > 0
  }
}

const MAX_RECORD_OCTETS = 1 << 24
const SPEC = 'RFC 6396 section 2'

function framingError(offset: number, detail: string): DecodeError {
  return new DecodeError('FRAMING', detail, { offset, path: 'mrt', spec: SPEC })
}

/**
 * @param record  offsets in `bytes`
 * @param bytes  valid during the call
 * @param streamOffset  octets of the file before this record
 */
export type OnMrtRecord = (record: MrtHeader, bytes: Uint8Array, streamOffset: number) => void

/** Cuts an MRT file (RFC 6396 section 2) into records, whatever the chunking. */
export class MrtReader {
  readonly #records: RecordBuffer
  #offset = 0
  #count = 0
  #lost: DecodeError | undefined

  constructor(onRecord: OnMrtRecord) {
    this.#records = new RecordBuffer((bytes, at, end, offset) => {
      if (end - at < MRT_HEADER_OCTETS) return -MRT_HEADER_OCTETS
      const view = viewOf(bytes)
      const type = view.getUint16(at + 4)
      const octets = view.getUint32(at + 8)
      if (!TYPE_NAMES.has(type)) throw framingError(offset + 4, `type ${type} is none of MRT`)
      if (octets > MAX_RECORD_OCTETS) throw framingError(offset + 8, `record of ${octets} octets`)
      const total = MRT_HEADER_OCTETS + octets
      if (end - at < total) return -total
      const extended = EXTENDED_TIME.includes(type) && octets >= 4
      const bodyAt = at + MRT_HEADER_OCTETS + (extended ? 4 : 0)
      this.#offset = offset + total
      this.#count++
      const header: MrtHeader = {
        seconds: view.getUint32(at),
        microseconds: extended ? view.getUint32(at + MRT_HEADER_OCTETS) : 0,
        type,
        subtype: view.getUint16(at + 6),
        start: at,
        bodyAt,
        end: at + total,
      }
      onRecord(header, bytes, offset)
      return total
    }, framingError)
  }

  /** Octets of an incomplete record waiting for the rest. */
  get pending(): number {
    return this.#records.pending
  }

  /** Octets of the file that were delivered as records. */
  get offset(): number {
    return this.#offset
  }

  /** Records delivered. */
  get count(): number {
    return this.#count
  }

  /**
   * @throws DecodeError FRAMING, `offset` in the file, when what follows is no record: there is no way
   *   back into step, so every further push throws the same
   */
  push(chunk: Uint8Array): void {
    if (this.#lost !== undefined) throw this.#lost
    try {
      this.#records.push(chunk)
    } catch (error) {
      if (error instanceof DecodeError) this.#lost = error
      throw error
    }
  }
}
