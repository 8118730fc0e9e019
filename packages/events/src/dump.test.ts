import { describe, expect, test } from 'vitest'
import {
  announce,
  asPath,
  attribute,
  be,
  endOfRib,
  family,
  gracefulRestart,
  initiation,
  longLived,
  nextHop,
  notification,
  origin,
  peerDown,
  peerUp,
  prefix,
  routeMonitoring,
  statistics,
  update,
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

  test('a router that nobody listened to was not silent', () => {
    const s = new TestSession().at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'))
    s.held(2, 62).tick(64.9)
    expect(dumps(s)).toEqual([])
    s.tick(100)
    expect(dumps(s)).toEqual([
      '65 192.0.2.1 adj_in_pre 1/1 quiet',
      '65 192.0.2.1 all quiet',
      '65 router all quiet',
    ])
    const long = new TestSession().at(0, initiation('r'), peerUp(A))
    for (let t = 0; t <= 200; t++) {
      if (t === 100) long.held(100, 130)
      if (t < 100 || t >= 130) long.at(t, announce(A, '10.0.0.0/24'))
    }
    expect(dumps(long)[0]).toBe('150 192.0.2.1 adj_in_pre 1/1 max')
  })

  test('what fell due before nobody listened did so at its instant', () => {
    const s = new TestSession().at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'))
    s.held(7, 20).tick(30)
    expect(dumps(s)).toEqual([
      '5 192.0.2.1 adj_in_pre 1/1 quiet',
      '5 192.0.2.1 all quiet',
      '5 router all quiet',
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
  test('a session that begins midway: nothing is swept and no dump ends before a Peer Up has begun one', () => {
    const s = new TestSession({ midway: 'current' })
      .at(0, announce(A, '10.0.0.0/24'))
      .at(1, withdraw(A, '10.0.1.0/24'), endOfRib(A))
      .at(200, announce(B, '10.0.0.0/24'))
      .tick(400)
    expect(dumps(s)).toEqual([])
    expect(s.kind('bmp_up').map(effects)).toEqual([[]])
    expect(s.kind('peer_up').map((row) => row['synthetic'])).toEqual([1, 1])
    expect(s.rows('route_events').map((row) => row['phase'])).toEqual(['live', 'live', 'live'])
    s.at(500, peerDown(B, 4)).at(510, peerUp(B), announce(B, '10.0.0.0/24')).tick(600)
    expect(dumps(s)).toEqual(['515 192.0.2.2 adj_in_pre 1/1 quiet', '515 192.0.2.2 all quiet'])
    expect(s.kind('peer_down').map((row) => row['counted'])).toEqual([1])
  })

  test('a session that begins midway after something was missed: all before is stale', () => {
    const s = new TestSession({ midway: 'stale' }).at(0, announce(A, '10.0.0.0/24')).tick(400)
    expect(dumps(s)).toEqual([])
    expect(s.kind('bmp_up').map(effects)).toEqual([
      [{ effect: 'stale', rib: 'any', afi: 0, safi: 0, before_seq: 1, cause: 'bmp_lost' }],
    ])
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

  const again = (s: TestSession, at: number, received: ReturnType<typeof both>) =>
    s.at(at, peerUp(A, { sent: both(), received, ports: [179, 40_000 + at] }))

  test('a helper lists no family of its own and keeps those of the peer (RFC 4724 section 3)', () => {
    const helper = [family(1, 1), family(25, 70), gracefulRestart(0, 120)]
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A, { sent: helper, received: both() }))
      .at(10, peerDown(A, 4))
    kept(s)
    hard(
      new TestSession()
        .at(0, initiation('r'), peerUp(A, { sent: [family(1, 1)], received: both() }))
        .at(10, peerDown(A, 4)),
    )
  })

  test('what the OPENs said ends with their session: a peer back without Peer Up keeps nothing', () => {
    const s = up().at(10, peerDown(A, 4)).at(20, announce(A, '10.0.0.0/24')).at(30, peerDown(A, 4))
    const [, second] = s.kind('peer_down')
    expect(second).toMatchObject({ counted: 1, peer_epoch: 2 })
    expect(effects(second)).toMatchObject([{ effect: 'sweep', afi: 0, before_seq: second!.seq }])
  })

  test.each([
    ['the F bit is clear', [gracefulRestart(0, 30, [1, 1, 0])]],
    ['the family is not listed any more', [gracefulRestart(0, 30, [25, 70])]],
    ['capability 64 is gone', []],
  ])('back, but %s: the old routes go at once (RFC 4724 section 4.2)', (_, capabilities) => {
    const s = again(up().at(10, peerDown(A, 4)), 20, [family(1, 1), ...capabilities])
    const back = s.kind('peer_up')[1]!
    expect(effects(back)).toMatchObject([
      { effect: 'sweep', before_seq: back.seq, cause: 'gr_expired' },
    ])
    expect(s.tick(300).kind('gr_expired')).toEqual([])
  })

  test('back with one family of two: that one stays', () => {
    const two = [family(1, 1), family(25, 70), gracefulRestart(0, 30, [1, 1], [25, 70])]
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A, { sent: two }))
      .at(10, peerDown(A, 4))
    again(s, 20, [family(1, 1), gracefulRestart(0, 30, [1, 1, 0], [25, 70])])
    const back = s.kind('peer_up')[1]!
    expect(effects(back)).toMatchObject([{ effect: 'sweep', afi: 1, safi: 1 }])
    expect(effects(s.tick(300).kind('dump_done').at(-1))).toMatchObject([{ cause: 'gr_expired' }])
  })

  test('back with an OPEN that the router has not kept: nothing is concluded from it', () => {
    const s = up()
      .at(10, peerDown(A, 4))
      .at(20, peerUp(A, { missing: 'received', ports: [179, 2] }))
    expect(effects(s.kind('peer_up')[1])).toEqual([])
  })

  test('restarting again before it is done: what is stale of the first time goes', () => {
    const s = again(up().at(10, peerDown(A, 4)), 20, both()).at(22, peerDown(A, 4))
    const back = s.kind('peer_up')[1]!
    const [, second] = s.kind('peer_down')
    expect(effects(second)).toMatchObject([
      { effect: 'sweep', afi: 1, before_seq: back.seq, cause: 'gr_expired' },
      { effect: 'stale', afi: 1, before_seq: second!.seq },
      { effect: 'sweep', afi: 25, before_seq: second!.seq, cause: 'peer_down' },
    ])
    // The second restart has its own time.
    expect(s.tick(56.9).kind('gr_expired')).toEqual([])
    expect(s.tick(57).kind('gr_expired')).toHaveLength(1)
  })

  test('a peer that is taken out of the configuration meanwhile: nothing is kept any longer', () => {
    const s = up()
      .at(10, peerDown(A, 4))
      .at(12, peerDown(A, 2, [0, 0]))
      .at(14, peerDown(A, 5))
    const [, failed, removed] = s.kind('peer_down')
    expect(effects(failed)).toEqual([])
    expect(removed).toMatchObject({ counted: 0 })
    expect(effects(removed)).toMatchObject([{ effect: 'sweep', before_seq: removed!.seq }])
    expect(s.tick(300).kind('gr_expired')).toEqual([])
  })

  test('capabilities of several Peer Ups add up (Huawei)', () => {
    const one = (afi: number, safi: number) => [
      family(afi, safi),
      gracefulRestart(0, 30, [afi, safi]),
    ]
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A, { sent: one(1, 1) }), peerUp(A, { sent: one(2, 1) }))
      .at(10, peerDown(A, 4))
    expect(effects(s.kind('peer_down')[0])).toMatchObject([
      { effect: 'stale', afi: 1 },
      { effect: 'stale', afi: 2 },
    ])
  })
})

