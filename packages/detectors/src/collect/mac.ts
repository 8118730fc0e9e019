/** MAC_DUP: a MAC that moves too often (RFC 7432 section 15.1). */
import type { Family, Instant, Observed } from '../family.ts'
import { seconds } from '../family.ts'
import { clickhouseTime } from '../finding.ts'
import type { Observation } from '../finding.ts'
import { query } from '../queries.ts'

interface Row {
  mac: string
  l2vni: number
  moves: number
  vteps: string[]
  since: string
  last_move: string
  /** Latest first. */
  times: string[]
}

export const macDuplicates: Family = {
  name: 'mac',
  kinds: ['MAC_DUP'],
  inputs: ['evpn', 'fabric'],
  lagUs: () => seconds(2),
  async observe({ db, at, params }: Instant): Promise<Observed> {
    const rows = await db.query<Row>(query('mac_dups'), { at: clickhouseTime(at) })
    const window = seconds(params.mac_dup_s)
    const due: number[] = []
    const observations = rows.map((row): Observation => {
      // The move with which there were enough, and the instant at which there are not any more.
      const decisive = Number(row.times[params.mac_dup_moves - 1] ?? row.since)
      due.push(decisive + window)
      const opened = Number(row.times[row.times.length - params.mac_dup_moves] ?? row.last_move)
      return {
        kind: 'MAC_DUP',
        scope: { mac: row.mac, l2vni: String(row.l2vni) },
        since: Number(row.times[row.times.length - 1] ?? row.since),
        openAt: opened,
        severity: 'major',
        confidence: 'high',
        metrics: { moves: row.moves, vteps: row.vteps },
        explanation: `MAC ${row.mac} moved ${String(row.moves)} times in ${String(params.mac_dup_s)} s between ${row.vteps.join(', ')}: a duplicate address, or a loop.`,
        entities: [`mac:${row.mac}`],
      }
    })
    return { observations, due }
  },
}
