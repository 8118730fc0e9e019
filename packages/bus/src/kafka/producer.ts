import type { Kafka, Producer } from 'kafkajs'

/** Of the library, within one call: some 15 s. */
const SEND_RETRIES = 5

/** The producer that is in use: connected when it is first wanted, and another one when it has failed for good. */
export class OneProducer {
  readonly #kafka: Kafka
  #producer: Producer | undefined
  #connecting: Promise<Producer> | undefined

  constructor(kafka: Kafka) {
    this.#kafka = kafka
  }

  connected(): Promise<Producer> {
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined
      throw error
    })
    return this.#connecting
  }

  /** One that failed for good (its number is no longer known, say) makes room for a new one. */
  async reset(failed: Producer | undefined): Promise<void> {
    // Another partition's request did it.
    if (failed === undefined || failed !== this.#producer) return
    this.#producer = undefined
    this.#connecting = undefined
    await failed.disconnect().catch(() => undefined)
  }

  async disconnect(): Promise<void> {
    await this.#producer?.disconnect()
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Then the loop in the publisher says so, and goes on.
      retry: { retries: SEND_RETRIES },
    })
    await producer.connect()
    this.#producer = producer
    return producer
  }
}
