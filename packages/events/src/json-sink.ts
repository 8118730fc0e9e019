/**
 * HOT PATH: rows as JSON lines, the columns of DESIGN 4.3 with names and types as ClickHouse prints them
 * in JSONEachRow. Reads the column blocks that the Native encoder would send, row by row.
 */
import { ACTION_ANNOUNCE, RIBS, formatEvpnNlri, formatExtCommunity, formatRd } from '@ribscope/wire'
import type { NlriField } from '@ribscope/wire'
import { formatIp } from './ip.ts'
import { JsonBuffer, ascii, part } from './json-buffer.ts'
import type { Part } from './json-buffer.ts'
import {
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
  USED_GATEWAY,
  USED_KEY,
  USED_PATH_ID,
  USED_RD,
  USED_ROW_HASH,
  USED_VNI2,
} from './route-block.ts'
import type { ArrayColumn, RowPeer, TextRun } from './route-block.ts'
import type { FieldList, RouteFields } from './route-fields.ts'
import { PHASE_DUMP, ROW_ANNOUNCE, RouteExtractor } from './route-extractor.ts'
import type { RouteContext } from './route-extractor.ts'
import { ERROR_COLUMNS, SESSION_COLUMNS, STATS_COLUMNS } from './rows.ts'
import type { ErrorRow, SessionFacts, SessionRow, StatsRow } from './rows.ts'
import type { RowSink } from './sink.ts'
import { jsonOfRow } from './table.ts'
import { formatDateTime64 } from './time.ts'

/** Names of the views that people read. */
export type JsonTable = 'route_events' | 'session_events' | 'stats' | 'route_errors'
export const JSON_TABLES: readonly JsonTable[] = [
  'route_events',
  'session_events',
  'stats',
  'route_errors',
]

export interface JsonSinkOptions {
  /** Gets whole lines. `release` may be called when they were written: their memory is used again. */
  readonly write: (lines: Uint8Array<ArrayBuffer>, release: () => void) => void
  /** Default: route_events alone. */
  readonly tables?: ReadonlySet<JsonTable>
  /** Begins each line with the key `table`. */
  readonly withTable?: boolean
}

const FLUSH_OCTETS = 1 << 17
/** A capture can hold thousands of sessions. */
const FIRST_OCTETS = 1 << 14
const MAX_FREE = 4
const MAX_FREE_OCTETS = 1 << 20
/** What a row has beside its fragments and its nlri_key. */
const ROW_OCTETS = 1024

const BMP_TS = part(',"bmp_ts":')
const NLRI = part('","nlri":"')
const PATH_ID = part('","path_id":')
const RD = part(',"rd":"')
const LABELS = part('","labels":[')
const ESI = part(',"esi":"')
const ETH_TAG = part('","eth_tag":')
const MAC = part(',"mac":"')
const HOST_IP = part('","host_ip":"')
const GW_IP = part('","gw_ip":"')
const VNI = part('","vni":')
const VNI2 = part(',"vni2":')
const NO_EVPN = part('0,"esi":"","eth_tag":0,"mac":"","host_ip":"","gw_ip":"","vni":0,"vni2":0')
const ATTR_HASH = part(',"attr_hash":"')
const FWD_HASH = part('","fwd_hash":"')
const NULL = part('null')
const MAC_OCTETS = new Uint8Array(6)
const MAC_VIEW = new DataView(MAC_OCTETS.buffer)
const HEX_PREFIX = part('0x')
const MAPPED = part('::ffff:')
const ORIGINS = ['igp', 'egp', 'incomplete', '']
const ORIGIN_TEXTS = ORIGINS.map((origin) => part(`,"origin":"${origin}","as_path":[`))
/** RFC 9012 tunnel types by the names that the view gives them. */
export const ENCAPS: Readonly<Record<number, string>> = {
  0: '',
  8: 'vxlan',
  9: 'nvgre',
  10: 'mpls',
  11: 'mpls-in-gre',
  12: 'vxlan-gpe',
  13: 'mpls-in-udp',
  19: 'geneve',
}
const ENCAP_TEXTS: readonly (Part | undefined)[] = Array.from({ length: 20 }, (_, encap) => {
  const name = ENCAPS[encap]
  return name === undefined ? undefined : part(name)
})

