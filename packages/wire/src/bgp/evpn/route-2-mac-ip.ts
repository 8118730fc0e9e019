import { readU24, readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIP } from '../../text/ip.ts'
import { formatEsi, formatMac, formatRd } from '../../text/values.ts'

export interface MacIpRoute {
  readonly kind: 'evpn'
  readonly routeType: 2
  readonly name: 'mac_ip'
  readonly rd: string
  readonly esi: string
  readonly ethTag: number
  readonly mac: string
  /** '' when the route is for a MAC alone. */
  readonly ip: string
  /** 24 raw bits: label or VNI depends on another attribute (RFC 8365 section 5.1.3). */
  readonly label1: number
  readonly label2: number | null
}

/**
 * EVPN Route Type 2, MAC/IP Advertisement, RFC 7432 section 7.2.
 *
 *   rd => 8, esi => 10, ethernet_tag => U32,
 *   mac_length => U8 (bits, 48), mac => 6,
 *   ip_length => U8 (bits: 0, 32 or 128), ip => 0 | 4 | 16,
 *   label1 => U24, label2 => U24 optional
 */
export function decodeMacIpRoute(c: Cursor): MacIpRoute {
  const rd = formatRd(c.bytes, skip(c, 8))
  const esi = formatEsi(c.bytes, skip(c, 10))
  const ethTag = readU32(c)
  skip(c, 1)
  const mac = formatMac(c.bytes, skip(c, 6))
  const ipOctets = readU8(c) / 8
  const ipAt = skip(c, ipOctets)
  const ip = ipOctets === 0 ? '' : formatIP(c.bytes, ipAt, ipOctets)
  const label1 = readU24(c)
  const label2 = remaining(c) > 0 ? readU24(c) : null
  return { kind: 'evpn', routeType: 2, name: 'mac_ip', rd, esi, ethTag, mac, ip, label1, label2 }
}
