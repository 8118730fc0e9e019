/**
 * Octets per AS number where AS_PATH fits both widths: rare, so nothing here is hot.
 *
 * What the octets themselves say comes first: AS 0 is never in a path (RFC 7607 section 2), and numbers
 * between the 32-bit ones that registries give out and the private ones (RFC 6996) aren't in use.
 */
import type { PeerCodec } from './peer-codec.ts'

/** Registries are at some 402,000; nobody has what lies between this and the private block. */
const UNUSED_FROM = 1_000_000
const UNUSED_TO = 4_199_999_999
const AS_TRANS = 23456

const ZERO_WEIGHT = 4
const UNUSED_WEIGHT = 2
const PEER_WEIGHT = 3

/** What is known beside the path itself. */
export interface WidthEvidence {
  /** What the A flag of the per-peer header, or the OPENs, say. */
  readonly declared: 2 | 4
  /** AGGREGATOR of 6 or 8 octets: 2 or 4; 0 where there is none. It settles the matter. */
  readonly aggregator: 0 | 2 | 4
  /** AS4_PATH is there: only beside numbers of 2 octets (RFC 6793 section 3). */
  readonly as4Path: boolean
  /** AS number of the peer; 0 unknown. */
  readonly peerAsn: number
  readonly codec: PeerCodec | undefined
}

/** @returns the width to read an AS_PATH by that fits both */
export function settleAsWidth(
  bytes: Uint8Array,
  at: number,
  length: number,
  evidence: WidthEvidence,
): 2 | 4 {
  const { declared, aggregator, as4Path, codec } = evidence
  if (aggregator !== 0) return aggregator
  let balance = oddness(bytes, at, length, 2, evidence) - oddness(bytes, at, length, 4, evidence)
  if (as4Path) balance--
  if (balance < 0) return 2
  if (balance > 0) return 4
  const lies = codec !== undefined && codec.asWidthHabit
  return lies ? (declared === 4 ? 2 : 4) : declared
}

/** Does any AS 0 appear? The path must fit the width. */
export function hasAsZero(bytes: Uint8Array, at: number, length: number, width: 2 | 4): boolean {
  let found = false
  eachAs(bytes, at, length, width, (asn) => {
    if (asn === 0) found = true
  })
  return found
}

function oddness(
  bytes: Uint8Array,
  at: number,
  length: number,
  width: 2 | 4,
  { peerAsn }: WidthEvidence,
): number {
  let odd = 0
  let first = true
  eachAs(bytes, at, length, width, (asn) => {
    if (asn === 0) odd += ZERO_WEIGHT
    else if (asn >= UNUSED_FROM && asn <= UNUSED_TO) odd += UNUSED_WEIGHT
    if (first && peerAsn !== 0) {
      const shown = width === 2 && peerAsn > 0xffff ? AS_TRANS : peerAsn
      if (asn === shown) odd -= PEER_WEIGHT
    }
    first = false
  })
  return odd
}

function eachAs(
  bytes: Uint8Array,
  at: number,
  length: number,
  width: 2 | 4,
  onAs: (asn: number) => void,
): void {
  const end = at + length
  for (let p = at; p + 2 <= end;) {
    const count = bytes[p + 1]!
    p += 2
    for (let i = 0; i < count && p + width <= end; i++, p += width) {
      const high = width === 4 ? ((bytes[p]! << 8) | bytes[p + 1]!) * 0x10000 : 0
      const low = p + width - 2
      onAs(high + ((bytes[low]! << 8) | bytes[low + 1]!))
    }
  }
}
