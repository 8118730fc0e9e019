/**
 * HOT PATH: some rows of a block on their way into Native columns: what is known once for each field is
 * written for each of its rows, straight into the octets that go out.
 */
import type { ByteWriter } from './byte-writer.ts'
import type { RouteBlock } from './route-block.ts'
import { USED_ROW_HASH } from './route-block.ts'
import type { FieldList, RouteFields } from './route-fields.ts'
import { ROW_ANNOUNCE } from './route-extractor.ts'

const TWO_32 = 0x1_0000_0000
/** Rows written one by one where many are alike; those behind them are copied. */
const LOOP_ROWS = 32

/** Rows from..to, in runs that have their values in common. */
export class RowSpan {
  readonly from: number
  readonly to: number
  /** one past the last row of each run, the first `first` of which end before `from` */
  readonly ends: Int32Array
  readonly first: number

  constructor(ends: Int32Array, first: number, from: number, to: number) {
    this.ends = ends
    this.first = first
    this.from = from
    this.to = to
  }

  /** Four octets a row. @param stride lanes of a run in `values`, of which `lane` is meant */
  lanes(out: ByteWriter, values: Int32Array, stride = 1, lane = 0): void {
    const { ends, from, to } = this
    let p = out.room(4 * (to - from))
    const { view } = out
    for (let run = this.first, row = from; row < to; run++) {
      const a = values[run * stride + lane]!
      let end = ends[run]!
      while (end < to && values[(run + 1) * stride + lane] === a) end = ends[++run]!
      end = Math.min(end, to)
      const loop = Math.min(end, row + LOOP_ROWS)
      for (; row < loop; row++, p += 4) view.setInt32(p, a, true)
      if (row < end) p = out.onwards(p, 4 * LOOP_ROWS, 4 * (end - row))
      row = end
    }
  }

  pairs(out: ByteWriter, values: Int32Array, stride = 2, lane = 0): void {
    const { ends, from, to } = this
    let p = out.room(8 * (to - from))
    const { view } = out
    for (let run = this.first, row = from; row < to; run++) {
      const at = run * stride + lane
      const end = Math.min(ends[run]!, to)
      const a = values[at]!
      const b = values[at + 1]!
      const loop = Math.min(end, row + LOOP_ROWS)
      for (; row < loop; row++, p += 8) {
        view.setInt32(p, a, true)
        view.setInt32(p + 4, b, true)
      }
      if (row < end) p = out.onwards(p, 8 * LOOP_ROWS, 8 * (end - row))
      row = end
    }
  }

  quads(out: ByteWriter, values: Int32Array, stride = 4, lane = 0): void {
    const { ends, from, to } = this
    let p = out.room(16 * (to - from))
    const { view } = out
    for (let run = this.first, row = from; row < to; run++) {
      const at = run * stride + lane
      const a = values[at]!
      const b = values[at + 1]!
      const c = values[at + 2]!
      const d = values[at + 3]!
      let end = ends[run]!
      for (let i = at + stride; end < to; i += stride) {
        if (values[i] !== a || values[i + 1] !== b) break
        if (values[i + 2] !== c || values[i + 3] !== d) break
        end = ends[++run]!
      }
      end = Math.min(end, to)
      const loop = Math.min(end, row + LOOP_ROWS)
      for (; row < loop; row++, p += 16) {
        view.setInt32(p, a, true)
        view.setInt32(p + 4, b, true)
        view.setInt32(p + 8, c, true)
        view.setInt32(p + 12, d, true)
      }
      if (row < end) p = out.onwards(p, 16 * LOOP_ROWS, 16 * (end - row))
      row = end
    }
  }

  /** One octet a row. */
  octets(out: ByteWriter, values: Int32Array, stride = 1, lane = 0): void {
    const { ends, from, to } = this
    let p = out.room(to - from)
    const { bytes } = out
    for (let run = this.first, row = from; row < to; run++) {
      const a = values[run * stride + lane]!
      let end = ends[run]!
      while (end < to && values[(run + 1) * stride + lane] === a) end = ends[++run]!
      end = Math.min(end, to)
      const loop = Math.min(end, row + LOOP_ROWS)
      for (; row < loop; row++) bytes[p++] = a
      if (row < end) p = out.onwards(p, LOOP_ROWS, end - row)
      row = end
    }
  }

  /** Two octets a row. */
  shorts(out: ByteWriter, values: Int32Array): void {
    const { ends, from, to } = this
    let p = out.room(2 * (to - from))
    const { view } = out
    for (let run = this.first, row = from; row < to; run++) {
      const a = values[run]!
      let end = ends[run]!
      while (end < to && values[run + 1] === a) end = ends[++run]!
      end = Math.min(end, to)
      const loop = Math.min(end, row + LOOP_ROWS)
      for (; row < loop; row++, p += 2) view.setInt16(p, a, true)
      if (row < end) p = out.onwards(p, 2 * LOOP_ROWS, 2 * (end - row))
      row = end
    }
  }

  /** Microseconds as 64 bits. */
  times(out: ByteWriter, values: Float64Array): void {
    const { ends, from, to } = this
    let p = out.room(8 * (to - from))
    const { view } = out
    for (let run = this.first, row = from; row < to; run++) {
      const us = values[run]!
      let end = ends[run]!
      while (end < to && values[run + 1] === us) end = ends[++run]!
      end = Math.min(end, to)
      const lo = us | 0
      const hi = Math.floor(us / TWO_32)
      const loop = Math.min(end, row + LOOP_ROWS)
      for (; row < loop; row++, p += 8) {
        view.setInt32(p, lo, true)
        view.setInt32(p + 4, hi, true)
      }
      if (row < end) p = out.onwards(p, 8 * LOOP_ROWS, 8 * (end - row))
      row = end
    }
  }

