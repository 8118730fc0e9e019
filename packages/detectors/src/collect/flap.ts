/** VIP_FLAP (DETECTORS A.5, A.6): penalty over transitions, never over messages. */
import type { Family, Instant, Observed } from '../family.ts'
import { lagOf, seconds } from '../family.ts'
import { clickhouseTime, formatTime, worse } from '../finding.ts'
import type { Evidence, Observation, Severity } from '../finding.ts'
import { query } from '../queries.ts'

interface Row {
  vip: string
  vrf: string
  node: string
  flaps: number
  episodes: number
  run_started: string
  last_event: string
  tors_down: string[]
  penalty: number
  seconds_to_reuse: number
  /** started, ended, flaps, tors_down, router, peer_key, seq, rx_ts of the first withdrawal */
  run_episodes: [string, string, number, string[], string, string, string, string][]
  others_alive: string[]
  n_known: string[]
  expected_nodes: string[]
  service: string
  mode: string
}

interface Cause {
  vip: string
  vrf: string
  node: string
  cause: string
  flap_scope: string
}

/** A weight of 2^-40 of a flap is nothing: how many half lives to look back for candidates. */
const LOOK_BACK_HALF_LIVES = 40

export function createFlaps(): Family {
  // Transitions are looked at when they are settled: between two evaluations without a newly settled one nothing changes, until
  // a timer of an open finding is due.
  let settledTo = 0
  let timers: readonly number[] = []

  return {
    name: 'flaps',
    kinds: ['VIP_FLAP'],
    inputs: ['edge', 'fabric'],
    // Nothing counts before settle_s: looking a little later finds the same timers.
    lagUs: (params) => lagOf(params.settle_s),
    async observe(instant: Instant): Promise<Observed> {
      const { at, params } = instant
      const settle = seconds(params.settle_s)
      const candidates = await instant.db.query<{ last_down: string; unsettled: string[] }>(
        query('flap_candidates'),
        {
          from: clickhouseTime(at - seconds(params.half_life_s * LOOK_BACK_HALF_LIVES)),
          settled: clickhouseTime(at - settle),
          min_flaps: Math.max(1, Math.min(params.min_flaps, 0xffffffff)),
        },
      )
      if (candidates.length === 0) return { observations: [] }
      const pending = candidates.flatMap((row) =>
        row.unsettled.map((each) => Number(each) + settle),
      )
      const last = Math.max(...candidates.map((row) => Number(row.last_down)))
      if (
        last <= settledTo &&
        !instant.inputs.has('fabric') &&
        !timers.some((each) => each <= at)
      ) {
        return { observations: undefined, due: [...pending, ...timers] }
      }
      settledTo = last
      const observed = await evaluate(instant)
      timers = observed.due ?? []
      return { observations: observed.observations, due: [...pending, ...timers] }
    },
  }
}

