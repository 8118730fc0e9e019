/** What a message on the bus says about itself: a batch of rows of one table from one BMP session. */
export interface BatchHeaders {
  /** Physical table of database `ribscope`. */
  readonly table: string
  /** Columns of the rows, in the order of the blocks. */
  readonly columns: readonly string[]
  /** `native`: ClickHouse Native blocks; `json`: JSONEachRow lines. */
  readonly format: 'native' | 'json'
  readonly router: string
  /** Receive time of the TCP accept, microseconds since 1970. */
  readonly bmpSession: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly rows: number
}

/** Grows when a consumer of today could not read what is written tomorrow. */
export const SCHEMA = 1

/** As Kafka has them: all values are text. */
export type WireHeaders = Record<string, string>

export function encodeHeaders(headers: BatchHeaders): WireHeaders {
  return {
    table: headers.table,
    schema: String(SCHEMA),
    format: headers.format,
    router: headers.router,
    bmp_session: String(headers.bmpSession),
    first_seq: String(headers.firstSeq),
    last_seq: String(headers.lastSeq),
    rows: String(headers.rows),
    columns: headers.columns.join(),
  }
}

/** A message that nobody can store. It goes to the dead-letter topic with these words. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage'
}

const NAME = /^[a-z_][a-z0-9_]{0,63}$/
const MAX_COLUMNS = 200

/**
 * Whoever may write to the topic writes the headers: names go into statements, so they are names here.
 *
 * @throws BadMessage
 */
export function decodeHeaders(
  headers: Readonly<Record<string, Uint8Array | string | (Uint8Array | string)[] | undefined>>,
): BatchHeaders {
  const text = (name: string): string => {
    const value = headers[name]
    if (value === undefined) throw new BadMessage(`no header ${name}`)
    if (Array.isArray(value)) throw new BadMessage(`header ${name} more than once`)
    return typeof value === 'string' ? value : Buffer.from(value).toString('utf8')
  }
  const whole = (name: string): number => {
    const value = Number(text(name))
    if (Number.isSafeInteger(value) && value >= 0) return value
    throw new BadMessage(`header ${name}: ${quoted(text(name))}, expected a whole number`)
  }
  if (whole('schema') !== SCHEMA) {
    throw new BadMessage(`schema ${whole('schema')}, this program knows ${SCHEMA}`)
  }
  const table = text('table')
  if (!NAME.test(table)) throw new BadMessage(`header table: ${quoted(table)}`)
  const format = text('format')
  if (format !== 'native' && format !== 'json') {
    throw new BadMessage(`header format: ${quoted(format)}, expected native or json`)
  }
  const columns = text('columns').split(',')
  if (columns.length > MAX_COLUMNS || !columns.every((column) => NAME.test(column))) {
    throw new BadMessage(`header columns: ${quoted(text('columns'))}`)
  }
  return {
    table,
    columns,
    format,
    router: text('router'),
    bmpSession: whole('bmp_session'),
    firstSeq: whole('first_seq'),
    lastSeq: whole('last_seq'),
    rows: whole('rows'),
  }
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80))
