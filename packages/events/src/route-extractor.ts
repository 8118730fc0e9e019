/**
 * HOT PATH: from the offset index of an UPDATE to rows in column blocks. Native and JSON output both come
 * from these columns, so that they cannot disagree. See route-block.ts for the departure in style.
 */
import {
  ACTION_ANNOUNCE,
  DecodeError,
  ATTR_AGGREGATOR,
  ATTR_AS4_AGGREGATOR,
  ATTR_AS4_PATH,
  ATTR_AS_PATH,
  ATTR_ATOMIC_AGGREGATE,
  ATTR_CLUSTER_LIST,
  ATTR_COMMUNITIES,
  ATTR_D_PATH,
  ATTR_EXT_COMMUNITIES,
  ATTR_LARGE_COMMUNITIES,
  ATTR_LOCAL_PREF,
  ATTR_MED,
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  ATTR_NEXT_HOP,
  ATTR_ORIGIN,
  ATTR_ORIGINATOR_ID,
  ATTR_PMSI_TUNNEL,
  evpnKeyEnd,
  formatAsPath,
  formatDPath,
  formatEvpnNlri,
  formatSegments,
  mergeAs4Path,
  toHex,
  walkNlri,
} from '@ribscope/wire'
import type { AsPathSegment, FamilyNlri, NlriField, NlriSink, UpdateIndex } from '@ribscope/wire'
import { Hash64 } from './hash.ts'
import {
  FLAG_AS_PATH,
  FLAG_DEFAULT_GW,
  FLAG_IP_VERSION,
  FLAG_KEY_RD,
  FLAG_LINK_BW,
  FLAG_LOCAL_PREF,
  FLAG_LOC_RIB_ADDPATH,
  FLAG_MAC,
  FLAG_MED,
  FLAG_MM_SEQ,
  FLAG_MM_STICKY,
  FLAG_NEXT_HOP,
  FLAG_NEXT_HOP_MAPPED,
  FLAG_ORIGIN,
  FLAG_OWN_AS_PREPENDED,
  FLAG_PHASE,
  FLAG_RMAC,
  FLAG_TEXT_KEY,
  RouteBlock,
  USED_ENCAP,
  USED_ROW_HASH,
  USED_PEER_RD,
  USED_VRF,
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
  USED_RD,
  USED_RMAC,
  USED_VNI2,
} from './route-block.ts'
import type { RowPeer } from './route-block.ts'
import type { RouteFields } from './route-fields.ts'

/** One field of an UPDATE on its way into rows. Reused by the session. */
export interface RouteContext {
  index: UpdateIndex
  peer: RowPeer
  rxUs: number
  /** per-peer header time; 0 unknown */
  bmpUs: number
  /** seq of the first row */
  seq: number
  dump: boolean
  locRibAddPath: boolean
  /** AS numbers of a session whose router puts its own AS in front (ROUTERS.md FRR 1); 0: don't look */
  localAsn: number
  peerAsn: number
}

export const PHASE_DUMP = 1
export const PHASE_LIVE = 2
/** Enum8 of the action column. */
export const ROW_ANNOUNCE = 1
export const ROW_WITHDRAW = 2

const ORIGIN_NONE = 3
const IPV4 = 4 << FLAG_IP_VERSION
const IPV6 = 6 << FLAG_IP_VERSION
const MAPPED = 0xffff0000 | 0
/** Segment types, RFC 4271 section 4.3 and RFC 5065 section 3. */
const SEQUENCE = 2
const SEGMENT_TYPES = { set: 1, sequence: 2, confed_sequence: 3, confed_set: 4 } as const
const FILLER_LABEL = 0x800000
const OCTETS_IN_MEGABIT = 125_000
/** RFC 6793 section 3: the number in AGGREGATOR that says "look in AS4_AGGREGATOR". */
const AS_TRANS = 23456

/**
 * Lanes that the array columns of one UPDATE may take, in all its fields. Every row has all of them, so that an UPDATE of
 * 64 KiB (RFC 8654) could be made to take a gigabyte; one of 4 KiB cannot reach this.
 */
const MAX_UPDATE_LANES = 1 << 22

/** Masks by prefix length for addresses read as four little-endian lanes. */
const MASKS = new Int32Array(129 * 4)
for (let bits = 0; bits <= 128; bits++) {
  const octets = new Uint8Array(MASKS.buffer, bits * 16, 16)
  for (let bit = 0; bit < bits; bit++) octets[bit >> 3]! |= 0x80 >> (bit & 7)
}

/** Attributes that have columns of their own, or none on purpose; all others stay as raw hex. */
const KNOWN = new Uint8Array(256)
for (const type of [
  ATTR_ORIGIN,
  ATTR_AS_PATH,
  ATTR_NEXT_HOP,
  ATTR_MED,
  ATTR_LOCAL_PREF,
  ATTR_ATOMIC_AGGREGATE,
  ATTR_AGGREGATOR,
  ATTR_COMMUNITIES,
  ATTR_ORIGINATOR_ID,
  ATTR_CLUSTER_LIST,
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  ATTR_EXT_COMMUNITIES,
  ATTR_AS4_PATH,
  ATTR_AS4_AGGREGATOR,
  ATTR_PMSI_TUNNEL,
  ATTR_LARGE_COMMUNITIES,
  ATTR_D_PATH,
]) {
  KNOWN[type] = 1
}

const NO_STRINGS: readonly string[] = []
const NO_BLOCK = new RouteBlock(false)

/** A prefix of up to 16 octets near the end of the buffer is read through here. */
const tail = new Uint8Array(16)
const tailView = new DataView(tail.buffer)

