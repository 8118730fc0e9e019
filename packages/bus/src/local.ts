/** The bus within one process: batches wait in memory, each one's promise is what holds its sender back. */
import { setTimeout as delay } from 'node:timers/promises'
import type { BatchHeaders } from './message.ts'
import type { Publisher } from './transport.ts'

export interface LocalMessage {
  readonly headers: BatchHeaders
  readonly value: Uint8Array
}

export interface LocalBusOptions {
  /**
   * Handles a group, in the order in which its messages came; it is called again with the same ones when it throws, and nothing of what
   * came later before that.
   */
  readonly handle: (group: readonly LocalMessage[]) => Promise<void>
  /** A group is no larger than it takes to reach so many octets. */
  readonly maxOctets: number
  /** Waited for before each group. */
  readonly ready?: () => Promise<void>
  /** Between two tries. Default 1 s. */
  readonly retryMs?: number
  readonly onError: (error: unknown, group: readonly LocalMessage[]) => void
}

interface Waiting extends LocalMessage {
  readonly done: () => void
}

export class LocalBus implements Publisher {
  readonly #options: LocalBusOptions
  readonly #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #waitingOctets = 0
  #failingSinceMs: number | undefined
  #stopping = false

  constructor(options: LocalBusOptions) {
    this.#options = options
  }

  get waitingOctets(): number {
    return this.#waitingOctets
  }

  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs
  }

  /** @returns resolves when the batch is handled */
  publish(headers: BatchHeaders, value: Uint8Array): Promise<void> {
    return new Promise((done) => {
      this.#queue.push({ headers, value, done })
      this.#waitingOctets += value.length
      this.#running ??= this.#run()
    })
  }

  /** Resolves when all that was published is handled. @throws what the handler throws now: there is no second try any more */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#next()
    } finally {
      // In the same turn as the last look at the queue: what comes in between would wait for the next one.
      this.#running = undefined
    }
  }

  async #next(): Promise<void> {
    await this.#options.ready?.()
    const taken: Waiting[] = []
    let octets = 0
    while (octets < this.#options.maxOctets) {
      const next = this.#queue.shift()
      if (next === undefined) break
      taken.push(next)
      octets += next.value.length
    }
    await this.#handle(taken)
    this.#waitingOctets -= octets
    for (const { done } of taken) done()
  }

  async #handle(group: readonly LocalMessage[]): Promise<void> {
    const { handle, onError, retryMs = 1_000 } = this.#options
    for (;;) {
      try {
        await handle(group)
        this.#failingSinceMs = undefined
        return
      } catch (error) {
        this.#failingSinceMs ??= Date.now()
        onError(error, group)
        if (this.#stopping) throw error
        await delay(retryMs)
      }
    }
  }
}
