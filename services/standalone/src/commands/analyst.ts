/** `ribscope analyst`: findings and housekeeping over a ClickHouse server. */
import type { Command } from '../command.ts'
import {
  METRICS_ENV,
  METRICS_OPTIONS,
  METRICS_USAGE,
  serverOf,
  STORE_ENV,
  STORE_OPTIONS,
  STORE_USAGE,
  waitOf,
} from '../connect.ts'
import {
  fabricOf,
  KEEP_ENV,
  KEEP_OPTIONS,
  KEEP_USAGE,
  LOG_ENV,
  LOG_OPTIONS,
  LOG_USAGE,
  noArguments,
  retentionOf,
  serve,
} from '../start.ts'
import { hostPort } from '../values.ts'

export const command: Command = {
  name: 'analyst',
  summary: 'run the detectors over ClickHouse, keep findings and house',
  usage: `ribscope analyst [flags]

  --config FILE        fabric.yaml (default: everything is inferred)
${STORE_USAGE}
${KEEP_USAGE}
${METRICS_USAGE}
${LOG_USAGE}`,
  options: {
    config: { type: 'string' },
    ...STORE_OPTIONS,
    ...KEEP_OPTIONS,
    ...METRICS_OPTIONS,
    ...LOG_OPTIONS,
  },
  env: {
    config: 'RIBSCOPE_CONFIG',
    ...STORE_ENV,
    ...KEEP_ENV,
    ...METRICS_ENV,
    ...LOG_ENV,
  },
  async run(ctx) {
    noArguments(ctx)
    const metrics = hostPort('--metrics', ctx.values['metrics'])
    const store = serverOf(ctx)
    const waitMs = waitOf(ctx)
    const retention = retentionOf(ctx)
    const config = await fabricOf(ctx)
    return serve(ctx, 'analyst', async (log) => {
      const { startAnalyst } = await import('../services/analyst.ts')
      const { signal } = ctx
      const running = await startAnalyst({
        store,
        config,
        retention,
        waitMs,
        metrics,
        log,
        signal,
      })
      log.info({ url: store.url, metrics: running.health.address }, 'analyst is up')
      return running
    })
  },
}
