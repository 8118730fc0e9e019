/**
 * The life of findings: opens what holds long enough, updates it under the same id, closes it when it ends, opens it again.
 * Knows nothing of SQL or clocks: the same observations at the same instants give the same findings.
 */
import { createHash } from 'node:crypto'
import { worse } from './finding.ts'
import type { Change, Finding, Kind, Observation, Scope } from './finding.ts'
import { IncidentBook } from './incidents.ts'
import type { Incident } from './incidents.ts'

/** A finding that comes back within this time is the same opening, once more. */
const REOPEN_WITHIN_US = 30 * 60 * 1e6
/** Last states kept per book, open ones never dropped: memory stays bounded. */
const MAX_CLOSED = 20_000

export function findingId(kind: Kind, scope: Scope): string {
  const parts = Object.keys(scope)
    .sort()
    .map((key) => [key, scope[key]])
  return createHash('sha256')
    .update(JSON.stringify([kind, parts]))
    .digest('hex')
    .slice(0, 16)
}

export interface Applied {
  readonly changed: readonly { readonly finding: Finding; readonly change: Change }[]
  readonly incidents: readonly Incident[]
}

export class FindingBook {
  readonly #findings = new Map<string, Finding>()
  /** Start of the last span that a finding counted, so that it is counted once. */
  readonly #spans = new Map<string, number>()
  /** Open since before this process: the start of their span is not known, only that it lasted until `last_seen`. */
  readonly #restored = new Set<string>()
  readonly #incidents: IncidentBook

  constructor(options: { incidentWindowUs: number }) {
    this.#incidents = new IncidentBook(options.incidentWindowUs)
  }

  /** Takes over what an earlier process left open. */
  restore(findings: readonly Finding[], incidents: readonly Incident[]): void {
    for (const finding of findings) {
      this.#findings.set(finding.id, finding)
      this.#spans.set(finding.id, finding.last_seen)
      if (finding.status !== 'resolved') this.#restored.add(finding.id)
    }
    this.#incidents.restore(incidents, (id) => this.#findings.get(id))
  }

  get(id: string): Finding | undefined {
    return this.#findings.get(id)
  }

  isOpen(kind: Kind, scope: Scope): boolean {
    return this.#findings.get(findingId(kind, scope))?.status === 'open'
  }

