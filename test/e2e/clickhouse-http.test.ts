/**
 * The store behind HTTP: a recording through `openServerStore` gives the answers that it gives in the embedded store; a server
 * that is killed in the middle of inserts has every row once when they are repeated; `ribscope up` answers ClickHouse's clients.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { detectorViews } from '@ribscope/detectors'
import { NativeSink, RouterSession } from '@ribscope/events'
import type { Batch } from '@ribscope/events'
import { faultOf, migrate, openEmbeddedStore, openServerStore } from '@ribscope/store'
import type { Store } from '@ribscope/store'
import { startClickHouse } from '@ribscope/store/testing'
import { afterAll, expect, test, vi } from 'vitest'
import { announce, initiation, peerUp } from '../../packages/events/src/testing/bytes.ts'
import { Up } from './process.ts'

vi.setConfig({ testTimeout: 300_000 })

const folder = mkdtempSync(join(tmpdir(), 'ribscope-server-e2e-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const RECORDING = fileURLToPath(new URL('../fixtures/lab/node-down/tor1.bmp', import.meta.url))

/** @returns copies of the batches: a sink uses its memory again */
function batchesOf(bytes: Uint8Array, openedUs: number): Batch[] {
  const sink = new NativeSink()
  const out = { collector: 'c', source: '127.0.1.11', openedUs, out: sink }
  new RouterSession(out).push(bytes, openedUs)
  return sink.flush().map((batch) => ({ ...batch, body: Uint8Array.from(batch.body) }))
}

const insert = (store: Store, batch: Batch, token: string): Promise<void> =>
  store.insert({ table: batch.table, columns: batch.columns, bodies: [batch.body], token })

test('a recording: the same answers as from the embedded store', async () => {
  const batches = batchesOf(readFileSync(RECORDING), 1_800_000_000_000_000)
  const server = await startClickHouse({ dataDir: join(folder, 'a') })
  const stores = [
    openServerStore({ url: server.url }),
    await openEmbeddedStore({ dataDir: join(folder, 'b') }),
  ]
  try {
    const answers: unknown[][] = []
    for (const store of stores) {
      const db = await store.session('test')
      await migrate(db, detectorViews())
      for (const [i, batch] of batches.entries()) {
        // Twice: the second time nothing happens.
        for (let again = 0; again < 2; again++) await insert(store, batch, `batch-${i}`)
      }
      const found: unknown[] = []
      for (const query of [
        'SELECT * EXCEPT (collector) FROM ribscope.route_events ORDER BY router, bmp_session, seq',
        'SELECT * FROM ribscope.session_events ORDER BY router, bmp_session, seq',
        'SELECT * FROM ribscope.rib_current ORDER BY ALL',
        'SELECT * FROM ribscope.view_health ORDER BY ALL',
        'SELECT count() AS n FROM ribscope.route_log',
      ]) {
        found.push(await db.query(query))
      }
      answers.push(found)
    }
    expect((answers[0]?.[0] as unknown[]).length).toBeGreaterThan(100)
    expect((answers[0]?.[2] as unknown[]).length).toBeGreaterThan(10)
    expect(answers[0]).toEqual(answers[1])
  } finally {
    for (const store of stores) await store.close()
    await server.stop()
  }
})

test('killed in the middle of inserts: repeated with their tokens, every row is there once', async () => {
  const ROUTERS = 10
  const ROUTES = 4_000
  const peer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
  const routes: number[] = []
  for (let n = 0; n < ROUTES; n += 200) {
    const prefixes = Array.from(
      { length: 200 },
      (_, i) => `10.1.${(n + i) >> 8}.${(n + i) & 255}/32`,
    )
    routes.push(...announce(peer, ...prefixes))
  }
  const server = await startClickHouse({ dataDir: join(folder, 'c') })
  const store = openServerStore({ url: server.url })
  try {
    const db = await store.session('test')
    await migrate(db)
    let kills = 0
    for (let router = 0; router < ROUTERS; router++) {
      const stream = [...initiation(`r${router}`), ...peerUp(peer), ...routes]
      const batches = batchesOf(Uint8Array.from(stream), 1_800_000_000_000_000 + router)
      // Sooner or later than the insert ends: before it, in it, between log and views, after it.
      const killed =
        router % 2 === 1
          ? new Promise((resolve) => setTimeout(resolve, router * 7)).then(() => server.kill())
          : undefined
      for (const [i, batch] of batches.entries()) {
        for (;;) {
          try {
            await insert(store, batch, `r${router}-${i}`)
            break
          } catch (error) {
            expect(faultOf(error)).toBe('store')
            await killed
            if (server.pid === undefined) {
              kills++
              await server.start()
            }
          }
        }
      }
      await killed
      if (server.pid === undefined) await server.start()
    }
    expect(kills).toBeGreaterThan(0)
    const expected = Array.from({ length: ROUTERS }, (_, i) => ({
      router: `r${i}`,
      n: String(ROUTES),
    }))
    for (const table of ['route_log', 'rib_state', 'rib_live', 'route_events', 'rib_current']) {
      const rows = await db.query(
        `SELECT router, count() AS n FROM ribscope.${table} GROUP BY router ORDER BY router`,
      )
      expect([table, rows], server.log).toEqual([table, expected])
    }
  } finally {
    await store.close()
    await server.stop()
  }
})

test('ribscope up --clickhouse-http', async () => {
  const config = join(folder, 'fabric.yaml')
  writeFileSync(config, '{}\n')
  const up = await Up.start(join(folder, 'd'), config, 0, '--clickhouse-http', '127.0.0.1:0')
  try {
    const line = up.logs.find(({ msg }) => msg.startsWith('ribscope is up'))
    const url = String(line?.['clickhouseHttp'])
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const ask = async (query: string): Promise<string> =>
      (await fetch(url, { method: 'POST', body: query })).text()
    expect(await ask("SELECT count() > 50 FROM system.tables WHERE database = 'ribscope'")).toBe(
      '1\n',
    )
    expect(await ask('SELECT count() FROM rib_current FORMAT CSV')).toBe('0\n')
    expect(await ask('DROP TABLE ribscope.route_log')).toMatch(/^Code: 497/)
  } finally {
    up.kill('SIGTERM')
    await up.exit
  }
})
