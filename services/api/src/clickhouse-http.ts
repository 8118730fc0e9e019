/**
 * ClickHouse's own HTTP interface over the embedded store, read-only: for `@clickhouse/client`, `curl` and Grafana's ClickHouse
 * data source. What a statement may do is what SQL of users may do (user-sql); who may ask is who may ask the API.
 */
import { HttpException, serveClickHouse } from '@ribscope/store'
import type { ClickHouseHttp, HttpAnswer, HttpQuery, Store } from '@ribscope/store'
import type { Logger } from 'pino'
import { checkExposure, limitsOf, type ApiConfig, type Limits } from './config.ts'
import { Gate } from './guard.ts'
import { loadTokens } from './tokens.ts'
import type { Vocabulary } from './user-sql/functions.ts'
import { RefusedSql } from './user-sql/tokens.ts'
import { runUserSql, viewsOf } from './user-sql/user-sql.ts'

export type ClickHouseHttpConfig = Pick<
  ApiConfig,
  'host' | 'port' | 'hosts' | 'origins' | 'tokensFile' | 'insecure' | 'limits'
>

export interface ClickHouseInterface {
  readonly name: 'clickhouse-http'
  readonly address: ClickHouseHttp['address'] | undefined
  start(): Promise<void>
  stop(): Promise<void>
}

const LIMITS: Partial<Limits> = {
  bodyOctets: 1024 * 1024,
  querySeconds: 30,
  rows: 1_000_000,
  resultOctets: 64 * 1024 ** 2,
}

/** Formats that give octets to the caller and need nothing but the rows. */
const FORMATS = new Set(
  `Native Null Values Vertical XML Markdown
   TabSeparated TSV TabSeparatedRaw TSVRaw TabSeparatedWithNames TSVWithNames TabSeparatedWithNamesAndTypes TSVWithNamesAndTypes
   CSV CSVWithNames CSVWithNamesAndTypes RowBinary RowBinaryWithNames RowBinaryWithNamesAndTypes
   JSON JSONStrings JSONCompact JSONCompactStrings JSONColumns JSONColumnsWithMetadata JSONCompactColumns JSONObjectEachRow
   JSONEachRow JSONLines NDJSON JSONStringsEachRow JSONCompactEachRow JSONCompactEachRowWithNames
   JSONCompactEachRowWithNamesAndTypes JSONCompactStringsEachRow JSONCompactStringsEachRowWithNames
   JSONCompactStringsEachRowWithNamesAndTypes JSONEachRowWithProgress
   Pretty PrettyCompact PrettyCompactMonoBlock PrettyMonoBlock PrettyNoEscapes PrettySpace
   Arrow ArrowStream Parquet MsgPack BSONEachRow`.split(/\s+/),
)

/** Settings of how an answer looks: none that reads a file, names a table or has an expression in it. */
const OF_ANSWER = new Set(
  `date_time_output_format session_timezone extremes limit offset log_comment join_use_nulls
   bool_true_representation bool_false_representation format_csv_delimiter
   output_format_arrow_compression_method output_format_arrow_string_as_string output_format_csv_crlf_end_of_line
   output_format_decimal_trailing_zeros output_format_json_array_of_rows output_format_json_escape_forward_slashes
   output_format_json_named_tuples_as_objects output_format_json_quote_64bit_floats output_format_json_quote_64bit_integers
   output_format_json_quote_decimals output_format_json_quote_denormals output_format_json_validate_utf8
   output_format_parquet_compression_method output_format_parquet_string_as_string output_format_pretty_color
   output_format_pretty_grid_charset output_format_pretty_max_column_pad_width output_format_pretty_max_rows
   output_format_pretty_max_value_width output_format_pretty_row_numbers output_format_tsv_crlf_end_of_line
   output_format_write_statistics`.split(/\s+/),
)

/** Drivers send them; here they have one value. */
const FIXED: ReadonlyMap<string, RegExp> = new Map([
  ['readonly', /^[12]$/],
  ['result_overflow_mode', /^throw$/],
  ['timeout_overflow_mode', /^throw$/],
])

