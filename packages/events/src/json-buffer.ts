/**
 * HOT PATH: JSON text as octets, written in place. Strings are made only where text is rare; constant
 * parts are encoded once (`ascii`) and copied.
 */
const encoder = new TextEncoder()

export function ascii(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

/** A constant piece of text, ready to be copied four octets at a time. */
export interface Part {
  readonly view: DataView
  readonly octets: Uint8Array
  readonly length: number
}

export function part(text: string): Part {
  const octets = ascii(text)
  const padded = new Uint8Array((octets.length + 3) & ~3)
  padded.set(octets)
  return { view: new DataView(padded.buffer), octets, length: octets.length }
}

/** From here on a call that copies all is worth its price. */
const LONG_PART = 128

/** Room behind what is asked for: `part` writes whole groups of four. */
const PADDING = 4

const ZERO = 48
const NINE = 57
const COLON = 58
/** '00', '01' ... 'ff' */
const HEX = new Uint8Array(512)
for (let octet = 0; octet < 256; octet++) {
  HEX.set(ascii(octet.toString(16).padStart(2, '0')), octet * 2)
}
/** decimal text of an octet, padded to three, and how many of the three count */
const DECIMAL = new Uint8Array(1024)
for (let octet = 0; octet < 256; octet++) {
  const text = ascii(String(octet))
  DECIMAL.set(text, octet * 4)
  DECIMAL[octet * 4 + 3] = text.length
}

export class JsonBuffer {
  bytes: Uint8Array<ArrayBuffer>
  length = 0
  #view: DataView

  constructor(octets: number) {
    this.bytes = new Uint8Array(octets + PADDING)
    this.#view = new DataView(this.bytes.buffer)
  }

  /** Writes into another buffer from now on. */
  use(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer)
    this.length = 0
  }

  /** All writers below expect that there is room. */
  reserve(octets: number): void {
    const { length } = this
    const need = length + octets + PADDING
    if (need <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(need, 2 * this.bytes.length))
    larger.set(this.bytes.subarray(0, length))
    this.use(larger)
    this.length = length
  }

  octet(value: number): void {
    this.bytes[this.length++] = value
  }

  /** A constant part. Writes up to three octets beyond it, which what follows overwrites. */
  part({ view, octets, length }: Part): void {
    const to = this.#view
    const p = this.length
    if (length > LONG_PART) this.bytes.set(octets, p)
    else for (let i = 0; i < length; i += 4) to.setInt32(p + i, view.getInt32(i, true), true)
    this.length = p + length
  }

  /** Text that is no constant but has been encoded. */
  encoded(text: Uint8Array): void {
    this.bytes.set(text, this.length)
    this.length += text.length
  }

  /** What was written at from..to once more. */
  again(from: number, to: number): void {
    this.bytes.copyWithin(this.length, from, to)
    this.length += to - from
  }

  /** The same with spaces in place of commas. */
  againSpaced(from: number, to: number): void {
    const bytes = this.bytes
    let p = this.length
    for (let i = from; i < to; i++) {
      const octet = bytes[i]!
      bytes[p++] = octet === 44 ? 32 : octet
    }
    this.length = p
  }

  /** Adds one to the decimal number that ends there. @returns false when it would need another digit */
  countUp(end: number): boolean {
    const bytes = this.bytes
    let p = end - 1
    while (bytes[p] === NINE) bytes[p--] = ZERO
    const digit = bytes[p]!
    if (digit < ZERO || digit > NINE) return false
    bytes[p] = digit + 1
    return true
  }

  /** Any text as a JSON string; makes its own room. */
  text(value: string): void {
    if (value === '') {
      this.reserve(2)
      this.octet(34)
      this.octet(34)
      return
    }
    const encoded = encoder.encode(JSON.stringify(value))
    this.reserve(encoded.length)
    this.bytes.set(encoded, this.length)
    this.length += encoded.length
  }

  u32(value: number): void {
    const bytes = this.bytes
    let rest = value >>> 0
    if (rest < 10) {
      bytes[this.length++] = ZERO + rest
      return
    }
    let digits = 2
    for (let limit = 100; digits < 10 && rest >= limit; limit *= 10) digits++
    let p = this.length + digits
    this.length = p
    while (rest >= 10) {
      const tens = (rest / 10) | 0
      bytes[--p] = ZERO + rest - tens * 10
      rest = tens
    }
    bytes[--p] = ZERO + rest
  }

  /** Some of the numbers, with commas between. */
  numbers(values: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      if (i > from) this.octet(44)
      this.u32(values[i]!)
    }
  }

  /** An integer from 0 to 2^53. */
  integer(value: number): void {
    if (value < 0x1_0000_0000) {
      this.u32(value)
      return
    }
    const high = Math.floor(value / 1e9)
    this.u32(high)
    this.padded9(value - high * 1e9)
  }

  padded9(value: number): void {
    let p = this.length + 9
    this.length = p
    let rest = value
    for (let i = 0; i < 9; i++) {
      const tens = (rest / 10) | 0
      this.bytes[--p] = ZERO + rest - tens * 10
      rest = tens
    }
  }

  padded2(value: number): void {
    const tens = (value / 10) | 0
    this.bytes[this.length++] = ZERO + tens
    this.bytes[this.length++] = ZERO + value - tens * 10
  }

  padded6(value: number): void {
    let p = this.length + 6
    this.length = p
    let rest = value
    for (let i = 0; i < 6; i++) {
      const tens = (rest / 10) | 0
      this.bytes[--p] = ZERO + rest - tens * 10
      rest = tens
    }
  }

  /** All 64 bits as decimal digits: long division by 10,000 over four limbs of 16 bits. */
  u64(lo: number, hi: number): void {
    let a = hi >>> 16
    let b = hi & 0xffff
    let c = lo >>> 16
    let d = lo & 0xffff
    const bytes = this.bytes
    const end = this.length + 20
    let p = end
    for (let group = 0; group < 5; group++) {
      let rest = a
      a = (rest / 10_000) | 0
      rest = ((rest - a * 10_000) << 16) | b
      b = (rest / 10_000) | 0
      rest = ((rest - b * 10_000) << 16) | c
      c = (rest / 10_000) | 0
      rest = ((rest - c * 10_000) << 16) | d
      d = (rest / 10_000) | 0
      rest -= d * 10_000
      for (let i = 0; i < 4; i++) {
        const tens = (rest / 10) | 0
        bytes[--p] = ZERO + rest - tens * 10
        rest = tens
      }
    }
    // Leading zeros go.
    let first = p
    while (first < end - 1 && bytes[first] === ZERO) first++
    bytes.copyWithin(p, first, end)
    this.length = p + (end - first)
  }

  hex(octet: number): void {
    this.bytes[this.length++] = HEX[octet * 2]!
    this.bytes[this.length++] = HEX[octet * 2 + 1]!
  }

  /** @param lane the four octets in network order, read as a little-endian lane */
  ipv4(lane: number): void {
    this.#decimal(lane & 255)
    this.octet(46)
    this.#decimal((lane >>> 8) & 255)
    this.octet(46)
    this.#decimal((lane >>> 16) & 255)
    this.octet(46)
    this.#decimal(lane >>> 24)
  }

  /** A number as a dotted quad. */
  quad(value: number): void {
    this.#decimal(value >>> 24)
    this.octet(46)
    this.#decimal((value >>> 16) & 255)
    this.octet(46)
    this.#decimal((value >>> 8) & 255)
    this.octet(46)
    this.#decimal(value & 255)
  }

  #decimal(octet: number): void {
    const at = octet * 4
    const bytes = this.bytes
    const p = this.length
    bytes[p] = DECIMAL[at]!
    bytes[p + 1] = DECIMAL[at + 1]!
    bytes[p + 2] = DECIMAL[at + 2]!
    this.length = p + DECIMAL[at + 3]!
  }

  /** Colon-separated hex of `octets` octets. */
  colonHex(from: Uint8Array, at: number, octets: number): void {
    for (let i = 0; i < octets; i++) {
      if (i > 0) this.octet(COLON)
      this.hex(from[at + i]!)
    }
  }

  /** RFC 5952, as wire's formatIPv6 (a test holds them equal). */
  ipv6(from: Uint8Array, at: number): void {
    let bestAt = -1
    let best = 1
    let runAt = -1
    for (let group = 0; group <= 8; group++) {
      if (group < 8 && from[at + 2 * group] === 0 && from[at + 2 * group + 1] === 0) {
        if (runAt < 0) runAt = group
      } else if (runAt >= 0) {
        if (group - runAt > best) {
          bestAt = runAt
          best = group - runAt
        }
        runAt = -1
      }
    }
    let needsColon = false
    for (let group = 0; group < 8; group++) {
      if (group === bestAt) {
        this.octet(COLON)
        this.octet(COLON)
        group += best - 1
        needsColon = false
        continue
      }
      if (needsColon) this.octet(COLON)
      needsColon = true
      const tail = group === 6 && bestAt === 0
      if (tail && (best === 6 || (best === 5 && from[at + 10] === 255 && from[at + 11] === 255))) {
        const p = at + 12
        this.ipv4(from[p]! | (from[p + 1]! << 8) | (from[p + 2]! << 16) | (from[p + 3]! << 24))
        return
      }
      this.#group((from[at + 2 * group]! << 8) | from[at + 2 * group + 1]!)
    }
  }

  #group(value: number): void {
    for (let shift = value > 0xfff ? 12 : value > 0xff ? 8 : value > 0xf ? 4 : 0; shift >= 0;) {
      const digit = (value >> shift) & 15
      this.octet(digit < 10 ? ZERO + digit : 87 + digit)
      shift -= 4
    }
  }
}
