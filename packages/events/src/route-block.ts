/**
 * HOT PATH: rows of route_log in typed arrays: what a route has of its own here, what all routes of a field of
 * an UPDATE share in `fields`, once. A departure from the style of the rest, measured in
 * bench/events-rows.mjs: no object, string or copy per route.
 *
 * Typed arrays are written as they lie in memory, so this needs a little-endian machine (all that Node
 * runs on are). Numbers of 64 bits are two lanes, low first.
 *
 * A column that only some routers fill is left out of the block until its first value (`used`): blocks
 * say themselves which columns they have, and ClickHouse fills in defaults for the rest.
 */

import { RouteFields } from './route-fields.ts'

/** Rows a block may hold; ClickHouse's own default block size. */
export const MAX_BLOCK_ROWS = 65_536
/** Elements in one array column after which a block counts as full, whatever its rows. */
const MAX_BLOCK_ELEMENTS = 1 << 21
const FIRST_ROWS = 64
/** What a row takes beside its lists, key and texts. */
const ROW_OCTETS = 170
const EVPN_ROW_OCTETS = 210

/** Bits of the flags column. */
export const FLAG_MED = 1 << 0
export const FLAG_LOCAL_PREF = 1 << 1
export const FLAG_NEXT_HOP = 1 << 2
export const FLAG_OWN_AS_PREPENDED = 1 << 3
export const FLAG_LOC_RIB_ADDPATH = 1 << 4
export const FLAG_MM_SEQ = 1 << 5
export const FLAG_MM_STICKY = 1 << 6
export const FLAG_DEFAULT_GW = 1 << 7
export const FLAG_LINK_BW = 1 << 8
export const FLAG_MAC = 1 << 9
export const FLAG_RMAC = 1 << 10
export const FLAG_AS_PATH = 1 << 11
/** Bits 12 and 13 are the phase, 14 and 15 the origin, 16 to 18 the version of IP of the prefix: 0, 4 or 6. */
export const FLAG_PHASE = 12
export const FLAG_ORIGIN = 14
export const FLAG_IP_VERSION = 16
/** The next hop was sent as 16 octets that hold an IPv4 address (RFC 4798): `::ffff:192.0.2.1` as text. */
export const FLAG_NEXT_HOP_MAPPED = 1 << 19
/** nlri_key is the text of the NLRI, an octet 0 and its key octets; for EVPN behind the route type. */
export const FLAG_TEXT_KEY = 1 << 20
/** Those key octets begin with the route distinguisher. */
export const FLAG_KEY_RD = 1 << 21

/** Columns that blocks may go without. */
export const USED_KEY = 1 << 0
export const USED_PATH_ID = 1 << 1
export const USED_RD = 1 << 2
export const USED_NEXT_HOP_LL = 1 << 3
export const USED_MED = 1 << 4
export const USED_LOCAL_PREF = 1 << 5
export const USED_ORIGINATOR = 1 << 6
export const USED_LINK_BW = 1 << 7
export const USED_ENCAP = 1 << 8
export const USED_RMAC = 1 << 9
export const USED_MM_SEQ = 1 << 10
export const USED_GATEWAY = 1 << 11
export const USED_PEER_RD = 1 << 12
export const USED_VRF = 1 << 13
export const USED_VNI2 = 1 << 14
export const USED_NEXT_HOP = 1 << 15
/** Rows have a hash of their own beside that of their field. */
export const USED_ROW_HASH = 1 << 16

/** What the rows of one peer, table and epoch share. Immutable: blocks refer to it until they are full. */
export interface RowPeer {
  readonly keyLo: number
  readonly keyHi: number
  readonly epoch: number
  readonly ribCode: number
  /** address as ClickHouse's IPv6, four lanes */
  readonly a0: number
  readonly a1: number
  readonly a2: number
  readonly a3: number
  /** these and the others as int32: larger numbers would be doubles */
  readonly asn: number
  readonly bgpId: number
  readonly rdHi: number
  readonly rdLo: number
  readonly vrf: string
}

/** The labels: the end of each row's elements, counted from the block's start. */
export class ArrayColumn {
  ends: Int32Array<ArrayBuffer>
  data: Int32Array<ArrayBuffer>
  /** lanes in `data`, not elements */
  count = 0
  used = false

  constructor(rows: number) {
    this.ends = new Int32Array(rows * 2)
    this.data = new Int32Array(rows)
  }

  /** The first value of a block comes in row n0: those before it have none. */
  start(n0: number): void {
    this.ends.fill(0, 0, n0 * 2)
    this.used = true
  }

  grow(lanes: number): void {
    let size = Math.max(1024, this.data.length)
    while (size < lanes) size *= 2
    const larger = new Int32Array(size)
    larger.set(this.data.subarray(0, this.count))
    this.data = larger
  }

  resize(rows: number): void {
    const larger = new Int32Array(rows * 2)
    larger.set(this.ends)
    this.ends = larger
  }

  clear(): void {
    this.count = 0
    this.used = false
  }
}

/** Text that a few updates have: said once for a run of rows. */
export interface TextRun<T> {
  readonly from: number
  readonly to: number
  readonly value: T
}

export class RouteBlock {
  readonly evpn: boolean
  capacity = 0
  n = 0
  /** bits USED_*: the columns that have a value in this block */
  used = 0

  addr = new Int32Array(0)
  bits = new Uint8Array(0)
  pathId = new Int32Array(0)
  rd = new Int32Array(0)
  /** those of the row alone */
  flags = new Int32Array(0)
  /** two lanes, added to both hashes of the field */
  rowHash = new Int32Array(0)
  // EVPN alone.
  evpnType = new Uint8Array(0)
  esi = new Uint8Array(0)
  ethTag = new Int32Array(0)
  mac = new Uint8Array(0)
  gateway = new Int32Array(0)
  vni = new Int32Array(0)
  vni2 = new Int32Array(0)

