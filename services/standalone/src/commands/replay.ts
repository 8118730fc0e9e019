/** `ribscope replay`: plays recordings to a collector. */
import { CommandError, UsageError, type Command } from '../command.ts'
import { hostPort, number, text } from '../values.ts'

/** Between two lines of progress on a terminal. */
const PROGRESS_MS = 200

export const command: Command = {
  name: 'replay',
  summary: 'play recordings to a collector',
  usage: `ribscope replay PATH... --to HOST:PORT [--speed N|max] [--hold SECONDS]

  PATH             folders or .bmp files; all of them are one fabric on one clock
  --to HOST:PORT   the collector
  --speed N|max    N times the recorded pace (default 1), or as fast as the collector reads
  --hold SECONDS   sessions that did not end in the recording stay open so long after the last octet

A connection per session, from the recording's own source where that is a loopback address.`,
  options: {
    to: { type: 'string' },
    speed: { type: 'string' },
    hold: { type: 'string' },
  },
  env: {},
  async run(ctx) {
    if (ctx.positionals.length === 0) throw new UsageError('replay: expected PATH...')
    const to = text(ctx.values, 'to')
    if (to === undefined) throw new UsageError('replay: --to HOST:PORT is missing')
    const { host, port } = hostPort('--to', to)
    const speed =
      text(ctx.values, 'speed') === 'max'
        ? Infinity
        : (number(ctx.values, 'speed', { min: 0.001, max: 1_000_000 }) ?? 1)
    const hold = number(ctx.values, 'hold', { min: 0, max: 86_400 }) ?? 0
    const { listRecordings } = await import('@ribscope/events')
    const { replay } = await import('@ribscope/collector')
    const recordings = await listRecordings(ctx.positionals)

    const terminal = 'isTTY' in ctx.stderr && ctx.stderr.isTTY === true
    const started = performance.now()
    let shown = 0
    const result = await replay({
      recordings,
      host,
      port,
      speed,
      holdMs: hold * 1000,
      signal: ctx.signal,
      onProgress: ({ octets, totalOctets, us, sessions }) => {
        const now = performance.now()
        if (!terminal || now - shown < PROGRESS_MS) return
        shown = now
        const percent = Math.floor((100 * octets) / Math.max(1, totalOctets))
        const at = (us / 1e6).toFixed(1)
        ctx.stderr.write(`\r${percent} %  ${sessions} sessions  ${at} s of the recording\u001b[K`)
      },
    }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      throw new CommandError(`--to ${host}:${port}: ${(error as Error).message}`)
    })
    if (terminal) ctx.stderr.write('\r\u001b[K')
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    ctx.stderr.write(`sent ${result.octets} octets in ${result.sessions} sessions, ${seconds} s\n`)
    for (const failure of result.failures) ctx.stderr.write(`ribscope replay: ${failure}\n`)
    return result.failures.length > 0 || ctx.signal.aborted ? 1 : 0
  },
}
