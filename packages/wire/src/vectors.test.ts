/* eslint-disable @typescript-eslint/no-explicit-any -- oracles are JSON of other programs */
import { describe, expect, test } from 'vitest'
import { parseBgpMessage } from './bgp/message.ts'
import { PeerCodec } from './bgp/peer-codec.ts'
import { BmpFramer } from './bmp/framer.ts'
import { decodeBmpMessage, type BmpMessage } from './bmp/message.ts'
import { DecodeError, type DecodeErrorReport } from './errors.ts'
import { hex } from './testing/bytes.ts'
import { readRouteMonitoring, readUpdate, RouteTextSink } from './testing/route-text.ts'
import {
  listVectors,
  readHexVectors,
  readLines,
  readVector,
  vectorsMissing,
  type VectorFacts,
} from './testing/vectors.ts'

const AFI: Record<string, number> = { ipv4: 1, ipv6: 2, l2vpn: 25, 'bgp-ls': 16388 }
const SAFI: Record<string, number> = {
  unicast: 1,
  multicast: 2,
  'mpls-label': 4,
  'mcast-vpn': 5,
  vpls: 65,
  evpn: 70,
  ls: 71,
  'sr-policy': 73,
  mup: 85,
  'mpls-vpn': 128,
  rtc: 132,
  flowspec: 133,
  'flowspec-vpn': 134,
}

interface Reading {
  /** Route texts of each message, in stream order. */
  readonly routes: string[][]
  readonly counts: Map<string, number>
  readonly endOfRib: Map<string, number>
  readonly messages: BmpMessage[]
  readonly errors: DecodeErrorReport[]
  /** Octets at the end that are no whole message, or -1 when framing was lost there. */
  readonly left: number
  readonly lostAt: number
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1)
}

/** A peer as a Peer Up and the messages that follow share it: type, distinguisher, address. */
function peerKey(bytes: Uint8Array, start: number): string {
  return `${bytes[start + 6]!} ${bytes.subarray(start + 8, start + 32).join()}`
}

function readBmp(bytes: Uint8Array): Reading {
  const sink = new RouteTextSink()
  const codecs = new Map<string, PeerCodec>()
  const routes: string[][] = []
  const messages: BmpMessage[] = []
  const endOfRib = new Map<string, number>()
  const framer = new BmpFramer((at, start, end) => {
    const key = peerKey(at, start)
    const message = decodeBmpMessage(at, start, end, { codecOf: () => codecs.get(key) })
    JSON.stringify(message)
    messages.push(message)
    let texts: string[] = []
    if (message.kind === 'route_monitoring' && message.update !== null) {
      const read = readRouteMonitoring(at, start, end, codecs.get(key), sink)
      texts = [...read.routes]
      const friendly = [...message.update.withdrawn, ...message.update.announced]
      expect(friendly.flatMap((group) => group.routes)).toHaveLength(texts.length)
      if (read.endOfRib) count(endOfRib, `${read.endOfRib.afi}/${read.endOfRib.safi}`)
    }
    routes.push(texts)
    if (message.kind === 'peer_up' && message.sentOpen !== null && message.receivedOpen !== null) {
      const codec = PeerCodec.fromOpens(message.sentOpen, message.receivedOpen)
      codecs.set(key, codecs.get(key)?.merge(codec) ?? codec)
    }
  })
  let lostAt = -1
  try {
    framer.push(bytes)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    lostAt = error.offset
  }
  const errors = messages.flatMap((message) => [...message.errors])
  return { routes, counts: sink.counts, endOfRib, messages, errors, left: framer.pending, lostAt }
}

function readBgp(bytes: Uint8Array): Reading {
  const sink = new RouteTextSink()
  const routes: string[][] = []
  const errors: DecodeErrorReport[] = []
  const endOfRib = new Map<string, number>()
  let at = 0
  while (at + 19 <= bytes.length) {
    const length = (bytes[at + 16]! << 8) | bytes[at + 17]!
    if (length < 19 || at + length > bytes.length) break
    const end = at + length
    const { message, errors: found } = parseBgpMessage(bytes, at, end)
    JSON.stringify(message)
    errors.push(...found)
    if (message?.type === 'update') {
      const read = readUpdate(bytes, undefined, undefined, sink, at, end)
      routes.push([...read.routes])
      if (read.endOfRib) count(endOfRib, `${read.endOfRib.afi}/${read.endOfRib.safi}`)
    } else routes.push([])
    at = end
  }
  return {
    routes,
    counts: sink.counts,
    endOfRib,
    messages: [],
    errors,
    left: bytes.length - at,
    lostAt: -1,
  }
}

