import {
  BEFORE_ADMIN_ID,
  FIXED_OCTETS,
  FLAG_ROUTER,
  FLAG_ROUTER_IPV6,
  MAGIC,
  OBMP_BMP_RAW,
} from './header.ts'

/** OpenBMP's binary header 1.7, as `decodeObmp` reads it. */
export interface ObmpHeader {
  /** 16 octets each. */
  readonly collectorHash: Uint8Array
  readonly routerHash: Uint8Array
  /** The collector's name. */
  readonly adminId: string
  /** 16 octets, IPv4 as ::ffff:a.b.c.d; undefined where it isn't known. */
  readonly routerIp: Uint8Array | undefined
  readonly routerGroup: string
}

/** Of a name; two octets for its length would allow a header longer than that of its own length field. */
const MAX_NAME_OCTETS = 1024

/**
 * OpenBMP's binary header, version 1.7, for raw BMP messages. Names are cut to 1,024 octets.
 *
 * @returns the header of a message of no octets at no time: see `stampObmpHeader`
 */
export function encodeObmpHeader(header: ObmpHeader): Uint8Array<ArrayBuffer> {
  const { collectorHash, routerHash, routerIp } = header
  const admin = name(header.adminId)
  const group = name(header.routerGroup)
  const bytes = new Uint8Array(FIXED_OCTETS + admin.length + group.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  view.setUint8(4, 1)
  view.setUint8(5, 7)
  view.setUint16(6, bytes.length)
  view.setUint8(13, OBMP_BMP_RAW)
  bytes.set(collectorHash.subarray(0, 16), 22)
  view.setUint16(38, admin.length)
  bytes.set(admin, BEFORE_ADMIN_ID)
  const router = BEFORE_ADMIN_ID + admin.length
  bytes.set(routerHash.subarray(0, 16), router)
  view.setUint8(12, FLAG_ROUTER)
  if (routerIp !== undefined) {
    const mapped = isMapped(routerIp)
    bytes.set(mapped ? routerIp.subarray(12, 16) : routerIp.subarray(0, 16), router + 16)
    if (!mapped) view.setUint8(12, FLAG_ROUTER | FLAG_ROUTER_IPV6)
  }
  view.setUint16(router + 32, group.length)
  bytes.set(group, router + 34)
  view.setUint32(bytes.length - 4, 1)
  return bytes
}

/**
 * Puts into a header what differs from message to message.
 *
 * @param timeUs when the collector received it, microseconds since 1970
 */
export function stampObmpHeader(
  bytes: Uint8Array,
  at: number,
  messageOctets: number,
  timeUs: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 22)
  view.setUint32(8, messageOctets)
  view.setUint32(14, Math.floor(timeUs / 1e6))
  view.setUint32(18, timeUs % 1e6)
}

function name(text: string): Uint8Array {
  return new TextEncoder().encode(text).subarray(0, MAX_NAME_OCTETS)
}

function isMapped(octets: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (octets[i] !== 0) return false
  return octets[10] === 0xff && octets[11] === 0xff
}
