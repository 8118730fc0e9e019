/**
 * An analyst that ends and another that takes over on the same store, in the middle of a fabric in trouble: findings go on under
 * their ids, nothing is opened or counted twice, and the end is the one that a single analyst comes to.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Analyst } from '@ribscope/analyst'
import { detectorViews } from '@ribscope/detectors'
import type { Change, Finding } from '@ribscope/detectors'
import { NativeSink, RouterSession } from '@ribscope/events'
import type { Batch } from '@ribscope/events'
import { parseFabric } from '@ribscope/fabric'
import { play, scenarios } from '@ribscope/simulator'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { afterEach, expect, test } from 'vitest'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'

const S = 1e6

interface Step {
  readonly us: number
  readonly run: () => void
}

/** A scenario that is told to a store as far as wanted. */
class Fabric {
  readonly config
  readonly startUs: number
  readonly #steps: Step[]
  readonly #live = new Set<{ session: RouterSession; sink: NativeSink }>()
  #batches: Batch[] = []
  readonly #store: Store

  constructor(id: string, store: Store) {
    const played = play(scenarios.get(id)!)
    this.config = parseFabric(played.fabricYaml).fabric
    this.startUs = played.truth.started * S
    this.#store = store
    this.#steps = played.sessions
      .flatMap(({ source, openedUs, chunks, end, endUs }): Step[] => {
        const sink = new NativeSink({ onBatch: (batch) => this.#batches.push(batch) })
        const session = new RouterSession({ collector: 'c1', source, openedUs, out: sink })
        const track = { session, sink }
        return [
          { us: openedUs, run: () => this.#live.add(track) },
          ...chunks.map(({ us, bytes }) => ({
            us,
            run: () => {
              session.push(bytes, us)
            },
          })),
          ...(end === 'stop'
            ? []
            : [
                {
                  us: endUs,
                  run: () => {
                    session.end(end, endUs)
                  },
                },
              ]),
        ]
      })
      .sort((a, b) => a.us - b.us)
  }

  /** Everything up to a second of the timeline is stored. */
  async tell(second: number): Promise<number> {
    const at = this.startUs + second * S
    while ((this.#steps[0]?.us ?? Infinity) <= at) this.#steps.shift()?.run()
    for (const { session, sink } of this.#live) {
      session.tick(at)
      this.#batches.push(...sink.flush())
    }
    const ready = this.#batches
    this.#batches = []
    await insertBatches(this.#store, ready)
    return at
  }
}

let store: Store
let db: StoreSession
let dataDir: string

async function open(): Promise<void> {
  dataDir = mkdtempSync(join(tmpdir(), 'ribscope-analyst-'))
  store = await openMigratedStore({ dataDir }, detectorViews())
  db = await store.session('test')
  await migrate(db, detectorViews())
}
afterEach(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

interface Told {
  readonly kind: string
  readonly version: number
  readonly change: Change
}

/** Looks every `step` seconds from second to second; a new analyst takes over at each of `handOvers`. */
async function watch(
  id: string,
  seconds: { from: number; to: number; step: number; handOvers: readonly number[] },
): Promise<{ findings: Finding[]; incidents: unknown[]; told: Told[] }> {
  const fabric = new Fabric(id, store)
  const told: Told[] = []
  const create = (): Promise<Analyst> =>
    Analyst.create({
      store,
      config: fabric.config,
      onChange: ({ kind, version }, change) => told.push({ kind, version, change }),
    })
  let analyst = await create()
  for (let second = seconds.from; second <= seconds.to; second += seconds.step) {
    const at = await fabric.tell(second)
    await analyst.round(at)
    if (!seconds.handOvers.includes(second)) continue
    const before = { findings: analyst.findings(), incidents: analyst.incidents() }
    await analyst.close()
    analyst = await create()
    expect(state(analyst.findings())).toEqual(state(before.findings))
    expect(byId(analyst.incidents())).toEqual(byId(before.incidents))
    // The same instant again: it finds nothing new to say.
    expect((await analyst.round(at)).changes).toEqual([])
  }
  const result = { findings: analyst.findings(), incidents: byId(analyst.incidents()), told }
  await analyst.close()
  return result
}

const byId = <Each extends { id: string }>(list: readonly Each[]): Each[] =>
  [...list].sort((a, b) => (a.id < b.id ? -1 : 1))

/** What is stored of a finding: what it is about is asked again when it is observed; last_seen is that of its last change. */
const state = (findings: readonly Finding[]): object[] =>
  byId(findings).map(({ entities: _entities, last_seen: _last, ...rest }) => rest)

const SECONDS = { from: 5, to: 320, step: 5 }

test(
  'a flapping VIP, handed over twice: the end is that of one analyst',
  { timeout: 240_000 },
  async () => {
    await open()
    const alone = await watch('A01', { ...SECONDS, handOvers: [] })
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })

    await open()
    // After one flap, nothing is open; while v1 is gone and VIP_FLAP is open.
    const two = await watch('A01', { ...SECONDS, handOvers: [120, 285] })
    expect(state(two.findings)).toEqual(state(alone.findings))
    expect(two.incidents).toEqual(alone.incidents)
    expect(two.told).toEqual(alone.told)
    expect(two.findings.find(({ kind }) => kind === 'VIP_FLAP')).toMatchObject({
      status: 'open',
      metrics: { flaps: 4 },
      reopened: 0,
    })
    expect(two.findings.find(({ kind }) => kind === 'VIP_OUTAGE')).toMatchObject({
      status: 'resolved',
      metrics: { outages: 4 },
      reopened: 3,
    })
    // Each change is one row, whoever wrote it.
    const rows = await db.query<{ n: string; pairs: string }>(
      'SELECT count() AS n, uniqExact(id, version) AS pairs FROM ribscope.findings_log',
    )
    expect(rows).toEqual([{ n: String(two.told.length), pairs: String(two.told.length) }])
  },
)

test(
  'a lost feed is open at the hand-over and ends under the next analyst',
  { timeout: 240_000 },
  async () => {
    await open()
    const { findings, incidents, told } = await watch('A06', {
      from: 10,
      to: 200,
      step: 10,
      handOvers: [120, 130],
    })
    expect(findings).toMatchObject([
      { kind: 'FEED_LOST', status: 'resolved', scope: { router: 'tor1a' }, reopened: 0 },
    ])
    // It ended when the router was back, not when somebody looked.
    const second = (us: number | undefined): number => ((us ?? 0) / S) % 86_400
    expect(second(findings[0]?.resolved_at) - second(findings[0]?.first_seen)).toBeCloseTo(60, 0)
    expect(incidents).toHaveLength(1)
    expect(told.map(({ change }) => change.status)).toEqual(['open', 'resolved'])
  },
)

test('an analyst that comes late sees what a present one saw', { timeout: 240_000 }, async () => {
  await open()
  // Nobody looks before second 320: all four flaps are history by then.
  const late = await watch('A01', { from: 320, to: 325, step: 5, handOvers: [325] })
  expect(late.findings.find(({ kind }) => kind === 'VIP_FLAP')).toMatchObject({
    status: 'open',
    metrics: { flaps: 4 },
  })
  expect(late.findings.find(({ kind }) => kind === 'VIP_OUTAGE')).toMatchObject({
    status: 'resolved',
    metrics: { outages: 4 },
  })
})
