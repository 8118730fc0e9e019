/**
 * What is fuzzed, and what must hold for every input: a decoder that throws anything but DecodeError, reads
 * beyond its bounds, gives different answers for the same octets or more output than `MAX_FACTOR` allows has a
 * bug. A target throws for that, whatever it throws.
 */
import {
  BmpFramer,
  CaptureReader,
  DecodeError,
  MrtDecoder,
  MrtReader,
  MrtToBmp,
  ObmpReader,
  PeerCodec,
  PeerHeader,
  UpdateIndex,
  decodeBmpMessage,
  decodeObmp,
  isWholeBmp,
  formatEvpnNlri,
  formatPrefix,
  formatRd,
  labelNumber,
  parseBgpMessage,
  parseUpdate,
  updatePduAt,
  v4CodecOf,
  viewOf,
  walkNlri,
  type BgpMessage,
  type Capability,
  type FamilyNlri,
  type NlriField,
  type NlriSink,
} from '@ribscope/wire'
import { CountSink, JSON_TABLES, JsonSink, NativeSink, RouterSession } from '@ribscope/events'
import { type Features } from './features.ts'
import { hashBytes, Random } from './random.ts'
import { cutBgp, cutBmp, cutMrt } from './tree.ts'
import { joined, mutateBytes, mutateMessage, mutateStream } from './mutate.ts'

/** JSON octets per octet of a message, beside `FREE_OCTETS`: an IPv4 default route is 1 octet on the wire. */
export const MAX_FACTOR = 256
export const FREE_OCTETS = 64 << 10

export interface Target {
  readonly name: string
  /** Cuts a seed file into inputs of this target. */
  seeds(file: Uint8Array, kind: SeedKind): Uint8Array[]
  mutate(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array
  /** @throws what it finds wrong */
  run(bytes: Uint8Array, features: Features): void
}

export type SeedKind = 'bmp' | 'bgp' | 'capture' | 'mrt' | 'obmp'

class Broken extends Error {
  override readonly name = 'Broken'
}

function check(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what())
}

/** The same octets in the midst of others: nobody may see those. */
function surrounded(bytes: Uint8Array, poison: number): Uint8Array {
  const wide = new Uint8Array(bytes.length + 128).fill(poison)
  wide.set(bytes, 64)
  return wide
}

function checkSize(text: string, octets: number): void {
  check(
    text.length <= MAX_FACTOR * octets + FREE_OCTETS,
    () => `${text.length} octets of JSON from a message of ${octets}`,
  )
}

/** Why two JSON texts are not the same: where they part. */
function checkSame(one: string, other: string, what: string): void {
  if (one === other) return
  let at = 0
  while (one[at] === other[at]) at++
  const from = Math.max(0, at - 60)
  throw new Broken(`${what}:\n  ${one.slice(from, at + 60)}\n  ${other.slice(from, at + 60)}`)
}

const FAMILIES: readonly (readonly [number, number])[] = [
  [1, 1],
  [2, 1],
  [1, 2],
  [1, 4],
  [2, 4],
  [1, 128],
  [2, 128],
  [25, 70],
  [1, 133],
  [16388, 71],
]

function codec(as4: boolean, addPath: boolean): PeerCodec {
  const capabilities: Capability[] = []
  if (as4)
    capabilities.push({ kind: 'as4', code: 65, asn: 65000, raw: '' } as unknown as Capability)
  if (addPath) {
    const families = FAMILIES.map(([afi, safi]) => ({ afi, safi, family: '', sendReceive: 3 }))
    capabilities.push({ kind: 'add_path', code: 69, families, raw: '' } as unknown as Capability)
  }
  return PeerCodec.fromOpens({ capabilities }, { capabilities })
}

const CODECS = [undefined, codec(true, false), codec(true, true), codec(false, true)]

/**
 * Decoders reuse what they read with. Each decode of an input comes after one of these, another each time, so
 * that what is left over of an earlier message shows, and shows again when the input is run alone.
 */
