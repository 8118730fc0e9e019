/** NODE_DOWN, ROUTER_DOWN, PEER_DOWN, FEED_LOST: what the loss of sessions means. */
import type { Family, Instant, Observed } from '../family.ts'
import { LOOK_BACK_US, seconds } from '../family.ts'
import { clickhouseTime, formatTime } from '../finding.ts'
import type { Observation } from '../finding.ts'
import { query } from '../queries.ts'

interface FeedLoss {
  router: string
  name: string
  down_at: string
  up_at: string | null
  reason: string
  seq: string
  collector: string
  reported_by: string[]
  /** VIPs that were ever announced on it. */
  vips: string[]
  router_down_at: string | null
}

interface NodeDown {
  node: string
  down_at: string
  up_at: string | null
  tors: string[]
  sessions: number
  vips: string[]
}

interface PeerDown {
  router: string
  router_name: string
  peer_key: string
  node: string
  device: string
  peer: string
  down_at: string
  up_at: string | null
  seq: string
  reason: string
  reason_code: number
  notification_code: number
  notification_subcode: number
  fsm_event: number
  text: string
  /** VIPs that the peer, a node, announced there. */
  vips: string[]
}

/** Peer Downs this near to the loss of a node or router are explained by it. */
const NODE_NEAR_US = 10e6
const ROUTER_NEAR_US = 60e6
const CLUSTER_NEAR_US = 5e6

/** How a session ends that this side ended. */
const OWN_REASONS = new Set(['shutdown', 'collector-restart'])
const OWN_GRACE_US = 60e6

/** Nobody ended it, and its collector does not say any more that it is open. */
const SILENT = 'collector-silent'

const span = (row: { up_at: string | null }): { until?: number } =>
  row.up_at === null ? {} : { until: Number(row.up_at) }

export const sessions: Family = {
  name: 'sessions',
  kinds: ['NODE_DOWN', 'ROUTER_DOWN', 'PEER_DOWN', 'FEED_LOST'],
  inputs: ['session', 'fabric'],
  lagUs: () => 0,
  async observe({ db, at, params, startedAt }: Instant): Promise<Observed> {
    // Most of the time nothing was ever lost: that is cheap to see.
    const [ends] = await db.query<{ feeds: string; peers: string }>(query('session_ends'))
    if (Number(ends?.feeds ?? 0) + Number(ends?.peers ?? 0) === 0) return { observations: [] }
    const from = { from: clickhouseTime(at - LOOK_BACK_US) }
    const losses = await db.query<FeedLoss>(query('feed_losses'), from)
    const peers = await db.query<PeerDown>(query('peer_downs'), from)
    const nodes = peers.some((each) => each.node !== '')
      ? await db.query<NodeDown>(query('node_downs'), from)
      : []
    const known = nodes.length < 2 ? 0 : await nodeCount(db)
    const settle = seconds(params.settle_s)

    return {
      observations: [
        ...losses.flatMap((row) => feedLoss(row, settle, startedAt)),
        ...nodes.map((row) => nodeDown(row, nodes, known)),
        ...peers
          .filter((row) => !explained(row, nodes, losses))
          .map((row) => peerDown(row, settle)),
      ],
    }
  },
}

function feedLoss(row: FeedLoss, settle: number, startedAt: number): Observation[] {
  const lost = Number(row.down_at)
  const silent = row.reason === SILENT
  const evidence = [
    {
      router: row.router,
      seq: Number(row.seq),
      rx_ts: formatTime(lost),
      text: silent
        ? `the BMP session that collector ${row.collector} had: its last sign of life was at ${formatTime(lost)}`
        : `BMP session ended: ${row.reason}`,
    },
  ]
  if (row.router_down_at !== null) {
    const since = Number(row.router_down_at)
    return [
      {
        kind: 'ROUTER_DOWN',
        scope: { router: row.name },
        since,
        ...span(row),
        openAt: Math.max(since, lost),
        brief: 'counts',
        severity: 'minor',
        confidence: 'high',
        metrics: { tors: row.reported_by, vips: row.vips },
        explanation: `Router ${row.name} is down: its BMP session is lost and ${row.reported_by.join(', ')} lost BGP with it.`,
        evidence,
        entities: [`router:${row.name}`, `tor:${row.name}`],
      },
    ]
  }
  // The collector ended it: a router that comes back soon lost nothing.
  const ours = OWN_REASONS.has(row.reason)
  if (ours && row.up_at !== null) return []
  const why = silent
    ? `its collector ${row.collector} is silent: dead, or cut off from the brokers`
    : row.reason
  return [
    {
      kind: 'FEED_LOST',
      scope: { router: row.name },
      since: lost,
      ...span(row),
      // Silence was waited for already. A router that changed collectors meanwhile lost nothing.
      openAt: silent ? 0 : ours ? Math.max(lost, startedAt) + OWN_GRACE_US : lost + settle,
      ...(ours || silent ? {} : { brief: 'counts' as const }),
      severity: 'minor',
      confidence: 'high',
      metrics: {
        ...{ tors: [], vips: row.vips, reason: row.reason },
        ...(silent ? { collector: row.collector } : {}),
      },
      explanation: `The BMP session of ${row.name} was lost (${why}). No neighbour lost BGP with it: what it showed is kept, marked stale.`,
      evidence,
      entities: [`router:${row.name}`],
    },
  ]
}

