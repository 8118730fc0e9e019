/**
 * Real routers: `ribscope up` fed by FRR and GoBGP over TCP, asked over HTTP. What the routers
 * themselves say (vty, gobgp) and what was done to them is the truth.
 *
 * The tests share one fabric and run in this order; each takes only the findings that began in it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { labMissing } from './lab/available.ts'
import { fabricYaml } from './lab/fabric.ts'
import { createLab, type GobgpPath, type Lab, type Part } from './lab/lab.ts'
import { until } from './lab/machine.ts'
import { Ribscope } from './lab/ribscope.ts'
import { play, type PlayOptions, type Truth } from './lab/scenarios.ts'
import { neighbours } from './lab/topology.ts'
import { verdict, type Finding } from './lab/verdict.ts'

const PARTS: readonly Part[] = ['clos', 'evpn']
const missing = labMissing(PARTS)
const suite = `FRR and GoBGP${missing === undefined ? '' : `: ${missing}`}`

/** What is compared of a route of `/api/v1/rib`; columns of `route_events`. */
interface RibRow {
  readonly router: string
  readonly rib: string
  readonly prefix: string
  readonly nlri: string
  readonly peer_addr: string
  readonly peer_bgp_id: string
  readonly as_path: readonly number[]
  readonly own_as_prepended: number
  readonly communities: readonly string[]
  readonly next_hop: string
  readonly rd: string
  readonly mm_seq: number | null
  readonly rts: readonly string[]
}

