/**
 * How long rows are kept. Day partitions of the event log are dropped whole; what was announced at that moment and not ended
 * stays, in a partition of its own, so that state, now and at any instant after it, survives the events that made it.
 */
import { loadSqlFolder } from './sql.ts'
import { StoreError, type StoreSession } from './store.ts'

/** Days; 0 keeps for ever. */
export interface Retention {
  /** event log in both orders, statistics */
  readonly logDays: number
  /** what is derived from it: transitions, links, findings, incidents, sessions, time series */
  readonly aggregateDays: number
  /** what did not decode */
  readonly errorDays: number
}

export const DEFAULT_RETENTION: Retention = { logDays: 30, aggregateDays: 400, errorDays: 7 }

/** Tables that simply lose their old rows, by ClickHouse's own TTL. */
const TTL_TABLES: Readonly<
  Record<string, { readonly column: string; readonly days: keyof Retention }>
> = {
  error_log: { column: 'rx_ts', days: 'errorDays' },
  stats_log: { column: 'rx_ts', days: 'logDays' },
  churn_minutes: { column: 'minute', days: 'aggregateDays' },
  prefix_churn_hours: { column: 'hour', days: 'aggregateDays' },
  session_minutes: { column: 'minute', days: 'aggregateDays' },
  table_samples: { column: 'minute', days: 'aggregateDays' },
}

const DAY_US = 86_400_000_000
/** Partition of rows that outlive the days. */
const KEPT = '0'
const DAY_PARTITION = /^\d{8}$/

/**
 * What replaces tables and drops partitions does so on the node that it asks: over a cluster it would do a part of it.
 *
 * @throws StoreError when the schema is that of a cluster
 */
export async function refuseCluster(session: StoreSession, what: string): Promise<void> {
  const [found] = await session.query<{ engine: string }>(
    "SELECT engine FROM system.tables WHERE database = 'ribscope' AND name = 'session_log'",
  )
  if (found?.engine !== 'Distributed') return
  throw new StoreError(
    `${what} does not work over a cluster yet: it replaces tables and drops partitions of one node. Writers and the API do (docs/adr/0007-cluster-schema.md)`,
  )
}

/** Dropping a large day or table is what is meant: a server would refuse it above 50 GB (max_partition_size_to_drop). */
export const KEEPER_SETTINGS = { max_partition_size_to_drop: 0, max_table_size_to_drop: 0 } as const

/** Puts the days into the TTL of tables that have one and another. */
export async function configureRetention(
  session: StoreSession,
  retention: Retention,
): Promise<void> {
  await refuseCluster(session, 'retention')
  const ttls = await session.query<{ name: string; query: string }>(
    "SELECT name, create_table_query AS query FROM system.tables WHERE database = 'ribscope' AND name IN {names:Array(String)}",
    { names: Object.keys(TTL_TABLES) },
  )
  for (const { name, query } of ttls) {
    const { column, days } = TTL_TABLES[name] ?? {}
    if (column === undefined || days === undefined) continue
    const now = Number(/ TTL [^)]*\) \+ toIntervalDay\((\d+)\)/.exec(query)?.[1] ?? 0)
    if (now === retention[days]) continue
    // Old rows go when parts are merged, not in a mutation of all of them at once.
    await session.command(
      retention[days] === 0
        ? `ALTER TABLE ribscope.${name} REMOVE TTL`
        : `ALTER TABLE ribscope.${name} MODIFY TTL toDateTime(${column}) + toIntervalDay(${String(retention[days])}) SETTINGS materialize_ttl_after_modify = 0`,
    )
  }
}

export interface Retained {
  /** days that were dropped, as YYYYMMDD */
  readonly days: readonly string[]
  /** rows of the log that stay because they make the state */
  readonly kept: number
}

/**
 * Ends what is older than the retention allows. Safe to be interrupted anywhere: the next call does the rest. Nothing else may
 * run it on the same store meanwhile.
 *
 * @param session one of its own: it takes minutes on a large store
 * @param nowUs microseconds since 1970
 */
export async function retain(
  session: StoreSession,
  retention: Retention,
  nowUs: number,
): Promise<Retained> {
  await refuseCluster(session, 'retention')
  const sql = new Map(
    loadSqlFolder(new URL('../sql/retention/', import.meta.url)).map(({ name, text }) => [
      name,
      text,
    ]),
  )
  const run = (name: string, params: Readonly<Record<string, unknown>>): Promise<void> =>
    session.command(sql.get(name) ?? '', params)

  if (retention.aggregateDays > 0) {
    const horizon = clickhouseTime(dayOf(nowUs, retention.aggregateDays))
    await run('end_route_transitions', { horizon })
    await run('end_edge_log', { horizon })
    await run('end_session_log', { horizon })
    await run('end_beats', { horizon, shown: clickhouseTime(dayOf(nowUs, 1)) })
    await run('end_findings_log', { horizon })
    await run('end_incidents_log', { horizon })
  }
  if (retention.logDays === 0) return { days: [], kept: 0 }

  const horizonUs = dayOf(nowUs, retention.logDays)
  const horizon = clickhouseTime(horizonUs)
  const first = horizon.slice(0, 10).replaceAll('-', '')
  const partitions = await session.query<{ id: string }>(
    `SELECT DISTINCT partition_id AS id FROM system.parts
     WHERE active AND database = 'ribscope' AND table IN ('route_log', 'router_log') ORDER BY id`,
  )
  const days = partitions.map(({ id }) => id).filter((id) => DAY_PARTITION.test(id) && id < first)
  // What ended on a day without a row, or a call that was killed between the days and their marks.
  const [marks] = await session.query<{ any: number }>(
    "SELECT count() > 0 AS any FROM ribscope.marks WHERE effect = 'sweep' AND rx_ts < {horizon:DateTime64(6, 'UTC')}",
    { horizon },
  )
  if (days.length === 0 && marks?.any !== 1) return { days, kept: 0 }

  await session.command('OPTIMIZE TABLE ribscope.rib_state FINAL')
  await run('end_rib_state', { horizon })
  await session.command('OPTIMIZE TABLE ribscope.rib_since FINAL')
  await run('end_rib_since', { horizon })

  for (const table of ['retained_routes', 'route_log_next', 'router_log_next']) {
    await session.command(`TRUNCATE TABLE ribscope.${table}`)
  }
  await run('collect', { partitions: [KEPT, ...days] })
  await run('keep_route_log', { horizon })
  await run('keep_router_log', {})
  const [row] = await session.query<{ kept: string }>(
    'SELECT count() AS kept FROM ribscope.route_log_next',
  )
  for (const table of ['route_log', 'router_log']) {
    // Until the days are gone their last rows are there twice: the same identity, one row for every reader.
    await session.command(
      `ALTER TABLE ribscope.${table} REPLACE PARTITION ID '${KEPT}' FROM ribscope.${table}_next`,
    )
    for (const day of days) {
      await session.command(`ALTER TABLE ribscope.${table} DROP PARTITION ID '${day}'`)
    }
  }
  await run('end_marks', { horizon })
  for (const table of ['retained_routes', 'route_log_next', 'router_log_next']) {
    await session.command(`TRUNCATE TABLE ribscope.${table}`)
  }
  return { days, kept: Number(row?.kept ?? 0) }
}

/** The start of the day (UTC) so many days before. */
const dayOf = (nowUs: number, days: number): number => (Math.floor(nowUs / DAY_US) - days) * DAY_US

const clickhouseTime = (us: number): string =>
  new Date(us / 1000).toISOString().replace('T', ' ').replace('Z', '')
