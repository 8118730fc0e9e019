/** Liveness and readiness, for supervisors and load balancers. */
import type { FastifyInstance } from 'fastify'
import * as s from '../schemas.ts'

/** What `/readyz` asks the other parts: those that are in this process. */
export interface Readiness {
  /** The store answers. */
  readonly store?: boolean
  /** The schema is current. */
  readonly schema?: boolean
  /** The BMP port is bound. */
  readonly bmp?: boolean
  /** The analyst has finished a round. */
  readonly analyst?: boolean
}

const MISSING: Readonly<Record<keyof Readiness, string>> = {
  store: 'store: no answer',
  schema: 'schema: not current yet',
  bmp: 'bmp: port not bound',
  analyst: 'analyst: no round finished yet',
}

export function healthRoutes(
  app: FastifyInstance,
  readiness: () => Readiness | Promise<Readiness>,
): void {
  app.get(
    '/healthz',
    { schema: s.route('health', 'The process answers', s.object({ status: s.string })) },
    () => ({ status: 'ok' }),
  )
  const shape = s.object({ status: s.string, reasons: s.list(s.string) })
  app.get(
    '/readyz',
    {
      schema: {
        ...s.route(
          'health',
          'Store and schema usable; in a process with all parts, BMP port bound and analyst at work',
          shape,
        ),
        response: {
          200: { description: 'ready', ...shape },
          503: { description: 'not yet', ...shape },
        },
      },
    },
    async (_request, reply) => {
      const state = await readiness()
      const reasons = (Object.keys(MISSING) as (keyof Readiness)[])
        .filter((part) => state[part] === false)
        .map((part) => MISSING[part])
      if (reasons.length > 0) void reply.code(503)
      return { status: reasons.length === 0 ? 'ready' : 'starting', reasons }
    },
  )
}
