/**
 * What happens to the lab, and what an analyser has to say about it.
 *
 * A scenario plays on a lab that is up and whose BMP feed has arrived; it returns what it did and the
 * findings (names and scopes of the API) that must and must not come of it.
 */
import type { Lab, LabEvent, Part } from './lab.ts'
import { unixNow } from './machine.ts'
import type { Vm } from './topology.ts'

/** Part of a finding: what is given must be equal (`metrics.tors`: the same set). */
export interface ExpectedFinding {
  readonly kind: string
  readonly scope: Readonly<Record<string, string>>
  readonly metrics?: Readonly<Record<string, unknown>>
  /** `resolved`: it is over by the end, and has to be closed by then. */
  readonly status?: 'open' | 'resolved'
}

export interface Story {
  readonly expect: readonly ExpectedFinding[]
  /** Kinds of which there must be no finding, of whatever scope. */
  readonly expectNot: readonly string[]
}

export interface Truth extends Story {
  readonly scenario: string
  readonly about: string
  readonly started: number
  readonly ended: number
  readonly events: readonly LabEvent[]
}

export interface PlayOptions {
  /** vip-flap: how many times the VIP goes and comes back. */
  readonly count?: number
  /** node-down: how it goes. `links` is a pulled cable, `kill` a crash of its BGP daemon. */
  readonly how?: 'kill' | 'links'
  /** How long the trouble of the other scenarios lasts, in seconds. */
  readonly seconds?: number
  /** steady: how long nothing happens, in seconds. */
  readonly idle?: number
}

export interface Scenario {
  readonly name: string
  readonly about: string
  readonly parts: readonly Part[]
  readonly play: (lab: Lab, options: PlayOptions) => Promise<Story>
}

/** Nothing of this belongs to a healthy fabric. */
export const TROUBLE: readonly string[] = [
  ...['VIP_FLAP', 'VIP_FLAP_CHRONIC', 'VIP_OUTAGE', 'VIP_MOVED', 'VIP_PINGPONG', 'VIP_REMOVED'],
  ...['NODE_MOVED', 'NODE_PINGPONG', 'GR_STALE_VIP', 'FABRIC_PATH_CHURN', 'POLICY_FLAP'],
  ...['NODE_DOWN', 'ROUTER_DOWN', 'PEER_DOWN', 'FEED_LOST', 'VIEW_UNTRUSTED'],
  ...['ECMP_SIBLING_DIFF', 'ECMP_FANOUT_MISSING', 'ECMP_UNEQUAL_SPLIT', 'ECMP_LOOP_SUSPECT'],
  ...['POLICY_DROP', 'POLICY_DIVERGENCE', 'DUAL_STACK_DISPARITY', 'SPINE_DIVERGENCE'],
  ...['RR_DIVERGENCE', 'ECMP_CHURN', 'NEXT_HOP_UNRESOLVED'],
  ...['T5_TROMBONE', 'T5_PARTIAL_TROMBONE', 'T5_CENTRALISED_HAIRPIN', 'T5_GW_UNRESOLVED'],
  ...['T5_GW_AMBIGUOUS', 'T5_INVALID_INDEX', 'T5_NH_REWRITTEN', 'T5_NH_NOT_A_VTEP'],
  ...['T5_HOST_ROUTE_CONFLICT', 'T5_STALE_AFTER_MOVE', 'T2_STALE', 'MAC_DUP', 'RMAC_CONFLICT'],
]

const troubleBut = (...kinds: string[]): string[] => TROUBLE.filter((k) => !kinds.includes(k))

const steady: Scenario = {
  name: 'steady',
  about: 'nothing happens',
  parts: ['clos', 'evpn'],
  async play(lab, { idle = 10 }) {
    await lab.wait(idle)
    return { expect: [], expectNot: TROUBLE }
  },
}

/** The node and the VIP of `vip-flap`; the other nodes that announce the VIP are still. */
const FLAPPING = { node: 'node3', vip: '10.10.21.66/32' }

const vipFlap: Scenario = {
  name: 'vip-flap',
  about: `${FLAPPING.node} withdraws and announces ${FLAPPING.vip} again and again, a second apart`,
  parts: ['clos'],
  async play(lab, { count = 5 }) {
    const { node, vip } = FLAPPING
    for (let i = 0; i < count; i += 1) {
      for (const on of [false, true]) {
        const began = unixNow()
        await lab.announce(node, vip, on)
        await lab.wait(Math.max(0, 1 - (unixNow() - began)))
      }
    }
    const tors = torsOf(lab, node)
    return {
      expect: [
        { kind: 'VIP_FLAP', scope: { vip, node }, metrics: { flaps: count, tors_down: tors } },
      ],
      expectNot: troubleBut('VIP_FLAP', 'ECMP_CHURN'),
    }
  },
}

