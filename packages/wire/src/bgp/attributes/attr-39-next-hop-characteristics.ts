import { readU16, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatIP } from '../../text/ip.ts'
import { eachTlv, rawTlv, TLV_16_16, type RawTlv } from './tlvs.ts'

export interface NextHopCharacteristicsAttribute {
  readonly kind: 'next_hop_characteristics'
  readonly type: 39
  readonly afi: number
  readonly safi: number
  /** The next hop that the characteristics are about; hex where its length is unusual. */
  readonly nextHop: string
  /** `{ code, length, value }`; values raw. */
  readonly characteristics: readonly RawTlv[]
}

/**
 * Next Hop Dependent Characteristics (type 39), draft-ietf-idr-nhc section 2: afi => U16, safi => U8,
 * next_hop_length => U8, next_hop, { code => U16, length => U16, value } 0..n
 */
export function decodeNextHopCharacteristics(c: Cursor): NextHopCharacteristicsAttribute {
  const afi = readU16(c)
  const safi = readU8(c)
  const octets = readU8(c)
  const at = skip(c, octets)
  const plain = octets === 4 || octets === 16 || octets === 32
  const nextHop = plain
    ? formatIP(c.bytes, at, octets === 4 ? 4 : 16)
    : toHex(c.bytes, at, at + octets)
  const characteristics = remaining(c) === 0 ? [] : eachTlv(c, TLV_16_16, rawTlv)
  return { kind: 'next_hop_characteristics', type: 39, afi, safi, nextHop, characteristics }
}
