import { describe, expect, test } from 'vitest'
import {
  announce,
  asPath,
  attribute,
  be,
  endOfRib,
  family,
  initiation,
  message,
  nextHop,
  origin,
  peerDown,
  peerHeader,
  peerUp,
  prefix,
  routeMonitoring,
  statistics,
  update,
  withdraw,
} from './testing/bytes.ts'
import type { HandPeer } from './testing/bytes.ts'
import { T0, TestSession } from './testing/session.ts'
import type { Row } from './testing/session.ts'

const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const B: HandPeer = { address: '192.0.2.2', asn: 64502, id: '192.0.2.2' }
const LINK_LOCAL: HandPeer = { address: 'fe80::1', asn: 64501, id: '192.0.2.1' }

const sweep = (before_seq: number, cause: string, view: Partial<Row> = {}) => ({
  effect: 'sweep',
  rib: 'any',
  afi: 0,
  safi: 0,
  before_seq,
  cause,
  ...view,
})

describe('name of the router', () => {
  test('sysName of the first message, without control characters, 255 octets at most', () => {
    const s = new TestSession().at(0, initiation(`tor\u0007\u0000 1\u202e${'é'.repeat(200)}`))
    expect(s.session.router).toBe(`tor 1${'é'.repeat(125)}`)
    expect(Buffer.byteLength(s.session.router)).toBe(255)
  })

  test('a later Initiation never renames', () => {
    const s = new TestSession().at(0, initiation('tor1'), initiation('tor2'), peerUp(A))
    expect(new Set(s.rows().map((row) => row['router']))).toEqual(new Set(['tor1']))
  })

  test.each([
    ['no Initiation', peerUp(A)],
    ['an empty sysName', initiation('')],
    ['a sysName of control characters', initiation('\u0001\u009f')],
  ])('the source address with %s', (_, bytes) => {
    expect(new TestSession().at(0, bytes).session.router).toBe('192.0.2.254')
  })

  test('nameRouter may rename or refuse', () => {
    const renamed = new TestSession({ nameRouter: (name) => `${name}@x` }).at(0, initiation('tor1'))
    expect(renamed.rows().map((row) => row['router'])).toEqual(['tor1@x', 'tor1@x'])
    const refused = new TestSession({ nameRouter: () => undefined }).at(
      0,
      initiation('tor1'),
      peerUp(A),
    )
    expect(refused.rows()).toEqual([])
    expect(refused.session.refused).toBe(true)
  })
})

