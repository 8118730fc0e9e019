/* eslint-disable @typescript-eslint/no-explicit-any -- JSON of another program */
/** TShark's JSON: `messages[i]` is message i, with `bmp` and in it `bgp`, or `bgp` alone. */
import {
  extText,
  pathText,
  rdText,
  type Route,
  type Segment,
  type Texts,
  type Told,
} from './model.ts'

const PA = 'bgp.update.path_attribute'

export function tsharkTold(message: any): Told {
  const layers = message?.bmp?.bgp ?? message?.bgp
  if (message?.bmp !== undefined && message.bmp['bmp.type'] !== '0') return { routes: [] }
  if (layers === undefined) return { why: 'no BGP in its decode' }
  const routes: Route[] = []
  let addPath = false
  // A Route Monitoring message has one UPDATE (RFC 7854 section 4.6); TShark reads on behind it.
  const updates = list(layers).filter((layer) => layer?.['bgp.type'] === '2')
  for (const layer of updates.slice(0, 1)) {
    const text = JSON.stringify(layer)
    if (text.includes('_ws.malformed')) return { why: 'malformed, says TShark' }
    // RFC 4760 section 3 made it a reserved octet.
    if (/nbr_snpa":"[1-9]/.test(text))
      return { why: 'it takes the reserved octet for a number of SNPAs' }
    if (text.includes('nlri_path_id')) addPath = true
    routes.push(...updateRoutes(layer))
  }
  return { routes, addPath }
}

function list(value: any): any[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value]
}

function updateRoutes(layer: any): Route[] {
  const attributes = list(layer['bgp.update.path_attributes']?.[PA])
  const shared = attributeTexts(attributes)
  const routes: Route[] = []
  for (const nlri of prefixes(layer['bgp.update.withdrawn_routes'])) {
    routes.push({ action: 'withdraw', afi: 1, safi: 1, texts: nlri })
  }
  const hop = attributes.find((attribute) => attribute[`${PA}.next_hop`] !== undefined)
  for (const attribute of attributes) {
    const code = attribute[`${PA}.type_code`]
    if (code === '15') {
      const [afi, safi] = familyOf(attribute, 'mp_unreach_nlri')
      for (const texts of nlriOf(attribute[`${PA}.mp_unreach_nlri`], afi, safi, true)) {
        routes.push({ action: 'withdraw', afi, safi, texts })
      }
    } else if (code === '14') {
      const [afi, safi] = familyOf(attribute, 'mp_reach_nlri')
      const tree = attribute[`${PA}.mp_reach_nlri.next_hop_tree`] ?? {}
      const at = `${PA}.mp_reach_nlri.next_hop`
      const next: Texts = {
        next_hop: first(tree[`${at}.ipv4`] ?? tree[`${at}.ipv6`]) ?? '',
        next_hop_ll: first(tree[`${at}.ipv6.link_local`]) ?? '',
      }
      for (const texts of nlriOf(attribute[`${PA}.mp_reach_nlri`], afi, safi, false)) {
        routes.push({ action: 'announce', afi, safi, texts: { ...shared, ...next, ...texts } })
      }
    }
  }
  for (const nlri of prefixes(layer['bgp.update.nlri'])) {
    const next = { next_hop: hop?.[`${PA}.next_hop`] ?? '', next_hop_ll: '' }
    routes.push({ action: 'announce', afi: 1, safi: 1, texts: { ...shared, ...next, ...nlri } })
  }
  return routes
}

function first(value: any): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

function familyOf(attribute: any, name: string): [number, number] {
  return [Number(attribute[`${PA}.${name}.afi`]), Number(attribute[`${PA}.${name}.safi`])]
}

const ORIGINS = ['igp', 'egp', 'incomplete']

