/** A family of detectors that read the same views and are evaluated together. */
import type { DetectorParams } from '@ribscope/fabric'
import type { StoreSession } from '@ribscope/store'
import type { Kind, Observation, Scope } from './finding.ts'

/** What an evaluation depends on; a family runs when one of its inputs changed or it is due. */
/** routes: something was stored, changed or not; path, evpn: watched routes changed state. */
export type Input = 'routes' | 'session' | 'edge' | 'path' | 'evpn' | 'fabric'

export interface Instant {
  readonly db: StoreSession
  /** Microseconds. */
  readonly at: number
  readonly params: DetectorParams
  /** What changed since the last evaluation. */
  readonly inputs: ReadonlySet<Input>
  /** When this process began, microseconds. */
  readonly startedAt: number
  isOpen(kind: Kind, scope: Scope): boolean
}

export interface Observed {
  /** All that is observed; undefined: the same as at the last evaluation. */
  readonly observations: readonly Observation[] | undefined
  /** Later instants at which the answer changes with time alone, beside the holds of the observations. */
  readonly due?: readonly number[]
}

export interface Family {
  readonly name: string
  readonly kinds: readonly Kind[]
  readonly inputs: readonly Input[]
  /**
   * How long after a change an evaluation may come, microseconds: a fraction of the shortest hold, so that nothing opens late.
   */
  lagUs(params: DetectorParams): number
  observe(instant: Instant): Promise<Observed>
}

/** At most 10 s, so that an operator who looks sees what happens. */
export const lagOf = (holdSeconds: number): number => seconds(Math.min(holdSeconds / 4, 10))

export const seconds = (s: number): number => Math.round(s * 1e6)

/** How far back spans are looked at that are over. */
export const LOOK_BACK_US = 24 * 3600 * 1e6
