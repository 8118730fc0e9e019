/** `ribscope collector`: BMP in, rows to Kafka. */
import { hostname } from 'node:os'
import { UsageError, type Command, type Context } from '../command.ts'
import {
  groupFlag,
  groupOf,
  KAFKA,
  kafkaOf,
  LOST,
  lostAfterOf,
  METRICS,
  optionalTopic,
  TOPIC,
  topicNames,
  topicOf,
} from '../connect.ts'
import { BMP, bmpOf, listenersOf } from '../bmp-config.ts'
import { flagsOf } from '../flags.ts'
import { configFlag, fabricOf, LOG, noArguments, serve } from '../start.ts'
import { hostPort, oneOf, text } from '../values.ts'

const FORMATS = ['native', 'json'] as const

export const command: Command = {
  name: 'collector',
  summary: 'accept BMP from routers, publish what they say to Kafka',
  ...flagsOf(
    'ribscope collector [flags]',
    configFlag('fabric.yaml, for bmp and the addresses of routers'),
    BMP,
    {
      usage: `  --name NAME          of this collector in rows (default: the host's name)
  --raw-topic NAME     also publish every BMP message as it was received, behind OpenBMP's header
  --from-kafka TOPIC,... read raw BMP from these topics in place of sockets: as --raw-topic, OpenBMP, gobmp and
                       RouteViews publish it, binary or text headers`,
      options: {
        name: { type: 'string' },
        'raw-topic': { type: 'string' },
        'from-kafka': { type: 'string' },
      },
      env: {
        name: 'RIBSCOPE_COLLECTOR',
        'raw-topic': 'RIBSCOPE_RAW_TOPIC',
        'from-kafka': 'RIBSCOPE_FROM_KAFKA',
      },
    },
    groupFlag('collectors of one group share the partitions of those topics', 'ribscope-collector'),
    {
      usage: `  --format FORMAT      of the rows: native (default), or json for programs that are not ClickHouse: no
                       writer stores those (docs/bus.md)`,
      options: { format: { type: 'string' } },
      env: { format: 'RIBSCOPE_FORMAT' },
    },
    KAFKA,
    TOPIC,
    LOST,
    METRICS,
    LOG,
  ),
  async run(ctx) {
    noArguments(ctx)
    const metrics = hostPort('--metrics', ctx.values['metrics'])
    const kafka = kafkaOf(ctx, 'collector')
    const topic = topicOf(ctx)
    const lostAfterMs = lostAfterOf(ctx)
    const rawTopic = optionalTopic(ctx, 'raw-topic')
    if (rawTopic === topic.topic) throw new UsageError('--raw-topic: that is the topic of events')
    const format = oneOf(ctx.values, 'format', FORMATS) ?? 'native'
    const config = await fabricOf(ctx)
    const listeners = await listenersOf(ctx, config)
    const collector = text(ctx.values, 'name') ?? hostname()
    const bmp = { ...bmpOf(config), ...listeners, collector, format }
    const from = readFrom(ctx, { topic: topic.topic, rawTopic, format })
    return serve(ctx, 'collector', async (log) => {
      const outlet = { kafka, topic, metrics, log, signal: ctx.signal }
      if (from !== undefined) {
        const { startFromKafka } = await import('../services/from-kafka.ts')
        const { v4Tlvs, maxTotalOctets, routerAddresses } = bmp
        const source = { collector, v4Tlvs, maxTotalOctets, routerAddresses }
        const running = await startFromKafka({ ...outlet, ...from, source })
        const { topics } = from
        log.info({ topics, topic: topic.topic, metrics: running.health.address }, 'collector is up')
        return running
      }
      const { startCollector } = await import('../services/collector.ts')
      const running = await startCollector({ ...outlet, bmp, rawTopic, lostAfterMs })
      const { address, port } = running.bmp.address ?? { address: '', port: 0 }
      log.info(
        { bmp: `${address}:${String(port)}`, topic: topic.topic, metrics: running.health.address },
        'collector is up: point routers here',
      )
      return running
    })
  },
}

/** `--from-kafka`; undefined: from sockets. @throws UsageError for what it can't be together with */
function readFrom(
  ctx: Context,
  to: {
    readonly topic: string
    readonly rawTopic: string | undefined
    readonly format: (typeof FORMATS)[number]
  },
): { readonly topics: readonly string[]; readonly group: string } | undefined {
  const topics = topicNames(ctx, 'from-kafka')
  if (topics === undefined) return undefined
  if (to.rawTopic !== undefined) throw new UsageError('--from-kafka: what it reads is raw already')
  if (to.format === 'json') throw new UsageError('--from-kafka: its rows are native')
  if (topics.includes(to.topic)) throw new UsageError('--from-kafka: that is the topic of events')
  return { topics, group: groupOf(ctx) }
}
