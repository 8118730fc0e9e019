/**
 * Growing octet writer, big-endian. The simulator's encoder shares no code with packages/wire on
 * purpose: decoder and encoder check each other.
 */
export class Bytes {
  #buffer = new Uint8Array(128)
  #length = 0

  get length(): number {
    return this.#length
  }

  u8(value: number): this {
    this.#room(1)
    this.#buffer[this.#length++] = value
    return this
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value)
  }

  u24(value: number): this {
    return this.u8(value >>> 16).u16(value)
  }

  u32(value: number): this {
    return this.u16(Math.floor(value / 65_536)).u16(value)
  }

  /** @param value a safe integer */
  u64(value: number): this {
    return this.u32(Math.floor(value / 4_294_967_296)).u32(value % 4_294_967_296)
  }

  f32(value: number): this {
    const octets = new Uint8Array(4)
    new DataView(octets.buffer).setFloat32(0, value)
    return this.raw(octets)
  }

  raw(octets: ArrayLike<number>): this {
    this.#room(octets.length)
    this.#buffer.set(octets, this.#length)
    this.#length += octets.length
    return this
  }

  text(value: string): this {
    return this.raw(new TextEncoder().encode(value))
  }

  /** A copy of what was written. */
  done(): Uint8Array {
    return this.#buffer.slice(0, this.#length)
  }

  #room(octets: number): void {
    if (this.#length + octets <= this.#buffer.length) return
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + octets))
    grown.set(this.#buffer)
    this.#buffer = grown
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
