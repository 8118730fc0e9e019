/** FRR 8.4: configuration files, daemons, and the vty sockets that steer them. */
import { connect } from 'node:net'
import { join } from 'node:path'
import { neighbours, nodePrefixes, TOR_L2VNI, V6_LOOPBACK_NET } from './topology.ts'
import type { Clos, Router } from './topology.ts'

const BIN = '/usr/lib/frr'

export const zebraConf = (router: Router, dir: string): string =>
  [
    `hostname ${router.name}`,
    `log file ${dir}/zebra.log`,
    'ip nht resolve-via-default',
    'ipv6 nht resolve-via-default',
    '',
  ].join('\n')

/** Import and export policy between a ToR and its nodes: service and pod prefixes in, default out. */
function torPolicy(rack: number): string[] {
  return [
    'ip prefix-list FROM-NODE seq 5 permit 10.10.0.0/16 ge 32',
    'ip prefix-list FROM-NODE seq 10 permit 10.128.0.0/16 ge 24 le 24',
    'ipv6 prefix-list FROM-NODE6 seq 5 permit 2001:db8::/32 ge 64',
    'ip prefix-list DEFAULT seq 5 permit 0.0.0.0/0',
    'ipv6 prefix-list DEFAULT6 seq 5 permit ::/0',
    'route-map FROM-NODE permit 10',
    ' match ip address prefix-list FROM-NODE',
    ` set community 65000:${100 + rack} additive`,
    'route-map FROM-NODE permit 20',
    ' match ipv6 address prefix-list FROM-NODE6',
    ` set community 65000:${100 + rack} additive`,
    'route-map TO-NODE permit 10',
    ' match ip address prefix-list DEFAULT',
    'route-map TO-NODE permit 20',
    ' match ipv6 address prefix-list DEFAULT6',
  ]
}

export interface BgpdOptions {
  /** VIPs that a node announces from the start. */
  readonly vips: readonly string[]
  /** Without it this FRR has no Adj-RIB-In, and its pre-policy feed is withdrawals only. */
  readonly softReconfiguration?: boolean
  /**
   * BMP is in the configuration from the start. If not, this FRR has kept no OPEN of sessions that
   * came up before: its Peer Up messages carry two OPENs of a header only.
   */
  readonly bmp: boolean
}

export function bgpdConf(clos: Clos, router: Router, dir: string, options: BgpdOptions): string {
  const peers = neighbours(clos, router)
  const soft = options.softReconfiguration ?? true
  const out = [`hostname ${router.name}`, `log file ${dir}/bgpd.log`, 'log timestamp precision 6']
  if (router.role === 'tor') out.push(...torPolicy(router.rack))
  if (router.role === 'node') {
    out.push('bgp as-path access-list OWN seq 5 permit ^$')
    out.push('route-map OWN-ONLY permit 10', ' match as-path OWN')
  }
  out.push(
    `router bgp ${router.asn}`,
    ` bgp router-id ${router.routerId}`,
    ' bgp log-neighbor-changes',
    ' no bgp ebgp-requires-policy',
    ' no bgp default ipv4-unicast',
    ' no bgp network import-check',
    ' bgp bestpath as-path multipath-relax',
    ' timers bgp 3 9',
  )
  for (const peer of peers) {
    out.push(
      ` neighbor ${peer.name} interface remote-as external`,
      ` neighbor ${peer.name} description ${peer.name}`,
      ` neighbor ${peer.name} timers connect 1`,
      ` neighbor ${peer.name} advertisement-interval 0`,
    )
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    out.push(` address-family ${family} unicast`)
    for (const prefix of originated(router, options.vips)) {
      if (prefix.includes(':') === (family === 'ipv6')) out.push(`  network ${prefix}`)
    }
    for (const peer of peers) {
      out.push(`  neighbor ${peer.name} activate`)
      if (soft) out.push(`  neighbor ${peer.name} soft-reconfiguration inbound`)
      if (router.role === 'tor' && peer.role === 'node') {
        out.push(
          `  neighbor ${peer.name} route-map FROM-NODE in`,
          `  neighbor ${peer.name} route-map TO-NODE out`,
          `  neighbor ${peer.name} default-originate`,
        )
      }
      if (router.role === 'node') out.push(`  neighbor ${peer.name} route-map OWN-ONLY out`)
    }
    out.push('  maximum-paths 64', ' exit-address-family')
  }
  if (router.role !== 'node') {
    out.push(' address-family l2vpn evpn')
    for (const peer of peers) {
      if (peer.role === 'node') continue
      out.push(`  neighbor ${peer.name} activate`)
      if (soft) out.push(`  neighbor ${peer.name} soft-reconfiguration inbound`)
    }
    if (router.role === 'tor') out.push('  advertise-all-vni', '  advertise-svi-ip')
    out.push(' exit-address-family')
  }
  if (options.bmp) out.push(...bmpTargets().map((line) => ` ${line}`), ' exit')
  out.push('exit', '')
  return out.join('\n')
}

