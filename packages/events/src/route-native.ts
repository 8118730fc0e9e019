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
import type { FieldList, RouteFields } from './route-fields.ts'
import { writeMore } from './route-more.ts'
import {
  PEER_ADDR,
  PEER_ASN,
  PEER_BGP_ID,
  PEER_EPOCH,
  PEER_KEY,
  PEER_LANES,
  PEER_RD,
  PEER_RIB,
  fieldSpan,
  peerSpan,
  writeFlags,
  writeHashes,
} from './row-span.ts'
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

/** Appends the rows from..to of a block; unused columns are left out. */
export function writeRouteRows(
  out: ByteWriter,
  k: RouteBlock,
  facts: SessionFacts,
  from: number,
  to: number,
): void {
  const n = to - from
  const { used, fields } = k
  const block = beginBlock(out, n)
  const span = fieldSpan(fields, from, to)
  const peers = peerSpan(fields, from, to)
  const column = (name: string, type: string): void => {
    beginColumn(out, block, name, type)
  }
  const raw = (name: string, type: string, values: ArrayBufferView, octets: number): void => {
    column(name, type)
    out.raw(new Uint8Array(values.buffer, octets * from, octets * n))
  }
  const number = (name: string, values: Int32Array): void => {
    column(name, 'UInt32')
    span.lanes(out, values)
  }
  const peerNumber = (name: string, lane: number): void => {
    column(name, 'UInt32')
    peers.span.lanes(out, peers.values, PEER_LANES, lane)
  }
  const list = (name: string, type: 'UInt32' | 'UInt64', values: FieldList): void => {
    if (values.rowLanes === 0) return
    column(name, `Array(${type})`)
    span.list(out, values, type === 'UInt64' ? 1 : 0)
  }

  raw('addr', 'IPv6', k.addr, 16)
  raw('bits', 'UInt8', k.bits, 1)
  column('afi', 'UInt16')
  span.shorts(out, fields.afi)
  column('safi', 'UInt8')
  span.octets(out, fields.safi)
  constantWord(out, block, 'router', facts.router)
  column('peer_key', 'UInt64')
  peers.span.pairs(out, peers.values, PEER_LANES, PEER_KEY)
  column('rib', RIB_TYPE)
  peers.span.octets(out, peers.values, PEER_LANES, PEER_RIB)
  if ((used & USED_KEY) !== 0) {
    column('nlri_key', 'String')
    out.raw(k.key.subarray(keyAt(k, from), to === k.n ? k.keyLength : keyAt(k, to)))
  }
  if ((used & USED_PATH_ID) !== 0) raw('path_id', 'UInt32', k.pathId, 4)
  column('bmp_session', 'UInt64')
  const session = new DataView(new ArrayBuffer(8))
  session.setBigUint64(0, BigInt(facts.bmpSession), true)
  repeated(out, new Uint8Array(session.buffer), n)
  // pos = bmp_session * 4096 + seq
  column('pos', 'UInt64')
  span.numbers(out, fields.seq, BigInt(facts.bmpSession) * 4096n)
  column('rx_ts', TIME_TYPE)
  span.times(out, fields.rxUs)
  column('bmp_ts', TIME_TYPE)
  span.times(out, fields.bmpUs)
  constantWord(out, block, 'collector', facts.collector)
  constantWord(out, block, 'router_addr', formatIp(facts.routerAddr))
  peerNumber('peer_epoch', PEER_EPOCH)
  column('peer_addr', 'IPv6')
  peers.span.quads(out, peers.values, PEER_LANES, PEER_ADDR)
  peerNumber('peer_asn', PEER_ASN)
  peerNumber('peer_bgp_id', PEER_BGP_ID)
  if ((used & USED_PEER_RD) !== 0) {
    column('peer_rd', 'UInt64')
    peers.span.pairs(out, peers.values, PEER_LANES, PEER_RD)
  }
  if ((used & USED_VRF) !== 0) {
    column('vrf', 'LowCardinality(String)')
    writeVrfs(out, fields, from, to)
  }
  column('action', "Enum8('announce' = 1, 'withdraw' = 2)")
  span.octets(out, fields.action)
  if ((used & USED_NEXT_HOP) !== 0) {
    column('next_hop', 'IPv6')
    span.quads(out, fields.nextHop)
  }
  list('as_path', 'UInt32', fields.asPath)
  if ((used & USED_MED) !== 0) number('med', fields.med)
  if ((used & USED_LOCAL_PREF) !== 0) number('local_pref', fields.localPref)
  list('communities', 'UInt32', fields.communities)
  list('ext_communities', 'UInt64', fields.extCommunities)
  if (k.labels.used) {
    column('labels', 'Array(UInt32)')
    writeLabels(out, k.labels, from, to)
  }
  if ((used & USED_ORIGINATOR) !== 0) number('originator_id', fields.originatorId)
  if (k.evpn) raw('vni', 'UInt32', k.vni, 4)
  column('attr_hash', 'UInt64')
  writeHashes(out, k, fields.attrHash, span)
  column('fwd_hash', 'UInt64')
  writeHashes(out, k, fields.fwdHash, span)
  writeMore(out, block, k, from, to)
  column('flags', 'UInt32')
  writeFlags(out, k, span)
}

function writeVrfs(out: ByteWriter, fields: RouteFields, from: number, to: number): void {
  const names = [...new Set(['', ...fields.peers.map(({ vrf }) => vrf)])]
  const indexes = new Uint16Array(to - from)
  for (let field = fields.of(from); field < fields.n && fields.from(field) < to; field++) {
    const index = names.indexOf(fields.peers[fields.peer[field]!]!.vrf)
    indexes.fill(index, Math.max(0, fields.from(field) - from), fields.ends[field]! - from)
  }
  writeLowCardinality(out, names, indexes)
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

function constantWord(out: ByteWriter, block: NativeBlock, name: string, value: string): void {
  beginColumn(out, block, name, 'LowCardinality(String)')
  writeLowCardinality(out, [value], zeros.subarray(0, block.rows))
}

function repeated(out: ByteWriter, value: Uint8Array, rows: number): void {
  out.raw(value)
  const octets = value.length * (rows - 1)
  out.onwards(out.room(octets), value.length, octets)
}

function writeLabels(out: ByteWriter, { ends, data }: ArrayColumn, from: number, to: number): void {
  const first = from === 0 ? 0 : ends[from * 2 - 2]!
  const last = ends[to * 2 - 2]!
  if (first === 0) out.raw(new Uint8Array(ends.buffer, from * 8, (to - from) * 8))
  else for (let row = from; row < to; row++) out.u64(ends[row * 2]! - first)
  out.raw(new Uint8Array(data.buffer, first * 4, (last - first) * 4))
}
