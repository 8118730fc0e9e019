/** `ribscope rib`: looking glass, now or at an instant. */
import { ApiClient, CLIENT_ENV, CLIENT_OPTIONS, CLIENT_USAGE, type Json } from '../client.ts'
import { UsageError, type Command } from '../command.ts'
import { screenOf, shortTime, shown, table, type Screen } from '../screen.ts'
import { flag, instant, number, oneOf, text } from '../values.ts'

const RIBS = ['adj_in_pre', 'adj_in_post', 'loc_rib', 'adj_out_pre', 'adj_out_post'] as const
const MATCHES = ['exact', 'longest', 'covering', 'covered'] as const
/** Flags that the API knows by the same name, dashes for underscores. */
const WORDS = ['router', 'peer', 'vrf', 'next-hop', 'as-path', 'origin-node', 'rd'] as const

export const command: Command = {
  name: 'rib',
  summary: 'looking glass: routes now or at an instant',
  usage: `ribscope rib [PREFIX] [flags]

PREFIX may be a host without length. Flags together mean all of them.

  --match HOW        exact (default); longest: what each view (router, peer, table, family, VRF) would
                     use for it; covering: it and all it lies in; covered: it and all inside it
  --router NAME      name, sysName or source address
  --rib NAME         ${RIBS.join(', ')}
  --peer WHO         address, or name of the node or router at the other end
  --vrf NAME         default: the global one; VPN and EVPN routes by L3VNI or route target
  --next-hop ADDRESS
  --as-path PATTERN  regular expression over the path, _ a boundary: _65001_, _65002$, ^$
  --community LIST   65000:1, 65000:1:2, rt:65000:100, no-export ...; several with commas: all of them
  --origin-node NAME who announced it first
  --rd RD            distinguisher, ADMIN:NUMBER
  --at TIME          as it was then: RFC 3339, or so long ago: -90s, -5m, -1h, -2d
  --limit N          at most so many (default 100)
${CLIENT_USAGE}`,
  options: {
    match: { type: 'string' },
    router: { type: 'string' },
    rib: { type: 'string' },
    peer: { type: 'string' },
    vrf: { type: 'string' },
    'next-hop': { type: 'string' },
    'as-path': { type: 'string' },
    community: { type: 'string' },
    'origin-node': { type: 'string' },
    rd: { type: 'string' },
    at: { type: 'string' },
    limit: { type: 'string' },
    ...CLIENT_OPTIONS,
  },
  env: CLIENT_ENV,
  async run(ctx) {
    const [prefix, ...more] = ctx.positionals
    if (more.length > 0) throw new UsageError('rib: expected at most one PREFIX')
    const { values } = ctx
    const match = oneOf(values, 'match', MATCHES)
    if (match !== undefined && prefix === undefined)
      throw new UsageError('--match goes with a PREFIX')
    const at = text(values, 'at')
    const limit = number(values, 'limit', { min: 1, max: 100_000, integer: true }) ?? 100
    const query = {
      prefix,
      match,
      rib: oneOf(values, 'rib', RIBS),
      ...Object.fromEntries(WORDS.map((name) => [name.replace('-', '_'), text(values, name)])),
      community: text(values, 'community'),
      at: at === undefined ? undefined : instant('--at', at),
    }
    const list = await new ApiClient(ctx).list('/rib', query, limit)
    if (flag(values, 'json')) {
      ctx.stdout.write(`${JSON.stringify(list, null, 2)}\n`)
      return 0
    }
    if (list.items.length === 0) ctx.stdout.write('no routes\n')
    else ctx.stdout.write(tableOf(screenOf(ctx.stdout), list.items))
    if (list.next !== null) ctx.stderr.write(`there are more than ${String(limit)}: see --limit\n`)
    return 0
  },
}

function tableOf(screen: Screen, items: readonly Json[]): string {
  const plain = (item: Json, name: string): string => shown(item[name])
  const rows = items.map((item) => {
    const dim = item['stale'] === 1 ? screen.dim : undefined
    return [
      { text: plain(item, 'nlri'), paint: dim },
      { text: plain(item, 'router'), paint: dim },
      { text: plain(item, 'rib'), paint: dim },
      { text: plain(item, 'peer_addr'), paint: dim },
      { text: plain(item, 'origin_node'), paint: dim },
      { text: plain(item, 'next_hop'), paint: dim },
      { text: shortTime(item['since'] ?? item['rx_ts']), paint: dim },
      { text: attributes(item), paint: dim },
    ]
  })
  return table(
    screen,
    ['ROUTE', 'ROUTER', 'RIB', 'PEER', 'ORIGIN', 'NEXT HOP', 'SINCE', 'ATTRIBUTES'],
    rows,
  )
}

function attributes(item: Json): string {
  const words = [
    ...(item['stale'] === 1 ? ['stale'] : []),
    `path ${String(item['as_path_text']) === '' ? 'empty' : String(item['as_path_text'])}`,
    ...(['', 'default'].includes(shown(item['vrf_name']))
      ? []
      : [`vrf ${shown(item['vrf_name'])}`]),
    ...(['origin', 'local_pref', 'med', 'gw_ip', 'vni'] as const).flatMap((name) => {
      const value = item[name]
      return value === null || value === '' || (name === 'vni' && value === 0)
        ? []
        : [`${name} ${shown(value)}`]
    }),
    ...(item['communities'] as string[]),
    ...(item['ext_communities'] as string[]),
    ...(item['large_communities'] as string[]),
  ]
  return words.join(' ')
}
