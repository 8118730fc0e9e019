/**
 * The embedded store: chDB (ClickHouse in this process) on a data directory, queried through `@clickhouse/client`.
 *
 * Inserts never carry data in a statement: chDB ends inline data at the first blank line and executes the rest as SQL, so
 * the bytes 0A 0A in a community would be enough for a router to run statements. Blocks are written to a private file on
 * tmpfs and read with FROM INFILE.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ClickHouseClient, createClient as CreateClient } from '@clickhouse/client'
import { StoreError } from './store.ts'
import type { InsertBlocks, QueryParams, Store, StoreSession } from './store.ts'

type ClientConnection = NonNullable<NonNullable<Parameters<typeof CreateClient>[0]>['connection']>

/** Below this much free space on tmpfs (a container's default is 64 MB) blocks go through the data directory. */
const TMPFS_MIN_OCTETS = 1024 * 1024 * 1024

const IDENTIFIER = /^[a-z_][a-z0-9_]*$/
const TOKEN = /^[A-Za-z0-9-]{1,200}$/

const SESSION_SETTINGS: Readonly<Record<string, string | number>> = {
  output_format_json_quote_64bit_integers: 1,
  date_time_input_format: 'best_effort',
  // Results must not depend on thread timing: one thread is also the faster choice for queries of this size.
  max_threads: 1,
  // Planning is most of a small query's time: no JIT of expressions, no search for join orders.
  compile_expressions: 0,
  compile_aggregate_expressions: 0,
  compile_sort_description: 0,
  query_plan_optimize_join_order_limit: 0,
}

/**
 * Opens (or creates) the data directory.
 *
 * @throws StoreError when another process holds the directory, or it can't be written
 */
export async function openEmbeddedStore(options: { dataDir: string }): Promise<Store> {
  const [{ createClient }, { createChdbConnection }] = await Promise.all([
    import('@clickhouse/client'),
    import('chdb/connection'),
  ])
  const root = resolve(options.dataDir)
  mkdirSync(root, { recursive: true, mode: 0o750 })
  const path = join(root, 'clickhouse')
  const spool = spoolFolder(root)

  const connect = (): ClickHouseClient => {
    try {
      // The two packages compile the same interface with and without exactOptionalPropertyTypes.
      const connection = createChdbConnection({ path }) as unknown as ClientConnection
      return createClient({ connection })
    } catch (cause) {
      throw openError(root, cause)
    }
  }

  async function session(
    name: string,
    settings: Readonly<Record<string, string | number>> = {},
  ): Promise<StoreSession> {
    const created = new EmbeddedSession(name, connect())
    for (const [key, value] of Object.entries({ ...SESSION_SETTINGS, ...settings })) {
      await created.command(
        `SET ${key} = ${typeof value === 'number' ? String(value) : `'${value}'`}`,
      )
    }
    return created
  }

  const writer = await session('writer', { max_threads: 2, max_insert_threads: 1 }).catch(
    (cause: unknown) => {
      throw openError(root, cause)
    },
  )
  let files = 0

  async function fromFile(
    into: string,
    bodies: readonly (Uint8Array | string)[],
    settings: string,
    format: 'Native' | 'JSONEachRow',
  ): Promise<void> {
    const file = join(spool, `${String(++files)}.insert`)
    const handle = await open(file, 'wx', 0o600)
    try {
      try {
        for (const body of bodies) await handle.writeFile(body)
      } finally {
        await handle.close()
      }
      await writer.command(
        `INSERT INTO ${into} FROM INFILE '${file}' SETTINGS ${settings} FORMAT ${format}`,
      )
    } finally {
      await unlink(file)
    }
  }

  async function insertRows(table: string, rows: readonly object[]): Promise<void> {
    if (rows.length === 0) return
    const [first] = rows
    const columns = Object.keys(first ?? {})
    checkNames(table, columns)
    await fromFile(
      `ribscope.${table} (${columns.join(', ')})`,
      [rows.map((row) => JSON.stringify(row)).join('\n')],
      'async_insert = 0',
      'JSONEachRow',
    )
  }

  return {
    session,
    async insert(blocks: InsertBlocks): Promise<void> {
      checkNames(blocks.table, blocks.columns)
      if (!TOKEN.test(blocks.token)) throw new StoreError(`not an insert token: ${blocks.token}`)
      await fromFile(
        `ribscope.${blocks.table} (${blocks.columns.join(', ')})`,
        blocks.bodies,
        `insert_deduplication_token = '${blocks.token}', deduplicate_blocks_in_dependent_materialized_views = 1, async_insert = 0`,
        'Native',
      )
    },
    insertRows,
    async replaceRows(table: string, rows: readonly object[]): Promise<void> {
      checkNames(table, [])
      const next = `${table}_next`
      await writer.command(`CREATE TABLE IF NOT EXISTS ribscope.${next} AS ribscope.${table}`)
      await writer.command(`TRUNCATE TABLE ribscope.${next}`)
      await insertRows(next, rows)
      await writer.command(`EXCHANGE TABLES ribscope.${next} AND ribscope.${table}`)
    },
    async close(): Promise<void> {
      await writer.close()
      rmSync(spool, { recursive: true, force: true })
    },
  }
}

