import { esiOctets, ipOctets, macOctets, prefixParts, rdOctets } from './address.ts'
import { Bytes } from './bytes.ts'

export type Family = 'ipv4' | 'ipv6' | 'evpn'

/** AFI and SAFI, RFC 4760 and RFC 7432 section 7. */
export const FAMILIES: Readonly<Record<Family, { afi: number; safi: number }>> = {
  ipv4: { afi: 1, safi: 1 },
  ipv6: { afi: 2, safi: 1 },
  evpn: { afi: 25, safi: 70 },
}

export const NO_ESI = '00:00:00:00:00:00:00:00:00:00'

export interface UnicastNlri {
  readonly family: 'ipv4' | 'ipv6'
  readonly prefix: string
  /** Sent only where ADD-PATH was negotiated, RFC 7911 section 3. */
  readonly pathId?: number
}

/** VNIs stand in the label fields as plain 24-bit numbers, RFC 8365 section 5.1.3. */
export type EvpnNlri =
  | { family: 'evpn'; type: 1; rd: string; esi: string; tag: number; label: number }
  | {
      family: 'evpn'
      type: 2
      rd: string
      esi: string
      tag: number
      mac: string
      ip?: string
      label: number
      label2?: number
    }
  | { family: 'evpn'; type: 3; rd: string; tag: number; ip: string }
  | { family: 'evpn'; type: 4; rd: string; esi: string; ip: string }
  | {
      family: 'evpn'
      type: 5
      rd: string
      esi: string
      tag: number
      prefix: string
      /** '' for none: then all zero. */
      gateway: string
      label: number
    }

export type Nlri = UnicastNlri | EvpnNlri

/** What makes a route the same route: the NLRI without labels, ESI (types 2 and 5) and gateway. */
export function nlriKey(nlri: Nlri): string {
  if (nlri.family !== 'evpn') return `${nlri.family}|${nlri.prefix}|${nlri.pathId ?? 0}`
  switch (nlri.type) {
    case 1:
      return `evpn|1|${nlri.rd}|${nlri.esi}|${nlri.tag}`
    case 2:
      return `evpn|2|${nlri.rd}|${nlri.tag}|${nlri.mac}|${nlri.ip ?? ''}`
    case 3:
      return `evpn|3|${nlri.rd}|${nlri.tag}|${nlri.ip}`
    case 4:
      return `evpn|4|${nlri.rd}|${nlri.esi}|${nlri.ip}`
    case 5:
      return `evpn|5|${nlri.rd}|${nlri.tag}|${nlri.prefix}`
  }
}

export function encodeNlri(nlri: Nlri): Uint8Array {
  return nlri.family === 'evpn' ? encodeEvpn(nlri) : encodeUnicast(nlri)
}

/** RFC 4271 section 4.3: length in bits, then only the octets that matter. */
function encodeUnicast(nlri: UnicastNlri): Uint8Array {
  const { octets, bits } = prefixParts(nlri.prefix)
  const bytes = new Bytes()
  if (nlri.pathId !== undefined) bytes.u32(nlri.pathId)
  return bytes
    .u8(bits)
    .raw(octets.subarray(0, Math.ceil(bits / 8)))
    .done()
}

/** Route type, length, and the parts of RFC 7432 sections 7.1 to 7.4 and RFC 9136 section 3.1. */
function encodeEvpn(nlri: EvpnNlri): Uint8Array {
  const body = new Bytes().raw(rdOctets(nlri.rd))
  switch (nlri.type) {
    case 1:
      body.raw(esiOctets(nlri.esi)).u32(nlri.tag).u24(nlri.label)
      break
    case 2: {
      const ip = nlri.ip === undefined ? new Uint8Array() : ipOctets(nlri.ip)
      body.raw(esiOctets(nlri.esi)).u32(nlri.tag).u8(48).raw(macOctets(nlri.mac))
      body
        .u8(ip.length * 8)
        .raw(ip)
        .u24(nlri.label)
      if (nlri.label2 !== undefined) body.u24(nlri.label2)
      break
    }
    case 3: {
      const ip = ipOctets(nlri.ip)
      body
        .u32(nlri.tag)
        .u8(ip.length * 8)
        .raw(ip)
      break
    }
    case 4: {
      const ip = ipOctets(nlri.ip)
      body
        .raw(esiOctets(nlri.esi))
        .u8(ip.length * 8)
        .raw(ip)
      break
    }
    case 5: {
      const { octets, bits } = prefixParts(nlri.prefix)
      const gateway = nlri.gateway === '' ? new Uint8Array(octets.length) : ipOctets(nlri.gateway)
      body.raw(esiOctets(nlri.esi)).u32(nlri.tag).u8(bits).raw(octets).raw(gateway)
      body.u24(nlri.label)
      break
    }
  }
  return new Bytes().u8(nlri.type).u8(body.length).raw(body.done()).done()
}
