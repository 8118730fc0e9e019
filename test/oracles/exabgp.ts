/* eslint-disable @typescript-eslint/no-explicit-any -- JSON of another program */
/** ExaBGP's JSON of one UPDATE, as its QA suite has it. */
import {
  extText,
  pathText,
  rdText,
  type Route,
  type Segment,
  type Texts,
  type Told,
} from './model.ts'

const AFIS: Readonly<Record<string, number>> = { ipv4: 1, ipv6: 2, l2vpn: 25, 'bgp-ls': 16_388 }
const SAFIS: Readonly<Record<string, number>> = {
  unicast: 1,
  multicast: 2,
  'nlri-mpls': 4,
  'mpls-vpn': 128,
  evpn: 70,
  'mcast-vpn': 5,
  vpls: 65,
  'bgp-ls': 71,
  'sr-policy': 73,
  mup: 85,
  flow: 133,
  'flow-vpn': 134,
}

const FAMILIES: ReadonlySet<string> = new Set(
  Object.values(AFIS).flatMap((afi) => Object.values(SAFIS).map((safi) => `${afi}/${safi}`)),
)

const SEGMENTS: Readonly<Record<string, number>> = {
  'as-set': 1,
  'as-sequence': 2,
  'confed-sequence': 3,
  'confed-set': 4,
}

export function exabgpTold(json: any): Told {
  const update = json?.neighbor?.message?.update
  if (update === undefined) return { why: 'no UPDATE in its JSON' }
  const shared = attributeTexts(update.attribute ?? {})
  const routes: Route[] = []
  const add = (
    action: 'announce' | 'withdraw',
    family: string,
    entries: any[],
    hop: string,
  ): void => {
    const [afiName = '', safiName = ''] = family.split(' ')
    const [afi, safi] = [AFIS[afiName], SAFIS[safiName]]
    if (afi === undefined || safi === undefined) return
    for (const entry of entries) {
      const own = nlri(entry, safi, action === 'withdraw')
      const texts: Texts = action === 'withdraw' ? own : { ...shared, next_hop: hop, ...own }
      routes.push({ action, afi, safi, texts })
    }
  }
  for (const [family, hops] of Object.entries<any>(update.announce ?? {})) {
    for (const [hop, entries] of Object.entries<any>(hops)) {
      add('announce', family, entries, hop === 'no-nexthop' ? '' : hop)
    }
  }
  for (const [family, entries] of Object.entries<any>(update.withdraw ?? {})) {
    add('withdraw', family, entries, '')
  }
  return { routes, families: FAMILIES }
}

function attributeTexts(theirs: any): Texts {
  const text = (value: any): string => (value === undefined ? '' : String(value))
  const lists = (value: any): string =>
    ((value ?? []) as any[]).map((list: any[]) => list.join(':')).join(' ')
  const texts: Texts = {
    origin: text(theirs.origin),
    med: text(theirs.med),
    local_pref: text(theirs['local-preference']),
    originator_id: text(theirs['originator-id']),
    cluster_list: (theirs['cluster-list'] ?? []).join(' '),
    communities: lists(theirs.community),
    large_communities: lists(theirs['large-community']),
    ext_communities: ((theirs['extended-community'] ?? []) as any[])
      .map(({ value }) => extText(BigInt(value).toString(16).padStart(16, '0')))
      .join(' '),
  }
  const segments = Object.values<any>(theirs['as-path'] ?? {}).map((segment): Segment => {
    return { type: SEGMENTS[segment.element] ?? 0, asns: segment.value }
  })
  texts.as_path = pathText(segments)
  return texts
}

function nlri(entry: any, safi: number, withdraw: boolean): Texts {
  const rd: Texts = entry.rd === undefined ? {} : { rd: entry.rd }
  switch (safi) {
    case 70:
      return evpn(entry)
    case 5: {
      const bits = String(entry.source).includes(':') ? 128 : 32
      const as = entry['source-as'] === undefined ? [] : [entry['source-as']]
      const parts = [entry.code, entry.rd, ...as, bits, entry.source, bits, entry.group]
      return { ...rd, nlri: parts.map((part) => `[${part}]`).join(':') }
    }
    case 65:
      return { ...rd, nlri: `[${entry.rd}]:[${entry.endpoint}]:[${entry.offset}]` }
    case 73:
      return { nlri: `[${entry.distinguisher}]:[${entry.color}]:[${entry.endpoint}]` }
    case 133:
    case 134: {
      const text: string[] = []
      for (const name of ['destination', 'source']) {
        for (const prefix of entry[`${name}-ipv4`] ?? []) text.push(`${name} ${prefix}`)
        // address/length/offset
        for (const prefix of entry[`${name}-ipv6`] ?? []) {
          const [address, length, offset] = String(prefix).split('/')
          text.push(`${name} ${address}/${offset === '0' ? '' : `${offset}-`}${length}`)
        }
      }
      return { ...rd, flow_prefixes: text.join(' ') }
    }
    case 71:
    case 85:
      return rd
    default:
      return prefix(entry, withdraw)
  }
}

function prefix(entry: any, withdraw: boolean): Texts {
  const texts: Texts = { prefix: entry.nlri, rd: entry.rd ?? '' }
  if (entry['path-information'] !== undefined) {
    const parts = String(entry['path-information']).split('.').map(Number)
    const id = parts.reduce((sum, part) => sum * 256 + part, 0)
    texts.path_id = String(id)
  }
  const raw = entry.label as number[][] | undefined
  if (raw !== undefined) {
    const filler = withdraw && raw.length > 0 && (raw[0]![1] === 0x800000 || raw[0]![1] === 0)
    texts.labels = filler ? '' : raw.map(([label]) => label).join(' ')
  }
  return texts
}

/** From the octets of the NLRI where it names no field: type, length, route distinguisher. */
function evpn(entry: any): Texts {
  const texts: Texts = { evpn_type: String(entry.code), prefix: '' }
  if (entry.parsed !== true) return texts
  const raw = String(entry.raw).toLowerCase()
  texts.rd = rdText(raw.slice(4, 20))
  if (entry['ethernet-tag'] !== undefined) texts.eth_tag = String(entry['ethernet-tag'])
  if (entry.mac !== undefined) texts.mac = String(entry.mac).toLowerCase()
  if (entry.code === 2) texts.host_ip = entry.ip ?? ''
  if (entry.code === 5) texts.prefix = `${entry.ip}/${entry.iplen}`
  if (entry.code === 3) texts.orig_ip = String(entry.ip ?? '')
  return texts
}
