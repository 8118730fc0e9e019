/** `ribscope record`: keeps what routers send, for replay, analyze and decode. */
import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { CommandError, UsageError, type Command } from '../command.ts'
import { hostPort, text } from '../values.ts'

export const command: Command = {
  name: 'record',
  summary: 'keep what routers send as recordings',
  usage: `ribscope record --out DIR [--bmp HOST:PORT] [--allow CIDR ...]

  --out DIR        folder for the recordings (made if need be, nothing in it is overwritten)
  --bmp HOST:PORT  where routers connect (default 0.0.0.0:11019)
  --allow CIDR     who may connect (default: private, link-local and loopback addresses)

Per BMP session NAME.bmp with the octets and NAME.times with their arrival times. Runs until SIGINT or SIGTERM.`,
  options: {
    out: { type: 'string' },
    bmp: { type: 'string', default: '0.0.0.0:11019' },
    allow: { type: 'string', multiple: true },
  },
  env: { bmp: 'RIBSCOPE_BMP' },
  async run(ctx) {
    if (ctx.positionals.length > 0) {
      throw new UsageError(`record: unexpected argument ${JSON.stringify(ctx.positionals[0])}`)
    }
    const folder = text(ctx.values, 'out')
    if (folder === undefined) throw new UsageError('record: --out DIR is missing')
    const { host, port } = hostPort('--bmp', ctx.values['bmp'], '0.0.0.0')
    const allow = ctx.values['allow'] as string[] | undefined
    try {
      mkdirSync(folder, { recursive: true })
    } catch (error) {
      throw new UsageError(`--out ${folder}: ${(error as Error).message}`)
    }
    const { createAllowList, createRecorder } = await import('@ribscope/collector')
    try {
      createAllowList(allow)
    } catch (error) {
      throw new UsageError(`--allow: ${(error as Error).message}`)
    }
    const failures: string[] = []
    const say = (line: string): void => {
      ctx.stderr.write(`${line}\n`)
    }
    const recorder = createRecorder(
      { host, port, folder, ...(allow === undefined ? {} : { allow }) },
      {
        onOpen: (path, source) => {
          say(`${basename(path)}: from ${source}`)
        },
        onEnd: (path, how, octets) => {
          say(`${basename(path)}: ${octets} octets, ${how}`)
        },
        onRefused: (source) => {
          say(`refused ${source}: not allowed, see --allow`)
        },
        onError: (source, error) => {
          failures.push(error.message)
          say(`session from ${source}: ${error.message}`)
        },
      },
    )
    await recorder.start().catch((error: unknown) => {
      throw new CommandError(`--bmp ${host}:${port}: ${(error as Error).message}`)
    })
    const address = recorder.address
    say(`recording to ${folder}, routers connect to ${host}:${address?.port ?? port}`)
    await new Promise<void>((resolve) => {
      if (ctx.signal.aborted) resolve()
      ctx.signal.addEventListener('abort', () => {
        resolve()
      })
    })
    await recorder.stop()
    return failures.length > 0 ? 1 : 0
  },
}