describe('long-lived graceful restart (RFC 9494)', () => {
  const both = (...more: readonly (readonly [number, readonly number[]])[]) => [
    family(1, 1),
    family(25, 70),
    ...more,
  ]
  const up = (sent: ReturnType<typeof both>, received = sent) =>
    new TestSession()
      .at(0, initiation('r'), peerUp(A, { sent, received }), announce(A, '10.0.0.0/24'))
      .at(10, peerDown(A, 4))
  const expired = (s: TestSession) =>
    s.kind('gr_expired').map((row) => {
      const [effect] = row['effects'] as Row[]
      return [
        Date.parse(`${String(row['rx_ts']).slice(0, 19)}Z`) / 1000 - 1_800_000_000,
        row['afi'],
        effect?.['effect'],
        effect?.['afi'],
        effect?.['safi'],
        effect?.['before_seq'] === row.seq,
      ]
    })

  test('section 4.2: a family is kept for the restart time and its stale time', () => {
    const s = up(both(gracefulRestart(0, 30, [1, 1], [25, 70]), longLived([1, 1, 3600])))
    expect(effects(s.kind('peer_down')[0])).toMatchObject([
      { effect: 'stale' },
      { effect: 'stale' },
    ])
    expect(expired(s.tick(10_000))).toEqual([
      [45, 25, 'sweep', 25, 70, true],
      [3645, 0, 'sweep', 0, 0, true],
    ])
  })

  test('section 4.2: a family that capability 64 does not list has a restart time of 0', () => {
    const s = up(both(gracefulRestart(0, 30, [1, 1]), longLived([25, 70, 100])))
    expect(expired(s.tick(10_000))).toEqual([
      [45, 1, 'sweep', 1, 1, true],
      [115, 0, 'sweep', 0, 0, true],
    ])
  })

  test('section 4.2: with a restart time of 0 there is the stale time alone', () => {
    const s = up(both(gracefulRestart(0, 0, [1, 1]), longLived([1, 1, 100])))
    expect(effects(s.kind('peer_down')[0])).toMatchObject([
      { effect: 'stale' },
      { effect: 'sweep' },
    ])
    expect(expired(s.tick(10_000))).toEqual([[115, 0, 'sweep', 0, 0, true]])
  })

  test.each([
    ['without capability 64 it is ignored (section 4.1)', both(longLived([1, 1, 100])), undefined],
    [
      "a stale time of 0 keeps nothing (FRR's default)",
      both(gracefulRestart(0, 120), longLived([1, 1, 0])),
      undefined,
    ],
    [
      'the router did not offer it',
      both(gracefulRestart(0, 0)),
      both(gracefulRestart(0, 0), longLived([1, 1, 100])),
    ],
  ])('%s: a hard end', (_, sent, received) => {
    const s = up(sent, received)
    expect(effects(s.kind('peer_down')[0])).toMatchObject([{ effect: 'sweep', afi: 0 }])
    expect(expired(s.tick(10_000))).toEqual([])
  })

  test('section 4.3: a route marked LLGR_STALE does not bring the peer back, another does', () => {
    const marked = (community: number) =>
      routeMonitoring(
        A,
        update({
          attributes: [
            ...origin(),
            ...asPath(64501),
            ...nextHop('192.0.2.1'),
            ...attribute(0xc0, 8, [...be(0xfde80001, 4), ...be(community, 4)]),
          ],
          nlri: prefix('10.0.0.0/24'),
        }),
      )
    const capabilities = both(gracefulRestart(0, 30, [1, 1]), longLived([1, 1, 3600]))
    const s = up(capabilities).at(50, marked(0xffff0006))
    expect(s.kind('peer_up')).toHaveLength(1)
    expect(s.rows('route_events').at(-1)).toMatchObject({
      communities: ['65000:1', '65535:6'],
      peer_epoch: 1,
    })
    // It goes with the rest when time is over.
    const [end] = s.tick(10_000).kind('gr_expired')
    expect(effects(end)).toMatchObject([{ before_seq: end!.seq }])
    expect(up(capabilities).at(50, marked(0xffff0007)).kind('peer_up')).toHaveLength(2)
  })

  test('back and done: the dump sweeps what was kept', () => {
    const capabilities = both(gracefulRestart(0, 30, [1, 1]), longLived([1, 1, 3600]))
    const s = up(capabilities)
      .at(600, peerUp(A, { sent: capabilities, ports: [179, 2] }), endOfRib(A))
      .tick(10_000)
    expect(s.kind('gr_expired')).toEqual([])
    expect(s.kind('dump_done').slice(-2).map(effects)).toMatchObject([
      [{ effect: 'sweep', cause: 'gr_expired' }],
      [{ effect: 'sweep', cause: 'gr_expired' }],
    ])
  })

  test('back without F bit in either capability: gone at once', () => {
    const capabilities = both(gracefulRestart(0, 30, [1, 1, 0]), longLived([1, 1, 3600, 0]))
    const s = up(capabilities).at(20, peerUp(A, { sent: capabilities, ports: [179, 2] }))
    expect(effects(s.kind('peer_up')[1])).toMatchObject([{ effect: 'sweep', cause: 'gr_expired' }])
  })

  test('down again before it is done: what is long-lived stays', () => {
    const capabilities = both(gracefulRestart(0, 30, [1, 1]), longLived([1, 1, 3600]))
    const s = up(capabilities)
      .at(60, peerUp(A, { sent: capabilities, ports: [179, 2] }))
      .at(62, peerDown(A, 4))
    expect(effects(s.kind('peer_down')[1])).toMatchObject([
      { effect: 'stale', afi: 1 },
      { effect: 'sweep', afi: 25 },
    ])
  })
})
