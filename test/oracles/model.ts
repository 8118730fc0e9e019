/** What rows and the decodes of other programs are compared in: routes, each a table of texts. */

export const FIELDS = [
  'route',
  'prefix',
  'rd',
  'path_id',
  'labels',
  'next_hop',
  'next_hop_ll',
  'origin',
  'as_path',
  'med',
  'local_pref',
  'communities',
  'ext_communities',
  'large_communities',
  'originator_id',
  'cluster_list',
  'evpn_type',
  'esi',
  'eth_tag',
  'mac',
  'host_ip',
  'orig_ip',
  'gw_ip',
  /** The text of families that have no columns of their own. */
  'nlri',
  /** Destination and source of a flow specification. */
  'flow_prefixes',
] as const

export type Field = (typeof FIELDS)[number]

/** '' says that the route has none; a field that isn't there is one the program does not tell. */
export type Texts = Partial<Record<Field, string>>

export interface Route {
  readonly action: 'announce' | 'withdraw'
  readonly afi: number
  readonly safi: number
  readonly texts: Texts
}

/** What a program says of one message; undefined: nothing that could be compared, `why` says it. */
export type Told =
  | {
      readonly routes: readonly Route[]
      /** It read path identifiers; undefined: it does not say. */
      readonly addPath?: boolean
      /** Families that it is read for, as `afi/safi`; default: those with columns. */
      readonly families?: ReadonlySet<string>
    }
  | { readonly why: string }

export interface Difference {
  readonly oracle: string
  readonly stream: string
  /** Counted from 0. */
  readonly message: number
  readonly field: Field
  readonly family: string
  readonly action: string
  readonly nlri: string
  readonly ours: string
  readonly theirs: string
  /** All texts of both, where the route is there on both sides: rules look at more than one field. */
  readonly oursAll: Texts
  readonly theirsAll: Texts
  readonly facts: MessageFacts
}

/** What is known of a message beside its routes, for the rules. */
export interface MessageFacts {
  /** What our rows say was wrong with the UPDATE or with what the session said of it. */
  readonly decodeErrors: readonly string[]
  /** Rows of route_errors. */
  readonly errors: number
  /** We read path identifiers. */
  readonly addPath: boolean
  readonly theirsAddPath?: boolean | undefined
  /** Routes that the other decoder tells of in this message. */
  readonly theirsRoutes?: number
  /** Octets of the message, and whether a route distinguisher of ours has an unknown type. */
  readonly octets: number
  readonly unknownRd: boolean
}

export const NO_FACTS: MessageFacts = {
  decodeErrors: [],
  errors: 0,
  addPath: false,
  octets: 0,
  unknownRd: false,
}

export class Tally {
  readonly counts = new Map<string, { compared: number; equal: number; different: number }>()
  readonly differences: Difference[] = []
  /** Messages that an oracle has nothing of, by oracle and reason. */
  readonly untold = new Map<string, number>()

  add(oracle: string, field: Field, equal: boolean): void {
    const key = `${oracle}\t${field}`
    const count = this.counts.get(key) ?? { compared: 0, equal: 0, different: 0 }
    count.compared++
    if (equal) count.equal++
    else count.different++
    this.counts.set(key, count)
  }

  skip(oracle: string, why: string): void {
    const key = `${oracle}\t${why}`
    this.untold.set(key, (this.untold.get(key) ?? 0) + 1)
  }
}

export interface Place {
  readonly oracle: string
  readonly stream: string
  readonly message: number
  readonly facts: MessageFacts
}

/** Pairs the routes of a message, first those that are the same route, then by order, and compares texts. */
export function compare(
  tally: Tally,
  place: Place,
  ours: readonly Route[],
  theirs: readonly Route[],
): void {
  for (const group of new Set([...ours, ...theirs].map(groupOf))) {
    const own = ours.filter((route) => groupOf(route) === group)
    const rest = theirs.filter((route) => groupOf(route) === group)
    const alone: Route[] = []
    for (const route of own) {
      const at = rest.findIndex((other) => isSame(route, other))
      if (at < 0) alone.push(route)
      else comparePair(tally, place, route, rest.splice(at, 1)[0]!)
    }
    while (alone.length > 0 && rest.length > 0) {
      comparePair(tally, place, alone.shift()!, rest.shift()!)
    }
    for (const route of alone) missing(tally, place, route, true)
    for (const route of rest) missing(tally, place, route, false)
  }
}

