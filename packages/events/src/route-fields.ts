/**
 * HOT PATH: what the routes of one field of an UPDATE share, once per field: the second half of a block of
 * rows (route-block.ts). Whoever writes the block repeats it for each row, column by column.
 */
import type { RowPeer } from './route-block.ts'

const FIRST_FIELDS = 16

/** One list attribute: the elements of each field, as lanes. */
export class FieldList {
  /** where the lanes of a field end; they begin where those of the field before end */
  ends = new Int32Array(0)
  data = new Int32Array(64)
  /** lanes in all rows: each has those of its field */
  rowLanes = 0

  /** Says what a field has. Called for all fields, in their order. */
  put(field: number, source: Int32Array, lanes: number, rows: number): void {
    const from = this.from(field)
    const to = from + lanes
    if (to > this.data.length) this.#grow(to)
    const { data } = this
    for (let i = 0; i < lanes; i++) data[from + i] = source[i]!
    this.ends[field] = to
    this.rowLanes += lanes * rows
  }

  /** Says that a field has nothing. */
  none(field: number): void {
    this.ends[field] = this.from(field)
  }

  /** Where the lanes of a field begin. */
  from(field: number): number {
    return field === 0 ? 0 : this.ends[field - 1]!
  }

  #grow(lanes: number): void {
    const larger = new Int32Array(Math.max(lanes, 2 * this.data.length))
    larger.set(this.data)
    this.data = larger
  }
}

export class RouteFields {
  capacity = 0
  n = 0

  /** one past the last row of the field */
  ends = new Int32Array(0)
  /** place in `peers` */
  peer = new Int32Array(0)
  /** number of the field's first row; the others count on */
  seq = new Float64Array(0)
  rxUs = new Float64Array(0)
  bmpUs = new Float64Array(0)
  afi = new Int32Array(0)
  safi = new Int32Array(0)
  action = new Int32Array(0)
  /** with phase and origin */
  flags = new Int32Array(0)
  /** two lanes, but for what a row adds of its own */
  attrHash = new Int32Array(0)
  fwdHash = new Int32Array(0)
  nextHop = new Int32Array(0)
  nextHopLl = new Int32Array(0)
  med = new Int32Array(0)
  localPref = new Int32Array(0)
  originatorId = new Int32Array(0)
  linkBw = new Float64Array(0)
  encap = new Int32Array(0)
  rmacHi = new Int32Array(0)
  /** the last two octets */
  rmacLo = new Int32Array(0)
  mmSeq = new Int32Array(0)

  readonly asPath = new FieldList()
  readonly communities = new FieldList()
  readonly extCommunities = new FieldList()
  readonly largeCommunities = new FieldList()
  readonly clusterList = new FieldList()
  readonly lists: readonly FieldList[] = [
    this.asPath,
    this.communities,
    this.extCommunities,
    this.largeCommunities,
    this.clusterList,
  ]

  /** In the order of their first fields; one may be there again. */
  readonly peers: RowPeer[] = []

  constructor() {
    this.#resize(FIRST_FIELDS)
  }

  /** @returns the place of the next field, which ends before row `end` */
  add(end: number, peer: RowPeer): number {
    const field = this.n++
    if (field === this.capacity) this.#resize(this.capacity * 4)
    const { peers } = this
    if (field === 0 || peers[peers.length - 1] !== peer) peers.push(peer)
    this.peer[field] = peers.length - 1
    this.ends[field] = end
    return field
  }

  /** The field that a row belongs to. */
  of(row: number): number {
    let from = 0
    let to = this.n
    while (from < to) {
      const middle = (from + to) >> 1
      if (this.ends[middle]! <= row) from = middle + 1
      else to = middle
    }
    return from
  }

  /** First row of a field. */
  from(field: number): number {
    return field === 0 ? 0 : this.ends[field - 1]!
  }

  clear(): void {
    this.n = 0
    this.asPath.rowLanes = 0
    this.communities.rowLanes = 0
    this.extCommunities.rowLanes = 0
    this.largeCommunities.rowLanes = 0
    this.clusterList.rowLanes = 0
    // Writing the length of an array is dear, even when it stays the same.
    if (this.peers.length > 0) this.peers.length = 0
  }

  #resize(fields: number): void {
    this.capacity = fields
    const int32 = (old: Int32Array, lanes = 1): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(fields * lanes)
      larger.set(old)
      return larger
    }
    const float64 = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(fields)
      larger.set(old)
      return larger
    }
    this.ends = int32(this.ends)
    this.peer = int32(this.peer)
    this.seq = float64(this.seq)
    this.rxUs = float64(this.rxUs)
    this.bmpUs = float64(this.bmpUs)
    this.afi = int32(this.afi)
    this.safi = int32(this.safi)
    this.action = int32(this.action)
    this.flags = int32(this.flags)
    this.attrHash = int32(this.attrHash, 2)
    this.fwdHash = int32(this.fwdHash, 2)
    this.nextHop = int32(this.nextHop, 4)
    this.nextHopLl = int32(this.nextHopLl, 4)
    this.med = int32(this.med)
    this.localPref = int32(this.localPref)
    this.originatorId = int32(this.originatorId)
    this.linkBw = float64(this.linkBw)
    this.encap = int32(this.encap)
    this.rmacHi = int32(this.rmacHi)
    this.rmacLo = int32(this.rmacLo)
    this.mmSeq = int32(this.mmSeq)
    for (const list of this.lists) list.ends = int32(list.ends)
  }
}
