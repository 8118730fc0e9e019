import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedStore } from './embedded.ts'
import type { EmbeddedStore } from './embedded.ts'
import { DATA_FAULTS, faultOf } from './fault.ts'
import { CODES, engineErrorOf, STATUS } from './http/exceptions.ts'
import { migrate } from './migrate.ts'
import { openServerStore } from './server.ts'
import { StoreError } from './store.ts'
import type { Store } from './store.ts'
import { serveEngine } from './testing/serve.ts'
import type { Served } from './testing/serve.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-fault-'))
let engine: EmbeddedStore
let http: Served
const stores = new Map<string, Store>()

beforeAll(async () => {
  engine = await openEmbeddedStore({ dataDir })
  const session = await engine.session('setup')
  await migrate(session)
  await session.command('CREATE TABLE ribscope.full (a UInt8) ENGINE = MergeTree ORDER BY a')
  await session.command('INSERT INTO ribscope.full SELECT 1')
  await session.command(
    'ALTER TABLE ribscope.full MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 0',
  )
  await session.command(
    'CREATE TABLE ribscope.picky (a UInt8, CONSTRAINT small CHECK a < 5) ENGINE = MergeTree ORDER BY a PARTITION BY a',
  )
  await session.close()
  http = await serveEngine(engine)
  stores.set('embedded', engine)
  stores.set('server', openServerStore({ url: http.url }))
})
afterAll(async () => {
  await stores.get('server')?.close()
  await http.close()
  await engine.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('nothing failed')
}

/** One UInt8 column `a`. */
const block = (...values: readonly number[]): Buffer =>
  Buffer.from([1, values.length, 1, 0x61, 5, ...Buffer.from('UInt8'), ...values])

describe.each(['embedded', 'server'])('%s: whose fault', (name) => {
  const insert = (table: string, column: string, body: Uint8Array | string): Promise<void> =>
    stores.get(name)!.insert({ table, columns: [column], bodies: [Buffer.from(body)], token: 't' })

  test.each([
    ['no block', 'detector_params', 'key', Buffer.from('no block at all'), 'CANNOT_READ_ALL_DATA'],
    ['a cut block', 'picky', 'a', block(1, 2, 3).subarray(0, -1), 'CANNOT_READ_ALL_DATA'],
    ['a table that is not there', 'no_such', 'a', block(1), 'UNKNOWN_TABLE'],
    ['a column that is not there', 'picky', 'b', block(1), 'NO_SUCH_COLUMN_IN_TABLE'],
    ['values that are not allowed', 'picky', 'a', block(7), 'VIOLATED_CONSTRAINT'],
  ])('%s: the data', async (_, table, column, body, type) => {
    const error = await errorOf(insert(table, column, body))
    expect(error).toBeInstanceOf(StoreError)
    expect(engineErrorOf(error)?.type).toBe(type)
    expect(faultOf(error)).toBe('data')
  })

  test('names and tokens that are none: the data', async () => {
    expect(faultOf(await errorOf(insert('x; DROP', 'a', block(1))))).toBe('data')
    const { insert: into } = stores.get(name)!
    const given = { table: 'picky', columns: ['a'], bodies: [block(1)], token: "'" }
    expect(faultOf(await errorOf(into(given)))).toBe('data')
  })

  test('rows that are no rows: the data', async () => {
    const { insertRows } = stores.get(name)!
    const error = await errorOf(insertRows('detector_params', [{ key: 'a', value: 'b' }]))
    expect(faultOf(error)).toBe('data')
  })

  test('too many parts: the store; too many partitions in one block: the data', async () => {
    const parts = await errorOf(insert('full', 'a', block(2)))
    expect(engineErrorOf(parts)?.type).toBe('TOO_MANY_PARTS')
    expect(faultOf(parts)).toBe('store')
    const session = await stores.get(name)!.session('x', { max_partitions_per_insert_block: 1 })
    const partitions = await errorOf(
      session.command('INSERT INTO ribscope.picky SELECT number FROM numbers(3)'),
    )
    expect(engineErrorOf(partitions)?.type).toBe('TOO_MANY_PARTS')
    expect(faultOf(partitions)).toBe('data')
    await session.close()
  })

  test('limits, read-only: the store', async () => {
    const small = await stores.get(name)!.session('x', { max_memory_usage: 1_000_000 })
    const memory = await errorOf(
      small.query('SELECT groupArray(toString(number)) FROM numbers(1000000)'),
    )
    expect(engineErrorOf(memory)?.type).toBe('MEMORY_LIMIT_EXCEEDED')
    expect(faultOf(memory)).toBe('store')
    await small.close()
    const reader = await stores.get(name)!.session('x', { readonly: 1 })
    const error = await errorOf(reader.command('INSERT INTO ribscope.picky SELECT 1'))
    expect(engineErrorOf(error)?.type).toBe('READONLY')
    expect(faultOf(error)).toBe('store')
    await reader.close()
  })
})

describe('a server that is away', () => {
  const faultAt = async (url: string, timeoutMs = 10_000): Promise<string> => {
    const store = openServerStore({ url, timeoutMs })
    const given = { table: 'picky', columns: ['a'], bodies: [block(1)], token: 't' }
    const error = await errorOf(store.insert(given))
    await store.close()
    return faultOf(error)
  }

  test('not there', async () => {
    expect(await faultAt('http://127.0.0.1:1')).toBe('store')
  })

  test.each([
    ['a proxy in front of it', 502, '<html>Bad gateway: Code: 60 DB::Exception</html>'],
    ['an error without a name', 500, 'oops'],
  ])('%s', async (_, status, text) => {
    const proxy = createServer((request, response) => {
      request.resume()
      response.writeHead(status).end(text)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = proxy.address() as AddressInfo
      expect(await faultAt(`http://127.0.0.1:${port}`)).toBe('store')
    } finally {
      proxy.closeAllConnections()
      proxy.close()
    }
  })

  test('silent, or gone in the middle', async () => {
    const silent = createServer((request) => request.resume())
    const gone = createServer((request) => request.socket.destroy())
    for (const server of [silent, gone]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      expect(await faultAt(`http://127.0.0.1:${port}`, 300)).toBe('store')
      server.closeAllConnections()
      server.close()
    }
  })

  test('what is no error of a store', () => {
    expect(faultOf(new Error('x'))).toBe('store')
    expect(faultOf(undefined)).toBe('store')
    expect(faultOf(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBe('store')
  })
})

describe('names and codes are the engine’s own', () => {
  test('every name is one', async () => {
    const session = await engine.session('names')
    const rows = await session.query<{ code: number; name: string }>(
      "SELECT toUInt32(number) AS code, errorCodeToName(number) AS name FROM numbers(1100) WHERE name != ''",
    )
    await session.close()
    const codes = new Map(rows.map(({ name, code }) => [name, code]))
    expect([...DATA_FAULTS].filter((name) => !codes.has(name))).toEqual([])
    for (const [name, code] of Object.entries(CODES))
      expect([name, codes.get(name)]).toEqual([name, code])
    expect([...STATUS.keys()].filter((name) => !codes.has(name))).toEqual([])
  })
})