function groupOf(route: Route): string {
  return `${route.action} ${route.afi}/${route.safi}`
}

const IDENTITY: readonly Field[] = [
  'prefix',
  'rd',
  'path_id',
  'evpn_type',
  'eth_tag',
  'mac',
  'host_ip',
  'orig_ip',
  'esi',
  'nlri',
]

/** Is it the same route, as far as the other decoder tells what it is? */
function isSame(ours: Route, theirs: Route): boolean {
  return IDENTITY.every((field) => {
    const told = theirs.texts[field]
    if (told === undefined) return true
    const own = ours.texts[field] ?? ''
    return field === 'prefix' ? samePrefix(own, told) : own === told
  })
}

export function describe(route: Route): string {
  const { rd, prefix, evpn_type: type, mac, host_ip: ip, eth_tag: tag, path_id: id } = route.texts
  const parts = [type && `[${type}]`, rd, prefix, mac, ip, tag && `tag ${tag}`, id && `#${id}`]
  return parts.filter((part) => part !== undefined && part !== '').join(' ')
}

function comparePair(tally: Tally, place: Place, ours: Route, theirs: Route): void {
  tally.add(place.oracle, 'route', true)
  for (const field of FIELDS) {
    const their = theirs.texts[field]
    if (their === undefined) continue
    const our = ours.texts[field] ?? ''
    const same = field === 'prefix' ? samePrefix(our, their) : our === their
    tally.add(place.oracle, field, same)
    if (!same) note(tally, place, field, ours, our, their, ours.texts, theirs.texts)
  }
}

function missing(tally: Tally, place: Place, route: Route, oursOnly: boolean): void {
  tally.add(place.oracle, 'route', false)
  const text = describe(route)
  const [our, their] = oursOnly ? [text, ''] : ['', text]
  note(
    tally,
    place,
    'route',
    route,
    our,
    their,
    oursOnly ? route.texts : {},
    oursOnly ? {} : route.texts,
  )
}

function note(
  tally: Tally,
  place: Place,
  field: Field,
  route: Route,
  ours: string,
  theirs: string,
  oursAll: Texts,
  theirsAll: Texts,
): void {
  tally.differences.push({
    ...place,
    field,
    family: `${route.afi}/${route.safi}`,
    action: route.action,
    nlri: describe(route),
    ours,
    theirs,
    oursAll,
    theirsAll,
  })
}

// --- texts, written here once more on purpose: the decoder's own are what is compared --------------

/** Extended community of 8 octets (hex) in the words of docs: `rt:65000:100`, else `0xTTSS:` and the rest. */
export function extText(hex: string): string {
  const type = parseInt(hex.slice(0, 2), 16)
  const sub = parseInt(hex.slice(2, 4), 16)
  const rest = hex.slice(4)
  const u16 = (at: number): number => parseInt(hex.slice(2 * at, 2 * at + 4), 16)
  const u32 = (at: number): number => parseInt(hex.slice(2 * at, 2 * at + 8), 16)
  const mac = (rest.match(/../g) ?? []).join(':')
  const name = sub === 2 ? 'rt' : sub === 3 ? 'soo' : ''
  if (name !== '' && type === 0) return `${name}:${u16(2)}:${u32(4)}`
  if (name !== '' && type === 1) return `${name}:${ipv4(u32(2))}:${u16(6)}`
  if (name !== '' && type === 2) return `${name}:${u32(2)}:${u16(6)}`
  switch (hex.slice(0, 4)) {
    case '0600': {
      const sticky = (parseInt(hex.slice(4, 6), 16) & 1) !== 0
      return `mm:${u32(4)}${sticky ? ':sticky' : ''}`
    }
    case '0601': {
      const single = (parseInt(hex.slice(4, 6), 16) & 1) !== 0
      return `esi-label:${parseInt(hex.slice(10), 16) >> 4}${single ? ':single-active' : ''}`
    }
    case '0602':
      return `es-import:${mac}`
    case '0603':
      return `rmac:${mac}`
    case '030b':
      return `color:${u32(4)}`
    case '030c':
      return `encap:${u16(6)}`
    case '030d':
      return 'default-gw'
    case '0004':
    case '4004': {
      const bytes = Buffer.from(hex, 'hex')
      return `link-bw:${u16(2)}:${bytes.readFloatBE(4)}`
    }
    default:
      return `0x${hex.slice(0, 4)}:${rest}`
  }
}

