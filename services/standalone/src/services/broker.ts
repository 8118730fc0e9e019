/** The brokers at the start of a service: they may come up later than it does. */
import { setTimeout as delay } from 'node:timers/promises'
import { BusError, ensureTopic } from '@ribscope/bus'
import type { connectKafka, TopicFacts, TopicOptions } from '@ribscope/bus'
import type { Logger } from 'pino'

/** Of a message; a block of rows is closed before it would be larger. */
export const MAX_MESSAGE_OCTETS = 900 << 10
const RETRY_MS = 1_000
const MAX_RETRY_MS = 10_000

/**
 * Waits for brokers that do not answer; what they refuse is an error.
 *
 * @throws BusError; AbortError when the service is stopped meanwhile
 */
export async function topicWhenThere(
  kafka: ReturnType<typeof connectKafka>,
  options: TopicOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<TopicFacts> {
  for (let pauseMs = RETRY_MS; ; pauseMs = Math.min(MAX_RETRY_MS, 2 * pauseMs)) {
    signal.throwIfAborted()
    try {
      return await ensureTopic(kafka, options)
    } catch (error) {
      if (error instanceof BusError) throw error
      log.warn(
        { topic: options.topic, reason: (error as Error).message },
        'no broker answers yet, trying again',
      )
    }
    await delay(pauseMs, undefined, { signal })
  }
}
