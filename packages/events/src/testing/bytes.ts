/** Test helper: BMP and BGP octets put together by hand, with nothing of the code under test. */
export function be(value: number, octets: number): number[] {
  return Array.from({ length: octets }, (_, i) => Math.floor(value / 256 ** (octets - 1 - i)) & 255)
}

export function hex(text: string): number[] {
  const digits = text.replace(/[;#].*$/gm, '').replace(/\s+/g, '')
  return (digits.match(/../g) ?? []).map((octet) => parseInt(octet, 16))
}

const text = (value: string): number[] => [...new TextEncoder().encode(value)]

/** Dotted quad, or hex groups of an IPv6 address written out in full. */
export function ip(address: string): number[] {
  if (address.includes('.')) return address.split('.').map(Number)
  const [head = '', tail] = address.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').flatMap((group) => be(parseInt(group, 16), 2))
  if (tail === undefined) return groups(head)
  const octets = [groups(head), groups(tail)] as const
  const zeros = 16 - octets[0].length - octets[1].length
  return [...octets[0], ...new Array<number>(zeros).fill(0), ...octets[1]]
}

export function message(type: number, body: readonly number[], version = 3): number[] {
  return [version, ...be(6 + body.length, 4), type, ...body]
}

const tlv = (type: number, value: readonly number[]): number[] => [
  ...be(type, 2),
  ...be(value.length, 2),
  ...value,
]

export function initiation(sysName: string, sysDescr = 'made by hand'): number[] {
  return message(4, [...tlv(1, text(sysDescr)), ...tlv(2, text(sysName))])
}

export interface HandPeer {
  readonly type?: number
  readonly flags?: number
  readonly rd?: string
  readonly address?: string
  readonly asn?: number
  readonly id?: string
  readonly seconds?: number
}

/** RFC 7854 section 4.2; V is set by an address with colons unless `flags` says otherwise. */
export function peerHeader(peer: HandPeer): number[] {
  const address = peer.address ?? '192.0.2.1'
  const octets = ip(address)
  const v6 = octets.length === 16
  return [
    peer.type ?? 0,
    peer.flags ?? (v6 ? 0x80 : 0),
    ...(peer.rd === undefined ? be(0, 8) : hex(peer.rd)),
    ...(v6 ? octets : [...be(0, 12), ...octets]),
    ...be(peer.asn ?? 64501, 4),
    ...ip(peer.id ?? '192.0.2.1'),
    ...be(peer.seconds ?? 1_700_000_000, 4),
    ...be(0, 4),
  ]
}

export function bgp(type: number, body: readonly number[]): number[] {
  return [...new Array<number>(16).fill(255), ...be(19 + body.length, 2), type, ...body]
}

/** A capability: code and value. */
export type HandCapability = readonly [code: number, value: readonly number[]]

export const family = (afi: number, safi: number): HandCapability => [1, [...be(afi, 2), 0, safi]]
export const as4 = (asn: number): HandCapability => [65, be(asn, 4)]
export const addPath = (afi: number, safi: number, mode: number): HandCapability => [
  69,
  [...be(afi, 2), safi, mode],
]
/**
 * @param flags 8 restarting, 4 notification
 * @param families AFI, SAFI, and flags where they are not F (0x80)
 */
export const gracefulRestart = (
  flags: number,
  seconds: number,
  ...families: readonly (readonly [afi: number, safi: number, flags?: number])[]
): HandCapability => [
  64,
  [
    ...be((flags << 12) | seconds, 2),
    ...families.flatMap(([afi, safi, kept = 0x80]) => [...be(afi, 2), safi, kept]),
  ],
]
/** RFC 9494 section 3.1 */
export const longLived = (
  ...families: readonly (readonly [afi: number, safi: number, seconds: number, flags?: number])[]
): HandCapability => [
  71,
  families.flatMap(([afi, safi, seconds, kept = 0x80]) => [
    ...be(afi, 2),
    safi,
    kept,
    ...be(seconds, 3),
  ]),
]

export function open(asn: number, id: string, capabilities: readonly HandCapability[]): number[] {
  const all = [as4(asn), ...capabilities].flatMap(([code, value]) => [code, value.length, ...value])
  const parameters = all.length === 0 ? [] : [2, all.length, ...all]
  return bgp(1, [
    4,
    ...be(asn > 65535 ? 23456 : asn, 2),
    ...be(90, 2),
    ...ip(id),
    parameters.length,
    ...parameters,
  ])
}

export interface HandUp {
  readonly local?: string
  readonly localAsn?: number
  readonly localId?: string
  readonly ports?: readonly [number, number]
  readonly sent?: readonly HandCapability[]
  readonly received?: readonly HandCapability[]
  /** OPENs that the router has not kept: a BGP header alone */
  readonly missing?: 'sent' | 'received' | 'both'
  readonly vrf?: string
}

export function peerUp(peer: HandPeer, up: HandUp = {}): number[] {
  const [localPort, remotePort] = up.ports ?? [179, 40_000]
  const local = ip(up.local ?? '192.0.2.254')
  const sent = up.sent ?? [family(1, 1)]
  const { missing } = up
  return message(3, [
    ...peerHeader(peer),
    ...(local.length === 16 ? local : [...be(0, 12), ...local]),
    ...be(localPort, 2),
    ...be(remotePort, 2),
    ...(missing === 'sent' || missing === 'both'
      ? bgp(1, [])
      : open(up.localAsn ?? 64500, up.localId ?? '192.0.2.254', sent)),
    ...(missing === 'received' || missing === 'both'
      ? bgp(1, [])
      : open(peer.asn ?? 64501, peer.id ?? '192.0.2.1', up.received ?? sent)),
    ...(up.vrf === undefined ? [] : tlv(3, text(up.vrf))),
  ])
}

/** @param rest what the reason brings along: FSM event, NOTIFICATION */
export function peerDown(peer: HandPeer, reason: number, rest: readonly number[] = []): number[] {
  return message(2, [...peerHeader(peer), reason, ...rest])
}

export const notification = (
  code: number,
  subcode: number,
  data: readonly number[] = [],
): number[] => bgp(3, [code, subcode, ...data])

export function update(parts: {
  readonly withdrawn?: readonly number[]
  readonly attributes?: readonly number[]
  readonly nlri?: readonly number[]
}): number[] {
  const { withdrawn = [], attributes = [], nlri = [] } = parts
  return bgp(2, [
    ...be(withdrawn.length, 2),
    ...withdrawn,
    ...be(attributes.length, 2),
    ...attributes,
    ...nlri,
  ])
}

export function attribute(flags: number, type: number, value: readonly number[]): number[] {
  return value.length > 255
    ? [flags | 0x10, type, ...be(value.length, 2), ...value]
    : [flags, type, value.length, ...value]
}

export const origin = (value = 0): number[] => attribute(0x40, 1, [value])
export const asPath = (...asns: readonly number[]): number[] =>
  attribute(
    0x40,
    2,
    asns.length === 0 ? [] : [2, asns.length, ...asns.flatMap((asn) => be(asn, 4))],
  )
export const nextHop = (address: string): number[] => attribute(0x40, 3, ip(address))

/** `10.0.0.0/24` as length and octets. */
export function prefix(value: string): number[] {
  const [address = '', bits = '32'] = value.split('/')
  return [Number(bits), ...ip(address).slice(0, Math.ceil(Number(bits) / 8))]
}

export function routeMonitoring(peer: HandPeer, pdu: readonly number[]): number[] {
  return message(0, [...peerHeader(peer), ...pdu])
}

/** An UPDATE that announces IPv4 unicast prefixes with the attributes that every route has. */
export function announce(peer: HandPeer, ...prefixes: readonly string[]): number[] {
  return routeMonitoring(
    peer,
    update({
      attributes: [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')],
      nlri: prefixes.flatMap(prefix),
    }),
  )
}

export function withdraw(peer: HandPeer, ...prefixes: readonly string[]): number[] {
  return routeMonitoring(peer, update({ withdrawn: prefixes.flatMap(prefix) }))
}

/** End-of-RIB, RFC 4724 section 2. */
export function endOfRib(peer: HandPeer, afi = 1, safi = 1): number[] {
  if (afi === 1 && safi === 1) return routeMonitoring(peer, update({}))
  const unreach = attribute(0x80, 15, [...be(afi, 2), safi])
  return routeMonitoring(peer, update({ attributes: unreach }))
}

/** RFC 7854 section 4.8, counters of four octets. */
export function statistics(
  peer: HandPeer,
  ...values: readonly (readonly [number, number])[]
): number[] {
  return message(1, [
    ...peerHeader(peer),
    ...be(values.length, 4),
    ...values.flatMap(([type, value]) => tlv(type, be(value, 4))),
  ])
}
