import { enter, fail, readU32, readU8, remaining, skip, type Cursor } from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatPrefix } from '../../text/ip.ts'
import { formatRd } from '../../text/values.ts'
import { cutByLengthOctet, type NlriFamily, type FamilyRouteBase } from './family.ts'

interface CarBase extends FamilyRouteBase {
  readonly kind: 'car'
  /** What the route says beside its key (labels, segment identifiers), as sent. */
  readonly tlvs: readonly { readonly type: number; readonly raw: string }[]
}

/** Colour-aware route, RFC 9871 section 2.9; a type that isn't decoded is `unknown`. */
export type CarRoute = CarBase &
  (
    | {
        readonly routeType: 1
        readonly name: 'color_aware'
        readonly prefix: string
        readonly color: number
      }
    | { readonly routeType: 2; readonly name: 'ip_prefix'; readonly prefix: string }
    | { readonly routeType: number; readonly name: 'unknown'; readonly raw: string }
  )

const SAFI_VPN_CAR = 84
/** The low six bits: the first two are flags. */
const TLV_TYPE = 0x3f

/**
 * CAR NLRI, RFC 9871 section 2.9 (SAFI 84: 2.9.1 with a route distinguisher):
 *   length => U8 (octets behind it), key_length => U8 (octets of the key), type => U8,
 *   key: rd => 8 (SAFI 84), prefix_length => U8 (bits), prefix, color => U32 (type 1),
 *   TLVs { type => U8, length => U8, value }, which are not part of the key
 */
export const car: NlriFamily = {
  name: 'car',
  spec: 'RFC 9871 section 2.9',
  cut: (bytes, at, end) => cutByLengthOctet(bytes, at, end, 0),
  decode(c, afi, safi) {
    skip(c, 1)
    const keyAt = c.pos
    const keyOctets = readU8(c)
    const routeType = readU8(c)
    const key = enter(c, keyOctets, 'key')
    const tlvs: { type: number; raw: string }[] = []
    while (remaining(c) > 0) {
      const type = readU8(c) & TLV_TYPE
      const value = enter(c, readU8(c), `tlv(${type})`)
      tlvs.push({ type, raw: toHex(c.bytes, value.pos, value.end) })
    }
    const rdAt = safi === SAFI_VPN_CAR ? skip(key, 8) : -1
    const rd = rdAt < 0 ? '' : formatRd(c.bytes, rdAt)
    const head = `${rd === '' ? '' : `[${rd}]:`}[${routeType}]:`
    const base = { kind: 'car', rd, tlvs } as const
    const keyOf = [keyAt, key.end]
    if (routeType !== 1 && routeType !== 2) {
      const raw = toHex(c.bytes, key.pos, key.end)
      const nlri = `${head}0x${raw}`
      return { route: { ...base, routeType, name: 'unknown', nlri, raw }, rdAt, key: keyOf }
    }
    const prefix = readPrefix(key, afi === 2)
    const slash = prefix.indexOf('/')
    const text = `${head}[${prefix.slice(slash + 1)}]:[${prefix.slice(0, slash)}]`
    const color = routeType === 1 ? readU32(key) : 0
    if (remaining(key) > 0) fail(key, 'BAD_LENGTH', key.pos, `${remaining(key)} octets left over`)
    return routeType === 1
      ? {
          route: {
            ...base,
            routeType,
            name: 'color_aware',
            nlri: `${text}:[${color}]`,
            prefix,
            color,
          },
          rdAt,
          key: keyOf,
        }
      : { route: { ...base, routeType, name: 'ip_prefix', nlri: text, prefix }, rdAt, key: keyOf }
  },
}

function readPrefix(c: Cursor, ipv6: boolean): string {
  const at = c.pos
  const bits = readU8(c)
  const most = ipv6 ? 128 : 32
  if (bits > most) fail(c, 'BAD_VALUE', at, `prefix length ${bits}, expected at most ${most}`)
  return formatPrefix(c.bytes, skip(c, (bits + 7) >> 3), bits, ipv6)
}
