/**
 * The analyst: in rounds, looks at what was stored since the last one, classifies it, keeps the inventory, evaluates the detector
 * views that may answer differently now, and keeps findings and incidents. It holds no routes: the store does.
 *
 * It is told the time, so that a recording on a virtual clock and a live fabric take the same way.
 */
import { createFamilies, FindingBook, clickhouseTime, formatTime, query } from '@ribscope/detectors'
import type { Change, Family, Finding, Incident, Input, Kind, Scope } from '@ribscope/detectors'
import type { FabricConfig } from '@ribscope/fabric'
import type { Store, StoreSession } from '@ribscope/store'
import { Inventory } from './inventory.ts'
import { TableSizes } from './sizes.ts'

export interface AnalystOptions {
  readonly store: Store
  readonly config: FabricConfig
  /** Microseconds; sessions that ended with an earlier process have time from here on to come back. Default 0. */
  readonly startedAt?: number
  /** Whether the sizes of all tables are kept once a minute (the view table_sizes). Default false: recordings need none. */
  readonly sizes?: boolean
  /** Whether collectors tell of their sessions from time to time, so that silence means something. Default false. */
  readonly beats?: boolean
  /** Of the lease under which it works; the server takes findings of that term only while it is the last. Default: no lease. */
  readonly term?: number
  /** Called for every change, after it is stored. */
  readonly onChange?: (finding: Finding, change: Change) => void
  readonly onIncident?: (incident: Incident) => void
}

export interface RoundResult {
  /** Families that were evaluated. */
  readonly evaluated: readonly string[]
  readonly changes: readonly { readonly finding: Finding; readonly change: Change }[]
}

interface Unstored {
  readonly changes: readonly { readonly finding: Finding; readonly change: Change }[]
  readonly incidents: readonly Incident[]
  readonly at: number
}

interface Changes {
  changed: string | null
  changed_rx: string | null
  session: string | null
  lives: string
  sweeps: string
  swept_rx: string | null
}

interface Moved {
  last: string | null
  evpn: string
  unicast: string
  unknown: string
}

const NEVER = '1970-01-01 00:00:00.000000'
const isTime = (text: string | null): text is string => text !== null && text > '1971'

export class Analyst {
  readonly #options: AnalystOptions
  readonly #db: StoreSession
  readonly #inventory: Inventory
  readonly #sizes: TableSizes | undefined
  readonly #book: FindingBook
  readonly #families = createFamilies()
  readonly #due = new Map<Family, number[]>()
  /** Families with changed inputs, and when they are looked at the latest. */
  readonly #pending = new Map<Family, number>()
  /** What changed since each family was last evaluated. */
  readonly #unseen = new Map<Family, Set<Input>>()
  /** What the book has and the store has not yet: an insert that failed is repeated with the next round. */
  #unstored: Unstored[] = []
  #changedAfter = NEVER
  #markedAfter = NEVER
  #movedAfter = NEVER
  /** Which sessions are silent, as far as families know. */
  #silent = '0'
  #first = true
  /** Of a round that failed before it was done with them. */
  readonly #left = { unknown: false, peers: false, vips: false, vteps: false }
  readonly #failed = new Set<Family>()

