import type { Scenario, Stage } from '../scenario.ts'
import { T1, V1, withV1On } from '../topology/t1.ts'

/** tor1a's BMP session breaks at second 100 and is back a minute later, with a dump of everything. */
function loseTor1a(stage: Stage): void {
  const { feed } = stage.fabric.router('tor1a')
  stage.at(100, "tor1a's BMP session breaks", () => {
    feed.disconnect('rst')
  })
  stage.at(160, 'tor1a opens a new BMP session and dumps its tables', () => {
    feed.connect()
  })
  stage.lasts = 260
}

export const A06: Scenario = {
  id: 'A06',
  topology: 'T1',
  summary: "tor1a's BMP session is gone for 60 s, then dumps the same tables again",
  expectation: 'FEED_LOST tor1a for 60 s, resolved; nothing else',
  build: (stage) => {
    new T1(stage.fabric)
    loseTor1a(stage)
    stage.expect({ kind: 'FEED_LOST', status: 'resolved', scope: { router: 'tor1a' } })
    for (const kind of [
      'VIP_FLAP',
      'VIP_OUTAGE',
      'NODE_DOWN',
      'ROUTER_DOWN',
      'PEER_DOWN',
      'ECMP_FANOUT_MISSING',
    ]) {
      stage.mustNot({ kind })
    }
  },
}

export const A07: Scenario = {
  id: 'A07',
  topology: 'T1',
  summary: 'as A06, but n1 takes v1 back from tor1a meanwhile: the new dump lacks it',
  expectation: 'withdrawn by reconcile, link (n1, tor1a) down, weight 0; no VIP_FLAP',
  build: (stage) => {
    const t1 = new T1(stage.fabric, { nodes: withV1On('n1', 'n2') })
    loseTor1a(stage)
    stage.at(130, 'n1 withdraws v1 from tor1a, unseen', () => {
      stage.fabric.node('n1').withdraw([t1.vip('n1', V1)], { on: ['tor1a'] })
    })
    stage.lasts = 300
    stage.mustNot({ kind: 'VIP_FLAP' }, { kind: 'VIP_OUTAGE' })
  },
}
