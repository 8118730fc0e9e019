/** What the HTTP API is told before it starts. Nothing here reads the environment. */
import { isIP } from 'node:net'

export interface ApiConfig {
  /** Address to listen on; '' means all. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Names a client may use in Host, without port; address literals and `localhost` always may. */
  readonly hosts: readonly string[]
  /** Pages of other origins (`https://noc.example.net`) that may call the API. */
  readonly origins: readonly string[]
  /** Path of the file with bearer tokens; without one no token is asked for. */
  readonly tokensFile?: string | undefined
  /** Listen beyond loopback although there are no tokens. */
  readonly insecure: boolean
  readonly limits?: Partial<Limits>
  /** Whether POST /api/v1/sql exists (default true). */
  readonly sql?: boolean
}

export interface Limits {
  /** Octets of a request body. Default 256 KiB. */
  readonly bodyOctets: number
  /** Seconds a query may run. Default 10. */
  readonly querySeconds: number
  /** Octets of memory a query may take. Default 1 GiB; user SQL half of it. */
  readonly queryOctets: number
  /** Rows a list or user SQL may answer with. Default 10,000. */
  readonly rows: number
  /** Octets of a user SQL answer. Default 32 MiB. */
  readonly resultOctets: number
  /** Store sessions: queries that run at the same time. Default 2, and 2 more for user SQL. */
  readonly sessions: number
  /** Requests that may wait for a session; more are told to come again. Default 64. */
  readonly waiting: number
  /** Listeners of GET /api/v1/events. Default 64. */
  readonly listeners: number
}

const DEFAULT_LIMITS: Limits = {
  bodyOctets: 256 * 1024,
  querySeconds: 10,
  queryOctets: 1024 ** 3,
  rows: 10_000,
  resultOctets: 32 * 1024 ** 2,
  sessions: 2,
  waiting: 64,
  listeners: 64,
}

export const limitsOf = (config: ApiConfig): Limits => ({ ...DEFAULT_LIMITS, ...config.limits })

/** The operator's mistake: one line, exit 2 (the command line knows `exitCode`). */
export class ApiConfigError extends Error {
  override readonly name = 'ApiConfigError'
  readonly exitCode = 2
}

export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}

/** @throws ApiConfigError when anyone on the network could read everything */
export function checkExposure(
  config: Pick<ApiConfig, 'host' | 'tokensFile' | 'insecure'>,
  what = 'HTTP',
): void {
  if (isLoopback(config.host) || config.tokensFile !== undefined || config.insecure) return
  const where = config.host === '' ? 'all addresses' : config.host
  throw new ApiConfigError(
    `${what} on ${where} is reachable from other machines and no tokens are set: ` +
      'give auth.tokens_file in fabric.yaml, listen on 127.0.0.1, or say --insecure',
  )
}
