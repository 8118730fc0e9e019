/** `ribscope migrate`: creates or upgrades the schema of a data directory, a ClickHouse server or a cluster. */
import type { Store } from '@ribscope/store'
import { CommandError, UsageError, type Command, type Context } from '../command.ts'
import { serverOf } from '../connect.ts'
import { flag, text } from '../values.ts'

export const command: Command = {
  name: 'migrate',
  summary: 'create or upgrade the ClickHouse schema',
  usage: `ribscope migrate [flags]

  --data DIR       data directory of the embedded store (default ./ribscope-data)
  --url URL        a ClickHouse server instead, http://HOST:8123 or https://HOST:8443
  --user NAME      user there (default default)
  --password TEXT  its password; better --password-file FILE or RIBSCOPE_CLICKHOUSE_PASSWORD: everybody
                   on the machine can see a command line
  --cluster NAME   replicated and distributed tables on all nodes of that cluster of the server
  --print          print the SQL for an empty server and execute nothing
  --json           what was applied as JSON`,
  options: {
    data: { type: 'string', default: './ribscope-data' },
    url: { type: 'string' },
    user: { type: 'string' },
    password: { type: 'string' },
    'password-file': { type: 'string' },
    cluster: { type: 'string' },
    print: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  env: {
    data: 'RIBSCOPE_DATA',
    url: 'RIBSCOPE_CLICKHOUSE_URL',
    user: 'RIBSCOPE_CLICKHOUSE_USER',
    password: 'RIBSCOPE_CLICKHOUSE_PASSWORD',
    'password-file': 'RIBSCOPE_CLICKHOUSE_PASSWORD_FILE',
    cluster: 'RIBSCOPE_CLICKHOUSE_CLUSTER',
  },
  async run(ctx) {
    const [{ checkClusterName, migrate, schemaScript, StoreError }, { detectorViews }] =
      await Promise.all([import('@ribscope/store'), import('@ribscope/detectors')])
    const cluster = text(ctx.values, 'cluster')
    try {
      if (cluster !== undefined) checkClusterName(cluster)
    } catch (error) {
      throw new UsageError(`--cluster: ${(error as Error).message}`)
    }
    if (flag(ctx.values, 'print')) {
      ctx.stdout.write(schemaScript(detectorViews(), { cluster }))
      return 0
    }
    if (cluster !== undefined && text(ctx.values, 'url') === undefined) {
      throw new UsageError('--cluster needs --url: an embedded store is one process (or --print)')
    }
    try {
      const store = await open(ctx)
      try {
        const session = await store.session('migrate')
        const result = await migrate(session, detectorViews(), { cluster })
        ctx.stdout.write(
          flag(ctx.values, 'json')
            ? `${JSON.stringify(result)}\n`
            : `schema version ${String(result.version)}, ${String(result.applied.length)} migrations applied\n`,
        )
        return 0
      } finally {
        await store.close()
      }
    } catch (error) {
      if (error instanceof StoreError) throw new CommandError(error.message)
      throw error
    }
  },
}

async function open(ctx: Context): Promise<Store> {
  const { openEmbeddedStore, openServerStore } = await import('@ribscope/store')
  return text(ctx.values, 'url') === undefined
    ? await openEmbeddedStore({ dataDir: text(ctx.values, 'data') ?? './ribscope-data' })
    : openServerStore(serverOf(ctx))
}
