import {
  cursorOver,
  enter,
  fail,
  readU16,
  readU8,
  remaining,
  skip,
  type Cursor,
} from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import { formatIPv4 } from '../../text/ip.ts'
import { toHex } from '../../text/hex.ts'
import { BGP_HEADER_OCTETS, BGP_OPEN } from '../header.ts'
import { decodeCapabilities, type Capability } from './capabilities.ts'

const PARAMETER_CAPABILITIES = 2
const EXTENDED_MARK = 255

export interface BgpOpen {
  readonly type: 'open'
  readonly version: number
  /** The two-octet field as sent: 23456 where the number needs four. */
  readonly myAs: number
  /** The number that counts: capability 65 where present, else `myAs`. */
  readonly asn: number
  readonly holdTimeS: number
  readonly bgpId: string
  readonly capabilities: readonly Capability[]
  /** Optional parameters other than capabilities, as hex. */
  readonly otherParameters: readonly { readonly type: number; readonly raw: string }[]
}

/**
 * OPEN, RFC 4271 section 4.2; with RFC 9072 section 2 the optional parameters may be longer than 255
 * octets.
 *
 *   version => U8, my_as => U16, hold_time => U16, bgp_id => 4,
 *   opt_len => U8, ( 255 => U8, extended_len => U16 )?,
 *   { type => U8, length => U8 (extended: U16), value => length octets } 0..n
 *
 * @param c  the BGP message with its header, bounded
 * @param errors  gets what could not be read; the rest is kept
 * @throws DecodeError when there is no OPEN of 29 octets to read at all
 */
export function decodeOpen(c: Cursor, errors: DecodeError[]): BgpOpen {
  const headerAt = skip(c, BGP_HEADER_OCTETS)
  const type = c.view.getUint8(headerAt + 18)
  if (type !== BGP_OPEN) fail(c, 'BAD_VALUE', headerAt + 18, `BGP message type ${type}, expected 1`)
  const version = readU8(c)
  const myAs = readU16(c)
  const holdTimeS = readU16(c)
  const bgpId = formatIPv4(c.bytes, skip(c, 4))

  const capabilities: Capability[] = []
  const otherParameters: { type: number; raw: string }[] = []
  try {
    const { parameters, lengthOctets } = enterParameters(c, errors)
    while (remaining(parameters) > 0) {
      const code = readU8(parameters)
      const length = lengthOctets === 2 ? readU16(parameters) : readU8(parameters)
      const value = enter(parameters, length, `parameter(${code})`, 'RFC 5492 section 4')
      if (code === PARAMETER_CAPABILITIES) capabilities.push(...decodeCapabilities(value, errors))
      else otherParameters.push({ type: code, raw: toHex(c.bytes, value.pos, value.end) })
    }
    if (remaining(c) > 0)
      fail(c, 'BAD_LENGTH', c.pos, `${remaining(c)} octets after the parameters`)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  const as4 = capabilities.find((capability) => capability.kind === 'as4')
  return {
    type: 'open',
    version,
    myAs,
    asn: as4?.asn ?? myAs,
    holdTimeS,
    bgpId,
    capabilities,
    otherParameters,
  }
}

/**
 * RFC 9072 section 2: the extended form has 255 for the first parameter's type. The length before it
 * SHOULD be 255 but must not be relied on, as long as it is not 0.
 */
function enterParameters(
  c: Cursor,
  errors: DecodeError[],
): { parameters: Cursor; lengthOctets: 1 | 2 } {
  const lengthAt = c.pos
  const length = readU8(c)
  if (length !== 0 && remaining(c) >= 3 && c.view.getUint8(c.pos) === EXTENDED_MARK) {
    readU8(c)
    const extended = readU16(c)
    return { parameters: enter(c, extended, 'parameters', 'RFC 9072 section 2'), lengthOctets: 2 }
  }
  if (length > remaining(c)) {
    const detail = `optional parameters of ${length} octets, ${remaining(c)} left`
    const { path, spec } = c
    errors.push(new DecodeError('BAD_LENGTH', detail, { offset: lengthAt, length: 1, path, spec }))
  }
  // What is there is still read: only the last parameter is cut.
  return {
    parameters: enter(c, Math.min(length, remaining(c)), 'parameters', 'RFC 4271 section 4.2'),
    lengthOctets: 1,
  }
}

/** An OPEN that stands alone, header included. `errors` beside it are what was left out. */
export function parseOpen(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): {
  open: BgpOpen
  errors: DecodeError[]
} {
  const errors: DecodeError[] = []
  return {
    open: decodeOpen(cursorOver(bytes, start, end, 'open', 'RFC 4271 section 4.2'), errors),
    errors,
  }
}
