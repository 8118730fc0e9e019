/**
 * RFC 3339 in UTC with six digits, of the two fields of a per-peer header; null for 0, which means that
 * the router doesn't know (RFC 7854 section 4.2). Microseconds beyond a second are carried.
 */
export function formatTimestamp(seconds: number, microseconds: number): string | null {
  if (seconds === 0 && microseconds === 0) return null
  const whole = seconds + Math.floor(microseconds / 1e6)
  const rest = String(microseconds % 1e6).padStart(6, '0')
  return `${new Date(whole * 1000).toISOString().slice(0, -5)}.${rest}Z`
}
