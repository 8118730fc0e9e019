import { formatIPv4, formatIPv6 } from '../text/ip.ts'
import type { Fragments } from './fragments.ts'

/** Link types, www.tcpdump.org/linktypes.html. */
const LINK_NULL = 0
const LINK_ETHERNET = 1
const LINK_PPP = 9
const LINK_PPP_HDLC = 50
const LINK_RAW = 101
const LINK_CISCO_HDLC = 104
const LINK_LOOP = 108
const LINK_LINUX_SLL = 113
const LINK_IPV4 = 228
const LINK_IPV6 = 229
const LINK_LINUX_SLL2 = 276
/** DLT_RAW as some systems wrote it. */
const LINK_RAW_OLD = [12, 14]

const ETHERTYPE_IPV4 = 0x0800
const ETHERTYPE_IPV6 = 0x86dd
const ETHERTYPES_VLAN: readonly number[] = [0x8100, 0x88a8, 0x9100]
const ETHERTYPE_MPLS = 0x8847
const ETHERTYPE_PPPOE = 0x8864
const PPP_IPV4 = 0x0021
const PPP_IPV6 = 0x0057
/** VLAN tags, or MPLS labels, in a row that are looked behind. */
const MAX_TAGS = 8

const PROTOCOL_TCP = 6

/** A TCP segment in place; refilled for each packet. */
export class Segment {
  /** What the offsets are of: the packet's bytes, or those of a datagram that came in fragments. */
  bytes: Uint8Array = new Uint8Array(0)
  source = ''
  sourcePort = 0
  destination = ''
  destinationPort = 0
  sequence = 0
  /** Number of the octet that is expected from the other side; counts where `ack` is set. */
  acknowledged = 0
  syn = false
  fin = false
  rst = false
  ack = false
  /** What was captured of the payload. */
  payloadAt = 0
  payloadEnd = 0
  /** Octets of the payload that were sent; more than captured where a snap length cut it. */
  sentOctets = 0
}

/** What a packet was, for counting. */
export type PacketVerdict = 'segment' | 'other' | 'fragment' | 'broken'

/** Where the IP header begins, or -1 when the packet is no IP. */
export function findIp(linkType: number, bytes: Uint8Array, start: number, end: number): number {
  const u16 = (at: number): number => (at + 2 <= end ? (bytes[at]! << 8) | bytes[at + 1]! : -1)
  /** @param at  of the Ethertype */
  const behindType = (at: number): number => {
    for (let tags = 0; tags < MAX_TAGS && ETHERTYPES_VLAN.includes(u16(at)); tags++) at += 4
    const type = u16(at)
    if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return at + 2
    if (type === ETHERTYPE_MPLS) return behindLabels(at + 2)
    if (type === ETHERTYPE_PPPOE) return behindPpp(at + 8)
    return -1
  }
  /** RFC 3032 section 2.1: entries of four octets, the last one marked. What follows is IP by its version. */
  const behindLabels = (at: number): number => {
    for (let labels = 0; labels < MAX_TAGS && at + 4 <= end; labels++, at += 4) {
      if ((bytes[at + 2]! & 1) !== 0) return at + 4
    }
    return -1
  }
  const behindPpp = (at: number): number => {
    // Address and control are left out where the sides agreed on it.
    if (u16(at) === 0xff03) at += 2
    const protocol = u16(at)
    return protocol === PPP_IPV4 || protocol === PPP_IPV6 ? at + 2 : -1
  }
  switch (linkType) {
    case LINK_ETHERNET:
      return behindType(start + 12)
    case LINK_LINUX_SLL:
      return behindType(start + 14)
    case LINK_LINUX_SLL2: {
      const type = u16(start)
      if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return start + 20
      // A tag stands where the payload would begin.
      return ETHERTYPES_VLAN.includes(type) ? behindType(start + 22) : -1
    }
    case LINK_PPP:
    case LINK_PPP_HDLC:
      return behindPpp(start)
    case LINK_CISCO_HDLC:
      return behindType(start + 2)
    case LINK_NULL:
    case LINK_LOOP:
      // An address family in the byte order of whoever captured; the IP version says enough.
      return start + 4
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
      return start
    default:
      return LINK_RAW_OLD.includes(linkType) ? start : -1
  }
}

/**
 * Reads IP and TCP headers at `at` into `segment`. `fragment`: one that was kept; the segment is there
 * when the last of its datagram has come.
 */
export function readSegment(
  bytes: Uint8Array,
  at: number,
  end: number,
  segment: Segment,
  fragments: Fragments,
  timeUs: number,
): PacketVerdict {
  if (at < 0 || at >= end) return 'other'
  segment.bytes = bytes
  const version = bytes[at]! >> 4
  if (version === 4) return readIPv4(bytes, at, end, segment, fragments, timeUs)
  if (version === 6) return readIPv6(bytes, at, end, segment, fragments, timeUs)
  return 'other'
}

