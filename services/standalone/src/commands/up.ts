/** `ribscope up`: everything in one process. */
import { BMP, listenersOf } from '../bmp-config.ts'
import { UsageError, type Command } from '../command.ts'
import { flagsOf } from '../flags.ts'
import {
  configFlag,
  fabricOf,
  KEEP,
  LOG,
  loggerOf,
  noArguments,
  retentionOf,
  startError,
  untilAborted,
} from '../start.ts'
import { flag, hostPort, text } from '../values.ts'

export const command: Command = {
  name: 'up',
  summary: 'run everything in one process: BMP in, findings and HTTP out',
  ...flagsOf(
    'ribscope up [flags]',
    configFlag('fabric.yaml (default: everything is inferred)'),
    BMP,
    {
      usage: `  --http HOST:PORT     API (default 127.0.0.1:8080)
  --clickhouse-http HOST:PORT  ClickHouse's own HTTP interface, read-only (default: none)
  --data DIR           data directory (default ./ribscope-data)
  --data-limit LIMIT   how full the volume may get, N% or octets (default 80%)`,
      options: {
        http: { type: 'string', default: '127.0.0.1:8080' },
        'clickhouse-http': { type: 'string' },
        data: { type: 'string', default: './ribscope-data' },
        'data-limit': { type: 'string', default: '80%' },
      },
      env: {
        http: 'RIBSCOPE_HTTP',
        'clickhouse-http': 'RIBSCOPE_CLICKHOUSE_HTTP',
        data: 'RIBSCOPE_DATA',
        'data-limit': 'RIBSCOPE_DATA_LIMIT',
      },
    },
    KEEP,
    {
      usage: `  --demo               also play a simulated fabric in trouble, with short holds
  --insecure           serve HTTP beyond loopback without tokens`,
      options: { demo: { type: 'boolean' }, insecure: { type: 'boolean' } },
      env: { insecure: 'RIBSCOPE_INSECURE' },
    },
    LOG,
  ),
  async run(ctx) {
    noArguments(ctx)
    const http = hostPort('--http', ctx.values['http'])
    const given = text(ctx.values, 'clickhouse-http')
    const clickhouseHttp = given === undefined ? undefined : hostPort('--clickhouse-http', given)
    const dataLimit = limit(text(ctx.values, 'data-limit') ?? '80%')
    const dataDir = text(ctx.values, 'data') ?? './ribscope-data'
    const retention = retentionOf(ctx)
    const demo = flag(ctx.values, 'demo')
    const config = await fabricOf(ctx, demo)
    const bmp = await listenersOf(ctx, config)
    const log = await loggerOf(ctx)
    const { startUp } = await import('../up.ts')

    const running = await startUp({
      bmp,
      http,
      clickhouseHttp,
      dataDir,
      dataLimit,
      retention,
      config,
      insecure: flag(ctx.values, 'insecure'),
      log,
    }).catch((error: unknown) => {
      throw startError(error)
    })
    const address = running.bmp.address
    log.info(
      {
        bmp: address === undefined ? undefined : `${address.address}:${String(address.port)}`,
        http: running.api.address?.url,
        clickhouseHttp: running.clickhouse?.address?.url,
      },
      'ribscope is up: point routers here',
    )
    const demoEnds = new AbortController()
    let playing: Promise<void> = Promise.resolve()
    if (demo && address !== undefined) {
      log.warn('demo: a simulated fabric in trouble, with holds of a few seconds')
      const { startDemo } = await import('@ribscope/simulator')
      playing = startDemo({ host: '127.0.0.1', port: address.port, signal: demoEnds.signal, log })
    }
    await untilAborted(ctx.signal)
    log.info('stopping')
    // The collector ends the sessions, as it does with real routers: the demo's do not count as lost feeds.
    await running.stop()
    demoEnds.abort()
    await playing.catch((err: unknown) => {
      log.error({ err }, 'demo ended')
    })
    log.info('stopped: what was received is stored')
    return 0
  },
}

function limit(given: string): { share: number } | { octets: number } {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(given)
  if (percent !== null && Number(percent[1]) > 0 && Number(percent[1]) <= 100) {
    return { share: Number(percent[1]) / 100 }
  }
  if (/^\d{1,16}$/.test(given) && Number(given) > 0) return { octets: Number(given) }
  throw new UsageError(`--data-limit ${JSON.stringify(given)}: expected N% or octets`)
}
