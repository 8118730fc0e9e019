/**
 * The schema of a cluster without a cluster: every statement is parsed by the engine, executed as far as one process can
 * (everything but ON CLUSTER and Keeper), and every view is held equal to that of one node over two shards.
 *
 * Two shards in one process: a cluster of two names of this process, whose local tables show each shard its routers only
 * (additional_table_filters with shardNum()). What moves between shards, and GLOBAL, is real; the network is not.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Analyst } from '@ribscope/analyst'
import { detectorViews } from '@ribscope/detectors'
import { formatDateTime64 } from '@ribscope/events'
import { parseFabric } from '@ribscope/fabric'
import {
  clusterStatements,
  configureRetention,
  KEEPER_SETTINGS,
  migrate,
  migrations,
  openEmbeddedStore,
  refuseCluster,
  retain,
  views,
} from '@ribscope/store'
import type { SqlFile, Store, StoreSession } from '@ribscope/store'
import { insertBatches } from '../services/standalone/src/pipeline.ts'
import { rowsOf, simulated } from './e2e/feeds.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const CLUSTER = 'two'
/** As a server has it in its configuration. The engine reads config.xml of the working directory. */
const CONFIG = `<clickhouse>
  <tcp_port>9000</tcp_port>
  <zookeeper><implementation>testkeeper</implementation></zookeeper>
  <macros><shard>1</shard><replica>1</replica></macros>
  <remote_servers><${CLUSTER}>
    <shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>9000</port></replica></shard>
    <shard><internal_replication>true</internal_replication><replica><host>localhost</host><port>9000</port></replica></shard>
  </${CLUSTER}></remote_servers>
</clickhouse>`

const files = (): SqlFile[] => [...migrations(), ...views(), ...detectorViews()]
const made = (): { name: string; sql: string }[] =>
  files().flatMap((file) =>
    clusterStatements(file, CLUSTER).map((sql) => ({ name: file.name, sql })),
  )

/** Without what needs several processes. In a database of its own, beside the schema of one node. */
const here = (sql: string): string =>
  sql
    .replaceAll(` ON CLUSTER \`${CLUSTER}\``, '')
    .replace(/Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?([^)]*)\)/g, '$1($2)')
    .replaceAll('replicated_deduplication_window', 'non_replicated_deduplication_window')
    .replaceAll('ribscope.', 'sharded.')
    .replaceAll("'ribscope'", "'sharded'")
    .replace('IF NOT EXISTS ribscope', 'IF NOT EXISTS sharded')

const cwd = process.cwd()
let dataDir: string
let store: Store
let db: StoreSession

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'ribscope-cluster-'))
  writeFileSync(join(dataDir, 'config.xml'), CONFIG)
  process.chdir(dataDir)
  store = await openEmbeddedStore({ dataDir })
  process.chdir(cwd)
  db = await store.session('cluster')
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

test('the engine knows the cluster of this test', async () => {
  expect(
    await db.query(`SELECT shard_num, is_local FROM system.clusters WHERE cluster = '${CLUSTER}'`),
  ).toEqual([
    { shard_num: 1, is_local: 1 },
    { shard_num: 2, is_local: 1 },
  ])
})

