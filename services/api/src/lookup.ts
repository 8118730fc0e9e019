/**
 * Look-ups in the routing tables: words of a request to typed parameters of the rib_*.sql statements. Nothing of a request gets
 * into the text of a statement.
 */
import { formatAddress, parseAddress, parsePrefix, type Prefix } from '@ribscope/fabric'
import { badRequest } from './problem.ts'

export const RIBS = ['adj_in_pre', 'adj_in_post', 'loc_rib', 'adj_out_pre', 'adj_out_post'] as const
export const MATCHES = ['exact', 'longest', 'covering', 'covered'] as const
export type Match = (typeof MATCHES)[number]

/** As the store keeps addresses: IPv4 as ::ffff:a.b.c.d. */
export const stored = (family: 4 | 6, text: string): string =>
  family === 4 ? `::ffff:${text}` : text

/** Parameters that choose prefixes. */
export interface Where {
  readonly ip_version: number
  readonly first: string
  readonly last: string
  readonly bits: number
  readonly addresses: readonly string[]
  readonly lengths: readonly number[]
}

const ANYWHERE: Where = { ip_version: 0, first: '', last: '', bits: 0, addresses: [], lengths: [] }

/** @throws ProblemError 400 */
export function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text)
  if (prefix) return prefix
  throw badRequest(`prefix ${JSON.stringify(text)}: expected PREFIX/LENGTH`, 'bad-prefix')
}

/** Covering and longest match ask for at most 33 (IPv6: 129) prefixes by name, which the order of the log answers. */
export function where(prefix: Prefix | undefined, match: Match): Where {
  if (!prefix) return ANYWHERE
  const { family, bits } = prefix
  const text = (value: bigint): string => stored(family, formatAddress(family, value))
  if (match === 'covered') {
    const [first, last] = [text(prefix.first), text(prefix.last)]
    return { ...ANYWHERE, ip_version: family, first, last, bits }
  }
  const width = family === 4 ? 32 : 128
  const lengths = match === 'exact' ? [bits] : Array.from({ length: bits + 1 }, (_, i) => i)
  const addresses = lengths.map((length) =>
    text(prefix.first & ~((1n << BigInt(width - length)) - 1n)),
  )
  return { ...ANYWHERE, ip_version: family, addresses, lengths }
}

/** A peer is an address, a key of the log, or the name of the node or device at the other end. */
export function peerOf(
  text: string | undefined,
): Record<'peer_addr' | 'peer_name' | 'peer_key', string> {
  const none = { peer_addr: '', peer_name: '', peer_key: '0' }
  if (text === undefined) return none
  const address = parseAddress(text)
  if (address) return { ...none, peer_addr: stored(address.family, address.text) }
  if (/^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n) return { ...none, peer_key: text }
  return { ...none, peer_name: text }
}

/** What a route may be asked for beside its prefix. */
export interface RouteWords {
  readonly next_hop?: string | undefined
  readonly as_path?: string | undefined
  readonly community?: readonly string[]
  readonly origin_node?: string | undefined
  readonly rd?: string | undefined
}

/** @throws ProblemError 400 that names the parameter */
export function routeWords(given: RouteWords): Record<string, unknown> {
  return {
    next_hop: given.next_hop === undefined ? '' : nextHopOf(given.next_hop),
    as_path: given.as_path === undefined ? '' : asPathPattern(given.as_path),
    origin_node: given.origin_node ?? '',
    rds: given.rd === undefined ? [] : rdNumbers(given.rd),
    ...communityParams(given.community ?? []),
  }
}

function nextHopOf(text: string): string {
  const address = parseAddress(text)
  if (address) return stored(address.family, address.text)
  throw badRequest(`next_hop ${JSON.stringify(text)}: expected an address`)
}

/** Start, end, space, comma, and what encloses sets and confederations, as routers have it. */
const BOUNDARY = '(?:^|$|[ ,{}()\\[\\]])'