/** Facts in this file's notation. */
function expectedCounts(facts: VectorFacts): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [name, n] of Object.entries(facts.fam ?? {})) {
    const [afi, safi, action] = name.split(/[/ ]/) as [string, string, string]
    const family = `${AFI[afi] ?? afi}/${SAFI[safi] ?? safi}`
    counts[`${action === 'reach' ? '+' : '-'}${family}`] = n
  }
  return counts
}

function expectedEndOfRib(facts: VectorFacts): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [name, n] of Object.entries(facts.eor ?? {})) {
    const [afi, safi] = name.split('/') as [string, string]
    counts[`${AFI[afi] ?? afi}/${SAFI[safi] ?? safi}`] = n
  }
  return counts
}

/** All that was counted: of an unknown family a field is one. */
function counted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries(counts)
}

/** Streams that do not end at a message's end: octets left over, or the offset where framing is lost. */
const ODD_ENDS: Record<string, { left?: number; lostAt?: number }> = {
  'pmacct/202-cisco-02.bmp': { left: 156 },
  'malformed/tr-jumbo-desync.s3.bmp': { lostAt: 8527 },
}

/** DecodeErrors that are right: the UPDATEs in it are cut from captures with attributes left out. */
const WITH_ERRORS = new Set(['derived/evpn-all-types.bmp'])

const files = vectorsMissing === undefined ? listVectors() : []
const suite = vectorsMissing === undefined ? 'vectors' : `vectors: ${vectorsMissing}`

