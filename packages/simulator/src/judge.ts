import type { Expectation, Prohibition, Truth } from './scenario.ts'

/** What `ribscope analyze` prints, as far as a verdict needs it. */
export interface Analysis {
  readonly findings: readonly JudgedFinding[]
  readonly incidents: readonly unknown[]
}

interface JudgedFinding {
  readonly kind: string
  readonly sub_kind?: string
  readonly cause?: string
  readonly severity: string
  readonly confidence: string
  readonly status: string
  readonly scope: Readonly<Record<string, unknown>>
  readonly metrics: Readonly<Record<string, unknown>>
  readonly changes: readonly {
    readonly at: string
    readonly metrics?: Readonly<Record<string, unknown>>
  }[]
}

/** @returns what is wrong with an analysis of this scenario, one line each; empty when it is right */
export function judge(truth: Truth, analysis: Analysis): string[] {
  const second = (finding: JudgedFinding): number =>
    Date.parse(finding.changes[0]?.at ?? '') / 1_000 - truth.started
  const problems: string[] = []
  for (const expected of truth.expect) {
    const sameKind = analysis.findings.filter(({ kind }) => kind === expected.kind)
    const inScope = sameKind.filter(({ scope }) => within(expected.scope ?? {}, scope))
    const reasons = inScope.map((finding) => differences(expected, finding, second(finding)))
    if (reasons.some((each) => each.length === 0)) continue
    const name = `${expected.kind} ${JSON.stringify(expected.scope ?? {})}`
    if (sameKind.length === 0) problems.push(`missing: ${name}`)
    else if (inScope.length === 0) {
      const scopes = sameKind.slice(0, 3).map(({ scope }) => JSON.stringify(scope))
      problems.push(`missing: ${name}; there is ${scopes.join(', ')}`)
    } else problems.push(`wrong: ${name}: ${(reasons[0] ?? []).join('; ')}`)
  }
  for (const prohibited of truth.must_not) {
    for (const finding of analysis.findings) {
      if (!forbids(prohibited, finding, second(finding))) continue
      problems.push(
        `must not be: ${finding.kind} ${JSON.stringify(finding.scope)} (${finding.severity}, ` +
          `${finding.status}, opened at ${second(finding).toFixed(1)} s)`,
      )
    }
  }
  if (truth.max_incidents !== undefined && analysis.incidents.length > truth.max_incidents) {
    problems.push(`${analysis.incidents.length} incidents, at most ${truth.max_incidents}`)
  }
  return problems
}

function forbids(prohibited: Prohibition, finding: JudgedFinding, second: number): boolean {
  return (
    (prohibited.kind === '*' || prohibited.kind === finding.kind) &&
    (prohibited.status === undefined || prohibited.status === finding.status) &&
    (prohibited.before === undefined || second < prohibited.before) &&
    within(prohibited.scope ?? {}, finding.scope)
  )
}

function differences(expected: Expectation, finding: JudgedFinding, second: number): string[] {
  const reasons: string[] = []
  for (const field of ['sub_kind', 'cause', 'severity', 'confidence', 'status'] as const) {
    const wanted = expected[field]
    if (wanted !== undefined && wanted !== finding[field]) {
      reasons.push(`${field} is ${String(finding[field])}, not ${wanted}`)
    }
  }
  for (const [name, wanted] of Object.entries(expected.metrics ?? {})) {
    const value = finding.metrics[name]
    if (!fits(wanted, value)) {
      reasons.push(`${name} is ${JSON.stringify(value)}, not ${JSON.stringify(wanted)}`)
    }
  }
  for (const [name, wanted] of Object.entries(expected.peak ?? {})) {
    const values = [finding, ...finding.changes].map(({ metrics }) =>
      Number(metrics?.[name] ?? NaN),
    )
    const peak = Math.max(...values.filter((value) => !Number.isNaN(value)))
    if (!fits(wanted, peak)) {
      reasons.push(`the highest ${name} is ${peak}, not ${JSON.stringify(wanted)}`)
    }
  }
  const [low, high] = expected.opened_between ?? [-Infinity, Infinity]
  if (!(second >= low && second <= high)) {
    reasons.push(`opened at ${second.toFixed(1)} s, not from ${low} to ${high}`)
  }
  return reasons
}

/** Lists are equal in any order; [low, high] stands for every number between. */
function fits(wanted: unknown, value: unknown): boolean {
  if (isRange(wanted)) {
    const [low, high] = wanted.between
    return typeof value === 'number' && value >= low && value <= high
  }
  if (Array.isArray(wanted)) {
    if (!Array.isArray(value)) return false
    return (
      JSON.stringify([...(wanted as unknown[])].sort()) ===
      JSON.stringify([...(value as unknown[])].sort())
    )
  }
  return wanted === value
}

function isRange(wanted: unknown): wanted is { between: readonly [number, number] } {
  return typeof wanted === 'object' && wanted !== null && 'between' in wanted
}

function within(
  wanted: Readonly<Record<string, unknown>>,
  scope: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(wanted).every(([name, value]) => fits(value, scope[name]))
}
