/**
 * ClickHouse's HTTP interface in front of the embedded engine: requests, answers, errors and limits. What a statement may do, and
 * how it gets to the engine, is the executor's.
 *
 * Answers are whole before their first octet is sent (the engine gives them so): an error is always a status, never the end of a
 * body. A statement that runs can't be stopped, not by KILL QUERY and not by closing the connection: `max_execution_time` does.
 */
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Body, encoderOf, MEMORY_OCTETS, readBody, streamOf } from './body.ts'
import { engineErrorOf, exceptionText, HttpException, statusOf } from './exceptions.ts'
import { nativeOfRevision } from './native.ts'
import { credentialsOf, multipartFields, parametersOf } from './request.ts'
import type { Credentials, Parameters } from './request.ts'
import { insertHead, outputOf } from './statement.ts'

export interface HttpQuery {
  /** without FORMAT and SETTINGS at its end */
  readonly text: string
  /** of that SETTINGS clause */
  readonly clause: ReadonlyMap<string, string>
  /** as it came */
  readonly sql: string
  readonly format: string
  /** data of an insert: `text` is `INSERT INTO t (a, b)` then, `format` theirs */
  readonly insert: { readonly file: string; readonly settings: string } | undefined
  readonly user: string
  readonly database: string | undefined
  /** names are names; values are anything */
  readonly settings: ReadonlyMap<string, string>
  /** settings of the transport, which need not be applied */
  readonly transport: ReadonlyMap<string, string>
  /** escaped as in TabSeparated, which is how the engine reads them */
  readonly params: ReadonlyMap<string, string>
  readonly queryId: string
  /** GET: nothing is written, as with ClickHouse */
  readonly readOnly: boolean
}

export interface HttpAnswer {
  readonly body: Uint8Array
  /** counters, as text, of X-ClickHouse-Summary */
  readonly summary?: Readonly<Record<string, string>> | undefined
}

export interface HttpServerOptions {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Private folder for the data of inserts. Without one nothing is inserted, and bodies are as large as fits into memory. */
  readonly spool: string | undefined
  readonly version: string
  readonly timezone: string
  readonly displayName: string
  readonly execute: (query: HttpQuery) => Promise<HttpAnswer>
  /** @returns the user; undefined when it is not let in */
  readonly authenticate: (credentials: Credentials | undefined) => string | undefined
  /** Looks at the request before all else. @throws HttpException */
  readonly admit?: (request: IncomingMessage) => void
  /** Whoever asked left before the answer. */
  readonly onLeft?: () => void
  /** What failed for no reason of the caller. */
  readonly onError?: (error: unknown) => void
  readonly maxBodyOctets: number
  /** Statements that run at the same time. */
  readonly concurrent: number
  /** Statements that may wait for their turn; more are refused. */
  readonly waiting: number
  /** To receive a request. Default 5 minutes. */
  readonly requestTimeoutMs?: number
}

export interface ClickHouseHttp {
  readonly address: { readonly host: string; readonly port: number; readonly url: string }
  /** Ends connections; statements that run are waited for. */
  close(): Promise<void>
}

/** The head of an insert is shorter. */
const HEAD_OCTETS = 256 << 10

const EMPTY = new Body(Buffer.alloc(0), undefined, 0)

const CONTENT_TYPES: readonly (readonly [RegExp, string])[] = [
  [/^JSON\w*EachRow|^JSONLines$|^JSONStringsEachRow/, 'application/x-ndjson; charset=UTF-8'],
  [/^JSON/, 'application/json; charset=UTF-8'],
  [/^(?:TabSeparated|TSV)/, 'text/tab-separated-values; charset=UTF-8'],
  [/^CSVWithNames/, 'text/csv; charset=UTF-8; header=present'],
  [/^CSV/, 'text/csv; charset=UTF-8; header=absent'],
  [/^XML$/, 'application/xml; charset=UTF-8'],
  [/^Markdown$/, 'text/markdown; charset=UTF-8'],
  [
    /^(?:Native|RowBinary|Arrow|Parquet|ORC|Avro|MsgPack|BSON|Npy|Protobuf|CapnProto|RawBLOB)/,
    'application/octet-stream',
  ],
]