const BEFORE = [
  // Announcements with next hops of 48 and 16 octets, withdrawals, attributes of every sort, IPv4 NLRI.
  updateOf(
    [24, 10, 0, 0],
    [
      ...attribute(0x40, 1, [0]),
      ...attribute(0x40, 2, [2, 1, 0, 0, 0xff, 0xfa]),
      ...attribute(0x40, 3, [192, 0, 2, 1]),
      ...attribute(0x80, 4, [0, 0, 0, 7]),
      ...attribute(0x40, 5, [0, 0, 0, 100]),
      ...attribute(0xc0, 7, [0, 0, 0xff, 0xfa, 192, 0, 2, 9]),
      ...attribute(0xc0, 8, [0xfd, 0xe8, 0, 1]),
      ...attribute(0x80, 9, [192, 0, 2, 2]),
      ...attribute(0x80, 10, [192, 0, 2, 3]),
      ...attribute(0x80, 15, [
        0,
        1,
        128,
        88 + 24,
        128,
        0,
        0,
        0,
        0,
        0xfd,
        0xe8,
        0,
        0,
        0,
        1,
        10,
        1,
        1,
      ]),
      ...attribute(0x80, 14, [
        0,
        2,
        128,
        48,
        ...Array<number>(48).fill(0x2a),
        0,
        88,
        0,
        6,
        0x41,
        ...Array<number>(8).fill(1),
      ]),
      ...attribute(0x80, 14, [0, 2, 1, 32, ...Array<number>(32).fill(0xfe), 0, 16, 0x20, 1]),
      ...attribute(0xc0, 16, [0, 2, 0xfd, 0xe8, 0, 0, 0, 100]),
      ...attribute(0xc0, 32, [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]),
    ],
    [24, 10, 1, 1],
  ),
  // Nothing but a withdrawal.
  updateOf([], attribute(0x80, 15, [0, 2, 1, 32, 0x20, 1, 0x0d, 0xb8]), []),
]

function attribute(flags: number, type: number, value: readonly number[]): number[] {
  return [flags | 0x10, type, value.length >> 8, value.length & 255, ...value]
}

function updateOf(
  withdrawn: readonly number[],
  attributes: readonly number[],
  nlri: readonly number[],
): Uint8Array {
  const size = (octets: readonly number[]): number[] => [octets.length >> 8, octets.length & 255]
  const body = [2, ...size(withdrawn), ...withdrawn, ...size(attributes), ...attributes, ...nlri]
  const octets = 18 + body.length
  return new Uint8Array([...Array<number>(16).fill(255), octets >> 8, octets & 255, ...body])
}

function disturb(which: 0 | 1): void {
  parseBgpMessage(BEFORE[which]!, 0, BEFORE[which]!.length, { codec: CODECS[which] })
}

// --- routes of the hot path -----------------------------------------------------------------------

/** The hot path's routes in the words of the friendly decoder. */
class TextSink implements NlriSink {
  routes: string[] = []
  field: NlriField | undefined

  prefix(
    bytes: Uint8Array,
    at: number,
    bits: number,
    pathId: number,
    labelsAt: number,
    labelCount: number,
    rdAt: number,
  ): void {
    const labels: number[] = []
    for (let i = 0; i < labelCount; i++) labels.push(labelNumber(bytes, labelsAt + 3 * i))
    const rd = rdAt < 0 ? '' : `${formatRd(bytes, rdAt)}:`
    const prefix = formatPrefix(bytes, at, bits, this.field?.afi === 2)
    this.routes.push(`${rd}${prefix} ${labels.join()} ${this.#id(pathId)}`)
  }

  evpn(bytes: Uint8Array, routeType: number, start: number, end: number, pathId: number): void {
    this.routes.push(`${formatEvpnNlri(bytes, routeType, start, end)} ${this.#id(pathId)}`)
  }

  family(_bytes: Uint8Array, nlri: FamilyNlri, _start: number, _end: number, pathId: number): void {
    this.routes.push(`${nlri.route.nlri} ${this.#id(pathId)}`)
  }

  opaque(): void {
    this.routes.push('opaque')
  }

  #id(pathId: number): string {
    return this.field?.addPath === true ? String(pathId) : 'null'
  }
}

const index = new UpdateIndex()
const textSink = new TextSink()

function hotRoutes(
  bytes: Uint8Array,
  start: number,
  end: number,
  known: PeerCodec | undefined,
  header: PeerHeader | undefined,
): { routes: string; errors: number } {
  index.read(bytes, viewOf(bytes), start, end, known, header)
  textSink.routes = []
  for (let i = 0; i < index.fieldCount; i++) {
    textSink.field = index.fields[i]!
    walkNlri(index, textSink.field, textSink)
  }
  return { routes: textSink.routes.join('\n'), errors: index.errors.length }
}

