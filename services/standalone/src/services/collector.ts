/** The collector as a process of its own: BMP in, batches of rows to Kafka. */
import { createBmpServer } from '@ribscope/collector'
import type { BmpServer, BmpServerConfig } from '@ribscope/collector'
import { watchCollector } from '../telemetry.ts'
import { beatOfSessions } from './beats.ts'
import { MAX_MESSAGE_OCTETS } from './broker.ts'
import type { Health } from './health.ts'
import { DRAIN_MS, openPublisher, startCollecting } from './outlet.ts'
import type { OutletOptions } from './outlet.ts'

export interface CollectorOptions extends OutletOptions {
  readonly bmp: BmpServerConfig
  /** Gets the messages of routers as they were received. */
  readonly rawTopic?: string | undefined
  /** How long a session may be without a sign of life from here. */
  readonly lostAfterMs: number
}

export interface Collector {
  readonly bmp: BmpServer
  readonly health: Health
  /** Ends the sessions and waits, for a while, until the brokers have what was received. */
  stop(): Promise<void>
}

/** With the publisher at a time: a few requests. What waits beyond that takes turns by router. */
const MAX_OFFERED_OCTETS = 8 << 20

/** @throws BusError when the topic can't be used; EADDRINUSE for a taken port */
export function startCollector(options: CollectorOptions): Promise<Collector> {
  const { rawTopic, lostAfterMs, log } = options
  return startCollecting(options, async (outlet) => {
    const raw =
      rawTopic === undefined
        ? {}
        : { raw: await openPublisher(outlet, options, rawTopic, 'raw publisher') }
    const bmp = createBmpServer(
      {
        maxBlockOctets: MAX_MESSAGE_OCTETS,
        maxOfferedOctets: MAX_OFFERED_OCTETS,
        stopTimeoutMs: DRAIN_MS,
        ...options.bmp,
      },
      { log: log.child({ part: 'collector' }), openSink: () => outlet.rows, ...raw },
    )
    watchCollector(outlet.registry, bmp, outlet.publisher)
    await bmp.start()
    // Nobody stores what is published as JSON.
    if (options.bmp.format !== 'json') {
      const { topic } = options.topic
      const common = { kafka: outlet.kafka, topic, lostAfterMs, log: log.child({ part: 'beats' }) }
      const beats = beatOfSessions(bmp, options.bmp.collector, common)
      outlet.stops.push(() => beats.stop())
    }
    outlet.stops.push(() => bmp.stop())
    return { bmp }
  })
}
