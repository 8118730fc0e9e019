import { beforeEach, describe, expect, test } from 'vitest'
import { FindingBook, findingId } from './book.ts'
import type { Applied } from './book.ts'
import type { Finding, Kind, Observation } from './finding.ts'

const S = 1e6
const T0 = 1_800_000_000 * S
const MINUTE = 60 * S
/** Seconds of the test's clock. */
const second = (us: number | undefined): number | undefined =>
  us === undefined ? undefined : (us - T0) / S

type Seen = Partial<Observation> & { readonly from: number; readonly hold?: number }

/** Something about `what` that holds since a second of the test's clock. */
function seen(kind: Kind, what: string, { from, hold = 0, ...more }: Seen): Observation {
  return {
    kind,
    scope: { node: what },
    since: T0 + from * S,
    openAt: T0 + (from + hold) * S,
    severity: 'minor',
    confidence: 'high',
    metrics: {},
    explanation: `${what} since ${from}`,
    entities: [`node:${what}`],
    ...more,
  }
}

const until = (s: number): { until: number } => ({ until: T0 + s * S })

let book: FindingBook
beforeEach(() => {
  book = new FindingBook({ incidentWindowUs: MINUTE })
})

const FANOUT: readonly Kind[] = ['ECMP_FANOUT_MISSING']
const OUTAGE: readonly Kind[] = ['VIP_OUTAGE']

const apply = (at: number, kinds: readonly Kind[], ...observed: Observation[]): Applied =>
  book.apply(kinds, observed, T0 + at * S)

/** What an evaluation changed: status, severity and the times of it. */
const told = ({ changed }: Applied): unknown[] =>
  changed.map(({ finding, change }) => [
    finding.kind,
    change.status,
    second(change.at),
    second(finding.resolved_at),
  ])

function only(): Finding {
  const all = book.all()
  expect(all).toHaveLength(1)
  return all[0]!
}

describe('identity', () => {
  test('kind and scope, whatever the order of its keys', () => {
    const id = findingId('VIP_FLAP', { vip: '10.0.0.1/32', vrf: 'default', node: 'n1' })
    expect(findingId('VIP_FLAP', { node: 'n1', vrf: 'default', vip: '10.0.0.1/32' })).toBe(id)
    expect(findingId('VIP_FLAP', { node: 'n2', vrf: 'default', vip: '10.0.0.1/32' })).not.toBe(id)
    expect(findingId('VIP_OUTAGE', { node: 'n1', vrf: 'default', vip: '10.0.0.1/32' })).not.toBe(id)
    expect(id).toMatch(/^[0-9a-f]{16}$/)
  })

  test('what lies in one value does not leak into the next', () => {
    expect(findingId('PEER_DOWN', { router: 'a', peer: 'b' })).not.toBe(
      findingId('PEER_DOWN', { router: 'a","b', peer: '' }),
    )
  })
})

