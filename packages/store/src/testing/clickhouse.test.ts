/** `@clickhouse/client` over real sockets against the engine in a process of its own. */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import {
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  TupleParam,
  type ClickHouseClient,
} from '@clickhouse/client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openServerStore } from '../server.ts'
import { startClickHouse } from './clickhouse.ts'
import type { ClickHouseProcess } from './clickhouse.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-clickhouse-'))
let server: ClickHouseProcess
let client: ClickHouseClient

beforeAll(async () => {
  server = await startClickHouse({ dataDir, user: 'ribscope', password: 'geheim:ß' })
  client = connected()
  await client.command({ query: 'CREATE DATABASE d' })
  await client.command({
    query: `CREATE TABLE d.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a
      SETTINGS non_replicated_deduplication_window = 100`,
  })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.log(server.log)
})
afterAll(async () => {
  await client.close()
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

function connected(options: Parameters<typeof createClient>[0] = {}): ClickHouseClient {
  return createClient({
    // Errors that are expected need not be read.
    log: { level: ClickHouseLogLevel.OFF },
    url: server.url,
    username: server.user,
    password: server.password,
    ...options,
  })
}

const LOGIN = {
  authorization: `Basic ${Buffer.from('ribscope:geheim:ß').toString('base64')}`,
}

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, { headers: LOGIN, ...init })

const rows = async (query: string): Promise<unknown[]> =>
  (await client.query({ query, format: 'JSONEachRow' })).json()

async function errorOf(work: Promise<unknown>): Promise<ClickHouseError> {
  try {
    await work
  } catch (error) {
    return error as ClickHouseError
  }
  throw new Error('nothing failed')
}

describe('queries of @clickhouse/client', () => {
  test('ping, with and without a query', async () => {
    expect(await client.ping()).toEqual({ success: true })
    expect(await client.ping({ select: true })).toEqual({ success: true })
  })

  test('formats', async () => {
    const query = 'SELECT number AS n, toString(number) AS s FROM numbers(2)'
    expect(await rows(query)).toEqual([
      { n: 0, s: '0' },
      { n: 1, s: '1' },
    ])
    const compact = await client.query({ query, format: 'JSONCompact' })
    expect(await compact.json()).toMatchObject({ meta: [{ name: 'n' }, { name: 's' }], rows: 2 })
    const csv = await client.query({ query, format: 'CSV' })
    expect(await csv.text()).toBe('0,"0"\n1,"1"\n')
    expect(csv.response_headers).toMatchObject({
      'x-clickhouse-format': 'CSV',
      'content-type': 'text/csv; charset=UTF-8; header=absent',
      'x-clickhouse-timezone': expect.stringMatching(/./) as unknown,
      'x-clickhouse-server-display-name': expect.stringMatching(/./) as unknown,
    })
    const { stream } = await client.exec({ query: `${query} FORMAT Native` })
    const octets = Buffer.concat(await stream.toArray())
    expect([...octets.subarray(0, 4)]).toEqual([2, 2, 1, 0x6e])
  })

  test('rows as a stream, a large answer', async () => {
    const result = await client.query({
      query: 'SELECT number AS n FROM numbers(300000)',
      format: 'JSONEachRow',
    })
    let count = 0
    for await (const part of result.stream()) count += part.length
    expect(count).toBe(300_000)
  })

  test('query_id comes back, the given one and one of its own', async () => {
    expect((await client.query({ query: 'SELECT 1', query_id: 'mine-1' })).query_id).toBe('mine-1')
    const response = await ask('/?query=SELECT+1&query_id=mine-2')
    expect(response.headers.get('x-clickhouse-query-id')).toBe('mine-2')
    const other = await ask('/?query=SELECT+1')
    expect(other.headers.get('x-clickhouse-query-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('the summary tells what was read', async () => {
    const { summary } = await client.command({ query: 'SELECT * FROM numbers(10)' })
    expect(summary).toMatchObject({ read_rows: '10', read_bytes: '80' })
  })

  const hostile = "x'; DROP DATABASE d --\n\n\\ \t\0 \\N \\' {a:String} ü \u{1F600}"
  test.each([
    ['String', hostile, hostile],
    ['Array(String)', [hostile, '', "'"], [hostile, '', "'"]],
    ['UInt64', '18446744073709551615', '18446744073709551615'],
    ['Int8', -5, -5],
    ['Float64', 1.5, 1.5],
    ['Bool', true, true],
    ['Nullable(String)', null, null],
    ['Array(Nullable(UInt8))', [1, null], [1, null]],
    ['DateTime64(3)', new Date('2026-11-22T01:02:03.456Z'), '2026-11-22 01:02:03.456'],
    ['Map(String, UInt8)', { "a'b": 1 }, { "a'b": 1 }],
    ['Tuple(UInt8, String)', new TupleParam([1, "o'"]), [1, "o'"]],
    ['Array(Array(UInt8))', [[1], []], [[1], []]],
    ['IPv6', '2001:db8::1', '2001:db8::1'],
    ["Enum8('a' = 1)", 'a', 'a'],
  ])('a parameter of type %s', async (type, value, expected) => {
    for (const use_multipart_params of [false, true]) {
      const result = await client.query({
        query: `SELECT {value:${type}} AS v`,
        format: 'JSONEachRow',
        query_params: { value },
        use_multipart_params,
        clickhouse_settings: {
          session_timezone: 'UTC',
          output_format_json_quote_64bit_integers: 1,
        },
      })
      expect(await result.json()).toEqual([{ v: expected }])
    }
  })

  test('a name as a parameter, and values that fit into no URL', async () => {
    const long = 'x'.repeat(1_000_000)
    const result = await client.query({
      query: 'SELECT {what:Identifier} AS v, length({text:String}) AS n FROM system.one',
      format: 'JSONEachRow',
      query_params: { what: 'dummy', text: long },
      use_multipart_params: true,
    })
    expect(await result.json()).toEqual([{ v: 0, n: 1_000_000 }])
  })
})

describe('settings', () => {
  const value = async (name: string, settings = {}): Promise<unknown> => {
    const [row] = await (
      await client.query({
        query: `SELECT toString(getSetting('${name}')) AS v`,
        format: 'JSONEachRow',
        clickhouse_settings: settings,
      })
    ).json<{ v: unknown }>()
    return row?.v
  }

  test('are in force for one query, whatever is in them', async () => {
    const before = await value('max_block_size')
    expect(await value('max_block_size', { max_block_size: '1234' })).toBe('1234')
    expect(await value('max_block_size')).toBe(before)
    const hostile = "a'; DROP DATABASE d; --\\"
    expect(await value('log_comment', { log_comment: hostile })).toBe(hostile)
    expect(await value('log_comment')).toBe('')
  })

  test('an unknown one, a wrong value, a name that is none', async () => {
    const unknown = await errorOf(value('max_threads', { no_such_setting: 1 }))
    expect(unknown).toMatchObject({ code: '115', type: 'UNKNOWN_SETTING' })
    expect(await errorOf(value('max_threads', { max_threads: 'many' }))).toBeInstanceOf(
      ClickHouseError,
    )
    for (const name of ['a b', "x='1'", 'A', 'x;y', 'max_threads = 1, b']) {
      expect(await errorOf(value('max_threads', { [name]: 1 }))).toMatchObject({
        code: '36',
        type: 'BAD_ARGUMENTS',
      })
    }
  })

  test('a repeated token is stored once, another one twice', async () => {
    await client.command({ query: 'TRUNCATE TABLE d.t' })
    const insert = (token: string): Promise<unknown> =>
      client.insert({
        table: 'd.t',
        values: [{ a: 1, b: 'x' }],
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplication_token: token, async_insert: 0 },
      })
    for (const token of ['one', 'one', 'two', 'one', "thr'ee", "thr'ee"]) await insert(token)
    expect(await rows('SELECT count() AS n FROM d.t')).toEqual([{ n: 3 }])
  })

  test('deduplication reaches the materialized views, or does not, as it is set', async () => {
    for (const [name, on, expected] of [
      ['with', 1, 1],
      ['without', 0, 2],
    ] as const) {
      await client.command({
        query: `CREATE TABLE d.${name}_log (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100`,
      })
      await client.command({
        query: `CREATE TABLE d.${name}_out (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100`,
      })
      await client.command({
        query: `CREATE MATERIALIZED VIEW d.${name}_mv TO d.${name}_out AS SELECT a FROM d.${name}_log`,
      })
      for (let i = 0; i < 2; i++) {
        await client.insert({
          table: `d.${name}_log`,
          values: [{ a: 7 }],
          format: 'JSONEachRow',
          clickhouse_settings: {
            insert_deduplication_token: 'a',
            deduplicate_insert: 'enable',
            deduplicate_blocks_in_dependent_materialized_views: on,
          },
        })
      }
      const [row] = await rows(
        `SELECT (SELECT count() FROM d.${name}_log) AS log, (SELECT count() FROM d.${name}_out) AS out`,
      )
      expect([name, row]).toEqual([name, { log: 1, out: expected }])
    }
  })
})

describe('inserts', () => {
  test('rows, a stream of rows, values, a select', async () => {
    await client.command({ query: 'TRUNCATE TABLE d.t' })
    await client.insert({
      table: 'd.t',
      values: [{ a: 1, b: '\n\nDROP TABLE d.t;\n\n' }],
      format: 'JSONEachRow',
    })
    await client.insert({
      table: 'd.t',
      columns: ['a'],
      values: Readable.from([[2], [3]]),
      format: 'JSONCompactEachRow',
    })
    await client.command({ query: "INSERT INTO d.t VALUES (4, 'v'), (5, '\n\nw')" })
    await client.command({ query: "INSERT INTO d.t (a, b) SELECT 6, 's'" })
    await client.command({ query: 'INSERT INTO d.t (a) FORMAT TSV 7' })
    await client.insert({ table: 'd.t', values: [], format: 'JSONEachRow' })
    expect(await rows('SELECT a, b FROM d.t ORDER BY a')).toEqual([
      { a: 1, b: '\n\nDROP TABLE d.t;\n\n' },
      { a: 2, b: '' },
      { a: 3, b: '' },
      { a: 4, b: 'v' },
      { a: 5, b: '\n\nw' },
      { a: 6, b: 's' },
      { a: 7, b: '' },
    ])
  })

  test('as curl sends them: the statement in the body, in the parameter, or in both', async () => {
    await client.command({ query: 'TRUNCATE TABLE d.t' })
    const post = async (query: string | undefined, body: string): Promise<void> => {
      const path = query === undefined ? '/' : `/?query=${encodeURIComponent(query)}`
      const response = await ask(path, { method: 'POST', body })
      expect([await response.text(), response.status]).toEqual(['', 200])
    }
    await post(undefined, "INSERT INTO d.t VALUES (1, 'a')")
    await post(
      undefined,
      'INSERT INTO d.t SETTINGS max_block_size = 5 FORMAT JSONEachRow\n{"a":2,"b":"b"}\n',
    )
    await post("INSERT INTO d.t VALUES (3, 'c')", '')
    await post('INSERT INTO d.t FORMAT CSV', '4,"d"\n')
    await post('INSERT INTO d.t VALUES', "(5, 'e')")
    await post('/* FORMAT x */ INSERT INTO d.t -- SELECT\n (a, b) FORMAT TSV \n', '6\tf\n')
    expect(
      await rows(
        "SELECT groupConcat(',')(concat(toString(a), b)) AS v FROM (SELECT * FROM d.t ORDER BY a)",
      ),
    ).toEqual([{ v: '1a,2b,3c,4d,5e,6f' }])
  })

  test('octets that begin with a line end are all data', async () => {
    await client.command({
      query: `CREATE TABLE d.ten (${Array.from({ length: 10 }, (_, i) => `c${i} UInt8`).join()}) ENGINE = Memory`,
    })
    const columns = Array.from({ length: 10 }, (_, i) =>
      Buffer.from([2, 0x63, 0x30 + i, 5, ...Buffer.from('UInt8'), i]),
    )
    const block = Buffer.concat([Buffer.from([10, 1]), ...columns])
    expect(block[0]).toBe(0x0a)
    const { stream } = await client.exec({
      query: 'INSERT INTO d.ten FORMAT Native',
      values: Readable.from([block], { objectMode: false }),
    })
    await stream.toArray()
    expect(await rows('SELECT c0, c9 FROM d.ten')).toEqual([{ c0: 0, c9: 9 }])
  })

  test('more than fits into memory goes through a file, and the file is gone', async () => {
    await client.command({ query: 'TRUNCATE TABLE d.t' })
    const send = async (compress: boolean): Promise<void> => {
      // Blocks that are the same are stored once.
      const line = JSON.stringify({ a: Number(compress), b: 'x'.repeat(1000) })
      const chunk = Array.from({ length: 1000 }, () => line).join('\n') + '\n'
      const zipped = connected({ compression: { request: compress, response: compress } })
      const { stream } = await zipped.exec({
        query: 'INSERT INTO d.t FORMAT JSONEachRow',
        values: Readable.from(
          Array.from({ length: 20 }, () => chunk),
          { objectMode: false },
        ),
      })
      await stream.toArray()
      await zipped.close()
    }
    await send(false)
    await send(true)
    expect(await rows('SELECT count() AS n, sum(length(b)) AS l FROM d.t')).toEqual([
      { n: 40_000, l: 40_000_000 },
    ])
    expect(readdirSync(join(dataDir, 'http-spool'))).toEqual([])
  })

  test('through openServerStore: blocks with a token, rows, replaced rows', async () => {
    const store = openServerStore(server)
    const session = await store.session('x')
    await session.command('CREATE DATABASE IF NOT EXISTS ribscope')
    await session.command(
      'CREATE TABLE ribscope.n (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10',
    )
    const block = Buffer.from([1, 2, 1, 0x61, 5, ...Buffer.from('UInt8'), 10, 13])
    for (const token of ['a', 'a', 'b']) {
      await store.insert({ table: 'n', columns: ['a'], bodies: [block, block], token })
    }
    expect(await session.query('SELECT count() AS n, sum(a) AS s FROM ribscope.n')).toEqual([
      { n: '8', s: '92' },
    ])
    await store.replaceRows('n', [{ a: 1 }])
    expect(await session.query('SELECT a FROM ribscope.n')).toEqual([{ a: 1 }])
    await store.close()
  })
})

describe('compression', () => {
  test('of answers, errors too', async () => {
    const zipped = connected({ compression: { response: true, request: true } })
    const result = await zipped.query({
      query: 'SELECT number FROM numbers(10000)',
      format: 'JSONEachRow',
    })
    expect(await result.json()).toHaveLength(10_000)
    expect(result.response_headers['content-encoding']).toBe('gzip')
    expect(await errorOf(zipped.query({ query: 'SELECT nothing' }))).toMatchObject({ code: '47' })
    await zipped.close()
  })

  test.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
    ['br', brotliDecompressSync],
  ])('%s', async (name, plain) => {
    const { request } = await import('node:http')
    const octets = await new Promise<Buffer>((resolve, reject) => {
      const asked = request(
        `${server.url}/?enable_http_compression=1&query=SELECT+number+FROM+numbers(3)`,
        { headers: { ...LOGIN, 'accept-encoding': `x, ${name}` } },
        (response) => {
          expect(response.headers['content-encoding']).toBe(name)
          response.toArray().then((chunks) => resolve(Buffer.concat(chunks)), reject)
        },
      )
      asked.on('error', reject).end()
    })
    expect(plain(octets).toString()).toBe('0\n1\n2\n')
  })

  test('a body that is compressed, broken, or compressed as nobody knows', async () => {
    const send = (encoding: string, body: Uint8Array): Promise<Response> =>
      ask('/', {
        method: 'POST',
        headers: { ...LOGIN, 'content-encoding': encoding },
        body: Buffer.from(body),
      })
    expect(await (await send('gzip', gzipSync('SELECT 5'))).text()).toBe('5\n')
    const broken = await send('gzip', gzipSync('SELECT 5').subarray(0, 12))
    expect([broken.status, broken.headers.get('x-clickhouse-exception-code')]).toEqual([400, '117'])
    expect((await send('gzip', Buffer.from('SELECT 5'))).status).toBe(400)
    const odd = await send('xz', Buffer.from('SELECT 5'))
    expect([odd.status, odd.headers.get('x-clickhouse-exception-code')]).toEqual([501, '48'])
    const native = await ask('/?compress=1&query=SELECT+1')
    expect([native.status, await native.text()]).toEqual([
      501,
      expect.stringMatching(/^Code: 48\. .*compress=1/),
    ])
  })
})

