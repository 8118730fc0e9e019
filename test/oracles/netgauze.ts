/* eslint-disable @typescript-eslint/no-explicit-any -- JSON of another program */
/** NetGauze's JSON lines: one per message. */
import { extText, pathText, type Route, type Segment, type Texts, type Told } from './model.ts'

const FAMILIES: Readonly<Record<string, readonly [number, number]>> = {
  Ipv4Unicast: [1, 1],
  Ipv4Multicast: [1, 2],
  Ipv4NlriMplsLabels: [1, 4],
  Ipv4MplsVpnUnicast: [1, 128],
  Ipv6Unicast: [2, 1],
  Ipv6Multicast: [2, 2],
  Ipv6NlriMplsLabels: [2, 4],
  Ipv6MplsVpnUnicast: [2, 128],
  L2Evpn: [25, 70],
}

/** `kind`: which message the line is of, for putting lines of several connections in their places. */
export function netgauzeTold(line: any): { kind: string; told: Told } {
  const body = line?.V3 ?? line?.V4 ?? line
  const kind = typeof body === 'string' ? body : (Object.keys(body)[0] ?? '')
  if (kind === 'RouteMonitoring') {
    const message = body.RouteMonitoring
    const update = message.update_message ?? message.update_pdu?.value?.BgpUpdate
    return { kind, told: updateTold(update) }
  }
  if (kind === 'Update') return { kind, told: updateTold(body) }
  if (/Error/.test(kind)) return { kind, told: { why: 'NetGauze gave up on the message' } }
  return { kind, told: { routes: [] } }
}

const ORIGINS: Readonly<Record<string, string>> = {
  IGP: 'igp',
  EGP: 'egp',
  Incomplete: 'incomplete',
}
const SEGMENTS: Readonly<Record<string, number>> = {
  AsSet: 1,
  AsSequence: 2,
  AsConfedSequence: 3,
  AsConfedSet: 4,
}

function updateTold(message: any): Told {
  const update = message?.Update
  if (update === undefined) return { why: 'no UPDATE' }
  const shared: Texts = {
    origin: '',
    as_path: '',
    med: '',
    local_pref: '',
    communities: '',
    ext_communities: '',
    large_communities: '',
    originator_id: '',
    cluster_list: '',
  }
  let nextHop = ''
  for (const { value } of update.path_attributes) attribute(value, shared)
  for (const { value } of update.path_attributes) nextHop = value.NextHop?.next_hop ?? nextHop
  const routes: Route[] = update.withdrawn_routes.map((entry: any) => ({
    action: 'withdraw',
    afi: 1,
    safi: 1,
    texts: nlri(entry, 1, 1, true),
  }))
  for (const { value } of update.path_attributes) {
    for (const [name, family] of Object.entries<any>(value.MpUnreach ?? {})) {
      const [afi, safi] = FAMILIES[name] ?? [0, 0]
      if (afi === 0) return { why: `family ${name}` }
      for (const entry of family.nlri ?? []) {
        routes.push({ action: 'withdraw', afi, safi, texts: nlri(entry, afi, safi, true) })
      }
    }
    for (const [name, family] of Object.entries<any>(value.MpReach ?? {})) {
      const [afi, safi] = FAMILIES[name] ?? [0, 0]
      if (afi === 0) return { why: `family ${name}` }
      const next = hop(family)
      for (const entry of family.nlri ?? []) {
        const texts = { ...shared, ...next, ...nlri(entry, afi, safi, false) }
        routes.push({ action: 'announce', afi, safi, texts })
      }
    }
  }
  for (const entry of update.nlri) {
    const texts = { ...shared, next_hop: nextHop, next_hop_ll: '', ...nlri(entry, 1, 1, false) }
    routes.push({ action: 'announce', afi: 1, safi: 1, texts })
  }
  return { routes }
}

function hop(family: any): Texts {
  // IPv6 unicast has other names than the rest, VPN has the address one level deeper.
  const own = family.next_hop
  const inner = own !== null && typeof own === 'object' ? (own.Ipv4 ?? own.Ipv6 ?? own) : undefined
  const address = family.next_hop_global ?? inner?.next_hop ?? inner ?? own ?? ''
  const local = family.next_hop_local ?? inner?.next_hop_local ?? ''
  return { next_hop: String(address), next_hop_ll: String(local) }
}

