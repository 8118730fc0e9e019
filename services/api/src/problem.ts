/** Errors as RFC 9457 problem documents, and nothing else: also 404, validation, 413 and 500. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { StoreError } from '@ribscope/store'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { callerLeft, PoolFull } from './pool.ts'

export const PROBLEM = 'application/problem+json'

/** RFC 9457 section 3.1; `errors` is ours: what is wrong with which parameter. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly instance?: string
  readonly errors?: readonly { readonly where: string; readonly message: string }[]
}

/** Thrown by a route: the request can't be answered, and `detail` says why to the caller. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly status: number
  readonly slug: string | undefined
  readonly headers: Readonly<Record<string, string>>

  /** @param slug names the kind of problem for programs, e.g. `bad-prefix` */
  constructor(
    status: number,
    detail: string,
    slug?: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail)
    this.status = status
    this.slug = slug
    this.headers = headers
  }
}

export const notFound = (what: string): ProblemError => new ProblemError(404, what, 'not-found')

export const badRequest = (what: string, slug = 'bad-parameter'): ProblemError =>
  new ProblemError(400, what, slug)

interface Answer {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

/** A refusal before there is a route: a path that can't be decoded. */
export const refusal = (status: number, detail: string): Problem =>
  document(status, undefined, detail)

/** What is no HTTP request gets an answer too, by hand: there is no reply to write to. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 431
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 408
        : 400
  const body = JSON.stringify(document(status, undefined, 'not an HTTP request that is understood'))
  socket.end(
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${PROBLEM}\r\n` +
      `Content-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n\r\n${body}`,
  )
}

function document(status: number, slug: string | undefined, detail?: string): Problem {
  return {
    type: slug === undefined ? 'about:blank' : `urn:ribscope:problem:${slug}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...(detail === undefined ? {} : { detail }),
  }
}

/** What the engine says when a limit of ours stopped a query. */
const TIMEOUT = /Timeout exceeded|TIMEOUT_EXCEEDED/
const MEMORY = /memory limit exceeded|MEMORY_LIMIT_EXCEEDED/i

/** The server of the store does not answer: what it says itself has a number. */
export const isAway = (error: StoreError): boolean =>
  /^E[A-Z]+$/.test(String((error.cause as { code?: unknown } | undefined)?.code))

function explain(error: unknown): Answer | undefined {
  if (callerLeft.getStore()?.aborted === true) {
    return { problem: document(499, undefined, 'whoever asked has left'), headers: {} }
  }
  if (error instanceof ProblemError) {
    const { status, slug, message, headers } = error
    return { problem: document(status, slug, message), headers }
  }
  if (error instanceof PoolFull) {
    const problem = document(503, 'busy', 'too many requests are waiting for the store')
    return { problem, headers: { 'retry-after': '1' } }
  }
  if (error instanceof StoreError) {
    if (TIMEOUT.test(error.message)) {
      const detail = 'the query took too long; narrow it (router, prefix, from, to)'
      return { problem: document(503, 'query-timeout', detail), headers: {} }
    }
    if (MEMORY.test(error.message)) {
      const detail = 'the query needs more memory than is allowed; narrow it'
      return { problem: document(503, 'query-memory', detail), headers: {} }
    }
  }
  if (error instanceof StoreError && isAway(error)) {
    const problem = document(503, 'store-away', 'the store does not answer')
    return { problem, headers: { 'retry-after': '1' } }
  }
  const known = error as Partial<FastifyError>
  if (known.validation !== undefined) {
    const where = known.validationContext ?? 'request'
    const errors = known.validation.map((each) => ({
      where: `${where}${each.instancePath}`,
      message: validationMessage(each),
    }))
    const detail = errors.map((each) => `${each.where}: ${each.message}`).join('; ')
    return { problem: { ...document(400, 'bad-parameter', detail), errors }, headers: {} }
  }
  const status = known.statusCode
  // Fastify's own refusals (body too large, wrong media type, not JSON): the text is made for callers.
  if (status !== undefined && status >= 400 && status < 500) {
    return { problem: document(status, undefined, known.message), headers: {} }
  }
  return undefined
}

interface Violation {
  readonly keyword?: string
  readonly message?: string
  readonly params?: Readonly<Record<string, unknown>>
}

function validationMessage({ keyword, message, params }: Violation): string {
  const extra = params?.['additionalProperty']
  if (keyword === 'additionalProperties' && typeof extra === 'string') {
    return `unknown parameter ${JSON.stringify(extra)}`
  }
  const allowed = params?.['allowedValues']
  if (Array.isArray(allowed)) return `must be one of ${allowed.join(', ')}`
  return message ?? 'is not valid'
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
): FastifyReply {
  // The path alone: a query string may hold what should not be echoed into logs and pages.
  const instance = request.url.split('?', 1)[0] ?? ''
  return reply
    .code(problem.status)
    .type(PROBLEM)
    .send(JSON.stringify({ ...problem, instance }))
}

export function handleErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const answer = explain(error)
    if (answer === undefined) {
      log.error({ err: error, method: request.method, url: request.url }, 'request failed')
    }
    const { problem, headers } = answer ?? {
      problem: document(500, 'internal', 'an error inside ribscope; its log has the details'),
      headers: {},
    }
    return sendProblem(request, reply.headers(headers), problem)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, document(404, 'not-found', 'no such resource; see /docs')),
  )
}