/**
 * A regular expression over the path as text (`65001 65002 {65003,65004}`), `_` meaning a boundary as on routers: `_65001_`,
 * `^65001_`, `_65002$`, `^$`. The rest is RE2 syntax, which takes time linear in the text.
 *
 * @returns the expression for ClickHouse's `match`
 */
export function asPathPattern(text: string): string {
  if (text === '') throw badRequest('as_path: an empty pattern; ^$ is the empty path')
  let out = ''
  let inClass = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i)
    if (char === '\\') {
      // `\_` is an underscore; RE2 knows no such escape.
      const next = text.charAt(++i)
      if (next === '') throw badRequest('as_path: a backslash at the end', 'bad-pattern')
      out += next === '_' ? '_' : `\\${next}`
      continue
    }
    if (char === '[' && !inClass) {
      inClass = true
      out += char
      // A bracket that comes first closes nothing: []a] and [^]a].
      const first = /^\^?\]?/.exec(text.slice(i + 1))?.[0] ?? ''
      out += first
      i += first.length
      continue
    }
    if (char === ']') inClass = false
    out += char === '_' && !inClass ? BOUNDARY : char
  }
  return out
}

/** What the engine says of a pattern that is none. */
export const BAD_PATTERN = /CANNOT_COMPILE_REGEXP|OptimizedRegularExpression: cannot compile/

/** RFC 1997, 3765, 7611, 7999, 8326, 9494 */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'no-export': '65535:65281',
  'no-advertise': '65535:65282',
  'no-export-subconfed': '65535:65283',
  'local-as': '65535:65283',
  nopeer: '65535:65284',
  'accept-own': '65535:1',
  'llgr-stale': '65535:6',
  'no-llgr': '65535:7',
  blackhole: '65535:666',
  'graceful-shutdown': '65535:0',
  gshut: '65535:0',
}

/** All of these are to be there: `65000:1`, `65000:1:2`, `rt:65000:100`, `rmac:...`, or the name of a well-known one. */
function communityParams(texts: readonly string[]): Record<string, unknown> {
  const communities: number[] = []
  const large: string[] = []
  const ext: { of: number; mask: bigint; value: bigint }[] = []
  for (const given of texts) {
    const text = Object.hasOwn(WELL_KNOWN, given) ? (WELL_KNOWN[given] ?? given) : given
    const numbers = /^\d+(:\d+)+$/.test(text) ? text.split(':').map(Number) : []
    if (numbers.length === 2 && numbers.every((n) => n <= 0xffff)) {
      communities.push((numbers[0] ?? 0) * 65536 + (numbers[1] ?? 0))
    } else if (numbers.length === 3 && numbers.every(isU32)) {
      large.push(numbers.join(':'))
    } else {
      const found = extended(text)
      if (found.length === 0) {
        throw badRequest(
          `community ${JSON.stringify(given)}: expected 65000:1, 65000:1:2, rt:65000:100, soo:..., rmac:..., color:..., 0xTTSS:HEX, or a name such as no-export`,
        )
      }
      const of = new Set(ext.map((each) => each.of)).size
      ext.push(...found.map(([mask, value]) => ({ of, mask, value })))
    }
  }
  return {
    communities,
    large_communities: large,
    ext_of: ext.map((each) => each.of),
    // The client prints a bigint as a number, which is what an array of them wants.
    ext_masks: ext.map((each) => each.mask),
    ext_values: ext.map((each) => each.value),
  }
}

const isU32 = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 0xffffffff

const ALL = (1n << 64n) - 1n
const TYPE = 0xffffn << 48n

/** ADMIN:NUMBER of a distinguisher, route target or origin in each of its encodings: types 0, 1 and 2 (RFC 4364 section 4.2). */
function adminNumbers(text: string): (readonly [type: number, value: bigint])[] {
  const match = /^(\d{1,10}|\d+\.\d+\.\d+\.\d+):(\d{1,10})$/.exec(text)
  const [, admin = '', number = ''] = match ?? []
  const n = Number(number)
  if (!match || !isU32(n)) return []
  if (admin.includes('.')) {
    const address = parseAddress(admin)
    return address && n <= 0xffff ? [[1, (address.value << 16n) | BigInt(n)]] : []
  }
  const as = Number(admin)
  if (!isU32(as)) return []
  const found: (readonly [number, bigint])[] = []
  if (as <= 0xffff) found.push([0, (BigInt(as) << 32n) | BigInt(n)])
  if (n <= 0xffff) found.push([2, (BigInt(as) << 16n) | BigInt(n)])
  return found
}

