export { createApi, type Api, type ApiDeps } from './api.ts'
export {
  createClickHouseHttp,
  type ClickHouseHttpConfig,
  type ClickHouseInterface,
} from './clickhouse-http.ts'
export { ApiConfigError, type ApiConfig, type Limits } from './config.ts'
export type { Readiness } from './routes/health.ts'
export type { ApiEvents } from './routes/events.ts'
export {
  checkDiff,
  computeDiff,
  SCOPES,
  timeText,
  type Diff,
  type DiffGroup,
  type DiffQuery,
} from './diff.ts'
