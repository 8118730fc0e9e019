import { AFI_IPV4, AFI_IPV6, nlriShape, SAFI_MULTICAST, SAFI_UNICAST } from '../bgp/families.ts'
import { SHAPE_EVPN, SHAPE_OPAQUE } from '../bgp/families.ts'
import {
  copyOf,
  cursorOver,
  enter,
  fail,
  readU16,
  readU32,
  readU8,
  remaining,
  skip,
  type Cursor,
} from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { toText } from '../text/strings.ts'

/** TABLE_DUMP_V2 subtypes: RFC 6396 section 4.3, RFC 8050 section 4. */
export const PEER_INDEX_TABLE = 1
const RIB_GENERIC = 6
const RIB_GENERIC_ADDPATH = 12

/** One peer of a PEER_INDEX_TABLE, in place. */
export interface IndexedPeer {
  readonly bgpId: number
  readonly asn: number
  /** The address's own octets: the record's bytes don't outlive it. */
  readonly address: Uint8Array
}

export interface PeerIndexTable {
  readonly collectorBgpId: number
  readonly viewName: string
  readonly peers: readonly IndexedPeer[]
}

/**
 * Does it stand for the writer itself (BIRD's and FRR's peer 0)? Its paths are the writer's own, which
 * were in no UPDATE and may lack well-known attributes.
 */
export function isWriter(peer: Pick<IndexedPeer, 'asn' | 'bgpId' | 'address'>): boolean {
  return peer.asn === 0 && peer.bgpId === 0 && peer.address.every((octet) => octet === 0)
}

/**
 * PEER_INDEX_TABLE, RFC 6396 section 4.3.1:
 *
 *   collector_bgp_id => 4, view_name => U16 + octets, count => U16,
 *   { type => U8 (1: IPv6 address, 2: AS of 4 octets), bgp_id => 4, address => 4 or 16, as => 2 or 4 }
 *
 * @throws DecodeError when it is shorter than it says
 */
export function readPeerIndexTable(c: Cursor): PeerIndexTable {
  const collectorBgpId = readU32(c)
  const name = enter(c, readU16(c), 'view_name')
  const count = readU16(c)
  const peers: IndexedPeer[] = []
  for (let i = 0; i < count; i++) {
    const type = readU8(c)
    const bgpId = readU32(c)
    const octets = (type & 1) !== 0 ? 16 : 4
    const at = skip(c, octets)
    const asn = (type & 2) !== 0 ? readU32(c) : readU16(c)
    peers.push({ bgpId, asn, address: copyOf(c.bytes, at, at + octets) })
  }
  if (remaining(c) > 0) fail(c, 'BAD_LENGTH', c.pos, `${remaining(c)} octets after the peers`)
  return { collectorBgpId, viewName: toText(c.bytes, name.pos, name.end), peers }
}

/** One path of a table, in place. */
export interface RibEntry {
  readonly peerIndex: number
  /** Unix time. */
  readonly originated: number
  /** undefined where the form has none. */
  readonly pathId: number | undefined
  readonly attributesAt: number
  readonly attributesEnd: number
}

export interface RibRecord {
  readonly sequence: number
  readonly afi: number
  readonly safi: number
  readonly addPath: boolean
  /** The NLRI as in an UPDATE, without path identifier. */
  readonly nlriAt: number
  readonly nlriEnd: number
  readonly entries: readonly RibEntry[]
}

const FAMILY_OF: ReadonlyMap<number, readonly [afi: number, safi: number, addPath: boolean]> =
  new Map([
    [2, [AFI_IPV4, SAFI_UNICAST, false]],
    [3, [AFI_IPV4, SAFI_MULTICAST, false]],
    [4, [AFI_IPV6, SAFI_UNICAST, false]],
    [5, [AFI_IPV6, SAFI_MULTICAST, false]],
    [8, [AFI_IPV4, SAFI_UNICAST, true]],
    [9, [AFI_IPV4, SAFI_MULTICAST, true]],
    [10, [AFI_IPV6, SAFI_UNICAST, true]],
    [11, [AFI_IPV6, SAFI_MULTICAST, true]],
  ])

/**
 * RIB_* of TABLE_DUMP_V2, RFC 6396 sections 4.3.2 to 4.3.4, RFC 8050 section 4:
 *
 *   sequence => U32, (RIB_GENERIC: afi => U16, safi => U8,) nlri, count => U16,
 *   { peer => U16, originated => U32, (_ADDPATH: path_id => U32,) attributes => U16 + octets }
 *
 * RIB_GENERIC_ADDPATH has the path identifier in each entry where GoBGP and OpenBGPD wrote it, and in
 * front of the NLRI where RFC 8050 is followed: whichever fills the record.
 *
 * @param c the body alone
 * @returns undefined for a subtype that is no table (GEO_PEER_TABLE)
 * @throws DecodeError when it is shorter than it says, or of a family whose NLRI can't be delimited
 */
