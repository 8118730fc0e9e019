import { toHex } from './text/hex.ts'

/** What is wrong with the bytes. A literal union, so that a switch over it is checked. */
export type DecodeCode =
  | 'TRUNCATED'
  | 'BAD_LENGTH'
  | 'BAD_VALUE'
  | 'BAD_FLAGS'
  | 'MISSING'
  | 'DUPLICATE'
  | 'UNSUPPORTED'
  | 'FRAMING'

/**
 * What a BGP speaker would do about it (RFC 7606 section 2). We only observe: whatever it says here,
 * routes that can still be told apart are kept.
 */
export type Handling = 'attribute-discard' | 'treat-as-withdraw' | 'session-reset' | 'none'

export interface DecodeErrorInfo {
  /** Absolute octet of the offending field in the bytes given to the decoder. */
  readonly offset: number
  /** Octets of the offending field, as far as they are there; 0 where nothing is. */
  readonly length?: number
  /** Where in the message, outermost first: `mp_reach.nlri.evpn(2)`. */
  readonly path: string
  /** The clause it breaks: `RFC 7432 section 7.2`. */
  readonly spec: string
  readonly handling?: Handling
}

/**
 * The network gave bad bytes. Anything else that a decoder throws is a bug of ours.
 *
 * Carries no stack: a hostile sender can cause as many of these as it likes, and where in our code
 * it was noticed tells nothing that `path` and `spec` don't.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code: DecodeCode
  readonly offset: number
  readonly length: number
  readonly path: string
  readonly spec: string
  readonly handling: Handling
  /** The message without place and clause: `MAC length 32 bits, expected 48`. */
  readonly detail: string

  constructor(code: DecodeCode, detail: string, info: DecodeErrorInfo) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(describeError(info.path, info.offset, detail, info.spec))
    Error.stackTraceLimit = limit
    this.code = code
    this.detail = detail
    this.offset = info.offset
    this.length = info.length ?? 0
    this.path = info.path
    this.spec = info.spec
    this.handling = info.handling ?? 'none'
  }

  toJSON(): Omit<DecodeErrorReport, 'raw'> {
    const { code, message, offset, length, path, spec, handling } = this
    return { code, message, offset, length, path, spec, handling }
  }
}

/** A DecodeError as plain data, with the bytes it is about. */
export interface DecodeErrorReport {
  readonly code: DecodeCode
  readonly message: string
  /** From the first octet of the message. */
  readonly offset: number
  readonly length: number
  readonly path: string
  readonly spec: string
  readonly handling: Handling
  /** The offending octets as hex, at most MAX_REPORTED_OCTETS. */
  readonly raw: string
}

export const MAX_REPORTED_OCTETS = 4096

/**
 * An error as plain data, with the octets it is about.
 *
 * @param bytes  what was decoded
 * @param start  first octet of the message that `error.offset` is to be counted from
 */
export function reportError(
  error: DecodeError,
  bytes: Uint8Array,
  start: number,
): DecodeErrorReport {
  const { code, detail, length, path, spec, handling } = error
  const from = error.offset
  const end = Math.min(bytes.length, from + Math.min(length, MAX_REPORTED_OCTETS))
  const offset = from - start
  const message = describeError(path, offset, detail, spec)
  return { code, message, offset, length, path, spec, handling, raw: toHex(bytes, from, end) }
}

function describeError(path: string, offset: number, detail: string, spec: string): string {
  return `${path} at octet ${offset}: ${detail} (${spec})`
}
