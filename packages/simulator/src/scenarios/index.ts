import type { Scenario } from '../scenario.ts'
import * as bmpLoss from './bmp-loss.ts'
import * as drainMove from './drain-move.ts'
import * as ecmp from './ecmp.ts'
import * as fabricPolicy from './fabric-policy.ts'
import * as feedHabits from './feed-habits.ts'
import * as flapBasic from './flap-basic.ts'
import * as sessions from './sessions.ts'
import * as type5 from './type5.ts'
import * as type5Fabric from './type5-fabric.ts'
import * as type5Index from './type5-index.ts'
import * as type5Moves from './type5-moves.ts'

/** All scenarios that can be generated, by id, in order of the catalogue. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [
    bmpLoss,
    drainMove,
    ecmp,
    fabricPolicy,
    feedHabits,
    flapBasic,
    sessions,
    type5,
    type5Fabric,
    type5Index,
    type5Moves,
  ]
    .flatMap((file): Scenario[] => Object.values(file))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((scenario) => [scenario.id, scenario]),
)