export function readRib(c: Cursor, subtype: number): RibRecord | undefined {
  const generic = subtype === RIB_GENERIC || subtype === RIB_GENERIC_ADDPATH
  const known = FAMILY_OF.get(subtype)
  if (known === undefined && !generic) return undefined
  const sequence = readU32(c)
  if (known !== undefined) {
    const [afi, safi, addPath] = known
    return { sequence, afi, safi, addPath, ...readPaths(c, afi, safi, addPath) }
  }
  const afi = readU16(c)
  const safi = readU8(c)
  const family = { sequence, afi, safi }
  if (subtype === RIB_GENERIC)
    return { ...family, addPath: false, ...readPaths(c, afi, safi, false) }
  const { pos } = c
  try {
    return { ...family, addPath: true, ...readPaths(c, afi, safi, true) }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    // Once more from the front, the way of the RFC.
    const again = cursorOver(c.bytes, pos, c.end, c.path, c.spec, c.view)
    const pathId = readU32(again)
    const { entries, ...nlri } = readPaths(again, afi, safi, false)
    return { ...family, addPath: true, ...nlri, entries: entries.map((e) => ({ ...e, pathId })) }
  }
}

function readPaths(
  c: Cursor,
  afi: number,
  safi: number,
  addPath: boolean,
): Pick<RibRecord, 'nlriAt' | 'nlriEnd' | 'entries'> {
  const nlriAt = skip(c, nlriOctets(c, afi, safi))
  const nlriEnd = c.pos
  const count = readU16(c)
  const entries: RibEntry[] = []
  for (let i = 0; i < count; i++) {
    const peerIndex = readU16(c)
    const originated = readU32(c)
    const pathId = addPath ? readU32(c) : undefined
    const attributes = enter(c, readU16(c), `entry(${i})`)
    entries.push({
      peerIndex,
      originated,
      pathId,
      attributesAt: attributes.pos,
      attributesEnd: attributes.end,
    })
  }
  if (remaining(c) > 0) fail(c, 'BAD_LENGTH', c.pos, `${remaining(c)} octets after the entries`)
  return { nlriAt, nlriEnd, entries }
}

/**
 * Octets of the single NLRI at `c.pos`, without path identifier.
 *
 * @throws DecodeError UNSUPPORTED for a family whose NLRI don't say how long they are in a known way
 */
function nlriOctets(c: Cursor, afi: number, safi: number): number {
  const left = remaining(c)
  const first = left > 0 ? c.view.getUint8(c.pos) : 0
  const second = left > 1 ? c.view.getUint8(c.pos + 1) : 0
  const shape = nlriShape(afi, safi)
  if (shape === SHAPE_EVPN || safi === 5) return 2 + second
  // Route target constraint and SR policy are counted in bits too.
  if (shape !== SHAPE_OPAQUE || safi === 132 || safi === 73) return 1 + ((first + 7) >> 3)
  if (safi === 133 || safi === 134) {
    return first < 0xf0 ? 1 + first : 2 + (((first & 0x0f) << 8) | second)
  }
  if (afi === 25 && safi === 65) return 2 + ((first << 8) | second)
  if (afi === 16388 && left >= 4) return 4 + c.view.getUint16(c.pos + 2)
  return fail(c, 'UNSUPPORTED', c.pos, `NLRI of AFI ${afi}, SAFI ${safi} can't be delimited`)
}

/** TABLE_DUMP, RFC 6396 section 4.2: one path, AS numbers of two octets. */
export interface TableDump extends RibRecord {
  readonly view: number
  readonly peerAsn: number
  readonly peerAt: number
  readonly addressOctets: 4 | 16
}

/**
 * TABLE_DUMP, RFC 6396 section 4.2:
 *
 *   view => U16, sequence => U16, prefix => 4 or 16, bits => U8, status => U8 (1), originated => U32,
 *   peer_ip => 4 or 16, peer_as => U16, attributes => U16 + octets
 *
 * @param nlri  gets the NLRI as in an UPDATE, 17 octets at least: there the prefix has no fixed size
 * @returns undefined for a subtype that is neither AFI_IPv4 nor AFI_IPv6
 */
export function readTableDump(c: Cursor, subtype: number, nlri: Uint8Array): TableDump | undefined {
  if (subtype !== AFI_IPV4 && subtype !== AFI_IPV6) return undefined
  const addressOctets = subtype === AFI_IPV4 ? 4 : 16
  const view = readU16(c)
  const sequence = readU16(c)
  const prefixAt = skip(c, addressOctets)
  const bitsAt = c.pos
  const bits = readU8(c)
  if (bits > addressOctets * 8) fail(c, 'BAD_VALUE', bitsAt, `prefix of ${bits} bits`)
  readU8(c)
  const originated = readU32(c)
  const peerAt = skip(c, addressOctets)
  const peerAsn = readU16(c)
  const attributes = enter(c, readU16(c), 'attributes')
  const octets = (bits + 7) >> 3
  nlri[0] = bits
  nlri.set(c.bytes.subarray(prefixAt, prefixAt + octets), 1)
  return {
    view,
    sequence,
    afi: subtype,
    safi: SAFI_UNICAST,
    addPath: false,
    nlriAt: 0,
    nlriEnd: 1 + octets,
    entries: [
      {
        peerIndex: 0,
        originated,
        pathId: undefined,
        attributesAt: attributes.pos,
        attributesEnd: attributes.end,
      },
    ],
    peerAsn,
    peerAt,
    addressOctets,
  }
}