/** RFC 791 section 3.1. */
function readIPv4(
  bytes: Uint8Array,
  at: number,
  end: number,
  segment: Segment,
  fragments: Fragments,
  timeUs: number,
): PacketVerdict {
  if (end - at < 20) return 'broken'
  if (bytes[at + 9] !== PROTOCOL_TCP) return 'other'
  const headerOctets = (bytes[at]! & 15) * 4
  if (headerOctets < 20) return 'broken'
  const total = (bytes[at + 2]! << 8) | bytes[at + 3]!
  segment.source = formatIPv4(bytes, at + 12)
  segment.destination = formatIPv4(bytes, at + 16)
  // Segmentation offload leaves 0 here.
  const sentEnd = total === 0 ? end : at + total
  const payloadAt = at + headerOctets
  const place = (bytes[at + 6]! << 8) | bytes[at + 7]!
  if ((place & 0x3fff) === 0) return readTcp(bytes, payloadAt, end, sentEnd, segment)
  if (sentEnd > end || payloadAt > sentEnd) return 'broken'
  const id = (bytes[at + 4]! << 8) | bytes[at + 5]!
  const whole = fragments.add(
    `${segment.source} ${segment.destination} ${id}`,
    (place & 0x1fff) * 8,
    (place & 0x2000) !== 0,
    bytes.subarray(payloadAt, sentEnd),
    timeUs,
  )
  if (whole === undefined) return 'fragment'
  segment.bytes = whole
  return readTcp(whole, 0, whole.length, whole.length, segment)
}

/** RFC 8200 section 3. */
function readIPv6(
  bytes: Uint8Array,
  at: number,
  end: number,
  segment: Segment,
  fragments: Fragments,
  timeUs: number,
): PacketVerdict {
  if (end - at < 40) return 'broken'
  const payload = (bytes[at + 4]! << 8) | bytes[at + 5]!
  const sentEnd = payload === 0 ? end : at + 40 + payload
  segment.source = formatIPv6(bytes, at + 8)
  segment.destination = formatIPv6(bytes, at + 24)
  return readExtensions(bytes, bytes[at + 6]!, at + 40, end, sentEnd, segment, fragments, timeUs)
}

const FRAGMENT_HEADER = 44

/** RFC 8200 section 4: hop-by-hop, routing, destination options, fragment; RFC 4302 authentication. */
function readExtensions(
  bytes: Uint8Array,
  next: number,
  at: number,
  end: number,
  sentEnd: number,
  segment: Segment,
  fragments: Fragments | undefined,
  timeUs: number,
): PacketVerdict {
  let p = at
  while (next === 0 || next === 43 || next === 60 || next === FRAGMENT_HEADER || next === 51) {
    if (end - p < 8) return 'broken'
    if (next === FRAGMENT_HEADER) {
      next = bytes[p]!
      const place = (bytes[p + 2]! << 8) | bytes[p + 3]!
      if ((place & 0xfff9) === 0) {
        // One that is whole, RFC 6946.
        p += 8
        continue
      }
      if (sentEnd > end || p + 8 > sentEnd || fragments === undefined) return 'broken'
      // UDP and the like need not be put together.
      if (next !== PROTOCOL_TCP && next !== 60 && next !== 51) return 'other'
      const id = `${bytes[p + 4]!}.${bytes[p + 5]!}.${bytes[p + 6]!}.${bytes[p + 7]!}`
      const whole = fragments.add(
        `${segment.source} ${segment.destination} ${id}`,
        place & 0xfff8,
        (place & 1) !== 0,
        bytes.subarray(p + 8, sentEnd),
        timeUs,
      )
      if (whole === undefined) return 'fragment'
      segment.bytes = whole
      // Fragments of fragments are none.
      const { length } = whole
      return readExtensions(whole, next, 0, length, length, segment, undefined, timeUs)
    }
    // RFC 4302 section 2.2 counts in words of 4 octets less 2, the others in 8 less 1.
    const octets = next === 51 ? (bytes[p + 1]! + 2) * 4 : (bytes[p + 1]! + 1) * 8
    next = bytes[p]!
    p += octets
  }
  if (next !== PROTOCOL_TCP) return 'other'
  return readTcp(bytes, p, end, sentEnd, segment)
}

/** RFC 9293 section 3.1. */
function readTcp(
  bytes: Uint8Array,
  at: number,
  end: number,
  sentEnd: number,
  segment: Segment,
): PacketVerdict {
  if (end - at < 20 || sentEnd - at < 20) return 'broken'
  const headerOctets = (bytes[at + 12]! >> 4) * 4
  if (headerOctets < 20 || at + headerOctets > sentEnd) return 'broken'
  const flags = bytes[at + 13]!
  segment.sourcePort = (bytes[at]! << 8) | bytes[at + 1]!
  segment.destinationPort = (bytes[at + 2]! << 8) | bytes[at + 3]!
  segment.sequence =
    ((bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!) >>> 0
  segment.acknowledged =
    ((bytes[at + 8]! << 24) | (bytes[at + 9]! << 16) | (bytes[at + 10]! << 8) | bytes[at + 11]!) >>>
    0
  segment.ack = (flags & 16) !== 0
  segment.fin = (flags & 1) !== 0
  segment.syn = (flags & 2) !== 0
  segment.rst = (flags & 4) !== 0
  segment.payloadAt = Math.min(at + headerOctets, end)
  // Beyond the IP length there is only the padding of short Ethernet frames.
  segment.payloadEnd = Math.min(sentEnd, end)
  segment.sentOctets = sentEnd - at - headerOctets
  return 'segment'
}
