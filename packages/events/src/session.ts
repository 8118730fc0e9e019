import {
  ACTION_ANNOUNCE,
  BMP_BODY_OFFSET,
  BMP_HEADER_OCTETS,
  BmpFramer,
  DecodeError,
  PeerHeader,
  RIBS,
  UpdateIndex,
  decodeBmpMessage,
  isEndOfRib,
  updatePduAt,
  v4CodecOf,
} from '@ribscope/wire'
import type { BmpMessage, NlriField, PeerCodec, Rib, V4TlvTable } from '@ribscope/wire'
import { DumpTimers } from './dump-timers.ts'
import { parseIp } from './ip.ts'
import { factsOf } from './peer.ts'
import type { Peer, PeerIdentity, PeerView } from './peer.ts'
import { readIdentity } from './peer-table.ts'
import type { HeaderEntry } from './peer-table.ts'
import type { RouteContext } from './route-extractor.ts'
import type { PeerFacts } from './rows.ts'
import { MAX_TEXT_OCTETS, SessionPeers, TOO_MANY } from './session-peers.ts'
import { MAX_RAW_OCTETS, NO_ADDRESS, NO_EFFECTS, NO_PEER, SessionRows } from './session-rows.ts'
import type { SessionCounters } from './session-rows.ts'
import type { RowSink } from './sink.ts'
import { cleanName, cleanText } from './text.ts'

export interface SessionLimits {
  /** peers of a BMP session, ended ones included while there is room. Default 16,384 */
  readonly peers?: number
  /** tables times families of a peer whose dump is watched. Default 64 */
  readonly views?: number
  /** octets of a BMP message. Default 1 MiB */
  readonly messageOctets?: number
}

export interface SessionOptions {
  readonly collector: string
  /** address the router connected from */
  readonly source: string
  /** microseconds of the TCP accept: the number of this BMP session */
  readonly openedUs: number
  readonly out: RowSink
  readonly limits?: SessionLimits
  /** code points of TLVs in version 4; undefined: the first known table that each message fits */
  readonly v4Tlvs?: V4TlvTable | undefined
  /**
   * Called once with the router's own name (its address when it gave none), before the first row.
   *
   * @returns the name to use: `name@source` when another live session has it; undefined refuses the
   *   session, which then takes no more octets and has no rows
   */
  readonly nameRouter?: (name: string) => string | undefined
  /**
   * The stream begins in the middle: peers are up without having said so, their dumps are over, and nobody says that what they
   * announced before is gone. What was known of the router before is `stale`, or, when nothing was missed since, `current`.
   */
  readonly midway?: 'stale' | 'current' | undefined
  /** Called with each whole message, once it was read. */
  readonly onMessage?: ((bytes: Uint8Array, start: number, end: number) => void) | undefined
}

export type SessionEnd = 'fin' | 'rst' | 'stop' | 'silence' | 'framing' | 'shutdown'

/** RFC 7854 section 4.1. */
const ROUTE_MONITORING = 0
/** RFC 1997. */
const COMMUNITIES = 8
/** RFC 9494 section 3.2. */
const LLGR_STALE = 0xffff0006

/** Fields not as agreed as to path identifiers, one after another, that make it the router's habit. */
const FIELDS_IN_A_ROW = 3

const DEFAULT_PEERS = 16_384
const DEFAULT_VIEWS = 64
/**
 * One BMP session: octets in, rows out. Keeps facts about peers, never routes. All time is what `push`,
 * `tick` and `end` are told, so that a recording and a live session give the same rows.
 *
 * `seq` counts the rows of all tables from 1. Bad data never throws: it becomes route_errors; only lost
 * framing ends the session (`broken`).
 */
