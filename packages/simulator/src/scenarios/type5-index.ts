import type { Scenario } from '../scenario.ts'
import { mac, T2 } from '../topology/t2.ts'
import { host } from './type5-common.ts'

const ESI = '00:11:22:33:44:55:66:77:88:01'
const UNKNOWN_ESI = '00:11:22:33:44:55:66:77:88:77'

export const C07: Scenario = {
  id: 'C07',
  topology: 'T2',
  summary:
    'the gateway address of an RT-5 is at two MACs on two leaves; another one moves to a new MAC with a higher sequence',
  expectation: 'T5_GW_AMBIGUOUS for the first, nothing for the second',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const twice = '10.10.19.43'
    const moving = '10.10.19.44'
    const moved = { ...host(moving, 2), mac: mac(200) }
    t2.before(() => {
      t2.announceHost('leaf24', host(twice))
      t2.announceHost('leaf25', { ...host(twice), mac: mac(201) })
      t2.announceHost('leaf24', host(moving, 1))
      t2.announcePrefix('bl90', { prefix: '10.10.23.128/26', gateway: twice })
      t2.announcePrefix('bl90', { prefix: '10.10.23.192/26', gateway: moving })
    })
    stage.at(60, `${moving} is at leaf25 now, with another MAC and sequence 2`, () => {
      t2.announceHost('leaf25', moved)
    })
    stage.at(75, "leaf24's RT-2 goes", () => {
      t2.withdrawHost('leaf24', host(moving, 1))
    })
    stage.lasts = 200
    stage.expect({
      kind: 'T5_GW_AMBIGUOUS',
      severity: 'major',
      scope: { vrf: 'K8S', prefix: '10.10.23.128/26' },
    })
    stage.mustNot(
      { kind: 'T5_GW_AMBIGUOUS', scope: { prefix: '10.10.23.192/26' } },
      { kind: 'T5_GW_UNRESOLVED' },
    )
  },
}

export const C08: Scenario = {
  id: 'C08',
  topology: 'T2',
  summary:
    'an RT-5 10.10.24.0/24 has the gateway 10.10.24.10, which no RT-2 and no host route covers',
  expectation: 'T5_RECURSION SELF_COVER critical; no endless recursion',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const prefix = '10.10.24.0/24'
    t2.before(() => {
      t2.announcePrefix('leaf24', { prefix, gateway: '10.10.24.10' })
    })
    stage.expect({
      kind: 'T5_RECURSION',
      sub_kind: 'SELF_COVER',
      severity: 'critical',
      scope: { vrf: 'K8S', prefix },
    })
  },
}

export const C09: Scenario = {
  id: 'C09',
  topology: 'T2',
  summary: 'each of two RT-5s has a gateway inside the other',
  expectation: 'T5_RECURSION MUTUAL_LOOP critical; no hang',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    t2.before(() => {
      t2.announcePrefix('leaf24', { prefix: '10.10.30.0/24', gateway: '10.10.31.1' })
      t2.announcePrefix('leaf25', { prefix: '10.10.31.0/24', gateway: '10.10.30.1' })
    })
    stage.expect({ kind: 'T5_RECURSION', sub_kind: 'MUTUAL_LOOP', severity: 'critical' })
  },
}

export const C21: Scenario = {
  id: 'C21',
  topology: 'T2',
  summary: 'an RT-5 has an ESI that no RT-1 has; the RT-1s come 120 s later',
  expectation: 'T5_ESI_UNRESOLVED, then resolved',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const prefix = '10.10.25.0/26'
    t2.before(() => {
      t2.announcePrefix('leaf24', { prefix, esi: ESI })
    })
    stage.at(120, 'leaf24 and leaf25 announce the segment', () => {
      for (const leaf of ['leaf24', 'leaf25'] as const) {
        stage.fabric.router(leaf).originate(t2.segmentRoutes(leaf, ESI))
      }
    })
    stage.lasts = 220
    stage.expect({ kind: 'T5_ESI_UNRESOLVED', status: 'resolved', scope: { prefix } })
  },
}

export const C22: Scenario = {
  id: 'C22',
  topology: 'T2',
  summary: 'an RT-5 has both an ESI and a gateway address',
  expectation: 'T5_INVALID_INDEX',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const prefix = '10.10.25.64/26'
    t2.before(() => {
      t2.announceHost('leaf24', host('10.10.19.45'))
      t2.announcePrefix('leaf24', { prefix, esi: UNKNOWN_ESI, gateway: '10.10.19.45' })
    })
    stage.expect({ kind: 'T5_INVALID_INDEX', severity: 'major', scope: { prefix } })
    stage.mustNot({ kind: 'T5_ESI_UNRESOLVED' }, { kind: 'T5_TROMBONE' })
  },
}

export const C13: Scenario = {
  id: 'C13',
  topology: 'T2',
  summary: 'a host is multihomed to leaf24 and leaf25; the /32 RT-5 comes from leaf25 only',
  expectation: 'nothing: leaf25 is on the segment',
  build: (stage) => {
    const t2 = new T2(stage.fabric)
    const ip = '10.10.19.30'
    t2.before(() => {
      for (const leaf of ['leaf24', 'leaf25'] as const) {
        stage.fabric.router(leaf).originate(t2.segmentRoutes(leaf, ESI))
      }
      for (const leaf of ['leaf24', 'leaf25'] as const)
        t2.announceHost(leaf, { ...host(ip), esi: ESI })
      t2.announcePrefix('leaf25', { prefix: `${ip}/32` })
    })
    stage.mustNot(
      { kind: 'T5_HOST_ROUTE_CONFLICT' },
      { kind: 'T5_STALE_AFTER_MOVE' },
      { kind: 'T2_STALE' },
    )
  },
}
