/**
 * Escapes by name. Each is tried against the real engine, and after each files, tables and queries are looked at: that a request
 * was refused is not enough, it must not have happened either.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openServerStore } from '@ribscope/store'
import { serveEngine } from '@ribscope/store/testing'
import { openFixture, VIP, type Answer, type Fixture, type Served } from '../testing/fixture.ts'
import { mayCall } from './functions.ts'
import { checkStatement } from './statement.ts'
import { tokenize } from './tokens.ts'

let fixture: Fixture
let served: Served
let folder: string
let secret: string
let web: Server
let webUrl: string
let asked = 0
let tables: string

const SECRET = 'the-secret-of-the-host'

beforeAll(async () => {
  fixture = await openFixture()
  served = await fixture.serveBoth({ limits: { querySeconds: 4, rows: 1000 } })
  folder = mkdtempSync(join(tmpdir(), 'ribscope-escape-'))
  secret = join(folder, 'secret.txt')
  writeFileSync(secret, SECRET)
  web = createServer((_request, response) => {
    asked++
    response.end(SECRET)
  })
  await new Promise<void>((resolve) => {
    web.listen(0, '127.0.0.1', resolve)
  })
  webUrl = `http://127.0.0.1:${String((web.address() as AddressInfo).port)}/`
  tables = await schema()
})

afterAll(async () => {
  await fixture.close()
  web.close()
  rmSync(folder, { recursive: true, force: true })
})

async function schema(): Promise<string> {
  const rows = await fixture.session.query(
    "SELECT database, name, total_rows FROM system.tables WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') ORDER BY database, name",
  )
  return JSON.stringify(rows)
}

async function post(query: string, more: object = {}): Promise<Answer> {
  return served.get('/api/v1/sql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, ...more }),
  })
}

async function rows(query: string, params: object = {}): Promise<unknown[]> {
  const { status, text } = await post(query, { params })
  expect(status, text).toBe(200)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}

describe('what people ask', () => {
  test.each([
    'SELECT count() AS n FROM findings',
    "select count() from ribscope.findings where status = 'open';",
    'SELECT kind, count() AS n, max(last_seen) FROM ribscope.findings GROUP BY kind ORDER BY n DESC, kind LIMIT 5',
    "SELECT JSONExtractString(scope, 'vip') AS vip, groupArray(kind) FROM findings GROUP BY vip HAVING vip != ''",
    "WITH open AS (SELECT * FROM findings WHERE status = 'open') SELECT id FROM open ORDER BY id",
    'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t',
    "SELECT * FROM ribscope.rib_at(at = '2026-11-21 12:00:20')",
    "SELECT * FROM rib_at(at = '2026-11-21 12:00:20') WHERE prefix = '10.10.21.66/32'",
    "SELECT class, cause FROM ribscope.route_history(prefix = '10.10.21.66/32')",
    'SELECT * EXCEPT (evidence, metrics) FROM findings',
    'SELECT * REPLACE (upper(kind) AS kind) FROM findings',
    "SELECT COLUMNS('^pe') FROM rib_current",
    "SELECT router, arrayMap(x -> x + 1, as_path) AS p, as_path[1], [1, 2], (1, 'a').2 FROM rib_current ARRAY JOIN communities AS c",
    'SELECT a.router, b.name FROM router_state AS a LEFT JOIN fabric_routers AS b ON a.router = b.router WHERE a.router IN (SELECT router FROM rib_current)',
    'SELECT router FROM router_state WHERE router IN (SELECT router FROM fabric_routers)',
    'SELECT rx_ts, row_number() OVER (PARTITION BY router ORDER BY seq) AS n FROM route_events QUALIFY n = 1',
    'SELECT router, lagInFrame(seq) OVER w FROM route_events WINDOW w AS (PARTITION BY router ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)',
    "SELECT toStartOfInterval(rx_ts, INTERVAL 10 SECOND) AS t, countIf(action = 'withdraw') FROM route_events GROUP BY t WITH TOTALS ORDER BY t WITH FILL STEP 10",
    "SELECT CASE WHEN status = 'open' THEN 1 ELSE 0 END, CAST(limits AS Array(Nullable(String))) FROM findings WHERE 0",
    "SELECT toIPv6('2001:db8::1'), '10.0.0.1'::String, DATE '2026-11-21', EXTRACT(YEAR FROM now()) > 2000, trim(BOTH 'x' FROM 'xax'), substring('abc' FROM 2 FOR 1), position('b' IN 'abc')",
    'SELECT 1 AS "share %", 2 AS `from`',
    "SELECT quantile(0.9)(seq), uniqExactIf(prefix, action = 'announce'), argMaxIf(prefix, seq, 1) FROM route_events",
    'SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 2',
    'SELECT number FROM numbers(5) LIMIT 2 BY number LIMIT 3 OFFSET 1',
    "SELECT name, type FROM system.columns WHERE database = 'ribscope' AND table = 'findings'",
    '/* why */ SELECT -- because\n 1 -- done',
    'EXPLAIN SELECT * FROM findings',
    "EXPLAIN indexes = 1 SELECT * FROM route_log WHERE addr = toIPv6('::1')",
    'EXPLAIN AST SELECT 1',
    'EXPLAIN SYNTAX SELECT * FROM fabric_vips',
    'SHOW TABLES',
    "SHOW TABLES FROM ribscope LIKE 'fabric%'",
    'SHOW CREATE TABLE findings_log',
    'SHOW CREATE VIEW ribscope.findings',
    'SHOW COLUMNS FROM findings',
    'DESCRIBE findings',
    'DESCRIBE TABLE ribscope.findings;',
    'DESC (SELECT 1 AS x)',
  ])('%s', async (query) => {
    const { status, text } = await post(query)
    expect(status, text).toBe(200)
  })

  test('parameters are values, whatever is in them', async () => {
    const hostile = 'x\' OR 1=1; DROP TABLE ribscope.findings_log -- \\ \n `" {a:String} é 漢'
    expect(
      await rows(
        'SELECT {a:String} AS a, {n:UInt32} AS n, {l:Array(String)} AS l, {one:Array(String)} AS one',
        {
          a: hostile,
          n: 5,
          l: ["a'b", '2'],
          one: ['x'],
        },
      ),
    ).toEqual([{ a: hostile, n: 5, l: ["a'b", '2'], one: ['x'] }])
    expect(
      await rows(
        "SELECT id FROM findings WHERE JSONExtractString(scope, 'vip') = {vip:String} ORDER BY id",
        { vip: VIP },
      ),
    ).toEqual([{ id: 'f1' }, { id: 'f3' }])
  })

  test('formats', async () => {
    const one = await post("SELECT 1 AS a, 'x,y' AS b", { format: 'CSV' })
    expect([one.headers.get('content-type'), one.text]).toEqual([
      'text/csv; charset=utf-8',
      '1,"x,y"\n',
    ])
    const compact = await post('SELECT 1 AS a, toUInt64(5) AS b', { format: 'JSONCompact' })
    expect(compact.json).toMatchObject({
      data: [[1, '5']],
      rows: 1,
      meta: [{ name: 'a' }, { name: 'b' }],
    })
    expect((await post('SELECT 1', { format: 'Native' })).status).toBe(400)
  })

  test.each<[string, number, object?]>([
    ['SELEC 1', 403],
    ['SELECT', 400],
    ['SELECT nope FROM findings', 400],
    ['SELECT * FROM no_such_table', 400],
    ['SELECT {missing:String}', 400],
    ['SELECT {n:UInt8} AS n', 400, { n: 'x' }],
    ['', 400],
    ['   ', 403],
  ])(
    'a mistake is a problem document of one line: %s',
    async (query: string, status: number, params: object = {}) => {
      const answer = await post(query, { params })
      expect(answer.status, answer.text).toBe(status)
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      expect(answer.json.detail).not.toMatch(/\n|node_modules|at .*\.ts:|ribscope-api-/)
    },
  )

  test('other bodies', async () => {
    const send = (init: RequestInit): Promise<Answer> =>
      served.get('/api/v1/sql', { method: 'POST', ...init })
    expect(
      (await send({ body: '{"query":"SELECT 1"}', headers: { 'content-type': 'text/plain' } }))
        .status,
    ).toBe(415)
    expect((await send({ body: new URLSearchParams({ query: 'SELECT 1' }) })).status).toBe(415)
    expect(
      (await send({ body: '{"query":', headers: { 'content-type': 'application/json' } })).status,
    ).toBe(400)
    expect((await post('SELECT 1', { other: 1 })).json.detail).toContain('"other"')
    expect((await post('SELECT {a:String}', { params: { a: { b: 1 } } })).status).toBe(400)
    expect((await post('SELECT 1', { params: { "a'b": 1 } })).status).toBe(400)
    expect((await post(`SELECT '${'x'.repeat(70_000)}'`)).status).toBe(400)
    expect((await post('SELECT 1', { params: { a: 'x'.repeat(300_000) } })).status).toBe(413)
    expect((await served.get('/api/v1/sql')).status).toBe(404)
  })
})

