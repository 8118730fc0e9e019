/**
 * HOT PATH: rows of route_log as columns in typed arrays. A departure from the style of the rest, measured
 * in bench/events.mjs: no object, string or copy per route.
 *
 * Typed arrays are written as they lie in memory, so this needs a little-endian machine (all that Node
 * runs on are). Numbers of 64 bits are two lanes, low first.
 *
 * A column that only some routers fill is left out of the block until its first value (`used`): blocks
 * say themselves which columns they have, and ClickHouse fills in defaults for the rest.
 */

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
/** The next hop was sent as 16 octets that hold an IPv4 address (RFC 4798): `::ffff:192.0.2.1` as text. Bits 12-18 are taken (`route-native.ts`). */
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
export const USED_FWD_HASH = 1 << 16

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

/** One array column: the end of each row's elements, counted from the block's start. */
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

  /** Appends the same `lanes` for each of the rows n0..n1. @param shift log2 of lanes per element */
  repeat(source: Int32Array, lanes: number, n0: number, n1: number, shift: number): void {
    if (lanes === 0 && !this.used) return
    if (!this.used) this.start(n0)
    const need = this.count + lanes * (n1 - n0)
    if (need > this.data.length) this.grow(need)
    const data = this.data
    const ends = this.ends
    let q = this.count
    for (let row = n0; row < n1; row++) {
      for (let i = 0; i < lanes; i++) data[q++] = source[i]!
      ends[row * 2] = q >> shift
    }
    this.count = q
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
  ipVersion = new Uint8Array(0)
  afi = new Uint16Array(0)
  safi = new Uint8Array(0)
  peerKey = new Int32Array(0)
  rib = new Uint8Array(0)
  pathId = new Int32Array(0)
  seq = new Int32Array(0)
  rxTs = new Int32Array(0)
  bmpTs = new Int32Array(0)
  peerEpoch = new Int32Array(0)
  peerAddr = new Int32Array(0)
  peerAsn = new Int32Array(0)
  peerBgpId = new Int32Array(0)
  peerRd = new Int32Array(0)
  phase = new Uint8Array(0)
  vrf = new Uint16Array(0)
  action = new Uint8Array(0)
  rd = new Int32Array(0)
  nextHop = new Int32Array(0)
  nextHopLl = new Int32Array(0)
  origin = new Uint8Array(0)
  med = new Int32Array(0)
  localPref = new Int32Array(0)
  originatorId = new Int32Array(0)
  linkBw = new Float64Array(0)
  encap = new Uint16Array(0)
  rmac = new Uint8Array(0)
  mmSeq = new Int32Array(0)
  flags = new Int32Array(0)
  attrHash = new Int32Array(0)
  fwdHash = new Int32Array(0)
  // EVPN alone.
  evpnType = new Uint8Array(0)
  esi = new Uint8Array(0)
  ethTag = new Int32Array(0)
  mac = new Uint8Array(0)
  gateway = new Int32Array(0)
  vni = new Int32Array(0)
  vni2 = new Int32Array(0)

  readonly labels = new ArrayColumn(0)
  readonly asPath = new ArrayColumn(0)
  readonly communities = new ArrayColumn(0)
  readonly extCommunities = new ArrayColumn(0)
  readonly largeCommunities = new ArrayColumn(0)
  readonly clusterList = new ArrayColumn(0)

  /** nlri_key as a String column: length and octets, row after row. */
  key = new Uint8Array(0)
  /** Views over columns of octets: four octets at a time are copied faster than one by one. */
  keyView = new DataView(this.key.buffer)
  esiView = new DataView(this.esi.buffer)
  macView = new DataView(this.mac.buffer)
  rmacView = new DataView(this.rmac.buffer)
  keyLength = 0

  readonly asPathSets: TextRun<string>[] = []
  readonly dPath: TextRun<string>[] = []
  readonly unknownAttrs: TextRun<readonly string[]>[] = []
  readonly decodeErrors: TextRun<readonly string[]>[] = []
  readonly vrfs: string[] = ['']
  /** of those texts, in all rows */
  textOctets = 0

  #runStart = 0
  #runPeer: RowPeer | undefined
  #runRxUs = 0
  #runFamily = 0
  #runKind = 0
  #runSeq = 0

  constructor(evpn: boolean) {
    this.evpn = evpn
    this.#resize(FIRST_ROWS)
  }

  /** Full blocks are to be sent: by rows, or because their arrays have grown long. */
  get full(): boolean {
    return (
      this.n >= MAX_BLOCK_ROWS ||
      this.asPath.count > MAX_BLOCK_ELEMENTS ||
      this.communities.count > MAX_BLOCK_ELEMENTS ||
      this.extCommunities.count > MAX_BLOCK_ELEMENTS ||
      this.largeCommunities.count > MAX_BLOCK_ELEMENTS ||
      this.clusterList.count > MAX_BLOCK_ELEMENTS ||
      this.keyLength > MAX_BLOCK_ELEMENTS * 4
    )
  }

  /** What the rows take when they are written, roughly. */
  get octets(): number {
    const lanes =
      this.labels.count +
      this.asPath.count +
      this.communities.count +
      this.extCommunities.count +
      this.largeCommunities.count +
      this.clusterList.count
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

  /**
   * What rows share over many updates: filled in for the whole run, in one go.
   *
   * @param family afi * 256 + safi
   * @param kind phase * 256 + action
   * @param seq number of the next row; rows of a run count on
   */
  setRun(peer: RowPeer, rxUs: number, family: number, kind: number, seq: number): void {
    if (
      peer === this.#runPeer &&
      rxUs === this.#runRxUs &&
      family === this.#runFamily &&
      kind === this.#runKind &&
      seq === this.#runSeq + (this.n - this.#runStart)
    ) {
      return
    }
    this.closeRun()
    this.#runPeer = peer
    this.#runRxUs = rxUs
    this.#runFamily = family
    this.#runKind = kind
    this.#runSeq = seq
  }

  /** @param to one past the last row that is wanted: those behind it are going to be cleared */
  closeRun(to: number = this.n): void {
    const from = this.#runStart
    this.#runStart = to
    const peer = this.#runPeer
    if (peer === undefined || from === to) return
    const { seq } = this
    const first = this.#runSeq
    this.#runSeq += to - from
    const seqHi = Math.floor(first / 0x1_0000_0000)
    for (let row = from; row < to; row++) {
      seq[row * 2] = (first + (row - from)) | 0
      seq[row * 2 + 1] = seqHi
    }
    if (this.#runSeq > (seqHi + 1) * 0x1_0000_0000) {
      // The carry from row 2^32 of a session on falls into this run.
      for (let row = from; row < to; row++) {
        seq[row * 2 + 1] = Math.floor((first + (row - from)) / 0x1_0000_0000)
      }
    }
    const hi = Math.floor(this.#runRxUs / 0x1_0000_0000)
    fillPairs(this.rxTs, from, to, this.#runRxUs | 0, hi)
    fillPairs(this.peerKey, from, to, peer.keyLo, peer.keyHi)
    fillSmall(this.rib, from, to, peer.ribCode)
    fillSmall(this.afi, from, to, this.#runFamily >> 8)
    fillSmall(this.safi, from, to, this.#runFamily & 255)
    fillSmall(this.phase, from, to, this.#runKind >> 8)
    fillSmall(this.action, from, to, this.#runKind & 255)
    fillLanes(this.peerEpoch, from, to, peer.epoch)
    fillLanes(this.peerAsn, from, to, peer.asn)
    fillLanes(this.peerBgpId, from, to, peer.bgpId)
    const { peerAddr } = this
    const { a0, a1, a2, a3 } = peer
    for (let j = from * 4; j < to * 4; j += 4) {
      peerAddr[j] = a0
      peerAddr[j + 1] = a1
      peerAddr[j + 2] = a2
      peerAddr[j + 3] = a3
    }
    if ((peer.rdHi | peer.rdLo) !== 0) this.use(USED_PEER_RD, this.peerRd, 2, from)
    if ((this.used & USED_PEER_RD) !== 0) fillPairs(this.peerRd, from, to, peer.rdLo, peer.rdHi)
    if (peer.vrf !== '') this.use(USED_VRF, this.vrf, 1, from)
    if ((this.used & USED_VRF) !== 0) this.vrf.fill(this.#vrfIndex(peer.vrf), from, to)
  }

  #vrfIndex(vrf: string): number {
    const index = this.vrfs.indexOf(vrf)
    return index >= 0 ? index : this.vrfs.push(vrf) - 1
  }

  /** From here on the column is part of the block: rows before `row` have its default. */
  use(
    bit: number,
    column: Int32Array | Uint16Array | Uint8Array | Float64Array,
    lanes: number,
    row: number,
  ): void {
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
    this.#runStart = 0
    this.#runPeer = undefined
    this.labels.clear()
    this.asPath.clear()
    this.communities.clear()
    this.extCommunities.clear()
    this.largeCommunities.clear()
    this.clusterList.clear()
    // Writing the length of an array is dear, even when it stays the same.
    if (this.asPathSets.length > 0) this.asPathSets.length = 0
    if (this.dPath.length > 0) this.dPath.length = 0
    if (this.unknownAttrs.length > 0) this.unknownAttrs.length = 0
    if (this.decodeErrors.length > 0) this.decodeErrors.length = 0
    if (this.vrfs.length > 1) this.vrfs.length = 1
  }

  arrays(): readonly ArrayColumn[] {
    return [
      this.labels,
      this.asPath,
      this.communities,
      this.extCommunities,
      this.largeCommunities,
      this.clusterList,
    ]
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
    const uint16 = (old: Uint16Array): Uint16Array<ArrayBuffer> => {
      const larger = new Uint16Array(rows)
      larger.set(old)
      return larger
    }
    this.addr = int32(this.addr, 4)
    this.bits = uint8(this.bits, 1)
    this.ipVersion = uint8(this.ipVersion, 1)
    this.afi = uint16(this.afi)
    this.safi = uint8(this.safi, 1)
    this.peerKey = int32(this.peerKey, 2)
    this.rib = uint8(this.rib, 1)
    this.pathId = int32(this.pathId, 1)
    this.seq = int32(this.seq, 2)
    this.rxTs = int32(this.rxTs, 2)
    this.bmpTs = int32(this.bmpTs, 2)
    this.peerEpoch = int32(this.peerEpoch, 1)
    this.peerAddr = int32(this.peerAddr, 4)
    this.peerAsn = int32(this.peerAsn, 1)
    this.peerBgpId = int32(this.peerBgpId, 1)
    this.peerRd = int32(this.peerRd, 2)
    this.phase = uint8(this.phase, 1)
    this.vrf = uint16(this.vrf)
    this.action = uint8(this.action, 1)
    this.rd = int32(this.rd, 2)
    this.nextHop = int32(this.nextHop, 4)
    this.nextHopLl = int32(this.nextHopLl, 4)
    this.origin = uint8(this.origin, 1)
    this.med = int32(this.med, 1)
    this.localPref = int32(this.localPref, 1)
    this.originatorId = int32(this.originatorId, 1)
    const linkBw = new Float64Array(rows)
    linkBw.set(this.linkBw)
    this.linkBw = linkBw
    this.encap = uint16(this.encap)
    this.rmac = uint8(this.rmac, 6)
    this.rmacView = new DataView(this.rmac.buffer)
    this.mmSeq = int32(this.mmSeq, 1)
    this.flags = int32(this.flags, 1)
    this.attrHash = int32(this.attrHash, 2)
    this.fwdHash = int32(this.fwdHash, 2)
    for (const column of this.arrays()) column.resize(rows)
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

/** For short runs a loop beats TypedArray.fill; for long ones it costs little. */
export function fillLanes(column: Int32Array, from: number, to: number, value: number): void {
  for (let i = from; i < to; i++) column[i] = value
}

function fillSmall(
  column: Uint8Array | Uint16Array,
  from: number,
  to: number,
  value: number,
): void {
  if (to - from > 16) column.fill(value, from, to)
  else for (let i = from; i < to; i++) column[i] = value
}

export function fillPairs(
  column: Int32Array,
  from: number,
  to: number,
  lo: number,
  hi: number,
): void {
  for (let j = from * 2; j < to * 2; j += 2) {
    column[j] = lo
    column[j + 1] = hi
  }
}
