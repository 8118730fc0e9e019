/** GoBGP 3.10: configuration files, daemons, and the EVPN routes they originate. */
import { join } from 'node:path'
import { run } from './machine.ts'
import { EVPN_AS, L2VNI, L3VNI, peersOf, routerMac } from './topology.ts'
import type { Evpn, Router, Vm } from './topology.ts'

/** Numbers of the route distinguishers `ROUTER_ID:NUMBER`: the MAC-VRF and the IP-VRF of a leaf. */
const RD_L2 = L2VNI
const RD_L3 = 5001

const FAMILIES = ['l2vpn-evpn', 'ipv4-unicast', 'ipv6-unicast']

export function gobgpConf(
  evpn: Evpn,
  router: Router,
  collector: { host: string; port: number },
): string {
  const out = [
    '[global.config]',
    `as = ${router.asn}`,
    `router-id = "${router.routerId}"`,
    'port = 179',
    `local-address-list = ["${router.routerId}"]`,
    '[[bmp-servers]]',
    '[bmp-servers.config]',
    `address = "${collector.host}"`,
    `port = ${collector.port}`,
    'route-monitoring-policy = "all"',
    'statistics-timeout = 15',
    `sys-name = "${router.name}"`,
    `sys-descr = "GoBGP ${router.role}"`,
  ]
  for (const peer of peersOf(evpn, router)) {
    out.push(
      '[[neighbors]]',
      '[neighbors.config]',
      `neighbor-address = "${peer.routerId}"`,
      `peer-as = ${peer.asn}`,
      `description = "${peer.name}"`,
      '[neighbors.transport.config]',
      `local-address = "${router.routerId}"`,
    )
    if (router.role === 'rr') {
      out.push(
        'passive-mode = true',
        '[neighbors.route-reflector.config]',
        'route-reflector-client = true',
        `route-reflector-cluster-id = "${router.routerId}"`,
      )
    }
    out.push(
      '[neighbors.timers.config]',
      'connect-retry = 1',
      'hold-time = 9',
      'keepalive-interval = 3',
      'idle-hold-time-after-reset = 1',
    )
    for (const family of FAMILIES) {
      out.push('[[neighbors.afi-safis]]', '[neighbors.afi-safis.config]')
      out.push(`afi-safi-name = "${family}"`)
    }
  }
  return out.join('\n') + '\n'
}

export const apiSocket = (dir: string): string => join(dir, 'api.sock')

export const gobgpdArgv = (dir: string): string[] => [
  ...['gobgpd', '-p', '--cpus', '1', '-f', join(dir, 'gobgpd.toml'), '--pprof-disable'],
  ...['--api-hosts', `unix://${apiSocket(dir)}`],
]

/** @throws Error with what gobgp said: it exits 0 on many errors and prints them on stdout */
export async function gobgp(dir: string, words: readonly string[]): Promise<string> {
  const out = await run('gobgp', ['--target', `unix://${apiSocket(dir)}`, ...words])
  if (/^(error|usage)/i.test(out)) throw new Error(`gobgp ${words.join(' ')}: ${out.trim()}`)
  return out
}

/** How many of its neighbours a router has an established session with. */
export async function established(dir: string): Promise<number> {
  const table = JSON.parse((await gobgp(dir, ['neighbor', '-j'])) || '[]') as {
    state?: { session_state?: number }
  }[]
  const ESTABLISHED = 6
  return table.filter((n) => n.state?.session_state === ESTABLISHED).length
}

export type Op = 'add' | 'del'

const globalRib = (op: Op): string[] => ['global', 'rib', '-a', 'evpn', op]

/** Type 2 with both labels, L2VNI and L3VNI (symmetric IRB, RFC 9135). GoBGP sets MAC mobility. */
export const macIpRoute = (op: Op, leaf: Router, vm: Vm): string[] => [
  ...globalRib(op),
  ...['macadv', vm.mac, vm.ip, 'esi', '0', 'etag', '0', 'label', `${L2VNI},${L3VNI}`],
  ...['rd', `${leaf.routerId}:${RD_L2}`],
  ...(op === 'del'
    ? []
    : [
        ...['rt', `${EVPN_AS}:${L2VNI}`, `${EVPN_AS}:${L3VNI}`],
        ...['encap', 'vxlan', 'router-mac', routerMac(leaf)],
      ]),
]

/** Type 3, ingress replication. */
export const multicastRoute = (leaf: Router): string[] => [
  ...globalRib('add'),
  ...['multicast', leaf.routerId, 'etag', '0', 'rd', `${leaf.routerId}:${RD_L2}`],
  ...['rt', `${EVPN_AS}:${L2VNI}`, 'encap', 'vxlan'],
  ...['pmsi', 'ingress-repl', String(L2VNI), leaf.routerId],
]

/** Type 5 without gateway address: the leaf itself is the way in (RFC 9136 section 4.4). */
export const prefixRoute = (op: Op, leaf: Router, prefix: string): string[] => [
  ...globalRib(op),
  ...['prefix', prefix, 'esi', '0', 'etag', '0', 'label', String(L3VNI)],
  ...['rd', `${leaf.routerId}:${RD_L3}`],
  ...(op === 'del'
    ? []
    : ['rt', `${EVPN_AS}:${L3VNI}`, 'encap', 'vxlan', 'router-mac', routerMac(leaf)]),
]
