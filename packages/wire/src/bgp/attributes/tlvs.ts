import { enter, need, readU16, readU24, readU8, remaining, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'

/** A TLV that isn't decoded. */
export interface RawTlv {
  readonly kind: 'raw'
  readonly type: number
  readonly raw: string
}

/** How the type and length of a TLV are written; the length counts the value alone. */
export interface TlvForm {
  readonly typeOctets: 1 | 2
  readonly lengthOctets: 1 | 2
}

export const TLV_8_8: TlvForm = { typeOctets: 1, lengthOctets: 1 }
export const TLV_8_16: TlvForm = { typeOctets: 1, lengthOctets: 2 }
export const TLV_16_16: TlvForm = { typeOctets: 2, lengthOctets: 2 }

/** { type, length, value => length octets } to the end, one call each with the value alone. */
export function eachTlv<T>(
  c: Cursor,
  form: TlvForm,
  read: (type: number, value: Cursor) => T,
): T[] {
  const list: T[] = []
  while (remaining(c) > 0) {
    need(c, form.typeOctets + form.lengthOctets)
    const type = form.typeOctets === 2 ? readU16(c) : readU8(c)
    const length = form.lengthOctets === 2 ? readU16(c) : readU8(c)
    list.push(read(type, enter(c, length, `tlv(${type})`)))
  }
  return list
}

/** The rest of `c` as hex. */
export function rest(c: Cursor): string {
  const text = toHex(c.bytes, c.pos, c.end)
  c.pos = c.end
  return text
}

export function rawTlv(type: number, c: Cursor): RawTlv {
  return { kind: 'raw', type, raw: rest(c) }
}

/** A number as JSON has it: a decimal string beyond 2^53. */
export function jsonInteger(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
}

/** { base => U24, range => U24 } to the end: SRGB, RFC 8669 section 3.2. */
export function readLabelRanges(c: Cursor): { base: number; range: number }[] {
  const ranges: { base: number; range: number }[] = []
  while (remaining(c) > 0) ranges.push({ base: readU24(c), range: readU24(c) })
  return ranges
}
