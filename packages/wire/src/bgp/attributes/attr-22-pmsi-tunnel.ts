import {
  enter,
  readU16,
  readU24,
  readU32,
  readU8,
  remaining,
  skip,
  type Cursor,
} from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import { toHex } from '../../text/hex.ts'
import { formatIP, formatIPv4 } from '../../text/ip.ts'
import { rest } from './tlvs.ts'

/** What the tunnel identifier says, by tunnel type. */
export type PmsiTunnelId =
  /** Type 1, RFC 6514 section 5 (SESSION object of RFC 4875 section 19.1.1). */
  | {
      readonly kind: 'rsvp_te'
      readonly extendedTunnelId: string
      readonly tunnelId: number
      readonly p2mpId: string
    }
  /** Types 2 and 7, RFC 6388 section 2.2. */
  | {
      readonly kind: 'mldp'
      readonly fecType: number
      readonly root: string
      /** LSP id of generic opaque values (type 1, RFC 6388 section 2.3.1); null for others. */
      readonly lspId: number | null
      readonly opaque: string
    }
  /** Types 3, 4 and 5: root or sender, and group. */
  | { readonly kind: 'multicast'; readonly source: string; readonly group: string }
  /** Types 6 and 10: where the copies go (RFC 6514, RFC 9574 section 4). */
  | { readonly kind: 'endpoint'; readonly address: string }
  /** Type 11, RFC 8556 section 2. */
  | {
      readonly kind: 'bier'
      readonly subDomain: number
      readonly bfrId: number
      readonly bfrPrefix: string
    }

export interface PmsiTunnelAttribute {
  readonly kind: 'pmsi_tunnel'
  readonly type: 22
  readonly flags: number
  readonly leafInformationRequired: boolean
  readonly tunnelType: number
  readonly tunnelName: string
  /** 24 raw bits: label or VNI (RFC 8365 section 5.1.3). */
  readonly label: number
  /** The endpoint's address for ingress replication; otherwise hex. */
  readonly tunnelId: string
  /** The identifier taken apart; null where there is none, or its type or length isn't known. */
  readonly tunnel: PmsiTunnelId | null
}

/** RFC 6514 section 5, RFC 7524, RFC 9574, RFC 8556; IANA "P-Multicast Service Interface Tunnel Types". */
const TUNNELS: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'rsvp_te_p2mp',
  2: 'mldp_p2mp',
  3: 'pim_ssm',
  4: 'pim_sm',
  5: 'bidir_pim',
  6: 'ingress_replication',
  7: 'mldp_mp2mp',
  8: 'transport',
  10: 'assisted_replication',
  11: 'bier',
  12: 'sr_mpls_p2mp_tree',
  13: 'srv6_p2mp_tree',
}
const INGRESS_REPLICATION = 6

/** PMSI_TUNNEL (type 22), RFC 6514 section 5: flags => U8, type => U8, label => U24, id => rest. */
export function decodePmsiTunnel(c: Cursor): PmsiTunnelAttribute {
  const flags = readU8(c)
  const tunnelType = readU8(c)
  const label = readU24(c)
  const octets = remaining(c)
  const endpoint = tunnelType === INGRESS_REPLICATION && (octets === 4 || octets === 16)
  return {
    kind: 'pmsi_tunnel',
    type: 22,
    flags,
    leafInformationRequired: (flags & 1) !== 0,
    tunnelType,
    tunnelName: TUNNELS[tunnelType] ?? `type_${tunnelType}`,
    label,
    tunnelId: endpoint ? formatIP(c.bytes, c.pos, octets) : toHex(c.bytes, c.pos, c.end),
    tunnel: decodeTunnelId(tunnelType, c),
  }
}

function decodeTunnelId(tunnelType: number, c: Cursor): PmsiTunnelId | null {
  const octets = remaining(c)
  const address = (length: number): string => formatIP(c.bytes, skip(c, length), length)
  try {
    switch (tunnelType) {
      case 1: {
        const wide = octets === 24
        if (octets !== 12 && !wide) return null
        const extendedTunnelId = address(wide ? 16 : 4)
        readU16(c) // Reserved.
        const tunnelId = readU16(c)
        return {
          kind: 'rsvp_te',
          extendedTunnelId,
          tunnelId,
          p2mpId: formatIPv4(c.bytes, skip(c, 4)),
        }
      }
      case 2:
      case 7:
        return octets === 0 ? null : decodeMldp(c)
      case 3:
      case 4:
      case 5: {
        if (octets !== 8 && octets !== 32) return null
        const source = address(octets / 2)
        return { kind: 'multicast', source, group: address(octets / 2) }
      }
      case INGRESS_REPLICATION:
      case 10:
        return octets === 4 || octets === 16 ? { kind: 'endpoint', address: address(octets) } : null
      case 11: {
        if (octets !== 7 && octets !== 19) return null
        const subDomain = readU8(c)
        const bfrId = readU16(c)
        return { kind: 'bier', subDomain, bfrId, bfrPrefix: address(octets - 3) }
      }
      default:
        return null
    }
  } catch (error) {
    // The hex shows it: an identifier of a form that the type doesn't have.
    if (error instanceof DecodeError) return null
    throw error
  }
}

/**
 * FEC element, RFC 6388 section 2.2: type => U8, family => U16, root_len => U8, root,
 * opaque_len => U16, opaque: { type => U8, length => U16, value }
 */
function decodeMldp(c: Cursor): PmsiTunnelId | null {
  const fecType = readU8(c)
  readU16(c) // Address family: the length says it.
  const rootOctets = readU8(c)
  if (rootOctets !== 4 && rootOctets !== 16) return null
  const root = formatIP(c.bytes, skip(c, rootOctets), rootOctets)
  const opaque = enter(c, readU16(c), 'opaque')
  const generic =
    remaining(opaque) === 7 &&
    c.view.getUint8(opaque.pos) === 1 &&
    c.view.getUint16(opaque.pos + 1) === 4
  const lspId = generic ? readU32({ ...opaque, pos: opaque.pos + 3 }) : null
  return { kind: 'mldp', fecType, root, lspId, opaque: rest(opaque) }
}
