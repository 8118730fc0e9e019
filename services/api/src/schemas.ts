/**
 * JSON schemas of requests and answers: requests are checked against them, OpenAPI is made of them, and tests hold real answers
 * to them. Answers may have more keys than are listed.
 */
export interface Schema {
  readonly [key: string]: unknown
}

export const string: Schema = { type: 'string' }
export const integer: Schema = { type: 'integer' }
export const number: Schema = { type: 'number' }
export const boolean: Schema = { type: 'boolean' }
export const time: Schema = {
  type: 'string',
  description: 'RFC 3339, UTC, microseconds',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$',
}
export const key64: Schema = {
  type: 'string',
  pattern: '^\\d+$',
  description: '64-bit number as text',
}

export const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })
export const list = (items: Schema): Schema => ({ type: 'array', items })
export const about = (schema: Schema, description: string): Schema => ({ ...schema, description })

/** All of the given properties are there; others may be. */
export const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: true,
})

export const page = (items: Schema): Schema =>
  object({ items: list(items), next: about(nullable(string), 'cursor of the next page, or null') })

export const problem: Schema = {
  type: 'object',
  description: 'RFC 9457',
  properties: {
    type: string,
    title: string,
    status: integer,
    detail: string,
    instance: string,
    errors: list(object({ where: string, message: string })),
  },
  required: ['type', 'title', 'status'],
}

/** @param parameters of the query string; unknown ones are refused, so that a typing error is no silent "all" */
export const query = (parameters: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties: parameters,
  additionalProperties: false,
})

const word = (description: string): Schema => ({ type: 'string', maxLength: 255, description })

export const wordsOf = (description: string): Schema => ({
  type: 'array',
  items: { type: 'string', maxLength: 512 },
  maxItems: 64,
  description: `${description}; several: repeated or with commas`,
})

export const limit = (max: number): Schema => ({
  type: 'integer',
  minimum: 1,
  maximum: max,
  default: 100,
  description: 'rows of a page',
})

export const parameters = {
  cursor: { type: 'string', maxLength: 4096, description: '`next` of the page before' },
  from: word('RFC 3339: nothing that ended before'),
  to: word('RFC 3339: nothing that began later'),
  at: word('RFC 3339: as it was then'),
  router: word('name of fabric.yaml, sysName or source address'),
  node: word('name of fabric.yaml, else BGP identifier'),
  vrf: word('name of the VRF'),
  site: word('site of fabric.yaml'),
  prefix: word('PREFIX/LENGTH; an address alone is a host'),
} as const satisfies Record<string, Schema>

/** Answers that every route may give. */
export const failures = {
  '4xx': { description: 'Problem', content: { 'application/problem+json': { schema: problem } } },
  '5xx': { description: 'Problem', content: { 'application/problem+json': { schema: problem } } },
} as const

/** What every route says of itself. */
export const route = (
  tag: string,
  summary: string,
  answer: Schema,
  rest: Readonly<Record<string, unknown>> = {},
): Schema => ({
  tags: [tag],
  summary,
  response: { 200: { description: summary, ...answer }, ...failures },
  ...rest,
})
