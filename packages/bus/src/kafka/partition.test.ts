import type { KafkaMessage } from 'kafkajs'
import { expect, test } from 'vitest'
import { Partition } from './partition.ts'

const message = (octets: number): KafkaMessage => ({
  key: null,
  value: Buffer.alloc(octets),
  timestamp: '0',
  attributes: 0,
  offset: '0',
  headers: {},
})

test('much of a group waits for as long as the one before took, 2 s at most, and little does not', () => {
  const partition = new Partition(0, { maxOctets: 16_000, maxMessages: 100, maxWaitMs: 500 })
  partition.add(message(999))
  const from = partition.waitingSinceMs
  const dueAfter = (ms: number): boolean => partition.isDue(from + ms)
  partition.handled(1_500, from + 400)
  expect([499, 500].map(dueAfter)).toEqual([false, true])
  partition.add(message(1))
  expect([500, 1_899, 1_900].map(dueAfter)).toEqual([false, false, true])
  partition.handled(60_000, from + 400)
  expect([2_399, 2_400].map(dueAfter)).toEqual([false, true])
  partition.handled(50, from + 400)
  expect(dueAfter(500)).toBe(true)
})
