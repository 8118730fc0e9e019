import { fail, readU16, readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatIP, formatPrefix } from '../../text/ip.ts'
import { formatRd } from '../../text/values.ts'
import {
  cutByLengthOctet,
  reservedType,
  type NlriFamily,
  type FamilyNlri,
  type FamilyRouteBase,
} from './family.ts'

interface MupBase extends FamilyRouteBase {
  readonly kind: 'mup'
  /** 1: 3GPP 5G. */
  readonly architecture: number
}

/** Mobile user plane, draft-ietf-bess-mup-safi section 3.1; types and architectures not decoded are `unknown`. */
export type MupRoute = MupBase &
  (
    | { readonly routeType: 1; readonly name: 'interwork_segment'; readonly prefix: string }
    | { readonly routeType: 2; readonly name: 'direct_segment'; readonly address: string }
    | {
        readonly routeType: 3
        readonly name: 'type_1_session'
        readonly prefix: string
        readonly teid: number
        readonly qfi: number
        readonly endpoint: string
        /** '' where the route has none. */
        readonly source: string
      }
    | {
        readonly routeType: 4
        readonly name: 'type_2_session'
        readonly endpoint: string
        /** Of the endpoint and the leading bits of the TEID. */
        readonly bits: number
        readonly teid: number
      }
    | { readonly routeType: number; readonly name: 'unknown'; readonly raw: string }
  )

const ARCHITECTURE_3GPP_5G = 1

/**
 * BGP-MUP NLRI, draft-ietf-bess-mup-safi section 3.1: architecture => U8, route_type => U16,
 * length => U8 (octets), specific part; of architecture 1 (3gpp-5g):
 *
 *   1 Interwork Segment Discovery   rd => 8, prefix_length => U8 (bits), prefix
 *   2 Direct Segment Discovery      rd => 8, address => 4 | 16
 *   3 Type 1 Session Transformed    rd => 8, prefix_length => U8 (bits), prefix, teid => U32, qfi => U8,
 *                                   endpoint_length => U8 (bits), endpoint, source_length => U8, source
 *   4 Type 2 Session Transformed    rd => 8, endpoint_length => U8 (bits of both), endpoint => 4 | 16,
 *                                   teid => 0..4
 *
 * Of type 3 only rd and prefix tell the route; the tunnel is what it says.
 */
export const mup: NlriFamily = {
  name: 'mup',
  spec: 'draft-ietf-bess-mup-safi section 3.1',
  cut: (bytes, at, end) => cutByLengthOctet(bytes, at, end, 3),
  decode(c, afi) {
    const head = c.pos
    const architecture = readU8(c)
    const routeType = readU16(c)
    skip(c, 1)
    const known = architecture === ARCHITECTURE_3GPP_5G && routeType >= 1 && routeType <= 4
    if (!known) {
      const raw = toHex(c.bytes, c.pos, c.end)
      const nlri = `[${architecture}]:[${routeType}]:0x${raw}`
      return {
        route: { kind: 'mup', architecture, routeType, name: 'unknown', nlri, rd: '', raw },
        rdAt: -1,
        ...(architecture === 0 ? { faults: [reservedType(c, head)] } : {}),
      }
    }
    const decoded = decodeSpecific(c, architecture, routeType, afi === 2, head)
    if (remaining(c) > 0) fail(c, 'BAD_LENGTH', c.pos, `${remaining(c)} octets left over`)
    return decoded
  },
}

function decodeSpecific(
  c: Cursor,
  architecture: number,
  routeType: number,
  ipv6: boolean,
  head: number,
): FamilyNlri {
  const octets = ipv6 ? 16 : 4
  const rdAt = skip(c, 8)
  const rd = formatRd(c.bytes, rdAt)
  const text = `[${architecture}]:[${routeType}]:[${rd}]`
  const kind = 'mup'
  switch (routeType) {
    case 1: {
      const prefix = readPrefix(c, ipv6)
      const nlri = `${text}:${prefixText(prefix)}`
      return {
        route: { kind, architecture, routeType, name: 'interwork_segment', nlri, rd, prefix },
        rdAt,
      }
    }
    case 2: {
      const address = formatIP(c.bytes, skip(c, octets), octets)
      const nlri = `${text}:[${address}]`
      return {
        route: { kind, architecture, routeType, name: 'direct_segment', nlri, rd, address },
        rdAt,
      }
    }
    case 3: {
      const prefix = readPrefix(c, ipv6)
      const keyEnd = c.pos
      const teid = readU32(c)
      const qfi = readU8(c)
      const endpoint = readAddress(c, 'endpoint')
      const source = remaining(c) > 0 ? readAddress(c, 'source') : ''
      const nlri = `${text}:${prefixText(prefix)}`
      return {
        route: {
          kind,
          architecture,
          routeType,
          name: 'type_1_session',
          nlri,
          rd,
          prefix,
          teid,
          qfi,
          endpoint,
          source,
        },
        rdAt,
        // The length octet in front counts the tunnel too.
        key: [head, head + 3, rdAt, keyEnd],
      }
    }
    default: {
      const at = c.pos
      const bits = readU8(c)
      if (bits < 8 * octets || bits > 8 * octets + 32) {
        const expected = `${8 * octets} to ${8 * octets + 32}`
        fail(c, 'BAD_VALUE', at, `endpoint length ${bits} bits, expected ${expected}`)
      }
      const endpoint = formatIP(c.bytes, skip(c, octets), octets)
      let teid = 0
      for (let left = bits - 8 * octets; left > 0; left -= 8) teid = teid * 256 + readU8(c)
      const nlri = `${text}:[${bits}]:[${endpoint}]:[${teid}]`
      return {
        route: {
          kind,
          architecture,
          routeType: 4,
          name: 'type_2_session',
          nlri,
          rd,
          endpoint,
          bits,
          teid,
        },
        rdAt,
      }
    }
  }
}

function readPrefix(c: Cursor, ipv6: boolean): string {
  const at = c.pos
  const bits = readU8(c)
  const most = ipv6 ? 128 : 32
  if (bits > most) fail(c, 'BAD_VALUE', at, `prefix length ${bits}, expected at most ${most}`)
  return formatPrefix(c.bytes, skip(c, (bits + 7) >> 3), bits, ipv6)
}

function prefixText(prefix: string): string {
  const slash = prefix.indexOf('/')
  return `[${prefix.slice(slash + 1)}]:[${prefix.slice(0, slash)}]`
}

/** { length => U8 (bits: 0, 32 or 128), address }; '' for none. */
function readAddress(c: Cursor, what: string): string {
  const at = c.pos
  const bits = readU8(c)
  if (bits !== 0 && bits !== 32 && bits !== 128) {
    fail(c, 'BAD_VALUE', at, `${what} length ${bits} bits, expected 0, 32 or 128`)
  }
  const octets = bits >> 3
  const address = skip(c, octets)
  return octets === 0 ? '' : formatIP(c.bytes, address, octets)
}
