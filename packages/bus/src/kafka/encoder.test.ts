import { createRequire } from 'node:module'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { holdLargeBuffers, type EncoderClass } from './encoder.ts'
import { loadKafkajs } from './library.ts'
import { holdBatches, type BatchModule } from './record-batch.ts'

const require = createRequire(import.meta.url)
const ENCODER = 'kafkajs/src/protocol/encoder'
const BATCH = 'kafkajs/src/protocol/recordBatch/v0'
const REQUEST = 'kafkajs/src/protocol/request'
const PRODUCE = 'kafkajs/src/protocol/requests/produce/v7/request'

/** The library without what others did to it. */
function forget(): void {
  for (const path of Object.keys(require.cache)) {
    if (path.includes('/kafkajs/src/protocol/')) Reflect.deleteProperty(require.cache, path)
  }
}

/** A request for two partitions: large and small messages, with and without key and headers. */
async function request(): Promise<Buffer> {
  const produce = require(PRODUCE) as (facts: object) => { encode(): Promise<unknown> }
  const wrap = require(REQUEST) as (facts: object) => Promise<{ buffer: Buffer; size(): number }>
  const value = (octets: number): Buffer => Buffer.alloc(octets, `${octets} octets `)
  const timestamp = '1795262400000'
  const headers = { table: 'route_log', columns: Buffer.alloc(20_000, 'a column ') }
  const topicData = [
    {
      topic: 'ribscope.events',
      partitions: [
        {
          partition: 3,
          firstSequence: 0,
          messages: [
            { key: Buffer.from('tor1'), value: value(900 << 10), headers, timestamp },
            { key: null, value: value(10), timestamp },
            { key: Buffer.from('tor2'), value: value(70_000), timestamp },
          ],
        },
        {
          partition: 4,
          firstSequence: 7,
          messages: [{ key: Buffer.from('tor3'), value: value(16 << 10), timestamp }],
        },
      ],
    },
  ]
  const encoded = await wrap({
    correlationId: 5,
    clientId: 'test',
    request: produce({ acks: -1, timeout: 30_000, producerId: 9, producerEpoch: 1, topicData }),
  })
  expect(encoded.size()).toBe(encoded.buffer.length)
  // Asked for again: the connection does.
  expect(encoded.buffer.equals(encoded.buffer)).toBe(true)
  return Buffer.from(encoded.buffer)
}

describe('requests of kafkajs', () => {
  beforeEach(forget)
  afterEach(forget)

  test('are the same octets when large buffers are held', async () => {
    const before = await request()
    expect(before.length).toBeGreaterThan(1_000_000)
    expect(holdLargeBuffers(require(ENCODER) as EncoderClass)).toBe(true)
    expect((await request()).equals(before)).toBe(true)
  })

  test('are the same octets when batches are put together once', async () => {
    const before = await request()
    forget()
    const Encoder = require(ENCODER) as EncoderClass
    holdLargeBuffers(Encoder)
    const module = require(BATCH) as BatchModule
    const own = module.RecordBatch
    holdBatches(module, Encoder)
    expect(module.RecordBatch).not.toBe(own)
    expect((await request()).equals(before)).toBe(true)
  })

  test('an Encoder that says something else is left as it is', async () => {
    const Encoder = require(ENCODER) as EncoderClass
    const { prototype } = Encoder
    // As a later version might: its size is another one.
    prototype.size = () => 1
    const own = Object.getOwnPropertyDescriptors(prototype)
    expect(holdLargeBuffers(Encoder)).toBe(false)
    expect(Object.getOwnPropertyDescriptors(prototype)).toEqual(own)
    // Or it has no such parts.
    Reflect.deleteProperty(prototype, 'writeEncoderArray')
    expect(holdLargeBuffers(Encoder)).toBe(false)
  })
})

test('the library that is loaded holds them', () => {
  expect(loadKafkajs().fastEncoder).toBe(true)
})
