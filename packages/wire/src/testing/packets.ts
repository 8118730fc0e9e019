/** Test helper: capture files built octet by octet from the formats' descriptions. */

type Octets = readonly number[]

export function be16(n: number): Octets {
  return [(n >> 8) & 255, n & 255]
}

export function be32(n: number): Octets {
  return [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]
}

function le16(n: number): Octets {
  return [...be16(n)].reverse()
}

function le32(n: number): Octets {
  return [...be32(n)].reverse()
}

export const SYN = 2
export const FIN = 1
export const RST = 4
export const ACK = 16

export interface TestSegment {
  readonly sequence: number
  readonly flags?: number
  readonly payload?: Uint8Array
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly options?: Octets
}

export function tcp(segment: TestSegment): Octets {
  const {
    sequence,
    flags = ACK,
    payload = [],
    sourcePort = 40000,
    destinationPort = 5000,
    options = [],
  } = segment
  return [
    ...be16(sourcePort),
    ...be16(destinationPort),
    ...be32(sequence >>> 0),
    ...be32(0),
    ((5 + options.length / 4) << 4) & 0xf0,
    flags,
    ...be16(65535),
    ...be16(0),
    ...be16(0),
    ...options,
    ...payload,
  ]
}

export function ipv4(
  payload: Octets,
  change: { protocol?: number; fragment?: number; total?: number } = {},
): Octets {
  const { protocol = 6, fragment = 0x4000, total = 20 + payload.length } = change
  const address = [192, 0, 2, 1, 192, 0, 2, 2]
  return [
    0x45,
    0,
    ...be16(total),
    0,
    0,
    ...be16(fragment),
    64,
    protocol,
    0,
    0,
    ...address,
    ...payload,
  ]
}

const IPV6_ADDRESSES = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
]

export function ipv6(payload: Octets, next = 6): Octets {
  return [0x60, 0, 0, 0, ...be16(payload.length), next, 64, ...IPV6_ADDRESSES, ...payload]
}

export function ethernet(ip: Octets, tags: readonly number[] = []): Octets {
  const type = ip[0]! >> 4 === 4 ? 0x0800 : 0x86dd
  const macs = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
  return [...macs, ...tags.flatMap((tag) => [...be16(tag), 0, 100]), ...be16(type), ...ip]
}

export interface TestPacket {
  readonly bytes: Octets
  readonly seconds?: number
  readonly microseconds?: number
  /** Octets kept of it. */
  readonly snap?: number
}

export function pcap(
  packets: readonly TestPacket[],
  { linkType = 1, little = true, nanoseconds = false, modified = false } = {},
): Uint8Array {
  const u16 = little ? le16 : be16
  const u32 = little ? le32 : be32
  const magic = nanoseconds ? 0xa1b23c4d : modified ? 0xa1b2cd34 : 0xa1b2c3d4
  const header = [
    ...u32(magic),
    ...u16(2),
    ...u16(4),
    ...u32(0),
    ...u32(0),
    ...u32(262144),
    ...u32(linkType),
  ]
  const records = packets.flatMap(({ bytes, seconds = 1700000000, microseconds = 0, snap }) => {
    const kept = bytes.slice(0, snap)
    const fraction = nanoseconds ? microseconds * 1000 + 999 : microseconds
    const more = modified ? [...u32(1), ...u16(0x0800), 0, 0] : []
    const sizes = [...u32(kept.length), ...u32(bytes.length)]
    return [...u32(seconds), ...u32(fraction), ...sizes, ...more, ...kept]
  })
  return Uint8Array.from([...header, ...records])
}

export function pcapng(
  packets: readonly TestPacket[],
  { linkType = 1, little = true, resolution = undefined as number | undefined, block = 6 } = {},
): Uint8Array {
  const u16 = little ? le16 : be16
  const u32 = little ? le32 : be32
  const padded = (bytes: Octets): Octets => [
    ...bytes,
    ...Array<number>((4 - (bytes.length % 4)) % 4).fill(0),
  ]
  const wrap = (type: number, body: Octets): Octets => {
    const total = body.length + 12
    return [...u32(type), ...u32(total), ...body, ...u32(total)]
  }
  const section = wrap(0x0a0d0d0a, [
    ...u32(0x1a2b3c4d),
    ...u16(1),
    ...u16(0),
    ...u32(-1),
    ...u32(-1),
  ])
  const options =
    resolution === undefined
      ? []
      : [...u16(9), ...u16(1), resolution, 0, 0, 0, ...u16(0), ...u16(0)]
  const description = wrap(1, [...u16(linkType), ...u16(0), ...u32(0), ...options])
  const comment = wrap(0x0bad, padded([1, 2, 3, 4, 5]))
  const perSecond = resolution === 9 ? 1e9 : resolution === 0x8a ? 1024 : 1e6
  const blocks = packets.flatMap(({ bytes, seconds = 1700000000, microseconds = 0, snap }) => {
    const kept = bytes.slice(0, snap)
    const units =
      BigInt(seconds) * BigInt(perSecond) + BigInt(Math.floor((microseconds / 1e6) * perSecond))
    const time = [...u32(Number(units >> 32n)), ...u32(Number(units & 0xffffffffn))]
    const sizes = [...u32(kept.length), ...u32(bytes.length)]
    if (block === 3) return wrap(3, [...u32(bytes.length), ...padded(kept)])
    const id = block === 2 ? [...u16(0), ...u16(0)] : u32(0)
    return wrap(block, [...id, ...time, ...sizes, ...padded(kept)])
  })
  return Uint8Array.from([...section, ...description, ...comment, ...blocks])
}
