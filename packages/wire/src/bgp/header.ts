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
