/** One of several analysts: over a store in this process, each with a session of its own, as processes have. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openEmbeddedStore } from '@ribscope/store'
import type { Store, StoreSession } from '@ribscope/store'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { LeaseError, LeaseKeeper, leasedStore, type Lease, type LeaseTimes } from './lease.ts'

const TIMES: LeaseTimes = { expiresMs: 1_500, marginMs: 300, renewMs: 100, lookMs: 20 }

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-lease-'))
let store: Store
let db: StoreSession
const running: LeaseKeeper[] = []

beforeAll(async () => {
  store = await openEmbeddedStore({ dataDir })
  db = await store.session('test')
  await migrate(db)
}, 60_000)
afterAll(async () => {
  for (const each of running) await each.stop()
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})
beforeEach(async () => {
  for (const each of running.splice(0)) await each.stop()
})

interface Analyst {
  readonly keeper: LeaseKeeper
  readonly events: string[]
  lease: Lease | undefined
  /** As if the process was frozen, or its network cut: nothing it sends about the lease arrives. */
  silent: boolean
}

async function analyst(
  name: string,
  more: Partial<LeaseTimes> = {},
  ready: Promise<void> = Promise.resolve(),
): Promise<Analyst> {
  const self = { events: [] as string[], lease: undefined as Lease | undefined, silent: false }
  const cut = (): void => {
    if (self.silent) throw new Error('cut off')
  }
  const own: Store = {
    ...store,
    async session(...args) {
      const session = await store.session(...args)
      return {
        ...session,
        query: <Row>(...query: Parameters<StoreSession['query']>) => {
          cut()
          return session.query<Row>(...query)
        },
        close: () => session.close(),
      }
    },
    insertRows(...args) {
      cut()
      return store.insertRows(...args)
    },
  }
  const keeper = await LeaseKeeper.run(
    own,
    async (lease) => {
      self.lease = lease
      await ready
      return {
        stop(held) {
          self.events.push(held ? `${name} stops` : `${name} stops at once`)
          return Promise.resolve()
        },
      }
    },
    {
      onHeld: () => self.events.push(`${name} works`),
      onLost: () => self.events.push(`${name} lost`),
    },
    { ...TIMES, ...more },
  )
  running.push(keeper)
  return Object.assign(self, { keeper })
}

const finding = (id: string, term: number): object => ({
  term,
  id,
  version: 1,
  at: '2026-11-21 12:00:00.000000',
})
const stored = async (): Promise<string[]> =>
  (await db.query<{ id: string }>('SELECT id FROM ribscope.findings_log ORDER BY id')).map(
    ({ id }) => id,
  )
const wait = (what: () => boolean): Promise<void> =>
  vi.waitFor(
    () => {
      expect(what()).toBe(true)
    },
    { timeout: 20_000, interval: 5 },
  )

test('of five that start together one works; told to stop it hands over at once', async () => {
  const all = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => analyst(name)))
  await wait(() => all.some(({ keeper }) => keeper.held))
  for (let left = all; left.length > 1;) {
    const holders = left.filter(({ keeper }) => keeper.held)
    expect(holders).toHaveLength(1)
    const [holder] = holders
    const began = performance.now()
    await holder!.keeper.stop()
    expect(holder!.events.at(-1)).toMatch(/^. stops$/)
    left = left.filter((each) => each !== holder)
    await wait(() => left.some(({ keeper }) => keeper.held))
    // Nobody waited for a lease to expire that was given back.
    expect(performance.now() - began).toBeLessThan(TIMES.expiresMs)
  }
  const terms = await db.query<{ term: string; holders: string }>(
    'SELECT term, uniqExact(holder) AS holders FROM ribscope.analyst_lease GROUP BY term ORDER BY term',
  )
  expect(terms.map(({ holders }) => holders)).toEqual(['1', '1', '1', '1', '1'])
}, 60_000)

