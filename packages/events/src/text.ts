/** RFC 7854 section 4.4 sets no limit; a name is for people, keys and columns. */
const MAX_NAME_OCTETS = 255

/**
 * Text of a router for rows: control characters (C0, DEL, C1) and what turns text around (bidi marks)
 * removed, at most `octets` of UTF-8, never cut inside a character.
 */
export function cleanText(text: string, octets: number): string {
  const clean = text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    '',
  )
  if (Buffer.byteLength(clean) <= octets) return clean
  let used = 0
  let kept = ''
  for (const character of clean) {
    used += Buffer.byteLength(character)
    if (used > octets) break
    kept += character
  }
  return kept
}

/** sysName for use as router name; '' when nothing is left of it. */
export function cleanName(sysName: string): string {
  return cleanText(sysName, MAX_NAME_OCTETS).trim()
}