/** Text of an extended community, as answers have it, to what to compare: bits that count and their value. */
function extended(text: string): (readonly [mask: bigint, value: bigint])[] {
  const [, kind = '', rest = ''] = /^([a-z0-9-]+)(?::(.*))?$/i.exec(text) ?? []
  const exact = (type: number, value: bigint): (readonly [bigint, bigint])[] => [
    [ALL, (BigInt(type) << 48n) | value],
  ]
  const decimal = /^\d{1,10}$/.test(rest) && isU32(Number(rest)) ? BigInt(rest) : undefined
  const mac = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(rest)
    ? BigInt(`0x${rest.replaceAll(':', '')}`)
    : undefined
  switch (kind.toLowerCase()) {
    case 'rt':
      return adminNumbers(rest).flatMap(([type, value]) => exact(type * 256 + 2, value))
    case 'soo':
      return adminNumbers(rest).flatMap(([type, value]) => exact(type * 256 + 3, value))
    case 'rmac':
      return mac === undefined ? [] : exact(0x0603, mac)
    case 'es-import':
      return mac === undefined ? [] : exact(0x0602, mac)
    case 'color':
      return decimal === undefined ? [] : [[TYPE | 0xffffffffn, (0x030bn << 48n) | decimal]]
    case 'encap':
      return decimal === undefined || decimal > 0xffffn
        ? []
        : [[TYPE | 0xffffn, (0x030cn << 48n) | decimal]]
    case 'default-gw':
      return rest === '' ? [[TYPE, 0x030dn << 48n]] : []
    case 'mm': {
      const [, seq, sticky] = /^(\d{1,10})(:sticky)?$/.exec(rest) ?? []
      if (seq === undefined || !isU32(Number(seq))) return []
      const bit = sticky === undefined ? 0n : 1n << 40n
      return [[TYPE | (1n << 40n) | 0xffffffffn, (0x0600n << 48n) | bit | BigInt(seq)]]
    }
    case 'esi-label': {
      const [, label, single] = /^(\d{1,7})(:single-active)?$/.exec(rest) ?? []
      if (label === undefined || Number(label) > 0xfffff) return []
      const bit = single === undefined ? 0n : 1n << 40n
      return [[TYPE | (1n << 40n) | 0xfffff0n, (0x0601n << 48n) | bit | (BigInt(label) << 4n)]]
    }
    case 'link-bw': {
      const [, as, rate] = /^(\d{1,5}):([0-9.e+-]{1,32})$/i.exec(rest) ?? []
      if (as === undefined || Number(as) > 0xffff || Number.isNaN(Number(rate))) return []
      const bits = BigInt(new Uint32Array(new Float32Array([Number(rate)]).buffer)[0] ?? 0)
      const value = (BigInt(as) << 32n) | bits
      return [0x0004, 0x4004].flatMap((type) => exact(type, value))
    }
    default: {
      const hex = /^0x([0-9a-f]{4})$/i.exec(kind)?.[1]
      return hex !== undefined && /^[0-9a-f]{12}$/i.test(rest)
        ? exact(parseInt(hex, 16), BigInt(`0x${rest}`))
        : []
    }
  }
}

/** ADMIN:NUMBER, or 0x and 16 hex digits for types beyond 2. */
function rdNumbers(text: string): bigint[] {
  const raw = /^0x[0-9a-f]{16}$/i.test(text)
    ? [BigInt(text)]
    : adminNumbers(text).map(([type, value]) => (BigInt(type) << 48n) | value)
  if (raw.length > 0) return raw
  throw badRequest(`rd ${JSON.stringify(text)}: expected ADMIN:NUMBER such as 10.0.0.1:100`)
}