async function evaluate(instant: Instant): Promise<Observed> {
  const { db, at, params } = instant
  const due: number[] = []
  const rows = await db.query<Row>(query('flaps'), { at: clickhouseTime(at) })
  const alarming = rows.filter(
    (row) =>
      instant.isOpen('VIP_FLAP', { vip: row.vip, vrf: row.vrf, node: row.node }) ||
      (row.penalty >= params.penalty_open && row.flaps >= params.min_flaps),
  )
  if (alarming.length === 0) return { observations: [] }
  const causes = new Map(
    (await db.query<Cause>(query('flap_causes'), { at: clickhouseTime(at) })).map((row) => [
      JSON.stringify([row.vip, row.vrf, row.node]),
      row,
    ]),
  )
  const outages = await db.query<{ vip: string; vrf: string; down_at: string; node: string }>(
    query('outages'),
    { from: clickhouseTime(at - seconds(params.half_life_s * LOOK_BACK_HALF_LIVES)) },
  )
  const observations: Observation[] = []
  for (const row of alarming) {
    const scope = { vip: row.vip, vrf: row.vrf, node: row.node }
    const last = Number(row.last_event)
    const started = Number(row.run_started)
    // The penalty right after the last transition: what changes only when something happens.
    const peak = row.penalty * 2 ** ((at - last) / 1e6 / params.half_life_s)
    const period = row.episodes > 1 ? (last - started) / (row.episodes - 1) : 0
    const quietUntil = last + Math.max(2 * period, seconds(300))
    const open = instant.isOpen('VIP_FLAP', scope)
    const holds = row.penalty >= params.penalty_close || at < quietUntil
    if (open && !holds) continue
    due.push(Math.max(quietUntil, Math.ceil(at + row.seconds_to_reuse * 1e6)))
    const during = outages.some(
      (each) =>
        each.vip === row.vip &&
        each.vrf === row.vrf &&
        row.run_episodes.some(
          (ep) => Number(each.down_at) >= Number(ep[0]) && Number(each.down_at) <= Number(ep[1]),
        ),
    )
    const cause = causes.get(JSON.stringify([row.vip, row.vrf, row.node]))
    observations.push(observation(row, cause, scope, { peak, started, during, params }))
  }
  return { observations, due }
}

function observation(
  row: Row,
  cause: Cause | undefined,
  scope: { vip: string; vrf: string; node: string },
  facts: {
    peak: number
    started: number
    during: boolean
    params: Instant['params']
  },
): Observation {
  const { peak, started, during, params } = facts
  const expected = row.expected_nodes.length > 0 ? row.expected_nodes : row.n_known
  const others = row.others_alive
  const penalty = Math.round(peak * 10) / 10
  const window = (Number(row.last_event) - started) / 1e6
  const linkScoped = cause?.flap_scope === 'link'
  const why = cause?.cause ?? 'UNKNOWN'
  return {
    kind: 'VIP_FLAP',
    scope,
    since: started,
    openAt: started,
    cause: why,
    severity: severity(penalty, others.length, linkScoped, during, params),
    confidence: 'high',
    metrics: {
      flaps: row.flaps,
      penalty,
      episodes: row.episodes,
      tors_down: row.tors_down,
      flap_scope: cause?.flap_scope ?? 'node',
      n_alive: others.length,
      n_expected: expected.length,
      outage: during,
    },
    explanation:
      `VIP ${row.vip}${row.service === '' ? '' : ` (${row.service})`} flapped at least ${String(row.flaps)}x from ${row.node} ` +
      `in ${window.toFixed(1)} s; cause ${why}. Seen by ${row.tors_down.join(', ')}. ` +
      `Other nodes still announcing: ${String(others.length)} of ${String(expected.length)}` +
      (during ? '; it was gone altogether meanwhile.' : '.'),
    evidence: row.run_episodes.slice(-5).map((ep): Evidence => ({
      router: ep[4],
      peer: ep[5],
      seq: Number(ep[6]),
      rx_ts: formatTime(Number(ep[7])),
      text: `first withdrawal of an episode with ${String(ep[2])} flaps`,
    })),
    limits: [
      'BMP Route Monitoring is state-compressed (RFC 7854 section 5): counts are lower bounds',
    ],
    entities: [
      `node:${row.node}`,
      `vip:${row.vip}`,
      ...(linkScoped ? row.tors_down.map((tor) => `tor:${tor}`) : []),
    ],
  }
}

function severity(
  penalty: number,
  others: number,
  linkScoped: boolean,
  outage: boolean,
  params: Instant['params'],
): Severity {
  let result: Severity = 'minor'
  if (!linkScoped) {
    // Others carry the VIP on; the node's share, if they share alike, is lost.
    if (others === 0 || 1 / (others + 1) >= 0.5) result = worse(result, 'major')
    if (penalty >= params.penalty_major) result = worse(result, 'major')
  }
  if (outage || penalty >= params.penalty_critical) result = worse(result, 'critical')
  return result
}