function friendlyRoutes(update: BgpMessage & { type: 'update' }): string {
  const lines: string[] = []
  for (const { routes } of [...update.withdrawn, ...update.announced]) {
    for (const route of routes) {
      if (route.kind === 'opaque') lines.push('opaque')
      else if (route.kind === 'prefix')
        lines.push(`${route.nlri} ${route.labels.join()} ${route.pathId}`)
      else lines.push(`${route.nlri} ${'pathId' in route ? route.pathId : 'null'}`)
    }
  }
  return lines.join('\n')
}

// --- targets --------------------------------------------------------------------------------------

const bgp: Target = {
  name: 'bgp',
  seeds: (file, kind) => {
    if (kind === 'bgp') return cutBgp(file)
    if (kind !== 'bmp') return []
    return cutBmp(file).flatMap((message) => {
      // What is inside: UPDATEs behind the per-peer header, OPENs and NOTIFICATIONs behind that.
      for (const at of [48, 49, 54, 68]) {
        const rest = message.subarray(at)
        if (rest.length >= 19 && rest.subarray(0, 16).every((octet) => octet === 0xff)) {
          return cutBgp(rest).filter((piece) => piece.length >= 19)
        }
      }
      return []
    })
  },
  mutate: (bytes, others, random) => mutateMessage(bytes, 'bgp', others, random),
  run(bytes, features) {
    const hash = hashBytes(bytes)
    const known = CODECS[hash % CODECS.length]
    disturb(0)
    const { message, errors } = parseBgpMessage(bytes, 0, bytes.length, { codec: known })
    const text = JSON.stringify({ message, errors })
    features.walk(message)
    features.walk(errors)
    checkSize(text, bytes.length)
    const wide = surrounded(bytes, hash & 0x100 ? 0 : 0xff)
    disturb(1)
    const again = parseBgpMessage(wide, 64, 64 + bytes.length, { codec: known })
    checkSame(text, JSON.stringify(again), 'what is around the message shows')
    if (message?.type !== 'update') return
    // The hot path takes all there is for a length below that of an UPDATE; here the length rules.
    const end = 64 + ((bytes[16]! << 8) | bytes[17]!)
    const hot = hotRoutes(wide, 64, end, known, undefined)
    checkSame(friendlyRoutes(message), hot.routes, 'hot path and friendly face differ')
    JSON.stringify(parseUpdate(bytes))
  },
}

const bmp: Target = {
  name: 'bmp',
  seeds: (file, kind) => (kind === 'bmp' ? cutBmp(file) : []),
  mutate: (bytes, others, random) => mutateMessage(bytes, 'bmp', others, random),
  run(bytes, features) {
    const hash = hashBytes(bytes)
    const known = CODECS[hash % CODECS.length]
    const options = { codecOf: () => known }
    disturb(0)
    const message = decodeBmpMessage(bytes, 0, bytes.length, options)
    const text = JSON.stringify(message)
    features.walk(message)
    checkSize(text, bytes.length)
    const wide = surrounded(bytes, hash & 0x100 ? 0 : 0xff)
    const end = 64 + bytes.length
    disturb(1)
    const again = JSON.stringify(decodeBmpMessage(wide, 64, end, options))
    checkSame(text, again, 'what is around the message shows')
    if (message.kind !== 'route_monitoring' || message.update === null) return
    const header = new PeerHeader()
    header.read(wide, viewOf(wide), 64 + 6, end)
    const pdu = updatePduAt(wide, viewOf(wide), 64, end)
    check(pdu >= 64, () => 'the friendly face finds an UPDATE, the hot path none')
    const own = wide[64] === 3 ? known : v4CodecOf(wide, viewOf(wide), 64, end, known)
    const hot = hotRoutes(wide, pdu, end, own, header)
    checkSame(friendlyRoutes(message.update), hot.routes, 'hot path and friendly face differ')
  },
}

const OPENED_US = 1_700_000_000_000_000
const PEERS = 8

interface Rows {
  readonly lines: string
  readonly session: RouterSession
}

function jsonRows(pieces: readonly Uint8Array[]): Rows {
  const parts: string[] = []
  const sink = new JsonSink({
    write: (lines, release) => {
      parts.push(Buffer.from(lines).toString('latin1'))
      release()
    },
    tables: new Set(JSON_TABLES),
    withTable: true,
  })
  const session = openSession(sink)
  play(session, pieces)
  sink.flush()
  return { lines: parts.join(''), session }
}

function openSession(out: JsonSink | NativeSink | CountSink): RouterSession {
  const limits = { peers: PEERS, views: 16 }
  return new RouterSession({
    collector: 'fuzz',
    source: '192.0.2.1',
    openedUs: OPENED_US,
    out,
    limits,
  })
}

