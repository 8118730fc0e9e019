/** `ribscope migrate`: creates or upgrades the schema of a data directory. */
import { CommandError, type Command } from '../command.ts'
import { flag, text } from '../values.ts'

export const command: Command = {
  name: 'migrate',
  summary: 'create or upgrade the ClickHouse schema',
  usage: `ribscope migrate [flags]

  --data DIR   data directory of the embedded store (default ./ribscope-data)
  --json       what was applied as JSON`,
  options: {
    data: { type: 'string', default: './ribscope-data' },
    json: { type: 'boolean' },
  },
  env: { data: 'RIBSCOPE_DATA' },
  async run(ctx) {
    const [{ migrate, openEmbeddedStore, StoreError }, { detectorViews }] = await Promise.all([
      import('@ribscope/store'),
      import('@ribscope/detectors'),
    ])
    try {
      const store = await openEmbeddedStore({
        dataDir: text(ctx.values, 'data') ?? './ribscope-data',
      })
      const session = await store.session('migrate')
      const result = await migrate(session, detectorViews())
      await session.close()
      await store.close()
      ctx.stdout.write(
        flag(ctx.values, 'json')
          ? `${JSON.stringify(result)}\n`
          : `schema version ${String(result.version)}, ${String(result.applied.length)} migrations applied\n`,
      )
      return 0
    } catch (error) {
      if (error instanceof StoreError) throw new CommandError(error.message)
      throw error
    }
  },
}
