/** The API for people at a terminal: one request, one answer, failures in one line. */
import { CommandError, UsageError, type Context } from './command.ts'
import { text } from './values.ts'

/** Flags of every command that asks a running Ribscope. */
export const CLIENT_OPTIONS = {
  api: { type: 'string', default: 'http://127.0.0.1:8080' },
  token: { type: 'string' },
  json: { type: 'boolean' },
} as const

export const CLIENT_ENV = { api: 'RIBSCOPE_API', token: 'RIBSCOPE_TOKEN' } as const

export const CLIENT_USAGE = `  --api URL          a running ribscope (default http://127.0.0.1:8080)
  --token TOKEN      bearer token, when it wants one
  --json             what the API said, for scripts`

const TIMEOUT_MS = 30_000

export type Json = Record<string, unknown>

export interface List {
  readonly items: Json[]
  /** There is more than was asked for. */
  readonly next: string | null
}

/** Values of the query string; undefined ones are left out. */
export type Query = Readonly<Record<string, string | undefined>>

export class ApiClient {
  readonly #base: URL
  readonly #token: string | undefined
  readonly #signal: AbortSignal

  /** @throws UsageError when --api is no HTTP URL */
  constructor({ values, signal }: Pick<Context, 'values' | 'signal'>) {
    const given = text(values, 'api') ?? CLIENT_OPTIONS.api.default
    let base: URL | undefined
    try {
      base = new URL(given.endsWith('/') ? given : `${given}/`)
    } catch {
      base = undefined
    }
    if (!base || !/^https?:$/.test(base.protocol)) {
      throw new UsageError(`--api ${JSON.stringify(given)}: expected http://HOST:PORT`)
    }
    this.#base = base
    this.#token = text(values, 'token')
    this.#signal = signal
  }

  /**
   * @param path below /api/v1, already encoded
   * @throws UsageError when the API says that a parameter is wrong, CommandError for every other failure
   */
  async get(path: string, query: Query = {}): Promise<Json> {
    const url = new URL(`api/v1${path}`, this.#base)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value)
    }
    const where = this.#base.href.replace(/\/$/, '')
    let response: Response
    let body: string
    try {
      response = await fetch(url, {
        headers: {
          accept: 'application/json',
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        redirect: 'error',
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      body = await response.text()
    } catch (error) {
      if (this.#signal.aborted) throw new CommandError('stopped')
      throw new CommandError(`${where}: ${reasonOf(error)}; is ribscope up there? see --api`)
    }
    const answer = parsed(body)
    if (response.ok && answer) return answer
    const detail = typeof answer?.['detail'] === 'string' ? answer['detail'] : undefined
    if (response.status === 400 && detail !== undefined) throw new UsageError(detail)
    if (response.status === 401) throw new CommandError(`${where}: ${detail ?? ''}; see --token`)
    throw new CommandError(
      `${where}: ${detail ?? `status ${String(response.status)}, which is no answer of ribscope`}`,
    )
  }

  /** As many pages as `limit` items need. */
  async list(path: string, query: Query, limit: number): Promise<List> {
    const items: Json[] = []
    let next: string | null = null
    do {
      const cursor: string | undefined = next ?? undefined
      const size = Math.min(limit - items.length, 1000)
      const page = await this.get(path, { ...query, limit: String(size), cursor })
      items.push(...(page['items'] as Json[]))
      next = page['next'] as string | null
    } while (next !== null && items.length < limit)
    return { items, next }
  }
}

function parsed(body: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no such host',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'no answer',
}

/** What fetch hides behind "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${String(TIMEOUT_MS / 1000)} s`
  const { code, message, errors } = (error.cause ?? error) as NodeJS.ErrnoException & {
    errors?: NodeJS.ErrnoException[]
  }
  const first = code ?? errors?.[0]?.code
  return (first === undefined ? undefined : REASONS[first]) ?? message.split('\n', 1)[0] ?? 'failed'
}
