/**
 * A ClickHouse server over HTTP, through `@clickhouse/client`.
 *
 * Blocks are a request body (`exec` with a byte stream; `insert` of the client takes no bytes, `command` drops them): no byte of
 * them can get into a statement.
 */
import { Readable } from 'node:stream'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { ClickHouseClient } from '@clickhouse/client'
import { ClientSession, firstLine, SESSION_SETTINGS } from './client-session.ts'
import { insertsOver, type InsertSettings } from './inserts.ts'
import { StoreError } from './store.ts'
import { engineErrorOf } from './http/exceptions.ts'
import type { Store } from './store.ts'

type Settings = Readonly<Record<string, string | number>>

export interface ServerOptions {
  /** http://HOST:8123 or https://HOST:8443; no path, no user and password in it */
  readonly url: string
  /** Default: `default`. */
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** How long a statement may take. Default 10 minutes: an upgrade moves tables. */
  readonly timeoutMs?: number
}

/** On a cluster: right sides of IN and JOIN come from all shards, and an insert ends when the shards have the rows. */
const SERVER_SETTINGS: Settings = {
  ...SESSION_SETTINGS,
  distributed_product_mode: 'global',
  distributed_foreground_insert: 1,
  // A failure that comes after the first row is a failure and not the end of the answer.
  wait_end_of_query: 1,
}

const TIMEOUT_MS = 600_000

/**
 * @returns a store; the server is asked with the first statement
 * @throws StoreError when the URL is none
 */
export function openServerStore(options: ServerOptions): Store {
  const url = checkedUrl(options.url)
  const timeout = options.timeoutMs ?? TIMEOUT_MS
  const connect = (settings: Settings, database?: string): ClickHouseClient =>
    createClient({
      url,
      username: options.user ?? 'default',
      password: options.password ?? '',
      application: 'ribscope',
      // What fails is thrown, and said once.
      log: { level: ClickHouseLogLevel.OFF },
      request_timeout: timeout,
      ...(database === undefined ? {} : { database }),
      clickhouse_settings: settings,
    })
  const ours: Settings = {
    ...SERVER_SETTINGS,
    distributed_ddl_task_timeout: String(Math.ceil(timeout / 1000)),
  }

  const sessions = new Set<ClientSession>()
  const writer = connect(ours)
  const open = (name: string, settings: Settings, database?: string): ClientSession => {
    const created: ClientSession = new ClientSession(
      name,
      connect(settings, database),
      () => {
        sessions.delete(created)
      },
      'by closing the request',
    )
    sessions.add(created)
    return created
  }
  const commands = open('writer', ours)

  let profile: Promise<string> | undefined
  /** What `readonly` is for the user, without a setting of ours. */
  async function ownReadonly(): Promise<string> {
    const asking = open('profile', {})
    try {
      const [row] = await asking.query<{ level: string }>(
        "SELECT toString(getSetting('readonly')) AS level",
      )
      return row?.level ?? ''
    } finally {
      await asking.close()
    }
  }

  const session: Store['session'] = async (name, settings = {}, access = {}) => {
    const wanted = { ...ours, ...settings }
    if (access.readonly !== true) return open(name, wanted, access.database)
    profile ??= ownReadonly().catch((error: unknown) => {
      profile = undefined
      throw error
    })
    const created = open(name, { ...wanted, ...readonlySettings(await profile) }, access.database)
    try {
      await created.query('SELECT 1')
    } catch (error) {
      await created.close()
      throw refusedSettings(error, options.user ?? 'default')
    }
    return created
  }

  async function send(
    into: string,
    format: 'Native' | 'JSONEachRow',
    bodies: readonly (Uint8Array | string)[],
    settings: InsertSettings,
  ): Promise<void> {
    try {
      const { stream } = await writer.exec({
        query: `INSERT INTO ${into} FORMAT ${format}`,
        values: Readable.from(bodies.map(buffer), { objectMode: false }),
        clickhouse_settings: settings,
      })
      // The answer is empty; the connection is free when it was read.
      for await (const _ of stream) continue
    } catch (cause) {
      throw new StoreError(`insert into ${into.split(' ', 1)[0] ?? ''}: ${firstLine(cause)}`, {
        cause,
      })
    }
  }

  return {
    session,
    ...insertsOver(send, (sql) => commands.command(sql)),
    async close(): Promise<void> {
      await Promise.all([...sessions].map((each) => each.close()))
      await writer.close()
    },
  }
}

/** Octets stay where they are: an insert has tens of megabytes of them. */
const buffer = (body: Uint8Array | string): Buffer =>
  typeof body === 'string'
    ? Buffer.from(body)
    : Buffer.from(body.buffer, body.byteOffset, body.byteLength)

/**
 * Requests share nothing, so each says it. A user whose profile has `readonly = 2` may be given settings, but not that one: then
 * it is the profile that holds, and its constraints. (Settings.cpp, SettingsConstraints.cpp: 1 permits no setting at all.)
 */
const readonlySettings = (level: string): Settings => ({
  ...(level === '0' ? { readonly: 1 } : {}),
  // A statement nobody waits for any more is stopped, which a server does for read-only ones.
  cancel_http_readonly_queries_on_client_close: 1,
})

function refusedSettings(error: unknown, user: string): unknown {
  const said = engineErrorOf(error)
  if (said?.type !== 'READONLY' && said?.type !== 'SETTING_CONSTRAINT_VIOLATION') return error
  return new StoreError(
    `user ${JSON.stringify(user)} of the server can't be given the limits of this session: ${firstLine(said.message)}: give its profile readonly = 2, and constraints that are not below ours`,
    { cause: error },
  )
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new StoreError(
      `not the URL of a ClickHouse server: ${JSON.stringify(text)} (http://HOST:8123)`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new StoreError(
      'user and password do not belong into the URL: RIBSCOPE_CLICKHOUSE_USER and RIBSCOPE_CLICKHOUSE_PASSWORD',
    )
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new StoreError(
      `the URL of a ClickHouse server has neither path nor query: ${JSON.stringify(text)}`,
    )
  }
  return url.origin
}
