export { openEmbeddedStore } from './embedded.ts'
export { checkClusterName, clusterStatements } from './cluster.ts'
export { migrate, schemaScript } from './migrate.ts'
export type { MigrateOptions, MigrateResult } from './migrate.ts'
export { completeLastInserts } from './repair.ts'
export {
  configureRetention,
  DEFAULT_RETENTION,
  KEEPER_SETTINGS,
  refuseCluster,
  retain,
} from './retention.ts'
export type { Retained, Retention } from './retention.ts'
export { schemaState, waitForSchema } from './schema.ts'
export type { SchemaState, WaitForSchemaOptions } from './schema.ts'
export { advanceSince } from './since.ts'
export { insertGroups } from './inserts.ts'
export { faultOf } from './fault.ts'
export type { Fault } from './fault.ts'
export { HttpException } from './http/exceptions.ts'
export { serveClickHouse } from './http/server.ts'
export type { ClickHouseHttp, HttpAnswer, HttpQuery } from './http/server.ts'
export type { Credentials } from './http/request.ts'
export { loadSqlFolder, migrations, views } from './sql.ts'
export type { SqlFile } from './sql.ts'
export { StoreError } from './store.ts'
export type {
  InsertBlocks,
  QueryBytes,
  QueryOptions,
  QueryParams,
  SessionAccess,
  Store,
  StoreSession,
} from './store.ts'
export { openServerStore } from './server.ts'
export type { ServerOptions } from './server.ts'
