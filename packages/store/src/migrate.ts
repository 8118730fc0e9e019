/** Creates or upgrades the schema: numbered migrations once each, views whenever they are not those of this program. */
import { clusterStatements } from './cluster.ts'
import { digestOf, viewsNote } from './schema.ts'
import { migrations, views } from './sql.ts'
import type { SqlFile } from './sql.ts'
import { StoreError } from './store.ts'
import type { StoreSession } from './store.ts'

export interface MigrateResult {
  /** Names of the migrations that this call applied. */
  readonly applied: readonly string[]
  readonly version: number
}

export interface MigrateOptions {
  /** Name of a cluster in the server's configuration: replicated and distributed tables on all of its nodes. */
  readonly cluster?: string | undefined
}

/** What was applied, by name: made before anything else, and no migration itself. */
const LEDGER: SqlFile = {
  name: '0000_schema_migrations',
  text: "CREATE TABLE IF NOT EXISTS ribscope.schema_migrations (name String, digest String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY name",
}
const DATABASE: SqlFile = {
  name: '0000_database',
  text: 'CREATE DATABASE IF NOT EXISTS ribscope',
}
const NOTE =
  'INSERT INTO ribscope.schema_migrations (name, digest) SELECT {name:String}, {digest:String}'

/** Last of all: whoever waits for the views sees that they are these (`schemaState`). */
const noteOfViews = (moreViews: readonly SqlFile[], stored = ''): SqlFile => ({
  name: '9999_views',
  text: `ALTER TABLE ribscope.schema_migrations MODIFY COMMENT '${viewsNote(moreViews)}${stored}'`,
})

/** The views as the engine has them, after the note of those that this program has: one that somebody replaced or dropped is seen. */
async function storedViews(session: StoreSession): Promise<string> {
  const [row] = await session.query<{ digest: string }>(`
    SELECT lower(hex(SHA256(arrayStringConcat(groupArray(text), '\n')))) AS digest
    FROM (SELECT create_table_query AS text FROM system.tables WHERE database = 'ribscope' AND engine = 'View' ORDER BY name)`)
  return ` stored ${row?.digest ?? ''}`
}

/** Making the views anew takes a second of CPU, and is most of a start. */
async function hasViews(session: StoreSession, moreViews: readonly SqlFile[]): Promise<boolean> {
  const [ledger] = await session.query<{ comment: string }>(
    "SELECT comment FROM system.tables WHERE database = 'ribscope' AND name = 'schema_migrations'",
  )
  const note = viewsNote(moreViews)
  return (
    ledger?.comment.startsWith(note) === true &&
    ledger.comment === note + (await storedViews(session))
  )
}

/**
 * @param moreViews views of other packages, in order, after those of the store
 * @throws StoreError when the schema is newer than this program, or a shipped migration was edited
 */
export async function migrate(
  session: StoreSession,
  moreViews: readonly SqlFile[] = [],
  options: MigrateOptions = {},
): Promise<MigrateResult> {
  const files = migrations()
  // All of them before the first is executed: a file that has no form for a cluster changes nothing.
  const noteOnly = noteOfViews(moreViews)
  const plan = new Map(
    [DATABASE, LEDGER, ...files, ...views(), ...moreViews, noteOnly].map((file) => [
      file,
      statementsOf(file, options),
    ]),
  )
  const run = async (file: SqlFile): Promise<void> => {
    for (const statement of plan.get(file) ?? []) await session.command(statement)
  }
  await refuseOtherForm(session, options)
  await run(DATABASE)
  await run(LEDGER)
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
      if (before !== digestOf(file)) {
        throw new StoreError(
          `migration ${file.name} differs from the one this schema was made with`,
        )
      }
      continue
    }
    await run(file)
    await session.command(NOTE, { name: file.name, digest: digestOf(file) })
    applied.push(file.name)
  }
  const result = { applied, version: files.length }
  // On a cluster each node has its own.
  const isOne = options.cluster === undefined
  if (isOne && applied.length === 0 && (await hasViews(session, moreViews))) return result
  for (const [file, statements] of plan) {
    if (file === DATABASE || file === LEDGER || files.includes(file)) continue
    if (file === noteOnly && isOne) {
      await session.command(noteOfViews(moreViews, await storedViews(session)).text)
    } else {
      for (const statement of statements) await session.command(statement)
    }
  }
  return result
}

/** The tables of one node can't become those of a cluster by the same statements, nor the other way round. */
async function refuseOtherForm(session: StoreSession, { cluster }: MigrateOptions): Promise<void> {
  const [found] = await session.query<{ engine: string }>(
    "SELECT engine FROM system.tables WHERE database = 'ribscope' AND name = 'session_log'",
  )
  if (found === undefined || (found.engine === 'Distributed') === (cluster !== undefined)) return
  throw new StoreError(
    cluster === undefined
      ? 'the schema is that of a cluster: say which with --cluster'
      : 'the schema is that of one node: make that of a cluster on empty servers and replay recordings, or copy the logs',
  )
}

function statementsOf(file: SqlFile, { cluster }: MigrateOptions): readonly string[] {
  return cluster === undefined ? [file.text] : clusterStatements(file, cluster)
}

/**
 * Everything that `migrate` executes on an empty server, as text for `clickhouse-client`: what is applied is noted, so that
 * `migrate` goes on from there.
 *
 * @throws StoreError when the name of the cluster is none
 */
export function schemaScript(
  moreViews: readonly SqlFile[] = [],
  options: MigrateOptions = {},
): string {
  // On a line of its own: the statement may end in a comment.
  const ended = (statement: string): string => `${statement}\n;\n`
  const parts = [DATABASE, LEDGER].flatMap((file) => statementsOf(file, options).map(ended))
  for (const file of migrations()) {
    parts.push(...statementsOf(file, options).map(ended))
    // Names of files and hexadecimal digits: nothing to quote.
    parts.push(
      ended(
        `INSERT INTO ribscope.schema_migrations (name, digest) SELECT '${file.name}', '${digestOf(file)}'`,
      ),
    )
  }
  for (const file of [...views(), ...moreViews, noteOfViews(moreViews)]) {
    parts.push(...statementsOf(file, options).map(ended))
  }
  return parts.join('\n')
}
