/** VIP_OUTAGE: nobody announces the VIP. One finding that opens again, not one per outage. */
import type { Family, Instant, Observed } from '../family.ts'
import { lagOf, LOOK_BACK_US, seconds } from '../family.ts'
import { clickhouseTime } from '../finding.ts'
import type { Observation } from '../finding.ts'
import { query } from '../queries.ts'

interface Row {
  vip: string
  vrf: string
  down_at: string
  up_at: string | null
  node: string
  tor: string
  cause: string
  gshut: number
  service: string
  expected_nodes: string[]
}

/** As long as a finding opens again rather than anew. */
const SAME_RUN_US = 30 * 60 * 1e6

export const outages: Family = {
  name: 'outages',
  kinds: ['VIP_OUTAGE'],
  inputs: ['edge', 'fabric'],
  lagUs: (params) => lagOf(params.settle_s),
  async observe({ db, at, params }: Instant): Promise<Observed> {
    const rows = await db.query<Row>(query('outages'), { from: clickhouseTime(at - LOOK_BACK_US) })
    const observations: Observation[] = []
    let key = ''
    let run: { count: number; longest: number; total: number; lastUp: number } | undefined
    for (const row of rows) {
      const down = Number(row.down_at)
      const up = row.up_at === null ? undefined : Number(row.up_at)
      const own = `${row.vip} ${row.vrf}`
      if (own !== key || run === undefined || down - run.lastUp > SAME_RUN_US) {
        run = { count: 0, longest: 0, total: 0, lastUp: down }
        key = own
      }
      const lasted = up === undefined ? 0 : (up - down) / 1e6
      run.count += 1
      run.longest = Math.max(run.longest, lasted)
      run.total += lasted
      run.lastUp = up ?? down
      observations.push({
        kind: 'VIP_OUTAGE',
        scope: { vip: row.vip, vrf: row.vrf },
        since: down,
        ...(up === undefined ? {} : { until: up }),
        openAt: down + seconds(params.settle_s),
        brief: 'counts',
        cause: row.cause === 'peer_down' ? 'SESSION_DOWN' : row.gshut === 1 ? 'PLANNED_DRAIN' : '',
        severity: 'critical',
        confidence: 'high',
        metrics: {
          outages: run.count,
          longest_s: round(run.longest),
          total_s: round(run.total),
          last_node: row.node,
        },
        explanation:
          `VIP ${row.vip}${row.service === '' ? '' : ` (${row.service})`} was announced by no node` +
          (up === undefined ? '' : ` for ${lasted.toFixed(1)} s`) +
          `; the last to go was ${row.node} on ${row.tor}` +
          (row.gshut === 1 ? ', during planned drain.' : '.'),
        entities: [`vip:${row.vip}`, `node:${row.node}`],
      })
    }
    return { observations }
  },
}

const round = (s: number): number => Math.round(s * 1e3) / 1e3
