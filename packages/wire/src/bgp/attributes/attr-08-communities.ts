import { remaining, skip, type Cursor } from '../../cursor.ts'
import { formatCommunity } from '../../text/values.ts'

export interface CommunitiesAttribute {
  readonly kind: 'communities'
  readonly type: 8
  readonly communities: readonly string[]
}

/** COMMUNITIES (type 8), RFC 1997: { 4 } 1..n, as `65000:1`. */
export function decodeCommunities(c: Cursor): CommunitiesAttribute {
  const communities: string[] = []
  while (remaining(c) > 0) communities.push(formatCommunity(c.bytes, skip(c, 4)))
  return { kind: 'communities', type: 8, communities }
}
