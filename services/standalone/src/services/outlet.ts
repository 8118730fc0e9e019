/** Where a collector's rows go, whatever they come from: Kafka, with what says how that is doing. */
import { connectKafka, KafkaPublisher } from '@ribscope/bus'
import type { KafkaConnection, TopicOptions } from '@ribscope/bus'
import { publishBatches } from '@ribscope/collector'
import type { BatchConsumer } from '@ribscope/collector'
import type { Stops } from '../start.ts'
import { countPublished } from '../telemetry.ts'
import { MAX_MESSAGE_OCTETS, topicWhenThere } from './broker.ts'
import { unlessFailing } from './health.ts'
import { startService, type Service, type ServiceOptions } from './service.ts'

export interface OutletOptions extends ServiceOptions {
  readonly kafka: KafkaConnection
  readonly topic: Omit<TopicOptions, 'maxMessageOctets'>
}

export interface Outlet {
  readonly kafka: ReturnType<typeof connectKafka>
  readonly publisher: KafkaPublisher
  readonly rows: BatchConsumer
  readonly registry: Service['registry']
  readonly stops: Stops
}

/** With brokers away it would wait for ever: what they have not got is the routers' to send, or ours to read, again. */
export const DRAIN_MS = 20_000
/** How long the end of a publisher may take. */
const LAST_MS = 2_000

/**
 * A collector: ready once `open` has opened what its rows come from, unless brokers take nothing.
 *
 * @throws BusError when the topic can't be used
 */
export function startCollecting<T extends object>(
  options: OutletOptions,
  open: (outlet: Outlet) => Promise<T>,
) {
  return startService(options, 'kafka: no broker has answered yet', async (service) => {
    const { registry, health, stops } = service
    const kafka = connectKafka(options.kafka, options.log.child({ part: 'kafka' }))
    const { topic } = options.topic
    const publisher = await openPublisher({ kafka, stops }, options, topic, 'publisher')
    const published = countPublished(registry)
    const bus = publishBatches(publisher)
    const rows: BatchConsumer = {
      async submit(batch) {
        const { rows: count, body } = batch
        await bus.submit(batch)
        published(count, body.length)
      },
    }
    const opened = await open({ kafka, publisher, rows, registry, stops })
    health.missing = unlessFailing(publisher, 'kafka: brokers take nothing')
    return opened
  })
}

/**
 * Each has requests of its own: what one waits for does not hold up another.
 *
 * @param part  as the log names it
 * @throws BusError when the topic can't be used
 */
export async function openPublisher(
  { kafka, stops }: Pick<Outlet, 'kafka' | 'stops'>,
  options: OutletOptions,
  topic: string,
  part: string,
): Promise<KafkaPublisher> {
  const { log, signal } = options
  const wanted = { ...options.topic, topic, maxMessageOctets: MAX_MESSAGE_OCTETS }
  const facts = await topicWhenThere(kafka, wanted, log, signal)
  const publisher = new KafkaPublisher({ kafka, topic, log: log.child({ part }), ...facts })
  stops.push(() => publisher.stop(LAST_MS))
  return publisher
}
