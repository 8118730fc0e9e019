import { Fabric } from './model/fabric.ts'
import type { BmpSink } from './model/bmp-feed.ts'
import { Simulation } from './model/simulation.ts'
import { Recorder, type RecordedSession } from './recording.ts'

/** Numbers that a scenario lets the user change. */
export interface Parameters {
  /** How often something goes and comes back. */
  flaps: number
  /** Seconds from one to the next. */
  period: number
  /** Nodes in rack 1. */
  nodes: number
}

export interface Scenario {
  /** As in the catalogue, e.g. 'A01'. */
  readonly id: string
  readonly topology: 'T1' | 'T2'
  /** What happens. */
  readonly summary: string
  /** What an analyser has to say, and must not say. */
  readonly expectation: string
  /** The parameters that it takes, with their defaults. */
  readonly parameters?: Partial<Parameters>
  /** Builds the fabric, schedules the timeline and says what is to be found. */
  readonly build: (stage: Stage) => void
}

/**
 * A finding that has to be there. It matches when kind and the given fields are equal, the scope
 * has at least these entries (lists in any order), and each metric equals the number or lies
 * between the two (both included).
 */
export interface Expectation {
  readonly kind: string
  readonly sub_kind?: string
  readonly cause?: string
  readonly severity?: string
  readonly confidence?: string
  readonly status?: string
  readonly scope?: Readonly<Record<string, string | readonly string[]>>
  readonly metrics?: Readonly<Record<string, Metric>>
  /** The highest value of a metric over all the finding's changes. */
  readonly peak?: Readonly<Record<string, Metric>>
  /** It opens no sooner and no later than these seconds of the timeline. */
  readonly opened_between?: readonly [number, number]
  readonly note?: string
}

type Metric = number | string | readonly string[] | { readonly between: readonly [number, number] }

/** A finding that would be a bug: kind '*' is any; scope as above; `before`: a second of the timeline. */
export interface Prohibition {
  readonly kind: string
  readonly scope?: Readonly<Record<string, string>>
  /** Only findings with this status at the end count. */
  readonly status?: 'open'
  readonly before?: number
  readonly note?: string
}

export interface Truth {
  scenario: string
  topology: string
  about: string
  expectation: string
  seed: number
  parameters: Partial<Parameters>
  /** Unix seconds; second 0 of the timeline is `started`. */
  started: number
  ended: number
  events: { at: number; what: string }[]
  expect: Expectation[]
  must_not: Prohibition[]
  /** At most so many incidents may be reported. */
  max_incidents?: number
}

export interface PlayOptions {
  /** Unix seconds of the timeline's zero second. */
  readonly start?: number
  readonly seed?: number
  readonly parameters?: Partial<Parameters>
}

export interface Played {
  readonly sessions: RecordedSession[]
  readonly fabric: Fabric
  readonly fabricYaml: string
  readonly truth: Truth
}

/** 2026-11-21T12:00:00Z */
export const DEFAULT_START = 1_795_262_400
const HISTORY_US = 3_600e6
const MAX_SECONDS = 90_000

/** What a scenario works with while it is built. */
export class Stage {
  readonly fabric: Fabric
  readonly sim: Simulation
  readonly truth: Truth
  /** Length of the recording in seconds of the timeline. */
  lasts = 180
  /** Seconds between a router's statistics reports. */
  statistics = 30
  readonly #parameters: Partial<Parameters>

  constructor(
    sim: Simulation,
    sinkOf: (router: { name: string; address: string }) => BmpSink,
    truth: Truth,
  ) {
    this.sim = sim
    this.fabric = new Fabric(sim, sinkOf)
    this.truth = truth
    this.#parameters = truth.parameters
  }

  parameter(name: keyof Parameters): number {
    const value = this.#parameters[name]
    if (value === undefined) throw new Error(`${this.truth.scenario} has no parameter ${name}`)
    return value
  }

  /** Does something at a second of the timeline and writes down what. */
  at(second: number, what: string, run: () => void): void {
    this.truth.events.push({ at: this.sim.startUs / 1e6 + second, what: `${second} s: ${what}` })
    this.sim.second(second, run)
  }

  expect(...findings: Expectation[]): void {
    this.truth.expect.push(...findings)
  }

  mustNot(...findings: Prohibition[]): void {
    this.truth.must_not.push(...findings)
  }

  /** Nothing at all is to be reported. */
  quiet(): void {
    this.mustNot({ kind: '*' })
  }
}

/** Plays a scenario from the first to the last second. The same options give the same bytes. */
export function play(scenario: Scenario, options: PlayOptions = {}): Played {
  const start = options.start ?? DEFAULT_START
  const seed = options.seed ?? 1
  const sim = new Simulation(start * 1e6, seed, HISTORY_US)
  const recorder = new Recorder()
  const truth: Truth = {
    scenario: scenario.id,
    topology: scenario.topology,
    about: scenario.summary,
    expectation: scenario.expectation,
    seed,
    parameters: { ...scenario.parameters, ...options.parameters },
    started: start,
    ended: start,
    events: [],
    expect: [],
    must_not: [],
  }
  const stage = new Stage(sim, (router) => recorder.sink(router), truth)
  scenario.build(stage)
  const { fabric } = stage
  // The fabric converges in the hour before the zero second; then BMP begins.
  sim.runUntil(sim.startUs - 1)
  fabric.connectAll()
  fabric.statisticsEvery(stage.statistics)
  const seconds = Math.min(stage.lasts, MAX_SECONDS)
  sim.runUntil(sim.startUs + seconds * 1e6)
  fabric.disconnectAll('stop')
  truth.ended = start + seconds
  truth.events.sort((a, b) => a.at - b.at)
  const fabricYaml = fabric.inventory.toYaml(`${scenario.id}: ${scenario.summary}`)
  return { sessions: recorder.sessions, fabric, fabricYaml, truth }
}
