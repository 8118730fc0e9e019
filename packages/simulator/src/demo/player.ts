import { setMaxListeners } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodeTermination } from '../encode/bmp.ts'
import type { BmpSink } from '../model/bmp-feed.ts'
import type { Router } from '../model/router.ts'
import { DemoFabric } from './fabric.ts'

export interface DemoOptions {
  /** The collector. A wildcard address means this machine. */
  readonly host: string
  readonly port: number
  readonly signal: AbortSignal
  readonly log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
}

const TICK_MS = 20
/** A collector that does not read loses the session, as with a router whose buffer is full. */
const MAX_UNSENT_OCTETS = 8 * 1024 * 1024
const RETRY_MS = { first: 250, most: 10_000 }
/** A session that lasted this long was a good one: the next is tried at once. */
const STABLE_MS = 5_000
const CLOSE_MS = 1_000
/** A process that was suspended goes on where it was, instead of sending what it missed. */
const MAX_LAG_US = 5e6

/**
 * Plays the demo fabric to a collector on the real clock, one TCP session per router, each from
 * its own loopback address where the system lets us. Reconnects for ever.
 *
 * @returns when the signal is aborted and all sockets are closed
 */
export async function startDemo(options: DemoOptions): Promise<void> {
  const { log } = options
  // A signal of our own: many listeners are right here and a leak anywhere else.
  const signal = AbortSignal.any([options.signal])
  setMaxListeners(0, signal)
  if (signal.aborted) return
  const host = WILDCARDS.get(options.host) ?? options.host
  const lines = new Map<string, Line>()
  const demo = new DemoFabric(Date.now() * 1_000, ({ name }) => {
    const line = new Line()
    lines.set(name, line)
    return line.sink
  })
  const { routers } = demo.fabric
  let skippedUs = 0
  for (const router of routers.values()) router.feed.stamp = (us) => us + skippedUs

  const tick = setInterval(() => {
    const nowUs = Date.now() * 1_000 - skippedUs
    const lag = nowUs - demo.sim.nowUs
    if (lag > MAX_LAG_US) skippedUs += lag
    else demo.sim.runUntil(nowUs)
  }, TICK_MS)
  log.info({ host, port: options.port, routers: routers.size }, 'demo fabric is playing')
  try {
    await Promise.all(
      [...routers.values()].map((router) =>
        keepConnected(router, lines.get(router.name) as Line, { ...options, host, signal }),
      ),
    )
  } finally {
    clearInterval(tick)
  }
  log.info({}, 'demo fabric stopped')
}

const WILDCARDS: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
  ['', '127.0.0.1'],
])

/** Where a router's feed writes: its socket, while there is one. */
class Line {
  socket: Socket | undefined
  readonly sink: BmpSink = {
    open: () => undefined,
    data: (_us, bytes) => {
      const { socket } = this
      if (socket === undefined || socket.destroyed) return
      socket.write(bytes)
      if (socket.writableLength > MAX_UNSENT_OCTETS) socket.destroy()
    },
    close: () => undefined,
  }
}

async function keepConnected(router: Router, line: Line, options: DemoOptions): Promise<void> {
  const { signal, log } = options
  let wait = RETRY_MS.first
  let ownAddress = /^127\.|^localhost$/.test(options.host)
  while (!signal.aborted) {
    const end = await session(router, line, options, ownAddress)
    if (aborted(signal)) return
    // Only Linux answers on all of 127.0.0.0/8.
    if (end.code === 'EADDRNOTAVAIL') ownAddress = false
    wait = end.heldMs > STABLE_MS ? RETRY_MS.first : Math.min(wait * 2, RETRY_MS.most)
    log.warn({ router: router.name, code: end.code }, 'demo: no BMP session, trying again')
    await pause(wait, signal)
  }
}

/** A function, so that the compiler does not think that it knows the answer from before. */
function aborted(signal: AbortSignal): boolean {
  return signal.aborted
}

/** One TCP session, from connecting to its end. Never rejects. */
function session(
  router: Router,
  line: Line,
  { host, port, signal }: DemoOptions,
  ownAddress: boolean,
): Promise<{ heldMs: number; code: string | undefined }> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, ...(ownAddress ? { localAddress: router.address } : {}) })
    let connectedAt: number | undefined
    let code: string | undefined
    let closing: NodeJS.Timeout | undefined
    const stop = (): void => {
      line.socket = undefined
      if (connectedAt !== undefined) socket.end(encodeTermination(0))
      else socket.destroy()
      closing = setTimeout(() => socket.destroy(), CLOSE_MS)
    }
    socket.setNoDelay(true)
    socket.once('connect', () => {
      connectedAt = performance.now()
      line.socket = socket
      router.feed.connect()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code
    })
    // A collector says nothing; what it says all the same must not fill a buffer.
    socket.resume()
    socket.once('close', () => {
      clearTimeout(closing)
      signal.removeEventListener('abort', stop)
      line.socket = undefined
      router.feed.disconnect('rst')
      resolve({ heldMs: connectedAt === undefined ? 0 : performance.now() - connectedAt, code })
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