function attribute(value: any, texts: Texts): void {
  const name = Object.keys(value)[0] ?? ''
  const own = value[name]
  switch (name) {
    case 'Origin':
      texts.origin = ORIGINS[own] ?? ''
      break
    case 'AsPath': {
      const segments = (own.As4PathSegments ?? own.As2PathSegments ?? []) as any[]
      texts.as_path = pathText(
        segments.map((segment): Segment => {
          return { type: SEGMENTS[segment.segment_type] ?? 0, asns: segment.as_numbers }
        }),
      )
      break
    }
    case 'MultiExitDiscriminator':
      texts.med = String(own.metric)
      break
    case 'LocalPreference':
      texts.local_pref = String(own.metric)
      break
    case 'Communities':
      texts.communities = own.communities.map((n: number) => `${n >>> 16}:${n & 0xffff}`).join(' ')
      break
    case 'LargeCommunities':
      texts.large_communities = own.communities
        .map((each: any) => [each.global_admin, each.local_data1, each.local_data2].join(':'))
        .join(' ')
      break
    case 'ExtendedCommunities': {
      const all = own.communities.map(extCommunity)
      if (all.includes(undefined)) delete texts.ext_communities
      else texts.ext_communities = all.join(' ')
      break
    }
    case 'Originator':
      texts.originator_id = String(own)
      break
    case 'ClusterList':
      texts.cluster_list = own.join(' ')
      break
    default:
  }
}

/** undefined where it names something whose octets can't be told from that. */
function extCommunity(community: any): string | undefined {
  const [group, kind] = Object.entries<any>(community)[0] ?? ['', {}]
  const [name, value] = Object.entries<any>(kind)[0] ?? ['', undefined]
  const sub = name === 'RouteTarget' ? '02' : name === 'RouteOrigin' ? '03' : undefined
  if (sub === undefined || value?.global_admin === undefined) return undefined
  const hex = (n: number, octets: number): string => n.toString(16).padStart(2 * octets, '0')
  if (group === 'TransitiveTwoOctet')
    return extText(`00${sub}${hex(value.global_admin, 2)}${hex(value.local_admin, 4)}`)
  if (group === 'TransitiveFourOctet')
    return extText(`02${sub}${hex(value.global_admin, 4)}${hex(value.local_admin, 2)}`)
  if (group === 'TransitiveIpv4') {
    const address = String(value.global_admin)
      .split('.')
      .map((n) => hex(Number(n), 1))
      .join('')
    return extText(`01${sub}${address}${hex(value.local_admin, 2)}`)
  }
  return undefined
}

function nlri(entry: any, afi: number, safi: number, withdraw: boolean): Texts {
  if (afi === 25) return evpn(entry)
  const texts: Texts = {
    prefix: entry.network ?? entry.prefix,
    path_id: String(entry.path_id ?? 0),
    rd: entry.rd === undefined ? '' : rd(entry.rd),
  }
  const raw = (entry.labels ?? entry.label_stack) as number[][] | undefined
  if (raw !== undefined) {
    const numbers = raw.map(([a, b, c]) => (a! << 16) | (b! << 8) | c!)
    // A withdrawal's label fills the space (RFC 8277 section 2.4).
    const filler = withdraw && (numbers[0] === 0x800000 || numbers[0] === 0)
    texts.labels = filler ? '' : numbers.map((n) => n >> 4).join(' ')
  }
  return texts
}

function rd(value: any): string {
  const { asn2, asn4, ip, number } = Object.values<any>(value)[0]
  return `${asn2 ?? asn4 ?? ip}:${number}`
}

function evpn(entry: any): Texts {
  const [name, route] = Object.entries<any>(entry.route ?? entry)[0] ?? ['', {}]
  const types: Readonly<Record<string, number>> = {
    EthernetAutoDiscovery: 1,
    MacIpAdvertisement: 2,
    InclusiveMulticastEthernetTagRoute: 3,
    EthernetSegmentRoute: 4,
    IpPrefixRoute: 5,
  }
  const type = types[name]
  if (type === undefined) return {}
  const texts: Texts = { evpn_type: String(type) }
  if (route.rd !== undefined) texts.rd = rd(route.rd)
  if (typeof route.segment_id === 'object' && Array.isArray(route.segment_id?.[0])) return texts
  if (typeof route.originating_router === 'string') texts.orig_ip = route.originating_router
  if (typeof route.ip === 'string') texts.host_ip = route.ip
  if (typeof route.tag === 'number') texts.eth_tag = String(route.tag)
  return texts
}
