/**
 * For tests only: the embedded engine behind ClickHouse's HTTP interface, with everything allowed that the engine can do.
 * `@clickhouse/client` talks to it as to a server.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EmbeddedStore } from '../embedded.ts'
import { executeOn } from '../http/engine.ts'
import { serveClickHouse } from '../http/server.ts'
import type { HttpQuery } from '../http/server.ts'

export interface ServeOptions {
  /** 0 lets the system choose. */
  readonly port?: number
  /** `user:password` that is let in; default `default:` */
  readonly login?: string
  /** A private folder, emptied at the start. */
  readonly spool?: string
  readonly maxBodyOctets?: number
  readonly concurrent?: number
  readonly waiting?: number
}

export interface Served {
  readonly url: string
  readonly port: number
  /** every statement that got to the engine, in order */
  readonly asked: readonly HttpQuery[]
  close(): Promise<void>
}

export async function serveEngine(
  store: EmbeddedStore,
  options: ServeOptions = {},
): Promise<Served> {
  const spool = options.spool ?? mkdtempSync(join(tmpdir(), 'ribscope-http-'))
  rmSync(spool, { recursive: true, force: true })
  mkdirSync(spool, { recursive: true, mode: 0o700 })
  const about = await store.session('about')
  const [facts] = await about.query<{ version: string; timezone: string; name: string }>(
    'SELECT version() AS version, timezone() AS timezone, displayName() AS name',
  )
  await about.close()
  const login = options.login ?? 'default:'
  const asked: HttpQuery[] = []
  const execute = executeOn(store)
  const http = await serveClickHouse({
    host: '127.0.0.1',
    port: options.port ?? 0,
    spool,
    version: facts?.version ?? '',
    timezone: facts?.timezone ?? '',
    displayName: facts?.name ?? '',
    maxBodyOctets: options.maxBodyOctets ?? 1 << 30,
    concurrent: options.concurrent ?? 8,
    waiting: options.waiting ?? 100,
    authenticate(credentials) {
      const { user, password } = credentials ?? { user: 'default', password: '' }
      return `${user}:${password}` === login ? user : undefined
    },
    execute(query) {
      asked.push(query)
      return execute(query)
    },
  })
  return {
    url: http.address.url,
    port: http.address.port,
    asked,
    async close() {
      await http.close()
      rmSync(spool, { recursive: true, force: true })
    },
  }
}
