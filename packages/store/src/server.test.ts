import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedStore } from './embedded.ts'
import { migrate, schemaScript } from './migrate.ts'
import { openServerStore } from './server.ts'
import { migrations } from './sql.ts'
import { StoreError } from './store.ts'
import type { Store, StoreSession } from './store.ts'
import type { EmbeddedStore } from './embedded.ts'
import { serveEngine } from './testing/serve.ts'
import type { Served } from './testing/serve.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-server-'))
let engine: EmbeddedStore
let http: Served
let store: Store
let db: StoreSession

beforeAll(async () => {
  engine = await openEmbeddedStore({ dataDir })
  http = await serveEngine(engine, {
    login: 'ribscope:a b/c',
    users: {
      'reader:': { profile: { readonly: 2 }, max: { max_execution_time: 60 } },
      'fixed:': { profile: { readonly: 1 } },
    },
  })
  store = openServerStore({ url: http.url, user: 'ribscope', password: 'a b/c' })
  db = await store.session('test')
})
afterAll(async () => {
  await store.close()
  await http.close()
  await engine.close()
  rmSync(dataDir, { recursive: true, force: true })
})

describe('a server over HTTP', () => {
  test('migrate: everything once, the second time nothing', async () => {
    const names = migrations().map(({ name }) => name)
    expect(await migrate(db)).toEqual({ applied: names, version: names.length })
    expect(await migrate(db)).toEqual({ applied: [], version: names.length })
    expect(await db.query('SELECT count() AS n FROM ribscope.rib_current')).toEqual([{ n: '0' }])
    expect(
      http.asked.every(({ settings }) => settings.get('distributed_product_mode') === 'global'),
    ).toBe(true)
  })

  test('the schema of one node is no cluster, and is left as it is', async () => {
    const before = http.asked.length
    await expect(migrate(db, [], { cluster: 'main' })).rejects.toThrow(/that of one node/)
    expect(http.asked.slice(before).filter(({ sql }) => !sql.startsWith('SELECT'))).toEqual([])
  })

  test('values go beside the statement', async () => {
    const hostile = "x'; DROP DATABASE ribscope --\n\n\\"
    expect(await db.query('SELECT {text:String} AS text', { text: hostile })).toEqual([
      { text: hostile },
    ])
  })

  test('blocks go as they are, blank lines included, with their token', async () => {
    const text = 'a\n\nTRUNCATE TABLE ribscope.error_log\n\nb'
    // One column of type String, one row: Native as the engine defines it.
    const block = Buffer.concat([
      Buffer.from([1, 1]),
      Buffer.from([4]),
      Buffer.from('text'),
      Buffer.from([6]),
      Buffer.from('String'),
      Buffer.from([text.length]),
      Buffer.from(text),
    ])
    await store.insert({
      table: 'error_log',
      columns: ['text'],
      bodies: [block, block],
      token: 'once',
    })
    const asked = http.asked.at(-1)
    expect(asked?.sql.trim()).toBe('INSERT INTO ribscope.error_log (text) FORMAT Native')
    expect(Object.fromEntries(asked?.settings ?? [])).toMatchObject({
      insert_deduplication_token: 'once',
      async_insert: '0',
    })
    expect(await db.query('SELECT text FROM ribscope.error_log FINAL')).toEqual([{ text }])
    await store.insertRows('detector_params', [{ key: 'a', value: 1 }, { key: 'b' }])
    await store.replaceRows('detector_params', [{ key: 'c', value: 2 }])
    expect(await db.query('SELECT key, value FROM ribscope.detector_params')).toEqual([
      { key: 'c', value: 2 },
    ])
  })

  test('what the server refuses is an error that says so', async () => {
    await expect(db.query('SELECT no_such')).rejects.toThrow(StoreError)
    await expect(
      store.insert({ table: 'no_such', columns: ['a'], bodies: [Buffer.from('x')], token: 't' }),
    ).rejects.toThrow(/no_such/)
    await expect(
      store.insert({ table: 'a; DROP', columns: ['a'], bodies: [], token: 't' }),
    ).rejects.toThrow(/not a table/)
    const other = openServerStore({ url: http.url, user: 'ribscope', password: 'wrong' })
    await expect((await other.session('x')).query('SELECT 1')).rejects.toThrow(/Authentication/)
    await other.close()
  })

  test('a server that is not there', async () => {
    const away = openServerStore({ url: 'http://127.0.0.1:1' })
    await expect((await away.session('migrate')).query('SELECT 1')).rejects.toThrow(
      /migrate: .*ECONNREFUSED/,
    )
    await away.close()
  })

  test.each(['', 'localhost:8123', 'ftp://h', 'http://u:p@h', 'http://h/db', 'http://h/?a=1'])(
    'no URL of a server: %j',
    (url) => {
      expect(() => openServerStore({ url })).toThrow(StoreError)
    },
  )
})

