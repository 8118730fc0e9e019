import { remaining, skip, type Cursor } from '../../cursor.ts'
import { formatExtCommunity } from '../../text/values.ts'

export interface ExtCommunitiesAttribute {
  readonly kind: 'ext_communities'
  readonly type: 16
  /** Text as `formatExtCommunity` has it: `rt:65000:100`, `rmac:...`, unknown kinds `0xTTSS:hex`. */
  readonly extCommunities: readonly string[]
}

/** EXTENDED COMMUNITIES (type 16), RFC 4360 section 2: { 8 } 1..n. */
export function decodeExtCommunities(c: Cursor): ExtCommunitiesAttribute {
  const extCommunities: string[] = []
  while (remaining(c) > 0) extCommunities.push(formatExtCommunity(c.bytes, skip(c, 8)))
  return { kind: 'ext_communities', type: 16, extCommunities }
}
