import { fail, remaining, type Cursor } from '../cursor.ts'

/** BGP message header, RFC 4271 section 4.1: marker (16 octets of 0xff), length (U16), type (U8). */
export const BGP_HEADER_OCTETS = 19

export const BGP_OPEN = 1
export const BGP_UPDATE = 2
export const BGP_NOTIFICATION = 3
export const BGP_KEEPALIVE = 4
export const BGP_ROUTE_REFRESH = 5

/** Do 16 octets of 0xff begin here? */
export function isBgpMarker(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 16) return false
  for (let i = at; i < at + 16; i++) if (bytes[i] !== 0xff) return false
  return true
}

/**
 * One past the last octet of the BGP message at `c.pos`.
 *
 * @throws DecodeError when its header isn't there or its length is impossible
 */
export function bgpMessageEnd(c: Cursor): number {
  if (remaining(c) < BGP_HEADER_OCTETS) {
    fail(c, 'TRUNCATED', c.pos, `${remaining(c)} octets, expected a BGP message`)
  }
  if (!isBgpMarker(c.bytes, c.pos, c.end)) fail(c, 'BAD_VALUE', c.pos, 'marker is not all ones')
  const length = c.view.getUint16(c.pos + 16)
  if (length < BGP_HEADER_OCTETS || length > remaining(c)) {
    fail(c, 'BAD_LENGTH', c.pos + 16, `BGP message length ${length} in ${remaining(c)} octets`)
  }
  return c.pos + length
}
