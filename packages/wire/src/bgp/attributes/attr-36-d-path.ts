import { readU16, readU32, readU8, remaining, type Cursor } from '../../cursor.ts'
import { formatDPath } from '../../text/values.ts'

export interface DPathDomain {
  readonly globalAdmin: number
  readonly localAdmin: number
  /** Family through which the route came: 0 local, 1 unicast, 70 EVPN, 128 VPN. */
  readonly safi: number
}

export interface DPathAttribute {
  readonly kind: 'd_path'
  readonly type: 36
  /** Newest first. */
  readonly segments: readonly (readonly DPathDomain[])[]
  /** `65000:1:70 65000:2:128`: global and local administrator and SAFI of each domain, newest first. */
  readonly text: string
}

/**
 * D-PATH (type 36), draft-ietf-bess-evpn-ipvpn-interworking section 4:
 * { count => U8, { global_admin => U32, local_admin => U16, isf_safi => U8 } count } 1..n
 */
export function decodeDPath(c: Cursor): DPathAttribute {
  const text = formatDPath(c.bytes, c.pos, remaining(c))
  const segments: DPathDomain[][] = []
  while (remaining(c) > 0) {
    const count = readU8(c)
    segments.push(
      Array.from({ length: count }, () => ({
        globalAdmin: readU32(c),
        localAdmin: readU16(c),
        safi: readU8(c),
      })),
    )
  }
  return { kind: 'd_path', type: 36, segments, text }
}