export async function serveClickHouse(options: HttpServerOptions): Promise<ClickHouseHttp> {
  const turns = new Turns(options.concurrent, options.waiting)
  let files = 0
  const fileName = (): string => join(options.spool ?? '', `${String(++files)}.http`)
  const maxBodyOctets =
    options.spool === undefined
      ? Math.min(options.maxBodyOctets, MEMORY_OCTETS)
      : options.maxBodyOctets

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let url: URL
    try {
      url = new URL(`http://h${request.url ?? '/'}`)
    } catch {
      throw new HttpException('BAD_ARGUMENTS', 'the target of the request is no path')
    }
    options.admit?.(request)
    if (['/ping', '/replicas_status'].includes(url.pathname))
      return plain(request, response, 'Ok.\n')
    if (url.pathname !== '/') {
      response.statusCode = 404
      return plain(
        request,
        response,
        `There is no handle ${url.pathname.slice(0, 200)}\n\nUse / or /ping for health checks.\n`,
      )
    }
    const { method } = request
    const asksNothing = !url.searchParams.has('query')
    if ((method === 'GET' || method === 'HEAD') && asksNothing) {
      return plain(request, response, 'Ok.\n')
    }
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') {
      response.statusCode = 501
      return plain(request, response, `method ${method ?? ''} is not supported\n`)
    }
    const credentials = credentialsOf(url.searchParams, request.headers)
    const user = options.authenticate(credentials)
    if (user === undefined) {
      response.setHeader('www-authenticate', 'Basic realm="ClickHouse server HTTP API"')
      throw credentials === undefined
        ? new HttpException('REQUIRED_PASSWORD', 'a user and a password are required')
        : new HttpException(
            'AUTHENTICATION_FAILED',
            `${credentials.user}: Authentication failed: password is incorrect, or there is no user with such name`,
          )
    }
    await turns.run(async () => {
      const body = await readBody(request, fileName(), maxBodyOctets)
      try {
        await statement(request, response, url.searchParams, user, body)
      } finally {
        await body.remove()
      }
    })
  }

  async function statement(
    request: IncomingMessage,
    response: ServerResponse,
    inUrl: URLSearchParams,
    user: string,
    body: Body,
  ): Promise<void> {
    const { headers } = request
    const type = headers['content-type'] ?? ''
    const isForm = /^multipart\/form-data\b/i.test(type)
    if (isForm) checkStatementSize(body)
    const parameters = parametersOf(
      isForm ? [...inUrl, ...multipartFields(type, body.head)] : inUrl,
      headers,
    )
    // What is known of the answer is known of an error too.
    response.setHeader('x-clickhouse-query-id', parameters.queryId)
    const query = await queryOf(parameters, isForm ? EMPTY : body, user, request.method !== 'POST')
    let result: HttpAnswer
    try {
      result = await options.execute(query)
    } finally {
      if (query.insert !== undefined) await rm(query.insert.file, { force: true })
    }
    const isData = query.insert === undefined
    const octets =
      isData && query.format === 'Native'
        ? nativeOfRevision(result.body, parameters.revision)
        : result.body
    if (isData) response.setHeader('x-clickhouse-format', query.format)
    response.setHeader('content-type', isData ? contentType(query.format) : PLAIN)
    if (result.summary !== undefined) {
      response.setHeader('x-clickhouse-summary', JSON.stringify(result.summary))
    }
    const encoder = parameters.compressed ? encoderOf(headers['accept-encoding']) : undefined
    response.statusCode = 200
    if (encoder === undefined || octets.length === 0) {
      response.setHeader('content-length', octets.length)
      response.end(octets)
      return
    }
    response.setHeader('content-encoding', encoder.name)
    await pipeline(streamOf(octets), encoder.stream, response)
  }

  /** The text is that of the parameter with the body behind it, as ClickHouse has it; the data of an insert are not looked at. */
  async function queryOf(
    parameters: Parameters,
    body: Body,
    user: string,
    readOnly: boolean,
  ): Promise<HttpQuery> {
    const { database, settings, transport, params, queryId, defaultFormat } = parameters
    const common = { user, database, settings, transport, params, queryId, readOnly }
    const query = parameters.query.trimEnd()
    const before = Buffer.from(query === '' || body.octets === 0 ? query : `${query}\n`)
    // latin1: characters are octets, so that positions in the text are positions in the body.
    const start = Buffer.concat([before, body.head.subarray(0, HEAD_OCTETS)]).toString('latin1')
    const insert = insertHead(start)
    if (insert !== undefined) {
      if (options.spool === undefined) {
        throw new HttpException('READONLY', 'Cannot execute query in readonly mode')
      }
      const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString()
      return {
        ...common,
        text: utf8(insert.into),
        clause: new Map(),
        sql: utf8(start.slice(0, insert.dataAt)),
        format: insert.format ?? defaultFormat ?? 'Values',
        insert: {
          file: await dataFile(before, insert.dataAt, body),
          settings: utf8(insert.settings),
        },
      }
    }
    checkStatementSize(body)
    const sql = Buffer.concat([before, body.head]).toString()
    if (sql.trim() === '') throw new HttpException('SYNTAX_ERROR', 'Empty query')
    const output = outputOf(sql)
    return {
      ...common,
      text: output.text,
      clause: output.settings,
      sql,
      format: output.format ?? defaultFormat ?? 'TabSeparated',
      insert: undefined,
    }
  }

  /** The data may begin in the parameter and go on in the body. */
  function dataFile(before: Buffer, dataAt: number, body: Body): Promise<string> {
    const from = dataAt - before.length
    if (from >= 0) return body.dataFile(from, fileName())
    checkStatementSize(body)
    const data = Buffer.concat([before.subarray(dataAt), body.head])
    return new Body(data, undefined, data.length).dataFile(0, fileName())
  }

  function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const said = engineErrorOf(error)
    if (said === undefined) options.onError?.(error)
    const known = said ?? {
      code: 1002,
      type: 'UNKNOWN_EXCEPTION',
      message: error instanceof Error ? error.message : String(error),
    }
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    response.statusCode = statusOf(known.type)
    response.setHeader('x-clickhouse-exception-code', String(known.code))
    for (const name of ['content-length', 'content-encoding', 'x-clickhouse-format']) {
      response.removeHeader(name)
    }
    // The rest of the body is not read.
    if (!request.complete) response.setHeader('connection', 'close')
    plain(request, response, exceptionText(known, options.version))
  }

  const server = createServer({ requestTimeout: options.requestTimeoutMs ?? 300_000 })
  server.on('request', (request, response) => {
    response.setHeader('x-clickhouse-server-display-name', options.displayName)
    response.setHeader('x-clickhouse-timezone', options.timezone)
    // A caller who left is no error of ours.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    response.once('close', () => {
      if (!response.writableFinished) options.onLeft?.()
    })
    answer(request, response).catch((error: unknown) => {
      fail(request, response, error)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host === '' ? '::' : options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address, port, family } = server.address() as AddressInfo
  const name = family === 'IPv6' ? `[${address}]` : address
  return {
    address: { host: address, port, url: `http://${name}:${String(port)}` },
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      await turns.ended()
    },
  }
}

