import type { SessionLimits, SessionOptions } from '@ribscope/events'

export interface BmpServerConfig {
  /** address to listen on; '::' takes both families */
  readonly host: string
  /** 0: the system chooses one, see `BmpServer.address` */
  readonly port: number
  /** name of this collector in rows */
  readonly collector: string
  /** CIDRs that may connect. Default: private, link-local and loopback sources */
  readonly allow?: readonly string[]
  /** addresses of routers by name (fabric.yaml `routers[].address`): another source may not use the name */
  readonly routerAddresses?: ReadonlyMap<string, string>
  /** BMP sessions at a time. Default 4,096 */
  readonly maxSessions?: number
  /** connections that have not sent a whole message yet; beyond it the oldest is closed. Default 256 */
  readonly maxUnidentified?: number
  /** how long a connection may take to its first whole message. Default 30,000 */
  readonly identifyTimeoutMs?: number
  /** how long a session may say nothing at all; 0 for ever (TCP keepalive finds dead routers). Default 0 */
  readonly silenceTimeoutMs?: number
  /** rows wait at most this long. Default 100 */
  readonly flushIntervalMs?: number
  /** octets of rows that a session may have waiting for the consumer before its socket is paused. Default 16 MiB */
  readonly maxSessionOctets?: number
  /** the same for all sessions together. Default 128 MiB */
  readonly maxTotalOctets?: number
  /** rows of a block. Default 65,536 */
  readonly maxBlockRows?: number
  /** octets of a batch, but for a single row that is larger (400 KB at most). Default: no limit; a bus wants 900,000 */
  readonly maxBlockOctets?: number
  readonly limits?: SessionLimits
  /** code points of TLVs in BMP version 4; undefined: the first known table that each message fits */
  readonly v4Tlvs?: SessionOptions['v4Tlvs']
}

export const DEFAULTS = {
  maxSessions: 4096,
  maxUnidentified: 256,
  identifyTimeoutMs: 30_000,
  silenceTimeoutMs: 0,
  flushIntervalMs: 100,
  maxSessionOctets: 16 << 20,
  maxTotalOctets: 128 << 20,
  maxBlockRows: 65_536,
  maxBlockOctets: Infinity,
} as const
