import { viewOf } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { DEFAULT_MAX_MESSAGE_OCTETS } from '../bmp/framer.ts'
import { RecordBuffer } from '../records.ts'
import { toHex } from '../text/hex.ts'
import { formatIPv4, formatIPv6 } from '../text/ip.ts'
import { toText } from '../text/strings.ts'
import {
  BEFORE_ADMIN_ID,
  FIXED_OCTETS,
  FLAG_ROUTER,
  FLAG_ROUTER_IPV6,
  MAGIC,
  OBMP_BMP_RAW,
} from './header.ts'

/**
 * Header of one message on an OpenBMP bus (topic `openbmp.bmp_raw`, gobmp's raw mode, RouteViews).
 * Two framings share the name; everything the binary one has and the text one has not is '' or 0.
 */
export interface ObmpFrame {
  readonly form: 'binary' | 'text'
  /** `1.7`. */
  readonly version: string
  /** 32 hex digits; '' where there is none. */
  readonly collectorHash: string
  /** The collector's name. */
  readonly adminId: string
  /** 32 hex digits; '' where there is none. */
  readonly routerHash: string
  /** Address of the router; '' where it isn't known. */
  readonly routerIp: string
  readonly routerGroup: string
  /** OBMP_BMP_RAW, or another type, whose message is no BMP. */
  readonly objectType: number
  /** When the collector received it, microseconds since 1970; 0 where it isn't said. */
  readonly timeUs: number
  /** Octets of the header. */
  readonly headerOctets: number
  /** The message: offset of its first octet, and one past its last, in the bytes given. */
  readonly messageAt: number
  readonly messageEnd: number
}

/** The text header is five short lines; one without an end is no header. */
const MAX_TEXT_HEADER_OCTETS = 4096
const NEWLINE = 10

const BINARY_SPEC = 'OpenBMP message bus, binary header 1.7'
const TEXT_SPEC = 'OpenBMP message bus, text header'

/** Could an OpenBMP header, binary or text, begin here? Looks at four octets at most. */
export function looksLikeObmp(bytes: Uint8Array, at = 0): 'binary' | 'text' | undefined {
  const begins = (text: string): boolean => {
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
    return true
  }
  if (bytes.length - at < 3) return undefined
  if (begins('V: ')) return 'text'
  return begins('OBMP') ? 'binary' : undefined
}

/**
 * One OpenBMP message, header and payload: what one Kafka record of such a topic holds.
 *
 *   binary: magic => "OBMP", major => U8 (1), minor => U8, header_octets => U16, message_octets => U32,
 *     flags => U8 (0x80 about a router, 0x40 its address is IPv6), object_type => U8,
 *     seconds => U32, microseconds => U32, collector_hash => 16, admin_id => U16 + octets,
 *     router_hash => 16, router_ip => 16 (IPv4 in the first 4), router_group => U16 + octets,
 *     rows => U32, then up to header_octets whatever a later minor version adds; message
 *   text: lines "V: 1.7", "C_HASH_ID: hash", "R_HASH: hash" (older: "R_HASH_ID"), "R_IP: address",
 *     "L: message_octets", an empty line; message
 *
 * @param end one past the last octet there is
 * @throws DecodeError TRUNCATED when the message isn't all there; FRAMING when it is none, or its
 *   message is longer than `maxMessageOctets`
 */
export function decodeObmp(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  maxMessageOctets: number = DEFAULT_MAX_MESSAGE_OCTETS,
): ObmpFrame {
  const frame = readFrame(bytes, start, end, maxMessageOctets)
  if (typeof frame !== 'number') return frame
  throw new DecodeError('TRUNCATED', `${end - start} octets, expected ${-frame} or more`, {
    offset: start,
    length: end - start,
    path: 'openbmp',
    spec: bytes[start] === 0x56 ? TEXT_SPEC : BINARY_SPEC,
  })
}

/** The frame, or minus the octets that must be there before it can be said. */
function readFrame(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxMessageOctets: number,
): ObmpFrame | number {
  const form = looksLikeObmp(bytes.subarray(start, Math.min(end, start + 4)))
  if (form === 'text') return readText(bytes, start, end, maxMessageOctets)
  if (end - start < 4) return -4
  if (form === undefined) {
    lost(start, `0x${toHex(bytes, start, start + 4)}, expected "OBMP" or "V: "`, BINARY_SPEC)
  }
  return readBinary(bytes, start, end, maxMessageOctets)
}