describe('the schema as a script', () => {
  test.each([undefined, 'main'])('cluster %s: notes what it applied', (cluster) => {
    const script = schemaScript([], { cluster })
    const notes = [...script.matchAll(/SELECT '(\d{4}_\w+)', '[0-9a-f]{64}'\n;/g)]
    expect(notes.map(([, name]) => name)).toEqual(migrations().map(({ name }) => name))
    expect(script).toMatch(/;\n$/)
  })
})

describe('read-only sessions', () => {
  const escapes = [
    'CREATE TABLE ribscope.t (a UInt8) ENGINE = Memory',
    'INSERT INTO ribscope.error_log (router) SELECT 1',
    'DROP VIEW ribscope.rib_current',
    'TRUNCATE TABLE ribscope.error_log',
    'ALTER TABLE ribscope.error_log DROP COLUMN router',
    'SYSTEM FLUSH LOGS',
  ]
  const tables = (): Promise<unknown[]> =>
    engine
      .session('look')
      .then((session) =>
        session
          .query(
            "SELECT name, create_table_query FROM system.tables WHERE database = 'ribscope' ORDER BY name",
          )
          .finally(() => session.close()),
      )

  test.each(['embedded', 'ribscope', 'reader'])(
    'write nothing, change no setting, keep their limits: %s',
    async (user) => {
      const owner = user === 'embedded' ? engine : serverAs(user)
      const session = await owner.session(
        'limited',
        { max_result_rows: 10, result_overflow_mode: 'throw', max_execution_time: 1 },
        { readonly: true, database: 'ribscope' },
      )
      try {
        const before = await tables()
        for (const sql of escapes) await expect(session.command(sql)).rejects.toThrow(StoreError)
        expect(await tables()).toEqual(before)
        // The next statement has the limits of all: nothing of a session is there for one request only.
        await session.command('SET max_result_rows = 100').catch(() => undefined)
        await session.command('SET readonly = 0').catch(() => undefined)
        await expect(session.query('SELECT number FROM numbers(11)')).rejects.toThrow(
          /Limit for result exceeded/,
        )
        await expect(session.command(escapes[0]!)).rejects.toThrow(StoreError)
        expect(await session.query('SELECT number FROM numbers(10)')).toHaveLength(10)
        // Names without a database are ours.
        expect(await session.query('SELECT count() AS n FROM rib_current')).toEqual([{ n: '0' }])
        await expect(
          session.query('SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'),
        ).rejects.toThrow(/Timeout exceeded/)
      } finally {
        await session.close()
        if (owner !== engine) await owner.close()
      }
    },
    30_000,
  )

  test('a statement may change a setting only where the profile alone makes it read-only', async () => {
    const sql = 'SELECT number FROM numbers(11) SETTINGS max_result_rows = 0'
    const limits = { max_result_rows: 10, result_overflow_mode: 'throw' }
    for (const [user, fails] of [
      ['ribscope', true],
      ['reader', false],
    ] as const) {
      const store = serverAs(user)
      const session = await store.session('limited', limits, { readonly: true })
      const asked = session.query(sql)
      // Of SQL that users write the API lets no SETTINGS through.
      if (fails) await expect(asked).rejects.toThrow(/Cannot modify .* in readonly mode/)
      else expect(await asked).toHaveLength(11)
      await store.close()
    }
  })

  test('a profile that permits no setting, or a lower limit, is said at once and by its name', async () => {
    const fixed = serverAs('fixed')
    await expect(fixed.session('api', {}, { readonly: true })).rejects.toThrow(
      /^user "fixed" of the server can't be given the limits of this session: .*Cannot modify .* readonly mode.*readonly = 2/,
    )
    await fixed.close()
    const reader = serverAs('reader')
    await expect(
      reader.session('api', { max_execution_time: 61 }, { readonly: true }),
    ).rejects.toThrow(/max_execution_time shouldn't be greater than 60/)
    await reader.close()
  })

  test('whoever leaves frees the session, and the server is asked to stop', async () => {
    const session = await store.session('left', { max_execution_time: 5 }, { readonly: true })
    const leaving = new AbortController()
    const before = http.asked.length
    const left = http.left
    const asked = session.query(
      'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 2',
      undefined,
      { signal: leaving.signal },
    )
    asked.catch(() => undefined)
    while (http.asked.length === before) await new Promise((resolve) => setImmediate(resolve))
    const began = performance.now()
    leaving.abort()
    await expect(asked).rejects.toThrow(/abort/)
    expect(await session.query('SELECT 1 AS a')).toEqual([{ a: 1 }])
    expect(performance.now() - began).toBeLessThan(4_000)
    expect(http.left).toBe(left + 1)
    const { settings, transport } = http.asked[before]!
    expect(settings.get('readonly')).toBe('1')
    expect(transport.get('cancel_http_readonly_queries_on_client_close')).toBe('1')
    await session.close()
  })

  function serverAs(user: string): Store {
    return user === 'ribscope'
      ? openServerStore({ url: http.url, user, password: 'a b/c' })
      : openServerStore({ url: http.url, user })
  }
})
