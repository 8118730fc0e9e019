/** `ribscope analyst`: findings and housekeeping over a ClickHouse server. */
import type { Command } from '../command.ts'
import { METRICS, serverOf, STORE, waitOf } from '../connect.ts'
import { flagsOf } from '../flags.ts'
import { configFlag, fabricOf, KEEP, LOG, noArguments, retentionOf, serve } from '../start.ts'
import { hostPort } from '../values.ts'

export const command: Command = {
  name: 'analyst',
  summary: 'run the detectors over ClickHouse, keep findings and house',
  ...flagsOf(
    'ribscope analyst [flags]',
    configFlag('fabric.yaml (default: everything is inferred)'),
    STORE,
    KEEP,
    METRICS,
    LOG,
  ),
  async run(ctx) {
    noArguments(ctx)
    const metrics = hostPort('--metrics', ctx.values['metrics'])
    const store = serverOf(ctx)
    const waitMs = waitOf(ctx)
    const retention = retentionOf(ctx)
    const config = await fabricOf(ctx)
    return serve(ctx, 'analyst', async (log) => {
      const { startAnalyst } = await import('../services/analyst.ts')
      const common = { store, waitMs, metrics, log, signal: ctx.signal }
      const running = await startAnalyst({ ...common, config, retention })
      log.info({ url: store.url, metrics: running.health.address }, 'analyst is up')
      return running
    })
  },
}
