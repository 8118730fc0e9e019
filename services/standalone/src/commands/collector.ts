/** `ribscope collector`: BMP in, rows to Kafka. */
import { hostname } from 'node:os'
import { UsageError, type Command } from '../command.ts'
import {
  KAFKA_ENV,
  KAFKA_OPTIONS,
  KAFKA_USAGE,
  kafkaOf,
  METRICS_ENV,
  METRICS_OPTIONS,
  METRICS_USAGE,
  optionalTopic,
  TOPIC_ENV,
  TOPIC_OPTIONS,
  TOPIC_USAGE,
  topicNames,
  topicOf,
} from '../connect.ts'
import { BMP_ENV, BMP_OPTIONS, BMP_USAGE, bmpOf, linksOf } from '../bmp-config.ts'
import { LOG_ENV, LOG_OPTIONS, LOG_USAGE, fabricOf, noArguments, serve } from '../start.ts'
import { hostPort, oneOf, text, v4Tlvs } from '../values.ts'

export const command: Command = {
  name: 'collector',
  summary: 'accept BMP from routers, publish what they say to Kafka',
  usage: `ribscope collector [flags]

  --config FILE        fabric.yaml, for bmp and the addresses of routers
  --bmp HOST:PORT      where routers connect (default 0.0.0.0:11019)
  --bmp-v4 TABLE       code points of TLVs in BMP version 4 (default auto; see ribscope decode --help)
${BMP_USAGE}
  --name NAME          of this collector in rows (default: the host's name)
  --raw-topic NAME     also publish every BMP message as it was received, behind OpenBMP's header
  --from-kafka TOPIC,... read raw BMP from these topics in place of sockets: as --raw-topic, OpenBMP, gobmp and
                       RouteViews publish it, binary or text headers
  --kafka-group NAME   collectors of one group share the partitions of those topics (default ribscope-collector)
  --format FORMAT      of the rows: native (default), or json for programs that are not ClickHouse: no
                       writer stores those (docs/bus.md)
${KAFKA_USAGE}
${TOPIC_USAGE}
${METRICS_USAGE}
${LOG_USAGE}`,
  options: {
    config: { type: 'string' },
    bmp: { type: 'string', default: '0.0.0.0:11019' },
    'bmp-v4': { type: 'string' },
    ...BMP_OPTIONS,
    name: { type: 'string' },
    'raw-topic': { type: 'string' },
    'from-kafka': { type: 'string' },
    'kafka-group': { type: 'string', default: 'ribscope-collector' },
    format: { type: 'string' },
    ...KAFKA_OPTIONS,
    ...TOPIC_OPTIONS,
    ...METRICS_OPTIONS,
    ...LOG_OPTIONS,
  },
  env: {
    config: 'RIBSCOPE_CONFIG',
    bmp: 'RIBSCOPE_BMP',
    'bmp-v4': 'RIBSCOPE_BMP_V4',
    ...BMP_ENV,
    name: 'RIBSCOPE_COLLECTOR',
    'raw-topic': 'RIBSCOPE_RAW_TOPIC',
    'from-kafka': 'RIBSCOPE_FROM_KAFKA',
    'kafka-group': 'RIBSCOPE_KAFKA_GROUP',
    format: 'RIBSCOPE_FORMAT',
    ...KAFKA_ENV,
    ...TOPIC_ENV,
    ...METRICS_ENV,
    ...LOG_ENV,
  },
  async run(ctx) {
    noArguments(ctx)
    const bmp = hostPort('--bmp', ctx.values['bmp'], '0.0.0.0')
    const metrics = hostPort('--metrics', ctx.values['metrics'])
    const kafka = kafkaOf(ctx, 'collector')
    const topic = topicOf(ctx)
    const rawTopic = optionalTopic(ctx, 'raw-topic')
    if (rawTopic === topic.topic) throw new UsageError('--raw-topic: that is the topic of events')
    const format = oneOf(ctx.values, 'format', ['native', 'json'] as const) ?? 'native'
    const config = await fabricOf(ctx)
    const table = await v4Tlvs(ctx.values, config.bmp.v4_tlvs)
    const links = await linksOf(ctx, config)
    const collector = text(ctx.values, 'name') ?? hostname()
    const topics = topicNames(ctx, 'from-kafka')
    if (topics !== undefined) {
      if (rawTopic !== undefined) throw new UsageError('--from-kafka: what it reads is raw already')
      if (format === 'json') throw new UsageError('--from-kafka: its rows are native')
      if (topics.includes(topic.topic)) {
        throw new UsageError('--from-kafka: that is the topic of events')
      }
      const group = text(ctx.values, 'kafka-group') ?? ''
      if (group === '') throw new UsageError('--kafka-group: expected a name')
      const { maxTotalOctets = 0, routerAddresses = new Map<string, string>() } = bmpOf(config)
      return serve(ctx, 'collector', async (log) => {
        const { startFromKafka } = await import('../services/from-kafka.ts')
        const source = { collector, v4Tlvs: table, maxTotalOctets, routerAddresses }
        const common = { kafka, topic, metrics, log, signal: ctx.signal }
        const running = await startFromKafka({ ...common, source, topics, group })
        log.info({ topics, topic: topic.topic, metrics: running.health.address }, 'collector is up')
        return running
      })
    }
    return serve(ctx, 'collector', async (log) => {
      const { startCollector } = await import('../services/collector.ts')
      const running = await startCollector({
        bmp: { ...bmpOf(config), ...links, ...bmp, v4Tlvs: table, collector, format },
        kafka,
        topic,
        rawTopic,
        metrics,
        log,
        signal: ctx.signal,
      })
      const { address, port } = running.bmp.address ?? { address: '', port: 0 }
      log.info(
        { bmp: `${address}:${String(port)}`, topic: topic.topic, metrics: running.health.address },
        'collector is up: point routers here',
      )
      return running
    })
  },
}
