import { BMP_HEADER_OCTETS } from '../bmp/framer.ts'
import { copyOf } from '../cursor.ts'
import { couldBeBmp, detectInput, findBmpStart } from './detect.ts'
import { findIp, readSegment, Segment } from './layers.ts'
import { captureError, type PacketReader } from './packets.ts'
import { createPcapReader } from './pcap.ts'
import { createPcapngReader } from './pcapng.ts'
import { MAX_HELD_OCTETS, TcpStream } from './tcp-stream.ts'

/** One direction of a TCP connection that carries BMP. */
export interface CapturedStream {
  /** 0, 1, 2 ... in the order in which they were found. */
  readonly id: number
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  /** Time of the SYN, or of the first segment seen; microseconds since 1970. */
  readonly openedUs: number
  /** Octets at the beginning that belong to a message whose start was not captured. */
  readonly skippedOctets: number
}

/** How a stream ended; `gap`: octets are missing from the capture; `capture`: the file ended first. */
export type StreamEnd = 'fin' | 'rst' | 'gap' | 'capture'

export interface CaptureEvents {
  onOpen?(stream: CapturedStream): void
  /** Octets in stream order. `bytes` is valid during the call; the time is that of the packet that made them readable. */
  onData(stream: CapturedStream, bytes: Uint8Array, timeUs: number): void
  onEnd?(stream: CapturedStream, how: StreamEnd, timeUs: number): void
}

export interface CaptureCounts {
  packets: number
  /** TCP segments that were looked at. */
  segments: number
  /** Packets left out: IP fragments, and headers that don't add up. */
  fragments: number
  broken: number
  /** Directions with data that is no BMP. */
  otherStreams: number
}

/** Octets of a direction looked at for the beginning of BMP before it is given up. */
const SEARCH_OCTETS = 64 << 10
/** Octets looked at in all directions together. */
const MAX_WAITING_OCTETS = 64 << 20
/** Directions followed at a time; beyond that the oldest that isn't BMP is forgotten. */
const MAX_DIRECTIONS = 16_384

interface Direction {
  readonly key: string
  readonly from: Omit<CapturedStream, 'id' | 'skippedOctets'>
  /** The SYN's number; undefined when the connection was under way. */
  readonly synSequence: number | undefined
  readonly tcp: TcpStream
  /** Undecided: what came so far. */
  waiting: { readonly bytes: Uint8Array; readonly timeUs: number }[]
  waitingOctets: number
  /** Octets that must be there before it is looked at again. */
  lookAgainAt: number
  state: 'undecided' | 'bmp' | 'other' | 'ended'
  stream: CapturedStream | undefined
}

/**
 * Capture file (pcap or pcapng) -> the BMP streams in it, whatever their port. Takes the file in pieces
 * of any size; memory is bounded by the number of directions and by what waits behind holes.
 */
export class CaptureReader {
  readonly counts: CaptureCounts = {
    packets: 0,
    segments: 0,
    fragments: 0,
    broken: 0,
    otherStreams: 0,
  }
  readonly #events: CaptureEvents
  readonly #directions = new Map<string, Direction>()
  readonly #segment = new Segment()
  readonly #held = { octets: MAX_HELD_OCTETS }
  #waitingOctets = 0
  #reader: PacketReader | undefined
  #head: Uint8Array = new Uint8Array(0)
  #streams = 0
  /** Of the packet being worked on. */
  #timeUs = 0

  constructor(events: CaptureEvents) {
    this.#events = events
  }