describe('life of a BMP session', () => {
  test('bmp_up is row 1 and makes the whole router stale; bmp_down likewise', () => {
    const s = new TestSession().at(0, initiation('tor1')).end('rst', 3)
    const stale = (before_seq: number) => [
      { effect: 'stale', rib: 'any', afi: 0, safi: 0, before_seq, cause: 'bmp_lost' },
    ]
    expect(s.kind('bmp_up')).toMatchObject([
      { seq: 1, peer_key: '0', peer_epoch: 0, effects: stale(1), bmp_session: T0 },
    ])
    expect(s.kind('bmp_down')).toMatchObject([{ seq: 3, reason: 'rst', effects: stale(3) }])
  })

  test('the name may take several chunks: nothing is written before the first whole message', () => {
    const bytes = initiation('tor1')
    const s = new TestSession().at(0, bytes.slice(0, 10))
    expect(s.rows()).toEqual([])
    expect(s.at(2, bytes.slice(10)).kind('bmp_up')).toMatchObject([
      { rx_ts: '2027-01-15 08:00:02.000000', router: 'tor1' },
    ])
  })

  test('a recording that ended says nothing about the session', () => {
    expect(new TestSession().at(0, initiation('tor1')).end('stop', 3).kind('bmp_down')).toEqual([])
  })

  test('lost framing: one error with its place, then nothing more is taken', () => {
    const s = new TestSession().at(0, initiation('tor1'), [9, 9, 9, 9, 9, 9]).at(1, peerUp(A))
    const offset = initiation('tor1').length
    expect(s.session.broken).toMatchObject({ code: 'FRAMING', offset })
    expect(s.rows('route_errors')).toMatchObject([
      { code: 'FRAMING', offset, treatment: 'session-reset', router: 'tor1' },
    ])
    expect(s.kind('peer_up')).toEqual([])
    expect(s.end('framing', 2).kind('bmp_down')).toMatchObject([{ reason: 'framing' }])
  })

  test('the end inside a message is an error row', () => {
    const s = new TestSession().at(0, initiation('tor1'), peerUp(A).slice(0, 20)).end('fin', 1)
    expect(s.rows('route_errors')).toMatchObject([
      { code: 'TRUNCATED', text: '20 octets of a message, then the end' },
    ])
  })

  test('Termination keeps its reason', () => {
    const s = new TestSession().at(0, initiation('r'), message(5, [0, 1, 0, 2, 0, 2]))
    expect(s.kind('termination')).toMatchObject([{ reason: 'out_of_resources', reason_code: 2 }])
  })

  test('seq counts rows of all tables', () => {
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24', '10.0.1.0/24'))
      .at(1, statistics(A, [7, 2]), message(99, [1, 2, 3]), withdraw(A, '10.0.0.0/24'))
      .at(90)
      .end('fin', 100)
    const seqs = s.rows().map((row) => row.seq)
    expect([...seqs].sort((a, b) => a - b)).toEqual(seqs.map((_, i) => i + 1))
    expect(new Set(s.rows().map((row) => row.table)).size).toBe(4)
  })
})

