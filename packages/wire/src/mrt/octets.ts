/** Octets being written: grows by doubling, and is used again. */
export class Octets {
  bytes: Uint8Array = new Uint8Array(4096)
  length = 0

  get view(): DataView {
    return new DataView(this.bytes.buffer, 0, this.length)
  }

  #room(octets: number): number {
    const at = this.length
    this.length = at + octets
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.bytes.length))
      larger.set(this.bytes.subarray(0, at))
      this.bytes = larger
    }
    return at
  }

  u8(value: number): void {
    const at = this.#room(1)
    this.bytes[at] = value
  }

  u16(value: number): void {
    this.setU16(this.#room(2), value)
  }

  u32(value: number): void {
    this.setU32(this.#room(4), value)
  }

  zeros(octets: number): void {
    const at = this.#room(octets)
    this.bytes.fill(0, at, at + octets)
  }

  copy(from: Uint8Array, start: number, end: number): void {
    // Room first: it may be other memory then.
    const at = this.#room(end - start)
    this.bytes.set(from.subarray(start, end), at)
  }

  setU16(at: number, value: number): void {
    this.bytes[at] = value >> 8
    this.bytes[at + 1] = value
  }

  setU32(at: number, value: number): void {
    this.setU16(at, value >>> 16)
    this.setU16(at + 2, value & 0xffff)
  }
}
