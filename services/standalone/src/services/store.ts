/** The store at the start of a service: it may come up, or be migrated, later. */
import { detectorViews } from '@ribscope/detectors'
import { openServerStore, waitForSchema } from '@ribscope/store'
import type { ServerOptions, Store } from '@ribscope/store'
import type { Logger } from 'pino'

export interface StoreWait {
  /** How long the server may be away, or its schema old. */
  readonly waitMs: number
  readonly log: Logger
  /** Ends the wait. */
  readonly signal: AbortSignal
  /** Whether the service reads views: a writer does not. */
  readonly views: boolean
}

/** @throws StoreError when the schema does not become current; AbortError when the service is stopped meanwhile */
export async function storeWhenCurrent(server: ServerOptions, wait: StoreWait): Promise<Store> {
  const { waitMs, log, signal } = wait
  const store = openServerStore(server)
  try {
    const session = await store.session('setup')
    await waitForSchema(session, {
      moreViews: wait.views ? detectorViews() : undefined,
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
