import { BlockList, isIP } from 'node:net'

/** Sources of BMP when the operator names none: private, link-local and loopback addresses. */
const DEFAULT_ALLOW = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
]

/**
 * Who may connect.
 *
 * @param allow CIDRs or single addresses; undefined: DEFAULT_ALLOW
 * @throws Error naming the entry that is none
 */
export function createAllowList(allow?: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of allow ?? DEFAULT_ALLOW) {
    const [address = '', bits] = entry.split('/')
    const version = isIP(address)
    const max = version === 4 ? 32 : 128
    const length = bits === undefined ? max : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
    if (version === 0 || length < 0 || length > max) {
      throw new Error(`bmp.allow: ${JSON.stringify(entry)} is not ADDRESS or ADDRESS/BITS`)
    }
    list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
  }
  return (address) => {
    const plain = address.replace(/%.*$/, '')
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Text of a socket's remote address: IPv4 as such, not as ::ffff:a.b.c.d. */
export function sourceOf(remoteAddress: string | undefined): string {
  return (remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}