describe('errors', () => {
  test.each([
    ['SELECT nothing', 404, '47', 'UNKNOWN_IDENTIFIER'],
    ['SELECT * FROM d.nothing', 404, '60', 'UNKNOWN_TABLE'],
    ['SELECT * FROM nothing.t', 404, '81', 'UNKNOWN_DATABASE'],
    ['SELEKT 1', 400, '62', 'SYNTAX_ERROR'],
    ["SELECT 'open", 400, '62', 'SYNTAX_ERROR'],
    ['SELECT 1 FORMAT Nothing', 404, '73', 'UNKNOWN_FORMAT'],
    ["SELECT toUInt8('x')", 400, '6', 'CANNOT_PARSE_TEXT'],
    ['SELECT throwIf(1)', 500, '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ['SELECT {a:UInt8}', 500, '456', 'UNKNOWN_QUERY_PARAMETER'],
    ['INSERT INTO d.t (c) FORMAT TSV 1', 500, '16', 'NO_SUCH_COLUMN_IN_TABLE'],
    ['  ', 400, '62', 'SYNTAX_ERROR'],
    [
      'SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_execution_time = 1, max_block_size = 1',
      408,
      '159',
      'TIMEOUT_EXCEEDED',
    ],
  ])('%s', async (query, status, code, type) => {
    const response = await ask('/', { method: 'POST', body: query })
    const text = await response.text()
    expect([response.status, response.headers.get('x-clickhouse-exception-code'), text]).toEqual([
      status,
      code,
      expect.stringMatching(
        new RegExp(
          `^Code: ${code}\\. DB::Exception: [^]*\\(${type}\\) \\(version \\d+\\.[\\d.]+\\)\\n$`,
        ),
      ),
    ])
    // Said once, not once more by every layer.
    expect(text.match(/DB::Exception/g)).toHaveLength(1)
    if (query.trim() === '') return
    expect(await errorOf(client.command({ query }))).toMatchObject({ code, type })
  })

  test('who is not let in', async () => {
    for (const [headers, status, code] of [
      [{}, 401, '194'],
      [{ authorization: `Basic ${Buffer.from('ribscope:no').toString('base64')}` }, 403, '516'],
      [{ authorization: `Basic ${Buffer.from('nobody:geheim:ß').toString('base64')}` }, 403, '516'],
      [{ authorization: 'Bearer x' }, 403, '516'],
      [{ authorization: 'Basic' }, 403, '516'],
      [{ ...LOGIN, 'x-clickhouse-user': 'ribscope' }, 403, '516'],
      [{ 'x-clickhouse-user': 'ribscope', 'x-clickhouse-key': 'no' }, 403, '516'],
    ] as const) {
      const response = await ask('/?query=SELECT+1', { headers })
      expect([
        headers,
        response.status,
        response.headers.get('x-clickhouse-exception-code'),
      ]).toEqual([headers, status, code])
    }
    const wrong = connected({ password: 'wrong' })
    expect(await errorOf(wrong.query({ query: 'SELECT 1' }))).toMatchObject({
      type: 'AUTHENTICATION_FAILED',
    })
    await wrong.close()
  })

  test('who is let in: headers, parameters', async () => {
    const key = encodeURIComponent('geheim:ß')
    expect(
      await (await ask(`/?query=SELECT+1&user=ribscope&password=${key}`, { headers: {} })).text(),
    ).toBe('1\n')
  })

  test('a statement that is too large', async () => {
    const chunk = Buffer.alloc(1 << 20, 0x20)
    const response = await ask('/', {
      method: 'POST',
      body: Buffer.concat(Array.from({ length: 6 }, () => chunk)),
    })
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([
      413,
      '229',
    ])
  })

  test('what is no request', async () => {
    for (const [path, init, status] of [
      ['/nothing', {}, 404],
      ['/?query=SELECT+1', { method: 'PUT' }, 501],
      ['/?query=SELECT+1&session_id=x', {}, 501],
      ['/?query=SELECT+1&role=x', {}, 501],
      ['/?query=SELECT+1&database=a%60b', {}, 400],
      ['/?query=SELECT+1&param_a-b=1', {}, 400],
      ['/?query=SELECT+1&default_format=a+b', {}, 400],
    ] as const) {
      const response = await ask(path, init)
      expect([path, response.status, await response.text()]).toEqual([
        path,
        status,
        expect.any(String),
      ])
    }
  })
})

describe('the rest of the interface', () => {
  test('health checks need no password', async () => {
    for (const path of ['/', '/ping', '/replicas_status']) {
      const response = await ask(path, { headers: {} })
      expect([path, response.status, await response.text()]).toEqual([path, 200, 'Ok.\n'])
    }
    const head = await ask('/ping', { method: 'HEAD', headers: {} })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test('HEAD runs the query and gives its headers', async () => {
    const head = await ask('/?query=SELECT+1&default_format=JSON', { method: 'HEAD' })
    expect([head.status, await head.text(), head.headers.get('x-clickhouse-format')]).toEqual([
      200,
      '',
      'JSON',
    ])
  })

  test('GET writes nothing', async () => {
    const response = await ask('/?query=DROP+TABLE+d.t')
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([
      500,
      '164',
    ])
    expect(
      (await ask(`/?query=${encodeURIComponent("INSERT INTO d.t VALUES (1, 'x')")}`)).status,
    ).toBe(500)
    expect(await rows('SELECT count() > 0 AS there FROM d.t')).toHaveLength(1)
  })

  test('the query goes on in the body', async () => {
    const response = await ask('/?query=SELECT+1,', { method: 'POST', body: '2 -- FORMAT CSV\n' })
    expect(await response.text()).toBe('1\t2\n')
  })

  test('the format: of the statement, before that of the parameter and the header', async () => {
    const format = async (query: string, headers = {}, more = ''): Promise<string | null> => {
      const response = await ask(`/?query=${encodeURIComponent(query)}${more}`, {
        headers: { ...LOGIN, ...headers },
      })
      await response.text()
      return response.headers.get('x-clickhouse-format')
    }
    expect(await format('SELECT 1')).toBe('TabSeparated')
    expect(await format('SELECT 1', { 'x-clickhouse-format': 'XML' })).toBe('XML')
    expect(await format('SELECT 1', { 'x-clickhouse-format': 'XML' }, '&default_format=JSON')).toBe(
      'JSON',
    )
    expect(await format('SELECT 1 FORMAT CSV;', {}, '&default_format=JSON')).toBe('CSV')
    expect(
      await format('SELECT 1 format CSV SETTINGS max_threads = 1', {}, '&default_format=JSON'),
    ).toBe('CSV')
    expect(await format("SELECT ' FORMAT CSV' -- FORMAT TSV\n", {}, '&default_format=JSON')).toBe(
      'JSON',
    )
  })

  test('the database', async () => {
    const result = await connected({ database: 'd' }).query({
      query: 'SELECT count() >= 0 AS v, currentDatabase() AS d FROM t',
      format: 'JSONEachRow',
    })
    expect(await result.json()).toEqual([{ v: 1, d: 'd' }])
    const header = await ask('/?query=SELECT+currentDatabase()', {
      headers: { ...LOGIN, 'x-clickhouse-database': 'd' },
    })
    expect(await header.text()).toBe('d\n')
  })

  test('queries run beside each other', async () => {
    const started = performance.now()
    await Promise.all(
      Array.from({ length: 6 }, () =>
        client.query({ query: 'SELECT sleep(1)', format: 'TabSeparated' }).then((r) => r.text()),
      ),
    )
    expect(performance.now() - started).toBeLessThan(4000)
  })

  test('a caller who leaves: the next one is answered, and inserts that were cut store nothing', async () => {
    await client.command({ query: 'TRUNCATE TABLE d.t' })
    const abort = new AbortController()
    const slow = client.query({ query: 'SELECT sleep(2)', abort_signal: abort.signal })
    await delay(200)
    abort.abort()
    await expect(slow).rejects.toThrow(/abort/)
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(
      `POST /?query=INSERT+INTO+d.t+FORMAT+CSV HTTP/1.1\r\nHost: h\r\nAuthorization: ${LOGIN.authorization}\r\nContent-Length: 1000\r\n\r\n1,"a"\n`,
    )
    await delay(200)
    socket.destroy()
    await delay(200)
    expect(await rows('SELECT count() AS n FROM d.t')).toEqual([{ n: 0 }])
    expect(readdirSync(join(dataDir, 'http-spool'))).toEqual([])
  })
})

describe('life and death', () => {
  test('killed and started again: same port, same data, the same client goes on', async () => {
    await client.command({ query: 'TRUNCATE TABLE d.t' })
    await client.insert({ table: 'd.t', values: [{ a: 1, b: 'kept' }], format: 'JSONEachRow' })
    const { url, pid } = server
    await server.kill()
    await expect(client.query({ query: 'SELECT 1' })).rejects.toThrow(/ECONNREFUSED/)
    await server.start()
    expect(server.url).toBe(url)
    expect(server.pid).not.toBe(pid)
    expect(await rows('SELECT a, b FROM d.t')).toEqual([{ a: 1, b: 'kept' }])
  })

  test('a second one on the same data says why it does not start', async () => {
    await expect(startClickHouse({ dataDir })).rejects.toThrow(/in use by another process/)
    expect(await rows('SELECT 1 AS a')).toEqual([{ a: 1 }])
  })
})
