/** The API as a process of its own, over a ClickHouse server. It keeps nothing: any number of them may run. */
import { createApi } from '@ribscope/api'
import type { Api, ApiConfig } from '@ribscope/api'
import { detectorViews } from '@ribscope/detectors'
import { schemaState } from '@ribscope/store'
import type { ServerOptions } from '@ribscope/store'
import type { Logger } from 'pino'
import { Stops } from '../start.ts'
import { createRegistry } from '../telemetry.ts'
import { storeWhenCurrent } from './store.ts'

export interface ApiServiceOptions {
  readonly api: ApiConfig
  readonly store: ServerOptions
  /** How long the schema may be missing or old at the start. */
  readonly waitMs: number
  readonly log: Logger
  /** Ends the wait at the start. */
  readonly signal: AbortSignal
}

export interface ApiService {
  readonly api: Api
  stop(): Promise<void>
}

/** @throws ApiConfigError; StoreError when the schema does not become current */
export async function startApi(options: ApiServiceOptions): Promise<ApiService> {
  const { log } = options
  const stops = new Stops(log)
  try {
    const store = await storeWhenCurrent(options.store, { ...options, views: true })
    stops.push(() => store.close())
    const looking = await store.session('ready', { max_execution_time: 5 }, { readonly: true })
    const api = createApi(options.api, {
      store,
      log: log.child({ part: 'api' }),
      registry: createRegistry(),
      events: 'from the store',
      async readiness() {
        try {
          const { state } = await schemaState(looking, detectorViews())
          return { store: true, schema: state === 'current' }
        } catch {
          return { store: false }
        }
      },
    })
    await api.start()
    stops.push(() => api.stop())
    return { api, stop: () => stops.run() }
  } catch (error) {
    await stops.run()
    throw error
  }
}