describe('peers', () => {
  test('Peer Up, Peer Down: epochs, counted, sweep of what was announced before', () => {
    const s = new TestSession()
      .at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'))
      .at(1, peerDown(A, 2, be(24, 2)))
      .at(2, peerUp(A, { ports: [179, 40_001] }), announce(A, '10.0.0.0/24'))
    expect(s.kind('peer_up').map((row) => [row['peer_epoch'], row['effects']])).toEqual([
      [1, []],
      [2, []],
    ])
    const [down] = s.kind('peer_down')
    expect(down).toMatchObject({
      counted: 1,
      reason: 'local-fsm-event',
      reason_code: 2,
      fsm_event: 24,
      effects: [sweep(down!.seq, 'peer_down')],
    })
    expect(s.rows('route_events').map((row) => row['peer_epoch'])).toEqual([1, 2])
    const keys = s.rows().flatMap((row) => (row['peer_key'] === '0' ? [] : [row['peer_key']]))
    expect(new Set(keys).size).toBe(1)
  })

  test('what both OPENs said is kept', () => {
    const s = new TestSession().at(
      0,
      peerUp(A, { localAsn: 4_200_001_001, sent: [family(1, 1), family(25, 70)], vrf: 'red' }),
    )
    expect(s.kind('peer_up')).toMatchObject([
      {
        local_addr: '192.0.2.254',
        local_port: 179,
        remote_port: 40_000,
        local_asn: 4_200_001_001,
        local_bgp_id: '192.0.2.254',
        hold_time_sent: 90,
        vrf: 'red',
        sent_capabilities: [
          'as4 4200001001',
          'multiprotocol ipv4-unicast',
          'multiprotocol l2vpn-evpn',
        ],
      },
    ])
  })

  test('shutdown communication, control characters removed', () => {
    const words = [...new TextEncoder().encode('going\u001b[31m down')]
    const cease = [...new Array<number>(16).fill(255), ...be(19 + 3 + words.length, 2), 3, 6, 2]
    const s = new TestSession()
      .at(0, peerUp(A))
      .at(1, peerDown(A, 3, [...cease, words.length, ...words]))
    expect(s.kind('peer_down')).toMatchObject([
      { notification_code: 6, notification_subcode: 2, text: 'going[31m down' },
    ])
  })

  describe('matching by fall-back (unnumbered BGP on FRR)', () => {
    const up = () => new TestSession().at(0, initiation('tor1'), peerUp(LINK_LOCAL))

    test('Peer Down with address 0.0.0.0 and V clear', () => {
      const s = up().at(1, peerDown({ ...LINK_LOCAL, address: '0.0.0.0' }, 4))
      expect(s.kind('peer_down')).toMatchObject([{ counted: 1, peer_addr: 'fe80::1' }])
    })

    test('then one with the link-local address and BGP identifier 0: not an outage again', () => {
      const s = up()
        .at(1, peerDown({ ...LINK_LOCAL, address: '0.0.0.0' }, 4))
        .at(2, peerDown({ ...LINK_LOCAL, id: '0.0.0.0' }, 2, be(0, 2)))
        .at(3, peerUp(LINK_LOCAL, { ports: [179, 1] }))
      expect(s.kind('peer_down').map((row) => row['counted'])).toEqual([1, 0])
      expect(s.kind('peer_down')[1]).toMatchObject({
        effects: [],
        peer_key: s.kind('peer_up')[0]!['peer_key'],
      })
      expect(s.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 2])
    })

    test('AS 0; AS and BGP identifier 0', () => {
      const s = up()
        .at(1, peerDown({ ...LINK_LOCAL, asn: 0 }, 4))
        .at(2, peerUp(LINK_LOCAL, { ports: [179, 2] }))
        .at(3, peerDown({ ...LINK_LOCAL, asn: 0, id: '0.0.0.0' }, 4))
      expect(s.kind('peer_down').map((row) => row['counted'])).toEqual([1, 1])
    })

    test('another link-local address of a peer that is down is that peer; of one that is up, a second session', () => {
      const moved = { ...LINK_LOCAL, address: 'fe80::2' }
      const down = up()
        .at(1, peerDown(LINK_LOCAL, 4))
        .at(2, peerUp(moved, { ports: [179, 3] }))
      expect(down.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 2])
      const both = up().at(1, peerUp(moved, { ports: [179, 3] }))
      expect(both.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 1])
      expect(new Set(both.kind('peer_up').map((row) => row['peer_key'])).size).toBe(2)
    })

    test('no guess between two peers that are up', () => {
      const s = up()
        .at(0, peerUp({ ...LINK_LOCAL, address: 'fe80::2' }))
        .at(1, peerDown({ ...LINK_LOCAL, address: '0.0.0.0' }, 4))
      expect(s.kind('peer_down')).toMatchObject([{ counted: 0 }])
    })

    test('other distinguisher, other peer', () => {
      const s = up().at(1, peerDown({ ...LINK_LOCAL, type: 1, rd: '0000fde800000001' }, 4))
      expect(s.kind('peer_down')).toMatchObject([{ counted: 0, peer_rd: '65000:1' }])
    })
  })

  test('Peer Down of a peer never up: not counted; swept as left over, once', () => {
    const s = new TestSession().at(
      0,
      initiation('r'),
      peerDown(A, 2, be(0, 2)),
      peerDown(A, 2, be(0, 2)),
    )
    const downs = s.kind('peer_down')
    expect(downs.map((row) => row['counted'])).toEqual([0, 0])
    expect(downs.map((row) => row['effects'])).toEqual([[sweep(downs[0]!.seq, 'reconcile')], []])
    expect(s.session.peers).toBe(0)
  })

  test('statistics never create a peer, and are kept', () => {
    const s = new TestSession().at(0, initiation('r'), statistics(A, [7, 5], [65531, 1]))
    expect(s.session.peers).toBe(0)
    expect(s.rows('stats')).toMatchObject([
      { stat_type: 7, value: '5', peer_epoch: 0 },
      { stat_type: 65531, value: '1' },
    ])
  })

  test('routes create one: a synthetic Peer Up before them', () => {
    const locRib: HandPeer = { type: 3, address: '0.0.0.0', asn: 64500, id: '192.0.2.254' }
    const s = new TestSession().at(0, initiation('rr1'), announce(locRib, '10.0.0.0/24'))
    expect(s.rows().map((row) => row['kind'] ?? row.table)).toEqual([
      'bmp_up',
      'initiation',
      'peer_up',
      'route_events',
    ])
    expect(s.kind('peer_up')).toMatchObject([{ synthetic: 1, peer_epoch: 1, rib: 'loc_rib' }])
    expect(s.rows('route_events')).toMatchObject([{ rib: 'loc_rib', vantage: 3 }])
  })

  test("FRR's local routes are a peer that no Peer Down can end", () => {
    const local: HandPeer = { address: '0.0.0.0', asn: 0, id: '0.0.0.0', flags: 0x40 }
    const s = new TestSession()
      .at(0, initiation('tor1'), announce(local, '10.0.0.1/32'))
      .at(1, peerDown({ ...local, flags: 0 }, 2, be(0, 2)))
    expect(s.kind('peer_down')).toMatchObject([{ counted: 0, effects: [] }])
  })

  test('a Peer Down with a header of zeros takes nothing from local routes of the session before', () => {
    const zeros: HandPeer = { address: '0.0.0.0', asn: 0, id: '0.0.0.0' }
    const s = new TestSession().at(0, initiation('tor1'), peerDown(zeros, 2, be(0, 2)))
    expect(s.kind('peer_down')).toMatchObject([{ counted: 0, effects: [] }])
  })

  test('OPENs that the router has not kept are no error, and the peer is up', () => {
    const s = new TestSession().at(
      0,
      initiation('tor1'),
      peerUp(A, { missing: 'received' }),
      announce(A, '10.0.0.0/24'),
    )
    expect(s.rows('route_errors')).toEqual([])
    expect(s.kind('peer_up')).toMatchObject([
      {
        reason: 'open-missing',
        synthetic: 0,
        local_asn: 64500,
        hold_time_received: 0,
        received_capabilities: [],
      },
    ])
    expect(s.rows('route_events')).toMatchObject([{ peer_epoch: 1 }])
    expect(s.at(1, peerDown(A, 4)).kind('peer_down')).toMatchObject([{ counted: 1 }])
  })

  test('withdrawals after Peer Down do not bring the peer back, announcements do', () => {
    const s = new TestSession()
      .at(0, initiation('rr1'), peerUp(A), announce(A, '10.0.0.0/24'))
      .at(1, peerDown(A, 4), withdraw(A, '10.0.0.0/24'))
    expect(s.kind('peer_up')).toHaveLength(1)
    s.at(2, announce(A, '10.0.0.0/24'))
    expect(s.kind('peer_up')).toMatchObject([{ synthetic: 0 }, { synthetic: 1, peer_epoch: 2 }])
  })

  describe('Peer Up of a peer thought up', () => {
    test('closes the epoch: other ports', () => {
      const s = new TestSession()
        .at(0, initiation('r'), peerUp(A), announce(A, '10.0.0.0/24'))
        .at(1, peerUp(A, { ports: [179, 40_001] }))
      const [, again] = s.kind('peer_up')
      expect(again).toMatchObject({ peer_epoch: 2, effects: [sweep(again!.seq, 'peer_down')] })
      expect(s.kind('peer_down')).toEqual([])
    })

    test('closes the epoch: the same ports and nothing new, after routes', () => {
      const s = new TestSession().at(0, peerUp(A), announce(A, '10.0.0.0/24')).at(1, peerUp(A))
      expect(s.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 2])
    })

    test('Huawei: one per family adds to it; the path identifiers of each family hold', () => {
      const sent = (afi: number) => ({
        sent: [family(afi, 1), [69, [...be(afi, 2), 1, 3]] as const],
      })
      const nlri = [...be(7, 4), ...prefix('10.0.0.0/24')]
      const attributes = [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')]
      const s = new TestSession()
        .at(
          0,
          initiation('r'),
          peerUp(A, sent(1)),
          routeMonitoring(A, update({ attributes, nlri })),
        )
        .at(1, peerUp(A, sent(2)), routeMonitoring(A, update({ attributes, nlri })))
      expect(s.kind('peer_up')).toMatchObject([
        { peer_epoch: 1, reason: '' },
        { peer_epoch: 1, reason: 'more-capabilities', effects: [] },
      ])
      expect(s.rows('route_events').map((row) => row['path_id'])).toEqual([7, 7])
    })

    test('Huawei: Loc-RIB, one per family, ports 0', () => {
      const locRib: HandPeer = { type: 3, address: '0.0.0.0', rd: '0000fde80000000b' }
      const says = (afi: number) => peerUp(locRib, { ports: [0, 0], sent: [family(afi, 1)] })
      const s = new TestSession()
        .at(0, initiation('r'), says(1), announce(locRib, '10.0.0.0/24'), says(2))
        .at(9, says(2))
      expect(s.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 1, 1])
      // With routes since and nothing new in it, it is another session after all.
      s.at(10, announce(locRib, '10.0.0.0/24'), says(1))
      expect(s.kind('peer_up').at(-1)).toMatchObject({ peer_epoch: 2 })
    })

    test('Huawei: flags 00 00 40 40 back to back are one session', () => {
      const post = { ...A, flags: 0x40 }
      const s = new TestSession().at(
        0,
        initiation('r'),
        peerUp(A),
        peerUp(A),
        peerUp(post),
        peerUp(post),
      )
      expect(s.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 1, 1, 1])
    })

    test('one per table (post-policy, Adj-RIB-Out) is the same session, routes or not', () => {
      const s = new TestSession()
        .at(0, peerUp(A), announce(A, '10.0.0.0/24'))
        .at(1, peerUp({ ...A, flags: 0x40 }), announce({ ...A, flags: 0x40 }, '10.0.0.0/24'))
        .at(2, peerUp({ ...A, flags: 0x10 }), announce({ ...A, flags: 0x10 }, '10.0.0.0/24'))
      expect(s.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 1, 1])
      expect(s.rows('route_events').map((row) => row['rib'])).toEqual([
        'adj_in_pre',
        'adj_in_post',
        'adj_out_pre',
      ])
    })

    test('a real one after a synthetic one begins anew', () => {
      const s = new TestSession()
        .at(0, initiation('r'), announce(A, '10.0.0.0/24'))
        .at(1, peerUp(A))
      const [, real] = s.kind('peer_up')
      expect(real).toMatchObject({ peer_epoch: 2, effects: [sweep(real!.seq, 'peer_down')] })
    })
  })

  test('too many peers: the routes are errors with their bytes, nothing grows', () => {
    const s = new TestSession({ limits: { peers: 3 } }).at(0, initiation('r'))
    for (let i = 1; i <= 10; i++) {
      const peer = { address: `192.0.2.${i}`, asn: 64_500 + i, id: `192.0.2.${i}` }
      s.at(1, peerUp(peer), announce(peer, '10.0.0.0/24'))
    }
    expect(s.session.peers).toBe(3)
    expect(s.rows('route_events')).toHaveLength(3)
    expect(s.rows('route_errors').filter((row) => row['raw'] !== '')).toHaveLength(7)
  })

  test('ended peers make room; a peer that was forgotten counts its epochs on', () => {
    const s = new TestSession({ limits: { peers: 1 } }).at(0, initiation('r'))
    s.at(
      1,
      peerUp(A),
      peerDown(A, 4),
      peerUp(A),
      peerDown(A, 4),
      peerUp(B),
      peerDown(B, 4),
      peerUp(A),
    )
    expect(s.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 2, 3, 4])
    expect(s.rows('route_errors')).toEqual([])
  })
})

