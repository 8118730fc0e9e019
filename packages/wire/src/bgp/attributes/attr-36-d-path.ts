import { remaining, type Cursor } from '../../cursor.ts'
import { formatDPath } from '../../text/values.ts'

export interface DPathAttribute {
  readonly kind: 'd_path'
  readonly type: 36
  /** `65000:1:70 65000:2:128`: global and local administrator and SAFI of each domain, newest first. */
  readonly text: string
}

/** D-PATH (type 36), draft-ietf-bess-evpn-ipvpn-interworking section 4. */
export function decodeDPath(c: Cursor): DPathAttribute {
  return { kind: 'd_path', type: 36, text: formatDPath(c.bytes, c.pos, remaining(c)) }
}
