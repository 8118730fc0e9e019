/** What the services see of ClickHouse, the same for the embedded engine and a server. */

/** Values for typed placeholders `{name:Type}`: the only way a value gets into a statement. */
export type QueryParams = Readonly<Record<string, unknown>>

export interface QueryOptions {
  /**
   * Nobody wants the answer any more. A server stops the statement (of a read-only session); the embedded engine can't, there
   * `max_execution_time` does.
   */
  readonly signal?: AbortSignal | undefined
}

export interface QueryBytes {
  readonly body: Uint8Array
  /** What the engine counted, as X-ClickHouse-Summary has it. */
  readonly summary: Readonly<Record<string, string>> | undefined
}

/**
 * One connection. It runs one query at a time and in order; writer, analyst, api and user SQL each have their own.
 */
export interface StoreSession {
  /** @returns rows as ClickHouse prints them in JSONEachRow, 64-bit integers as strings */
  query<Row>(sql: string, params?: QueryParams, options?: QueryOptions): Promise<Row[]>
  /** @returns the result as text in `format` (JSONEachRow, JSONCompact, CSV ...) */
  queryText(
    sql: string,
    format: string,
    params?: QueryParams,
    options?: QueryOptions,
  ): Promise<string>
  /** @returns the result as octets in `format`, unless the statement itself has a FORMAT clause */
  queryBytes(
    sql: string,
    format: string,
    params?: QueryParams,
    options?: QueryOptions,
  ): Promise<QueryBytes>
  command(sql: string, params?: QueryParams): Promise<void>
  close(): Promise<void>
}

/** Rows of one physical table as ClickHouse Native blocks. */
export interface InsertBlocks {
  /** Physical table of database `ribscope`, e.g. `route_log`. */
  readonly table: string
  readonly columns: readonly string[]
  readonly bodies: readonly Uint8Array[]
  /** Equal tokens are stored once (`insert_deduplication_token`). Letters, digits and `-` only. */
  readonly token: string
}

/** What statements of a session may do; the same for the embedded engine and a server. */
export interface SessionAccess {
  /** Nothing is written, and no statement changes a setting, not even one of its own. */
  readonly readonly?: boolean
  /** where names without one are looked up */
  readonly database?: string
}

export interface Store {
  /**
   * @param settings hold for every statement of the session
   * @throws StoreError when the engine refuses a setting, or its user may not be given any
   */
  session(
    name: string,
    settings?: Readonly<Record<string, string | number>>,
    access?: SessionAccess,
  ): Promise<StoreSession>
  /** Resolves when the rows are stored. Bytes from the network reach the engine only as a file or a request body. */
  insert(blocks: InsertBlocks): Promise<void>
  /** Small sets of rows made by the program itself (findings, inventory), by column name. The same care as for blocks. */
  insertRows(table: string, rows: readonly object[], token?: string): Promise<void>
  /** Replaces a small table as a whole; readers see the old rows or the new ones. */
  replaceRows(table: string, rows: readonly object[]): Promise<void>
  /** Closes its sessions too. */
  close(): Promise<void>
}

/** The engine refused a statement, or the store could not be opened. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  /** Set where it is known without the engine; `faultOf` says it of every error. */
  readonly fault: 'data' | 'store' | undefined

  constructor(message: string, options: ErrorOptions & { fault?: 'data' | 'store' } = {}) {
    super(message, options)
    this.fault = options.fault
  }
}
