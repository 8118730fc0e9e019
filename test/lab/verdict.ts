/** Compares findings with what a scenario says must and must not come of it. */
import type { ExpectedFinding, Truth } from './scenarios.ts'

/** A finding as the API and `ribscope analyze` give it; what the comparison needs of it. */
export interface Finding {
  readonly kind: string
  readonly status: string
  /** RFC 3339, UTC, microseconds. */
  readonly first_seen: string
  readonly resolved_at?: string | null
  readonly scope: Readonly<Record<string, unknown>>
  readonly metrics: Readonly<Record<string, unknown>>
  readonly explanation: string
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(String).sort() : value

/** Lists are sets here. */
const same = (a: unknown, b: unknown): boolean =>
  JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

/** Whether it is about that: kind and scope, whatever it says. */
export const isAbout = (finding: Finding, want: ExpectedFinding): boolean =>
  finding.kind === want.kind &&
  Object.entries(want.scope).every(([key, value]) => finding.scope[key] === value)

/** What is wrong with a finding; empty when it is as expected. */
export function differences(finding: Finding, want: ExpectedFinding): string[] {
  const out = Object.entries(want.metrics ?? {})
    .filter(([key, value]) => !same(finding.metrics[key], value))
    .map(([key, value]) => {
      const got = JSON.stringify(finding.metrics[key])
      return `${finding.kind}: ${key} is ${got}, expected ${JSON.stringify(value)}`
    })
  if (want.status !== undefined && finding.status !== want.status) {
    out.push(`${finding.kind}: ${finding.status}, expected ${want.status}`)
  }
  return out
}

/**
 * @param findings every finding there is; those first seen before the scenario began are not its doing
 * @returns what disagrees with the truth, one line each
 */
export function verdict(truth: Truth, findings: readonly Finding[]): string[] {
  const mine = findings.filter((f) => Date.parse(f.first_seen) / 1000 >= truth.started - 1)
  const out: string[] = []
  for (const want of truth.expect) {
    const about = mine.filter((f) => isAbout(f, want))
    const [finding] = about
    if (finding === undefined) out.push(`no ${want.kind} of ${JSON.stringify(want.scope)}`)
    else out.push(...differences(finding, want))
    if (about.length > 1) out.push(`${about.length} findings ${want.kind} for one thing`)
  }
  for (const finding of mine) {
    const wanted = truth.expect.some((want) => isAbout(finding, want))
    if (wanted) continue
    if (
      truth.expectNot.includes(finding.kind) ||
      truth.expect.some((w) => w.kind === finding.kind)
    ) {
      const scope = JSON.stringify(finding.scope)
      out.push(`unexpected ${finding.kind} (${finding.status}) of ${scope}: ${finding.explanation}`)
    }
  }
  return out
}
