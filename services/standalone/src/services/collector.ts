/** The collector as a process of its own: BMP in, batches of rows to Kafka. */
import { KafkaPublisher } from '@ribscope/bus'
import { createBmpServer } from '@ribscope/collector'
import type { BmpServer, BmpServerConfig } from '@ribscope/collector'
import { Stops } from '../start.ts'
import { watchCollector } from '../telemetry.ts'
import { topicWhenThere } from './broker.ts'
import type { Health } from './health.ts'
import { LAST_MS, MAX_MESSAGE_OCTETS, startOutlet, type Outlet } from './outlet.ts'
import type { OutletOptions } from './outlet.ts'

export interface CollectorOptions extends OutletOptions {
  readonly bmp: BmpServerConfig
  /** Gets the messages of routers as they were received. */
  readonly rawTopic?: string | undefined
}

export interface Collector {
  readonly bmp: BmpServer
  readonly health: Health
  /** Ends the sessions and waits, for a while, until the brokers have what was received. */
  stop(): Promise<void>
}

/** With the publisher at a time: a few requests. What waits beyond that takes turns by router. */
const MAX_OFFERED_OCTETS = 8 << 20
/** With brokers away it would wait for ever: what they have not got is the routers' to send again. */
const DRAIN_MS = 20_000

/** @throws BusError when the topic can't be used; EADDRINUSE for a taken port */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { log } = options
  const stops = new Stops(log)
  try {
    const outlet = await startOutlet(options, stops)
    const raw = await rawOf(options, outlet, stops)
    const bmp = createBmpServer(
      {
        maxBlockOctets: MAX_MESSAGE_OCTETS,
        maxOfferedOctets: MAX_OFFERED_OCTETS,
        stopTimeoutMs: DRAIN_MS,
        ...options.bmp,
      },
      {
        log: log.child({ part: 'collector' }),
        openSink: () => outlet.rows,
        ...(raw === undefined ? {} : { raw }),
      },
    )
    watchCollector(outlet.registry, bmp, outlet.publisher)
    await bmp.start()
    stops.push(() => bmp.stop())
    outlet.ready()
    return { bmp, health: outlet.health, stop: () => stops.run() }
  } catch (error) {
    await stops.run()
    throw error
  }
}

/** A publisher of its own: what it waits for does not hold up the rows' requests. */
async function rawOf(
  { rawTopic, topic, log, signal }: CollectorOptions,
  { kafka }: Outlet,
  stops: Stops,
): Promise<KafkaPublisher | undefined> {
  if (rawTopic === undefined) return undefined
  const wanted = { ...topic, topic: rawTopic, maxMessageOctets: MAX_MESSAGE_OCTETS }
  const facts = await topicWhenThere(kafka, wanted, log, signal)
  const publisher = new KafkaPublisher({
    kafka,
    topic: rawTopic,
    log: log.child({ part: 'raw publisher' }),
    ...facts,
  })
  stops.push(() => publisher.stop(LAST_MS))
  return publisher
}
