import {
  BGP_HEADER_OCTETS,
  BGP_NOTIFICATION,
  BGP_OPEN,
  BGP_UPDATE,
  isBgpMarker,
} from '../bgp/header.ts'
import { parseOpen } from '../bgp/open/open.ts'
import { UpdateIndex } from '../bgp/update-index.ts'
import { BMP_INITIATION, BMP_PEER_DOWN, BMP_PEER_UP, BMP_ROUTE_MONITORING } from '../bmp/framer.ts'
import { PEER_TYPE_GLOBAL, PEER_TYPE_LOC_RIB } from '../bmp/peer-header.ts'
import { copyOf, cursorOver, viewOf } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { formatIP, formatIPv4Number } from '../text/ip.ts'
import { toHex } from '../text/hex.ts'
import { MRT_STATE_ESTABLISHED, readBgp4mp, type Bgp4mp } from './bgp4mp.ts'
import { Octets } from './octets.ts'
import {
  MRT_BGP4MP,
  MRT_BGP4MP_ET,
  MRT_TABLE_DUMP,
  MRT_TABLE_DUMP_V2,
  type MrtHeader,
} from './reader.ts'
import { writeRibUpdate } from './rib-update.ts'
import {
  isWriter,
  PEER_INDEX_TABLE,
  readPeerIndexTable,
  readRib,
  readTableDump,
  type RibRecord,
} from './table-dump.ts'

export interface MrtSource {
  /** What is known of who wrote the file: its BGP ID, else the local address of the first record. */
  readonly address: string
  /** Microseconds of its first record. */
  readonly openedUs: number
}

export interface MrtToBmpEvents {
  /** BMP begins, before the first octets; again where a table of another collector begins. */
  onOpen(source: MrtSource): void
  /** Whole BMP messages; valid during the call. The time is that of the record, and never goes back. */
  onData(bytes: Uint8Array, timeUs: number): void
  /** A record, or a path of a table, that can't be made BMP of. `error.offset` counts in the file. */
  onError?(error: DecodeError): void
  /** A record of another type or subtype: passed over. */
  onOther?(header: MrtHeader): void
}

interface Peer {
  /** Of the per-peer header. */
  readonly type: number
  readonly bgpId: number
  asn: number
  readonly address: Uint8Array
  /** Families with path identifiers that a Peer Up has told of, as afi * 256 + safi. */
  readonly addPath: Set<number>
  /** The OPENs of the session, where the file has them. */
  sentOpen: Uint8Array | undefined
  receivedOpen: Uint8Array | undefined
  /** The last NOTIFICATION, and whether the collector sent it. */
  notification: { readonly pdu: Uint8Array; readonly local: boolean } | undefined
}

/** Octets of BMP collected before they are handed out. */
const FLUSH_OCTETS = 64 << 10
/** Peers of BGP4MP records that something is remembered of. */
const MAX_PEERS = 16_384
/** Families with path identifiers of a peer; the capabilities of an OPEN have room for these. */
const MAX_FAMILIES = 16
/** A BMP message's limit less its headers; no BGP message is longer. */
const MAX_PDU_OCTETS = 65_535

const FLAG_V6 = 0x80
const FLAG_POST_POLICY = 0x40
const FLAG_AS2 = 0x20
const FLAG_ADJ_RIB_OUT = 0x10

/**
 * MRT as the BMP that a router would have sent which saw the same, so that everything made for BMP takes it:
 *
 * - BGP4MP: a message received is Adj-RIB-In before policy, one sent Adj-RIB-Out after it (O and L flags).
 *   A change to Established is a Peer Up, from Established a Peer Down, with the NOTIFICATION before it,
 *   if any.
 * - TABLE_DUMP_V2 and TABLE_DUMP: a Route Monitoring message per path, Adj-RIB-In after policy (what the
 *   collector kept). The per-peer header's time is the path's own.
 *   The paths of the writer itself (peer 0 of BIRD and FRR) are Loc-RIB, with its BGP ID.
 * - Path identifiers: a record whose form has them is preceded by a Peer Up that agrees on ADD-PATH for
 *   its family.
 * - OPENs of a Peer Up that the file has not (those that the collector sent are seldom there) are made up
 *   of what the records show: AS number, ADD-PATH. An information TLV says so.
 * - Else peer type 0; distinguisher 0; BGP ID as PEER_INDEX_TABLE says, else 0.
 *
 * Other messages (KEEPALIVE, ROUTE-REFRESH) have no place in BMP; `MrtDecoder` shows them.
 */
