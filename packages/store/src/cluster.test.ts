import { describe, expect, test } from 'vitest'
import { checkClusterName, clusterStatements } from './cluster.ts'
import { joined, tokens } from './sql-tokens.ts'
import { migrations, views } from './sql.ts'
import { StoreError } from './store.ts'

const made = (text: string, name = '0099_x'): string[] => clusterStatements({ name, text }, 'c1')

describe('tokens', () => {
  test('put together again they are the text', () => {
    for (const { text } of [...migrations(), ...views()]) expect(joined(tokens(text))).toBe(text)
  })

  test('strings, quoted names and comments hide what is in them', () => {
    const text = `SELECT 'a''b\\'; JOIN' AS \`x JOIN\` -- JOIN ' \n/* IN (SELECT */ FROM "t"`
    expect(
      tokens(text)
        .filter(({ kind }) => kind === 'word')
        .map((token) => token.text),
    ).toEqual(['SELECT', 'AS', 'FROM'])
  })

  test.each(["'open", 'a # b', '`open'])('%j is refused', (text) => {
    expect(() => tokens(text)).toThrow(StoreError)
  })
})

describe('tables', () => {
  test('of routers: a local one on every shard and one name over them', () => {
    expect(
      made(`-- Why.
CREATE TABLE IF NOT EXISTS ribscope.some_log
(
    router LowCardinality(String) COMMENT 'ENGINE = MergeTree',
    x      UInt8
)
ENGINE = ReplacingMergeTree(x)
ORDER BY (router, x)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024`),
    ).toEqual([
      `CREATE TABLE IF NOT EXISTS ribscope.some_log_local ON CLUSTER \`c1\`
(
    router LowCardinality(String) COMMENT 'ENGINE = MergeTree',
    x      UInt8
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/ribscope/v1/{shard}/0099_x', '{replica}', x)
ORDER BY (router, x)
SETTINGS replicated_deduplication_window = 10000, index_granularity = 1024`,
      `CREATE TABLE IF NOT EXISTS ribscope.some_log ON CLUSTER \`c1\` AS ribscope.some_log_local
ENGINE = Distributed('c1', 'ribscope', 'some_log_local', cityHash64(router))`,
    ])
  })

  test('that views look up: all rows on every node', () => {
    expect(
      made(
        'CREATE TABLE IF NOT EXISTS ribscope.fabric_x (rd UInt64) ENGINE = MergeTree ORDER BY rd',
      ),
    ).toEqual([
      "CREATE TABLE IF NOT EXISTS ribscope.fabric_x ON CLUSTER `c1` (rd UInt64) ENGINE = ReplicatedMergeTree('/clickhouse/tables/ribscope/v1/all/0099_x', '{shard}-{replica}') ORDER BY rd",
    ])
  })

  test('like another one: its definition, a place in Keeper of its own', () => {
    const [local, over] = made('CREATE TABLE IF NOT EXISTS ribscope.marks_next AS ribscope.marks')
    const [marks = ''] = clusterStatements(
      migrations().find(({ name }) => name === '0006_marks') ?? { name: '', text: '' },
      'c1',
    )
    expect(local).toBe(
      marks.replace('marks_local', 'marks_next_local').replace('0006_marks', '0099_x'),
    )
    expect(over).toContain('ribscope.marks_next ON CLUSTER `c1` AS ribscope.marks_next_local')
    expect(() => made('CREATE TABLE ribscope.a AS ribscope.no_such')).toThrow(/no definition/)
    expect(() => made('CREATE TABLE ribscope.a (router String)')).toThrow(/without ENGINE/)
  })

  test('are dropped, renamed, emptied and altered in both forms', () => {
    expect(made('DROP TABLE IF EXISTS ribscope.a SYNC')).toEqual([
      'DROP TABLE IF EXISTS ribscope.a ON CLUSTER `c1` SYNC',
      'DROP TABLE IF EXISTS ribscope.a_local ON CLUSTER `c1` SYNC',
    ])
    expect(made('RENAME TABLE IF EXISTS ribscope.a TO ribscope.b')).toEqual([
      'DROP TABLE IF EXISTS ribscope.a ON CLUSTER `c1` SYNC',
      'RENAME TABLE IF EXISTS ribscope.a_local TO ribscope.b_local ON CLUSTER `c1`',
      "CREATE TABLE IF NOT EXISTS ribscope.b ON CLUSTER `c1` AS ribscope.b_local\nENGINE = Distributed('c1', 'ribscope', 'b_local', cityHash64(router))",
    ])
    expect(made('TRUNCATE TABLE IF EXISTS ribscope.a')).toEqual([
      'TRUNCATE TABLE IF EXISTS ribscope.a_local ON CLUSTER `c1`',
    ])
    expect(made('ALTER TABLE ribscope.a ADD COLUMN IF NOT EXISTS x UInt8')).toEqual([
      'ALTER TABLE ribscope.a_local ON CLUSTER `c1` ADD COLUMN IF NOT EXISTS x UInt8',
      "CREATE OR REPLACE TABLE ribscope.a ON CLUSTER `c1` AS ribscope.a_local\nENGINE = Distributed('c1', 'ribscope', 'a_local', cityHash64(router))",
    ])
    expect(made('ALTER TABLE ribscope.findings_log ADD COLUMN x UInt8')).toEqual([
      'ALTER TABLE ribscope.findings_log ON CLUSTER `c1` ADD COLUMN x UInt8',
    ])
  })
})

