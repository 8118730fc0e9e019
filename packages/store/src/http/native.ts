/**
 * ClickHouse's Native format for clients that say which revision of its protocol they speak (`client_protocol_version`, as
 * clickhouse-go does): the embedded engine writes revision 0 only. What is different is before each block and each column; to
 * find those, columns are walked over by their type.
 */
import { HttpException } from './exceptions.ts'

/** From this revision on there is an octet before the data of a column: whether it is serialised otherwise than usual. */
const WITH_CUSTOM_SERIALIZATION = 54_454

/** is_overflows (field 1) = 0, bucket_num (field 2) = -1, end. */
const BLOCK_INFO = Buffer.from([1, 0, 2, 255, 255, 255, 255, 0])
const NOT_CUSTOM = Buffer.from([0])

/**
 * @param body blocks of revision 0
 * @throws HttpException NOT_IMPLEMENTED for a type that can't be walked over
 */
export function nativeOfRevision(body: Uint8Array, revision: number): Uint8Array {
  if (revision <= 0 || body.length === 0) return body
  const walk = new Walk(body)
  const parts: Uint8Array[] = []
  while (!walk.atEnd) {
    parts.push(BLOCK_INFO)
    let from = walk.at
    const columns = walk.varUint()
    const rows = walk.varUint()
    for (let i = 0; i < columns; i++) {
      walk.text()
      const type = parseType(walk.text())
      if (revision >= WITH_CUSTOM_SERIALIZATION) {
        parts.push(body.subarray(from, walk.at), NOT_CUSTOM)
        from = walk.at
      }
      if (rows > 0) {
        walk.prefix(type)
        walk.data(type, rows)
      }
    }
    parts.push(body.subarray(from, walk.at))
  }
  return Buffer.concat(parts)
}

interface Type {
  readonly name: string
  /** text between the parentheses */
  readonly inside: string
  readonly of: readonly Type[]
}

const WIDTH: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, 'UInt8 Int8 Bool Enum8 Nothing'],
      [2, 'UInt16 Int16 Enum16 Date BFloat16'],
      [4, 'UInt32 Int32 Float32 DateTime Date32 IPv4 Time'],
      [8, 'UInt64 Int64 Float64 DateTime64 Time64'],
      [16, 'UInt128 Int128 UUID IPv6'],
      [32, 'UInt256 Int256'],
    ] as const
  ).flatMap(([octets, names]) => names.split(' ').map((name) => [name, octets] as const)),
)

const INTERVAL = /^Interval[A-Z]/
const WITH_TYPES = new Set(['Array', 'Nullable', 'LowCardinality', 'Map', 'Tuple'])

function parseType(text: string): Type {
  const open = text.indexOf('(')
  if (open < 0) return { name: text, inside: '', of: [] }
  const name = text.slice(0, open)
  const inside = text.slice(open + 1, -1)
  // It is serialised as what it is of.
  if (name === 'SimpleAggregateFunction') return parseType(split(inside).slice(1).join(', '))
  const of = WITH_TYPES.has(name)
    ? split(inside).map((each) => parseType(name === 'Tuple' ? withoutName(each) : each))
    : []
  return { name, inside, of }
}

/** At commas that are in no parentheses and no quotes. */
function split(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let quote = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const sign = text.charAt(i)
    if (quote !== '') {
      if (sign === '\\') i++
      else if (sign === quote) quote = ''
    } else if (sign === "'" || sign === '`' || sign === '"') quote = sign
    else if (sign === '(') depth++
    else if (sign === ')') depth--
    else if (sign === ',' && depth === 0) {
      parts.push(text.slice(from, i).trim())
      from = i + 1
    }
  }
  parts.push(text.slice(from).trim())
  return parts
}

/** Elements of a tuple may have names: `a UInt8`, `` `b c` String ``. */
function withoutName(text: string): string {
  return /^(?:`(?:[^`\\]|\\.)*`|[A-Za-z_][A-Za-z0-9_]*) +(?=[A-Z])(.*)$/s.exec(text)?.[1] ?? text
}

class Walk {
  at = 0
  readonly #body: Uint8Array
  readonly #view: DataView

  constructor(body: Uint8Array) {
    this.#body = body
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  }

  get atEnd(): boolean {
    return this.at >= this.#body.length
  }

  varUint(): number {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const octet = this.#body[this.at++]
      if (octet === undefined) throw broken()
      value += (octet & 127) * shift
      if (octet < 128) return value
    }
  }

  text(): string {
    const size = this.varUint()
    const from = this.at
    this.skip(size)
    return Buffer.from(this.#body.buffer, this.#body.byteOffset + from, size).toString()
  }

  skip(octets: number): void {
    this.at += octets
    if (this.at > this.#body.length) throw broken()
  }

  uint64(): number {
    this.skip(8)
    return Number(this.#view.getBigUint64(this.at - 8, true))
  }

  /** State of a type that comes once before its values. */
  prefix(type: Type): void {
    if (type.name === 'LowCardinality') this.skip(8)
    else for (const each of type.of) this.prefix(each)
  }

  data(type: Type, rows: number): void {
    const { name, of } = type
    const [first] = of
    const width = widthOf(type)
    if (width !== undefined) this.skip(width * rows)
    else if (name === 'String') for (let i = 0; i < rows; i++) this.skip(this.varUint())
    else if (name === 'Nullable' && first !== undefined) {
      this.skip(rows)
      this.data(first, rows)
    } else if (name === 'Array' && first !== undefined) this.data(first, this.#offsets(rows))
    else if (name === 'Map') {
      const values = this.#offsets(rows)
      for (const each of of) this.data(each, values)
    } else if (name === 'Tuple') for (const each of of) this.data(each, rows)
    else if (name === 'LowCardinality' && first !== undefined) this.#lowCardinality(first, rows)
    else throw notKnown(type)
  }

  /** @returns the number of values of all rows */
  #offsets(rows: number): number {
    if (rows === 0) return 0
    this.skip(8 * (rows - 1))
    return this.uint64()
  }

  /** A dictionary and positions in it; in Native there is no dictionary that is shared by blocks. */
  #lowCardinality(type: Type, rows: number): void {
    for (let left = rows; left > 0;) {
      const flags = this.uint64()
      const positionOctets = 1 << (flags & 15)
      // Bit 8: a shared dictionary; bit 9: keys of its own.
      if ((flags & 256) !== 0 || (flags & 512) === 0) throw broken()
      const keys = this.uint64()
      this.data(type.name === 'Nullable' ? (type.of[0] ?? type) : type, keys)
      const positions = this.uint64()
      if (positions === 0) throw broken()
      this.skip(positions * positionOctets)
      left -= positions
    }
  }
}

function widthOf({ name, inside }: Type): number | undefined {
  const width = WIDTH.get(name)
  if (width !== undefined) return width
  if (INTERVAL.test(name)) return 8
  if (name === 'FixedString') return Number(inside)
  if (name !== 'Decimal') return undefined
  const digits = Number(/^\d+/.exec(inside)?.[0])
  return digits <= 9 ? 4 : digits <= 18 ? 8 : digits <= 38 ? 16 : 32
}

const broken = (): HttpException =>
  new HttpException('INCORRECT_DATA', 'the engine wrote a Native block that is not understood')

const notKnown = ({ name }: Type): HttpException =>
  new HttpException(
    'NOT_IMPLEMENTED',
    `type ${name} in format Native for client_protocol_version is not supported: convert it, or ask for another format`,
  )