describe('a condition with a hold', () => {
  const missing = (more: Partial<Seen> = {}): Observation =>
    seen('ECMP_FANOUT_MISSING', 'n1', { from: 0, hold: 60, ...more })

  test('opens when the hold is over, not before', () => {
    expect(told(apply(59.9, FANOUT, missing()))).toEqual([])
    expect(book.all()).toEqual([])
    expect(told(apply(60, FANOUT, missing()))).toEqual([
      ['ECMP_FANOUT_MISSING', 'open', 60, undefined],
    ])
    expect(only()).toMatchObject({ first_seen: T0, last_seen: T0 + 60 * S, reopened: 0 })
    expect(book.isOpen('ECMP_FANOUT_MISSING', { node: 'n1' })).toBe(true)
  })

  test('is nothing when it ends within the hold', () => {
    apply(30, FANOUT, missing())
    expect(told(apply(50, FANOUT))).toEqual([])
    // It begins again: the hold too.
    expect(told(apply(80, FANOUT, missing({ from: 55 })))).toEqual([])
    expect(told(apply(115, FANOUT, missing({ from: 55 })))).toHaveLength(1)
    expect(second(only().first_seen)).toBe(55)
  })

  test('says nothing again while nothing changes', () => {
    apply(60, FANOUT, missing())
    expect(told(apply(70, FANOUT, missing()))).toEqual([])
    expect(only()).toMatchObject({ last_seen: T0 + 70 * S, version: 1 })
  })

  test('stays open when a change restarts the hold', () => {
    apply(60, FANOUT, missing({ metrics: { vips: ['a'] } }))
    expect(told(apply(70, FANOUT, missing({ from: 65, metrics: { vips: ['a', 'b'] } })))).toEqual([
      ['ECMP_FANOUT_MISSING', 'open', 70, undefined],
    ])
    expect(only()).toMatchObject({ first_seen: T0, metrics: { vips: ['a', 'b'] }, version: 2 })
  })

  test('is over when it is not observed any more', () => {
    apply(60, FANOUT, missing())
    expect(told(apply(90, FANOUT))).toEqual([['ECMP_FANOUT_MISSING', 'resolved', 90, 90]])
    expect(told(apply(91, FANOUT))).toEqual([])
  })

  test('of a kind that was not looked at is left alone', () => {
    apply(60, FANOUT, missing())
    expect(told(apply(90, OUTAGE))).toEqual([])
    expect(only().status).toBe('open')
  })

  test('escalates at once and de-escalates only by ending', () => {
    apply(60, FANOUT, missing())
    apply(61, FANOUT, missing({ severity: 'critical' }))
    expect(only().severity).toBe('critical')
    expect(told(apply(62, FANOUT, missing({ severity: 'minor' })))).toEqual([])
    expect(only().severity).toBe('critical')
    apply(63, FANOUT)
    apply(130, FANOUT, missing({ from: 65 }))
    expect(only()).toMatchObject({ severity: 'minor', reopened: 1 })
  })

  test('changes are told as they were then, not as the finding is now', () => {
    const first = apply(60, FANOUT, missing({ metrics: { n: 1 } }))
    apply(61, FANOUT, missing({ metrics: { n: 2 } }))
    expect(first.changed[0]?.finding.metrics).toEqual({ n: 1 })
  })
})

describe('opening again', () => {
  const missing = (from: number): Observation =>
    seen('ECMP_FANOUT_MISSING', 'n1', { from, hold: 10 })

  test('within 30 minutes is the same opening once more', () => {
    apply(10, FANOUT, missing(0))
    apply(100, FANOUT)
    apply(1900, FANOUT, missing(1890))
    expect(only()).toMatchObject({
      status: 'open',
      reopened: 1,
      first_seen: T0,
      resolved_at: undefined,
    })
    apply(1950, FANOUT)
    apply(2000, FANOUT, missing(1990))
    expect(only().reopened).toBe(2)
  })

  test('later is a new one with the same identity', () => {
    apply(10, FANOUT, missing(0))
    const { id } = only()
    apply(100, FANOUT)
    apply(1911, FANOUT, missing(1901))
    expect(only()).toMatchObject({ id, reopened: 0, first_seen: T0 + 1901 * S })
  })

  test('counts versions on: the last one wins in the store', () => {
    apply(10, FANOUT, missing(0))
    apply(100, FANOUT)
    apply(9010, FANOUT, missing(9000))
    expect(only().version).toBe(3)
  })

  test('keeps the incident', () => {
    apply(10, FANOUT, missing(0))
    const { incident_id } = only()
    apply(100, FANOUT)
    // Far beyond the window in which two findings share one.
    apply(1510, FANOUT, missing(1500))
    expect(only().incident_id).toBe(incident_id)
    apply(1600, FANOUT)
    apply(9010, FANOUT, missing(9000))
    expect(only().incident_id).not.toBe(incident_id)
  })
})