async function nodeCount(db: Instant['db']): Promise<number> {
  const [row] = await db.query<{ nodes: string }>(query('node_count'))
  return Number(row?.nodes ?? 0)
}

/** @param known nodes of the fabric: when half of them go within seconds it is no matter of one node (A.7, cause 6) */
function nodeDown(row: NodeDown, all: readonly NodeDown[], known: number): Observation {
  const since = Number(row.down_at)
  const together = new Set(
    all
      .filter((each) => Math.abs(Number(each.down_at) - since) <= CLUSTER_NEAR_US)
      .map((each) => each.node),
  )
  const cluster = together.size >= 2 && together.size >= known / 2
  return {
    kind: 'NODE_DOWN',
    scope: { node: row.node },
    since,
    ...span(row),
    openAt: since,
    brief: 'counts',
    severity: 'minor',
    confidence: 'high',
    metrics: { tors: row.tors, vips: row.vips },
    ...(cluster ? { cause: 'CLUSTER_SPEAKER_RELOAD' } : {}),
    explanation: `Node ${row.node} lost its BGP sessions on all its ToRs (${row.tors.join(', ')}); it announced ${String(row.vips.length)} VIPs.`,
    entities: [...(cluster ? ['cluster:nodes'] : []), `node:${row.node}`],
  }
}

function explained(
  row: PeerDown,
  nodes: readonly NodeDown[],
  losses: readonly FeedLoss[],
): boolean {
  const at = Number(row.down_at)
  if (
    row.node !== '' &&
    nodes.some(
      (each) =>
        each.node === row.node &&
        at <= Number(each.down_at) &&
        at >= Number(each.down_at) - NODE_NEAR_US,
    )
  ) {
    return true
  }
  // The other end, or the reporter itself on its way down.
  return losses.some(
    (each) =>
      each.router_down_at !== null &&
      (each.name === row.device || each.name === row.router_name) &&
      Math.abs(at - Number(each.router_down_at)) <= ROUTER_NEAR_US,
  )
}

function peerDown(row: PeerDown, settle: number): Observation {
  const since = Number(row.down_at)
  const notification =
    row.notification_code === 0
      ? ''
      : `, NOTIFICATION ${String(row.notification_code)}/${String(row.notification_subcode)}`
  const why = `${row.reason}${notification}${row.text === '' ? '' : ` (${row.text})`}`
  return {
    kind: 'PEER_DOWN',
    scope: { router: row.router_name, peer: row.peer },
    since,
    ...span(row),
    openAt: since + settle,
    brief: 'counts',
    severity: 'minor',
    confidence: 'high',
    metrics: {
      tors: [row.router_name],
      vips: row.vips,
      reason: row.reason,
      reason_code: row.reason_code,
      notification_code: row.notification_code,
      notification_subcode: row.notification_subcode,
      fsm_event: row.fsm_event,
    },
    explanation: `${row.router_name} lost its BGP session with ${row.peer}: ${why}.`,
    evidence: [
      {
        router: row.router,
        peer: row.peer_key,
        seq: Number(row.seq),
        rx_ts: formatTime(since),
        text: `Peer Down: ${why}`,
      },
    ],
    entities: [
      ...(row.node === '' ? [] : [`node:${row.node}`]),
      `tor:${row.router_name}`,
      ...(row.device === '' ? [] : [`router:${row.device}`]),
    ],
  }
}
