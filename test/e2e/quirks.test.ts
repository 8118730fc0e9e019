/**
 * What real daemons put into BMP that the RFCs alone would not lead one to expect, one habit a test: what decoding, rows and state
 * make of it. Octets are those of our own recordings of FRR 8.4.4 and GoBGP 3.10 (test/fixtures/lab); habits that none of them
 * shows are put together by hand as they were measured, or read from ../shared where that is there.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import {
  addPath,
  announce,
  asPath,
  attribute,
  be,
  endOfRib,
  family,
  initiation,
  ip,
  message,
  nextHop,
  notification,
  origin,
  peerDown,
  peerHeader,
  peerUp,
  prefix,
  routeMonitoring,
  update,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../packages/events/src/testing/bytes.ts'
import { TestSession } from '../../packages/events/src/testing/session.ts'
import { recorded, rowsOf, stream } from './feeds.ts'
import type { Row } from './feeds.ts'
import { replay } from './replay.ts'
import type { Event } from './replay.ts'

vi.setConfig({ testTimeout: 120_000 })

const root = fileURLToPath(new URL('../../', import.meta.url))
const OWN = join(root, 'test/fixtures/lab')
const LAB = join(root, '../shared/lab/recordings')
const VECTORS = join(root, '../shared/vectors')
const START_US = 1_800_000_000_000_000

for (const path of [LAB, VECTORS]) {
  if (!existsSync(path)) console.log(`habits that only ${path} shows are skipped: it is not there`)
}

const read = new Map<string, Promise<Row[]>>()
/** All rows of a router in one of our recordings (or of the lab's). */
async function rows(scenario: string, router: string, folder = OWN): Promise<Row[]> {
  const path = join(folder, scenario)
  const known = read.get(path) ?? recorded(path, 'q', START_US).then((feed) => rowsOf(feed).rows)
  read.set(path, known)
  return (await known).filter((row) => row.router === `q/${router}`)
}
const vector = (file: string): Row[] => rowsOf([stream(join(VECTORS, file), 'v', START_US)]).rows

const routes = (all: readonly Row[], like: Readonly<Record<string, unknown>> = {}): Row[] =>
  all.filter((row) => row.table === 'route_events' && matches(row, like))
const kind = (all: readonly Row[], name: string): Row[] => all.filter((row) => row['kind'] === name)
const errors = (all: readonly Row[]): Row[] => all.filter((row) => row.table === 'route_errors')
const matches = (row: Row, like: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(like).every(([column, value]) => row[column] === value)
const distinct = (values: readonly unknown[]): unknown[] => [...new Set(values)].sort()
/** Routes announced after these rows. */
const held = (all: readonly Row[]): Row[] => [...replay(all).values()].map(({ row }) => row)
function history(all: readonly Row[]): Event[] {
  const events: Event[] = []
  replay(all, events)
  return events
}
const us = (row: Row, column: string): number =>
  Date.parse(`${String(row[column]).slice(0, 23)}Z`) * 1000
const UNICAST = { afi: 1, safi: 1 }
const V6 = { afi: 2, safi: 1 }
const EVPN = { afi: 25, safi: 70 }

const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }

