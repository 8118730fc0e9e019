/** A row of route_log as the view route_events renders it (fragments/route_text.sql), but for what the inventory knows. */
import {
  formatEsi,
  formatEvpnNlri,
  formatExtCommunity,
  formatIPv4Number,
  formatIPv6,
  formatMac,
  formatRd,
} from '@ribscope/wire'
import type { BlockRow } from './block-json.ts'
import { formatIp } from './ip.ts'
import { ENCAPS } from './json-sink.ts'
import { utf8 } from './native-reader.ts'
import type { NativeBlockRows, NativeMap, NativeValue } from './native-reader.ts'
import {
  FLAG_DEFAULT_GW,
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
  FLAG_OWN_AS_PREPENDED,
  FLAG_RMAC,
  FLAG_TEXT_KEY,
} from './route-block.ts'
import { formatDateTime64 } from './time.ts'

const NONE = new Uint8Array(0)
const ZEROS = new Uint8Array(16)
const NO_MORE: NativeMap = new Map()
const ORIGINS = ['igp', 'egp', 'incomplete', '']
const PHASES = ['', 'dump', 'live', '']
const EVPN = 25 * 256 + 70

/** Values of a row; what a block leaves out has its default. */
class Row {
  readonly #block: NativeBlockRows
  readonly #row: number
  readonly #more: NativeMap

  constructor(block: NativeBlockRows, row: number) {
    this.#block = block
    this.#row = row
    this.#more = (this.#value('more') as NativeMap | undefined) ?? NO_MORE
  }

