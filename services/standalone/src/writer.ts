/** The embedded writer: batches of all BMP sessions, in order, into few large inserts; its pace is the routers' pace. */
import { statfs } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Batch } from '@ribscope/events'
import type { Store } from '@ribscope/store'
import type { Logger } from 'pino'
import { insertBatches } from './pipeline.ts'

export interface WriterOptions {
  readonly store: Store
  readonly log: Logger
  readonly dataDir: string
  /** Share of the volume that may be in use, 0 to 1, or an absolute number of octets used. */
  readonly dataLimit: { readonly share: number } | { readonly octets: number }
  /** Called after every insert with the rows by table. */
  readonly onInserted?: (rows: number, octets: number, seconds: number) => void
}

/** Rows of an insert; larger ones cost ClickHouse less, and memory more. */
const MAX_INSERT_OCTETS = 48 << 20
const DISK_CHECK_MS = 5_000
const RETRY_MS = 1_000

interface Waiting {
  readonly batch: Batch
  readonly done: () => void
}

export class EmbeddedWriter {
  readonly name = 'writer'
  readonly #options: WriterOptions
  readonly #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #diskCheckedAt = 0
  #full = false
  #stopping = false

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** Octets that wait for an insert. */
  get waitingOctets(): number {
    return this.#queue.reduce((sum, { batch }) => sum + batch.body.length, 0)
  }

  /** @returns resolves when the rows are stored */
  submit(batch: Batch): Promise<void> {
    return new Promise((done) => {
      this.#queue.push({ batch, done })
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined
      })
    })
  }

  /** Resolves when everything submitted is stored. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#waitForDisk()
      const taken: Waiting[] = []
      let octets = 0
      while (this.#queue.length > 0 && octets < MAX_INSERT_OCTETS) {
        const next = this.#queue.shift()
        if (next === undefined) break
        taken.push(next)
        octets += next.batch.body.length
      }
      await this.#insert(taken, octets)
    }
  }

  async #insert(taken: readonly Waiting[], octets: number): Promise<void> {
    const { store, log, onInserted } = this.#options
    const rows = taken.reduce((sum, { batch }) => sum + batch.rows, 0)
    for (;;) {
      const started = performance.now()
      try {
        // The same rows have the same token: what a failed attempt had stored is not stored again.
        await insertBatches(
          store,
          taken.map(({ batch }) => batch),
        )
        onInserted?.(rows, octets, (performance.now() - started) / 1000)
        break
      } catch (err) {
        log.error({ err, rows }, 'insert failed, trying again')
        if (this.#stopping) throw err
        await delay(RETRY_MS)
      }
    }
    for (const { done } of taken) done()
  }

  /** Nothing is dropped when the disk is full: reading stops, and says why. */
  async #waitForDisk(): Promise<void> {
    const { dataDir, dataLimit, log } = this.#options
    for (;;) {
      if (!this.#full && Date.now() - this.#diskCheckedAt < DISK_CHECK_MS) return
      this.#diskCheckedAt = Date.now()
      const { blocks, bavail, bsize } = await statfs(dataDir)
      const used = (blocks - bavail) * bsize
      const limit = 'share' in dataLimit ? dataLimit.share * blocks * bsize : dataLimit.octets
      const full = used > limit
      if (full !== this.#full) {
        const facts = { usedOctets: used, limitOctets: Math.round(limit), dataDir }
        if (full) log.error(facts, 'disk limit reached (--data-limit): routers are not read')
        else log.info(facts, 'disk below its limit again: routers are read')
      }
      this.#full = full
      if (!full || this.#stopping) return
      await delay(DISK_CHECK_MS)
    }
  }
}
