/** What a command is, and what its `run` gets. The frame that runs it is `index.ts`. */
import type { ParseArgsConfig } from 'node:util'

export type Options = NonNullable<ParseArgsConfig['options']>
export type Value = string | boolean | (string | boolean)[] | undefined

export interface Context {
  /** Flags by long name: the command line wins over the environment, that over `default`. */
  readonly values: Readonly<Record<string, Value>>
  readonly positionals: readonly string[]
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  /** Aborted by the first SIGINT or SIGTERM, and when the reader of stdout went away. */
  readonly signal: AbortSignal
}

/** Flags, of a command or of a part that several commands have. */
export interface Flags {
  /** A line per flag; of a command, everything below the summary in `ribscope NAME --help`: the call, then those lines. */
  readonly usage: string
  readonly options: Options
  /** Environment twins: flag (long name, without dashes) -> variable. All are listed in `env.ts`. */
  readonly env: Readonly<Record<string, string>>
}

export interface Command extends Flags {
  readonly name: string
  /** One line for `ribscope --help`; the same words as in `table.ts`. */
  readonly summary: string
  /** @returns the exit code */
  run(ctx: Context): Promise<number>
}

/**
 * The caller's mistake: one line that says what and where; exit 2. Packages that can't import this
 * class give their own errors `exitCode = 2` to the same effect (FabricError does).
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly exitCode = 2
}

/** A failure that is nobody's bug (a server is away, a port is taken): one line, exit 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode = 1
}
