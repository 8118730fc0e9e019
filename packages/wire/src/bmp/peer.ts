import { formatIP, formatIPv4 } from '../text/ip.ts'
import { formatTimestamp } from '../text/time.ts'
import { formatRd } from '../text/values.ts'
import type { PeerHeader, Rib } from './peer-header.ts'

/** The per-peer header as plain data. */
export interface BmpPeer {
  readonly type: number
  readonly typeName: 'global' | 'rd' | 'local' | 'loc_rib' | 'unknown'
  readonly flags: number
  readonly ipv6: boolean
  readonly postPolicy: boolean
  /** AS numbers of two octets (A flag). */
  readonly as2: boolean
  readonly adjRibOut: boolean
  /** Loc-RIB with a policy in between (F flag, RFC 9069 section 4.2). */
  readonly filtered: boolean
  readonly rib: Rib
  /** `ADMIN:NUMBER`; '' when all zero. */
  readonly distinguisher: string
  readonly address: string
  readonly asn: number
  readonly bgpId: string
  /** RFC 3339 with microseconds; null when the router gave none. */
  readonly timestamp: string | null
}

const TYPE_NAMES = ['global', 'rd', 'local', 'loc_rib'] as const

/**
 * The per-peer header as plain data.
 *
 * @param header  one that was read from `bytes`
 */
export function describePeer(header: PeerHeader, bytes: Uint8Array): BmpPeer {
  const named = header.distinguisherHi !== 0 || header.distinguisherLo !== 0
  return {
    type: header.type,
    typeName: TYPE_NAMES[header.type] ?? 'unknown',
    flags: header.flags,
    ipv6: header.ipv6,
    postPolicy: header.postPolicy,
    as2: header.as2,
    adjRibOut: header.adjRibOut,
    filtered: header.filtered,
    rib: header.rib,
    distinguisher: named ? formatRd(bytes, header.distinguisherAt) : '',
    address: formatIP(bytes, header.addressAt, header.addressOctets),
    asn: header.asn,
    bgpId: formatIPv4(bytes, header.bgpIdAt),
    timestamp: formatTimestamp(header.seconds, header.microseconds),
  }
}
