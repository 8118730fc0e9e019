import type { NlriField } from '@ribscope/wire'
import { JSON_TABLES, JsonSink } from './json-sink.ts'
import type { JsonTable } from './json-sink.ts'
import type { RouteContext } from './route-extractor.ts'
import type { ErrorRow, SessionFacts, SessionRow, StatsRow } from './rows.ts'
import type { Batch, RowSink } from './sink.ts'

export interface JsonBatchSinkOptions {
  /** Called when a limit is reached or another table follows; without it such batches wait for `flush`. */
  readonly onBatch?: (batch: Batch) => void
  /** Octets of a batch; one row that is larger is a batch of its own. */
  readonly maxOctets: number
}

const LINE_END = 10

/** Packs rows into JSON lines, the columns of the views that people read: one table a batch, in the order of their numbers. */
export class JsonBatchSink implements RowSink {
  readonly #options: JsonBatchSinkOptions
  readonly #json: JsonSink
  #facts: SessionFacts | undefined
  #table: JsonTable = 'route_events'
  #nextSeq = 0
  /** Whole lines that are no batch yet. */
  #lines: { readonly bytes: Uint8Array; readonly release: () => void }[] = []
  #octets = 0
  #rows = 0
  /** Rows that are not even in `#lines`. */
  #held = 0
  #ready: Batch[] = []

  constructor(options: JsonBatchSinkOptions) {
    this.#options = options
    this.#json = new JsonSink({
      tables: new Set(JSON_TABLES),
      write: (bytes, release) => {
        this.#take(bytes, release)
      },
    })
  }

  /** Rows that wait for `flush`. */
  get pendingRows(): number {
    return this.#rows + this.#held
  }

  get pendingOctets(): number {
    return this.#octets + this.#json.pendingOctets
  }

  open(facts: SessionFacts): void {
    this.#facts = facts
    this.#json.open(facts)
  }

  update(context: RouteContext): void {
    this.#json.update(context)
  }

  routes(context: RouteContext, field: NlriField): number {
    this.#turnTo('route_events', context.seq)
    const rows = this.#json.routes(context, field)
    this.#held += rows
    return rows
  }

  session(row: SessionRow): void {
    this.#turnTo('session_events', row.seq)
    this.#held++
    this.#json.session(row)
  }

  stats(row: StatsRow): void {
    this.#turnTo('stats', row.seq)
    this.#held++
    this.#json.stats(row)
  }

  error(row: ErrorRow): void {
    this.#turnTo('route_errors', row.seq)
    this.#held++
    this.#json.error(row)
  }

  /** Hands over all batches that `onBatch` did not get. */
  flush(): Batch[] {
    this.#json.flush()
    this.#emit()
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  /** Rows of a batch have numbers without gaps: another table in between ends it. */
  #turnTo(table: JsonTable, seq: number): void {
    if (table === this.#table && this.pendingRows > 0) return
    this.#json.flush()
    this.#emit()
    this.#table = table
    this.#nextSeq = seq
  }

  #take(bytes: Uint8Array, release: () => void): void {
    if (this.#octets > 0 && this.#octets + bytes.length > this.#options.maxOctets) this.#emit()
    this.#lines.push({ bytes, release })
    this.#octets += bytes.length
    let rows = 0
    for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) rows++
    this.#rows += rows
    this.#held -= rows
  }

  #emit(): void {
    const lines = this.#lines
    if (lines.length === 0 || this.#facts === undefined) return
    const body = new Uint8Array(this.#octets)
    let at = 0
    for (const { bytes, release } of lines) {
      body.set(bytes, at)
      at += bytes.length
      release()
    }
    const firstSeq = this.#nextSeq
    const rows = this.#rows
    this.#nextSeq += rows
    this.#lines = []
    this.#octets = 0
    this.#rows = 0
    const batch: Batch = {
      table: this.#table,
      format: 'json',
      columns: columnsOf(this.#table, body),
      router: this.#facts.router,
      bmpSession: this.#facts.bmpSession,
      firstSeq,
      lastSeq: firstSeq + rows - 1,
      rows,
      body,
      release: ignore,
    }
    if (this.#options.onBatch === undefined) this.#ready.push(batch)
    else this.#options.onBatch(batch)
  }
}

const columns = new Map<JsonTable, readonly string[]>()

/** All rows of a table have the same keys. */
function columnsOf(table: JsonTable, lines: Uint8Array): readonly string[] {
  let names = columns.get(table)
  if (names === undefined) {
    const first = Buffer.from(lines.subarray(0, lines.indexOf(LINE_END))).toString()
    columns.set(table, (names = Object.keys(JSON.parse(first) as object)))
  }
  return names
}

function ignore(): void {
  // A body of its own memory: nothing to give back.
}
