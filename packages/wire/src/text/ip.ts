/** Dotted quad of the 4 octets at `at`. */
export function formatIPv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`
}

/** Dotted quad of an unsigned number of 32 bits: a BGP ID of `PeerHeader`. */
export function formatIPv4Number(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`
}

/**
 * The 16 octets at `at` as RFC 5952 section 4 wants them: lower case, no leading zeros, the first of
 * the longest runs of two or more zero groups as `::`. Addresses with an embedded IPv4 one end in a
 * dotted quad under the same conditions as glibc's inet_ntop and ClickHouse's IPv6NumToString, so that
 * text made here and text made there are equal.
 */
export function formatIPv6(bytes: Uint8Array, at: number): string {
  let bestAt = -1
  let bestLength = 1
  let runAt = -1
  for (let group = 0; group <= 8; group++) {
    const zero = group < 8 && bytes[at + 2 * group] === 0 && bytes[at + 2 * group + 1] === 0
    if (zero) {
      if (runAt < 0) runAt = group
    } else if (runAt >= 0) {
      if (group - runAt > bestLength) {
        bestAt = runAt
        bestLength = group - runAt
      }
      runAt = -1
    }
  }
  let text = ''
  for (let group = 0; group < 8; group++) {
    if (group === bestAt) {
      text += '::'
      group += bestLength - 1
      continue
    }
    if (text.length > 0 && !text.endsWith('::')) text += ':'
    if (
      group === 6 &&
      bestAt === 0 &&
      (bestLength === 6 || (bestLength === 5 && bytes[at + 10] === 255 && bytes[at + 11] === 255))
    ) {
      return text + formatIPv4(bytes, at + 12)
    }
    text += ((bytes[at + 2 * group]! << 8) | bytes[at + 2 * group + 1]!).toString(16)
  }
  return text
}

/**
 * The address at `at`, as `formatIPv4` or `formatIPv6` has it.
 *
 * @param octets 4 or 16
 */
export function formatIP(bytes: Uint8Array, at: number, octets: number): string {
  return octets === 16 ? formatIPv6(bytes, at) : formatIPv4(bytes, at)
}

const scratch = new Uint8Array(16)

/**
 * `10.0.0.0/24`: the prefix of `bits` bits whose first octets are at `at` (as many as the length
 * needs, RFC 4271 section 4.3). Bits beyond the length are irrelevant and shown as zero.
 *
 * @param ipv6 else IPv4
 */
export function formatPrefix(bytes: Uint8Array, at: number, bits: number, ipv6: boolean): string {
  const octets = (bits + 7) >> 3
  scratch.fill(0)
  for (let i = 0; i < octets; i++) scratch[i] = bytes[at + i]!
  if ((bits & 7) !== 0) scratch[octets - 1]! &= 0xff00 >> (bits & 7)
  return `${ipv6 ? formatIPv6(scratch, 0) : formatIPv4(scratch, 0)}/${bits}`
}
