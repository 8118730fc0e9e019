/** Whether a store has the schema of this program: for services that use one and do not make it (`ribscope migrate` does). */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { migrations, views } from './sql.ts'
import type { SqlFile } from './sql.ts'
import { StoreError } from './store.ts'
import type { StoreSession } from './store.ts'

export interface SchemaState {
  /**
   * `older`: migrations are missing, or views are not those of this program; `newer`: it has migrations that this program does not
   * know; `other`: a migration was made from another text; `absent`: there is none, or the user may not see it.
   */
  readonly state: 'current' | 'older' | 'newer' | 'other' | 'absent'
  /** one line for an operator; empty when current */
  readonly why: string
}

/** @internal what `migrate` notes of a file */
export const digestOf = (file: SqlFile): string =>
  createHash('sha256').update(file.text).digest('hex')

/** @internal what stands as the comment of schema_migrations when the views are those of this program */
export function viewsNote(moreViews: readonly SqlFile[]): string {
  const hash = createHash('sha256')
  for (const file of [...views(), ...moreViews]) hash.update(digestOf(file))
  return `views ${hash.digest('hex')}`
}

/**
 * Looks and changes nothing.
 *
 * @param moreViews views of other packages that the caller reads, in the order in which `migrate` got them; undefined: no view
 *   matters (a writer)
 */
export async function schemaState(
  session: StoreSession,
  moreViews: readonly SqlFile[] | undefined,
): Promise<SchemaState> {
  const [ledger] = await session.query<{ comment: string }>(
    "SELECT comment FROM system.tables WHERE database = 'ribscope' AND name = 'schema_migrations'",
  )
  if (ledger === undefined) {
    return {
      state: 'absent',
      why: 'there is no schema, or this user may not see it: run ribscope migrate',
    }
  }
  const known = new Map(
    (
      await session.query<{ name: string; digest: string }>(
        'SELECT name, digest FROM ribscope.schema_migrations',
      )
    ).map((row) => [row.name, row.digest]),
  )
  const files = migrations()
  const unknown = [...known.keys()].find((name) => !files.some((file) => file.name === name))
  if (unknown !== undefined) {
    return {
      state: 'newer',
      why: `the schema has migration ${unknown}, which this version does not know: upgrade ribscope`,
    }
  }
  const missing = files.filter((file) => !known.has(file.name))
  if (missing.length > 0) {
    return {
      state: 'older',
      why: `the schema lacks ${missing.length} migrations (${missing[0]?.name ?? ''} ...): run ribscope migrate`,
    }
  }
  const edited = files.find((file) => known.get(file.name) !== digestOf(file))
  if (edited !== undefined) {
    return {
      state: 'other',
      why: `migration ${edited.name} differs from the one this schema was made with`,
    }
  }
  if (moreViews !== undefined && !ledger.comment.startsWith(viewsNote(moreViews))) {
    return {
      state: 'older',
      why: 'the views of the schema are not those of this version: run ribscope migrate',
    }
  }
  return { state: 'current', why: '' }
}

export interface WaitForSchemaOptions {
  /** as for `schemaState` */
  readonly moreViews: readonly SqlFile[] | undefined
  /** how long an absent or older schema, or a store that does not answer, is waited for */
  readonly waitMs: number
  /** between two looks; default 1 s */
  readonly everyMs?: number
  readonly signal?: AbortSignal | undefined
  /** Told whenever the reason is another one. */
  readonly onWaiting?: (why: string) => void
}

/**
 * Resolves when the schema is current.
 *
 * @throws StoreError with the reason when it is not after the time, or is newer or another one: that does not get better
 */
export async function waitForSchema(
  session: StoreSession,
  options: WaitForSchemaOptions,
): Promise<void> {
  const { moreViews, waitMs, everyMs = 1000, signal, onWaiting } = options
  const deadline = performance.now() + waitMs
  let said: string | undefined
  for (;;) {
    let found: SchemaState | undefined
    let why: string
    try {
      found = await schemaState(session, moreViews)
      why = found.why
    } catch (error) {
      // Not there yet, or between two statements of a migration.
      why = error instanceof Error ? error.message : String(error)
    }
    if (found?.state === 'current') return
    const gets = found === undefined || found.state === 'absent' || found.state === 'older'
    if (!gets || performance.now() >= deadline) throw new StoreError(why)
    if (why !== said) onWaiting?.(why)
    said = why
    await delay(everyMs, undefined, signal === undefined ? {} : { signal })
  }
}
