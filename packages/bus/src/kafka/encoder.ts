/**
 * kafkajs encodes a request inside out: record, batch, partition, topic, request, each into a buffer of its own that is zeroed, of the
 * next power of two, and has everything within copied into it. A block of 900 KB is copied nine times so, which is most of what
 * publishing costs. Here large buffers are held as they are, and put together when the octets are asked for: for the socket.
 */
import { takeBuffer } from './request-buffers.ts'

/** The library's Encoder, as far as it is touched. */
export interface Encoder {
  buf: Buffer
  offset: number
  readonly buffer: Buffer
  writeBufferInternal(buffer: Buffer): void
  writeEncoder(value: Encoder): this
  writeEncoderArray(value: Encoder[]): this
  writeInt8(value: number): this
  writeInt16(value: number): this
  writeInt32(value: number): this
  writeUInt32(value: number): this
  writeInt64(value: unknown): this
  writeBytes(value: unknown): this
  writeVarIntBytes(value: Buffer): this
  writeArray(value: Encoder[]): this
  size(): number
  /** What stands before `buf`. */
  parts?: Buffer[]
  partOctets?: number
}

export type EncoderClass = (new (initialSize?: number) => Encoder) & { prototype: Encoder }

/** Smaller ones are copied: a part is an object, too. */
const PART_OCTETS = 16 * 1024
const PATCHED = [
  'writeBufferInternal',
  'writeBytes',
  'writeEncoder',
  'writeEncoderArray',
  'buffer',
  'size',
] as const

/**
 * Makes the Encoder of kafkajs hold large buffers.
 *
 * @returns false, and the class is as it was, when its octets would be others
 */
export function holdLargeBuffers(Encoder: EncoderClass): boolean {
  const { prototype } = Encoder
  const own = PATCHED.flatMap((name) => Object.getOwnPropertyDescriptor(prototype, name) ?? [])
  if (own.length < PATCHED.length) return false
  const expected = sample(Encoder)
  patch(prototype)
  let same = false
  try {
    same = sample(Encoder).equals(expected)
  } finally {
    if (!same) own.forEach((each, i) => Object.defineProperty(prototype, PATCHED[i] ?? '', each))
  }
  return same
}

function patch(prototype: Encoder): void {
  // Bound to each encoder when they are called.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const { writeBufferInternal: copyIn, writeBytes } = prototype

  function append(to: Encoder, value: Encoder): void {
    if (!Buffer.isBuffer((value as Encoder | null)?.buf)) {
      throw new Error('value should be an instance of Encoder')
    }
    for (const part of partsOf(value)) if (part.length > 0) to.writeBufferInternal(part)
  }

  const changed: ThisType<Encoder> & Record<string, unknown> = {
    writeBufferInternal(buffer: Buffer) {
      if (buffer.length < PART_OCTETS) {
        copyIn.call(this, buffer)
        return
      }
      this.parts ??= []
      if (this.offset > 0) this.parts.push(this.buf.subarray(0, this.offset))
      this.parts.push(buffer)
      this.partOctets = (this.partOctets ?? 0) + this.offset + buffer.length
      this.buf = this.buf.subarray(this.offset)
      this.offset = 0
    },
    writeBytes(value: unknown) {
      // The library's own makes room for it first.
      if (!Buffer.isBuffer(value) || value.length < PART_OCTETS) return writeBytes.call(this, value)
      this.writeInt32(value.length).writeBufferInternal(value)
      return this
    },
    writeEncoder(value: Encoder) {
      append(this, value)
      return this
    },
    writeEncoderArray(values: Encoder[]) {
      for (const value of values) append(this, value)
      return this
    },
    size() {
      return (this.partOctets ?? 0) + this.offset
    },
  }
  for (const [name, value] of Object.entries(changed)) {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
  }
  Object.defineProperty(prototype, 'buffer', {
    configurable: true,
    get(this: Encoder) {
      const { parts, buf, offset } = this
      if (parts === undefined) return buf.subarray(0, offset)
      if (parts.length > 1 || offset > 0) {
        const whole = putTogether(partsOf(this), this.size())
        this.parts = [whole]
        this.partOctets = whole.length
        this.buf = buf.subarray(offset)
        this.offset = 0
      }
      return this.parts?.[0]
    },
  })
}

/** What was written, without a copy of what is held. */
export function partsOf({ parts = [], buf, offset }: Encoder): Buffer[] {
  return [...parts, buf.subarray(0, offset)]
}

function putTogether(parts: readonly Buffer[], octets: number): Buffer {
  const whole = takeBuffer(octets)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Every way in which a large buffer, and something before and after it, gets into a request. */
function sample(Encoder: EncoderClass): Buffer {
  const large = Buffer.alloc(2 * PART_OCTETS, 'large ')
  const inner = (): Encoder => new Encoder().writeInt8(1).writeVarIntBytes(large).writeInt8(2)
  const small = new Encoder().writeInt32(3)
  const read = inner()
  // Asked for in between, and written on.
  const before = Buffer.from(read.buffer)
  read.writeInt8(4).writeBytes(large)
  return new Encoder()
    .writeInt8(5)
    .writeBytes(before)
    .writeEncoder(read)
    .writeInt32(read.size())
    .writeArray([inner(), small, inner()])
    .writeEncoderArray([small, inner()])
    .writeInt32(new Encoder().writeEncoder(inner()).size()).buffer
}