function readBinary(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxMessageOctets: number,
): ObmpFrame | number {
  if (end - start < 12) return -12
  const view = viewOf(bytes)
  const major = bytes[start + 4]!
  const minor = bytes[start + 5]!
  if (view.getUint32(start) !== MAGIC || major !== 1) {
    lost(start + 4, `version ${major}.${minor}, expected 1.7`, BINARY_SPEC)
  }
  const headerOctets = view.getUint16(start + 6)
  const messageOctets = view.getUint32(start + 8)
  if (headerOctets < FIXED_OCTETS) {
    lost(start + 6, `header of ${headerOctets} octets, expected ${FIXED_OCTETS} or more`)
  }
  if (messageOctets > maxMessageOctets) lostLength(start + 8, messageOctets, maxMessageOctets)
  const total = headerOctets + messageOctets
  if (end - start < total) return -total

  const adminOctets = view.getUint16(start + 38)
  const routerAt = start + BEFORE_ADMIN_ID + adminOctets
  // Up to here 40 + N, from here 16 + 16 + 2 + M + 4.
  if (headerOctets < FIXED_OCTETS + adminOctets) {
    lost(start + 38, `admin id of ${adminOctets} octets in a header of ${headerOctets}`)
  }
  const groupOctets = view.getUint16(routerAt + 32)
  if (headerOctets < FIXED_OCTETS + adminOctets + groupOctets) {
    lost(routerAt + 32, `router group of ${groupOctets} octets in a header of ${headerOctets}`)
  }
  const flags = bytes[start + 12]!
  const messageAt = start + headerOctets
  return {
    form: 'binary',
    version: `${major}.${minor}`,
    collectorHash: hash(bytes, start + 22),
    adminId: toText(bytes, start + BEFORE_ADMIN_ID, start + BEFORE_ADMIN_ID + adminOctets),
    routerHash: hash(bytes, routerAt),
    routerIp: (flags & FLAG_ROUTER) === 0 ? '' : routerAddress(bytes, routerAt + 16, flags),
    routerGroup: toText(bytes, routerAt + 34, routerAt + 34 + groupOctets),
    objectType: bytes[start + 13]!,
    timeUs: view.getUint32(start + 14) * 1e6 + view.getUint32(start + 18),
    headerOctets,
    messageAt,
    messageEnd: messageAt + messageOctets,
  }
}

function hash(bytes: Uint8Array, at: number): string {
  for (let i = at; i < at + 16; i++) if (bytes[i] !== 0) return toHex(bytes, at, at + 16)
  return ''
}

function routerAddress(bytes: Uint8Array, at: number, flags: number): string {
  let used = 0
  for (let i = 0; i < 16; i++) if (bytes[at + i] !== 0) used = i + 1
  if (used === 0) return ''
  return (flags & FLAG_ROUTER_IPV6) !== 0 ? formatIPv6(bytes, at) : formatIPv4(bytes, at)
}

