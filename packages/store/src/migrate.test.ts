import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbeddedStore } from './embedded.ts'
import { migrate } from './migrate.ts'
import { schemaState, waitForSchema } from './schema.ts'
import { migrations, views } from './sql.ts'
import { StoreError } from './store.ts'
import type { Store, StoreSession } from './store.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-migrate-'))
let store: Store
let db: StoreSession

beforeAll(async () => {
  store = await openEmbeddedStore({ dataDir })
  db = await store.session('test')
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const schema = (): Promise<unknown[]> =>
  db.query(
    "SELECT name, engine, create_table_query FROM system.tables WHERE database = 'ribscope' ORDER BY name",
  )

const VIEW = {
  name: '99_more',
  text: 'CREATE OR REPLACE VIEW ribscope.more AS SELECT router FROM ribscope.rib_current',
}

test('a service waits for the schema, is told why, and changes nothing meanwhile', async () => {
  const before = await db.query('SELECT name FROM system.databases ORDER BY name')
  expect((await schemaState(db, [])).state).toBe('absent')
  await expect(waitForSchema(db, { moreViews: [], waitMs: 0 })).rejects.toThrow(
    new StoreError('there is no schema, or this user may not see it: run ribscope migrate'),
  )
  expect(await db.query('SELECT name FROM system.databases ORDER BY name')).toEqual(before)
  const why: string[] = []
  const other = await store.session('other')
  const waiting = waitForSchema(db, {
    moreViews: [VIEW],
    waitMs: 60_000,
    everyMs: 5,
    onWaiting: (text) => {
      // Made by another one while this one waits.
      if (why.push(text) === 1) void migrate(other, [VIEW])
    },
  })
  await waiting
  await other.close()
  expect(why[0]).toMatch(/there is no schema/)
  expect(await schemaState(db, [VIEW])).toEqual({ state: 'current', why: '' })
  // Who reads no view needs none; who reads others needs those.
  expect((await schemaState(db, undefined)).state).toBe('current')
  expect(await schemaState(db, [])).toEqual({
    state: 'older',
    why: 'the views of the schema are not those of this version: run ribscope migrate',
  })
  await db.command('DROP DATABASE ribscope')
})

test('all migrations once, in order; a second time nothing', async () => {
  const names = migrations().map(({ name }) => name)
  expect(names).toEqual([...names].sort())
  expect(await migrate(db)).toEqual({ applied: names, version: names.length })
  const before = await schema()
  expect(await migrate(db)).toEqual({ applied: [], version: names.length })
  expect(await schema()).toEqual(before)
  const tables = before.map((row) => (row as { name: string }).name)
  for (const name of ['route_log', 'session_log', 'marks', 'rib_state', 'route_events', 'rib_at']) {
    expect(tables).toContain(name)
  }
})

test('an interrupted migration is done again', async () => {
  // Killed between a migration and the note of it.
  const last = migrations().at(-1)!.name
  await db.command(`ALTER TABLE ribscope.schema_migrations DELETE WHERE name = '${last}'
    SETTINGS mutations_sync = 1`)
  expect(await schemaState(db, undefined)).toEqual({
    state: 'older',
    why: `the schema lacks 1 migrations (${last} ...): run ribscope migrate`,
  })
  expect((await migrate(db)).applied).toEqual([last])
})

test('views that are not those of this program are replaced, those of other packages after them', async () => {
  // One that there was not.
  expect(await migrate(db, [VIEW])).toMatchObject({ applied: [] })
  expect(await db.query('SELECT * FROM ribscope.more')).toEqual([])
  // Two that are not what they were.
  await db.command('CREATE OR REPLACE VIEW ribscope.route_events AS SELECT 1 AS tampered')
  await db.command('DROP VIEW ribscope.rib_current')
  await migrate(db, [VIEW])
  expect(
    await db.query('SELECT count() AS n FROM ribscope.route_events WHERE vantage = 0'),
  ).toEqual([{ n: '0' }])
  expect(await db.query('SELECT * FROM ribscope.more')).toEqual([])
  expect(views().map(({ name }) => name)).toContain('30_rib_current')
})

test('views that are there are left alone', async () => {
  const made = (): Promise<unknown[]> =>
    db.query("SELECT uuid FROM system.tables WHERE database = 'ribscope' ORDER BY name")
  const before = await made()
  await migrate(db, [VIEW])
  expect(await made()).toEqual(before)
})

test('a shipped migration that was edited is refused, by name', async () => {
  const [first] = migrations()
  await db.command(`ALTER TABLE ribscope.schema_migrations UPDATE digest = 'other' WHERE name = '${first!.name}'
    SETTINGS mutations_sync = 1`)
  await expect(migrate(db)).rejects.toThrow(
    new StoreError(`migration ${first!.name} differs from the one this schema was made with`),
  )
  expect((await schemaState(db, undefined)).state).toBe('other')
  await db.command(`ALTER TABLE ribscope.schema_migrations DELETE WHERE name = '${first!.name}'
    SETTINGS mutations_sync = 1`)
  expect((await migrate(db)).applied).toEqual([first!.name])
})

test('a schema of a newer version is refused before anything is changed', async () => {
  await db.command(
    "INSERT INTO ribscope.schema_migrations (name, digest) SELECT '9999_from_the_future', 'x'",
  )
  await db.command('DROP VIEW ribscope.more')
  await db.command('DROP VIEW ribscope.rib_current')
  const before = await schema()
  await expect(migrate(db)).rejects.toThrow(
    new StoreError(
      'the schema has migration 9999_from_the_future, which this version does not know: upgrade ribscope',
    ),
  )
  expect(await schema()).toEqual(before)
  // That does not get better by waiting.
  await expect(waitForSchema(db, { moreViews: [], waitMs: 60_000 })).rejects.toThrow(
    /has migration 9999_from_the_future.*upgrade ribscope/,
  )
})