describe('spans', () => {
  const outage = (from: number, more: Partial<Seen> = {}): Observation =>
    seen('VIP_OUTAGE', 'n1', { from, hold: 10, brief: 'counts', ...more })

  test('a brief one counts, once the hold would be over, with its true end', () => {
    expect(told(apply(9, OUTAGE, outage(0, until(4))))).toEqual([])
    expect(told(apply(10, OUTAGE, outage(0, until(4))))).toEqual([
      ['VIP_OUTAGE', 'open', 10, undefined],
      ['VIP_OUTAGE', 'resolved', 10, 4],
    ])
    // The same span, seen again.
    expect(told(apply(20, OUTAGE, outage(0, until(4))))).toEqual([])
    expect(only().reopened).toBe(0)
  })

  test('a brief one of a condition that must hold is nothing', () => {
    const flicker = seen('ECMP_FANOUT_MISSING', 'n1', { from: 0, hold: 60, ...until(4) })
    expect(told(apply(100, FANOUT, flicker))).toEqual([])
  })

  test('each opens again, however many are seen at once', () => {
    apply(100, OUTAGE, outage(0, until(4)), outage(60, until(64)))
    expect(only()).toMatchObject({ reopened: 1, resolved_at: T0 + 64 * S, status: 'resolved' })
    apply(131, OUTAGE, outage(0, until(4)), outage(60, until(64)), outage(120, until(124)))
    expect(only().reopened).toBe(2)
  })

  test('one that was open ends when it ended, with its last metrics', () => {
    apply(10, OUTAGE, outage(0, { metrics: { outages: 1, longest_s: 0 } }))
    expect(only().status).toBe('open')
    apply(31, OUTAGE, outage(0, { ...until(25), metrics: { outages: 1, longest_s: 25 } }))
    expect(only()).toMatchObject({
      status: 'resolved',
      resolved_at: T0 + 25 * S,
      reopened: 0,
      metrics: { longest_s: 25 },
    })
  })

  test('one that still lasts beside older ones', () => {
    apply(130, OUTAGE, outage(0, until(4)), outage(120))
    expect(only()).toMatchObject({ status: 'open', reopened: 1 })
  })
})

describe('superseding', () => {
  const T5: readonly Kind[] = ['T5_TROMBONE', 'T5_CENTRALISED_HAIRPIN']
  const trombone = (prefix: string): Observation =>
    seen('T5_TROMBONE', prefix, { from: 0, hold: 60 })
  const central = (more: Partial<Seen> = {}): Observation =>
    seen('T5_CENTRALISED_HAIRPIN', 'bl90', {
      from: 30,
      hold: 60,
      supersedes: ['a', 'b'].map((node) => findingId('T5_TROMBONE', { node })),
      ...more,
    })

  test('resolves what is open, and says by what', () => {
    apply(60, T5, trombone('a'), trombone('b'), trombone('c'), central())
    expect(book.all().map(({ kind }) => kind)).toEqual(Array(3).fill('T5_TROMBONE'))
    apply(90, T5, trombone('a'), trombone('b'), trombone('c'), central())
    const by = findingId('T5_CENTRALISED_HAIRPIN', { node: 'bl90' })
    const state = (node: string): unknown => {
      const { status, metrics } = book.get(findingId('T5_TROMBONE', { node }))!
      return [status, metrics['superseded_by']]
    }
    expect(['a', 'b', 'c'].map(state)).toEqual([
      ['resolved', by],
      ['resolved', by],
      ['open', undefined],
    ])
    expect(book.get(by)?.status).toBe('open')
  })

  test('does not before it holds itself', () => {
    apply(60, T5, trombone('a'), central())
    apply(80, T5, trombone('a'), central())
    expect(only()).toMatchObject({ kind: 'T5_TROMBONE', status: 'open' })
  })
})

describe('suppressed', () => {
  const missing = (suppressed: boolean): Observation =>
    seen('ECMP_FANOUT_MISSING', 'n1', { from: 0, hold: 10, suppressed })

  test('is kept, not open, and ends like any other', () => {
    apply(10, FANOUT, missing(true))
    expect(only().status).toBe('suppressed')
    expect(book.isOpen('ECMP_FANOUT_MISSING', { node: 'n1' })).toBe(false)
    expect(told(apply(20, FANOUT, missing(true)))).toEqual([])
    expect(told(apply(30, FANOUT))).toEqual([['ECMP_FANOUT_MISSING', 'resolved', 30, 30]])
  })
})

