import type { Scenario } from '../scenario.ts'
import { rmac, T2 } from '../topology/t2.ts'
import { healthyWorker, hide } from './type5-common.ts'

const PODS = '10.10.20.0/26'
const NODE7 = '10.10.19.17'

export const C11: Scenario = {
  id: 'C11',
  topology: 'T2',
  summary: 'bl90 announces a prefix of leaf24 again, with its own RD and next hop',
  expectation: 'nothing: another RD is another route',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const prefix = '198.51.100.0/24'
    t2.before(() => {
      t2.announcePrefix('leaf24', { prefix })
      t2.announcePrefix('bl90', { prefix })
    })
    stage.mustNot({ kind: 'T5_NH_REWRITTEN' }, { kind: 'T5_TROMBONE' })
  },
}

export const C15: Scenario = {
  id: 'C15',
  topology: 'T2',
  summary: "four leaves announce the workers' subnet; a worker behind leaf23 has no host route",
  expectation: 'T5_PAIR_ATTRACT VMTO_ABSENT: three packets of four take a detour',
  build: (stage) => {
    const t2 = new T2(stage.fabric, { background: false })
    const prefix = '10.10.19.0/24'
    t2.worker('node7', NODE7, ['leaf23'], [PODS])
    t2.before(() => {
      t2.announceHost('leaf23', { ip: NODE7, mac: '52:54:00:00:19:11', layer2: true })
      t2.announcePrefix('leaf23', { prefix: PODS })
      for (const leaf of ['leaf11', 'leaf23', 'leaf24', 'leaf25'] as const) {
        t2.announcePrefix(leaf, { prefix })
      }
    })
    stage.expect({ kind: 'T5_PAIR_ATTRACT', sub_kind: 'VMTO_ABSENT', scope: { prefix } })
  },
}

export const C18: Scenario = {
  id: 'C18',
  topology: 'T2',
  summary:
    'leaf24 hears 10.10.0.0/16 from bl90, and not the /26 of leaf23 that the reflectors have',
  expectation: 'T5_AGGREGATE_SHADOW at leaf24',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    healthyWorker(t2, 'node7', NODE7, 'leaf23', PODS)
    for (const name of ['rr1', 'rr2']) hide(stage.fabric.router(name), PODS, 'leaf24')
    t2.before(() => {
      t2.announcePrefix('bl90', { prefix: '10.10.0.0/16' })
    })
    stage.expect({ kind: 'T5_AGGREGATE_SHADOW', scope: { prefix: PODS } })
  },
}

export const C19: Scenario = {
  id: 'C19',
  topology: 'T2',
  summary: 'leaf23 announces a prefix with route target 65000:5002; VRF K8S imports 65000:5001',
  expectation: 'T5_NOT_IMPORTED that names the route target; not T5_NOT_DELIVERED',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const prefix = '10.10.26.0/24'
    t2.before(() => {
      t2.announcePrefix('leaf23', { prefix, rts: ['65000:5002'] })
    })
    stage.expect({ kind: 'T5_NOT_IMPORTED', scope: { prefix } })
    stage.mustNot({ kind: 'T5_NOT_DELIVERED' })
  },
}

export const C20: Scenario = {
  id: 'C20',
  topology: 'T2',
  summary: "leaf25 announces a prefix with leaf24's router MAC",
  expectation: 'RMAC_CONFLICT critical; nothing about the addresses of the pair',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    t2.before(() => {
      t2.announcePrefix('leaf25', { prefix: '10.10.27.0/24', rmac: rmac('leaf24') })
    })
    stage.expect({ kind: 'RMAC_CONFLICT', severity: 'critical' })
  },
}

export const C27: Scenario = {
  id: 'C27',
  topology: 'T2',
  summary: 'bl90 announces the default route and external prefixes',
  expectation: 'nothing',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    t2.before(() => {
      for (const prefix of ['192.0.2.0/24', '198.51.100.0/24'])
        t2.announcePrefix('bl90', { prefix })
    })
    stage.quiet()
  },
}

export const C28: Scenario = {
  id: 'C28',
  topology: 'T2',
  summary: "leaf24's RT-5 has the next hop a6e:2::, its router ID misread as an IPv6 address",
  expectation: 'T5_NH_NOT_A_VTEP',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const prefix = '10.10.28.0/24'
    t2.before(() => {
      t2.announcePrefix('leaf24', { prefix, nextHop: 'a6e:2::' })
    })
    stage.expect({ kind: 'T5_NH_NOT_A_VTEP', scope: { prefix } })
  },
}

export const C29: Scenario = {
  id: 'C29',
  topology: 'T2',
  summary: 'leaf24 tells rr1 about its pods, and rr2 not',
  expectation: 'RR_DIVERGENCE',
  build: (stage) => {
    new T2(stage.fabric)
    const prefix = '10.10.22.64/26'
    hide(stage.fabric.router('leaf24'), prefix, 'rr2')
    stage.expect({ kind: 'RR_DIVERGENCE' })
    stage.mustNot({ kind: 'VIP_FLAP' })
  },
}
