const utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

/**
 * Text as sent, invalid UTF-8 replaced, never thrown at. Control characters are kept: cleaning is for
 * whoever shows or stores it, decoding must not hide what a router said.
 */
export function toText(bytes: Uint8Array, start: number, end: number): string {
  return utf8.decode(bytes.subarray(start, end))
}
