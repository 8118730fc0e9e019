import type { PeerHeader } from '../bmp/peer-header.ts'
import { cursorOver, enter, skip, type Cursor } from '../cursor.ts'
import { DecodeError, reportError, type DecodeErrorReport } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import {
  BGP_HEADER_OCTETS,
  BGP_KEEPALIVE,
  BGP_NOTIFICATION,
  BGP_OPEN,
  BGP_ROUTE_REFRESH,
  BGP_UPDATE,
  bgpMessageEnd,
} from './header.ts'
import { decodeNotification, type BgpNotification } from './notification.ts'
import { decodeOpen, type BgpOpen } from './open/open.ts'
import type { PeerCodec } from './peer-codec.ts'
import { decodeRouteRefresh, type BgpRouteRefresh } from './route-refresh.ts'
import { decodeUpdate, type BgpUpdate } from './update.ts'

export interface BgpKeepalive {
  readonly type: 'keepalive'
}

export interface BgpUnknownMessage {
  readonly type: 'unknown'
  readonly typeCode: number
  /** What follows the header, as hex. */
  readonly raw: string
}

export type BgpMessage =
  BgpOpen | BgpUpdate | BgpNotification | BgpKeepalive | BgpRouteRefresh | BgpUnknownMessage

/** What is known about the session that a BGP message belongs to. */
export interface BgpContext {
  readonly codec?: PeerCodec | undefined
  readonly header?: PeerHeader | undefined
}

/**
 * The BGP message at `c.pos`, RFC 4271 section 4, of any type; moves past it.
 *
 * @throws DecodeError when it can't be cut out, or is an OPEN, NOTIFICATION or ROUTE-REFRESH that is
 *   shorter than its fixed part
 */
export function decodeBgpMessage(
  c: Cursor,
  context: BgpContext,
  errors: DecodeError[],
): BgpMessage {
  const pdu = enter(c, bgpMessageEnd(c) - c.pos, 'bgp', 'RFC 4271 section 4.1')
  const type = c.view.getUint8(pdu.pos + 18)
  switch (type) {
    case BGP_OPEN:
      return decodeOpen(pdu, errors)
    case BGP_UPDATE: {
      const update = decodeUpdate(c.bytes, c.view, pdu.pos, pdu.end, context)
      errors.push(...update.errors)
      return update.update
    }
    case BGP_NOTIFICATION:
      return decodeNotification(pdu)
    case BGP_KEEPALIVE:
      return { type: 'keepalive' }
    case BGP_ROUTE_REFRESH:
      return decodeRouteRefresh(pdu)
    default:
      skip(pdu, BGP_HEADER_OCTETS)
      return { type: 'unknown', typeCode: type, raw: toHex(c.bytes, pdu.pos, pdu.end) }
  }
}

/** A BGP message that stands alone. `errors` beside it are what was left out. */
export function parseBgpMessage(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  context: BgpContext = {},
): { message: BgpMessage | null; errors: DecodeErrorReport[] } {
  const errors: DecodeError[] = []
  let message: BgpMessage | null = null
  try {
    const c = cursorOver(bytes, start, end, 'bgp', 'RFC 4271 section 4.1')
    message = decodeBgpMessage(c, context, errors)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  return { message, errors: errors.map((error) => reportError(error, bytes, start)) }
}
