/** `ribscope api`: the HTTP API over a ClickHouse server. */
import type { Command } from '../command.ts'
import { serverOf, STORE_ENV, STORE_OPTIONS, STORE_USAGE, waitOf } from '../connect.ts'
import { fabricOf, LOG_ENV, LOG_OPTIONS, LOG_USAGE, noArguments, serve } from '../start.ts'
import { flag, hostPort, text } from '../values.ts'

export const command: Command = {
  name: 'api',
  summary: 'serve the HTTP API over ClickHouse',
  usage: `ribscope api [flags]

  --config FILE        fabric.yaml, for auth.tokens_file, http.hosts and http.origins
  --http HOST:PORT     where it listens (default 127.0.0.1:8080)
  --tokens-file FILE   bearer tokens, in place of auth.tokens_file
  --insecure           serve HTTP beyond loopback without tokens
${STORE_USAGE}
${LOG_USAGE}`,
  options: {
    config: { type: 'string' },
    http: { type: 'string', default: '127.0.0.1:8080' },
    'tokens-file': { type: 'string' },
    insecure: { type: 'boolean' },
    ...STORE_OPTIONS,
    ...LOG_OPTIONS,
  },
  env: {
    config: 'RIBSCOPE_CONFIG',
    http: 'RIBSCOPE_HTTP',
    'tokens-file': 'RIBSCOPE_TOKENS_FILE',
    insecure: 'RIBSCOPE_INSECURE',
    ...STORE_ENV,
    ...LOG_ENV,
  },
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
