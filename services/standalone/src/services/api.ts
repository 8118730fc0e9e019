/** The API as a process of its own, over a ClickHouse server. It keeps nothing: any number of them may run. */
import { createApi } from '@ribscope/api'
import type { Api, ApiConfig } from '@ribscope/api'
import { detectorViews } from '@ribscope/detectors'
import { schemaState } from '@ribscope/store'
import { startParts } from '../start.ts'
import { createRegistry } from '../telemetry.ts'
import { storeWhenCurrent, type StoreOptions } from './store.ts'

export interface ApiServiceOptions extends StoreOptions {
  readonly api: ApiConfig
}

export interface ApiService {
  readonly api: Api
  stop(): Promise<void>
}

/** @throws ApiConfigError; StoreError when the schema does not become current */
export function startApi(options: ApiServiceOptions): Promise<ApiService> {
  const { log } = options
  return startParts(log, async (stops) => {
    const store = await storeWhenCurrent(options, detectorViews())
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
    return { api }
  })
}