export class MrtToBmp {
  readonly #events: MrtToBmpEvents
  readonly #out = new Octets()
  readonly #nlri = new Uint8Array(32)
  readonly #families = new UpdateIndex()
  #opened = false
  #collector = ''
  #timeUs = 0
  #indexed: Peer[] = []
  readonly #peers = new Map<string, Peer>()

  constructor(events: MrtToBmpEvents) {
    this.#events = events
  }

  /**
   * What it amounts to is handed out when the time changes, or when it is much: `flush` hands out the rest.
   *
   * @param streamOffset  octets of the file before this record
   */
  record(header: MrtHeader, bytes: Uint8Array, streamOffset: number): void {
    const timeUs = header.seconds * 1e6 + header.microseconds
    if (timeUs > this.#timeUs) {
      this.flush()
      this.#timeUs = timeUs
    }
    try {
      if (!this.#body(header, bytes, streamOffset)) this.#events.onOther?.(header)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#failed(error, header, streamOffset)
    }
    if (this.#out.length >= FLUSH_OCTETS) this.flush()
  }

  #failed(error: DecodeError, header: MrtHeader, streamOffset: number): void {
    const { code, detail, path, spec, length } = error
    const offset = streamOffset + error.offset - header.start
    this.#events.onError?.(new DecodeError(code, detail, { offset, length, path, spec }))
  }

  #body(header: MrtHeader, bytes: Uint8Array, streamOffset: number): boolean {
    const { type, subtype, bodyAt, end } = header
    const over = (name: string, section: string) =>
      cursorOver(bytes, bodyAt, end, `mrt.${name}`, `RFC 6396 section ${section}`)
    if (type === MRT_BGP4MP || type === MRT_BGP4MP_ET) {
      const record = readBgp4mp(over('bgp4mp', '4.4'), subtype)
      if (record !== undefined) this.#bgp4mp(record, bytes, header)
      return record !== undefined
    }
    if (type === MRT_TABLE_DUMP_V2 && subtype === PEER_INDEX_TABLE) {
      const table = readPeerIndexTable(over('peer_index_table', '4.3.1'))
      const { collectorBgpId, viewName } = table
      const collector = `${collectorBgpId} ${viewName}`
      if (!this.#opened || this.#collector !== collector) {
        this.#collector = collector
        this.#open(formatIPv4Number(collectorBgpId), viewName)
      }
      this.#indexed = table.peers.map((peer) =>
        isWriter(peer)
          ? { ...newPeer(peer), type: PEER_TYPE_LOC_RIB, bgpId: collectorBgpId }
          : newPeer(peer),
      )
      return true
    }
    if (type === MRT_TABLE_DUMP_V2) {
      const rib = readRib(over('rib', '4.3.2'), subtype)
      if (rib === undefined) return false
      if (!this.#opened) this.#open('0.0.0.0', '')
      this.#paths(rib, bytes, bytes, header, streamOffset, 0)
      return true
    }
    if (type !== MRT_TABLE_DUMP) return false
    const dump = readTableDump(over('table_dump', '4.2'), subtype, this.#nlri)
    if (dump === undefined) return false
    if (!this.#opened) this.#open('0.0.0.0', '')
    const { peerAsn, peerAt, addressOctets } = dump
    this.#indexed[0] = this.#peer(bytes, peerAt, addressOctets, peerAsn, 2)
    this.#paths(dump, this.#nlri, bytes, header, streamOffset, FLAG_AS2)
    return true
  }

  /** Initiation, RFC 7854 section 4.3: sysDescr says what this is, sysName is the view's name if it has one. */
  #open(address: string, viewName: string): void {
    this.flush()
    if (this.#opened) this.#peers.clear()
    this.#opened = true
    this.#events.onOpen({ address, openedUs: this.#timeUs })
    const start = this.#message(BMP_INITIATION)
    this.#text(1, `MRT of ${address}`)
    if (viewName !== '') this.#text(2, viewName)
    this.#finish(start)
  }

  #paths(
    rib: RibRecord,
    nlri: Uint8Array,
    bytes: Uint8Array,
    header: MrtHeader,
    streamOffset: number,
    flags: number,
  ): void {
    const out = this.#out
    for (const entry of rib.entries) {
      const peer = this.#indexed[entry.peerIndex]
      try {
        if (peer === undefined) {
          throw new DecodeError('BAD_VALUE', `peer ${entry.peerIndex} is in no PEER_INDEX_TABLE`, {
            offset: entry.attributesAt,
            path: 'mrt.rib.entry',
            spec: 'RFC 6396 section 4.3.4',
          })
        }
        if (entry.pathId !== undefined)
          this.#agreeOnPathIds(peer, [rib.afi * 256 + rib.safi], NO_ADDRESS, header)
        const start = this.#message(BMP_ROUTE_MONITORING)
        this.#peerHeader(peer, flags | FLAG_POST_POLICY, entry.originated, 0)
        try {
          writeRibUpdate(out, rib, nlri, entry, bytes)
        } catch (error) {
          out.length = start
          throw error
        }
        this.#finish(start)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        this.#failed(error, header, streamOffset)
      }
      if (out.length >= FLUSH_OCTETS) this.flush()
    }
  }

  #bgp4mp(record: Bgp4mp, bytes: Uint8Array, header: MrtHeader): void {
    const { addressOctets, peerAt, localAt, peerAsn } = record
    const local = bytes.subarray(localAt, localAt + addressOctets)
    const peer = this.#peer(bytes, peerAt, addressOctets, peerAsn, record.asOctets)
    if (record.stateChange) return this.#stateChange(peer, record, local, header)
    const { messageAt, messageEnd } = record
    const type = messageEnd - messageAt < BGP_HEADER_OCTETS ? 0 : bytes[messageAt + 18]!
    if (type === BGP_OPEN || type === BGP_NOTIFICATION) {
      const pdu = wholePdu(bytes, messageAt, messageEnd)
      if (pdu === undefined) return this.#monitor(peer, record, bytes, local, header)
      if (type === BGP_NOTIFICATION) peer.notification = { pdu, local: record.local }
      else if (record.local) peer.sentOpen = pdu
      else peer.receivedOpen = pdu
    } else if (type === BGP_UPDATE || type === 0 || !isBgpMarker(bytes, messageAt, messageEnd)) {
      this.#monitor(peer, record, bytes, local, header)
    }
  }

