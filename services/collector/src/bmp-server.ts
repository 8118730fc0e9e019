import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { BlockPool, nowUs } from '@ribscope/events'
import type { Logger } from 'pino'
import { createAllowList, sourceOf } from './allow-list.ts'
import { DEFAULTS } from './config.ts'
import type { BmpServerConfig } from './config.ts'
import { Connection } from './connection.ts'
import type { BatchConsumer } from './connection.ts'
import type { RawOutlet } from './raw-feed.ts'

export interface BmpServerDeps {
  readonly log: Logger
  /** Called for each connection that is let in. One consumer may serve them all. */
  readonly openSink: (session: {
    readonly source: string
    readonly bmpSession: number
  }) => BatchConsumer
  /** Gets every message as it was received, behind OpenBMP's header. */
  readonly raw?: RawOutlet
  /** microseconds since the epoch, for tests. Default: the clock */
  readonly now?: () => number
  /** microseconds of a clock that nobody sets, for tests */
  readonly monotonic?: () => number
}

/** What one live connection is doing, for /metrics and the API. */
export interface SessionStatus {
  readonly router: string
  readonly identified: boolean
  readonly source: string
  readonly bmpSession: number
  readonly octets: number
  readonly messages: number
  readonly rows: number
  readonly errors: number
  readonly peers: number
  readonly waitingOctets: number
  readonly paused: boolean
}

export interface BmpServer {
  readonly name: string
  /** @throws when the port cannot be bound */
  start(): Promise<void>
  /** Closes all sessions; resolves when everything received is with the consumers. */
  stop(): Promise<void>
  readonly address: AddressInfo | undefined
  sessions(): SessionStatus[]
  /** Connections turned away since the start, by reason. */
  refused(): Readonly<Record<string, number>>
}

/** Seconds of silence before TCP asks whether the router is still there; libuv asks ten times, a second apart. */
const KEEPALIVE_MS = 15_000
/** Rows not encoded yet, of all sessions: beyond it the session that receives encodes at once. */
const MAX_HELD_OCTETS = 64 << 20
/** One line of log a reason and second, however many connections come. */
const LOG_INTERVAL_US = 1_000_000

/** A process that was busy for longer (an insert, a collection) did not listen to anybody meanwhile. */
const MAX_BUSY_US = 500_000

