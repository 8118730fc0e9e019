/**
 * Real routers that restart: what we say each router has is what its daemon says, route by route, when the
 * dust has settled. FRR's BMP is up before BGP here (`boot`), as after any boot.
 *
 * The tests share one fabric and run in this order.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { labMissing } from './lab/available.ts'
import { fabricYaml } from './lab/fabric.ts'
import { createLab, type Lab, type Part } from './lab/lab.ts'
import { until } from './lab/machine.ts'
import { Ribscope } from './lab/ribscope.ts'
import { play } from './lab/scenarios.ts'
import { COLLECTED, compareTables, HABITS, tablesOf, WITHDRAWN } from './lab/tables.ts'
import type { CollectedRoute, Comparison, TableRoute } from './lab/tables.ts'
import { neighbours, peersOf } from './lab/topology.ts'
import { verdict, type Finding } from './lab/verdict.ts'

const PARTS: readonly Part[] = ['clos', 'evpn']
const missing = labMissing(PARTS)
const suite = `FRR and GoBGP restart${missing === undefined ? '' : `: ${missing}`}`

describe.skipIf(missing !== undefined)(suite, () => {
  let dir = ''
  let lab: Lab
  let ribscope: Ribscope

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'rbs-restarts-'))
    lab = await createLab({ parts: PARTS, bmp: 'boot' })
    const config = join(dir, 'fabric.yaml')
    writeFileSync(config, fabricYaml(lab))
    ribscope = await Ribscope.up({ host: lab.host, data: join(dir, 'data'), config })
    await lab.start(ribscope.bmp)
  }, 180_000)

  afterAll(async () => {
    const code = await ribscope?.stop()
    await lab?.close()
    if (dir !== '') rmSync(dir, { recursive: true })
    expect(code).toBe(0)
  }, 60_000)

  /** Routers of which not everything is there that they have to say: peers up, and their tables complete. */
  async function unfinished(): Promise<string[]> {
    const rows = await ribscope.sql<{ router: string; peers: number; dumped: number }>(
      `SELECT router, toInt32(uniqExact(peer_key)) AS peers, toInt32(countIf(dump != '')) AS dumped
       FROM ribscope.peer_sessions WHERE state = 'up' AND kind = 'bgp' GROUP BY router`,
    )
    const tables = await ribscope.sql<{ router: string; done: number }>(
      `SELECT router, toInt32(argMax(kind = 'dump_done', rx_ts)) AS done
       FROM ribscope.session_events WHERE peer_key = 0 AND kind IN ('bmp_up', 'bmp_down', 'dump_done') GROUP BY router`,
    )
    return lab.routers.flatMap((r) => {
      if (!r.bmp) return []
      const want = (r.part === 'clos' ? neighbours(lab.clos, r) : peersOf(lab.evpn, r)).length
      const got = rows.find((row) => row.router === r.name)
      const table = tables.find((row) => row.router === r.name)?.done === 1
      if (got?.peers === want && got.dumped === want && table) return []
      return [
        `${r.name}: ${want} peers: ${JSON.stringify(got)}, table ${table ? '' : 'in'}complete`,
      ]
    })
  }

  /** Compares until nothing is wrong or the limit has passed; daemons' tables that still move do not count. */
  async function compared(): Promise<Comparison & { routes: number }> {
    let left: string[] = []
    try {
      await until('dump timers', async () => (left = await unfinished()).length === 0, 60_000, 500)
    } catch (error) {
      expect(left, String(error)).toEqual([])
    }
    let last: Comparison = { wrong: ['the daemons do not come to rest'], habits: new Map() }
    let theirs: TableRoute[] = []
    const look = async (): Promise<boolean> => {
      theirs = await tablesOf(lab)
      const ours = await ribscope.sql<CollectedRoute>(COLLECTED)
      const withdrawn = await ribscope.sql<CollectedRoute>(WITHDRAWN)
      const after = await tablesOf(lab)
      if (JSON.stringify(after) !== JSON.stringify(theirs)) return false
      last = compareTables(lab, ours, theirs, withdrawn)
      return last.wrong.length === 0
    }
    await until('the same tables', look, 15_000, 1000).catch(() => undefined)
    return { ...last, routes: theirs.length }
  }

  test.each(['cold-start', 'bmp-reconnect', 'tor-reboot', 'spine-restart', 'rr-restart'])(
    '%s: every table is what its daemon says',
    async (name) => {
      onTestFailed(() => console.log(ribscope.output))
      const truth = await play(lab, name)
      const { wrong, habits, routes } = await compared()
      // Its story leaves a VIP withdrawn.
      if (name === 'bmp-reconnect') await lab.announce('node1', '10.10.21.67/32', true)
      expect(routes).toBeGreaterThan(780)
      let findings: string[] = []
      const told = async (): Promise<boolean> => {
        findings = verdict(truth, await ribscope.list<Finding>('/api/v1/findings'))
        return findings.length === 0
      }
      await until('the findings', told, 30_000, 500).catch(() => undefined)
      expect(findings).toEqual([])
      expect(wrong).toEqual([])
      // Each habit that is allowed for is there: an allowance nobody needs would hide something.
      expect([...habits.keys()].sort()).toEqual(Object.keys(HABITS).sort())
    },
    150_000,
  )
})