export class JsonSink extends RouteExtractor implements RowSink {
  readonly #options: JsonSinkOptions
  readonly #tables: ReadonlySet<JsonTable>
  readonly #out = new JsonBuffer(FIRST_OCTETS)
  readonly #free: Uint8Array<ArrayBuffer>[] = []
  readonly #extTexts = new ExtTexts()
  #facts: SessionFacts | undefined
  #peerTexts = new WeakMap<RowPeer, Part>()
  #rxUs = -1
  #rxText = part('')
  readonly #bmpTime = new TimeText()

  constructor(options: JsonSinkOptions) {
    super()
    this.#options = options
    this.#tables = options.tables ?? new Set<JsonTable>(['route_events'])
  }

  open(facts: SessionFacts): void {
    this.#facts = facts
    this.#peerTexts = new WeakMap()
    this.#rxUs = -1
  }

  update(context: RouteContext): void {
    const { fields, fieldCount } = context.index
    if (fieldCount > 0 && fields[fieldCount - 1]!.action === ACTION_ANNOUNCE) {
      this.readAttributes(context)
    }
  }

  routes(context: RouteContext, field: NlriField): number {
    const rows = this.extract(context, field)
    if (rows === 0) return 0
    const block = this.block
    if (this.#tables.has('route_events')) {
      this.#render(block, context)
    }
    block.clear()
    return rows
  }

  session(row: SessionRow): void {
    if (this.#tables.has('session_events')) {
      this.#line(jsonOfRow(SESSION_COLUMNS, row, this.#key('session_events')))
    }
  }

  stats(row: StatsRow): void {
    if (this.#tables.has('stats')) this.#line(jsonOfRow(STATS_COLUMNS, row, this.#key('stats')))
  }

  error(row: ErrorRow): void {
    if (this.#tables.has('route_errors')) {
      this.#line(jsonOfRow(ERROR_COLUMNS, row, this.#key('route_errors')))
    }
  }

  /** What `flush` would hand over. */
  get pendingOctets(): number {
    return this.#out.length
  }

  /** Hands over what is left. */
  flush(): void {
    const out = this.#out
    if (out.length === 0) return
    const { bytes, length } = out
    // A few rows now and then: a copy, and the buffer stays.
    if (length * 4 < bytes.length) {
      out.length = 0
      this.#options.write(bytes.slice(0, length), ignore)
      return
    }
    out.use(this.#free.pop() ?? new Uint8Array(1 << 18))
    this.#options.write(bytes.subarray(0, length), () => {
      if (this.#free.length < MAX_FREE && bytes.length <= MAX_FREE_OCTETS) this.#free.push(bytes)
    })
  }

  protected override takeBlock(evpn: boolean): RouteBlock {
    return new RouteBlock(evpn)
  }

  #key(table: JsonTable): string | undefined {
    return this.#options.withTable === true ? table : undefined
  }

  #line(text: string): void {
    const line = ascii(`${text}\n`)
    this.#out.reserve(line.length)
    this.#out.encoded(line)
    if (this.#out.length > FLUSH_OCTETS) this.flush()
  }

  // --- route_events -----------------------------------------------------------------------------

