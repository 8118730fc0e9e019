/** The inserts of a store, told apart from how the bytes get to the engine. */
import { checkNames, checkToken } from './client-session.ts'
import type { InsertBlocks, Store } from './store.ts'

export type InsertSettings = Readonly<Record<string, string | number>>

/**
 * Brings bodies, one after the other, into a table.
 *
 * @param into `ribscope.TABLE (COLUMN, ...)`: names that were checked
 */
export type SendInsert = (
  into: string,
  format: 'Native' | 'JSONEachRow',
  bodies: readonly (Uint8Array | string)[],
  settings: InsertSettings,
) => Promise<void>

/**
 * What can go into one insert each: batches of one table with the same columns, in the order in which they came.
 *
 * Session rows go first: a route row never becomes visible before the Peer Up that it belongs to.
 */
export function insertGroups<Batch extends Pick<InsertBlocks, 'table' | 'columns'>>(
  batches: readonly Batch[],
): [Batch, ...Batch[]][] {
  const groups = new Map<string, [Batch, ...Batch[]]>()
  for (const batch of batches) {
    const key = `${batch.table === 'session_log' ? '0' : '1'} ${batch.table} ${batch.columns.join()}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [batch])
    else group.push(batch)
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

/**
 * @param send the transport: a file for the embedded engine, a request body for a server
 * @param command runs a statement without data
 */
export function insertsOver(
  send: SendInsert,
  command: (sql: string) => Promise<void>,
): Pick<Store, 'insert' | 'insertRows' | 'replaceRows'> {
  async function insertRows(table: string, rows: readonly object[], token?: string): Promise<void> {
    if (rows.length === 0) return
    if (token !== undefined) checkToken(token)
    // A column that only some rows have is a column.
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
    const body = rows.map((row) => JSON.stringify(row)).join('\n')
    await send(target(table, columns), 'JSONEachRow', [body], {
      async_insert: 0,
      ...(token === undefined ? {} : { insert_deduplication_token: token }),
    })
  }

  return {
    async insert({ table, columns, bodies, token }: InsertBlocks): Promise<void> {
      checkToken(token)
      await send(target(table, columns), 'Native', bodies, {
        insert_deduplication_token: token,
        deduplicate_blocks_in_dependent_materialized_views: 1,
        async_insert: 0,
        // Replacing rows while they are inserted costs more than sorting them; FINAL and merges do it anyway.
        optimize_on_insert: 0,
      })
    },
    insertRows,
    async replaceRows(table: string, rows: readonly object[]): Promise<void> {
      checkNames(table, [])
      const next = `${table}_next`
      await command(`CREATE TABLE IF NOT EXISTS ribscope.${next} AS ribscope.${table}`)
      await command(`TRUNCATE TABLE ribscope.${next}`)
      await insertRows(next, rows)
      await command(`EXCHANGE TABLES ribscope.${next} AND ribscope.${table}`)
    },
  }
}

function target(table: string, columns: readonly string[]): string {
  checkNames(table, columns)
  return `ribscope.${table} (${columns.join(', ')})`
}