const PLAIN = 'text/plain; charset=UTF-8'

function plain(request: IncomingMessage, response: ServerResponse, text: string): void {
  response.setHeader('content-type', PLAIN)
  response.end(text)
  // Nobody reads the body of a request that was answered without it.
  if (!request.complete) request.resume()
}

const contentType = (format: string): string =>
  CONTENT_TYPES.find(([pattern]) => pattern.test(format))?.[1] ?? PLAIN

function checkStatementSize(body: Body): void {
  if (body.file !== undefined) {
    throw new HttpException(
      'QUERY_IS_TOO_LARGE',
      `the statement is larger than ${MEMORY_OCTETS} octets`,
    )
  }
}

/** A few run, some wait, the rest is told to come again. */
class Turns {
  readonly #limit: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  readonly #idle: (() => void)[] = []
  #running = 0

  constructor(limit: number, waiting: number) {
    this.#limit = limit
    this.#maxWaiting = waiting
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#limit) {
      if (this.#waiting.length >= this.#maxWaiting) {
        throw new HttpException(
          'TOO_MANY_SIMULTANEOUS_QUERIES',
          `Too many simultaneous queries. Maximum: ${this.#limit}, and ${this.#maxWaiting} that wait`,
        )
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    } else this.#running++
    try {
      await work()
    } finally {
      const next = this.#waiting.shift()
      if (next !== undefined) next()
      else if (--this.#running === 0) for (const each of this.#idle.splice(0)) each()
    }
  }

  async ended(): Promise<void> {
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve)
    })
  }
}