export abstract class RouteExtractor implements NlriSink {
  /** blocks being filled; undefined: none since the last flush */
  protected unicast: RouteBlock | undefined
  protected evpnBlock: RouteBlock | undefined
  /** the block of the field being walked */
  protected block: RouteBlock
  /** first row of the field */
  protected n0 = 0

  #view: DataView
  #ipv6 = false
  #announce = true
  #unicastSafi = true
  #mixes = false

  // Attributes of the UPDATE in hand, read once per field with announcements.
  readonly #path = new ArrayScratch()
  readonly #communities = new ArrayScratch()
  readonly #ext = new ArrayScratch()
  readonly #large = new ArrayScratch()
  readonly #clusters = new ArrayScratch()
  #pathSets = ''
  #dPath = ''
  #unknown: readonly string[] = NO_STRINGS
  #flags = 0
  #med = 0
  #localPref = 0
  #origin = ORIGIN_NONE
  #originator = 0
  #linkBw = 0
  #encap = 0
  #rmacHi = 0
  #rmacLo = 0
  #mmSeq = 0
  #rtVni = 0
  #pmsiLabel = 0
  #attrLo = 0
  #attrHi = 0
  #pathLo = 0
  #pathHi = 0
  #fwdLo = 0
  #fwdHi = 0
  readonly #next = new Int32Array(8)
  /** What the fields of the UPDATE so far have left of MAX_UPDATE_LANES. */
  #lanesLeft = 0
  readonly #hash = new Hash64()
  readonly #rowHash = new Hash64()

  constructor() {
    this.block = NO_BLOCK
    this.#view = tailView
  }

  /** An empty block to fill. */
  protected abstract takeBlock(evpn: boolean): RouteBlock

