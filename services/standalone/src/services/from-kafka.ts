/** The collector with topics of raw BMP in place of sockets. */
import { setTimeout as delay } from 'node:timers/promises'
import { GroupConsumer } from '@ribscope/bus'
import { RawSource } from '@ribscope/collector'
import type { RawSourceConfig } from '@ribscope/collector'
import { watchRawSource } from '../telemetry.ts'
import { MAX_MESSAGE_OCTETS, topicWhenThere } from './broker.ts'
import type { Health } from './health.ts'
import { DRAIN_MS, startCollecting } from './outlet.ts'
import type { OutletOptions } from './outlet.ts'

export interface FromKafkaOptions extends OutletOptions {
  readonly source: RawSourceConfig
  readonly topics: readonly string[]
  /** Of each topic, the group is GROUP.TOPIC. */
  readonly group: string
}

export interface FromKafka {
  readonly source: RawSource
  readonly health: Health
  stop(): Promise<void>
}

/** Of messages that are worked on together, each partition. */
const GROUP_OCTETS = 4 << 20
const GROUP_MESSAGES = 20_000
const GROUP_WAIT_MS = 100
const CONCURRENCY = 4
const TURN_MS = 200

/** @throws BusError when a topic can't be used */
export function startFromKafka(options: FromKafkaOptions): Promise<FromKafka> {
  const { log, signal, topics } = options
  return startCollecting(options, async ({ kafka, publisher, rows, registry, stops }) => {
    const source = new RawSource(
      { maxBlockOctets: MAX_MESSAGE_OCTETS, ...options.source },
      { log: log.child({ part: 'raw source' }), openSink: () => rows },
    )
    for (const topic of topics) {
      const there = { ...options.topic, topic, create: false, maxMessageOctets: 0 }
      await topicWhenThere(kafka, there, log, signal)
    }
    const consumers = topics.map(
      (topic) =>
        new GroupConsumer({
          kafka,
          topic,
          groupId: `${options.group}.${topic}`,
          log: log.child({ part: 'consumer' }),
          maxOctets: GROUP_OCTETS,
          maxMessages: GROUP_MESSAGES,
          maxWaitMs: GROUP_WAIT_MS,
          concurrency: CONCURRENCY,
          handle: (group, cancelled) => source.handle(group, cancelled),
        }),
    )
    watchRawSource(registry, source, consumers, publisher)
    stops.push(() => within(DRAIN_MS, source.stop()))
    for (const consumer of consumers) {
      stops.push(() => consumer.stop(DRAIN_MS))
      await consumer.start()
    }
    stops.push(turning(source, consumers, options))
    return { source }
  })
}

/** Time passes for routers that say nothing, as far as it is known that they don't. @returns what ends it */
function turning(
  source: RawSource,
  consumers: readonly GroupConsumer[],
  { log }: FromKafkaOptions,
): () => Promise<void> {
  let turn: Promise<void> | undefined
  const timer = setInterval(() => {
    const quiet = consumers.map(({ quietMs }) => quietMs)
    if (turn !== undefined || quiet.includes(undefined)) return
    turn = source
      .turn(Math.min(...quiet.filter((ms) => ms !== undefined)))
      .catch((err: unknown) => {
        log.error({ err }, 'rows not accepted')
      })
      .finally(() => {
        turn = undefined
      })
  }, TURN_MS)
  return async () => {
    clearInterval(timer)
    await within(DRAIN_MS, turn)
  }
}

/** With brokers away it would wait for ever: what they have not got is not committed, and read again. */
async function within(ms: number, work: Promise<void> | undefined): Promise<void> {
  const limit = new AbortController()
  try {
    await Promise.race([
      work,
      delay(ms, undefined, { signal: limit.signal }).catch(() => undefined),
    ])
  } finally {
    limit.abort()
  }
}
