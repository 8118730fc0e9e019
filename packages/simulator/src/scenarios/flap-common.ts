import type { Stage } from '../scenario.ts'
import { V1, type T1 } from '../topology/t1.ts'

const SKEW_S = 0.8
const DOWN_S = 5
const HALF_LIFE_S = 300

export interface Flapping {
  readonly flaps: number
  /** Seconds without v1 on any ToR, each time. */
  readonly longest: number
  /** DETECTORS A.5: the penalty right after the last withdrawal. */
  readonly peak: number
}

/** n1 takes v1 back `flaps` times from second 100, on tor1a, and 0.8 s later on tor1b. */
export function flapV1(stage: Stage, t1: T1): Flapping {
  const flaps = stage.parameter('flaps')
  const period = stage.parameter('period')
  const node = stage.fabric.node('n1')
  const skew = { skewUs: SKEW_S * 1e6 }
  let peak = 0
  for (let i = 0; i < flaps; i++) {
    const t = 100 + i * period
    stage.at(t, `n1 withdraws v1 from tor1a, ${SKEW_S} s later from tor1b`, () => {
      node.withdraw([t1.vip('n1', V1)], skew)
    })
    stage.at(t + DOWN_S, `n1 announces v1 to tor1a, ${SKEW_S} s later to tor1b`, () => {
      node.announce([t1.vip('n1', V1)], skew)
    })
    peak = peak * 2 ** (-period / HALF_LIFE_S) + 1000
  }
  stage.lasts = 100 + flaps * period + 20
  return { flaps, longest: DOWN_S - SKEW_S, peak }
}
