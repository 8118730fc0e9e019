import type { Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { Logger } from 'pino'
import type { BmpTlsConfig } from './config.ts'
import { readTlsFiles, writtenAt } from './tls-files.ts'

/** How often the files are looked at; a new certificate holds for connections that come then. */
const LOOK_MS = 60_000

export interface TlsDoor {
  /** Takes over a connection; one of both is called, once. */
  handshake(socket: Socket, then: TlsOutcome): void
  /** Reads the files again when one of them is another one. What is wrong with them then is logged, the old ones stay. */
  look(): void
  stop(): void
}

export interface TlsOutcome {
  readonly secure: (socket: TLSSocket) => void
  readonly failed: (reason: string) => void
}

interface Handshake extends TlsOutcome {
  reason: string
}

/**
 * TLS for BMP (draft-hmntsharma-grow-bmp-over-tls): plain TLS from the first octet, BMP within.
 *
 * @throws TlsFileError
 */
export function createTlsDoor(
  config: BmpTlsConfig & { readonly handshakeTimeoutMs: number },
  log: Logger,
): TlsDoor {
  const clientAuth = config.clientAuth ?? (config.ca === undefined ? 'none' : 'required')
  const pending = new Map<string, Handshake>()
  let written = writtenAt(config)
  const server = createServer({
    ...readTlsFiles(config),
    requestCert: clientAuth !== 'none',
    // Here is told why, below.
    rejectUnauthorized: false,
    handshakeTimeout: config.handshakeTimeoutMs,
  })
  server.on('secureConnection', (socket) => {
    const handshake = pending.get(nameOf(socket))
    if (handshake === undefined) {
      socket.destroy()
      return
    }
    const objection = objectionTo(socket, clientAuth)
    if (objection !== undefined) {
      handshake.reason = objection
      socket.destroy()
      return
    }
    pending.delete(nameOf(socket))
    handshake.secure(socket)
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const handshake = pending.get(nameOf(socket))
    if (handshake !== undefined) handshake.reason = reasonOf(error)
    log.debug({ err: error, source: socket.remoteAddress }, 'tls handshake failed')
    // One that took too long is only told of.
    socket.destroy()
  })
  const look = (): void => {
    const now = writtenAt(config)
    if (now === written) return
    written = now
    try {
      server.setSecureContext(readTlsFiles(config))
      log.info({ cert: config.cert }, 'certificates read again')
    } catch (err) {
      log.error({ err }, 'new certificates are of no use, the old ones stay')
    }
  }
  const timer = setInterval(look, LOOK_MS).unref()

  return {
    handshake(socket, then) {
      const name = nameOf(socket)
      const handshake: Handshake = { ...then, reason: 'tls handshake not finished' }
      pending.set(name, handshake)
      socket.once('close', () => {
        if (pending.get(name) !== handshake) return
        pending.delete(name)
        handshake.failed(handshake.reason)
      })
      server.emit('connection', socket)
    },
    look,
    stop() {
      clearInterval(timer)
    },
  }
}

/** A TLS socket and the one below it have it in common, and no other live one. */
function nameOf({ remoteAddress = '', remotePort = 0, localPort = 0 }: Socket): string {
  return `${remoteAddress} ${String(remotePort)} ${String(localPort)}`
}

function objectionTo(
  socket: TLSSocket,
  clientAuth: BmpTlsConfig['clientAuth'],
): string | undefined {
  if (clientAuth === 'none' || socket.authorized) return undefined
  if (socket.getPeerX509Certificate() === undefined) {
    return clientAuth === 'required' ? 'router shows no certificate' : undefined
  }
  return 'router shows a certificate that is not trusted'
}

/** OpenSSL has hundreds of words; these are for counting. */
function reasonOf({ code = '' }: NodeJS.ErrnoException): string {
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'tls handshake not in time'
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|UNEXPECTED_MESSAGE|RECORD/.test(code)) {
    return 'no tls on the tls port'
  }
  if (code.includes('ALERT')) return 'router does not trust our certificate'
  return 'tls handshake failed'
}
