import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { differential } from './differential.ts'
import { table } from './report.ts'
import { explain } from './rules.ts'
import { buildBgpkit, runBgpkit } from './bgpkit.ts'
import { tsharkMissing } from './run-tshark.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

test(
  'mutated messages: tshark and bgpkit-parser read the same, or a rule says why not',
  { timeout: 600_000 },
  (ctx) => {
    // The fixtures alone: what another folder holds would be another run.
    const { tally, messages, missing } = differential({
      root,
      folders: [`${root}test/fixtures`],
      messages: 600,
      seed: 1,
    })
    for (const line of missing) console.log(line)
    if (missing.length === 2) ctx.skip(missing.join('; '))
    console.log(table(tally))
    const unexplained = tally.differences.filter((difference) => explain(difference) === undefined)
    expect(unexplained.slice(0, 5)).toEqual([])
    expect(messages.length).toBeGreaterThan(600)
    for (const oracle of missing.length === 0 ? ['bgpkit', 'tshark'] : []) {
      expect(tally.counts.get(`${oracle}\tas_path`)?.equal).toBeGreaterThan(100)
    }
  },
)

test('a message that neither can read is no agreement', { timeout: 300_000 }, (ctx) => {
  const built = buildBgpkit(root)
  if ('missing' in built) return ctx.skip(built.missing)
  if (tsharkMissing() !== undefined) return ctx.skip(tsharkMissing())
  const [told] = runBgpkit(built.program, [new Uint8Array([3, 0, 0, 0, 9, 0, 0, 0, 0])])
  expect(told).toEqual({ why: expect.stringContaining('refused') })
})
