import type { DecodeError } from './errors.ts'

/** No record is longer than this: a longer one is taken for a broken file. */
const MAX_RECORD_OCTETS = 1 << 24

/**
 * Looks at the octets `at` to `end` and returns how many it used, or the number of octets it must see
 * first, as a negative number.
 *
 * @param offset  of `at` in the stream
 */
type TakeRecord = (bytes: Uint8Array, at: number, end: number, offset: number) => number

/** Collects bytes until a record is whole, whatever the chunking. */
export class RecordBuffer {
  #bytes: Uint8Array = new Uint8Array(65536)
  #length = 0
  #offset = 0
  readonly #take: TakeRecord
  readonly #error: (offset: number, detail: string) => DecodeError

  /** @param error  makes the error for a record that is longer than any could be */
  constructor(take: TakeRecord, error: (offset: number, detail: string) => DecodeError) {
    this.#take = take
    this.#error = error
  }

  get pending(): number {
    return this.#length
  }

  push(chunk: Uint8Array): void {
    let bytes = chunk
    let end = chunk.length
    if (this.#length > 0) {
      this.#append(chunk)
      bytes = this.#bytes
      end = this.#length
    }
    let at = 0
    while (at < end) {
      const used = this.#take(bytes, at, end, this.#offset)
      if (used <= 0) {
        if (-used > MAX_RECORD_OCTETS) {
          throw this.#error(this.#offset, `record of ${-used} octets`)
        }
        break
      }
      at += used
      this.#offset += used
    }
    if (bytes === chunk) this.#append(chunk.subarray(at))
    else {
      this.#bytes.copyWithin(0, at, end)
      this.#length = end - at
    }
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#length)
    this.#length = length
  }
}
