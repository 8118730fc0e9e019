/** `npm run chaos -- --rounds N --seed S ...`: exit 1 on any difference, 2 on a wrong flag. */
import { parseArgs } from 'node:util'
import { chaos, type ChaosOptions } from './run.ts'
import { PLANTS } from './plants.ts'

const USAGE = `npm run chaos -- [flags]

  --rounds N      rounds of mishaps (default 10)
  --seed S        of what goes wrong when (default: a new one, printed)
  --routers R     simulated routers (default 12)
  --peers N       of each (default 4)    --routes N  of each peer (default 12)
  --pace MS       between changes of a router (default 60)
  --collectors C  (default 2)            --writers W (default 2)
  --brokers B     1 or 3 (default 1)     --partitions P (default 4)
  --plant NAME,...  a bug that is to be found, one for each writer in turn: ${Object.keys(PLANTS).join(', ')}
  --json          the result as JSON on stdout, progress on stderr
`

const { values } = parseArgs({
  options: {
    ...{ rounds: { type: 'string', default: '10' }, seed: { type: 'string' } },
    ...{ routers: { type: 'string', default: '12' }, peers: { type: 'string', default: '4' } },
    ...{ routes: { type: 'string', default: '12' }, pace: { type: 'string', default: '60' } },
    ...{ collectors: { type: 'string', default: '2' }, writers: { type: 'string', default: '2' } },
    ...{ brokers: { type: 'string', default: '1' }, partitions: { type: 'string', default: '4' } },
    ...{ plant: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  },
})

function number(name: keyof typeof values): number {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= 0) return value
  process.stderr.write(`--${name} ${String(values[name])}: expected a whole number\n`)
  process.exit(2)
}

if (values.help === true) {
  process.stdout.write(USAGE)
  process.exit(0)
}
const plants = values.plant?.split(',') ?? []
for (const plant of plants) {
  if (plant in PLANTS) continue
  process.stderr.write(`--plant ${plant}: one of ${Object.keys(PLANTS).join(', ')}\n`)
  process.exit(2)
}
const progress = values.json === true ? process.stderr : process.stdout
const options: ChaosOptions = {
  rounds: number('rounds'),
  seed: values.seed === undefined ? Date.now() % 1_000_000 : number('seed'),
  ...{ routers: number('routers'), peers: number('peers'), routes: number('routes') },
  ...{ paceMs: number('pace'), collectors: number('collectors'), writers: number('writers') },
  ...{ brokers: number('brokers'), partitions: number('partitions'), plants },
  say: (line) => progress.write(`${line}\n`),
}
// So that what was started ends too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
progress.write(`seed ${options.seed}\n`)
const result = await chaos(options)
if (values.json === true) process.stdout.write(`${JSON.stringify(result)}\n`)
else {
  const { differences, ...figures } = result
  for (const each of differences.slice(0, 30)) process.stdout.write(`${each}\n`)
  if (differences.length > 30) process.stdout.write(`and ${differences.length - 30} more\n`)
  process.stdout.write(
    `${differences.length === 0 ? 'no difference' : `${differences.length} differences`}: ${JSON.stringify(figures)}\n`,
  )
}
process.exit(result.differences.length === 0 ? 0 : 1)
