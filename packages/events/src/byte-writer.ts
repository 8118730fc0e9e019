const encoder = new TextEncoder()

/** From here on a call that copies all is worth its price. */
const LONG = 64

/** A growing octet buffer for encoders. `bytes` up to `length` is what was written. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>
  length = 0
  /** over `bytes` */
  view: DataView

  constructor(octets = 4096) {
    this.bytes = new Uint8Array(octets)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Writes into another buffer from now on; what was written stays in the old one. */
  use(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
    this.length = 0
  }

  /** Makes room for that many octets more. */
  reserve(octets: number): void {
    const need = this.length + octets
    if (need <= this.bytes.length) return
    // Doubling, but not for the large ones: bodies are handed over with the room they leave.
    const size = need > 1 << 20 ? need + (need >> 2) : Math.max(need, 2 * this.bytes.length)
    const larger = new Uint8Array(size)
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }

  /** Makes room for octets that the caller writes. @returns the place of the first */
  room(octets: number): number {
    this.reserve(octets)
    const at = this.length
    this.length = at + octets
    return at
  }

  u8(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  u16(value: number): void {
    this.reserve(2)
    this.view.setUint16(this.length, value, true)
    this.length += 2
  }

  u32(value: number): void {
    this.reserve(4)
    this.view.setUint32(this.length, value, true)
    this.length += 4
  }

  /** @param value an integer from 0 to 2^53 */
  u64(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000)
    this.u32(value - high * 0x1_0000_0000)
    this.u32(high)
  }

  big64(value: bigint): void {
    this.reserve(8)
    this.view.setBigUint64(this.length, value, true)
    this.length += 8
  }

  /** LEB128, as ClickHouse's Native format has counts and lengths. */
  varUint(value: number): void {
    this.reserve(5)
    let rest = value
    while (rest > 127) {
      this.bytes[this.length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.bytes[this.length++] = rest
  }

  raw(octets: Uint8Array): void {
    this.reserve(octets.length)
    this.bytes.set(octets, this.length)
    this.length += octets.length
  }

  /** What was written at from..to once more. */
  again(from: number, to: number): void {
    let p = this.room(to - from)
    if (to - from > LONG) this.bytes.copyWithin(p, from, to)
    else for (let i = from; i < to; i++) this.bytes[p++] = this.bytes[i]!
  }

  /**
   * Goes on with the octets before `at`, as often as it takes. There is room already.
   *
   * @param period octets that repeat
   * @returns the place behind
   */
  onwards(at: number, period: number, octets: number): number {
    const from = at - period
    const end = at + octets
    for (let p = at; p < end;) {
      // What was copied is copied too the next time.
      const more = Math.min(p - from, end - p)
      this.bytes.copyWithin(p, from, from + more)
      p += more
    }
    return end
  }

  /** Length and UTF-8. */
  text(value: string): void {
    // Three octets a UTF-16 unit at most; the length before it is known only after encoding.
    this.reserve(value.length * 3 + 5)
    if (value.length < 43) {
      const { written } = encoder.encodeInto(value, this.bytes.subarray(this.length + 1))
      this.bytes[this.length] = written
      this.length += written + 1
      return
    }
    this.octets(encoder.encode(value))
  }

  /** Length and octets: a ClickHouse String of any content. */
  octets(value: Uint8Array): void {
    this.varUint(value.length)
    this.raw(value)
  }

  /** A copy of what was written. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.slice(0, this.length)
    this.length = 0
    return taken
  }
}