function play(session: RouterSession, pieces: readonly Uint8Array[]): void {
  for (const piece of pieces) {
    session.push(piece, OPENED_US + 1_000_000)
    if (pieces.length > 1) piece.fill(0xff)
  }
  session.tick(OPENED_US + 9_000_000)
  session.end('fin', OPENED_US + 400_000_000)
}

/** The stream in pieces of memory of their own, the same for the same octets. */
function chunked(bytes: Uint8Array, hash: number): Uint8Array[] {
  const random = new Random(hash)
  const most = random.pick([1, 7, 64, 1500, 65_536])
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + random.below(most)
    const wide = surrounded(bytes.subarray(at, next), 0xff)
    const buffer = hash % 2 === 0 ? wide : Buffer.from(wide.buffer)
    pieces.push(buffer.subarray(64, -64))
    at = next
  }
  return pieces
}

const session: Target = {
  name: 'session',
  seeds: (file, kind) => {
    if (kind !== 'bmp') return []
    const messages = cutBmp(file)
    const streams: Uint8Array[] = []
    for (let i = 0; i < messages.length; i += 24) streams.push(joined(...messages.slice(i, i + 24)))
    return streams
  },
  mutate: (bytes, others, random) =>
    mutateStream(cutBmp(bytes), others.length === 0 ? [] : cutBmp(random.pick(others)), random),
  run(bytes, features) {
    const whole = jsonRows([bytes])
    const pieces = jsonRows(chunked(bytes, hashBytes(bytes)))
    checkSame(whole.lines, pieces.lines, 'chunking shows')
    const { counters } = whole.session
    const rows = whole.lines.split('\n').slice(0, -1)
    let routes = 0
    let errors = 0
    const seqs = new Set<number>()
    for (const line of rows) {
      const row = JSON.parse(line) as Record<string, unknown>
      features.walk(row)
      if (row['table'] === 'route_events') {
        routes++
        features.add(`${String(row['afi'])} ${JSON.stringify(row['decode_errors'])}`)
      }
      if (row['table'] === 'route_errors') errors++
      seqs.add(row['seq'] as number)
    }
    const told = counters.announced + counters.withdrawn
    check(routes === told, () => `${routes} rows, ${told} routes counted`)
    check(errors === counters.errors, () => `${errors} error rows, ${counters.errors} counted`)
    check(seqs.size === rows.length, () => `${rows.length} rows with ${seqs.size} numbers`)
    check(whole.session.rows === rows.length, () => `${whole.session.rows} rows numbered`)
    check(whole.session.peers <= PEERS, () => `${whole.session.peers} peers`)
    const native = new NativeSink({ maxRows: 64 })
    const packed = openSession(native)
    play(packed, [bytes])
    const batched = native.flush().reduce((sum, batch) => sum + batch.rows, 0)
    check(batched === rows.length, () => `${batched} rows packed, ${rows.length} as JSON`)
    const counting = openSession(new CountSink())
    play(counting, [bytes])
    checkSame(
      JSON.stringify(counting.counters),
      JSON.stringify(counters),
      'counting counts otherwise',
    )
  },
}

const capture: Target = {
  name: 'capture',
  seeds: (file, kind) => (kind === 'capture' ? [file] : []),
  mutate: (bytes, others, random) => {
    let result = bytes
    for (let i = 0, n = 1 + random.below(5); i < n; i++)
      result = mutateBytes(result, others, random)
    return result.subarray(0, 1 << 17)
  },
  run(bytes, features) {
    const whole = captured([bytes])
    features.walk(JSON.parse(whole))
    checkSame(whole, captured(chunked(bytes, hashBytes(bytes))), 'chunking shows')
  },
}

/** The streams of a capture and what became of the file, as JSON. */
function captured(pieces: readonly Uint8Array[]): string {
  const streams: { at: unknown; octets: number; hash: number; end: string }[] = []
  let code = ''
  const reader = new CaptureReader({
    onOpen: (stream) => {
      streams[stream.id] = { at: { ...stream }, octets: 0, hash: 0, end: '' }
    },
    onData: (stream, bytes) => {
      const own = streams[stream.id]!
      own.octets += bytes.length
      for (const octet of bytes) own.hash = (Math.imul(own.hash, 31) + octet) | 0
    },
    onEnd: (stream, how) => {
      streams[stream.id]!.end = how
    },
  })
  let rest = -1
  try {
    for (const piece of pieces) {
      reader.push(piece)
      // Nobody may still look at a chunk that was dealt with.
      if (pieces.length > 1) piece.fill(0xff)
    }
    rest = reader.end()
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    code = `${error.code} ${error.path} ${error.offset}`
  }
  return JSON.stringify({ streams, code, rest, kind: reader.counts })
}

