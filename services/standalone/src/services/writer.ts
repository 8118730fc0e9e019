/** The writer as a process of its own: from Kafka into ClickHouse. */
import { connectKafka } from '@ribscope/bus'
import type { KafkaConnection, TopicOptions } from '@ribscope/bus'
import type { ServerOptions } from '@ribscope/store'
import { KafkaWriter } from '@ribscope/writer'
import type { Logger } from 'pino'
import type { HostPort } from '../values.ts'
import { Stops } from '../start.ts'
import { countStored, createRegistry, watchWriter } from '../telemetry.ts'
import { topicWhenThere } from './broker.ts'
import { MAX_MESSAGE_OCTETS } from './outlet.ts'
import { startHealth, type Health } from './health.ts'
import { storeWhenCurrent } from './store.ts'

export interface WriterServiceOptions {
  readonly kafka: KafkaConnection
  readonly topic: Omit<TopicOptions, 'maxMessageOctets'>
  readonly groupId: string
  readonly store: ServerOptions
  /** How long the schema may be missing or old at the start. */
  readonly waitMs: number
  readonly metrics: HostPort
  readonly log: Logger
  /** Ends the waits at the start. */
  readonly signal: AbortSignal
}

export interface WriterService {
  readonly writer: KafkaWriter
  readonly health: Health
  /** Ends the inserts that are under way, leaves the group. */
  stop(): Promise<void>
}

/** An insert that fails for so long: the service is not doing its work. */
const READY_FAILING_MS = 10_000

/** @throws BusError when a topic can't be used; StoreError when the schema does not become current */
export async function startWriter(options: WriterServiceOptions): Promise<WriterService> {
  const { log, signal } = options
  const stops = new Stops(log)
  const registry = createRegistry()
  let missing: () => readonly string[] = () => ['store: schema not current yet']
  try {
    const health = await startHealth({ ...options.metrics, registry, missing: () => missing() })
    stops.push(() => health.stop())
    const store = await storeWhenCurrent(options.store, {
      ...options,
      views: false,
    })
    stops.push(() => store.close())
    missing = () => ['kafka: no broker has answered yet']
    const kafka = connectKafka(options.kafka, log.child({ part: 'kafka' }))
    const topic = { ...options.topic, maxMessageOctets: MAX_MESSAGE_OCTETS }
    const deadLetterTopic = `${topic.topic}.dead`
    await topicWhenThere(kafka, topic, log, signal)
    await topicWhenThere(kafka, { ...topic, topic: deadLetterTopic, partitions: 1 }, log, signal)
    const stored = countStored(registry)
    const writer = new KafkaWriter({
      kafka,
      topic: topic.topic,
      groupId: options.groupId,
      deadLetterTopic,
      store,
      log: log.child({ part: 'writer' }),
      onInserted: (_table, rows, octets, seconds) => {
        stored(rows, octets, seconds)
      },
    })
    watchWriter(registry, writer)
    await writer.start()
    stops.push(() => writer.stop())
    missing = () => {
      const since = writer.failingSinceMs
      return since === undefined || Date.now() - since < READY_FAILING_MS
        ? []
        : ['store: inserts fail']
    }
    return { writer, health, stop: () => stops.run() }
  } catch (error) {
    await stops.run()
    throw error
  }
}