describe.skipIf(vectorsMissing !== undefined)(suite, () => {
  test('are there', () => {
    expect(files.length).toBeGreaterThan(100)
  })

  test.each(files.filter((row) => row.kind === 'bmp').map((row) => [row.file, row.facts] as const))(
    '%s frames, decodes and has the counted routes',
    (file, facts) => {
      const reading = readBmp(readVector(file))
      const odd = ODD_ENDS[file] ?? {}
      expect(reading.left).toBe(odd.left ?? 0)
      expect(reading.lostAt).toBe(odd.lostAt ?? -1)
      expect(counted(reading.counts)).toEqual(expectedCounts(facts))
      expect(counted(reading.endOfRib)).toEqual(expectedEndOfRib(facts))
      const kinds: Record<string, number> = {}
      for (const { kind } of reading.messages) kinds[kind] = (kinds[kind] ?? 0) + 1
      const names: Record<string, string> = {
        RouteMonitoring: 'route_monitoring',
        StatsReport: 'statistics',
        PeerDown: 'peer_down',
        PeerUp: 'peer_up',
        Initiation: 'initiation',
        Termination: 'termination',
        RouteMirroring: 'route_mirroring',
      }
      for (const [name, n] of Object.entries(facts.msgs ?? {})) {
        if (names[name] !== undefined) expect([name, kinds[names[name]]]).toEqual([name, n])
      }
      if (!WITH_ERRORS.has(file)) expect(reading.errors).toEqual([])
    },
  )

  test.each(files.filter((row) => row.kind === 'bgp').map((row) => [row.file, row.facts] as const))(
    '%s decodes and has the counted routes',
    (file, facts) => {
      const reading = readBgp(readVector(file))
      expect(counted(reading.counts)).toEqual(expectedCounts(facts))
      expect(counted(reading.endOfRib)).toEqual(expectedEndOfRib(facts))
    },
  )

  describe('NetGauze reads the same routes, path identifiers and labels', () => {
    // Only files where one stream is one oracle file: the others mix several connections.
    const pairs = files.flatMap((row) => {
      const oracle = (row.oracles ?? []).find((name) => name.includes('netgauze.jsonl'))
      const stem = row.file.replace(/\.bmp$/, '')
      return row.kind === 'bmp' && oracle?.startsWith(`${stem}.netgauze`)
        ? [[row.file, oracle] as const]
        : []
    })

    test.each(pairs)('%s', (file, oracle) => {
      const { routes } = readBmp(readVector(file))
      const lines = readLines(oracle) as any[]
      const wrong: unknown[] = []
      let compared = 0
      for (const [i, line] of lines.entries()) {
        const expected = netgauzeRoutes(line)
        // NetGauze gave up on the message (FRR's 2-octet AS_PATH, an OPEN with BGP ID 0): nothing to compare.
        if (expected === undefined) continue
        const found = routes[i] ?? []
        compared += expected.length
        if (JSON.stringify(found.toSorted()) !== JSON.stringify(expected.toSorted())) {
          wrong.push({ i, found, expected })
        }
      }
      expect(wrong.slice(0, 3)).toEqual([])
      if (file.includes('200-') || file.includes('403-')) expect(compared).toBeGreaterThan(50)
    })
  })

  describe('pmacct logs the same announcements with the same attributes', () => {
    // Not 202, 400 and 401: there one log is of several connections. Withdrawals are not compared:
    // pmacct logs those alone whose route it knew. Nor is the peer's AS: pmacct takes it from the Peer Up
    // that it thinks the message belongs to (FRR 8.0.1's Loc-RIB has several).
    const pairs = files.flatMap((row) => {
      const oracle = (row.oracles ?? []).find((name) => name.includes('.pmacct.jsonl'))
      return row.kind === 'bmp' && oracle !== undefined && /\/(200|204|205|206|403)-/.test(row.file)
        ? [[row.file, oracle] as const]
        : []
    })

    test.each(pairs)('%s', (file, oracle) => {
      const expected = (readLines(oracle) as any[])
        .filter((line) => line.bmp_msg_type === 'route_monitor' && line.log_type === 'update')
        .map(pmacctRoute)
      const found = readBmp(readVector(file)).messages.flatMap(pmacctForm)
      expect(found.length).toBeGreaterThan(50)
      expect(found.toSorted()).toEqual(expected.toSorted())
    })
  })

  test('tcpdump reads the same route target constraints', () => {
    const text = Buffer.from(readVector('tcpdump/bgp-rt-prefix.tcpdump.out')).toString()
    const theirs = [
      ...text.matchAll(/origin AS: (\d+), route-target: \S+?\/(\d+)(?: \(([\da-f ]+)\))?/g),
    ]
    const expected = theirs.map(([, as, bits, hex]) => [
      Number(as),
      32 + Number(bits),
      (hex ?? '').replaceAll(' ', ''),
    ])
    const found = readBgpMessages('tcpdump/bgp-rt-prefix.bgp')
      .flatMap(routesOf)
      .map((route: any) => [route.originAs, route.bits, extCommunityHex(route.routeTarget)])
    expect(expected.length).toBeGreaterThan(7)
    expect(found).toEqual(expected)
  })

  test('TShark sees the same components of flow specifications', () => {
    const streams = files.filter((row) => /ryu\/flowspec/.test(row.file))
    expect(streams.length).toBeGreaterThan(5)
    for (const { file } of streams) {
      const text = Buffer.from(readVector(file.replace(/\.bgp$/, '.tshark.json'))).toString()
      const numbers = (pattern: RegExp): number[] =>
        [...text.matchAll(pattern)].map(([, value]) => Number(value))
      const routes = readBgpMessages(file).flatMap(routesOf)
      const components = routes.flatMap((route) => route.components)
      const types = numbers(/"bgp\.flowspec_nlri\.filter_type":"(\d+)"/g)
      expect([file, components.map(({ type }) => type)]).toEqual([file, types])
    }
  })

  describe('hex vectors', () => {
    /**
     * Messages whose counted facts stop at the first bad attribute, where we go on (RFC 7606), and one
     * that has an empty MP_UNREACH beside MP_REACH, which is no End-of-RIB (RFC 4724 section 2).
     */
    const BEYOND_FACTS = new Set(['routecore#32', 'malformed#47'])
    /** RFC 7606 section 7.8: a length of zero is malformed; NetGauze lets it pass. */
    const STRICTER_THAN_NETGAUZE = new Set(['test_parse_path_attribute_communities/good_zero_wire'])

    test.each([
      'hex/bgpfix.json',
      'hex/bgpkit.json',
      'hex/evpn-nlri.json',
      'hex/exabgp-qa.json',
      'hex/gobgp.json',
      'hex/gobmp.json',
      'hex/netgauze-attrs.json',
      'hex/netgauze.json',
      'hex/routecore.json',
      'malformed/malformed.json',
    ])('%s', (path) => {
      const wrong: unknown[] = []
      for (const vector of readHexVectors(path)) {
        const bytes = hex(vector.hex)
        const reading = vector.kind === 'bmp' ? readBmp(bytes) : readBgp(bytes)
        const facts = vector.facts ?? {}
        if (facts.bad === undefined && !BEYOND_FACTS.has(vector.id)) {
          const found = [counted(reading.counts), counted(reading.endOfRib)]
          const expected = [expectedCounts(facts), expectedEndOfRib(facts)]
          if (!same(found, expected)) wrong.push({ id: vector.id, found, expected })
        }
        const verdict: unknown = vector.expect?.netgauze
        if (verdict !== undefined && !STRICTER_THAN_NETGAUZE.has(vector.name)) {
          // The wrapped attribute stands alone, so that mandatory ones are missing: not the point.
          const refused = reading.errors.some((error) => error.code !== 'MISSING')
          if (refused !== (verdict === 'error')) wrong.push({ id: vector.id, verdict, refused })
        }
      }
      expect(wrong).toEqual([])
    })

    test('ExaBGP reads the same routes, labels and attributes', () => {
      const wrong: unknown[] = []
      let compared = 0
      for (const vector of readHexVectors('hex/exabgp-qa.json')) {
        const update = vector.expect?.exabgp_json?.neighbor?.message?.update
        if (update === undefined || vector.expect?.addpath !== undefined) continue
        const expected = exabgpRoutes(update)
        if (expected === undefined) continue
        const sink = new RouteTextSink()
        sink.evpnAsHex = true
        const { routes } = readUpdate(hex(vector.hex), undefined, undefined, sink)
        compared += routes.length
        if (!same([...routes].sort(), expected.toSorted())) {
          wrong.push({ id: vector.id, routes, expected })
        }
        const { message } = parseBgpMessage(hex(vector.hex))
        if (message?.type !== 'update') continue
        for (const attribute of message.attributes) {
          const theirs = update.attribute ?? {}
          const pair = exabgpAttribute(attribute, theirs)
          if (pair !== undefined && !same(pair[0], pair[1]))
            wrong.push({ id: vector.id, attribute, theirs })
        }
      }
      expect(wrong.slice(0, 5)).toEqual([])
      expect(compared).toBeGreaterThan(100)
    })
  })
})