describe('statements', () => {
  test('the engine parses each', async () => {
    const all = made()
    expect(all.length).toBeGreaterThan(files().length)
    for (const { name, sql } of all) {
      const text = await db
        .queryText(`EXPLAIN AST ${sql}`, 'TabSeparated')
        .catch((error: unknown) => {
          throw new Error(`${name}: ${String(error)}\n${sql}`)
        })
      expect(text, name).toMatch(/^"(Create|Drop|Truncate|Rename|Insert|Alter)/)
    }
  })

  test('each definition is ON CLUSTER, and no table is of one node', () => {
    for (const { name, sql } of made()) {
      const isInsert = sql.startsWith('INSERT')
      expect(sql.match(/ON CLUSTER `two`/g) ?? [], name).toHaveLength(isInsert ? 0 : 1)
      for (const [, engine] of sql.matchAll(/ENGINE = (\w+)/g)) {
        expect(engine, name).toMatch(/^(Replicated\w*MergeTree|Distributed|Null)$/)
      }
      expect(sql, name).not.toMatch(/non_replicated/)
      if (isInsert) expect(sql, name).toMatch(/distributed_foreground_insert = 1$/)
    }
  })

  test('no two tables share a place in Keeper', () => {
    const paths = made().flatMap(({ sql }) =>
      [...sql.matchAll(/'(\/clickhouse\/tables\/[^']*)', '([^']*)'/g)].map(([, path]) => path),
    )
    expect(paths.length).toBeGreaterThan(30)
    expect(new Set(paths).size).toBe(paths.length)
  })

  test('materialized views read and write where the row is', () => {
    const all = made().filter(({ sql }) => sql.startsWith('CREATE MATERIALIZED'))
    expect(all.length).toBeGreaterThan(8)
    for (const { name, sql } of all) {
      const tables = [...sql.matchAll(/ribscope\.(\w+)/g)].map(([, table]) => table ?? '').slice(1)
      for (const table of tables)
        expect(table, name).toMatch(
          /_local$|^fabric_|^(findings|incidents)_(offered|log)$|^analyst_lease$/,
        )
      expect(sql, name).not.toMatch(/GLOBAL/)
    }
  })
})

describe('replicated tables', () => {
  test('the engine makes each, with a Keeper in its memory', async () => {
    for (const { name, sql } of made()) {
      // Such a Keeper makes tables and lets nobody write: nothing is to be moved yet either.
      if (sql.startsWith('INSERT')) continue
      const local = sql
        .replaceAll(` ON CLUSTER \`${CLUSTER}\``, '')
        .replaceAll('ribscope.', 'replicated.')
        .replaceAll("'ribscope'", "'replicated'")
        .replace('IF NOT EXISTS ribscope', 'IF NOT EXISTS replicated')
      if (sql.startsWith('TRUNCATE')) continue
      await db.command(local).catch((error: unknown) => {
        throw new Error(`${name}: ${String(error)}\n${local}`)
      })
    }
    const engines = await db.query<{ engine: string; tables: string }>(
      `SELECT engine, count() AS tables FROM system.tables
       WHERE database = 'replicated' AND engine NOT IN ('View', 'MaterializedView') GROUP BY engine ORDER BY engine`,
    )
    expect(engines.map(({ engine }) => engine)).toEqual([
      'Distributed',
      'Null',
      'ReplicatedAggregatingMergeTree',
      'ReplicatedMergeTree',
      'ReplicatedReplacingMergeTree',
    ])
    await db.command('DROP DATABASE replicated SYNC')
  })
})

describe('two shards', () => {
  const SCENARIOS = ['A01', 'A07', 'A21', 'C01', 'C12']
  let at: string
  let to: string
  let vip: string
  let router: string

  beforeAll(async () => {
    // One node, with everything that collector and analyst make.
    await migrate(db, detectorViews())
    const { batches, rows, endUs } = rowsOf(SCENARIOS.flatMap(simulated))
    await insertBatches(store, batches)
    const analyst = await Analyst.create({ store, config: parseFabric('').fabric, sizes: true })
    await analyst.round(endUs)
    await analyst.close()
    at = formatDateTime64(endUs - 30e6)
    to = formatDateTime64(endUs + 120e6)
    router = rows.find((row) => row.table === 'route_events')?.router ?? ''
    vip = String(rows.find((row) => String(row['prefix']).endsWith('/32'))?.['prefix'])

    // The cluster: each statement twice, as migrate does it that was interrupted.
    for (const { name, sql } of made()) {
      for (const _ of [1, 2]) {
        await db.command(here(sql)).catch((error: unknown) => {
          throw new Error(`${name}: ${String(error)}\n${here(sql)}`)
        })
      }
    }
    const columns = async (table: string): Promise<string> => {
      const [row] = await db.query<{ names: string }>(
        `SELECT arrayStringConcat(groupArray(name), ', ') AS names FROM system.columns
         WHERE database = 'ribscope' AND table = {table:String} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')`,
        { table },
      )
      return row?.names ?? ''
    }
    const copy = async (from: string, into: string): Promise<void> => {
      const names = await columns(from)
      await db.command(
        `INSERT INTO sharded.${into} (${names}) SELECT ${names} FROM ribscope.${from}`,
      )
    }
    // What a collector sends, into the tables under the Distributed ones: materialized views do the rest.
    for (const table of ['session_log', 'stats_log', 'error_log', 'route_log']) {
      await copy(table, `${table}_local`)
    }
    await copy('route_transitions', 'route_transitions_local')
    await copy('table_samples', 'table_samples_local')
    await copy('rib_since', 'rib_since_local')
    const everywhere = await db.query<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = 'sharded' AND engine LIKE '%MergeTree' AND name NOT LIKE '%\\\\_local' AND name != 'schema_migrations'",
    )
    for (const { name } of everywhere) await copy(name, name)
    const local = await db.query<{ name: string; key: string }>(
      `SELECT name, if(create_table_query LIKE '%\`router\`%', 'router', 'addr') AS key FROM system.tables
       WHERE database = 'sharded' AND name LIKE '%\\\\_local'`,
    )
    const filters = local.map(
      ({ name, key }) => `'sharded.${name}': 'cityHash64(${key}) % 2 = shardNum() - 1'`,
    )
    await db.command(`SET additional_table_filters = {${filters.join(', ')}}`)
  })

  test('each has routers, none has all', async () => {
    const rows = await db.query<{ shard: number; routers: string }>(
      'SELECT shardNum() AS shard, uniqExact(router) AS routers FROM sharded.route_log GROUP BY shard ORDER BY shard',
    )
    expect(rows.map(({ shard }) => shard)).toEqual([1, 2])
    for (const { routers } of rows) expect(Number(routers)).toBeGreaterThan(2)
    const [all] = await db.query<{ same: number }>(
      `SELECT (SELECT sum(cityHash64(router, pos, attr_hash)) FROM sharded.route_log FINAL) = (SELECT sum(cityHash64(router, pos, attr_hash)) FROM ribscope.route_log FINAL) AS same`,
    )
    expect(all?.same).toBe(1)
  })

  test('a query that forgets GLOBAL is refused here as on a cluster', async () => {
    await expect(
      db.query(
        'SELECT count() FROM sharded.route_log WHERE router IN (SELECT router FROM sharded.session_log)',
      ),
    ).rejects.toThrow(/Double-distributed/)
  })

  test('every view answers as on one node', async () => {
    const from = formatDateTime64(0)
    const given: Readonly<Record<string, [type: string, value: unknown]>> = {
      from: ['String', from],
      to: ['String', to],
      at: ['String', at],
      prefix: ['String', vip],
      address: ['String', vip],
      step_s: ['UInt32', 300],
      router: ['String', router],
      upto: ['String', '2100-01-01 00:00:00'],
    }
    const names = await db.query<{ name: string; query: string }>(
      "SELECT name, create_table_query AS query FROM system.tables WHERE database = 'ribscope' AND engine = 'View' ORDER BY name",
    )
    const answers = async (database: string, name: string, query: string): Promise<string> => {
      const used = [...new Set([...query.matchAll(/\{(\w+):/g)].map((match) => match[1] ?? ''))]
      const args = used.map((each) => `${each} = {${each}:${given[each]?.[0] ?? ''}}`).join(', ')
      const source = `${database}.${name}${used.length > 0 ? `(${args})` : ''}`
      const text = await db
        .queryText(
          `SELECT * FROM ${source} ORDER BY ALL`,
          'JSONEachRow',
          Object.fromEntries(used.map((each) => [each, given[each]?.[1]])),
        )
        .catch((error: unknown) => String(error))
      const lines = text.split('\n').filter((line) => line !== '').length
      return lines === 1 && text.startsWith('StoreError')
        ? text
        : `${String(lines)} rows ${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
    }
    const one: Record<string, string> = {}
    const two: Record<string, string> = {}
    for (const { name, query } of names) {
      one[name] = await answers('ribscope', name, query)
      two[name] = await answers('sharded', name, query)
    }
    expect(two).toEqual(one)
    const filled = Object.values(one).filter((answer) => !answer.startsWith('0 ')).length
    expect(filled).toBeGreaterThan(30)
    for (const [name, answer] of Object.entries(one)) expect(answer, name).toMatch(/rows/)
  })
})

test('what works on one node only refuses a cluster', async () => {
  const one = await store.session('one', KEEPER_SETTINGS)
  await migrate(one, detectorViews())
  await one.command('RENAME TABLE ribscope.session_log TO ribscope.session_log_kept')
  await one.command(
    `CREATE TABLE ribscope.session_log AS ribscope.session_log_kept ENGINE = Distributed('${CLUSTER}', 'ribscope', 'session_log_kept', rand())`,
  )
  const partitions = (): Promise<unknown[]> =>
    one.query(
      "SELECT table, name FROM system.parts WHERE active AND database = 'ribscope' ORDER BY table, name",
    )
  const before = await partitions()
  const days = { logDays: 1, aggregateDays: 1, errorDays: 1 }
  await expect(configureRetention(one, days)).rejects.toThrow(
    /retention does not work over a cluster/,
  )
  await expect(retain(one, days, Date.now() * 1000)).rejects.toThrow(/over a cluster/)
  await expect(refuseCluster(one, 'the analyst')).rejects.toThrow(/^the analyst does not work over/)
  expect(await partitions()).toEqual(before)
  await one.command('DROP TABLE ribscope.session_log')
  await one.command('RENAME TABLE ribscope.session_log_kept TO ribscope.session_log')
  await refuseCluster(one, 'the analyst')
  await one.close()
})
