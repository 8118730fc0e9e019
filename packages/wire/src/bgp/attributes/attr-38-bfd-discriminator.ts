import { readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIP } from '../../text/ip.ts'
import { eachTlv, rawTlv, TLV_8_8, type RawTlv } from './tlvs.ts'

export interface BfdDiscriminatorAttribute {
  readonly kind: 'bfd_discriminator'
  readonly type: 38
  /** 1: P2MP session. */
  readonly mode: number
  readonly discriminator: number
  /** Source IP address TLV (type 1); '' without. */
  readonly source: string
  readonly others: readonly RawTlv[]
}

/**
 * BFD DISCRIMINATOR (type 38), RFC 9026 section 3.1.6: mode => U8, discriminator => U32,
 * { type => U8, length => U8, value } 0..n
 */
export function decodeBfdDiscriminator(c: Cursor): BfdDiscriminatorAttribute {
  const mode = readU8(c)
  const discriminator = readU32(c)
  let source = ''
  const others: RawTlv[] = []
  eachTlv(c, TLV_8_8, (type, value) => {
    const octets = remaining(value)
    if (type === 1 && source === '' && (octets === 4 || octets === 16)) {
      source = formatIP(value.bytes, skip(value, octets), octets)
    } else others.push(rawTlv(type, value))
  })
  return { kind: 'bfd_discriminator', type: 38, mode, discriminator, source, others }
}
