/** A chaos run: routers with known truth, everything else killed, stopped, frozen and cut off at random, then compared. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Random } from '../../packages/simulator/src/model/random.ts'
import { until } from '../lab/machine.ts'
import { compare, type Comparison } from './compare.ts'
import { detect } from './detect.ts'
import { mendAll, playRound } from './mishaps.ts'
import { describe, planRound, type Planned } from './plan.ts'
import { SimulatedRouter } from './router.ts'
import { openWorld, type World } from './world.ts'

export interface ChaosOptions {
  readonly rounds: number
  readonly seed: number
  readonly routers: number
  readonly peers: number
  readonly routes: number
  readonly paceMs: number
  readonly collectors: number
  readonly writers: number
  readonly brokers: number
  readonly partitions: number
  /** Bugs for the writers, in turn, see plants.ts. */
  readonly plants: readonly string[]
  /** Rounds that are played first, whatever the seed. */
  readonly first?: readonly (readonly Planned[])[]
  readonly say: (line: string) => void
}

export interface ChaosResult extends Comparison {
  readonly seed: number
  readonly rounds: number
  readonly seconds: number
  readonly sessions: number
  readonly links: number
  /** where the logs are; undefined when there was no difference */
  readonly logs: string | undefined
}

const READY_MS = 120_000
const SETTLE_MS = 240_000
/** Longer than every timer of a collector that is due after its routers rest. */
const IDLE_MS = 15_000

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { say, seed, rounds } = options
  const started = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'ribscope-chaos-'))
  const world = await openWorld({ ...options, folder })
  const routers = Array.from(
    { length: options.routers },
    (_, number) => new SimulatedRouter({ ...options, number, doors: world.doors }),
  )
  let failed = true
  try {
    const random = new Random(seed)
    for (const router of routers) router.start()
    await until('all routers to be connected', () => connected(routers), READY_MS)
    const { writers } = options
    await until('all writers', async () => (await world.members()) === writers, READY_MS, 500)
    say(`seed ${seed}: all up after ${seconds(started)} s`)
    const first = options.first ?? []
    const all = rounds + first.length
    for (let round = 1; round <= all; round++) {
      const plan = first[round - 1] ?? planRound(random, options)
      say(`round ${round} of ${all}: ${plan.map(describe).join(', ')}`)
      await playRound(world, routers, plan)
      await delay(random.between(0, 2000))
    }
    await mendAll(world)
    for (const router of routers) router.rest()
    say(`healed after ${seconds(started)} s, waiting for the last rows`)
    const stuck = await settle(world, routers)
    const comparison = await compare(world, routers, say)
    const { differences } = comparison
    const buried = await world.deadLetters()
    if (buried > 0) differences.unshift(`${buried} messages are in the dead-letter topic`)
    differences.unshift(...world.deaths, ...stuck)
    // What detectors make of rows that are wrong tells nothing.
    const detected =
      differences.length === 0 ? await detect(world, routers) : { links: 0, differences: [] }
    differences.push(...detected.differences)
    failed = differences.length > 0
    return {
      ...comparison,
      ...{ seed, rounds, links: detected.links, logs: failed ? folder : undefined },
      sessions: comparison.whole + comparison.cut,
      seconds: Number(seconds(started)),
    }
  } finally {
    for (const router of routers) router.stop()
    if (failed) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'all.log'), world.logs())
    }
    await world.close()
    if (!failed) rmSync(folder, { recursive: true, force: true })
  }
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1)

const connected = (routers: readonly SimulatedRouter[]): boolean =>
  routers.every(({ session }) => session?.end === 'open' && session.facts.length > 0)

/** Until all rows are stored, those of the last timers too. @returns what did not come to an end */
async function settle(world: World, routers: readonly SimulatedRouter[]): Promise<string[]> {
  const names = routers.map(({ name }) => name)
  let rowsBefore = ''
  let idleSince = performance.now()
  try {
    await until('all routers to be connected', () => connected(routers), SETTLE_MS, 200)
    await until(
      'every router to have told its whole table',
      async () => {
        // The tags of the sessions that are open now, whose router-wide dump is done.
        const tags = new Set(routers.map(({ session }) => session?.tag))
        const rows = await world.db.query<{ tag: string }>(
          `SELECT anyIf(text, kind = 'initiation') AS tag FROM ribscope.session_log
           WHERE peer_key = 0 AND has({names:Array(String)}, toString(router))
           GROUP BY router, bmp_session
           HAVING countIf(kind = 'dump_done') > 0 AND countIf(kind = 'bmp_down') = 0`,
          { names },
        )
        if (rows.filter(({ tag }) => tags.has(tag)).length === tags.size) return true
        // What is lost does not come by waiting.
        const [now] = await world.db.query<{ n: string }>(
          'SELECT count() AS n FROM ribscope.session_log',
        )
        if (now?.n !== rowsBefore) idleSince = performance.now()
        rowsBefore = now?.n ?? ''
        return performance.now() - idleSince > IDLE_MS && (await world.lag()) === 0
      },
      SETTLE_MS,
      500,
    )
    await until('lag 0', async () => (await world.lag()) === 0, SETTLE_MS, 500)
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}
