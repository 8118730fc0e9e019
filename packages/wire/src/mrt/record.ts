import type { Attribute } from '../bgp/attributes/index.ts'
import { familyName } from '../bgp/families.ts'
import { decodeBgpMessage, type BgpMessage } from '../bgp/message.ts'
import type { Capability } from '../bgp/open/capabilities.ts'
import { PeerCodec } from '../bgp/peer-codec.ts'
import { decodeUpdate, type Route } from '../bgp/update.ts'
import { PeerHeader } from '../bmp/peer-header.ts'
import { cursorOver, enter, remaining, viewOf } from '../cursor.ts'
import { DecodeError, reportError, type DecodeErrorReport } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { formatIP, formatIPv4Number } from '../text/ip.ts'
import { formatTimestamp } from '../text/time.ts'
import { mrtStateName, readBgp4mp, type Bgp4mp } from './bgp4mp.ts'
import { Octets } from './octets.ts'
import {
  MRT_BGP4MP,
  MRT_BGP4MP_ET,
  MRT_TABLE_DUMP,
  MRT_TABLE_DUMP_V2,
  mrtTypeName,
  type MrtHeader,
} from './reader.ts'
import { writeRibUpdate } from './rib-update.ts'
import {
  PEER_INDEX_TABLE,
  readPeerIndexTable,
  readRib,
  readTableDump,
  isWriter,
  type IndexedPeer,
  type RibEntry,
  type RibRecord,
} from './table-dump.ts'

export interface MrtPeer {
  readonly address: string
  readonly asn: number
  /** '' where the record doesn't say (all but TABLE_DUMP_V2). */
  readonly bgpId: string
}

/** One path of a table. */
export interface MrtRibEntry {
  /** Place in the PEER_INDEX_TABLE; of a TABLE_DUMP 0. */
  readonly peerIndex: number
  /** null where no PEER_INDEX_TABLE with this place came before. */
  readonly peer: MrtPeer | null
  /** RFC 3339, null for 0. */
  readonly originated: string | null
  /** null without ADD-PATH. */
  readonly pathId: number | null
  readonly nextHop: string
  readonly nextHopLinkLocal: string
  readonly attributes: readonly Attribute[]
  readonly mergedAsPath: string | null
}

interface Common {
  /** RFC 3339, microseconds where the record has them. */
  readonly timestamp: string | null
  /** `BGP4MP_ET`. */
  readonly type: string
  readonly subtype: number
  /** Octets, header included. */
  readonly length: number
  /**
   * What could not be read. Offsets count from the record, those of a path of a table (`rib.entry(2)...`)
   * from the UPDATE that it would be.
   */
  readonly errors: readonly DecodeErrorReport[]
}

interface WithPeer extends Common {
  readonly peerAsn: number
  readonly localAsn: number
  readonly interfaceIndex: number
  readonly peerAddress: string
  readonly localAddress: string
}

interface WithTable extends Common {
  readonly sequence: number
  readonly afi: number
  readonly safi: number
  readonly family: string
  /** null where it can't be read. */
  readonly route: Route | null
  readonly entries: readonly MrtRibEntry[]
}

export type MrtRecord =
  | (WithPeer & {
      readonly kind: 'bgp4mp_message'
      /** Sent by the collector, not received. */
      readonly local: boolean
      readonly addPath: boolean
      readonly asOctets: 2 | 4
      /** null where it can't be read. */
      readonly message: BgpMessage | null
    })
  | (WithPeer & {
      readonly kind: 'bgp4mp_state_change'
      readonly oldState: number
      readonly oldStateName: string
      readonly newState: number
      readonly newStateName: string
    })
  | (Common & {
      readonly kind: 'peer_index_table'
      readonly collectorBgpId: string
      readonly viewName: string
      readonly peers: readonly MrtPeer[]
    })
  | (WithTable & { readonly kind: 'rib'; readonly addPath: boolean })
  | (WithTable & { readonly kind: 'table_dump'; readonly view: number })
  /** Another type or subtype, or one that is too short for its fixed part. */
  | (Common & { readonly kind: 'unknown'; readonly raw: string })

