/**
 * HOT PATH: the column `more` of route_log, a map of what few routes have: a column each would cost every
 * route. Keys and values are those of the table's comment; a value that is zero is left out.
 */
import { ByteWriter } from './byte-writer.ts'
import { beginColumn } from './native.ts'
import type { NativeBlock } from './native.ts'
import {
  FLAG_LINK_BW,
  FLAG_MM_SEQ,
  FLAG_RMAC,
  USED_ENCAP,
  USED_GATEWAY,
  USED_LINK_BW,
  USED_MM_SEQ,
  USED_NEXT_HOP_LL,
  USED_RMAC,
  USED_VNI2,
} from './route-block.ts'
import type { RouteBlock, TextRun } from './route-block.ts'
import type { FieldList } from './route-fields.ts'

const NEXT_HOP_LL = 1
const AS_PATH_SETS = 2
const LARGE_COMMUNITIES = 3
const CLUSTER_LIST = 4
const D_PATH = 5
const UNKNOWN_ATTRS = 6
const DECODE_ERRORS = 7
const ESI = 8
const GW_IP = 9
const VNI2 = 10
const RMAC = 11
const MM_SEQ = 12
const LINK_BW = 13
const ENCAP = 14

const USED_ANY =
  USED_NEXT_HOP_LL | USED_GATEWAY | USED_VNI2 | USED_RMAC | USED_MM_SEQ | USED_LINK_BW | USED_ENCAP

/** Encoding is synchronous, so that one set of buffers will do. */
const keys = new ByteWriter(1 << 12)
const values = new ByteWriter(1 << 16)

/** Appends the column of the rows from..to when some row of the block has something for it. */
export function writeMore(
  out: ByteWriter,
  block: NativeBlock,
  k: RouteBlock,
  from: number,
  to: number,
): void {
  const { fields } = k
  const texts = k.asPathSets.length + k.dPath.length + k.unknownAttrs.length + k.decodeErrors.length
  const lists = fields.largeCommunities.rowLanes + fields.clusterList.rowLanes
  if (!k.evpn && texts === 0 && lists === 0 && (k.used & USED_ANY) === 0) return

  beginColumn(out, block, 'more', 'Map(UInt8, String)')
  keys.length = 0
  values.length = 0
  writeRows(out, k, texts > 0, from, to)
  out.raw(keys.bytes.subarray(0, keys.length))
  out.raw(values.bytes.subarray(0, values.length))
}

/** A method of its own, with nothing behind the loop: V8 would compile it before it has seen that, again and again. */
function writeRows(out: ByteWriter, k: RouteBlock, texts: boolean, from: number, to: number): void {
  const { fields } = k
  const nextHopLl = new Uint8Array(fields.nextHopLl.buffer)
  const gateway = new Uint8Array(k.gateway.buffer)
  const sets = new Runs(k.asPathSets, (text) => text)
  const dPaths = new Runs(k.dPath, (text) => text)
  const unknown = new Runs(k.unknownAttrs, (list) => list.join('\n'))
  const errors = new Runs(k.decodeErrors, (list) =>
    list.map((text) => text.replaceAll('\n', ' ')).join('\n'),
  )
  let p = out.room(8 * (to - from))
  for (let field = fields.of(from), row = from; row < to; field++) {
    const end = Math.min(fields.ends[field]!, to)
    const first = row
    // Keys go up: what the field says comes partly in front of what the route says, partly behind it.
    const headAt = keys.length
    const headValueAt = values.length
    quad(NEXT_HOP_LL, fields.nextHopLl, nextHopLl, field)
    if (texts) text(AS_PATH_SETS, sets.at(row))
    list(LARGE_COMMUNITIES, fields.largeCommunities, field)
    list(CLUSTER_LIST, fields.clusterList, field)
    if (texts) {
      text(D_PATH, dPaths.at(row))
      text(UNKNOWN_ATTRS, unknown.at(row))
      text(DECODE_ERRORS, errors.at(row))
    }
    const headEnd = keys.length
    const headValueEnd = values.length
    let tailAt = headEnd
    let tailEnd = headEnd
    let tailValueAt = headValueEnd
    let tailValueEnd = headValueEnd
    // What a field without any of it costs counts: most are such.
    if (headEnd === headAt && !k.evpn && !hasCommunities(k, field)) {
      writeEnds(out, p, end - row)
      p += 8 * (end - row)
      row = end
    }
    for (; row < end; row++, p += 8) {
      if (row > first) {
        keys.again(headAt, headEnd)
        values.again(headValueAt, headValueEnd)
      }
      if (k.evpn) evpnRow(k, gateway, row)
      if (row === first) {
        tailAt = keys.length
        tailValueAt = values.length
        evpnCommunities(k, field)
        tailEnd = keys.length
        tailValueEnd = values.length
      } else {
        keys.again(tailAt, tailEnd)
        values.again(tailValueAt, tailValueEnd)
      }
      out.view.setUint32(p, keys.length, true)
      out.view.setUint32(p + 4, 0, true)
    }
  }
}

