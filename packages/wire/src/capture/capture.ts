import { BMP_HEADER_OCTETS } from '../bmp/framer.ts'
import { copyOf } from '../cursor.ts'
import { couldBeBmp, detectInput, findBmpStart } from './detect.ts'
import { Fragments } from './fragments.ts'
import { findIp, readSegment, Segment } from './layers.ts'
import { captureError, NO_LINK_TYPE, type PacketReader } from './packets.ts'
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
  /** IP fragments; a segment when the last of its datagram came. */
  fragments: number
  /** Packets left out: headers that don't add up. */
  broken: number
  /** Directions with data that is no BMP. */
  otherStreams: number
}

/** Octets of a direction looked at for the beginning of BMP before it is given up. */
const SEARCH_OCTETS = 64 << 10
/** Octets looked at in all directions together. */
const MAX_WAITING_OCTETS = 64 << 20
/** How long octets that were acknowledged may be late: captures of several queues are not quite in order. */
const LATE_US = 1_000_000
/** Directions followed at a time; beyond that the oldest that isn't BMP is forgotten. */
const MAX_DIRECTIONS = 16_384

interface Direction {
  readonly key: string
  from: Omit<CapturedStream, 'id' | 'skippedOctets'>
  /** The SYN's number; undefined when the connection was under way. */
  readonly synSequence: number | undefined
  /** Its first octet is the connection's. */
  whole: boolean
  readonly tcp: TcpStream
  /** Undecided: what came so far. */
  waiting: { readonly bytes: Uint8Array; readonly timeUs: number }[]
  waitingOctets: number
  /** Octets that must be there before it is looked at again. */
  lookAgainAt: number
  state: 'undecided' | 'bmp' | 'other' | 'ended'
  stream: CapturedStream | undefined
  /** The octet that is due, and since when the other side is known to have it. */
  lost: { readonly next: number | undefined; readonly sinceUs: number } | undefined
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
  readonly #fragments = new Fragments()
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
    const segment = this.#segment
    const ipAt = findIp(linkType, bytes, start, end)
    const verdict = readSegment(bytes, ipAt, end, segment, this.#fragments, timeUs)
    // The last fragment of a datagram is a segment in other bytes.
    if (verdict === 'fragment' || (verdict === 'segment' && segment.bytes !== bytes))
      this.counts.fragments++
    if (verdict === 'broken' || linkType === NO_LINK_TYPE) this.counts.broken++
    else if (verdict === 'segment') {
      this.counts.segments++
      this.#follow(segment)
      // Looked up only where something is held: it is as dear as the segment itself.
      if (segment.ack && this.#held.octets < MAX_HELD_OCTETS) this.#acknowledge(segment)
    }
  }

  #follow(segment: Segment): void {
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
    const payload = segment.bytes.subarray(segment.payloadAt, segment.payloadEnd)
    while (!direction.tcp.segment(first, payload, this.#timeUs)) {
      // No room: what is missing has been missing for long. One direction may have taken all of it.
      if (!direction.tcp.hasHole) return this.#finish(direction, 'gap')
      this.#skipHole(direction)
    }
    // Octets that a snap length cut off are nowhere, and there will be more such packets.
    if (payload.length < segment.sentOctets) return this.#finish(direction, 'gap')
    if (segment.fin) direction.tcp.finishAt((first + segment.sentOctets) >>> 0)
    if (segment.rst) this.#finish(direction, 'rst')
    else if (direction.tcp.finished) this.#finish(direction, 'fin')
  }

  /** The other side has received octets that were not captured: they won't come. */
  #acknowledge(segment: Segment): void {
    const key = `${segment.destination} ${segment.destinationPort} ${segment.source} ${segment.sourcePort}`
    const direction = this.#directions.get(key)
    if (direction === undefined || !direction.tcp.isLost(segment.acknowledged)) return
    const { next } = direction.tcp
    const { lost } = direction
    if (lost?.next !== next) direction.lost = { next, sinceUs: this.#timeUs }
    else if (lost !== undefined && this.#timeUs - lost.sinceUs > LATE_US) this.#skipHole(direction)
  }

  /** What comes behind the hole is another stream, as of a session under way. */
  #skipHole(direction: Direction): void {
    this.#decide(direction, true)
    if (direction.stream !== undefined) {
      this.#events.onEnd?.(direction.stream, 'gap', this.#timeUs)
    }
    this.#release(direction)
    const nowUs = this.#timeUs
    direction.tcp.skipHole((timeUs) => {
      // That is when it was received.
      this.#timeUs = timeUs
      direction.state = 'undecided'
      direction.stream = undefined
      direction.whole = false
      direction.from = { ...direction.from, openedUs: timeUs }
      direction.lookAgainAt = BMP_HEADER_OCTETS
      direction.lost = undefined
    })
    this.#timeUs = nowUs
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
      whole: segment.syn,
      lost: undefined,
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
    const fromStart = direction.whole
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
      if (!last) direction.tcp.drop()
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

  #finish(direction: Direction, how: StreamEnd): void {
    // A hole that is there now stays.
    while (direction.tcp.hasHole) this.#skipHole(direction)
    this.#decide(direction, true)
    if (direction.state === 'bmp' && direction.stream !== undefined) {
      const end = direction.tcp.finished ? 'fin' : how
      this.#events.onEnd?.(direction.stream, end, this.#timeUs)
    }
    direction.state = 'ended'
    this.#release(direction)
    direction.tcp.drop()
  }

  #release(direction: Direction): void {
    this.#waitingOctets -= direction.waitingOctets
    direction.waiting = []
    direction.waitingOctets = 0
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
