/**
 * A small datacentre of real routers on this machine: FRR and GoBGP daemons in network namespaces,
 * whose BMP arrives at an address in this machine's own namespace, each router from its own.
 *
 *   const lab = await createLab({ parts: ['clos'] })      // namespaces and links; lab.host is there
 *   // start a collector on lab.host (or 0.0.0.0)
 *   await lab.start({ port: 11019 })                      // daemons; BGP settles; BMP goes out
 *   await lab.announce('node1', '10.10.21.66/32', false)
 *   await lab.close()                                     // nothing is left
 *
 * Nothing leaves the machine: the namespaces have no default route and no link but the lab's own.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as frr from './frr.ts'
import * as go from './gobgp.ts'
import { ip, Machine, pause, run, until, unixNow } from './machine.ts'
import { createClos, createEvpn, linkMac, neighbours, peersOf } from './topology.ts'
import type { Clos, Evpn, Router, Vm } from './topology.ts'

export type Part = 'clos' | 'evpn'

export interface LabOptions {
  readonly parts: readonly Part[]
  /** Kubernetes nodes in each rack of the Clos; as many racks as numbers. */
  readonly nodesPerRack?: readonly number[]
  /**
   * When BMP starts at the FRR routers. `settled`: routers that have been there for long connect to
   * a new collector (default). `boot`: BMP is there before BGP; FRR's post-policy view suffers.
   * `configured`: somebody adds BMP to the configuration of a running router; Peer Up lacks OPENs.
   */
  readonly bmp?: 'settled' | 'boot' | 'configured'
  /** Leave the daemons' configuration and logs behind. */
  readonly keepLogs?: boolean
  readonly log?: (line: string) => void
}

/** Something that was done to the lab. */
export interface LabEvent {
  /** UNIX seconds of this machine's clock, before the command that does it. */
  readonly at: number
  readonly what: string
  readonly [detail: string]: unknown
}

const SETTLE_LIMIT_MS = 45_000
const BRIDGE_HOST = 254

/** A /24 of 10.213.0.0/16 that this machine has no address or route in. */
async function freeNetwork(): Promise<string> {
  const used = (await run('ip', ['-4', 'addr'])) + (await run('ip', ['-4', 'route']))
  for (let i = 0; i < 250; i += 1) {
    const net = `10.213.${(process.pid + i) % 250}.`
    if (!used.includes(net)) return net
  }
  throw new Error('10.213.0.0/16 has no free /24')
}

export async function createLab(options: LabOptions): Promise<Lab> {
  const lab = new Lab(options, await freeNetwork())
  try {
    await lab.buildNetwork()
  } catch (error) {
    await lab.close()
    throw error
  }
  return lab
}

export class Lab {
  readonly clos: Clos
  readonly evpn: Evpn
  /** Where the collector is: an address of this machine that every router can reach. */
  readonly host: string
  readonly events: LabEvent[] = []
  readonly #machine: Machine
  readonly #options: LabOptions
  readonly #net: string
  #collector = { host: '', port: 0 }

  /** Use `createLab`. */
  constructor(options: LabOptions, net: string) {
    this.#options = options
    this.#net = net
    this.host = `${net}${BRIDGE_HOST}`
    const empty = { routers: [], links: [], vms: [], vips: new Map<string, string[]>() }
    this.clos = this.has('clos') ? createClos(options.nodesPerRack) : empty
    this.evpn = this.has('evpn') ? createEvpn() : empty
    this.#machine = new Machine({ keepLogs: options.keepLogs ?? false })
  }

  has(part: Part): boolean {
    return this.#options.parts.includes(part)
  }

  get routers(): Router[] {
    return [...this.clos.routers, ...this.evpn.routers]
  }

  /** Folder of the daemons' files. */
  get dir(): string {
    return this.#machine.dir
  }

  /** Prefix of the namespaces. */
  get prefix(): string {
    return this.#machine.prefix
  }

  router(name: string): Router {
    const found = this.routers.find((r) => r.name === name)
    if (found === undefined) throw new Error(`the lab has no router ${name}`)
    return found
  }

