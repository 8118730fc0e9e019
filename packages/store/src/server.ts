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
import type { Store, StoreSession } from './store.ts'

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
const SERVER_SETTINGS: Readonly<Record<string, string | number>> = {
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
  const connect = (settings: Readonly<Record<string, string | number>>): ClickHouseClient =>
    createClient({
      url,
      username: options.user ?? 'default',
      password: options.password ?? '',
      application: 'ribscope',
      // What fails is thrown, and said once.
      log: { level: ClickHouseLogLevel.OFF },
      request_timeout: timeout,
      clickhouse_settings: {
        ...SERVER_SETTINGS,
        distributed_ddl_task_timeout: String(Math.ceil(timeout / 1000)),
        ...settings,
      },
    })

  const sessions = new Set<ClientSession>()
  const writer = connect({})
  const commands = new ClientSession('writer', connect({}), () => sessions.delete(commands))
  sessions.add(commands)

  function session(
    name: string,
    settings: Readonly<Record<string, string | number>> = {},
  ): Promise<StoreSession> {
    const created: ClientSession = new ClientSession(name, connect(settings), () => {
      sessions.delete(created)
    })
    sessions.add(created)
    return Promise.resolve(created)
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
        values: Readable.from(
          bodies.map((body) => Buffer.from(body)),
          { objectMode: false },
        ),
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
