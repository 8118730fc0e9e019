/** Row batches of many BMP sessions into few inserts. */
import { createHash } from 'node:crypto'
import type { Batch } from '@ribscope/events'
import type { Store } from '@ribscope/store'

/** A batch, wherever it comes from. */
type StoredBatch = Omit<Batch, 'table' | 'body' | 'release'> & {
  readonly table: string
  readonly body: Uint8Array
  readonly release?: () => void
}

/**
 * Batches of one table with the same columns go into one insert, in the order in which they came.
 *
 * Session rows go first: a route row never becomes visible before the Peer Up that it belongs to.
 */
export async function insertBatches(store: Store, batches: readonly StoredBatch[]): Promise<void> {
  const groups = new Map<string, StoredBatch[]>()
  for (const batch of batches) {
    const key = `${batch.table === 'session_log' ? '0' : '1'} ${batch.table} ${batch.columns.join()}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [batch])
    else group.push(batch)
  }
  for (const [, group] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [first] = group
    if (first === undefined) continue
    await store.insert({
      table: first.table,
      columns: first.columns,
      bodies: group.map((each) => each.body),
      token: token(group),
    })
    for (const each of group) each.release?.()
  }
}

/** The same rows have the same token: (router, session, sequence) names a row for ever. */
function token(batches: readonly StoredBatch[]): string {
  const hash = createHash('sha256')
  for (const { table, router, bmpSession, firstSeq, lastSeq, rows } of batches) {
    hash.update(JSON.stringify([table, router, bmpSession, firstSeq, lastSeq, rows]))
  }
  return hash.digest('hex')
}
