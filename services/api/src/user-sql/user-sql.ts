/**
 * SQL of users, read only. `readonly=1` alone does not do it in an embedded engine: it still lets INTO OUTFILE write, file() read,
 * KILL QUERY run and several statements through one call (each tested by name). So: read-only sessions of their own with limits, and
 * the two gates in front of them. The same over a server, whose user may be read-only too but need not be.
 */
import type { QueryBytes, Store, StoreSession } from '@ribscope/store'
import type { Limits } from '../config.ts'
import { SessionPool } from '../pool.ts'
import { checkTree } from './ast.ts'
import type { Vocabulary } from './functions.ts'
import { checkStatement } from './statement.ts'

export const FORMATS = ['JSONEachRow', 'JSONCompact', 'CSV', 'CSVWithNames'] as const
export type Format = (typeof FORMATS)[number]

export type ParameterValue = string | number | boolean | null | readonly ParameterValue[]

const SESSIONS = 2
const WAITING = 16

export class UserSql {
  readonly #pool: SessionPool
  #known: Vocabulary = { views: new Set(), client: false }

  constructor(store: Pick<Store, 'session'>, limits: Limits) {
    this.#pool = new SessionPool(() => guarded(store, limits), SESSIONS, WAITING)
  }

  async start(): Promise<void> {
    await this.#pool.start()
    this.#known = { views: await viewsOf(this.#pool), client: false }
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
    const { text, isShow } = checkStatement(sql, this.#known)
    return this.#pool.use(async (session, signal) => {
      const until = { signal }
      // The format beside the statement: a FORMAT behind EXPLAIN AST would be a part of what is explained.
      const ask = async (sql: string, as: string): Promise<string> =>
        Buffer.from((await session.queryBytes(sql, as, params, until)).body).toString()
      if (!isShow) checkTree(await ask(`EXPLAIN AST ${text}`, 'CSV'), this.#known)
      return ask(text, format)
    })
  }
}

export interface Asked {
  readonly sql: string
  readonly format: string
  /** values of parameters, as text */
  readonly params: Readonly<Record<string, string>>
  /** only such as change nothing of what a statement may do */
  readonly settings: Readonly<Record<string, string>>
  /** smaller than those of everybody */
  readonly limits: Limits
}

/**
 * The same with settings and parameters of the caller's, in sessions of its own.
 *
 * @throws RefusedSql when the statement is not let through
 * @throws StoreError when the engine refuses it or a limit stops it
 */
export async function runUserSql(
  store: Pick<Store, 'session'>,
  known: Vocabulary,
  limits: Limits,
  { sql, format, params, settings, limits: own }: Asked,
): Promise<QueryBytes> {
  const { text, isShow } = checkStatement(sql, known)
  const values = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [`param_${name}`, value]),
  )
  if (!isShow) {
    // Without settings and limits of the caller's: none of them may change what the engine shows of the tree.
    await withSession(store, limits, values, async (session) => {
      const { body } = await session.queryBytes(`EXPLAIN AST ${text}`, 'CSV')
      checkTree(Buffer.from(body).toString(), known)
    })
  }
  return await withSession(store, own, { ...settings, ...values }, (session) =>
    session.queryBytes(text, format),
  )
}

async function withSession<T>(
  store: Pick<Store, 'session'>,
  limits: Limits,
  settings: Readonly<Record<string, string>>,
  work: (session: StoreSession) => Promise<T>,
): Promise<T> {
  const session = await guarded(store, limits, settings)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

/** Names that may be called like a table function because they are parameterised views of ours. */
export async function viewsOf(db: Pick<StoreSession, 'query'>): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'ribscope' AND engine = 'View'",
  )
  return new Set(rows.map(({ name }) => name))
}

function guarded(
  store: Pick<Store, 'session'>,
  limits: Limits,
  settings: Readonly<Record<string, string>> = {},
): Promise<StoreSession> {
  const own = {
    ...settings,
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
  }
  return store.session('sql', own, { database: 'ribscope', readonly: true })
}
