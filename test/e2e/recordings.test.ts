/**
 * What `ribscope analyze` makes of real routers: the recordings of ../shared/lab with a fabric.yaml made from what is known of that
 * fabric, and, like this repository's own, without any: then names are those of BMP and BGP, and the findings the same.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { defaultFabric, parseFabric } from '@ribscope/fabric'
import type { FabricConfig } from '@ribscope/fabric'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { analyze } from '../../services/standalone/src/offline.ts'
import type { Truth } from '../lab/scenarios.ts'
import { verdict } from '../lab/verdict.ts'
import { openStore } from './store.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FIXTURES = join(ROOT, 'test/fixtures/lab')
const LAB = join(ROOT, '../shared/lab/recordings')
const BIN = join(ROOT, 'bin/ribscope.js')

const seconds: string[] = []
afterAll(() => {
  // For people: the goal is 10 s a recording on an idle machine.
  console.log(`CPU seconds: ${seconds.join(' ')}`)
})

interface Finding {
  readonly id: string
  readonly kind: string
  readonly severity: string
  readonly status: string
  readonly first_seen: string
  readonly resolved_at: string | null
  readonly scope: Readonly<Record<string, string>>
  readonly metrics: Readonly<Record<string, unknown>>
  readonly explanation: string
  readonly incident_id: string
  readonly reopened: number
}

interface Analysis {
  readonly findings: readonly Finding[]
  readonly incidents: readonly { readonly id: string; readonly cause: string }[]
  readonly routers: readonly {
    readonly router: string
    readonly sessions: number
    readonly views: readonly { readonly rib: string; readonly trust: string }[]
  }[]
}

async function analysed(folder: string, config: FabricConfig, what: string): Promise<Analysis> {
  const before = process.cpuUsage()
  const result = await analyze({
    paths: [folder],
    config,
    tailSeconds: 120,
    openStore,
  })
  const { user, system } = process.cpuUsage(before)
  seconds.push(`${what} ${((user + system) / 1e6).toFixed(1)}`)
  return result as unknown as Analysis
}

/** What only the feed is to blame for. */
const FEED = ['FEED_LOST', 'VIEW_UNTRUSTED']
const beyondFeed = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ kind }) => !FEED.includes(kind))
const kinds = (findings: readonly Finding[]): string[] => findings.map(({ kind }) => kind).sort()

interface LabTruth {
  readonly fabric: {
    readonly routers: readonly {
      readonly name: string
      readonly role: string
      readonly asn: number
      readonly router_id: string
      readonly source: string
      readonly rack?: number
    }[]
    readonly evpn?: { readonly vms: readonly { readonly ip: string; readonly pods: string }[] }
  }
  readonly events: readonly {
    readonly time: number
    readonly what: string
    readonly router?: string
  }[]
}

const truthOf = (name: string): LabTruth =>
  JSON.parse(readFileSync(join(LAB, name, 'truth.json'), 'utf8')) as LabTruth

function configOf({ fabric }: LabTruth): FabricConfig {
  const rack = (n: number | undefined): object => (n === undefined ? {} : { rack: `r${n}` })
  const of = (isNode: boolean): LabTruth['fabric']['routers'] =>
    fabric.routers.filter(({ role }) => (role === 'node') === isNode)
  const text = JSON.stringify({
    segments: { vip: ['10.10.21.0/24', '2001:db8:10:21::/64'] },
    routers: of(false).map((each) => ({
      name: each.name,
      address: each.source,
      bgp_id: each.router_id,
      role: each.role,
      asn: each.asn,
      ...rack(each.rack),
    })),
    nodes: of(true).map((each) => ({
      name: each.name,
      bgp_ids: [each.router_id],
      asn: each.asn,
      ...rack(each.rack),
    })),
    prefix_nodes: (fabric.evpn?.vms ?? []).map(({ ip, pods }) => ({ prefix: pods, node: ip })),
    detectors: { settle_t5_s: 5 },
  })
  const { fabric: config, warnings } = parseFabric(text)
  expect(warnings).toEqual([])
  return config
}

const at = (finding: Finding | undefined): number => Date.parse(finding?.first_seen ?? '') / 1000
const ended = (finding: Finding | undefined): number =>
  Date.parse(finding?.resolved_at ?? '') / 1000

const LAB_THERE = existsSync(LAB)
if (!LAB_THERE)
  console.log('recordings of the lab are skipped: ../shared/lab/recordings is not there')

