/**
 * A batch of records (KIP-98) as kafkajs encodes it, but for the copies: kafkajs puts the whole batch together for its CRC, and again
 * for its length.
 */
import { crc32c } from './crc32c.ts'
import { partsOf, type Encoder, type EncoderClass } from './encoder.ts'

/** What kafkajs says of a batch; what it leaves out is as below. */
interface BatchOptions {
  readonly compression?: number
  readonly firstTimestamp: number | string
  readonly maxTimestamp: number | string
  readonly lastOffsetDelta: number
  readonly transactional: boolean
  readonly producerId: unknown
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly records: Encoder[]
}

export interface BatchModule {
  RecordBatch: (options: BatchOptions) => Promise<Encoder>
}

const MAGIC = 2

/** Before whoever makes requests is loaded: they keep what they find. */
export function holdBatches(module: BatchModule, Encoder: EncoderClass): void {
  const own = module.RecordBatch
  module.RecordBatch = (options) => {
    const { records, transactional, compression = 0 } = options
    if (transactional || compression !== 0) return own(options)
    const body = new Encoder()
      .writeInt16(0)
      .writeInt32(options.lastOffsetDelta)
      .writeInt64(options.firstTimestamp)
      .writeInt64(options.maxTimestamp)
      .writeInt64(options.producerId)
      .writeInt16(options.producerEpoch)
      .writeInt32(options.firstSequence)
      .writeArray(records)
    const leaderEpoch = 0
    const batch = new Encoder()
      .writeInt32(leaderEpoch)
      .writeInt8(MAGIC)
      .writeUInt32(partsOf(body).reduce((sum, part) => crc32c(part, sum), 0))
      .writeEncoder(body)
    const firstOffset = 0
    return Promise.resolve(
      new Encoder().writeInt64(firstOffset).writeInt32(batch.size()).writeEncoder(batch),
    )
  }
}
