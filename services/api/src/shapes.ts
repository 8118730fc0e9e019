/** Schemas of the resources. */
import {
  about,
  boolean,
  integer,
  key64,
  list,
  nullable,
  number,
  object,
  string,
  time,
  type Schema,
} from './schemas.ts'

const severity: Schema = { type: 'string', enum: ['info', 'minor', 'major', 'critical'] }

export const finding = object({
  id: string,
  kind: string,
  sub_kind: string,
  cause: string,
  severity,
  confidence: { type: 'string', enum: ['high', 'medium', 'low'] },
  status: { type: 'string', enum: ['open', 'resolved', 'suppressed'] },
  first_seen: time,
  last_seen: time,
  resolved_at: nullable(time),
  scope: about({ type: 'object', additionalProperties: true }, 'what it is about; its identity'),
  metrics: { type: 'object', additionalProperties: true },
  explanation: string,
  evidence: list({ type: 'object', additionalProperties: true }),
  limits: about(list(string), 'what the verdict does not know'),
  incident_id: string,
  reopened: integer,
})

export const incident = object({
  id: string,
  cause: string,
  severity,
  status: string,
  first_seen: time,
  last_seen: time,
  findings: about(list(string), 'ids'),
})

const openFinding = object({ id: string, kind: string, severity })

export const vip = object({
  prefix: string,
  service: string,
  cluster: string,
  pair: about(string, 'the same service in the other address family'),
  mode: string,
  source: about(string, 'configured, or inferred: why'),
  expected_nodes: list(string),
  state: about(
    { type: 'string', enum: ['up', 'degraded', 'down', 'unseen'] },
    'degraded: some link is down, or an expected node announces nothing',
  ),
  origins: about(
    list(object({ vrf: string, node: string, tors: list(string), tors_down: list(string) })),
    'nodes that announce it or did',
  ),
  links_up: integer,
  links_down: integer,
  open_findings: list(openFinding),
})

export const link = object({
  vrf: string,
  node: string,
  tor: string,
  state: { type: 'string', enum: ['up', 'down'] },
  since: time,
  cause: string,
  downs: integer,
})

export const penalty = object({
  vrf: string,
  node: string,
  penalty: number,
  flaps: integer,
  episodes: integer,
  seconds_to_reuse: number,
})

export const episode = object({
  vrf: string,
  node: string,
  started: time,
  ended: time,
  flaps: integer,
  tors_down: list(string),
  planned: boolean,
})

export const outage = object({
  vrf: string,
  down_at: time,
  up_at: nullable(time),
  seconds: nullable(number),
  node: string,
  tor: string,
  cause: string,
})

export const transition = object({
  at: time,
  vrf: string,
  node: string,
  tor: string,
  class: string,
  cause: string,
  weight: integer,
  seq: integer,
})

export const share = object({
  vrf: string,
  ingress: string,
  shares: about({ type: 'object', additionalProperties: number }, 'node -> share of 1'),
  fair: number,
  ratio_max: about(nullable(number), 'largest share over smallest'),
  effective_nodes: number,
  lost: about(number, 'share that ends at a router without a path'),
})

export const path = object({
  router: string,
  role: string,
  vrf: string,
  via: string,
  via_kind: string,
  member: boolean,
  excluded_by: about(string, 'attribute that keeps it out of the multipath set'),
  as_path: list(integer),
  since: time,
})

export const route = object({
  rx_ts: time,
  seq: integer,
  bmp_ts: nullable(time),
  collector: string,
  router: string,
  router_addr: string,
  bmp_session: integer,
  peer_key: key64,
  peer_epoch: integer,
  peer_addr: string,
  peer_asn: integer,
  peer_bgp_id: string,
  rib: string,
  afi: integer,
  safi: integer,
  action: string,
  prefix: string,
  nlri: string,
  path_id: integer,
  next_hop: string,
  as_path: list(integer),
  communities: list(string),
  attr_hash: key64,
  fwd_hash: key64,
  origin_node: string,
})

export const ribRoute = object({
  ...(route['properties'] as Record<string, Schema>),
  vrf_name: about(string, 'VRF as operators know it; `default`; empty: no IP route'),
  since: about(nullable(time), 'last event that was no duplicate'),
  stale: about(
    integer,
    '1: not confirmed since the BMP session was lost, or kept by graceful restart',
  ),
})

export const router = object({
  name: string,
  router: about(string, 'as in the log; empty: never seen'),
  role: string,
  role_source: string,
  rack: string,
  pair: string,
  site: string,
  asn: integer,
  address: string,
  state: { type: 'string', enum: ['up', 'down', 'never_seen'] },
  since: nullable(time),
  sessions: about(integer, 'BMP sessions so far'),
  bmp_session: integer,
  peers_up: integer,
  peers_down: integer,
})

