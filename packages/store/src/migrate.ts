/** Creates or upgrades the schema: numbered migrations once each, views at every start. */
import { createHash } from 'node:crypto'
import { migrations, views } from './sql.ts'
import type { SqlFile } from './sql.ts'
import { StoreError } from './store.ts'
import type { StoreSession } from './store.ts'

export interface MigrateResult {
  /** Names of the migrations that this call applied. */
  readonly applied: readonly string[]
  readonly version: number
}

const digest = (file: SqlFile): string => createHash('sha256').update(file.text).digest('hex')

/**
 * @param moreViews views of other packages, in order, after those of the store
 * @throws StoreError when the schema is newer than this program, or a shipped migration was edited
 */
export async function migrate(
  session: StoreSession,
  moreViews: readonly SqlFile[] = [],
): Promise<MigrateResult> {
  const files = migrations()
  await session.command('CREATE DATABASE IF NOT EXISTS ribscope')
  await session.command(
    "CREATE TABLE IF NOT EXISTS ribscope.schema_migrations (name String, digest String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY name",
  )
  const known = new Map(
    (
      await session.query<{ name: string; digest: string }>(
        'SELECT name, digest FROM ribscope.schema_migrations',
      )
    ).map((row) => [row.name, row.digest]),
  )
  for (const name of known.keys()) {
    if (!files.some((file) => file.name === name)) {
      throw new StoreError(
        `the schema has migration ${name}, which this version does not know: upgrade ribscope`,
      )
    }
  }
  const applied: string[] = []
  for (const file of files) {
    const before = known.get(file.name)
    if (before !== undefined) {
      if (before !== digest(file)) {
        throw new StoreError(
          `migration ${file.name} differs from the one this schema was made with`,
        )
      }
      continue
    }
    await session.command(file.text)
    await session.command(
      'INSERT INTO ribscope.schema_migrations (name, digest) SELECT {name:String}, {digest:String}',
      { name: file.name, digest: digest(file) },
    )
    applied.push(file.name)
  }
  for (const view of [...views(), ...moreViews]) await session.command(view.text)
  return { applied, version: files.length }
}
