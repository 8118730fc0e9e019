/** An embedded store filled with a recording, asked as the data source asks: read-only, column types with the rows. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Analyst } from '@ribscope/analyst'
import { detectorViews } from '@ribscope/detectors'
import { listRecordings } from '@ribscope/events'
import { loadFabric, parseFabric, type FabricConfig } from '@ribscope/fabric'
import { play, scenarios } from '@ribscope/simulator'
import { migrate, type Store, type StoreSession } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import { TableSizes } from '../../services/analyst/src/sizes.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'
import { recorded, rowsOf, simulated, type Sent } from '../e2e/feeds.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/lab', import.meta.url))

export interface Column {
  readonly name: string
  readonly type: string
}

export type Row = Readonly<Record<string, unknown>>

export interface Answer {
  readonly meta: readonly Column[]
  readonly rows: readonly Row[]
}

export interface Filled {
  readonly store: Store
  /** Milliseconds of the first thing recorded, and of the last. */
  readonly startMs: number
  readonly endMs: number
  ask(sql: string): Promise<Answer>
  close(): Promise<void>
}

export interface FillOptions {
  /** The name of a router in the store, by its own. */
  readonly nameOf?: (name: string) => string
  /** Only what came in the first so many seconds: the sessions go on. */
  readonly seconds?: number
}

/** @param what a folder of test/fixtures/lab, or a scenario of the simulator */
export async function fill(what: string, options: FillOptions = {}): Promise<Filled> {
  const { nameOf = (name) => name, seconds = Infinity } = options
  const { feed, fabric } = await feedOf(what)
  const startUs = Math.min(...feed.map(({ openedUs }) => openedUs))
  const untilUs = startUs + seconds * 1e6
  const sent = feed.filter(({ openedUs }) => openedUs < untilUs).map((each) => cut(each, untilUs))
  const endUs = Math.max(...sent.map((each) => each.endUs))

  const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-grafana-'))
  const store = await openMigratedStore({ dataDir }, detectorViews())
  const writer = await store.session('writer')
  await migrate(writer, detectorViews())
  const analyst = await Analyst.create({ store, config: fabric })
  await insertBatches(store, rowsOf(sent, 65_536, nameOf).batches)
  // Holds of the recordings are seconds.
  for (const later of [0, 5, 15, 60]) await analyst.round(endUs + later * 1e6)
  const sizes = new TableSizes(writer)
  for (const later of [0, 60, 120]) await sizes.at(endUs + later * 1e6)
  await analyst.close()
  const reader = await readOnly(store)
  return {
    store,
    startMs: startUs / 1000,
    endMs: endUs / 1000,
    ask: async (sql) => {
      const text = await reader.queryText(sql, 'JSON')
      const { meta, data } = JSON.parse(text) as { meta: Column[]; data: Row[] }
      return { meta, rows: data }
    },
    async close() {
      await reader.close()
      await writer.close()
      await store.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function feedOf(what: string): Promise<{ feed: Sent[]; fabric: FabricConfig }> {
  const scenario = scenarios.get(what)
  if (scenario !== undefined) {
    return { feed: simulated(what), fabric: parseFabric(play(scenario).fabricYaml).fabric }
  }
  const folder = join(FIXTURES, what)
  const recordings = await listRecordings([folder])
  const openedUs = Math.min(...recordings.map((each) => each.openedUs))
  return {
    feed: await recorded(folder, '', openedUs),
    fabric: loadFabric(join(folder, 'fabric.yaml')).fabric,
  }
}

const cut = (sent: Sent, untilUs: number): Sent =>
  sent.endUs <= untilUs
    ? sent
    : { ...sent, chunks: sent.chunks.filter(({ us }) => us < untilUs), end: 'stop', endUs: untilUs }

/** The settings that the user `grafana` has (docs/grafana.md). */
async function readOnly(store: Store): Promise<StoreSession> {
  const session = await store.session('grafana', {
    max_execution_time: 30,
    max_memory_usage: 1024 ** 3,
    query_plan_optimize_lazy_materialization: 0,
    output_format_json_quote_64bit_integers: 0,
  })
  await session.command('SET readonly = 1')
  return session
}