  /** The number of each row, counted up from that of its run's first, plus `base`, as 64 bits. */
  numbers(out: ByteWriter, values: Float64Array, base: bigint): void {
    const { ends, from, to } = this
    const baseLo = Number(base & 0xffffffffn)
    const baseHi = Number(base >> 32n)
    let p = out.room(8 * (to - from))
    const { view } = out
    for (let run = this.first, row = from; row < to; run++) {
      const end = Math.min(ends[run]!, to)
      const number = values[run]! + row - (run === 0 ? 0 : ends[run - 1]!)
      const high = Math.floor(number / TWO_32)
      let lo = number - high * TWO_32 + baseLo
      let hi = high + baseHi
      for (; row < end; row++, p += 8, lo++) {
        if (lo >= TWO_32) {
          lo -= TWO_32
          hi++
        }
        view.setInt32(p, lo, true)
        view.setInt32(p + 4, hi, true)
      }
    }
  }

  /**
   * Array(UInt32) or, with a `shift` of 1, Array(UInt64): where each row's elements end, then all of them. Two
   * methods: V8 compiles the first of two loops before it has seen the second, again and again.
   */
  list(out: ByteWriter, list: FieldList, shift: number): void {
    this.#elements(out, list, this.#listEnds(out, list, shift) << shift)
  }

  /** @returns how many elements all rows have */
  #listEnds(out: ByteWriter, list: FieldList, shift: number): number {
    const { ends, from, to } = this
    let p = out.room(8 * (to - from))
    const { view } = out
    let total = 0
    for (let run = this.first, row = from; row < to; run++) {
      const end = Math.min(ends[run]!, to)
      const elements = (list.ends[run]! - list.from(run)) >> shift
      for (; row < end; row++, p += 8) {
        total += elements
        view.setInt32(p, total, true)
        view.setInt32(p + 4, 0, true)
      }
    }
    return total
  }

  #elements(out: ByteWriter, list: FieldList, lanes: number): void {
    const { ends, from, to } = this
    let p = out.room(4 * lanes)
    const { view } = out
    const { data } = list
    for (let run = this.first, row = from; row < to; run++) {
      const end = Math.min(ends[run]!, to)
      const last = list.ends[run]!
      const start = list.from(run)
      if (start === last) row = end
      for (; row < end; row++) {
        for (let i = start; i < last; i++, p += 4) view.setInt32(p, data[i]!, true)
      }
    }
  }
}

/** The fields of a block as runs. */
export function fieldSpan(fields: RouteFields, from: number, to: number): RowSpan {
  return new RowSpan(fields.ends, fields.of(from), from, to)
}

/** Lanes of `PeerRuns.values`. */
export const PEER_KEY = 0
export const PEER_ADDR = 2
export const PEER_RD = 6
export const PEER_EPOCH = 8
export const PEER_ASN = 9
export const PEER_BGP_ID = 10
export const PEER_RIB = 11
export const PEER_LANES = 12

/** Fields of one peer that follow each other are one run. */
export function peerSpan(
  fields: RouteFields,
  from: number,
  to: number,
): { span: RowSpan; values: Int32Array } {
  const ends = new Int32Array(fields.peers.length)
  const values = new Int32Array(fields.peers.length * PEER_LANES)
  for (let field = 0; field < fields.n; field++) ends[fields.peer[field]!] = fields.ends[field]!
  for (const [i, peer] of fields.peers.entries()) {
    const { keyLo, keyHi, a0, a1, a2, a3, rdLo, rdHi, epoch, asn, bgpId, ribCode } = peer
    const lanes = [keyLo, keyHi, a0, a1, a2, a3, rdLo, rdHi, epoch, asn, bgpId, ribCode]
    values.set(lanes, i * PEER_LANES)
  }
  const first = ends.findIndex((end) => end > from)
  return { span: new RowSpan(ends, first, from, to), values }
}

/** attr_hash or fwd_hash: that of the field with what the route adds; 0 of a withdrawal alone. */
export function writeHashes(
  out: ByteWriter,
  k: RouteBlock,
  values: Int32Array,
  { ends, first, from, to }: RowSpan,
): void {
  const { action } = k.fields
  const { rowHash } = k
  const own = (k.used & USED_ROW_HASH) !== 0
  let p = out.room(8 * (to - from))
  const { view } = out
  for (let run = first, row = from; row < to; run++) {
    const end = Math.min(ends[run]!, to)
    const announced = action[run] === ROW_ANNOUNCE
    let lo = announced ? values[run * 2]! : 0
    const hi = announced ? values[run * 2 + 1]! : 0
    if (announced && own) {
      for (; row < end; row++, p += 8) {
        const a = (lo + rowHash[row * 2]!) | 0
        const b = (hi + rowHash[row * 2 + 1]!) | 0
        view.setInt32(p, (a | b) === 0 ? 1 : a, true)
        view.setInt32(p + 4, b, true)
      }
      continue
    }
    if (announced && (lo | hi) === 0) lo = 1
    for (; row < end; row++, p += 8) {
      view.setInt32(p, lo, true)
      view.setInt32(p + 4, hi, true)
    }
  }
}

/** Flags of the field and of the route. */
export function writeFlags(
  out: ByteWriter,
  k: RouteBlock,
  { ends, first, from, to }: RowSpan,
): void {
  let p = out.room(4 * (to - from))
  const { view } = out
  const { flags } = k
  const shared = k.fields.flags
  for (let run = first, row = from; row < to; run++) {
    const end = Math.min(ends[run]!, to)
    for (const all = shared[run]!; row < end; row++, p += 4) {
      view.setInt32(p, flags[row]! | all, true)
    }
  }
}
