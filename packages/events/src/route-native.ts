import type { ByteWriter } from './byte-writer.ts'
import { beginBlock, beginColumn, writeLowCardinality } from './native.ts'
import type { NativeBlock } from './native.ts'
import {
  USED_ENCAP,
  USED_GATEWAY,
  USED_KEY,
  USED_LINK_BW,
  USED_LOCAL_PREF,
  USED_MED,
  USED_MM_SEQ,
  USED_NEXT_HOP,
  USED_NEXT_HOP_LL,
  USED_ORIGINATOR,
  USED_PATH_ID,
  USED_PEER_RD,
  USED_RD,
  USED_RMAC,
  USED_VNI2,
  USED_VRF,
} from './route-block.ts'
import type { ArrayColumn, RouteBlock, TextRun } from './route-block.ts'
import { RIB_CODES } from './rows.ts'
import type { SessionFacts } from './rows.ts'

const { any: _, ...ROUTE_RIBS } = RIB_CODES
const RIB_TYPE = `Enum8(${Object.entries(ROUTE_RIBS)
  .map(([name, code]) => `'${name}' = ${code}`)
  .join(', ')})`
const TIME_TYPE = "DateTime64(6, 'UTC')"

/** Columns of the INSERT. `pos` is the table's own. */
export const ROUTE_COLUMNS: readonly string[] = [
  'addr',
  'bits',
  'ip_version',
  'afi',
  'safi',
  'router',
  'peer_key',
  'rib',
  'nlri_key',
  'path_id',
  'bmp_session',
  'seq',
  'rx_ts',
  'bmp_ts',
  'collector',
  'router_addr',
  'peer_epoch',
  'peer_addr',
  'peer_asn',
  'peer_bgp_id',
  'peer_rd',
  'phase',
  'vrf',
  'action',
  'rd',
  'labels',
  'next_hop',
  'next_hop_ll',
  'origin',
  'as_path',
  'as_path_sets',
  'med',
  'local_pref',
  'communities',
  'ext_communities',
  'large_communities',
  'originator_id',
  'cluster_list',
  'evpn_type',
  'esi',
  'eth_tag',
  'mac',
  'gw_ip',
  'vni',
  'vni2',
  'rmac',
  'mm_seq',
  'link_bw',
  'encap',
  'd_path',
  'flags',
  'attr_hash',
  'fwd_hash',
  'unknown_attrs',
  'decode_errors',
]

const zeros = new Uint8Array(65_536 * 2)

