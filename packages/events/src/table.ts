import { formatIPv4Number, formatRd } from '@ribscope/wire'
import { type ByteWriter } from './byte-writer.ts'
import { formatIp } from './ip.ts'
import type { IpOctets } from './ip.ts'
import { beginBlock, beginColumn, writeLowCardinality } from './native.ts'
import { formatDateTime64 } from './time.ts'

/**
 * The three small tables, column by column. One list serves both encoders, so that the Native block
 * and the JSON line of a row cannot disagree.
 */
export type Cell = number | bigint | string | Uint8Array | readonly string[] | readonly Effect[]

/**
 * What a fact means for state: at the row's own position, what this scope announced before
 * `beforeSeq` of the same BMP session is stale or gone. 0: before the session began.
 */
export interface Effect {
  readonly effect: 'stale' | 'sweep'
  readonly rib: string
  readonly afi: number
  readonly safi: number
  readonly beforeSeq: number
  readonly cause: string
}

export interface Kind {
  /** ClickHouse's own words for the type, as the migrations have them. */
  readonly type: string
  readonly write: (out: ByteWriter, cells: readonly Cell[]) => void
  readonly json: (cell: Cell) => string
}

export interface Column<Row> {
  /** of the table */
  readonly name: string
  /** where the view that people read has another one */
  readonly jsonName?: string
  readonly kind: Kind
  readonly get: (row: Row) => Cell
}

const each =
  (write: (out: ByteWriter, cell: never) => void) =>
  (out: ByteWriter, cells: readonly Cell[]): void => {
    for (const cell of cells) write(out, cell as never)
  }

export const UINT8: Kind = {
  type: 'UInt8',
  write: each((out, cell: number) => {
    out.u8(cell)
  }),
  json: String,
}
export const UINT16: Kind = {
  type: 'UInt16',
  write: each((out, cell: number) => {
    out.u16(cell)
  }),
  json: String,
}
export const UINT32: Kind = {
  type: 'UInt32',
  write: each((out, cell: number) => {
    out.u32(cell)
  }),
  json: String,
}
/** Counts: below 2^53, numbers in JSON. */
export const COUNT: Kind = {
  type: 'UInt64',
  write: each((out, cell: number) => {
    out.u64(cell)
  }),
  json: String,
}
/** Keys and counters of the wire: all 64 bits, strings in JSON. */
export const UINT64: Kind = {
  type: 'UInt64',
  write: each((out, cell: bigint) => {
    out.big64(cell)
  }),
  json: (cell) => `"${(cell as bigint).toString()}"`,
}
export const TIME: Kind = {
  type: "DateTime64(6, 'UTC')",
  write: each((out, cell: number) => {
    out.u64(cell)
  }),
  json: (cell) => `"${formatDateTime64(cell as number)}"`,
}
/** 0 is unknown, null in JSON. */
export const TIME_OR_ZERO: Kind = {
  ...TIME,
  json: (cell) => (cell === 0 ? 'null' : TIME.json(cell)),
}
export const IP: Kind = {
  type: 'IPv6',
  write: each((out, cell: IpOctets) => {
    out.raw(cell)
  }),
  json: (cell) => JSON.stringify(formatIp(cell as IpOctets)),
}
/** `::` stands for none. */
export const IP_OR_NONE: Kind = {
  ...IP,
  json: (cell) => ((cell as IpOctets).every((octet) => octet === 0) ? '""' : IP.json(cell)),
}
export const BGP_ID: Kind = {
  ...UINT32,
  json: (cell) => `"${formatIPv4Number(cell as number)}"`,
}
/** 0 is none. */
export const BGP_ID_OR_NONE: Kind = {
  ...BGP_ID,
  json: (cell) => (cell === 0 ? '""' : BGP_ID.json(cell)),
}
const rdOctets = new Uint8Array(8)
const rdView = new DataView(rdOctets.buffer)
/** A route distinguisher as a big-endian number; 0 is none. */
export const RD: Kind = {
  ...UINT64,
  json: (cell) => {
    if (cell === 0n) return '""'
    rdView.setBigUint64(0, cell as bigint)
    return JSON.stringify(formatRd(rdOctets, 0))
  },
}
export const STRING: Kind = {
  type: 'String',
  write: each((out, cell: string) => {
    out.text(cell)
  }),
  json: (cell) => JSON.stringify(cell),
}
/** Octets in a String column; hex in JSON, where they could not be told from text. */
export const OCTETS: Kind = {
  type: 'String',
  write: each((out, cell: Uint8Array) => {
    out.octets(cell)
  }),
  json: (cell) => `"${Buffer.from(cell as Uint8Array).toString('hex')}"`,
}
export const WORD: Kind = {
  type: 'LowCardinality(String)',
  write: (out, cells) => {
    const places = new Map<string, number>()
    const indexes = new Uint16Array(cells.length)
    for (const [row, cell] of (cells as readonly string[]).entries()) {
      let place = places.get(cell)
      if (place === undefined) places.set(cell, (place = places.size))
      indexes[row] = place
    }
    writeLowCardinality(out, [...places.keys()], indexes)
  },
  json: (cell) => JSON.stringify(cell),
}
export const STRINGS: Kind = {
  type: 'Array(String)',
  write: (out, cells) => {
    let end = 0
    for (const cell of cells as readonly (readonly string[])[]) out.u64((end += cell.length))
    for (const cell of cells as readonly (readonly string[])[])
      for (const text of cell) out.text(text)
  },
  json: (cell) => JSON.stringify(cell),
}
export const EFFECTS: Kind = {
  type: 'Array(Tuple(effect String, rib String, afi UInt16, safi UInt8, before_seq UInt64, cause String))',
  write: (out, cells) => {
    const lists = cells as readonly (readonly Effect[])[]
    let end = 0
    for (const list of lists) out.u64((end += list.length))
    const all = lists.flat()
    for (const { effect } of all) out.text(effect)
    for (const { rib } of all) out.text(rib)
    for (const { afi } of all) out.u16(afi)
    for (const { safi } of all) out.u8(safi)
    for (const { beforeSeq } of all) out.u64(beforeSeq)
    for (const { cause } of all) out.text(cause)
  },
  json: (cell) =>
    JSON.stringify(
      (cell as readonly Effect[]).map(({ effect, rib, afi, safi, beforeSeq, cause }) => ({
        effect,
        rib,
        afi,
        safi,
        before_seq: beforeSeq,
        cause,
      })),
    ),
}

/** @param values names in the order of their numbers, with the numbers */
export function enumeration(values: Readonly<Record<string, number>>): Kind {
  const type = `Enum8(${Object.entries(values)
    .map(([name, number]) => `'${name}' = ${number}`)
    .join(', ')})`
  return {
    type,
    write: each((out, cell: string) => {
      out.u8(values[cell] ?? 0)
    }),
    json: (cell) => JSON.stringify(cell),
  }
}

/** Appends one Native block with all rows. */
export function writeTable<Row>(
  out: ByteWriter,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  const block = beginBlock(out, rows.length)
  for (const { name, kind, get } of columns) {
    beginColumn(out, block, name, kind.type)
    kind.write(out, rows.map(get))
  }
}

/** One JSON object, without a line end. */
export function jsonOfRow<Row>(columns: readonly Column<Row>[], row: Row, table?: string): string {
  const fields = columns.map(
    ({ name, jsonName, kind, get }) => `"${jsonName ?? name}":${kind.json(get(row))}`,
  )
  if (table !== undefined) fields.unshift(`"table":"${table}"`)
  return `{${fields.join(',')}}`
}
