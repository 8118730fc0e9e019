/** The store at the start of a service: it may come up, or be migrated, later. */
import { openServerStore, waitForSchema } from '@ribscope/store'
import type { ServerOptions, SqlFile, Store } from '@ribscope/store'
import type { Logger } from 'pino'

export interface StoreOptions {
  readonly store: ServerOptions
  /** How long the server may be away, or its schema missing or old, at the start. */
  readonly waitMs: number
  readonly log: Logger
  /** Ends the wait. */
  readonly signal: AbortSignal
}

/** What a service waits for first, as `/readyz` says it. */
export const NO_SCHEMA = 'store: schema not current yet'

/**
 * @param moreViews  those of others that the service reads; undefined: it reads no views
 * @throws StoreError when the schema does not become current; AbortError when the service is stopped meanwhile
 */
export async function storeWhenCurrent(
  { store: server, waitMs, log, signal }: StoreOptions,
  moreViews: readonly SqlFile[] | undefined,
): Promise<Store> {
  const store = openServerStore(server)
  try {
    const session = await store.session('setup')
    await waitForSchema(session, {
      moreViews,
      waitMs,
      signal,
      onWaiting: (reason) => {
        log.warn({ url: server.url, reason }, 'waiting for the schema')
      },
    })
    await session.close()
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}