describe('FRR 8.4.4', () => {
  test('1. its own AS stands in front of AS_PATH, and does not count in attr_hash', async () => {
    const ofNode = { ...UNICAST, rib: 'adj_in_pre', peer_asn: 65101 }
    const [tor1, tor2] = [
      routes(await rows('steady', 'tor1'), ofNode),
      routes(await rows('steady', 'tor2'), ofNode),
    ]
    expect(tor1.length).toBeGreaterThan(3)
    for (const row of tor1) {
      expect(row).toMatchObject({ as_path: [4200001001, 65101], own_as_prepended: 1 })
      const same = tor2.find((other) => other['nlri'] === row['nlri'])
      expect(same).toMatchObject({ as_path: [4200001002, 65101], attr_hash: row['attr_hash'] })
    }
  })

  test("1. from an internal peer its cluster id stands in CLUSTER_LIST: it does not count either, another's route is the same", () => {
    const clustered = (...ids: readonly string[]): number[] =>
      routeMonitoring(
        { ...A, asn: 64500 },
        update({
          attributes: [
            ...origin(),
            ...asPath(),
            ...nextHop('192.0.2.1'),
            ...attribute(0x80, 9, ip('192.0.2.1')),
            ...attribute(0x80, 10, ids.flatMap(ip)),
          ],
          nlri: prefix('10.0.0.0/24'),
        }),
      )
    const s = new TestSession().at(
      0,
      clustered('192.0.2.254'),
      clustered('192.0.2.254', '192.0.2.9'),
    )
    const [one, two] = s.rows('route_events')
    expect(one!['cluster_list']).toEqual(['192.0.2.254'])
    expect(two!['attr_hash']).toBe(one!['attr_hash'])
  })

  test('2. IPv4 routes of unnumbered sessions have no next hop at all: routes, no error; IPv6 has the link-local one twice', async () => {
    const all = await rows('steady', 'tor1')
    const v4 = routes(all, { ...UNICAST, rib: 'adj_in_pre', action: 'announce' })
    expect(v4.length).toBeGreaterThan(30)
    expect(distinct(v4.map((row) => row['next_hop']))).toEqual([''])
    expect(distinct(v4.map((row) => String(row['peer_addr']).slice(0, 6)))).toEqual(['fe80::'])
    const v6 = routes(all, { ...V6, rib: 'adj_in_pre', action: 'announce' })
    expect(v6.length).toBeGreaterThan(30)
    for (const row of v6) {
      expect(row['next_hop']).toBe(row['peer_addr'])
      expect(row['next_hop_ll']).toBe(row['peer_addr'])
    }
    expect(errors(all)).toEqual([])
    expect(held(all).filter((row) => matches(row, { ...UNICAST, rib: 'adj_in_pre' }))).toHaveLength(
      new Set(v4.map((row) => `${String(row['peer_key'])} ${String(row['nlri'])}`)).size,
    )
  })

  test('3. EVPN labels are zero: the VNI is that of the route target, of PMSI for type 3', async () => {
    const evpn = routes(await rows('steady', 'tor1'), { ...EVPN, action: 'announce' })
    const [type2] = evpn.filter((row) => row['evpn_type'] === 2)
    // 60905 is what is left of AS 4200001001 in two octets.
    expect(type2).toMatchObject({ labels: [0], vni: 10200, rts: ['rt:60905:10200'] })
    const [type3] = evpn.filter((row) => row['evpn_type'] === 3)
    expect(type3).toMatchObject({ labels: [], vni: 10200 })
    expect(distinct(evpn.map((row) => row['vni']))).toEqual([10200])
  })

  test.skipIf(!existsSync(LAB))('3. type 5, too (../shared/lab)', async () => {
    const type5 = routes(await rows('frr-type5', 'tor1', LAB), { ...EVPN, evpn_type: 5 })
    expect(type5.length).toBeGreaterThan(10)
    expect(distinct(type5.map((row) => String(row['labels'])))).toEqual(['0'])
    expect(distinct(type5.map((row) => row['vni']))).toEqual([50200])
  })

  test('4. post-policy withdraws what is there when a next hop is not resolved yet; pre-policy is right', async () => {
    const all = await rows('tor-down', 'tor2')
    const again = all.filter((row) => row.bmp_session === all.at(-1)!.bmp_session)
    const withdrawn = routes(again, { rib: 'adj_in_post', action: 'withdraw' })
    expect(withdrawn.length).toBeGreaterThan(50)
    const state = held(all)
    const pre = state.filter((row) => row['rib'] === 'adj_in_pre')
    const post = state.filter((row) => row['rib'] === 'adj_in_post')
    const keyOf = (row: Row): string => `${String(row['peer_key'])} ${String(row['nlri'])}`
    const there = new Set(pre.map(keyOf))
    // Withdrawn and there all the same: most of them.
    expect(withdrawn.filter((row) => there.has(keyOf(row))).length).toBeGreaterThan(
      withdrawn.length * 0.8,
    )
    expect(pre.length).toBeGreaterThan(post.length * 2)
  })

  test.skipIf(!existsSync(LAB))(
    '5. without soft-reconfiguration inbound pre-policy is withdrawals alone: nothing is announced, post-policy is whole (../shared/lab)',
    async () => {
      const all = await rows('no-soft-reconfig', 'tor1', LAB)
      expect(distinct(routes(all, { rib: 'adj_in_pre' }).map((row) => row['action']))).toEqual([
        'withdraw',
      ])
      expect(distinct(held(all).map((row) => row['rib']))).toEqual(['adj_in_post'])
      expect(held(all).length).toBeGreaterThan(100)
    },
  )

  test('6. its own routes come from a peer of zeros without Peer Up: a lazy peer, post-policy, that nothing ends', async () => {
    const all = await rows('steady', 'tor1')
    const local = routes(all, { peer_addr: '0.0.0.0', peer_asn: 0, peer_bgp_id: '0.0.0.0' })
    expect(distinct(local.map((row) => row['rib']))).toEqual(['adj_in_post'])
    expect(distinct(local.map((row) => `${Number(row['afi'])}/${Number(row['safi'])}`))).toEqual([
      '1/1',
      '2/1',
      '25/70',
    ])
    const [up] = kind(all, 'peer_up').filter((row) => row['peer_asn'] === 0)
    expect(up).toMatchObject({ synthetic: 1, reason: '' })
    expect(held(all).filter((row) => row['peer_asn'] === 0)).toHaveLength(local.length)
  })

  test.skipIf(!existsSync(LAB))(
    '6. those with an AS_PATH have it in 2-octet form with the A flag clear: read by what is there (../shared/lab)',
    async () => {
      const imported = routes(await rows('frr-type5', 'tor1', LAB), { peer_asn: 0, evpn_type: 5 })
      expect(distinct(imported.map((row) => String(row['as_path'])))).toEqual([
        '65101',
        '65102',
        '65103',
      ])
      expect(distinct(imported.map((row) => String(row['decode_errors'])))).toEqual([
        'as_path: AS numbers of 2 octets, not as the per-peer header said (RFC 7854 section 4.2)',
      ])
    },
  )

  test('7. Peer Downs of peers that are not up count no outage, whatever their header leaves out', async () => {
    // node2 is killed, and tor1 tries to reach it every second.
    const downs = kind(await rows('node-down', 'tor1'), 'peer_down')
    expect(downs.length).toBeGreaterThan(4)
    expect(downs.map((row) => row['counted'])).toEqual([1, ...downs.slice(1).map(() => 0)])
    expect(distinct(downs.map((row) => row['peer_key']))).toHaveLength(1)
    expect(downs.slice(1).flatMap((row) => row['effects'])).toEqual([])
    // A router that begins: headers of zeros, or without AS and BGP identifier.
    const all = await rows('tor-down', 'tor2')
    const early = kind(all, 'peer_down').filter((row) => row['peer_asn'] === 0)
    expect(early.length).toBeGreaterThan(2)
    expect(distinct(early.map((row) => row['counted']))).toEqual([0])
    // Its own routes have the header of zeros; the BMP session before had announced them.
    const zeros = early.filter((row) => row['peer_addr'] === '0.0.0.0')
    expect(zeros.length).toBeGreaterThan(0)
    expect(zeros.flatMap((row) => row['effects'])).toEqual([])
  })

  test('8. reason 4 where the peer closed; reason 2 without an event is all that is said of hold timers and of failed attempts', async () => {
    const [first, ...rest] = kind(await rows('node-down', 'tor1'), 'peer_down')
    expect(first).toMatchObject({ reason: 'remote-closed', reason_code: 4, notification_code: 0 })
    for (const row of rest) {
      expect(row).toMatchObject({ reason: 'local-fsm-event', reason_code: 2, fsm_event: 0 })
    }
    // Hold timer expired: no NOTIFICATION is shown, so it is a hard end even between peers that would keep routes.
    const s = new TestSession().at(0, peerUp(A), announce(A, '10.0.0.0/24'))
    const [down] = s.at(9, peerDown(A, 2, be(0, 2))).kind('peer_down')
    expect(down).toMatchObject({
      counted: 1,
      effects: [{ effect: 'sweep', before_seq: down!.seq }],
    })
  })

  test('9. timestamps have the same microseconds in every message, and go back: the order is that of arrival', async () => {
    const all = await rows('node-down', 'tor1')
    const stamped = routes(all).filter((row) => row['bmp_ts'] !== null)
    // The per-peer header has them in steps of a second; rounding makes two values of one at most.
    expect(new Set(stamped.map((row) => String(row['bmp_ts']).slice(20))).size).toBeLessThan(3)
    const inOrder = [...stamped].sort((a, b) => a.seq - b.seq)
    const backwards = inOrder.filter(
      (row, i) => i > 0 && us(row, 'bmp_ts') < us(inOrder[i - 1]!, 'bmp_ts'),
    )
    expect(backwards.length).toBeGreaterThan(0)
    const received = inOrder.filter((row, i) => i > 0 && row.rx_ts < inOrder[i - 1]!.rx_ts)
    expect(received).toEqual([])
    // Zero is unknown: End-of-RIB.
    expect(distinct(kind(all, 'eor').map((row) => row['bmp_ts']))).toEqual([null])
  })

  test('10. tables are sent, and sent again: duplicates change nothing, post-policy comes first of a pair', async () => {
    const events = history(await rows('bmp-reconnect', 'tor2'))
    expect(events.filter((event) => event.class === 'AADUP').length).toBeGreaterThan(20)
    // node1 withdraws a VIP once in this recording: nothing else ever goes.
    expect(
      distinct(events.filter((event) => event.class === 'AW').map(({ row }) => row['nlri'])),
    ).toEqual(['10.10.21.67/32'])
    // A VIP that flaps: each change in post-policy, then in pre-policy, in one go.
    const flap = routes(await rows('vip-flap', 'tor4'), {
      action: 'withdraw',
      nlri: '10.10.21.66/32',
    })
    const pairs = flap.filter((row) => row['peer_asn'] === 65103).map((row) => row['rib'])
    expect(pairs.length).toBeGreaterThan(3)
    expect(pairs).toEqual(pairs.map((_, i) => (i % 2 === 0 ? 'adj_in_post' : 'adj_in_pre')))
  })

  test('11. End-of-RIB for each peer, family and view, after its table: it ends the dump', async () => {
    const all = await rows('bmp-reconnect', 'tor2')
    const eor = kind(all, 'eor')
    const views = eor.map((row) => [row['peer_key'], row['rib'], row['afi'], row['safi']].join(' '))
    expect(new Set(views).size).toBe(views.length)
    expect(distinct(eor.map((row) => `${String(row['rib'])} ${Number(row['afi'])}`))).toEqual([
      'adj_in_post 1',
      'adj_in_post 2',
      'adj_in_post 25',
      'adj_in_pre 1',
      'adj_in_pre 2',
      'adj_in_pre 25',
    ])
    const done = kind(all, 'dump_done').filter((row) => row['afi'] !== 0 && row['reason'] === 'eor')
    expect(done.map((row) => row['peer_key']).sort()).toEqual(
      eor.map((row) => row['peer_key']).sort(),
    )
  })

  test.skipIf(!existsSync(LAB))(
    '11. when BMP was up before BGP it may not come at all: quiet ends the dump (../shared/lab)',
    async () => {
      const all = await rows('cold-start', 'spine1', LAB)
      expect(kind(all, 'eor')).toEqual([])
      expect(distinct(kind(all, 'dump_done').map((row) => row['reason']))).toEqual(['quiet'])
      expect(kind(all, 'dump_done').filter((row) => row['peer_key'] === '0')).toHaveLength(1)
    },
  )

  test("12. Peer Up ends with the neighbour's description; both ports are real, both OPENs whole", async () => {
    const all = await rows('steady', 'tor1')
    const ups = kind(all, 'peer_up').filter((row) => row['synthetic'] === 0)
    expect(distinct(ups.map((row) => row['text']))).toEqual(['node1', 'node2', 'spine1', 'spine2'])
    for (const row of ups) {
      expect([row['local_port'], row['remote_port']]).toContain(179)
      expect(row['local_asn']).toBe(4200001001)
      const names = (column: string): string[] => row[column] as string[]
      expect(names('sent_capabilities')).toContain('as4 4200001001')
      expect(names('received_capabilities').length).toBeGreaterThan(5)
    }
    expect(errors(all)).toEqual([])
  })

  test('12. added to a router whose sessions are up: a received OPEN of a header alone is not kept, no error', async () => {
    const all = await rows('bmp-configured', 'tor1')
    const missing = kind(all, 'peer_up').filter((row) => row['reason'] === 'open-missing')
    expect(missing).toHaveLength(3)
    for (const row of missing) {
      expect(row).toMatchObject({ synthetic: 0, received_capabilities: [], local_asn: 4200001001 })
    }
    expect(errors(all)).toEqual([])
    // What they announce is read and kept as any other's, the own AS in front included.
    const of = routes(all, { ...UNICAST, rib: 'adj_in_pre', peer_asn: 65101 })
    expect(distinct(of.map((row) => row['own_as_prepended']))).toEqual([1])
    expect(held(all).length).toBeGreaterThan(100)
  })

  test('13. statistics of type 65531, of the experimental range, are kept', async () => {
    const all = await rows('node-down', 'tor1')
    const stats = all.filter((row) => row.table === 'stats')
    expect(stats.filter((row) => row['stat_type'] === 65531).length).toBeGreaterThan(0)
    expect(errors(all)).toEqual([])
  })

  test("14. a spine's post-policy lacks what came back with its own AS: a loop, no policy", async () => {
    const state = held(await rows('steady', 'spine1'))
    const of = (rib: string): Row[] => state.filter((row) => matches(row, { ...UNICAST, rib }))
    const post = new Set(
      of('adj_in_post').map((row) => `${String(row['peer_key'])} ${String(row['nlri'])}`),
    )
    const lacking = of('adj_in_pre').filter(
      (row) => !post.has(`${String(row['peer_key'])} ${String(row['nlri'])}`),
    )
    expect(lacking.length).toBeGreaterThan(3)
    for (const row of lacking) {
      const path = row['as_path'] as number[]
      // 65000 once in front as its own, and once more where it came from.
      expect(path.filter((asn) => asn === 65000)).toHaveLength(2)
    }
  })

  test('15. Initiation with the hostname; no Termination: TCP just ends', async () => {
    const all = await rows('tor-down', 'tor2')
    expect(distinct(all.map((row) => row.router))).toEqual(['q/tor2'])
    expect(kind(all, 'initiation').map((row) => row['text'])).toEqual([
      'FRRouting 8.4.4',
      'FRRouting 8.4.4',
    ])
    expect(kind(all, 'termination')).toEqual([])
    expect(kind(all, 'bmp_down').map((row) => row['reason'])).toEqual(['fin'])
  })

  test('16. capability 64 without a family and 71 with stale times of 0 keep nothing', async () => {
    const all = await rows('node-down', 'tor1')
    const [up] = kind(all, 'peer_up').filter((row) => row['peer_asn'] === 65102)
    for (const column of ['sent_capabilities', 'received_capabilities']) {
      const texts = up![column] as string[]
      expect(texts.find((text) => text.startsWith('graceful-restart'))).toMatch(
        /^graceful-restart 120s( R)?( N)?$/,
      )
      expect(texts.find((text) => text.startsWith('llgr'))).toMatch(/^llgr ipv4-unicast\/0s/)
    }
    const [down] = kind(all, 'peer_down')
    expect(down!['effects']).toEqual([
      { effect: 'sweep', rib: 'any', afi: 0, safi: 0, before_seq: down!.seq, cause: 'peer_down' },
    ])
    expect(kind(all, 'gr_expired')).toEqual([])
    const gone = history(all).filter((event) => event.by.seq === down!.seq)
    expect(gone.length).toBeGreaterThan(5)
    expect(distinct(gone.map((event) => `${event.class} ${event.cause}`))).toEqual(['AW peer_down'])
  })
})

