import {
  ACTION_ANNOUNCE,
  BMP_BODY_OFFSET,
  BMP_HEADER_OCTETS,
  BmpFramer,
  DecodeError,
  PeerCodec,
  PeerHeader,
  RIBS,
  UpdateIndex,
  decodeBmpMessage,
  formatCapability,
  isEndOfRib,
  updatePduAt,
} from '@ribscope/wire'
import type { BmpMessage, DecodeErrorReport, Rib } from '@ribscope/wire'
import { Deadlines } from './deadlines.ts'
import { GRACE_S, offeredFamilies, retainedFamilies } from './graceful-restart.ts'
import { parseIp } from './ip.ts'
import { factsOf, isLocalRoutes } from './peer.ts'
import type { DumpReason, Peer, PeerIdentity, PeerView } from './peer.ts'
import { PeerTable, readIdentity } from './peer-table.ts'
import type { HeaderEntry } from './peer-table.ts'
import type { RouteContext } from './route-extractor.ts'
import type { AnyRib, PeerFacts, SessionFacts, SessionKind, SessionRow } from './rows.ts'
import type { RowSink } from './sink.ts'
import type { Effect } from './table.ts'
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
  /**
   * Called once with the router's own name (its address when it gave none), before the first row.
   *
   * @returns the name to use: `name@source` when another live session has it; undefined refuses the
   *   session, which then takes no more octets and has no rows
   */
  readonly nameRouter?: (name: string) => string | undefined
}

export type SessionEnd = 'fin' | 'rst' | 'stop' | 'silence' | 'framing' | 'shutdown'

/** RFC 7854 section 4.1. */
const ROUTE_MONITORING = 0

const QUIET_US = 5_000_000
const MAX_DUMP_US = 120_000_000
const MAX_RAW_OCTETS = 4096
const MAX_TEXT_OCTETS = 4096
const DEFAULT_PEERS = 16_384
const DEFAULT_VIEWS = 64
/** Identities of Peer Downs that no peer was found for: remembered so that each is swept once. */
const MAX_UNKNOWN_DOWNS = 16_384

const NO_ADDRESS = new Uint8Array(16)
const NO_PEER: PeerFacts = {
  key: 0n,
  type: 0,
  address: NO_ADDRESS,
  asn: 0,
  bgpId: 0,
  rd: 0n,
}
const NO_EFFECTS: readonly Effect[] = []
const NO_STRINGS: readonly string[] = []

/** RFC 7854 section 4.9, RFC 9069 section 5.3. */
const DOWN_REASONS: Readonly<Record<number, string>> = {
  1: 'local-notification',
  2: 'local-fsm-event',
  3: 'remote-notification',
  4: 'remote-closed',
  5: 'deconfigured',
  6: 'local-system-closed',
}

/** Stands for the session itself among the deadlines; after all peers of the same instant. */
const ROUTER = { rank: Infinity } as const
type Waiting = Peer | typeof ROUTER

