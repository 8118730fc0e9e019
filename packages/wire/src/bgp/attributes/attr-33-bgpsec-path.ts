import {
  enter,
  fail,
  readU16,
  readU32,
  readU8,
  remaining,
  skip,
  type Cursor,
} from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { rest } from './tlvs.ts'

export interface BgpsecPathAttribute {
  readonly kind: 'bgpsec_path'
  readonly type: 33
  /** Nearest first. */
  readonly securePath: readonly {
    readonly pCount: number
    readonly confed: boolean
    readonly asn: number
  }[]
  /** One or two, each of an algorithm suite; nothing is verified. */
  readonly signatureBlocks: readonly {
    readonly algorithm: number
    readonly signatures: readonly { readonly ski: string; readonly signature: string }[]
  }[]
}

/**
 * BGPsec_PATH (type 33), RFC 8205 section 3; lengths count themselves.
 *
 *   secure_path: length => U16, { p_count => U8, flags => U8, asn => U32 } 1..n
 *   signature_block 1..2: length => U16, algorithm => U8,
 *     { ski => 20, signature_length => U16, signature } 1..n
 */
export function decodeBgpsecPath(c: Cursor): BgpsecPathAttribute {
  const block = (name: string): Cursor => {
    const at = c.pos
    const length = readU16(c)
    if (length < 2) fail(c, 'BAD_LENGTH', at, `${name} of ${length} octets`)
    return enter(c, length - 2, name)
  }
  const securePath: { pCount: number; confed: boolean; asn: number }[] = []
  const path = block('secure_path')
  while (remaining(path) > 0) {
    const pCount = readU8(path)
    const flags = readU8(path)
    securePath.push({ pCount, confed: (flags & 0x80) !== 0, asn: readU32(path) })
  }
  const signatureBlocks: {
    algorithm: number
    signatures: { ski: string; signature: string }[]
  }[] = []
  while (remaining(c) > 0) {
    const signed = block('signature_block')
    const algorithm = readU8(signed)
    const signatures: { ski: string; signature: string }[] = []
    while (remaining(signed) > 0) {
      const at = skip(signed, 20)
      const ski = toHex(signed.bytes, at, at + 20)
      signatures.push({ ski, signature: rest(enter(signed, readU16(signed), 'signature')) })
    }
    signatureBlocks.push({ algorithm, signatures })
  }
  return { kind: 'bgpsec_path', type: 33, securePath, signatureBlocks }
}
