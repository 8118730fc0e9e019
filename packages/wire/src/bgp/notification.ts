import { enter, fail, readU8, remaining, skip, type Cursor } from '../cursor.ts'
import { toHex } from '../text/hex.ts'
import { toText } from '../text/strings.ts'
import { BGP_HEADER_OCTETS, BGP_NOTIFICATION } from './header.ts'

export interface BgpNotification {
  readonly type: 'notification'
  readonly code: number
  readonly subcode: number
  /** `cease`, `hold_timer_expired`; `code_N` where there is no name. */
  readonly name: string
  /** `administrative_shutdown`; '' where there is none. */
  readonly subcodeName: string
  /** Shutdown communication, RFC 9003; '' where there is none. */
  readonly communication: string
  /** What a Hard Reset carries inside, RFC 8538 section 3; null otherwise. */
  readonly hardReset: {
    readonly code: number
    readonly subcode: number
    readonly name: string
  } | null
  /** Data as hex. */
  readonly data: string
}

const CEASE = 6
const CEASE_SHUTDOWN = 2
const CEASE_RESET = 4
const CEASE_HARD_RESET = 9

/** RFC 4271 section 4.5, RFC 7313 section 5, RFC 6608, RFC 4486, RFC 8538, RFC 9384, RFC 9687. */
const CODES: Readonly<Record<number, { name: string; subcodes: readonly string[] }>> = {
  1: {
    name: 'message_header_error',
    subcodes: [
      'unspecific',
      'connection_not_synchronized',
      'bad_message_length',
      'bad_message_type',
    ],
  },
  2: {
    name: 'open_message_error',
    subcodes: [
      'unspecific',
      'unsupported_version_number',
      'bad_peer_as',
      'bad_bgp_identifier',
      'unsupported_optional_parameter',
      '',
      'unacceptable_hold_time',
      'unsupported_capability',
      '',
      '',
      '',
      'role_mismatch',
    ],
  },
  3: {
    name: 'update_message_error',
    subcodes: [
      'unspecific',
      'malformed_attribute_list',
      'unrecognized_well_known_attribute',
      'missing_well_known_attribute',
      'attribute_flags_error',
      'attribute_length_error',
      'invalid_origin_attribute',
      '',
      'invalid_next_hop_attribute',
      'optional_attribute_error',
      'invalid_network_field',
      'malformed_as_path',
    ],
  },
  4: { name: 'hold_timer_expired', subcodes: [] },
  5: {
    name: 'fsm_error',
    subcodes: [
      'unspecified',
      'unexpected_message_in_open_sent',
      'unexpected_message_in_open_confirm',
      'unexpected_message_in_established',
    ],
  },
  6: {
    name: 'cease',
    subcodes: [
      '',
      'maximum_prefixes_reached',
      'administrative_shutdown',
      'peer_deconfigured',
      'administrative_reset',
      'connection_rejected',
      'other_configuration_change',
      'connection_collision_resolution',
      'out_of_resources',
      'hard_reset',
      'bfd_down',
    ],
  },
  7: { name: 'route_refresh_error', subcodes: ['', 'invalid_message_length'] },
  8: { name: 'send_hold_timer_expired', subcodes: [] },
}

/** Name of a NOTIFICATION’s error code, RFC 4271 section 4.5 and later; `code_N` for one that has none. */
export function notificationName(code: number): string {
  return CODES[code]?.name ?? `code_${code}`
}

/** Name of an error subcode, IANA; '' for one that has none. */
export function notificationSubcodeName(code: number, subcode: number): string {
  return CODES[code]?.subcodes[subcode] ?? ''
}

/**
 * NOTIFICATION, RFC 4271 section 4.5: code => U8, subcode => U8, data => rest
 *
 * @param c  the BGP message with its header, bounded
 */
export function decodeNotification(c: Cursor): BgpNotification {
  const headerAt = skip(c, BGP_HEADER_OCTETS)
  const type = c.view.getUint8(headerAt + 18)
  if (type !== BGP_NOTIFICATION) {
    fail(c, 'BAD_VALUE', headerAt + 18, `BGP message type ${type}, expected 3`)
  }
  const code = readU8(c)
  const subcode = readU8(c)
  const data = toHex(c.bytes, c.pos, c.end)
  let hardReset: BgpNotification['hardReset'] = null
  let reasonCode = code
  let reasonSubcode = subcode
  if (code === CEASE && subcode === CEASE_HARD_RESET && remaining(c) >= 2) {
    // RFC 8538 section 3: the true reason, with its own data, is inside.
    reasonCode = readU8(c)
    reasonSubcode = readU8(c)
    hardReset = {
      code: reasonCode,
      subcode: reasonSubcode,
      name: notificationSubcodeName(reasonCode, reasonSubcode) || notificationName(reasonCode),
    }
  }
  const talks =
    reasonCode === CEASE && (reasonSubcode === CEASE_SHUTDOWN || reasonSubcode === CEASE_RESET)
  return {
    type: 'notification',
    code,
    subcode,
    name: notificationName(code),
    subcodeName: notificationSubcodeName(code, subcode),
    communication: talks ? readCommunication(c) : '',
    hardReset,
    data,
  }
}

/** RFC 9003 section 2: length => U8, UTF-8 text. A wrong length is for the hex to show. */
function readCommunication(c: Cursor): string {
  if (remaining(c) < 1) return ''
  const length = c.view.getUint8(c.pos)
  if (length > remaining(c) - 1) return ''
  readU8(c)
  const text = enter(c, length, 'communication', 'RFC 9003 section 2')
  return toText(text.bytes, text.pos, text.end)
}
