/**
 * For tests only: as much of ClickHouse's HTTP interface as `@clickhouse/client` uses, in front of the embedded engine.
 *
 * A statement comes in the parameter `query` (then the body is data) or as the body; `param_NAME` are its parameters; the user
 * and the password come by Basic authorisation; what the engine refuses is answered with 500 and its text.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '../store.ts'

export interface Asked {
  readonly sql: string
  readonly settings: Readonly<Record<string, string>>
  /** octets of data behind the statement */
  readonly octets: number
}

export interface HttpServer {
  readonly url: string
  /** every statement, in order */
  readonly asked: readonly Asked[]
  close(): Promise<void>
}

const FORMAT = /\s+FORMAT\s+(\w+)\s*$/

/** @param login `user:password` that is let in */
export async function serveHttp(store: Store, login: string): Promise<HttpServer> {
  const session = await store.session('http')
  const folder = mkdtempSync(join(tmpdir(), 'ribscope-http-'))
  const asked: Asked[] = []
  let files = 0

  async function execute(
    sql: string,
    data: Buffer,
    params: Record<string, string>,
  ): Promise<string> {
    const format = FORMAT.exec(sql)
    if (data.length > 0) {
      // The engine takes data from files only.
      const file = join(folder, String(++files))
      writeFileSync(file, data)
      const head = format === null ? sql : sql.slice(0, format.index)
      await session.command(
        `${head} FROM INFILE '${file}' FORMAT ${format?.[1] ?? 'Values'}`,
        params,
      )
      return ''
    }
    if (format === null) {
      await session.command(sql, params)
      return ''
    }
    return await session.queryText(sql.slice(0, format.index), format[1] ?? '', params)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const given = Buffer.from(
      (request.headers.authorization ?? '').replace(/^Basic /, ''),
      'base64',
    )
    if (given.toString() !== login) {
      response.writeHead(403, { 'x-clickhouse-exception-code': '516' })
      response.end('Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)')
      return
    }
    const inUrl = searchParams.get('query')
    const sql = inUrl ?? body.toString()
    const params: Record<string, string> = {}
    const settings: Record<string, string> = {}
    for (const [key, value] of searchParams) {
      if (key.startsWith('param_')) params[key.slice('param_'.length)] = unescaped(value)
      else if (key !== 'query') settings[key] = value
    }
    const data = inUrl === null ? Buffer.alloc(0) : body
    asked.push({ sql, settings, octets: data.length })
    try {
      const text = await execute(sql, data, params)
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.end(text)
    } catch (error) {
      response.writeHead(500, { 'x-clickhouse-exception-code': '1' })
      response.end(`Code: 1. DB::Exception: ${(error as Error).message} (STUB)`)
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await session.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' }

/** Values of parameters come escaped as in TabSeparated. */
const unescaped = (text: string): string =>
  text.replace(/\\([\s\S])/g, (_, sign: string) => ESCAPES[sign] ?? sign)
