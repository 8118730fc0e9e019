import { describe, expect, test } from 'vitest'
import {
  announce,
  endOfRib,
  family,
  gracefulRestart,
  initiation,
  notification,
  peerDown,
  peerUp,
  statistics,
  withdraw,
} from './testing/bytes.ts'
import type { HandPeer } from './testing/bytes.ts'
import { TestSession } from './testing/session.ts'
import type { Row } from './testing/session.ts'

const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const B: HandPeer = { address: '192.0.2.2', asn: 64502, id: '192.0.2.2' }

/** Seconds since the session began, with rib and family, of dump_done rows of a peer or the router. */
function dumps(s: TestSession): string[] {
  return s.kind('dump_done').map((row) => {
    const at = Date.parse(`${String(row['rx_ts']).slice(0, 23).replace(' ', 'T')}Z`) / 1000
    const who = row['peer_key'] === '0' ? 'router' : String(row['peer_addr'])
    const view =
      row['afi'] === 0
        ? 'all'
        : `${String(row['rib'])} ${String(row['afi'])}/${String(row['safi'])}`
    return `${at - 1_800_000_000} ${who} ${view} ${String(row['reason'])}`
  })
}

const effects = (row: Row | undefined) => row?.['effects']

describe('end of a dump', () => {
  test('End-of-RIB ends its view at once, quiet the peer, then the router', () => {
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'), endOfRib(A))
      .tick(60)
    expect(dumps(s)).toEqual([
      '0 192.0.2.1 adj_in_pre 1/1 eor',
      '5 192.0.2.1 all eor',
      '5 router all quiet',
    ])
  })

  test('sweeps what was there before: view and peer before the Peer Up, router before the session', () => {
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'), endOfRib(A))
      .tick(60)
    const up = s.kind('peer_up')[0]!.seq
    const sweep = {
      effect: 'sweep',
      rib: 'any',
      afi: 0,
      safi: 0,
      before_seq: up,
      cause: 'reconcile',
    }
    expect(s.kind('dump_done').map(effects)).toEqual([
      [{ ...sweep, rib: 'adj_in_pre', afi: 1, safi: 1 }],
      [sweep],
      [{ ...sweep, before_seq: 1 }],
    ])
  })

  test('without End-of-RIB: 5 s without Route Monitoring of that view, whatever else comes', () => {
    const post = { ...A, flags: 0x40 }
    const s = new TestSession().at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'))
    for (let t = 1; t <= 20; t++) s.at(t, statistics(A, [7, 1]))
    s.tick(30)
    expect(dumps(s)).toEqual([
      '5 192.0.2.1 adj_in_pre 1/1 quiet',
      '5 192.0.2.1 all quiet',
      '5 router all quiet',
    ])
    const two = new TestSession().at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'))
    for (let t = 1; t <= 8; t++) two.at(t, announce(post, '10.0.0.0/24'))
    two.tick(30)
    expect(dumps(two)).toEqual([
      '5 192.0.2.1 adj_in_pre 1/1 quiet',
      '13 192.0.2.1 adj_in_post 1/1 quiet',
      '13 192.0.2.1 all quiet',
      '13 router all quiet',
    ])
  })

  test('120 s after Peer Up at the latest', () => {
    const s = new TestSession().at(0, initiation('r'), peerUp(A))
    for (let t = 0; t <= 130; t++) s.at(t, announce(A, '10.0.0.0/24'))
    expect(dumps(s)).toEqual([
      '120 192.0.2.1 adj_in_pre 1/1 max',
      '120 192.0.2.1 all max',
      '120 router all max',
    ])
  })

  test('a peer that says nothing is done when the whole session is quiet', () => {
    const s = new TestSession().at(0, initiation('r'), peerUp(A), peerUp(B))
    for (let t = 1; t <= 4; t++) s.at(t, announce(A, '10.0.0.0/24'))
    s.tick(60)
    expect(dumps(s)).toEqual([
      '9 192.0.2.1 adj_in_pre 1/1 quiet',
      '9 192.0.2.1 all quiet',
      '9 192.0.2.2 all quiet',
      '9 router all quiet',
    ])
  })

  test('a peer that goes down before it is done holds nobody up', () => {
    const s = new TestSession().at(
      0,
      initiation('r'),
      peerUp(A),
      peerUp(B),
      announce(A, '10.0.0.0/24'),
    )
    s.at(1, announce(B, '10.0.0.0/24')).at(3, peerDown(B, 4)).tick(60)
    expect(dumps(s)).toEqual([
      '5 192.0.2.1 adj_in_pre 1/1 quiet',
      '5 192.0.2.1 all quiet',
      '6 router all quiet',
    ])
  })

  test('a session without peers: everything of the router is gone after 5 s', () => {
    expect(dumps(new TestSession().at(0, initiation('r')).tick(60))).toEqual(['5 router all quiet'])
  })

  test('a table that appears later has its own end, and is live from the start', () => {
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'))
      .tick(10)
    s.at(300, announce({ ...A, flags: 0x40 }, '10.0.0.0/24')).tick(400)
    expect(dumps(s).at(-1)).toBe('305 192.0.2.1 adj_in_post 1/1 quiet')
    expect(s.rows('route_events').map((row) => row['phase'])).toEqual(['dump', 'live'])
  })

  test('phase: announcements before the end are dump, withdrawals never', () => {
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'), withdraw(A, '10.0.0.0/24'))
      .at(1, endOfRib(A), announce(A, '10.0.0.0/24'))
      .at(8, announce({ ...A, flags: 0x40 }, '10.0.0.0/24'))
    expect(s.rows('route_events').map((row) => row['phase'])).toEqual([
      'dump',
      'live',
      'live',
      'live',
    ])
  })

  test('does not depend on how often the clock is looked at', () => {
    const play = (step: number) => {
      const s = new TestSession().at(0, initiation('r'), peerUp(A), peerUp(B))
      const said = new Map([
        [1, announce(A, '10.0.0.0/24')],
        [3, announce({ ...A, flags: 0x40 }, '10.0.0.0/24')],
        [4, announce(B, '10.0.0.0/24')],
        [6, peerDown(B, 4)],
        [7, peerUp(B, { ports: [1, 2] })],
        [9, endOfRib(B)],
        [31, announce(A, '10.0.1.0/24')],
      ])
      for (let t = 0; t <= 200; t += step) {
        const bytes = Number.isInteger(t) ? said.get(t) : undefined
        if (bytes === undefined) s.tick(t)
        else s.at(t, bytes)
      }
      return s.rows()
    }
    const rows = play(1)
    expect(rows.filter((row) => row['kind'] === 'dump_done').length).toBeGreaterThan(5)
    expect(play(0.25)).toEqual(rows)
    const jumps = new TestSession().at(0, initiation('r'), peerUp(A), peerUp(B))
    for (const [t, bytes] of [
      [1, announce(A, '10.0.0.0/24')],
      [3, announce({ ...A, flags: 0x40 }, '10.0.0.0/24')],
      [4, announce(B, '10.0.0.0/24')],
      [6, peerDown(B, 4)],
      [7, peerUp(B, { ports: [1, 2] })],
      [9, endOfRib(B)],
      [31, announce(A, '10.0.1.0/24')],
    ] as const) {
      jumps.at(t, bytes)
    }
    expect(jumps.tick(200).rows()).toEqual(rows)
  })
})

