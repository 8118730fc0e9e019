/** `ribscope simulate`: a scenario as a recording, with its fabric.yaml and what is to be found. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, UsageError, type Command, type Context } from '../command.ts'
import { number, flag, text } from '../values.ts'
import type { Parameters, Scenario } from '@ribscope/simulator'

const PARAMETERS = {
  flaps: { min: 1, max: 10_000, integer: true },
  period: { min: 10, max: 3_600 },
  nodes: { min: 1, max: 60, integer: true },
} as const

export const command: Command = {
  name: 'simulate',
  summary: 'write a simulated scenario as a recording',
  usage: `ribscope simulate SCENARIO [flags]
ribscope simulate list [--json]

  --out DIR          where the recording goes (default: ./SCENARIO); truth.json and fabric.yaml too
  --config-out FILE  fabric.yaml to this file as well
  --start SECONDS    Unix time of the scenario's second 0 (default: 2026-11-21 12:00 UTC)
  --seed N           of the jitter (default 1); the same seed gives the same bytes
  --flaps N          how often it goes and comes back, in scenarios that have this
  --period SECONDS   from one flap to the next
  --nodes N          nodes in rack 1
  --json             for list: a JSON array`,
  options: {
    out: { type: 'string' },
    'config-out': { type: 'string' },
    start: { type: 'string' },
    seed: { type: 'string' },
    flaps: { type: 'string' },
    period: { type: 'string' },
    nodes: { type: 'string' },
    json: { type: 'boolean' },
  },
  env: {},
  async run(ctx) {
    const [id, ...rest] = ctx.positionals
    if (id === undefined || rest.length > 0) {
      throw new UsageError('expected one SCENARIO, or list')
    }
    const simulator = await import('@ribscope/simulator')
    if (id === 'list') {
      ctx.stdout.write(list([...simulator.scenarios.values()], flag(ctx.values, 'json')))
      return 0
    }
    const scenario = simulator.scenarios.get(id.toUpperCase())
    if (scenario === undefined) {
      throw new UsageError(`no scenario ${JSON.stringify(id)}; see: ribscope simulate list`)
    }
    const start = number(ctx.values, 'start', { min: 4_000, max: 4_000_000_000, integer: true })
    const seed = number(ctx.values, 'seed', { min: 0, max: 4_294_967_295, integer: true })
    const played = simulator.play(scenario, {
      ...(start === undefined ? {} : { start }),
      ...(seed === undefined ? {} : { seed }),
      parameters: parameters(ctx.values, scenario),
    })
    const folder = text(ctx.values, 'out') ?? scenario.id
    const config = text(ctx.values, 'config-out')
    const others = await writing('out', folder, () => simulator.writeScenario(folder, played))
    if (others.length > 0) {
      throw new CommandError(
        `--out ${folder}: holds other recordings (${others.slice(0, 3).join(', ')}), choose an empty folder`,
      )
    }
    if (config !== undefined) {
      await writing('config-out', config, () => writeFile(config, played.fabricYaml))
    }
    ctx.stdout.write(
      `${scenario.id}: ${scenario.summary}\n` +
        `${played.sessions.length} BMP sessions, ${played.truth.ended - played.truth.started} s, in ${folder}\n` +
        `expected: ${scenario.expectation}\n` +
        `try: ribscope analyze ${folder} --config ${config ?? join(folder, 'fabric.yaml')}\n`,
    )
    return 0
  },
}

/** Those of the flags that the scenario knows. */
function parameters(values: Context['values'], scenario: Scenario): Partial<Parameters> {
  const given: Partial<Parameters> = {}
  for (const name of Object.keys(PARAMETERS) as (keyof Parameters)[]) {
    const value = number(values, name, PARAMETERS[name])
    if (value === undefined) continue
    if (scenario.parameters?.[name] === undefined) {
      const known = Object.keys(scenario.parameters ?? {}).map((each) => `--${each}`)
      const takes = known.length === 0 ? 'takes no parameters' : `takes ${known.join(', ')}`
      throw new UsageError(`--${name}: scenario ${scenario.id} ${takes}`)
    }
    given[name] = value
  }
  return given
}

async function writing<T>(flagName: string, path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const { message } = error as Error
    throw new UsageError(`--${flagName} ${path}: ${message}`)
  }
}

function list(all: readonly Scenario[], json: boolean): string {
  if (json) {
    const items = all.map(({ build: _, ...scenario }) => scenario)
    return `${JSON.stringify(items, null, 2)}\n`
  }
  const line = ({ id, topology, summary, expectation, parameters: own }: Scenario): string => {
    const flags = Object.entries(own ?? {}).map(([name, value]) => `--${name} ${value}`)
    return `${id}  ${topology}  ${summary}\n         -> ${expectation}${flags.length === 0 ? '' : `  [${flags.join(' ')}]`}\n`
  }
  return all.map(line).join('')
}
