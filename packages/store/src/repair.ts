/** What a killed process may have left half done. */
import type { StoreSession } from './store.ts'

/** Only one insert runs at a time, so that a torn one is among the last; its parts may have been merged since. */
const LAST_SECONDS = 30
/** A part that large is made of many inserts that were whole. */
const MAX_PART_ROWS = 2_000_000

/**
 * Inserts the rows of the last inserts once more. A table and the materialized views on it are not written in one step: a process
 * that was killed in between has rows in the log that are in no state. Whatever has them already does not change.
 *
 * To be called when the process before was killed, and before anything else is written.
 */
export async function completeLastInserts(session: StoreSession): Promise<void> {
  for (const table of ['route_log', 'session_log']) {
    const parts = await session.query<{ name: string }>(
      `SELECT p.name AS name FROM system.parts AS p
       WHERE p.active AND p.database = 'ribscope' AND p.table = {table:String} AND p.rows <= {rows:UInt64}
         AND p.modification_time >= (SELECT max(q.modification_time) FROM system.parts AS q WHERE q.active AND q.database = 'ribscope' AND q.table = {table:String})
           - toIntervalSecond({seconds:UInt32})`,
      { table, rows: MAX_PART_ROWS, seconds: LAST_SECONDS },
    )
    if (parts.length === 0) continue
    await session.command(
      `INSERT INTO ribscope.${table} SELECT * FROM ribscope.${table} WHERE _part IN ({parts:Array(String)})
       SETTINGS optimize_on_insert = 0, max_partitions_per_insert_block = 0`,
      { parts: parts.map(({ name }) => name) },
    )
  }
}