  #monitor(
    peer: Peer,
    record: Bgp4mp,
    bytes: Uint8Array,
    local: Uint8Array,
    header: MrtHeader,
  ): void {
    this.#openAt(local)
    const { messageAt, messageEnd } = record
    if (messageEnd - messageAt > MAX_PDU_OCTETS) {
      throw new DecodeError('BAD_LENGTH', `${messageEnd - messageAt} octets of a BGP message`, {
        offset: messageAt,
        length: messageEnd - messageAt,
        path: 'mrt.bgp4mp',
        spec: 'RFC 6396 section 4.4.2',
      })
    }
    if (record.addPath) {
      this.#agreeOnPathIds(peer, this.#familiesOf(bytes, messageAt, messageEnd), local, header)
    }
    const start = this.#message(BMP_ROUTE_MONITORING)
    const width = record.asOctets === 2 ? FLAG_AS2 : 0
    const rib = record.local ? FLAG_ADJ_RIB_OUT | FLAG_POST_POLICY : 0
    this.#peerHeader(peer, rib | width, header.seconds, header.microseconds)
    this.#out.copy(bytes, messageAt, messageEnd)
    this.#finish(start)
  }

  #familiesOf(bytes: Uint8Array, at: number, end: number): number[] {
    const index = this.#families
    index.read(bytes, viewOf(bytes), at, end)
    const found: number[] = []
    for (let i = 0; i < index.fieldCount; i++) {
      const { afi, safi } = index.fields[i]!
      found.push(afi * 256 + safi)
    }
    return found
  }

  #stateChange(peer: Peer, record: Bgp4mp, local: Uint8Array, header: MrtHeader): void {
    const { oldState, newState } = record
    if (oldState === newState) return
    if (newState === MRT_STATE_ESTABLISHED) {
      this.#openAt(local)
      peer.addPath.clear()
      const missing = peer.sentOpen === undefined || peer.receivedOpen === undefined
      this.#peerUp(peer, header, local, missing ? 'OPENs that the MRT has not are made up' : '')
    } else if (oldState === MRT_STATE_ESTABLISHED) {
      this.#openAt(local)
      const start = this.#message(BMP_PEER_DOWN)
      this.#peerHeader(peer, 0, header.seconds, header.microseconds)
      const { notification } = peer
      if (notification === undefined) {
        // Reason 2 without the code of an event: the file doesn't say more.
        this.#out.u8(2)
        this.#out.u16(0)
      } else {
        this.#out.u8(notification.local ? 1 : 3)
        this.#out.copy(notification.pdu, 0, notification.pdu.length)
      }
      this.#finish(start)
      peer.addPath.clear()
      peer.sentOpen = undefined
      peer.receivedOpen = undefined
    }
    peer.notification = undefined
  }

  /**
   * A Peer Up for families with path identifiers that none has told of. FRR marks all records of a peer
   * that has agreed on them for one family: where the peer's OPEN is known, it says which.
   */
  #agreeOnPathIds(
    peer: Peer,
    families: readonly number[],
    local: Uint8Array,
    header: MrtHeader,
  ): void {
    if (families.every((family) => peer.addPath.has(family))) return
    const offered = peer.receivedOpen === undefined ? undefined : addPathOf(peer.receivedOpen)
    const added = offered === undefined ? families : families.filter((f) => offered.has(f))
    if (added.every((family) => peer.addPath.has(family))) return
    for (const family of added) {
      if (peer.addPath.size < MAX_FAMILIES) peer.addPath.add(family)
    }
    this.#peerUp(
      peer,
      header,
      local,
      'ADD-PATH as the MRT has it; OPENs that it has not are made up',
    )
  }

  #peerUp(peer: Peer, header: MrtHeader, local: Uint8Array, text: string): void {
    const out = this.#out
    const start = this.#message(BMP_PEER_UP)
    this.#peerHeader(peer, 0, header.seconds, header.microseconds)
    out.zeros(16 - local.length)
    out.copy(local, 0, local.length)
    out.u32(0)
    // What the collector sent is seldom there; both sides' numbers stay the same in a later Peer Up.
    const sent = peer.sentOpen ?? madeUpOpen(peer, 0)
    const received = peer.receivedOpen ?? madeUpOpen(peer, peer.bgpId)
    for (const pdu of [sent, received]) out.copy(pdu, 0, pdu.length)
    if (text !== '') this.#text(0, text)
    this.#finish(start)
  }

  #openAt(local: Uint8Array): void {
    if (!this.#opened) this.#open(formatIP(local, 0, local.length), '')
  }

  /**
   * By address alone: FRR's record of an OPEN, before it is known that the peer has AS numbers of four
   * octets, has the lower half of its number.
   */
  #peer(bytes: Uint8Array, at: number, octets: number, asn: number, asOctets: 2 | 4): Peer {
    const key = toHex(bytes, at, at + octets)
    let peer = this.#peers.get(key)
    if (peer === undefined) {
      peer = newPeer({ bgpId: 0, asn, address: copyOf(bytes, at, at + octets) })
      if (this.#peers.size < MAX_PEERS) this.#peers.set(key, peer)
    } else if (peer.asn !== asn) {
      const short = asOctets === 2 && (asn === AS_TRANS || asn === (peer.asn & 0xffff))
      if (!short) {
        peer.asn = asn
        peer.addPath.clear()
      }
    }
    return peer
  }

  // --- BMP, RFC 7854 sections 4.1, 4.2, 4.4 -------------------------------------------------------

  #message(type: number): number {
    const start = this.#out.length
    this.#out.u8(3)
    this.#out.u32(0)
    this.#out.u8(type)
    return start
  }

  #finish(start: number): void {
    this.#out.setU32(start + 1, this.#out.length - start)
  }

  #peerHeader(peer: Peer, flags: number, seconds: number, microseconds: number): void {
    const out = this.#out
    const { address } = peer
    out.u8(peer.type)
    // A Loc-RIB's flags say other things (RFC 9069 section 4.2), and its address is zero.
    const global = peer.type === PEER_TYPE_GLOBAL
    out.u8(global ? flags | (address.length === 16 ? FLAG_V6 : 0) : 0)
    out.zeros(8 + 16 - address.length)
    out.copy(address, 0, address.length)
    out.u32(peer.asn)
    out.u32(peer.bgpId)
    out.u32(seconds)
    out.u32(microseconds)
  }

  #text(type: number, text: string): void {
    const octets = new TextEncoder().encode(text)
    this.#out.u16(type)
    this.#out.u16(octets.length)
    this.#out.copy(octets, 0, octets.length)
  }

  /** Hands out what the records so far amount to: to be called at the end, and whenever one wants to see it. */
  flush(): void {
    const out = this.#out
    if (out.length === 0) return
    const { length } = out
    out.length = 0
    this.#events.onData(out.bytes.subarray(0, length), this.#timeUs)
  }
}

