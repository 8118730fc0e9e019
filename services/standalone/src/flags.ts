/** Flags of one command: the command line first, then the environment, then the default. */
import { parseArgs } from 'node:util'
import { UsageError, type Command, type Flags, type Options, type Value } from './command.ts'

interface Given {
  readonly values: Record<string, Value>
  readonly positionals: readonly string[]
}

/** @param call  as `ribscope writer [flags]` @param parts  in the order in which help shows them */
export function flagsOf(call: string, ...parts: readonly Flags[]): Flags {
  return {
    usage: `${call}\n\n${parts.map(({ usage }) => usage).join('\n')}`,
    options: Object.assign({}, ...parts.map(({ options }) => options)) as Options,
    env: Object.assign({}, ...parts.map(({ env }) => env)) as Flags['env'],
  }
}

/** `-1h` is a time and no flag: no flag begins with a digit. Hidden from parseArgs behind what no argument can hold. */
const RELATIVE = /^-\d/
const GUARD = '\0'

/** @throws UsageError for an unknown flag, a missing or superfluous value, a bad variable */
export async function readFlags(
  command: Pick<Command, 'options' | 'env'>,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Given> {
  const { options } = command
  // strict is off because its messages are long and know no nearest name; the tokens tell as much.
  const { tokens, positionals: rest } = parseArgs({
    args: args.map((arg) => (RELATIVE.test(arg) ? `${GUARD}${arg}` : arg)),
    options: withoutDefaults(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const unguarded = (text: string): string => (text.startsWith(GUARD) ? text.slice(1) : text)
  const positionals = rest.map(unguarded)
  const values: Record<string, Value> = {}
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, inlineValue } = token
    const value = token.value
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    if (!option) throw await unknownFlag(rawName, options)
    if (option.type === 'boolean') {
      if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
      values[name] = true
      continue
    }
    if (value === undefined || (!inlineValue && /^-./.test(value))) {
      throw new UsageError(`${rawName} needs a value`)
    }
    const before = values[name]
    const own = unguarded(value)
    values[name] = option.multiple ? [...(Array.isArray(before) ? before : []), own] : own
  }
  for (const [name, option] of Object.entries(options)) {
    if (values[name] !== undefined) continue
    const variable = command.env[name]
    const given = variable === undefined ? undefined : env[variable]
    if (variable !== undefined && given !== undefined && given !== '') {
      values[name] = fromEnvironment(variable, given, option)
    } else if (option.default !== undefined) {
      values[name] = option.default
    }
  }
  return { values, positionals }
}

function withoutDefaults(options: Options): Options {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => {
      const { default: _, ...rest } = option
      return [name, rest]
    }),
  )
}

async function unknownFlag(rawName: string, options: Options): Promise<UsageError> {
  const { didYouMean } = await import('@ribscope/fabric')
  const known = [...Object.keys(options).map((name) => `--${name}`), '--help']
  return new UsageError(`unknown flag ${rawName}${didYouMean(rawName, known)}; see --help`)
}

const YES = new Set(['1', 'true', 'yes', 'on'])
const NO = new Set(['0', 'false', 'no', 'off'])

function fromEnvironment(variable: string, given: string, option: Options[string]): Value {
  if (option.type === 'boolean') {
    const word = given.toLowerCase()
    if (YES.has(word)) return true
    if (NO.has(word)) return false
    throw new UsageError(`${variable}=${JSON.stringify(given)}: expected 1 or 0`)
  }
  return option.multiple ? given.split(',').map((part) => part.trim()) : given
}