export function ipv4(n: number): string {
  return [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.')
}

/** Route distinguisher of 8 octets (hex). */
export function rdText(hex: string): string {
  const u16 = (at: number): number => parseInt(hex.slice(2 * at, 2 * at + 4), 16)
  const u32 = (at: number): number => parseInt(hex.slice(2 * at, 2 * at + 8), 16)
  switch (u16(0)) {
    case 0:
      return `${u16(2)}:${u32(4)}`
    case 1:
      return `${ipv4(u32(2))}:${u16(6)}`
    case 2:
      return `${u32(2)}:${u16(6)}`
    default:
      return `0x${hex}`
  }
}

export interface Segment {
  /** RFC 4271, RFC 5065: 1 set, 2 sequence, 3 confederation sequence, 4 confederation set. */
  readonly type: number
  readonly asns: readonly (number | string)[]
}

export function pathText(segments: readonly Segment[]): string {
  const texts = segments.map(({ type, asns }) => {
    if (type === 1) return `{${asns.join(',')}}`
    if (type === 3) return `(${asns.join(' ')})`
    if (type === 4) return `[${asns.join(',')}]`
    return asns.join(' ')
  })
  return texts.filter((text) => text !== '').join(' ')
}

/** One route of each side that are known to be the same. */
export function compareOne(tally: Tally, place: Place, ours: Route, theirs: Texts): void {
  comparePair(tally, place, ours, { ...ours, texts: theirs })
}

/** Octets of an address, or undefined where it is none. */
function addressOctets(text: string): number[] | undefined {
  if (/^\d+(\.\d+){3}$/.test(text)) return text.split('.').map(Number)
  if (!text.includes(':')) return undefined
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  let plain = text
  if (dotted !== null) {
    const [a, b, c, d] = dotted[2]!.split('.').map(Number)
    plain = `${dotted[1]}${((a! << 8) | b!).toString(16)}:${((c! << 8) | d!).toString(16)}`
  }
  const [front, back] = plain.split('::')
  const groups = (part: string | undefined): string[] =>
    part === undefined || part === '' ? [] : part.split(':')
  const [head, tail] = [groups(front), groups(back)]
  const middle = back === undefined ? 0 : 8 - head.length - tail.length
  if (middle < 0) return undefined
  const all = [...head, ...Array<string>(middle).fill('0'), ...tail]
  if (all.length !== 8) return undefined
  return all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255])
}

/** Are the prefixes the same but for bits beyond the length, which mean nothing (RFC 4271 section 4.3)? */
export function samePrefix(one: string, other: string): boolean {
  if (one === other) return true
  const [a, bits] = one.split('/')
  const [b, more] = other.split('/')
  if (bits === undefined || bits !== more) return false
  const [x, y] = [addressOctets(a!), addressOctets(b!)]
  if (x === undefined || y?.length !== x.length) return false
  return x.every((octet, i) => {
    const left = Math.min(8, Math.max(0, Number(bits) - 8 * i))
    const mask = (0xff00 >> left) & 0xff
    return (octet & mask) === (y[i]! & mask)
  })
}