function newPeer(peer: Pick<Peer, 'bgpId' | 'asn' | 'address'>): Peer {
  const { bgpId, asn, address } = peer
  return {
    type: PEER_TYPE_GLOBAL,
    bgpId,
    asn,
    address,
    addPath: new Set(),
    sentOpen: undefined,
    receivedOpen: undefined,
    notification: undefined,
  }
}

/** The BGP message, if it is all there. */
function wholePdu(bytes: Uint8Array, at: number, end: number): Uint8Array | undefined {
  const length = (bytes[at + 16]! << 8) | bytes[at + 17]!
  if (!isBgpMarker(bytes, at, end) || length < BGP_HEADER_OCTETS || length > end - at) {
    return undefined
  }
  return copyOf(bytes, at, at + length)
}

function bgpMessage(type: number, write: (out: Octets) => void): Uint8Array {
  const out = new Octets()
  for (let i = 0; i < 4; i++) out.u32(0xffffffff)
  out.u16(0)
  out.u8(type)
  write(out)
  out.setU16(16, out.length)
  return out.bytes.slice(0, out.length)
}

const NO_ADDRESS = new Uint8Array(4)

/** Families for which the OPEN offers to send path identifiers, as afi * 256 + safi. */
function addPathOf(pdu: Uint8Array): ReadonlySet<number> {
  const found = new Set<number>()
  try {
    for (const capability of parseOpen(pdu).open.capabilities) {
      if (capability.kind !== 'add_path') continue
      for (const { afi, safi, sendReceive } of capability.families) {
        if ((sendReceive & 2) !== 0) found.add(afi * 256 + safi)
      }
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
  }
  return found
}

const AS_TRANS = 23_456

/** OPEN, RFC 4271 section 4.2, with the capabilities that the peer's records show: 1, 65, 69. */
function madeUpOpen(peer: Peer, bgpId: number): Uint8Array {
  const families = [...peer.addPath].map((family) => [Math.floor(family / 256), family % 256])
  return bgpMessage(BGP_OPEN, (out) => {
    out.u8(4)
    out.u16(peer.asn > 0xffff ? AS_TRANS : peer.asn)
    out.u16(0)
    out.u32(bgpId)
    const parametersAt = out.length
    // One capability a parameter: each is short, and the whole too for as many families as there are.
    out.u8(0)
    const capability = (code: number, value: (out: Octets) => void): void => {
      out.u8(2)
      const at = out.length
      out.u16(0)
      out.bytes[at + 1] = code
      out.u8(0)
      value(out)
      out.bytes[at] = out.length - at - 1
      out.bytes[at + 2] = out.length - at - 3
    }
    for (const [afi, safi] of families) {
      capability(1, () => {
        out.u16(afi!)
        out.u16(safi!)
      })
    }
    capability(65, () => out.u32(peer.asn))
    if (families.length === 0) {
      out.bytes[parametersAt] = out.length - parametersAt - 1
      return
    }
    capability(69, () => {
      for (const [afi, safi] of families) {
        out.u16(afi!)
        out.u8(safi!)
        out.u8(3)
      }
    })
    out.bytes[parametersAt] = out.length - parametersAt - 1
  })
}
