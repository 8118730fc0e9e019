import { DecodeError } from '../errors.ts'

/** Per-peer header, RFC 7854 section 4.2. */
export const PEER_HEADER_OCTETS = 42

/** RFC 7854 section 4.2, RFC 9069 section 4.1. Others are kept as numbers. */
export const PEER_TYPE_GLOBAL = 0
export const PEER_TYPE_RD = 1
export const PEER_TYPE_LOCAL = 2
export const PEER_TYPE_LOC_RIB = 3

const FLAG_V = 0x80
const FLAG_L = 0x40
const FLAG_A = 0x20
const FLAG_O = 0x10
const FLAG_F = 0x80

/** Which of the router's tables a message shows. */
export type Rib = 'adj_in_pre' | 'adj_in_post' | 'loc_rib' | 'adj_out_pre' | 'adj_out_post'

/** By `PeerHeader.ribCode`; 0 is no table. The numbers are those of the event log's Enum8. */
export const RIBS: readonly (Rib | '')[] = [
  '',
  'adj_in_pre',
  'adj_in_post',
  'loc_rib',
  'adj_out_pre',
  'adj_out_post',
]

/**
 * The per-peer header in place: numbers and offsets, refilled for each message.
 *
 *   peer_type => U8, peer_flags => U8, distinguisher => 8, address => 16 (IPv4 in the last 4),
 *   asn => U32, bgp_id => 4, seconds => U32, microseconds => U32
 *
 * Flags: V (IPv6), L (post-policy), A (2-octet AS_PATH) of RFC 7854; O (Adj-RIB-Out) of RFC 8671;
 * with peer type 3 the only flag is F (filtered), RFC 9069 section 4.2, on the bit that is V elsewhere.
 */
export class PeerHeader {
  type = 0
  flags = 0
  ipv6 = false
  postPolicy = false
  as2 = false
  adjRibOut = false
  filtered = false
  rib: Rib = 'adj_in_pre'
  /** `rib` as a number, 1 to 5: its place in `RIBS`. */
  ribCode = 1
  distinguisherAt = 0
  distinguisherHi = 0
  distinguisherLo = 0
  /** First octet of the address that counts: 16 octets if `ipv6`, else 4. */
  addressAt = 0
  addressOctets: 4 | 16 = 4
  asn = 0
  /** As a number; `formatIPv4Number` makes text of it. */
  bgpId = 0
  bgpIdAt = 0
  seconds = 0
  microseconds = 0

  /**
   * @param at  first octet of the per-peer header (message start + 6)
   * @param end one past the message's last octet
   * @throws DecodeError TRUNCATED when the message is too short to hold one
   */
  read(bytes: Uint8Array, view: DataView, at: number, end: number = bytes.length): void {
    if (end - at < PEER_HEADER_OCTETS) {
      throw new DecodeError('TRUNCATED', `${end - at} octets, expected ${PEER_HEADER_OCTETS}`, {
        offset: at,
        length: Math.max(0, end - at),
        path: 'peer_header',
        spec: 'RFC 7854 section 4.2',
      })
    }
    const type = bytes[at]!
    const flags = bytes[at + 1]!
    this.type = type
    this.flags = flags
    if (type === PEER_TYPE_LOC_RIB) {
      this.ipv6 = false
      this.postPolicy = false
      this.as2 = false
      this.adjRibOut = false
      this.filtered = (flags & FLAG_F) !== 0
      this.rib = 'loc_rib'
      this.ribCode = 3
    } else {
      const post = (flags & FLAG_L) !== 0
      const out = (flags & FLAG_O) !== 0
      this.ipv6 = (flags & FLAG_V) !== 0
      this.postPolicy = post
      this.as2 = (flags & FLAG_A) !== 0
      this.adjRibOut = out
      this.filtered = false
      this.rib = out ? (post ? 'adj_out_post' : 'adj_out_pre') : post ? 'adj_in_post' : 'adj_in_pre'
      this.ribCode = out ? (post ? 5 : 4) : post ? 2 : 1
    }
    this.distinguisherAt = at + 2
    this.distinguisherHi = view.getUint32(at + 2)
    this.distinguisherLo = view.getUint32(at + 6)
    this.addressAt = this.ipv6 ? at + 10 : at + 22
    this.addressOctets = this.ipv6 ? 16 : 4
    this.asn = view.getUint32(at + 26)
    this.bgpIdAt = at + 30
    this.bgpId = view.getUint32(at + 30)
    this.seconds = view.getUint32(at + 34)
    this.microseconds = view.getUint32(at + 38)
  }
}
