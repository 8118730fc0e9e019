/**
 * EVPN route types 6 to 11 (RFC 9251 section 9, RFC 9572 section 3): where their parts lie. All but type
 * 9 have addresses with a length in bits in front, so that nothing has a fixed place.
 */
import { evpnRouteFits } from '../nlri-walk.ts'

/** Octets before the first address: rd, ethernet tag; types 7 and 8 have an ESI between them. */
const HEAD_OCTETS = 12
const SYNCH_HEAD_OCTETS = 22
/** rd => 8, ethernet_tag => U32, region_id => 8 */
const REGION_OCTETS = 20
/** reserved => 4, maximum response time => U8, flags => U8 */
export const LEAVE_TAIL_OCTETS = 6

/** Do the lengths inside a route of type 6 to 11 agree? Other types are not looked into. */
export function evpnMulticastRouteFits(
  bytes: Uint8Array,
  routeType: number,
  at: number,
  length: number,
): boolean {
  const end = at + length
  switch (routeType) {
    case 6:
      return end - groupEnd(bytes, at + HEAD_OCTETS, end) === 1
    case 7:
      return end - groupEnd(bytes, at + SYNCH_HEAD_OCTETS, end) === 1
    case 8: {
      // Seen without one of the octets before the flags (ExaBGP's corpus): nothing of the key is in there.
      const tail = end - groupEnd(bytes, at + SYNCH_HEAD_OCTETS, end)
      return tail === LEAVE_TAIL_OCTETS || tail === LEAVE_TAIL_OCTETS - 1
    }
    case 9:
      return length === REGION_OCTETS
    case 10:
      return groupEnd(bytes, at + HEAD_OCTETS, end) === end
    case 11: {
      if (length < 2) return false
      const keyType = bytes[at]!
      const keyEnd = at + 2 + bytes[at + 1]!
      if (keyType === 11 || keyEnd > end) return false
      if (!evpnRouteFits(bytes, keyType, at + 2, bytes[at + 1]!)) return false
      return addressEnd(bytes, keyEnd, end, false) === end
    }
    default:
      return true
  }
}

/**
 * One past the octets of a route that are its key: flags (types 6 and 7), and what else stands behind the
 * originator (type 8), are not (RFC 9251 section 9).
 */
export function evpnKeyEnd(
  bytes: Uint8Array,
  routeType: number,
  start: number,
  end: number,
): number {
  if (routeType === 6) return groupEnd(bytes, start + HEAD_OCTETS, end)
  if (routeType === 7 || routeType === 8) return groupEnd(bytes, start + SYNCH_HEAD_OCTETS, end)
  return end
}

/** One past source, group and originator, or beyond `end` when they don't fit. */
function groupEnd(bytes: Uint8Array, at: number, end: number): number {
  const source = addressEnd(bytes, at, end, true)
  const group = addressEnd(bytes, source, end, true)
  return addressEnd(bytes, group, end, false)
}

const NOWHERE = 0x7fffffff

function addressEnd(bytes: Uint8Array, at: number, end: number, wildcard: boolean): number {
  if (at >= end) return NOWHERE
  const bits = bytes[at]!
  if (bits !== 32 && bits !== 128 && !(wildcard && bits === 0)) return NOWHERE
  const next = at + 1 + (bits >> 3)
  return next <= end ? next : NOWHERE
}