  /** The address that a router's BMP comes from. */
  source(router: Router): string {
    return `${this.#net}${router.index}`
  }

  space(router: Router): string {
    return `${this.prefix}${router.name}`
  }

  note(what: string, detail: Record<string, unknown> = {}): number {
    const at = unixNow()
    this.events.push({ at, what, ...detail })
    const words = Object.entries(detail).map(([key, value]) => `${key}=${String(value)}`)
    this.#options.log?.([at.toFixed(3), what, ...words].join(' '))
    return at
  }

  // -- up and down ------------------------------------------------------------------------------

  /** Namespaces, links and addresses; no daemon yet. */
  async buildNetwork(): Promise<void> {
    const lan = `${this.prefix}lan`
    const spaces = [...this.routers.map((r) => this.space(r)), ...(this.has('evpn') ? [lan] : [])]
    await this.#machine.namespaces(spaces)
    const settings = [
      ...['net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.all.accept_dad=0'],
      ...['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'],
      ...['net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0'],
    ]
    for (const space of spaces) {
      await run('ip', ['netns', 'exec', space, 'sysctl', '-q', '-w', ...settings])
    }

    // BMP: a bridge in this namespace, a veth from each router that exports.
    const bridge = `${this.#machine.linkPrefix}br`
    const exporters = this.routers.filter((r) => r.bmp)
    const port = (r: Router): string => `${this.#machine.linkPrefix}v${r.index}`
    this.#machine.noteLinks([bridge, ...exporters.map(port)])
    await ip([
      `link add name ${bridge} type bridge`,
      `addr add ${this.host}/24 dev ${bridge}`,
      ...exporters.flatMap((r) => [
        `link add name ${port(r)} type veth peer name bmp0 netns ${this.space(r)}`,
        `link set ${port(r)} master ${bridge} addrgenmode none up`,
      ]),
      `link set ${bridge} up`,
    ])

    await ip([
      ...this.clos.links.map(({ a, b }) =>
        [
          `link add name ${b.name} address ${linkMac(a, b)} netns ${this.space(a)} type veth`,
          `peer name ${a.name} address ${linkMac(b, a)} netns ${this.space(b)}`,
        ].join(' '),
      ),
      ...this.evpn.routers.map(
        (r) =>
          `link add name eth0 netns ${this.space(r)} type veth peer name ${r.name} netns ${lan}`,
      ),
    ])
    if (this.has('evpn')) {
      await ip(
        [
          'link add name br0 type bridge',
          ...this.evpn.routers.map((r) => `link set ${r.name} master br0 up`),
          'link set br0 up',
        ],
        lan,
      )
    }
    for (const r of this.routers) {
      await ip(
        [
          'link set lo up',
          ...(r.bmp ? [`addr add ${this.source(r)}/24 dev bmp0`, 'link set bmp0 up'] : []),
          ...(r.part === 'evpn' ? [`addr add ${r.routerId}/16 dev eth0`, 'link set eth0 up'] : []),
          ...(r.part === 'clos' ? [`addr add ${r.routerId}/32 dev lo`] : []),
          ...neighbours(this.clos, r).map((peer) => `link set ${peer.name} up`),
          ...(r.role === 'tor' ? frr.l2vniCommands(r) : []),
        ],
        this.space(r),
      )
    }
  }

