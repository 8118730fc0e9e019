import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Batch } from '@ribscope/events'
import { FairQueue } from './fair-queue.ts'

const batch = (router: string, n: number, octets: number): Batch => ({
  ...{ table: 'route_log', columns: [], router, bmpSession: 1, firstSeq: n, lastSeq: n, rows: 1 },
  ...{ body: new Uint8Array(octets), release: () => undefined },
})

/** Takes one after another, when it is told to. */
class Consumer {
  readonly taken: string[] = []
  readonly #waiting: (() => void)[] = []
  offered = 0

  async submit({ router, firstSeq, body }: Batch): Promise<void> {
    this.offered += body.length
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.offered -= body.length
    this.taken.push(`${router} ${firstSeq}`)
  }

  async take(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#waiting.shift()?.()
      await turn()
    }
  }
}

const MIB = 1 << 20

test('who keeps up does not wait behind tables, and nobody gets out of order', async () => {
  const consumer = new Consumer()
  const queue = new FairQueue(2 * MIB)
  const flows = Array.from({ length: 20 }, () => queue.flow(consumer))
  for (let n = 0; n < 10; n++) {
    for (const [i, flow] of flows.entries()) void flow.submit(batch(`r${i}`, n, MIB / 2))
  }
  expect(consumer.offered).toBe(2 * MIB)
  // Each had nothing waiting when it came.
  await consumer.take(20)
  const small = queue.flow(consumer)
  for (let n = 0; n < 10; n++) {
    void small.submit(batch('small', n, 5_000))
    // What was offered before it.
    await consumer.take(6)
    expect(consumer.taken).toContain(`small ${n}`)
    expect(consumer.offered).toBeLessThanOrEqual(2.5 * MIB)
  }
  await consumer.take(200)
  for (const name of ['small', 'r0', 'r7', 'r19']) {
    const mine = consumer.taken.filter((each) => each.startsWith(`${name} `))
    expect(mine).toEqual(Array.from({ length: 10 }, (_, n) => `${name} ${n}`))
  }
})

test('tables get the same of a slow consumer', async () => {
  const consumer = new Consumer()
  const queue = new FairQueue(MIB)
  const [large, fine] = [queue.flow(consumer), queue.flow(consumer)]
  for (let n = 0; n < 20; n++) void large.submit(batch('large', n, 800_000))
  for (let n = 0; n < 200; n++) void fine.submit(batch('fine', n, 80_000))
  await consumer.take(100)
  const count = (name: string): number =>
    consumer.taken.filter((each) => each.startsWith(name)).length
  expect(Math.abs(count('large') * 10 - count('fine'))).toBeLessThanOrEqual(25)
})

test('a consumer that refuses tells the session, and others go on', async () => {
  const queue = new FairQueue(10)
  const bad = queue.flow({ submit: () => Promise.reject(new Error('no')) })
  const good = new Consumer()
  const flow = queue.flow(good)
  const refused = bad.submit(batch('bad', 0, 100))
  const accepted = flow.submit(batch('good', 0, 100))
  await expect(refused).rejects.toThrow('no')
  await turn()
  await good.take(1)
  await accepted
})