describe('GoBGP 3.10', () => {
  test('1. Loc-RIB without Peer Up: a lazy peer with its own AS and identifier', async () => {
    const all = await rows('steady', 'rr1')
    const [up] = kind(all, 'peer_up').filter((row) => row['rib'] === 'loc_rib')
    expect(up).toMatchObject({
      ...{ synthetic: 1, peer_type: 3, peer_addr: '0.0.0.0', peer_asn: 65000 },
      ...{ peer_bgp_id: '10.1.0.1', vrf: '' },
    })
    expect(routes(all, { rib: 'loc_rib' }).length).toBeGreaterThan(10)
    expect(held(all).filter((row) => row['rib'] === 'loc_rib').length).toBeGreaterThan(10)
  })

  test('2. whole seconds; a Loc-RIB withdrawal has the time at which the route was learnt', async () => {
    const all = await rows('vm-move', 'rr1')
    expect(distinct(routes(all).map((row) => String(row['bmp_ts']).slice(20)))).toEqual(['000000'])
    const leaves = routes(all, { rib: 'loc_rib', action: 'withdraw' })
    expect(leaves.length).toBeGreaterThan(3)
    const said = routes(all, { rib: 'loc_rib', action: 'announce' })
    for (const row of leaves) {
      const learnt = said
        .filter((each) => each['nlri'] === row['nlri'] && each.seq < row.seq)
        .at(-1)
      expect(row['bmp_ts']).toBe(learnt!['bmp_ts'])
      expect(us(row, 'rx_ts')).toBeGreaterThan(us(learnt!, 'rx_ts'))
    }
    // In order of arrival they are gone.
    const state = held(all).filter((row) => row['rib'] === 'loc_rib')
    const last = leaves.at(-1)!
    expect(state.map((row) => row['nlri'])).not.toContain(last['nlri'])
  })

  test('3. the first move of a MAC has sequence 0, the second 1', async () => {
    const moves = routes(await rows('vm-move', 'rr1'), { rib: 'adj_in_pre', action: 'announce' })
      .filter((row) => String(row['nlri']).includes('02:aa:00:00:00:01'))
      .map((row) => [row['next_hop'], row['mm_seq']])
    expect(moves).toEqual([
      ['10.1.1.1', null],
      ['10.1.1.2', 0],
      ['10.1.1.3', 1],
    ])
  })

  test('4. no End-of-RIB in a session that was up before BGP: quiet ends the dump', async () => {
    const all = await rows('steady', 'rr1')
    expect(kind(all, 'eor')).toEqual([])
    expect(distinct(kind(all, 'dump_done').map((row) => row['reason']))).toEqual(['quiet'])
  })

  test("4. on a later one they come, post-policy's with the A flag set", () => {
    const s = new TestSession().at(
      ...([0, initiation('rr1'), peerUp(A), announce(A, '10.0.0.0/24'), endOfRib(A)] as const),
      endOfRib({ ...A, flags: 0x60 }),
    )
    expect(s.kind('eor').map((row) => row['rib'])).toEqual(['adj_in_pre', 'adj_in_post'])
    expect(s.kind('dump_done').map((row) => row['rib'])).toEqual(['adj_in_pre', 'adj_in_post'])
  })

  test.skipIf(!existsSync(LAB))('4. as in ../shared/lab', async () => {
    const all = await rows('bmp-reconnect', 'rr1', LAB)
    const eor = kind(all, 'eor')
    expect(distinct(eor.map((row) => row['rib']))).toEqual(['adj_in_post', 'adj_in_pre'])
    expect(distinct(eor.map((row) => row.bmp_session))).toEqual([all.at(-1)!.bmp_session])
  })

  test('5. one route a message; labels are VNIs of 24 bits, not shifted', async () => {
    const all = await rows('steady', 'rr1')
    const type2 = routes(all, { evpn_type: 2 })
    expect(type2.length).toBeGreaterThan(5)
    for (const row of type2) {
      const [first, second] = row['labels'] as number[]
      expect(row).toMatchObject({ vni: first, vni2: second ?? 0 })
      expect(first).toBe(10100)
      expect([undefined, 50001]).toContain(second)
    }
    expect(distinct(routes(all, { evpn_type: 5 }).map((row) => row['vni']))).toEqual([50001])
  })

  test('6. ORIGINATOR_ID comes and goes with the reflector: next hop and distinguisher tell who announces, the way is the same', () => {
    const from = (originator: readonly number[]): number[] =>
      routeMonitoring(
        { ...A, asn: 64500 },
        update({
          attributes: [...origin(), ...asPath(), ...nextHop('192.0.2.77'), ...originator],
          nlri: prefix('10.0.0.0/24'),
        }),
      )
    const s = new TestSession().at(0, from(attribute(0x80, 9, ip('192.0.2.77'))), from([]))
    const [one, two] = s.rows('route_events')
    expect([one!['originator_id'], two!['originator_id']]).toEqual(['192.0.2.77', ''])
    expect(two!['fwd_hash']).toBe(one!['fwd_hash'])
    expect(two!['next_hop']).toBe('192.0.2.77')
  })

  test('7. Peer Down: reason 4 without data at a kill; 1 and 3 with the whole NOTIFICATION', () => {
    const s = new TestSession()
      .at(0, peerUp(A))
      .at(1, peerDown(A, 4))
      .at(2, peerUp(A, { ports: [179, 2] }))
      .at(3, peerDown(A, 3, notification(6, 2, [4, 0x62, 0x79, 0x65, 0x21])))
      .at(4, peerUp(A, { ports: [179, 3] }))
      .at(5, peerDown(A, 1, notification(6, 4)))
    expect(s.kind('peer_down')).toMatchObject([
      { counted: 1, reason: 'remote-closed', notification_code: 0 },
      { counted: 1, notification_code: 6, notification_subcode: 2, text: 'bye!' },
      { counted: 1, reason: 'local-notification', notification_subcode: 4 },
    ])
    expect(s.rows('route_errors')).toEqual([])
  })

  test('8. statistics 7 and 8 of eight octets, 11 and 12 of four', async () => {
    const all = await rows('steady', 'rr1')
    const stats = all.filter((row) => row.table === 'stats')
    expect(distinct(stats.map((row) => Number(row['stat_type'])))).toEqual([11, 12, 7, 8])
    const [routesIn] = stats.filter((row) => row['stat_type'] === 7)
    expect(routesIn).toMatchObject({ value: '3' })
    expect(errors(all)).toEqual([])
  })

  test('9. sysName before sysDescr; AS_PATH of internal peers is empty', async () => {
    const all = await rows('steady', 'rr1')
    expect(kind(all, 'initiation').map((row) => row['text'])).toEqual(['GoBGP rr'])
    expect(distinct(routes(all).map((row) => String(row['as_path'])))).toEqual([''])
    expect(errors(all)).toEqual([])
  })

  // 10 is a habit of `gobgp mrt inject` and of its API socket: nothing of it is BMP.

  test.skipIf(!existsSync(LAB))(
    '11. mirrored messages are no routes (../shared/lab: FRR does, GoBGP mirrors nothing)',
    async () => {
      const all = await rows('bmp-kinds', 'tor1', LAB)
      // 42 of them, KEEPALIVEs mostly; routes are what Route Monitoring said.
      expect(errors(all)).toEqual([])
      const plain = await rows('steady', 'tor1', LAB)
      const keys = (list: readonly Row[]): unknown[] =>
        distinct(held(list).map((row) => `${String(row['rib'])} ${Number(row['afi'])}`))
      expect(keys(all)).toEqual(keys(plain))
    },
  )

  test('11. "messages lost" is said', () => {
    const s = new TestSession().at(0, message(6, [...peerHeader(A), 0, 1, 0, 2, 0, 1]))
    expect(s.rows('route_events')).toEqual([])
    expect(s.rows('route_errors')).toMatchObject([{ text: 'the router says messages_lost (1)' }])
  })

  test('12. a MAC that moves is there twice until the old leaf withdraws it', async () => {
    const all = await rows('vm-move', 'rr1')
    const ofMac = (row: Row): boolean => String(row['nlri']).includes('02:aa:00:00:00:01')
    const said = routes(all, { rib: 'loc_rib', action: 'announce' }).filter(ofMac)
    expect(said).toHaveLength(3)
    for (const row of said.slice(1)) {
      const then = held(
        all.filter((each) => each.bmp_session < row.bmp_session || each.seq <= row.seq),
      )
      const both = then.filter((each) => each['rib'] === 'loc_rib' && ofMac(each))
      expect(new Set(both.map((each) => each['rd'])).size).toBe(2)
    }
    expect(held(all).filter((row) => row['rib'] === 'loc_rib' && ofMac(row))).toHaveLength(1)
  })
})

