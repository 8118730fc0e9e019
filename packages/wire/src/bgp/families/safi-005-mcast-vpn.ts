import { cursorOver, fail, readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatRd } from '../../text/values.ts'
import {
  cutByLengthOctet,
  reservedType,
  type NlriFamily,
  type FamilyNlri,
  type FamilyRouteBase,
} from './family.ts'
import {
  multicastText,
  readLastAddress,
  readMulticastAddress,
  type MulticastAddress,
} from './multicast.ts'

interface McastVpnBase extends FamilyRouteBase {
  readonly kind: 'mcast_vpn'
}

/** Multicast VPN, RFC 6514 section 4; a type that isn't decoded is `unknown`. */
export type McastVpnRoute = McastVpnBase &
  (
    | { readonly routeType: 1; readonly name: 'intra_as_i_pmsi'; readonly originator: string }
    | { readonly routeType: 2; readonly name: 'inter_as_i_pmsi'; readonly sourceAs: number }
    | {
        readonly routeType: 3
        readonly name: 's_pmsi'
        readonly source: MulticastAddress
        readonly group: MulticastAddress
        readonly originator: string
      }
    | {
        readonly routeType: 4
        readonly name: 'leaf'
        /** The route that it answers, as hex of the whole NLRI. */
        readonly routeKey: string
        readonly originator: string
      }
    | {
        readonly routeType: 5
        readonly name: 'source_active'
        readonly source: MulticastAddress
        readonly group: MulticastAddress
      }
    | {
        readonly routeType: 6 | 7
        readonly name: 'shared_tree_join' | 'source_tree_join'
        readonly sourceAs: number
        readonly source: MulticastAddress
        readonly group: MulticastAddress
      }
    | { readonly routeType: number; readonly name: 'unknown'; readonly raw: string }
  )

/** What a type has behind its common fields, with its part of the text. */
type Decoded = FamilyNlri

/**
 * MCAST-VPN NLRI, RFC 6514 section 4: route_type => U8, length => U8 (octets), specific part:
 *
 *   1 Intra-AS I-PMSI A-D    rd => 8, originator => 4 | 16
 *   2 Inter-AS I-PMSI A-D    rd => 8, source_as => U32
 *   3 S-PMSI A-D             rd => 8, source, group, originator => 4 | 16
 *   4 Leaf A-D               route_key (NLRI of type 2 or 3), originator => 4 | 16
 *   5 Source Active A-D      rd => 8, source, group
 *   6 Shared Tree Join, 7 Source Tree Join    rd => 8, source_as => U32, source, group
 *
 * source and group are each a length in bits and an address; a length of 0 is the wildcard (RFC 6625).
 */
export const mcastVpn: NlriFamily = {
  name: 'mcast_vpn',
  spec: 'RFC 6514 section 4',
  cut: (bytes, at, end) => cutByLengthOctet(bytes, at, end, 1),
  decode(c) {
    const routeType = readU8(c)
    skip(c, 1)
    const route = decodeSpecific(c, routeType)
    if (remaining(c) > 0) fail(c, 'BAD_LENGTH', c.pos, `${remaining(c)} octets left over`)
    return route
  },
}

function decodeSpecific(c: Cursor, routeType: number): Decoded {
  if (routeType === 4) return decodeLeaf(c)
  if (routeType < 1 || routeType > 7) {
    const at = c.pos
    const raw = toHex(c.bytes, at, c.end)
    skip(c, remaining(c))
    const nlri = `[${routeType}]:0x${raw}`
    return {
      route: { kind: 'mcast_vpn', routeType, name: 'unknown', nlri, rd: '', raw },
      rdAt: -1,
      ...(routeType === 0 ? { faults: [reservedType(c, at)] } : {}),
    }
  }
  const rdAt = skip(c, 8)
  const rd = formatRd(c.bytes, rdAt)
  const head = `[${routeType}]:[${rd}]`
  const kind = 'mcast_vpn'
  switch (routeType) {
    case 1: {
      const originator = readLastAddress(c, 'originating router')
      const nlri = `${head}:[${originator}]`
      return { route: { kind, routeType, name: 'intra_as_i_pmsi', nlri, rd, originator }, rdAt }
    }
    case 2: {
      const sourceAs = readU32(c)
      const nlri = `${head}:[${sourceAs}]`
      return { route: { kind, routeType, name: 'inter_as_i_pmsi', nlri, rd, sourceAs }, rdAt }
    }
    case 3: {
      const source = readMulticastAddress(c, 'source')
      const group = readMulticastAddress(c, 'group')
      const originator = readLastAddress(c, 'originating router')
      const nlri = `${head}:${multicastText(source)}:${multicastText(group)}:[${originator}]`
      return {
        route: { kind, routeType, name: 's_pmsi', nlri, rd, source, group, originator },
        rdAt,
      }
    }
    case 5: {
      const source = readMulticastAddress(c, 'source')
      const group = readMulticastAddress(c, 'group')
      const nlri = `${head}:${multicastText(source)}:${multicastText(group)}`
      return { route: { kind, routeType, name: 'source_active', nlri, rd, source, group }, rdAt }
    }
    default: {
      const sourceAs = readU32(c)
      const source = readMulticastAddress(c, 'source')
      const group = readMulticastAddress(c, 'group')
      const nlri = `${head}:[${sourceAs}]:${multicastText(source)}:${multicastText(group)}`
      const type = routeType === 6 ? 6 : 7
      const name = type === 6 ? 'shared_tree_join' : 'source_tree_join'
      return { route: { kind, routeType: type, name, nlri, rd, sourceAs, source, group }, rdAt }
    }
  }
}

/** Leaf A-D, RFC 6514 section 4.4: the key is a whole NLRI, whose own length tells where it ends. */
function decodeLeaf(c: Cursor): Decoded {
  const keyAt = c.pos
  skip(c, 1)
  const keyOctets = readU8(c)
  skip(c, keyOctets)
  const key = cursorOver(c.bytes, keyAt, c.pos, `${c.path}.route_key`, c.spec, c.view)
  const answered = mcastVpn.decode(key, 0, 0)
  const originator = readLastAddress(c, 'originating router')
  const { rd, nlri: inner } = answered.route
  const routeKey = toHex(c.bytes, keyAt, keyAt + 2 + keyOctets)
  const nlri = `[4]:[${inner}]:[${originator}]`
  return {
    route: { kind: 'mcast_vpn', routeType: 4, name: 'leaf', nlri, rd, routeKey, originator },
    rdAt: answered.rdAt,
  }
}
