/**
 * The command line frame: finds the command, reads flags and their environment twins, turns signals
 * into an AbortSignal and errors into one line and an exit code (usage 2, else 1).
 */
import { readFileSync } from 'node:fs'
import { UsageError, type Command, type Context } from './command.ts'
import { readFlags } from './flags.ts'
import { COMMANDS } from './table.ts'

export { CommandError, UsageError } from './command.ts'
export type { Command, Context, Options, Value } from './command.ts'

export interface Io {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/** Runs `ribscope ARGV...` and ends the process with its exit code. */
export async function main(argv: string[]): Promise<void> {
  const abort = new AbortController()
  stopOnSignals(abort)
  stayQuietOnEpipe()
  const { stdout, stderr, env } = process
  const code = await runCommand(argv, { stdout, stderr, env, signal: abort.signal })
  await Promise.all([drained(stdout), drained(stderr)])
  // Not process.exitCode alone: a handle that a command forgot must not keep a finished program.
  process.exit(code)
}

/** The same without a process around it. @returns the exit code; throws nothing. */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  let name = ''
  try {
    const [first, ...rest] = argv
    if (first === undefined) {
      io.stderr.write(programHelp())
      return 2
    }
    if (first === '--version' || first === '-V') {
      io.stdout.write(`ribscope ${version()}\n`)
      return 0
    }
    if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
      io.stdout.write(programHelp())
      return 0
    }
    const args = first === 'help' ? [...rest, '--help'] : rest
    const wanted = first === 'help' ? (rest[0] ?? '') : first
    const entry = COMMANDS.find((each) => each.name === wanted)
    if (!entry) throw await unknownCommand(wanted)
    name = ` ${entry.name}`
    const { command } = await entry.load()
    if (asksForHelp(args)) {
      io.stdout.write(commandHelp(command))
      return 0
    }
    const { values, positionals } = await readFlags(command, args, io.env)
    const { stdout, stderr, signal } = io
    const context: Context = { values, positionals, stdout, stderr, signal }
    return await command.run(context)
  } catch (error) {
    const { line, code } = explain(error, io.env['RIBSCOPE_DEBUG'] === '1')
    // A command may have named itself: once is enough.
    const own = `${name.trim()}: `
    const text = line.startsWith(own) ? line.slice(own.length) : line
    io.stderr.write(`ribscope${name}: ${text}\n`)
    return code
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h')
}

async function unknownCommand(name: string): Promise<Error> {
  const { didYouMean } = await import('@ribscope/fabric')
  const what = name.startsWith('-') ? 'unknown flag' : 'unknown command'
  const known = [...COMMANDS.map((each) => each.name), 'help', '--help', '--version']
  return new UsageError(`${what} ${JSON.stringify(name)}${didYouMean(name, known)}; see --help`)
}

function programHelp(): string {
  const width = Math.max(...COMMANDS.map((each) => each.name.length))
  const lines = COMMANDS.map((each) => `  ${each.name.padEnd(width)}  ${each.summary}`)
  return [
    'ribscope: BMP/BGP route analytics for datacentre fabrics',
    '',
    'usage: ribscope COMMAND [FLAGS]',
    '',
    ...lines,
    '',
    '  ribscope COMMAND --help   flags of a command and their environment twins',
    '  ribscope --version',
    '',
  ].join('\n')
}

function commandHelp(command: Command): string {
  const twins = Object.entries(command.env)
  const width = Math.max(0, ...twins.map(([flag]) => flag.length + 2))
  const env = twins.map(([flag, variable]) => `  ${`--${flag}`.padEnd(width)}  ${variable}`)
  return [
    `ribscope ${command.name}: ${command.summary}`,
    '',
    command.usage.trim(),
    '',
    ...(env.length > 0 ? ['environment, when the flag is absent:', ...env, ''] : []),
  ].join('\n')
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** System errors that mean "the path you gave": the caller's mistake. */
const BAD_PATH = new Set([
  'ENOENT',
  'EACCES',
  'EISDIR',
  'ENOTDIR',
  'EPERM',
  'ELOOP',
  'ENAMETOOLONG',
])

function explain(error: unknown, debug: boolean): { line: string; code: number } {
  if (!(error instanceof Error)) return { line: String(error), code: 1 }
  const { exitCode, code, syscall, path } = error as NodeJS.ErrnoException & { exitCode?: unknown }
  const oneLine = error.message.split('\n').join(' ')
  const stack = debug ? `\n${error.stack ?? ''}` : ''
  if (typeof exitCode === 'number') return { line: oneLine + stack, code: exitCode }
  if (typeof code === 'string' && syscall !== undefined) {
    // Node's "ENOENT: no such file or directory, open 'x'" -> "x: no such file or directory"
    const reason = /^[A-Z0-9_]+: ([^,]+)/.exec(oneLine)?.[1]
    const line = path !== undefined && reason !== undefined ? `${path}: ${reason}` : oneLine
    return { line: line + stack, code: path !== undefined && BAD_PATH.has(code) ? 2 : 1 }
  }
  const hint = debug ? stack : ' (a bug; RIBSCOPE_DEBUG=1 shows where)'
  return { line: `${error.name}: ${oneLine}${hint}`, code: 1 }
}

/** A second signal ends the process at once, unless it is the same Ctrl-C passed on by npm. */
const REPEAT_MS = 1000

function stopOnSignals(abort: AbortController): void {
  let firstAt: number | undefined
  const stop = (signal: NodeJS.Signals, number: number): void => {
    const now = performance.now()
    if (firstAt !== undefined && now - firstAt > REPEAT_MS) process.exit(128 + number)
    firstAt ??= now
    abort.abort(signal)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

/** `ribscope decode x | head` is no error. */
function stayQuietOnEpipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
}

/** Pipes are written asynchronously: wait, or process.exit would cut the output. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => {
      resolve()
    })
  })
}
