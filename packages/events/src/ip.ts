import { formatIPv4, formatIPv6 } from '@ribscope/wire'

/**
 * Addresses are kept as ClickHouse's IPv6: 16 octets in network order, IPv4 as ::ffff:a.b.c.d.
 */
export type IpOctets = Uint8Array

/** Text of an address column. IPv4-mapped ones are IPv4. */
export function formatIp(octets: IpOctets, at = 0): string {
  return isMapped(octets, at) ? formatIPv4(octets, at + 12) : formatIPv6(octets, at)
}

function isMapped(octets: IpOctets, at: number): boolean {
  for (let i = 0; i < 10; i++) if (octets[at + i] !== 0) return false
  return octets[at + 10] === 0xff && octets[at + 11] === 0xff
}

/**
 * Parses the text of an address, as sockets and configuration have it; an IPv6 zone is dropped.
 *
 * @returns undefined when it is none
 */
export function parseIp(text: string): IpOctets | undefined {
  const plain = text.replace(/%.*$/, '')
  const out = new Uint8Array(16)
  if (!plain.includes(':')) {
    const v4 = parseIPv4(plain)
    if (v4 === undefined) return undefined
    out.set([0xff, 0xff, ...v4], 10)
    return out
  }
  const halves = plain.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '')
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined
  out.set(head)
  out.set(tail, 16 - tail.length)
  return out
}

function parseIPv4(text: string): number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const octets = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256))
  return octets.every((octet) => octet < 256) ? octets : undefined
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return []
  const octets: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const v4 = index === groups.length - 1 ? parseIPv4(group) : undefined
      if (v4 === undefined) return undefined
      octets.push(...v4)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = parseInt(group, 16)
      octets.push(value >> 8, value & 255)
    } else return undefined
  }
  return octets.length <= 16 ? octets : undefined
}
