import { remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIPv4 } from '../../text/ip.ts'

export interface ClusterListAttribute {
  readonly kind: 'cluster_list'
  readonly type: 10
  readonly clusterList: readonly string[]
}

/** CLUSTER_LIST (type 10), RFC 4456 section 8: { 4 } 1..n, nearest first. */
export function decodeClusterList(c: Cursor): ClusterListAttribute {
  const clusterList: string[] = []
  while (remaining(c) > 0) clusterList.push(formatIPv4(c.bytes, skip(c, 4)))
  return { kind: 'cluster_list', type: 10, clusterList }
}