/** The messages of a stream, as plain objects. */
function readBgpMessages(file: string): any[] {
  const bytes = readVector(file)
  const messages: any[] = []
  for (let at = 0; at + 19 <= bytes.length;) {
    const end = at + ((bytes[at + 16]! << 8) | bytes[at + 17]!)
    messages.push(parseBgpMessage(bytes, at, end).message)
    at = end
  }
  return messages
}

function routesOf(message: any): any[] {
  const groups = [...(message?.announced ?? []), ...(message?.withdrawn ?? [])]
  return groups.flatMap((group) => group.routes)
}

/** A route target as tcpdump has it, in hex; part of one is hex already. */
function extCommunityHex(text: string): string {
  const h = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  const [kind, admin = '', number = ''] = text.split(':')
  if (kind !== 'rt') return text.replace('0x', '')
  if (admin.includes('.')) {
    const octets = admin.split('.').map((octet) => h(Number(octet), 2))
    return `0102${octets.join('')}${h(Number(number), 4)}`
  }
  const wide = Number(admin) > 65535
  return `${wide ? '0202' : '0002'}${h(Number(admin), wide ? 8 : 4)}${h(Number(number), wide ? 4 : 8)}`
}

function same(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown): string =>
    JSON.stringify(value, (_key, inner: unknown) =>
      inner !== null && typeof inner === 'object' && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([x], [y]) => (x < y ? -1 : 1)))
        : inner,
    )
  return sorted(a) === sorted(b)
}

