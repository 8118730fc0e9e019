import type { NlriField } from '@ribscope/wire'
import type { JsonTable } from './json-sink.ts'
import type { RouteContext } from './route-extractor.ts'
import type { ErrorRow, SessionFacts, SessionRow, StatsRow } from './rows.ts'

/** Where the rows of BMP sessions go. One sink holds rows of one session at a time. */
export interface RowSink {
  /** All rows that follow are of this session. */
  open(facts: SessionFacts): void
  /** The UPDATE whose fields follow. */
  update(context: RouteContext): void
  /** @returns the number of rows of this field; their seq are `context.seq` and up */
  routes(context: RouteContext, field: NlriField): number
  session(row: SessionRow): void
  stats(row: StatsRow): void
  error(row: ErrorRow): void
}

export type Table = 'route_log' | 'session_log' | 'stats_log' | 'error_log'

/** Rows of one table from one BMP session, as ClickHouse ingests them. */
export interface Batch {
  /** a physical table; a view that people read when the rows are JSON */
  readonly table: Table | JsonTable
  /** default `native` */
  readonly format?: 'native' | 'json'
  /** columns of the INSERT; a block may have fewer, the others take their defaults */
  readonly columns: readonly string[]
  readonly router: string
  readonly bmpSession: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly rows: number
  /** Native blocks, or JSON lines, one after another */
  readonly body: Uint8Array<ArrayBuffer>
  /**
   * Tells that nobody looks at `body` any more, so that its memory can be used for another batch: fresh
   * memory costs as much as the encoding. Need not be called.
   */
  release(): void
}