const torsOf = (lab: Lab, node: string): string[] => {
  const { rack } = lab.router(node)
  return lab.clos.routers.filter((r) => r.role === 'tor' && r.rack === rack).map((r) => r.name)
}

const nodeDown: Scenario = {
  name: 'node-down',
  about: 'the BGP daemon of node2 is killed and comes back',
  parts: ['clos'],
  async play(lab, { seconds = 8, how = 'kill' }) {
    const node = 'node2'
    if (how === 'kill') await lab.kill(node)
    else await lab.links(node, false)
    await lab.wait(seconds)
    if (how === 'kill') await lab.revive(node)
    else await lab.links(node, true)
    await lab.settleClos()
    lab.note('settled')
    const vips = [...lab.clos.vips].filter(([, nodes]) => nodes.includes(node)).map(([vip]) => vip)
    return {
      expect: [
        {
          kind: 'NODE_DOWN',
          scope: { node },
          metrics: { tors: torsOf(lab, node), vips },
          status: 'resolved',
        },
      ],
      // One outage of one node is no flap, and says nothing about its ToRs. That the other node of
      // the rack gets twice its share meanwhile is true.
      expectNot: troubleBut('NODE_DOWN', 'ECMP_CHURN', 'ECMP_UNEQUAL_SPLIT'),
    }
  },
}

const torDown: Scenario = {
  name: 'tor-down',
  about: 'tor2 loses its BGP daemon and all its links, and is back later',
  parts: ['clos'],
  async play(lab, { seconds = 8 }) {
    const router = 'tor2'
    await Promise.all([lab.kill(router), lab.links(router, false)])
    await lab.wait(seconds)
    await lab.links(router, true)
    await lab.revive(router)
    await lab.settleClos()
    lab.note('settled')
    return {
      expect: [{ kind: 'ROUTER_DOWN', scope: { router }, status: 'resolved' }],
      // Its nodes are still there by its twin. That they have half their links is true.
      expectNot: troubleBut(
        ...['ROUTER_DOWN', 'ECMP_CHURN', 'ECMP_UNEQUAL_SPLIT', 'ECMP_SIBLING_DIFF'],
        ...['ECMP_FANOUT_MISSING', 'SPINE_DIVERGENCE', 'DUAL_STACK_DISPARITY'],
      ),
    }
  },
}

const bmpReconnect: Scenario = {
  name: 'bmp-reconnect',
  about: 'the BMP session of tor1 ends while BGP is fine; node1 withdraws a VIP before it is back',
  parts: ['clos'],
  async play(lab, { seconds = 6 }) {
    const vip = '10.10.21.67/32'
    await lab.bmp('tor1', false)
    await lab.wait(seconds / 2)
    await lab.announce('node1', vip, false)
    await lab.wait(seconds / 2)
    await lab.bmp('tor1', true)
    return {
      expect: [{ kind: 'FEED_LOST', scope: { router: 'tor1' }, status: 'resolved' }],
      // No BGP session went down, and a table that is sent again is no flap.
      expectNot: troubleBut(
        ...['FEED_LOST', 'ECMP_CHURN', 'ECMP_UNEQUAL_SPLIT', 'ECMP_SIBLING_DIFF'],
        ...['ECMP_FANOUT_MISSING', 'VIP_REMOVED'],
      ),
    }
  },
}

const coldStart: Scenario = {
  name: 'cold-start',
  about:
    'the whole fabric starts with the collector there already (with --bmp boot: BMP before BGP)',
  parts: ['clos', 'evpn'],
  // It is over when it plays: how the lab comes up is told by its options.
  async play(lab) {
    await lab.settleClos()
    await lab.settleEvpn()
    return { expect: [], expectNot: TROUBLE }
  },
}

const torReboot: Scenario = {
  name: 'tor-reboot',
  about: 'tor1 loses power: its links, BMP included, and all daemons at once; it boots later',
  parts: ['clos'],
  async play(lab, { seconds = 8 }) {
    const router = 'tor1'
    await lab.powerOff(router)
    await lab.wait(seconds)
    await lab.powerOn(router)
    await lab.settleClos()
    lab.note('settled')
    return {
      // No FIN: as far as its BMP session tells, tor1 never left until it is back with a new one. What
      // there is to say comes from the spines. (With a FIN, as in tor-down, it is ROUTER_DOWN.)
      expect: ['spine1', 'spine2'].map((spine) => ({
        kind: 'PEER_DOWN',
        scope: { router: spine, peer: router },
        status: 'resolved' as const,
      })),
      // As in tor-down.
      expectNot: troubleBut(
        ...['PEER_DOWN', 'ROUTER_DOWN', 'ECMP_CHURN', 'ECMP_UNEQUAL_SPLIT', 'ECMP_SIBLING_DIFF'],
        ...['ECMP_FANOUT_MISSING', 'SPINE_DIVERGENCE', 'DUAL_STACK_DISPARITY'],
      ),
    }
  },
}