describe("FRR's own AS in front of AS_PATH", () => {
  const local = { localAsn: 64500 }
  const route = (peer: HandPeer, ...asns: number[]) =>
    routeMonitoring(
      peer,
      update({
        attributes: [...origin(), ...asPath(...asns), ...nextHop('192.0.2.1')],
        nlri: prefix('10.0.0.0/24'),
      }),
    )

  test('is marked, and does not count in the hashes', () => {
    const s = new TestSession().at(0, peerUp(A, local), route(A, 64500, 64501), route(A, 64501))
    const [own, plain] = s.rows('route_events')
    expect(own).toMatchObject({ as_path: [64500, 64501], own_as_prepended: 1 })
    expect(plain).toMatchObject({ as_path: [64501], own_as_prepended: 0 })
    expect([own!['attr_hash'], own!['fwd_hash']]).toEqual([plain!['attr_hash'], plain!['fwd_hash']])
  })

  test.each([
    ['the next AS is another', A, [64500, 64999]],
    ['it stands alone', A, [64500]],
    ['the peer is internal', { ...A, asn: 64500 }, [64500, 64500]],
    ['the table is Adj-RIB-Out', { ...A, flags: 0x10 }, [64500, 64501]],
    ['the table is Loc-RIB', { type: 3, address: '0.0.0.0', asn: 64501 }, [64500, 64501]],
  ])('not when %s', (_, peer: HandPeer, asns) => {
    const s = new TestSession().at(0, peerUp(peer, local), route(peer, ...asns))
    expect(s.rows('route_events')).toMatchObject([{ own_as_prepended: 0 }])
  })

  test('prepending by the peer still counts', () => {
    const s = new TestSession().at(
      0,
      peerUp(A, local),
      route(A, 64500, 64501, 64501),
      route(A, 64501),
    )
    const [first, second] = s.rows('route_events')
    expect(first!['attr_hash']).not.toBe(second!['attr_hash'])
  })
})

