/** What a BMP server is given, and what it is to others. */
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { BatchConsumer } from './connection.ts'
import type { RawOutlet } from './raw-feed.ts'
import type { DialStatus, SessionStatus } from './status.ts'

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

export interface BmpServer {
  readonly name: string
  /** @throws when a port cannot be bound */
  start(): Promise<void>
  /** Closes all sessions; resolves when everything received is with the consumers, or `stopTimeoutMs` is over. */
  stop(): Promise<void>
  readonly address: AddressInfo | undefined
  readonly tlsAddress: AddressInfo | undefined
  sessions(): SessionStatus[]
  /** Routers that we dial. */
  dials(): DialStatus[]
  /** Rows that no consumer has accepted, and their octets; after `stop`: those that it did not wait for. */
  unaccepted(): { readonly rows: number; readonly octets: number }
  /** Connections turned away since the start, by reason. */
  refused(): Readonly<Record<string, number>>
}