/** undefined where NetGauze has no decode of the message. */
function netgauzeRoutes(line: any): string[] | undefined {
  const body = line.V3 ?? line.V4
  if (body === undefined) return undefined
  const message = body.RouteMonitoring
  if (message === undefined) return []
  const update = (message.update_message ?? message.update_pdu?.value?.BgpUpdate)?.Update
  if (update === undefined) return undefined
  const routes: string[] = []
  const push = (sign: string, entries: any[]): void => {
    for (const entry of entries) routes.push(sign + netgauzeRoute(entry, sign))
  }
  push('-', update.withdrawn_routes)
  for (const { value } of update.path_attributes) {
    for (const [name, sign] of [
      ['MpUnreach', '-'],
      ['MpReach', '+'],
    ] as const) {
      for (const family of Object.values<any>(value[name] ?? {})) push(sign, family.nlri ?? [])
    }
  }
  push('+', update.nlri)
  return routes
}

function netgauzeRoute(entry: any, sign: string): string {
  const raw = (entry.labels ?? entry.label_stack ?? []) as number[][]
  const numbers = raw.map(([a, b, c]) => (a! << 16) | (b! << 8) | c!)
  const filler = sign === '-' && (numbers[0] === 0x800000 || numbers[0] === 0)
  const labels = filler || numbers.length === 0 ? '' : ` [${numbers.map((n) => n >> 4).join(' ')}]`
  let rd = ''
  if (entry.rd !== undefined) {
    const { asn2, asn4, ip, number } = Object.values(entry.rd)[0] as any
    rd = `${asn2 ?? asn4 ?? ip}:${number}:`
  }
  const id = entry.path_id === null || entry.path_id === undefined ? '' : ` #${entry.path_id}`
  return `${rd}${entry.network ?? entry.prefix}${labels}${id}`
}

/** ExaBGP's names of components, and of what it has names for where we have numbers. */
const EXABGP_COMPONENTS: Record<string, string> = {
  'destination-ipv4': 'destination',
  'destination-ipv6': 'destination',
  'source-ipv4': 'source',
  'source-ipv6': 'source',
  'next-header': 'protocol',
  'traffic-class': 'dscp',
}
const EXABGP_WORDS: Record<string, string> = {
  icmp: '1',
  tcp: '6',
  udp: '17',
  'echo-reply': '0',
  unreachable: '3',
  'echo-request': '8',
  push: 'psh',
}

function exabgpFlow(entry: any): string {
  const parts: string[] = []
  for (const [key, list] of Object.entries<any>(entry)) {
    if (key === 'rd' || key === 'string') continue
    const values = (list as string[]).map((text) => {
      // ADDRESS/LENGTH/OFFSET of IPv6.
      const [address, length, offset] = text.split('/')
      if (offset !== undefined) return `${address}/${offset === '0' ? '' : `${offset}-`}${length}`
      if (/^(destination|source)-ip/.test(key)) return text
      return text.replace(/[a-z][a-z-]*/g, (word) => EXABGP_WORDS[word] ?? word)
    })
    parts.push(`${EXABGP_COMPONENTS[key] ?? key} ${values.join('|')}`)
  }
  return `${entry.rd === undefined ? '' : `[${entry.rd}]:`}${parts.join(' ')}`
}

function exabgpMcastVpn(entry: any): string {
  const bits = String(entry.source).includes(':') ? 128 : 32
  const as = entry['source-as'] === undefined ? '' : `:[${entry['source-as']}]`
  return `[${entry.code}]:[${entry.rd}]${as}:[${bits}]:[${entry.source}]:[${bits}]:[${entry.group}]`
}

function exabgpMup(entry: any): string {
  const head = `[${entry.arch}]:[${entry.code}]:[${entry.rd}]`
  if (entry.code === 2) return `${head}:[${entry.ip}]`
  if (entry.code === 4)
    return `${head}:[${entry.endpoint_len}]:[${entry.endpoint_ip}]:[${entry.teid}]`
  return `${head}:[${entry.prefix_ip_len}]:[${entry.prefix_ip}]`
}

