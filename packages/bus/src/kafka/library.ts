/** The only place that loads kafkajs. */
import { createRequire } from 'node:module'
import type * as KafkaJs from 'kafkajs'
import { crc32c } from './crc32c.ts'
import { holdLargeBuffers, type EncoderClass } from './encoder.ts'
import { holdBatches, type BatchModule } from './record-batch.ts'
import { givesBack } from './request-buffers.ts'

const require = createRequire(import.meta.url)

/** Inside kafkajs 2.2.4; its package has no `exports` that would forbid it. */
const CRC_MODULE = 'kafkajs/src/protocol/recordBatch/crc32C'
const ENCODER_MODULE = 'kafkajs/src/protocol/encoder'
const BATCH_MODULE = 'kafkajs/src/protocol/recordBatch/v0'
const SOCKET_MODULE = 'kafkajs/src/network/socketFactory'
/** Whose batches ours were compared with. */
const KNOWN_VERSION = '2.2.4'

/**
 * Puts our CRC-32C in the place of the library's own before the library is loaded. Should a version lack that module, or its
 * sum be another one, it keeps its own.
 *
 * @returns false when it was not replaced
 */
function replaceCrc(): boolean {
  try {
    const path = require.resolve(CRC_MODULE)
    const own = require(path) as unknown
    const module = require.cache[path]
    const sample = Buffer.from('123456789 and a tail')
    if (typeof own !== 'function' || module === undefined) return false
    if ((own as (bytes: Buffer) => number)(sample) !== crc32c(sample)) return false
    module.exports = crc32c
    return true
  } catch {
    return false
  }
}

/** @returns false when it is the library's own */
function replaceEncoder(): boolean {
  try {
    const Encoder = require(ENCODER_MODULE) as EncoderClass
    if (!holdLargeBuffers(Encoder)) return false
    const { version } = require('kafkajs/package.json') as { version: string }
    if (version === KNOWN_VERSION) holdBatches(require(BATCH_MODULE) as BatchModule, Encoder)
    return true
  } catch {
    return false
  }
}

let loaded:
  | { readonly library: typeof KafkaJs; readonly fastCrc: boolean; readonly fastEncoder: boolean }
  | undefined

/** Loaded when it is first wanted: whoever has no brokers does without. */
export function loadKafkajs(): NonNullable<typeof loaded> {
  if (loaded !== undefined) return loaded
  const fastCrc = replaceCrc()
  const fastEncoder = replaceEncoder()
  loaded = { library: require('kafkajs') as typeof KafkaJs, fastCrc, fastEncoder }
  return loaded
}

/** The library's own sockets, which give back the memory of requests. Undefined: it makes them itself. */
export function socketFactory(): KafkaJs.ISocketFactory | undefined {
  try {
    const make = (require(SOCKET_MODULE) as () => KafkaJs.ISocketFactory)()
    return (facts) => givesBack(make(facts))
  } catch {
    return undefined
  }
}
