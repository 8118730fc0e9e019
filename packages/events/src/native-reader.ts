/**
 * Native blocks back into values: what the encoders of this package write, for tools that show messages of the bus. A body may
 * come from anybody: all sizes are held against the octets that are there before memory is taken for them.
 */
import { MAX_COLUMNS, parseType } from './native-types.ts'
import type { NativeType } from './native-types.ts'

/** A body that is no Native block, or has a type that nothing here writes. */
export class NativeError extends Error {
  override readonly name = 'NativeError'
}

/**
 * UInt8 to UInt32, Float64, DateTime64: number; UInt64: bigint; Enum8: its name; String, FixedString, IPv6: octets, views of
 * the body; Array: array; Tuple: array; Map: Map.
 */
export type NativeValue = number | bigint | string | Uint8Array | NativeList | NativeMap
export type NativeList = readonly NativeValue[]
export type NativeMap = ReadonlyMap<NativeValue, NativeValue>

export interface NativeBlockRows {
  readonly rows: number
  /** By name, a value per row. */
  readonly columns: ReadonlyMap<string, NativeList>
}

/** @throws NativeError */
export function* readNative(body: Uint8Array): Generator<NativeBlockRows> {
  const reader = new Reader(body)
  while (!reader.atEnd) {
    const count = reader.varUint()
    const rows = reader.varUint()
    if (count > MAX_COLUMNS || (count === 0 && rows > 0)) {
      throw new NativeError(`a block of ${count} columns and ${rows} rows`)
    }
    const columns = new Map<string, NativeList>()
    for (let i = 0; i < count; i++) {
      const name = reader.text()
      const text = reader.text()
      const type = parseType(text)
      if (type === undefined) {
        throw new NativeError(`column ${quoted(name)} is of type ${quoted(text)}`)
      }
      columns.set(name, rows === 0 ? [] : reader.column(type, rows))
    }
    yield { rows, columns }
  }
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80))
const ENDS = 'ends inside a block'

class Reader {
  #at = 0
  readonly #body: Uint8Array
  readonly #view: DataView

  constructor(body: Uint8Array) {
    this.#body = body
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  }

  get atEnd(): boolean {
    return this.#at >= this.#body.length
  }

  varUint(): number {
    let value = 0
    for (let shift = 1; shift < 2 ** 56; shift *= 128) {
      const octet = this.#body[this.#at++]
      if (octet === undefined) throw new NativeError(ENDS)
      value += (octet & 127) * shift
      if (octet < 128) return value
    }
    throw new NativeError('a size that is none')
  }

  text(): string {
    return utf8(this.#octets(this.varUint()))
  }

  /** @param rows above 0 */
  column(type: NativeType, rows: number): NativeList {
    if (type.name === 'LowCardinality') {
      const version = this.#u64()
      if (version !== 1n) throw new NativeError(`LowCardinality of version ${version}`)
    }
    return this.#values(type, rows)
  }

  #values(type: NativeType, rows: number): NativeList {
    if (rows === 0) return []
    const { of, names } = type
    const [first, second] = of
    switch (type.name) {
      case 'UInt8':
        return this.#each(rows, 1, (at) => this.#view.getUint8(at))
      case 'UInt16':
        return this.#each(rows, 2, (at) => this.#view.getUint16(at, true))
      case 'UInt32':
        return this.#each(rows, 4, (at) => this.#view.getUint32(at, true))
      case 'UInt64':
        return this.#each(rows, 8, (at) => this.#view.getBigUint64(at, true))
      case 'Float64':
        return this.#each(rows, 8, (at) => this.#view.getFloat64(at, true))
      case 'DateTime64':
        return this.#each(rows, 8, (at) => Number(this.#view.getBigInt64(at, true)))
      case 'Enum8':
        return this.#each(rows, 1, (at) => {
          const number = this.#view.getInt8(at)
          return names.get(number) ?? String(number)
        })
      case 'IPv6':
        return this.#each(rows, 16, (at) => this.#body.subarray(at, at + 16))
      case 'String': {
        this.#need(rows)
        const values: Uint8Array[] = []
        for (let i = 0; i < rows; i++) values.push(this.#octets(this.varUint()))
        return values
      }
      case 'LowCardinality':
        if (first !== undefined) return this.#lowCardinality(first, rows)
        break
      case 'Array':
        if (first !== undefined) {
          const ends = this.#ends(rows)
          const all = this.#values(first, ends[rows - 1] ?? 0)
          return ends.map((end, row) => all.slice(row === 0 ? 0 : ends[row - 1], end))
        }
        break
      case 'Map':
        if (first !== undefined && second !== undefined) {
          const ends = this.#ends(rows)
          const total = ends[rows - 1] ?? 0
          const keys = this.#values(first, total)
          const values = this.#values(second, total)
          return ends.map((end, row) => {
            const entries = new Map<NativeValue, NativeValue>()
            for (let i = row === 0 ? 0 : (ends[row - 1] ?? 0); i < end; i++) {
              entries.set(keys[i]!, values[i]!)
            }
            return entries
          })
        }
        break
      case 'Tuple': {
        const parts = of.map((each) => this.#values(each, rows))
        return Array.from({ length: rows }, (_, row) => parts.map((part) => part[row]!))
      }
      default:
    }
    throw new NativeError(`type ${type.name}`)
  }

  #lowCardinality(type: NativeType, rows: number): NativeList {
    const flags = Number(this.#u64() & 0xffffn)
    const width = flags & 15
    // Bit 8: a dictionary that blocks share; bit 9: keys of its own.
    if ((flags & 0x100) !== 0 || (flags & 0x200) === 0 || width > 1) {
      throw new NativeError(`LowCardinality with flags ${flags}`)
    }
    const dictionary = this.#values(type, this.#size())
    if (this.#size() !== rows) throw new NativeError('LowCardinality of another number of rows')
    return this.#each(rows, 1 + width, (at) => {
      const index = width === 0 ? this.#view.getUint8(at) : this.#view.getUint16(at, true)
      const value = dictionary[index]
      if (value === undefined) throw new NativeError('an index beyond its dictionary')
      return value
    })
  }

  /** Of the lists of all rows, in the values that follow. */
  #ends(rows: number): number[] {
    let last = 0
    return this.#each(rows, 8, (at) => {
      const end = Number(this.#view.getBigUint64(at, true))
      // Values take an octet each at least.
      if (end < last || end > this.#body.length)
        throw new NativeError('lists longer than the block')
      last = end
      return end
    })
  }

  #each<T>(rows: number, octets: number, get: (at: number) => T): T[] {
    this.#need(rows * octets)
    const values: T[] = []
    for (let i = 0; i < rows; i++, this.#at += octets) values.push(get(this.#at))
    return values
  }

  #size(): number {
    const size = Number(this.#u64())
    if (size > this.#body.length) throw new NativeError(ENDS)
    return size
  }

  #u64(): bigint {
    this.#need(8)
    this.#at += 8
    return this.#view.getBigUint64(this.#at - 8, true)
  }

  #octets(length: number): Uint8Array {
    this.#need(length)
    this.#at += length
    return this.#body.subarray(this.#at - length, this.#at)
  }

  #need(octets: number): void {
    if (octets > this.#body.length - this.#at) throw new NativeError(ENDS)
  }
}

const decoder = new TextDecoder()
export function utf8(octets: Uint8Array): string {
  return decoder.decode(octets)
}
