import { ipOctets, ipv4Octets } from './address.ts'
import { Bytes } from './bytes.ts'

/** The per-peer header of RFC 7854 section 4.2, with the flags of RFC 8671 and RFC 9069. */
export interface BmpPeer {
  /** 0 global, 1 RD instance, 2 local instance, 3 Loc-RIB. */
  readonly type: 0 | 1 | 2 | 3
  /** 8 octets. */
  readonly distinguisher: Uint8Array
  /** '' is all zero (Loc-RIB). */
  readonly address: string
  readonly asn: number
  readonly bgpId: string
}

/** pre and post: Adj-RIB-In; out: Adj-RIB-Out post-policy; loc: Loc-RIB. */
export type View = 'pre' | 'post' | 'out' | 'loc'

const VERSION = 3
const V_FLAG = 0x80
const L_FLAG = 0x40
const O_FLAG = 0x10

/** Common header and body, RFC 7854 section 4.1. */
function message(type: number, body: Bytes): Uint8Array {
  return new Bytes()
    .u8(VERSION)
    .u32(6 + body.length)
    .u8(type)
    .raw(body.done())
    .done()
}

/** @param us microseconds since 1970; 0 means unknown */
function peerHeader(peer: BmpPeer, view: View, us: number): Bytes {
  const ipv6 = peer.address.includes(':')
  const loc = peer.type === 3
  const flags =
    (ipv6 && !loc ? V_FLAG : 0) |
    (view === 'post' || view === 'out' ? L_FLAG : 0) |
    (view === 'out' ? O_FLAG : 0)
  return new Bytes()
    .u8(peer.type)
    .u8(flags)
    .raw(peer.distinguisher)
    .raw(address16(peer.address))
    .u32(peer.asn)
    .raw(ipv4Octets(peer.bgpId))
    .u32(Math.floor(us / 1e6))
    .u32(us % 1e6)
}

/** An IPv4 address stands in the last four of the sixteen octets. */
function address16(text: string): Uint8Array {
  const octets = text === '' ? new Uint8Array(4) : ipOctets(text)
  const field = new Uint8Array(16)
  field.set(octets, 16 - octets.length)
  return field
}

/** Route Monitoring (type 0), section 4.6. */
export function encodeRouteMonitoring(
  peer: BmpPeer,
  view: View,
  us: number,
  update: Uint8Array,
): Uint8Array {
  return message(0, peerHeader(peer, view, us).raw(update))
}

export type Statistic =
  | { type: number; counter: number }
  | { type: number; gauge: number }
  | { type: number; afi: number; safi: number; gauge: number }

/** Statistics Report (type 1), section 4.8: 32-bit counters, 64-bit gauges. */
export function encodeStatistics(
  peer: BmpPeer,
  us: number,
  statistics: readonly Statistic[],
): Uint8Array {
  const body = peerHeader(peer, 'pre', us).u32(statistics.length)
  for (const statistic of statistics) {
    body.u16(statistic.type)
    if ('counter' in statistic) body.u16(4).u32(statistic.counter)
    else if ('afi' in statistic) {
      body.u16(11).u16(statistic.afi).u8(statistic.safi).u64(statistic.gauge)
    } else body.u16(8).u64(statistic.gauge)
  }
  return message(1, body)
}

export type PeerDownReason =
  { reason: 1 | 3; notification: Uint8Array } | { reason: 2; fsmEvent: number } | { reason: 4 | 5 }

/** Peer Down (type 2), section 4.9. */
export function encodePeerDown(peer: BmpPeer, us: number, why: PeerDownReason): Uint8Array {
  const body = peerHeader(peer, 'pre', us).u8(why.reason)
  if ('notification' in why) body.raw(why.notification)
  else if (why.reason === 2) body.u16(why.fsmEvent)
  return message(2, body)
}

export interface PeerUp {
  readonly localAddress: string
  readonly localPort: number
  readonly remotePort: number
  readonly sentOpen: Uint8Array
  readonly receivedOpen: Uint8Array
  /** VRF/Table Name TLV (type 3) of RFC 9069 section 4.4. */
  readonly tableName?: string
}

/** Peer Up (type 3), section 4.10. */
export function encodePeerUp(peer: BmpPeer, us: number, up: PeerUp): Uint8Array {
  const body = peerHeader(peer, 'pre', us)
    .raw(address16(up.localAddress))
    .u16(up.localPort)
    .u16(up.remotePort)
    .raw(up.sentOpen)
    .raw(up.receivedOpen)
  if (up.tableName !== undefined) tlv(body, 3, up.tableName)
  return message(3, body)
}

/** Initiation (type 4), section 4.3. */
export function encodeInitiation(sysDescr: string, sysName: string): Uint8Array {
  const body = new Bytes()
  tlv(body, 1, sysDescr)
  tlv(body, 2, sysName)
  return message(4, body)
}

/** Termination (type 5), section 4.5. Reason 0: administratively closed. */
export function encodeTermination(reason: number): Uint8Array {
  return message(5, new Bytes().u16(1).u16(2).u16(reason))
}

function tlv(body: Bytes, type: number, text: string): void {
  const value = new TextEncoder().encode(text)
  body.u16(type).u16(value.length).raw(value)
}