describe('link bandwidth', () => {
  const withCommunities = (...communities: number[][]): Row | undefined => {
    const attributes = [
      ...origin(),
      ...asPath(64501),
      ...nextHop('192.0.2.1'),
      ...attribute(0xc0, 16, communities.flat()),
    ]
    const bytes = routeMonitoring(A, update({ attributes, nlri: prefix('10.0.0.0/24') }))
    return new TestSession().at(0, initiation('r'), peerUp(A), bytes).rows('route_events')[0]
  }
  const evpn = (units: number, value: number): number[] => [6, 0x10, units, 0, ...be(value, 4)]

  test('draft-ietf-bess-evpn-unequal-lb: megabits a second of EVPN count, weights do not', () => {
    expect(withCommunities(evpn(0, 10_000))).toMatchObject({ link_bw: 1_250_000_000 })
    expect(withCommunities(evpn(1, 10_000))).toMatchObject({ link_bw: null })
    // RFC 10005: of several the lowest counts. 0x4cbebc20 is 1e8 octets a second.
    const plain = [0x40, 4, 0, 1, 0x4c, 0xbe, 0xbc, 0x20]
    expect(withCommunities(evpn(0, 10_000), plain)).toMatchObject({ link_bw: 100_000_000 })
    expect(withCommunities(plain, evpn(0, 10))).toMatchObject({ link_bw: 1_250_000 })
  })
})

