import {
  enter,
  fail,
  readU16,
  readU64,
  readU8,
  remaining,
  skip,
  type Cursor,
} from '../../cursor.ts'
import { toHex } from '../../text/hex.ts'
import { formatIPv4, formatIPv6, formatPrefix } from '../../text/ip.ts'
import { formatRd } from '../../text/values.ts'
import { cutByLengthU16, reservedType, type NlriFamily, type FamilyRouteBase } from './family.ts'

/** Something of a topology, RFC 9552 section 5.2; a type that isn't known is `unknown` with its octets as hex. */
export interface BgpLsRoute extends FamilyRouteBase {
  readonly kind: 'bgp_ls'
  readonly nlriType: number
  readonly name: BgpLsName
  readonly protocolId: number
  /** `isis-l2`, or the number. */
  readonly protocol: string
  /** Decimal: 64 bits. */
  readonly identifier: string
  readonly local: readonly BgpLsDescriptor[]
  readonly remote: readonly BgpLsDescriptor[]
  /** Of the link, prefix or segment identifier; empty for a node. */
  readonly descriptors: readonly BgpLsDescriptor[]
  /** Hex of an unknown type's specific part; '' otherwise. */
  readonly raw: string
}

export type BgpLsName =
  'node' | 'link' | 'prefix-v4' | 'prefix-v6' | 'te-policy' | 'srv6-sid' | 'unknown'

/** A descriptor. */
export interface BgpLsDescriptor {
  readonly type: number
  /** `as`, `igp-router-id`, ...; `tlv-N` where there is none. */
  readonly name: string
  /** Text by what the descriptor means; `0x` and hex where it has none or the size is not its own. */
  readonly value: string
}

const NAMES: ReadonlyMap<number, BgpLsName> = new Map<number, BgpLsName>([
  [1, 'node'],
  [2, 'link'],
  [3, 'prefix-v4'],
  [4, 'prefix-v6'],
  [5, 'te-policy'],
  [6, 'srv6-sid'],
])

/** RFC 9552 section 5.2, table 2; 7 RFC 9086, 8 and 9 RFC 9857. */
const PROTOCOLS = [
  '',
  'isis-l1',
  'isis-l2',
  'ospfv2',
  'direct',
  'static',
  'ospfv3',
  'bgp',
  'rsvp-te',
  'segment-routing',
]

const LOCAL_NODE = 256
const REMOTE_NODE = 257
const PREFIX_V6 = 4
const SAFI_BGP_LS_VPN = 72

interface Descriptor {
  readonly name: string
  /** undefined: the size is not this descriptor's. */
  readonly text: (c: Cursor, octets: number, nlriType: number) => string | undefined
}

const ofOctets =
  (expected: number, text: (bytes: Uint8Array, at: number) => string) =>
  (c: Cursor, octets: number): string | undefined =>
    octets === expected ? text(c.bytes, c.pos) : undefined

const u32Text = (bytes: Uint8Array, at: number): string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 4)
  return String(view.getUint32(0))
}

/** RFC 9552 sections 5.2.1.4, 5.2.2 and 5.2.3; 516 and 517 RFC 9086, 518 RFC 9514. */
const DESCRIPTORS: ReadonlyMap<number, Descriptor> = new Map<number, Descriptor>([
  [
    258,
    {
      name: 'link-ids',
      text: ofOctets(8, (bytes, at) => `${u32Text(bytes, at)}/${u32Text(bytes, at + 4)}`),
    },
  ],
  [259, { name: 'interface-ipv4', text: ofOctets(4, formatIPv4) }],
  [260, { name: 'neighbor-ipv4', text: ofOctets(4, formatIPv4) }],
  [261, { name: 'interface-ipv6', text: ofOctets(16, formatIPv6) }],
  [262, { name: 'neighbor-ipv6', text: ofOctets(16, formatIPv6) }],
  [263, { name: 'topology', text: topologies }],
  [264, { name: 'ospf-route-type', text: ofOctets(1, (bytes, at) => String(bytes[at])) }],
  [265, { name: 'prefix', text: reachability }],
  [512, { name: 'as', text: ofOctets(4, u32Text) }],
  [513, { name: 'bgp-ls-id', text: ofOctets(4, u32Text) }],
  [514, { name: 'ospf-area', text: ofOctets(4, formatIPv4) }],
  [515, { name: 'igp-router-id', text: igpRouterId }],
  [516, { name: 'bgp-router-id', text: ofOctets(4, formatIPv4) }],
  [517, { name: 'confederation-member', text: ofOctets(4, u32Text) }],
  [518, { name: 'sid', text: ofOctets(16, formatIPv6) }],
])

/** RFC 9552 section 5.2.2.1: R bits, then 12 bits each. */
function topologies(c: Cursor, octets: number): string | undefined {
  if (octets === 0 || octets % 2 !== 0) return undefined
  const ids: number[] = []
  for (let at = c.pos; at < c.end; at += 2) ids.push(c.view.getUint16(at) & 0x0fff)
  return ids.join('+')
}