  /**
   * The first row is written out. What comes after the part of its own, up to the part of its own of the next
   * row, is the same again and again but for `seq`: it is copied from the row before, and `seq` counted up
   * where it stands. So a row costs little more than its own text.
   */
  #render(k: RouteBlock, context: RouteContext): void {
    const out = this.#out
    const n = k.n
    const safi = k.fields.safi[0]!
    const alike = !k.evpn && (safi === 1 || safi === 2)
    // Places in `out`, good until it is handed over.
    let attributesAt = 0
    let attributesEnd = 0
    let communitiesAt = 0
    let communitiesEnd = 0
    let tailAt = 0
    let tailEnd = 0
    // The last tail with the opening of the next row behind it.
    let linkAt = 0
    let linkEnd = 0
    let seqEnd = 0
    let rowOctets = 0
    let first = true
    let linked = false
    this.#receiveTime(context.rxUs)
    out.reserve(ROW_OCTETS)
    let openAt = out.length
    seqEnd = this.#opening(k, context, 0)
    for (let row = 0; row < n; row++) {
      out.reserve(2 * rowOctets + ROW_OCTETS + 2 * k.keyLength + 16 * k.labels.count)
      this.#nlri(k, row)
      if (!alike || first) {
        if (first) {
          attributesAt = out.length
          this.#attributes(k)
          attributesEnd = out.length
        } else out.again(attributesAt, attributesEnd)
        if (k.evpn) this.#evpnRow(k, row)
        else out.part(NO_EVPN)
        if (first) {
          communitiesAt = out.length
          this.#evpnCommunities(k)
          communitiesEnd = out.length
        } else out.again(communitiesAt, communitiesEnd)
        this.#hashes(k, alike ? 0 : row)
      }
      const last = row === n - 1
      if (first) {
        tailAt = alike ? attributesAt : out.length
        this.#trailer(k)
        tailEnd = out.length
        rowOctets = tailEnd - openAt
        first = false
      } else if (last || !linked || out.length > FLUSH_OCTETS) {
        const at = out.length
        out.again(tailAt, tailEnd)
        tailAt = at
        tailEnd = out.length
      } else {
        const shift = out.length - linkAt
        out.again(linkAt, linkEnd)
        linkAt += shift
        linkEnd += shift
        seqEnd += shift
        tailAt += shift
        tailEnd += shift
        if (out.countUp(seqEnd)) continue
        // One more digit: the opening is written anew.
        out.length = tailEnd
      }
      if (last) return
      linked = true
      if (out.length > FLUSH_OCTETS) {
        this.flush()
        out.reserve(ROW_OCTETS)
        openAt = out.length
        first = true
        linked = false
      }
      out.reserve(rowOctets + ROW_OCTETS)
      seqEnd = this.#opening(k, context, row + 1)
      linkAt = tailAt
      linkEnd = out.length
    }
  }

  /** From the brace to the quote before the prefix. @returns the place behind `seq` */
  #opening(k: RouteBlock, context: RouteContext, row: number): number {
    const out = this.#out
    out.part(this.#rxText)
    out.integer(context.seq + row)
    const seqEnd = out.length
    this.#head(k, context)
    return seqEnd
  }
  #keyAt = 0

  #hashes(k: RouteBlock, row: number): void {
    const out = this.#out
    out.reserve(128)
    if (k.fields.action[0] !== ROW_ANNOUNCE) {
      out.part(NO_HASHES)
      return
    }
    const { attrHash, fwdHash } = k.fields
    out.part(ATTR_HASH)
    this.#hash(k, row, attrHash[0]!, attrHash[1]!)
    out.part(FWD_HASH)
    this.#hash(k, row, fwdHash[0]!, fwdHash[1]!)
  }

  #hash(k: RouteBlock, row: number, lo: number, hi: number): void {
    const own = (k.used & USED_ROW_HASH) !== 0
    const a = own ? (lo + k.rowHash[row * 2]!) | 0 : lo
    const b = own ? (hi + k.rowHash[row * 2 + 1]!) | 0 : hi
    this.#out.u64((a | b) === 0 ? 1 : a, b)
  }

  #receiveTime(rxUs: number): void {
    if (rxUs === this.#rxUs) return
    this.#rxUs = rxUs
    const table = this.#options.withTable === true ? '"table":"route_events",' : ''
    this.#rxText = part(`{${table}"rx_ts":"${formatDateTime64(rxUs)}","seq":`)
  }

  /** From bmp_ts to the quote before the prefix. */
  #head(k: RouteBlock, context: RouteContext): void {
    const { peer, bmpUs } = context
    let peerText = this.#peerTexts.get(peer)
    if (peerText === undefined) {
      peerText = this.#describePeer(peer)
      this.#peerTexts.set(peer, peerText)
    }
    const out = this.#out
    out.reserve(2048 + peerText.length)
    out.part(BMP_TS)
    if (bmpUs === 0) out.part(NULL)
    else this.#bmpTime.write(out, bmpUs)
    out.part(peerText)
    out.part((k.fields.flags[0]! & FLAG_LOC_RIB_ADDPATH) !== 0 ? ADDPATH_1 : ADDPATH_0)
    out.part(VANTAGES[peer.ribCode]!)
    out.part(((k.fields.flags[0]! >> FLAG_PHASE) & 3) === PHASE_DUMP ? DUMP : LIVE)
    out.text(peer.vrf)
    out.reserve(256)
    out.part(AFI)
    out.u32(k.fields.afi[0]!)
    out.part(SAFI)
    out.u32(k.fields.safi[0]!)
    out.part(k.fields.action[0] === ROW_ANNOUNCE ? ANNOUNCE : WITHDRAW)
  }

  /** From collector to rib: the same for all rows of a peer, table and epoch. */
  #describePeer(peer: RowPeer): Part {
    const facts = this.#facts
    if (facts === undefined) return part('')
    const { a0, a1, a2, a3, keyLo, keyHi, rdHi, rdLo } = peer
    const address = formatIp(new Uint8Array(Int32Array.of(a0, a1, a2, a3).buffer))
    const key = (BigInt(keyHi >>> 0) << 32n) | BigInt(keyLo >>> 0)
    let rd = ''
    if ((rdLo | rdHi) !== 0) {
      const view = new DataView(new ArrayBuffer(8))
      view.setInt32(0, rdHi)
      view.setInt32(4, rdLo)
      rd = formatRd(new Uint8Array(view.buffer), 0)
    }
    const id = new JsonBuffer(16)
    id.quad(peer.bgpId)
    const fields = [
      `"collector":${JSON.stringify(facts.collector)}`,
      `"router":${JSON.stringify(facts.router)}`,
      `"router_addr":"${formatIp(facts.routerAddr)}"`,
      `"bmp_session":${facts.bmpSession}`,
      `"peer_key":"${key}"`,
      `"peer_epoch":${peer.epoch >>> 0}`,
      `"peer_addr":"${address}"`,
      `"peer_asn":${peer.asn >>> 0}`,
      `"peer_bgp_id":"${Buffer.from(id.bytes.subarray(0, id.length)).toString('latin1')}"`,
      `"peer_rd":"${rd}"`,
      `"rib":"${RIBS[peer.ribCode]}"`,
      '',
    ]
    return part(`,${fields.join(',')}`)
  }

  /** prefix, nlri, path_id, rd, labels. */
  #nlri(k: RouteBlock, row: number): void {
    const out = this.#out
    const prefixAt = out.length
    if (ipVersion(k, row) !== 0) this.#prefix(k, row)
    const prefixEnd = out.length
    out.part(NLRI)
    const keyAt = (k.used & USED_KEY) === 0 ? -1 : this.#nextKey(k, row)
    const flags = k.flags[row]!
    if ((flags & FLAG_TEXT_KEY) !== 0) this.#text(k, k.evpn ? keyAt + 1 : keyAt)
    else if (k.evpn) this.#evpnNlri(k, row, keyAt)
    else if (ipVersion(k, row) === 0) {
      out.part(HEX_PREFIX)
      for (let i = keyAt; i < this.#keyAt; i++) out.hex(k.key[i]!)
    } else {
      if (isVpn(k.fields.safi[0]!)) {
        this.#rd(k, row)
        out.octet(58)
      }
      out.bytes.copyWithin(out.length, prefixAt, prefixEnd)
      out.length += prefixEnd - prefixAt
    }
    out.part(PATH_ID)
    out.u32((k.used & USED_PATH_ID) === 0 ? 0 : k.pathId[row]!)
    out.part(RD)
    if (k.evpn ? k.evpnType[row]! >= 1 && k.evpnType[row]! <= 5 : isVpnPrefix(k, row)) {
      this.#rd(k, row)
    } else if ((flags & FLAG_KEY_RD) !== 0) this.#rd(k, row)
    out.part(LABELS)
    this.#labels(k.labels, row)
    out.octet(93)
  }

  /** Places of the nlri_key: they lie one behind the other, each behind its length. */
  #nextKey(k: RouteBlock, row: number): number {
    let at = row === 0 ? 0 : this.#keyAt
    let octets = 0
    for (let shift = 0; ; shift += 7) {
      const part = k.key[at++]!
      octets |= (part & 127) << shift
      if (part < 128) break
    }
    this.#keyAt = at + octets
    return at
  }

  /** Text of the NLRI that is part of its key, up to the octet 0. */
  #text(k: RouteBlock, keyAt: number): void {
    const out = this.#out
    const end = k.key.indexOf(0, keyAt)
    out.encoded(k.key.subarray(keyAt, end))
  }

  #prefix(k: RouteBlock, row: number): void {
    this.#address(k, row)
    this.#out.octet(47)
    this.#out.u32(k.bits[row]!)
  }

  #address(k: RouteBlock, row: number): void {
    if (ipVersion(k, row) === 4) this.#out.ipv4(k.addr[row * 4 + 3]!)
    else this.#out.ipv6(new Uint8Array(k.addr.buffer), row * 16)
  }

  #rd(k: RouteBlock, row: number): void {
    const out = this.#out
    const used = (k.used & USED_RD) !== 0
    const hi = used ? k.rd[row * 2 + 1]! : 0
    const lo = used ? k.rd[row * 2]! : 0
    switch (hi >>> 16) {
      case 0:
        out.u32(hi & 0xffff)
        out.octet(58)
        out.u32(lo)
        return
      case 1:
        out.quad((hi << 16) | (lo >>> 16))
        out.octet(58)
        out.u32(lo & 0xffff)
        return
      case 2:
        out.u32((hi << 16) | (lo >>> 16))
        out.octet(58)
        out.u32(lo & 0xffff)
        return
      default:
        out.part(HEX_PREFIX)
        for (let shift = 24; shift >= 0; shift -= 8) out.hex((hi >>> shift) & 255)
        for (let shift = 24; shift >= 0; shift -= 8) out.hex((lo >>> shift) & 255)
    }
  }

  #evpnNlri(k: RouteBlock, row: number, keyAt: number): void {
    const out = this.#out
    const type = k.evpnType[row]!
    if (type === 2 || type === 5) {
      out.part(type === 2 ? TYPE_2 : TYPE_5)
      this.#rd(k, row)
      out.part(BRACKETS)
      out.u32(k.ethTag[row]!)
      if (type === 2) {
        out.part(MAC_48)
        out.colonHex(k.mac, row * 6, 6)
        if (ipVersion(k, row) === 0) {
          out.octet(93)
          return
        }
      }
      out.part(BRACKETS)
      out.u32(k.bits[row]!)
      out.part(BRACKETS)
      this.#address(k, row)
      out.octet(93)
      return
    }
    // The others' keys are their specific part, but for the label of type 1.
    const text = ascii(formatEvpnNlri(k.key, type, keyAt + 1, this.#keyAt))
    out.reserve(text.length + ROW_OCTETS)
    out.encoded(text)
  }

  /** From next_hop to the number behind evpn_type. */
  #attributes(k: RouteBlock): void {
    const out = this.#out
    if (k.fields.action[0] !== ROW_ANNOUNCE) {
      out.reserve(NO_ATTRIBUTES.length + ROW_OCTETS)
      out.part(NO_ATTRIBUTES)
      return
    }
    const all = k.fields
    out.reserve(1024 + 16 * laneSum(all))
    const flags = all.flags[0]!
    out.part(NEXT_HOP)
    if ((flags & FLAG_NEXT_HOP_MAPPED) !== 0) out.part(MAPPED)
    if ((flags & FLAG_NEXT_HOP) !== 0) this.#ip(all.nextHop)
    out.part(NEXT_HOP_LL)
    if (lanes(all.nextHopLl)) {
      out.ipv6(new Uint8Array(all.nextHopLl.buffer), 0)
    }
    out.octet(34)
    out.part(ORIGIN_TEXTS[(flags >> FLAG_ORIGIN) & 3]!)
    const pathAt = out.length
    out.numbers(all.asPath.data, 0, all.asPath.ends[0]!)
    const pathEnd = out.length
    out.part(AS_PATH_TEXT)
    const sets = firstOf(k.asPathSets)
    if (sets === undefined) {
      // The same numbers with spaces between.
      out.againSpaced(pathAt, pathEnd)
      out.octet(34)
    } else {
      out.length--
      out.text(sets)
      out.reserve(512 + 16 * laneSum(all))
    }
    out.part((flags & FLAG_OWN_AS_PREPENDED) !== 0 ? OWN_1 : OWN_0)
    out.part(MED)
    if ((flags & FLAG_MED) !== 0) out.u32(all.med[0]!)
    else out.part(NULL)
    out.part(LOCAL_PREF)
    if ((flags & FLAG_LOCAL_PREF) !== 0) out.u32(all.localPref[0]!)
    else out.part(NULL)
    out.part(COMMUNITIES)
    const { communities } = all
    for (let i = 0; i < communities.ends[0]!; i++) {
      if (i > 0) out.octet(44)
      out.octet(34)
      out.u32(communities.data[i]! >>> 16)
      out.octet(58)
      out.u32(communities.data[i]! & 0xffff)
      out.octet(34)
    }
    out.part(EXT_COMMUNITIES)
    this.#extensions(all.extCommunities, false)
    // They have taken room of their own out of what was reserved.
    out.reserve(512 + 16 * laneSum(all))
    out.part(LARGE_COMMUNITIES)
    const large = all.largeCommunities
    const largeEnd = large.ends[0]!
    for (let i = 0; i + 2 < largeEnd; i += 3) {
      if (i > 0) out.octet(44)
      out.octet(34)
      out.u32(large.data[i]!)
      out.octet(58)
      out.u32(large.data[i + 1]!)
      out.octet(58)
      out.u32(large.data[i + 2]!)
      out.octet(34)
    }
    out.part(ORIGINATOR_ID)
    if (all.originatorId[0] !== 0) out.quad(all.originatorId[0]!)
    out.part(CLUSTER_LIST)
    const clusters = all.clusterList
    const clustersEnd = clusters.ends[0]!
    for (let i = 0; i < clustersEnd; i++) {
      if (i > 0) out.octet(44)
      out.octet(34)
      out.quad(clusters.data[i]!)
      out.octet(34)
    }
    out.part(EVPN_TYPE)
  }

  #ip(column: Int32Array): void {
    const octets = new Uint8Array(column.buffer)
    const mapped = column[0] === 0 && column[1] === 0 && column[2] === (0xffff0000 | 0)
    if (mapped) this.#out.ipv4(column[3]!)
    else this.#out.ipv6(octets, 0)
  }

  #labels({ used, ends, data }: ArrayColumn, row: number): void {
    if (used) this.#out.numbers(data, row === 0 ? 0 : ends[row * 2 - 2]!, ends[row * 2]!)
  }

  /** @param targetsOnly route targets, for `rts` */
  #extensions(column: FieldList, targetsOnly: boolean): void {
    const out = this.#out
    const end = column.ends[0]!
    let first = true
    for (let i = 0; i < end; i += 2) {
      const hi = column.data[i + 1]!
      if (targetsOnly && !isRouteTarget(hi)) continue
      const text = this.#extTexts.get(column.data[i]!, hi)
      out.reserve(text.length + 512)
      if (!first) out.octet(44)
      first = false
      out.part(text)
    }
  }

  /** evpn_type to vni2 of one row. */
  #evpnRow(k: RouteBlock, row: number): void {
    const out = this.#out
    const type = k.evpnType[row]!
    out.u32(type)
    out.part(ESI)
    if (type !== 3 && type !== 6 && type >= 1 && type <= 8) out.colonHex(k.esi, row * 10, 10)
    out.part(ETH_TAG)
    out.u32(k.ethTag[row]!)
    out.part(MAC)
    if ((k.flags[row]! & FLAG_MAC) !== 0) out.colonHex(k.mac, row * 6, 6)
    out.part(HOST_IP)
    if (type === 2 && ipVersion(k, row) !== 0) this.#address(k, row)
    out.part(GW_IP)
    const j = row * 4
    if ((k.used & USED_GATEWAY) !== 0) {
      const g = k.gateway
      if (g[j] === 0 && g[j + 1] === 0 && g[j + 2] === (0xffff0000 | 0)) out.ipv4(g[j + 3]!)
      else if ((g[j]! | g[j + 1]! | g[j + 2]! | g[j + 3]!) !== 0) {
        out.ipv6(new Uint8Array(g.buffer), j * 4)
      }
    }
    out.part(VNI)
    out.u32(k.vni[row]!)
    out.part(VNI2)
    out.u32((k.used & USED_VNI2) === 0 ? 0 : k.vni2[row]!)
  }

  /** rmac to d_path: what extended communities and D-PATH say. */
  #evpnCommunities(k: RouteBlock): void {
    const out = this.#out
    if (k.fields.action[0] !== ROW_ANNOUNCE) {
      out.reserve(NO_COMMUNITIES.length + ROW_OCTETS)
      out.part(NO_COMMUNITIES)
      return
    }
    const all = k.fields
    const flags = all.flags[0]!
    out.reserve(512)
    out.part(RMAC)
    if ((flags & FLAG_RMAC) !== 0) this.#routerMac(all.rmacHi[0]!, all.rmacLo[0]!)
    out.part(MM_SEQ)
    if ((flags & FLAG_MM_SEQ) !== 0) out.u32(all.mmSeq[0]!)
    else out.part(NULL)
    out.part((flags & FLAG_MM_STICKY) !== 0 ? STICKY_1 : STICKY_0)
    out.part((flags & FLAG_DEFAULT_GW) !== 0 ? DEFAULT_GW_1 : DEFAULT_GW_0)
    if ((flags & FLAG_LINK_BW) !== 0) out.encoded(ascii(floatText(all.linkBw[0]!)))
    else out.part(NULL)
    out.part(RTS)
    this.#extensions(all.extCommunities, true)
    out.part(ENCAP)
    const encap = all.encap[0]!
    if (encap !== 0) out.part(ENCAP_TEXTS[encap] ?? part(String(encap)))
    out.reserve(64)
    out.part(D_PATH)
    out.text(firstOf(k.dPath) ?? '')
  }

  #routerMac(hi: number, lo: number): void {
    MAC_VIEW.setInt32(0, hi)
    MAC_VIEW.setInt16(4, lo)
    this.#out.colonHex(MAC_OCTETS, 0, 6)
  }

  /** From the quote behind fwd_hash to the end of the line. */
  #trailer(k: RouteBlock): void {
    const out = this.#out
    const unknown = firstOf(k.unknownAttrs)
    const errors = firstOf(k.decodeErrors)
    if (unknown === undefined && errors === undefined) {
      out.reserve(TRAILER.length)
      out.part(TRAILER)
      return
    }
    const text = `","origin_node":"","unknown_attrs":${JSON.stringify(unknown ?? [])},"decode_errors":${JSON.stringify(errors ?? [])}}\n`
    const encoded = ascii(text)
    out.reserve(encoded.length)
    out.encoded(encoded)
  }
}