function readText(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxMessageOctets: number,
): ObmpFrame | number {
  const limit = Math.min(end, start + MAX_TEXT_HEADER_OCTETS)
  let headerEnd = -1
  for (let at = start; at + 1 < limit; at++) {
    if (bytes[at] === NEWLINE && bytes[at + 1] === NEWLINE) {
      headerEnd = at + 2
      break
    }
  }
  if (headerEnd < 0) {
    if (end - start < MAX_TEXT_HEADER_OCTETS) return -(end - start + 1)
    lost(start, `no end of the header within ${MAX_TEXT_HEADER_OCTETS} octets`, TEXT_SPEC)
  }
  const fields = new Map<string, string>()
  for (const line of toText(bytes, start, headerEnd - 2).split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) lost(start, `header line ${JSON.stringify(line)} without a colon`, TEXT_SPEC)
    fields.set(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  const type = fields.get('T') ?? 'bmp_raw'
  if (type !== 'bmp_raw') lost(start, `a parsed message (T: ${type}), expected raw BMP`, TEXT_SPEC)
  const length = fields.get('L') ?? ''
  if (!/^\d{1,10}$/.test(length)) {
    lost(start, `L: ${JSON.stringify(length)}, expected the octets of the message`, TEXT_SPEC)
  }
  const messageOctets = Number(length)
  if (messageOctets > maxMessageOctets)
    lostLength(start, messageOctets, maxMessageOctets, TEXT_SPEC)
  const total = headerEnd - start + messageOctets
  if (end - start < total) return -total
  return {
    form: 'text',
    version: fields.get('V') ?? '',
    collectorHash: fields.get('C_HASH_ID') ?? '',
    adminId: '',
    routerHash: fields.get('R_HASH') ?? fields.get('R_HASH_ID') ?? '',
    routerIp: fields.get('R_IP') ?? '',
    routerGroup: '',
    objectType: OBMP_BMP_RAW,
    timeUs: 0,
    headerOctets: headerEnd - start,
    messageAt: headerEnd,
    messageEnd: headerEnd + messageOctets,
  }
}

function lostLength(offset: number, octets: number, most: number, spec = BINARY_SPEC): never {
  lost(offset, `message of ${octets} octets, expected at most ${most}`, spec)
}

function lost(offset: number, detail: string, spec = BINARY_SPEC): never {
  throw new DecodeError('FRAMING', detail, { offset, path: 'openbmp', spec })
}

function tooLong(offset: number, detail: string): DecodeError {
  return new DecodeError('FRAMING', detail, { offset, path: 'openbmp', spec: BINARY_SPEC })
}

/**
 * @param frame  its `messageAt` and `messageEnd` are offsets in `bytes`
 * @param bytes  valid during the call
 * @param streamOffset  octets of the stream before this frame
 */
export type OnObmpFrame = (frame: ObmpFrame, bytes: Uint8Array, streamOffset: number) => void

export interface ObmpReaderOptions {
  /** A longer message is taken for lost framing. Default 1 MiB. */
  readonly maxMessageOctets?: number
}

/**
 * Cuts a file or pipe of OpenBMP messages, one after the other, into frames, whatever the chunking:
 * payloads of a Kafka topic as they were, also with the newline between them that `kcat` puts there.
 * Both framings may be mixed.
 */
export class ObmpReader {
  readonly #records: RecordBuffer
  #offset = 0
  #lost: DecodeError | undefined

  constructor(onFrame: OnObmpFrame, options: ObmpReaderOptions = {}) {
    const max = options.maxMessageOctets ?? DEFAULT_MAX_MESSAGE_OCTETS
    this.#records = new RecordBuffer((bytes, at, end, offset) => {
      this.#offset = offset
      if (bytes[at] === NEWLINE) return 1
      let frame: ObmpFrame | number
      try {
        frame = readFrame(bytes, at, end, max)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        const { detail, path, spec } = error
        throw new DecodeError('FRAMING', detail, { offset: offset + error.offset - at, path, spec })
      }
      if (typeof frame === 'number') return frame
      onFrame(frame, bytes, offset)
      this.#offset = offset + frame.messageEnd - at
      return frame.messageEnd - at
    }, tooLong)
  }

  /** Octets of an incomplete frame waiting for the rest. */
  get pending(): number {
    return this.#records.pending
  }

  /** Octets of the stream that were delivered as frames. */
  get offset(): number {
    return this.#offset
  }

  /**
   * @throws DecodeError FRAMING, `offset` in the stream, when what follows is no OpenBMP message. What
   *   came before was delivered; every further push throws the same.
   */
  push(chunk: Uint8Array): void {
    if (this.#lost !== undefined) throw this.#lost
    try {
      this.#records.push(chunk)
    } catch (error) {
      if (error instanceof DecodeError) this.#lost = error
      throw error
    }
  }
}

/** Is the message of a frame whole BMP messages, one or more, and nothing else? */
export function isWholeBmp(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (end - at >= 6) {
    const version = bytes[at]!
    const length =
      ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!) >>>
      0
    if ((version !== 3 && version !== 4) || length < 6 || length > end - at) return false
    at += length
  }
  return at === end && end > start
}
