import { ACTION_ANNOUNCE } from '@ribscope/wire'
import type { NlriField } from '@ribscope/wire'
import { ByteWriter } from './byte-writer.ts'
import { RouteBlock } from './route-block.ts'
import { RouteExtractor } from './route-extractor.ts'
import type { RouteContext } from './route-extractor.ts'
import { ROUTE_COLUMNS, writeRouteRows } from './route-native.ts'
import { ERROR_COLUMNS, SESSION_COLUMNS, STATS_COLUMNS } from './rows.ts'
import type { ErrorRow, SessionFacts, SessionRow, StatsRow } from './rows.ts'
import type { Batch, RowSink, Table } from './sink.ts'
import { writeTable } from './table.ts'
import type { Column } from './table.ts'

/**
 * Blocks are large once they have grown. A session has them only between its first row and the next
 * flush; in between they wait here for whoever needs one.
 */
export class BlockPool {
  readonly #free: [RouteBlock[], RouteBlock[]] = [[], []]
  readonly #limit: number

  /** @param limit blocks kept of each kind; the others are left to the collector of garbage */
  constructor(limit = 3) {
    this.#limit = limit
  }

  take(evpn: boolean): RouteBlock {
    return this.#free[evpn ? 1 : 0].pop() ?? new RouteBlock(evpn)
  }

  give(block: RouteBlock): void {
    block.clear()
    const free = this.#free[block.evpn ? 1 : 0]
    if (free.length < this.#limit) free.push(block)
  }
}

export interface NativeSinkOptions {
  /** Called when a limit is reached; without it such batches wait for `flush`. */
  readonly onBatch?: (batch: Batch) => void
  readonly pool?: BlockPool
  /** Rows of a route block, at most 65,536. */
  readonly maxRows?: number
  /** Octets of a batch; one row that is larger is a batch of its own. Default: no limit. */
  readonly maxOctets?: number
}

const MAX_SMALL_ROWS = 8192
const MAX_SMALL_OCTETS = 4 << 20
const FIRST_BODY_OCTETS = 1 << 16
/** Bodies that are kept for the next ones, whatever their size. */
const MIN_FREE_BODIES = 4
const MAX_FREE_BODY_OCTETS = 64 << 20
/** Of more than those: what waits for a bus is given back, and wanted again, in one go. */
const MAX_FREE_OCTETS = 64 << 20

/** Encoders of one process take turns: encoding is synchronous. */
const writer = new ByteWriter(FIRST_BODY_OCTETS)
/** Buffers of bodies that were released. */
const freeBodies: Uint8Array<ArrayBuffer>[] = []

/** Packs rows into Native blocks per table. */
export class NativeSink extends RouteExtractor implements RowSink {
  readonly #options: NativeSinkOptions
  readonly #pool: BlockPool
  readonly #maxRows: number
  readonly #maxOctets: number
  #facts: SessionFacts | undefined
  #ready: Batch[] = []
  readonly #sessions = new SmallTable<SessionRow>('session_log', SESSION_COLUMNS)
  readonly #stats = new SmallTable<StatsRow>('stats_log', STATS_COLUMNS)
  readonly #errors = new SmallTable<ErrorRow>('error_log', ERROR_COLUMNS)

  constructor(options: NativeSinkOptions = {}) {
    super()
    this.#options = options
    this.#pool = options.pool ?? new BlockPool()
    this.#maxRows = Math.min(options.maxRows ?? 65_536, 65_536)
    this.#maxOctets = options.maxOctets ?? Infinity
  }

  /** Rows that wait for `flush`. */
  get pendingRows(): number {
    const small = this.#sessions.rows.length + this.#stats.rows.length + this.#errors.rows.length
    return small + (this.unicast?.n ?? 0) + (this.evpnBlock?.n ?? 0)
  }

  /** What those rows take in memory, roughly. */
  get pendingOctets(): number {
    const routes = (this.unicast?.octets ?? 0) + (this.evpnBlock?.octets ?? 0)
    return routes + this.#sessions.octets + this.#stats.octets + this.#errors.octets
  }

  open(facts: SessionFacts): void {
    this.#facts = facts
  }

  update(context: RouteContext): void {
    const { fields, fieldCount } = context.index
    // Withdrawals come first: the last field tells whether anything is announced.
    if (fieldCount > 0 && fields[fieldCount - 1]!.action === ACTION_ANNOUNCE) {
      this.readAttributes(context)
    }
  }

