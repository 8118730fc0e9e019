import type { Scenario } from '../scenario.ts'
import { A06, A07 } from './bmp-loss.ts'
import { B01, B02, B03, B04, B05, B06, B18 } from './ecmp.ts'
import { A01, A02, A03, A04, A05, A09 } from './flap-basic.ts'
import { C01, C02, C03, C04, C05, C06, C10, C26 } from './type5.ts'

/** All scenarios that can be generated, by id. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [
    ...[A01, A02, A03, A04, A05, A06, A07, A09],
    ...[B01, B02, B03, B04, B05, B06, B18],
    ...[C01, C02, C03, C04, C05, C06, C10, C26],
  ].map((scenario) => [scenario.id, scenario]),
)
