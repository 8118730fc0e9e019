const DIGITS = '0123456789abcdef'

export const HEX_OCTET: readonly string[] = Array.from(
  { length: 256 },
  (_, octet) => DIGITS.charAt(octet >> 4) + DIGITS.charAt(octet & 15),
)

/** Lower-case hex without prefix or separators. */
export function toHex(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at++) text += HEX_OCTET[bytes[at]!]!
  return text
}
