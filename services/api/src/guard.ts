/**
 * Who may ask. A page in a browser on this machine can send requests to localhost, and with a name of its own that it lets
 * resolve to 127.0.0.1 even read the answers. So Host must be a name we know or an address, and another page's Origin is refused.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { ApiConfig } from './config.ts'
import { ProblemError } from './problem.ts'
import type { Tokens } from './tokens.ts'

/** Need no token: what a load balancer asks, and pages that hold no data of the network. */
const OPEN_PATHS = /^\/(?:healthz|readyz|openapi\.json|docs(?:\/.*)?|console(?:\/.*)?|)$/

/** @returns the name in a Host header without port and brackets, lower case; undefined when it is malformed */
export function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(header ?? '')
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '')
}

export interface Caller {
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingHttpHeaders
  readonly method?: string | undefined
}

export interface Foreign {
  readonly status: 400 | 403
  readonly detail: string
  readonly kind: 'foreign-host' | 'foreign-origin'
}

/** Whether a request comes from where it may come from; the same for everything that is served. */
export class Gate {
  readonly #names: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>

  constructor({ hosts, origins }: Pick<ApiConfig, 'hosts' | 'origins'>) {
    this.#names = new Set(['localhost', ...hosts.map((each) => each.toLowerCase())])
    this.#origins = new Set(origins.map((each) => each.toLowerCase().replace(/\/$/, '')))
  }

  /** Whether the Origin of a request is one of the configured ones. */
  knows(caller: Caller): boolean {
    return this.#origins.has(caller.headers.origin?.toLowerCase() ?? '')
  }

  refusal(caller: Caller): Foreign | undefined {
    const { rawHeaders, headers } = caller
    // RFC 9112 section 3.2: two of them are an attack on whoever reads the other one.
    if (rawHeaders.filter((each, i) => i % 2 === 0 && each.toLowerCase() === 'host').length > 1) {
      return { status: 400, detail: 'more than one Host', kind: 'foreign-host' }
    }
    const name = hostName(headers.host)
    if (name === undefined || (isIP(name) === 0 && !this.#names.has(name))) {
      const detail = 'Host is no address and no name of http.hosts in fabric.yaml'
      return { status: 403, detail, kind: 'foreign-host' }
    }
    const origin = headers.origin?.toLowerCase()
    if (origin === undefined) {
      if (!crossSite(caller)) return undefined
      const detail = 'a page of another site may not call the API'
      return { status: 403, detail, kind: 'foreign-origin' }
    }
    const own = `//${headers.host?.toLowerCase() ?? ''}`
    if (this.#origins.has(origin) || origin === `http:${own}` || origin === `https:${own}`) {
      return undefined
    }
    return { status: 403, detail: 'this Origin may not call the API', kind: 'foreign-origin' }
  }
}

export function installGuard(
  app: FastifyInstance,
  config: Pick<ApiConfig, 'hosts' | 'origins'>,
  tokens: () => Tokens | undefined,
): void {
  const gate = new Gate(config)

  app.addHook('onRequest', async (request, reply) => {
    const foreign = gate.refusal(request.raw)
    if (foreign !== undefined) {
      throw new ProblemError(foreign.status, foreign.detail, foreign.kind)
    }
    if (gate.knows(request.raw)) {
      void reply
        .header('access-control-allow-origin', request.headers.origin)
        .header('vary', 'Origin')
      if (request.method === 'OPTIONS') {
        return reply
          .code(204)
          .header('access-control-allow-methods', 'GET, POST')
          .header('access-control-allow-headers', 'authorization, content-type')
          .send()
      }
    }
    const known = tokens()
    const path = request.url.split('?', 1)[0] ?? ''
    if (known && !OPEN_PATHS.test(path) && !known.accept(request.headers.authorization)) {
      throw new ProblemError(401, 'a bearer token is needed', 'no-token', {
        'www-authenticate': 'Bearer realm="ribscope"',
      })
    }
    return undefined
  })

  app.addHook('onSend', async (_request, reply) => {
    void reply
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-resource-policy', 'same-origin')
      .header('x-frame-options', 'DENY')
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store')
  })
}

/** Fetch Metadata: browsers send no Origin with plain GETs, but say that another site's page asked. Links are fine. */
function crossSite({ headers, method }: Caller): boolean {
  return (
    headers['sec-fetch-site'] === 'cross-site' &&
    !(headers['sec-fetch-mode'] === 'navigate' && method === 'GET')
  )
}