function attributeTexts(attributes: readonly any[]): Texts {
  const texts: Texts = {
    origin: '',
    as_path: '',
    med: '',
    local_pref: '',
    communities: '',
    large_communities: '',
    originator_id: '',
    cluster_list: '',
    ext_communities: '',
  }
  const seen = new Set<string>()
  for (const attribute of attributes) {
    const code: string = attribute[`${PA}.type_code`]
    // Of several of one kind the first counts (RFC 7606 section 3 (g)).
    if (seen.has(code)) continue
    seen.add(code)
    switch (code) {
      case '1':
        texts.origin = ORIGINS[Number(attribute[`${PA}.origin`])] ?? ''
        break
      case '2': {
        const segments = list(attribute[`${PA}.as_path_segment`]).map((segment): Segment => {
          const at = `${PA}.as_path_segment`
          const asns = list(segment[`${at}.as4`] ?? segment[`${at}.as2`])
          return { type: Number(segment[`${at}.type`]), asns }
        })
        texts.as_path = pathText(segments)
        break
      }
      case '4':
        texts.med = attribute[`${PA}.multi_exit_disc`] ?? ''
        break
      case '5':
        texts.local_pref = attribute[`${PA}.local_pref`] ?? ''
        break
      case '8':
        {
          const pairs = list(attribute[`${PA}.communities`]?.[`${PA}.community`])
          texts.communities = pairs
            .map((pair) => `${pair[`${PA}.community_as`]}:${pair[`${PA}.community_value`]}`)
            .join(' ')
          // Reserved and well-known ones are texts there, not pairs, or not in the list at all.
          const all = Number(attribute[`${PA}.length`]) / 4
          if (/undefined/.test(texts.communities) || pairs.length < all) delete texts.communities
        }
        break
      case '9':
        texts.originator_id = attribute[`${PA}.originator_id`] ?? ''
        break
      case '10':
        texts.cluster_list = list(
          attribute['bgp.path_attribute.cluster_list']?.['bgp.path_attribute.cluster_id'],
        ).join(' ')
        break
      case '16': {
        const all = list(attribute['bgp.ext_communities']?.['bgp.ext_community']).map(extCommunity)
        // Those whose octets it does not show in full can't be compared.
        if (all.some((text) => text === undefined)) delete texts.ext_communities
        else texts.ext_communities = all.join(' ')
        break
      }
      case '32':
        texts.large_communities = list(attribute['bgp.large_communities_tree'])
          .map((tree) =>
            ['ga', 'ldp1', 'ldp2'].map((n) => tree[`bgp.large_communities.${n}`]).join(':'),
          )
          .join(' ')
        break
      default:
    }
  }
  return texts
}

function hex(n: number | string, octets: number): string {
  return Number(n)
    .toString(16)
    .padStart(2 * octets, '0')
    .slice(-2 * octets)
}

function extCommunity(tree: any): string | undefined {
  const type = Number(tree['bgp.ext_com.type'])
  const key = Object.keys(tree).find((name) => name.startsWith('bgp.ext_com.stype'))
  if (key === undefined) return undefined
  const sub = Number(tree[key])
  const head = hex(type, 1) + hex(sub, 1)
  const get = (name: string): any => tree[`bgp.ext_com.${name}`]
  if ((type === 0 || type === 0x40) && get('value_link_bw') !== undefined) {
    // It shows the bandwidth as a rounded number.
    return undefined
  }
  if (
    (type === 0 || type === 0x40) &&
    get('value_as2') !== undefined &&
    get('value_an4') !== undefined
  )
    return extText(head + hex(get('value_as2'), 2) + hex(get('value_an4'), 4))
  if (
    (type === 1 || type === 0x41) &&
    get('value_IP4') !== undefined &&
    get('value_an2') !== undefined
  ) {
    const address = String(get('value_IP4'))
      .split('.')
      .map((n) => hex(n, 1))
      .join('')
    return extText(head + address + hex(get('value_an2'), 2))
  }
  if (
    (type === 2 || type === 0x42) &&
    get('value_as4') !== undefined &&
    get('value_an2') !== undefined
  )
    return extText(head + hex(get('value_as4'), 4) + hex(get('value_an2'), 2))
  if (type === 3 && sub === 0x0c && get('tunnel_type') !== undefined)
    return extText(`${head}00000000${hex(get('tunnel_type'), 2)}`)
  return undefined
}

