/** ClickHouse's HTTP interface as its clients use it: `@clickhouse/client` itself, and requests as clickhouse-go and Grafana send them. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { ClickHouseClient } from '@clickhouse/client'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClickHouseHttp } from './clickhouse-http.ts'
import type { ClickHouseHttpConfig, ClickHouseInterface } from './clickhouse-http.ts'
import { openFixture, VIP, type Fixture } from './testing/fixture.ts'

const TOKEN = 'a-token-of-sixteen-or-more'

let fixture: Fixture
let served: ClickHouseInterface
let withTokens: ClickHouseInterface
let client: ClickHouseClient
let folder: string

const part = (config: Partial<ClickHouseHttpConfig> = {}): ClickHouseInterface =>
  createClickHouseHttp(
    { host: '127.0.0.1', port: 0, hosts: ['ch.example'], origins: [], insecure: false, ...config },
    { store: fixture.store, log: pino({ level: 'silent' }) },
  )

beforeAll(async () => {
  fixture = await openFixture()
  folder = mkdtempSync(join(tmpdir(), 'ribscope-ch-'))
  const tokensFile = join(folder, 'tokens')
  writeFileSync(tokensFile, `${TOKEN} # grafana\n`)
  served = part({ limits: { querySeconds: 3 } })
  withTokens = part({ tokensFile })
  await served.start()
  await withTokens.start()
  client = connected()
})
afterAll(async () => {
  await client.close()
  await served.stop()
  await withTokens.stop()
  await fixture.close()
  rmSync(folder, { recursive: true, force: true })
})

function connected(options: Parameters<typeof createClient>[0] = {}): ClickHouseClient {
  return createClient({
    url: served.address?.url ?? '',
    log: { level: ClickHouseLogLevel.OFF },
    ...options,
  })
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Without what fetch would add or forbid. */
function send(
  path: string,
  body: string | undefined,
  headers: Record<string, string> = {},
  to: ClickHouseInterface = served,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const asked = request(`${to.address?.url ?? ''}${path}`, { method, headers }, (response) => {
      response.toArray().then((chunks) => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        })
      }, reject)
    })
    asked.on('error', reject).end(body)
  })
}

const code = (reply: Reply): unknown => reply.headers['x-clickhouse-exception-code']

async function errorOf(work: Promise<unknown>): Promise<ClickHouseError> {
  try {
    await work
  } catch (error) {
    return error as ClickHouseError
  }
  throw new Error('nothing failed')
}

describe('@clickhouse/client', () => {
  test('asks the same views as the API does', async () => {
    const query =
      'SELECT router, prefix, rib FROM ribscope.rib_current WHERE prefix = {prefix:String} ORDER BY ALL'
    const result = await client.query({
      query,
      query_params: { prefix: VIP },
      format: 'JSONEachRow',
    })
    const rows = await result.json()
    expect(rows.length).toBeGreaterThan(0)
    expect(rows).toEqual(await fixture.session.query(query, { prefix: VIP }))
  })

  test('is let in with any user, uses the database, pings', async () => {
    for (const database of [undefined, 'default', 'ribscope']) {
      const other = connected({ username: 'grafana', password: 'x', ...(database && { database }) })
      expect(await other.ping({ select: true })).toEqual({ success: true })
      const result = await other.query({
        query: 'SELECT count() > 0 AS v FROM rib_current',
        format: 'JSONEachRow',
      })
      expect(await result.json()).toEqual([{ v: 1 }])
      await other.close()
    }
    const wrong = connected({ database: 'system' })
    expect(await errorOf(wrong.query({ query: 'SELECT 1' }))).toMatchObject({ code: '81' })
    await wrong.close()
  })

  test('views with parameters, arrays, nulls, compression, formats', async () => {
    const zipped = connected({ compression: { response: true, request: true } })
    const result = await zipped.query({
      query:
        'SELECT count() AS n FROM ribscope.rib_at(at = {at:DateTime64(6)}) WHERE router IN ({routers:Array(String)})',
      query_params: { at: '2026-11-21 12:05:00.000000', routers: ['tor1', "t'or"] },
      format: 'JSONCompact',
    })
    expect(await result.json()).toMatchObject({ data: [[expect.stringMatching(/^[1-9]/)]] })
    expect(result.response_headers['content-encoding']).toBe('gzip')
    await zipped.close()
    const csv = await client.query({
      query: 'SELECT {a:Nullable(String)} AS a',
      query_params: { a: null },
      format: 'CSVWithNames',
    })
    expect(await csv.text()).toBe('"a"\n\\N\n')
  })

  test('writes nothing', async () => {
    const before = await fixture.session.query('SELECT count() AS n FROM ribscope.route_log')
    const inserted = client.insert({
      table: 'ribscope.route_log',
      values: [{ router: 'x' }],
      format: 'JSONEachRow',
    })
    expect(await errorOf(inserted)).toMatchObject({ code: '164', type: 'READONLY' })
    for (const query of [
      'TRUNCATE TABLE ribscope.route_log',
      'INSERT INTO ribscope.route_log (router) SELECT 1',
      'CREATE TABLE ribscope.x (a UInt8) ENGINE = Memory',
      'SET readonly = 0',
      'KILL QUERY WHERE 1',
      'SYSTEM SHUTDOWN',
      'SELECT 1; DROP TABLE ribscope.route_log',
      'USE system',
    ]) {
      expect([query, await errorOf(client.command({ query }))]).toMatchObject([
        query,
        { type: 'ACCESS_DENIED' },
      ])
    }
    expect(await fixture.session.query('SELECT count() AS n FROM ribscope.route_log')).toEqual(
      before,
    )
  })

  test('errors are ClickHouse’s', async () => {
    expect(await errorOf(client.query({ query: 'SELECT nothing' }))).toMatchObject({
      code: '47',
      type: 'UNKNOWN_IDENTIFIER',
    })
    expect(
      await errorOf(
        client.query({
          query: 'SELECT count() FROM numbers(100000000000)',
          clickhouse_settings: { max_execution_time: 1 },
        }),
      ),
    ).toMatchObject({ type: 'TIMEOUT_EXCEEDED' })
    expect(await errorOf(client.command({ query: 'SELECT 1 FORMAT Nothing' }))).toMatchObject({
      code: '73',
    })
  })
})

