import { readU16, readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIPv6 } from '../../text/ip.ts'
import { eachTlv, rawTlv, readLabelRanges, TLV_8_16, type RawTlv } from './tlvs.ts'

/** Lengths in bits, RFC 9252 section 3.2.1. */
export interface SidStructure {
  readonly locatorBlock: number
  readonly locatorNode: number
  readonly function: number
  readonly argument: number
  readonly transposition: number
  readonly transpositionOffset: number
}

/** RFC 9252 section 3.1. */
export interface Srv6Sid {
  readonly sid: string
  readonly flags: number
  readonly behavior: number
  /** `End.DT4`; '' where RFC 8986 has no name for it. */
  readonly behaviorName: string
  readonly structure: SidStructure | null
  readonly others: readonly RawTlv[]
}

export type PrefixSidTlv =
  /** RFC 8669 section 3.1. */
  | {
      readonly kind: 'label_index'
      readonly type: 1
      readonly flags: number
      readonly labelIndex: number
    }
  /** RFC 8669 section 3.2. */
  | {
      readonly kind: 'originator_srgb'
      readonly type: 3
      readonly flags: number
      readonly ranges: readonly { readonly base: number; readonly range: number }[]
    }
  /** RFC 9252 section 2. */
  | {
      readonly kind: 'srv6_l3_service' | 'srv6_l2_service'
      readonly type: 5 | 6
      readonly sids: readonly Srv6Sid[]
      readonly others: readonly RawTlv[]
    }
  | RawTlv

export interface PrefixSidAttribute {
  readonly kind: 'prefix_sid'
  readonly type: 40
  readonly tlvs: readonly PrefixSidTlv[]
}

/** RFC 8986 section 10.2. */
const BEHAVIORS: Readonly<Record<number, string>> = {
  1: 'End',
  5: 'End.X',
  9: 'End.T',
  14: 'End.B6.Encaps',
  15: 'End.BM',
  16: 'End.DX6',
  17: 'End.DX4',
  18: 'End.DT6',
  19: 'End.DT4',
  20: 'End.DT46',
  21: 'End.DX2',
  22: 'End.DX2V',
  23: 'End.DT2U',
  24: 'End.DT2M',
  27: 'End.B6.Encaps.Red',
  0xffff: 'opaque',
}

/** Name of an SRv6 endpoint behaviour, RFC 8986 section 10.2; '' for one that has none. */
export function endpointBehaviorName(behavior: number): string {
  return BEHAVIORS[behavior] ?? ''
}

/** PREFIX_SID (type 40), RFC 8669 section 3: { type => U8, length => U16, value } 1..n. */
export function decodePrefixSid(c: Cursor): PrefixSidAttribute {
  return { kind: 'prefix_sid', type: 40, tlvs: eachTlv(c, TLV_8_16, decodePrefixSidTlv) }
}

/** Also inside the tunnel encapsulation attribute (RFC 9012 section 3.7). */
export function decodePrefixSidTlv(type: number, c: Cursor): PrefixSidTlv {
  const octets = remaining(c)
  if (type === 1 && octets === 7) {
    readU8(c) // Reserved.
    const flags = readU16(c)
    return { kind: 'label_index', type, flags, labelIndex: readU32(c) }
  }
  if (type === 3 && octets >= 8 && (octets - 2) % 6 === 0) {
    const flags = readU16(c)
    return { kind: 'originator_srgb', type, flags, ranges: readLabelRanges(c) }
  }
  if ((type === 5 || type === 6) && octets >= 1) {
    readU8(c) // Reserved.
    const sids: Srv6Sid[] = []
    const others: RawTlv[] = []
    eachTlv(c, TLV_8_16, (inner, value) => {
      if (inner === 1 && remaining(value) >= 21) sids.push(decodeSid(value))
      else others.push(rawTlv(inner, value))
    })
    return { kind: type === 5 ? 'srv6_l3_service' : 'srv6_l2_service', type, sids, others }
  }
  return rawTlv(type, c)
}

/** reserved => U8, sid => 16, flags => U8, behavior => U16, reserved => U8, sub-sub-TLVs */
function decodeSid(c: Cursor): Srv6Sid {
  readU8(c)
  const sid = formatIPv6(c.bytes, skip(c, 16))
  const flags = readU8(c)
  const behavior = readU16(c)
  readU8(c)
  let structure: SidStructure | null = null
  const others: RawTlv[] = []
  eachTlv(c, TLV_8_16, (type, value) => {
    if (type === 1 && structure === null && remaining(value) === 6) {
      structure = {
        locatorBlock: readU8(value),
        locatorNode: readU8(value),
        function: readU8(value),
        argument: readU8(value),
        transposition: readU8(value),
        transpositionOffset: readU8(value),
      }
    } else others.push(rawTlv(type, value))
  })
  return { sid, flags, behavior, behaviorName: endpointBehaviorName(behavior), structure, others }
}