class EmbeddedSession implements StoreSession {
  readonly #name: string
  readonly #client: ClickHouseClient
  // A chDB session runs one query at a time: callers that overlap wait for their turn.
  #last: Promise<unknown> = Promise.resolve()

  constructor(name: string, client: ClickHouseClient) {
    this.#name = name
    this.#client = client
  }

  query<Row>(sql: string, params?: QueryParams): Promise<Row[]> {
    return this.#inTurn(async () => {
      const result = await this.#client.query({
        query: sql,
        format: 'JSONEachRow',
        ...bind(params),
      })
      return await result.json<Row>()
    })
  }

  queryText(sql: string, format: string, params?: QueryParams): Promise<string> {
    return this.#inTurn(async () => {
      const result = await this.#client.query({
        query: sql,
        // The client's type lists its formats; the caller's allow-list decided before.
        format: format as 'JSONEachRow',
        ...bind(params),
      })
      return await result.text()
    })
  }

  command(sql: string, params?: QueryParams): Promise<void> {
    return this.#inTurn(async () => {
      await this.#client.command({ query: sql, ...bind(params) })
    })
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined)
    await this.#client.close()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => undefined)
    return turn.catch((cause: unknown) => {
      throw new StoreError(`${this.#name}: ${firstLine(cause)}`, { cause })
    })
  }
}

function checkNames(table: string, columns: readonly string[]): void {
  if (!IDENTIFIER.test(table) || !columns.every((each) => IDENTIFIER.test(each))) {
    throw new StoreError(`not a table or column name: ${table} (${columns.join(', ')})`)
  }
}

function bind(params: QueryParams | undefined): { query_params?: Record<string, unknown> } {
  return params === undefined ? {} : { query_params: { ...params } }
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.split('\n', 1)[0] ?? text
}

function openError(root: string, cause: unknown): StoreError {
  const text = firstLine(cause)
  return /lock/i.test(text)
    ? new StoreError(`data directory ${root} is in use by another process`, { cause })
    : new StoreError(`can't open data directory ${root}: ${text}`, { cause })
}

/** A private folder for insert files. What a killed process left there is removed. */
function spoolFolder(root: string): string {
  const inData = join(root, 'spool')
  rmSync(inData, { recursive: true, force: true })
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    if (bavail * bsize >= TMPFS_MIN_OCTETS) return mkdtempSync('/dev/shm/ribscope-')
  } catch {
    // No tmpfs here: the data directory does.
  }
  mkdirSync(inData, { mode: 0o700 })
  return inData
}
