/**
 * Changes of findings and incidents from the store, for an API whose analyst is in another process: one query a second for all
 * listeners, and none while there are none.
 */
import { EventEmitter } from 'node:events'
import type { Logger } from 'pino'
import { forEverybody, type Reader } from './pool.ts'
import { sql } from './queries.ts'
import type { ApiEvents, Watched } from './routes/events.ts'
import { parsedJson, type Row } from './rows.ts'

const EVERY_MS = 1_000
/** A listener that was cut off comes back within that time and misses nothing. */
const LINGER_MS = 60_000
/** Rows are read again for so long: the clock of an analyst that took over may be behind. */
const OVERLAP_S = 10

interface Changed extends Row {
  readonly type: 'finding' | 'incident'
  readonly id: string
  readonly version: string
  /** RFC 3339 */
  readonly at: string
}

export class StoreEvents extends EventEmitter<ApiEvents> implements Watched {
  readonly #db: Reader
  readonly #log: Logger
  /** What was sent or is older than the first listener, by when it was. */
  readonly #seen = new Map<string, number>()
  #after = ''
  #begun: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #watched = false
  #unwatchedAt = 0
  #failing = false

  constructor(db: Reader, log: Logger) {
    super()
    this.#db = db
    this.#log = log
  }

  /** @returns once everything that changes from now on will be sent */
  watch(): Promise<void> {
    this.#watched = true
    this.#begun ??= forEverybody(() => this.#begin()).catch((error: unknown) => {
      this.#begun = undefined
      throw error
    })
    return this.#begun
  }

  unwatch(): void {
    this.#watched = false
    this.#unwatchedAt = performance.now()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#begun = undefined
    this.#seen.clear()
  }

  async #begin(): Promise<void> {
    const [row] = await this.#db.query<{ at: string }>(sql('changes_last'))
    this.#after = row?.at ?? ''
    for (const each of await this.#read()) this.#isNew(each)
    this.#schedule()
  }

  #schedule(): void {
    // It may have been stopped while the store was asked.
    if (this.#begun === undefined) return
    this.#timer = setTimeout(() => {
      void this.#turn()
    }, EVERY_MS)
    this.#timer.unref()
  }

  async #turn(): Promise<void> {
    if (!this.#watched && performance.now() - this.#unwatchedAt > LINGER_MS) {
      this.stop()
      return
    }
    try {
      for (const each of await this.#read()) {
        if (this.#isNew(each))
          this.emit(each.type, each.type === 'finding' ? found(each) : met(each))
      }
      this.#failing = false
    } catch (err) {
      if (!this.#failing) this.#log.warn({ err }, 'changes of findings could not be read')
      this.#failing = true
    }
    this.#schedule()
  }

  #read(): Promise<Changed[]> {
    const after = this.#after.replace('T', ' ').replace('Z', '')
    return this.#db.query<Changed>(sql('changes'), { after, overlap: OVERLAP_S })
  }

  #isNew({ type, id, version, at }: Changed): boolean {
    const key = `${type} ${id} ${version}`
    if (this.#seen.has(key)) return false
    const ms = Date.parse(at)
    this.#seen.set(key, ms)
    if (at > this.#after) {
      this.#after = at
      const oldest = ms - (OVERLAP_S + 1) * 1000
      for (const [old, when] of this.#seen) if (when < oldest) this.#seen.delete(old)
    }
    return true
  }
}

function found(row: Changed): Row {
  const { id, kind, sub_kind, cause, severity, confidence, status } = row
  const { first_seen, last_seen, resolved_at, explanation, list, incident_id, reopened } = row
  return {
    id,
    kind,
    sub_kind,
    cause,
    severity,
    confidence,
    status,
    first_seen,
    last_seen,
    resolved_at,
    scope: parsedJson(row['scope']),
    metrics: parsedJson(row['metrics']),
    explanation,
    evidence: parsedJson(row['evidence']),
    limits: list,
    incident_id,
    reopened,
  }
}

function met(row: Changed): Row {
  const { id, cause, entity, name, severity, status, first_seen, last_seen, list } = row
  return {
    id,
    cause,
    [String(entity)]: name,
    severity,
    status,
    first_seen,
    last_seen,
    findings: [...(list as string[])].sort(),
  }
}
