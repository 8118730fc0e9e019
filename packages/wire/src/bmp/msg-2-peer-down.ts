import { decodeNotification, type BgpNotification } from '../bgp/notification.ts'
import { bgpMessageEnd } from '../bgp/header.ts'
import { enter, readU16, readU8, remaining, type Cursor } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { decodeInformationTlvs, type InformationTlv } from './information-tlvs.ts'

export interface PeerDown {
  readonly reason: number
  readonly reasonName: string
  /** Reasons 1 (sent) and 3 (received); null where it is missing or unreadable. */
  readonly notification: BgpNotification | null
  /** Reason 2: the event of the state machine, RFC 4271 section 8.1; 0 says nothing. */
  readonly fsmEvent: number | null
  /** Reason 6 (RFC 9069 section 5.3), and behind any reason in version 4. */
  readonly information: readonly InformationTlv[]
  /** What a reason that isn't known here carries, as hex; '' otherwise. */
  readonly raw: string
}

/** RFC 7854 section 4.9, RFC 9069 section 5.3. */
const REASONS = [
  'reserved',
  'local_notification',
  'local_no_notification',
  'remote_notification',
  'remote_no_notification',
  'peer_deconfigured',
  'loc_rib_closed',
] as const

/** Name of a Peer Down’s reason, RFC 7854 section 4.9 and RFC 9069 section 5.3; `reason_N` for one that has none. */
export function peerDownReasonName(reason: number): string {
  return REASONS[reason] ?? `reason_${reason}`
}

/**
 * Peer Down Notification, RFC 7854 section 4.9.
 *
 *   reason => U8, then by reason: 1, 3 => NOTIFICATION; 2 => fsm_event U16; 4, 5 => nothing;
 *   6 => information TLVs
 *
 * @param c  what follows the per-peer header
 */
export function decodePeerDown(c: Cursor, version: number, errors: DecodeError[]): PeerDown {
  const reason = readU8(c)
  let notification: BgpNotification | null = null
  let fsmEvent: number | null = null
  let information: InformationTlv[] = []
  let raw = ''
  try {
    if (reason === 1 || reason === 3) {
      // FRR sends reason 1 without the NOTIFICATION now and then.
      if (remaining(c) > 0) {
        const pdu = enter(c, bgpMessageEnd(c) - c.pos, 'notification', 'RFC 4271 section 4.5')
        notification = decodeNotification(pdu)
      }
    } else if (reason === 2) {
      fsmEvent = readU16(c)
    } else if (reason > 6) {
      raw = toHex(c.bytes, c.pos, c.end)
      c.pos = c.end
    }
    if (remaining(c) > 0 && (reason === 6 || version > 3)) {
      information = decodeInformationTlvs(c, errors, 'peer_down', version)
    } else if (remaining(c) > 0) {
      raw = toHex(c.bytes, c.pos, c.end)
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
    raw = toHex(c.bytes, error.offset, c.end)
  }
  return {
    reason,
    reasonName: peerDownReasonName(reason),
    notification,
    fsmEvent,
    information,
    raw,
  }
}
