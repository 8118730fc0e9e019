import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { UsageError, type Command } from './command.ts'
import { readFlags } from './flags.ts'
import { runCommand } from './index.ts'

async function ribscope(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const signal = new AbortController().signal
  const code = await runCommand(argv, { stdout, stderr, env: {}, signal })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

describe('ribscope', () => {
  test('--help and --version go to stdout, exit 0', async () => {
    expect(await ribscope('--help')).toMatchObject({ code: 0, err: '' })
    expect((await ribscope('help')).out).toContain('usage: ribscope COMMAND')
    expect((await ribscope('--version')).out).toMatch(/^ribscope \d+\.\d+\.\d+\n$/)
  })

  test('without a command: the help on stderr, exit 2', async () => {
    const { code, out, err } = await ribscope()
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('usage: ribscope COMMAND')
  })

  test.each([
    [['decdoe'], 'ribscope: unknown command "decdoe", did you mean decode?; see --help\n'],
    [['--verison'], 'ribscope: unknown flag "--verison", did you mean --version?; see --help\n'],
    [['xyzzy'], 'ribscope: unknown command "xyzzy"; see --help\n'],
  ])('%j is one line and exit 2', async (argv, err) => {
    expect(await ribscope(...argv)).toEqual({ code: 2, out: '', err })
  })
})

describe('flags', () => {
  const command: Pick<Command, 'options' | 'env'> = {
    options: {
      bmp: { type: 'string', default: '0.0.0.0:11019' },
      demo: { type: 'boolean' },
      out: { type: 'string', short: 'o' },
      allow: { type: 'string', multiple: true },
    },
    env: { bmp: 'RIBSCOPE_BMP', demo: 'RIBSCOPE_DEMO', allow: 'RIBSCOPE_ALLOW' },
  }
  const read = async (args: string[], env: Record<string, string> = {}): Promise<unknown> => {
    try {
      return { ...(await readFlags(command, args, env)) }
    } catch (error) {
      if (error instanceof UsageError) return error.message
      throw error
    }
  }

  test('the command line wins over the environment, that over the default', async () => {
    const env = { RIBSCOPE_BMP: ':2' }
    expect(await read(['--bmp', ':1'], env)).toMatchObject({ values: { bmp: ':1' } })
    expect(await read([], env)).toMatchObject({ values: { bmp: ':2' } })
    expect(await read([], { RIBSCOPE_BMP: '' })).toMatchObject({ values: { bmp: '0.0.0.0:11019' } })
  })

  test('booleans, lists, short flags, positionals', async () => {
    expect(
      await read(['a', '--allow', 'x', '-o', 'dir', '--allow=y', '--demo', '-', '--', '-b']),
    ).toEqual({
      values: { bmp: '0.0.0.0:11019', allow: ['x', 'y'], out: 'dir', demo: true },
      positionals: ['a', '-', '-b'],
    })
    expect(await read([], { RIBSCOPE_DEMO: 'yes', RIBSCOPE_ALLOW: 'x, y' })).toMatchObject({
      values: { demo: true, allow: ['x', 'y'] },
    })
    expect(await read([], { RIBSCOPE_DEMO: '0' })).toMatchObject({ values: { demo: false } })
  })

  test.each([
    [['--dmeo'], 'unknown flag --dmeo, did you mean --demo?; see --help'],
    [['-x'], 'unknown flag -x; see --help'],
    [['--constructor'], 'unknown flag --constructor; see --help'],
    [['--out'], '--out needs a value'],
    [['--out', '--demo'], '--out needs a value'],
    [['--demo=1'], '--demo takes no value'],
  ])('%j: %s', async (args, message) => {
    expect(await read(args)).toBe(message)
  })

  test('a bad boolean in the environment names the variable', async () => {
    expect(await read([], { RIBSCOPE_DEMO: 'maybe' })).toBe(
      'RIBSCOPE_DEMO="maybe": expected 1 or 0',
    )
  })
})