describe('escapes', () => {
  const out = (): string => join(folder, 'out.txt')

  afterEach(async () => {
    expect(readdirSync(folder), 'a file was written').toEqual(['secret.txt'])
    expect(existsSync('/tmp/ribscope-escape-out')).toBe(false)
    expect(await schema(), 'tables changed').toBe(tables)
    expect(asked, 'the engine called out').toBe(0)
    // No query may be left running in the engine either.
    const running = await fixture.session.query<{ query: string }>(
      "SELECT query FROM system.processes WHERE query NOT LIKE '%system.processes%'",
    )
    expect(running).toEqual([])
    // And the guarded sessions are as they were.
    expect(await rows("SELECT 'ok' AS a")).toEqual([{ a: 'ok' }])
  })

  const refused = async (query: string, params: object = {}): Promise<void> => {
    const { status, text } = await post(query, { params })
    expect(text).not.toContain(SECRET)
    expect(text).not.toContain('root:')
    expect(status, text).toBe(403)
  }

  test('INTO OUTFILE writes files even with readonly=1', async () => {
    await refused(`SELECT 1 INTO OUTFILE '${out()}'`)
    await refused(`SELECT 1 into/**/outfile '${out()}' FORMAT CSV`)
    await refused(`SELECT 1 INTO\n--x\nOUTFILE '${out()}' TRUNCATE`)
    await refused(`EXPLAIN AST SELECT 1 INTO OUTFILE '${out()}'`)
    await refused(`SHOW TABLES INTO OUTFILE '${out()}'`)
    await refused(`DESCRIBE findings INTO OUTFILE '${out()}'`)
    await refused(`SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '${out()}'`)
  })

  test('scalar file() reads files even with readonly=1', async () => {
    await refused("SELECT file('/etc/passwd')")
    await refused(`SELECT file('${secret}')`)
    await refused(`SELECT FILE('${secret}')`)
    await refused(`SELECT file /* x */ ('${secret}')`)
    await refused(`SELECT file\n(\n'${secret}')`)
    await refused(`SELECT "file"('${secret}')`)
    await refused(`SELECT \`file\`('${secret}')`)
    await refused(`SELECT file({f:String})`, { f: secret })
    await refused(`SELECT * FROM findings WHERE file('${secret}') != ''`)
    await refused(`SELECT id FROM findings ORDER BY file('${secret}')`)
    await refused(`SELECT arrayMap(x -> file(x), ['${secret}'])`)
    await refused(`WITH (SELECT file('${secret}')) AS f SELECT f`)
    await refused(`SELECT row_number() OVER (ORDER BY file('${secret}'))`)
    await refused(`SELECT 1 LIMIT length(file('${secret}'))`)
    await refused(`SELECT * REPLACE (file('${secret}') AS kind) FROM findings`)
    await refused(`SELECT 1 FROM findings AS a JOIN findings AS b ON file('${secret}') = a.id`)
    await refused(`EXPLAIN QUERY TREE SELECT file('${secret}')`)
    await refused(`EXPLAIN SYNTAX SELECT file('${secret}')`)
    await refused(`DESCRIBE (SELECT file('${secret}'))`)
    await refused(
      `SELECT n FROM (SELECT 1 AS n) ORDER BY n WITH FILL FROM length(file('${secret}')) TO 99`,
    )
    await refused(`SELECT 1 WHERE throwIf(1, file('${secret}'))`)
  })

  test('functions called without naming them', async () => {
    await refused(`SELECT * APPLY(file) FROM (SELECT '${secret}')`)
    await refused(`SELECT * APPLY file FROM (SELECT '${secret}')`)
    await refused(`SELECT COLUMNS('a') APPLY(x -> file(x)) FROM (SELECT '${secret}' AS a)`)
    await refused(`SELECT arrayReduce('sum', [1])`)
    await refused(`SELECT evalMLMethod(1)`)
    await refused(`SELECT initializeAggregation('sum', 1)`)
  })

  test('KILL QUERY runs even with readonly=1', async () => {
    await refused('KILL QUERY WHERE 1')
    await refused("kill query where query_id != ''")
    await refused('SELECT 1; KILL QUERY WHERE 1')
    await refused('EXPLAIN AST KILL QUERY WHERE 1')
  })

  test('two statements through one call', async () => {
    await refused('SELECT 1; SELECT 2')
    await refused('SELECT 1; DROP TABLE ribscope.findings_log')
    await refused('SELECT 1;;DROP TABLE ribscope.findings_log;')
    await refused('EXPLAIN AST select 1; drop table ribscope.findings_log')
    await refused('EXPLAIN AST SELECT 1\n;\nINSERT INTO ribscope.findings_log (id) VALUES (1)')
    await refused("SELECT ';' ; TRUNCATE TABLE ribscope.findings_log")
    await refused('SELECT 1 PARALLEL WITH DROP TABLE ribscope.findings_log')
    await refused('SELECT 1 PARALLEL/**/WITH SELECT 2')
  })

  test('a lexer that reads otherwise than the engine', async () => {
    await refused('SELECT $$a$$; DROP TABLE ribscope.findings_log --$$')
    await refused("SELECT $x$';$x$")
    await refused("SELECT x'\\'; DROP TABLE ribscope.findings_log --'")
    await refused("SELECT b'01'")
    await refused('SELECT 1 # ; DROP TABLE x')
    await refused('SELECT 1 /* /* */ ; DROP TABLE ribscope.findings_log */')
    await refused("SELECT 'a\\'; DROP TABLE ribscope.findings_log --")
    await refused('SELECT "a\\"; DROP TABLE ribscope.findings_log --"')
    await refused('SELECT `a``b`')
    await refused('SELECT ‘a’; DROP TABLE ribscope.findings_log')
    await refused('SELECT “file”(1)')
    await refused('SELECT ﬁle(1)')
    await refused('SELECT f\u0131le(1)')
    await refused('SELECT 1 \u00a0FROM findings')
    await refused('SELECT 1\u2028; DROP TABLE ribscope.findings_log')
    await refused("SELECT 'a\u0000'")
    await refused('SELECT 1\u0000; DROP TABLE ribscope.findings_log')
    await refused('SELECT \ud800')
    await refused("SELECT 'open")
    await refused('SELECT /* open')
    await refused('SELECT 1 AS "a.b"')
    await refused('SELECT @@version')
    await refused('SELECT 1 \\G')
  })

  test('comments that hide words: what is in them is not there', async () => {
    // Here the statement is harmless without its comments, so it runs.
    expect(await rows("SELECT 1 AS a -- INTO OUTFILE '/tmp/ribscope-escape-out'")).toEqual([
      { a: 1 },
    ])
    expect(await rows('SELECT /* ; DROP TABLE ribscope.findings_log */ 1 AS a')).toEqual([{ a: 1 }])
    expect(await rows("SELECT '-- not a comment' AS a")).toEqual([{ a: '-- not a comment' }])
    expect(await rows("SELECT '/*' AS a, '*/' AS b")).toEqual([{ a: '/*', b: '*/' }])
    await refused('SELECT 1 --\n; DROP TABLE ribscope.findings_log')
    await refused('SELECT 1 --x\r; DROP TABLE ribscope.findings_log\n; SELECT 2')
    await refused('SELECT 1 /*/ */ ; DROP TABLE ribscope.findings_log /* */')
    await refused(`SELECT fi/**/le('${secret}')`)
  })

  test('table functions, nested too', async () => {
    const sources = [
      `file('${secret}', 'LineAsString', 'a String')`,
      `file('${secret}')`,
      `url('${webUrl}', 'LineAsString', 'a String')`,
      `s3('${webUrl}x', 'CSV', 'a String')`,
      `remote('127.0.0.1', system.one)`,
      `remoteSecure('127.0.0.1', system.one)`,
      `cluster('default', system.one)`,
      `executable('id', 'TSV', 'a String')`,
      `input('a String')`,
      `merge('system', '.*')`,
      `merge('ribscope', '.*')`,
      `mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')`,
      `postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')`,
      `sqlite('${secret}', 'x')`,
      `hdfs('hdfs://127.0.0.1:1/x')`,
      `odbc('DSN=x', 'a', 'b')`,
      `jdbc('x', 'y')`,
      `dictionary('x')`,
      `loop(system.one)`,
      `view(SELECT file('${secret}'))`,
      `viewExplain('EXPLAIN', '', (SELECT 1))`,
      `format('CSV', '1')`,
      `generateRandom('a String')`,
      `fuzzJSON('{}')`,
      `mergeTreeIndex(ribscope, findings_log)`,
      `system.numbers(5)`,
      `deltaLake('${webUrl}')`,
      `iceberg('${webUrl}')`,
      `python('x')`,
    ]
    for (const source of sources) {
      await refused(`SELECT * FROM ${source}`)
      await refused(`SELECT count() FROM (SELECT * FROM (SELECT * FROM ${source}))`)
    }
    await refused(
      `SELECT * FROM findings WHERE id IN (SELECT a FROM url('${webUrl}', 'LineAsString', 'a String'))`,
    )
    await refused(`WITH x AS (SELECT * FROM url('${webUrl}')) SELECT 1`)
    await refused(`DESCRIBE url('${webUrl}')`)
    await refused(`DESCRIBE TABLE file('${secret}')`)
    await refused(`SELECT * FROM numbers(1) JOIN url('${webUrl}') USING (a)`)
    await refused(`SELECT * FROM "url"('${webUrl}')`)
    await refused(`SELECT exists(SELECT * FROM url('${webUrl}'))`)
    await refused('SELECT * FROM (EXPLAIN SELECT 1)')
    await refused("EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'a', 'b', 'c', 'd') PARTITION BY a")
  })

  test('SETTINGS, SET and readonly', async () => {
    await refused('SELECT 1 SETTINGS readonly = 0')
    await refused('SELECT 1 SETTINGS max_execution_time = 1000')
    await refused('SELECT * FROM (SELECT 1 SETTINGS max_threads = 64)')
    await refused('EXPLAIN SYNTAX SELECT 1 SETTINGS readonly = 0')
    await refused('SET readonly = 0')
    await refused('SELECT 1 FORMAT Native')
    await refused("SELECT getSetting('readonly')")
    const [row] = await rows('SELECT name FROM system.columns LIMIT 1')
    expect(row).toBeDefined()
  })

  test('tables beside ours', async () => {
    const names = [
      'processes',
      'query_log',
      'settings',
      'tables',
      'databases',
      'users',
      'disks',
      'parts',
      'clusters',
      'server_settings',
      'named_collections',
      'macros',
      'build_options',
      'session_log',
      'text_log',
      'zeros_mt',
    ]
    for (const name of names) {
      await refused(`SELECT * FROM system.${name}`)
      await refused(`SELECT * FROM "system"."${name}"`)
      await refused(`SELECT * FROM \`system\`.${name}`)
      await refused(`SELECT * FROM system . /* x */ ${name}`)
      await refused(`SELECT 1 WHERE 'x' IN system.${name}`)
    }
    await refused('SELECT * FROM `system.processes`')
    await refused('SELECT * FROM information_schema.tables')
    await refused('SELECT * FROM INFORMATION_SCHEMA.TABLES')
    await refused('SELECT * FROM "default".x')
    await refused('SELECT * FROM other.x')
    await refused('DESCRIBE system.processes')
    await refused('SHOW CREATE TABLE system.processes')
    await refused('SHOW TABLES FROM system')
    await refused('SHOW DATABASES')
    await refused('SHOW PROCESSLIST')
    await refused('SHOW SETTINGS')
    await refused('SHOW GRANTS')
    await refused('SHOW CREATE USER default')
    await refused('SHOW COLUMNS FROM processes FROM system')
    await refused('SELECT * FROM {t:Identifier}', { t: 'system.processes' })
    await refused('SELECT {a:Identifier}.b FROM x', { a: 'x' })
    await refused("SELECT hasColumnInTable('system', 'one', 'dummy')")
    await refused("SELECT joinGet('ribscope.x', 'a', 1)")
    await refused("SELECT dictGet('x', 'y', 1)")
    await refused('EXPLAIN SELECT * FROM system.processes')
    await refused('EXPLAIN AST EXPLAIN SELECT * FROM system.processes')
  })

  test('what waits, tells of the host, or takes its name', async () => {
    for (const call of [
      'sleep(3)',
      'sleepEachRow(1)',
      'hostName()',
      'FQDN()',
      'uptime()',
      'currentUser()',
      "getMacro('x')",
      "getServerPort('tcp_port')",
      'version()',
      'filesystemAvailable()',
      'serverUUID()',
      'showCertificate()',
      'addressToSymbol(1)',
      "logTrace('x')",
      "generateSerialID('x')",
      'queryID()',
      "catboostEvaluate('/x', 1)",
      "aiGenerate('x')",
      "obfuscateQuery('x')",
      "structureToProtobufSchema('a Int8')",
      "getClientHTTPHeader('x')",
      "encrypt('aes-128-ecb', 'x', '0123456789abcdef')",
    ]) {
      await refused(`SELECT ${call}`)
      await refused(`SELECT id FROM findings WHERE toString(${call}) = ''`)
    }
  })

  test('statements that are none of ours', async () => {
    for (const statement of [
      'DROP TABLE ribscope.findings_log',
      'TRUNCATE TABLE ribscope.findings_log',
      'INSERT INTO ribscope.findings_log (id) VALUES (1)',
      'CREATE TABLE x (a Int8) ENGINE = Memory',
      'CREATE TEMPORARY TABLE x (a Int8)',
      'ALTER TABLE ribscope.findings_log DELETE WHERE 1',
      'SYSTEM SHUTDOWN',
      'SYSTEM FLUSH LOGS',
      'USE system',
      'OPTIMIZE TABLE ribscope.findings_log',
      'GRANT ALL ON *.* TO default',
      "BACKUP TABLE ribscope.findings_log TO File('x')",
      'ATTACH TABLE x',
      'DETACH TABLE ribscope.findings_log',
      'RENAME TABLE ribscope.findings_log TO x',
      'EXCHANGE TABLES a AND b',
      'DELETE FROM ribscope.findings_log WHERE 1',
      'CHECK TABLE ribscope.findings_log',
      'WATCH x',
      '(SELECT 1)',
      'FROM findings SELECT 1',
      'VALUES (1)',
      'EXISTS TABLE x',
      'BEGIN',
      '',
    ]) {
      if (statement !== '') await refused(statement)
    }
    await refused('WITH x AS (SELECT 1) INSERT INTO ribscope.findings_log (id) SELECT * FROM x')
    await refused('EXPLAIN INSERT INTO ribscope.findings_log (id) VALUES (1)')
    await refused('EXPLAIN AST DROP TABLE ribscope.findings_log')
    await refused('EXPLAIN CREATE TABLE x (a Int8) ENGINE = Memory')
    // No statement at all to the engine's own parser.
    expect((await post('DESCRIBE (DROP TABLE x)')).status).toBe(400)
  })

  test('limits: time, memory, rows, depth', async () => {
    const limited = async (query: string): Promise<void> => {
      const { status, json, text } = await post(query)
      expect([400, 422], text).toContain(status)
      expect(json.type).toMatch(/query-limit|bad-query/)
    }
    const began = performance.now()
    await limited('SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1')
    expect(performance.now() - began).toBeLessThan(15_000)
    await limited('SELECT number FROM numbers(1001)')
    expect(await rows('SELECT number FROM numbers(1000)')).toHaveLength(1000)
    await limited('SELECT groupArray(number) FROM numbers(1000000000)')
    await limited("SELECT repeat('x', 2000000000)")
    await limited('SELECT range(2000000000)')
    await limited("SELECT repeat('x', 40000000)")
    await limited(
      'SELECT * FROM numbers(1000000) AS a, numbers(1000000) AS b, numbers(1000000) AS c ORDER BY a.number + b.number',
    )
    await limited(`SELECT ${'('.repeat(3000)}1${')'.repeat(3000)}`)
    await limited(`SELECT ${'NOT '.repeat(5000)}1`)
    await limited(
      'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count() FROM t',
    )
  })

  test('an error in the middle of an answer leaves nothing for the next caller', async () => {
    const broken = await post('SELECT throwIf(number = 900), number FROM numbers(1000)')
    expect(broken.status).toBe(400)
    expect(await rows('SELECT 1 AS a')).toEqual([{ a: 1 }])
    expect(await rows('SELECT 2 AS b')).toEqual([{ b: 2 }])
  })
})

