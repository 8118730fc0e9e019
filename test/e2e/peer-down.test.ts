/**
 * A Peer Down costs one row, whatever the size of the table that ends with it: no withdrawals are written, and every question has
 * the right answer as soon as that row is there.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { NativeSink, RouterSession, formatDateTime64 } from '@ribscope/events'
import type { Batch } from '@ribscope/events'
import { migrate } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import {
  asPath,
  be,
  initiation,
  nextHop,
  origin,
  peerDown,
  peerUp,
  routeMonitoring,
  update,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { insertBatches } from '../../services/standalone/src/pipeline.ts'

vi.setConfig({ testTimeout: 180_000 })

const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const B: HandPeer = { address: '192.0.2.2', asn: 64502, id: '192.0.2.2' }
const START_US = 1_800_000_000_000_000
const ROUTES = 200_000
const OTHERS = 1000
const A_MESSAGE = 500

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-peer-down-'))
let store: Store
let db: StoreSession
const batches: Batch[] = []
const sink = new NativeSink({ onBatch: (batch) => batches.push(batch) })
const session = new RouterSession({
  ...{ collector: 'test', source: '192.0.2.254', openedUs: START_US, out: sink },
})
let us = START_US

beforeAll(async () => {
  store = await openMigratedStore({ dataDir }, [])
  db = await store.session('test')
  await migrate(db)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** @returns rows written, by table */
async function say(...messages: readonly (readonly number[])[]): Promise<Record<string, number>> {
  for (const bytes of messages) session.push(Uint8Array.from(bytes), (us += 1000))
  batches.push(...sink.flush())
  const rows: Record<string, number> = {}
  for (const { table, rows: n } of batches) rows[table] = (rows[table] ?? 0) + n
  await insertBatches(store, batches.splice(0))
  return rows
}

/** The n-th /32 of 10.0.0.0/8. */
function announced(peer: HandPeer, routes: number): number[][] {
  const attributes = [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')]
  return Array.from({ length: routes / A_MESSAGE }, (_, i) =>
    routeMonitoring(
      peer,
      update({
        attributes,
        nlri: Array.from({ length: A_MESSAGE }, (__, k) => [
          32,
          10,
          ...be(i * A_MESSAGE + k, 3),
        ]).flat(),
      }),
    ),
  )
}

async function counts(source: string, params = {}): Promise<Record<string, number>> {
  const rows = await db.query<{ asn: number; n: string }>(
    `SELECT peer_asn AS asn, toString(count()) AS n FROM ribscope.${source} GROUP BY peer_asn`,
    params,
  )
  return Object.fromEntries(rows.map(({ asn, n }) => [asn, Number(n)]))
}

const sizes = async (): Promise<unknown> =>
  (
    await db.query(
      'SELECT (SELECT count() FROM ribscope.route_log) AS route_log, (SELECT count() FROM ribscope.rib_state FINAL) AS rib_state, (SELECT count() FROM ribscope.session_log) AS session_log, (SELECT count() FROM ribscope.marks) AS marks',
    )
  )[0]

test('one session row, one mark, no route row; the table is empty then, and was not before', async () => {
  await say(initiation('r'), peerUp(A), peerUp(B), ...announced(A, ROUTES), ...announced(B, OTHERS))
  expect(await counts('rib_live')).toEqual({ 64501: ROUTES, 64502: OTHERS })
  const before = await sizes()
  const lastUs = us

  expect(await say(peerDown(A, 2, [0, 0]))).toEqual({ session_log: 1 })
  const after = (await sizes()) as Record<string, string>
  const one = (n: string | undefined): string => String(Number(n) + 1)
  const was = before as Record<string, string>
  expect(after).toEqual({ ...was, session_log: one(was['session_log']), marks: one(was['marks']) })

  expect(await counts('rib_live')).toEqual({ 64502: OTHERS })
  expect(await counts('rib_live_at(at = {at:String})', { at: formatDateTime64(us) })).toEqual({
    64502: OTHERS,
  })
  expect(await counts('rib_live_at(at = {at:String})', { at: formatDateTime64(lastUs) })).toEqual({
    64501: ROUTES,
    64502: OTHERS,
  })
})

test('every route has its implied withdrawal at that instant, with its cause', async () => {
  const rows = await db.query(
    `SELECT cause, class, toString(rx_ts) AS rx_ts, toString(count()) AS n, toString(uniqExact(addr)) AS routes
     FROM ribscope.route_class WHERE implied = 1 GROUP BY cause, class, rx_ts`,
  )
  expect(rows).toEqual([
    {
      ...{ cause: 'peer_down', class: 'AW', rx_ts: formatDateTime64(us) },
      ...{ n: String(ROUTES), routes: String(ROUTES) },
    },
  ])
})

test('and they are back when the peer announces them again', async () => {
  await say(peerUp(A, { ports: [179, 2] }), ...announced(A, OTHERS))
  expect(await counts('rib_live')).toEqual({ 64501: OTHERS, 64502: OTHERS })
})