/** Pushes the pieces, each with other octets in its place afterwards. @returns how the stream ended */
function pushAll(
  reader: { push(chunk: Uint8Array): void; readonly pending: number; readonly offset: number },
  pieces: readonly Uint8Array[],
): string {
  try {
    for (const piece of pieces) {
      reader.push(piece)
      if (pieces.length > 1) piece.fill(0xff)
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return `${error.code} ${error.path} ${error.offset}`
  }
  return `${reader.pending} left at ${reader.offset}`
}

/** Records of an MRT file, and the BMP that they amount to with the rows that it gives. */
function mrtRecords(pieces: readonly Uint8Array[]): { text: string; records: unknown[] } {
  const records: unknown[] = []
  const decoder = new MrtDecoder()
  const bmpPieces: Uint8Array[] = []
  const events: string[] = []
  const bmpOf = new MrtToBmp({
    onOpen: (source) => events.push(JSON.stringify(source)),
    onData: (bytes, timeUs) => {
      bmpPieces.push(new Uint8Array(bytes))
      events.push(`${bytes.length} at ${timeUs}`)
    },
    onError: (error) => events.push(error.message),
    onOther: ({ type, subtype }) => events.push(`${type} ${subtype}`),
  })
  const reader = new MrtReader((header, bytes, offset) => {
    records.push(decoder.decode(header, bytes))
    bmpOf.record(header, bytes, offset)
  })
  const end = pushAll(reader, pieces)
  bmpOf.flush()
  const framed: number[] = []
  const framer = new BmpFramer((_bytes, from, to) => framed.push(to - from))
  for (const piece of bmpPieces) framer.push(piece)
  check(framer.pending === 0, () => `${framer.pending} octets of BMP made from MRT are no message`)
  return { text: JSON.stringify({ records, events, end, framed }), records }
}

const mrt: Target = {
  name: 'mrt',
  seeds: (file, kind) => (kind === 'mrt' ? cutMrt(file) : []),
  mutate: (bytes, others, random) => {
    const records = cutMrt(bytes)
    const rounds = 1 + random.below(3)
    for (let i = 0; i < rounds && records.length > 0; i++) {
      const at = random.below(records.length)
      if (random.oneIn(3) && others.length > 0) {
        records.splice(at, random.below(2), ...cutMrt(random.pick(others)).slice(0, 4))
      } else records[at] = mutateMessage(records[at]!, 'mrt', others, random)
    }
    return joined(...records).subarray(0, 1 << 17)
  },
  run(bytes, features) {
    const whole = mrtRecords([bytes])
    features.walk(whole.records)
    // An entry of a table refers to the peers of another record: the size of those is not bounded by its own.
    checkSize(whole.text, 4 * bytes.length)
    checkSame(whole.text, mrtRecords(chunked(bytes, hashBytes(bytes))).text, 'chunking shows')
  },
}

function obmpFrames(pieces: readonly Uint8Array[]): string {
  const frames: unknown[] = []
  const reader = new ObmpReader((frame, bytes, offset) => {
    const { messageAt, messageEnd, ...rest } = frame
    const whole = isWholeBmp(bytes, messageAt, messageEnd)
    frames.push({ ...rest, offset, octets: messageEnd - messageAt, kind: String(whole) })
    for (const at of [bytes[messageAt], bytes[messageEnd - 1]]) {
      check(messageEnd === messageAt || at !== undefined, () => 'a frame beyond the bytes')
    }
  })
  const end = pushAll(reader, pieces)
  return JSON.stringify({ frames, end })
}

const obmp: Target = {
  name: 'obmp',
  seeds: (file, kind) => (kind === 'obmp' ? [file] : []),
  mutate: (bytes, others, random) => {
    let result = bytes
    for (let i = 0, n = 1 + random.below(4); i < n; i++)
      result = mutateBytes(result, others, random)
    return result.subarray(0, 1 << 16)
  },
  run(bytes, features) {
    const whole = obmpFrames([bytes])
    features.walk(JSON.parse(whole))
    checkSize(whole, bytes.length)
    checkSame(whole, obmpFrames(chunked(bytes, hashBytes(bytes))), 'chunking shows')
    try {
      decodeObmp(bytes)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      features.add(error.path)
    }
  },
}

export const TARGETS: readonly Target[] = [bmp, bgp, session, capture, mrt, obmp]