  /**
   * Adds the rows of one field. `readAttributes` must have seen the UPDATE if the field announces.
   *
   * @returns the number of rows
   */
  extract(context: RouteContext, field: NlriField): number {
    const index = context.index
    const isEvpn = field.afi === 25 && field.safi === 70
    const block = isEvpn
      ? (this.evpnBlock ??= this.takeBlock(true))
      : (this.unicast ??= this.takeBlock(false))
    this.block = block
    this.n0 = block.n
    this.#view = index.view
    this.#ipv6 = field.afi === 2
    this.#announce = field.action === ACTION_ANNOUNCE
    this.#unicastSafi = field.safi === 1 || field.safi === 2
    this.#mixes = !isEvpn && (block.labels.used || (block.used & (USED_KEY | USED_RD)) !== 0)
    if (this.#announce) this.#nextHop(context, field)
    walkNlri(index, field, this)
    if (block.n > this.n0) this.#fill(context, field)
    return block.n - this.n0
  }

  // --- NlriSink: what differs from row to row ---------------------------------------------------

  prefix(
    bytes: Uint8Array,
    at: number,
    bits: number,
    pathId: number,
    labelsAt: number,
    labelCount: number,
    rdAt: number,
  ): void {
    const k = this.block
    const row = k.n
    if (row === k.capacity) k.grow()
    this.#address(k, row, bytes, at, bits, this.#ipv6)
    if (pathId !== 0 || (k.used & USED_PATH_ID) !== 0) this.#pathId(k, row, pathId)
    k.n = row + 1
    if (this.#unicastSafi) {
      if (this.#mixes) this.#plainRow(k, row)
    } else this.#labelled(k, row, bytes, labelsAt, labelCount, rdAt)
  }

  evpn(bytes: Uint8Array, routeType: number, start: number, end: number, pathId: number): void {
    const k = this.block
    const row = k.n
    if (row === k.capacity) k.grow()
    const view = this.#view
    k.n = row + 1
    if (pathId !== 0 || (k.used & USED_PATH_ID) !== 0) this.#pathId(k, row, pathId)
    k.evpnType[row] = routeType
    const known = routeType >= 1 && routeType <= 11
    let rdAt = known ? start : -1
    // A Leaf A-D route has that of the route in front of it, if there is one.
    if (routeType === 11) rdAt = bytes[start + 1]! >= 8 ? start + 2 : -1
    k.use(USED_RD, k.rd, 2, row)
    if (rdAt >= 0) {
      k.rd[row * 2] = view.getInt32(rdAt + 4)
      k.rd[row * 2 + 1] = view.getInt32(rdAt)
    } else {
      k.rd[row * 2] = 0
      k.rd[row * 2 + 1] = 0
    }
    let labelAt = -1
    let label2At = -1
    let esiAt = -1
    let esiIsKey = false
    let gatewayAt = -1
    let gatewayOctets = 0
    let macAt = -1
    let ipAt = -1
    let ipBits = 0
    let ipv6 = false
    let tagAt = -1
    switch (routeType) {
      case 1:
        esiAt = start + 8
        esiIsKey = true
        tagAt = start + 18
        labelAt = start + 22
        break
      case 2: {
        esiAt = start + 8
        tagAt = start + 18
        macAt = start + 23
        ipBits = bytes[start + 29]!
        ipv6 = ipBits === 128
        if (ipBits !== 0) ipAt = start + 30
        labelAt = start + 30 + (ipBits >> 3)
        if (labelAt + 6 <= end) label2At = labelAt + 3
        break
      }
      case 3:
        tagAt = start + 8
        break
      case 4:
        esiAt = start + 8
        esiIsKey = true
        break
      case 5:
        esiAt = start + 8
        tagAt = start + 18
        ipv6 = end - start === 58
        ipAt = start + 23
        ipBits = bytes[start + 22]!
        gatewayOctets = ipv6 ? 16 : 4
        gatewayAt = ipAt + gatewayOctets
        labelAt = gatewayAt + gatewayOctets
        break
      case 6:
      case 9:
      case 10:
        tagAt = start + 8
        break
      case 7:
      case 8:
        esiAt = start + 8
        esiIsKey = true
        tagAt = start + 18
        break
      default:
    }
    if (ipAt >= 0) {
      this.#address(k, row, bytes, ipAt, ipBits, ipv6)
    } else {
      const j = row << 2
      k.addr[j] = 0
      k.addr[j + 1] = 0
      k.addr[j + 2] = 0
      k.addr[j + 3] = 0
      k.bits[row] = 0
      k.flags[row] = 0
    }
    k.ethTag[row] = tagAt >= 0 ? view.getInt32(tagAt) : 0
    const e = row * 10
    const esi = k.esiView
    esi.setInt32(e, esiAt >= 0 ? view.getInt32(esiAt) : 0)
    esi.setInt32(e + 4, esiAt >= 0 ? view.getInt32(esiAt + 4) : 0)
    esi.setInt16(e + 8, esiAt >= 0 ? view.getInt16(esiAt + 8) : 0)
    const m = row * 6
    k.macView.setInt32(m, macAt >= 0 ? view.getInt32(macAt) : 0)
    k.macView.setInt16(m + 4, macAt >= 0 ? view.getInt16(macAt + 4) : 0)
    if (macAt >= 0) k.flags[row]! |= FLAG_MAC

    const hash = this.#rowHash
    hash.seed(routeType)
    // The label of a withdrawal that only fills the space is none (RFC 8277 section 2.4).
    let label = labelAt >= 0 ? u24(bytes, labelAt) : 0
    let label2 = label2At >= 0 ? u24(bytes, label2At) : 0
    let hasLabel = labelAt >= 0
    let hasLabel2 = label2At >= 0
    if (!this.#announce) {
      if (label === FILLER_LABEL || label === 0) {
        label = 0
        hasLabel = false
      }
      if (label2 === FILLER_LABEL || label2 === 0) {
        label2 = 0
        hasLabel2 = false
      }
    }
    const labels = k.labels
    if (!labels.used) labels.start(row)
    if (labels.count + 2 > labels.data.length) labels.grow(labels.count + 2)
    if (hasLabel) labels.data[labels.count++] = label
    if (hasLabel2) labels.data[labels.count++] = label2
    labels.ends[row * 2] = labels.count
    if (routeType === 3 || (routeType >= 9 && routeType <= 11)) {
      label = this.#announce ? this.#pmsiLabel : 0
    }
    k.vni[row] = label !== 0 ? label : this.#announce && known ? this.#rtVni : 0
    if (label2 !== 0) k.use(USED_VNI2, k.vni2, 1, row)
    k.vni2[row] = label2

    this.#gateway(k, row, gatewayAt, gatewayOctets)
    if (known && routeType > 5) {
      const keyEnd = evpnKeyEnd(bytes, routeType, start, end)
      const text = formatEvpnNlri(bytes, routeType, start, end)
      k.flags[row] = FLAG_TEXT_KEY | (rdAt >= 0 ? FLAG_KEY_RD : 0)
      this.#textKey(k, row, bytes, routeType, text, rdAt, [start, keyEnd])
      hash.octets(bytes, view, keyEnd, end - keyEnd)
    } else this.#evpnKey(k, row, bytes, routeType, start, end, ipAt, ipv6)
    if (!this.#announce) return
    hash.word(hasLabel ? label : -1)
    hash.word(hasLabel2 ? label2 : -1)
    if (esiAt >= 0 && !esiIsKey) {
      hash.word(view.getInt32(esiAt))
      hash.word(view.getInt32(esiAt + 4))
      hash.word(view.getInt16(esiAt + 8))
    }
    if (gatewayAt >= 0) hash.octets(bytes, view, gatewayAt, gatewayOctets)
    hash.finish()
    this.#rowHashes(k, row, hash.lo, hash.hi)
  }

  family(bytes: Uint8Array, nlri: FamilyNlri, start: number, end: number, pathId: number): void {
    const k = this.block
    const row = rowWithoutPrefix(k)
    if (pathId !== 0 || (k.used & USED_PATH_ID) !== 0) this.#pathId(k, row, pathId)
    const { rdAt, labels: numbers } = nlri
    if (rdAt >= 0) {
      k.use(USED_RD, k.rd, 2, row)
      k.rd[row * 2] = this.#view.getInt32(rdAt + 4)
      k.rd[row * 2 + 1] = this.#view.getInt32(rdAt)
    } else {
      k.rd[row * 2] = 0
      k.rd[row * 2 + 1] = 0
    }
    k.flags[row] = FLAG_TEXT_KEY | (rdAt >= 0 ? FLAG_KEY_RD : 0)
    const key = nlri.key ?? [start, end]
    this.#textKey(k, row, bytes, -1, nlri.route.nlri, rdAt, key)
    const { labels } = k
    if (!labels.used) labels.start(row)
    if (numbers !== undefined) {
      if (labels.count + numbers.length > labels.data.length) {
        labels.grow(labels.count + numbers.length)
      }
      for (const label of numbers) labels.data[labels.count++] = label
    }
    labels.ends[row * 2] = labels.count
    if (!this.#announce) return
    // What is not in the key is what the route says.
    const hash = this.#rowHash
    hash.seed(key.length)
    let at = start
    for (let i = 0; i <= key.length; i += 2) {
      const to = key[i] ?? end
      hash.octets(bytes, this.#view, at, to - at)
      at = key[i + 1] ?? end
    }
    hash.finish()
    this.#rowHashes(k, row, hash.lo, hash.hi)
  }

  /**
   * nlri_key of what is shown by its text: that text, 0, the route distinguisher, the octets that are the
   * route's key. Two routes of one text are two routes all the same.
   *
   * @param first  an octet in front, or -1
   */
  #textKey(
    k: RouteBlock,
    row: number,
    bytes: Uint8Array,
    first: number,
    text: string,
    rdAt: number,
    ranges: readonly number[],
  ): void {
    let octets = (first < 0 ? 0 : 1) + text.length + 1 + (rdAt < 0 ? 0 : 8)
    for (let i = 0; i < ranges.length; i += 2) octets += ranges[i + 1]! - ranges[i]!
    let at = k.keyRoom(octets, row)
    const to = k.key
    if (first >= 0) to[at++] = first
    for (let i = 0; i < text.length; i++) to[at++] = text.charCodeAt(i)
    to[at++] = 0
    if (rdAt >= 0) for (let i = 0; i < 8; i++) to[at++] = bytes[rdAt + i]!
    for (let i = 0; i < ranges.length; i += 2) {
      for (let from = ranges[i]!; from < ranges[i + 1]!; from++) to[at++] = bytes[from]!
    }
  }

  opaque(bytes: Uint8Array, start: number, end: number): void {
    const k = this.block
    const row = rowWithoutPrefix(k)
    if ((k.used & USED_PATH_ID) !== 0) this.#pathId(k, row, 0)
    const at = k.keyRoom(end - start, row)
    k.key.set(bytes.subarray(start, end), at)
    this.#noLabels(k, row)
    k.rd[row * 2] = 0
    k.rd[row * 2 + 1] = 0
    if (this.#announce) this.#rowHashes(k, row, 0, 0)
  }

  #address(
    k: RouteBlock,
    row: number,
    bytes: Uint8Array,
    at: number,
    bits: number,
    ipv6: boolean,
  ): void {
    let view = this.#view
    // Whole lanes are read; the last prefix of a buffer may have fewer octets behind it.
    if (at + 16 > view.byteLength) {
      tail.fill(0)
      const octets = Math.min(16, view.byteLength - at)
      for (let i = 0; i < octets; i++) tail[i] = bytes[at + i]!
      view = tailView
      at = 0
    }
    const addr = k.addr
    const j = row << 2
    if (ipv6) {
      const m = bits << 2
      addr[j] = view.getInt32(at, true) & MASKS[m]!
      addr[j + 1] = view.getInt32(at + 4, true) & MASKS[m + 1]!
      addr[j + 2] = view.getInt32(at + 8, true) & MASKS[m + 2]!
      addr[j + 3] = view.getInt32(at + 12, true) & MASKS[m + 3]!
      k.flags[row] = IPV6
    } else {
      addr[j] = 0
      addr[j + 1] = 0
      addr[j + 2] = MAPPED
      addr[j + 3] = view.getInt32(at, true) & MASKS[bits << 2]!
      k.flags[row] = IPV4
    }
    k.bits[row] = bits
  }

  /** A unicast row in a block that also holds labelled or unknown families. */
  #plainRow(k: RouteBlock, row: number): void {
    this.#noLabels(k, row)
    k.rd[row * 2] = 0
    k.rd[row * 2 + 1] = 0
    if ((k.used & USED_KEY) !== 0) k.keyRoom(0, row)
    if ((k.used & USED_ROW_HASH) !== 0) this.#rowHashes(k, row, 0, 0)
  }

  #pathId(k: RouteBlock, row: number, pathId: number): void {
    k.use(USED_PATH_ID, k.pathId, 1, row)
    k.pathId[row] = pathId
  }

  #noLabels(k: RouteBlock, row: number): void {
    if (k.labels.used) k.labels.ends[row * 2] = k.labels.count
  }

  #labelled(
    k: RouteBlock,
    row: number,
    bytes: Uint8Array,
    labelsAt: number,
    labelCount: number,
    rdAt: number,
  ): void {
    const labels = k.labels
    if (!labels.used) labels.start(row)
    if (labels.count + labelCount > labels.data.length) labels.grow(labels.count + labelCount)
    const hash = this.#rowHash
    hash.seed(labelCount)
    for (let i = 0; i < labelCount; i++) {
      const label = u24(bytes, labelsAt + 3 * i) >> 4
      labels.data[labels.count++] = label
      hash.word(label)
    }
    labels.ends[row * 2] = labels.count
    if (rdAt >= 0) {
      k.use(USED_RD, k.rd, 2, row)
      k.rd[row * 2] = this.#view.getInt32(rdAt + 4)
      k.rd[row * 2 + 1] = this.#view.getInt32(rdAt)
      const at = k.keyRoom(8, row)
      for (let i = 0; i < 8; i++) k.key[at + i] = bytes[rdAt + i]!
    } else {
      k.rd[row * 2] = 0
      k.rd[row * 2 + 1] = 0
      if ((k.used & USED_KEY) !== 0) k.keyRoom(0, row)
    }
    if (!this.#announce) return
    hash.finish()
    this.#rowHashes(k, row, hash.lo, hash.hi)
  }

  /** What the route itself adds to the hashes of its attributes. */
  #rowHashes(k: RouteBlock, row: number, lo: number, hi: number): void {
    k.use(USED_ROW_HASH, k.rowHash, 2, row)
    k.rowHash[row * 2] = lo
    k.rowHash[row * 2 + 1] = hi
  }

