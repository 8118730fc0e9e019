/** Numbers from a seed (sfc32): the same seed is the same run. */
export class Random {
  #a: number
  #b: number
  #c = 0x9e3779b9
  #count = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = (seed ^ 0x5bd1e995) | 0
    for (let i = 0; i < 12; i++) this.u32()
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }

  /** 0 .. n-1 */
  below(n: number): number {
    return this.u32() % n
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.u32() % n === 0
  }

  pick<T>(list: ArrayLike<T>): T {
    if (list.length === 0) throw new RangeError('nothing to pick from')
    return list[this.below(list.length)]!
  }

  bytes(n: number): Uint8Array {
    const bytes = new Uint8Array(n)
    for (let i = 0; i < n; i++) bytes[i] = this.u32()
    return bytes
  }
}

/** FNV-1a, 32 bits. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

export function hashText(text: string, from = 0x811c9dc5): number {
  let hash = from
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