const EXABGP_LS_TYPES = ['', 'node', 'link', 'prefix-v4', 'prefix-v6']
const EXABGP_LS_PROTOCOLS = ['', 'isis-l1', 'isis-l2', 'ospfv2']

function exabgpLs(entry: any): string {
  const nlriType = EXABGP_LS_TYPES.indexOf(entry['ls-nlri-type'].replace('bgpls-', ''))
  const node = (list: any[]): string =>
    `[${list
      .map((each) => {
        const [[key, value]] = Object.entries<string>(each) as [[string, string]]
        if (key === 'autonomous-system') return `as=${value}`
        if (key === 'bgp-ls-identifier') return `bgp-ls-id=${value}`
        if (key === 'ospf-area-id') return `ospf-area=${value}`
        const id = value.includes('.') ? value : value.replace(/^(....)(....)(....)/, '$1.$2.$3.')
        const router = `igp-router-id=${id.replace(/\.$/, '')}`
        const dr = each['designated-router-id']
        return dr === undefined ? router : `${router}/${dr}`
      })
      .join(',')}]`
  const ids = entry['link-identifiers'] ?? []
  const addresses = (key: string, name: string): string[] =>
    (entry[key] ?? []).map((ip: string) => `${name}-ipv${ip.includes(':') ? 6 : 4}=${ip}`)
  const descriptors = [
    ...ids.map((each: any) => `link-ids=${each['link-local-id']}/${each['link-remote-id']}`),
    ...addresses('interface-addresses', 'interface'),
    ...addresses('neighbor-addresses', 'neighbor'),
    ...(entry['multi-topology-ids'] ?? []).map((id: number) => `topology=${id}`),
    ...(entry['ip-reach-prefix'] === undefined ? [] : [`prefix=${entry['ip-reach-prefix']}`]),
  ]
  return [
    `[${nlriType}]`,
    `[${EXABGP_LS_PROTOCOLS[entry['protocol-id']]}]`,
    `[${entry['l3-routing-topology']}]`,
    node(entry['local-node-descriptors'] ?? entry['node-descriptors']),
    ...(entry['remote-node-descriptors'] === undefined
      ? []
      : [node(entry['remote-node-descriptors'])]),
    ...(descriptors.length === 0 ? [] : [`[${descriptors.join(',')}]`]),
  ].join(':')
}

/** Our text of ExaBGP's JSON, by its name of the SAFI; the others are prefixes and EVPN. */
const EXABGP_TEXTS: Record<string, (entry: any) => string> = {
  flow: exabgpFlow,
  'flow-vpn': exabgpFlow,
  'mcast-vpn': exabgpMcastVpn,
  mup: exabgpMup,
  vpls: (entry) => `[${entry.rd}]:[${entry.endpoint}]:[${entry.offset}] [${entry.base}]`,
  'sr-policy': (entry) => `[${entry.distinguisher}]:[${entry.color}]:[${entry.endpoint}]`,
  'bgp-ls': exabgpLs,
}

/** undefined where ExaBGP's JSON leaves something out that would be compared. */
function exabgpRoutes(update: any): string[] | undefined {
  const routes: string[] = []
  const push = (sign: string, entry: any, safi: string): void => {
    const text = EXABGP_TEXTS[safi]
    if (text !== undefined) {
      routes.push(sign + text(entry))
      return
    }
    if (entry.raw !== undefined) {
      routes.push(sign + String(entry.raw).toLowerCase())
      return
    }
    const raw = (entry.label ?? []) as number[][]
    const filler = sign === '-' && raw.length > 0 && (raw[0]![1] === 0x800000 || raw[0]![1] === 0)
    const labels = filler || raw.length === 0 ? '' : ` [${raw.map(([label]) => label).join(' ')}]`
    const rd = entry.rd === undefined ? '' : `${entry.rd}:`
    routes.push(`${sign}${rd}${entry.nlri}${labels}`)
  }
  for (const [family, hops] of Object.entries(update.announce ?? {})) {
    for (const entries of Object.values(hops as object))
      for (const entry of entries) push('+', entry, family.split(' ')[1]!)
  }
  for (const [family, entries] of Object.entries(update.withdraw ?? {})) {
    for (const entry of entries as any[]) push('-', entry, family.split(' ')[1]!)
  }
  return routes
}