/** RFC 9552 section 5.2.3.2: length => U8 (bits), as many octets of the prefix as it needs. */
function reachability(c: Cursor, octets: number, nlriType: number): string | undefined {
  const bits = octets > 0 ? c.bytes[c.pos]! : 255
  const ipv6 = nlriType === PREFIX_V6
  if (bits > (ipv6 ? 128 : 32) || octets !== 1 + ((bits + 7) >> 3)) return undefined
  return formatPrefix(c.bytes, c.pos + 1, bits, ipv6)
}

/**
 * RFC 9552 section 5.2.1.4: IS-IS 6 octets, a pseudonode 7; OSPF router 4, with the address or
 * interface of its network 8.
 */
function igpRouterId(c: Cursor, octets: number): string | undefined {
  const system = (): string =>
    [0, 2, 4].map((i) => toHex(c.bytes, c.pos + i, c.pos + i + 2)).join('.')
  switch (octets) {
    case 4:
      return formatIPv4(c.bytes, c.pos)
    case 6:
      return system()
    case 7:
      return `${system()}.${toHex(c.bytes, c.pos + 6, c.pos + 7)}`
    case 8:
      return `${formatIPv4(c.bytes, c.pos)}/${formatIPv4(c.bytes, c.pos + 4)}`
    default:
      return undefined
  }
}

/**
 * BGP-LS NLRI, RFC 9552 section 5.2: type => U16, length => U16 (octets), rd => 8 (SAFI 72), and for
 * types 1 to 6: protocol => U8, identifier => U64, TLVs { type => U16, length => U16, value }: local
 * and remote node descriptors hold TLVs of their own.
 *
 * Text: `[1]:[isis-l2]:[0]:[as=65000,igp-router-id=0100.0000.0001]`, a link's with its remote node and
 * descriptors behind; in VPNs after `[RD]:`.
 */
export const bgpLs: NlriFamily = {
  name: 'bgp_ls',
  spec: 'RFC 9552 section 5.2',
  cut: (bytes, at, end) => cutByLengthU16(bytes, at, end, 2),
  decode(c, _afi, safi) {
    const at = c.pos
    const nlriType = readU16(c)
    skip(c, 2)
    const rdAt = safi === SAFI_BGP_LS_VPN ? skip(c, 8) : -1
    const rd = rdAt < 0 ? '' : formatRd(c.bytes, rdAt)
    const name = NAMES.get(nlriType) ?? 'unknown'
    const base = { kind: 'bgp_ls', nlriType, name, rd } as const
    const head = `${rd === '' ? '' : `[${rd}]:`}[${nlriType}]:`
    if (name === 'unknown') {
      const raw = toHex(c.bytes, c.pos, c.end)
      const none = { protocolId: 0, protocol: '', identifier: '0', local: [], remote: [] }
      return {
        route: { ...base, ...none, descriptors: [], nlri: `${head}0x${raw}`, raw },
        rdAt,
        ...(nlriType === 0 ? { faults: [reservedType(c, at)] } : {}),
      }
    }
    const protocolId = readU8(c)
    const protocol = PROTOCOLS[protocolId] ?? ''
    const identifier = String(readU64(c))
    const local: BgpLsDescriptor[] = []
    const remote: BgpLsDescriptor[] = []
    const descriptors: BgpLsDescriptor[] = []
    eachTlv(c, (type, value) => {
      if (type === LOCAL_NODE) readTlvs(value, nlriType, local)
      else if (type === REMOTE_NODE) readTlvs(value, nlriType, remote)
      else descriptors.push(describe(type, value, nlriType))
    })
    const lists = [local, remote, descriptors].filter((list) => list.length > 0).map(listText)
    const nlri = `${head}${[`[${protocol || protocolId}]`, `[${identifier}]`, ...lists].join(':')}`
    const route: BgpLsRoute = {
      ...base,
      nlri,
      protocolId,
      protocol: protocol || String(protocolId),
      identifier,
      local,
      remote,
      descriptors,
      raw: '',
    }
    return { route, rdAt }
  },
}

function listText(tlvs: readonly BgpLsDescriptor[]): string {
  return `[${tlvs.map(({ name, value }) => `${name}=${value}`).join(',')}]`
}

/** @throws DecodeError when a TLV is longer than what is left: RFC 9552 section 8.2.2 */
function eachTlv(c: Cursor, take: (type: number, value: Cursor) => void): void {
  while (remaining(c) > 0) {
    const at = c.pos
    const type = readU16(c)
    const octets = readU16(c)
    if (octets > remaining(c)) {
      fail(c, 'BAD_LENGTH', at, `TLV ${type} of ${octets} octets, ${remaining(c)} left`)
    }
    take(type, enter(c, octets, `tlv(${type})`))
  }
}

function readTlvs(c: Cursor, nlriType: number, into: BgpLsDescriptor[]): void {
  eachTlv(c, (type, value) => into.push(describe(type, value, nlriType)))
}

function describe(type: number, value: Cursor, nlriType: number): BgpLsDescriptor {
  const known = DESCRIPTORS.get(type)
  const text = known?.text(value, value.end - value.pos, nlriType)
  const raw = `0x${toHex(value.bytes, value.pos, value.end)}`
  return { type, name: known?.name ?? `tlv-${type}`, value: text ?? raw }
}
