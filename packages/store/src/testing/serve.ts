/**
 * For tests only: the embedded engine behind ClickHouse's HTTP interface, with everything allowed that the engine can do.
 * `@clickhouse/client` talks to it as to a server.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EmbeddedStore } from '../embedded.ts'
import { executeOn } from '../http/engine.ts'
import type { Profile } from '../http/engine.ts'
import { HttpException } from '../http/exceptions.ts'
import { serveClickHouse } from '../http/server.ts'
import type { HttpQuery } from '../http/server.ts'

export interface ServeOptions {
  /** 0 lets the system choose. */
  readonly port?: number
  /** `user:password` that is let in; default `default:` */
  readonly login?: string
  /** More of them, by `user:password`, with what their profile in users.xml has: `{ readonly: 2 }` and other settings. */
  readonly users?: Readonly<Record<string, User>>
  /** A private folder, emptied at the start. */
  readonly spool?: string
  readonly maxBodyOctets?: number
  readonly concurrent?: number
  readonly waiting?: number
}

export interface User {
  readonly profile: Profile
  /** constraints: the most that a request may ask for */
  readonly max?: Readonly<Record<string, number>>
  /** What he may do; without one, everything. */
  readonly role?: string
}

export interface Served {
  readonly url: string
  readonly port: number
  /** every statement that got to the engine, in order */
  readonly asked: readonly HttpQuery[]
  /** requests whose caller left before the answer */
  readonly left: number
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
  let left = 0
  const users = new Map(
    Object.entries({ ...options.users, [login]: { profile: {} } }).map(([key, user]) => [
      key.slice(0, key.indexOf(':')),
      { login: key, ...(user as User) },
    ]),
  )
  const execute = executeOn(
    store,
    (user) => users.get(user)?.profile ?? {},
    (user) => users.get(user)?.role,
  )
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
      return users.get(user)?.login === `${user}:${password}` ? user : undefined
    },
    onLeft() {
      left++
    },
    execute(query) {
      asked.push(query)
      for (const [name, most] of Object.entries(users.get(query.user)?.max ?? {})) {
        const value = Number(query.settings.get(name) ?? 0)
        if (value <= most) continue
        throw new HttpException(
          'SETTING_CONSTRAINT_VIOLATION',
          `Setting ${name} shouldn't be greater than ${String(most)}`,
        )
      }
      return execute(query)
    },
  })
  return {
    url: http.address.url,
    port: http.address.port,
    asked,
    get left() {
      return left
    },
    async close() {
      await http.close()
      rmSync(spool, { recursive: true, force: true })
    },
  }
}
