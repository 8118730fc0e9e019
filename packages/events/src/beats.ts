/** Signs of life: rows that say that something is there, and nothing of routes. */
import { ByteWriter } from './byte-writer.ts'
import { COUNT, TIME, WORD, writeTable } from './table.ts'
import type { Column } from './table.ts'

/** As the table has them; times in microseconds. */
export interface Beat {
  readonly topic: string
  /** '': a writer, about the way of all */
  readonly router: string
  readonly bmpSession: number
  readonly sender: string
  readonly rxUs: number
  /** Silence for so long means that the session is lost. */
  readonly patienceUs: number
  /** Of a writer, by the clock of the store: when it was sent, and since when all went well. 0 otherwise. */
  readonly askedUs: number
  readonly steadySinceUs: number
}

/** The table, and the key of its messages: all of them are in one partition. */
export const BEATS = 'beats'

export const BEAT_COLUMNS: readonly Column<Beat>[] = [
  { name: 'topic', kind: WORD, get: (row) => row.topic },
  { name: 'router', kind: WORD, get: (row) => row.router },
  { name: 'bmp_session', kind: COUNT, get: (row) => row.bmpSession },
  { name: 'sender', kind: WORD, get: (row) => row.sender },
  { name: 'rx_ts', kind: TIME, get: (row) => row.rxUs },
  { name: 'patience_us', kind: COUNT, get: (row) => row.patienceUs },
  { name: 'asked_at', kind: TIME, get: (row) => row.askedUs },
  { name: 'steady_since', kind: TIME, get: (row) => row.steadySinceUs },
]

/** @returns a Native block, and its columns */
export function encodeBeats(rows: readonly Beat[]): {
  readonly columns: readonly string[]
  readonly body: Uint8Array
} {
  const out = new ByteWriter()
  writeTable(out, BEAT_COLUMNS, rows)
  return { columns: BEAT_COLUMNS.map(({ name }) => name), body: out.bytes.subarray(0, out.length) }
}
