/** Detectors: SQL views, what they observe, and the life of findings. */
import { ecmp } from './collect/ecmp.ts'
import { createFlaps } from './collect/flap.ts'
import { macDuplicates } from './collect/mac.ts'
import { outages } from './collect/outage.ts'
import { sessions } from './collect/sessions.ts'
import { trust } from './collect/trust.ts'
import { type5 } from './collect/type5.ts'
import type { Family } from './family.ts'

/** In the order in which they are evaluated: what explains others first. Each analyst has its own. */
export const createFamilies = (): readonly Family[] => [
  sessions,
  trust,
  createFlaps(),
  outages,
  ecmp,
  type5,
  macDuplicates,
]

export { FindingBook, findingId } from './book.ts'
export type { Applied } from './book.ts'
export type { Family, Input, Instant, Observed } from './family.ts'
export { clickhouseTime, formatTime, KINDS, SEVERITIES } from './finding.ts'
export type {
  Change,
  Confidence,
  Evidence,
  Finding,
  Kind,
  Metrics,
  Observation,
  Scope,
  Severity,
  Status,
} from './finding.ts'
export type { Incident } from './incidents.ts'
export { query } from './queries.ts'
export { computeShares, shareFacts } from './shares.ts'
export type { Edge, ShareFacts, Shares } from './shares.ts'
export { detectorViews } from './views.ts'
