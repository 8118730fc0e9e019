/** VIEW_UNTRUSTED: a view that lies is named, and nothing is concluded from it. */
import type { Family, Instant, Observed } from '../family.ts'
import { seconds } from '../family.ts'
import type { Observation } from '../finding.ts'
import { query } from '../queries.ts'

interface Row {
  router: string
  name: string
  rib: string
  afi: number
  safi: number
  announces: string
  withdraws: string
  reasons: string[]
  since: string
}

export const trust: Family = {
  name: 'trust',
  kinds: ['VIEW_UNTRUSTED'],
  inputs: ['routes', 'session', 'fabric'],
  lagUs: () => seconds(2),
  async observe({ db }: Instant): Promise<Observed> {
    const rows = await db.query<Row>(query('untrusted'))
    return {
      observations: rows.map((row): Observation => ({
        kind: 'VIEW_UNTRUSTED',
        scope: {
          router: row.name,
          rib: row.rib,
          afi: row.afi,
          safi: row.safi,
        },
        since: Number(row.since),
        openAt: Number(row.since),
        severity: 'minor',
        confidence: 'high',
        metrics: {
          // Counts grow with every message: the finding says what they were when it opened or its reasons changed.
          announces: Number(row.announces),
          withdraws: Number(row.withdraws),
          reasons: row.reasons,
        },
        explanation: `The ${row.rib} view of ${row.name} (AFI ${String(row.afi)}, SAFI ${String(row.safi)}) is not believed: ${row.reasons.join('; ')}.${row.rib === 'adj_in_pre' ? ' On FRR, configure soft-reconfiguration inbound.' : ''}`,
        entities: [`router:${row.name}`],
      })),
    }
  },
}
