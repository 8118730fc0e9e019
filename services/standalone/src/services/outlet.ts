/** Where a collector's rows go, whatever they come from: Kafka, with what says how that is doing. */
import { connectKafka, KafkaPublisher } from '@ribscope/bus'
import type { KafkaConnection, TopicOptions } from '@ribscope/bus'
import { publishBatches } from '@ribscope/collector'
import type { BatchConsumer } from '@ribscope/collector'
import type { Logger } from 'pino'
import type { HostPort } from '../values.ts'
import type { Stops } from '../start.ts'
import { countPublished, createRegistry } from '../telemetry.ts'
import { topicWhenThere } from './broker.ts'
import { startHealth, type Health } from './health.ts'

export interface OutletOptions {
  readonly kafka: KafkaConnection
  readonly topic: Omit<TopicOptions, 'maxMessageOctets'>
  readonly metrics: HostPort
  readonly log: Logger
  /** Ends the wait for brokers at the start. */
  readonly signal: AbortSignal
}

export interface Outlet {
  readonly kafka: ReturnType<typeof connectKafka>
  readonly publisher: KafkaPublisher
  readonly rows: BatchConsumer
  readonly registry: ReturnType<typeof createRegistry>
  readonly health: Health
  /** What goes in is open: ready unless brokers take nothing. */
  ready(): void
}

/** Of a message; a block of rows is closed before it would be larger. */
export const MAX_MESSAGE_OCTETS = 900 << 10
/** Brokers that take nothing for so long: a load balancer may send routers elsewhere. */
const READY_FAILING_MS = 10_000
/** How long the end of a publisher may take. */
export const LAST_MS = 2_000

/** @throws BusError when the topic can't be used */
export async function startOutlet(options: OutletOptions, stops: Stops): Promise<Outlet> {
  const { log, signal } = options
  const registry = createRegistry()
  let missing: () => readonly string[] = () => ['kafka: no broker has answered yet']
  const health = await startHealth({ ...options.metrics, registry, missing: () => missing() })
  stops.push(() => health.stop())
  const kafka = connectKafka(options.kafka, log.child({ part: 'kafka' }))
  const topic = { ...options.topic, maxMessageOctets: MAX_MESSAGE_OCTETS }
  const facts = await topicWhenThere(kafka, topic, log, signal)
  const publisher = new KafkaPublisher({
    kafka,
    topic: topic.topic,
    log: log.child({ part: 'publisher' }),
    ...facts,
  })
  stops.push(() => publisher.stop(LAST_MS))
  const published = countPublished(registry)
  const bus = publishBatches(publisher)
  return {
    kafka,
    publisher,
    rows: {
      async submit(batch) {
        const { rows, body } = batch
        await bus.submit(batch)
        published(rows, body.length)
      },
    },
    registry,
    health,
    ready() {
      missing = () => {
        const since = publisher.failingSinceMs
        return since === undefined || Date.now() - since < READY_FAILING_MS
          ? []
          : ['kafka: brokers take nothing']
      }
    },
  }
}