const originated = (router: Router, vips: readonly string[]): string[] =>
  router.role === 'node'
    ? [...nodePrefixes(router), ...vips]
    : [`${router.routerId}/32`, `${V6_LOOPBACK_NET}${router.index}/128`]

/** What a router exports over BMP, to whomever it connects: three families, pre- and post-policy. */
export const bmpTargets = (): string[] => [
  'bmp targets ribscope',
  'bmp stats interval 15000',
  ...['ipv4 unicast', 'ipv6 unicast', 'l2vpn evpn'].flatMap((family) =>
    ['pre-policy', 'post-policy'].map((policy) => `bmp monitor ${family} ${policy}`),
  ),
]

/** Commands that connect a router to a collector, or take that back; BGP is left alone. */
export const bmpCommands = (
  router: Router,
  collector: { host: string; port: number },
  on: boolean,
): string[] => [
  'configure terminal',
  `router bgp ${router.asn}`,
  ...bmpTargets(),
  `${on ? '' : 'no '}bmp connect ${collector.host} port ${collector.port} min-retry 500 max-retry 2000`,
  'end',
]

/** Commands with which a node announces or withdraws a prefix. */
export const networkCommands = (router: Router, prefix: string, on: boolean): string[] => [
  'configure terminal',
  `router bgp ${router.asn}`,
  `address-family ${prefix.includes(':') ? 'ipv6' : 'ipv4'} unicast`,
  `${on ? '' : 'no '}network ${prefix}`,
  'end',
]

/** Daemons stay in the foreground, keep every file in `dir` and listen on no vty port. */
function argv(daemon: string, dir: string, extra: readonly string[]): string[] {
  const file = (name: string): string => join(dir, name)
  return [
    `${BIN}/${daemon}`,
    ...['-u', 'frr', '-g', 'frr', '-f', file(`${daemon}.conf`), '-i', file(`${daemon}.pid`)],
    ...['-z', file('zserv.api'), '--vty_socket', dir, '-P', '0', ...extra],
  ]
}

export const zebraArgv = (dir: string): string[] => argv('zebra', dir, ['-s', '4000000'])
export const bgpdArgv = (dir: string): string[] => argv('bgpd', dir, ['-M', 'bmp'])

/** A layer-2 VNI of a ToR: a bridge with a VXLAN port. zebra makes type 2 and 3 routes of it. */
export const l2vniCommands = (router: Router): string[] => [
  `link add name br${TOR_L2VNI} address 02:bb:00:00:00:${router.index.toString(16).padStart(2, '0')} type bridge`,
  `link add name vx${TOR_L2VNI} type vxlan id ${TOR_L2VNI} local ${router.routerId} dstport 4789 nolearning`,
  `link set vx${TOR_L2VNI} master br${TOR_L2VNI}`,
  `link set vx${TOR_L2VNI} type bridge_slave neigh_suppress on learning off`,
  `addr add 10.202.0.${200 + router.index}/24 dev br${TOR_L2VNI}`,
  `link set br${TOR_L2VNI} up`,
  `link set vx${TOR_L2VNI} up`,
]

/** Return codes of FRR's vty (lib/command.h): CMD_SUCCESS, CMD_WARNING. */
const VTY_OK = new Set([0, 1])
const VTY_TRAILER = 4

/**
 * Runs commands over a daemon's vty socket, as vtysh does, without its 50 ms of start-up.
 *
 * Each command goes out with a zero octet behind it; its answer is text, three zero octets and the
 * return code (lib/vty.c, vtysh_flush and vtysh_read).
 *
 * @returns the text of each command
 * @throws Error with the command and FRR's answer when a command fails
 */
export async function vty(
  dir: string,
  daemon: 'bgpd' | 'zebra',
  commands: readonly string[],
): Promise<string[]> {
  const socket = connect(join(dir, `${daemon}.vty`))
  socket.setTimeout(10_000, () => socket.destroy(new Error(`${daemon} in ${dir} does not answer`)))
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const answers: string[] = []
  try {
    for (const command of ['enable', ...commands]) {
      socket.write(`${command}\0`)
      let got = Buffer.alloc(0)
      while (!(got.length >= VTY_TRAILER && got.readUIntBE(got.length - VTY_TRAILER, 3) === 0)) {
        const { value, done } = await chunks.next()
        if (done === true) throw new Error(`${daemon} in ${dir} closed its vty at: ${command}`)
        got = Buffer.concat([got, value])
      }
      const text = got.subarray(0, -VTY_TRAILER).toString('utf8')
      const code = got[got.length - 1] ?? -1
      if (!VTY_OK.has(code)) throw new Error(`${daemon}: ${command}: ${code} ${text.trim()}`)
      answers.push(text)
    }
  } finally {
    socket.destroy()
  }
  return answers.slice(1)
}