/** Prefixes behind a route distinguisher: RFC 4364, 9832 and 6513. */
function isVpn(safi: number): boolean {
  return safi === 128 || safi === 76 || safi === 129
}

function isVpnPrefix(k: RouteBlock, row: number): boolean {
  return ipVersion(k, row) !== 0 && isVpn(k.fields.safi[0]!)
}

const ADDPATH_0 = part('"loc_rib_addpath":0')
const ADDPATH_1 = part('"loc_rib_addpath":1')
/** By rib code; vantage 0 needs the inventory, which is joined when read. */
const VANTAGES = [0, 2, 2, 3, 4, 4].map((vantage) => part(`,"vantage":${vantage}`))
const DUMP = part(',"phase":"dump","vrf":')
const LIVE = part(',"phase":"live","vrf":')
const AFI = part(',"afi":')
const SAFI = part(',"safi":')
const ANNOUNCE = part(',"action":"announce","prefix":"')
const WITHDRAW = part(',"action":"withdraw","prefix":"')
const TYPE_2 = part('[2]:[')
const TYPE_5 = part('[5]:[')
const BRACKETS = part(']:[')
const MAC_48 = part(']:[48]:[')
const NEXT_HOP = part(',"next_hop":"')
const NEXT_HOP_LL = part('","next_hop_ll":"')
const AS_PATH_TEXT = part('],"as_path_text":"')
const OWN_0 = part(',"own_as_prepended":0')
const OWN_1 = part(',"own_as_prepended":1')
const MED = part(',"med":')
const LOCAL_PREF = part(',"local_pref":')
const COMMUNITIES = part(',"communities":[')
const EXT_COMMUNITIES = part('],"ext_communities":[')
const LARGE_COMMUNITIES = part('],"large_communities":[')
const ORIGINATOR_ID = part('],"originator_id":"')
const CLUSTER_LIST = part('","cluster_list":[')
const EVPN_TYPE = part('],"evpn_type":')
const RMAC = part(',"rmac":"')
const MM_SEQ = part('","mm_seq":')
const STICKY_0 = part(',"mm_sticky":0')
const STICKY_1 = part(',"mm_sticky":1')
const DEFAULT_GW_0 = part(',"is_default_gw":0,"link_bw":')
const DEFAULT_GW_1 = part(',"is_default_gw":1,"link_bw":')
const RTS = part(',"rts":[')
const ENCAP = part('],"encap":"')
const D_PATH = part('","d_path":')
/** All that a withdrawal does not have. */
const NO_ATTRIBUTES = part(
  ',"next_hop":"","next_hop_ll":"","origin":"","as_path":[],"as_path_text":"","own_as_prepended":0,"med":null,"local_pref":null,"communities":[],"ext_communities":[],"large_communities":[],"originator_id":"","cluster_list":[],"evpn_type":',
)
const NO_COMMUNITIES = part(
  ',"rmac":"","mm_seq":null,"mm_sticky":0,"is_default_gw":0,"link_bw":null,"rts":[],"encap":"","d_path":""',
)
const NO_HASHES = part(',"attr_hash":"0","fwd_hash":"0')
const TRAILER = part('","origin_node":"","unknown_attrs":[],"decode_errors":[]}\n')

