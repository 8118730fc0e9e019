import type { Socket } from 'node:net'
import { BlockPool, nowUs } from '@ribscope/events'
import { Admission } from './admission.ts'
import { sourceOf } from './allow-list.ts'
import { DEFAULTS } from './config.ts'
import type { BmpServerConfig } from './config.ts'
import { Connection } from './connection.ts'
import type { Via } from './connection.ts'
import type { BmpServer, BmpServerDeps } from './contract.ts'
import { Dialer } from './dialer.ts'
import { FairQueue } from './fair-queue.ts'
import { Listener } from './listener.ts'
import { Names } from './names.ts'
import { Pacer } from './pacer.ts'
import { Refusals } from './refusals.ts'
import { SessionNumbers } from './session-number.ts'
import { statusOf } from './status.ts'
import { createTlsDoor } from './tls-door.ts'
import { readTlsFiles } from './tls-files.ts'

/** Rows not encoded yet, of all sessions: beyond it the session that receives encodes at once. */
const MAX_HELD_OCTETS = 64 << 20
/** A process that was busy for longer (an insert, a collection) did not listen to anybody meanwhile. */
const MAX_BUSY_US = 500_000

/**
 * BMP over TCP (RFC 7854 section 3.2) and TLS: one session per connection, accepted or dialled.
 *
 * @throws TlsFileError
 */
