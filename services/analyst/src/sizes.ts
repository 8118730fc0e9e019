/** Sizes of tables, counted from the state once a minute (table_samples), so that growth and shrinkage can be drawn without a replay. */
import { clickhouseTime, query } from '@ribscope/detectors'
import type { StoreSession } from '@ribscope/store'

const MINUTE_US = 60e6

export class TableSizes {
  readonly #db: StoreSession
  #minute: number | undefined
  #last: { readonly at: number; readonly stored: string } | undefined

  constructor(db: StoreSession) {
    this.#db = db
  }

  /** Takes a sample when the minute of `at` (microseconds) has none yet. */
  async at(at: number): Promise<void> {
    const minute = Math.floor(at / MINUTE_US)
    if (minute === this.#minute) return
    const [row] = await this.#db.query<{ stored: string }>(query('stored_rows'))
    const stored = row?.stored ?? ''
    // Counting reads the whole state; most minutes of a quiet fabric change nothing.
    if (this.#last?.stored === stored) {
      await this.#db.command(query('sample_again'), {
        at: clickhouseTime(at),
        last: clickhouseTime(this.#last.at),
      })
    } else {
      await this.#db.command(query('sample_tables'), { at: clickhouseTime(at) })
    }
    this.#last = { at, stored }
    this.#minute = minute
  }
}