  readonly labels = new ArrayColumn(0)

  /** All else, by field. */
  readonly fields = new RouteFields()

  /** nlri_key as a String column: length and octets, row after row. */
  key = new Uint8Array(0)
  /** Views over columns of octets: four octets at a time are copied faster than one by one. */
  keyView = new DataView(this.key.buffer)
  esiView = new DataView(this.esi.buffer)
  macView = new DataView(this.mac.buffer)
  keyLength = 0

  readonly asPathSets: TextRun<string>[] = []
  readonly dPath: TextRun<string>[] = []
  readonly unknownAttrs: TextRun<readonly string[]>[] = []
  readonly decodeErrors: TextRun<readonly string[]>[] = []
  /** of those texts, in all rows */
  textOctets = 0

  constructor(evpn: boolean) {
    this.evpn = evpn
    this.#resize(FIRST_ROWS)
  }

  /** Full blocks are to be sent: by rows, or because their arrays have grown long. */
  get full(): boolean {
    if (this.n >= MAX_BLOCK_ROWS || this.keyLength > MAX_BLOCK_ELEMENTS * 4) return true
    const { asPath, communities, extCommunities, largeCommunities, clusterList } = this.fields
    return (
      asPath.rowLanes > MAX_BLOCK_ELEMENTS ||
      communities.rowLanes > MAX_BLOCK_ELEMENTS ||
      extCommunities.rowLanes > MAX_BLOCK_ELEMENTS ||
      largeCommunities.rowLanes > MAX_BLOCK_ELEMENTS ||
      clusterList.rowLanes > MAX_BLOCK_ELEMENTS
    )
  }

  /** What the rows take when they are written, roughly. */
  get octets(): number {
    const { asPath, communities, extCommunities, largeCommunities, clusterList } = this.fields
    const lanes =
      this.labels.count +
      asPath.rowLanes +
      communities.rowLanes +
      extCommunities.rowLanes +
      largeCommunities.rowLanes +
      clusterList.rowLanes
    const fixed = this.evpn ? EVPN_ROW_OCTETS : ROW_OCTETS
    return this.n * fixed + lanes * 4 + this.keyLength + this.textOctets
  }

  /** Text that rows n0..n1 have in common. */
  share<T extends string | readonly string[]>(
    runs: TextRun<T>[],
    from: number,
    to: number,
    value: T,
  ): void {
    runs.push({ from, to, value })
    const octets =
      typeof value === 'string'
        ? value.length
        : value.reduce((sum, text) => sum + text.length + 1, 0)
    this.textOctets += octets * (to - from)
  }

  /** From here on the column is part of the block: rows before `row` have its default. */
  use(bit: number, column: Int32Array, lanes: number, row: number): void {
    if ((this.used & bit) !== 0) return
    this.used |= bit
    column.fill(0, 0, row * lanes)
  }

  /** Appends a nlri_key of up to `octets` octets; the caller writes them behind the returned place. */
  keyRoom(octets: number, row: number): number {
    if ((this.used & USED_KEY) === 0) this.#startKeys(row)
    const need = this.keyLength + octets + 5
    if (need > this.key.length) {
      let size = Math.max(4096, this.key.length)
      while (size < need) size *= 2
      const larger = new Uint8Array(size)
      larger.set(this.key.subarray(0, this.keyLength))
      this.key = larger
      this.keyView = new DataView(larger.buffer)
    }
    let at = this.keyLength
    let rest = octets
    while (rest > 127) {
      this.key[at++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.key[at++] = rest
    this.keyLength = at + octets
    return at
  }

  #startKeys(row: number): void {
    this.used |= USED_KEY
    if (this.key.length < row + 4096) {
      this.key = new Uint8Array(row + 4096)
      this.keyView = new DataView(this.key.buffer)
    }
    this.key.fill(0, 0, row)
    this.keyLength = row
  }

  grow(): void {
    this.#resize(this.capacity * 4)
  }

  clear(): void {
    this.n = 0
    this.used = 0
    this.keyLength = 0
    this.textOctets = 0
    this.labels.clear()
    this.fields.clear()
    // Writing the length of an array is dear, even when it stays the same.
    if (this.asPathSets.length > 0) this.asPathSets.length = 0
    if (this.dPath.length > 0) this.dPath.length = 0
    if (this.unknownAttrs.length > 0) this.unknownAttrs.length = 0
    if (this.decodeErrors.length > 0) this.decodeErrors.length = 0
  }

  #resize(rows: number): void {
    this.capacity = rows
    const int32 = (old: Int32Array, lanes: number): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(rows * lanes)
      larger.set(old)
      return larger
    }
    const uint8 = (old: Uint8Array, octets: number): Uint8Array<ArrayBuffer> => {
      const larger = new Uint8Array(rows * octets)
      larger.set(old)
      return larger
    }
    this.addr = int32(this.addr, 4)
    this.bits = uint8(this.bits, 1)
    this.pathId = int32(this.pathId, 1)
    this.rd = int32(this.rd, 2)
    this.flags = int32(this.flags, 1)
    this.rowHash = int32(this.rowHash, 2)
    this.labels.resize(rows)
    if (!this.evpn) return
    this.evpnType = uint8(this.evpnType, 1)
    this.esi = uint8(this.esi, 10)
    this.esiView = new DataView(this.esi.buffer)
    this.ethTag = int32(this.ethTag, 1)
    this.mac = uint8(this.mac, 6)
    this.macView = new DataView(this.mac.buffer)
    this.gateway = int32(this.gateway, 4)
    this.vni = int32(this.vni, 1)
    this.vni2 = int32(this.vni2, 1)
  }
}