describe('over a server', () => {
  const post = (to: Served, query: string, signal?: AbortSignal): Promise<Answer> =>
    to.get('/api/v1/sql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
      ...(signal && { signal }),
    })

  test('who leaves makes room for others, who waited too', async () => {
    const to = await fixture.serve({ limits: { querySeconds: 4 } }, { store: fixture.server })
    const leaving = new AbortController()
    const long = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 3'
    const began = performance.now()
    // Two run, one waits.
    const asked = [1, 2, 3].map(() => post(to, long, leaving.signal).catch(() => 'left'))
    await expect
      .poll(async () => {
        const [row] = await fixture.session.query<{ n: string }>(
          "SELECT count() AS n FROM system.processes WHERE query LIKE '%) = 3%' AND query NOT LIKE '%system.processes%'",
        )
        return Number(row?.n)
      })
      .toBe(2)
    leaving.abort()
    expect(await Promise.all(asked)).toEqual(['left', 'left', 'left'])
    expect((await post(to, 'SELECT 1')).status).toBe(200)
    expect(performance.now() - began).toBeLessThan(3_500)
    expect(to.log.filter((line) => /"level":50/.test(line))).toEqual([])
  })

  test('a server that is away is a 503, and comes back', async () => {
    const http = await serveEngine(fixture.engine)
    const store = openServerStore({ url: http.url })
    const to = await fixture.serve({}, { store })
    await http.close()
    const away = await to.get('/api/v1/findings')
    expect([away.status, away.json.type, away.headers.get('retry-after')]).toEqual([
      503,
      'urn:ribscope:problem:store-away',
      '1',
    ])
    expect((await post(to, 'SELECT 1')).json.type).toBe('urn:ribscope:problem:store-away')
    const again = await serveEngine(fixture.engine, { port: http.port })
    expect((await to.get('/api/v1/findings')).status).toBe(200)
    await store.close()
    await again.close()
  })
})

