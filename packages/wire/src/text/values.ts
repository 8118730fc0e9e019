import { formatIPv4, formatIPv6, formatPrefix } from './ip.ts'
import { HEX_OCTET, toHex } from './hex.ts'

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function u24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | u24(bytes, at + 1)) >>> 0
}

function colonHex(bytes: Uint8Array, at: number, octets: number): string {
  let text = HEX_OCTET[bytes[at]!]!
  for (let i = at + 1; i < at + octets; i++) text += `:${HEX_OCTET[bytes[i]!]!}`
  return text
}

/** Six octets, lower-case hex with colons. */
export function formatMac(bytes: Uint8Array, at: number): string {
  return colonHex(bytes, at, 6)
}

/** Ethernet segment identifier, RFC 7432 section 5: ten octets, lower-case hex with colons. */
export function formatEsi(bytes: Uint8Array, at: number): string {
  return colonHex(bytes, at, 10)
}

/**
 * Route distinguisher, RFC 4364 section 4.2: `ADMIN:NUMBER` for types 0 (AS:4 octets), 1 (IPv4:2) and
 * 2 (4-octet AS:2); another type as `0x` and its 16 hex digits.
 */
export function formatRd(bytes: Uint8Array, at: number): string {
  switch (u16(bytes, at)) {
    case 0:
      return `${u16(bytes, at + 2)}:${u32(bytes, at + 4)}`
    case 1:
      return `${formatIPv4(bytes, at + 2)}:${u16(bytes, at + 6)}`
    case 2:
      return `${u32(bytes, at + 2)}:${u16(bytes, at + 6)}`
    default:
      return `0x${toHex(bytes, at, at + 8)}`
  }
}

const SEGMENT_OPEN = ['', '{', '', '(', '[']
const SEGMENT_CLOSE = ['', '}', '', ')', ']']
const SEGMENT_SEPARATOR = ['', ',', ' ', ' ', ',']

/**
 * `65001 65002 {65003,65004}`; confederation sequences in `( )`, confederation sets in `[ ]` (RFC 5065
 * section 3). The value must have passed `asPathFits`; '' for an empty path.
 */
export function formatAsPath(
  bytes: Uint8Array,
  at: number,
  length: number,
  asOctets: 2 | 4,
): string {
  const end = at + length
  let text = ''
  while (at + 2 <= end) {
    const type = bytes[at]!
    const count = bytes[at + 1]!
    at += 2
    if (text !== '') text += ' '
    text += SEGMENT_OPEN[type] ?? ''
    for (let i = 0; i < count && at + asOctets <= end; i++, at += asOctets) {
      if (i > 0) text += SEGMENT_SEPARATOR[type] ?? ' '
      text += String(asOctets === 4 ? u32(bytes, at) : u16(bytes, at))
    }
    text += SEGMENT_CLOSE[type] ?? ''
  }
  return text
}

/** RFC 1997: four octets as `65000:1`. */
export function formatCommunity(bytes: Uint8Array, at: number): string {
  return `${u16(bytes, at)}:${u16(bytes, at + 2)}`
}

/** RFC 8092 section 5: twelve octets as `a:b:c`. */
export function formatLargeCommunity(bytes: Uint8Array, at: number): string {
  return `${u32(bytes, at)}:${u32(bytes, at + 4)}:${u32(bytes, at + 8)}`
}

/** The value of type 0x00, 0x01 and 0x02 communities, RFC 4360 sections 3.1 and 3.2, RFC 5668. */
function administrator(bytes: Uint8Array, at: number): string {
  switch (bytes[at]! & 0x3f) {
    case 0:
      return `${u16(bytes, at + 2)}:${u32(bytes, at + 4)}`
    case 1:
      return `${formatIPv4(bytes, at + 2)}:${u16(bytes, at + 6)}`
    default:
      return `${u32(bytes, at + 2)}:${u16(bytes, at + 6)}`
  }
}

const floatScratch = new DataView(new ArrayBuffer(4))

/** Octets per second of a link bandwidth community, draft-ietf-idr-link-bandwidth section 2. */
export function linkBandwidth(bytes: Uint8Array, at: number): number {
  floatScratch.setUint32(0, u32(bytes, at + 4))
  return floatScratch.getFloat32(0)
}

/**
 * Eight octets of an extended community. Text by what it means (RFC 4360, 5668, 7153, 7432, 8365, 9012,
 * 9135, link bandwidth draft); what has no text here is `0xTTSS:` and its six value octets in hex.
 */
export function formatExtCommunity(bytes: Uint8Array, at: number): string {
  const kind = u16(bytes, at)
  switch (kind) {
    case 0x0002:
    case 0x0102:
    case 0x0202:
      return `rt:${administrator(bytes, at)}`
    case 0x0003:
    case 0x0103:
    case 0x0203:
      return `soo:${administrator(bytes, at)}`
    case 0x0004:
    case 0x4004:
      return `link-bw:${u16(bytes, at + 2)}:${linkBandwidth(bytes, at)}`
    case 0x030b:
      return `color:${u32(bytes, at + 4)}`
    case 0x030c:
      return `encap:${u16(bytes, at + 6)}`
    case 0x030d:
      return 'default-gw'
    case 0x0600:
      return `mm:${u32(bytes, at + 4)}${(bytes[at + 2]! & 1) !== 0 ? ':sticky' : ''}`
    case 0x0601:
      // RFC 7432 section 7.5: the label is the high-order 20 bits of the last three octets.
      return `esi-label:${u24(bytes, at + 5) >> 4}${(bytes[at + 2]! & 1) !== 0 ? ':single-active' : ''}`
    case 0x0602:
      return `es-import:${formatMac(bytes, at + 2)}`
    case 0x0603:
      return `rmac:${formatMac(bytes, at + 2)}`
    default:
      return `0x${toHex(bytes, at, at + 2)}:${toHex(bytes, at + 2, at + 8)}`
  }
}