describe('settings', () => {
  const dated = "SELECT toDateTime64('2026-11-22 01:02:03', 3, 'UTC') AS d"

  test('of how an answer looks, in the URL and at the end of the statement', async () => {
    const iso = '2026-11-22T01:02:03.000Z\n'
    expect((await send(`/?date_time_output_format=iso`, dated)).body.toString()).toBe(iso)
    expect(
      (await send('/', `${dated} SETTINGS date_time_output_format = 'iso'`)).body.toString(),
    ).toBe(iso)
    expect(
      (
        await send('/', `${dated} FORMAT CSV SETTINGS date_time_output_format = 'iso'`)
      ).body.toString(),
    ).toBe(`"${iso.trim()}"\n`)
    expect((await send('/', dated)).body.toString()).toBe('2026-11-22 01:02:03.000\n')
    expect((await send('/?limit=2', 'SELECT number FROM numbers(5)')).body.toString()).toBe(
      '0\n1\n',
    )
  })

  test('limits only become smaller', async () => {
    expect((await send('/?max_result_rows=2', 'SELECT number FROM numbers(5)')).status).toBe(500)
    expect(
      (await send('/?max_result_rows=9999999999', 'SELECT number FROM numbers(900000) FORMAT Null'))
        .status,
    ).toBe(200)
    const large = await send('/?max_result_rows=0', 'SELECT number FROM numbers(1100000)')
    expect([large.status, code(large)]).toEqual([500, '396'])
    const slow = await send('/?max_execution_time=0', 'SELECT count() FROM numbers(1000000000000)')
    expect([slow.status, code(slow)]).toEqual([408, '159'])
  })

  test.each([
    ['max_threads', '4'],
    ['readonly', '0'],
    ['additional_table_filters', "{'ribscope.rib_current':'1'}"],
    ['additional_result_filter', '1'],
    ['format_schema', 'x'],
    ['format_template_resultset', '/etc/passwd'],
    ['output_format_parallel_formatting', '1'],
    ['allow_ddl', '1'],
    ['result_overflow_mode', 'break'],
    ['max_execution_time', "1'"],
    ['file_like_engine_default_partition_strategy', 'x'],
  ])('%s=%s is refused', async (name, value) => {
    for (const path of [`/?${name}=${encodeURIComponent(value)}`, '/']) {
      const clause = path === '/' ? ` SETTINGS ${name} = '${value.replaceAll("'", '')}'` : ''
      const reply = await send(path, `SELECT 1${clause}`)
      if (name === 'max_execution_time' && clause !== '') expect(reply.status).toBe(200)
      else expect([name, reply.status, code(reply)]).toEqual([name, 500, '164'])
    }
  })

  test('none of them hides a part of the statement from the check', async () => {
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'the secret')
    const query = `SELECT * FROM (SELECT 1 AS a) WHERE a = 1 AND length(file('${secret}')) > 0`
    const tables =
      'SELECT name FROM (SELECT 1 AS name UNION ALL SELECT 2) WHERE name IN (SELECT name FROM system.users)'
    for (const more of [
      '',
      '&limit=1',
      '&limit=1&offset=1',
      '&extremes=1',
      '&max_result_rows=1',
      '&default_format=Null',
    ]) {
      for (const each of [query, tables]) {
        const reply = await send(`/?wait_end_of_query=1${more}`, each)
        expect([more, reply.status, code(reply)]).toEqual([more, 403, '497'])
      }
    }
  })

  test('all of them, and all formats, are the engine’s', async () => {
    const formats = await fixture.session.query<{ name: string }>(
      'SELECT name FROM system.formats WHERE is_output',
    )
    for (const { name } of formats) {
      const reply = await send(`/?default_format=${name}`, 'SELECT 1 AS a')
      expect([name, reply.status]).toEqual([name, code(reply) === '73' ? 404 : 200])
    }
    const source = await import('node:fs').then(({ readFileSync }) =>
      readFileSync(new URL('./clickhouse-http.ts', import.meta.url), 'utf8'),
    )
    const listed =
      /const OF_ANSWER = new Set\(\s*`([^`]+)`/.exec(source)?.[1]?.trim().split(/\s+/) ?? []
    const known = await fixture.session.query<{ name: string }>('SELECT name FROM system.settings')
    const names = new Set(known.map(({ name }) => name))
    expect(listed.length).toBeGreaterThan(20)
    expect(listed.filter((name) => !names.has(name))).toEqual([])
  })
})

describe('escapes', () => {
  test.each([
    "SELECT file('/etc/passwd')",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT 1 INTO OUTFILE '/tmp/ribscope-ch-outfile'",
    'SELECT * FROM system.users',
    'SELECT * FROM system.settings',
    "SELECT getSetting('readonly')",
    'SELECT hostName()',
    'SELECT sleep(3)',
    'SELECT {x:Identifier} FROM ribscope.rib_current',
    'EXPLAIN AST SELECT 1; SELECT 2',
    "SELECT 1 FORMAT CSV INTO OUTFILE '/tmp/ribscope-ch-outfile'",
    'SHOW GRANTS',
    'DESCRIBE TABLE system.users',
  ])('%s', async (query) => {
    const reply = await send('/?param_x=router', query)
    expect([reply.status, code(reply), reply.body.toString()]).toEqual([
      403,
      '497',
      expect.stringMatching(/ACCESS_DENIED/),
    ])
    expect(existsSync('/tmp/ribscope-ch-outfile')).toBe(false)
  })

  test('a parameter is a value and never a part of a statement', async () => {
    const hostile = "1'); DROP TABLE ribscope.route_log; --"
    const reply = await send(
      `/?param_x=${encodeURIComponent(hostile)}&param_readonly=0`,
      'SELECT {x:String} AS x',
    )
    expect(reply.body.toString()).toBe(`${hostile.replaceAll("'", "\\'")}\n`)
  })

  test('nothing is written anywhere, a large insert included', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.endsWith('.http'))
    const reply = await send(
      '/?query=INSERT+INTO+ribscope.route_log+FORMAT+CSV',
      'x'.repeat(500_000),
    )
    expect([reply.status, code(reply)]).toEqual([500, '164'])
    const larger = await send('/?query=SELECT+1', ' '.repeat(2_000_000))
    expect([larger.status, code(larger)]).toEqual([500, '290'])
    expect(readdirSync(tmpdir()).filter((name) => name.endsWith('.http'))).toEqual(before)
    expect(readdirSync('.').filter((name) => name.endsWith('.http'))).toEqual([])
  })
})

describe('who may ask', () => {
  test('a page in a browser may not', async () => {
    for (const headers of [
      { host: 'evil.example' },
      { host: 'evil.example:8123' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    ] as Record<string, string>[]) {
      for (const path of ['/?query=SELECT+1', '/ping', '/']) {
        const reply = await send(path, undefined, headers)
        expect([headers, path, reply.status, code(reply)]).toEqual([headers, path, 403, '497'])
      }
    }
    expect((await send('/?query=SELECT+1', undefined, { host: 'ch.example:8123' })).status).toBe(
      200,
    )
  })

  test('with tokens: as a password, in a header, as a bearer token, and not without', async () => {
    const basic = (login: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(login).toString('base64')}`,
    })
    const ask = (headers: Record<string, string>, more = ''): Promise<Reply> =>
      send(`/?query=SELECT+1${more}`, undefined, headers, withTokens)
    expect((await ask(basic(`grafana:${TOKEN}`))).status).toBe(200)
    expect((await ask({ authorization: `Bearer ${TOKEN}` })).status).toBe(200)
    expect((await ask({ 'x-clickhouse-user': 'x', 'x-clickhouse-key': TOKEN })).status).toBe(200)
    expect((await ask({}, `&password=${TOKEN}`)).status).toBe(200)
    const none = await ask({})
    expect([none.status, code(none)]).toEqual([401, '194'])
    for (const headers of [
      basic('grafana:wrong-token-of-16'),
      basic(`${TOKEN}:`),
      { authorization: 'Bearer x' },
      basic('x:'),
    ]) {
      const reply = await ask(headers)
      expect([reply.status, code(reply)]).toEqual([403, '516'])
    }
    expect((await send('/ping', undefined, {}, withTokens)).status).toBe(200)
  })

  test('beyond loopback only with tokens, or when told so', () => {
    expect(() => part({ host: '0.0.0.0' })).toThrow(
      /ClickHouse interface on 0\.0\.0\.0 is reachable from other machines/,
    )
    expect(() => part({ host: '' })).toThrow(/no tokens/)
    expect(part({ host: '0.0.0.0', insecure: true }).name).toBe('clickhouse-http')
    expect(part({ host: '0.0.0.0', tokensFile: 'x' }).name).toBe('clickhouse-http')
  })
})

