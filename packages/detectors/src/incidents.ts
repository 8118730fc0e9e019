/** Findings about the same thing at the same time are one incident. */
import { createHash } from 'node:crypto'
import { worse } from './finding.ts'
import type { Finding, Kind, Severity, Status } from './finding.ts'

export interface Incident {
  readonly id: string
  cause: string
  /** node, tor, router, cluster or vip: what `name` is. */
  entity: string
  name: string
  severity: Severity
  status: Status
  first_seen: number
  last_seen: number
  findings: string[]
  version: number
}

/** The finding that best says what happened names the incident. */
const LEADS: readonly Kind[] = [
  'ROUTER_DOWN',
  'NODE_DOWN',
  'PEER_DOWN',
  'FEED_LOST',
  'VIP_FLAP',
  'VIP_OUTAGE',
  'ECMP_FANOUT_MISSING',
  'ECMP_SIBLING_DIFF',
]
const MAX_INCIDENTS = 10_000
const ENTITY_ORDER = ['cluster', 'router', 'node', 'tor', 'vip']

const lead = (kind: Kind): number => {
  const index = LEADS.indexOf(kind)
  return index < 0 ? LEADS.length : index
}

export class IncidentBook {
  readonly #windowUs: number
  readonly #incidents = new Map<string, Incident & { entities: Set<string>; leader: number }>()
  readonly #changed = new Set<string>()

  constructor(windowUs: number) {
    this.#windowUs = windowUs
  }

  restore(incidents: readonly Incident[]): void {
    for (const each of incidents) {
      this.#incidents.set(each.id, {
        ...each,
        entities: new Set([`${each.entity}:${each.name}`]),
        leader: LEADS.length,
      })
    }
  }

  all(): Incident[] {
    return [...this.#incidents.values()]
  }

  /**
   * @param earlier the incident of this finding's last opening, when it opens again
   * @returns the id of the incident that the finding belongs to, from now on
   */
  join(finding: Finding, since: number, earlier?: string): string {
    const own = earlier === undefined ? undefined : this.#incidents.get(earlier)
    const shared =
      own ??
      [...this.#incidents.values()].find(
        (each) =>
          since >= each.first_seen - this.#windowUs &&
          since <= each.last_seen + this.#windowUs &&
          finding.entities.some((entity) => each.entities.has(entity)),
      )
    if (shared === undefined) {
      const id = createHash('sha256')
        .update(`${finding.id} ${String(since)}`)
        .digest('hex')
        .slice(0, 16)
      const entities = new Set(finding.entities)
      const incident = {
        id,
        cause: finding.cause === '' ? finding.kind : finding.cause,
        ...mainEntity(finding.entities),
        severity: finding.severity,
        status: finding.status,
        first_seen: since,
        last_seen: since,
        findings: [finding.id],
        version: 0,
        entities,
        leader: lead(finding.kind),
      }
      this.#incidents.set(id, incident)
      this.#changed.add(id)
      this.#forget()
      return id
    }
    if (!shared.findings.includes(finding.id)) shared.findings.push(finding.id)
    for (const entity of finding.entities) shared.entities.add(entity)
    if (lead(finding.kind) < shared.leader) {
      shared.leader = lead(finding.kind)
      shared.cause = finding.cause === '' ? finding.kind : finding.cause
      Object.assign(shared, mainEntity(finding.entities))
    }
    shared.first_seen = Math.min(shared.first_seen, since)
    shared.last_seen = Math.max(shared.last_seen, since)
    this.#changed.add(shared.id)
    return shared.id
  }

  /** A finding of the incident changed. */
  touch(finding: Finding, at: number): void {
    const incident = this.#incidents.get(finding.incident_id)
    if (incident === undefined) return
    incident.last_seen = Math.max(incident.last_seen, finding.resolved_at ?? at)
    this.#changed.add(incident.id)
  }

  takeChanged(findingOf: (id: string) => Finding | undefined): Incident[] {
    const changed: Incident[] = []
    for (const id of this.#changed) {
      const incident = this.#incidents.get(id)
      if (incident === undefined) continue
      const findings = incident.findings.map(findingOf).filter((each) => each !== undefined)
      incident.severity = findings.reduce<Severity>((a, each) => worse(a, each.severity), 'info')
      incident.status = findings.some((each) => each.status === 'open')
        ? 'open'
        : findings.some((each) => each.status === 'suppressed')
          ? 'suppressed'
          : 'resolved'
      incident.version += 1
      changed.push({ ...incident, findings: [...incident.findings] })
    }
    this.#changed.clear()
    return changed
  }

  #forget(): void {
    for (const [id, incident] of this.#incidents) {
      if (this.#incidents.size <= MAX_INCIDENTS) return
      if (incident.status === 'resolved') this.#incidents.delete(id)
    }
  }
}

function mainEntity(entities: readonly string[]): { entity: string; name: string } {
  for (const kind of ENTITY_ORDER) {
    const hit = entities.find((each) => each.startsWith(`${kind}:`))
    if (hit !== undefined) return { entity: kind, name: hit.slice(kind.length + 1) }
  }
  return { entity: 'vip', name: entities[0] ?? '' }
}