const spineRestart: Scenario = {
  name: 'spine-restart',
  about: 'all daemons of spine1 are told to end (SIGTERM) and started again',
  parts: ['clos'],
  async play(lab, { seconds = 6 }) {
    const router = 'spine1'
    await lab.restart(router, seconds)
    await lab.settleClos()
    lab.note('settled')
    return {
      expect: [{ kind: 'ROUTER_DOWN', scope: { router }, status: 'resolved' }],
      // That there is one spine meanwhile is true.
      expectNot: troubleBut(
        ...['ROUTER_DOWN', 'ECMP_CHURN', 'ECMP_UNEQUAL_SPLIT', 'ECMP_FANOUT_MISSING'],
        ...['SPINE_DIVERGENCE', 'DUAL_STACK_DISPARITY'],
      ),
    }
  },
}

const rrRestart: Scenario = {
  name: 'rr-restart',
  about: 'the daemon of the route reflector rr1 is killed and comes back',
  parts: ['evpn'],
  async play(lab, { seconds = 6 }) {
    const router = 'rr1'
    await lab.kill(router)
    await lab.wait(seconds)
    await lab.revive(router)
    await lab.settleEvpn()
    lab.note('settled')
    return {
      expect: [{ kind: 'ROUTER_DOWN', scope: { router }, status: 'resolved' }],
      // That the reflectors differ until it has everything again is true.
      expectNot: troubleBut('ROUTER_DOWN', 'RR_DIVERGENCE'),
    }
  },
}

/** A VM's host route appears behind another leaf; the old one withdraws its own a moment later. */
async function moveVm(lab: Lab, vm: Vm, from: string, to: string): Promise<void> {
  lab.note('vm moves', { vm: vm.name, from, to })
  await lab.hostRoute('add', to, vm)
  await lab.wait(0.3)
  await lab.hostRoute('del', from, vm)
}

const vmMove: Scenario = {
  name: 'vm-move',
  about:
    'vm1 moves to leaf2 and its pods follow at once; it moves on to leaf3, and the type 5 route of ' +
    'its pods stays at leaf2 for a while',
  parts: ['evpn'],
  async play(lab, { seconds = 12 }) {
    const vm = lab.evpn.vms[0]
    if (vm === undefined) throw new Error('the lab has no VM')
    const podsFollow = async (from: string, to: string): Promise<void> => {
      await lab.podRoute('add', to, vm)
      await lab.podRoute('del', from, vm)
    }
    // GoBGP 3.10 gives a first move the MAC mobility sequence 0; the second has 1.
    await moveVm(lab, vm, 'leaf1', 'leaf2')
    await podsFollow('leaf1', 'leaf2')
    await lab.wait(3)
    await moveVm(lab, vm, 'leaf2', 'leaf3')
    await lab.wait(seconds)
    await podsFollow('leaf2', 'leaf3')
    return {
      expect: [
        { kind: 'T5_TROMBONE', scope: { prefix: vm.pods, via: 'leaf2' }, status: 'resolved' },
      ],
      expectNot: troubleBut('T5_TROMBONE'),
    }
  },
}

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  [
    ...[steady, coldStart, vipFlap, nodeDown, torDown, torReboot, spineRestart],
    ...[bmpReconnect, rrRestart, vmMove],
  ].map((scenario) => [scenario.name, scenario]),
)

export function scenario(name: string): Scenario {
  const found = SCENARIOS.get(name)
  if (found === undefined) {
    throw new Error(`no scenario ${name}; there are: ${[...SCENARIOS.keys()].join(', ')}`)
  }
  return found
}

/** Plays a scenario and tells what was done and what must come of it. */
export async function play(lab: Lab, name: string, options: PlayOptions = {}): Promise<Truth> {
  const { about, play: act } = scenario(name)
  const started = unixNow()
  const first = lab.events.length
  const story = await act(lab, options)
  const ended = lab.note('end', { scenario: name })
  return { scenario: name, about, started, ended, events: lab.events.slice(first), ...story }
}