type Body = MrtRecord extends infer R ? (R extends Common ? Omit<R, keyof Common> : never) : never

/** Families that a record with path identifiers may be about. */
const ADD_PATH_FAMILIES = [
  [1, 1],
  [1, 2],
  [1, 4],
  [1, 128],
  [2, 1],
  [2, 2],
  [2, 4],
  [2, 128],
  [25, 70],
].map(([afi, safi]) => ({ afi: afi!, safi: safi!, sendReceive: 3 }))

const AS4: Capability = { kind: 'as4', code: 65, asn: 0 }
const ADD_PATH: Capability = { kind: 'add_path', code: 69, families: ADD_PATH_FAMILIES }

function codecOf(capabilities: readonly Capability[]): PeerCodec {
  return PeerCodec.fromOpens({ capabilities }, { capabilities })
}

const PLAIN_2 = codecOf([])
const PLAIN_4 = codecOf([AS4])
const ADD_PATH_2 = codecOf([ADD_PATH])
const ADD_PATH_4 = codecOf([AS4, ADD_PATH])

/** Paths of the writer itself are read like those of a Loc-RIB, which were in no UPDATE. */
const OWN = new PeerHeader()
OWN.rib = 'loc_rib'

/**
 * MRT records as plain, JSON-ready data, in the order of their file: what a table's entries say of their
 * peers is in the PEER_INDEX_TABLE before them. Never throws for what the bytes say.
 */
export class MrtDecoder {
  #peers: readonly MrtPeer[] = []
  #own = -1
  readonly #update = new Octets()
  readonly #nlri = new Uint8Array(32)

  /** @param header  of `bytes`, as `MrtReader` hands it out */
  decode(header: MrtHeader, bytes: Uint8Array): MrtRecord {
    const errors: DecodeErrorReport[] = []
    let body: Body | undefined
    try {
      body = this.#body(header, bytes, errors)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      errors.push(reportError(error, bytes, header.start))
    }
    return {
      ...(body ?? { kind: 'unknown', raw: toHex(bytes, header.bodyAt, header.end) }),
      timestamp: formatTimestamp(header.seconds, header.microseconds),
      type: mrtTypeName(header.type),
      subtype: header.subtype,
      length: header.end - header.start,
      errors,
    }
  }

