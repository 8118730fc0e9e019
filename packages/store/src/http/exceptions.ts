/**
 * ClickHouse's errors as its HTTP interface tells them: a code, a name, a status.
 *
 * Statuses are those of exceptionCodeToHTTPStatus.cpp; codes are compared with the engine's own by a test.
 */

/** Those that are thrown here. */
export const CODES = {
  BAD_ARGUMENTS: 36,
  NOT_IMPLEMENTED: 48,
  SYNTAX_ERROR: 62,
  UNKNOWN_FORMAT: 73,
  UNKNOWN_DATABASE: 81,
  INCORRECT_DATA: 117,
  READONLY: 164,
  REQUIRED_PASSWORD: 194,
  SETTING_CONSTRAINT_VIOLATION: 452,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_IS_TOO_LARGE: 229,
  LIMIT_EXCEEDED: 290,
  ACCESS_DENIED: 497,
  AUTHENTICATION_FAILED: 516,
  UNKNOWN_EXCEPTION: 1002,
} as const

export type ErrorName = keyof typeof CODES

/** Refused before, or instead of, the engine. */
export class HttpException extends Error {
  override readonly name = 'HttpException'
  readonly code: number
  readonly type: string

  constructor(type: ErrorName, message: string) {
    super(message)
    this.type = type
    this.code = CODES[type]
  }
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

export const STATUS: ReadonlyMap<string, number> = new Map(
  (
    [
      [401, 'REQUIRED_PASSWORD'],
      [403, 'UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED SET_NON_GRANTED_ROLE ACCESS_DENIED'],
      [
        400,
        `BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_QUOTED_STRING
         CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4
         CANNOT_PARSE_IPV6 CANNOT_PARSE_INPUT_ASSERTION_FAILED CANNOT_PARSE_UUID DUPLICATE_COLUMN ILLEGAL_COLUMN
         UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE THERE_IS_NO_COLUMN TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE
         SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE`,
      ],
      [
        404,
        `UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE UNKNOWN_SETTING
         UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY
         UNKNOWN_ROLE`,
      ],
      [408, 'TIMEOUT_EXCEEDED'],
      [411, 'HTTP_LENGTH_REQUIRED'],
      [413, 'QUERY_IS_TOO_LARGE'],
      [415, 'UNSUPPORTED_MEDIA_TYPE'],
      [501, 'NOT_IMPLEMENTED'],
      [503, 'SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK'],
    ] as const
  ).flatMap(([status, types]) => words(types).map((type) => [type, status] as const)),
)

/** Whatever is not in the list is 500, as in ClickHouse. */
export const statusOf = (type: string): number => STATUS.get(type) ?? 500

export interface EngineError {
  readonly code: number
  readonly type: string
  readonly message: string
}

/** What the engine (through `@clickhouse/client`) or this package says, wherever it is wrapped. */
export function engineErrorOf(error: unknown): EngineError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const { code, type } = at as { code?: unknown; type?: unknown }
    if (typeof type !== 'string' || !/^[A-Z][A-Z0-9_]+$/.test(type)) continue
    if (/^\d+$/.test(String(code))) return { code: Number(code), type, message: at.message }
  }
  return undefined
}

/** `Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)` */
export function exceptionText({ code, type, message }: EngineError, version: string): string {
  const said = message.trim()
  const ended = /[.!?]$/.test(said) ? said : `${said}.`
  return `Code: ${code}. DB::Exception: ${ended} (${type}) (version ${version})\n`
}
