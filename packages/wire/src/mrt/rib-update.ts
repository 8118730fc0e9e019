import {
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  ATTR_NEXT_HOP,
  FLAG_EXTENDED_LENGTH,
  FLAG_OPTIONAL,
} from '../bgp/attribute-rules.ts'
import { AFI_IPV4, SAFI_UNICAST } from '../bgp/families.ts'
import { BGP_HEADER_OCTETS, BGP_UPDATE } from '../bgp/header.ts'
import { DecodeError } from '../errors.ts'
import type { Octets } from './octets.ts'
import type { RibEntry, RibRecord } from './table-dump.ts'

/** The most that the length of a BGP message can say, RFC 8654. */
const MAX_UPDATE_OCTETS = 65_535

/**
 * Writes the UPDATE that announces one path of a table: its attributes as they are, but MP_REACH_NLRI,
 * which tables abbreviate to the next hop (RFC 6396 section 4.3.4; some write it whole all the same) and
 * which gets family and NLRI back.
 *
 * @param bytes holds the attributes, @param nlri the NLRI
 * @throws DecodeError when it is longer than an UPDATE can be
 */
export function writeRibUpdate(
  out: Octets,
  rib: RibRecord,
  nlri: Uint8Array,
  entry: RibEntry,
  bytes: Uint8Array,
): void {
  const start = out.length
  for (let i = 0; i < 4; i++) out.u32(0xffffffff)
  out.u16(0)
  out.u8(BGP_UPDATE)
  out.u16(0)
  const lengthAt = out.length
  out.u16(0)

  const { afi, safi } = rib
  let nextHopAt = -1
  let nextHopOctets = 0
  let mpReach = false
  let q = entry.attributesAt
  const to = entry.attributesEnd
  while (q < to) {
    const extended = (bytes[q]! & FLAG_EXTENDED_LENGTH) !== 0
    const value = q + (extended ? 4 : 3)
    if (value > to) break
    const type = bytes[q + 1]!
    const length = extended ? (bytes[q + 2]! << 8) | bytes[q + 3]! : bytes[q + 2]!
    const next = value + length
    if (next > to) break
    if (type === ATTR_MP_REACH) {
      mpReach = true
      if (length > 0 && bytes[value] === length - 1) {
        nextHopAt = value + 1
        nextHopOctets = length - 1
      } else if (length >= 5 && value + 5 + bytes[value + 3]! <= next) {
        nextHopAt = value + 4
        nextHopOctets = bytes[value + 3]!
      } else {
        // Neither form: shown as it is, which is an error there.
        out.copy(bytes, q, next)
        mpReach = false
      }
    } else if (type !== ATTR_MP_UNREACH) {
      if (type === ATTR_NEXT_HOP && length === 4 && nextHopAt < 0) {
        nextHopAt = value
        nextHopOctets = 4
      }
      out.copy(bytes, q, next)
    }
    q = next
  }
  // What can't be delimited is for the decoder of the UPDATE to say.
  const legacy = afi === AFI_IPV4 && safi === SAFI_UNICAST && !mpReach
  if (!legacy) {
    // In front of what is broken, which would hide it.
    writeMpReach(out, rib, nlri, entry.pathId, bytes, nextHopAt, nextHopOctets)
  }
  if (q < to) out.copy(bytes, q, to)
  const attributesEnd = out.length
  if (legacy) writeNlri(out, rib, nlri, entry.pathId)
  const octets = out.length - start
  if (octets > MAX_UPDATE_OCTETS) {
    out.length = start
    throw new DecodeError('BAD_LENGTH', `an UPDATE of ${octets} octets, expected 65535 at most`, {
      offset: entry.attributesAt,
      length: to - entry.attributesAt,
      path: 'mrt.rib.entry',
      spec: 'RFC 8654 section 3',
    })
  }
  out.setU16(start + BGP_HEADER_OCTETS - 3, octets)
  out.setU16(lengthAt, attributesEnd - lengthAt - 2)
}

function writeMpReach(
  out: Octets,
  rib: RibRecord,
  nlri: Uint8Array,
  pathId: number | undefined,
  bytes: Uint8Array,
  nextHopAt: number,
  nextHopOctets: number,
): void {
  out.u8(FLAG_OPTIONAL | FLAG_EXTENDED_LENGTH)
  out.u8(ATTR_MP_REACH)
  const lengthAt = out.length
  out.u16(0)
  out.u16(rib.afi)
  out.u8(rib.safi)
  out.u8(nextHopOctets)
  if (nextHopOctets > 0) out.copy(bytes, nextHopAt, nextHopAt + nextHopOctets)
  out.u8(0)
  writeNlri(out, rib, nlri, pathId)
  out.setU16(lengthAt, out.length - lengthAt - 2)
}

function writeNlri(
  out: Octets,
  rib: RibRecord,
  nlri: Uint8Array,
  pathId: number | undefined,
): void {
  if (pathId !== undefined) out.u32(pathId)
  out.copy(nlri, rib.nlriAt, rib.nlriEnd)
}