/**
 * D-PATH, draft-ietf-bess-evpn-ipvpn-interworking section 4: segments
 * { count => U8, { global_admin => U32, local_admin => U16, isf_safi => U8 } count } as
 * `65000:1:70 65000:2:128`. Hex when the segments don't fill the attribute.
 */
export function formatDPath(bytes: Uint8Array, at: number, length: number): string {
  const end = at + length
  const domains: string[] = []
  for (let p = at; p < end;) {
    const count = bytes[p]!
    p += 1
    if (count === 0 || p + 7 * count > end) return `0x${toHex(bytes, at, end)}`
    for (let i = 0; i < count; i++, p += 7) {
      domains.push(`${u32(bytes, p)}:${u16(bytes, p + 4)}:${bytes[p + 6]!}`)
    }
  }
  return domains.join(' ')
}

/** Raw label of three octets as the 20-bit number, RFC 3032 section 2.1. */
export function labelNumber(bytes: Uint8Array, at: number): number {
  return u24(bytes, at) >> 4
}

/** The 24 bits as they are: in EVPN a label or a VNI (RFC 8365 section 5.1.3). */
export function labelRaw(bytes: Uint8Array, at: number): number {
  return u24(bytes, at)
}

/**
 * Canonical text of an EVPN route, without labels, ESI of types 2 and 5, and gateway; start..end is the
 * route-type-specific part, which must have passed `evpnRouteFits`.
 *
 *   [1]:[RD]:[ESI]:[ETAG]                [2]:[RD]:[ETAG]:[48]:[MAC] and :[32]:[IP] where there is an IP
 *   [3]:[RD]:[ETAG]:[32]:[ORIGINATOR]    [4]:[RD]:[ESI]:[32]:[ORIGINATOR]
 *   [5]:[RD]:[ETAG]:[BITS]:[PREFIX]      [N]:0xHEX for other types
 *   [6]:[RD]:[ETAG]:SOURCE:GROUP:[32]:[ORIGINATOR], 10 the same; a wildcard is [0]:[*]
 *   [7]:[RD]:[ESI]:[ETAG]:SOURCE:GROUP:[32]:[ORIGINATOR], 8 the same
 *   [9]:[RD]:[ETAG]:[0xREGION]           [11]:[TEXT OF THE ROUTE KEY]:[32]:[ORIGINATOR]
 */
export function formatEvpnNlri(
  bytes: Uint8Array,
  routeType: number,
  start: number,
  end: number,
): string {
  switch (routeType) {
    case 1:
      return `[1]:[${formatRd(bytes, start)}]:[${formatEsi(bytes, start + 8)}]:[${u32(bytes, start + 18)}]`
    case 2: {
      const mac = `[2]:[${formatRd(bytes, start)}]:[${u32(bytes, start + 18)}]:[48]:[${formatMac(bytes, start + 23)}]`
      const ip = hostText(bytes, start + 29)
      return ip === '' ? mac : `${mac}:${ip}`
    }
    case 3:
      return `[3]:[${formatRd(bytes, start)}]:[${u32(bytes, start + 8)}]:${hostText(bytes, start + 12)}`
    case 4:
      return `[4]:[${formatRd(bytes, start)}]:[${formatEsi(bytes, start + 8)}]:${hostText(bytes, start + 18)}`
    case 5: {
      const bits = bytes[start + 22]!
      const prefix = formatPrefix(bytes, start + 23, bits, end - start === 58)
      const slash = prefix.indexOf('/')
      return `[5]:[${formatRd(bytes, start)}]:[${u32(bytes, start + 18)}]:[${bits}]:[${prefix.slice(0, slash)}]`
    }
    case 6:
    case 10:
      return `[${routeType}]:[${formatRd(bytes, start)}]:[${u32(bytes, start + 8)}]:${groupText(bytes, start + 12)}`
    case 7:
    case 8:
      return `[${routeType}]:[${formatRd(bytes, start)}]:[${formatEsi(bytes, start + 8)}]:[${u32(bytes, start + 18)}]:${groupText(bytes, start + 22)}`
    case 9:
      return `[9]:[${formatRd(bytes, start)}]:[${u32(bytes, start + 8)}]:[0x${toHex(bytes, start + 12, start + 20)}]`
    case 11: {
      const keyEnd = start + 2 + bytes[start + 1]!
      const key = formatEvpnNlri(bytes, bytes[start]!, start + 2, keyEnd)
      return `[11]:[${key}]:${hostText(bytes, keyEnd)}`
    }
    default:
      return `[${routeType}]:0x${toHex(bytes, start, end)}`
  }
}

/** Source, group and originator, each a length in bits and an address. */
function groupText(bytes: Uint8Array, at: number): string {
  const group = at + 1 + (bytes[at]! >> 3)
  const originator = group + 1 + (bytes[group]! >> 3)
  const wild = (text: string): string => (text === '' ? '[0]:[*]' : text)
  return `${wild(hostText(bytes, at))}:${wild(hostText(bytes, group))}:${hostText(bytes, originator)}`
}

/** `[32]:[10.0.0.1]` of a length octet (bits) and the address behind it; '' for no address. */
function hostText(bytes: Uint8Array, at: number): string {
  const bits = bytes[at]!
  if (bits === 0) return ''
  return `[${bits}]:[${bits === 128 ? formatIPv6(bytes, at + 1) : formatIPv4(bytes, at + 1)}]`
}