test('one that falls silent stops by itself before another begins, and writes nothing when it wakes up', async () => {
  const first = await analyst('first')
  await wait(() => first.keeper.held)
  const lease = first.lease!
  const asleep = leasedStore(store, lease)
  await asleep.insertRows('findings_offered', [finding('of the first', lease.term)])
  const second = await analyst('second')
  first.silent = true
  let ownEnd: number | undefined
  await wait(() => {
    try {
      lease.check()
    } catch {
      ownEnd ??= performance.now()
    }
    return second.keeper.held
  })
  // By its own clock it was over before the other one had it.
  expect(ownEnd).toBeLessThan(performance.now())
  expect(second.lease!.term).toBe(lease.term + 1)
  await expect(asleep.insertRows('findings_offered', [])).rejects.toThrow(LeaseError)
  const session = await asleep.session('late')
  await expect(session.command('SELECT 1')).rejects.toThrow(/not renewed for/)
  await expect(asleep.replaceRows('fabric_vrfs', [])).rejects.toThrow(LeaseError)
  await session.close()
  // What was on its way by then: the server knows the term.
  await store.insertRows('findings_offered', [finding('from the sleep', lease.term)])
  await store.insertRows('findings_offered', [finding('of the second', second.lease!.term)])
  expect(await stored()).toEqual(['of the first', 'of the second'])
  first.silent = false
  await wait(() => first.events.includes('first stops at once'))
  expect(first.events).toEqual(['first works', 'first lost', 'first stops at once'])
  expect(first.keeper.held).toBe(false)
  expect(second.keeper.held).toBe(true)
  await expect(asleep.insertRows('findings_offered', [])).rejects.toThrow(/another analyst/)
}, 60_000)

test('one that takes longer than a lease to begin its work keeps it, and gives it back when that fails', async () => {
  const renewals = async (): Promise<number> =>
    Number(
      (
        await db.query<{ beat: string }>(
          `SELECT max(beat) AS beat FROM ribscope.analyst_lease
           WHERE term = (SELECT max(term) FROM ribscope.analyst_lease)`,
        )
      )[0]!.beat,
    )
  let fail = (_: Error): void => undefined
  const a = await analyst('a', {}, new Promise<void>((_, reject) => (fail = reject)))
  await wait(() => a.lease !== undefined)
  const b = await analyst('b')
  await vi.waitFor(
    async () => {
      expect(await renewals()).toBeGreaterThan((2 * TIMES.expiresMs) / TIMES.renewMs)
    },
    { timeout: 30_000, interval: 50 },
  )
  expect(b.lease).toBeUndefined()
  a.lease!.check()
  const { term } = a.lease!
  fail(new Error('no inventory'))
  await wait(() => b.keeper.held)
  expect(b.lease!.term).toBe(term + 1)
  expect(a.events).toEqual([])
})

test('a store that is away for longer than a lease changes nothing', async () => {
  const first = await analyst('first')
  await wait(() => first.keeper.held)
  const second = await analyst('second')
  const { term } = first.lease!
  first.silent = second.silent = true
  await wait(() => {
    try {
      first.lease!.check()
      return false
    } catch {
      return true
    }
  })
  first.silent = second.silent = false
  await wait(() => {
    try {
      first.lease!.check()
      return true
    } catch {
      return false
    }
  })
  expect(first.events).toEqual(['first works'])
  expect([first.lease!.term, second.events]).toEqual([term, []])
}, 60_000)

test('a term is taken once, whoever comes late', async () => {
  const first = await analyst('first')
  await wait(() => first.keeper.held)
  const { term } = first.lease!
  const late = { term, holder: 'late', beat: 0, released: 0 }
  await store.insertRows('analyst_lease', [late], `analyst-lease-${String(term)}`)
  const [row] = await db.query<{ n: string }>(
    `SELECT countIf(holder = 'late') AS n FROM ribscope.analyst_lease`,
  )
  expect(row).toEqual({ n: '0' })
  // So late that the token is forgotten: nobody has the term then, the next one decides.
  await store.insertRows('analyst_lease', [late])
  await wait(() => first.events.includes('first lost'))
  await wait(() => (first.lease?.term ?? 0) > term)
}, 60_000)
