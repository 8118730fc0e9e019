/** A session over `@clickhouse/client`, the same for the embedded engine and a server; checks of names that stand in statements. */
import type { ClickHouseClient } from '@clickhouse/client'
import { StoreError } from './store.ts'
import type { QueryBytes, QueryOptions, QueryParams, StoreSession } from './store.ts'

/** Whether a statement can be given up. */
export type Cancellation = 'by closing the request' | 'never'

const IDENTIFIER = /^[a-z_][a-z0-9_]*$/
const TOKEN = /^[A-Za-z0-9-]{1,200}$/

export const SESSION_SETTINGS: Readonly<Record<string, string | number>> = {
  output_format_json_quote_64bit_integers: 1,
  date_time_input_format: 'best_effort',
  // Results must not depend on thread timing: one thread is also the faster choice for queries of this size.
  max_threads: 1,
  // Planning is most of a small query's time: no JIT of expressions, no search for join orders, no a < b AND b < 5 (view_trust: 773 -> 419 ms).
  compile_expressions: 0,
  compile_aggregate_expressions: 0,
  compile_sort_description: 0,
  query_plan_optimize_join_order_limit: 0,
  optimize_and_compare_chain: 0,
}

export class ClientSession implements StoreSession {
  readonly #name: string
  readonly #client: ClickHouseClient
  readonly #cancellation: Cancellation
  // One connection runs one query at a time: callers that overlap wait for their turn.
  #last: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  readonly #onClose: () => void

  constructor(
    name: string,
    client: ClickHouseClient,
    onClose: () => void,
    cancellation: Cancellation = 'never',
  ) {
    this.#name = name
    this.#client = client
    this.#cancellation = cancellation
    this.#onClose = onClose
  }

  query<Row>(sql: string, params?: QueryParams, options?: QueryOptions): Promise<Row[]> {
    return this.#inTurn(async () => {
      const result = await this.#client.query({
        query: sql,
        format: 'JSONEachRow',
        ...bind(params),
        ...this.#until(options),
      })
      return await result.json<Row>()
    })
  }

  queryText(
    sql: string,
    format: string,
    params?: QueryParams,
    options?: QueryOptions,
  ): Promise<string> {
    return this.#inTurn(async () => {
      const result = await this.#client.query({
        query: sql,
        // The client's type lists its formats; the caller's allow-list decided before.
        format: format as 'JSONEachRow',
        ...bind(params),
        ...this.#until(options),
      })
      return await result.text()
    })
  }

  queryBytes(
    sql: string,
    format: string,
    params?: QueryParams,
    options?: QueryOptions,
  ): Promise<QueryBytes> {
    return this.#inTurn(async () => {
      const { stream, summary } = await this.#client.exec({
        query: sql,
        // The client's type lists its formats; the engine knows more.
        clickhouse_settings: { default_format: format as 'JSONEachRow' },
        ...bind(params),
        ...this.#until(options),
      })
      const chunks: Uint8Array[] = []
      for await (const chunk of stream) chunks.push(chunk as Uint8Array)
      return { body: Buffer.concat(chunks), summary: summary && { ...summary } }
    })
  }

  command(sql: string, params?: QueryParams): Promise<void> {
    return this.#inTurn(async () => {
      await this.#client.command({ query: sql, ...bind(params) })
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#last
      .catch(() => undefined)
      .then(() => this.#client.close())
      .finally(this.#onClose)
    return this.#closed
  }

  #until(options: QueryOptions | undefined): { abort_signal?: AbortSignal } {
    const signal = this.#cancellation === 'never' ? undefined : options?.signal
    return signal === undefined ? {} : { abort_signal: signal }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => undefined)
    return turn.catch((cause: unknown) => {
      throw new StoreError(`${this.#name}: ${firstLine(cause)}`, { cause })
    })
  }
}

export function checkNames(table: string, columns: readonly string[]): void {
  if (!IDENTIFIER.test(table) || !columns.every((each) => IDENTIFIER.test(each))) {
    throw new StoreError(`not a table or column name: ${table} (${columns.join(', ')})`, {
      fault: 'data',
    })
  }
}

/** @throws StoreError */
export function checkToken(token: string): void {
  if (!TOKEN.test(token)) throw new StoreError(`not an insert token: ${token}`, { fault: 'data' })
}

function bind(params: QueryParams | undefined): { query_params?: Record<string, unknown> } {
  return params === undefined ? {} : { query_params: { ...params } }
}

export function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.split('\n', 1)[0] ?? text
}
