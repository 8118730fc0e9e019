import { readU24, readU8, remaining, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatIP } from '../../text/ip.ts'

export interface PmsiTunnelAttribute {
  readonly kind: 'pmsi_tunnel'
  readonly type: 22
  readonly leafInformationRequired: boolean
  readonly tunnelType: number
  readonly tunnelName: string
  /** 24 raw bits: label or VNI (RFC 8365 section 5.1.3). */
  readonly label: number
  /** Ingress replication: the endpoint's address; otherwise hex. */
  readonly tunnelId: string
}

/** RFC 6514 section 5. */
const TUNNELS = [
  'none',
  'rsvp_te_p2mp',
  'mldp_p2mp',
  'pim_ssm',
  'pim_sm',
  'bidir_pim',
  'ingress_replication',
  'mldp_mp2mp',
] as const
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
    leafInformationRequired: (flags & 1) !== 0,
    tunnelType,
    tunnelName: TUNNELS[tunnelType] ?? `type_${tunnelType}`,
    label,
    tunnelId: endpoint ? formatIP(c.bytes, c.pos, octets) : toHex(c.bytes, c.pos, c.end),
  }
}