describe.skipIf(!LAB_THERE).each(['fabric.yaml', 'inferred'] as const)('lab, %s', (how) => {
  const lab = async (name: string): Promise<Analysis & { truth: LabTruth }> => {
    const truth = truthOf(name)
    const config = how === 'fabric.yaml' ? configOf(truth) : defaultFabric()
    const result = await analysed(join(LAB, name), config, `${name}/${how}`)
    const routers = readdirSync(join(LAB, name)).filter((file) => /^\w+\.bmp$/.test(file))
    expect(result.routers).toHaveLength(routers.length)
    return { ...result, truth }
  }
  /** As findings name it. */
  const node = (truth: LabTruth, name: string): string =>
    how === 'fabric.yaml'
      ? name
      : truth.fabric.routers.find((each) => each.name === name)!.router_id

  test('vip-flap: one flap, by node4, five times; nothing else', async () => {
    const { findings, truth } = await lab('vip-flap')
    expect(kinds(findings)).toEqual(['VIP_FLAP'])
    expect(findings[0]).toMatchObject({
      scope: { vip: '10.10.21.66/32', node: node(truth, 'node4') },
      metrics: { flaps: 5, tors_down: ['tor3', 'tor4'], n_alive: 3, n_expected: 4 },
      reopened: 0,
    })
    const began = truth.events.find(({ what }) => what === 'withdraw')!.time
    expect(at(findings[0])).toBeGreaterThan(began)
    expect(at(findings[0])).toBeLessThan(began + 1)
  })

  test.each(['steady', 'cold-start', 'frr-type5', 'bmp-kinds'])(
    '%s: nothing but the feed, if that',
    async (name) => {
      const { findings } = await lab(name)
      expect(beyondFeed(findings)).toEqual([])
      if (name !== 'cold-start') expect(findings).toEqual([])
    },
  )

  test('node-down: node2 once, resolved, on both its ToRs; nothing besides', async () => {
    const { findings, incidents, truth } = await lab('node-down')
    const downs = findings.filter(({ kind }) => kind === 'NODE_DOWN')
    expect(downs).toMatchObject([
      {
        scope: { node: node(truth, 'node2') },
        status: 'resolved',
        reopened: 0,
        metrics: {
          tors: ['tor1', 'tor2'],
          vips: ['10.10.21.66/32', '10.10.21.67/32', '2001:db8:10:21::66/128'],
        },
      },
    ])
    const time = (what: string): number => truth.events.find((each) => each.what === what)!.time
    expect(at(downs[0]) - time('kill')).toBeLessThan(2)
    expect(ended(downs[0])).toBeGreaterThan(time('start'))
    expect(incidents).toHaveLength(1)
    for (const each of findings) expect(each.incident_id).toBe(downs[0]?.incident_id)
  })

  test('bmp-reconnect: three feeds lost, no session, node or VIP', async () => {
    const { findings, truth, routers } = await lab('bmp-reconnect')
    const lost = findings.filter(({ kind }) => kind === 'FEED_LOST')
    expect(lost.map(({ scope }) => scope['router']).sort()).toEqual(['rr1', 'tor1', 'tor3'])
    for (const each of lost) {
      expect(each).toMatchObject({ status: 'resolved', reopened: 0 })
      const cut = truth.events.find(
        ({ what, router }) => /^bmp (cut|drop)$/.test(what) && router === each.scope['router'],
      )
      expect(Math.abs(at(each) - cut!.time)).toBeLessThan(1)
      expect(routers.find(({ router }) => router === each.scope['router'])?.sessions).toBe(2)
    }
    const never = ['PEER_DOWN', 'NODE_DOWN', 'ROUTER_DOWN', 'VIP_FLAP', 'VIP_OUTAGE']
    expect(findings.filter(({ kind }) => never.includes(kind))).toEqual([])
    // node1 withdrew the VIP for good: who is left shares it unevenly, and that is true.
    expect([...new Set(kinds(beyondFeed(findings)))]).toEqual(['ECMP_UNEQUAL_SPLIT'])
  })

  test('no-soft-reconfig: views that only withdraw are named, and nothing comes of them', async () => {
    const { findings, routers } = await lab('no-soft-reconfig')
    expect(beyondFeed(findings)).toEqual([])
    const named = findings.map(({ scope }) => `${scope['router']} ${scope['rib']} ${scope['afi']}`)
    for (const tor of ['tor1', 'tor2', 'tor3', 'tor4']) {
      expect(named).toEqual(expect.arrayContaining([`${tor} adj_in_pre 1`, `${tor} adj_in_pre 2`]))
    }
    expect(named.filter((each) => !each.includes('adj_in_pre'))).toEqual([])
    for (const { router, views } of routers.filter(({ router }) => router.startsWith('tor'))) {
      const trust = views.filter(({ rib }) => rib === 'adj_in_post').map((view) => view.trust)
      expect(new Set(trust), router).toEqual(new Set(['trusted']))
    }
  })

  if (how === 'fabric.yaml') {
    test('vm-move: the detour over leaf1, as long as it lasted', async () => {
      const { findings, truth } = await lab('vm-move')
      expect(kinds(findings)).toEqual(['T5_TROMBONE'])
      expect(findings[0]).toMatchObject({
        scope: { prefix: '10.201.1.0/24', via: 'leaf1' },
        metrics: { next_hosts: ['10.200.0.11'], owners: ['leaf3'] },
        status: 'resolved',
        reopened: 0,
      })
      const moves = truth.events.filter(({ what }) => what === 'vm moves')
      const follows = truth.events.find(({ what }) => what === 'type 5 follows')!.time
      expect(Math.abs(at(findings[0]) - moves[1]!.time)).toBeLessThan(1)
      expect(Math.abs(ended(findings[0]) - follows)).toBeLessThan(3)
    })
  } else {
    test('vm-move: who is behind the prefix is not known, so nothing is said', async () => {
      expect((await lab('vm-move')).findings).toEqual([])
    })
  }
})

