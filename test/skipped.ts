/**
 * A vitest reporter that ends a run with what was not tested, and why: a test skipped in silence
 * would count as tested. The reason is the note given to `ctx.skip(note)`, else the name of the
 * outermost suite that was skipped as a whole, which should say it.
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node'

export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines: string[] = []
    let total = 0
    for (const module of modules) {
      const reasons = new Map<string, number>()
      for (const test of module.children.allTests('skipped')) {
        const why = reason(test)
        reasons.set(why, (reasons.get(why) ?? 0) + 1)
        total++
      }
      if (reasons.size === 0) continue
      lines.push(`  ${module.relativeModuleId}`)
      for (const [why, count] of reasons) lines.push(`    ${count} skipped: ${why}`)
    }
    if (total > 0) console.log(['', `Not tested here: ${total}`, ...lines].join('\n'))
  }
}

function reason(test: TestCase): string {
  const result = test.result()
  if (result.state === 'skipped' && result.note !== undefined) return result.note
  let outermost: { name: string } = test
  for (let at = test.parent; at.type === 'suite'; at = at.parent) {
    if (at.options.mode === 'skip') outermost = at
  }
  return outermost.name
}