describe('views', () => {
  test('materialized ones read and write local tables, and look up what is everywhere', () => {
    expect(
      made(`CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.a_mv TO ribscope.a AS
SELECT x FROM ribscope.b WHERE x IN (SELECT x FROM ribscope.fabric_vips)`),
    ).toEqual([
      `CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.a_mv ON CLUSTER \`c1\` TO ribscope.a_local AS
SELECT x FROM ribscope.b_local WHERE x IN (SELECT x FROM ribscope.fabric_vips)`,
    ])
    expect(made('DROP VIEW IF EXISTS ribscope.a_mv')).toEqual([
      'DROP VIEW IF EXISTS ribscope.a_mv ON CLUSTER `c1`',
    ])
  })

  test('IN and JOIN are GLOBAL where they read a table', () => {
    const [sql] = made(`CREATE OR REPLACE VIEW ribscope.v AS
SELECT x IN (1, 2), left(x, 1), 'JOIN' FROM ribscope.a AS a
LEFT ANY JOIN ribscope.b AS b ON a.x = b.x
INNER JOIN (SELECT 1) AS c ON 1
LEFT ARRAY JOIN l AS e ARRAY JOIN m AS f
CROSS JOIN d -- JOIN
WHERE x NOT IN (SELECT x FROM ribscope.c) AND y in ( WITH 1 AS z SELECT z) AND q IN ribscope.t`)
    expect(sql).toBe(`CREATE OR REPLACE VIEW ribscope.v ON CLUSTER \`c1\` AS
SELECT x IN (1, 2), left(x, 1), 'JOIN' FROM ribscope.a AS a
GLOBAL LEFT ANY JOIN ribscope.b AS b ON a.x = b.x
GLOBAL INNER JOIN (SELECT 1) AS c ON 1
LEFT ARRAY JOIN l AS e ARRAY JOIN m AS f
GLOBAL CROSS JOIN d -- JOIN
WHERE x GLOBAL NOT IN (SELECT x FROM ribscope.c) AND y GLOBAL in ( WITH 1 AS z SELECT z) AND q GLOBAL IN ribscope.t`)
  })

  test('rows that move wait for the shards', () => {
    expect(
      made('INSERT INTO ribscope.a (x) SELECT x FROM ribscope.b SETTINGS max_threads = 1'),
    ).toEqual([
      'INSERT INTO ribscope.a (x) SELECT x FROM ribscope.b SETTINGS max_threads = 1, distributed_foreground_insert = 1',
    ])
    expect(made('INSERT INTO ribscope.a (x) SELECT 1')).toEqual([
      'INSERT INTO ribscope.a (x) SELECT 1\nSETTINGS distributed_foreground_insert = 1',
    ])
  })
})

describe('what has no form for a cluster is refused by name', () => {
  test.each([
    ['OPTIMIZE TABLE ribscope.a', /0099_x: no form .* OPTIMIZE TABLE/],
    ['CREATE TABLE ribscope.a (router String) ENGINE = Log', /no replicated form of engine Log/],
    ['CREATE TABLE ribscope.a (x UInt8) ENGINE = MergeTree ORDER BY x', /no column router/],
    [
      'CREATE TABLE ribscope.a (x Tuple(router String)) ENGINE = MergeTree ORDER BY x',
      /no column router/,
    ],
    ['RENAME TABLE ribscope.fabric_a TO ribscope.b', /everywhere/],
    ['DROP TABLE other.a', /no ribscope.NAME/],
    ['CREATE OR REPLACE VIEW ribscope.v AS SELECT 1 GLOBAL IN (SELECT 1)', /GLOBAL/],
  ])('%s', (text, message) => {
    expect(() => made(text)).toThrow(StoreError)
    expect(() => made(text)).toThrow(message)
  })

  test.each(['', 'a b', 'a`b', "a'b", 'a;b', '-a', 'a\n', '{cluster}', 'é', 'a'.repeat(65)])(
    'cluster name %j',
    (name) => {
      expect(() => checkClusterName(name)).toThrow(StoreError)
    },
  )

  test.each(['main', 'east-1', 'a.b_c', '1'])('cluster name %j is one', (name) => {
    expect(checkClusterName(name)).toBe(name)
  })
})
