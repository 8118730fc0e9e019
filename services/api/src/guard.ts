/**
 * Who may ask. A page in a browser on this machine can send requests to localhost, and with a name of its own that it lets
 * resolve to 127.0.0.1 even read the answers. So Host must be a name we know or an address, and another page's Origin is refused.
 */
import { isIP } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
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

export function installGuard(
  app: FastifyInstance,
  config: Pick<ApiConfig, 'hosts' | 'origins'>,
  tokens: () => Tokens | undefined,
): void {
  const names = new Set(['localhost', ...config.hosts.map((each) => each.toLowerCase())])
  const origins = new Set(config.origins.map((each) => each.toLowerCase().replace(/\/$/, '')))

  app.addHook('onRequest', async (request, reply) => {
    // RFC 9112 section 3.2: two of them are an attack on whoever reads the other one.
    const { rawHeaders } = request.raw
    if (rawHeaders.filter((each, i) => i % 2 === 0 && each.toLowerCase() === 'host').length > 1) {
      throw new ProblemError(400, 'more than one Host', 'foreign-host')
    }
    const name = hostName(request.headers.host)
    if (name === undefined || (isIP(name) === 0 && !names.has(name))) {
      throw new ProblemError(
        403,
        'Host is no address and no name of http.hosts in fabric.yaml',
        'foreign-host',
      )
    }
    const origin = request.headers.origin?.toLowerCase()
    if (origin !== undefined) {
      const own = `//${request.headers.host?.toLowerCase() ?? ''}`
      const known = origins.has(origin)
      if (!known && origin !== `http:${own}` && origin !== `https:${own}`) {
        throw new ProblemError(403, 'this Origin may not call the API', 'foreign-origin')
      }
      if (known) {
        void reply
          .header('access-control-allow-origin', request.headers.origin)
          .header('vary', 'Origin')
      }
      if (known && request.method === 'OPTIONS') {
        return reply
          .code(204)
          .header('access-control-allow-methods', 'GET, POST')
          .header('access-control-allow-headers', 'authorization, content-type')
          .send()
      }
    } else if (crossSite(request)) {
      throw new ProblemError(403, 'a page of another site may not call the API', 'foreign-origin')
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
function crossSite(request: FastifyRequest): boolean {
  const { headers } = request
  return (
    headers['sec-fetch-site'] === 'cross-site' &&
    !(headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET')
  )
}
