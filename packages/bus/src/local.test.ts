import { describe, expect, test } from 'vitest'
import { LocalBus } from './local.ts'
import type { LocalMessage } from './local.ts'

const headers = (firstSeq: number) => ({
  table: 'route_log',
  columns: ['addr'],
  format: 'native' as const,
  router: 'tor1',
  bmpSession: 1,
  firstSeq,
  lastSeq: firstSeq,
  rows: 1,
})

describe('the bus in one process', () => {
  test('order, groups, another try, and stop', async () => {
    const groups: number[][] = []
    const errors: unknown[] = []
    let failures = 2
    const bus = new LocalBus({
      maxOctets: 30,
      retryMs: 1,
      handle: (group: readonly LocalMessage[]) => {
        if (failures-- > 0) return Promise.reject(new Error('not now'))
        groups.push(group.map(({ headers }) => headers.firstSeq))
        return Promise.resolve()
      },
      onError: (error) => errors.push(error),
    })
    const done: number[] = []
    const sent = Array.from({ length: 10 }, (_, i) =>
      bus.publish(headers(i), new Uint8Array(10)).then(() => done.push(i)),
    )
    expect(bus.waitingOctets).toBe(100)
    await sent[0]
    expect(bus.failingSinceMs).toBeUndefined()
    await bus.stop()
    await Promise.all(sent)
    expect(groups.flat()).toEqual([...Array(10).keys()])
    expect(done).toEqual([...Array(10).keys()])
    expect(groups.every((group) => group.length <= 3)).toBe(true)
    expect(groups.length).toBeLessThan(6)
    expect(errors).toHaveLength(2)
    expect(bus.waitingOctets).toBe(0)
  })

  test('what is sent when the last answer came is not left lying', async () => {
    const bus = new LocalBus({
      maxOctets: 1,
      handle: () => Promise.resolve(),
      onError: () => undefined,
    })
    // The next one is sent any number of turns after that answer.
    for (let turns = 0; turns < 8; turns++) {
      for (let i = 0; i < 3; i++) {
        await bus.publish(headers(i), new Uint8Array(1))
        for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      }
    }
    await bus.stop()
  })

  test('stop does not try again for ever', async () => {
    const bus = new LocalBus({
      maxOctets: 1,
      handle: () => Promise.reject(new Error('never')),
      onError: () => undefined,
    })
    void bus.publish(headers(1), new Uint8Array(1))
    await expect(bus.stop()).rejects.toThrow('never')
  })
})
