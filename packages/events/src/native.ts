import type { ByteWriter } from './byte-writer.ts'

/**
 * ClickHouse's Native format: blocks of columns, each with name and type.
 *
 *   columns => VarUInt, rows => VarUInt, { name => String, type => String, data } per column
 *
 * Blocks concatenate, and a block may leave out columns of the INSERT: those take their defaults
 * (checked against ClickHouse 26.7 by native-sink.test.ts).
 */
export function beginBlock(out: ByteWriter, rows: number): NativeBlock {
  const at = out.length
  // The number of columns is known at the end. Blocks here have fewer than 128: one octet.
  out.u8(0)
  out.varUint(rows)
  return { at, rows, columns: 0 }
}

export interface NativeBlock {
  readonly at: number
  readonly rows: number
  columns: number
}

export function beginColumn(out: ByteWriter, block: NativeBlock, name: string, type: string): void {
  block.columns += 1
  out.bytes[block.at] = block.columns
  out.text(name)
  out.text(type)
}

/** LowCardinality serialisation: has additional keys (bit 9), needs update of dictionary (bit 10). */
const LOW_CARDINALITY_FLAGS = 0x600
const INDEX_UINT8 = 0
const INDEX_UINT16 = 1

/**
 * Data of a LowCardinality(String) column: version, flags and index type, dictionary, indexes.
 *
 * @param indexes one octet a row when the dictionary has at most 256 values, else two
 */
export function writeLowCardinality(
  out: ByteWriter,
  dictionary: readonly string[],
  indexes: Uint8Array | Uint16Array,
): void {
  const wide = indexes instanceof Uint16Array
  out.u64(1)
  out.u64(LOW_CARDINALITY_FLAGS | (wide ? INDEX_UINT16 : INDEX_UINT8))
  out.u64(dictionary.length)
  for (const value of dictionary) out.text(value)
  out.u64(indexes.length)
  out.raw(new Uint8Array(indexes.buffer, indexes.byteOffset, indexes.byteLength))
}
