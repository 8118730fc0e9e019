/** POST /sql: read-only SQL over database `ribscope`. */
import { StoreError } from '@ribscope/store'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { badRequest, isAway, ProblemError } from '../problem.ts'
import * as s from '../schemas.ts'
import { RefusedSql } from '../user-sql/tokens.ts'
import { FORMATS, type Format, type ParameterValue, type UserSql } from '../user-sql/user-sql.ts'

interface Body {
  readonly query: string
  readonly params: Readonly<Record<string, ParameterValue>>
  readonly format: Format
}

const TYPES: Readonly<Record<Format, string>> = {
  JSONEachRow: 'application/x-ndjson',
  JSONCompact: 'application/json',
  CSV: 'text/csv; charset=utf-8',
  CSVWithNames: 'text/csv; charset=utf-8; header=present',
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

/** By hand: the validator of query strings makes a scalar of an array with one element. */
function checkParams(params: Readonly<Record<string, unknown>>): void {
  const scalar = (value: unknown): boolean =>
    value === null || ['string', 'number', 'boolean'].includes(typeof value)
  for (const [name, value] of Object.entries(params)) {
    if (!NAME.test(name)) throw badRequest(`params: ${JSON.stringify(name)} is no name`)
    if (!scalar(value) && !(Array.isArray(value) && value.every(scalar))) {
      throw badRequest(`params.${name}: expected a scalar, or an array of them`)
    }
  }
}

export function sqlRoutes(app: FastifyInstance, userSql: UserSql, { limits }: Context): void {
  app.post<{ Body: Body }>(
    '/sql',
    {
      schema: {
        tags: ['sql'],
        summary: 'Read-only SQL: SELECT, WITH, EXPLAIN, SHOW, DESCRIBE over database ribscope',
        description: `One statement. At most ${String(limits.rows)} rows and ${String(limits.querySeconds)} s. 64-bit integers are text.`,
        body: {
          type: 'object',
          required: ['query'],
          additionalProperties: false,
          properties: {
            query: { type: 'string', minLength: 1, maxLength: 65536 },
            params: {
              type: 'object',
              default: {},
              maxProperties: 64,
              additionalProperties: true,
              description: 'values of {name:Type} in the query: scalars, or arrays of them',
            },
            format: { type: 'string', enum: FORMATS, default: 'JSONEachRow' },
          },
        },
        response: {
          200: {
            description: 'rows in the format asked for',
            content: {
              'application/x-ndjson': { schema: s.string },
              'application/json': { schema: { type: 'object', additionalProperties: true } },
              'text/csv': { schema: s.string },
            },
          },
          ...s.failures,
        },
      },
    },
    async ({ body }, reply) => {
      const { query, params, format } = body
      checkParams(params)
      try {
        const text = await userSql.run(query, params, format)
        return await reply.type(TYPES[format]).send(text)
      } catch (error) {
        throw problemOf(error, limits)
      }
    },
  )
}

function problemOf(error: unknown, limits: Context['limits']): unknown {
  if (error instanceof RefusedSql) return new ProblemError(403, error.message, 'refused-sql')
  if (!(error instanceof StoreError) || isAway(error)) return error
  const { message } = error
  const limited = /Timeout exceeded|TIMEOUT_EXCEEDED/.test(message)
    ? `it ran longer than ${String(limits.querySeconds)} s`
    : /Limit for result exceeded|TOO_MANY_ROWS_OR_BYTES/.test(message)
      ? `the answer has more than ${String(limits.rows)} rows or ${String(limits.resultOctets)} octets: add LIMIT`
      : /memory limit exceeded/i.test(message)
        ? 'it needs more memory than is allowed'
        : undefined
  if (limited !== undefined) return new ProblemError(422, limited, 'query-limit')
  // One line of what the engine said about the caller's own statement; never a stack.
  const said =
    message
      .replace(/^sql: /, '')
      .split('\n', 1)[0]
      ?.slice(0, 500) ?? ''
  return new ProblemError(400, said, 'bad-query')
}
