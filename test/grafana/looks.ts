/** What is to be seen after which recording, by dashboard and name of panel, variable or annotation. */
import { expect } from 'vitest'
import type { Row } from './filled.ts'

type Look = (rows: readonly Row[]) => void

const VIP = '10.10.21.66/32'
const ROUTERS = ['spine1', 'spine2', 'tor1', 'tor2', 'tor3', 'tor4']

const column = (rows: readonly Row[], name: string): unknown[] => rows.map((row) => row[name])
const sum = (rows: readonly Row[], name: string): number =>
  column(rows, name).reduce<number>((total, value) => total + Number(value), 0)
const distinct = (rows: readonly Row[], name: string): unknown[] =>
  [...new Set(column(rows, name))].sort()

export const LOOKS: Readonly<Record<string, Readonly<Record<string, Look>>>> = {
  // node3 withdraws and announces 10.10.21.66/32 four times, a second apart.
  'vip-flap': {
    'fabric: router': (rows) => {
      expect(column(rows, 'value')).toEqual(ROUTERS)
    },
    'fabric: vip': (rows) => {
      expect(column(rows, 'vip')).toEqual([VIP, '10.10.21.67/32', '2001:db8:21::66/128'])
    },
    'vip: vip': (rows) => {
      expect(rows).toHaveLength(3)
    },
    'vip: router': (rows) => {
      expect(column(rows, 'text')).toEqual(['tor1', 'tor2', 'tor3', 'tor4'])
    },
    'fabric: Findings: critical and major': (rows) => {
      expect(rows).toEqual([])
    },
    'fabric: Findings: minor': (rows) => {
      expect(rows).toHaveLength(1)
      expect(rows[0]).toMatchObject({ title: 'VIP_FLAP minor', tags: 'VIP_FLAP,minor,open' })
      expect(String(rows[0]?.['text'])).toMatch(/^VIP 10\.10\.21\.66\/32 .* from node3/)
      expect(String(rows[0]?.['timeEnd']) > String(rows[0]?.['time'])).toBe(true)
    },
    'vip: Findings of this VIP': (rows) => {
      expect(column(rows, 'title')).toEqual(['VIP_FLAP minor'])
    },
    'fabric: Open findings': (rows) => {
      expect(rows[0]).toEqual({ critical: 0, major: 0, minor: 1, info: 0 })
    },
    'fabric: VIPs': (rows) => {
      expect(rows[0]).toEqual({ nobody: 0, degraded: 0, whole: 3 })
    },
    'fabric: BMP feeds lost': (rows) => {
      expect(rows[0]).toEqual({ lost: 0 })
    },
    'fabric: BGP sessions down': (rows) => {
      expect(rows[0]).toEqual({ down: 0 })
    },
    'fabric: Undecodable': (rows) => {
      expect(rows[0]).toEqual({ errors: 0 })
    },
    'fabric: Open now': (rows) => {
      expect(rows).toHaveLength(1)
      expect(rows[0]).toMatchObject({
        severity: 'minor',
        kind: 'VIP_FLAP',
        vip: VIP,
        at: 'node3',
      })
    },
    'fabric: Incidents': (rows) => {
      expect(rows).toHaveLength(1)
      expect(rows[0]).toMatchObject({
        cause: 'SERVICE_ENDPOINT_ON_NODE',
        what: 'node node3',
        findings: 1,
      })
    },
    'fabric: Route changes by router': (rows) => {
      expect(distinct(rows, 'router')).toEqual(ROUTERS)
      const at = (name: string): number =>
        sum(
          rows.filter(({ router }) => router === name),
          'changes',
        )
      expect(at('tor3')).toBeGreaterThan(at('tor1'))
    },
    // Four withdrawals at each of two ToRs.
    'fabric: Announced and withdrawn': (rows) => {
      expect(sum(rows, 'withdrawn')).toBeCloseTo(8)
    },
    'fabric: Prefixes that move most': (rows) => {
      expect(rows[0]).toEqual({ prefix: VIP, changes: 42, withdrawn: 8, vip: VIP })
    },
    'fabric: BMP sessions': (rows) => {
      expect(column(rows, 'router')).toEqual(ROUTERS)
      expect(distinct(rows, 'up')).toEqual([1])
    },
    'fabric: Routers': (rows) => {
      expect(distinct(rows, 'router')).toEqual(ROUTERS)
      expect(distinct(rows, 'bmp')).toEqual([1])
      for (const { trust } of rows) expect(Number(trust)).toBeGreaterThanOrEqual(80)
      expect(rows.find(({ router }) => router === 'tor3')).toMatchObject({
        first_table: 'complete',
        sessions: 1,
        router_id: 'tor3',
        description: 'FRRouting 8.4.4',
        address: '10.213.133.13',
      })
    },
    'fabric: Routes held': (rows) => {
      expect(distinct(rows, 'router')).toEqual(ROUTERS)
      for (const { routes } of rows) expect(Number(routes)).toBeGreaterThan(90)
    },
    'fabric: BGP sessions that came and went': (rows) => {
      expect(sum(rows, 'up')).toBe(24)
    },
    'fabric: Changes of BGP sessions': (rows) => {
      expect(rows).toHaveLength(24)
      expect(distinct(rows, 'state')).toEqual([1])
    },
    'vip: Links up': (rows) => {
      expect(rows[0]).toEqual({ up: 8, down: 0 })
    },
    'vip: Nodes that announce it': (rows) => {
      expect(rows[0]).toEqual({ nodes: 4 })
    },
    'vip: Open findings': (rows) => {
      expect(rows[0]).toEqual({ open: 1 })
    },
    'vip: Flaps': (rows) => {
      expect(rows[0]).toEqual({ flaps: 4 })
    },
    'vip: Outages in range': (rows) => {
      expect(rows[0]).toEqual({ outages: 0 })
    },
    'vip: Without anybody': (rows) => {
      expect(rows[0]).toEqual({ seconds: 0 })
    },
    'vip: Who announces it': (rows) => {
      expect(distinct(rows, 'link')).toHaveLength(8)
      const states = column(
        rows.filter(({ link }) => link === 'node3 at tor3'),
        'up',
      )
      expect(states).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1])
      expect(
        column(
          rows.filter(({ link }) => link === 'node1 at tor1'),
          'up',
        ),
      ).toEqual([1])
    },
    'vip: Links now': (rows) => {
      expect(rows).toHaveLength(8)
      expect(rows[0]).toMatchObject({
        node: 'node3',
        tor: 'tor3',
        state: 1,
        downs: 4,
        vrf: 'default',
      })
    },
    'vip: Links over time': (rows) => {
      expect(column(rows, 'links').slice(0, 6)).toEqual([2, 4, 6, 8, 7, 6])
      expect(Math.min(...column(rows.slice(4), 'links').map(Number))).toBe(6)
      expect(rows.at(-1)).toMatchObject({ links: 8 })
    },
    'vip: Penalty': (rows) => {
      expect(distinct(rows, 'node')).toEqual(['node3'])
      const values = column(rows, 'penalty').map(Number)
      // Four withdrawals of 1000, half forgotten every 300 s.
      expect(values[0]).toBe(0)
      expect(Math.max(...values)).toBeGreaterThan(3900)
      expect(Math.max(...values)).toBeLessThan(4000)
      expect(values.at(-1)).toBeLessThan(3500)
    },
    'vip: Shares by ingress': (rows) => {
      const at = (name: string): Row[] => rows.filter(({ ingress }) => ingress === name)
      expect(column(at('spine1'), 'share')).toEqual([0.25, 0.25, 0.25, 0.25])
      expect(at('tor1')).toEqual([
        { ingress: 'tor1', node: 'node1', share: 0.5 },
        { ingress: 'tor1', node: 'node2', share: 0.5 },
      ])
    },
    'vip: Paths': (rows) => {
      expect(rows).toHaveLength(22)
      expect(
        rows.filter(({ router }) => router === 'tor1').map(({ via, verdict }) => [via, verdict]),
      ).toEqual([
        ['node1', 'used'],
        ['node2', 'used'],
        ['spine1', 'AS_PATH_LEN'],
        ['spine2', 'AS_PATH_LEN'],
      ])
    },
    'vip: Transitions': (rows) => {
      expect(rows.filter(({ change }) => change === 0)).toHaveLength(8)
      expect(rows[0]).toMatchObject({
        node: 'node3',
        tor: 'tor3',
        change: 1,
        class: 'WADUP',
        cause: 'update',
      })
    },
    'vip: Findings': (rows) => {
      expect(rows).toHaveLength(1)
      expect(rows[0]).toMatchObject({ kind: 'VIP_FLAP', status: 'open' })
    },
    'vip: Who sees it': (rows) => {
      expect(distinct(rows, 'router')).toEqual(ROUTERS)
      expect(distinct(rows, 'missing')).toEqual([0])
    },
    'vip: Messages': (rows) => {
      expect(
        rows.filter(
          ({ router, rib, class: c }) => router === 'tor3' && rib === 'adj_in_pre' && c === 'AW',
        ),
      ).toHaveLength(4)
    },
  },
  // tor2 dies and comes back: its BMP session ends, both spines and its node lose BGP with it.
  'tor-down': {
    'fabric: BMP sessions': (rows) => {
      expect(
        column(
          rows.filter(({ router }) => router === 'tor2'),
          'up',
        ),
      ).toEqual([1, 0, 1])
      expect(
        column(
          rows.filter(({ router }) => router === 'tor1'),
          'up',
        ),
      ).toEqual([1])
    },
    'fabric: Routers': (rows) => {
      expect(rows[0]).toMatchObject({
        router: 'tor2',
        bmp: 1,
        sessions: 2,
        last_loss: 'fin',
        trust: 60,
      })
      expect(String(rows[0]?.['reasons'])).toContain('P4: post-policy withdrew')
    },
    'fabric: Changes of BGP sessions': (rows) => {
      const lost = rows.filter(({ peer, state }) => peer === 'tor2' && state === 0)
      expect(column(lost, 'router')).toEqual(['spine1', 'spine2'])
      expect(distinct(lost, 'reason')).toEqual(['remote-closed'])
      for (const { lasted } of lost) expect(Number(lasted)).toBeCloseTo(9, 0)
    },
    'fabric: Findings: minor': (rows) => {
      expect(rows.map(({ title, tags }) => [title, tags])).toEqual([
        ['ROUTER_DOWN minor', 'ROUTER_DOWN,minor,resolved'],
      ])
      expect(rows[0]).toMatchObject({
        time: '2026-11-22 00:25:29.258464',
        timeEnd: '2026-11-22 00:25:38.119661',
      })
    },
  },
  // The same, while it is away.
  'tor-down, 8 s': {
    'fabric: BMP feeds lost': (rows) => {
      expect(rows[0]).toEqual({ lost: 1 })
    },
    'fabric: BMP sessions': (rows) => {
      expect(
        column(
          rows.filter(({ router }) => router === 'tor2'),
          'up',
        ),
      ).toEqual([1, 0])
    },
    'fabric: Routers': (rows) => {
      expect(rows[0]).toMatchObject({ router: 'tor2', bmp: 0, last_loss: 'fin' })
    },
    'fabric: BGP sessions down': (rows) => {
      expect(rows[0]).toEqual({ down: 2 })
    },
    'fabric: BGP sessions down now': (rows) => {
      expect(rows.map(({ router, peer, reason }) => [router, peer, reason])).toEqual([
        ['spine1', 'tor2', 'remote-closed'],
        ['spine2', 'tor2', 'remote-closed'],
      ])
    },
    'fabric: Open now': (rows) => {
      expect(rows.find(({ kind }) => kind === 'ROUTER_DOWN')).toMatchObject({
        severity: 'minor',
        at: 'tor2',
      })
    },
    'fabric: Open findings': (rows) => {
      expect(rows[0]).toEqual({ critical: 0, major: 0, minor: 1, info: 3 })
    },
  },
  // node2's bgpd is killed: Peer Down at tor1 and tor2, Peer Up after nine seconds.
  'node-down': {
    'fabric: BGP sessions that came and went': (rows) => {
      expect(sum(rows, 'down')).toBe(2)
    },
    'vip: Transitions': (rows) => {
      expect(
        rows.filter(({ change }) => change === 0).map(({ node, cause }) => [node, cause]),
      ).toEqual([
        ['node2', 'peer_down'],
        ['node2', 'peer_down'],
      ])
    },
    'vip: Who announces it': (rows) => {
      expect(
        column(
          rows.filter(({ link }) => link === 'node2 at tor2'),
          'up',
        ),
      ).toEqual([1, 0, 1])
    },
    'vip: Findings': (rows) => {
      expect(column(rows, 'kind')).toEqual(['NODE_DOWN'])
    },
    'vip: Flaps': (rows) => {
      expect(rows[0]).toEqual({ flaps: 1 })
    },
  },
  // The simulator's v1: from one node only, gone for 5 s four times, on the second ToR 0.8 s later.
  A01: {
    'fabric: Findings: critical and major': (rows) => {
      expect(rows.map(({ title }) => title).sort()).toEqual([
        'VIP_FLAP critical',
        'VIP_OUTAGE critical',
      ])
    },
    'fabric: Open findings': (rows) => {
      expect(rows[0]).toEqual({ critical: 1, major: 0, minor: 0, info: 0 })
    },
    'vip: Outages in range': (rows) => {
      expect(rows[0]).toEqual({ outages: 4 })
    },
    'vip: Without anybody': (rows) => {
      expect(rows[0]?.['seconds']).toBeCloseTo(4 * 4.2, 0)
    },
    'vip: Outages': (rows) => {
      expect(rows).toHaveLength(4)
      for (const { seconds, last_node, last_tor, drained } of rows) {
        expect(Number(seconds)).toBeCloseTo(4.2, 1)
        expect([last_node, last_tor, drained]).toEqual(['n1', 'tor1b', 0])
      }
    },
    'vip: Links over time': (rows) => {
      expect(column(rows, 'links').filter((n) => n === 0)).toHaveLength(4)
    },
  },
}
