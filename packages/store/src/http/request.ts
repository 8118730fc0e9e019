/** What a request says: who asks, what, with which settings and parameters. Nothing of it is SQL but the statement itself. */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { HttpException } from './exceptions.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
  /** Authorization: Bearer */
  readonly token: string | undefined
}

export interface Parameters {
  readonly query: string
  readonly queryId: string
  readonly database: string | undefined
  readonly defaultFormat: string | undefined
  /** `param_NAME` as they came: escaped as in TabSeparated, which is how the engine reads them */
  readonly params: ReadonlyMap<string, string>
  readonly settings: ReadonlyMap<string, string>
  /** settings too, for ClickHouse, of which this server does what they ask or has no use for them */
  readonly transport: ReadonlyMap<string, string>
  readonly compressed: boolean
  /** client_protocol_version */
  readonly revision: number
}

const SETTING = /^[a-z][a-z0-9_]{0,127}$/
const PARAMETER = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** Of the transport: this server does them or has no use for them (answers are whole before their first octet is sent). */
const OF_TRANSPORT = new Set([
  'add_http_cors_header',
  'cancel_http_readonly_queries_on_client_close',
  'http_headers_progress_interval_ms',
  'http_response_buffer_size',
  'http_write_exception_in_output_format',
  'http_zlib_compression_level',
  'send_progress_in_http_headers',
])

/** No settings, but words of the request (HTTPHandler.cpp, reserved_param_names). */
const RESERVED = new Set([
  'buffer_size',
  'client_name',
  'password',
  'quota_key',
  'user',
  'wait_end_of_query',
])

/** @throws HttpException for what is not supported or no name */
export function parametersOf(
  list: Iterable<readonly [string, string]>,
  headers: IncomingHttpHeaders,
): Parameters {
  const params = new Map<string, string>()
  const settings = new Map<string, string>()
  const transport = new Map<string, string>()
  const given = new Map<string, string>()
  for (const [key, value] of list) {
    if (key.startsWith('param_')) {
      const name = key.slice('param_'.length)
      if (!PARAMETER.test(name)) throw bad(`${quoted(name)} is no name of a parameter`)
      params.set(name, value)
    } else if (key === 'role' || key === 'session_id') {
      throw new HttpException('NOT_IMPLEMENTED', `${key} is not supported`)
    } else if (KNOWN.has(key)) {
      given.set(key, value)
    } else if (OF_TRANSPORT.has(key)) {
      transport.set(key, value)
    } else if (!RESERVED.has(key)) {
      if (!SETTING.test(key)) throw bad(`${quoted(key)} is no name of a setting`)
      settings.set(key, value)
    }
  }
  for (const key of ['compress', 'decompress']) {
    if (isOn(given.get(key))) {
      throw new HttpException(
        'NOT_IMPLEMENTED',
        `${key}=1 (blocks compressed as in ClickHouse's own protocol) is not supported: use Content-Encoding and Accept-Encoding`,
      )
    }
  }
  const database = given.get('database') ?? header(headers, 'x-clickhouse-database')
  if (database !== undefined && !NAME.test(database)) {
    throw bad(`${quoted(database)} is no name of a database`)
  }
  return {
    query: given.get('query') ?? '',
    queryId: cleaned(given.get('query_id')) ?? randomUUID(),
    database,
    defaultFormat: formatName(
      given.get('default_format') ?? header(headers, 'x-clickhouse-format'),
    ),
    params,
    settings,
    transport,
    compressed: isOn(given.get('enable_http_compression')),
    revision: Math.trunc(Number(given.get('client_protocol_version') ?? 0)) || 0,
  }
}

const KNOWN = new Set([
  'client_protocol_version',
  'compress',
  'database',
  'decompress',
  'default_format',
  'enable_http_compression',
  'query',
  'query_id',
])

/**
 * By Basic or Bearer authorisation, headers or parameters.
 *
 * @throws HttpException when it says more than one of them
 */
export function credentialsOf(
  list: URLSearchParams,
  headers: IncomingHttpHeaders,
): Credentials | undefined {
  const ways: Credentials[] = []
  const { authorization } = headers
  if (authorization !== undefined) {
    const [, scheme, value] = /^(Basic|Bearer) +(\S+) *$/i.exec(authorization) ?? []
    if (scheme === undefined || value === undefined) {
      throw new HttpException(
        'AUTHENTICATION_FAILED',
        'Authorization is neither Basic nor Bearer with a value',
      )
    }
    if (scheme.toLowerCase() === 'bearer') {
      ways.push({ user: '', password: '', token: value })
    } else {
      const text = Buffer.from(value, 'base64').toString()
      const colon = text.indexOf(':')
      ways.push({
        user: colon < 0 ? text : text.slice(0, colon),
        password: colon < 0 ? '' : text.slice(colon + 1),
        token: undefined,
      })
    }
  }
  const user = header(headers, 'x-clickhouse-user')
  const key = header(headers, 'x-clickhouse-key')
  if (user !== undefined || key !== undefined) {
    ways.push({ user: user ?? 'default', password: key ?? '', token: undefined })
  }
  if (list.has('user') || list.has('password')) {
    ways.push({
      user: list.get('user') ?? 'default',
      password: list.get('password') ?? '',
      token: undefined,
    })
  }
  if (ways.length > 1) {
    throw new HttpException(
      'AUTHENTICATION_FAILED',
      'Invalid authentication: it is not allowed to use several ways of authentication simultaneously',
    )
  }
  return ways[0]
}

/**
 * Fields of `multipart/form-data`: `@clickhouse/client` sends the query and long parameters so.
 *
 * @throws HttpException for files (external tables), and for what is no such body
 */
export function multipartFields(contentType: string, body: Buffer): [string, string][] {
  const boundary = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType)
  const mark = `--${boundary?.[1] ?? boundary?.[2] ?? ''}`
  if (boundary === null) throw bad('multipart/form-data without a boundary')
  const fields: [string, string][] = []
  let at = body.indexOf(mark)
  for (;;) {
    if (at < 0) throw bad('multipart/form-data without an end')
    at += mark.length
    if (body.subarray(at, at + 2).toString() === '--') return fields
    const headEnd = body.indexOf('\r\n\r\n', at)
    const next = body.indexOf(`\r\n${mark}`, Math.max(at, headEnd))
    if (headEnd < 0 || next < headEnd + 4) throw bad('multipart/form-data that can not be read')
    const head = body.subarray(at, headEnd).toString()
    const name = /;\s*name="([^"]*)"/i.exec(head)?.[1]
    if (name === undefined || /;\s*filename=/i.test(head)) {
      throw new HttpException('NOT_IMPLEMENTED', 'external tables are not supported')
    }
    fields.push([name, body.subarray(headEnd + 4, next).toString()])
    at = next + 2
  }
}

/** Goes into a header of the answer. */
function cleaned(text: string | undefined): string | undefined {
  const id = text?.replace(/[^\x20-\x7e]/g, '').slice(0, 200)
  return id === '' ? undefined : id
}

function formatName(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  if (!NAME.test(text)) throw bad(`${quoted(text)} is no name of a format`)
  return text
}

export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

const isOn = (value: string | undefined): boolean =>
  value !== undefined && !['', '0', 'false'].includes(value)
const quoted = (text: string): string => JSON.stringify(text.slice(0, 100))
const bad = (message: string): HttpException => new HttpException('BAD_ARGUMENTS', message)
