/** VIEW_UNTRUSTED: a view that lies is named, and nothing is concluded from it; one that a peer's routes are missing in is named. */
import type { StoreSession } from '@ribscope/store'
import type { Family, Instant, Observed } from '../family.ts'
import { seconds } from '../family.ts'
import type { Observation } from '../finding.ts'
import { query } from '../queries.ts'

interface View {
  router: string
  name: string
  rib: string
  afi: number
  safi: number
  announces: string
  withdraws: string
  since: string
}

interface Liar extends View {
  reasons: string[]
}

interface Gap extends View {
  /** name, since when it is up (microseconds) */
  peers: [name: string, upUs: string][]
}

/** How long a session that is up may be empty, DETECTORS P13. */
const EMPTY_S = 60
const LOOK_AGAIN_S = 10

export const trust: Family = {
  name: 'trust',
  kinds: ['VIEW_UNTRUSTED'],
  inputs: ['routes', 'session', 'fabric'],
  lagUs: () => seconds(2),
  async observe({ db, at }: Instant): Promise<Observed> {
    const liars = await db.query<Liar>(query('untrusted'))
    const quarantined = new Set(liars.map(keyOf))
    const gaps = (await gapsOf(db)).filter((view) => !quarantined.has(keyOf(view)))
    return {
      observations: [...liars.map(lies), ...gaps.map((view) => lacks(view, at))],
      // A second peer of a view that is in doubt already; and its first route, if it is none that detectors watch.
      due: gaps
        .flatMap(({ peers }) => peers.map(([, up]) => Number(up) + seconds(EMPTY_S)))
        .map((instant) => (instant > at ? instant : at + seconds(LOOK_AGAIN_S))),
    }
  },
}

const keyOf = ({ router, rib, afi, safi }: View): string => JSON.stringify([router, rib, afi, safi])

function lies(row: Liar): Observation {
  return {
    ...about(row),
    openAt: Number(row.since),
    confidence: 'high',
    metrics: metricsOf(row, row.reasons),
    explanation: `The ${row.rib} view of ${row.name} (AFI ${String(row.afi)}, SAFI ${String(row.safi)}) is not believed: ${row.reasons.join('; ')}.${row.rib === 'adj_in_pre' ? ' On FRR, configure soft-reconfiguration inbound.' : ''}`,
  }
}

function lacks(row: Gap, at: number): Observation {
  const late = row.peers.filter(([, up], i) => i === 0 || Number(up) + seconds(EMPTY_S) <= at)
  const names = late.map(([name]) => name)
  const reasons = [
    `P13: up for more than ${String(EMPTY_S)} s and empty, without End-of-RIB, while other peers have routes: ${names.join(', ')}`,
  ]
  return {
    ...about(row),
    openAt: Number(row.since) + seconds(EMPTY_S),
    // A speaker with nothing to say looks the same when its router sends neither End-of-RIB nor statistics.
    confidence: 'medium',
    metrics: { ...metricsOf(row, reasons), peers: names },
    explanation: `The ${row.rib} view of ${row.name} (AFI ${String(row.afi)}, SAFI ${String(row.safi)}) may lack routes: ${reasons.join('; ')}. What the other peers show is believed.`,
  }
}

const about = (
  row: View,
): Pick<Observation, 'kind' | 'scope' | 'since' | 'severity' | 'entities'> => ({
  kind: 'VIEW_UNTRUSTED',
  scope: { router: row.name, rib: row.rib, afi: row.afi, safi: row.safi },
  since: Number(row.since),
  severity: 'minor',
  entities: [`router:${row.name}`],
})

const metricsOf = (row: View, reasons: readonly string[]): Record<string, unknown> => ({
  // Counts grow with every message: the finding says what they were when it opened or its reasons changed.
  announces: Number(row.announces),
  withdraws: Number(row.withdraws),
  reasons,
})

/** Most of the time nobody is silent, and the second question is not asked. */
async function gapsOf(db: StoreSession): Promise<Gap[]> {
  const silent = await db.query<{ router: string; peer_key: string }>(query('silent_peers'))
  if (silent.length === 0) return []
  return await db.query<Gap>(query('empty_peers'), {
    routers: silent.map(({ router }) => router),
    keys: silent.map(({ peer_key }) => peer_key),
  })
}
