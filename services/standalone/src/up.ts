/** Everything in one process: BMP in, findings, SQL and HTTP out. */
import { EventEmitter } from 'node:events'
import { hostname } from 'node:os'
import { findingJson, incidentJson } from '@ribscope/analyst'
import { createApi, createClickHouseHttp } from '@ribscope/api'
import type { Api, ApiEvents, ClickHouseInterface } from '@ribscope/api'
import { createBmpServer } from '@ribscope/collector'
import type { BmpServer, BmpServerConfig } from '@ribscope/collector'
import { detectorViews } from '@ribscope/detectors'
import { nowUs } from '@ribscope/events'
import type { FabricConfig } from '@ribscope/fabric'
import { migrate, openEmbeddedStore } from '@ribscope/store'
import type { Retention, Store } from '@ribscope/store'
import type { Logger } from 'pino'
import { startAnalystWork } from './analyst-work.ts'
import { bmpOf } from './bmp-config.ts'
import { closeOrphans } from './orphans.ts'
import { startParts } from './start.ts'
import {
  countAnalyst,
  countStored,
  createRegistry,
  watchCollector,
  watchWaiting,
} from './telemetry.ts'
import { EmbeddedWriter } from './writer.ts'
import type { WriterOptions } from './writer.ts'

export interface UpOptions {
  readonly bmp: Pick<BmpServerConfig, 'host' | 'port' | 'v4Tlvs' | 'tls' | 'dial'>
  readonly http: { readonly host: string; readonly port: number }
  /** ClickHouse's own interface, read-only; undefined: none. */
  readonly clickhouseHttp?: { readonly host: string; readonly port: number } | undefined
  readonly dataDir: string
  readonly dataLimit: WriterOptions['dataLimit']
  readonly retention: Retention
  readonly config: FabricConfig
  readonly insecure: boolean
  readonly log: Logger
}

export interface Running {
  readonly bmp: BmpServer
  readonly api: Api
  readonly clickhouse: ClickHouseInterface | undefined
  readonly store: Store
  /** Closes the listener, stores what was received, ends a last round. */
  stop(): Promise<void>
}

/**
 * Parts are built inert, started in order and stopped in reverse: the listener closes before the writer drains.
 *
 * @throws StoreError when the data directory is in use; EADDRINUSE for a taken port
 */
export function startUp(options: UpOptions): Promise<Running> {
  const { log, config } = options
  return startParts(log, async (stops) => {
    const store = await openEmbeddedStore({ dataDir: options.dataDir })
    stops.push(() => store.close())
    const ready = { schema: false, bmp: false, analyst: false }
    const registry = createRegistry()
    const events = new EventEmitter<ApiEvents>()
    const setup = await store.session('setup')
    const { applied, version } = await migrate(setup, detectorViews())
    log.info({ applied: applied.length, version }, 'schema current')
    await closeOrphans(store, setup, nowUs())
    await setup.close()
    ready.schema = true

    const access = {
      hosts: config.http.hosts,
      origins: config.http.origins,
      tokensFile: config.auth.tokens_file,
      insecure: options.insecure,
    }
    const api = createApi(
      { ...options.http, ...access },
      {
        store,
        log: log.child({ part: 'api' }),
        registry,
        events,
        readiness: () => ready,
      },
    )
    const clickhouse =
      options.clickhouseHttp &&
      createClickHouseHttp(
        { ...options.clickhouseHttp, ...access },
        { store, log: log.child({ part: 'clickhouse-http' }) },
      )
    await api.start()
    stops.push(() => api.stop())
    if (clickhouse !== undefined) {
      await clickhouse.start()
      stops.push(() => clickhouse.stop())
    }

    const work = await startAnalystWork({
      store,
      config,
      startedAt: nowUs(),
      retention: options.retention,
      log,
      counted: countAnalyst(registry),
      onRound() {
        ready.analyst = true
      },
      onFinding(finding) {
        events.emit('finding', findingJson(finding))
      },
      onIncident(incident) {
        events.emit('incident', incidentJson(incident))
      },
    })
    stops.push(() => work.stop(true))

    const writer = new EmbeddedWriter({
      store,
      log: log.child({ part: 'writer' }),
      dataDir: options.dataDir,
      dataLimit: options.dataLimit,
      onInserted: countStored(registry),
    })
    stops.push(() => writer.stop())

    const bmp = createBmpServer(
      {
        ...bmpOf(config),
        ...options.bmp,
        collector: hostname(),
      },
      { log: log.child({ part: 'collector' }), openSink: () => writer },
    )
    watchCollector(registry, bmp, writer)
    watchWaiting(registry, writer)
    await bmp.start()
    stops.push(() => bmp.stop())
    ready.bmp = true
    return { bmp, api, clickhouse, store }
  })
}