function firstOf<T>(runs: readonly TextRun<T>[]): T | undefined {
  return runs.length === 0 ? undefined : runs[0]!.value
}

function lanes(column: Int32Array): boolean {
  return (column[0]! | column[1]! | column[2]! | column[3]!) !== 0
}

/** Elements of the first row's lists: each takes at most 16 octets of text, twice for AS_PATH. */
function laneSum({ asPath, communities, largeCommunities, clusterList }: RouteFields): number {
  return (
    2 * asPath.ends[0]! +
    communities.ends[0]! +
    largeCommunities.ends[0]! +
    2 * clusterList.ends[0]!
  )
}

/** 4, 6, or 0 of a route that is no IP prefix. */
function ipVersion(k: RouteBlock, row: number): number {
  return (k.flags[row]! >> FLAG_IP_VERSION) & 7
}

function isRouteTarget(hi: number): boolean {
  const kind = hi >>> 16
  return kind === 0x0002 || kind === 0x0102 || kind === 0x0202
}

/** As ClickHouse prints a Float64. */
function floatText(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null'
}

/** Text of extended communities: a few hundred values make up nearly all of them. */
class ExtTexts {
  readonly #slots = 4096
  readonly #keys = new Int32Array(this.#slots * 2)
  readonly #texts: (Part | undefined)[] = new Array<undefined>(this.#slots).fill(undefined)
  readonly #octets = new Uint8Array(8)
  readonly #view = new DataView(this.#octets.buffer)

