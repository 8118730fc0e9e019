/**
 * The whole program in one process, with the demo fabric connected over TCP: what the API says agrees with itself, with SQL and
 * with the findings.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseFabric } from '@ribscope/fabric'
import { demoFabricYaml, startDemo } from '@ribscope/simulator'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { DEFAULT_RETENTION } from '@ribscope/store'
import { startUp, type Running } from '../../services/standalone/src/up.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-e2e-api-'))
const abort = new AbortController()
let running: Running
let demo: Promise<void>
let url: string

interface Finding {
  readonly id: string
  readonly kind: string
  readonly status: string
  readonly scope: Readonly<Record<string, string>>
  readonly metrics: Readonly<Record<string, unknown>>
  readonly evidence: readonly { readonly router: string; readonly seq?: number }[]
  readonly incident_id: string
}

// Answers are checked field by field: their type is what the test establishes.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function get(path: string): Promise<any> {
  const response = await fetch(`${url}${path}`)
  const text = await response.text()
  expect(response.status, `${path}: ${text}`).toBe(200)
  return JSON.parse(text) as unknown
}

async function sql(query: string, params: object = {}): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${url}/api/v1/sql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, params }),
  })
  const text = await response.text()
  expect(response.status, text).toBe(200)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function finding(kind: string): Promise<Finding> {
  const { items } = (await get(`/api/v1/findings?kind=${kind}`)) as { items: Finding[] }
  expect(items, kind).not.toHaveLength(0)
  return items[0] as Finding
}

const silent = (): void => undefined
const log = {
  ...Object.fromEntries(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) => [level, silent]),
  ),
  child: () => log,
} as unknown as Parameters<typeof startUp>[0]['log']

beforeAll(async () => {
  const { fabric } = parseFabric(demoFabricYaml(), { file: 'demo' })
  running = await startUp({
    bmp: { host: '127.0.0.1', port: 0 },
    http: { host: '127.0.0.1', port: 0 },
    dataDir,
    retention: DEFAULT_RETENTION,
    dataLimit: { share: 1 },
    config: fabric,
    insecure: false,
    log,
  })
  url = running.api.address?.url ?? ''
  const port = running.bmp.address?.port ?? 0
  demo = startDemo({ host: '127.0.0.1', port, signal: abort.signal, log })
  // The demo shows its troubles within a minute; a loaded machine takes longer.
  await vi.waitFor(
    async () => {
      const { items } = (await get('/api/v1/findings')) as { items: Finding[] }
      expect(items.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['VIP_FLAP', 'VIP_OUTAGE', 'ECMP_UNEQUAL_SPLIT', 'T5_TROMBONE']),
      )
    },
    { timeout: 240_000, interval: 1_000 },
  )
}, 300_000)

afterAll(async () => {
  abort.abort()
  await demo
  await running.stop()
  rmSync(dataDir, { recursive: true, force: true })
}, 60_000)

describe('the API over a running fabric', () => {
  test('ready, routers up, peers up, everything trusted', async () => {
    expect(await get('/readyz')).toEqual({ status: 'ready', reasons: [] })
    const { items } = await get('/api/v1/routers')
    expect(items.length).toBeGreaterThan(5)
    for (const router of items) expect(router).toMatchObject({ state: 'up', peers_down: 0 })
    expect((await get('/api/v1/peers?state=down')).items).toEqual([])
    for (const view of (await get('/api/v1/trust?limit=1000')).items)
      expect(view).toMatchObject({ trust: 'trusted' })
  })

  test('the flapping VIP: finding, VIP page, timeline and SQL tell one story', async () => {
    const flap = await finding('VIP_FLAP')
    const { vip = '', node = '' } = flap.scope
    const page = await get(`/api/v1/vips/${vip}`)
    expect(page.open_findings.map((each: { id: string }) => each.id)).toContain(flap.id)
    const penalty = page.penalty.find((each: { node: string }) => each.node === node)
    expect(penalty.flaps).toBeGreaterThanOrEqual(Number(flap.metrics['flaps']))
    const downs = page.links.reduce((sum: number, each: { downs: number }) => sum + each.downs, 0)
    expect(downs).toBeGreaterThanOrEqual(2 * Number(flap.metrics['flaps']))
    const { items } = await get(`/api/v1/vips/${vip}/timeline?limit=1000`)
    expect(
      items.filter((each: { class: string }) => each.class === 'AW').length,
    ).toBeGreaterThanOrEqual(downs)
    const [row] = await sql('SELECT count() AS n FROM route_events WHERE prefix = {vip:String}', {
      vip,
    })
    expect(Number(row?.['n'])).toBeGreaterThan(items.length)
    const outages = (await get(`/api/v1/vips/${vip}/flaps`)).outages
    expect(outages.length).toBeGreaterThan(0)
  })

  test('evidence leads to rows of the log', async () => {
    const flap = await finding('VIP_FLAP')
    const named = flap.evidence.filter((each) => each.seq !== undefined)
    expect(named.length).toBeGreaterThan(0)
    const { routes, sessions } = await get(`/api/v1/findings/${flap.id}/evidence`)
    expect([...routes, ...sessions]).not.toHaveLength(0)
    expect(named.map((each) => each.seq)).toContain((routes[0] ?? sessions[0]).seq)
  })

  test('the uneven VIP: shares are those of the finding', async () => {
    const uneven = await finding('ECMP_UNEQUAL_SPLIT')
    const { vip = '' } = uneven.scope
    const { shares } = await get(`/api/v1/vips/${vip}/shares`)
    const wanted = uneven.metrics['shares'] as Record<string, number>
    const found = shares.filter((each: { shares: Record<string, number> }) =>
      Object.entries(wanted).every(
        ([node, share]) => Math.abs((each.shares[node] ?? 0) - share) < 0.01,
      ),
    )
    expect(found, JSON.stringify({ wanted, shares })).not.toHaveLength(0)
    const { paths } = await get(`/api/v1/vips/${vip}/ecmp`)
    expect(paths.some((each: { member: boolean }) => each.member)).toBe(true)
  })

  test('the detour: Type-5 verdict, owner of the host behind it', async () => {
    const detour = await finding('T5_TROMBONE')
    const { prefix = '', via = '' } = detour.scope
    const { items } = await get(
      `/api/v1/evpn/type5?prefix=${encodeURIComponent(prefix)}&verdict=TROMBONE`,
    )
    expect(items.length).toBeGreaterThan(0)
    const path = items.find((each: { via: string }) => each.via === via)
    expect(path).toMatchObject({ prefix, vrf: detour.scope['vrf'] })
    expect(path.owners).not.toContain(via)
    const host = await get(`/api/v1/evpn/hosts/${path.next_host}`)
    expect(host.items.flatMap((each: { owners: string[] }) => each.owners)).toEqual(
      expect.arrayContaining(path.owners),
    )
  })

  test('the looking glass has what rib_current has, page by page', async () => {
    // A router whose routes stand still: the demo's VIPs flap elsewhere.
    const [quiet] = await sql(
      "SELECT router, count() AS n FROM rib_current WHERE router NOT IN (SELECT router FROM rib_current WHERE startsWith(prefix, '10.10.21.')) GROUP BY router ORDER BY n DESC LIMIT 1",
    )
    const router = String(quiet?.['router'])
    const seen: Record<string, unknown>[] = []
    let cursor = ''
    do {
      const page = await get(
        `/api/v1/rib?router=${router}&limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      // The API also names the VRF.
      seen.push(
        ...page.items.map((item: Record<string, unknown>) => {
          const { vrf_name: _, ...row } = item
          return row
        }),
      )
      cursor = (page.next as string | null) ?? ''
    } while (cursor !== '')
    const rows = await sql(
      'SELECT * EXCEPT (view_trust) FROM rib_current WHERE router = {router:String}',
      { router },
    )
    const iso = (value: unknown): unknown =>
      typeof value === 'string' ? `${value.replace(' ', 'T')}Z` : value
    const wanted = rows.map((row) => ({
      ...row,
      seq: Number(row['seq']),
      bmp_session: Number(row['bmp_session']),
      rx_ts: iso(row['rx_ts']),
      bmp_ts: iso(row['bmp_ts']),
      since: iso(row['since']),
    }))
    const key = (row: Record<string, unknown>): string =>
      JSON.stringify([row['peer_key'], row['rib'], row['nlri'], row['path_id']])
    const sorted = (list: Record<string, unknown>[]): unknown[] =>
      list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
    expect(seen.length).toBeGreaterThan(7)
    expect(sorted(seen)).toEqual(sorted(wanted))
  })

  test('incidents hold their findings', async () => {
    const { items } = await get('/api/v1/incidents')
    expect(items.length).toBeGreaterThan(0)
    const incident = await get(`/api/v1/incidents/${items[0].id}`)
    expect(incident.items.map((each: Finding) => each.id).sort()).toEqual(
      [...incident.findings].sort(),
    )
  })

  test('the inventory says where each fact comes from', async () => {
    const fabric = await get('/api/v1/fabric')
    for (const each of [...fabric.nodes, ...fabric.vips, ...fabric.vteps, ...fabric.vrfs]) {
      expect(each.source).toMatch(/^configured|^inferred: /)
    }
    const { items } = await get('/api/v1/nodes')
    expect(items.find((each: { node: string }) => each.node === 'n1')).toMatchObject({
      sessions_down: 0,
    })
  })

  test('metrics of all parts', async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    for (const name of [
      'ribscope_findings_open',
      'ribscope_bmp_sessions',
      'ribscope_rows_stored_total',
      'ribscope_http_request_duration_seconds_count',
      'ribscope_analyst_round_seconds_count',
    ]) {
      expect(text).toContain(name)
    }
  })
})
