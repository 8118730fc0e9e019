/** Everything in one process: BMP in, findings, SQL and HTTP out. */
import { EventEmitter } from 'node:events'
import { hostname } from 'node:os'
import { Analyst, findingJson, incidentJson } from '@ribscope/analyst'
import { createApi, createClickHouseHttp } from '@ribscope/api'
import type { Api, ApiEvents, ClickHouseInterface } from '@ribscope/api'
import { createBmpServer } from '@ribscope/collector'
import type { BmpServer } from '@ribscope/collector'
import { detectorViews } from '@ribscope/detectors'
import { nowUs } from '@ribscope/events'
import type { FabricConfig } from '@ribscope/fabric'
import { migrate, openEmbeddedStore } from '@ribscope/store'
import type { Retention, Store } from '@ribscope/store'
import type { V4TlvTable } from '@ribscope/wire'
import type { Logger } from 'pino'
import { startKeeper } from './keeper.ts'
import { closeOrphans } from './orphans.ts'
import { createTelemetry } from './telemetry.ts'
import { EmbeddedWriter } from './writer.ts'
import type { WriterOptions } from './writer.ts'

export interface UpOptions {
  readonly bmp: {
    readonly host: string
    readonly port: number
    readonly v4Tlvs?: V4TlvTable | undefined
  }
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

/** Between two looks of the analyst. */
const ROUND_MS = 1_000

/**
 * Parts are built inert, started in order and stopped in reverse: the listener closes before the writer drains.
 *
 * @throws StoreError when the data directory is in use; EADDRINUSE for a taken port
 */
export async function startUp(options: UpOptions): Promise<Running> {
  const { log, config } = options
  const store = await openEmbeddedStore({ dataDir: options.dataDir })
  const stops: (() => Promise<void>)[] = [() => store.close()]
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) {
      await each().catch((err: unknown) => {
        log.error({ err }, 'stop failed')
      })
    }
  }
  try {
    const ready = { schema: false, bmp: false, analyst: false }
    const telemetry = createTelemetry()
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
        registry: telemetry.registry,
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

    const analyst = await Analyst.create({
      store,
      config,
      startedAt: nowUs(),
      sizes: true,
      onChange(finding, change) {
        log.info(
          {
            part: 'analyst',
            kind: finding.kind,
            status: change.status,
            severity: change.severity,
            scope: finding.scope,
          },
          finding.explanation,
        )
        telemetry.finding(finding, change)
        events.emit('finding', findingJson(finding))
      },
      onIncident(incident) {
        events.emit('incident', incidentJson(incident))
      },
    })
    const rounds = startRounds(analyst, log, (seconds) => {
      ready.analyst = true
      telemetry.round(seconds)
    })
    stops.push(async () => {
      await rounds.stop()
      await analyst.close()
    })

    const keeper = await startKeeper(store, options.retention, log.child({ part: 'keeper' }))
    stops.push(() => keeper.stop())

    const writer = new EmbeddedWriter({
      store,
      log: log.child({ part: 'writer' }),
      dataDir: options.dataDir,
      dataLimit: options.dataLimit,
      onInserted: (rows, octets, seconds) => {
        telemetry.inserted(rows, octets, seconds)
      },
    })
    stops.push(() => writer.stop())

    const bmp = createBmpServer(
      {
        ...options.bmp,
        collector: hostname(),
        // A table that arrives fast goes into few large inserts: those of 64,000 rows cost the store twice as much.
        maxSessionOctets: 64 << 20,
        maxTotalOctets: 256 << 20,
        ...(config.bmp.allow === undefined ? {} : { allow: config.bmp.allow }),
        routerAddresses: new Map(
          config.routers.flatMap(({ name, address }) =>
            address === undefined ? [] : [[name, address] as const],
          ),
        ),
      },
      { log: log.child({ part: 'collector' }), openSink: () => writer },
    )
    telemetry.watch(bmp, writer)
    await bmp.start()
    stops.push(() => bmp.stop())
    ready.bmp = true
    return { bmp, api, clickhouse, store, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Rounds a second apart, one at a time; a failed one is logged and does not end the next. */
function startRounds(
  analyst: Analyst,
  log: Logger,
  onRound: (seconds: number) => void,
): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let failing = false

  const round = async (): Promise<void> => {
    const started = performance.now()
    try {
      await analyst.round(nowUs())
      failing = false
      onRound((performance.now() - started) / 1000)
    } catch (err) {
      if (!failing) log.error({ err }, 'analyst round failed')
      failing = true
    }
    const rest = Math.max(20, ROUND_MS - (performance.now() - started))
    // Closing over `running` keeps the last round awaitable.
    if (!stopped) {
      timer = setTimeout(() => {
        running = round()
      }, rest)
    }
  }
  running = round()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
      // What was stored while the listener drained still counts.
      await analyst.round(nowUs()).catch((err: unknown) => {
        log.error({ err }, 'last round failed')
      })
    },
  }
}
