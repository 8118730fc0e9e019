import { readU16, readU32, readU8, remaining, enter, type Cursor } from '../../cursor.ts'
import type { Attribute } from './index.ts'

export interface AttrSetAttribute {
  readonly kind: 'attr_set'
  readonly type: 128
  /** AS of the customer network that the attributes come from. */
  readonly originAsn: number
  readonly attributes: readonly Attribute[]
}

const FLAG_EXTENDED_LENGTH = 0x10

/**
 * ATTR_SET (type 128), RFC 6368 section 5: origin_as => U32, path attributes as in an UPDATE, but
 * MP_REACH and MP_UNREACH. An ATTR_SET in an ATTR_SET stays raw.
 *
 * @param decodeOne  decodes an attribute's value
 */
export function decodeAttrSet(
  c: Cursor,
  decodeOne: (type: number, flags: number, value: Cursor) => Attribute,
): AttrSetAttribute {
  const originAsn = readU32(c)
  const attributes: Attribute[] = []
  while (remaining(c) > 0) {
    const flags = readU8(c)
    const type = readU8(c)
    const length = (flags & FLAG_EXTENDED_LENGTH) === 0 ? readU8(c) : readU16(c)
    attributes.push(decodeOne(type, flags, enter(c, length, `attribute(${type})`)))
  }
  return { kind: 'attr_set', type: 128, originAsn, attributes }
}