  #gateway(k: RouteBlock, row: number, at: number, octets: number): void {
    const view = this.#view
    let g0 = 0
    let g1 = 0
    let g2 = 0
    let g3 = 0
    if (octets === 4) {
      g3 = view.getInt32(at, true)
      if (g3 !== 0) g2 = MAPPED
    } else if (octets === 16) {
      g0 = view.getInt32(at, true)
      g1 = view.getInt32(at + 4, true)
      g2 = view.getInt32(at + 8, true)
      g3 = view.getInt32(at + 12, true)
    }
    if ((g0 | g1 | g2 | g3) !== 0) k.use(USED_GATEWAY, k.gateway, 4, row)
    else if ((k.used & USED_GATEWAY) === 0) return
    const j = row << 2
    k.gateway[j] = g0
    k.gateway[j + 1] = g1
    k.gateway[j + 2] = g2
    k.gateway[j + 3] = g3
  }

  /** Route type and key octets: what RFC 7432 and RFC 9136 replace a route by. */
  #evpnKey(
    k: RouteBlock,
    row: number,
    bytes: Uint8Array,
    routeType: number,
    start: number,
    end: number,
    ipAt: number,
    ipv6: boolean,
  ): void {
    const view = this.#view
    let at: number
    switch (routeType) {
      case 1:
        at = k.keyRoom(23, row)
        k.key[at] = routeType
        copyOctets(view, start, k.keyView, at + 1, 22)
        return
      case 2: {
        const ip = bytes[start + 29]! >> 3
        at = k.keyRoom(21 + ip, row)
        k.key[at] = routeType
        copyOctets(view, start, k.keyView, at + 1, 8)
        // Tag, MAC length, MAC, IP length, IP lie side by side.
        copyOctets(view, start + 18, k.keyView, at + 9, 12 + ip)
        return
      }
      case 5: {
        const octets = ipv6 ? 16 : 4
        at = k.keyRoom(14 + octets, row)
        k.key[at] = routeType
        copyOctets(view, start, k.keyView, at + 1, 8)
        copyOctets(view, start + 18, k.keyView, at + 9, 5)
        // Bits beyond the length are no part of the prefix.
        const masks = bytes[start + 22]! << 2
        for (let i = 0; i < octets; i += 4) {
          const lane = view.getInt32(ipAt + i, true) & MASKS[masks + (i >> 2)]!
          k.keyView.setInt32(at + 14 + i, lane, true)
        }
        return
      }
      default:
        at = k.keyRoom(1 + end - start, row)
        k.key[at] = routeType
        copyOctets(view, start, k.keyView, at + 1, end - start)
    }
  }

  // --- what all rows of an UPDATE share ---------------------------------------------------------

  /** Reads the path attributes into the scratch values that `extract` copies to each row. */
  readAttributes(context: RouteContext): void {
    const index = context.index
    const { bytes, view, at, len } = index
    this.#lanesLeft = MAX_UPDATE_LANES
    let flags = 0
    let lo = 0
    let hi = 0
    const hash = this.#hash

    let p = at[ATTR_ORIGIN]!
    this.#origin = p >= 0 ? bytes[p]! : ORIGIN_NONE
    p = at[ATTR_MED]!
    this.#med = p >= 0 ? view.getInt32(p) : 0
    if (p >= 0) flags |= FLAG_MED
    p = at[ATTR_LOCAL_PREF]!
    this.#localPref = p >= 0 ? view.getInt32(p) : 0
    if (p >= 0) flags |= FLAG_LOCAL_PREF
    p = at[ATTR_ORIGINATOR_ID]!
    this.#originator = p >= 0 ? view.getInt32(p) : 0
    p = at[ATTR_COMMUNITIES]!
    this.#communities.read(view, p, p >= 0 ? len[ATTR_COMMUNITIES]! >> 2 : 0)
    p = at[ATTR_LARGE_COMMUNITIES]!
    this.#large.read(view, p, p >= 0 ? len[ATTR_LARGE_COMMUNITIES]! >> 2 : 0)
    p = at[ATTR_CLUSTER_LIST]!
    this.#clusters.read(view, p, p >= 0 ? len[ATTR_CLUSTER_LIST]! >> 2 : 0)
    p = at[ATTR_PMSI_TUNNEL]!
    // RFC 6514 section 5: flags, tunnel type, label (3 octets), tunnel identifier.
    this.#pmsiLabel = p >= 0 && len[ATTR_PMSI_TUNNEL]! >= 5 ? u24(bytes, p + 2) : 0
    p = at[ATTR_D_PATH]!
    this.#dPath = p >= 0 ? formatDPath(bytes, p, len[ATTR_D_PATH]!) : ''
    p = at[ATTR_EXT_COMMUNITIES]!
    flags |= this.#extCommunities(bytes, view, p, p >= 0 ? len[ATTR_EXT_COMMUNITIES]! : 0)

    const own = this.#asPath(context)
    if (at[ATTR_AS_PATH]! >= 0) flags |= FLAG_AS_PATH
    if (own > 0) flags |= FLAG_OWN_AS_PREPENDED
    this.#flags = flags

    // Sums, so that the order of attributes does not count.
    let unknown: string[] | undefined
    const { types, typeCount } = index
    for (let i = 0; i < typeCount; i++) {
      const type = types[i]!
      switch (type) {
        case ATTR_AS_PATH:
          lo = (lo + this.#pathLo) | 0
          hi = (hi + this.#pathHi) | 0
          continue
        case ATTR_NEXT_HOP:
        case ATTR_CLUSTER_LIST:
        case ATTR_MP_REACH:
        case ATTR_MP_UNREACH:
        case ATTR_AS4_PATH:
        case ATTR_AS4_AGGREGATOR:
          continue
        case ATTR_AGGREGATOR: {
          hash.seed(type)
          const value = at[type]!
          const narrow = len[type] === 6
          const as4 = at[ATTR_AS4_AGGREGATOR]!
          const trans = narrow && view.getUint16(value) === AS_TRANS
          if (trans && as4 >= 0) hash.word(view.getInt32(as4))
          else hash.word(narrow ? view.getUint16(value) : view.getInt32(value))
          hash.word(view.getInt32(value + (narrow ? 2 : 4)))
          break
        }
        default:
          hash.seed(type)
          hash.octets(bytes, view, at[type]!, len[type]!)
          if (KNOWN[type] === 0) (unknown ??= []).push(rawAttribute(index, type))
      }
      hash.finish()
      lo = (lo + hash.lo) | 0
      hi = (hi + hash.hi) | 0
    }
    this.#unknown = unknown ?? NO_STRINGS
    this.#baseLo = lo
    this.#baseHi = hi
  }
  #baseLo = 0
  #baseHi = 0

  /** Next hop of this field; the two hashes are complete but for what differs per row. */
  #nextHop(context: RouteContext, field: NlriField): void {
    const view = this.#view
    const next = this.#next
    const hash = this.#hash
    const octets = field.nextHopGlobalOctets
    let p = field.nextHopGlobalAt
    hash.seed(ATTR_NEXT_HOP)
    if (octets === 16) {
      next[0] = view.getInt32(p, true)
      next[1] = view.getInt32(p + 4, true)
      next[2] = view.getInt32(p + 8, true)
      next[3] = view.getInt32(p + 12, true)
    } else {
      next[0] = 0
      next[1] = 0
      next[2] = octets === 4 ? MAPPED : 0
      next[3] = octets === 4 ? view.getInt32(p, true) : 0
    }
    hash.word(next[0])
    hash.word(next[1])
    hash.word(next[2])
    hash.word(next[3])
    hash.finish()
    let lo = hash.lo
    let hi = hash.hi
    if (octets === 0) {
      // No next hop: the peer is where the route leads (ROUTERS.md FRR 2).
      const { peer } = context
      hash.word(peer.a0)
      hash.word(peer.a1)
      hash.word(peer.a2)
      hash.word(peer.a3)
      hash.word(peer.bgpId)
      hash.word(peer.asn)
      hash.finish()
    }
    this.#fwdLo = (hash.lo + this.#pathLo) | 0
    this.#fwdHi = (hash.hi + this.#pathHi) | 0
    p = field.nextHopLinkLocalAt
    if (p >= 0) {
      for (let i = 0; i < 4; i++) next[4 + i] = view.getInt32(p + 4 * i, true)
      hash.seed(ATTR_MP_REACH)
      for (let i = 4; i < 8; i++) hash.word(next[i]!)
      hash.finish()
      lo = (lo + hash.lo) | 0
      hi = (hi + hash.hi) | 0
    } else for (let i = 4; i < 8; i++) next[i] = 0
    this.#attrLo = (this.#baseLo + lo) | 0
    this.#attrHi = (this.#baseHi + hi) | 0
  }

  /**
   * AS_PATH as received, in four octets a number (RFC 6793 section 4.2.3 with AS4_PATH), and its hash
   * without the router's own AS in front.
   *
   * @returns 1 when the own AS is in front, else 0
   */
  #asPath(context: RouteContext): number {
    const { index } = context
    const { bytes, view } = index
    const start = index.at[ATTR_AS_PATH]!
    const path = this.#path
    path.lanes = 0
    this.#pathSets = ''
    const hash = this.#hash
    hash.seed(ATTR_AS_PATH)
    if (start < 0) {
      this.#pathLo = 0
      this.#pathHi = 0
      return 0
    }
    const end = start + index.len[ATTR_AS_PATH]!
    const width = index.asOctets
    if (width === 2 && index.at[ATTR_AS4_PATH]! >= 0) {
      const merged = mergeAs4Path(index)
      if (merged !== undefined) return this.#segments(context, merged)
    }
    let sets = false
    let zero = false
    path.reserve((end - start) >> (width === 4 ? 2 : 1))
    const data = path.data
    let n = 0
    for (let p = start; p < end;) {
      if (bytes[p] !== SEQUENCE) sets = true
      const last = p + 2 + bytes[p + 1]! * width
      for (p += 2; p < last; p += width) {
        const asn = width === 4 ? view.getInt32(p) : view.getUint16(p)
        if (asn === 0) zero = true
        data[n++] = asn
      }
    }
    path.lanes = n
    if (zero) index.asZeroInPath()
    const own = this.#ownInFront(context, bytes[start] === SEQUENCE)
    for (let i = own; i < n; i++) hash.word(data[i]!)
    hash.word(n - own)
    if (sets) {
      this.#pathSets = formatAsPath(bytes, start, end - start, width)
      // Where the sets begin counts too, but not how plain sequences are cut into segments.
      for (let p = start, i = 0; p < end; p += 2 + bytes[p + 1]! * width) {
        if (bytes[p] !== SEQUENCE) {
          hash.word((bytes[p]! << 24) | (i - own))
          hash.word(bytes[p + 1]!)
        }
        i += bytes[p + 1]!
      }
    }
    hash.finish()
    this.#pathLo = hash.lo
    this.#pathHi = hash.hi
    return own
  }

  /** The same for a path that was put together of two attributes: rare, so objects will do. */
  #segments(context: RouteContext, segments: readonly AsPathSegment[]): number {
    const path = this.#path
    const asns = segments.flatMap((segment) => segment.asns)
    path.reserve(asns.length)
    path.data.set(asns)
    path.lanes = asns.length
    const own = this.#ownInFront(context, segments[0]?.kind === 'sequence')
    const hash = this.#hash
    for (let i = own; i < asns.length; i++) hash.word(path.data[i]!)
    hash.word(asns.length - own)
    if (segments.some(({ kind }) => kind !== 'sequence')) {
      this.#pathSets = formatSegments(segments)
      let i = 0
      for (const segment of segments) {
        if (segment.kind !== 'sequence') {
          hash.word((SEGMENT_TYPES[segment.kind] << 24) | (i - own))
          hash.word(segment.asns.length)
        }
        i += segment.asns.length
      }
    }
    hash.finish()
    this.#pathLo = hash.lo
    this.#pathHi = hash.hi
    return own
  }

  /** ROUTERS.md FRR 1: its own AS before the peer's. @returns how many numbers are not the peer's */
  #ownInFront(context: RouteContext, sequence: boolean): 0 | 1 {
    const { data, lanes } = this.#path
    const local = context.localAsn
    return local !== 0 &&
      sequence &&
      lanes > 1 &&
      data[0] === (local | 0) &&
      data[1] === (context.peerAsn | 0)
      ? 1
      : 0
  }

  /** @returns the flags that extended communities set */
  #extCommunities(bytes: Uint8Array, view: DataView, at: number, length: number): number {
    const ext = this.#ext
    this.#linkBw = 0
    this.#encap = 0
    this.#mmSeq = 0
    this.#rtVni = 0
    this.#rmacHi = 0
    this.#rmacLo = 0
    ext.lanes = 0
    if (length === 0) return 0
    let flags = 0
    ext.reserve(length >> 2)
    const data = ext.data
    const end = at + length
    let n = 0
    for (let p = at; p < end; p += 8) {
      const hi = view.getInt32(p)
      const lo = view.getInt32(p + 4)
      data[n++] = lo
      data[n++] = hi
      switch (hi >>> 16) {
        case 0x0002:
          if (this.#rtVni === 0 && lo > 0 && lo < 0x1000000) this.#rtVni = lo
          break
        case 0x0102:
        case 0x0202:
          if (this.#rtVni === 0) this.#rtVni = lo & 0xffff
          break
        case 0x0004:
        case 0x4004: {
          // Of several the lowest counts (RFC 10005).
          const value = view.getFloat32(p + 4)
          if (value >= 0 && ((flags & FLAG_LINK_BW) === 0 || value < this.#linkBw)) {
            this.#linkBw = value
            flags |= FLAG_LINK_BW
          }
          break
        }
        case 0x0610: {
          // EVPN's (draft-ietf-bess-evpn-unequal-lb section 4): units => U8 (0 megabits a second, 1 a weight,
          // which is no bandwidth), value => U40.
          if (bytes[p + 2] !== 0) break
          const value = (bytes[p + 3]! * 0x1_0000_0000 + (lo >>> 0)) * OCTETS_IN_MEGABIT
          if ((flags & FLAG_LINK_BW) === 0 || value < this.#linkBw) {
            this.#linkBw = value
            flags |= FLAG_LINK_BW
          }
          break
        }
        case 0x030c:
          if (this.#encap === 0) this.#encap = lo & 0xffff
          break
        case 0x030d:
          flags |= FLAG_DEFAULT_GW
          break
        case 0x0600:
          this.#mmSeq = lo
          flags |= FLAG_MM_SEQ
          if ((bytes[p + 2]! & 1) !== 0) flags |= FLAG_MM_STICKY
          break
        case 0x0603:
          if ((flags & FLAG_RMAC) === 0) {
            this.#rmacHi = view.getInt32(p + 2)
            this.#rmacLo = view.getInt16(p + 6)
            flags |= FLAG_RMAC
          }
          break
        default:
      }
    }
    ext.lanes = n
    return flags
  }

  /** Writes what the rows n0..n share. */
  #fill(context: RouteContext, field: NlriField): void {
    const k = this.block
    const { n0 } = this
    const announce = this.#announce
    const { index, peer } = context
    const all = k.fields
    const at = all.add(k.n, peer)
    all.seq[at] = context.seq
    all.rxUs[at] = context.rxUs
    all.bmpUs[at] = context.bmpUs
    all.afi[at] = field.afi
    all.safi[at] = field.safi
    all.action[at] = announce ? ROW_ANNOUNCE : ROW_WITHDRAW
    if ((peer.rdHi | peer.rdLo) !== 0) k.used |= USED_PEER_RD
    if (peer.vrf !== '') k.used |= USED_VRF

    const phase = announce && context.dump ? PHASE_DUMP : PHASE_LIVE
    const origin = announce ? this.#origin : ORIGIN_NONE
    let flags = (phase << FLAG_PHASE) | (origin << FLAG_ORIGIN)
    if (context.locRibAddPath) flags |= FLAG_LOC_RIB_ADDPATH
    if (announce) {
      flags |= this.#flags
      if (field.nextHopGlobalOctets !== 0) {
        flags |= FLAG_NEXT_HOP
        k.used |= USED_NEXT_HOP
        if (field.nextHopGlobalOctets === 16 && isMapped(this.#next)) flags |= FLAG_NEXT_HOP_MAPPED
      }
      this.#fillAnnounced(k, at, index)
    } else fillWithdrawn(all, at)
    all.flags[at] = flags
    if (index.errors.length > 0 || index.addPathGuessed || index.asWidthLied) {
      k.share(k.decodeErrors, n0, k.n, decodeErrors(index))
    }
  }

  #fillAnnounced(k: RouteBlock, at: number, index: UpdateIndex): void {
    const all = k.fields
    all.attrHash[at * 2] = this.#attrLo
    all.attrHash[at * 2 + 1] = this.#attrHi
    all.fwdHash[at * 2] = this.#fwdLo
    all.fwdHash[at * 2 + 1] = this.#fwdHi
    const next = this.#next
    for (let i = 0; i < 4; i++) {
      all.nextHop[at * 4 + i] = next[i]!
      all.nextHopLl[at * 4 + i] = next[4 + i]!
    }
    all.med[at] = this.#med
    all.localPref[at] = this.#localPref
    all.originatorId[at] = this.#originator
    all.mmSeq[at] = this.#mmSeq
    all.encap[at] = this.#encap
    all.linkBw[at] = this.#linkBw
    all.rmacHi[at] = this.#rmacHi
    all.rmacLo[at] = this.#rmacLo
    let used = 0
    if ((next[4]! | next[5]! | next[6]! | next[7]!) !== 0) used |= USED_NEXT_HOP_LL
    if (this.#med !== 0) used |= USED_MED
    if (this.#localPref !== 0) used |= USED_LOCAL_PREF
    if (this.#originator !== 0) used |= USED_ORIGINATOR
    if (this.#mmSeq !== 0) used |= USED_MM_SEQ
    if (this.#encap !== 0) used |= USED_ENCAP
    if (this.#linkBw !== 0) used |= USED_LINK_BW
    if ((this.#flags & FLAG_RMAC) !== 0) used |= USED_RMAC
    k.used |= used

    const { n0 } = this
    const rows = k.n - n0
    const lanes =
      this.#path.lanes +
      this.#communities.lanes +
      this.#ext.lanes +
      this.#large.lanes +
      this.#clusters.lanes +
      stringLanes(this.#unknown) +
      ((this.#pathSets.length + this.#dPath.length) >> 2)
    const needed = lanes * rows
    if (needed > this.#lanesLeft) {
      noLists(all, at)
      return tooLong(index, rows, lanes)
    }
    this.#lanesLeft -= needed
    all.asPath.put(at, this.#path.data, this.#path.lanes, rows)
    all.communities.put(at, this.#communities.data, this.#communities.lanes, rows)
    all.extCommunities.put(at, this.#ext.data, this.#ext.lanes, rows)
    all.largeCommunities.put(at, this.#large.data, this.#large.lanes, rows)
    all.clusterList.put(at, this.#clusters.data, this.#clusters.lanes, rows)
    if (this.#pathSets !== '') k.share(k.asPathSets, n0, k.n, this.#pathSets)
    if (this.#dPath !== '') k.share(k.dPath, n0, k.n, this.#dPath)
    if (this.#unknown.length > 0) k.share(k.unknownAttrs, n0, k.n, this.#unknown)
  }
}

function tooLong(index: UpdateIndex, rows: number, lanes: number): void {
  const detail = `${rows} routes with lists of ${lanes * 4} octets each: lists left out of the rows`
  index.addError(
    new DecodeError('UNSUPPORTED', detail, {
      offset: index.start,
      length: index.end - index.start,
      path: 'update',
      spec: 'RFC 8654 section 4',
    }),
  )
}

/** The field of that place has none of the attributes; nobody asks for its hashes. */
function fillWithdrawn(all: RouteFields, at: number): void {
  for (let i = at * 4; i < at * 4 + 4; i++) {
    all.nextHop[i] = 0
    all.nextHopLl[i] = 0
  }
  all.med[at] = 0
  all.localPref[at] = 0
  all.originatorId[at] = 0
  all.mmSeq[at] = 0
  all.encap[at] = 0
  all.linkBw[at] = 0
  all.rmacHi[at] = 0
  all.rmacLo[at] = 0
  noLists(all, at)
}

function noLists(all: RouteFields, at: number): void {
  all.asPath.none(at)
  all.communities.none(at)
  all.extCommunities.none(at)
  all.largeCommunities.none(at)
  all.clusterList.none(at)
}

/** An array attribute of the UPDATE in hand, as lanes. */
class ArrayScratch {
  data: Int32Array<ArrayBuffer> = new Int32Array(256)
  lanes = 0

  read(view: DataView, at: number, lanes: number): void {
    this.lanes = lanes
    if (lanes === 0) return
    this.reserve(lanes)
    const data = this.data
    for (let i = 0; i < lanes; i++) data[i] = view.getInt32(at + 4 * i)
  }

  reserve(lanes: number): void {
    if (lanes > this.data.length) this.data = new Int32Array(Math.max(lanes, 2 * this.data.length))
  }
}

function copyOctets(from: DataView, start: number, to: DataView, at: number, octets: number): void {
  let i = 0
  for (; i + 4 <= octets; i += 4) to.setInt32(at + i, from.getInt32(start + i))
  for (; i < octets; i++) to.setUint8(at + i, from.getUint8(start + i))
}

function u24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
}

/** `0xFFTT:hex`: flags and type of an attribute that has no column, and its value. */
function rawAttribute(index: UpdateIndex, type: number): string {
  const at = index.at[type]!
  const head = (index.flagsOf[type]! << 8) | type
  return `0x${head.toString(16).padStart(4, '0')}:${toHex(index.bytes, at, at + index.len[type]!)}`
}

function stringLanes(list: readonly string[]): number {
  let octets = 0
  for (const text of list) octets += text.length
  return octets >> 2
}

const MAX_ERROR_TEXTS = 16

/** The next row of a route that is no IP prefix. */
function rowWithoutPrefix(k: RouteBlock): number {
  const row = k.n
  if (row === k.capacity) k.grow()
  k.n = row + 1
  const j = row << 2
  k.addr[j] = 0
  k.addr[j + 1] = 0
  k.addr[j + 2] = 0
  k.addr[j + 3] = 0
  k.bits[row] = 0
  k.flags[row] = 0
  return row
}

/** Without offsets: they depend on how TCP cut the stream. */
function decodeErrors(index: UpdateIndex): string[] {
  const texts = index.errors.slice(0, MAX_ERROR_TEXTS).map(decodeErrorText)
  if (index.asWidthLied) {
    texts.push(
      `as_path: AS numbers of ${index.asOctets} octets, not as the per-peer header said (RFC 7854 section 4.2)`,
    )
  }
  if (index.addPathGuessed) {
    texts.push(
      'nlri: path identifiers not as the session said, read the way that fits (RFC 7911 section 3)',
    )
  }
  return texts
}

export function decodeErrorText(error: DecodeError): string {
  return `${error.path}: ${error.detail} (${error.spec})`
}

/** Do the first four lanes hold an IPv4 address in the form of IPv6 (::ffff:0:0/96)? */
function isMapped(lanes: Int32Array): boolean {
  return lanes[0] === 0 && lanes[1] === 0 && lanes[2] === (0xffff0000 | 0)
}
