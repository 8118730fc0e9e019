/** The collector as a process of its own: BMP in, batches of rows to Kafka. */
import { connectKafka, KafkaPublisher } from '@ribscope/bus'
import type { KafkaConnection, TopicOptions } from '@ribscope/bus'
import { createBmpServer, publishBatches } from '@ribscope/collector'
import type { BatchConsumer, BmpServer, BmpServerConfig } from '@ribscope/collector'
import type { Logger } from 'pino'
import type { HostPort } from '../values.ts'
import { Stops } from '../start.ts'
import { countPublished, createRegistry, watchCollector } from '../telemetry.ts'
import { topicWhenThere } from './broker.ts'
import { startHealth, type Health } from './health.ts'

export interface CollectorOptions {
  readonly bmp: BmpServerConfig
  readonly kafka: KafkaConnection
  readonly topic: Omit<TopicOptions, 'maxMessageOctets'>
  /** Gets the messages of routers as they were received. */
  readonly rawTopic?: string | undefined
  readonly metrics: HostPort
  readonly log: Logger
  /** Ends the wait for brokers at the start. */
  readonly signal: AbortSignal
}

export interface Collector {
  readonly bmp: BmpServer
  readonly health: Health
  /** Ends the sessions and waits, for a while, until the brokers have what was received. */
  stop(): Promise<void>
}

/** Of a message; a block of rows is closed before it would be larger. */
export const MAX_MESSAGE_OCTETS = 900 << 10
/** Brokers that take nothing for so long: a load balancer may send routers elsewhere. */
const READY_FAILING_MS = 10_000
/** With brokers away it would wait for ever: what they have not got is the routers' to send again. */
const DRAIN_MS = 20_000
const LAST_MS = 2_000

/** @throws BusError when the topic can't be used; EADDRINUSE for a taken port */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { log, signal } = options
  const stops = new Stops(log)
  const registry = createRegistry()
  let missing: () => readonly string[] = () => ['kafka: no broker has answered yet']
  try {
    const health = await startHealth({ ...options.metrics, registry, missing: () => missing() })
    stops.push(() => health.stop())
    const kafka = connectKafka(options.kafka, log.child({ part: 'kafka' }))
    const topic = { ...options.topic, maxMessageOctets: MAX_MESSAGE_OCTETS }
    const { maxSendOctets } = await topicWhenThere(kafka, topic, log, signal)
    const publisher = new KafkaPublisher({
      kafka,
      topic: topic.topic,
      log: log.child({ part: 'publisher' }),
      ...(maxSendOctets === undefined ? {} : { maxSendOctets }),
    })
    stops.push(() => publisher.stop(LAST_MS))
    const raw = await rawOf(options, kafka, stops)
    const published = countPublished(registry)
    const bus = publishBatches(publisher)
    const outlet: BatchConsumer = {
      async submit(batch) {
        const { rows, body } = batch
        await bus.submit(batch)
        published(rows, body.length)
      },
    }
    const bmp = createBmpServer(
      { maxBlockOctets: MAX_MESSAGE_OCTETS, stopTimeoutMs: DRAIN_MS, ...options.bmp },
      {
        log: log.child({ part: 'collector' }),
        openSink: () => outlet,
        ...(raw === undefined ? {} : { raw }),
      },
    )
    watchCollector(registry, bmp, publisher)
    await bmp.start()
    stops.push(() => bmp.stop())
    missing = () => {
      const since = publisher.failingSinceMs
      return since === undefined || Date.now() - since < READY_FAILING_MS
        ? []
        : ['kafka: brokers take nothing']
    }
    return { bmp, health, stop: () => stops.run() }
  } catch (error) {
    await stops.run()
    throw error
  }
}

/** A publisher of its own: what it waits for does not hold up the rows' requests. */
async function rawOf(
  { rawTopic, topic, log, signal }: CollectorOptions,
  kafka: ReturnType<typeof connectKafka>,
  stops: Stops,
): Promise<KafkaPublisher | undefined> {
  if (rawTopic === undefined) return undefined
  const facts = { ...topic, topic: rawTopic, maxMessageOctets: MAX_MESSAGE_OCTETS }
  const { maxSendOctets } = await topicWhenThere(kafka, facts, log, signal)
  const publisher = new KafkaPublisher({
    kafka,
    topic: rawTopic,
    log: log.child({ part: 'raw publisher' }),
    ...(maxSendOctets === undefined ? {} : { maxSendOctets }),
  })
  stops.push(() => publisher.stop(LAST_MS))
  return publisher
}