describe('restored', () => {
  const missing = seen('ECMP_FANOUT_MISSING', 'n1', { from: 0, hold: 60, metrics: { n: 1 } })
  const outage = (from: number, more: Partial<Seen> = {}): Observation =>
    seen('VIP_OUTAGE', 'n1', { from, hold: 10, brief: 'counts', ...more })

  /** The book of the next process. */
  function restart(): void {
    const findings = structuredClone(book.all()).map((each) => ({ ...each, entities: [] }))
    const incidents = structuredClone(book.incidents())
    book = new FindingBook({ incidentWindowUs: MINUTE })
    book.restore(findings, incidents)
  }

  test('an open one goes on: no second opening, no new incident', () => {
    apply(60, FANOUT, missing)
    const before = only()
    restart()
    expect(told(apply(100, FANOUT, missing))).toEqual([])
    expect(only()).toMatchObject({ id: before.id, incident_id: before.incident_id, version: 1 })
    expect(told(apply(110, FANOUT))).toEqual([['ECMP_FANOUT_MISSING', 'resolved', 110, 110]])
    expect(book.incidents()).toMatchObject([{ id: before.incident_id, status: 'resolved' }])
  })

  test('a span that was counted is not counted again, a later one is', () => {
    apply(10, OUTAGE, outage(0, until(4)))
    restart()
    expect(told(apply(20, OUTAGE, outage(0, until(4))))).toEqual([])
    apply(75, OUTAGE, outage(0, until(4)), outage(60, until(64)))
    expect(only()).toMatchObject({ reopened: 1, resolved_at: T0 + 64 * S })
  })

  test('a span that was open and ended meanwhile ends when it ended', () => {
    apply(10, OUTAGE, outage(0, { metrics: { longest_s: 0 } }))
    restart()
    apply(100, OUTAGE, outage(0, { ...until(50), metrics: { longest_s: 50 } }))
    expect(only()).toMatchObject({
      status: 'resolved',
      resolved_at: T0 + 50 * S,
      reopened: 0,
      metrics: { longest_s: 50 },
    })
  })

  test('one that was resolved opens again within 30 minutes', () => {
    apply(60, FANOUT, missing)
    apply(70, FANOUT)
    restart()
    apply(160, FANOUT, seen('ECMP_FANOUT_MISSING', 'n1', { from: 100, hold: 60 }))
    expect(only()).toMatchObject({ status: 'open', reopened: 1, first_seen: T0 })
  })
})

test('the same observations give the same book', () => {
  const run = (): string => {
    book = new FindingBook({ incidentWindowUs: MINUTE })
    for (let at = 0; at < 300; at += 7) {
      apply(
        at,
        ['VIP_OUTAGE', 'ECMP_FANOUT_MISSING'],
        ...(at % 4 === 0 ? [seen('ECMP_FANOUT_MISSING', 'n2', { from: at - 9, hold: 5 })] : []),
        seen('VIP_OUTAGE', 'n1', { from: 3, hold: 10, brief: 'counts', ...until(8) }),
      )
    }
    return JSON.stringify([book.all(), book.incidents()])
  }
  expect(run()).toBe(run())
})

test('closed ones are forgotten beyond 20,000, open ones never', () => {
  const many = Array.from({ length: 20_050 }, (_, i) =>
    seen('ECMP_FANOUT_MISSING', `n${i}`, { from: 0 }),
  )
  apply(0, FANOUT, ...many)
  expect(book.all()).toHaveLength(20_050)
  apply(1, FANOUT, ...many.slice(0, 10))
  expect(book.all()).toHaveLength(20_000)
  expect(book.all().filter(({ status }) => status === 'open')).toHaveLength(10)
})
