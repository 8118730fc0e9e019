import type { RouterSession } from '@ribscope/events'
import type { Connection, Via } from './connection.ts'

/** What one session is doing, wherever its messages come from, for /metrics and the API. */
export interface RawSessionStatus {
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

/** What one live connection is doing. */
export interface SessionStatus extends RawSessionStatus {
  readonly via: Via
}

/** A router that we connect to. */
export interface DialStatus {
  readonly host: string
  readonly port: number
  readonly connected: boolean
}

/** A session, and what it comes from. */
interface Source {
  readonly session: RouterSession
  readonly source: string
  readonly bmpSession: number
  readonly waiting: number
  readonly paused: boolean
}

export function rawStatusOf(from: Source): RawSessionStatus {
  const { session, source, bmpSession, waiting, paused } = from
  return {
    router: session.router,
    identified: session.named,
    source,
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

export function statusOf(connection: Connection): SessionStatus {
  return { ...rawStatusOf(connection), via: connection.via }
}
