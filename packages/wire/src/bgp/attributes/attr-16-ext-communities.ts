import { remaining, skip, type Cursor } from '../../cursor.ts'
import { formatExtCommunity } from '../../text/values.ts'
import { decodeExtCommunity, type ExtCommunity } from './ext-community.ts'

export interface ExtCommunitiesAttribute {
  readonly kind: 'ext_communities'
  readonly type: 16
  /** Text as `formatExtCommunity` has it: `rt:65000:100`, `rmac:...`, unknown kinds `0xTTSS:hex`. */
  readonly extCommunities: readonly string[]
  /** The same ones taken apart, in the same order. */
  readonly typed: readonly ExtCommunity[]
}

/** EXTENDED COMMUNITIES (type 16), RFC 4360 section 2: { 8 } 1..n. */
export function decodeExtCommunities(c: Cursor): ExtCommunitiesAttribute {
  const extCommunities: string[] = []
  const typed: ExtCommunity[] = []
  while (remaining(c) > 0) {
    const at = skip(c, 8)
    extCommunities.push(formatExtCommunity(c.bytes, at))
    typed.push(decodeExtCommunity(c.bytes, at, c.view))
  }
  return { kind: 'ext_communities', type: 16, extCommunities, typed }
}
