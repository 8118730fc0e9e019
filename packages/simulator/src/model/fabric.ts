import type { PeerDownReason } from '../encode/bmp.ts'
import type { BmpSink, SessionEnd } from './bmp-feed.ts'
import { Inventory } from './inventory.ts'
import { Node } from './node.ts'
import { Router, type RouterOptions } from './router.ts'
import type { SessionOptions, Speaker } from './session.ts'
import type { Simulation } from './simulation.ts'

export interface LinkOptions extends Pick<SessionOptions, 'families'> {
  /** AS numbers of the two ends, where they differ from the routers' own (local-as). */
  readonly asns?: readonly [number, number]
  readonly delayUs?: number
  /** The first router's BMP does not cover this session. */
  readonly unmonitored?: boolean
}

export interface AttachOptions extends Pick<SessionOptions, 'families' | 'rd' | 'gracefulRestart'> {
  /** The node's end, when that is not its own address. */
  readonly address?: string
}

/** Routers and nodes, who speaks to whom, and what fabric.yaml says about them. */
export class Fabric {
  readonly sim: Simulation
  readonly inventory = new Inventory()
  readonly routers = new Map<string, Router>()
  readonly nodes = new Map<string, Node>()
  /** Routers that export no BMP. */
  readonly silent = new Set<string>()
  readonly #sinkOf: (router: { name: string; address: string }) => BmpSink

  constructor(sim: Simulation, sinkOf: (router: { name: string; address: string }) => BmpSink) {
    this.sim = sim
    this.#sinkOf = sinkOf
  }

  addRouter(options: RouterOptions): Router {
    const router = new Router(this.sim, this.#sinkOf(options), options)
    this.routers.set(router.name, router)
    return router
  }

  addNode(speaker: Omit<Speaker, 'kind'>): Node {
    const node = new Node(this.sim, { ...speaker, kind: 'node' })
    this.nodes.set(node.name, node)
    return node
  }

  router(name: string): Router {
    const router = this.routers.get(name)
    if (router === undefined) throw new Error(`no router ${name}`)
    return router
  }

  node(name: string): Node {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`no node ${name}`)
    return node
  }

  /** A BGP session between two routers. */
  link(a: Router, b: Router, options: LinkOptions): void {
    const [asnA, asnB] = options.asns ?? [a.asn, b.asn]
    const common = {
      families: options.families,
      ...(options.delayUs === undefined ? {} : { delayUs: options.delayUs }),
    }
    const endA = a.addSession({
      ...common,
      peer: b.asSpeaker(asnB),
      localAddress: a.bgpId,
      localAsn: asnA,
      unmonitored: options.unmonitored === true,
    })
    const endB = b.addSession({
      ...common,
      peer: a.asSpeaker(asnA),
      localAddress: b.bgpId,
      localAsn: asnB,
    })
    endA.twin = endB
    endB.twin = endA
  }

  linkUp(a: string, b: string): void {
    const end = this.router(a).session(b)
    const other = this.router(b).session(a)
    end.router.sessionUp(end)
    other.router.sessionUp(other)
    this.sim.after(60_000, () => {
      end.router.endOfTable(end)
      other.router.endOfTable(other)
    })
  }

  /** Both ends notice, the second a moment later. */
  linkDown(a: string, b: string, why: PeerDownReason = { reason: 2, fsmEvent: 18 }): void {
    for (const end of [this.router(a).session(b), this.router(b).session(a)]) {
      end.router.sessionDown(end, why)
    }
  }

  /** A node's session with a router. */
  attach(node: Node, router: Router, options: AttachOptions): void {
    const { address, ...rest } = options
    node.attach(
      router.addSession({
        ...rest,
        peer: { ...node.speaker, address: address ?? node.speaker.address },
        localAddress: address?.includes(':') === true ? 'fe80::1' : router.bgpId,
        localAsn: router.asn,
      }),
    )
  }

  /** Brings every session up. Long before the first BMP byte, so that the fabric is at rest by then. */
  allUp(): void {
    for (const router of this.routers.values()) {
      for (const session of router.sessions) router.sessionUp(session)
    }
  }

  /** All routers open their BMP sessions, a few milliseconds apart. */
  connectAll(): void {
    for (const router of this.routers.values()) {
      if (this.silent.has(router.name)) continue
      this.sim.after(this.sim.random.between(0, 40_000), () => {
        router.feed.connect()
      })
    }
  }

  disconnectAll(how: SessionEnd): void {
    for (const router of this.routers.values()) router.feed.disconnect(how)
  }

  /** Statistics reports of all routers, again and again, each router at its own moment. */
  statisticsEvery(seconds: number): void {
    for (const router of this.routers.values()) {
      const again = (): void => {
        router.feed.statistics()
        this.sim.after(seconds * 1e6, again)
      }
      this.sim.after(this.sim.random.between(1, seconds * 1e6), again)
    }
  }
}
