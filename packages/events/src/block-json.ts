/** Rows of Native blocks as the JSON lines that `decode` prints of them: the columns of the views that people read. */
import { BEAT_COLUMNS, BEATS } from './beats.ts'
import { formatIp } from './ip.ts'
import type { JsonTable } from './json-sink.ts'
import { readNative, utf8, NativeError } from './native-reader.ts'
import type { NativeBlockRows, NativeList, NativeValue } from './native-reader.ts'
import { routeRow } from './route-json.ts'
import { ERROR_COLUMNS, SESSION_COLUMNS, STATS_COLUMNS } from './rows.ts'
import type { Table } from './sink.ts'
import { COUNT, EFFECTS, OCTETS, STRINGS } from './table.ts'
import type { Cell, Column, Effect, Kind } from './table.ts'

/** What the views are called. */
export const VIEW_OF: Readonly<Record<Table, JsonTable>> = {
  route_log: 'route_events',
  session_log: 'session_events',
  stats_log: 'stats',
  error_log: 'route_errors',
}

export interface BlockRow {
  /** Text of the address; '' where the row is about no peer. */
  readonly peer: string
  /** `ADDRESS/BITS`; '' where the row has none. */
  readonly prefix: string
  /** One JSON object. */
  readonly json: () => string
}

/**
 * @param body Native blocks of one table
 * @throws NativeError for anything else
 */
export function* rowsOfBlocks(table: Table | typeof BEATS, body: Uint8Array): Generator<BlockRow> {
  const blocks = readNative(body)
  for (;;) {
    const block = guarded(() => blocks.next())
    if (block.done === true) return
    const rowAt = guarded(() => rowReader(table, block.value))
    for (let row = 0; row < block.value.rows; row++) {
      const { peer, prefix, json } = guarded(() => rowAt(row))
      yield { peer, prefix, json: () => guarded(json) }
    }
  }
}

/** Columns of other types than ours, keys that are too short: whoever sends a block chooses what is in it. */
function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof NativeError) throw error
    throw new NativeError(`not as the table has it: ${(error as Error).message}`, { cause: error })
  }
}

function rowReader(table: Table | typeof BEATS, block: NativeBlockRows): (row: number) => BlockRow {
  switch (table) {
    case 'route_log':
      return (row) => routeRow(block, row, VIEW_OF.route_log)
    case 'session_log':
      return smallRow(SESSION_COLUMNS, block, VIEW_OF[table])
    case 'stats_log':
      return smallRow(STATS_COLUMNS, block, VIEW_OF[table])
    case 'error_log':
      return smallRow(ERROR_COLUMNS, block, VIEW_OF[table])
    case BEATS:
      return smallRow(BEAT_COLUMNS, block, table)
  }
}

function smallRow<Row>(
  columns: readonly Column<Row>[],
  block: NativeBlockRows,
  table: string,
): (row: number) => BlockRow {
  const fields = columns.map(({ name, jsonName, kind }) => {
    const values = block.columns.get(name)
    if (values === undefined) throw new NativeError(`${table} without column ${name}`)
    return { key: JSON.stringify(jsonName ?? name), kind, values }
  })
  const addresses = block.columns.get('peer_addr')
  return (row) => ({
    peer: addressAt(addresses, row),
    prefix: '',
    json: () => {
      const parts = fields.map(({ key, kind, values }) => {
        const value = values[row]
        if (value === undefined) throw new NativeError(`${table}: a row without ${key}`)
        return `${key}:${kind.json(cellOf(kind, value))}`
      })
      return `{"table":"${table}",${parts.join(',')}}`
    },
  })
}

function addressAt(addresses: NativeList | undefined, row: number): string {
  const address = addresses?.[row]
  return address instanceof Uint8Array && address.some((octet) => octet !== 0)
    ? formatIp(address)
    : ''
}

/** As the encoder was given it. */
function cellOf(kind: Kind, value: NativeValue): Cell {
  if (kind === EFFECTS) return (value as NativeList).map(effectOf)
  if (kind === STRINGS) return (value as NativeList).map((text) => utf8(text as Uint8Array))
  if (kind === COUNT) return Number(value)
  if (value instanceof Uint8Array && kind !== OCTETS && kind.type !== 'IPv6') return utf8(value)
  return value as Cell
}

function effectOf(value: NativeValue): Effect {
  const [effect, rib, afi, safi, beforeSeq, cause] = value as NativeList
  return {
    effect: utf8(effect as Uint8Array) as Effect['effect'],
    rib: utf8(rib as Uint8Array),
    afi: afi as number,
    safi: safi as number,
    beforeSeq: Number(beforeSeq),
    cause: utf8(cause as Uint8Array),
  }
}
