import type { Batch } from '@ribscope/events'
import type { BatchConsumer } from './connection.ts'

/** What a session may send of its turn before others have theirs. */
const QUANTUM_OCTETS = 64 << 10

interface Waiting {
  readonly batch: Batch
  readonly done: () => void
  readonly failed: (reason: unknown) => void
}

interface Flow {
  readonly consumer: BatchConsumer
  readonly queue: Waiting[]
  deficit: number
}

/**
 * Between sessions and a consumer that takes one after another: no more than so many octets are with it at a time, and who is next
 * goes by turns (as in FQ-CoDel, RFC 8290 section 4: by octets, those that had nothing waiting first). Rows of a router
 * that only keeps up do not wait behind the tables of others. Batches of a session stay in order.
 */
export class FairQueue {
  readonly #limit: number
  /** they had nothing waiting before */
  readonly #fresh = new Set<Flow>()
  readonly #others = new Set<Flow>()
  #offered = 0

  /** @param limit octets that are with the consumer at a time; one batch always may */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The consumer as one session sees it. */
  flow(consumer: BatchConsumer): BatchConsumer {
    const flow: Flow = { consumer, queue: [], deficit: 0 }
    return {
      submit: (batch) =>
        new Promise((done, failed) => {
          const first = flow.queue.push({ batch, done, failed }) === 1
          const among = this.#fresh.has(flow) || this.#others.has(flow)
          if (!among) flow.deficit = QUANTUM_OCTETS
          // One that has not used its turn up goes on with it.
          if (!among || (first && flow.deficit > 0 && this.#others.delete(flow))) {
            this.#fresh.add(flow)
          }
          this.#pump()
        }),
    }
  }

  #pump(): void {
    while (this.#offered < this.#limit) {
      const [flow] = this.#fresh.size > 0 ? this.#fresh : this.#others
      if (flow === undefined) return
      const next = flow.queue[0]
      if (next !== undefined && flow.deficit > 0) {
        flow.queue.shift()
        flow.deficit -= next.batch.body.length
        this.#offer(flow.consumer, next)
        continue
      }
      const wasFresh = this.#fresh.delete(flow)
      this.#others.delete(flow)
      // One that has nothing left goes round with the others once, before it may be fresh again.
      if (next === undefined && !wasFresh) continue
      if (next !== undefined) flow.deficit += QUANTUM_OCTETS
      this.#others.add(flow)
    }
  }

  #offer(consumer: BatchConsumer, { batch, done, failed }: Waiting): void {
    const octets = batch.body.length
    this.#offered += octets
    consumer
      .submit(batch)
      .then(done, failed)
      .finally(() => {
        this.#offered -= octets
        this.#pump()
      })
  }
}
