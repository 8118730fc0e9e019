import type { SessionLimits, SessionOptions } from '@ribscope/events'

export interface BmpServerConfig {
  /** address to listen on; '::' takes both families */
  readonly host: string
  /** 0: the system chooses one, see `BmpServer.address` */
  readonly port: number
  /** name of this collector in rows */
  readonly collector: string
  /** a second listener, for BMP over TLS */
  readonly tls?: BmpTlsConfig
  /** routers in passive mode: one connection to each is kept */
  readonly dial?: readonly DialTarget[]
  /** CIDRs that may connect. Default: private, link-local and loopback sources */
  readonly allow?: readonly string[]
  /** addresses of routers by name (fabric.yaml `routers[].address`): another source may not use the name */
  readonly routerAddresses?: ReadonlyMap<string, string>
  /** BMP sessions at a time. Default 4,096 */
  readonly maxSessions?: number
  /** the same from one address; those we dialled are not counted. Default a quarter of all, 16 at least */
  readonly maxSessionsPerSource?: number
  /** connections that have not sent a whole message yet; beyond it the oldest of whoever has most is closed. Default 256 */
  readonly maxUnidentified?: number
  /** how long a connection may take to its first whole message. Default 30,000 */
  readonly identifyTimeoutMs?: number
  /** how long a TLS handshake may take. Default 10,000 */
  readonly handshakeTimeoutMs?: number
  /** how long a session may say nothing at all; 0 for ever (TCP keepalive finds dead routers). Default 0 */
  readonly silenceTimeoutMs?: number
  /** silence before TCP asks whether the router is still there; the system asks ten times, a second apart. Default 15,000 */
  readonly keepAliveMs?: number
  /** between two tries to reach a router that we dial: the first, and what it doubles to. Default 1,000 and 60,000 */
  readonly dialRetryMs?: { readonly first: number; readonly most: number }
  /** rows wait at most this long. Default 100 */
  readonly flushIntervalMs?: number
  /** octets of rows that a session may have waiting for the consumer before its socket is paused. Default 16 MiB */
  readonly maxSessionOctets?: number
  /** the same for all sessions together. Default 128 MiB */
  readonly maxTotalOctets?: number
  /** octets that are with the consumer at a time; sessions take turns beyond it. Default: no limit */
  readonly maxOfferedOctets?: number
  /** how long `stop` waits for the consumer to accept what was received. Default 15,000 */
  readonly stopTimeoutMs?: number
  /** of the rows: ClickHouse's Native blocks, or JSON lines for programs that are not ClickHouse. Default native */
  readonly format?: 'native' | 'json'
  /** rows of a block. Default 65,536 */
  readonly maxBlockRows?: number
  /** octets of a batch, but for a single row that is larger (400 KB at most). Default: no limit; a bus wants 900,000 */
  readonly maxBlockOctets?: number
  readonly limits?: SessionLimits
  /** code points of TLVs in BMP version 4; undefined: the first known table that each message fits */
  readonly v4Tlvs?: SessionOptions['v4Tlvs']
}

export const CLIENT_AUTH = ['required', 'optional', 'none'] as const

/** Names of files in PEM. */
export interface TlsFiles {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** whom to believe that they are routers, or the router that we dial */
  readonly ca?: string | undefined
}

export interface BmpTlsConfig extends TlsFiles {
  /** where to listen; undefined: the files are for `dial` alone */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
  /** whether routers have to show a certificate that `ca` signed. Default: required when there is a `ca`, else none */
  readonly clientAuth?: (typeof CLIENT_AUTH)[number] | undefined
}

export interface DialTarget {
  readonly host: string
  readonly port: number
  readonly tls?: boolean | undefined
}

export const DEFAULTS = {
  maxSessions: 4096,
  maxUnidentified: 256,
  identifyTimeoutMs: 30_000,
  handshakeTimeoutMs: 10_000,
  silenceTimeoutMs: 0,
  keepAliveMs: 15_000,
  dialRetryMs: { first: 1_000, most: 60_000 },
  flushIntervalMs: 100,
  maxSessionOctets: 16 << 20,
  maxTotalOctets: 128 << 20,
  maxOfferedOctets: Infinity,
  stopTimeoutMs: 15_000,
  format: 'native',
  maxBlockRows: 65_536,
  maxBlockOctets: Infinity,
} as const

export const sessionsPerSource = (maxSessions: number): number =>
  Math.max(16, Math.ceil(maxSessions / 4))