export interface SessionCounters {
  messages: number
  updates: number
  announced: number
  withdrawn: number
  endOfRib: number
  errors: number
  octets: number
  peerUps: number
  peerDowns: number
}

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
  readonly #facts: SessionFacts
  readonly #framer: BmpFramer
  readonly #index = new UpdateIndex()
  readonly #header = new PeerHeader()
  readonly #context: RouteContext
  readonly #deadlines = new Deadlines<Waiting>()
  readonly #unknownDowns = new Set<bigint>()
  readonly #maxViews: number
  #peers: PeerTable | undefined
  #named = false
  #ended = false
  #seq = 1
  #rxUs = 0
  #upUs = 0
  #lastRmUs = 0
  /** peers up whose dump is not done */
  #dumping = 0
  #dumpsOverUs = 0
  #routerDone = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.#out = options.out
    this.#facts = {
      collector: options.collector,
      router: options.source,
      routerAddr: parseIp(options.source) ?? NO_ADDRESS,
      bmpSession: options.openedUs,
    }
    this.#maxViews = options.limits?.views ?? DEFAULT_VIEWS
    const max = options.limits?.messageOctets
    this.#framer = new BmpFramer(
      (bytes, start, end, offset) => {
        this.#message(bytes, start, end, offset)
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
    return this.#facts.router
  }

  get bmpSession(): number {
    return this.#facts.bmpSession
  }

  /** The first message has come, so the name is known and rows exist. */
  get named(): boolean {
    return this.#named
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
    return this.#peers?.size ?? 0
  }

  /** Rows written so far. */
  get rows(): number {
    return this.#seq - 1
  }

  /** @param rxUs when the chunk was received, in microseconds, never less than before */
  push(chunk: Uint8Array, rxUs: number): void {
    if (this.broken !== undefined || this.refused || this.#ended) return
    this.tick(rxUs)
    this.#rxUs = rxUs
    this.counters.octets += chunk.length
    try {
      this.#framer.push(chunk)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#openSink()
      this.broken = error
      this.#error(error, new Uint8Array(0), error.offset, NO_PEER)
    }
  }

  /** When `tick` has something to do; undefined: nothing is due. May be early. */
  nextDueUs(): number | undefined {
    const { nextUs } = this.#deadlines
    return nextUs === Infinity ? undefined : nextUs
  }

  /** Writes the rows of timers that fell due until now, each with its own instant. */
  tick(nowUs: number): void {
    while (this.#deadlines.nextUs <= nowUs) {
      const entry = this.#deadlines.take()
      if (entry === undefined) return
      if (entry.item === ROUTER) this.#routerDue(entry.us)
      else {
        const peer = entry.item as Peer
        // An entry that was overtaken by an earlier one.
        if (entry.us !== peer.scheduledUs) continue
        peer.scheduledUs = Infinity
        this.#peerDue(peer, entry.us)
      }
    }
  }

  /**
   * The BMP session is over. `stop` means that the recording ended and the session did not: no row.
   */
  end(how: SessionEnd, rxUs: number): void {
    if (this.#ended) return
    this.tick(rxUs)
    this.#ended = true
    this.#rxUs = rxUs
    if (how === 'stop') return
    if (this.#framer.pending > 0 && this.broken === undefined) {
      this.#openSink()
      this.#error(
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
    if (!this.#named) return
    this.#row('bmp_down', NO_PEER, 0, { reason: how, effects: [this.#staleRouter()] })
  }

  // --- messages ---------------------------------------------------------------------------------

  #message(bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (this.refused) return
    this.counters.messages++
    const view = this.#framer.view
    const type = bytes[start + 5]!
    if (type === ROUTE_MONITORING && end - start >= BMP_BODY_OFFSET) {
      if (!this.#named && !this.#name('')) return
      this.#routeMonitoring(bytes, view, start, end, offset)
      return
    }
    this.#control(bytes, view, start, end, offset)
  }

  /** Everything but Route Monitoring: rare, so the friendly decoder will do. */
  #control(bytes: Uint8Array, view: DataView, start: number, end: number, offset: number): void {
    const message = decodeBmpMessage(bytes, start, end, {}, view)
    if (!this.#named && !this.#name(message.kind === 'initiation' ? message.sysName : '')) return
    let peer = NO_PEER
    let bmpUs = 0
    if ('peer' in message) {
      const at = start + BMP_HEADER_OCTETS
      const identity = readIdentity(this.#header, bytes, view, at, end)
      bmpUs = this.#header.seconds * 1_000_000 + this.#header.microseconds
      switch (message.kind) {
        case 'peer_up':
          peer = this.#peerUp(message, identity, bmpUs)
          break
        case 'peer_down':
          peer = this.#peerDown(message, identity, bmpUs)
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
      this.#row('initiation', NO_PEER, 0, { text: cleanText(message.sysDescr, MAX_TEXT_OCTETS) })
    } else if (message.kind === 'termination') {
      this.#row('termination', NO_PEER, 0, {
        reason: message.reasonName,
        reasonCode: (message.reason ?? 0) & 0xff,
        text: cleanText(message.text, MAX_TEXT_OCTETS),
      })
    }
    for (const error of message.errors) this.#report(error, bytes, start, end, offset, peer)
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
    this.#facts.router = name
    this.#named = true
    this.#peers = new PeerTable(this.#facts.router, this.#options.limits?.peers ?? DEFAULT_PEERS)
    this.#out.open(this.#facts)
    this.#upUs = this.#rxUs
    this.#dumpsOverUs = this.#rxUs
    this.#row('bmp_up', NO_PEER, 0, { effects: [this.#staleRouter()] })
    this.#deadlines.add(this.#rxUs + QUIET_US, ROUTER)
    return true
  }

  /** Rows before the name is known: nothing but framing errors. */
  #openSink(): void {
    if (!this.#named) this.#out.open(this.#facts)
  }

  // --- Route Monitoring (hot path) --------------------------------------------------------------

  #routeMonitoring(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    offset: number,
  ): void {
    const peers = this.#peers!
    const at = start + BMP_HEADER_OCTETS
    const entry = peers.lookup(view, at) ?? this.#headerEntry(bytes, view, start, end, offset)
    if (entry === undefined) return
    const { peer, header } = entry
    const index = this.#index
    const pdu = updatePduAt(bytes, view, start, end)
    if (pdu < 0) {
      this.counters.updates++
      const { errors } = decodeBmpMessage(bytes, start, end, {}, view)
      for (const error of errors) this.#report(error, bytes, start, end, offset, peer.facts)
      return
    }
    index.read(bytes, view, pdu, end, peer.codec, header)
    this.counters.updates++
    const rxUs = this.#rxUs
    const bmpUs = view.getUint32(start + 40) * 1_000_000 + view.getUint32(start + 44)
    const fieldCount = index.fieldCount
    if (!peer.up) this.#comesBack(peer, header.rib, index)
    peer.talked = true
    peer.lastRmUs = rxUs
    this.#lastRmUs = rxUs

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
        const known = seen ?? this.#newView(peer, header.ribCode, field.afi, field.safi)
        if (known !== undefined) known.lastUs = rxUs
        context.dump = peer.up && peer.done === undefined && known?.done === undefined
        context.locRibAddPath = known?.locRibAddPath ?? false
        context.seq = this.#seq
        const rows = this.#out.routes(context, field)
        this.#seq += rows
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
        this.#error(error, raw.length > 0 ? raw : whole, offset + error.offset - start, peer.facts)
      }
    }
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
    const at = start + BMP_HEADER_OCTETS
    const identity = readIdentity(this.#header, bytes, view, at, end)
    const found = peers.match(identity, false)
    if (found !== undefined) return peers.remember(bytes, view, at, found.peer, found.exact)
    const peer = peers.create(identity)
    if (peer === undefined) {
      this.#tooMany(bytes, start, end, offset, identity)
      return undefined
    }
    const bmpUs = this.#header.seconds * 1_000_000 + this.#header.microseconds
    this.#openEpoch(peer, this.#header.rib, bmpUs)
    return peers.remember(bytes, view, at, peer, true)
  }

  /** Routes from a peer that went down: up again, unless it only takes leave (GoBGP withdraws late). */
  #comesBack(peer: Peer, rib: Rib, index: UpdateIndex): void {
    const { fields, fieldCount } = index
    if (fieldCount === 0 || fields[fieldCount - 1]!.action !== ACTION_ANNOUNCE) return
    this.#openEpoch(peer, rib, 0)
  }

  #newView(peer: Peer, ribCode: number, afi: number, safi: number): PeerView | undefined {
    if (!peer.up || peer.views.length >= this.#maxViews) return undefined
    const now = this.#rxUs
    // A table that appears long after Peer Up has 120 s of its own.
    const sincePeerUp = peer.upUs + MAX_DUMP_US
    const maxUs = sincePeerUp > now ? sincePeerUp : now + MAX_DUMP_US
    const view = peer.addView(ribCode, afi, safi, now, maxUs)
    this.#schedule(peer, Math.min(now + QUIET_US, maxUs))
    return view
  }

  #endOfRib(peer: Peer, ribCode: number, afi: number, safi: number, bmpUs: number): void {
    this.counters.endOfRib++
    const rib = RIBS[ribCode] as AnyRib
    const { epoch } = peer
    this.#row('eor', peer.facts, epoch, { bmpUs, rib, afi, safi, vrf: peer.vrf })
    if (!peer.up) return
    const view = peer.view(ribCode, afi, safi) ?? this.#newView(peer, ribCode, afi, safi)
    if (view === undefined) return
    view.lastUs = this.#rxUs
    if (view.done === undefined) {
      this.#viewDone(peer, view, 'eor', this.#rxUs)
      this.#schedule(peer, this.#rxUs + QUIET_US)
    }
  }

  // --- peers ------------------------------------------------------------------------------------

  #peerUp(
    message: BmpMessage & { readonly kind: 'peer_up' },
    identity: PeerIdentity,
    bmpUs: number,
  ): PeerFacts {
    const peers = this.#peers!
    this.counters.peerUps++
    const peer = peers.match(identity, true)?.peer ?? peers.create(identity)
    if (peer === undefined) {
      this.#limit('peer_up: more peers than a BMP session may have', factsOf(this.router, identity))
      return NO_PEER
    }
    const { sentOpen, receivedOpen } = message
    const transport = {
      localPort: message.localPort,
      remotePort: message.remotePort,
      sentBgpId: sentOpen?.bgpId ?? '',
      receivedBgpId: receivedOpen?.bgpId ?? '',
    }
    const offered = [sentOpen, receivedOpen].flatMap((open) =>
      open === null ? [] : offeredFamilies(open),
    )
    const flags = message.peer.flags
    const last = peer.transport
    const sameSession =
      peer.up &&
      !peer.synthetic &&
      last !== undefined &&
      last.localPort === transport.localPort &&
      last.remotePort === transport.remotePort &&
      last.sentBgpId === transport.sentBgpId &&
      last.receivedBgpId === transport.receivedBgpId
    // Huawei says a session in several Peer Ups: per family (Loc-RIB too, with ports 0), per table, some
    // of them alike.
    const addsTo =
      sameSession &&
      (offered.some((family) => !peer.offered.has(family)) ||
        !peer.upFlags.has(flags) ||
        !peer.talked)

    const codec =
      sentOpen !== null && receivedOpen !== null
        ? PeerCodec.fromOpens(sentOpen, receivedOpen)
        : PeerCodec.unknown()
    const effects: Effect[] = []
    if (!addsTo) {
      if (peer.up) effects.push(this.#sweepPeer(this.#seq, 'peer_down'))
      this.#beginEpoch(peer)
    }
    peer.codec = addsTo ? peer.codec.merge(codec) : codec
    peer.sentOpen = sentOpen ?? undefined
    peer.receivedOpen = receivedOpen ?? undefined
    peer.transport = transport
    peer.upFlags.add(flags)
    for (const family of offered) peer.offered.add(family)
    peer.localAsn = sentOpen?.asn ?? 0
    peer.talked = false
    peer.synthetic = false
    const vrf = cleanName(message.vrfTableName)
    if (vrf !== '') peer.vrf = vrf
    peer.changed()
    const text = message.information
      .filter(({ name }) => name === 'string')
      .map((tlv) => cleanText(tlv.text, MAX_TEXT_OCTETS))
      .join('\n')
    this.#row('peer_up', peer.facts, peer.epoch, {
      bmpUs,
      rib: this.#header.rib,
      vrf: peer.vrf,
      reason: addsTo ? 'more-capabilities' : '',
      text: cleanText(text, MAX_TEXT_OCTETS),
      localAddr: parseIp(message.localAddress) ?? NO_ADDRESS,
      localPort: message.localPort,
      remotePort: message.remotePort,
      localAsn: peer.localAsn,
      localBgpId: bgpIdNumber(sentOpen?.bgpId),
      holdTimeSent: sentOpen?.holdTimeS ?? 0,
      holdTimeReceived: receivedOpen?.holdTimeS ?? 0,
      sentCapabilities: capabilityTexts(sentOpen?.capabilities),
      receivedCapabilities: capabilityTexts(receivedOpen?.capabilities),
      effects,
    })
    return peer.facts
  }

  /** A peer without Peer Up: it sent routes, so it is up (ROUTERS.md GoBGP 1, FRR 6). */
  #openEpoch(peer: Peer, rib: Rib, bmpUs: number): void {
    this.#beginEpoch(peer)
    peer.synthetic = true
    peer.changed()
    this.#row('peer_up', peer.facts, peer.epoch, { bmpUs, rib, vrf: peer.vrf, synthetic: true })
  }

  /** The next row is the one that opens the epoch. */
  #beginEpoch(peer: Peer): void {
    if (!peer.up || peer.done !== undefined) this.#dumping++
    peer.epoch++
    peer.up = true
    peer.synthetic = false
    peer.upSeq = this.#seq
    peer.upUs = this.#rxUs
    peer.lastRmUs = 0
    peer.talked = false
    peer.views = []
    peer.done = undefined
    peer.upFlags.clear()
    peer.offered.clear()
    this.#peers!.generation++
    this.#schedule(peer, this.#rxUs + QUIET_US)
  }

  #peerDown(
    message: BmpMessage & { readonly kind: 'peer_down' },
    identity: PeerIdentity,
    bmpUs: number,
  ): PeerFacts {
    const peers = this.#peers!
    this.counters.peerDowns++
    const found = peers.match(identity, false)?.peer
    const { notification } = message
    const said = {
      bmpUs,
      rib: this.#header.rib,
      reason: DOWN_REASONS[message.reason] ?? `reason-${message.reason}`,
      reasonCode: message.reason,
      notificationCode: notification?.code ?? 0,
      notificationSubcode: notification?.subcode ?? 0,
      fsmEvent: message.fsmEvent ?? 0,
      text: cleanText(notification?.communication ?? '', MAX_TEXT_OCTETS),
    }
    if (found === undefined) {
      const facts = factsOf(this.router, identity)
      const first =
        !this.#unknownDowns.has(facts.key) && this.#unknownDowns.size < MAX_UNKNOWN_DOWNS
      if (first) this.#unknownDowns.add(facts.key)
      const effects = first ? [this.#sweepPeer(this.#seq, 'reconcile')] : NO_EFFECTS
      this.#row('peer_down', facts, 0, { ...said, effects })
      return facts
    }
    if (!found.up || isLocalRoutes(found.identity)) {
      this.#row('peer_down', found.facts, found.epoch, { ...said, vrf: found.vrf })
      return found.facts
    }
    const kept = retainedFamilies(
      found.sentOpen,
      found.receivedOpen,
      message.reason,
      message.notification,
    )
    const effects =
      kept === undefined
        ? [this.#sweepPeer(this.#seq, 'peer_down')]
        : this.#gracefulEffects(found, kept.families)
    this.#row('peer_down', found.facts, found.epoch, {
      ...said,
      vrf: found.vrf,
      counted: true,
      effects,
    })
    this.#closeEpoch(found)
    if (kept !== undefined) {
      found.retained = kept.families
      found.retainedUntilUs = this.#rxUs + (kept.restartTimeS + GRACE_S) * 1_000_000
      this.#schedule(found, found.retainedUntilUs)
    }
    return found.facts
  }

  #closeEpoch(peer: Peer): void {
    if (peer.up && peer.done === undefined) this.#dumpIsOver(this.#rxUs)
    peer.up = false
    peer.downUs = this.#rxUs
    peer.views = []
    peer.retained = undefined
    peer.retainedUntilUs = Infinity
    this.#peers!.generation++
  }

  /** Families that are kept turn stale, the others that were in use go. */
  #gracefulEffects(peer: Peer, kept: ReadonlySet<number>): Effect[] {
    const families = new Set(peer.offered)
    for (const { afi, safi } of peer.views) families.add(afi * 256 + safi)
    for (const family of kept) families.add(family)
    return [...families]
      .sort((a, b) => a - b)
      .map((family) => ({
        effect: kept.has(family) ? 'stale' : 'sweep',
        rib: 'any',
        afi: family >> 8,
        safi: family & 255,
        beforeSeq: this.#seq,
        cause: 'peer_down',
      }))
  }

  // --- dumps and other timers -------------------------------------------------------------------

  #schedule(peer: Peer, us: number): void {
    if (us >= peer.scheduledUs) return
    peer.scheduledUs = us
    this.#deadlines.add(us, peer)
  }

  /** Does the one thing that is due for this peer at `us`, if it still is, and schedules the next. */
  #peerDue(peer: Peer, us: number): void {
    if (this.#nextOf(peer) <= us) {
      const view = peer.views.find((v) => v.done === undefined && viewDue(v) <= us)
      if (peer.retained !== undefined && peer.retainedUntilUs <= us) this.#graceOver(peer, us)
      else if (view !== undefined) {
        this.#viewDone(peer, view, view.lastUs + QUIET_US <= us ? 'quiet' : 'max', us)
      } else this.#peerDone(peer, us)
    }
    const next = this.#nextOf(peer)
    if (next < Infinity) this.#schedule(peer, next)
  }

  /** The next instant at which something is due for this peer, as far as is known now. */
  #nextOf(peer: Peer): number {
    let due = peer.retained === undefined ? Infinity : peer.retainedUntilUs
    if (!peer.up) return due
    let open = false
    for (const view of peer.views) {
      if (view.done !== undefined) continue
      open = true
      due = Math.min(due, viewDue(view))
    }
    if (open || peer.done !== undefined) return due
    const quietSince = Math.max(peer.upUs, peer.views.length > 0 ? peer.lastRmUs : this.#lastRmUs)
    return Math.min(due, quietSince + QUIET_US, peer.upUs + MAX_DUMP_US)
  }

  #viewDone(peer: Peer, view: PeerView, reason: DumpReason, us: number): void {
    view.done = reason
    const { rib, afi, safi } = view
    const cause = peer.retained === undefined ? 'reconcile' : 'gr_expired'
    this.#row('dump_done', peer.facts, peer.epoch, {
      rxUs: us,
      rib,
      afi,
      safi,
      vrf: peer.vrf,
      reason,
      synthetic: reason !== 'eor',
      effects: [{ effect: 'sweep', rib, afi, safi, beforeSeq: peer.upSeq, cause }],
    })
  }

  #peerDone(peer: Peer, us: number): void {
    const reasons = peer.views.map((view) => view.done)
    const late = us === peer.upUs + MAX_DUMP_US
    let reason: DumpReason = 'quiet'
    if (late || reasons.includes('max')) reason = 'max'
    else if (reasons.length > 0 && reasons.every((done) => done === 'eor')) reason = 'eor'
    const cause = peer.retained === undefined ? 'reconcile' : 'gr_expired'
    peer.done = reason
    peer.retained = undefined
    peer.retainedUntilUs = Infinity
    this.#row('dump_done', peer.facts, peer.epoch, {
      rxUs: us,
      vrf: peer.vrf,
      reason,
      synthetic: true,
      effects: [this.#sweepPeer(peer.upSeq, cause)],
    })
    this.#dumpIsOver(us)
  }

  #dumpIsOver(us: number): void {
    this.#dumping--
    if (this.#dumping > 0 || this.#routerDone) return
    this.#dumpsOverUs = us
    this.#deadlines.add(us, ROUTER)
  }

  /** All peers that are up have said what they have: who is not there has gone. */
  #routerDue(us: number): void {
    if (this.#routerDone || this.#dumping > 0) return
    const quiet = Math.max(this.#upUs, this.#lastRmUs) + QUIET_US
    const max = this.#upUs + MAX_DUMP_US
    const due = Math.max(this.#dumpsOverUs, Math.min(quiet, max))
    if (due > us) {
      this.#deadlines.add(due, ROUTER)
      return
    }
    this.#routerDone = true
    this.#row('dump_done', NO_PEER, 0, {
      rxUs: due,
      reason: quiet <= max ? 'quiet' : 'max',
      synthetic: true,
      effects: [{ ...this.#staleRouter(), effect: 'sweep', beforeSeq: 1, cause: 'reconcile' }],
    })
  }

  /** The restart time is over and the peer is not back, or back without having said all. */
  #graceOver(peer: Peer, us: number): void {
    const before = peer.up ? peer.upSeq : this.#seq
    peer.retained = undefined
    peer.retainedUntilUs = Infinity
    this.#row('gr_expired', peer.facts, peer.epoch, {
      rxUs: us,
      vrf: peer.vrf,
      synthetic: true,
      effects: [this.#sweepPeer(before, 'gr_expired')],
    })
  }

  // --- other messages ---------------------------------------------------------------------------

  #statistics(
    message: BmpMessage & { readonly kind: 'statistics' },
    identity: PeerIdentity,
    bmpUs: number,
    offset: number,
  ): PeerFacts {
    const peer = this.#peers!.match(identity, false)?.peer
    const facts = peer?.facts ?? factsOf(this.router, identity)
    for (const { type, afi, safi, value, raw } of message.statistics) {
      if (value === null) {
        this.#error(
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
      this.#out.stats({
        session: this.#facts,
        seq: this.#seq++,
        rxUs: this.#rxUs,
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
    const facts = this.#peers!.match(identity, false)?.peer.facts ?? factsOf(this.router, identity)
    for (const tlv of message.tlvs) {
      if (tlv.name !== 'information') continue
      const raw = bytes.subarray(start, Math.min(end, start + MAX_RAW_OCTETS))
      const error = new DecodeError('BAD_VALUE', `the router says ${tlv.meaning} (${tlv.code})`, {
        offset,
        path: 'route_mirroring.information',
        spec: 'RFC 7854 section 4.7',
      })
      this.#error(error, raw, offset, facts)
    }
    return facts
  }

  // --- rows -------------------------------------------------------------------------------------

  #row(
    kind: SessionKind,
    peer: PeerFacts,
    epoch: number,
    said: Partial<Omit<SessionRow, 'kind' | 'peer' | 'epoch' | 'session' | 'seq'>>,
  ): void {
    this.#out.session({
      session: this.#facts,
      seq: this.#seq++,
      rxUs: this.#rxUs,
      kind,
      bmpUs: 0,
      peer,
      epoch,
      rib: 'any',
      afi: 0,
      safi: 0,
      vrf: '',
      reason: '',
      reasonCode: 0,
      notificationCode: 0,
      notificationSubcode: 0,
      fsmEvent: 0,
      text: '',
      synthetic: false,
      counted: false,
      localAddr: NO_ADDRESS,
      localPort: 0,
      remotePort: 0,
      localAsn: 0,
      localBgpId: 0,
      holdTimeSent: 0,
      holdTimeReceived: 0,
      sentCapabilities: NO_STRINGS,
      receivedCapabilities: NO_STRINGS,
      effects: NO_EFFECTS,
      ...said,
    })
  }

  #staleRouter(): Effect {
    return {
      effect: 'stale',
      rib: 'any',
      afi: 0,
      safi: 0,
      beforeSeq: this.#seq,
      cause: 'bmp_lost',
    }
  }

  #sweepPeer(beforeSeq: number, cause: string): Effect {
    return { effect: 'sweep', rib: 'any', afi: 0, safi: 0, beforeSeq, cause }
  }

  #report(
    error: DecodeErrorReport,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    peer: PeerFacts,
  ): void {
    const { code, message, path, spec, handling, length } = error
    // The message also names place and clause, which have columns of their own.
    const detail = message.slice(message.indexOf(': ') + 2, -(spec.length + 3))
    const at = start + error.offset
    const whole = length === 0 || at >= end
    const raw = whole ? bytes.subarray(start, end) : bytes.subarray(at, Math.min(end, at + length))
    this.#error({ code, detail, path, spec, handling }, raw, offset + error.offset, peer)
  }

  #tooMany(
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    identity: PeerIdentity,
  ): void {
    const error = new DecodeError('UNSUPPORTED', 'more peers than a BMP session may have', {
      offset: start,
      path: 'peer_header',
      spec: 'limit of this collector',
    })
    const facts = factsOf(this.router, identity)
    this.#error(error, bytes.subarray(start, Math.min(end, start + MAX_RAW_OCTETS)), offset, facts)
  }

  #limit(detail: string, peer: PeerFacts): void {
    const error = { code: 'UNSUPPORTED', detail, path: 'peer_header', handling: 'none' } as const
    this.#error({ ...error, spec: 'limit of this collector' }, NO_ADDRESS.subarray(0, 0), 0, peer)
  }

  #error(
    error: Pick<DecodeError, 'code' | 'path' | 'spec' | 'handling' | 'detail'>,
    raw: Uint8Array,
    streamOffset: number,
    peer: PeerFacts,
  ): void {
    this.counters.errors++
    this.#out.error({
      session: this.#facts,
      seq: this.#seq++,
      rxUs: this.#rxUs,
      peer,
      streamOffset,
      code: error.code,
      path: error.path,
      spec: error.spec,
      treatment: error.handling,
      text: error.detail,
      // A view into the chunk would keep all of it.
      raw: raw.slice(0, MAX_RAW_OCTETS),
    })
  }
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

function viewDue(view: PeerView): number {
  return Math.min(view.lastUs + QUIET_US, view.maxUs)
}

function bgpIdNumber(text: string | undefined): number {
  const octets = text === undefined ? undefined : parseIp(text)
  return octets === undefined ? 0 : new DataView(octets.buffer).getUint32(12)
}

function capabilityTexts(
  capabilities: readonly Parameters<typeof formatCapability>[0][] | undefined,
): readonly string[] {
  return (capabilities ?? []).map((capability) => cleanText(formatCapability(capability), 1024))
}