// --- NLRI -----------------------------------------------------------------------------------------

/** IPv4 unicast fields of the message itself: one tree per prefix. */
function prefixes(node: any): Texts[] {
  if (node === undefined || typeof node === 'string') return []
  return entries(node).flatMap((tree) => {
    const address = tree['bgp.nlri_prefix'] ?? tree['bgp.withdrawn_prefix']
    if (address === undefined) return []
    return [{ ...pathId(tree), prefix: `${address}/${tree['bgp.prefix_length']}`, rd: '' }]
  })
}

function pathId(tree: any): Texts {
  return { path_id: tree['bgp.nlri_path_id'] ?? '0' }
}

/** Every tree below, those of arrays too, in order. */
function entries(node: any): any[] {
  if (node === null || typeof node !== 'object') return []
  return Object.values(node).flatMap((value) =>
    list(value).filter((each) => each !== null && typeof each === 'object'),
  )
}

function nlriOf(node: any, afi: number, safi: number, withdraw: boolean): Texts[] {
  if (node === undefined || typeof node === 'string') return []
  if (afi === 25 && safi === 70)
    return list(node['bgp.evpn.nlri']).map((tree) => evpn(tree, withdraw))
  if (afi === 2 && safi === 128) {
    // TShark 4.0 prints its own format string here: how many is all that it tells.
    return list(node['bgp.label_stack']).map(() => ({}))
  }
  if (![1, 2, 4, 128].includes(safi) || (afi !== 1 && afi !== 2)) return []
  return entries(node).flatMap((tree): Texts[] => {
    const name = Object.keys(tree).find((each) => /_ipv[46]_prefix$/.test(each))
    if (name === undefined) return []
    const stack = String(tree['bgp.label_stack'] ?? '')
    const labels = [...stack.matchAll(/\d+/g)].map(([n]) => n)
    const length = Number(tree['bgp.prefix_length'])
    // Labels and route distinguisher count, as in the octet on the wire.
    const label = safi === 4 || safi === 128 ? 24 * Math.max(1, labels.length) : 0
    const bits = length - (safi === 128 ? 64 : 0) - label
    const texts: Texts = { ...pathId(tree), prefix: `${tree[name]}/${bits}` }
    texts.rd = safi === 128 ? (tree['bgp.rd'] ?? '') : ''
    if (safi === 4 || safi === 128) {
      texts.labels = stack.includes('withdrawn') ? '' : labels.join(' ')
    }
    return [texts]
  })
}

function evpn(tree: any, withdraw: boolean): Texts {
  const get = (name: string): any => tree[`bgp.evpn.nlri.${name}`]
  const type = Number(get('rt'))
  const rd = String(get('rd') ?? '').replaceAll(':', '')
  const texts: Texts = { evpn_type: String(type) }
  if (type > 5) return texts
  texts.rd = rdText(rd)
  texts.esi = get('esi') ?? ''
  if (type !== 4) texts.eth_tag = get('etag') ?? ''
  texts.mac = get('mac_addr') ?? ''
  const address = get('ip.addr') ?? get('ipv6.addr') ?? ''
  texts.host_ip = type === 2 ? address : ''
  texts.orig_ip = type === 3 || type === 4 ? address : ''
  if (type === 5) {
    texts.prefix = `${address}/${get('prefix_len')}`
    texts.gw_ip = get('ipv4.gtw_addr') ?? get('ipv6.gtw_addr') ?? ''
    if (/^(0\.0\.0\.0|::)$/.test(texts.gw_ip ?? '')) texts.gw_ip = ''
  } else texts.prefix = ''
  // Of type 5 it shows all 24 bits.
  const raw = tree[`${PA}.mpls_label`]?.[`${PA}.mpls_label_value`]
  const first = get('mpls_ls1') ?? (raw === undefined ? undefined : String(Number(raw) >> 4))
  const shown = [first, get('mpls_ls2')].filter((label) => label !== undefined)
  if (!withdraw && shown.length > 0 && get('vni') === undefined) texts.labels = shown.join(' ')
  return texts
}
