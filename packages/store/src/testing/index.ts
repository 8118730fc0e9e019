/** For tests only; not part of what is published. */
export { startClickHouse } from './clickhouse.ts'
export type { AccessFiles, ClickHouseProcess } from './clickhouse.ts'
export { copySchema, openMigratedStore } from './migrated.ts'
export { serveEngine } from './serve.ts'
export type { Served, ServeOptions } from './serve.ts'
