import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbeddedStore } from './embedded.ts'
import { migrate } from './migrate.ts'
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
  expect((await migrate(db)).applied).toEqual([last])
})

test('views are replaced at every start, those of other packages after them', async () => {
  await db.command('CREATE OR REPLACE VIEW ribscope.route_events AS SELECT 1 AS tampered')
  await db.command('DROP VIEW ribscope.rib_current')
  const more = {
    name: '99_more',
    text: 'CREATE OR REPLACE VIEW ribscope.more AS SELECT router FROM ribscope.rib_current',
  }
  await migrate(db, [more])
  expect(
    await db.query('SELECT count() AS n FROM ribscope.route_events WHERE vantage = 0'),
  ).toEqual([{ n: '0' }])
  expect(await db.query('SELECT * FROM ribscope.more')).toEqual([])
  expect(views().map(({ name }) => name)).toContain('30_rib_current')
})

test('a shipped migration that was edited is refused, by name', async () => {
  const [first] = migrations()
  await db.command(`ALTER TABLE ribscope.schema_migrations UPDATE digest = 'other' WHERE name = '${first!.name}'
    SETTINGS mutations_sync = 1`)
  await expect(migrate(db)).rejects.toThrow(
    new StoreError(`migration ${first!.name} differs from the one this schema was made with`),
  )
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
})
