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
  http = await serveEngine(engine, { login: 'ribscope:a b/c' })
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