/** @throws ApiConfigError when `config` would show everything to anyone on the network */
export function createClickHouseHttp(
  config: ClickHouseHttpConfig,
  { store, log }: { readonly store: Pick<Store, 'session'>; readonly log: Logger },
): ClickHouseInterface {
  checkExposure(config, 'the ClickHouse interface')
  const limits = limitsOf({ ...config, limits: { ...LIMITS, ...config.limits } })
  let http: ClickHouseHttp | undefined

  return {
    name: 'clickhouse-http',
    get address() {
      return http?.address
    },
    async start() {
      const tokens =
        config.tokensFile === undefined ? undefined : await loadTokens(config.tokensFile)
      const gate = new Gate(config)
      const session = await store.session('clickhouse-http')
      const views = await viewsOf(session)
      const [about] = await session.query<{ version: string; timezone: string }>(
        'SELECT version() AS version, timezone() AS timezone',
      )
      await session.close()
      http = await serveClickHouse({
        host: config.host,
        port: config.port,
        spool: undefined,
        version: about?.version ?? '',
        timezone: about?.timezone ?? '',
        displayName: 'ribscope',
        maxBodyOctets: limits.bodyOctets,
        concurrent: limits.sessions,
        waiting: limits.waiting,
        requestTimeoutMs: 30_000,
        admit(request) {
          const foreign = gate.refusal(request)
          if (foreign !== undefined) throw new HttpException('ACCESS_DENIED', foreign.detail)
        },
        authenticate(credentials) {
          // Without tokens everybody who gets here may ask, whatever user a driver has to name.
          if (tokens === undefined) return credentials?.user ?? 'default'
          const token = credentials?.token ?? credentials?.password ?? ''
          return tokens.has(token) ? (credentials?.user ?? 'default') : undefined
        },
        execute: (query) => execute(store, { views, client: true }, limits, query),
        onError(error) {
          log.error({ err: error }, 'clickhouse-http request failed')
        },
      })
      log.info({ url: http.address.url }, 'clickhouse http listening')
    },
    async stop() {
      await http?.close()
      http = undefined
    },
  }
}

async function execute(
  store: Pick<Store, 'session'>,
  known: Vocabulary,
  limits: Limits,
  { text, format, params, database, settings, clause }: HttpQuery,
): Promise<HttpAnswer> {
  if (database !== undefined && !['ribscope', 'default'].includes(database)) {
    throw new HttpException('UNKNOWN_DATABASE', `Database ${database} does not exist`)
  }
  if (!FORMATS.has(format)) {
    throw new HttpException(
      'UNKNOWN_FORMAT',
      `Unknown format ${format}, or none for this interface`,
    )
  }
  const ofAnswer: Record<string, string> = {}
  let bounded = limits
  for (const [name, value] of [...settings, ...clause]) {
    if (OF_ANSWER.has(name)) ofAnswer[name] = value
    else bounded = lowered(bounded, name, value)
  }
  try {
    return await runUserSql(store, known, limits, {
      sql: text,
      format,
      params: Object.fromEntries(params),
      settings: ofAnswer,
      limits: bounded,
    })
  } catch (error) {
    if (error instanceof RefusedSql) throw new HttpException('ACCESS_DENIED', error.message)
    throw error
  }
}

/** Limits may be made smaller. @throws HttpException for any other setting */
function lowered(limits: Limits, name: string, value: string): Limits {
  const number = Number(value)
  const least = (limit: number): number => (number > 0 ? Math.min(limit, number) : limit)
  if (/^\d+(?:\.\d+)?$/.test(value)) {
    switch (name) {
      case 'max_execution_time':
        return { ...limits, querySeconds: least(limits.querySeconds) }
      case 'max_result_rows':
        return { ...limits, rows: least(limits.rows) }
      case 'max_result_bytes':
        return { ...limits, resultOctets: least(limits.resultOctets) }
      case 'max_memory_usage':
        // User SQL gets half of it.
        return { ...limits, queryOctets: least(limits.queryOctets / 2) * 2 }
    }
  }
  if (FIXED.get(name)?.test(value) === true) return limits
  throw new HttpException('READONLY', `Cannot modify '${name}' setting in readonly mode`)
}
