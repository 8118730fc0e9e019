/** `ribscope writer`: from Kafka into ClickHouse. */
import type { Command } from '../command.ts'
import {
  groupFlag,
  groupOf,
  KAFKA,
  kafkaOf,
  LOST,
  lostAfterOf,
  METRICS,
  serverOf,
  STORE,
  TOPIC,
  topicOf,
  waitOf,
} from '../connect.ts'
import { flagsOf } from '../flags.ts'
import { LOG, noArguments, serve } from '../start.ts'
import { hostPort } from '../values.ts'

export const command: Command = {
  name: 'writer',
  summary: 'store in ClickHouse what collectors publish to Kafka',
  ...flagsOf(
    'ribscope writer [flags]',
    KAFKA,
    groupFlag('writers of one group share the partitions', 'ribscope-writer'),
    TOPIC,
    LOST,
    STORE,
    METRICS,
    LOG,
  ),
  async run(ctx) {
    noArguments(ctx)
    const metrics = hostPort('--metrics', ctx.values['metrics'])
    const kafka = kafkaOf(ctx, 'writer')
    const topic = topicOf(ctx)
    const lostAfterMs = lostAfterOf(ctx)
    const store = serverOf(ctx)
    const waitMs = waitOf(ctx)
    const groupId = groupOf(ctx)
    return serve(ctx, 'writer', async (log) => {
      const { startWriter } = await import('../services/writer.ts')
      const common = { store, waitMs, metrics, log, signal: ctx.signal }
      const running = await startWriter({ ...common, kafka, topic, groupId, lostAfterMs })
      log.info(
        { topic: topic.topic, groupId, url: store.url, metrics: running.health.address },
        'writer is up',
      )
      return running
    })
  },
}
