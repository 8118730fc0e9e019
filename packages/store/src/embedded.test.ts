import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedStore } from './embedded.ts'
import { migrate } from './migrate.ts'
import { StoreError } from './store.ts'
import type { Store, StoreSession } from './store.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-embedded-'))
let store: Store
let db: StoreSession

beforeAll(async () => {
  store = await openEmbeddedStore({ dataDir })
  db = await store.session('test')
  await migrate(db)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A Native block of detector_params: key String, value Float64. */
function block(rows: readonly (readonly [key: Uint8Array | string, value: number])[]): Uint8Array {
  const text = (value: Uint8Array | string): Buffer => {
    const octets = Buffer.from(value)
    const size = octets.length
    return Buffer.concat(
      [size < 128 ? [size] : [(size & 127) | 128, size >> 7], octets].map((x) => Buffer.from(x)),
    )
  }
  const values = Buffer.alloc(8 * rows.length)
  for (const [i, [, value]] of rows.entries()) values.writeDoubleLE(value, 8 * i)
  return Buffer.concat([
    Buffer.from([2, rows.length]),
    text('key'),
    text('String'),
    ...rows.map(([key]) => text(key)),
    text('value'),
    text('Float64'),
    values,
  ])
}

const insert = (bodies: readonly Uint8Array[], token: string): Promise<void> =>
  store.insert({ table: 'detector_params', columns: ['key', 'value'], bodies, token })

const spool = async (): Promise<string> =>
  existsSync(join(dataDir, 'spool'))
    ? join(dataDir, 'spool')
    : await readFile(join(dataDir, 'spool-folder'), 'utf8')

describe('what comes from the network stays data', () => {
  const SQL = '\n\nDROP TABLE ribscope.detector_params;\n\nTRUNCATE TABLE ribscope.route_log;\n\n'

  test('blank lines followed by SQL, in a block', async () => {
    const octets = Buffer.concat([Buffer.from([0, 10, 10, 13, 255, 254]), Buffer.from(SQL)])
    await insert(
      [
        block([[octets, 1]]),
        block([
          [SQL, 2],
          [`'; ${SQL} --`, 3],
        ]),
      ],
      'blank-lines',
    )
    expect(
      await db.query('SELECT hex(key) AS key, value FROM ribscope.detector_params ORDER BY value'),
    ).toEqual(
      [octets, Buffer.from(SQL), Buffer.from(`'; ${SQL} --`)].map((key, i) => ({
        key: key.toString('hex').toUpperCase(),
        value: i + 1,
      })),
    )
  })

  test('in rows of the program itself', async () => {
    const texts = [SQL, `"}${SQL}{"`, "'\\'; DROP TABLE x", '\u2028\u0000\ud83d\ude00', '{}\n\n[]']
    await store.replaceRows(
      'detector_params',
      texts.map((key, value) => ({ key, value })),
    )
    expect(
      await db.query('SELECT key, value FROM ribscope.detector_params ORDER BY value'),
    ).toEqual(texts.map((key, value) => ({ key, value })))
  })

  test('in values of a question', async () => {
    for (const text of [SQL, "' OR 1 = 1 --", '\\', '{x:String}', "\\'; DROP TABLE y; --"]) {
      expect(await db.query('SELECT {text:String} AS text', { text })).toEqual([{ text }])
    }
  })

  test('tables are all there afterwards', async () => {
    const [row] = await db.query<{ n: string }>(
      "SELECT count() AS n FROM system.tables WHERE database = 'ribscope' AND name IN ('detector_params', 'route_log')",
    )
    expect(row?.n).toBe('2')
  })

  const bad = [
    '',
    'a b',
    'x; DROP TABLE y',
    'route_log\n',
    '`x`',
    'Größe',
    'a.b',
    "x'",
    'X',
    '1x',
    'x)',
    '--',
  ]
  test.each(bad.map((name) => [JSON.stringify(name), name]))('%s is no name', async (_, name) => {
    const body = block([['x', 1]])
    await expect(
      store.insert({ table: name, columns: ['key'], bodies: [body], token: 't' }),
    ).rejects.toThrow(StoreError)
    await expect(
      store.insert({
        table: 'detector_params',
        columns: ['key', name],
        bodies: [body],
        token: 't',
      }),
    ).rejects.toThrow(StoreError)
    await expect(store.insertRows(name, [{ key: 'x' }])).rejects.toThrow(StoreError)
    await expect(store.insertRows('detector_params', [{ [name]: 1 }])).rejects.toThrow(StoreError)
    await expect(store.replaceRows(name, [])).rejects.toThrow(StoreError)
  })

  test.each(['', "t'", 't; x', 'a b', 'a\n', 'ä', 'x'.repeat(201)])(
    '%j is no token',
    async (token) => {
      await expect(insert([block([['x', 1]])], token)).rejects.toThrow('not an insert token')
    },
  )

  test('a column that only a later row has is no way around, and is not lost', async () => {
    await expect(
      store.insertRows('detector_params', [
        { key: 'a', value: 1 },
        { key: 'b', 'value) ': 2 },
      ]),
    ).rejects.toThrow(StoreError)
    await store.insertRows('detector_params', [{ key: 'only key' }, { key: 'both', value: 2 }])
    expect(
      await db.query(
        "SELECT key, value FROM ribscope.detector_params WHERE key IN ('only key', 'both') ORDER BY key",
      ),
    ).toEqual([
      { key: 'both', value: 2 },
      { key: 'only key', value: 0 },
    ])
  })
})

describe('insert files', () => {
  test('only the owner can read them, and they are gone after the insert', async () => {
    const folder = await spool()
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    let seen: number | undefined
    let done = false
    const body = block([['seen', 1]])
    const inserted = insert(new Array<Uint8Array>(2000).fill(body), 'seen').finally(() => {
      done = true
    })
    while (!done && seen === undefined) {
      for (const name of readdirSync(folder)) {
        seen = statSync(join(folder, name), { throwIfNoEntry: false })?.mode
      }
      await new Promise(setImmediate)
    }
    await inserted
    expect((seen ?? 0) & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual([])
  })

  test('are gone after an insert that the engine refuses, and the next one works', async () => {
    await expect(insert([Buffer.from('no block at all')], 'refused')).rejects.toThrow(StoreError)
    expect(readdirSync(await spool())).toEqual([])
    await insert([block([['after', 1]])], 'after-refused')
    expect(
      await db.query("SELECT value FROM ribscope.detector_params WHERE key = 'after'"),
    ).toEqual([{ value: 1 }])
  })
})

describe('the data directory', () => {
  // What another process sees; the built package, as `npm test` leaves it.
  const other = async (): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      `import { openEmbeddedStore } from ${JSON.stringify(fileURLToPath(new URL('../dist/index.js', import.meta.url)))}
      try { const store = await openEmbeddedStore({ dataDir: process.argv[1] }); await store.close(); console.log('opened') }
      catch (error) { console.log(error.name + ': ' + error.message) }`,
      dataDir,
    ])
    return stdout.trim()
  }

  test('belongs to one process, and whoever comes second disturbs nothing', async () => {
    const folder = await spool()
    expect(await other()).toBe(
      `StoreError: data directory ${dataDir} is in use by another process (PID ${process.pid})`,
    )
    expect(await spool()).toBe(folder)
    expect(existsSync(folder)).toBe(true)
    await insert([block([['still', 1]])], 'still')
    expect(
      await db.query("SELECT value FROM ribscope.detector_params WHERE key = 'still'"),
    ).toEqual([{ value: 1 }])
  })

  test('keeps what it has; leftovers of a killed process go at the start', async () => {
    const rows = await db.query('SELECT * FROM ribscope.detector_params ORDER BY ALL')
    expect(rows.length).toBeGreaterThan(3)
    await db.close()
    await store.close()
    expect(existsSync(join(dataDir, 'spool-folder'))).toBe(false)

    const left = mkdtempSync('/dev/shm/ribscope-')
    writeFileSync(join(left, '1.insert'), 'left over')
    writeFileSync(join(dataDir, 'spool-folder'), left)
    mkdirSync(join(dataDir, 'spool'))
    writeFileSync(join(dataDir, 'spool', '1.insert'), 'left over')

    store = await openEmbeddedStore({ dataDir })
    db = await store.session('test')
    expect(existsSync(left)).toBe(false)
    expect(readdirSync(await spool())).toEqual([])
    expect((await migrate(db)).applied).toEqual([])
    expect(await db.query('SELECT * FROM ribscope.detector_params ORDER BY ALL')).toEqual(rows)
  })

  test('a note that names another folder removes nothing there', async () => {
    const precious = mkdtempSync(join(tmpdir(), 'ribscope-precious-'))
    await db.close()
    await store.close()
    writeFileSync(join(dataDir, 'spool-folder'), precious)
    store = await openEmbeddedStore({ dataDir })
    db = await store.session('test')
    expect(existsSync(precious)).toBe(true)
    rmSync(precious, { recursive: true })
  })

  test('may have a name with quotes, spaces and patterns', async () => {
    await db.close()
    await store.close()
    const odd = join(dataDir, "it's {a,b} *\\ odd")
    const second = await openEmbeddedStore({ dataDir: odd })
    try {
      const session = await second.session('odd')
      await migrate(session)
      await second.insertRows('detector_params', [{ key: 'odd', value: 7 }])
      expect(await session.query('SELECT key, value FROM ribscope.detector_params')).toEqual([
        { key: 'odd', value: 7 },
      ])
      await session.close()
    } finally {
      await second.close()
      store = await openEmbeddedStore({ dataDir })
      db = await store.session('test')
    }
  })

  test('that cannot be opened is named, and nothing is left behind', async () => {
    const broken = join(dataDir, 'broken')
    mkdirSync(broken)
    writeFileSync(join(broken, 'clickhouse'), 'a file where a folder should be')
    await expect(openEmbeddedStore({ dataDir: broken })).rejects.toThrow(
      `can't open data directory ${broken}: chdb: only one active data directory per process`,
    )
    expect(readdirSync(broken)).toEqual(['clickhouse'])
    await db.close()
    await store.close()
    await expect(openEmbeddedStore({ dataDir: broken })).rejects.toThrow(
      `can't open data directory ${broken}: Failed to create connection`,
    )
    store = await openEmbeddedStore({ dataDir })
    db = await store.session('test')
    expect(await db.query('SELECT count() > 0 AS kept FROM ribscope.detector_params')).toEqual([
      { kept: 1 },
    ])
  })
})
