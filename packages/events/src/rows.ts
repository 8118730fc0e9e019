import type { Column, Effect } from './table.ts'
import {
  BGP_ID,
  BGP_ID_OR_NONE,
  COUNT,
  EFFECTS,
  IP,
  IP_OR_NONE,
  OCTETS,
  RD,
  STRING,
  STRINGS,
  TIME,
  TIME_OR_ZERO,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
  WORD,
  enumeration,
} from './table.ts'
import type { IpOctets } from './ip.ts'

/** Enum8 of the event log. */
export const RIB_CODES = {
  any: 0,
  adj_in_pre: 1,
  adj_in_post: 2,
  loc_rib: 3,
  adj_out_pre: 4,
  adj_out_post: 5,
} as const
export type AnyRib = keyof typeof RIB_CODES

export const SESSION_KINDS = {
  bmp_up: 1,
  bmp_down: 2,
  peer_up: 3,
  peer_down: 4,
  eor: 5,
  dump_done: 6,
  initiation: 7,
  termination: 8,
  gr_expired: 9,
} as const
export type SessionKind = keyof typeof SESSION_KINDS

/** What all rows of a BMP session share. */
export interface SessionFacts {
  readonly collector: string
  router: string
  /** address the router connected from */
  readonly routerAddr: IpOctets
  /** microseconds of the TCP accept */
  readonly bmpSession: number
}

interface RowBase {
  readonly session: SessionFacts
  readonly seq: number
  readonly rxUs: number
}

/** Identity of a peer in rows; all zero for the BMP session itself. */
export interface PeerFacts {
  readonly key: bigint
  readonly type: number
  readonly address: IpOctets
  readonly asn: number
  readonly bgpId: number
  readonly rd: bigint
}

export interface SessionRow extends RowBase {
  readonly kind: SessionKind
  readonly bmpUs: number
  readonly peer: PeerFacts
  readonly epoch: number
  readonly rib: AnyRib
  readonly afi: number
  readonly safi: number
  readonly vrf: string
  readonly reason: string
  readonly reasonCode: number
  readonly notificationCode: number
  readonly notificationSubcode: number
  readonly fsmEvent: number
  readonly text: string
  readonly synthetic: boolean
  readonly counted: boolean
  readonly localAddr: IpOctets
  readonly localPort: number
  readonly remotePort: number
  readonly localAsn: number
  readonly localBgpId: number
  readonly holdTimeSent: number
  readonly holdTimeReceived: number
  readonly sentCapabilities: readonly string[]
  readonly receivedCapabilities: readonly string[]
  readonly effects: readonly Effect[]
}

export interface StatsRow extends RowBase {
  readonly bmpUs: number
  readonly peer: PeerFacts
  readonly epoch: number
  readonly rib: AnyRib
  readonly statType: number
  readonly afi: number
  readonly safi: number
  readonly value: bigint
}

export interface ErrorRow extends RowBase {
  readonly peer: PeerFacts
  readonly streamOffset: number
  readonly code: string
  readonly path: string
  readonly spec: string
  readonly treatment: string
  readonly text: string
  readonly raw: Uint8Array
}

const RIB = enumeration(RIB_CODES)
const KIND = enumeration(SESSION_KINDS)

