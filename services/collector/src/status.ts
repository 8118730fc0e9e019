import type { Connection, Via } from './connection.ts'

/** What one live connection is doing, for /metrics and the API. */
export interface SessionStatus {
  readonly router: string
  readonly identified: boolean
  readonly source: string
  readonly via: Via
  readonly bmpSession: number
  readonly octets: number
  readonly messages: number
  readonly rows: number
  readonly errors: number
  readonly peers: number
  readonly waitingOctets: number
  readonly paused: boolean
}

/** A router that we connect to. */
export interface DialStatus {
  readonly host: string
  readonly port: number
  readonly connected: boolean
}

export function statusOf(connection: Connection): SessionStatus {
  const { session, source, via, bmpSession, waiting, paused } = connection
  return {
    router: session.router,
    identified: session.named,
    source,
    via,
    bmpSession,
    octets: session.counters.octets,
    messages: session.counters.messages,
    rows: session.rows,
    errors: session.counters.errors,
    peers: session.peers,
    waitingOctets: waiting,
    paused,
  }
}
