import { readU32, type Cursor } from '../../cursor.ts'

export interface OnlyToCustomerAttribute {
  readonly kind: 'only_to_customer'
  readonly type: 35
  readonly asn: number
}

/** ONLY_TO_CUSTOMER (type 35), RFC 9234 section 5: U32. */
export function decodeOnlyToCustomer(c: Cursor): OnlyToCustomerAttribute {
  return { kind: 'only_to_customer', type: 35, asn: readU32(c) }
}