/** Rows that end where the row before did. */
function writeEnds({ view }: ByteWriter, at: number, rows: number): void {
  for (let p = at; p < at + 8 * rows; p += 8) {
    view.setUint32(p, keys.length, true)
    view.setUint32(p + 4, 0, true)
  }
}

function evpnRow(k: RouteBlock, gateway: Uint8Array, row: number): void {
  const at = row * 10
  const esi = k.esiView
  if ((esi.getInt32(at) | esi.getInt32(at + 4) | esi.getInt16(at + 8)) !== 0) {
    octets(ESI, k.esi, at, 10)
  }
  if ((k.used & USED_GATEWAY) !== 0) quad(GW_IP, k.gateway, gateway, row)
  if ((k.used & USED_VNI2) !== 0) word(VNI2, k.vni2[row]!)
}

/** May `evpnCommunities` have something to say? */
function hasCommunities({ fields }: RouteBlock, field: number): boolean {
  const some = FLAG_RMAC | FLAG_MM_SEQ | FLAG_LINK_BW
  return (fields.flags[field]! & some) !== 0 || fields.encap[field] !== 0
}

/** What extended communities say. */
function evpnCommunities(k: RouteBlock, field: number): void {
  const { fields } = k
  const flags = fields.flags[field]!
  if ((flags & FLAG_RMAC) !== 0) {
    keys.u8(RMAC)
    values.u8(6)
    const at = values.room(6)
    values.view.setInt32(at, fields.rmacHi[field]!)
    values.view.setInt16(at + 4, fields.rmacLo[field]!)
  }
  if ((flags & FLAG_MM_SEQ) !== 0) word(MM_SEQ, fields.mmSeq[field]!)
  if ((k.used & USED_LINK_BW) !== 0 && (flags & FLAG_LINK_BW) !== 0) {
    keys.u8(LINK_BW)
    values.u8(8)
    values.view.setFloat64(values.room(8), fields.linkBw[field]!, true)
  }
  const encap = fields.encap[field]!
  if (encap !== 0) {
    keys.u8(ENCAP)
    values.u8(2)
    values.u16(encap)
  }
}

function word(key: number, value: number): void {
  if (value === 0) return
  keys.u8(key)
  values.u8(4)
  values.u32(value >>> 0)
}

function quad(key: number, column: Int32Array, bytes: Uint8Array, at: number): void {
  const j = at * 4
  if ((column[j]! | column[j + 1]! | column[j + 2]! | column[j + 3]!) === 0) return
  octets(key, bytes, j * 4, 16)
}

function list(key: number, { ends, data }: FieldList, field: number): void {
  const from = field === 0 ? 0 : ends[field - 1]!
  const to = ends[field]!
  if (to > from) octets(key, new Uint8Array(data.buffer), from * 4, (to - from) * 4)
}

function octets(key: number, from: Uint8Array, at: number, length: number): void {
  keys.u8(key)
  values.varUint(length)
  values.reserve(length)
  const { bytes } = values
  let q = values.length
  for (let i = at; i < at + length; i++) bytes[q++] = from[i]!
  values.length = q
}

function text(key: number, value: string): void {
  if (value === '') return
  keys.u8(key)
  values.text(value)
}

/** Values of runs of rows, asked for row after row. */
class Runs<T> {
  readonly #runs: readonly TextRun<T>[]
  readonly #textOf: (value: T) => string
  #next = 0
  #to = 0
  #text = ''

  constructor(runs: readonly TextRun<T>[], textOf: (value: T) => string) {
    this.#runs = runs
    this.#textOf = textOf
  }

  at(row: number): string {
    if (row >= this.#to) {
      let run = this.#runs[this.#next]
      while (run !== undefined && run.to <= row) run = this.#runs[++this.#next]
      if (run === undefined || row < run.from) return ''
      this.#next++
      this.#to = run.to
      this.#text = this.#textOf(run.value)
    }
    return this.#text
  }
}