describe('what cannot be decoded', () => {
  test('RFC 7607: AS 0 in a path is told, the path kept', () => {
    const attributes = [...origin(), ...asPath(64501, 0), ...nextHop('192.0.2.1')]
    const bytes = routeMonitoring(A, update({ attributes, nlri: prefix('10.0.0.0/24') }))
    const s = new TestSession().at(0, initiation('r'), peerUp(A), bytes)
    expect(s.rows('route_events')).toMatchObject([
      {
        as_path: [64501, 0],
        decode_errors: ['as_path: AS 0, which nobody may have (RFC 7607 section 2)'],
      },
    ])
    expect(s.rows('route_errors')).toMatchObject([
      { code: 'BAD_VALUE', treatment: 'treat-as-withdraw' },
    ])
  })

  test('a broken attribute costs itself, not the route', () => {
    const attributes = [...origin(7), ...asPath(64501), ...nextHop('192.0.2.1')]
    const bytes = routeMonitoring(A, update({ attributes, nlri: prefix('10.0.0.0/24') }))
    const s = new TestSession().at(0, initiation('r'), peerUp(A), bytes)
    expect(s.rows('route_events')).toMatchObject([
      {
        prefix: '10.0.0.0/24',
        origin: '',
        decode_errors: ['origin: origin 7, expected 0, 1 or 2 (RFC 7606 section 7.1)'],
      },
    ])
    const before = initiation('r').length + peerUp(A).length
    expect(s.rows('route_errors')).toMatchObject([
      {
        code: 'BAD_VALUE',
        path: 'origin',
        spec: 'RFC 7606 section 7.1',
        treatment: 'treat-as-withdraw',
        raw: '07',
        // BMP header 6, per-peer header 42, BGP header 19, two length fields, flags, type and length
        offset: before + 6 + 42 + 19 + 2 + 2 + 3,
      },
    ])
  })

  test('an unknown message type is kept', () => {
    const s = new TestSession().at(0, initiation('r'), message(77, [1, 2, 3, 4]))
    expect(s.rows('route_errors')).toMatchObject([
      { code: 'UNSUPPORTED', offset: initiation('r').length + 5 },
    ])
  })

  test('a per-peer header that is cut short', () => {
    const s = new TestSession().at(0, initiation('r'), message(0, peerHeader(A).slice(0, 20)))
    expect(s.rows('route_errors')).toMatchObject([{ code: 'TRUNCATED' }])
  })

  test('errors do not depend on where TCP cut the stream', () => {
    const attributes = [...origin(7), ...asPath(64501), ...attribute(0xc0, 8, [1, 2, 3])]
    const bytes = [
      initiation('r'),
      peerUp(A),
      routeMonitoring(A, update({ attributes, nlri: [33, 1, 2, 3, 4, 5] })),
      message(3, peerHeader(A)),
      message(2, [...peerHeader(A), 1, 9, 9]),
    ]
    const whole = new TestSession().at(0, ...bytes).rows()
    const cut = new TestSession()
    for (const octet of bytes.flat()) cut.at(0, [octet])
    expect(cut.rows()).toEqual(whole)
    expect(whole.filter((row) => row.table === 'route_errors').length).toBeGreaterThan(3)
  })

  test('Route Mirroring is never a route; lost messages are said', () => {
    const pdu = update({ attributes: [...origin(), ...asPath(1)], nlri: prefix('10.0.0.0/8') })
    const s = new TestSession().at(
      0,
      initiation('r'),
      message(6, [...peerHeader(A), 0, 0, ...be(pdu.length, 2), ...pdu, 0, 1, 0, 2, 0, 1]),
    )
    expect(s.rows('route_events')).toEqual([])
    expect(s.session.peers).toBe(0)
    expect(s.rows('route_errors')).toMatchObject([{ text: 'the router says messages_lost (1)' }])
  })
})

describe('End-of-RIB (RFC 4724 section 2)', () => {
  test('is a session row, never a route', () => {
    const s = new TestSession().at(0, initiation('r'), peerUp(A), endOfRib(A), endOfRib(A, 25, 70))
    expect(s.kind('eor')).toMatchObject([
      { rib: 'adj_in_pre', afi: 1, safi: 1 },
      { afi: 25, safi: 70 },
    ])
    expect(s.rows('route_events')).toEqual([])
  })

  test("GoBGP's post-policy one has the A flag", () => {
    const s = new TestSession().at(0, peerUp(A), endOfRib({ ...A, flags: 0x60 }))
    expect(s.kind('eor')).toMatchObject([{ rib: 'adj_in_post', peer_epoch: 1 }])
  })
})
