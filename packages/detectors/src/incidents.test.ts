import { describe, expect, test } from 'vitest'
import type { Finding, Kind } from './finding.ts'
import { IncidentBook } from './incidents.ts'
import type { Incident } from './incidents.ts'

const S = 1e6
const WINDOW = 60 * S

let count = 0
function finding(kind: Kind, entities: readonly string[], more: Partial<Finding> = {}): Finding {
  return {
    id: `f${++count}`,
    kind,
    sub_kind: '',
    cause: '',
    severity: 'minor',
    confidence: 'high',
    status: 'open',
    first_seen: 0,
    last_seen: 0,
    resolved_at: undefined,
    scope: {},
    metrics: {},
    explanation: '',
    evidence: [],
    limits: [],
    incident_id: '',
    reopened: 0,
    version: 1,
    entities,
    ...more,
  }
}

function bookOf(): { book: IncidentBook; add: (each: Finding, at: number) => string } {
  const book = new IncidentBook(WINDOW)
  return {
    book,
    add(each, at) {
      each.incident_id = book.join(each, at * S)
      return each.incident_id
    },
  }
}

describe('what is one incident', () => {
  test('the same thing within the window, before or after', () => {
    const { add } = bookOf()
    const first = add(finding('PEER_DOWN', ['node:n1', 'tor:a']), 100)
    expect(add(finding('VIP_FLAP', ['node:n1', 'vip:v']), 160)).toBe(first)
    // The incident lasts until 160 now.
    expect(add(finding('VIP_OUTAGE', ['vip:v']), 220)).toBe(first)
    expect(add(finding('VIP_OUTAGE', ['vip:v']), 40)).toBe(first)
    expect(add(finding('VIP_OUTAGE', ['vip:v']), 281)).not.toBe(first)
  })

  test('not another thing, nor the same name of another kind', () => {
    const { add } = bookOf()
    const first = add(finding('PEER_DOWN', ['node:n1']), 0)
    expect(add(finding('PEER_DOWN', ['node:n2']), 0)).not.toBe(first)
    expect(add(finding('PEER_DOWN', ['tor:n1']), 0)).not.toBe(first)
    expect(add(finding('PEER_DOWN', []), 0)).not.toBe(first)
  })

  test('of two that fit the older one, whichever entity is named first', () => {
    const { add } = bookOf()
    const first = add(finding('PEER_DOWN', ['node:n1']), 0)
    add(finding('PEER_DOWN', ['node:n2']), 0)
    expect(add(finding('VIP_OUTAGE', ['node:n2', 'node:n1']), 1)).toBe(first)
  })

  test('a finding that changes keeps its incident alive', () => {
    const { book, add } = bookOf()
    const down = finding('NODE_DOWN', ['node:n1'])
    const first = add(down, 0)
    book.touch({ ...down, resolved_at: 500 * S }, 505 * S)
    expect(add(finding('VIP_FLAP', ['node:n1']), 560)).toBe(first)
    expect(add(finding('VIP_FLAP', ['node:n1']), 621)).not.toBe(first)
  })

  test('one that opens again joins its own, however late', () => {
    const { book, add } = bookOf()
    const down = finding('NODE_DOWN', ['node:n1'])
    const first = add(down, 0)
    expect(book.join(down, 1200 * S, first)).toBe(first)
    expect(book.all()).toMatchObject([{ first_seen: 0, last_seen: 1200 * S, findings: [down.id] }])
  })
})