  all(): Finding[] {
    return [...this.#findings.values()]
  }

  incidents(): Incident[] {
    return this.#incidents.all()
  }

  /**
   * @param kinds the kinds that `observations` speak of: an open finding of these that is not observed any more is over
   * @param at the instant of the evaluation
   */
  apply(kinds: readonly Kind[], observations: readonly Observation[], at: number): Applied {
    const changed: { finding: Finding; change: Change }[] = []
    const seen = new Set<string>()
    for (const each of observations) {
      const id = findingId(each.kind, each.scope)
      const open = this.#findings.get(id)?.status
      if (each.until === undefined) {
        seen.add(id)
        // What is open stays open while the condition lasts, also when a change restarts its hold.
        if (at >= each.openAt || open === 'open' || open === 'suppressed') {
          this.#open(id, each, at, changed)
        }
      } else if (this.#isCurrent(id, each.since, each.until)) {
        // The span that was open has ended, and we know when.
        this.#update(id, each, at, changed)
        this.#close(id, at, each.until, changed)
      } else if (
        each.brief === 'counts' &&
        at >= each.openAt &&
        each.since > (this.#spans.get(id) ?? 0)
      ) {
        this.#open(id, each, at, changed)
        this.#close(id, at, each.until, changed)
      }
    }
    const superseded = new Map<string, string>()
    for (const each of observations) {
      if (each.until !== undefined || at < each.openAt) continue
      for (const old of each.supersedes ?? []) superseded.set(old, findingId(each.kind, each.scope))
    }
    for (const finding of this.#findings.values()) {
      if (finding.status === 'resolved' || !kinds.includes(finding.kind)) continue
      const by = superseded.get(finding.id)
      if (by !== undefined) {
        finding.metrics = { ...finding.metrics, superseded_by: by }
        this.#close(finding.id, at, at, changed)
      } else if (!seen.has(finding.id)) this.#close(finding.id, at, at, changed)
    }
    this.#forget()
    return { changed, incidents: this.#incidents.takeChanged((id) => this.#findings.get(id)) }
  }

  /** Whether this ended span is the one that the finding is, or was last, open for. */
  #isCurrent(id: string, since: number, until: number): boolean {
    const start = this.#spans.get(id)
    if (start === since) return true
    return start !== undefined && this.#restored.has(id) && since <= start && until >= start
  }

  #open(
    id: string,
    from: Observation,
    at: number,
    changed: { finding: Finding; change: Change }[],
  ): void {
    const before = this.#findings.get(id)
    this.#spans.set(id, Math.max(from.since, this.#spans.get(id) ?? 0))
    if (before?.status === 'open' || before?.status === 'suppressed') {
      this.#update(id, from, at, changed)
      return
    }
    const again =
      before?.resolved_at !== undefined && from.since - before.resolved_at <= REOPEN_WITHIN_US
    const finding: Finding = {
      id,
      kind: from.kind,
      sub_kind: from.subKind ?? '',
      cause: from.cause ?? '',
      severity: from.severity,
      confidence: from.confidence,
      status: from.suppressed === true ? 'suppressed' : 'open',
      first_seen: again ? before.first_seen : from.since,
      last_seen: at,
      resolved_at: undefined,
      scope: from.scope,
      metrics: from.metrics,
      explanation: from.explanation,
      evidence: from.evidence ?? [],
      limits: from.limits ?? [],
      incident_id: '',
      reopened: again ? before.reopened + 1 : 0,
      version: before?.version ?? 0,
      entities: from.entities,
    }
    this.#findings.delete(id)
    this.#findings.set(id, finding)
    finding.incident_id = this.#incidents.join(
      finding,
      from.since,
      again ? before.incident_id : undefined,
    )
    this.#record(finding, at, changed)
  }

  #update(
    id: string,
    from: Observation,
    at: number,
    changed: { finding: Finding; change: Change }[],
  ): void {
    const finding = this.#findings.get(id)
    if (finding === undefined || finding.status === 'resolved') return
    finding.last_seen = at
    finding.entities = from.entities
    // Escalation at once, de-escalation only on close.
    const severity = worse(finding.severity, from.severity)
    const sub = from.subKind ?? ''
    const cause = from.cause ?? ''
    const same =
      severity === finding.severity &&
      sub === finding.sub_kind &&
      cause === finding.cause &&
      JSON.stringify(from.metrics) === JSON.stringify(finding.metrics)
    if (same) return
    finding.severity = severity
    finding.sub_kind = sub
    finding.cause = cause
    finding.confidence = from.confidence
    finding.metrics = from.metrics
    finding.explanation = from.explanation
    finding.evidence = from.evidence ?? finding.evidence
    finding.limits = from.limits ?? finding.limits
    this.#record(finding, at, changed)
  }

  #close(
    id: string,
    at: number,
    endedAt: number,
    changed: { finding: Finding; change: Change }[],
  ): void {
    const finding = this.#findings.get(id)
    if (finding?.status !== 'open' && finding?.status !== 'suppressed') return
    finding.status = 'resolved'
    finding.last_seen = at
    this.#restored.delete(id)
    finding.resolved_at = endedAt
    this.#record(finding, at, changed)
  }

  #record(finding: Finding, at: number, changed: { finding: Finding; change: Change }[]): void {
    finding.version += 1
    this.#incidents.touch(finding, at)
    changed.push({
      finding: { ...finding },
      change: {
        at,
        status: finding.status,
        severity: finding.severity,
        metrics: finding.metrics,
      },
    })
  }

  #forget(): void {
    if (this.#findings.size <= MAX_CLOSED) return
    for (const [id, finding] of this.#findings) {
      if (finding.status !== 'resolved') continue
      this.#findings.delete(id)
      this.#spans.delete(id)
      if (this.#findings.size <= MAX_CLOSED) return
    }
  }
}