/** [ours, theirs] in comparable form; undefined where ExaBGP shows the attribute otherwise. */
function exabgpAttribute(attribute: any, theirs: any): [unknown, unknown] | undefined {
  switch (attribute.kind) {
    case 'origin':
      return theirs.origin === undefined ? undefined : [attribute.origin, theirs.origin]
    case 'med':
      return theirs.med === undefined ? undefined : [attribute.med, theirs.med]
    case 'local_pref':
      return [attribute.localPref, theirs['local-preference']]
    case 'originator_id':
      return [attribute.originatorId, theirs['originator-id']]
    case 'cluster_list':
      return [attribute.clusterList, theirs['cluster-list']]
    case 'communities':
      return [attribute.communities, theirs.community?.map((pair: number[]) => pair.join(':'))]
    case 'large_communities':
      return [
        attribute.largeCommunities,
        theirs['large-community']?.map((list: number[]) => list.join(':')),
      ]
    case 'aggregator':
      return [`${attribute.asn}:${attribute.address}`, theirs.aggregator]
    case 'as_path': {
      const segments = Object.values<any>(theirs['as-path'] ?? {})
      return [
        attribute.segments.map((segment: any) => segment.asns),
        segments.map((segment) => segment.value),
      ]
    }
    default:
      return undefined
  }
}

const PMACCT_ORIGINS: Record<string, string> = { igp: 'i', egp: 'e', incomplete: 'u' }

/** pmacct sorts communities, shows some IPv4 next hops in mapped form, and 0.0.0.0 for none (FRR). */
function unmapped(address: string): string {
  return address === '' ? '0.0.0.0' : address.replace(/^::ffff:(?=\d+\.)/, '')
}

/** A line of pmacct's log in a form that both sides can be put into. */
function pmacctRoute(line: any): string {
  const words = (list: unknown): string[] => {
    if (Array.isArray(list)) return list
    return typeof list === 'string' && list !== '' ? list.split(' ') : []
  }
  const rd = line.safi === 128 ? String(line.rd).replace(/^\d+:/, '') : ''
  return JSON.stringify([
    `${line.afi}/${line.safi} ${rd} ${line.ip_prefix}`,
    unmapped(line.bgp_nexthop),
    words(line.as_path).join(' '),
    words(line.comms).toSorted(),
    words(line.ecomms)
      .filter((word) => /^(RT|SoO):/.test(word))
      .toSorted(),
    line.origin,
    line.local_pref,
    line.med,
    line.peer_ip,
  ])
}

function pmacctForm(message: BmpMessage): string[] {
  if (message.kind !== 'route_monitoring' || message.update === null) return []
  const { attributes, announced } = message.update
  const of = (kind: string): any => attributes.find((attribute) => attribute.kind === kind)
  return announced.flatMap((group) =>
    group.routes.map((route) => {
      const [rd, prefix] = route.kind === 'prefix' ? [route.rd, route.prefix] : ['', '']
      return JSON.stringify([
        `${group.afi}/${group.safi} ${rd} ${prefix}`,
        unmapped(group.nextHop),
        // pmacct reads no AS_PATH that is of 2-octet numbers against the A flag (FRR 8.0.1).
        message.update?.asWidthLied === true ? '' : (of('as_path')?.text ?? ''),
        [...(of('communities')?.communities ?? [])].toSorted(),
        ((of('ext_communities')?.extCommunities ?? []) as string[])
          .filter((text) => /^(rt|soo):/.test(text))
          .map((text) => text.replace(/^rt/, 'RT').replace(/^soo/, 'SoO'))
          .toSorted(),
        PMACCT_ORIGINS[of('origin')?.origin] ?? null,
        of('local_pref')?.localPref ?? null,
        of('med')?.med ?? null,
        message.peer.address,
      ])
    }),
  )
}
