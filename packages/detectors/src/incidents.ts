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

const rank = (kind: Kind | undefined): number => {
  const index = kind === undefined ? -1 : LEADS.indexOf(kind)
  return index < 0 ? LEADS.length : index
}

interface Kept extends Incident {
  readonly order: number
  readonly entities: Set<string>
  readonly members: Set<string>
  /** Rank of the finding that named it, and its id. */
  leader: number
  leaderId: string
}

export class IncidentBook {
  readonly #windowUs: number
  readonly #incidents = new Map<string, Kept>()
  /** A storm opens thousands of findings: each looks only at incidents about what it is about. */
  readonly #byEntity = new Map<string, Set<Kept>>()
  readonly #changed = new Set<string>()
  #order = 0
  #forgetAbove = MAX_INCIDENTS

  constructor(windowUs: number) {
    this.#windowUs = windowUs
  }

  restore(
    incidents: readonly Incident[],
    findingOf: (id: string) => Finding | undefined = () => undefined,
  ): void {
    for (const each of incidents) {
      const leads = each.findings.map((id) => findingOf(id)?.kind).map((kind) => rank(kind))
      this.#keep({ ...each, findings: [...each.findings] }, [`${each.entity}:${each.name}`], {
        rank: Math.min(...leads, LEADS.length),
        id: '',
      })
    }
  }

  all(): Incident[] {
    return [...this.#incidents.values()].map(publicFace)
  }

  /**
   * @param earlier the incident of this finding's last opening, when it opens again
   * @returns the id of the incident that the finding belongs to, from now on
   */
  join(finding: Finding, since: number, earlier?: string): string {
    const own = earlier === undefined ? undefined : this.#incidents.get(earlier)
    const shared = own ?? this.#near(finding.entities, since)
    if (shared === undefined) {
      const id = createHash('sha256')
        .update(`${finding.id} ${String(since)}`)
        .digest('hex')
        .slice(0, 16)
      this.#keep(
        {
          id,
          cause: finding.cause === '' ? finding.kind : finding.cause,
          ...mainEntity(finding.entities),
          severity: finding.severity,
          status: finding.status,
          first_seen: since,
          last_seen: since,
          findings: [finding.id],
          version: 0,
        },
        finding.entities,
        { rank: rank(finding.kind), id: finding.id },
      )
      this.#changed.add(id)
      this.#forget()
      return id
    }
    if (!shared.members.has(finding.id)) {
      shared.members.add(finding.id)
      shared.findings.push(finding.id)
    }
    for (const entity of finding.entities) this.#index(shared, entity)
    if (rank(finding.kind) < shared.leader) this.#lead(shared, finding)
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
    // What it is about may be clear only later: the first node of a cluster goes alone.
    for (const entity of finding.entities) this.#index(incident, entity)
    if (finding.id === incident.leaderId) this.#lead(incident, finding)
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
      changed.push(publicFace(incident))
    }
    this.#changed.clear()
    return changed
  }

  /** The oldest incident about one of these, not further away in time than the window. */
  #near(entities: readonly string[], since: number): Kept | undefined {
    let found: Kept | undefined
    for (const entity of entities) {
      for (const each of this.#byEntity.get(entity) ?? []) {
        if (found !== undefined && found.order <= each.order) continue
        if (since < each.first_seen - this.#windowUs) continue
        if (since <= each.last_seen + this.#windowUs) found = each
      }
    }
    return found
  }

  #lead(incident: Kept, finding: Finding): void {
    incident.leader = rank(finding.kind)
    incident.leaderId = finding.id
    incident.cause = finding.cause === '' ? finding.kind : finding.cause
    Object.assign(incident, mainEntity(finding.entities))
  }

  #keep(
    incident: Incident,
    entities: readonly string[],
    leader: { rank: number; id: string },
  ): void {
    const kept: Kept = {
      ...incident,
      order: this.#order++,
      entities: new Set(),
      members: new Set(incident.findings),
      leader: leader.rank,
      leaderId: leader.id,
    }
    this.#incidents.set(kept.id, kept)
    for (const entity of entities) this.#index(kept, entity)
  }

  #index(incident: Kept, entity: string): void {
    incident.entities.add(entity)
    const list = this.#byEntity.get(entity)
    if (list === undefined) this.#byEntity.set(entity, new Set([incident]))
    else list.add(incident)
  }

  #forget(): void {
    if (this.#incidents.size <= this.#forgetAbove) return
    for (const [id, incident] of this.#incidents) {
      if (this.#incidents.size <= MAX_INCIDENTS) break
      if (incident.status !== 'resolved') continue
      this.#incidents.delete(id)
      for (const entity of incident.entities) {
        const list = this.#byEntity.get(entity)
        list?.delete(incident)
        if (list?.size === 0) this.#byEntity.delete(entity)
      }
    }
    // Open ones stay, however many: they are not looked through again for each new one.
    this.#forgetAbove = Math.max(MAX_INCIDENTS, Math.ceil(this.#incidents.size * 1.1))
  }
}

function publicFace(kept: Kept): Incident {
  const { id, cause, entity, name, severity, status, first_seen, last_seen, version } = kept
  const findings = [...kept.findings]
  return { id, cause, entity, name, severity, status, first_seen, last_seen, findings, version }
}

function mainEntity(entities: readonly string[]): { entity: string; name: string } {
  for (const kind of ENTITY_ORDER) {
    const hit = entities.find((each) => each.startsWith(`${kind}:`))
    if (hit !== undefined) return { entity: kind, name: hit.slice(kind.length + 1) }
  }
  return { entity: 'vip', name: entities[0] ?? '' }
}
