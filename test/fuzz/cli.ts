/** `npm run fuzz -- ...`: mutates recorded streams and looks whether the decoders keep their word. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Features } from './features.ts'
import { crashKey, fuzz, minimise, type Crash, type FuzzReport } from './fuzzer.ts'
import { hashBytes } from './random.ts'
import { readSeeds } from './seeds.ts'
import { TARGETS } from './targets.ts'

const USAGE = `usage: npm run fuzz -- [options] [FILE ...]

  --seconds N       how long (60)
  --seed S          the same seed tries the same inputs (1); worker i has S + i
  --workers N       threads (1)
  --target LIST     ${TARGETS.map(({ name }) => name).join(', ')} (all)
  --seeds LIST      folders with .bmp, .bgp, .pcap, .mrt files and vectors (test/fixtures, ../shared/vectors)
  --out DIR         where crashing inputs go (.cache/fuzz)
  --no-coverage     not guided by code coverage, only by what the decoders say

FILE: run these inputs once instead, all targets or that of --target. Exit 1 when anything is found.
`

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Settings {
  readonly seconds: number
  readonly seed: number
  readonly workers: number
  readonly targets: readonly string[]
  readonly folders: readonly string[]
  readonly out: string
  readonly coverage: boolean
}

type FromWorker =
  | { readonly kind: 'crash'; readonly crash: Crash }
  | { readonly kind: 'progress' | 'done'; readonly report: FuzzReport }

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: '1' },
      target: { type: 'string' },
      seeds: { type: 'string', default: 'test/fixtures,../shared/vectors' },
      out: { type: 'string', default: '.cache/fuzz' },
      'no-coverage': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  process.chdir(ROOT)
  const targets = values.target?.split(',') ?? TARGETS.map(({ name }) => name)
  for (const name of targets) {
    if (!TARGETS.some((target) => target.name === name)) throw new Error(`--target: no ${name}`)
  }
  const settings: Settings = {
    seconds: positive('--seconds', values.seconds),
    seed: positive('--seed', values.seed),
    workers: positive('--workers', values.workers),
    targets,
    folders: values.seeds.split(','),
    out: values.out,
    coverage: !values['no-coverage'],
  }
  if (positionals.length > 0) return replay(positionals, targets)
  return settings.workers === 1 ? alone(settings) : together(settings)
}

function positive(flag: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${flag}: ${text} is no positive number`)
  return value
}

function replay(paths: readonly string[], targets: readonly string[]): number {
  let code = 0
  for (const path of paths) {
    const bytes = new Uint8Array(readFileSync(path))
    for (const target of TARGETS.filter(({ name }) => targets.includes(name))) {
      try {
        target.run(bytes, new Features())
        console.log(`${path}: ${target.name} good`)
      } catch (error) {
        code = 1
        console.log(`${path}: ${target.name} ${crashKey(error)}`)
        console.log(error)
      }
    }
  }
  return code
}

function work(settings: Settings, post: (message: FromWorker) => void): Promise<FuzzReport> {
  const stop = new AbortController()
  if (isMainThread) {
    process.once('SIGINT', () => {
      stop.abort()
    })
  }
  return fuzz({
    seconds: settings.seconds,
    seed: settings.seed,
    targets: TARGETS.filter(({ name }) => settings.targets.includes(name)),
    seeds: readSeeds(settings.folders, isMainThread ? console.log : () => undefined),
    coverage: settings.coverage,
    signal: stop.signal,
    onCrash: (crash) => {
      post({ kind: 'crash', crash })
    },
    onProgress: (report) => {
      post({ kind: 'progress', report })
    },
  })
}

async function alone(settings: Settings): Promise<number> {
  let crashes = 0
  const report = await work(settings, (message) => {
    if (message.kind === 'crash') {
      crashes++
      keepCrash(settings.out, message.crash)
    } else console.log(line(message.report))
  })
  console.log(`done: ${line(report)}`)
  return crashes > 0 ? 1 : 0
}

async function together(settings: Settings): Promise<number> {
  const reports: FuzzReport[] = []
  const keys = new Set<string>()
  readSeeds(settings.folders, console.log)
  const stopped = Array.from({ length: settings.workers }, (_, i) => {
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: { ...settings, seed: settings.seed + i },
    })
    return new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'crash') {
          if (!keys.has(message.crash.key)) keepCrash(settings.out, message.crash)
          keys.add(message.crash.key)
        } else {
          reports[i] = message.report
          console.log(`worker ${i}: ${line(message.report)}`)
        }
      })
      worker.on('error', reject).on('exit', () => {
        resolve()
      })
    })
  })
  await Promise.all(stopped)
  const sum = (of: (report: FuzzReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0)
  console.log(
    `done: ${sum((r) => r.executions)} executions, ${sum((r) => r.perSecond)}/s, ${keys.size} crashes`,
  )
  return keys.size > 0 ? 1 : 0
}

function line(report: FuzzReport): string {
  const { executions, seconds, perSecond, corpus, found, features, crashes, slowestMs } = report
  return (
    `${Math.round(seconds)} s: ${executions} executions, ${perSecond}/s, corpus ${corpus} (${found} found), ` +
    `${features} features, ${report.coveredOctets} octets of code, slowest ${slowestMs} ms, ${crashes} crashes`
  )
}

function keepCrash(out: string, crash: Crash): void {
  const target = TARGETS.find(({ name }) => name === crash.target)!
  const bytes = crash.key.includes('slow:') ? crash.bytes : minimise(target, crash.bytes, crash.key)
  mkdirSync(out, { recursive: true })
  const path = join(out, `${crash.target}-${hashBytes(bytes).toString(16)}.bin`)
  if (!existsSync(path)) writeFileSync(path, bytes)
  console.log(
    `CRASH after ${crash.executions} executions: ${crash.key}\n${crash.error}\n` +
      `  ${crash.bytes.length} octets, ${bytes.length} when made small: ${path} (${readdirSync(out).length} there)`,
  )
}

if (isMainThread) {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    console.error(`fuzz: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 2
  }
} else {
  process.chdir(ROOT)
  const report = await work(workerData as Settings, (message) => parentPort?.postMessage(message))
  parentPort?.postMessage({ kind: 'done', report } satisfies FromWorker)
}
