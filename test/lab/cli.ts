/** `npm run lab -- ...`: the lab for people. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { labMissing } from './available.ts'
import { fabricYaml } from './fabric.ts'
import { createLab } from './lab.ts'
import type { Lab, Part } from './lab.ts'
import { run } from './machine.ts'
import { Recorder } from './recorder.ts'
import { play, scenario, SCENARIOS } from './scenarios.ts'
import type { PlayOptions } from './scenarios.ts'

const USAGE = `usage: npm run lab -- COMMAND [options]

  list                       the scenarios
  up                         a fabric at rest, until Ctrl-C
  SCENARIO                   a fabric, the scenario, and down again
  record SCENARIO --out DIR  the same into a recorder of its own: recordings, truth.json, fabric.yaml

  --port N        port of the collector; it has to listen on 0.0.0.0 (11019)
  --parts LIST    clos (FRR), evpn (GoBGP) or both: clos,evpn (what the scenario needs)
  --nodes LIST    Kubernetes nodes in each rack (2,2)
  --count N       vip-flap: how many times (5)
  --how HOW       node-down: kill or links (kill)
  --seconds N     how long the trouble of the others lasts
  --idle N        steady: how long nothing happens (10)
  --fabric FILE   where to write the fabric.yaml that describes the lab
  --bmp WHEN      FRR starts BMP: settled (after BGP), boot (before), configured (added later)
  --keep-logs     leave the daemons' files behind, and say where

Root is needed. Nothing leaves this machine, and nothing is left on it.
`

const OPTIONS = {
  port: { type: 'string', default: '11019' },
  parts: { type: 'string' },
  nodes: { type: 'string', default: '2,2' },
  count: { type: 'string' },
  how: { type: 'string' },
  seconds: { type: 'string' },
  idle: { type: 'string' },
  fabric: { type: 'string' },
  out: { type: 'string' },
  bmp: { type: 'string', default: 'settled' },
  'keep-logs': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

class UsageError extends Error {}

const { flags, positionals } = readArguments()

function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS })
    return { flags: values, positionals }
  } catch (error) {
    return die(2, error)
  }
}

interface Arguments {
  readonly flags: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']
  readonly positionals: readonly string[]
}

function die(code: number, error: unknown): never {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(code)
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** @throws UsageError naming the flag and what it takes */
function oneOf<const T extends string>(flag: string, word: string, words: readonly T[]): T {
  const found = words.find((w) => w === word)
  if (found === undefined) throw new UsageError(`--${flag} ${word}: one of ${words.join(', ')}`)
  return found
}

function wholeNumber(flag: string, text: string, max: number): number {
  if (!/^\d+$/.test(text) || Number(text) > max) {
    throw new UsageError(`--${flag} ${text}: a whole number up to ${max}`)
  }
  return Number(text)
}

const port = (): number => wholeNumber('port', flags.port, 65_535)

function playOptions(): PlayOptions {
  const { count, seconds, idle, how } = flags
  return {
    ...(count === undefined ? {} : { count: wholeNumber('count', count, 1000) }),
    ...(seconds === undefined ? {} : { seconds: wholeNumber('seconds', seconds, 3600) }),
    ...(idle === undefined ? {} : { idle: wholeNumber('idle', idle, 3600) }),
    ...(how === undefined ? {} : { how: oneOf('how', how, ['kill', 'links']) }),
  }
}

async function build(fallback: readonly Part[]): Promise<Lab> {
  playOptions() // a wrong flag is told before anything is built
  port()
  const parts =
    flags.parts?.split(',').map((part) => oneOf('parts', part, ['clos', 'evpn'])) ?? fallback
  const missing = labMissing(parts)
  if (missing !== undefined) throw new Error(missing)
  const lab = await createLab({
    parts,
    nodesPerRack: flags.nodes.split(',').map((n) => wholeNumber('nodes', n, 3)),
    bmp: oneOf('bmp', flags.bmp, ['settled', 'boot', 'configured']),
    keepLogs: flags['keep-logs'],
    log: say,
  })
  if (flags.fabric !== undefined) writeFileSync(flags.fabric, fabricYaml(lab))
  if (flags['keep-logs']) say(`files of the daemons: ${lab.dir}`)
  return lab
}

async function up(stopped: Promise<void>): Promise<void> {
  const lab = await build(['clos', 'evpn'])
  try {
    await Promise.race([lab.start({ port: port() }), stopped])
    if (lab.has('clos')) say(`vtysh --vty_socket ${lab.dir}/tor1 -c 'show bgp summary'`)
    if (lab.has('evpn')) say(`gobgp --target unix://${lab.dir}/rr1/api.sock global rib -a evpn`)
    say('up; Ctrl-C takes it down')
    await stopped
  } finally {
    await lab.close()
  }
}

async function act(name: string, stopped: Promise<void>): Promise<void> {
  const lab = await build(scenario(name).parts)
  try {
    await Promise.race([
      stopped,
      (async () => {
        await lab.start({ port: port() })
        await lab.wait(5)
        const truth = await play(lab, name, playOptions())
        say(JSON.stringify({ expect: truth.expect }, null, 1))
        await lab.wait(5)
      })(),
    ])
  } finally {
    await lab.close()
  }
}

async function daemonVersions(): Promise<Record<string, string>> {
  const first = async (file: string): Promise<string> =>
    (await run(file, ['--version'])).split('\n')[0] ?? ''
  return { bgpd: await first('/usr/lib/frr/bgpd'), gobgpd: await first('gobgpd') }
}

async function record(name: string, stopped: Promise<void>): Promise<void> {
  const { out } = flags
  if (out === undefined) throw new UsageError('record: --out DIR is missing')
  const lab = await build(scenario(name).parts)
  try {
    mkdirSync(out, { recursive: true })
    for (const file of readdirSync(out)) {
      if (/\.(bmp|times)$/.test(file)) rmSync(join(out, file))
    }
    const exporters = lab.routers.filter((r) => r.bmp)
    const names = new Map(exporters.map((r) => [lab.source(r), r.name]))
    const recorder = await Recorder.start({ host: lab.host, port: 0, out, names })
    await Promise.race([
      stopped,
      (async () => {
        await lab.start({ port: recorder.port })
        await recorder.quiet(exporters.length)
        const truth = await play(lab, name, playOptions())
        await recorder.quiet(exporters.length)
        await lab.wait(2)
        await recorder.stop()
        const told = { ...truth, daemons: await daemonVersions(), options: playOptions() }
        writeFileSync(join(out, 'truth.json'), `${JSON.stringify(told, null, 1)}\n`)
        writeFileSync(join(out, 'fabric.yaml'), fabricYaml(lab))
        say(`${recorder.octets} octets of BMP in ${out}`)
      })(),
    ])
  } finally {
    await lab.close()
  }
}

async function main(): Promise<void> {
  const [command, name] = positionals
  const stopped = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.exitCode = 130
        done()
      })
    }
  })
  if (command === undefined || flags.help) say(USAGE)
  else if (command === 'list') {
    for (const s of SCENARIOS.values())
      say(`${s.name.padEnd(13)} ${s.parts.join(',').padEnd(10)} ${s.about}`)
  } else if (command === 'up') await up(stopped)
  else if (command === 'record') await record(name ?? '', stopped)
  else await act(command, stopped)
}

main().then(
  // What is still under way after a signal (a wait, a dial) has nothing left to work on.
  () => process.exit(),
  (error: unknown) => die(error instanceof UsageError ? 2 : 1, error),
)