/** BMP over TCP (RFC 7854 section 3.2): one session per connection. */
export function createBmpServer(config: BmpServerConfig, deps: BmpServerDeps): BmpServer {
  const settings = { ...DEFAULTS, ...config }
  const now = deps.now ?? nowUs
  const monotonic = deps.monotonic ?? (() => Math.floor(performance.now() * 1000))
  const { log } = deps
  const allowed = createAllowList(config.allow)
  const pool = new BlockPool()
  const live = new Set<Connection>()
  /** insertion order: the oldest first */
  const unidentified = new Set<Connection>()
  /** names in use, with those who use them */
  const names = new Map<string, Set<Connection>>()
  const ending = new Set<Promise<void>>()
  const refusals: Record<string, number> = {}
  const lastLogged = new Map<string, { us: number; unsaid: number }>()
  let lastSession = 0
  let totalWaiting = 0
  let totalHeld = 0
  let timer: NodeJS.Timeout | undefined
  let listenedUs = monotonic()

  const server = createServer({ keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS }, accept)
  server.on('error', (err) => {
    log.error({ err }, 'bmp listener failed')
  })

  function accept(socket: Socket): void {
    const source = sourceOf(socket.remoteAddress)
    socket.on('error', () => {
      // Told apart in `close`; a socket that was refused has no other listener.
    })
    if (!allowed(source)) return refuse(socket, source, 'source not in bmp.allow')
    if (live.size - unidentified.size >= settings.maxSessions) {
      return refuse(socket, source, 'session limit reached')
    }
    if (unidentified.size >= settings.maxUnidentified) {
      const [oldest] = unidentified
      if (oldest !== undefined) {
        count('said nothing while others waited', oldest.source)
        oldest.end('shutdown', now(), 'said nothing while others waited')
      }
    }
    const openedUs = Math.max(Math.floor(now()), lastSession + 1)
    lastSession = openedUs
    const connection = new Connection({
      socket,
      source,
      collector: settings.collector,
      openedUs,
      consumer: deps.openSink({ source, bmpSession: openedUs }),
      pool,
      raw: deps.raw,
      limits: settings.limits ?? {},
      v4Tlvs: settings.v4Tlvs,
      maxBlockRows: settings.maxBlockRows,
      maxBlockOctets: settings.maxBlockOctets,
      log: log.child({ source, bmpSession: openedUs }),
      nameRouter,
      onWaiting,
      onHeld: (octets) => {
        totalHeld += octets
      },
      onEnd,
    })
    live.add(connection)
    unidentified.add(connection)
    connection.log.debug('bmp connection accepted')
    serve(connection, socket)
  }

  function serve(connection: Connection, socket: Socket): void {
    let failure: string | undefined
    socket.on('data', (chunk: Uint8Array) => {
      if (connection.ended) return
      listen()
      connection.receive(chunk, clock(connection))
      if (totalHeld > MAX_HELD_OCTETS) connection.flush()
      pace(connection)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code
    })
    socket.on('close', () => {
      const how = failure === undefined ? 'fin' : failure === 'ETIMEDOUT' ? 'silence' : 'rst'
      connection.end(how, clock(connection))
    })
  }

  /** Before anything is concluded from silence: silence of a router is no silence when it was ours. */
  function listen(): void {
    const us = monotonic()
    const missedUs = us - listenedUs - settings.flushIntervalMs * 1000
    listenedUs = us
    if (missedUs < MAX_BUSY_US) return
    for (const each of live) {
      const toUs = clock(each)
      // One that is paused counts for itself.
      if (!each.paused) each.held(Math.max(toUs - missedUs, each.heardUs), toUs)
    }
  }

  /** A clock that was set back must not take a session with it. */
  function clock(connection: Connection): number {
    return Math.max(Math.floor(now()), connection.heardUs)
  }

  function refuse(socket: Socket, source: string, reason: string): void {
    count(reason, source)
    socket.destroy()
  }

  function count(reason: string, source: string): void {
    refusals[reason] = (refusals[reason] ?? 0) + 1
    const us = now()
    const last = lastLogged.get(reason)
    if (last !== undefined && us - last.us < LOG_INTERVAL_US) {
      last.unsaid++
      return
    }
    log.warn({ source, reason, more: last?.unsaid ?? 0 }, 'bmp connection closed')
    lastLogged.set(reason, { us, unsaid: 0 })
  }

  /** `name@source` where another source has the name; undefined where the name is not the source's to use. */
  function nameRouter(connection: Connection, name: string): string | undefined {
    const { source } = connection
    unidentified.delete(connection)
    const owner = settings.routerAddresses?.get(name)
    if (owner !== undefined && owner !== source && !isLoopback(source)) {
      connection.log.warn({ sysName: name, expected: owner }, 'sysName belongs to another address')
      count('sysName belongs to another address', source)
      return undefined
    }
    const users = names.get(name) ?? new Set<Connection>()
    const others = [...users].filter((other) => !other.ended)
    const taken = others.some((other) => other.source !== source)
    const router = taken ? `${name}@${source}` : name
    if (taken) {
      connection.log.warn({ sysName: name, router }, 'another router uses this sysName')
    } else if (others.length > 0) {
      connection.log.warn({ router }, 'a second bmp session of this router')
    }
    connection.sysName = name
    names.set(name, users.add(connection))
    connection.log.info({ router }, 'bmp session up')
    return router
  }

  function onWaiting(connection: Connection, octets: number): void {
    totalWaiting += octets
    if (octets > 0) return
    if (totalWaiting * 2 <= settings.maxTotalOctets) {
      for (const each of live) {
        if (each.paused && each.waiting * 2 <= settings.maxSessionOctets) {
          each.resume(clock(each))
        }
      }
    } else if (connection.paused && totalWaiting < settings.maxTotalOctets) {
      if (connection.waiting * 2 <= settings.maxSessionOctets) connection.resume(clock(connection))
    }
  }

  function pace(connection: Connection): void {
    if (
      connection.waiting >= settings.maxSessionOctets ||
      totalWaiting >= settings.maxTotalOctets
    ) {
      connection.pause(clock(connection))
    }
  }

  function onEnd(connection: Connection): void {
    live.delete(connection)
    unidentified.delete(connection)
    const { sysName } = connection
    const users = sysName === undefined ? undefined : names.get(sysName)
    if (sysName !== undefined && users?.delete(connection) === true && users.size === 0) {
      names.delete(sysName)
    }
    const settled = connection.settled().finally(() => ending.delete(settled))
    ending.add(settled)
  }

  function turn(): void {
    listen()
    const us = Math.floor(now())
    for (const connection of live) {
      if (unidentified.has(connection)) {
        if (us - connection.openedUs < settings.identifyTimeoutMs * 1000) continue
        count('no whole bmp message in time', connection.source)
        connection.end('shutdown', us, 'no whole bmp message in time')
        continue
      }
      connection.turn(Math.max(us, connection.heardUs))
      pace(connection)
      const silence = settings.silenceTimeoutMs * 1000
      if (silence > 0 && !connection.paused && us - connection.heardUs > silence) {
        connection.end('silence', us)
      }
    }
  }

  return {
    name: 'bmp',
    async start() {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host: settings.host, port: settings.port }, () => {
          server.removeListener('error', reject)
          resolve()
        })
      })
      timer = setInterval(turn, settings.flushIntervalMs)
      log.info({ address: server.address() }, 'bmp listening')
    },
    async stop() {
      clearInterval(timer)
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      for (const connection of [...live]) connection.end('shutdown', clock(connection))
      while (ending.size > 0) await Promise.all(ending)
      await closed
    },
    get address() {
      const address = server.address()
      return typeof address === 'object' && address !== null ? address : undefined
    },
    sessions: () =>
      [...live].map((each) => ({
        router: each.session.router,
        identified: each.session.named,
        source: each.source,
        bmpSession: each.openedUs,
        octets: each.session.counters.octets,
        messages: each.session.counters.messages,
        rows: each.session.rows,
        errors: each.session.counters.errors,
        peers: each.session.peers,
        waitingOctets: each.waiting,
        paused: each.paused,
      })),
    refused: () => ({ ...refusals }),
  }
}

function isLoopback(source: string): boolean {
  return source.startsWith('127.') || source === '::1'
}