export const peer = object({
  router: string,
  router_name: string,
  peer_key: key64,
  peer_addr: string,
  peer_asn: integer,
  peer_bgp_id: string,
  node: string,
  device: string,
  kind: { type: 'string', enum: ['bgp', 'loc_rib', 'local'] },
  state: { type: 'string', enum: ['up', 'down'] },
  stale: about(boolean, 'the BMP session is lost: this is what it said last'),
  up_at: nullable(time),
  down_at: nullable(time),
  down_reason: string,
})

export const trust = object({
  router: string,
  router_name: string,
  rib: string,
  afi: integer,
  safi: integer,
  score: about(integer, '100 less the weights of the rules that it breaks'),
  trust: about(
    { type: 'string', enum: ['trusted', 'doubtful', 'untrusted'] },
    'doubtful below 80; untrusted below 50, or quarantined (P1): then it feeds no detector',
  ),
  rules: about(list(string), 'codes of the reasons, in their order'),
  reasons: about(list(string), 'each begins with the code of its rule'),
  notes: about(list(string), 'habits of the router that are reckoned with'),
  peers: about(integer, 'that have this table'),
  announces: about(integer, 'messages since the Peer Ups in force'),
  withdraws: integer,
  routes: about(integer, 'announced now'),
  stale_routes: integer,
  expected: about(
    nullable(integer),
    "the router's own count (Statistics Report); null: none that could be compared",
  ),
  counted_routes: about(nullable(integer), 'routes now of the peers that it counted'),
  counted_at: nullable(time),
  missing: about(integer, 'routes that it counts and never sent, whatever changed since'),
  too_many: about(integer, 'routes here that it does not count'),
  eor: about(
    string,
    'how the first table ended: eor, quiet (5 s of silence), max (120 s), running; empty: no peer is up',
  ),
  silent_s: about(number, 'seconds since its last message'),
  interval_s: about(nullable(number), 'between two statistics reports'),
  skew_s: about(nullable(number), 'its clock behind ours; order never rests on it'),
  withdrawn_by_policy: about(integer, 'routes that pre-policy announces and post-policy withdrew'),
  damaged_routes: integer,
  errors: integer,
  canonical: about(boolean, 'the Adj-RIB-In that detectors read'),
})

export const visibility = object({
  prefix: string,
  vrf: string,
  afi: integer,
  safi: integer,
  router: about(string, 'as in the log; empty: never seen'),
  router_name: string,
  role: string,
  sees: boolean,
  rib: about(string, 'a row for each table that has it; empty when none has'),
  how: about(
    { type: 'string', enum: ['best', 'candidate', 'sent', ''] },
    'best: chosen (Loc-RIB); candidate: offered (Adj-RIB-In); sent: passed on (Adj-RIB-Out)',
  ),
  level: about(
    { type: 'string', enum: ['full', 'candidates', 'best_only', 'none'] },
    'how much of the multipath set can be seen at this router',
  ),
  paths: integer,
  peers: about(list(string), 'from whom (Adj-RIB-Out: to whom): nodes, devices, else addresses'),
  next_hops: list(string),
  origin_nodes: list(string),
  since: nullable(time),
  stale: about(boolean, 'not confirmed in the BMP session in force'),
  siblings: about(list(string), 'other routers of the role that see it'),
  missing: about(boolean, 'siblings see it, this router does not'),
  why: about(string, 'it does not see it, as far as is known'),
})

const capabilities = about(list(string), 'as in the OPEN')

export const peerSession = object({
  router: string,
  router_name: string,
  peer_key: key64,
  bmp_session: integer,
  peer_epoch: integer,
  peer_addr: string,
  peer_asn: integer,
  peer_bgp_id: string,
  node: string,
  device: string,
  kind: { type: 'string', enum: ['bgp', 'loc_rib', 'local'] },
  state: about(
    { type: 'string', enum: ['up', 'stale', 'over'] },
    'stale: BMP is lost, this is what it said last',
  ),
  began: { type: 'string', enum: ['peer_up', 'synthetic', 'continued', 'restarted'] },
  up_at: time,
  ended: { type: 'string', enum: ['', 'peer_down', 'replaced', 'feed_lost', 'absent'] },
  down_at: nullable(time),
  duration_s: nullable(number),
  why: about(string, 'it ended, in words'),
  reason_code: about(integer, 'RFC 7854 section 4.9'),
  notification: about(string, 'names of code and subcode'),
  fsm_event_name: about(string, 'RFC 4271 section 8.1'),
  shutdown_text: about(string, 'RFC 9003'),
  gr_kept: about(list(string), 'families whose routes stayed'),
  hold_time_s: integer,
  families: about(list(string), 'that both OPENs have'),
  add_path: about(list(string), 'family/receive and family/send, RFC 7911'),
  extended_next_hop: list(string),
  sent_capabilities: capabilities,
  received_capabilities: capabilities,
  announces: integer,
  withdraws: integer,
  first_route_at: nullable(time),
  last_route_at: nullable(time),
  dumps: about(list(string), 'table, family and how its first table ended'),
})