/** Names of nodes by BGP identifier, as inference gives them. */
function inferredTruth(truth: Truth, config: FabricConfig): Truth {
  const ids = new Map(config.nodes.map(({ name, bgp_ids }) => [name, bgp_ids[0] ?? name]))
  return {
    ...truth,
    started: 0,
    expect: truth.expect.map((each) => {
      const { node } = each.scope
      return node === undefined
        ? each
        : { ...each, scope: { ...each.scope, node: ids.get(node) ?? node } }
    }),
  }
}

// vm-move needs prefix_nodes: see above.
const INFERABLE = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'vm-move')
  .map(({ name }) => name)

describe("this repository's recordings, inferred", () => {
  test.each(INFERABLE)('%s: the same findings as with its fabric.yaml', async (name) => {
    const folder = join(FIXTURES, name)
    const full = parseFabric(readFileSync(join(folder, 'fabric.yaml'), 'utf8')).fabric
    const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Truth
    // The holds of seconds are kept: these recordings last only that long.
    const config = { ...defaultFabric(), detectors: full.detectors }
    const { findings } = await analysed(folder, config, `${name}/inferred`)
    expect(verdict(inferredTruth(truth, full), findings)).toEqual([])
  })
})

describe('deterministic', () => {
  const folder = join(FIXTURES, 'vip-flap')
  const args = [BIN, 'analyze', folder, '--config', join(folder, 'fabric.yaml')]
  const run = async (command: string, given: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(command, [...given], { maxBuffer: 64 << 20 })
    expect(stdout.length).toBeGreaterThan(1000)
    return stdout
  }
  let all: string
  beforeAll(async () => {
    all = await run(process.execPath, args)
  })

  test('the same octets again, and on one core', async () => {
    expect(await run(process.execPath, args)).toBe(all)
    if (!existsSync('/usr/bin/taskset')) {
      console.log('one core is skipped: there is no taskset')
      return
    }
    expect(await run('/usr/bin/taskset', ['-c', '0', process.execPath, ...args])).toBe(all)
  })

  test('whatever the order of the paths', async () => {
    const files = readdirSync(folder)
      .filter((name) => name.endsWith('.bmp'))
      .map((name) => join(folder, name))
    const rest = ['--config', join(folder, 'fabric.yaml')]
    const turned = [BIN, 'analyze', ...[...files].reverse(), ...rest]
    expect(await run(process.execPath, turned)).toBe(all)
  })

  test('what else lies in the folder does not matter', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'ribscope-recordings-'))
    try {
      for (const name of readdirSync(folder)) {
        writeFileSync(join(copy, name), readFileSync(join(folder, name)))
      }
      writeFileSync(join(copy, 'notes.txt'), 'not a recording')
      const given = [BIN, 'analyze', copy, '--config', join(folder, 'fabric.yaml')]
      expect(await run(process.execPath, given)).toBe(all)
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })
})