  routes(context: RouteContext, field: NlriField): number {
    const rows = this.extract(context, field)
    const { block } = this
    if (block.n >= this.#maxRows || block.full || this.#isLarge(block.octets))
      this.#packRoutes(block)
    return rows
  }

  session(row: SessionRow): void {
    // What a Peer Up carries is bounded by its message; a number is enough here.
    const full = this.#sessions.add(row, 1024 + row.text.length)
    if (full || this.#isLarge(this.#sessions.octets)) this.#pack(this.#sessions)
  }

  stats(row: StatsRow): void {
    const full = this.#stats.add(row, 200)
    if (full || this.#isLarge(this.#stats.octets)) this.#pack(this.#stats)
  }

  error(row: ErrorRow): void {
    const full = this.#errors.add(row, 400 + row.raw.length)
    if (full || this.#isLarge(this.#errors.octets)) this.#pack(this.#errors)
  }

  protected override takeBlock(evpn: boolean): RouteBlock {
    return this.#pool.take(evpn)
  }

  /** Encodes what is left and hands over all batches that `onBatch` did not get. */
  flush(): Batch[] {
    this.#pack(this.#sessions)
    if (this.unicast !== undefined) this.#packRoutes(this.unicast)
    if (this.evpnBlock !== undefined) this.#packRoutes(this.evpnBlock)
    this.#pack(this.#stats)
    this.#pack(this.#errors)
    const ready = this.#ready
    if (ready.length > 0) this.#ready = []
    return ready
  }

  /** Before the limit: what the next message brings is to fit as well. */
  #isLarge(octets: number): boolean {
    return octets > this.#maxOctets * 0.8
  }

  #packRoutes(block: RouteBlock): void {
    if (block.evpn) this.evpnBlock = undefined
    else this.unicast = undefined
    if (block.n > 0 && this.#facts !== undefined) {
      const parts = Math.ceil(block.octets / this.#maxOctets)
      const rows = Math.ceil(block.n / Math.max(1, parts))
      for (let from = 0; from < block.n; from += rows) {
        this.#packRows(block, this.#facts, from, Math.min(block.n, from + rows))
      }
    }
    this.#pool.give(block)
  }

  /** Halves what turns out to be too large. */
  #packRows(block: RouteBlock, facts: SessionFacts, from: number, to: number): void {
    writeRouteRows(writer, block, facts, from, to)
    if (writer.length > this.#maxOctets && to - from > 1) {
      writer.length = 0
      const middle = (from + to) >> 1
      this.#packRows(block, facts, from, middle)
      this.#packRows(block, facts, middle, to)
      return
    }
    this.#emit({
      table: 'route_log',
      columns: ROUTE_COLUMNS,
      router: facts.router,
      bmpSession: facts.bmpSession,
      firstSeq: seqAt(block, from),
      lastSeq: seqAt(block, to - 1),
      rows: to - from,
      ...takeBody(),
    })
  }

  #pack<Row extends { readonly seq: number }>(
    table: SmallTable<Row>,
    rows: readonly Row[] = table.take(),
  ): void {
    const first = rows[0]
    const last = rows[rows.length - 1]
    if (first === undefined || last === undefined || this.#facts === undefined) return
    writeTable(writer, table.columns, rows)
    if (writer.length > this.#maxOctets && rows.length > 1) {
      writer.length = 0
      const middle = rows.length >> 1
      this.#pack(table, rows.slice(0, middle))
      this.#pack(table, rows.slice(middle))
      return
    }
    this.#emit({
      table: table.table,
      columns: table.names,
      router: this.#facts.router,
      bmpSession: this.#facts.bmpSession,
      firstSeq: first.seq,
      lastSeq: last.seq,
      rows: rows.length,
      ...takeBody(),
    })
  }

  #emit(batch: Batch): void {
    if (this.#options.onBatch === undefined) this.#ready.push(batch)
    else this.#options.onBatch(batch)
  }
}

class SmallTable<Row> {
  readonly table: Table
  readonly columns: readonly Column<Row>[]
  readonly names: readonly string[]
  rows: Row[] = []
  octets = 0

  constructor(table: Table, columns: readonly Column<Row>[]) {
    this.table = table
    this.columns = columns
    this.names = columns.map(({ name }) => name)
  }

  /** @returns true when the table is to be packed */
  add(row: Row, octets: number): boolean {
    this.rows.push(row)
    this.octets += octets
    return this.rows.length >= MAX_SMALL_ROWS || this.octets >= MAX_SMALL_OCTETS
  }

  take(): readonly Row[] {
    const { rows } = this
    if (rows.length > 0) this.rows = []
    this.octets = 0
    return rows
  }
}

function seqAt({ fields }: RouteBlock, row: number): number {
  const field = fields.of(row)
  return fields.seq[field]! + row - fields.from(field)
}

/** What was written, as a batch's body: the buffer itself when it is well filled, else a copy. */
function takeBody(): Pick<Batch, 'body' | 'release'> {
  const { bytes, length } = writer
  if (length * 2 < bytes.length) {
    // Little comes: what much took is given up by and by.
    if (freeBodies.length > MIN_FREE_BODIES) freeBodies.pop()
    return { body: writer.take(), release: ignore }
  }
  writer.use(freeBodies.pop() ?? new Uint8Array(Math.max(FIRST_BODY_OCTETS, bytes.length)))
  let released = false
  return {
    body: bytes.subarray(0, length),
    release: () => {
      if (released || bytes.length > MAX_FREE_BODY_OCTETS) return
      released = true
      const octets = freeBodies.reduce((sum, each) => sum + each.length, bytes.length)
      if (freeBodies.length < MIN_FREE_BODIES || octets <= MAX_FREE_OCTETS) freeBodies.push(bytes)
    },
  }
}

function ignore(): void {
  // A body of its own memory: nothing to give back.
}