  /**
   * Starts the daemons and waits until BGP has settled; BMP goes out when `options.bmp` says.
   *
   * @param collector port at `host` (any address of this machine that the namespaces reach)
   */
  async start(collector: { host?: string; port: number }): Promise<void> {
    this.#collector = { host: collector.host ?? this.host, port: collector.port }
    this.note('start', { parts: this.#options.parts, collector: this.#collector.host })
    await Promise.all([this.#startClos(), this.#startEvpn()])
    this.note('settled')
    if (this.has('clos') && this.#options.bmp !== 'boot') {
      for (const r of this.clos.routers) if (r.bmp) await this.bmp(r.name, true)
    }
  }

  /** Ends the daemons and removes everything. */
  async close(): Promise<void> {
    await this.#machine.close()
  }

  // -- the FRR part -----------------------------------------------------------------------------

  async #startClos(): Promise<void> {
    for (const r of this.clos.routers) this.#spawnZebra(r)
    for (const r of this.clos.routers) {
      await this.#zebraUp(r)
      await this.#startBgpd(r)
    }
    if (this.has('clos')) await this.settleClos()
  }

  #spawnZebra(r: Router): void {
    const dir = this.#machine.routerDir(r.name, 'frr')
    rmSync(join(dir, 'zebra.vty'), { force: true }) // a killed zebra leaves it
    writeFileSync(join(dir, 'zebra.conf'), frr.zebraConf(r, dir))
    this.#spawn('zebra', r, frr.zebraArgv(dir))
  }

  async #zebraUp(r: Router): Promise<void> {
    const dir = this.#machine.routerDir(r.name)
    await until(`zebra of ${r.name}`, () => frr.vty(dir, 'zebra', ['show version']), 15_000)
  }

  async #startBgpd(r: Router): Promise<void> {
    const dir = this.#machine.routerDir(r.name)
    rmSync(join(dir, 'bgpd.vty'), { force: true }) // a killed bgpd leaves it
    const vips = [...this.clos.vips]
      .filter(([, nodes]) => nodes.includes(r.name))
      .map(([vip]) => vip)
    const bmp = r.bmp && this.#options.bmp !== 'configured'
    writeFileSync(join(dir, 'bgpd.conf'), frr.bgpdConf(this.clos, r, dir, { vips, bmp }))
    this.#spawn('bgpd', r, frr.bgpdArgv(dir))
    await until(`bgpd of ${r.name}`, () => frr.vty(dir, 'bgpd', ['show version']), 15_000)
    if (this.#options.bmp === 'boot' && r.bmp) await this.bmp(r.name, true)
  }

  /** Waits until every session is up and every spine has every VIP by each ToR that should have it. */
  async settleClos(): Promise<void> {
    const torsOf = (nodes: readonly string[]): number => {
      const racks = new Set(nodes.map((name) => this.router(name).rack))
      return this.clos.routers.filter((r) => r.role === 'tor' && racks.has(r.rack)).length
    }
    for (const r of this.clos.routers) {
      if (r.role === 'node') continue
      const peers = neighbours(this.clos, r).length
      await until(
        `${peers} BGP sessions of ${r.name}`,
        async () => (await this.established(r.name)) === peers,
        SETTLE_LIMIT_MS,
      )
      if (r.role !== 'spine') continue
      for (const [vip, nodes] of this.clos.vips) {
        const want = torsOf(nodes)
        await until(
          `${want} paths for ${vip} at ${r.name}`,
          async () => (await this.paths(r.name, vip)).length === want,
          SETTLE_LIMIT_MS,
        )
      }
    }
  }

  /** Runs commands at an FRR router's bgpd. */
  vty(router: string, ...commands: string[]): Promise<string[]> {
    return frr.vty(this.#machine.routerDir(router), 'bgpd', commands)
  }

  /** Number of established sessions of an FRR router. */
  async established(router: string): Promise<number> {
    const [text] = await this.vty(router, 'show bgp ipv4 unicast summary json')
    const { peers = {} } = JSON.parse(text ?? '{}') as { peers?: Record<string, { state: string }> }
    return Object.values(peers).filter((peer) => peer.state === 'Established').length
  }

  /** The paths that an FRR router has for a prefix, as `show bgp ... json` gives them. */
  async paths(router: string, prefix: string): Promise<FrrPath[]> {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4'
    const [text] = await this.vty(router, `show bgp ${family} unicast ${prefix} json`)
    return (JSON.parse(text ?? '{}') as { paths?: FrrPath[] }).paths ?? []
  }

  /** Switches a router's BMP on or off while BGP stays up (FRR only). */
  async bmp(router: string, on: boolean): Promise<void> {
    const r = this.router(router)
    this.note(on ? 'bmp on' : 'bmp off', { router })
    await this.vty(router, ...frr.bmpCommands(r, this.#collector, on))
  }

  /** A node announces or withdraws a prefix. */
  async announce(node: string, prefix: string, on: boolean): Promise<number> {
    const at = this.note(on ? 'announce' : 'withdraw', { node, prefix })
    await this.vty(node, ...frr.networkCommands(this.router(node), prefix, on))
    return at
  }

  /** Takes all links of a router of the Clos down or up. */
  async links(router: string, up: boolean): Promise<number> {
    const r = this.router(router)
    const at = this.note(up ? 'links up' : 'links down', { router })
    const state = up ? 'up' : 'down'
    await ip(
      neighbours(this.clos, r).map((peer) => `link set ${peer.name} ${state}`),
      this.space(r),
    )
    return at
  }

  /** Ends a router's BGP daemon; SIGKILL is a crash: the kernel closes its TCP sessions. */
  async kill(router: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    const r = this.router(router)
    const at = this.note('kill', { router, signal })
    await this.#machine.daemon(`${r.part === 'clos' ? 'bgpd' : 'gobgpd'}:${router}`)?.stop(signal)
    return at
  }

  /** Starts a router's BGP daemon again, with the configuration it began with. */
  async revive(router: string): Promise<number> {
    const r = this.router(router)
    const at = this.note('revive', { router })
    await (r.part === 'clos' ? this.#startBgpd(r) : this.#startGobgpd(r))
    // Its configuration would have it: BMP comes up with BGP.
    if (r.part === 'clos' && r.bmp && this.#options.bmp !== 'boot') await this.bmp(router, true)
    return at
  }

  /** A router of the Clos loses power: all links at once, BMP's too, then its daemons. */
  async powerOff(router: string): Promise<number> {
    const r = this.router(router)
    const at = this.note('power off', { router })
    // What its sockets still have to say (FIN) does not leave the machine.
    await ip(this.#allLinks(r, 'down'), this.space(r))
    await this.#endAll(r, 'SIGKILL')
    return at
  }

  async powerOn(router: string): Promise<number> {
    const r = this.router(router)
    const at = this.note('power on', { router })
    await ip(this.#allLinks(r, 'up'), this.space(r))
    await this.#startAll(r)
    return at
  }

  /** All daemons of an FRR router are told to end, and are started again after a while. */
  async restart(router: string, seconds: number): Promise<void> {
    const r = this.router(router)
    this.note('stop', { router })
    await this.#endAll(r, 'SIGTERM')
    await this.wait(seconds)
    this.note('start again', { router })
    await this.#startAll(r)
  }

  #allLinks(r: Router, state: 'up' | 'down'): string[] {
    const links = [...(r.bmp ? ['bmp0'] : []), ...neighbours(this.clos, r).map((peer) => peer.name)]
    return links.map((link) => `link set ${link} ${state}`)
  }

  async #endAll(r: Router, signal: NodeJS.Signals): Promise<void> {
    const names = ['bgpd', 'zebra']
    await Promise.all(
      names.map(async (name) => this.#machine.daemon(`${name}:${r.name}`)?.stop(signal)),
    )
  }

  async #startAll(r: Router): Promise<void> {
    this.#spawnZebra(r)
    await this.#zebraUp(r)
    await this.#startBgpd(r)
    if (r.bmp && this.#options.bmp !== 'boot') await this.bmp(r.name, true)
  }

  // -- the GoBGP part ---------------------------------------------------------------------------

  async #startEvpn(): Promise<void> {
    if (!this.has('evpn')) return
    for (const r of this.evpn.routers) await this.#startGobgpd(r)
    await this.#evpnSessions()
    for (const r of this.evpn.routers) {
      if (r.role === 'leaf') await this.gobgp(r.name, ...go.multicastRoute(r))
    }
    for (const vm of this.evpn.vms) {
      await this.hostRoute('add', vm.leaf, vm)
      await this.podRoute('add', vm.leaf, vm)
    }
    await this.settleEvpn()
  }

  async #evpnSessions(): Promise<void> {
    for (const r of this.evpn.routers) {
      const peers = peersOf(this.evpn, r).length
      await until(
        `${peers} BGP sessions of ${r.name}`,
        async () => (await go.established(this.#machine.routerDir(r.name))) === peers,
        SETTLE_LIMIT_MS,
        300,
      )
    }
  }

  /** Waits until every session is up and every router has every route. */
  async settleEvpn(): Promise<void> {
    await this.#evpnSessions()
    // A type 3 of each leaf, a type 2 and a type 5 of each VM.
    const leaves = this.evpn.routers.filter((r) => r.role === 'leaf').length
    await this.evpnSettled(leaves + 2 * this.evpn.vms.length)
  }

  async #startGobgpd(r: Router): Promise<void> {
    const dir = this.#machine.routerDir(r.name)
    rmSync(go.apiSocket(dir), { force: true }) // a killed gobgpd leaves it and could not start
    writeFileSync(join(dir, 'gobgpd.toml'), go.gobgpConf(this.evpn, r, this.#collector))
    this.#spawn('gobgpd', r, go.gobgpdArgv(dir))
    await until(
      `gobgpd of ${r.name}`,
      async () => (await this.gobgp(r.name, 'global')) !== '',
      15_000,
    )
  }

  /** Waits until every GoBGP router has that many EVPN routes. */
  async evpnSettled(routes: number): Promise<void> {
    for (const r of this.evpn.routers) {
      await until(
        `${routes} EVPN routes at ${r.name}`,
        async () => (await this.evpnRib(r.name)).length === routes,
        SETTLE_LIMIT_MS,
        300,
      )
    }
  }

  /** `gobgp WORDS` at a GoBGP router. */
  gobgp(router: string, ...words: string[]): Promise<string> {
    return go.gobgp(this.#machine.routerDir(router), words)
  }

  /** The destinations of a GoBGP router's EVPN table, as `gobgp global rib -a evpn -j` gives them. */
  async evpnRib(router: string): Promise<GobgpDestination[]> {
    const text = await this.gobgp(router, 'global', 'rib', '-a', 'evpn', '-j')
    const table = JSON.parse(text || '{}') as Record<string, GobgpPath[]>
    return Object.entries(table).map(([nlri, paths]) => ({ nlri, paths }))
  }

  /** A VM's type 2 route, at a leaf. */
  async hostRoute(op: go.Op, leaf: string, vm: Vm): Promise<number> {
    const at = this.note(`type 2 ${op}`, { leaf, vm: vm.name, mac: vm.mac, ip: vm.ip })
    await this.gobgp(leaf, ...go.macIpRoute(op, this.router(leaf), vm))
    return at
  }

  /** The type 5 route of a VM's pods, at a leaf, without gateway address. */
  async podRoute(op: go.Op, leaf: string, vm: Vm): Promise<number> {
    const at = this.note(`type 5 ${op}`, { leaf, vm: vm.name, prefix: vm.pods })
    await this.gobgp(leaf, ...go.prefixRoute(op, this.router(leaf), vm.pods))
    return at
  }

  #spawn(daemon: 'zebra' | 'bgpd' | 'gobgpd', r: Router, argv: readonly string[]): void {
    const log = join(this.#machine.routerDir(r.name), `${daemon}.out`)
    this.#machine.start(`${daemon}:${r.name}`, argv, log, this.space(r))
  }

  /** Time that passes between two things that happen. */
  async wait(seconds: number): Promise<void> {
    await pause(seconds * 1000)
  }
}

export interface FrrPath {
  readonly aspath: { readonly string: string }
  readonly peer: { readonly peerId: string; readonly routerId: string; readonly hostname?: string }
  readonly community?: { readonly list: readonly string[] }
  readonly nexthops: readonly { readonly ip: string; readonly afi: string }[]
}

export interface GobgpPath {
  readonly nlri: { readonly type: number; readonly value: Record<string, unknown> }
  readonly attrs: readonly Record<string, unknown>[]
  readonly 'source-id'?: string
  readonly 'neighbor-ip'?: string
}

export interface GobgpDestination {
  /** GoBGP's own text of the NLRI. */
  readonly nlri: string
  readonly paths: readonly GobgpPath[]
}
