import { Coverage } from './coverage.ts'
import { Features } from './features.ts'
import { hashBytes, Random } from './random.ts'
import type { SeedFile } from './seeds.ts'
import type { Target } from './targets.ts'

export interface FuzzOptions {
  readonly seconds: number
  readonly seed: number
  readonly targets: readonly Target[]
  readonly seeds: readonly SeedFile[]
  /** Guided by V8's block coverage too. Slower by a tenth; finds what the results don't show. */
  readonly coverage?: boolean
  readonly onCrash?: (crash: Crash) => void
  readonly onProgress?: (report: FuzzReport) => void
  /** Ends the run early. */
  readonly signal?: AbortSignal
  /** Different crashes after which the run ends. Default 20 */
  readonly maxCrashes?: number
}

export interface Crash {
  readonly target: string
  readonly bytes: Uint8Array
  /** What crashes with the same key are taken to be the same bug. */
  readonly key: string
  readonly error: string
  readonly executions: number
}

export interface FuzzReport {
  readonly executions: number
  readonly seconds: number
  readonly perSecond: number
  readonly corpus: number
  /** Of those, inputs that mutation found. */
  readonly found: number
  readonly features: number
  readonly coveredOctets: number
  readonly crashes: number
  readonly slowestMs: number
}

/** An input that takes more time of the processor, three times in a row, is a finding: nothing here may take long. */
const SLOW_MS = 1000
const CORPUS_PER_TARGET = 4000
const BATCH = 256

interface State {
  readonly target: Target
  readonly corpus: Uint8Array[]
  readonly features: Set<number>
}

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(options.seed)
  const coverage = options.coverage === true ? await Coverage.start() : undefined
  const states: State[] = options.targets.map((target) => ({
    target,
    corpus: [],
    features: new Set(),
  }))
  const crashes = new Set<string>()
  const started = performance.now()
  let executions = 0
  let found = 0
  let slowestMs = 0

  /** @returns whether it showed something new */
  const run = (state: State, bytes: Uint8Array): boolean => {
    executions++
    const features = new Features()
    const from = cpuMs()
    let failure: unknown
    let failed = false
    try {
      state.target.run(bytes, features)
      const ms = cpuMs() - from
      const slow = ms > SLOW_MS && isSlow(state.target, bytes)
      if (ms > slowestMs && (slow || ms <= SLOW_MS)) slowestMs = ms
      if (slow) {
        failed = true
        failure = new Error(`slow: ${Math.round(ms)} ms for ${bytes.length} octets`)
      }
    } catch (error) {
      failed = true
      failure = error
    }
    if (failed) {
      const key = `${state.target.name} ${crashKey(failure)}`
      if (!crashes.has(key)) {
        crashes.add(key)
        const error =
          failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)
        options.onCrash?.({ target: state.target.name, bytes, key, error, executions })
      }
      return false
    }
    let fresh = false
    for (const feature of features.seen) {
      if (state.features.has(feature)) continue
      state.features.add(feature)
      fresh = true
    }
    return fresh
  }

  const keep = (state: State, bytes: Uint8Array): void => {
    const copy = bytes.slice()
    if (state.corpus.length < CORPUS_PER_TARGET) state.corpus.push(copy)
    else state.corpus[random.below(state.corpus.length)] = copy
  }

  const report = (): FuzzReport => {
    const seconds = (performance.now() - started) / 1000
    return {
      executions,
      seconds,
      perSecond: Math.round(executions / Math.max(seconds, 0.001)),
      corpus: states.reduce((sum, { corpus }) => sum + corpus.length, 0),
      found,
      features: states.reduce((sum, { features }) => sum + features.size, 0),
      coveredOctets: coverage?.coveredOctets ?? 0,
      crashes: crashes.size,
      slowestMs: Math.round(slowestMs),
    }
  }

  // The seeds themselves: those alone that show something of their own.
  for (const state of states) {
    const known = new Set<number>()
    for (const { bytes, kind } of options.seeds) {
      for (const input of state.target.seeds(bytes, kind)) {
        const hash = hashBytes(input)
        if (known.has(hash)) continue
        known.add(hash)
        if (run(state, input)) keep(state, input)
      }
    }
    if (state.corpus.length === 0) keep(state, new Uint8Array([3, 0, 0, 0, 6, 4]))
  }
  await coverage?.take()
  const seeded = report()
  options.onProgress?.(seeded)

  const until = started + options.seconds * 1000
  let nextReport = performance.now() + 10_000
  let turn = 0
  while (performance.now() < until && options.signal?.aborted !== true) {
    if (crashes.size >= (options.maxCrashes ?? 20)) break
    const state = states[turn++ % states.length]!
    const batch: Uint8Array[] = []
    const startedAt = performance.now()
    while (batch.length < BATCH && performance.now() - startedAt < 250) {
      // Newer ones twice as often: what was found lately is not worked out yet.
      const { corpus } = state
      const recent = random.oneIn(2) ? Math.min(corpus.length, 64) : corpus.length
      const from = corpus[corpus.length - 1 - random.below(recent)]!
      const input = state.target.mutate(from, corpus, random)
      if (run(state, input)) {
        found++
        keep(state, input)
      } else if (coverage !== undefined) batch.push(input)
      else batch.length++
    }
    if (coverage !== undefined && (await coverage.take()) > 0) {
      // One of them reached code that none had reached: which? Again, in halves, on a clean slate.
      for (const input of await coverage.which(batch, (bytes) => run(state, bytes))) {
        found++
        keep(state, input)
      }
    }
    if (performance.now() >= nextReport) {
      options.onProgress?.(report())
      nextReport += 10_000
    }
    // Workers and tests want their turn.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await coverage?.stop()
  return report()
}

/** Of this process: other programs on the machine don't make an input slow. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function isSlow(target: Target, bytes: Uint8Array): boolean {
  for (let i = 0; i < 2; i++) {
    const from = cpuMs()
    target.run(bytes, new Features())
    if (cpuMs() - from <= SLOW_MS) return false
  }
  return true
}

/** The error's sort and the innermost place of ours, without numbers that depend on the input. */
export function crashKey(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const what = error.message.split('\n')[0]!.replace(/\d+/g, 'N').slice(0, 120)
  const frame = (error.stack ?? '')
    .split('\n')
    .slice(1)
    .find(
      (line) => line.includes('ribscope') || line.includes('packages/') || line.includes('fuzz'),
    )
  const place = /([\w.-]+\.(?:js|ts)):(\d+)/.exec(frame ?? '')?.[0] ?? ''
  return `${error.name}: ${what} ${place}`.trim()
}

/** A shorter input with the same key: pieces left out, then octets set to zero. */
export function minimise(
  target: Target,
  bytes: Uint8Array,
  key: string,
  limitMs = 10_000,
): Uint8Array {
  const until = performance.now() + limitMs
  const same = (candidate: Uint8Array): boolean => {
    try {
      target.run(candidate, new Features())
      return false
    } catch (error) {
      return `${target.name} ${crashKey(error)}` === key
    }
  }
  let best = bytes
  if (!same(best)) return best
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size <= best.length && performance.now() < until;) {
      const candidate = new Uint8Array(best.length - size)
      candidate.set(best.subarray(0, at))
      candidate.set(best.subarray(at + size), at)
      if (same(candidate)) best = candidate
      else at += size
    }
  }
  for (let at = 0; at < best.length && performance.now() < until; at++) {
    if (best[at] === 0) continue
    const candidate = best.slice()
    candidate[at] = 0
    if (same(candidate)) best = candidate
  }
  return best
}