  #value(name: string): NativeValue | undefined {
    return this.#block.columns.get(name)?.[this.#row]
  }

  number(name: string): number {
    return Number(this.#value(name) ?? 0)
  }

  big(name: string): bigint {
    return BigInt((this.#value(name) as bigint | number | undefined) ?? 0)
  }

  octets(name: string): Uint8Array {
    return (this.#value(name) as Uint8Array | undefined) ?? NONE
  }

  text(name: string): string {
    const value = this.#value(name) ?? ''
    return typeof value === 'string' ? value : utf8(value as Uint8Array)
  }

  numbers(name: string): readonly number[] {
    return (this.#value(name) as readonly number[] | undefined) ?? []
  }

  address(name: string): Uint8Array {
    const octets = this.octets(name)
    return octets.length === 16 ? octets : ZEROS
  }

  more(key: number): Uint8Array {
    return (this.#more.get(key) as Uint8Array | undefined) ?? NONE
  }

  moreWord(key: number): number {
    const octets = this.more(key)
    let value = 0
    for (let i = Math.min(4, octets.length) - 1; i >= 0; i--) value = value * 256 + octets[i]!
    return value
  }

  moreWords(key: number): number[] {
    const octets = this.more(key)
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
    return Array.from({ length: octets.length >> 2 }, (_, i) => view.getUint32(4 * i, true))
  }

  moreLines(key: number): string[] {
    const octets = this.more(key)
    return octets.length === 0 ? [] : utf8(octets).split('\n')
  }
}

/** @param table what the line says that it is of */
export function routeRow(block: NativeBlockRows, at: number, table: string): BlockRow {
  const row = new Row(block, at)
  const flags = row.number('flags')
  const version = (flags >>> 16) & 7
  const host = version === 0 ? '' : addressOf(row.address('addr'), version)
  const prefix = version === 0 ? '' : `${host}/${row.number('bits')}`
  return {
    peer: formatIp(row.address('peer_addr')),
    prefix,
    json: () => JSON.stringify(fields(row, flags, { table, version, host, prefix })),
  }
}

interface Known {
  readonly table: string
  readonly version: number
  readonly host: string
  readonly prefix: string
}

function fields(row: Row, flags: number, { table, version, host, prefix }: Known): object {
  const rib = row.text('rib')
  const afi = row.number('afi')
  const safi = row.number('safi')
  const key = row.octets('nlri_key')
  const type = afi * 256 + safi === EVPN ? (key[0] ?? 0) : 0
  const session = row.big('bmp_session')
  const bmpUs = row.number('bmp_ts')
  const has = (flag: number): boolean => (flags & flag) !== 0
  const bit = (flag: number): number => (has(flag) ? 1 : 0)
  const path = row.numbers('as_path')
  const sets = utf8(row.more(2))
  const extended = (row.numbers('ext_communities') as readonly (number | bigint)[]).map(extText)
  const large = row.moreWords(3)
  const linkLocal = row.more(1)
  const originator = row.number('originator_id')
  const peerRd = row.big('peer_rd')
  const rd = rdText(row, flags, type, safi, version, key)
  const encap = row.moreWord(14)
  const esi = type !== 3 && type !== 6 && type >= 1 && type <= 8
  return {
    table,
    rx_ts: formatDateTime64(row.number('rx_ts')),
    seq: Number(row.big('pos') - session * 4096n),
    bmp_ts: bmpUs === 0 ? null : formatDateTime64(bmpUs),
    collector: row.text('collector'),
    router: row.text('router'),
    router_addr: row.text('router_addr'),
    bmp_session: Number(session),
    peer_key: String(row.big('peer_key')),
    peer_epoch: row.number('peer_epoch'),
    peer_addr: formatIp(row.address('peer_addr')),
    peer_asn: row.number('peer_asn'),
    peer_bgp_id: formatIPv4Number(row.number('peer_bgp_id')),
    peer_rd: peerRd === 0n ? '' : formatRd(bigEndian(peerRd), 0),
    rib,
    loc_rib_addpath: bit(FLAG_LOC_RIB_ADDPATH),
    vantage: rib === 'loc_rib' ? 3 : rib.startsWith('adj_out') ? 4 : 2,
    phase: PHASES[(flags >>> 12) & 3],
    vrf: row.text('vrf'),
    afi,
    safi,
    action: row.text('action'),
    prefix,
    nlri: nlriText(row, flags, { type, rd, key, host, prefix, version, safi }),
    path_id: row.number('path_id'),
    rd,
    labels: row.numbers('labels'),
    next_hop: has(FLAG_NEXT_HOP_MAPPED)
      ? `::ffff:${formatIp(row.address('next_hop'))}`
      : has(FLAG_NEXT_HOP)
        ? formatIp(row.address('next_hop'))
        : '',
    next_hop_ll: linkLocal.length === 16 ? formatIPv6(linkLocal, 0) : '',
    origin: ORIGINS[(flags >>> 14) & 3],
    as_path: path,
    as_path_text: sets === '' ? path.join(' ') : sets,
    own_as_prepended: bit(FLAG_OWN_AS_PREPENDED),
    med: has(FLAG_MED) ? row.number('med') : null,
    local_pref: has(FLAG_LOCAL_PREF) ? row.number('local_pref') : null,
    communities: row.numbers('communities').map((c) => `${c >>> 16}:${c & 0xffff}`),
    ext_communities: extended,
    large_communities: Array.from({ length: Math.floor(large.length / 3) }, (_, i) =>
      large.slice(3 * i, 3 * i + 3).join(':'),
    ),
    originator_id: originator === 0 ? '' : formatIPv4Number(originator),
    cluster_list: row.moreWords(4).map(formatIPv4Number),
    evpn_type: type,
    esi: esi ? formatEsi(padded(row.more(8), 10), 0) : '',
    eth_tag: ethernetTag(key, type, has(FLAG_TEXT_KEY)),
    mac: has(FLAG_MAC) ? formatMac(padded(key.subarray(14, 20), 6), 0) : '',
    host_ip: type === 2 ? host : '',
    gw_ip: gateway(row.more(9)),
    vni: row.number('vni'),
    vni2: row.moreWord(10),
    rmac: has(FLAG_RMAC) ? formatMac(padded(row.more(11), 6), 0) : '',
    mm_seq: has(FLAG_MM_SEQ) ? row.moreWord(12) : null,
    mm_sticky: bit(FLAG_MM_STICKY),
    is_default_gw: bit(FLAG_DEFAULT_GW),
    link_bw: has(FLAG_LINK_BW) ? float64(row.more(13)) : null,
    rts: extended.filter((text) => text.startsWith('rt:')),
    encap: encap === 0 ? '' : (ENCAPS[encap] ?? String(encap)),
    d_path: utf8(row.more(5)),
    attr_hash: String(row.big('attr_hash')),
    fwd_hash: String(row.big('fwd_hash')),
    origin_node: '',
    unknown_attrs: row.moreLines(6),
    decode_errors: row.moreLines(7),
  }
}

interface Nlri extends Omit<Known, 'table'> {
  readonly type: number
  readonly rd: string
  readonly key: Uint8Array
  readonly safi: number
}

function nlriText(row: Row, flags: number, nlri: Nlri): string {
  const { type, rd, key, host, prefix, version, safi } = nlri
  if ((flags & FLAG_TEXT_KEY) !== 0) {
    const from = type === 0 ? 0 : 1
    return utf8(key.subarray(from, Math.max(from, key.indexOf(0))))
  }
  switch (type) {
    case 0:
      break
    case 2: {
      const tag = ethernetTag(key, type, false)
      const mac = formatMac(padded(key.subarray(14, 20), 6), 0)
      const ip = version === 0 ? '' : `:[${row.number('bits')}]:[${host}]`
      return `[2]:[${rd}]:[${tag}]:[48]:[${mac}]${ip}`
    }
    case 5:
      return `[5]:[${rd}]:[${ethernetTag(key, type, false)}]:[${row.number('bits')}]:[${host}]`
    default:
      return formatEvpnNlri(key, type, 1, key.length)
  }
  if (version === 0) return `0x${Buffer.from(key).toString('hex')}`
  return isVpn(safi) ? `${rd}:${prefix}` : prefix
}

const isVpn = (safi: number): boolean => safi === 128 || safi === 76 || safi === 129

function rdText(
  row: Row,
  flags: number,
  type: number,
  safi: number,
  version: number,
  key: Uint8Array,
): string {
  if ((flags & FLAG_KEY_RD) !== 0) return formatRd(padded(key.subarray(key.indexOf(0) + 1), 8), 0)
  if (type >= 1 && type <= 5) return formatRd(padded(key.subarray(1, 9), 8), 0)
  return version !== 0 && isVpn(safi) ? formatRd(padded(key, 8), 0) : ''
}

/** Of the key: behind the RD (behind a text it is there once more), behind the ESI where that is part of the key. */
function ethernetTag(key: Uint8Array, type: number, text: boolean): number {
  const own = text ? key.indexOf(0) + 1 : 1
  const behindEsi = type === 1 || type === 7 || type === 8
  const has = text ? type >= 6 && type <= 10 : behindEsi || type === 2 || type === 3 || type === 5
  const at = own + (text ? 8 : 0) + (behindEsi ? 18 : 8)
  if (!has || at + 4 > key.length) return 0
  return new DataView(key.buffer, key.byteOffset + at, 4).getUint32(0)
}

function addressOf(octets: Uint8Array, version: number): string {
  return version === 4
    ? formatIPv4Number(new DataView(octets.buffer, octets.byteOffset, 16).getUint32(12))
    : formatIPv6(octets, 0)
}

function gateway(octets: Uint8Array): string {
  if (octets.length !== 16) return ''
  const text = formatIp(octets)
  return text === '::' || text === '0.0.0.0' ? '' : text
}

function extText(value: number | bigint): string {
  return formatExtCommunity(bigEndian(BigInt(value)), 0)
}

function bigEndian(value: bigint): Uint8Array {
  const octets = new Uint8Array(8)
  new DataView(octets.buffer).setBigUint64(0, value)
  return octets
}

function float64(octets: Uint8Array): number {
  return octets.length === 8
    ? new DataView(octets.buffer, octets.byteOffset, 8).getFloat64(0, true)
    : 0
}

/** Keys come from whoever may write to the topic. */
function padded(octets: Uint8Array, length: number): Uint8Array {
  if (octets.length >= length) return octets
  const whole = new Uint8Array(length)
  whole.set(octets)
  return whole
}
