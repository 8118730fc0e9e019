import { formatIPv4, formatIPv6 } from '../text/ip.ts'

/** Link types, www.tcpdump.org/linktypes.html. */
const LINK_NULL = 0
const LINK_ETHERNET = 1
const LINK_RAW = 101
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
/** VLAN tags in a row that are looked behind. */
const MAX_TAGS = 4

const PROTOCOL_TCP = 6

/** A TCP segment in place; refilled for each packet. */
export class Segment {
  source = ''
  sourcePort = 0
  destination = ''
  destinationPort = 0
  sequence = 0
  syn = false
  fin = false
  rst = false
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
  const isIp = (type: number): boolean => type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6
  switch (linkType) {
    case LINK_ETHERNET: {
      let at = start + 12
      for (let tags = 0; tags < MAX_TAGS && ETHERTYPES_VLAN.includes(u16(at)); tags++) at += 4
      return isIp(u16(at)) ? at + 2 : -1
    }
    case LINK_LINUX_SLL: {
      let at = start + 14
      for (let tags = 0; tags < MAX_TAGS && ETHERTYPES_VLAN.includes(u16(at)); tags++) at += 4
      return isIp(u16(at)) ? at + 2 : -1
    }
    case LINK_LINUX_SLL2: {
      if (isIp(u16(start))) return start + 20
      // A tag stands where the payload would begin.
      return ETHERTYPES_VLAN.includes(u16(start)) && isIp(u16(start + 22)) ? start + 24 : -1
    }
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

/** Reads IP and TCP headers at `at` into `segment`. */
export function readSegment(
  bytes: Uint8Array,
  at: number,
  end: number,
  segment: Segment,
): PacketVerdict {
  if (at < 0 || at >= end) return 'other'
  const version = bytes[at]! >> 4
  if (version === 4) return readIPv4(bytes, at, end, segment)
  if (version === 6) return readIPv6(bytes, at, end, segment)
  return 'other'
}

/** RFC 791 section 3.1. */
function readIPv4(bytes: Uint8Array, at: number, end: number, segment: Segment): PacketVerdict {
  if (end - at < 20) return 'broken'
  if (bytes[at + 9] !== PROTOCOL_TCP) return 'other'
  const headerOctets = (bytes[at]! & 15) * 4
  if (headerOctets < 20) return 'broken'
  // More fragments, or not the first: not put together.
  if ((((bytes[at + 6]! << 8) | bytes[at + 7]!) & 0x3fff) !== 0) return 'fragment'
  const total = (bytes[at + 2]! << 8) | bytes[at + 3]!
  segment.source = formatIPv4(bytes, at + 12)
  segment.destination = formatIPv4(bytes, at + 16)
  // Segmentation offload leaves 0 here.
  const sentEnd = total === 0 ? end : at + total
  return readTcp(bytes, at + headerOctets, end, sentEnd, segment)
}

/** RFC 8200 sections 3 and 4: hop-by-hop, routing, destination options, fragment. */
function readIPv6(bytes: Uint8Array, at: number, end: number, segment: Segment): PacketVerdict {
  if (end - at < 40) return 'broken'
  const payload = (bytes[at + 4]! << 8) | bytes[at + 5]!
  const sentEnd = payload === 0 ? end : at + 40 + payload
  segment.source = formatIPv6(bytes, at + 8)
  segment.destination = formatIPv6(bytes, at + 24)
  let next = bytes[at + 6]!
  let p = at + 40
  while (next === 0 || next === 43 || next === 60 || next === 44 || next === 51) {
    if (end - p < 8) return 'broken'
    if (next === 44) {
      if ((((bytes[p + 2]! << 8) | bytes[p + 3]!) & 0xfff9) !== 0) return 'fragment'
      next = bytes[p]!
      p += 8
      continue
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
  segment.fin = (flags & 1) !== 0
  segment.syn = (flags & 2) !== 0
  segment.rst = (flags & 4) !== 0
  segment.payloadAt = Math.min(at + headerOctets, end)
  // Beyond the IP length there is only the padding of short Ethernet frames.
  segment.payloadEnd = Math.min(sentEnd, end)
  segment.sentOctets = sentEnd - at - headerOctets
  return 'segment'
}