export const SESSION_COLUMNS: readonly Column<SessionRow>[] = [
  { name: 'rx_ts', kind: TIME, get: (row) => row.rxUs },
  { name: 'seq', kind: COUNT, get: (row) => row.seq },
  { name: 'bmp_ts', kind: TIME_OR_ZERO, get: (row) => row.bmpUs },
  { name: 'collector', kind: WORD, get: (row) => row.session.collector },
  { name: 'router', kind: WORD, get: (row) => row.session.router },
  { name: 'router_addr', kind: IP, get: (row) => row.session.routerAddr },
  { name: 'bmp_session', kind: COUNT, get: (row) => row.session.bmpSession },
  { name: 'kind', kind: KIND, get: (row) => row.kind },
  { name: 'peer_key', kind: UINT64, get: (row) => row.peer.key },
  { name: 'peer_epoch', kind: UINT32, get: (row) => row.epoch },
  { name: 'peer_addr', kind: IP, get: (row) => row.peer.address },
  { name: 'peer_asn', kind: UINT32, get: (row) => row.peer.asn },
  { name: 'peer_bgp_id', kind: BGP_ID, get: (row) => row.peer.bgpId },
  { name: 'peer_rd', kind: RD, get: (row) => row.peer.rd },
  { name: 'peer_type', kind: UINT8, get: (row) => row.peer.type },
  { name: 'rib', kind: RIB, get: (row) => row.rib },
  { name: 'afi', kind: UINT16, get: (row) => row.afi },
  { name: 'safi', kind: UINT8, get: (row) => row.safi },
  { name: 'vrf', kind: WORD, get: (row) => row.vrf },
  { name: 'reason', kind: WORD, get: (row) => row.reason },
  { name: 'reason_code', kind: UINT8, get: (row) => row.reasonCode },
  { name: 'notification_code', kind: UINT8, get: (row) => row.notificationCode },
  { name: 'notification_subcode', kind: UINT8, get: (row) => row.notificationSubcode },
  { name: 'fsm_event', kind: UINT16, get: (row) => row.fsmEvent },
  { name: 'text', kind: STRING, get: (row) => row.text },
  { name: 'synthetic', kind: UINT8, get: (row) => Number(row.synthetic) },
  { name: 'counted', kind: UINT8, get: (row) => Number(row.counted) },
  { name: 'local_addr', kind: IP_OR_NONE, get: (row) => row.localAddr },
  { name: 'local_port', kind: UINT16, get: (row) => row.localPort },
  { name: 'remote_port', kind: UINT16, get: (row) => row.remotePort },
  { name: 'local_asn', kind: UINT32, get: (row) => row.localAsn },
  { name: 'local_bgp_id', kind: BGP_ID_OR_NONE, get: (row) => row.localBgpId },
  { name: 'hold_time_sent', kind: UINT16, get: (row) => row.holdTimeSent },
  { name: 'hold_time_received', kind: UINT16, get: (row) => row.holdTimeReceived },
  { name: 'sent_capabilities', kind: STRINGS, get: (row) => row.sentCapabilities },
  { name: 'received_capabilities', kind: STRINGS, get: (row) => row.receivedCapabilities },
  { name: 'effects', kind: EFFECTS, get: (row) => row.effects },
]

export const STATS_COLUMNS: readonly Column<StatsRow>[] = [
  { name: 'rx_ts', kind: TIME, get: (row) => row.rxUs },
  { name: 'seq', kind: COUNT, get: (row) => row.seq },
  { name: 'bmp_ts', kind: TIME_OR_ZERO, get: (row) => row.bmpUs },
  { name: 'collector', kind: WORD, get: (row) => row.session.collector },
  { name: 'router', kind: WORD, get: (row) => row.session.router },
  { name: 'router_addr', kind: IP, get: (row) => row.session.routerAddr },
  { name: 'bmp_session', kind: COUNT, get: (row) => row.session.bmpSession },
  { name: 'peer_key', kind: UINT64, get: (row) => row.peer.key },
  { name: 'peer_epoch', kind: UINT32, get: (row) => row.epoch },
  { name: 'peer_addr', kind: IP, get: (row) => row.peer.address },
  { name: 'peer_asn', kind: UINT32, get: (row) => row.peer.asn },
  { name: 'peer_bgp_id', kind: BGP_ID, get: (row) => row.peer.bgpId },
  { name: 'peer_rd', kind: RD, get: (row) => row.peer.rd },
  { name: 'rib', kind: RIB, get: (row) => row.rib },
  { name: 'stat_type', kind: UINT16, get: (row) => row.statType },
  { name: 'afi', kind: UINT16, get: (row) => row.afi },
  { name: 'safi', kind: UINT8, get: (row) => row.safi },
  { name: 'value', kind: UINT64, get: (row) => row.value },
]

export const ERROR_COLUMNS: readonly Column<ErrorRow>[] = [
  { name: 'rx_ts', kind: TIME, get: (row) => row.rxUs },
  { name: 'seq', kind: COUNT, get: (row) => row.seq },
  { name: 'collector', kind: WORD, get: (row) => row.session.collector },
  { name: 'router', kind: WORD, get: (row) => row.session.router },
  { name: 'router_addr', kind: IP, get: (row) => row.session.routerAddr },
  { name: 'bmp_session', kind: COUNT, get: (row) => row.session.bmpSession },
  { name: 'peer_key', kind: UINT64, get: (row) => row.peer.key },
  { name: 'peer_addr', kind: IP, get: (row) => row.peer.address },
  { name: 'stream_offset', jsonName: 'offset', kind: COUNT, get: (row) => row.streamOffset },
  { name: 'code', kind: WORD, get: (row) => row.code },
  { name: 'path', kind: WORD, get: (row) => row.path },
  { name: 'spec', kind: WORD, get: (row) => row.spec },
  { name: 'treatment', kind: WORD, get: (row) => row.treatment },
  { name: 'text', kind: STRING, get: (row) => row.text },
  { name: 'raw', kind: OCTETS, get: (row) => row.raw },
]
