import type { ByteWriter } from './byte-writer.ts'
import { formatIp } from './ip.ts'
import { beginBlock, beginColumn, writeLowCardinality } from './native.ts'
import type { NativeBlock } from './native.ts'
import {
  USED_KEY,
  USED_LOCAL_PREF,
  USED_MED,
  USED_NEXT_HOP,
  USED_ORIGINATOR,
  USED_PATH_ID,
  USED_PEER_RD,
  USED_VRF,
} from './route-block.ts'
import type { ArrayColumn, RouteBlock } from './route-block.ts'
import { writeMore } from './route-more.ts'
import { RIB_CODES } from './rows.ts'
import type { SessionFacts } from './rows.ts'

const { any: _, ...ROUTE_RIBS } = RIB_CODES
const RIB_TYPE = `Enum8(${Object.entries(ROUTE_RIBS)
  .map(([name, code]) => `'${name}' = ${code}`)
  .join(', ')})`
const TIME_TYPE = "DateTime64(6, 'UTC')"

/** Columns of the INSERT. */
export const ROUTE_COLUMNS: readonly string[] = [
  'addr',
  'bits',
  'afi',
  'safi',
  'router',
  'peer_key',
  'rib',
  'nlri_key',
  'path_id',
  'pos',
  'bmp_session',
  'rx_ts',
  'bmp_ts',
  'collector',
  'router_addr',
  'peer_epoch',
  'peer_addr',
  'peer_asn',
  'peer_bgp_id',
  'peer_rd',
  'vrf',
  'action',
  'flags',
  'next_hop',
  'as_path',
  'med',
  'local_pref',
  'communities',
  'ext_communities',
  'labels',
  'originator_id',
  'vni',
  'attr_hash',
  'fwd_hash',
  'more',
]

const zeros = new Uint8Array(65_536 * 2)

/**
 * Appends the rows of a block; unused columns are left out. The block can only be cleared after this: its
 * columns `seq` and `flags` become `pos` and the table's wider `flags` where they lie.
 */
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
  positions(k, facts.bmpSession)
  raw('pos', 'UInt64', k.seq, 8)
  raw('rx_ts', TIME_TYPE, k.rxTs, 8)
  raw('bmp_ts', TIME_TYPE, k.bmpTs, 8)
  constantWord(out, block, 'collector', facts.collector)
  constantWord(out, block, 'router_addr', formatIp(facts.routerAddr))
  raw('peer_epoch', 'UInt32', k.peerEpoch, 4)
  raw('peer_addr', 'IPv6', k.peerAddr, 16)
  raw('peer_asn', 'UInt32', k.peerAsn, 4)
  raw('peer_bgp_id', 'UInt32', k.peerBgpId, 4)
  rare(USED_PEER_RD, 'peer_rd', 'UInt64', k.peerRd, 8)
  if ((used & USED_VRF) !== 0) {
    beginColumn(out, block, 'vrf', 'LowCardinality(String)')
    writeLowCardinality(out, k.vrfs, k.vrf.subarray(0, n))
  }
  raw('action', "Enum8('announce' = 1, 'withdraw' = 2)", k.action, 1)
  rare(USED_NEXT_HOP, 'next_hop', 'IPv6', k.nextHop, 16)
  array(out, block, 'as_path', 'UInt32', k.asPath, n)
  rare(USED_MED, 'med', 'UInt32', k.med, 4)
  rare(USED_LOCAL_PREF, 'local_pref', 'UInt32', k.localPref, 4)
  array(out, block, 'communities', 'UInt32', k.communities, n)
  array(out, block, 'ext_communities', 'UInt64', k.extCommunities, n)
  array(out, block, 'labels', 'UInt32', k.labels, n)
  rare(USED_ORIGINATOR, 'originator_id', 'UInt32', k.originatorId, 4)
  if (k.evpn) raw('vni', 'UInt32', k.vni, 4)
  raw('attr_hash', 'UInt64', k.attrHash, 8)
  raw('fwd_hash', 'UInt64', k.fwdHash, 8)
  writeMore(out, block, k)
  // Last: the map looks at the flags of the block.
  packFlags(k)
  raw('flags', 'UInt32', k.flags, 4)
}

/** `pos` = bmp_session * 4096 + seq, in place of seq. */
function positions(k: RouteBlock, bmpSession: number): void {
  const base = BigInt(bmpSession) * 4096n
  const baseLo = Number(base & 0xffffffffn)
  const baseHi = Number(base >> 32n)
  const { seq, n } = k
  for (let j = 0; j < n * 2; j += 2) {
    const lo = (seq[j]! >>> 0) + baseLo
    seq[j] = lo | 0
    seq[j + 1] = seq[j + 1]! + baseHi + (lo > 0xffffffff ? 1 : 0)
  }
}

/** Phase, origin and IP version in bits 12 to 18: three columns less to sort. */
function packFlags(k: RouteBlock): void {
  const { flags, phase, origin, ipVersion, n } = k
  for (let row = 0; row < n; row++) {
    flags[row]! |= (phase[row]! << 12) | (origin[row]! << 14) | (ipVersion[row]! << 16)
  }
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
