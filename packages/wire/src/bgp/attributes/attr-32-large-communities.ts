import { remaining, skip, type Cursor } from '../../cursor.ts'
import { formatLargeCommunity } from '../../text/values.ts'

export interface LargeCommunitiesAttribute {
  readonly kind: 'large_communities'
  readonly type: 32
  readonly largeCommunities: readonly string[]
}

/**
 * LARGE_COMMUNITY (type 32), RFC 8092 section 3: { global => U32, local1 => U32, local2 => U32 } 1..n,
 * as `a:b:c`, in wire order; a repeated value counts once.
 */
export function decodeLargeCommunities(c: Cursor): LargeCommunitiesAttribute {
  const seen = new Set<string>()
  while (remaining(c) > 0) seen.add(formatLargeCommunity(c.bytes, skip(c, 12)))
  return { kind: 'large_communities', type: 32, largeCommunities: [...seen] }
}