  private constructor(options: AnalystOptions, db: StoreSession) {
    this.#options = options
    this.#db = db
    this.#inventory = new Inventory(options.store, db, options.config)
    this.#sizes = options.sizes === true ? new TableSizes(db) : undefined
    this.#book = new FindingBook({
      incidentWindowUs: options.config.detectors.incident_window_s * 1e6,
    })
  }

  static async create(options: AnalystOptions): Promise<Analyst> {
    const analyst = new Analyst(options, await options.store.session('analyst'))
    await analyst.#inventory.writeConfigured()
    await analyst.#restore()
    return analyst
  }

  findings(): Finding[] {
    return this.#book.all()
  }

  incidents(): Incident[] {
    return this.#book.incidents()
  }

  /** The next instant at which an answer changes with time alone. */
  nextDueUs(): number | undefined {
    let next: number | undefined
    for (const list of [...this.#due.values(), [...this.#pending.values()]]) {
      for (const at of list) if (next === undefined || at < next) next = at
    }
    return next
  }

  async round(at: number): Promise<RoundResult> {
    const inputs = await this.#takeChanges()
    const { config } = this.#options
    const families = this.#families.filter((family) => {
      const relevant = family.inputs.filter((input) => inputs.has(input))
      if (relevant.length > 0) {
        const unseen = this.#unseen.get(family) ?? new Set()
        for (const input of relevant) unseen.add(input)
        this.#unseen.set(family, unseen)
        // What holds for a minute need not be looked at every second, unless something is open and may end.
        const urgent = this.#book
          .all()
          .some((each) => each.status === 'open' && family.kinds.includes(each.kind))
        const lag = urgent ? 0 : family.lagUs(config.detectors)
        if (lag === 0) return true
        if (!this.#pending.has(family)) this.#pending.set(family, at + lag)
      }
      if (this.#failed.has(family)) return true
      return [...(this.#due.get(family) ?? []), this.#pending.get(family) ?? Infinity].some(
        (due) => due <= at,
      )
    })
    const changes: { finding: Finding; change: Change }[] = []
    const incidents = new Map<string, Incident>()
    try {
      await this.#evaluate(families, at, changes, incidents)
    } finally {
      // What a family that failed left to the next round, others have found already.
      this.#unstored.push({ changes, incidents: [...incidents.values()], at })
    }
    await this.#store()
    await this.#sizes?.at(at)
    this.#first = false
    return { evaluated: families.map((each) => each.name), changes }
  }

  async #evaluate(
    families: readonly Family[],
    at: number,
    changes: { finding: Finding; change: Change }[],
    incidents: Map<string, Incident>,
  ): Promise<void> {
    const { config } = this.#options
    for (const family of families) this.#failed.add(family)
    for (const family of families) {
      const observed = await family.observe({
        db: this.#db,
        at,
        params: config.detectors,
        inputs: this.#unseen.get(family) ?? new Set(),
        startedAt: this.#options.startedAt ?? 0,
        isOpen: (kind: Kind, scope: Scope) => this.#book.isOpen(kind, scope),
      })
      this.#failed.delete(family)
      this.#pending.delete(family)
      this.#unseen.delete(family)
      if (observed.observations === undefined) {
        this.#due.set(
          family,
          (observed.due ?? []).filter((due) => due > at),
        )
        continue
      }
      const observations = observed.observations.map((each) => this.#maintained(each, at))
      const applied = this.#book.apply(family.kinds, observations, at)
      changes.push(...applied.changed)
      for (const each of applied.incidents) incidents.set(each.id, each)
      this.#due.set(
        family,
        [...observations.map((each) => each.openAt), ...(observed.due ?? [])].filter(
          (due) => due > at,
        ),
      )
    }
  }

  async close(): Promise<void> {
    await this.#db.close()
  }

  /** Brings the tables that detectors read up to what is stored now. */
  async #takeChanges(): Promise<Set<Input>> {
    const [row] = await this.#db.query<Changes>(query('changes'), {
      changed_after: this.#changedAfter,
      marked_after: this.#markedAfter,
    })
    const silent = await this.#silence()
    const inputs = new Set<Input>()
    if (row === undefined) return inputs
    if (this.#first || silent !== this.#silent) inputs.add('session')
    const routes = isTime(row.changed)
    if (!routes && !isTime(row.session)) {
      this.#silent = silent
      return inputs
    }

    const since = [row.changed_rx, row.swept_rx].filter(isTime).sort()[0]
    if (routes && since !== undefined) {
      await this.#db.command(query('classify'), { changed_after: this.#changedAfter, since })
    }
    if (isTime(row.swept_rx)) {
      await this.#db.command(query('classify_swept'), {
        marked_after: this.#markedAfter,
        since: row.swept_rx,
      })
    }
    if (routes) inputs.add('routes')
    if (isTime(row.session) && Number(row.lives) > 0) inputs.add('session')
    const [moved] = await this.#db.query<Moved>(query('moved'), { after: this.#movedAfter })
    if (moved !== undefined && isTime(moved.last)) {
      if (Number(moved.evpn) > 0) inputs.add('evpn')
      if (Number(moved.unicast) > 0) inputs.add('path')
    }
    // Only now: a round that fails from here to its end does all of it again, which changes nothing that it had done.
    const done = (): Set<Input> => {
      if (routes) this.#changedAfter = row.changed ?? this.#changedAfter
      if (isTime(row.session)) this.#markedAfter = row.session
      if (moved !== undefined && isTime(moved.last)) this.#movedAfter = moved.last
      this.#silent = silent
      Object.assign(this.#left, { unknown: false, peers: false, vips: false, vteps: false })
      return inputs
    }
    if (inputs.size === 0) return done()

    // A new session, or routes never seen, can show who somebody is. The inventory tells a change once.
    const left = this.#left
    left.unknown ||= Number(moved?.unknown ?? 0) > 0
    if (inputs.has('session') || inputs.has('evpn') || left.unknown) {
      left.peers = (await this.#inventory.inferPeers()) || left.peers
    }
    const refaced = left.peers
    if (left.unknown || refaced) left.vips = (await this.#inventory.inferVips()) || left.vips
    if (inputs.has('evpn') || refaced) {
      left.vteps = (await this.#inventory.inferVteps()) || left.vteps
    }
    if (refaced || left.vips || left.vteps) inputs.add('fabric')
    if (refaced || left.vips) {
      await this.#rebuildEdges()
      inputs.add('edge')
    } else if (since !== undefined && inputs.has('path')) {
      await this.#db.command(query('edges_update'), { since })
      inputs.add('edge')
    }
    return done()
  }

  async #silence(): Promise<string> {
    if (this.#options.beats !== true) return this.#silent
    const [row] = await this.#db.query<{ silent: string }>(query('silences'))
    return row?.silent ?? '0'
  }

  /** Who is a node or a VIP changed: the links are others. */
  async #rebuildEdges(): Promise<void> {
    await this.#db.command('CREATE TABLE IF NOT EXISTS ribscope.edge_log_next AS ribscope.edge_log')
    await this.#db.command('TRUNCATE TABLE ribscope.edge_log_next')
    await this.#db.command(query('edges_rebuild'))
    await this.#db.command('EXCHANGE TABLES ribscope.edge_log_next AND ribscope.edge_log')
  }

  /** Maintenance windows of fabric.yaml suppress what they cover. */
  #maintained<O extends { scope: Scope; since: number; suppressed?: boolean }>(
    observation: O,
    at: number,
  ): O {
    const covered = this.#options.config.maintenance.some((window) => {
      const from = window.from.getTime() * 1000
      const to = window.to.getTime() * 1000
      const keys = Object.entries(window.scope)
      return (
        observation.since >= from &&
        Math.min(at, observation.since) <= to &&
        keys.length > 0 &&
        keys.every(([key, value]) => {
          const own =
            observation.scope[key === 'router' && !('router' in observation.scope) ? 'tor' : key]
          return own === value
        })
      )
    })
    return covered ? { ...observation, suppressed: true } : observation
  }

  async #store(): Promise<void> {
    for (let next = this.#unstored[0]; next !== undefined; next = this.#unstored[0]) {
      await this.#storeRound(next)
      this.#unstored.shift()
    }
  }

  async #storeRound({ changes, incidents, at }: Unstored): Promise<void> {
    const { store, term, onChange, onIncident } = this.#options
    const offered = term === undefined ? {} : { term }
    const log = term === undefined ? 'log' : 'offered'
    await store.insertRows(
      `findings_${log}`,
      changes.map(({ finding }) => ({
        ...offered,
        id: finding.id,
        version: finding.version,
        at: clickhouseTime(at),
        kind: finding.kind,
        sub_kind: finding.sub_kind,
        cause: finding.cause,
        severity: finding.severity,
        confidence: finding.confidence,
        status: finding.status,
        first_seen: clickhouseTime(finding.first_seen),
        last_seen: clickhouseTime(finding.last_seen),
        resolved_at: finding.resolved_at === undefined ? null : clickhouseTime(finding.resolved_at),
        scope: JSON.stringify(finding.scope),
        metrics: JSON.stringify(finding.metrics),
        explanation: finding.explanation,
        evidence: JSON.stringify(finding.evidence),
        limits: finding.limits,
        incident_id: finding.incident_id,
        reopened: finding.reopened,
      })),
    )
    await store.insertRows(
      `incidents_${log}`,
      incidents.map((each) => ({
        ...offered,
        id: each.id,
        version: each.version,
        at: clickhouseTime(at),
        cause: each.cause,
        entity: each.entity,
        name: each.name,
        severity: each.severity,
        status: each.status,
        first_seen: clickhouseTime(each.first_seen),
        last_seen: clickhouseTime(each.last_seen),
        findings: each.findings,
      })),
    )
    for (const { finding, change } of changes) onChange?.(finding, change)
    for (const each of incidents) onIncident?.(each)
  }

  /** An earlier process left findings open: their life goes on. */
  async #restore(): Promise<void> {
    const rows = await this.#db.query<{
      id: string
      kind: Kind
      sub_kind: string
      cause: string
      severity: Finding['severity']
      confidence: Finding['confidence']
      status: Finding['status']
      first_seen: string
      last_seen: string
      resolved_at: string | null
      scope: string
      metrics: string
      explanation: string
      evidence: string
      limits: string[]
      incident_id: string
      reopened: number
      version: string
    }>(query('restore_findings'))
    const incidents = await this.#db.query<{
      id: string
      cause: string
      entity: string
      name: string
      severity: Incident['severity']
      status: Incident['status']
      first_seen: string
      last_seen: string
      findings: string[]
      version: string
    }>(query('restore_incidents'))
    this.#book.restore(
      rows.map((row) => ({
        ...row,
        first_seen: Number(row.first_seen),
        last_seen: Number(row.last_seen),
        resolved_at: row.resolved_at === null ? undefined : Number(row.resolved_at),
        scope: JSON.parse(row.scope) as Scope,
        metrics: JSON.parse(row.metrics) as Finding['metrics'],
        evidence: JSON.parse(row.evidence) as Finding['evidence'],
        version: Number(row.version),
        entities: [],
      })),
      incidents.map((row) => ({
        ...row,
        first_seen: Number(row.first_seen),
        last_seen: Number(row.last_seen),
        version: Number(row.version),
      })),
    )
  }
}

/** A finding as the API and `analyze` print it. */
export function findingJson(finding: Finding): Record<string, unknown> {
  return {
    id: finding.id,
    kind: finding.kind,
    sub_kind: finding.sub_kind,
    cause: finding.cause,
    severity: finding.severity,
    confidence: finding.confidence,
    status: finding.status,
    first_seen: formatTime(finding.first_seen),
    last_seen: formatTime(finding.last_seen),
    resolved_at: finding.resolved_at === undefined ? null : formatTime(finding.resolved_at),
    scope: finding.scope,
    metrics: finding.metrics,
    explanation: finding.explanation,
    evidence: finding.evidence,
    limits: finding.limits,
    incident_id: finding.incident_id,
    reopened: finding.reopened,
  }
}

/** An incident as the API and `analyze` print it: what it is about stands under the kind of thing that it is. */
export function incidentJson(incident: Incident): {
  readonly [key: string]: unknown
  readonly id: string
  readonly first_seen: string
} {
  return {
    id: incident.id,
    cause: incident.cause,
    [incident.entity]: incident.name,
    severity: incident.severity,
    status: incident.status,
    first_seen: formatTime(incident.first_seen),
    last_seen: formatTime(incident.last_seen),
    findings: [...incident.findings].sort(),
  }
}