  #body(header: MrtHeader, bytes: Uint8Array, errors: DecodeErrorReport[]): Body | undefined {
    const { type, subtype, bodyAt, end } = header
    const over = (name: string, section: string) =>
      cursorOver(bytes, bodyAt, end, `mrt.${name}`, `RFC 6396 section ${section}`)
    switch (type) {
      case MRT_BGP4MP:
      case MRT_BGP4MP_ET: {
        const record = readBgp4mp(over('bgp4mp', '4.4'), subtype)
        return record && this.#bgp4mp(record, bytes, header, errors)
      }
      case MRT_TABLE_DUMP_V2: {
        if (subtype === PEER_INDEX_TABLE) {
          const table = readPeerIndexTable(over('peer_index_table', '4.3.1'))
          this.#peers = table.peers.map(describePeer)
          this.#own = table.peers.findIndex(isWriter)
          return {
            kind: 'peer_index_table',
            collectorBgpId: formatIPv4Number(table.collectorBgpId),
            viewName: table.viewName,
            peers: this.#peers,
          }
        }
        const rib = readRib(over('rib', '4.3.2'), subtype)
        if (rib === undefined) return undefined
        const paths = this.#paths(
          rib,
          bytes,
          bytes,
          PLAIN_4,
          errors,
          this.#own,
          (e) => this.#peers[e.peerIndex],
        )
        return { kind: 'rib', addPath: rib.addPath, ...paths }
      }
      case MRT_TABLE_DUMP: {
        const dump = readTableDump(over('table_dump', '4.2'), subtype, this.#nlri)
        if (dump === undefined) return undefined
        const peer = {
          address: formatIP(bytes, dump.peerAt, dump.addressOctets),
          asn: dump.peerAsn,
          bgpId: '',
        }
        const paths = this.#paths(dump, this.#nlri, bytes, PLAIN_2, errors, -1, () => peer)
        return { kind: 'table_dump', view: dump.view, ...paths }
      }
      default:
        return undefined
    }
  }

  #bgp4mp(record: Bgp4mp, bytes: Uint8Array, header: MrtHeader, errors: DecodeErrorReport[]): Body {
    const { peerAsn, localAsn, interfaceIndex, addressOctets } = record
    const peer = {
      peerAsn,
      localAsn,
      interfaceIndex,
      peerAddress: formatIP(bytes, record.peerAt, addressOctets),
      localAddress: formatIP(bytes, record.localAt, addressOctets),
    }
    if (record.stateChange) {
      const { oldState, newState } = record
      return {
        kind: 'bgp4mp_state_change',
        ...peer,
        oldState,
        oldStateName: mrtStateName(oldState),
        newState,
        newStateName: mrtStateName(newState),
      }
    }
    const { addPath, asOctets, local } = record
    const codec = asOctets === 4 ? (addPath ? ADD_PATH_4 : PLAIN_4) : addPath ? ADD_PATH_2 : PLAIN_2
    let message: BgpMessage | null = null
    const found: DecodeError[] = []
    try {
      const spec = 'RFC 6396 section 4.4.2'
      const c = cursorOver(bytes, record.messageAt, record.messageEnd, 'mrt.bgp4mp', spec)
      message = decodeBgpMessage(c, { codec }, found)
      if (remaining(c) > 0) {
        const octets = remaining(c)
        enter(c, octets, 'rest')
        const detail = `${octets} octets after the BGP message`
        const info = { offset: c.pos - octets, length: octets, path: 'mrt.bgp4mp', spec }
        found.push(new DecodeError('BAD_LENGTH', detail, info))
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      found.push(error)
    }
    for (const error of found) errors.push(reportError(error, bytes, header.start))
    return { kind: 'bgp4mp_message', ...peer, local, addPath, asOctets, message }
  }

  #paths(
    rib: RibRecord,
    nlri: Uint8Array,
    bytes: Uint8Array,
    codec: PeerCodec,
    errors: DecodeErrorReport[],
    own: number,
    peerOf: (entry: RibEntry) => MrtPeer | undefined,
  ): Pick<WithTable, 'sequence' | 'afi' | 'safi' | 'family' | 'route' | 'entries'> {
    let route: Route | null = null
    const entries: MrtRibEntry[] = []
    for (const [i, entry] of rib.entries.entries()) {
      this.#update.length = 0
      // The path identifier is told beside the route, which all paths share.
      writeRibUpdate(this.#update, rib, nlri, { ...entry, pathId: undefined }, bytes)
      const header = entry.peerIndex === own ? OWN : undefined
      const pdu = this.#update.bytes.slice(0, this.#update.length)
      const decoded = decodeUpdate(pdu, viewOf(pdu), 0, pdu.length, { codec, header })
      const group = decoded.update.announced[0]
      route ??= group?.routes[0] ?? null
      entries.push({
        peerIndex: entry.peerIndex,
        peer: peerOf(entry) ?? null,
        originated: formatTimestamp(entry.originated, 0),
        pathId: entry.pathId ?? null,
        nextHop: group?.nextHop ?? '',
        nextHopLinkLocal: group?.nextHopLinkLocal ?? '',
        attributes: decoded.update.attributes,
        mergedAsPath: decoded.update.mergedAsPath,
      })
      for (const error of decoded.errors) {
        const report = reportError(error, pdu, 0)
        const path = `rib.entry(${i}).${report.path}`
        errors.push({ ...report, path })
      }
    }
    const { sequence, afi, safi } = rib
    return { sequence, afi, safi, family: familyName(afi, safi), route, entries }
  }
}

function describePeer({ bgpId, asn, address }: IndexedPeer): MrtPeer {
  return { address: formatIP(address, 0, address.length), asn, bgpId: formatIPv4Number(bgpId) }
}
