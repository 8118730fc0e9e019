/**
 * SQL of users, read only. `readonly=1` alone does not do it in an embedded engine: it still lets INTO OUTFILE write, file() read,
 * KILL QUERY run and several statements through one call (each tested by name). So: sessions of their own with limits set first and
 * readonly last, then the two gates in front of them.
 */
import type { Store, StoreSession } from '@ribscope/store'
import type { Limits } from '../config.ts'
import { SessionPool } from '../pool.ts'
import { checkTree } from './ast.ts'
import { checkStatement } from './statement.ts'

export const FORMATS = ['JSONEachRow', 'JSONCompact', 'CSV', 'CSVWithNames'] as const
export type Format = (typeof FORMATS)[number]

export type ParameterValue = string | number | boolean | null | readonly ParameterValue[]

const SESSIONS = 2
const WAITING = 16

export class UserSql {
  readonly #pool: SessionPool
  #views: ReadonlySet<string> = new Set()

  constructor(store: Pick<Store, 'session'>, limits: Limits) {
    this.#pool = new SessionPool(() => guarded(store, limits), SESSIONS, WAITING)
  }

  async start(): Promise<void> {
    await this.#pool.start()
    await this.#readViews()
  }

  stop(): Promise<void> {
    return this.#pool.stop()
  }

  /**
   * @throws RefusedSql when the statement is not let through
   * @throws StoreError when the engine refuses it or a limit stops it
   */
  async run(
    sql: string,
    params: Readonly<Record<string, ParameterValue>>,
    format: Format,
  ): Promise<string> {
    const { text, isShow } = checkStatement(sql, this.#views)
    return this.#pool.use(async (session) => {
      if (!isShow) {
        checkTree(await session.queryText(`EXPLAIN AST ${text}`, 'CSV', params), this.#views)
      }
      return session.queryText(text, format, params)
    })
  }

  async #readViews(): Promise<void> {
    const rows = await this.#pool.query<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = 'ribscope' AND engine = 'View'",
    )
    this.#views = new Set(rows.map(({ name }) => name))
  }
}

async function guarded(store: Pick<Store, 'session'>, limits: Limits): Promise<StoreSession> {
  const session = await store.session('sql', {
    max_execution_time: limits.querySeconds,
    timeout_overflow_mode: 'throw',
    max_memory_usage: Math.floor(limits.queryOctets / 2),
    max_result_rows: limits.rows,
    max_result_bytes: limits.resultOctets,
    result_overflow_mode: 'throw',
    max_subquery_depth: 32,
    max_ast_depth: 1000,
    max_parser_depth: 500,
    function_range_max_elements_in_block: 1_000_000,
    max_untracked_memory: 1024 * 1024,
    allow_ddl: 0,
    allow_introspection_functions: 0,
    query_plan_optimize_lazy_materialization: 0,
  })
  await session.command('USE ribscope')
  // Last: from here on no statement changes a setting, this one included.
  await session.command('SET readonly = 1')
  return session
}