export const type5 = object({
  vrf: string,
  prefix: string,
  rd: string,
  next_hop: string,
  via: string,
  gw_ip: string,
  vni: integer,
  next_host: string,
  owners: list(string),
  verdict: string,
  since: time,
  seen_at: list(string),
})

const rows = list({ type: 'object', additionalProperties: true })

export const fabric = object({
  routers: rows,
  nodes: rows,
  vips: rows,
  vteps: rows,
  vrfs: rows,
  peers: rows,
  detectors: { type: 'object', additionalProperties: number },
})

export const node = object({
  node: string,
  bgp_ids: list(string),
  addresses: list(string),
  asn: integer,
  rack: string,
  site: string,
  expected_tors: list(string),
  source: string,
  sessions_up: integer,
  sessions_down: integer,
  vips_up: about(list(string), 'announced on every ToR that saw them from it'),
  vips_down: about(list(string), 'withdrawn on some ToR'),
})

export const historyRow = object({
  ...(route['properties'] as Record<string, Schema>),
  implied: about(
    integer,
    '1: no message of the router; the route ended with its session or a refresh',
  ),
  class: string,
  cause: string,
})

export const owner = object({
  l2vni: integer,
  mac: string,
  esi: string,
  mm_seq: integer,
  since: time,
  owners: about(list(string), 'VTEP groups'),
  macs: about(integer, 'MACs that claim it equally well; more than 1 is ambiguous'),
})

export const move = object({ mac: string, l2vni: integer, vtep: string, mm_seq: integer, at: time })

const routeCounts = object({
  added: integer,
  removed: integer,
  changed: integer,
  flapped: about(integer, 'moved in between and are as they were'),
})

export const diff = object({
  from: time,
  to: time,
  summary: object({
    groups: integer,
    routes: routeCounts,
    sessions_down: integer,
    sessions_up: integer,
    feeds_lost: integer,
    left_out: object({ groups: integer, sessions: boolean }),
  }),
  items: list(
    object({
      id: string,
      cause: about(
        string,
        'node_down, node_up, router_down, router_up, sessions_lost, peer_down, peer_up, feed_lost, feed_resumed, feed_new, node_withdrew, node_announced, node_changed, node_flapped, the same four with vip_, evpn_ and path_, evpn_move, import_policy',
      ),
      entity: object({ kind: string, name: string }),
      at: time,
      until: time,
      blast_radius: about(
        object({ score: integer, vips: integer, routers: integer, prefixes: integer }),
        'score: VIPs times routers',
      ),
      explanation: string,
      vips: list(string),
      routers: list(string),
      prefixes: about(list(string), 'at most 20 of them'),
      routes: routeCounts,
      attributes: about({ type: 'object', additionalProperties: integer }, 'attribute -> routes'),
      peers: list(string),
      sessions: rows,
      evidence: rows,
      findings: about(list(string), 'ids of findings about it that were open in between'),
      incidents: list(string),
    }),
  ),
  next: nullable(string),
})

const said = { announces: integer, withdraws: integer }
const dumped = about(integer, 'announcements of a first table: no churn')

export const churn = object({
  at: about(time, 'start of the step'),
  router: string,
  router_name: string,
  ...said,
  dumped,
  announces_per_s: number,
  withdraws_per_s: number,
  bmp_sessions_up: integer,
  bmp_sessions_down: integer,
  peers_up: integer,
  peers_down: integer,
  views: about(
    list(object({ rib: string, afi: integer, safi: integer, ...said, dumped })),
    'the same by table and family',
  ),
})

export const prefixChurn = object({
  prefix: string,
  afi: integer,
  safi: integer,
  ...said,
  changes: integer,
  routers: list(string),
  hours: list(object({ hour: time, ...said })),
})

export const tableSize = object({
  at: about(time, 'start of the step; its last sample counts'),
  sampled_at: time,
  router: string,
  router_name: string,
  rib: string,
  afi: integer,
  safi: integer,
  routes: about(integer, 'announced and not ended, stale ones included'),
  stale: integer,
  reported: about(nullable(integer), 'statistics 9 and 10 of the router, of this family'),
  reported_all: about(nullable(integer), 'statistics 7 and 8: all families together'),
})
