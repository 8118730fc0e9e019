import { DecodeError } from '../errors.ts'

/** Common header, RFC 7854 section 4.1: version, length (U32, header included), type. */
export const BMP_HEADER_OCTETS = 6
export const DEFAULT_MAX_MESSAGE_OCTETS = 1 << 20

const FIRST_BUFFER_OCTETS = 4096

/**
 * @param bytes  holds the whole message; valid only during the call (copy what must outlive it)
 * @param start  its first octet (the version) in `bytes`
 * @param end    one past its last octet
 * @param streamOffset  octets of the stream before this message
 */
export type OnBmpMessage = (
  bytes: Uint8Array,
  start: number,
  end: number,
  streamOffset: number,
) => void

export interface BmpFramerOptions {
  /** A longer message is taken for lost framing. Default 1 MiB. */
  readonly maxMessageOctets?: number
}

/**
 * Cuts a TCP stream into BMP messages (RFC 7854 section 4.1), whatever the chunking.
 *
 * A message that lies whole in a chunk is delivered in place; only one that spans chunks is copied,
 * into a buffer that grows with what has arrived, never with what a header claims.
 */
export class BmpFramer {
  /** Over the bytes of the message being delivered; valid during `onMessage`. */
  view: DataView = new DataView(new ArrayBuffer(0))
  readonly #onMessage: OnBmpMessage
  readonly #max: number
  #kept: Uint8Array = new Uint8Array(FIRST_BUFFER_OCTETS)
  #keptView: DataView = new DataView(this.#kept.buffer)
  #pending = 0
  #offset = 0
  #lost: DecodeError | undefined

  constructor(onMessage: OnBmpMessage, options: BmpFramerOptions = {}) {
    this.#onMessage = onMessage
    this.#max = options.maxMessageOctets ?? DEFAULT_MAX_MESSAGE_OCTETS
  }

  /** Octets of an incomplete message waiting for the rest. */
  get pending(): number {
    return this.#pending
  }

  /** Octets of the stream that were delivered as messages. */
  get offset(): number {
    return this.#offset
  }

  /**
   * @throws DecodeError FRAMING, `offset` in the stream, when the version is neither 3 nor 4 or the
   *   length is impossible. What came before was delivered. There is no way back into step: every
   *   further push throws the same.
   */
  push(chunk: Uint8Array): void {
    if (this.#lost !== undefined) throw this.#lost
    const size = chunk.length
    let at = this.#pending > 0 ? this.#complete(chunk) : 0
    if (at === size) return

    const view = new DataView(chunk.buffer, chunk.byteOffset, size)
    this.view = view
    const onMessage = this.#onMessage
    const max = this.#max
    while (at < size) {
      const version = chunk[at]
      if (version !== 3 && version !== 4) this.#fail(`version ${version}, expected 3 or 4`)
      if (size - at < 5) break
      const length = view.getUint32(at + 1)
      if (length < BMP_HEADER_OCTETS || length > max) this.#failLength(length)
      if (size - at < length) break
      const offset = this.#offset
      this.#offset = offset + length
      onMessage(chunk, at, at + length, offset)
      at += length
    }
    if (at < size) {
      this.#reserve(size - at)
      this.#kept.set(chunk.subarray(at), 0)
      this.#pending = size - at
    }
  }

  /** Fills up the kept message from the chunk. Returns the octets taken. */
  #complete(chunk: Uint8Array): number {
    let taken = 0
    while (this.#pending < 5) {
      if (taken === chunk.length) return taken
      this.#kept[this.#pending++] = chunk[taken++]!
    }
    const length = this.#keptView.getUint32(1)
    if (length < BMP_HEADER_OCTETS || length > this.#max) this.#failLength(length)
    const take = Math.min(length - this.#pending, chunk.length - taken)
    this.#reserve(this.#pending + take)
    this.#kept.set(chunk.subarray(taken, taken + take), this.#pending)
    this.#pending += take
    if (this.#pending === length) {
      this.#pending = 0
      const offset = this.#offset
      this.#offset = offset + length
      this.view = this.#keptView
      this.#onMessage(this.#kept, 0, length, offset)
    }
    return taken + take
  }

  #reserve(octets: number): void {
    if (octets <= this.#kept.length) return
    let size = this.#kept.length
    while (size < octets) size *= 2
    const larger = new Uint8Array(size)
    larger.set(this.#kept.subarray(0, this.#pending))
    this.#kept = larger
    this.#keptView = new DataView(larger.buffer)
  }

  #failLength(length: number): never {
    this.#fail(`length ${length}, expected ${BMP_HEADER_OCTETS} to ${this.#max} octets`)
  }

  #fail(detail: string): never {
    this.#pending = 0
    this.#kept = new Uint8Array(0)
    this.#lost = new DecodeError('FRAMING', detail, {
      offset: this.#offset,
      path: 'bmp',
      spec: 'RFC 7854 section 4.1',
      handling: 'session-reset',
    })
    throw this.#lost
  }
}

/** Message types, RFC 7854 section 4.1. */
export const BMP_ROUTE_MONITORING = 0
export const BMP_STATISTICS = 1
export const BMP_PEER_DOWN = 2
export const BMP_PEER_UP = 3
export const BMP_INITIATION = 4
export const BMP_TERMINATION = 5
export const BMP_ROUTE_MIRRORING = 6
