import type { BgpContext } from '../bgp/message.ts'
import type { PeerCodec } from '../bgp/peer-codec.ts'
import { cursorOver, viewOf, type Cursor } from '../cursor.ts'
import { DecodeError, reportError, type DecodeErrorReport } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import {
  BMP_HEADER_OCTETS,
  BMP_INITIATION,
  BMP_PEER_DOWN,
  BMP_PEER_UP,
  BMP_ROUTE_MIRRORING,
  BMP_ROUTE_MONITORING,
  BMP_STATISTICS,
  BMP_TERMINATION,
} from './framer.ts'
import { decodeRouteMonitoring, type RouteMonitoring } from './msg-0-route-monitoring.ts'
import { decodeStatistics, type Statistic } from './msg-1-statistics.ts'
import { decodePeerDown, type PeerDown } from './msg-2-peer-down.ts'
import { decodePeerUp, type PeerUp } from './msg-3-peer-up.ts'
import { decodeInitiation, type Initiation } from './msg-4-initiation.ts'
import { decodeTermination, type Termination } from './msg-5-termination.ts'
import { decodeRouteMirroring, type RouteMirroring } from './msg-6-route-mirroring.ts'
import { PEER_HEADER_OCTETS, PeerHeader } from './peer-header.ts'
import { describePeer, type BmpPeer } from './peer.ts'
import type { V4TlvTable } from './v4-tlv-table.ts'

interface Common {
  readonly version: number
  /** Octets, header included. */
  readonly length: number
  /** What could not be read; the rest of the message is here all the same. */
  readonly errors: readonly DecodeErrorReport[]
}

interface WithPeer extends Common {
  readonly peer: BmpPeer
}

export type BmpMessage =
  | (WithPeer & RouteMonitoring & { readonly kind: 'route_monitoring' })
  | (WithPeer & { readonly kind: 'statistics'; readonly statistics: readonly Statistic[] })
  | (WithPeer & PeerDown & { readonly kind: 'peer_down' })
  | (WithPeer & PeerUp & { readonly kind: 'peer_up' })
  | (Common & Initiation & { readonly kind: 'initiation' })
  | (Common & Termination & { readonly kind: 'termination' })
  | (WithPeer & RouteMirroring & { readonly kind: 'route_mirroring' })
  /** A type that isn't known, or a message too short for its fixed part. */
  | (Common & { readonly kind: 'unknown'; readonly type: number; readonly raw: string })

export interface DecodeOptions {
  /** What the Peer Up of this peer negotiated; without it UPDATEs are read on their own evidence. */
  readonly codecOf?: (header: PeerHeader, bytes: Uint8Array) => PeerCodec | undefined
  /**
   * Code points of the TLVs in version 4 Route Monitoring: one of `V4_TLV_TABLES`, or what
   * `parseV4TlvTable` makes of a text. Without, the first table that all of a message fits.
   */
  readonly v4Tlvs?: V4TlvTable | undefined
}

const header = new PeerHeader()

/**
 * One BMP message as plain, JSON-ready data. Never throws for what the bytes say: see `errors`.
 *
 * @param start..end  the message as the framer cut it
 */
export function decodeBmpMessage(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  options: DecodeOptions = {},
  view: DataView = viewOf(bytes),
): BmpMessage {
  const errors: DecodeError[] = []
  const version = start < end ? bytes[start]! : 0
  const type = start + 5 < end ? bytes[start + 5]! : 255
  try {
    const body = decodeBody(bytes, view, start, end, type, options, errors)
    if (body !== undefined) {
      return {
        ...body,
        version,
        length: end - start,
        errors: report(errors, bytes, start),
      }
    }
    errors.push(
      new DecodeError('UNSUPPORTED', `message type ${type}`, {
        offset: Math.min(start + 5, end),
        length: start + 5 < end ? 1 : 0,
        path: 'bmp',
        spec: 'RFC 7854 section 4.1',
      }),
    )
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  return {
    kind: 'unknown',
    type,
    version,
    length: end - start,
    raw: toHex(bytes, Math.min(start + BMP_HEADER_OCTETS, end), end),
    errors: report(errors, bytes, start),
  }
}

function report(
  errors: readonly DecodeError[],
  bytes: Uint8Array,
  start: number,
): DecodeErrorReport[] {
  return errors.map((error) => reportError(error, bytes, start))
}

type Body = BmpMessage extends infer M ? (M extends Common ? Omit<M, keyof Common> : never) : never

/** undefined for a type that isn't known. */
function decodeBody(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  type: number,
  options: DecodeOptions,
  errors: DecodeError[],
): Body | undefined {
  const version = bytes[start]!
  const over = (name: string, section: string, octets: number): Cursor =>
    cursorOver(bytes, start + octets, end, name, `RFC 7854 section ${section}`, view)
  const initial = BMP_HEADER_OCTETS
  if (type === BMP_INITIATION) {
    return {
      kind: 'initiation',
      ...decodeInitiation(over('initiation', '4.3', initial), errors, version),
    }
  }
  if (type === BMP_TERMINATION) {
    return {
      kind: 'termination',
      ...decodeTermination(over('termination', '4.5', initial), errors),
    }
  }
  if (type > BMP_ROUTE_MIRRORING) return undefined

  header.read(bytes, view, start + BMP_HEADER_OCTETS, end)
  const peer = describePeer(header, bytes)
  const codec = options.codecOf?.(header, bytes)
  const after = BMP_HEADER_OCTETS + PEER_HEADER_OCTETS
  switch (type) {
    case BMP_ROUTE_MONITORING: {
      const context: BgpContext = { codec, header }
      return {
        kind: 'route_monitoring',
        peer,
        ...decodeRouteMonitoring(bytes, view, start, end, context, errors, options.v4Tlvs),
      }
    }
    case BMP_STATISTICS:
      return {
        kind: 'statistics',
        peer,
        statistics: decodeStatistics(over('statistics', '4.8', after), errors, version),
      }
    case BMP_PEER_DOWN:
      return {
        kind: 'peer_down',
        peer,
        ...decodePeerDown(over('peer_down', '4.9', after), version, errors),
      }
    case BMP_PEER_UP:
      return {
        kind: 'peer_up',
        peer,
        ...decodePeerUp(over('peer_up', '4.10', after), header.ipv6, errors, version),
      }
    default:
      // Mirrored PDUs are as they were on the wire: the session's AS width, not the A flag's.
      return {
        kind: 'route_mirroring',
        peer,
        ...decodeRouteMirroring(over('route_mirroring', '4.7', after), { codec }, errors),
      }
  }
}
