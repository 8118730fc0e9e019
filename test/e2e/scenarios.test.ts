/**
 * Simulated fabrics in trouble, each played to a recording and analysed offline: what truth.json expects is found, what it forbids
 * is not, and nothing is found that neither the scenario nor the list below speaks of.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KINDS } from '@ribscope/detectors'
import { parseFabric } from '@ribscope/fabric'
import { judge, play, scenarios, writeScenario } from '@ribscope/simulator'
import type { Analysis, Expectation, Truth } from '@ribscope/simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { analyze } from '../../services/standalone/src/offline.ts'
import { openStore } from './store.ts'

/** Scenarios that are run though a kind that they expect is missing: the rest of what they say is checked. */
const PARTLY: Readonly<Record<string, readonly string[]>> = {
  A13: ['VIP_MOVED'],
  A21: ['GR_STALE_VIP'],
  B03: ['LB_PARTIAL'],
  C08: ['T5_RECURSION'],
  C26: ['NODE_PINGPONG'],
}

/** Scenarios that are not run, and what is missing. */
const NOT_RUN: Readonly<Record<string, string>> = {
  A04: 'VIP_FLAP_CHRONIC',
  A14: 'VIP_PINGPONG: a VIP that alternates is reported as a flap of each of its nodes until then',
  A22: 'FABRIC_PATH_CHURN',
  A23: 'POLICY_FLAP',
  A27: 'VIP_FLAP of a node without vantage 0, confidence medium',
  B07: 'MULTIPATH_EXCLUDED',
  B08: 'MULTIPATH_EXCLUDED',
  B09: 'MULTIPATH_EXCLUDED',
  B10: 'ECMP_VISIBILITY_GAP',
  B11: 'POLICY_DROP',
  B12: 'DUAL_STACK_DISPARITY',
  B13: 'SPINE_DIVERGENCE',
  B14: 'MAX_PATHS_TRUNCATED',
  C07: 'T5_GW_AMBIGUOUS',
  C09: 'T5_RECURSION',
  C12: 'T5_STALE_AFTER_MOVE',
  C14: 'T5_PAIR_ATTRACT',
  C15: 'T5_PAIR_ATTRACT',
  C18: 'T5_AGGREGATE_SHADOW',
  C19: 'T5_NOT_IMPORTED',
  C20: 'RMAC_CONFLICT',
  C21: 'T5_ESI_UNRESOLVED',
  C22: 'T5_INVALID_INDEX',
  C23: 'T5_PARTIAL_TROMBONE',
  C28: 'T5_NH_NOT_A_VTEP',
  C29: 'RR_DIVERGENCE',
}

/** What is true beside the point of the scenario. */
const ALSO: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  A07: {
    FEED_LOST: 'for a minute',
    ECMP_FANOUT_MISSING: 'n1 announces v1 on tor1b only, for longer than the hold',
    ECMP_SIBLING_DIFF: 'the same, seen from the pair',
    ECMP_UNEQUAL_SPLIT: 'n2 has 3/4 of v1 now',
  },
  A08: { PEER_DOWN: 'the cause of the flaps' },
  A09: { VIP_FLAP: 'n1 has three VIPs' },
  A13: { VIP_OUTAGE: 'for two seconds nobody announces v1' },
  A17: {
    ECMP_FANOUT_MISSING: 'n1 is missing on tor1a for 61 s, the hold is 60',
    ECMP_SIBLING_DIFF: 'the same, seen from the pair',
  },
  A15: {
    VIP_OUTAGE: 'all its nodes are gone for 0.3 s',
    ECMP_UNEQUAL_SPLIT: 'n4 is alone in its rack: 1/4 1/4 1/2 by design',
  },
  A19: { PEER_DOWN: 'the cause of the flaps', VIP_FLAP: 'n1 has three VIPs' },
  A20: { NODE_DOWN: 'graceful restart keeps routes; both sessions are down all the same' },
  A21: { NODE_DOWN: 'both sessions are down' },
  B03: { ECMP_UNEQUAL_SPLIT: 'weights are off: 1/6 1/6 1/6 1/2 as in B01' },
  C08: { T5_GW_UNRESOLVED: 'no RT-2 has the gateway, whatever covers it' },
}

