import { DecodeError } from '../errors.ts'

/** One captured packet; valid during the call. */
export type OnPacket = (
  linkType: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  /** Capture time in microseconds since 1970; 0 when the file has none for it. */
  timeUs: number,
) => void

/** A reader of a capture file that takes it in pieces of any size. */
export interface PacketReader {
  push(chunk: Uint8Array): void
  /** Octets of an incomplete record. */
  readonly pending: number
}

/** No packet, and no block, is longer than this: a longer one is taken for a broken file. */
const MAX_RECORD_OCTETS = 1 << 24

/**
 * Collects bytes until a record is whole. `take` looks at what is there and returns how many octets it
 * used, or the number of octets it must see first, as a negative number.
 */
export class RecordBuffer {
  #bytes: Uint8Array = new Uint8Array(65536)
  #length = 0
  #offset = 0
  readonly #take: (bytes: Uint8Array, at: number, end: number, offset: number) => number

  constructor(take: (bytes: Uint8Array, at: number, end: number, offset: number) => number) {
    this.#take = take
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
        if (-used > MAX_RECORD_OCTETS) throw captureError(this.#offset, `record of ${-used} octets`)
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

export function captureError(offset: number, detail: string): DecodeError {
  return new DecodeError('FRAMING', detail, {
    offset,
    path: 'capture',
    spec: 'draft-ietf-opsawg-pcapng, draft-ietf-opsawg-pcap',
  })
}
