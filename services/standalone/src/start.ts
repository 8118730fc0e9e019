/** What all services share at their start: the log, the inventory, waiting for the end, errors that people understand. */
import type { FabricConfig } from '@ribscope/fabric'
import type { Retention } from '@ribscope/store'
import type { Logger } from 'pino'
import { CommandError, UsageError, type Context, type Flags } from './command.ts'
import { flag, oneOf, text } from './values.ts'

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

export const LOG: Flags = {
  usage: `  --log-level LEVEL    ${LEVELS.join(', ')} (default info)
  --json               logs as JSON also on a terminal`,
  options: {
    'log-level': { type: 'string', default: 'info' },
    json: { type: 'boolean' },
  },
  env: { 'log-level': 'RIBSCOPE_LOG_LEVEL' },
}

export const KEEP: Flags = {
  usage: `  --keep-log DAYS      how long events are kept (default 30; 0: for ever); current state stays
  --keep-aggregates DAYS  transitions, findings, sessions, time series (default 400)
  --keep-errors DAYS   what did not decode (default 7)`,
  options: {
    'keep-log': { type: 'string', default: '30' },
    'keep-aggregates': { type: 'string', default: '400' },
    'keep-errors': { type: 'string', default: '7' },
  },
  env: {
    'keep-log': 'RIBSCOPE_KEEP_LOG',
    'keep-aggregates': 'RIBSCOPE_KEEP_AGGREGATES',
    'keep-errors': 'RIBSCOPE_KEEP_ERRORS',
  },
}

/** @throws UsageError for what is no number of days */
export function retentionOf(ctx: Context): Retention {
  const days = (name: string): number => {
    const given = text(ctx.values, name) ?? ''
    if (/^\d{1,5}$/.test(given)) return Number(given)
    throw new UsageError(`--${name} ${JSON.stringify(given)}: expected a number of days`)
  }
  return {
    logDays: days('keep-log'),
    aggregateDays: days('keep-aggregates'),
    errorDays: days('keep-errors'),
  }
}

/** `--config`. @param about  what the command reads there */
export const configFlag = (about: string): Flags => ({
  usage: `  --config FILE        ${about}`,
  options: { config: { type: 'string' } },
  env: { config: 'RIBSCOPE_CONFIG' },
})

/** fabric.yaml of `--config`, else what is inferred. Its warnings go to stderr. */
export async function fabricOf(ctx: Context, demo = false): Promise<FabricConfig> {
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

export async function loggerOf(ctx: Context): Promise<Logger> {
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

/** @throws UsageError: a service takes flags only */
export function noArguments(ctx: Context): void {
  if (ctx.positionals.length === 0) return
  throw new UsageError(`unexpected argument ${JSON.stringify(ctx.positionals[0])}`)
}

/**
 * Runs a service until the process is told to end.
 *
 * @param start  from what to start it is up; told to end before that, it may throw the signal's reason
 * @returns the exit code
 */
export async function serve(
  ctx: Context,
  name: string,
  start: (log: Logger) => Promise<{ stop(): Promise<void> }>,
): Promise<number> {
  const log = (await loggerOf(ctx)).child({ service: name })
  try {
    const running = await start(log)
    await untilAborted(ctx.signal)
    log.info('stopping')
    await running.stop()
  } catch (error) {
    if (!ctx.signal.aborted) throw startError(error)
  }
  log.info('stopped')
  return 0
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => {
      resolve()
    })
  })
}

/** Errors of other people's making in one line. */
const PLAIN = new Set(['StoreError', 'BusError', 'ChdbPlatformUnsupportedError'])

export function startError(error: unknown): Error {
  if (!(error instanceof Error)) return new CommandError(String(error))
  const { code, address, port } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  if (code === 'EADDRINUSE') {
    return new CommandError(`${address ?? ''}:${String(port ?? '')} is in use by another program`)
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') return new CommandError(error.message)
  if (PLAIN.has(error.name)) return new CommandError(error.message)
  return error
}

/**
 * Starts parts: those that are up are stopped when a later one does not start.
 *
 * @returns what `start` gave, with what stops them all
 */
export async function startParts<T extends object>(
  log: Logger,
  start: (stops: Stops) => Promise<T>,
): Promise<T & { stop(): Promise<void> }> {
  const stops = new Stops(log)
  try {
    return { ...(await start(stops)), stop: () => stops.run() }
  } catch (error) {
    await stops.run()
    throw error
  }
}

/**
 * Parts are started in order and stopped in reverse; what one stop throws is logged and does not keep the next from stopping.
 */
export class Stops {
  readonly #stops: (() => Promise<void>)[] = []
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  push(stop: () => Promise<void>): void {
    this.#stops.push(stop)
  }

  async run(): Promise<void> {
    for (const each of this.#stops.splice(0).reverse()) {
      await each().catch((err: unknown) => {
        this.#log.error({ err }, 'stop failed')
      })
    }
  }
}
