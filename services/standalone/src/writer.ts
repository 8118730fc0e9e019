/** The embedded writer: batches of all BMP sessions, in order, into few large inserts; its pace is the routers' pace. */
import { statfs } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { LocalBus } from '@ribscope/bus'
import type { LocalMessage } from '@ribscope/bus'
import { publishBatches } from '@ribscope/collector'
import type { BatchConsumer } from '@ribscope/collector'
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

export class EmbeddedWriter implements BatchConsumer {
  readonly name = 'writer'
  readonly #options: WriterOptions
  readonly #bus: LocalBus
  readonly #batches: BatchConsumer
  #diskCheckedAt = 0
  #full = false
  #stopping = false

  constructor(options: WriterOptions) {
    this.#options = options
    this.#bus = new LocalBus({
      maxOctets: MAX_INSERT_OCTETS,
      ready: () => this.#waitForDisk(),
      handle: (group) => this.#insert(group),
      onError: (err, group) => {
        options.log.error({ err, rows: rowsOf(group) }, 'insert failed, trying again')
      },
    })
    this.#batches = publishBatches(this.#bus)
  }

  /** Octets that wait for an insert. */
  get waitingOctets(): number {
    return this.#bus.waitingOctets
  }

  get failingSinceMs(): number | undefined {
    return this.#bus.failingSinceMs
  }

  /** @returns resolves when the rows are stored */
  submit(batch: Batch): Promise<void> {
    return this.#batches.submit(batch)
  }

  /** Resolves when everything submitted is stored. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#bus.stop()
  }

  /** The same rows have the same token: what a failed attempt had stored is not stored again. */
  async #insert(group: readonly LocalMessage[]): Promise<void> {
    const { store, onInserted } = this.#options
    const started = performance.now()
    await insertBatches(
      store,
      group.map(({ headers, value }) => ({ ...headers, body: value })),
    )
    const octets = group.reduce((sum, { value }) => sum + value.length, 0)
    onInserted?.(rowsOf(group), octets, (performance.now() - started) / 1000)
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

function rowsOf(group: readonly LocalMessage[]): number {
  return group.reduce((sum, { headers }) => sum + headers.rows, 0)
}
