/**
 * Stores for tests that are about what is in them: the schema is made once in a run and copied. Making it is one to two seconds of
 * CPU, a copy is a tenth of it. `migrate` finds it current (it compares what the engine has), so callers call it as ever.
 */
import { createHash, randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore, type EmbeddedStore } from '../embedded.ts'
import { migrate } from '../migrate.ts'
import { digestOf, viewsNote } from '../schema.ts'
import { migrations } from '../sql.ts'
import type { SqlFile } from '../sql.ts'

/**
 * Opens a store in a folder that holds none yet, with the schema in it.
 *
 * @param moreViews as for `migrate`
 */
export async function openMigratedStore(
  options: { readonly dataDir: string },
  moreViews: readonly SqlFile[],
): Promise<EmbeddedStore> {
  await copySchema(options.dataDir, moreViews)
  return await openEmbeddedStore(options)
}

/** Fills an empty data directory, or one that is not there yet, with the schema; for whoever opens it then. */
export async function copySchema(dataDir: string, moreViews: readonly SqlFile[]): Promise<void> {
  const hash = createHash('sha256').update(viewsNote(moreViews))
  for (const file of migrations()) hash.update(digestOf(file))
  const made = join(tmpdir(), `rbs-schema-${hash.digest('hex').slice(0, 16)}`)
  if (!existsSync(made)) await make(made, moreViews)
  mkdirSync(dataDir, { recursive: true, mode: 0o750 })
  cpSync(join(made, 'clickhouse'), join(dataDir, 'clickhouse'), {
    recursive: true,
    verbatimSymlinks: true,
    errorOnExist: true,
    force: false,
  })
}

async function make(made: string, moreViews: readonly SqlFile[]): Promise<void> {
  const dataDir = `${made}-${randomUUID()}`
  const store = await openEmbeddedStore({ dataDir })
  const session = await store.session('schema')
  await migrate(session, moreViews)
  await store.close()
  try {
    renameSync(dataDir, made)
  } catch (error) {
    // Another worker was first.
    rmSync(dataDir, { recursive: true })
    if (!existsSync(made)) throw error
  }
}
