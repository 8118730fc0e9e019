import type { Scenario, Stage } from '../scenario.ts'
import { ANYCAST, T2, type Leaf, type PodPrefix } from '../topology/t2.ts'
import { host } from './type5-common.ts'

const NODE7 = '10.10.19.17'
const NODE7_PODS = '10.10.20.0/26'

/** The three workers of C-2 and their pods, which bl90 announces for all of them. */
const WORKERS: readonly { name: string; ip: string; leaf: Leaf; prefix: string }[] = [
  { name: 'w19', ip: '10.10.19.19', leaf: 'leaf23', prefix: '10.10.20.128/26' },
  { name: 'w20', ip: '10.10.19.20', leaf: 'leaf24', prefix: '10.10.20.192/26' },
  { name: 'w21', ip: '10.10.19.21', leaf: 'leaf25', prefix: '10.10.23.0/26' },
]

export const C01: Scenario = {
  id: 'C01',
  topology: 'T2',
  summary:
    'node7 moves from pair1 to leaf23 (MAC mobility 3 -> 4); its pods stay announced by leaf11',
  expectation: 'T5_TROMBONE 60 s after the move, owner leaf23',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    t2.worker('node7', NODE7, ['leaf11'], [NODE7_PODS])
    t2.before(() => {
      t2.announceHost('leaf11', host(NODE7, 3))
      t2.announcePrefix('leaf11', { prefix: NODE7_PODS })
    })
    stage.at(60, 'node7 is at leaf23: its RT-2 comes with sequence 4', () => {
      t2.announceHost('leaf23', host(NODE7, 4))
    })
    stage.at(60.4, 'leaf11 takes its RT-2 of node7 back', () => {
      t2.withdrawHost('leaf11', host(NODE7, 3))
    })
    stage.lasts = 200
    stage.expect({
      kind: 'T5_TROMBONE',
      severity: 'minor',
      scope: { prefix: NODE7_PODS, vrf: 'K8S' },
      metrics: { next_hosts: [NODE7], owners: ['leaf23'] },
      opened_between: [118, 124],
    })
    stage.mustNot(
      { kind: 'T5_TROMBONE', before: 119 },
      { kind: 'T5_CENTRALISED_HAIRPIN' },
      { kind: 'MAC_DUP' },
    )
  },
}

export const C02: Scenario = {
  id: 'C02',
  topology: 'T2',
  summary:
    'node18 behind both leaves of pair1: RT-2 with the anycast next hop, RT-5 with each own address',
  expectation: 'nothing: both are the same pair',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const ip = '10.10.19.18'
    const prefix = '10.10.20.64/26'
    t2.worker('node18', ip, ['leaf11', 'leaf12'], [prefix])
    t2.before(() => {
      for (const leaf of ['leaf11', 'leaf12'] as const) {
        t2.announceHost(leaf, { ...host(ip), nextHop: ANYCAST })
        t2.announcePrefix(leaf, { prefix })
      }
    })
    stage.quiet()
  },
}

/** Workers on three leaves, all peering with bl90, which announces their pods. */
function centralised(stage: Stage, pod: (ip: string, prefix: string) => PodPrefix): void {
  const t2 = new T2(stage.fabric, { background: false })
  for (const { name, ip, leaf, prefix } of WORKERS) {
    t2.worker(name, ip, ['bl90'], [prefix])
    t2.prefixNode(prefix, ip)
    t2.before(() => {
      t2.announceHost(leaf, host(ip))
      t2.announcePrefix('bl90', pod(ip, prefix))
    })
  }
}

export const C03: Scenario = {
  id: 'C03',
  topology: 'T2',
  summary:
    'bl90 announces the pods of three workers on leaf23, leaf24 and leaf25, without gateway address',
  expectation: 'one T5_CENTRALISED_HAIRPIN via bl90 with three prefixes; no T5_TROMBONE left open',
  build: (stage) => {
    centralised(stage, (_ip, prefix) => ({ prefix }))
    stage.expect({
      kind: 'T5_CENTRALISED_HAIRPIN',
      severity: 'major',
      scope: { vrf: 'K8S', via: 'bl90' },
      metrics: { prefixes: WORKERS.map(({ prefix }) => prefix).sort() },
    })
    stage.mustNot({
      kind: 'T5_TROMBONE',
      status: 'open',
      note: 'resolved with superseded_by is right',
    })
  },
}

export const C04: Scenario = {
  id: 'C04',
  topology: 'T2',
  summary: 'as C03, with each worker as gateway address, and its RT-2 present',
  expectation: 'nothing',
  build: (stage) => {
    centralised(stage, (gateway, prefix) => ({ prefix, gateway }))
    stage.quiet()
  },
}

const LOST_GATEWAY = '10.10.19.99'
const LOST_PREFIX = '10.10.23.64/26'

export const C05: Scenario = {
  id: 'C05',
  topology: 'T2',
  summary: 'bl90 announces a prefix with a gateway address that no RT-2 has',
  expectation: 'T5_GW_UNRESOLVED critical; no T5_TROMBONE',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    t2.before(() => {
      t2.announcePrefix('bl90', { prefix: LOST_PREFIX, gateway: LOST_GATEWAY })
    })
    stage.expect({
      kind: 'T5_GW_UNRESOLVED',
      severity: 'critical',
      scope: { vrf: 'K8S', prefix: LOST_PREFIX, via: 'bl90' },
      metrics: { gw_ip: LOST_GATEWAY },
    })
    stage.mustNot({ kind: 'T5_TROMBONE' })
  },
}

export const C06: Scenario = {
  id: 'C06',
  topology: 'T2',
  summary: 'an RT-5 with gateway address comes first, the RT-2 of the gateway 20 s later',
  expectation: 'nothing',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const ip = '10.10.19.40'
    const prefix = '10.10.23.128/26'
    stage.at(30, 'bl90 announces the prefix', () => {
      t2.announcePrefix('bl90', { prefix, gateway: ip })
    })
    stage.at(50, 'leaf24 announces the gateway', () => {
      t2.announceHost('leaf24', host(ip))
    })
    stage.quiet()
  },
}

export const C10: Scenario = {
  id: 'C10',
  topology: 'T2',
  summary: 'on the way to leaf11 the next hop of an RT-5 is rewritten to 10.0.0.1',
  expectation: 'T5_NH_REWRITTEN critical; no T5_TROMBONE',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const prefix = '10.10.26.0/24'
    const nlri = t2.prefixRoute('leaf24', { prefix }).nlri
    for (const name of ['rr1', 'rr2']) {
      const reflector = stage.fabric.router(name)
      const { policy } = reflector
      reflector.policy = {
        export: (to, path) => {
          const attrs = policy.export?.(to, path) ?? null
          const hit =
            path.nlri.family === 'evpn' && path.nlri.type === 5 && path.nlri.prefix === prefix
          return attrs !== null && hit && to.peer.name === 'leaf11'
            ? { ...attrs, nextHop: '10.0.0.1' }
            : attrs
        },
      }
    }
    t2.before(() => {
      t2.announcePrefix('leaf24', { prefix })
    })
    stage.expect({
      kind: 'T5_NH_REWRITTEN',
      severity: 'critical',
      scope: { rd: nlri.family === 'evpn' ? nlri.rd : '', prefix },
    })
    stage.mustNot({ kind: 'T5_TROMBONE' })
  },
}
