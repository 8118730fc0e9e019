/**
 * Every key of `detectors:`, its default, unit, range and meaning: one table, from which the types,
 * the parser, the documentation and `GET /api/v1/config/detectors` come.
 */

interface NumberParam {
  readonly type: 'number'
  readonly default: number
  readonly min: number
  readonly max: number
  readonly integer?: true
  readonly unit: string
  readonly doc: string
}

interface SwitchParam {
  readonly type: 'switch'
  readonly default: boolean
  readonly unit: ''
  readonly doc: string
}

interface ListParam {
  readonly type: 'addresses' | 'prefixes' | 'communities' | 'roles'
  readonly default: readonly string[]
  readonly unit: ''
  readonly doc: string
}

interface WeightsParam {
  readonly type: 'weights'
  readonly default: Readonly<Record<string, number>>
  readonly unit: ''
  readonly doc: string
}

export type Param = NumberParam | SwitchParam | ListParam | WeightsParam

const DAY = 86_400

const seconds = (value: number, doc: string, max = DAY): NumberParam => ({
  type: 'number',
  default: value,
  min: 0,
  max,
  unit: 's',
  doc,
})

const count = (value: number, min: number, doc: string, unit = ''): NumberParam => ({
  type: 'number',
  default: value,
  min,
  max: 1_000_000,
  integer: true,
  unit,
  doc,
})

const amount = (value: number, min: number, max: number, doc: string, unit = ''): NumberParam => ({
  type: 'number',
  default: value,
  min,
  max,
  unit,
  doc,
})

const list = (type: ListParam['type'], value: readonly string[], doc: string): ListParam => ({
  type,
  default: value,
  unit: '',
  doc,
})

/** In the order of the documentation: flaps, feed health, ECMP, Type-5, incidents. */
export const PARAMS = {
  settle_s: seconds(
    10,
    'flaps: nothing is classified before this long after its last event; an outage still running opens then',
  ),
  episode_gap_s: seconds(10, 'flaps: a longer gap starts a new episode'),
  t_conv_s: seconds(
    30,
    'flaps: events elsewhere in the fabric this long after one at the origin are its convergence',
  ),
  dump_quiet_s: seconds(
    5,
    'feeds: a view without Route Monitoring for this long has finished its dump',
  ),
  dump_max_s: seconds(120, 'feeds: a dump is taken as finished this long after Peer Up'),
  half_life_s: { ...seconds(300, 'flaps: half-life of the penalty'), min: 1 },
  penalty_open: amount(
    2000,
    0,
    1e9,
    'flaps: penalty that opens a finding (a withdrawal adds 1000)',
  ),
  penalty_major: amount(4000, 0, 1e9, 'flaps: penalty of severity major'),
  penalty_critical: amount(6000, 0, 1e9, 'flaps: penalty of severity critical'),
  penalty_close: amount(750, 0, 1e9, 'flaps: below this a finding closes when it is also quiet'),
  min_flaps: count(3, 1, 'flaps: fewer never open a finding'),
  chronic_episodes: count(6, 1, 'flaps: episodes in 24 h that make VIP_FLAP_CHRONIC'),
  chronic_hours: count(3, 1, 'flaps: distinct hours these must be spread over'),
  chronic_major: count(24, 1, 'flaps: episodes in 24 h of severity major'),
  drain_ttl_s: seconds(
    1800,
    'flaps: a drain announced by 65535:0 explains withdrawals for this long',
  ),
  gr_grace_s: seconds(
    5,
    'graceful restart: added to the restart time before stale routes are given up',
  ),
  gr_stale_s: seconds(60, 'graceful restart: a VIP stale for longer is GR_STALE_VIP'),
  attr_flap: {
    type: 'switch',
    default: false,
    unit: '',
    doc: 'flaps: attribute changes that leave forwarding alone count too (250 each)',
  },
  quarantine_withdraws: count(
    3,
    1,
    'feeds: withdrawals without any announcement that quarantine a view',
  ),
  ecmp_hold_s: seconds(60, 'ECMP: how long a difference must last'),
  share_hold_s: seconds(120, 'ECMP: how long an unequal split must last'),
  ratio_minor: amount(1.5, 1, 1000, 'ECMP: share over fair share of severity minor'),
  ratio_major: amount(2, 1, 1000, 'ECMP: share over fair share of severity major'),
  capacity_share: amount(
    0.4,
    0,
    1,
    'ECMP: share of a node below which an unequal split is never major',
  ),
  ingress_weights: {
    type: 'weights',
    default: { border: 1 },
    unit: '',
    doc: 'ECMP: weight of each ingress class when shares are averaged',
  },
  return_hold_s: seconds(300, 'ECMP: how long forward and return paths must differ'),
  expected_tors_learn_days: amount(
    7,
    0,
    3650,
    "ECMP: a node's expected ToRs are those with a session in this time, unless configured",
    'days',
  ),
  ecmp_churn_per_h: count(6, 1, 'ECMP: member changes in an hour that make ECMP_CHURN', '1/h'),
  settle_t5_s: seconds(
    60,
    'Type-5: how long a detour must last after the last move or route change',
  ),
  stale_t5_critical_s: seconds(900, 'Type-5: a route stale for longer after a move is critical'),
  central_min_owners: count(
    3,
    1,
    'Type-5: distinct owners behind one leaf that make a centralised hairpin',
  ),
  central_min_share: amount(0.5, 0, 1, "Type-5: and its share of the VRF's node prefixes"),
  max_recursion: count(2, 0, 'Type-5: deeper next hop recursion is T5_RECURSION/DEEP'),
  mac_dup_moves: count(5, 1, 'EVPN: moves that make MAC_DUP (RFC 7432 section 15.1)'),
  mac_dup_s: { ...seconds(180, 'EVPN: within this time (RFC 7432 section 15.1)'), min: 1 },
  site_cost: amount(
    10,
    0,
    1e6,
    'Type-5: distance added between sites when the stretch of a path is computed',
  ),
  t5_allow_nexthops: list(
    'addresses',
    [],
    'Type-5: next hops of intended service chains, never a detour',
  ),
  t5_allow_communities: list(
    'communities',
    [],
    'Type-5: routes with one of these are never a detour',
  ),
  t5_nh_rewrite_ok_roles: list('roles', ['bgw'], 'Type-5: roles that may change the next hop'),
  t5_aggregate_ok: list('prefixes', [], 'Type-5: aggregates that may hide more specific routes'),
  policy_expected_divergence: list(
    'communities',
    [],
    'ECMP: routes with one of these may differ between ToRs by policy',
  ),
  incident_window_s: seconds(
    60,
    'findings of one cause at one place within this time are one incident',
  ),
} as const satisfies Record<string, Param>

export type ParamKey = keyof typeof PARAMS

type ValueOf<P extends Param> = P extends { type: 'number' }
  ? number
  : P extends { type: 'switch' }
    ? boolean
    : P extends { type: 'weights' }
      ? Readonly<Record<string, number>>
      : readonly string[]

export type DetectorParams = { readonly [K in ParamKey]: ValueOf<(typeof PARAMS)[K]> }

export const PARAM_KEYS = Object.keys(PARAMS) as readonly ParamKey[]

export function defaultParams(): DetectorParams {
  return Object.fromEntries(
    PARAM_KEYS.map((key) => [key, structuredClone(PARAMS[key].default)]),
  ) as unknown as DetectorParams
}