  /** @throws DecodeError FRAMING, `offset` in the file, when it is no capture or falls apart */
  push(chunk: Uint8Array): void {
    if (this.#reader !== undefined) return this.#reader.push(chunk)
    const head = new Uint8Array(this.#head.length + chunk.length)
    head.set(this.#head)
    head.set(chunk, this.#head.length)
    this.#head = head
    if (head.length < 4) return
    const onPacket = this.#packet.bind(this)
    const kind = detectInput(head)
    if (kind === 'pcap') this.#reader = createPcapReader(onPacket)
    else if (kind === 'pcapng') this.#reader = createPcapngReader(onPacket)
    else throw captureError(0, 'neither pcap nor pcapng')
    this.#head = new Uint8Array(0)
    this.#reader.push(head)
  }

  /** The file has ended: what is still open ends with it. Returns octets of an incomplete record. */
  end(): number {
    for (const direction of this.#directions.values()) this.#finish(direction, 'capture')
    this.#directions.clear()
    return this.#reader === undefined ? this.#head.length : this.#reader.pending
  }

  #packet(linkType: number, bytes: Uint8Array, start: number, end: number, timeUs: number): void {
    this.counts.packets++
    this.#timeUs = timeUs
    const verdict = readSegment(bytes, findIp(linkType, bytes, start, end), end, this.#segment)
    if (verdict === 'fragment') this.counts.fragments++
    else if (verdict === 'broken') this.counts.broken++
    else if (verdict === 'segment') {
      this.counts.segments++
      this.#follow(bytes, this.#segment)
    }
  }

  #follow(bytes: Uint8Array, segment: Segment): void {
    const key = `${segment.source} ${segment.sourcePort} ${segment.destination} ${segment.destinationPort}`
    let direction = this.#directions.get(key)
    if (direction !== undefined && segment.syn && direction.synSequence !== segment.sequence) {
      // A new connection on the same ports.
      this.#finish(direction, 'rst')
      direction = undefined
    }
    if (direction === undefined) {
      if (!segment.syn && segment.sentOctets === 0) return
      direction = this.#open(key, segment)
    }
    if (direction.state === 'ended' || direction.state === 'other') return

    // The SYN counts as one octet, RFC 9293 section 3.4.
    const first = segment.syn ? (segment.sequence + 1) >>> 0 : segment.sequence
    const payload = bytes.subarray(segment.payloadAt, segment.payloadEnd)
    const kept = direction.tcp.segment(first, payload)
    // Octets that a snap length cut off are nowhere.
    if (!kept || payload.length < segment.sentOctets) return this.#finish(direction, 'gap')
    if (segment.fin) direction.tcp.finishAt((first + segment.sentOctets) >>> 0)
    if (segment.rst) this.#finish(direction, 'rst')
    else if (direction.tcp.finished) this.#finish(direction, 'fin')
  }

  #open(key: string, segment: Segment): Direction {
    const { source, sourcePort, destination, destinationPort } = segment
    const direction: Direction = {
      key,
      from: { source, sourcePort, destination, destinationPort, openedUs: this.#timeUs },
      synSequence: segment.syn ? segment.sequence : undefined,
      tcp: new TcpStream(this.#held, (bytes) => this.#data(direction, bytes)),
      waiting: [],
      waitingOctets: 0,
      lookAgainAt: BMP_HEADER_OCTETS,
      state: 'undecided',
      stream: undefined,
    }
    if (segment.syn) direction.tcp.startAt((segment.sequence + 1) >>> 0)
    // Newest last, so that the oldest is found first below.
    this.#directions.delete(key)
    this.#directions.set(key, direction)
    if (this.#directions.size > MAX_DIRECTIONS) this.#forgetOne()
    return direction
  }

  #forgetOne(): void {
    let oldest: Direction | undefined
    for (const candidate of this.#directions.values()) {
      oldest ??= candidate
      if (candidate.state === 'bmp') continue
      oldest = candidate
      break
    }
    if (oldest === undefined) return
    this.#finish(oldest, 'gap')
    this.#directions.delete(oldest.key)
  }

  #data(direction: Direction, bytes: Uint8Array): void {
    if (direction.state === 'bmp' && direction.stream !== undefined) {
      this.#events.onData(direction.stream, bytes, this.#timeUs)
    } else if (direction.state === 'undecided') {
      direction.waiting.push({ bytes: copyOf(bytes), timeUs: this.#timeUs })
      direction.waitingOctets += bytes.length
      this.#waitingOctets += bytes.length
      if (direction.waitingOctets >= direction.lookAgainAt) this.#decide(direction, false)
    }
  }

  /** Is it BMP? `last`: nothing more will come. */
  #decide(direction: Direction, last: boolean): void {
    const octets = direction.waitingOctets
    if (direction.state !== 'undecided' || octets === 0) return
    const head = new Uint8Array(octets)
    let at = 0
    for (const { bytes } of direction.waiting) {
      head.set(bytes, at)
      at += bytes.length
    }
    const plausible = octets >= BMP_HEADER_OCTETS && couldBeBmp(head, 0)
    const fromStart = direction.synSequence !== undefined
    // In the middle of a connection a single header proves little; at the end it has to do.
    let start = fromStart ? (plausible ? 0 : -1) : findBmpStart(head)
    if (start < 0 && last && plausible) start = 0
    if (start >= 0) return this.#begin(direction, start)
    const hopeless =
      fromStart || octets >= SEARCH_OCTETS || this.#waitingOctets > MAX_WAITING_OCTETS
    if (last || hopeless) {
      direction.state = 'other'
      this.counts.otherStreams++
      this.#release(direction)
    } else direction.lookAgainAt = 2 * octets
  }

  #begin(direction: Direction, start: number): void {
    const stream: CapturedStream = { id: this.#streams++, ...direction.from, skippedOctets: start }
    direction.state = 'bmp'
    direction.stream = stream
    this.#events.onOpen?.(stream)
    let skip = start
    for (const { bytes, timeUs } of direction.waiting) {
      const cut = Math.min(skip, bytes.length)
      skip -= cut
      if (cut < bytes.length) this.#events.onData(stream, bytes.subarray(cut), timeUs)
    }
    this.#waitingOctets -= direction.waitingOctets
    direction.waiting = []
    direction.waitingOctets = 0
  }

  /** @param how  unless octets are missing, which counts more */
  #finish(direction: Direction, how: StreamEnd): void {
    this.#decide(direction, true)
    if (direction.state === 'bmp' && direction.stream !== undefined) {
      const end = direction.tcp.hasHole ? 'gap' : how
      this.#events.onEnd?.(direction.stream, end, this.#timeUs)
    }
    direction.state = 'ended'
    this.#release(direction)
  }

  #release(direction: Direction): void {
    this.#waitingOctets -= direction.waitingOctets
    direction.waiting = []
    direction.waitingOctets = 0
    direction.tcp.drop()
  }
}

/** Everything of a capture at once; for small files and tests. */
export function readCapture(bytes: Uint8Array): {
  streams: (CapturedStream & {
    readonly chunks: readonly { readonly bytes: Uint8Array; readonly timeUs: number }[]
    readonly end: StreamEnd
  })[]
  counts: CaptureCounts
} {
  const open = new Map<number, { bytes: Uint8Array; timeUs: number }[]>()
  const ends = new Map<number, StreamEnd>()
  const found: CapturedStream[] = []
  const reader = new CaptureReader({
    onOpen: (stream) => {
      found.push(stream)
      open.set(stream.id, [])
    },
    onData: (stream, data, timeUs) => open.get(stream.id)?.push({ bytes: copyOf(data), timeUs }),
    onEnd: (stream, how) => ends.set(stream.id, how),
  })
  reader.push(bytes)
  reader.end()
  const streams = found.map((stream) => ({
    ...stream,
    chunks: open.get(stream.id) ?? [],
    end: ends.get(stream.id) ?? 'capture',
  }))
  return { streams, counts: reader.counts }
}
