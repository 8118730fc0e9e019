/** The writer as a process of its own: from Kafka into ClickHouse. */
import { connectKafka } from '@ribscope/bus'
import type { KafkaConnection, TopicOptions } from '@ribscope/bus'
import { BEATS } from '@ribscope/events'
import { KafkaWriter } from '@ribscope/writer'
import { countStored, watchWriter } from '../telemetry.ts'
import { beatOfWay } from './beats.ts'
import { MAX_MESSAGE_OCTETS, topicWhenThere } from './broker.ts'
import { unlessFailing, type Health } from './health.ts'
import { startService, type ServiceOptions } from './service.ts'
import { NO_SCHEMA, storeWhenCurrent, type StoreOptions } from './store.ts'

export interface WriterServiceOptions extends ServiceOptions, StoreOptions {
  readonly kafka: KafkaConnection
  readonly topic: Omit<TopicOptions, 'maxMessageOctets'>
  readonly groupId: string
  /** Silence of collectors for so long means that their sessions are lost. */
  readonly lostAfterMs: number
}

export interface WriterService {
  readonly writer: KafkaWriter
  readonly health: Health
  /** Ends the inserts that are under way, leaves the group. */
  stop(): Promise<void>
}

/** @throws BusError when a topic can't be used; StoreError when the schema does not become current */
export function startWriter(options: WriterServiceOptions): Promise<WriterService> {
  const { log, signal, groupId, lostAfterMs } = options
  return startService(options, NO_SCHEMA, async ({ registry, health, stops }) => {
    // It reads no views.
    const store = await storeWhenCurrent(options, undefined)
    stops.push(() => store.close())
    health.missing = () => ['kafka: no broker has answered yet']
    const kafka = connectKafka(options.kafka, log.child({ part: 'kafka' }))
    const topic = { ...options.topic, maxMessageOctets: MAX_MESSAGE_OCTETS }
    const deadLetterTopic = `${topic.topic}.dead`
    await topicWhenThere(kafka, topic, log, signal)
    await topicWhenThere(kafka, { ...topic, topic: deadLetterTopic, partitions: 1 }, log, signal)
    const stored = countStored(registry)
    const writer = new KafkaWriter({
      kafka,
      topic: topic.topic,
      groupId,
      deadLetterTopic,
      store,
      log: log.child({ part: 'writer' }),
      onInserted: (table, rows, octets, seconds) => {
        if (table !== BEATS) stored(rows, octets, seconds)
      },
    })
    watchWriter(registry, writer)
    await writer.start()
    stops.push(() => writer.stop())
    const part = log.child({ part: 'beats' })
    const beats = beatOfWay(store, { kafka, topic: topic.topic, lostAfterMs, log: part })
    stops.push(() => beats.stop())
    health.missing = unlessFailing(writer, 'store: inserts fail')
    return { writer }
  })
}