describe('the lists', () => {
  test('no allowed function name differs from a forbidden one by case alone', async () => {
    const all = await fixture.session.query<{ name: string; case_insensitive: number }>(
      'SELECT name, case_insensitive FROM system.functions',
    )
    const risky =
      /file|url|dictget|joinget|sleep|host|fqdn|macro|setting|user|server|catboost|eval|remote|serial|^ai|query|certificate|address|introspect|obfuscate|uptime|tcpport|mergetree|^__|encrypt|decrypt|initializeaggregation|arrayreduce|columnintable|filesystem|random|fuzz/i
    const allowed = all.map(({ name }) => name).filter((name) => mayCall(name))
    expect(allowed.length).toBeGreaterThan(350)
    const harmless = [
      'JSON_QUERY',
      'isIPAddressInRange',
      'tupleToNameValuePairs',
      'singleValueOrNull',
    ]
    expect(allowed.filter((name) => risky.test(name) && !harmless.includes(name))).toEqual([])
    expect(mayCall('fileIf')).toBe(false)
    expect(mayCall('sumIf')).toBe(true)
    expect(mayCall('If')).toBe(true)
    expect(mayCall('constructor')).toBe(false)
  })

  test('comments and the last semicolon are taken out, strings stay as they are', () => {
    expect(tokenize("SELECT '--', /* a */ 1;-- end\n").text).toBe("SELECT '--',   1")
    expect(tokenize("SELECT 'it''s', 'a\\'b'").tokens.map(({ kind }) => kind)).toEqual([
      'word',
      'string',
      'mark',
      'string',
    ])
    expect(checkStatement('SHOW TABLES', { views: new Set(), client: false }).isShow).toBe(true)
  })
})