describe('what it says', () => {
  test('it is named by the finding that says best what happened, in any order', () => {
    const findings = [
      finding('ECMP_SIBLING_DIFF', ['vip:v', 'node:n1'], { cause: 'X' }),
      finding('NODE_DOWN', ['node:n1'], { cause: 'CLUSTER_SPEAKER_RELOAD' }),
      finding('VIP_FLAP', ['node:n1', 'vip:v'], { cause: 'NODE_FLAP' }),
    ]
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const { book, add } = bookOf()
      for (const i of order) add(findings[i]!, 10)
      const [incident] = book.all()
      expect(incident).toMatchObject({
        cause: 'CLUSTER_SPEAKER_RELOAD',
        entity: 'node',
        name: 'n1',
      })
      expect(incident?.findings).toHaveLength(3)
    }
  })

  test('what the naming finding is about may become clear later', () => {
    const { book, add } = bookOf()
    const first = finding('NODE_DOWN', ['node:n1'])
    const id = add(first, 0)
    // Another of the same rank does not rename it when it changes.
    const other = finding('NODE_DOWN', ['node:n1'])
    add(other, 1)
    book.touch({ ...other, cause: 'X' }, 2 * S)
    expect(book.all()).toMatchObject([{ cause: 'NODE_DOWN', entity: 'node' }])
    const cluster = { cause: 'CLUSTER_SPEAKER_RELOAD', entities: ['cluster:c', 'node:n1'] }
    book.touch({ ...first, ...cluster }, 2 * S)
    expect(book.all()).toMatchObject([
      { cause: 'CLUSTER_SPEAKER_RELOAD', entity: 'cluster', name: 'c' },
    ])
    expect(add(finding('NODE_DOWN', ['cluster:c', 'node:n2']), 2)).toBe(id)
  })

  test('without a cause it says the kind', () => {
    const { book, add } = bookOf()
    add(finding('ROUTER_DOWN', ['router:tor1', 'tor:tor1']), 0)
    expect(book.all()).toMatchObject([{ cause: 'ROUTER_DOWN', entity: 'router', name: 'tor1' }])
  })

  test('severity and status follow its findings', () => {
    const { book, add } = bookOf()
    const a = finding('PEER_DOWN', ['node:n1'])
    const b = finding('VIP_OUTAGE', ['node:n1'], { severity: 'critical' })
    add(a, 0)
    add(b, 1)
    const state = (): Partial<Incident>[] =>
      book
        .takeChanged((id) => [a, b].find((each) => each.id === id))
        .map(({ severity, status, version }) => ({ severity, status, version }))
    expect(state()).toEqual([{ severity: 'critical', status: 'open', version: 1 }])
    // Nothing changed since.
    expect(state()).toEqual([])
    b.status = 'resolved'
    book.touch(b, 2 * S)
    expect(state()).toMatchObject([{ status: 'open', version: 2 }])
    a.status = 'suppressed'
    book.touch(a, 3 * S)
    expect(state()).toMatchObject([{ status: 'suppressed' }])
    a.status = 'resolved'
    book.touch(a, 4 * S)
    expect(state()).toMatchObject([{ severity: 'critical', status: 'resolved' }])
  })

  test('what is handed out does not change later', () => {
    const { book, add } = bookOf()
    add(finding('PEER_DOWN', ['node:n1']), 0)
    const [before] = book.all()
    add(finding('VIP_FLAP', ['node:n1']), 0)
    expect(before?.findings).toHaveLength(1)
    expect(Object.keys(before!).sort()).toEqual(
      'cause entity findings first_seen id last_seen name severity status version'.split(' '),
    )
  })
})

test('restored ones go on, and keep the name they had', () => {
  const { book, add } = bookOf()
  const down = finding('NODE_DOWN', ['node:n1'])
  const id = add(down, 0)
  const [kept] = book.takeChanged(() => down)
  const next = new IncidentBook(WINDOW)
  next.restore([kept!], () => down)
  const flap = finding('VIP_FLAP', ['node:n1', 'vip:v'])
  expect(next.join(flap, 30 * S)).toBe(id)
  expect(next.all()).toMatchObject([
    { cause: 'NODE_DOWN', findings: [down.id, flap.id], version: kept!.version },
  ])
})

test('resolved ones are forgotten beyond 10,000, open ones never', () => {
  const { book, add } = bookOf()
  const all = new Map<string, Finding>()
  const open = (n: number, status: 'open' | 'resolved'): void => {
    for (let i = 0; i < n; i++) {
      const each = finding('PEER_DOWN', [`node:${count}`], { status })
      all.set(each.id, each)
      add(each, 0)
    }
    book.takeChanged((id) => all.get(id))
  }
  open(6_000, 'open')
  open(6_000, 'resolved')
  open(2_000, 'open')
  const states = book.all().map(({ status }) => status)
  expect(states.filter((status) => status === 'open')).toHaveLength(8_000)
  expect(states.length).toBeLessThanOrEqual(11_000)
})
