/** kill -9 in the middle of inserts: what was stored is there, whole batches only, and trying again completes it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { NativeSink, RouterSession } from '@ribscope/events'
import { openEmbeddedStore } from '@ribscope/store'
import { announce, initiation, peerUp } from '../../packages/events/src/testing/bytes.ts'

// Seconds on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 180_000 })

const ROUTERS = 12
const ROUTES = 20_000
const folder = mkdtempSync(join(tmpdir(), 'ribscope-crash-'))
const dataDir = join(folder, 'data')

beforeAll(() => {
  const peer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
  const messages: number[][] = []
  for (let n = 0; n < ROUTES; n += 200) {
    const prefixes = Array.from(
      { length: 200 },
      (_, i) => `10.1.${(n + i) >> 8}.${(n + i) & 255}/32`,
    )
    messages.push(announce(peer, ...prefixes))
  }
  for (let router = 0; router < ROUTERS; router++) {
    const openedUs = 1_800_000_000_000_000 + router
    const sink = new NativeSink()
    const session = new RouterSession({
      collector: 'c',
      source: '192.0.2.254',
      openedUs,
      out: sink,
    })
    const stream = [initiation(`r${router}`), peerUp(peer), ...messages].flat()
    session.push(Uint8Array.from(stream), openedUs)
    for (const [i, batch] of sink.flush().entries()) {
      const { table, columns, body } = batch
      const name = `${String(router).padStart(2, '0')}-${i}`
      writeFileSync(join(folder, `${name}.body`), body)
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ table, columns, token: name }))
    }
  }
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

// The built package in a process of its own, as `npm test` leaves it.
const WRITER = `
  import { readdirSync, readFileSync } from 'node:fs'
  import { migrate, openEmbeddedStore } from ${JSON.stringify(fileURLToPath(new URL('../../packages/store/dist/index.js', import.meta.url)))}
  const [, folder, dataDir] = process.argv
  const store = await openEmbeddedStore({ dataDir })
  await migrate(await store.session('migrate'))
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json')).sort()) {
    const name = folder + '/' + file.slice(0, -5)
    console.log('begin ' + file)
    await store.insert({ ...JSON.parse(readFileSync(name + '.json', 'utf8')), bodies: [readFileSync(name + '.body')] })
    console.log('stored ' + file)
  }
  await store.close()`

/**
 * @param killAt the line upon which the writer is killed
 * @returns batches that it said were stored
 */
async function write(killAt?: string): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, folder, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const stored: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === killAt) child.kill('SIGKILL')
    if (line.startsWith('stored ')) stored.push(line.slice('stored '.length))
  }
  expect(await exit).toEqual(killAt === undefined ? [0, null] : [null, 'SIGKILL'])
  return stored
}

/** Rows per router, as they are stored and as views show them. */
async function counts(): Promise<Record<string, Record<string, number>>> {
  const store = await openEmbeddedStore({ dataDir })
  try {
    const db = await store.session('look')
    const found: Record<string, Record<string, number>> = {}
    for (const table of ['session_log', 'route_log', 'rib_state', 'rib_live', 'route_events']) {
      const rows = await db.query<{ router: string; n: string }>(
        `SELECT router, count() AS n FROM ribscope.${table} GROUP BY router`,
      )
      found[table] = Object.fromEntries(rows.map(({ router, n }) => [router, Number(n)]))
    }
    const health = await db.query<{ router: string; announces: string }>(
      'SELECT router, announces FROM ribscope.view_health',
    )
    found['view_health'] = Object.fromEntries(
      health.map(({ router, announces }) => [router, Number(announces)]),
    )
    return found
  } finally {
    await store.close()
  }
}

const routers = Array.from({ length: ROUTERS }, (_, i) => `r${i}`)

test('whole batches, nothing that was acknowledged is lost, the same tokens complete the rest', async () => {
  for (const killAt of ['begin 02-1.json', 'stored 05-0.json', 'begin 09-1.json']) {
    const stored = await write(killAt)
    const found = await counts()
    for (const table of ['route_log', 'rib_state', 'rib_live', 'route_events', 'view_health']) {
      // A batch is in the log before it is in what is derived from it: all of it or nothing.
      expect(new Set(Object.values(found[table]!)), table).toEqual(new Set([ROUTES]))
      for (const file of stored.filter((name) => name.endsWith('-1.json'))) {
        expect(found[table], `${table} after ${killAt}`).toHaveProperty(
          `r${Number(file.slice(0, 2))}`,
        )
      }
    }
    expect(Object.keys(found['route_log']!)).toEqual(
      expect.arrayContaining(Object.keys(found['rib_state']!)),
    )
  }
  expect(await write()).toHaveLength(2 * ROUTERS)
  const routes = Object.fromEntries(routers.map((name) => [name, ROUTES]))
  expect(await counts()).toEqual({
    // bmp_up, initiation, peer_up
    session_log: Object.fromEntries(routers.map((name) => [name, 3])),
    route_log: routes,
    rib_state: routes,
    rib_live: routes,
    route_events: routes,
    view_health: routes,
  })
})