export class RouterSession {
  readonly counters: SessionCounters = {
    messages: 0,
    updates: 0,
    announced: 0,
    withdrawn: 0,
    endOfRib: 0,
    errors: 0,
    octets: 0,
    peerUps: 0,
    peerDowns: 0,
  }
  /** Why framing was lost; the session takes no more octets then. */
  broken: DecodeError | undefined
  /** `nameRouter` would not have it. */
  refused = false
  readonly #options: SessionOptions
  readonly #out: RowSink
  readonly #rows: SessionRows
  readonly #timers: DumpTimers
  readonly #framer: BmpFramer
  readonly #index = new UpdateIndex()
  readonly #header = new PeerHeader()
  readonly #context: RouteContext
  /** there once the name is known: keys of peers are made of it */
  #peers: SessionPeers | undefined
  #ended = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.#out = options.out
    const facts = {
      collector: options.collector,
      router: options.source,
      routerAddr: parseIp(options.source) ?? NO_ADDRESS,
      bmpSession: options.openedUs,
    }
    this.#rows = new SessionRows(facts, options.out, this.counters)
    this.#timers = new DumpTimers(this.#rows, options.limits?.views ?? DEFAULT_VIEWS)
    const max = options.limits?.messageOctets
    const { onMessage } = options
    this.#framer = new BmpFramer(
      (bytes, start, end, offset) => {
        this.#message(bytes, start, end, offset)
        if (onMessage !== undefined && !this.refused) onMessage(bytes, start, end)
      },
      max === undefined ? {} : { maxMessageOctets: max },
    )
    this.#context = {
      index: this.#index,
      peer: NO_ROW,
      rxUs: 0,
      bmpUs: 0,
      seq: 0,
      dump: false,
      locRibAddPath: false,
      localAsn: 0,
      peerAsn: 0,
    }
  }

  /** The router's name; its address until it is known. */
  get router(): string {
    return this.#rows.facts.router
  }

  get bmpSession(): number {
    return this.#rows.facts.bmpSession
  }

  /** The first message has come, so the name is known and rows exist. */
  get named(): boolean {
    return this.#peers !== undefined
  }

  /** Octets of an incomplete message. */
  get pending(): number {
    return this.#framer.pending
  }

  /** Octets of the stream that were whole messages. */
  get offset(): number {
    return this.#framer.offset
  }

  get peers(): number {
    return this.#peers?.table.size ?? 0
  }

  /** Rows written so far. */
  get rows(): number {
    return this.#rows.seq - 1
  }

  /** @param rxUs when the chunk was received, in microseconds, never less than before */
  push(chunk: Uint8Array, rxUs: number): void {
    if (this.broken !== undefined || this.refused || this.#ended) return
    this.tick(rxUs)
    this.#rows.rxUs = rxUs
    this.counters.octets += chunk.length
    try {
      this.#framer.push(chunk)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#openSink()
      this.broken = error
      this.#rows.error(error, new Uint8Array(0), error.offset, NO_PEER)
    }
  }

  /** When `tick` has something to do; undefined: nothing is due. May be early. */
  nextDueUs(): number | undefined {
    const { nextUs } = this.#timers
    return nextUs === Infinity ? undefined : nextUs
  }

  /** Writes the rows of timers that fell due until now, each with its own instant. */
  tick(nowUs: number): void {
    this.#timers.tick(nowUs)
  }

  /**
   * Nobody listened from one instant to the other (the collector was told to wait, or was busy): what the
   * router did not say meanwhile means nothing, and no time is up before it was listened to again.
   */
  held(fromUs: number, toUs: number): void {
    this.tick(fromUs)
    this.#timers.held(toUs - fromUs)
  }

  /**
   * The BMP session is over. `stop` means that the recording ended and the session did not: no row.
   */
  end(how: SessionEnd, rxUs: number): void {
    if (this.#ended) return
    this.tick(rxUs)
    this.#ended = true
    this.#rows.rxUs = rxUs
    if (how === 'stop') return
    if (this.#framer.pending > 0 && this.broken === undefined) {
      this.#openSink()
      this.#rows.error(
        new DecodeError('TRUNCATED', `${this.#framer.pending} octets of a message, then the end`, {
          offset: this.#framer.offset,
          length: this.#framer.pending,
          path: 'bmp',
          spec: 'RFC 7854 section 4.1',
        }),
        new Uint8Array(0),
        this.#framer.offset,
        NO_PEER,
      )
    }
    if (!this.named) return
    this.#rows.row('bmp_down', NO_PEER, 0, { reason: how, effects: [this.#rows.staleRouter()] })
  }

  // --- messages ---------------------------------------------------------------------------------

  #message(bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (this.refused) return
    this.counters.messages++
    const view = this.#framer.view
    const type = bytes[start + 5]!
    if (type === ROUTE_MONITORING && end - start >= BMP_BODY_OFFSET) {
      if (this.#peers === undefined && !this.#name('')) return
      this.#routeMonitoring(bytes, view, start, end, offset)
      return
    }
    this.#control(bytes, view, start, end, offset)
  }

  /** Everything but Route Monitoring: rare, so the friendly decoder will do. */
  #control(bytes: Uint8Array, view: DataView, start: number, end: number, offset: number): void {
    const message = decodeBmpMessage(bytes, start, end, {}, view)
    if (
      this.#peers === undefined &&
      !this.#name(message.kind === 'initiation' ? message.sysName : '')
    )
      return
    let peer = NO_PEER
    let bmpUs = 0
    if ('peer' in message) {
      const at = start + BMP_HEADER_OCTETS
      const identity = readIdentity(this.#header, bytes, view, at, end)
      bmpUs = this.#header.seconds * 1_000_000 + this.#header.microseconds
      switch (message.kind) {
        case 'peer_up':
          peer = this.#peers!.peerUp(message, identity, this.#header.rib, bmpUs)
          break
        case 'peer_down':
          peer = this.#peers!.peerDown(message, identity, this.#header.rib, bmpUs)
          break
        case 'statistics':
          peer = this.#statistics(message, identity, bmpUs, offset)
          break
        case 'route_mirroring':
          peer = this.#mirroring(message, identity, bytes, start, end, offset)
          break
        default:
      }
    } else if (message.kind === 'initiation') {
      this.#rows.row('initiation', NO_PEER, 0, {
        text: cleanText(message.sysDescr, MAX_TEXT_OCTETS),
      })
    } else if (message.kind === 'termination') {
      this.#rows.row('termination', NO_PEER, 0, {
        reason: message.reasonName,
        reasonCode: (message.reason ?? 0) & 0xff,
        text: cleanText(message.text, MAX_TEXT_OCTETS),
      })
    }
    for (const error of message.errors) this.#rows.report(error, bytes, start, end, offset, peer)
  }

  /** The first message decides the name, for good: later Initiations never rename a session. */
  #name(sysName: string): boolean {
    const own = cleanName(sysName) || this.#options.source
    const { nameRouter } = this.#options
    const name = nameRouter === undefined ? own : nameRouter(own)
    if (name === undefined) {
      this.refused = true
      return false
    }
    this.#rows.facts.router = name
    const maxPeers = this.#options.limits?.peers ?? DEFAULT_PEERS
    const { midway } = this.#options
    this.#peers = new SessionPeers(this.#rows, this.#timers, maxPeers, midway !== undefined)
    this.#rows.open()
    const effects = midway === 'current' ? NO_EFFECTS : [this.#rows.staleRouter()]
    this.#rows.row('bmp_up', NO_PEER, 0, { effects })
    if (midway === undefined) this.#timers.start(this.#timers.clock(this.#rows.rxUs))
    else this.#timers.startMidway()
    return true
  }

  /** Rows before the name is known: nothing but framing errors. */
  #openSink(): void {
    if (!this.named) this.#rows.open()
  }

  // --- Route Monitoring (hot path) --------------------------------------------------------------

  #routeMonitoring(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    offset: number,
  ): void {
    const at = start + BMP_HEADER_OCTETS
    const entry =
      this.#peers!.table.lookup(view, at) ?? this.#headerEntry(bytes, view, start, end, offset)
    if (entry === undefined) return
    const { peer, header } = entry
    const index = this.#index
    const pdu = updatePduAt(bytes, view, start, end, this.#options.v4Tlvs)
    if (pdu < 0) {
      this.counters.updates++
      const { v4Tlvs } = this.#options
      const { errors } = decodeBmpMessage(bytes, start, end, { v4Tlvs }, view)
      for (const error of errors) this.#rows.report(error, bytes, start, end, offset, peer.facts)
      return
    }
    // Version 4 messages may say themselves how their PDU is to be read.
    const codec = bytes[start] === 3 ? peer.codec : this.#v4Codec(peer, bytes, view, start, end)
    index.read(bytes, view, pdu, end, codec, header)
    this.counters.updates++
    const rxUs = this.#rows.rxUs
    const bmpUs = view.getUint32(start + 40) * 1_000_000 + view.getUint32(start + 44)
    const fieldCount = index.fieldCount
    if (!peer.up) this.#comesBack(peer, header.rib, index)
    const us = this.#timers.clock(rxUs)
    peer.talked = true
    peer.lastRmUs = us
    this.#timers.lastRmUs = us

    if (fieldCount === 0) {
      const eor = isEndOfRib(index)
      if (eor !== undefined) this.#endOfRib(peer, header.ribCode, eor.afi, eor.safi, bmpUs)
    } else {
      const context = this.#context
      context.peer = peer.row(header.ribCode)
      context.rxUs = rxUs
      context.bmpUs = bmpUs
      const inbound = header.ribCode <= 2
      context.localAsn = inbound && peer.localAsn !== peer.identity.asn ? peer.localAsn : 0
      context.peerAsn = peer.identity.asn
      this.#out.update(context)
      for (let i = 0; i < fieldCount; i++) {
        const field = index.fields[i]!
        const seen = peer.view(header.ribCode, field.afi, field.safi)
        const known = seen ?? this.#timers.newView(peer, header.ribCode, field.afi, field.safi, us)
        if (known !== undefined) known.lastUs = us
        context.dump = peer.up && peer.done === undefined && known?.done === undefined
        context.locRibAddPath = known?.locRibAddPath ?? false
        context.seq = this.#rows.seq
        const rows = this.#out.routes(context, field)
        if (known !== undefined && (field.against || known.idsRun !== 0)) {
          this.#pathIds(peer, known, field)
        }
        this.#rows.seq += rows
        if (field.action === ACTION_ANNOUNCE) this.counters.announced += rows
        else this.counters.withdrawn += rows
      }
    }
    if (index.errors.length > 0) {
      for (const error of index.errors) {
        const raw = bytes.subarray(
          error.offset,
          error.offset + Math.min(error.length, MAX_RAW_OCTETS),
        )
        const whole = bytes.subarray(start, Math.min(end, start + MAX_RAW_OCTETS))
        this.#rows.error(
          error,
          raw.length > 0 ? raw : whole,
          offset + error.offset - start,
          peer.facts,
        )
      }
    }
  }

  #v4Codec(peer: Peer, bytes: Uint8Array, view: DataView, start: number, end: number): PeerCodec {
    const table = this.#options.v4Tlvs
    return v4CodecOf(bytes, view, start, end, peer.codec, table) ?? peer.codec
  }

  /**
   * FRR's BMP leaves path identifiers out although ADD-PATH was agreed; Huawei has them in families that
   * nobody agreed on. Most fields can't be misread then, some can: after a few of the former in a row,
   * that reading goes first in this epoch, and after a few that keep to the OPENs again no more.
   */
  #pathIds(peer: Peer, view: PeerView, field: NlriField): void {
    const { against } = field
    view.idsRun = against === view.idsAgainst ? view.idsRun + 1 : 1
    view.idsAgainst = against
    if (view.idsRun !== FIELDS_IN_A_ROW) return
    if (!against) view.idsRun = 0
    peer.codec.pathIdHabit(view.afi, view.safi, against ? field.addPath : undefined)
    peer.changed()
  }

  /** A header seen for the first time, or one whose fall-back match may have changed. */
  #headerEntry(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    offset: number,
  ): HeaderEntry | undefined {
    const peers = this.#peers!
    const { table } = peers
    const at = start + BMP_HEADER_OCTETS
    const identity = readIdentity(this.#header, bytes, view, at, end)
    const found = table.match(identity, false)
    if (found !== undefined) return table.remember(bytes, view, at, found.peer, found.exact)
    const peer = table.create(identity)
    if (peer === undefined) {
      const raw = bytes.subarray(start, Math.min(end, start + MAX_RAW_OCTETS))
      this.#rows.limit(TOO_MANY, raw, offset, factsOf(this.router, identity))
      return undefined
    }
    const bmpUs = this.#header.seconds * 1_000_000 + this.#header.microseconds
    peers.openEpoch(peer, this.#header.rib, bmpUs)
    return table.remember(bytes, view, at, peer, true)
  }

  /** Routes from a peer that went down: up again, unless it only takes leave (GoBGP withdraws late). */
  #comesBack(peer: Peer, rib: Rib, index: UpdateIndex): void {
    const { fields, fieldCount } = index
    if (fieldCount === 0 || fields[fieldCount - 1]!.action !== ACTION_ANNOUNCE) return
    // What a router keeps of a peer that is gone, marked as such, is no word of the peer.
    if (peer.retained !== undefined && hasCommunity(index, LLGR_STALE)) return
    this.#peers!.openEpoch(peer, rib, 0)
  }

  #endOfRib(peer: Peer, ribCode: number, afi: number, safi: number, bmpUs: number): void {
    this.counters.endOfRib++
    const rib = RIBS[ribCode] as Rib
    const { epoch } = peer
    this.#rows.row('eor', peer.facts, epoch, { bmpUs, rib, afi, safi, vrf: peer.vrf })
    if (!peer.up) return
    const us = this.#timers.clock(this.#rows.rxUs)
    const view = peer.view(ribCode, afi, safi) ?? this.#timers.newView(peer, ribCode, afi, safi, us)
    if (view !== undefined) this.#timers.endOfRib(peer, view, us)
  }

  // --- other messages ---------------------------------------------------------------------------

  #statistics(
    message: BmpMessage & { readonly kind: 'statistics' },
    identity: PeerIdentity,
    bmpUs: number,
    offset: number,
  ): PeerFacts {
    const peer = this.#peers!.table.match(identity, false)?.peer
    const facts = peer?.facts ?? factsOf(this.router, identity)
    for (const { type, afi, safi, value, raw } of message.statistics) {
      if (value === null) {
        this.#rows.error(
          new DecodeError('BAD_LENGTH', `statistic ${type} of ${raw.length / 2} octets`, {
            offset,
            path: `statistics.statistic(${type})`,
            spec: 'RFC 7854 section 4.8',
          }),
          Buffer.from(raw.slice(0, 2 * MAX_RAW_OCTETS), 'hex'),
          offset,
          facts,
        )
        continue
      }
      this.#rows.counter({
        bmpUs,
        peer: facts,
        epoch: peer?.epoch ?? 0,
        rib: this.#header.rib,
        statType: type,
        afi,
        safi,
        value: BigInt(value),
      })
    }
    return facts
  }

  /** Mirrored PDUs are never rows; what the router says about them is kept. */
  #mirroring(
    message: BmpMessage & { readonly kind: 'route_mirroring' },
    identity: PeerIdentity,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
  ): PeerFacts {
    const facts =
      this.#peers!.table.match(identity, false)?.peer.facts ?? factsOf(this.router, identity)
    for (const tlv of message.tlvs) {
      if (tlv.name !== 'information') continue
      const raw = bytes.subarray(start, Math.min(end, start + MAX_RAW_OCTETS))
      const error = new DecodeError('BAD_VALUE', `the router says ${tlv.meaning} (${tlv.code})`, {
        offset,
        path: 'route_mirroring.information',
        spec: 'RFC 7854 section 4.7',
      })
      this.#rows.error(error, raw, offset, facts)
    }
    return facts
  }
}

function hasCommunity(index: UpdateIndex, community: number): boolean {
  const at = index.at[COMMUNITIES]!
  if (at < 0) return false
  for (let i = 0; i + 4 <= index.len[COMMUNITIES]!; i += 4) {
    if (index.view.getUint32(at + i) === community) return true
  }
  return false
}

const NO_ROW = {
  keyLo: 0,
  keyHi: 0,
  epoch: 0,
  ribCode: 1,
  a0: 0,
  a1: 0,
  a2: 0,
  a3: 0,
  asn: 0,
  bgpId: 0,
  rdHi: 0,
  rdLo: 0,
  vrf: '',
}
