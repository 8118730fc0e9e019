/** Findings and what detectors observe. Times are microseconds since the epoch, receive time. */

export const KINDS = [
  'VIP_FLAP',
  'VIP_OUTAGE',
  'NODE_DOWN',
  'ROUTER_DOWN',
  'PEER_DOWN',
  'FEED_LOST',
  'VIEW_UNTRUSTED',
  'ECMP_SIBLING_DIFF',
  'ECMP_FANOUT_MISSING',
  'ECMP_UNEQUAL_SPLIT',
  'T5_TROMBONE',
  'T5_CENTRALISED_HAIRPIN',
  'T5_GW_UNRESOLVED',
  'T5_NH_REWRITTEN',
  'MAC_DUP',
] as const
export type Kind = (typeof KINDS)[number]

export const SEVERITIES = ['info', 'minor', 'major', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]
export type Confidence = 'high' | 'medium' | 'low'
export type Status = 'open' | 'resolved' | 'suppressed'

/** The row of the log that decided. */
export interface Evidence {
  readonly router: string
  readonly peer?: string
  readonly rib?: string
  readonly seq?: number
  readonly rx_ts: string
  readonly text: string
}

export type Scope = Readonly<Record<string, string | number | readonly string[]>>
export type Metrics = Readonly<Record<string, unknown>>

/**
 * What a detector sees at one instant: a condition that holds, or a span in which it held.
 */
export interface Observation {
  readonly kind: Kind
  /** Identity of the finding, DESIGN 4.6. */
  readonly scope: Scope
  /** Start of the condition. */
  readonly since: number
  /** End of the span; undefined while it lasts. */
  readonly until?: number | undefined
  /** It counts from here on: `since` and the hold. */
  readonly openAt: number
  /**
   * What a span shorter than the hold is: `counts` (an outage of 4 s is an outage), or nothing. A condition must hold without a
   * break.
   */
  readonly brief?: 'counts'
  readonly subKind?: string
  readonly cause?: string
  readonly severity: Severity
  readonly confidence: Confidence
  readonly metrics: Metrics
  readonly explanation: string
  readonly evidence?: readonly Evidence[]
  readonly limits?: readonly string[]
  /** What the finding is about, e.g. `node:n3`, `tor:tor1`: findings that share one and time are one incident. */
  readonly entities: readonly string[]
  /** A planned drain or maintenance: kept, not alarmed. */
  readonly suppressed?: boolean
  /** Ids of findings that this one replaces. */
  readonly supersedes?: readonly string[]
}

export interface Finding {
  readonly id: string
  readonly kind: Kind
  sub_kind: string
  cause: string
  severity: Severity
  confidence: Confidence
  status: Status
  first_seen: number
  last_seen: number
  resolved_at: number | undefined
  readonly scope: Scope
  metrics: Metrics
  explanation: string
  evidence: readonly Evidence[]
  limits: readonly string[]
  incident_id: string
  reopened: number
  /** Counts the changes: the version of its row in findings_log. */
  version: number
  entities: readonly string[]
}

export interface Change {
  readonly at: number
  readonly status: Status
  readonly severity: Severity
  readonly metrics: Metrics
}

export const worse = (a: Severity, b: Severity): Severity =>
  SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b

/** RFC 3339 in UTC with microseconds. */
export function formatTime(us: number): string {
  const seconds = Math.floor(us / 1e6)
  const rest = us - seconds * 1e6
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(rest).padStart(6, '0')}Z`
}

/** DateTime64(6) as a parameter or a JSONEachRow value. */
export const clickhouseTime = (us: number): string => formatTime(us).slice(0, -1).replace('T', ' ')
