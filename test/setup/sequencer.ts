/**
 * The order of test files: those that take long first, so that no worker is left with one of them when the other has nothing to do.
 * Vitest does so by what it measured last time; a fresh clone has measured nothing, and the size of a file says little.
 */
import { relative } from 'node:path'
import { BaseSequencer } from 'vitest/node'
import type { TestSpecification } from 'vitest/node'

/** Longest first, as a whole run had it on two cores. A file that is not listed comes after these, in vitest's own order. */
const LONG: readonly string[] = [
  'test/e2e/scenarios.test.ts',
  'test/e2e/recordings.test.ts',
  'test/routers.test.ts',
  'test/routers-restarts.test.ts',
  'test/e2e/diff.test.ts',
  'test/e2e/state-model.test.ts',
  'test/e2e/diff-causes.test.ts',
  'test/e2e/lookup.test.ts',
  'test/e2e/redelivery.test.ts',
  'test/grafana.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/oracles/differential.test.ts',
  'test/bus.test.ts',
  'test/distributed.test.ts',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.indexOf(relative(this.ctx.config.root, moduleId))
      return at === -1 ? LONG.length : at
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
