import { Bytes } from './bytes.ts'

/** @returns 4 or 16 octets; throws RangeError on anything that is not an IP address */
export function ipOctets(text: string): Uint8Array {
  return text.includes(':') ? ipv6Octets(text) : ipv4Octets(text)
}

export function ipv4Octets(text: string): Uint8Array {
  const parts = text.split('.').map(Number)
  if (parts.length !== 4 || parts.some((n) => !Number.isInteger(n) || n < 0 || n > 255)) {
    throw new RangeError(`not an IPv4 address: ${text}`)
  }
  return Uint8Array.from(parts)
}

function ipv6Octets(text: string): Uint8Array {
  const halves = text.split('::')
  const groups = (half: string | undefined): number[] =>
    half === undefined || half === '' ? [] : half.split(':').map((group) => parseInt(group, 16))
  const head = groups(halves[0])
  const tail = groups(halves[1])
  const gap = 8 - head.length - tail.length
  const fits = halves.length === 2 ? gap >= 1 : halves.length === 1 && gap === 0
  const all = [...head, ...new Array<number>(Math.max(gap, 0)).fill(0), ...tail]
  if (!fits || all.some((n) => !Number.isInteger(n) || n < 0 || n > 0xffff)) {
    throw new RangeError(`not an IPv6 address: ${text}`)
  }
  const bytes = new Bytes()
  for (const group of all) bytes.u16(group)
  return bytes.done()
}

export function macOctets(text: string): Uint8Array {
  const parts = text.split(':').map((part) => parseInt(part, 16))
  if (parts.length !== 6 || parts.some((n) => !(n >= 0 && n <= 255))) {
    throw new RangeError(`not a MAC address: ${text}`)
  }
  return Uint8Array.from(parts)
}

/** Ten octets from colon hex, RFC 7432 section 5. */
export function esiOctets(text: string): Uint8Array {
  const parts = text.split(':').map((part) => parseInt(part, 16))
  if (parts.length !== 10 || parts.some((n) => !(n >= 0 && n <= 255))) {
    throw new RangeError(`not an ESI: ${text}`)
  }
  return Uint8Array.from(parts)
}

/**
 * Route distinguisher, RFC 4364 section 4.2: 'A.B.C.D:N' is type 1, 'AS:N' type 0 when the AS
 * fits 16 bits, else type 2.
 */
export function rdOctets(text: string): Uint8Array {
  const colon = text.lastIndexOf(':')
  const admin = text.slice(0, colon)
  const number = Number(text.slice(colon + 1))
  if (colon < 1 || !Number.isInteger(number)) throw new RangeError(`not an RD: ${text}`)
  if (admin.includes('.')) return new Bytes().u16(1).raw(ipv4Octets(admin)).u16(number).done()
  const asn = Number(admin)
  if (asn <= 0xffff) return new Bytes().u16(0).u16(asn).u32(number).done()
  return new Bytes().u16(2).u32(asn).u16(number).done()
}

/** '10.0.0.0/24' -> its address octets and length in bits. */
export function prefixParts(text: string): { octets: Uint8Array; bits: number } {
  const slash = text.indexOf('/')
  const octets = ipOctets(text.slice(0, slash))
  const bits = Number(text.slice(slash + 1))
  if (slash < 0 || !Number.isInteger(bits) || bits < 0 || bits > octets.length * 8) {
    throw new RangeError(`not a prefix: ${text}`)
  }
  return { octets, bits }
}
