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

/** Once before its rows are written: the block's `seq` and `flags` become `pos` and the table's wider `flags` where they lie. */
export function finishRouteBlock(k: RouteBlock, facts: SessionFacts): void {
  k.closeRun()
  positions(k, facts.bmpSession)
  packFlags(k)
}

/** Appends the rows from..to of a finished block; unused columns are left out. */
export function writeRouteRows(
  out: ByteWriter,
  k: RouteBlock,
  facts: SessionFacts,
  from: number,
  to: number,
): void {
  const n = to - from
  const { used } = k
  const block = beginBlock(out, n)
  const raw = (name: string, type: string, column: ArrayBufferView, octets: number): void => {
    beginColumn(out, block, name, type)
    out.raw(new Uint8Array(column.buffer, octets * from, octets * n))
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
    out.raw(k.key.subarray(keyAt(k, from), to === k.n ? k.keyLength : keyAt(k, to)))
  }
  rare(USED_PATH_ID, 'path_id', 'UInt32', k.pathId, 4)
  beginColumn(out, block, 'bmp_session', 'UInt64')
  const session = new DataView(new ArrayBuffer(8))
  session.setBigUint64(0, BigInt(facts.bmpSession), true)
  repeated(out, new Uint8Array(session.buffer), n)
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
    writeLowCardinality(out, k.vrfs, k.vrf.subarray(from, to))
  }
  raw('action', "Enum8('announce' = 1, 'withdraw' = 2)", k.action, 1)
  rare(USED_NEXT_HOP, 'next_hop', 'IPv6', k.nextHop, 16)
  array(out, block, 'as_path', 'UInt32', k.asPath, from, to)
  rare(USED_MED, 'med', 'UInt32', k.med, 4)
  rare(USED_LOCAL_PREF, 'local_pref', 'UInt32', k.localPref, 4)
  array(out, block, 'communities', 'UInt32', k.communities, from, to)
  array(out, block, 'ext_communities', 'UInt64', k.extCommunities, from, to)
  array(out, block, 'labels', 'UInt32', k.labels, from, to)
  rare(USED_ORIGINATOR, 'originator_id', 'UInt32', k.originatorId, 4)
  if (k.evpn) raw('vni', 'UInt32', k.vni, 4)
  raw('attr_hash', 'UInt64', k.attrHash, 8)
  raw('fwd_hash', 'UInt64', k.fwdHash, 8)
  writeMore(out, block, k, from, to)
  raw('flags', 'UInt32', k.flags, 4)
}

/** Where the nlri_key of a row begins: each has its length in front. */
function keyAt(k: RouteBlock, row: number): number {
  let at = 0
  for (let before = 0; before < row; before++) {
    let octets = 0
    for (let shift = 0; ; shift += 7) {
      const part = k.key[at++]!
      octets |= (part & 127) << shift
      if (part < 128) break
    }
    at += octets
  }
  return at
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
  type: 'UInt32' | 'UInt64',
  column: ArrayColumn,
  from: number,
  to: number,
): void {
  if (!column.used) return
  const { ends, data } = column
  beginColumn(out, block, name, `Array(${type})`)
  const lanes = type === 'UInt64' ? 2 : 1
  const first = from === 0 ? 0 : ends[from * 2 - 2]!
  const last = ends[to * 2 - 2]!
  if (first === 0) out.raw(new Uint8Array(ends.buffer, from * 8, (to - from) * 8))
  else for (let row = from; row < to; row++) out.u64(ends[row * 2]! - first)
  out.raw(new Uint8Array(data.buffer, first * lanes * 4, (last - first) * lanes * 4))
}
