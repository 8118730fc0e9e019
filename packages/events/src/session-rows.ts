import { DecodeError } from '@ribscope/wire'
import type { DecodeErrorReport } from '@ribscope/wire'
import type { PeerFacts, SessionFacts, SessionKind, SessionRow, StatsRow } from './rows.ts'
import type { RowSink } from './sink.ts'
import type { Effect } from './table.ts'

export const NO_ADDRESS = new Uint8Array(16)
/** Stands for the BMP session itself. */
export const NO_PEER: PeerFacts = {
  key: 0n,
  type: 0,
  address: NO_ADDRESS,
  asn: 0,
  bgpId: 0,
  rd: 0n,
}
export const NO_EFFECTS: readonly Effect[] = []
const NO_STRINGS: readonly string[] = []
export const MAX_RAW_OCTETS = 4096

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

type Said = Partial<Omit<SessionRow, 'kind' | 'peer' | 'epoch' | 'session' | 'seq'>>
type Wrong = Pick<DecodeError, 'code' | 'path' | 'spec' | 'handling' | 'detail'>

/** Numbers the rows of a BMP session and puts together those that are not routes. */
export class SessionRows {
  readonly facts: SessionFacts
  /** number of the next row, of whatever table */
  seq = 1
  /** receive time of what is being worked on */
  rxUs = 0
  readonly counters: SessionCounters
  readonly #out: RowSink

  constructor(facts: SessionFacts, out: RowSink, counters: SessionCounters) {
    this.facts = facts
    this.#out = out
    this.counters = counters
  }

  /** All rows that follow are of this session. */
  open(): void {
    this.#out.open(this.facts)
  }

  /** @param said what differs from a row that says nothing */
  row(kind: SessionKind, peer: PeerFacts, epoch: number, said: Said): void {
    this.#out.session({
      session: this.facts,
      seq: this.seq++,
      rxUs: this.rxUs,
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

  /** BMP loss, or a new session: all of the router is old news from here on. */
  staleRouter(): Effect {
    return {
      effect: 'stale',
      rib: 'any',
      afi: 0,
      safi: 0,
      beforeSeq: this.seq,
      cause: 'bmp_lost',
    }
  }

  /** What the peer announced before that row is gone. */
  sweepPeer(beforeSeq: number, cause: string): Effect {
    return { effect: 'sweep', rib: 'any', afi: 0, safi: 0, beforeSeq, cause }
  }

  /** The same for one family in all of its tables. */
  sweepFamily(family: number, beforeSeq: number, cause: string): Effect {
    return { ...this.sweepPeer(beforeSeq, cause), afi: family >> 8, safi: family & 255 }
  }

  /** An error of the friendly decoder: its offset counts from the message. */
  report(
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
    this.error({ code, detail, path, spec, handling }, raw, offset + error.offset, peer)
  }

  error(error: Wrong, raw: Uint8Array, streamOffset: number, peer: PeerFacts): void {
    this.counters.errors++
    this.#out.error({
      session: this.facts,
      seq: this.seq++,
      rxUs: this.rxUs,
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

  counter(row: Omit<StatsRow, 'session' | 'seq' | 'rxUs'>): void {
    this.#out.stats({ session: this.facts, seq: this.seq++, rxUs: this.rxUs, ...row })
  }

  /** What a limit of this collector left out, with its octets. */
  limit(detail: string, raw: Uint8Array, streamOffset: number, peer: PeerFacts): void {
    const error = new DecodeError('UNSUPPORTED', detail, {
      offset: 0,
      path: 'peer_header',
      spec: 'limit of this collector',
    })
    this.error(error, raw, streamOffset, peer)
  }
}