describe('Grafana’s data source: clickhouse-go over HTTP', () => {
  const REVISION = 54_460

  interface Block {
    readonly columns: Readonly<
      Record<string, { readonly type: string; readonly values: readonly unknown[] }>
    >
    readonly rows: number
  }

  /** As clickhouse-go's Block.Decode reads: block info, then columns with the octet of their serialisation. */
  function decode(body: Buffer): Block[] {
    let at = 0
    const blocks: Block[] = []
    const octet = (): number => body[at++] ?? Number.NaN
    const varint = (): number => {
      let value = 0
      for (let shift = 0; ; shift += 7) {
        const next = octet()
        value |= (next & 127) << shift
        if (next < 128) return value
      }
    }
    const text = (): string => {
      const size = varint()
      at += size
      return body.subarray(at - size, at).toString()
    }
    while (at < body.length) {
      expect([varint(), octet(), varint(), body.readInt32LE(at)]).toEqual([1, 0, 2, -1])
      at += 4
      expect(varint()).toBe(0)
      const count = varint()
      const rows = varint()
      const columns: Record<string, { type: string; values: unknown[] }> = {}
      for (let i = 0; i < count; i++) {
        const name = text()
        const type = text()
        expect(octet()).toBe(0)
        const read: Record<string, () => unknown> = {
          String: text,
          UInt8: octet,
          Int8: () => body.readInt8(at++),
          UInt32: () => body.readUInt32LE((at += 4) - 4),
          UInt64: () => body.readBigUInt64LE((at += 8) - 8),
        }
        const reader = type.startsWith('DateTime64')
          ? read['UInt64']
          : type.startsWith('DateTime')
            ? read['UInt32']
            : read[type]
        if (type === 'LowCardinality(String)' && rows > 0) {
          const long = (): number => Number(body.readBigUInt64LE((at += 8) - 8))
          expect([long(), long()]).toEqual([1, 0x600])
          const keys = Array.from({ length: long() }, text)
          expect(long()).toBe(rows)
          const positions = Array.from({ length: rows }, octet)
          columns[name] = { type, values: positions.map((position) => keys[position]) }
          continue
        }
        if (reader === undefined) throw new Error(`no reader for ${type}`)
        columns[name] = { type, values: Array.from({ length: rows }, reader) }
      }
      blocks.push({ columns, rows })
    }
    return blocks
  }

  /** The parameters and headers of conn_http.go, with what the plugin configures: gzip, the row limit, a database. */
  async function ask(query: string): Promise<Block[]> {
    const parameters = `client_protocol_version=${REVISION}&database=ribscope&default_format=Native&enable_http_compression=1&limit=1000000`
    const reply = await send(`/?${parameters}`, query, {
      'accept-encoding': 'gzip',
      'user-agent':
        'grafana/12.0.0 clickhouse-datasource/4.11.1 clickhouse-go/2.40.3 (lv:go/1.25; os:linux)',
      authorization: `Basic ${Buffer.from('grafana:').toString('base64')}`,
    })
    const body = reply.headers['content-encoding'] === 'gzip' ? gunzipSync(reply.body) : reply.body
    if (reply.status !== 200) throw new Error(body.toString())
    expect(reply.headers['x-clickhouse-format']).toBe('Native')
    return decode(body)
  }

  const values = async (query: string, column: string): Promise<readonly unknown[]> =>
    (await ask(query)).flatMap(({ columns }) => columns[column]?.values ?? [])

  test('the hello of the driver', async () => {
    const [block] = await ask('SELECT displayName(), version(), revision(), timezone()')
    expect(Object.keys(block?.columns ?? {})).toEqual([
      'displayName()',
      'version()',
      'revision()',
      'timezone()',
    ])
    expect(block?.columns['revision()']).toMatchObject({ type: 'UInt32' })
    // It decodes by what the server says of itself from here on.
    expect(Number(block?.columns['revision()']?.values[0])).toBeGreaterThanOrEqual(REVISION)
    expect(block?.columns['version()']?.values[0]).toMatch(/^\d+\.\d+\./)
    const zone = String(block?.columns['timezone()']?.values[0])
    expect(new Intl.DateTimeFormat('en', { timeZone: zone })).toBeDefined()
  })

  test('its ping, and that of older drivers', async () => {
    const [block] = await ask('SELECT 1')
    expect(block?.columns).toEqual({ 1: { type: 'UInt8', values: [1] } })
    expect(await values('SELECT timeZone()', 'timeZone()')).toHaveLength(1)
  })

  test('the query editor: databases, tables, columns', async () => {
    expect(await values('SELECT version()', 'version()')).toHaveLength(1)
    expect(await values('SHOW DATABASES', 'name')).toContain('ribscope')
    for (const query of [
      'SHOW TABLES',
      'SHOW TABLES FROM ribscope',
      'SHOW TABLES FROM "ribscope"',
    ]) {
      expect([query, await values(query, 'name')]).toEqual([
        query,
        expect.arrayContaining(['rib_current', 'findings']),
      ])
    }
    for (const query of [
      'DESC TABLE ribscope."rib_current"',
      'DESC TABLE "rib_current"',
      'DESCRIBE TABLE "ribscope"."rib_current"',
    ]) {
      const [block] = await ask(query)
      expect([query, block?.columns['name']?.values]).toEqual([
        query,
        expect.arrayContaining(['router', 'prefix']),
      ])
      expect(block?.columns['type']?.values).toContain('String')
    }
    const names = await values(
      'SELECT database, name FROM system.tables ORDER BY database, name',
      'name',
    )
    expect(names).toContain('rib_current')
    expect(
      await values('SELECT name FROM system.databases WHERE name = currentDatabase()', 'name'),
    ).toEqual(['ribscope'])
    const columns = "SELECT name, type, table FROM system.columns WHERE database IN ('ribscope')"
    expect(await values(columns, 'name')).toContain('prefix')
    const schema =
      "SELECT database, table, name, type, comment FROM system.columns WHERE (database, table) IN (('ribscope', 'rib_current')) ORDER BY database, table, position"
    expect(await values(schema, 'name')).toContain('next_hop')
    expect(
      await values(
        'SELECT DISTINCT router FROM ribscope.rib_current SETTINGS max_execution_time=2',
        'router',
      ),
    ).toContain('tor1')
  })

  test('a panel, macros expanded, and a variable', async () => {
    const panel = `SELECT toStartOfInterval(toDateTime(rx_ts), INTERVAL 60 second) AS "time", router, count() AS "events"
      FROM "ribscope"."route_events"
      WHERE ( rx_ts >= toDateTime64(1795262400000/1000, 3) AND rx_ts <= toDateTime64(1795263000000/1000, 3) )
      GROUP BY time, router ORDER BY time ASC LIMIT 1000`
    const [block] = await ask(panel)
    expect(block?.columns['time']).toMatchObject({
      type: expect.stringMatching(/^DateTime/) as unknown,
    })
    expect(new Set(block?.columns['router']?.values)).toEqual(new Set(['tor1', 'tor2']))
    expect(
      await values('SELECT DISTINCT router FROM ribscope.rib_current ORDER BY router', 'router'),
    ).toEqual(['tor1', 'tor2'])
  })

  test('filters of dashboards (additional_table_filters) are refused with a reason', async () => {
    await expect(
      ask(
        `SELECT router FROM rib_current settings additional_table_filters={'rib_current' : ' router = \\'tor1\\' '}`,
      ),
    ).rejects.toThrow(/braces are for parameters.*ACCESS_DENIED/)
  })

  test('without client_protocol_version Native is what the engine writes', async () => {
    const query =
      'SELECT router, prefix, as_path, communities FROM ribscope.rib_current ORDER BY ALL'
    const reply = await send('/?default_format=Native', query)
    expect(reply.body.equals((await fixture.session.queryBytes(query, 'Native')).body)).toBe(true)
  })
})
