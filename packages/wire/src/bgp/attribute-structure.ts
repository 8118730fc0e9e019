/**
 * Do the lengths inside an attribute agree? For those whose rule is more than a length: only what the
 * specification calls malformed, so that an attribute with something unknown in it is kept.
 *
 * Called by the index for every such attribute, so that the hot path and the friendly face reject the same
 * ones. Offsets only; nothing is allocated unless something is wrong.
 */
import type { Handling } from '../errors.ts'

/** What is wrong, and where from the value's first octet. */
export interface Misfit {
  readonly detail: string
  readonly at: number
  /** Where it is not the attribute's own (RFC 9252 in RFC 8669's attribute). */
  readonly handling?: Handling
  readonly spec?: string
}

const SRV6: { readonly handling: Handling; readonly spec: string } = {
  handling: 'treat-as-withdraw',
  spec: 'RFC 9252 section 7',
}

/** undefined: it fits, or nothing is known about the type. */
export function misfitOf(
  type: number,
  bytes: Uint8Array,
  at: number,
  length: number,
): Misfit | undefined {
  const end = at + length
  switch (type) {
    case 22:
      return length < 5 ? shorter(length, 5) : undefined
    case 23:
      return tunnels(bytes, at, end)
    case 24:
      return length < 36 ? shorter(length, 36) : undefined
    case 26:
      return aigp(bytes, at, end)
    case 27:
      return length === 0 || (length % 7 !== 0 && length % 19 !== 0)
        ? { detail: `${length} octets is not a non-zero multiple of 7 or 19`, at: 0 }
        : undefined
    case 29:
      return tlvs(bytes, at, at, end, 2, 2)
    case 33:
      return bgpsec(bytes, at, end)
    case 36:
      return dPath(bytes, at, end)
    case 37:
      return length === 0 ? shorter(0, 3) : tlvs(bytes, at, at, end, 1, 2)
    case 38:
      return length < 5 ? shorter(length, 5) : tlvs(bytes, at, at + 5, end, 1, 1)
    case 39: {
      if (length < 4) return shorter(length, 4)
      const next = at + 4 + bytes[at + 3]!
      if (next > end) return { detail: `next hop of ${bytes[at + 3]!} octets, ${length - 4} left`, at: 3 } // prettier-ignore
      return tlvs(bytes, at, next, end, 2, 2)
    }
    case 40:
      return prefixSid(bytes, at, end)
    case 128:
      return length < 4 ? shorter(length, 4) : attributes(bytes, at, at + 4, end)
    default:
      return undefined
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function shorter(length: number, least: number): Misfit {
  return { detail: `${length} octets, expected ${least} or more`, at: 0 }
}

/** { type, length, value } fills from..end. @param base  what places count from */
function tlvs(
  bytes: Uint8Array,
  base: number,
  from: number,
  end: number,
  typeOctets: number,
  lengthOctets: number,
): Misfit | undefined {
  const header = typeOctets + lengthOctets
  for (let p = from; p < end;) {
    if (end - p < header) {
      return { detail: `${end - p} octets left, expected a TLV`, at: p - base }
    }
    const length = lengthOctets === 2 ? u16(bytes, p + typeOctets) : bytes[p + typeOctets]!
    const next = p + header + length
    if (next > end) {
      return { detail: `TLV of ${length} octets, ${end - p - header} left`, at: p - base }
    }
    p = next
  }
  return undefined
}

/** RFC 9012 section 13: the last octet of a tunnel TLV is that of its last sub-TLV. */
function tunnels(bytes: Uint8Array, at: number, end: number): Misfit | undefined {
  const outer = tlvs(bytes, at, at, end, 2, 2)
  if (outer !== undefined) return outer
  for (let p = at; p < end;) {
    const last = p + 4 + u16(bytes, p + 2)
    for (let q = p + 4; q < last;) {
      const wide = bytes[q]! >= 128
      const header = wide ? 3 : 2
      if (last - q < header) return { detail: `${last - q} octets left, expected a sub-TLV`, at: q - at } // prettier-ignore
      const length = wide ? u16(bytes, q + 1) : bytes[q + 1]!
      if (q + header + length > last) {
        return { detail: `sub-TLV of ${length} octets, ${last - q - header} left`, at: q - at }
      }
      q += header + length
    }
    p = last
  }
  return undefined
}

/** RFC 7311 section 3: the length counts the header; a metric has 8 octets. */
function aigp(bytes: Uint8Array, at: number, end: number): Misfit | undefined {
  if (at === end) return shorter(0, 3)
  for (let p = at; p < end;) {
    if (end - p < 3) return { detail: `${end - p} octets left, expected a TLV`, at: p - at }
    const length = u16(bytes, p + 1)
    if (length < 3 || p + length > end) return { detail: `TLV of ${length} octets, ${end - p} left`, at: p - at } // prettier-ignore
    if (bytes[p] === 1 && length !== 11) return { detail: `AIGP TLV of ${length} octets, expected 11`, at: p - at } // prettier-ignore
    p += length
  }
  return undefined
}

/** RFC 8669 section 6; RFC 9252 section 7 for the SRv6 service TLVs. */
function prefixSid(bytes: Uint8Array, at: number, end: number): Misfit | undefined {
  if (end - at < 3) return shorter(end - at, 3)
  for (let p = at; p < end;) {
    if (end - p < 3) return { detail: `${end - p} octets left, expected a TLV`, at: p - at }
    const type = bytes[p]!
    const length = u16(bytes, p + 1)
    const value = p + 3
    const next = value + length
    const srv6 = type === 5 || type === 6
    if (next > end) {
      const misfit = { detail: `TLV of ${length} octets, ${end - value} left`, at: p - at }
      return srv6 ? { ...misfit, ...SRV6 } : misfit
    }
    if (type === 1 && length !== 7) {
      return { detail: `label index TLV of ${length} octets, expected 7`, at: p - at }
    }
    if (type === 3 && (length < 8 || (length - 2) % 6 !== 0)) {
      return { detail: `originator SRGB TLV of ${length} octets, expected 2 and 6 a range`, at: p - at } // prettier-ignore
    }
    if (srv6) {
      const misfit = srv6Service(bytes, at, value, next)
      if (misfit !== undefined) return { ...misfit, ...SRV6 }
    }
    p = next
  }
  return undefined
}

function srv6Service(
  bytes: Uint8Array,
  base: number,
  from: number,
  end: number,
): Misfit | undefined {
  if (end - from < 1) return { detail: 'SRv6 service TLV of 0 octets', at: from - base }
  const inner = tlvs(bytes, base, from + 1, end, 1, 2)
  if (inner !== undefined) return inner
  for (let p = from + 1; p < end;) {
    const length = u16(bytes, p + 1)
    const next = p + 3 + length
    if (bytes[p] === 1) {
      if (length < 21) return { detail: `SRv6 SID information of ${length} octets, expected 21 or more`, at: p - base } // prettier-ignore
      const innermost = tlvs(bytes, base, p + 3 + 21, next, 1, 2)
      if (innermost !== undefined) return innermost
    }
    p = next
  }
  return undefined
}

/** RFC 8205 section 5.2: the lengths of Secure_Path and of one or two Signature_Blocks. */
function bgpsec(bytes: Uint8Array, at: number, end: number): Misfit | undefined {
  if (end - at < 2) return shorter(end - at, 2)
  const pathEnd = at + u16(bytes, at)
  if (pathEnd < at + 8 || pathEnd > end || (pathEnd - at - 2) % 6 !== 0) {
    return { detail: `Secure_Path of ${pathEnd - at} octets, ${end - at} left`, at: 0 }
  }
  let blocks = 0
  for (let p = pathEnd; p < end; blocks++) {
    if (end - p < 3) return { detail: `${end - p} octets left, expected a Signature_Block`, at: p - at } // prettier-ignore
    const next = p + u16(bytes, p)
    if (next < p + 3 || next > end) return { detail: `Signature_Block of ${next - p} octets, ${end - p} left`, at: p - at } // prettier-ignore
    for (let q = p + 3; q < next;) {
      if (next - q < 22) return { detail: `${next - q} octets left, expected a signature`, at: q - at } // prettier-ignore
      const length = u16(bytes, q + 20)
      if (q + 22 + length > next) return { detail: `signature of ${length} octets, ${next - q - 22} left`, at: q - at } // prettier-ignore
      q += 22 + length
    }
    p = next
  }
  return blocks === 1 || blocks === 2
    ? undefined
    : { detail: `${blocks} Signature_Blocks, expected 1 or 2`, at: pathEnd - at }
}

/** draft-ietf-bess-evpn-ipvpn-interworking section 4. */
function dPath(bytes: Uint8Array, at: number, end: number): Misfit | undefined {
  if (at === end) return shorter(0, 8)
  for (let p = at; p < end;) {
    const count = bytes[p]!
    const next = p + 1 + 7 * count
    if (count === 0 || next > end) return { detail: `segment of ${count} domains, ${end - p - 1} octets left`, at: p - at } // prettier-ignore
    p = next
  }
  return undefined
}

/** Path attributes that fill from..end: RFC 4271 section 4.3. */
function attributes(
  bytes: Uint8Array,
  base: number,
  from: number,
  end: number,
): Misfit | undefined {
  for (let p = from; p < end;) {
    const extended = (bytes[p]! & 0x10) !== 0
    const header = extended ? 4 : 3
    if (end - p < header) return { detail: `${end - p} octets left, expected an attribute`, at: p - base } // prettier-ignore
    const length = extended ? u16(bytes, p + 2) : bytes[p + 2]!
    if (p + header + length > end) return { detail: `attribute of ${length} octets, ${end - p - header} left`, at: p - base } // prettier-ignore
    p += header + length
  }
  return undefined
}
