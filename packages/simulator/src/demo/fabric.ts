import type { BmpSink } from '../model/bmp-feed.ts'
import { Fabric } from '../model/fabric.ts'
import { unicast } from '../model/routes.ts'
import { Simulation } from '../model/simulation.ts'
import { T1, V1, V2, V3 } from '../topology/t1.ts'
import { mac, T2, type Leaf } from '../topology/t2.ts'

const HISTORY_US = 3_600e6
const NODE7 = '10.10.19.17'
const NODE7_PODS = '10.10.20.0/26'

/** Seconds of the story; it repeats for ever. */
const FLAP = { first: 8, down: 4, up: 5, times: 6, pause: 45 }
const MOVE = { first: 12, every: 150, podsFollowAfter: 80 }
const ROLLOUT = { first: 20, every: 15 }

/**
 * The fabric of `ribscope up --demo`: T1 and T2 side by side, in trouble.
 *
 * - v1, announced by n1 alone, flaps: six times 4 s down, a pause, and again.
 * - v2 is on three nodes of rack 1 and on one of rack 2: that one gets half of the traffic.
 * - node7 moves between leaf11 and leaf23; its pods' RT-5 stays behind for 80 s each time.
 * - Everything else is healthy; pods come and go on n2 and n3.
 */
export class DemoFabric {
  readonly sim: Simulation
  readonly fabric: Fabric
  readonly #t1: T1
  readonly #t2: T2
  #home: Leaf = 'leaf11'
  #sequence = 0

  constructor(startUs: number, sinkOf: (router: { name: string; address: string }) => BmpSink) {
    this.sim = new Simulation(startUs, 1, HISTORY_US)
    this.fabric = new Fabric(this.sim, sinkOf)
    this.#t1 = new T1(this.fabric, {
      nodes: [
        { name: 'n1', rack: 1, vips: [V1, V2, V3] },
        { name: 'n2', rack: 1, vips: [V2] },
        { name: 'n3', rack: 1, vips: [V2] },
        { name: 'n4', rack: 2, vips: [V2, V3] },
      ],
    })
    this.#t2 = new T2(this.fabric, { reflectors: ['evpn-rr1', 'evpn-rr2'] })
    // The holds of a real network are minutes; nobody watches a demo that long.
    this.fabric.inventory.detectors = {
      settle_s: 3,
      ecmp_hold_s: 5,
      share_hold_s: 5,
      settle_t5_s: 5,
    }
    this.#node7()
    this.sim.runUntil(startUs)
    this.fabric.statisticsEvery(15)
    this.sim.second(FLAP.first, () => {
      this.#flap(0)
    })
    this.sim.second(MOVE.first, () => {
      this.#move()
    })
    this.sim.second(ROLLOUT.first, () => {
      this.#rollout(0)
    })
  }

  yaml(): string {
    return this.fabric.inventory.toYaml(
      'Ribscope demo: a simulated fabric in trouble. Holds are 3 to 5 s here, minutes by default.',
    )
  }

  #node7(): void {
    // Its own /32 on both sessions, the pods on one of them at a time.
    const node = this.#t2.worker('node7', NODE7, ['leaf11', 'leaf23'], [`${NODE7}/32`])
    this.#t2.prefixNode(NODE7_PODS, NODE7)
    this.#t2.before(() => {
      node.announce([this.#pods()], { on: [this.#home] })
      this.#t2.announceHost(this.#home, this.#host())
      this.#t2.announcePrefix(this.#home, { prefix: NODE7_PODS })
    })
  }

  #pods(): ReturnType<typeof unicast> {
    const { asn } = this.fabric.node('node7').speaker
    return unicast(NODE7_PODS, { origin: 0, asPath: [asn], nextHop: NODE7 })
  }

  #host(): { ip: string; mac: string; sequence: number } {
    return { ip: NODE7, mac: mac(17), sequence: this.#sequence }
  }

  #flap(done: number): void {
    const node = this.fabric.node('n1')
    const skew = { skewUs: 400_000 }
    node.withdraw([this.#t1.vip('n1', V1)], skew)
    this.sim.after(FLAP.down * 1e6, () => {
      node.announce([this.#t1.vip('n1', V1)], skew)
    })
    const last = done + 1 === FLAP.times
    this.sim.after((FLAP.down + FLAP.up + (last ? FLAP.pause : 0)) * 1e6, () => {
      this.#flap(last ? 0 : done + 1)
    })
  }

  /** The VM goes to the other leaf, its RT-2 follows at once and the pods' RT-5 much later. */
  #move(): void {
    const from = this.#home
    const to: Leaf = from === 'leaf11' ? 'leaf23' : 'leaf11'
    const before = this.#host()
    this.#home = to
    this.#sequence++
    this.#t2.announceHost(to, this.#host())
    this.sim.after(300_000, () => {
      this.#t2.withdrawHost(from, before)
    })
    this.sim.after(MOVE.podsFollowAfter * 1e6, () => {
      const node = this.fabric.node('node7')
      node.announce([this.#pods()], { on: [to] })
      this.#t2.announcePrefix(to, { prefix: NODE7_PODS })
      node.withdraw([this.#pods()], { on: [from] })
      this.#t2.withdrawPrefix(from, { prefix: NODE7_PODS })
    })
    this.sim.after(MOVE.every * 1e6, () => {
      this.#move()
    })
  }

  /** Healthy churn: a node gets one more pod network, and gives it back. */
  #rollout(turn: number): void {
    const name = turn % 2 === 0 ? 'n2' : 'n3'
    const network = this.#t1.vip(name, `10.128.${turn % 2 === 0 ? 20 : 30}.0/26`)
    const node = this.fabric.node(name)
    if (turn % 4 < 2) node.announce([network])
    else node.withdraw([network])
    this.sim.after(ROLLOUT.every * 1e6, () => {
      this.#rollout(turn + 1)
    })
  }
}

const NOWHERE: BmpSink = { open: () => undefined, data: () => undefined, close: () => undefined }

/** fabric.yaml of the demo. */
export function demoFabricYaml(): string {
  return new DemoFabric(0, () => NOWHERE).yaml()
}