describe('FRR in general', () => {
  const withPaths = { sent: [family(1, 1), addPath(1, 1, 3)] }

  test('Loc-RIB shows the selected path alone: rows say whether it could have shown more', () => {
    const locRib: HandPeer = { type: 3, address: '0.0.0.0', asn: 64500, id: '192.0.2.254' }
    const said = (up: object, nlri: readonly number[]): unknown =>
      new TestSession()
        .at(
          0,
          peerUp(locRib, { ports: [0, 0], ...up }),
          routeMonitoring(
            locRib,
            update({ attributes: [...origin(), ...asPath(), ...nextHop('192.0.2.1')], nlri }),
          ),
        )
        .rows('route_events')[0]!['loc_rib_addpath']
    expect(said({}, prefix('10.0.0.0/24'))).toBe(0)
    expect(said(withPaths, [...be(1, 4), ...prefix('10.0.0.0/24')])).toBe(1)
  })

  test('with ADD-PATH agreed the path identifier is left out all the same: one prefix a message, which can be nothing else', () => {
    const nlri = ['10.1.2.0/24', '203.0.113.66/32', '10.0.0.0/8', '0.0.0.0/0']
    const s = new TestSession().at(
      0,
      peerUp(A, withPaths),
      ...nlri.map((each) => announce(A, each)),
    )
    const v6 = [...be(2, 2), 1, 16, ...ip('2001:db8::1'), 0, 128, ...ip('2001:db8:21::66')]
    const both = { sent: [...withPaths.sent, family(2, 1), addPath(2, 1, 3)] }
    s.at(
      ...([1, peerUp(A, { ...both, ports: [179, 2] })] as const),
      routeMonitoring(
        A,
        update({ attributes: [...origin(), ...asPath(64501), ...attribute(0x80, 14, v6)] }),
      ),
    )
    expect(s.rows('route_events').map((row) => [row['nlri'], row['path_id']])).toEqual([
      ...nlri.map((each) => [each, 0]),
      ['2001:db8:21::66/128', 0],
    ])
    expect(s.rows('route_errors')).toEqual([])
  })

  test('ADD-PATH, the few prefixes that could be misread: a few of the others show what the router does', () => {
    // 25 bits and 203.0.113.0 are also path identifier 0x19cb0071 and the default route.
    const either = '203.0.113.0/25'
    const s = new TestSession().at(
      ...([0, peerUp(A, withPaths)] as const),
      ...['10.1.0.0/24', '10.2.0.0/24', '10.3.0.0/24', either].map((each) => announce(A, each)),
    )
    const [, , , last] = s.rows('route_events')
    expect(last).toMatchObject({
      nlri: either,
      path_id: 0,
      decode_errors: [
        'nlri: path identifiers not as the session said, read the way that fits (RFC 7911 section 3)',
      ],
    })
    // Whoever sends them is believed: one field without, for whatever reason, is no habit.
    const honest = new TestSession().at(0, peerUp(A, withPaths))
    const nlri = [...be(1, 4), ...prefix('10.1.2.0/24')]
    const attributes = [...origin(), ...asPath(64501), ...nextHop('192.0.2.1')]
    for (let i = 0; i < 6; i++) {
      honest.at(
        1,
        i % 3 === 1 ? announce(A, '10.9.0.0/24') : routeMonitoring(A, update({ attributes, nlri })),
      )
    }
    expect(honest.rows('route_events').map((row) => row['path_id'])).toEqual([1, 0, 1, 1, 0, 1])
    // The next session has OPENs of its own.
    s.at(
      1,
      peerUp(A, { ...withPaths, ports: [179, 2] }),
      routeMonitoring(A, update({ attributes, nlri })),
    )
    expect(s.rows('route_events').at(-1)).toMatchObject({ nlri: '10.1.2.0/24', path_id: 1 })
  })

  test('a link of an unnumbered session goes down: 0.0.0.0 without V flag, then BGP identifier 0: one outage', () => {
    const peer: HandPeer = { address: 'fe80::1', asn: 64501, id: '192.0.2.1' }
    const s = new TestSession()
      .at(0, initiation('tor1'), peerUp(peer), announce(peer, '10.0.0.0/24'))
      .at(1, peerDown({ ...peer, address: '0.0.0.0' }, 2, be(0, 2)))
      .at(2, peerDown({ ...peer, id: '0.0.0.0' }, 2, be(0, 2)))
      .at(3, peerUp(peer, { ports: [179, 2] }))
    expect(s.kind('peer_down').map((row) => row['counted'])).toEqual([1, 0])
    expect(
      new Set([...s.kind('peer_down'), ...s.kind('peer_up')].map((row) => row['peer_key'])).size,
    ).toBe(1)
    expect(s.kind('peer_up').map((row) => row['peer_epoch'])).toEqual([1, 2])
    expect(s.session.peers).toBe(1)
  })

  test('`redistribute connected` beside `network`: ORIGIN changes two seconds later, the way does not', () => {
    const said = (value: number): number[] =>
      routeMonitoring(
        A,
        update({
          attributes: [...origin(value), ...asPath(64501), ...nextHop('192.0.2.1')],
          nlri: prefix('203.0.113.66/32'),
        }),
      )
    const s = new TestSession().at(0, peerUp(A), said(2)).at(2, said(0))
    const all = s.rows() as unknown as Row[]
    expect(routes(all).map((row) => row['origin'])).toEqual(['incomplete', 'igp'])
    expect(history(all).map((event) => event.class)).toEqual(['NEW', 'AAATTR'])
  })

  test('updates are state-compressed: an announcement stands for all before it, and nothing else is concluded', () => {
    const s = new TestSession()
      .at(0, peerUp(A), announce(A, '10.0.0.0/24'))
      .at(1, announce(A, '10.0.0.0/24'))
    const all = s.rows() as unknown as Row[]
    expect(history(all).map((event) => event.class)).toEqual(['NEW', 'AADUP'])
  })

  test.skipIf(!existsSync(VECTORS))(
    '6WIND 8.0.1: Loc-RIB without Peer Up, a 2-octet AS_PATH although 4 were agreed (../shared/vectors)',
    () => {
      for (const file of ['pmacct/205-frr-peer-down.bmp', 'pmacct/206-frr-ha.bmp']) {
        const all = vector(file)
        expect(errors(all)).toEqual([])
        const locRib = routes(all, { rib: 'loc_rib' })
        expect(locRib.length).toBeGreaterThan(40)
        const wide = routes(all).flatMap((row) => row['as_path'] as number[])
        // Read four octets at a time where there are two, AS numbers would come out beyond what is assigned.
        expect(wide.filter((asn) => asn > 4_294_901_760)).toEqual([])
        expect(wide.length).toBeGreaterThan(10)
        expect(kind(all, 'peer_up').filter((row) => row['rib'] === 'loc_rib')).toMatchObject([
          { synthetic: 1 },
        ])
      }
    },
  )
})

