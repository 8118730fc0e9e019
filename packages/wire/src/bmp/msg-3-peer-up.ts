import { BGP_HEADER_OCTETS, BGP_OPEN, bgpMessageEnd } from '../bgp/header.ts'
import { decodeOpen, type BgpOpen } from '../bgp/open/open.ts'
import { enter, readU16, remaining, skip, type Cursor } from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { formatIP } from '../text/ip.ts'
import { decodeInformationTlvs, type InformationTlv } from './information-tlvs.ts'

export interface PeerUp {
  readonly localAddress: string
  readonly localPort: number
  readonly remotePort: number
  /** The OPEN the router sent; null when it can't be read (see `errors`) or the router kept its header alone (FRR). */
  readonly sentOpen: BgpOpen | null
  readonly receivedOpen: BgpOpen | null
  readonly information: readonly InformationTlv[]
  /** VRF/table name of the TLVs (RFC 9069 section 4.3, RFC 9736); '' where there is none. */
  readonly vrfTableName: string
}

/**
 * Peer Up Notification, RFC 7854 section 4.10.
 *
 *   local_address => 16 (IPv4 in the last 4), local_port => U16, remote_port => U16,
 *   sent_open, received_open, information TLVs => rest
 *
 * @param c  what follows the per-peer header
 * @param ipv6  V flag of the per-peer header
 */
export function decodePeerUp(c: Cursor, ipv6: boolean, errors: DecodeError[], version = 3): PeerUp {
  const addressAt = skip(c, 16)
  // A session over IPv6 whose header lacks the V flag still shows its address whole.
  const wide = ipv6 || !isZero(c.bytes, addressAt, 12)
  const localAddress = wide
    ? formatIP(c.bytes, addressAt, 16)
    : formatIP(c.bytes, addressAt + 12, 4)
  const localPort = readU16(c)
  const remotePort = readU16(c)
  let sentOpen: BgpOpen | null = null
  let receivedOpen: BgpOpen | null = null
  let information: InformationTlv[] = []
  try {
    sentOpen = readOpen(c, 'sent_open', errors)
    receivedOpen = readOpen(c, 'received_open', errors)
    if (remaining(c) > 0) information = decodeInformationTlvs(c, errors, 'peer_up', version)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  const vrfTableName = information.find((tlv) => tlv.name === 'vrf_table_name')?.text ?? ''
  return { localAddress, localPort, remotePort, sentOpen, receivedOpen, information, vrfTableName }
}

/** An OPEN that can be cut out but not read costs only itself. */
function readOpen(c: Cursor, name: string, errors: DecodeError[]): BgpOpen | null {
  const pdu = enter(c, bgpMessageEnd(c) - c.pos, name, 'RFC 4271 section 4.2')
  // FRR has not kept the OPENs of some sessions: it puts a header of type OPEN with nothing behind it.
  const headerAlone = pdu.end - pdu.pos === BGP_HEADER_OCTETS
  if (headerAlone && pdu.view.getUint8(pdu.pos + 18) === BGP_OPEN) return null
  try {
    return decodeOpen(pdu, errors)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
    return null
  }
}

function isZero(bytes: Uint8Array, at: number, octets: number): boolean {
  for (let i = at; i < at + octets; i++) if (bytes[i] !== 0) return false
  return true
}