describe('graceful restart (RFC 4724, RFC 8538)', () => {
  const both = (flags = 0) => [family(1, 1), family(25, 70), gracefulRestart(flags, 30, [1, 1])]
  const up = (flags = 0, received = both(flags)) =>
    new TestSession().at(
      0,
      initiation('r'),
      peerUp(A, { sent: both(flags), received }),
      announce(A, '10.0.0.0/24'),
      endOfRib(A),
    )

  test('reason 4: listed families turn stale, the others go', () => {
    const s = up().at(10, peerDown(A, 4))
    const [down] = s.kind('peer_down')
    const common = { rib: 'any', before_seq: down!.seq, cause: 'peer_down' }
    expect(down).toMatchObject({ counted: 1 })
    expect(effects(down)).toEqual([
      { ...common, effect: 'stale', afi: 1, safi: 1 },
      { ...common, effect: 'sweep', afi: 25, safi: 70 },
    ])
  })

  test('not back in restart time + 5 s: what is left goes', () => {
    const s = up().at(10, peerDown(A, 4)).tick(44.9)
    expect(s.kind('gr_expired')).toEqual([])
    const [expired] = s.tick(45).kind('gr_expired')
    expect(expired).toMatchObject({ rx_ts: '2027-01-15 08:00:45.000000', synthetic: 1 })
    expect(effects(expired)).toMatchObject([
      { effect: 'sweep', afi: 0, before_seq: expired!.seq, cause: 'gr_expired' },
    ])
  })

  test('back and done in time: the dump sweeps, as gr_expired; no timer', () => {
    const s = up()
      .at(10, peerDown(A, 4))
      .at(20, peerUp(A, { sent: both(), ports: [179, 2] }), announce(A, '10.0.0.0/24'), endOfRib(A))
      .tick(100)
    expect(s.kind('gr_expired')).toEqual([])
    const again = s.kind('peer_up')[1]!
    expect(effects(again)).toEqual([])
    const after = s
      .kind('dump_done')
      .filter((row) => row.seq > again.seq && row['peer_key'] !== '0')
    expect(after).toHaveLength(2)
    for (const row of after) {
      expect(effects(row)).toMatchObject([{ before_seq: again.seq, cause: 'gr_expired' }])
    }
  })

  test('back but not done when time is up: what the new epoch did not say goes', () => {
    const s = up()
      .at(10, peerDown(A, 4))
      .at(40, peerUp(A, { sent: both(), ports: [179, 2] }))
    for (let t = 41; t <= 60; t++) s.at(t, announce(A, `10.0.${t}.0/24`))
    s.tick(100)
    const again = s.kind('peer_up')[1]!
    expect(s.kind('gr_expired').map(effects)).toMatchObject([[{ before_seq: again.seq }]])
    const last = s.kind('dump_done').findLast((row) => row['afi'] === 1)
    expect(effects(last)).toMatchObject([{ cause: 'reconcile' }])
  })

  const hard = (s: TestSession) => {
    const [down] = s.kind('peer_down')
    expect(effects(down)).toEqual([
      { effect: 'sweep', rib: 'any', afi: 0, safi: 0, before_seq: down!.seq, cause: 'peer_down' },
    ])
    expect(s.tick(200).kind('gr_expired')).toEqual([])
  }
  const kept = (s: TestSession) => {
    expect(effects(s.kind('peer_down')[0])).toMatchObject([
      { effect: 'stale' },
      { effect: 'sweep' },
    ])
  }

  test("FRR's helper-only capability lists no family: nothing is kept", () => {
    hard(up(0, [family(1, 1), gracefulRestart(0, 120)]).at(10, peerDown(A, 4)))
  })

  test('restart time 0: nothing is kept', () => {
    hard(up(0, [family(1, 1), gracefulRestart(0, 0, [1, 1])]).at(10, peerDown(A, 4)))
  })

  test('reason 2 and 5: nothing is kept', () => {
    hard(up().at(10, peerDown(A, 2, [0, 0])))
    hard(up().at(10, peerDown(A, 5)))
  })

  test.each([1, 3])('reason %i: only with the N bit on both sides', (reason) => {
    const holdTimer = notification(4, 0)
    hard(up(0).at(10, peerDown(A, reason, holdTimer)))
    hard(
      up(4, [family(1, 1), gracefulRestart(0, 30, [1, 1])]).at(10, peerDown(A, reason, holdTimer)),
    )
    kept(up(4).at(10, peerDown(A, reason, holdTimer)))
  })

  test('never after a Hard Reset (6/9) or BFD Down (6/10)', () => {
    hard(up(4).at(10, peerDown(A, 3, notification(6, 9, [6, 2]))))
    hard(up(4).at(10, peerDown(A, 1, notification(6, 10))))
    kept(up(4).at(10, peerDown(A, 3, notification(6, 4))))
  })
})