/** Appends the rows of a block; unused columns are left out. */
export function writeRouteBlock(out: ByteWriter, k: RouteBlock, facts: SessionFacts): void {
  k.closeRun()
  const n = k.n
  const { used } = k
  const block = beginBlock(out, n)
  const raw = (name: string, type: string, column: ArrayBufferView, octets: number): void => {
    beginColumn(out, block, name, type)
    out.raw(new Uint8Array(column.buffer, 0, octets * n))
  }
  const rare = (bit: number, ...column: Parameters<typeof raw>): void => {
    if ((used & bit) !== 0) raw(...column)
  }

  raw('addr', 'IPv6', k.addr, 16)
  raw('bits', 'UInt8', k.bits, 1)
  raw('ip_version', 'UInt8', k.ipVersion, 1)
  raw('afi', 'UInt16', k.afi, 2)
  raw('safi', 'UInt8', k.safi, 1)
  constantWord(out, block, 'router', facts.router)
  raw('peer_key', 'UInt64', k.peerKey, 8)
  raw('rib', RIB_TYPE, k.rib, 1)
  if ((used & USED_KEY) !== 0) {
    beginColumn(out, block, 'nlri_key', 'String')
    out.raw(k.key.subarray(0, k.keyLength))
  }
  rare(USED_PATH_ID, 'path_id', 'UInt32', k.pathId, 4)
  beginColumn(out, block, 'bmp_session', 'UInt64')
  const session = new DataView(new ArrayBuffer(8))
  session.setBigUint64(0, BigInt(facts.bmpSession), true)
  repeated(out, new Uint8Array(session.buffer), n)
  raw('seq', 'UInt64', k.seq, 8)
  raw('rx_ts', TIME_TYPE, k.rxTs, 8)
  raw('bmp_ts', TIME_TYPE, k.bmpTs, 8)
  constantWord(out, block, 'collector', facts.collector)
  beginColumn(out, block, 'router_addr', 'IPv6')
  repeated(out, facts.routerAddr, n)
  raw('peer_epoch', 'UInt32', k.peerEpoch, 4)
  raw('peer_addr', 'IPv6', k.peerAddr, 16)
  raw('peer_asn', 'UInt32', k.peerAsn, 4)
  raw('peer_bgp_id', 'UInt32', k.peerBgpId, 4)
  rare(USED_PEER_RD, 'peer_rd', 'UInt64', k.peerRd, 8)
  raw('phase', "Enum8('dump' = 1, 'live' = 2)", k.phase, 1)
  if ((used & USED_VRF) !== 0) {
    beginColumn(out, block, 'vrf', 'LowCardinality(String)')
    writeLowCardinality(out, k.vrfs, k.vrf.subarray(0, n))
  }
  raw('action', "Enum8('announce' = 1, 'withdraw' = 2)", k.action, 1)
  rare(USED_RD, 'rd', 'UInt64', k.rd, 8)
  array(out, block, 'labels', 'UInt32', k.labels, n)
  rare(USED_NEXT_HOP, 'next_hop', 'IPv6', k.nextHop, 16)
  rare(USED_NEXT_HOP_LL, 'next_hop_ll', 'IPv6', k.nextHopLl, 16)
  raw('origin', "Enum8('igp' = 0, 'egp' = 1, 'incomplete' = 2, '' = 3)", k.origin, 1)
  array(out, block, 'as_path', 'UInt32', k.asPath, n)
  texts(out, block, 'as_path_sets', k.asPathSets, n)
  rare(USED_MED, 'med', 'UInt32', k.med, 4)
  rare(USED_LOCAL_PREF, 'local_pref', 'UInt32', k.localPref, 4)
  array(out, block, 'communities', 'UInt32', k.communities, n)
  array(out, block, 'ext_communities', 'UInt64', k.extCommunities, n)
  array(out, block, 'large_communities', 'UInt32', k.largeCommunities, n)
  rare(USED_ORIGINATOR, 'originator_id', 'UInt32', k.originatorId, 4)
  array(out, block, 'cluster_list', 'UInt32', k.clusterList, n)
  if (k.evpn) {
    raw('evpn_type', 'UInt8', k.evpnType, 1)
    raw('esi', 'FixedString(10)', k.esi, 10)
    raw('eth_tag', 'UInt32', k.ethTag, 4)
    raw('mac', 'FixedString(6)', k.mac, 6)
    rare(USED_GATEWAY, 'gw_ip', 'IPv6', k.gateway, 16)
    raw('vni', 'UInt32', k.vni, 4)
    rare(USED_VNI2, 'vni2', 'UInt32', k.vni2, 4)
  }
  rare(USED_RMAC, 'rmac', 'FixedString(6)', k.rmac, 6)
  rare(USED_MM_SEQ, 'mm_seq', 'UInt32', k.mmSeq, 4)
  rare(USED_LINK_BW, 'link_bw', 'Float64', k.linkBw, 8)
  rare(USED_ENCAP, 'encap', 'UInt16', k.encap, 2)
  texts(out, block, 'd_path', k.dPath, n)
  raw('flags', 'UInt32', k.flags, 4)
  raw('attr_hash', 'UInt64', k.attrHash, 8)
  raw('fwd_hash', 'UInt64', k.fwdHash, 8)
  textLists(out, block, 'unknown_attrs', k.unknownAttrs, n)
  textLists(out, block, 'decode_errors', k.decodeErrors, n)
}

function constantWord(out: ByteWriter, block: NativeBlock, name: string, value: string): void {
  beginColumn(out, block, name, 'LowCardinality(String)')
  writeLowCardinality(out, [value], zeros.subarray(0, block.rows))
}

function repeated(out: ByteWriter, value: Uint8Array, rows: number): void {
  const octets = value.length * rows
  out.reserve(octets)
  const from = out.length
  out.bytes.set(value, from)
  for (let done = value.length; done < octets;) {
    const more = Math.min(done, octets - done)
    out.bytes.copyWithin(from + done, from, from + more)
    done += more
  }
  out.length += octets
}

function array(
  out: ByteWriter,
  block: NativeBlock,
  name: string,
  type: string,
  column: ArrayColumn,
  rows: number,
): void {
  if (!column.used) return
  beginColumn(out, block, name, `Array(${type})`)
  out.raw(new Uint8Array(column.ends.buffer, 0, rows * 8))
  out.raw(new Uint8Array(column.data.buffer, 0, column.count * 4))
}

function texts(
  out: ByteWriter,
  block: NativeBlock,
  name: string,
  runs: readonly TextRun<string>[],
  rows: number,
): void {
  if (runs.length === 0) return
  beginColumn(out, block, name, 'String')
  let row = 0
  for (const { from, to, value } of runs) {
    out.raw(zeros.subarray(0, from - row))
    for (row = from; row < to; row++) out.text(value)
  }
  out.raw(zeros.subarray(0, rows - row))
}

function textLists(
  out: ByteWriter,
  block: NativeBlock,
  name: string,
  runs: readonly TextRun<readonly string[]>[],
  rows: number,
): void {
  if (runs.length === 0) return
  beginColumn(out, block, name, 'Array(String)')
  let end = 0
  let row = 0
  for (const { from, to, value } of runs) {
    for (; row < from; row++) out.u64(end)
    for (; row < to; row++) out.u64((end += value.length))
  }
  for (; row < rows; row++) out.u64(end)
  for (const { from, to, value } of runs) {
    for (let i = from; i < to; i++) for (const text of value) out.text(text)
  }
}
