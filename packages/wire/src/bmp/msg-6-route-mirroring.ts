import { decodeBgpMessage, type BgpContext, type BgpMessage } from '../bgp/message.ts'
import { enter, readU16, remaining, type Cursor } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'

export type MirroringTlv =
  | { readonly type: 0; readonly name: 'bgp_message'; readonly message: BgpMessage }
  | {
      readonly type: 1
      readonly name: 'information'
      readonly code: number
      readonly meaning: 'errored_pdu' | 'messages_lost' | 'unknown'
    }
  | { readonly type: number; readonly name: 'unknown'; readonly raw: string }

export interface RouteMirroring {
  readonly tlvs: readonly MirroringTlv[]
  /** The router says that it could not mirror everything. */
  readonly messagesLost: boolean
}

/**
 * Route Mirroring, RFC 7854 section 4.7: TLVs; type 0 a BGP message as it was on the wire, type 1
 * information => U16 (0 errored PDU, 1 messages lost).
 */
export function decodeRouteMirroring(
  c: Cursor,
  context: BgpContext,
  errors: DecodeError[],
): RouteMirroring {
  const tlvs: MirroringTlv[] = []
  let messagesLost = false
  try {
    while (remaining(c) > 0) {
      const type = readU16(c)
      const value = enter(c, readU16(c), `tlv(${type})`)
      try {
        tlvs.push(decodeTlv(type, value, context, errors))
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        errors.push(error)
        tlvs.push({ type, name: 'unknown', raw: toHex(c.bytes, value.pos, value.end) })
      }
    }
    messagesLost = tlvs.some((tlv) => tlv.name === 'information' && tlv.code === 1)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  return { tlvs, messagesLost }
}

function decodeTlv(
  type: number,
  c: Cursor,
  context: BgpContext,
  errors: DecodeError[],
): MirroringTlv {
  switch (type) {
    case 0:
      return { type, name: 'bgp_message', message: decodeBgpMessage(c, context, errors) }
    case 1: {
      const code = readU16({ ...c })
      const meaning = code === 0 ? 'errored_pdu' : code === 1 ? 'messages_lost' : 'unknown'
      return { type, name: 'information', code, meaning }
    }
    default:
      return { type, name: 'unknown', raw: toHex(c.bytes, c.pos, c.end) }
  }
}
