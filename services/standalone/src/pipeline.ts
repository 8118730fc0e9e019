/** Row batches of many BMP sessions into few inserts. */
import { createHash } from 'node:crypto'
import type { Batch } from '@ribscope/events'
import { insertGroups } from '@ribscope/store'
import type { Store } from '@ribscope/store'

/** A batch, wherever it comes from. */
type StoredBatch = Omit<Batch, 'table' | 'body' | 'release'> & {
  readonly table: string
  readonly body: Uint8Array
}

/** One insert for each table and set of columns. */
export async function insertBatches(store: Store, batches: readonly StoredBatch[]): Promise<void> {
  for (const group of insertGroups(batches)) {
    const [{ table, columns }] = group
    const bodies = group.map(({ body }) => body)
    await store.insert({ table, columns, bodies, token: token(group) })
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