describe.skipIf(!existsSync(VECTORS))('other vendors (../shared/vectors)', () => {
  test('Huawei: several Peer Ups for one peer, one a family: capabilities add up, one epoch', () => {
    const all = vector('pmacct/200-huawei-locrib.bmp')
    expect(errors(all)).toEqual([])
    const ups = kind(all, 'peer_up')
    expect(ups.filter((row) => row['reason'] === 'more-capabilities').length).toBeGreaterThan(10)
    expect(distinct(ups.map((row) => row['peer_epoch']))).toEqual([1])
    expect(ups.flatMap((row) => row['effects'])).toEqual([])
    const locRib = ups.filter((row) => row['peer_type'] === 3)
    expect(distinct(locRib.map((row) => row['peer_rd']))).toEqual([
      '64499:11',
      '64499:41',
      '64499:71',
    ])
  })

  test('Huawei: ADD-PATH on labelled unicast that it never announced, and TLVs behind the PDU: every route is read', () => {
    const all = vector('pmacct/200-huawei-locrib.bmp')
    const labelled = routes(all).filter((row) => row['safi'] === 4)
    expect(labelled).toHaveLength(11)
    for (const row of labelled) {
      expect(String(row['prefix'])).toMatch(/^\d+\.\d+\.\d+\.\d+\/\d+$|^[0-9a-f:]+\/\d+$/)
      expect((row['labels'] as number[]).length).toBeGreaterThan(0)
    }
  })

  test('Huawei: flags 00 00 40 40 for one session of a VRF; Adj-RIB-Out ones without the O flag', () => {
    const all = vector('pmacct/208-peer-up.s2.bmp')
    const byPeer = new Map<unknown, Row[]>()
    for (const row of kind(all, 'peer_up')) {
      byPeer.set(row['peer_key'], [...(byPeer.get(row['peer_key']) ?? []), row])
    }
    expect(byPeer.size).toBeGreaterThan(20)
    for (const ups of byPeer.values()) {
      expect(ups.map((row) => row['rib'])).toEqual([
        'adj_in_pre',
        'adj_in_pre',
        'adj_in_post',
        'adj_in_post',
      ])
      expect(distinct(ups.map((row) => row['peer_epoch']))).toEqual([1])
    }
  })

  test('IOS-XR: peers of a VRF by distinguisher, Loc-RIBs by name; VPNv4 with IPv6 next hops (RFC 8950)', () => {
    const all = vector('pmacct/403-cisco-locrib-vrf-down.bmp')
    expect(errors(all)).toEqual([])
    const instances = kind(all, 'peer_up').filter((row) => row['peer_type'] === 1)
    expect(instances.length).toBeGreaterThan(1)
    expect(instances.every((row) => row['peer_rd'] !== '')).toBe(true)
    const names = distinct(kind(all, 'peer_up').map((row) => row['vrf']))
    expect(names).toEqual(expect.arrayContaining(['', 'A2', 'global']))
    const overV6 = routes(all, { afi: 1, safi: 128 }).filter((row) =>
      String(row['next_hop']).includes(':'),
    )
    expect(overV6.length).toBeGreaterThan(20)
    // A Loc-RIB goes down like any peer (RFC 9069 section 5.3), and what it had goes with it.
    const downs = kind(all, 'peer_down').filter((row) => row['peer_type'] === 3)
    expect(downs.length).toBeGreaterThan(0)
    expect(distinct(downs.map((row) => row['reason_code']))).toEqual([6])
    for (const down of downs.filter((row) => row['counted'] === 1)) {
      expect(down['effects']).toMatchObject([{ effect: 'sweep', before_seq: down.seq }])
    }
  })

  test('BMP version 4 drafts: routes are read, what their TLVs say is not guessed at', () => {
    const all = vector('netgauze/path-status.bmp')
    expect(errors(all)).toEqual([])
    expect(routes(all)).toHaveLength(3)
    expect(held(all)).toHaveLength(3)
    const paths = vector('netgauze/stateless-with-add-path.bmp')
    expect(errors(paths)).toEqual([])
    expect(distinct(routes(paths).map((row) => row['rib']))).toEqual([
      ...['adj_in_post', 'adj_in_pre', 'adj_out_post', 'adj_out_pre', 'loc_rib'],
    ])
  })

  // SONiC streams to 127.0.0.1:5000 alone, IPv4 and IPv6 unicast pre-policy: nothing of it is in the octets.
})
