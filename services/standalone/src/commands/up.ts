/** `ribscope up`: everything in one process. */
import { CommandError, UsageError, type Command, type Context } from '../command.ts'
import { flag, hostPort, oneOf, text, v4Tlvs } from '../values.ts'
import type { FabricConfig } from '@ribscope/fabric'
import type { Logger } from 'pino'

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

export const command: Command = {
  name: 'up',
  summary: 'run everything in one process: BMP in, findings and HTTP out',
  usage: `ribscope up [flags]

  --config FILE        fabric.yaml (default: everything is inferred)
  --bmp HOST:PORT      where routers connect (default 0.0.0.0:11019)
  --bmp-v4 TABLE       code points of TLVs in BMP version 4 (default auto; see ribscope decode --help)
  --http HOST:PORT     API (default 127.0.0.1:8080)
  --clickhouse-http HOST:PORT  ClickHouse's own HTTP interface, read-only (default: none)
  --data DIR           data directory (default ./ribscope-data)
  --data-limit LIMIT   how full the volume may get, N% or octets (default 80%)
  --keep-log DAYS      how long events are kept (default 30; 0: for ever); current state stays
  --keep-aggregates DAYS  transitions, findings, sessions, time series (default 400)
  --keep-errors DAYS   what did not decode (default 7)
  --demo               also play a simulated fabric in trouble, with short holds
  --insecure           serve HTTP beyond loopback without tokens
  --log-level LEVEL    ${LEVELS.join(', ')} (default info)
  --json               logs as JSON also on a terminal`,
  options: {
    config: { type: 'string' },
    bmp: { type: 'string', default: '0.0.0.0:11019' },
    'bmp-v4': { type: 'string' },
    http: { type: 'string', default: '127.0.0.1:8080' },
    'clickhouse-http': { type: 'string' },
    data: { type: 'string', default: './ribscope-data' },
    'data-limit': { type: 'string', default: '80%' },
    'keep-log': { type: 'string', default: '30' },
    'keep-aggregates': { type: 'string', default: '400' },
    'keep-errors': { type: 'string', default: '7' },
    demo: { type: 'boolean' },
    insecure: { type: 'boolean' },
    'log-level': { type: 'string', default: 'info' },
    json: { type: 'boolean' },
  },
  env: {
    config: 'RIBSCOPE_CONFIG',
    bmp: 'RIBSCOPE_BMP',
    'bmp-v4': 'RIBSCOPE_BMP_V4',
    http: 'RIBSCOPE_HTTP',
    'clickhouse-http': 'RIBSCOPE_CLICKHOUSE_HTTP',
    data: 'RIBSCOPE_DATA',
    'data-limit': 'RIBSCOPE_DATA_LIMIT',
    'keep-log': 'RIBSCOPE_KEEP_LOG',
    'keep-aggregates': 'RIBSCOPE_KEEP_AGGREGATES',
    'keep-errors': 'RIBSCOPE_KEEP_ERRORS',
    insecure: 'RIBSCOPE_INSECURE',
    'log-level': 'RIBSCOPE_LOG_LEVEL',
  },
  async run(ctx) {
    if (ctx.positionals.length > 0) {
      throw new UsageError(`up: unexpected argument ${JSON.stringify(ctx.positionals[0])}`)
    }
    const bmp = hostPort('--bmp', ctx.values['bmp'], '0.0.0.0')
    const http = hostPort('--http', ctx.values['http'])
    const given = text(ctx.values, 'clickhouse-http')
    const clickhouseHttp = given === undefined ? undefined : hostPort('--clickhouse-http', given)
    const dataLimit = limit(text(ctx.values, 'data-limit') ?? '80%')
    const dataDir = text(ctx.values, 'data') ?? './ribscope-data'
    const retention = {
      logDays: days(ctx, 'keep-log'),
      aggregateDays: days(ctx, 'keep-aggregates'),
      errorDays: days(ctx, 'keep-errors'),
    }
    const demo = flag(ctx.values, 'demo')
    const config = await fabricOf(ctx, demo)
    const table = await v4Tlvs(ctx.values, config.bmp.v4_tlvs)
    const log = await logger(ctx)
    const { startUp } = await import('../up.ts')

    const running = await startUp({
      bmp: { ...bmp, v4Tlvs: table },
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
    await new Promise<void>((resolve) => {
      if (ctx.signal.aborted) resolve()
      ctx.signal.addEventListener('abort', () => {
        resolve()
      })
    })
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

async function fabricOf(ctx: Context, demo: boolean): Promise<FabricConfig> {
  const { defaultFabric, loadFabric, parseFabric } = await import('@ribscope/fabric')
  const path = text(ctx.values, 'config')
  if (path === undefined && !demo) return defaultFabric()
  const loaded =
    path === undefined
      ? parseFabric((await import('@ribscope/simulator')).demoFabricYaml(), { file: 'demo' })
      : loadFabric(path)
  for (const warning of loaded.warnings) {
    ctx.stderr.write(`${path ?? 'demo'}:${String(warning.line)}: ${warning.message}\n`)
  }
  return loaded.fabric
}

async function logger(ctx: Context): Promise<Logger> {
  const { pino } = await import('pino')
  const level = oneOf(ctx.values, 'log-level', LEVELS) ?? 'info'
  if ('isTTY' in ctx.stderr && ctx.stderr.isTTY === true && !flag(ctx.values, 'json')) {
    const { default: pretty } = await import('pino-pretty')
    return pino(
      { level },
      pretty({
        colorize: true,
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
        destination: 2,
        sync: true,
      }),
    )
  }
  return pino({ level }, pino.destination({ dest: 2, sync: true }))
}

function days(ctx: Context, name: string): number {
  const given = text(ctx.values, name) ?? ''
  if (/^\d{1,5}$/.test(given)) return Number(given)
  throw new UsageError(`--${name} ${JSON.stringify(given)}: expected a number of days`)
}

function limit(given: string): { share: number } | { octets: number } {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(given)
  if (percent !== null && Number(percent[1]) > 0 && Number(percent[1]) <= 100) {
    return { share: Number(percent[1]) / 100 }
  }
  if (/^\d{1,16}$/.test(given) && Number(given) > 0) return { octets: Number(given) }
  throw new UsageError(`--data-limit ${JSON.stringify(given)}: expected N% or octets`)
}

function startError(error: unknown): Error {
  if (!(error instanceof Error)) return new CommandError(String(error))
  const { code, address, port } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  if (code === 'EADDRINUSE') {
    return new CommandError(`${address ?? ''}:${String(port ?? '')} is in use by another program`)
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') return new CommandError(error.message)
  if (error.name === 'StoreError') return new CommandError(error.message)
  return error
}