export function createBmpServer(config: BmpServerConfig, deps: BmpServerDeps): BmpServer {
  const settings = { ...DEFAULTS, ...config }
  const now = deps.now ?? nowUs
  const monotonic = deps.monotonic ?? (() => Math.floor(performance.now() * 1000))
  const { log } = deps
  const pool = new BlockPool()
  const live = new Set<Connection>()
  const queue = new FairQueue(settings.maxOfferedOctets)
  const names = new Names(config.routerAddresses)
  const numbers = new SessionNumbers(settings.collector)
  const refusals = new Refusals(log)
  const admission = new Admission(settings, live, refusals, now)
  const pacer = new Pacer<Connection>({
    maxSessionOctets: settings.maxSessionOctets,
    maxTotalOctets: settings.maxTotalOctets,
    pause: (connection, forRoom) => {
      // What waits shall wait where others see it.
      if (forRoom) connection.flush()
      connection.pause(clock(connection))
    },
    resume: (connection) => {
      connection.resume(clock(connection))
    },
  })
  /** those that have ended and whose rows are not all accepted */
  const ending = new Map<Connection, Promise<void>>()
  let totalHeld = 0
  let timer: NodeJS.Timeout | undefined
  let listenedUs = monotonic()

  const { keepAliveMs } = settings
  const listener = new Listener({ ...settings, onSocket: accept, log })
  const { tls } = config
  const door = tls?.listen && createTlsDoor({ ...settings, ...tls }, log)
  const tlsListener =
    tls?.listen && new Listener({ ...tls.listen, keepAliveMs, onSocket: acceptTls, log })
  if (tls !== undefined) readTlsFiles(tls)
  const dialers = (config.dial ?? []).map((target) => {
    const { dialRetryMs: retryMs } = settings
    const tlsFiles = () => (tls === undefined ? {} : readTlsFiles(tls))
    return { target, dialer: new Dialer({ target, tlsFiles, retryMs, log, onSocket: dialled }) }
  })

  // --- connections come ---------------------------------------------------------------------------

  function accept(socket: Socket): void {
    const source = admission.admit(socket)
    if (source !== undefined) open(socket, source, 'tcp')
  }

  function acceptTls(socket: Socket): void {
    const source = admission.admit(socket)
    if (source === undefined || door === undefined) return
    const done = admission.shakesHands(socket, source)
    door.handshake(socket, {
      secure: (secured) => {
        done()
        open(secured, source, 'tls')
      },
      failed: (reason) => {
        // Whoever had to make room was counted.
        if (done()) refusals.count(reason, source, now())
      },
    })
  }

  function dialled(socket: Socket): () => boolean {
    socket.setKeepAlive(true, keepAliveMs)
    const connection = open(socket, sourceOf(socket.remoteAddress), 'dial')
    return () => connection.session.named
  }

  function open(socket: Socket, source: string, via: Via): Connection {
    const openedUs = Math.floor(now())
    const bmpSession = numbers.next(openedUs, source)
    const sink = deps.openSink({ source, bmpSession })
    const connection = new Connection({
      socket,
      source,
      via,
      collector: settings.collector,
      openedUs,
      bmpSession,
      consumer: queue.flow(sink),
      pool,
      raw: deps.raw,
      limits: settings.limits ?? {},
      v4Tlvs: settings.v4Tlvs,
      maxBlockRows: settings.maxBlockRows,
      maxBlockOctets: settings.maxBlockOctets,
      format: settings.format,
      log: log.child({ source, bmpSession }),
      nameRouter,
      onWaiting: (octets) => {
        pacer.changed(octets)
      },
      onHeld: (octets) => {
        totalHeld += octets
        pacer.changed(octets)
      },
      onEnd,
    })
    live.add(connection)
    pacer.add(connection)
    admission.enter(connection)
    connection.log.debug({ via }, 'bmp connection open')
    serve(connection, socket)
    return connection
  }

  function serve(connection: Connection, socket: Socket): void {
    let failure: string | undefined
    socket.on('data', (chunk: Uint8Array) => {
      if (connection.ended) return
      listen()
      connection.receive(chunk, clock(connection))
      if (totalHeld > MAX_HELD_OCTETS) connection.flush()
      pacer.received(connection, chunk.length)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code
    })
    socket.on('close', () => {
      const how = failure === undefined ? 'fin' : failure === 'ETIMEDOUT' ? 'silence' : 'rst'
      connection.end(how, clock(connection))
    })
  }

  // --- what happens to them -----------------------------------------------------------------------

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

  function nameRouter(connection: Connection, name: string): string | undefined {
    admission.leave(connection)
    const router = names.claim(connection, name)
    if (router === undefined) {
      refusals.count('sysName belongs to another address', connection.source, now())
    } else connection.log.info({ router, via: connection.via }, 'bmp session up')
    return router
  }

  function onEnd(connection: Connection): void {
    live.delete(connection)
    admission.leave(connection)
    names.release(connection)
    supersede(connection)
    pacer.remove(connection)
    const settled = connection.settled().finally(() => ending.delete(connection))
    ending.set(connection, settled)
  }

  /** What an older session of a router says is not heard any more. When the newer one ends, the router is to begin anew. */
  function supersede(ended: Connection): void {
    for (const each of names.users(ended)) {
      if (each.bmpSession > ended.bmpSession) continue
      each.end('shutdown', clock(each), 'a newer session of this router is over')
    }
  }

  function turn(): void {
    listen()
    const us = Math.floor(now())
    admission.expire(us)
    const silence = settings.silenceTimeoutMs * 1000
    for (const connection of live) {
      if (admission.isGuest(connection)) continue
      connection.turn(Math.max(us, connection.heardUs))
      if (silence > 0 && !connection.paused && us - connection.heardUs > silence) {
        connection.end('silence', us)
      }
    }
    pacer.tick()
  }

  // --- the whole ----------------------------------------------------------------------------------

  function unaccepted(): { rows: number; octets: number } {
    const all = [...live, ...ending.keys()]
    return {
      rows: all.reduce((sum, each) => sum + each.waitingRows, 0),
      octets: all.reduce((sum, each) => sum + each.waiting, 0),
    }
  }

  return {
    name: 'bmp',
    async start() {
      await listener.start()
      log.info({ address: listener.address }, 'bmp listening')
      await tlsListener?.start()
      if (tlsListener !== undefined)
        log.info({ address: tlsListener.address }, 'bmp over tls listening')
      timer = setInterval(turn, settings.flushIntervalMs)
      for (const { dialer } of dialers) dialer.start()
    },
    async stop() {
      clearInterval(timer)
      door?.stop()
      for (const { dialer } of dialers) dialer.stop()
      const closed = Promise.all([listener.stop(), tlsListener?.stop()])
      admission.close()
      for (const connection of [...live]) connection.end('shutdown', clock(connection))
      const deadline = AbortSignal.timeout(settings.stopTimeoutMs)
      const over = new Promise<void>((resolve) => {
        deadline.addEventListener('abort', () => {
          resolve()
        })
      })
      while (ending.size > 0 && !deadline.aborted) {
        await Promise.race([Promise.all(ending.values()), over])
      }
      const left = unaccepted()
      if (left.rows > 0) {
        log.error(
          { ...left, routers: ending.size },
          'stopped with rows that were not accepted in time',
        )
      }
      await closed
    },
    get address() {
      return listener.address
    },
    get tlsAddress() {
      return tlsListener?.address
    },
    sessions: () => [...live].map(statusOf),
    dials: () =>
      dialers.map(({ target, dialer }) => ({
        host: target.host,
        port: target.port,
        connected: dialer.connected,
      })),
    unaccepted,
    refused: () => refusals.counts,
  }
}
