/** `ribscope writer`: from Kafka into ClickHouse. */
import { UsageError, type Command } from '../command.ts'
import {
  KAFKA_ENV,
  KAFKA_OPTIONS,
  KAFKA_USAGE,
  kafkaOf,
  METRICS_ENV,
  METRICS_OPTIONS,
  METRICS_USAGE,
  serverOf,
  STORE_ENV,
  STORE_OPTIONS,
  STORE_USAGE,
  TOPIC_ENV,
  TOPIC_OPTIONS,
  TOPIC_USAGE,
  topicOf,
  waitOf,
} from '../connect.ts'
import { LOG_ENV, LOG_OPTIONS, LOG_USAGE, noArguments, serve } from '../start.ts'
import { hostPort, text } from '../values.ts'

export const command: Command = {
  name: 'writer',
  summary: 'store in ClickHouse what collectors publish to Kafka',
  usage: `ribscope writer [flags]

${KAFKA_USAGE}
  --kafka-group NAME   writers of one group share the partitions (default ribscope-writer)
${TOPIC_USAGE}
${STORE_USAGE}
${METRICS_USAGE}
${LOG_USAGE}`,
  options: {
    ...KAFKA_OPTIONS,
    'kafka-group': { type: 'string', default: 'ribscope-writer' },
    ...TOPIC_OPTIONS,
    ...STORE_OPTIONS,
    ...METRICS_OPTIONS,
    ...LOG_OPTIONS,
  },
  env: {
    ...KAFKA_ENV,
    'kafka-group': 'RIBSCOPE_KAFKA_GROUP',
    ...TOPIC_ENV,
    ...STORE_ENV,
    ...METRICS_ENV,
    ...LOG_ENV,
  },
  async run(ctx) {
    noArguments(ctx)
    const metrics = hostPort('--metrics', ctx.values['metrics'])
    const kafka = kafkaOf(ctx, 'writer')
    const topic = topicOf(ctx)
    const store = serverOf(ctx)
    const waitMs = waitOf(ctx)
    const groupId = text(ctx.values, 'kafka-group') ?? ''
    if (groupId === '') throw new UsageError('--kafka-group: expected a name')
    return serve(ctx, 'writer', async (log) => {
      const { startWriter } = await import('../services/writer.ts')
      const { signal } = ctx
      const running = await startWriter({
        kafka,
        topic,
        groupId,
        store,
        waitMs,
        metrics,
        log,
        signal,
      })
      log.info(
        { topic: topic.topic, groupId, url: store.url, metrics: running.health.address },
        'writer is up',
      )
      return running
    })
  },
}
