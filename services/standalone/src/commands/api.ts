/** `ribscope api`: the HTTP API over a ClickHouse server. */
import type { Command } from '../command.ts'
import { serverOf, STORE, waitOf } from '../connect.ts'
import { flagsOf } from '../flags.ts'
import { configFlag, fabricOf, LOG, noArguments, serve } from '../start.ts'
import { flag, hostPort, text } from '../values.ts'

export const command: Command = {
  name: 'api',
  summary: 'serve the HTTP API over ClickHouse',
  ...flagsOf(
    'ribscope api [flags]',
    configFlag('fabric.yaml, for auth.tokens_file, http.hosts and http.origins'),
    {
      usage: `  --http HOST:PORT     where it listens (default 127.0.0.1:8080)
  --tokens-file FILE   bearer tokens, in place of auth.tokens_file
  --insecure           serve HTTP beyond loopback without tokens`,
      options: {
        http: { type: 'string', default: '127.0.0.1:8080' },
        'tokens-file': { type: 'string' },
        insecure: { type: 'boolean' },
      },
      env: {
        http: 'RIBSCOPE_HTTP',
        'tokens-file': 'RIBSCOPE_TOKENS_FILE',
        insecure: 'RIBSCOPE_INSECURE',
      },
    },
    STORE,
    LOG,
  ),
  async run(ctx) {
    noArguments(ctx)
    const http = hostPort('--http', ctx.values['http'])
    const store = serverOf(ctx)
    const waitMs = waitOf(ctx)
    const config = await fabricOf(ctx)
    return serve(ctx, 'api', async (log) => {
      const { startApi } = await import('../services/api.ts')
      const running = await startApi({
        api: {
          ...http,
          hosts: config.http.hosts,
          origins: config.http.origins,
          tokensFile: text(ctx.values, 'tokens-file') ?? config.auth.tokens_file,
          insecure: flag(ctx.values, 'insecure'),
        },
        store,
        waitMs,
        log,
        signal: ctx.signal,
      })
      log.info({ url: store.url, http: running.api.address?.url }, 'api is up')
      return running
    })
  },
}