describe.skipIf(missing !== undefined)(suite, () => {
  let dir = ''
  let lab: Lab
  let ribscope: Ribscope

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'rbs-routers-'))
    lab = await createLab({ parts: PARTS })
    const config = join(dir, 'fabric.yaml')
    writeFileSync(config, fabricYaml(lab))
    ribscope = await Ribscope.up({ host: lab.host, data: join(dir, 'data'), config })
    await lab.start(ribscope.bmp)
    await until('the tables of all routers', tablesThere, 60_000, 500)
  }, 180_000)

  afterAll(async () => {
    // The collector first: the end of the routers is no event of interest.
    const code = await ribscope?.stop()
    await lab?.close()
    if (dir !== '') rmSync(dir, { recursive: true })
    expect(code).toBe(0)
  }, 60_000)

  /** Every router that exports BMP has sent its whole table (`dump_done` of the whole router). */
  async function tablesThere(): Promise<boolean> {
    const done = await ribscope.sql<{ router: string }>(
      "SELECT DISTINCT router FROM session_events WHERE kind = 'dump_done' AND peer_key = 0",
    )
    return done.length === lab.routers.filter((r) => r.bmp).length
  }

  const findings = (): Promise<Finding[]> => ribscope.list<Finding>('/api/v1/findings')

  const rib = (query: Record<string, string>): Promise<RibRow[]> =>
    ribscope.list<RibRow>('/api/v1/rib', query)

  /** Waits until the findings are what the scenario says, then makes sure that they stay so. */
  async function judge(truth: Truth, limitMs: number): Promise<void> {
    let last: string[] = ['not asked yet']
    try {
      await until(
        'the findings to be right',
        async () => {
          last = verdict(truth, await findings())
          return last.length === 0
        },
        limitMs,
        500,
      )
    } catch {
      expect(last, truth.scenario).toEqual([])
    }
    await lab.wait(3)
    expect(verdict(truth, await findings()), truth.scenario).toEqual([])
  }

  /** Plays a scenario, and sees an open finding of that kind while it lasts. */
  async function playSeeing(kind: string, name: string, options: PlayOptions): Promise<Truth> {
    const playing = play(lab, name, options)
    playing.catch(() => undefined) // told below; it may well fail while we still look
    try {
      const limitMs = ((options.seconds ?? 0) + 5) * 1000
      const isOpen = (f: Finding): boolean => f.kind === kind && f.status === 'open'
      await until(`${kind} to open`, async () => (await findings()).some(isOpen), limitMs, 300)
    } finally {
      await playing
    }
    return playing
  }

  function tellOutput(): void {
    onTestFailed(() => console.log(ribscope.output))
  }

  test('steady: nothing to report', async () => {
    tellOutput()
    const truth = await play(lab, 'steady', { idle: 12 })
    // Nothing at all yet: what came while the fabric started counts too.
    expect(verdict({ ...truth, started: 0 }, await findings())).toEqual([])
  })

  describe('/api/v1/rib says what FRR says', () => {
    const vip = '10.10.21.66/32'

    test.each(['tor1', 'tor4', 'spine1', 'spine2'])('%s: paths of a VIP', async (name) => {
      tellOutput()
      const router = lab.router(name)
      const theirs = (await lab.paths(name, vip)).map((path) => ({
        peer_addr: path.peer.peerId,
        peer_bgp_id: path.peer.routerId,
        as_path: path.aspath.string.split(' ').map(Number),
        communities: path.community?.list ?? [],
      }))
      const ours = (await rib({ router: name, rib: 'adj_in_post', prefix: vip })).map((row) => {
        // FRR 8.4 puts its own AS in front of what eBGP peers sent.
        expect(row.own_as_prepended).toBe(1)
        expect(row.as_path[0]).toBe(router.asn)
        const { peer_addr, peer_bgp_id, communities } = row
        return { peer_addr, peer_bgp_id, as_path: row.as_path.slice(1), communities }
      })
      // A spine has a path from each ToR. A ToR has its two nodes', and what a spine prefers only
      // where that does not lead through the ToR itself.
      expect(theirs.length).toBeGreaterThanOrEqual(router.role === 'spine' ? 4 : 2)
      expect(sorted(ours)).toEqual(sorted(theirs))
    })

    test.each(['ipv4', 'ipv6'])('tor1: everything node1 sent, %s', async (family) => {
      tellOutput()
      const peer = 'node1'
      const [text = ''] = await lab.vty(
        'tor1',
        `show bgp ${family} unicast neighbors ${peer} received-routes json`,
      )
      const { receivedRoutes } = JSON.parse(text) as { receivedRoutes: Record<string, unknown> }
      const ours = (await rib({ router: 'tor1', rib: 'adj_in_pre' }))
        .filter((row) => row.peer_bgp_id === lab.router(peer).routerId)
        .map((row) => row.prefix)
        .filter((prefix) => prefix.includes(':') === (family === 'ipv6'))
      expect(Object.keys(receivedRoutes)).toHaveLength(family === 'ipv4' ? 4 : 3)
      expect(ours.sort()).toEqual(Object.keys(receivedRoutes).sort())
    })

    test.each(['tor1', 'tor2', 'tor3', 'tor4', 'spine1', 'spine2'])(
      '%s: the number of routes of each peer',
      async (name) => {
        tellOutput()
        const [text = ''] = await lab.vty(name, 'show bgp ipv4 unicast summary json')
        const { peers } = JSON.parse(text) as { peers: Record<string, { pfxRcd: number }> }
        const rows = await rib({ router: name, rib: 'adj_in_post' })
        for (const peer of neighbours(lab.clos, lab.router(name))) {
          const ours = rows.filter(
            (row) => row.peer_bgp_id === peer.routerId && /^\d+\.\d+\.\d+\.\d+\//.test(row.nlri),
          )
          expect(ours.length, peer.name).toBe(peers[peer.name]?.pfxRcd)
        }
      },
    )
  })

  describe('/api/v1/rib says what GoBGP says', () => {
    test.each(['rr1', 'leaf1'])('%s: its EVPN table', async (name) => {
      tellOutput()
      const theirs = (await lab.evpnRib(name)).flatMap(({ paths }) => paths.map(evpnRoute))
      const ours = (await rib({ router: name, rib: 'loc_rib' })).map((row) => ({
        rd: row.rd,
        type: Number(/^\[(\d)\]/.exec(row.nlri)?.[1]),
        rts: row.rts.map((rt) => rt.replace(/^rt:/, '')).sort(),
      }))
      expect(theirs.length).toBeGreaterThanOrEqual(12)
      expect(sorted(unique(ours))).toEqual(sorted(unique(theirs)))
    })
  })

  test('vip-flap: VIP_FLAP of the one node, with as many flaps as there were', async () => {
    tellOutput()
    await judge(await play(lab, 'vip-flap', { count: 5 }), 30_000)
  })

  test('node-down: NODE_DOWN while it is, resolved when it is back', async () => {
    tellOutput()
    await judge(await playSeeing('NODE_DOWN', 'node-down', { seconds: 10 }), 60_000)
  })

  test('tor-down: ROUTER_DOWN, and its nodes are not down', async () => {
    tellOutput()
    await judge(await playSeeing('ROUTER_DOWN', 'tor-down', { seconds: 10 }), 60_000)
  })

  test('bmp-reconnect: what was withdrawn meanwhile is gone, and nothing flapped', async () => {
    tellOutput()
    const vip = '10.10.21.67/32'
    const ofNode1 = async (): Promise<RibRow[]> =>
      (await rib({ router: 'tor1', rib: 'adj_in_pre', prefix: vip })).filter(
        (row) => row.peer_bgp_id === lab.router('node1').routerId,
      )
    expect(await ofNode1()).toHaveLength(1)
    await judge(await playSeeing('FEED_LOST', 'bmp-reconnect', { seconds: 8 }), 60_000)
    await until('the route to be gone', async () => (await ofNode1()).length === 0, 15_000)
    await lab.announce('node1', vip, true)
    await until('the route to be back', async () => (await ofNode1()).length === 1, 15_000)
  })

  test('vm-move: T5_TROMBONE until the type 5 follows', async () => {
    tellOutput()
    const truth = await playSeeing('T5_TROMBONE', 'vm-move', { seconds: 14 })
    await judge(truth, 60_000)
    const [finding] = (await findings()).filter((f) => f.kind === 'T5_TROMBONE')
    const follows = truth.events.filter((e) => e.what === 'type 5 add').at(-1)?.at ?? 0
    expect(Date.parse(finding?.resolved_at ?? '') / 1000).toBeGreaterThan(follows)
  })
})

const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

const unique = <T>(rows: readonly T[]): T[] => [
  ...new Map(rows.map((row) => [JSON.stringify(row), row])).values(),
]

/** Extended communities: attribute 16. */
const EXT_COMMUNITIES = 16

function evpnRoute(path: GobgpPath): { rd: string; type: number; rts: string[] } {
  const rd = path.nlri.value['rd'] as { admin: string; assigned: number }
  const attr = path.attrs.find((a) => a['type'] === EXT_COMMUNITIES) as
    { value: { type: number; subtype: number; value?: string }[] } | undefined
  const ROUTE_TARGET = 2
  return {
    rd: `${rd.admin}:${rd.assigned}`,
    type: path.nlri.type,
    rts: (attr?.value ?? [])
      .filter((c) => c.subtype === ROUTE_TARGET && c.type < 3)
      .map((c) => c.value ?? '')
      .sort(),
  }
}
