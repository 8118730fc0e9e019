import type { BatchHeaders } from './message.ts'

/** Takes batches of rows to the bus, whichever it is. Those of one router stay in order. */
export interface Publisher {
  /**
   * @param value  must not change before the promise is settled
   * @returns resolves when the bus answers for the batch; rejects only when it is stopped before that, or can never take it
   */
  publish(headers: BatchHeaders, value: Uint8Array): Promise<void>
  /** Octets that the bus does not answer for yet. */
  readonly waitingOctets: number
  /** Since when nothing is taken though something waits, milliseconds since 1970; undefined when all is well. */
  readonly failingSinceMs: number | undefined
}