  /** With quotes. */
  get(lo: number, hi: number): Part {
    const hash = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1), 0x85ebca6b)
    const slot = (hash ^ (hash >>> 15)) & (this.#slots - 1)
    const known = this.#texts[slot]
    if (known !== undefined && this.#keys[slot * 2] === lo && this.#keys[slot * 2 + 1] === hi) {
      return known
    }
    this.#view.setInt32(0, hi)
    this.#view.setInt32(4, lo)
    const text = part(`"${formatExtCommunity(this.#octets, 0)}"`)
    this.#keys[slot * 2] = lo
    this.#keys[slot * 2 + 1] = hi
    this.#texts[slot] = text
    return text
  }
}

/** A time as quoted text; the date is kept from one to the next. */
class TimeText {
  #day = -1
  #date = part('')

  write(to: JsonBuffer, us: number): void {
    const second = Math.floor(us / 1_000_000)
    const day = Math.floor(second / 86_400)
    if (day !== this.#day) {
      this.#day = day
      this.#date = part(`"${formatDateTime64(day * 86_400_000_000).slice(0, 11)}`)
    }
    to.part(this.#date)
    const time = second - day * 86_400
    const hour = (time / 3600) | 0
    const minute = ((time - hour * 3600) / 60) | 0
    to.padded2(hour)
    to.octet(58)
    to.padded2(minute)
    to.octet(58)
    to.padded2(time - hour * 3600 - minute * 60)
    to.octet(46)
    to.padded6(us - second * 1_000_000)
    to.octet(34)
  }
}

function ignore(): void {
  // What was handed over is nobody else's.
}