const folder = mkdtempSync(join(tmpdir(), 'ribscope-scenarios-'))
const seconds: string[] = []
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  // For people: what a scenario costs.
  console.log(`CPU seconds: ${seconds.join(' ')}`)
})

const implemented = (kind: string): boolean => (KINDS as readonly string[]).includes(kind)
const missing = (truth: Truth): string[] => [
  ...new Set(truth.expect.map(({ kind }) => kind).filter((kind) => !implemented(kind))),
]

type Judged = Analysis['findings'][number]

const sorted = (value: unknown): string =>
  JSON.stringify(Array.isArray(value) ? [...(value as unknown[])].sort() : value)

function isAbout(finding: Judged, expected: Expectation): boolean {
  return (
    finding.kind === expected.kind &&
    Object.entries(expected.scope ?? {}).every(
      ([key, value]) => sorted(finding.scope[key]) === sorted(value),
    )
  )
}

/** Scenarios that are run, played for the catalogue already. */
const made = new Map<string, ReturnType<typeof play>>()

describe('the catalogue', () => {
  const truths = new Map<string, Truth>()
  beforeAll(() => {
    for (const [id, scenario] of scenarios) {
      // A day of flaps is built quickly, and played slowly.
      const played = play(scenario, id === 'A04' ? { parameters: { flaps: 25 } } : {})
      truths.set(id, played.truth)
      if (!(id in NOT_RUN)) made.set(id, played)
    }
  })

  test('every scenario is run, or the list says which kind is missing', () => {
    const gaps = [...truths].flatMap(([id, truth]) =>
      missing(truth).map((kind): [string, string] => [id, kind]),
    )
    for (const [id, kind] of gaps) {
      const said = PARTLY[id]?.includes(kind) === true || NOT_RUN[id]?.startsWith(kind) === true
      expect(said, `${id} needs ${kind}`).toBe(true)
    }
    // A kind that is there now takes its scenarios off the lists.
    for (const [id, kinds] of Object.entries(PARTLY))
      expect(missing(truths.get(id)!)).toEqual(kinds)
    for (const [id, why] of Object.entries(NOT_RUN)) {
      const [kind = ''] = why.split(/[ :]/)
      const reason = implemented(kind) ? why.includes('without vantage 0') : true
      expect(reason, `${id}: ${kind} is implemented`).toBe(true)
    }
    const known = [...scenarios.keys()]
    for (const id of [...Object.keys(PARTLY), ...Object.keys(NOT_RUN), ...Object.keys(ALSO)]) {
      expect(known).toContain(id)
    }
  })
})

describe.each([...scenarios.keys()].filter((id) => !(id in NOT_RUN)))('%s', (id) => {
  const scenario = scenarios.get(id)!

  test(scenario.expectation, { timeout: 120_000 }, async () => {
    const played = made.get(id) ?? play(scenario)
    made.delete(id)
    const path = join(folder, id)
    await writeScenario(path, played)
    const before = process.cpuUsage()
    const result = await analyze({
      paths: [path],
      config: parseFabric(played.fabricYaml).fabric,
      tailSeconds: 120,
      openStore,
    })
    rmSync(path, { recursive: true })
    const { user, system } = process.cpuUsage(before)
    seconds.push(`${id} ${((user + system) / 1e6).toFixed(1)}`)

    const { truth } = played
    const analysis = result as unknown as Analysis
    const wanted = truth.expect.filter(({ kind }) => implemented(kind))
    expect(judge({ ...truth, expect: wanted }, analysis)).toEqual([])

    const others = analysis.findings.filter(
      (finding) => !wanted.some((expected) => isAbout(finding, expected)),
    )
    const kinds = [...new Set(others.map(({ kind }) => kind))].sort()
    expect(kinds, JSON.stringify(others, null, 1)).toEqual(Object.keys(ALSO[id] ?? {}).sort())
    // One finding for one thing.
    const ids = result.findings.map((finding) => (finding as { id: string }).id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
