/** VIEW_UNTRUSTED of a view that lacks a peer (DETECTORS P13): the session is up, others have routes, it has none and nobody says why. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultFabric } from '@ribscope/fabric'
import { afterEach, expect, test } from 'vitest'
import {
  announce,
  endOfRib,
  family,
  initiation,
  peerDown,
  peerUp,
  statistics,
} from '../../packages/events/src/testing/bytes.ts'
import { analyze } from '../../services/standalone/src/offline.ts'
import { openStore } from './store.ts'

const OPENED = 1_795_262_400
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

type Step = readonly [seconds: number, ...messages: (readonly number[])[]]

interface Finding {
  readonly kind: string
  readonly status: string
  readonly scope: object
  readonly metrics: { readonly peers?: string[]; readonly reasons: string[] }
  readonly first_seen: string
  readonly resolved_at: string | null
  readonly changes: readonly { readonly at: string; readonly status: string }[]
}

/** A recording of one router, analysed with 120 s behind it. */
async function untrusted(...steps: readonly Step[]): Promise<Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ribscope-empty-'))
  folders.push(folder)
  const times = [`# bmp-times 1 router=r1 session=1 source=192.0.2.9 opened=${String(OPENED)}`]
  let octets: number[] = []
  for (const [seconds, ...messages] of steps) {
    times.push(`${String(octets.length)} ${String(OPENED + seconds)}`)
    octets = octets.concat(messages.flat())
  }
  times.push(`${String(octets.length)} ${String(OPENED + (steps.at(-1)?.[0] ?? 0))} end=stop`)
  writeFileSync(join(folder, 'r1.bmp'), Uint8Array.from(octets))
  writeFileSync(join(folder, 'r1.times'), `${times.join('\n')}\n`)
  const analysis = await analyze({
    paths: [folder],
    config: defaultFabric(),
    tailSeconds: 120,
    openStore,
  })
  return (analysis.findings as Finding[]).filter(({ kind }) => kind === 'VIEW_UNTRUSTED')
}

const peer = (n: number): { address: string; id: string; asn: number; seconds: number } => ({
  address: `192.0.2.${String(n)}`,
  id: `192.0.2.${String(n)}`,
  asn: 64500 + n,
  seconds: OPENED,
})
const [p1, p2, p3] = [peer(1), peer(2), peer(3)]
const time = (seconds: number): string =>
  new Date((OPENED + seconds) * 1000).toISOString().slice(0, 19)
const begin = (...more: (readonly number[])[]): Step => [
  0,
  initiation('r1'),
  peerUp(p1),
  ...more,
  announce(p1, '10.1.0.0/24', '10.2.0.0/24'),
  endOfRib(p1),
]

test('opens 60 s after its Peer Up, names the peer, and is over with its first route', async () => {
  const found = await untrusted(begin(peerUp(p2)), [90, announce(p2, '10.3.0.0/24')])
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({
    status: 'resolved',
    scope: { router: 'r1', rib: 'adj_in_pre', afi: 1, safi: 1 },
    metrics: { peers: ['192.0.2.2'], announces: 2, withdraws: 0 },
  })
  expect(found[0]?.metrics.reasons[0]).toMatch(/^P13: /)
  expect(found[0]?.first_seen).toContain(time(0))
  // Timers that are almost one are one round.
  expect(found[0]?.changes[0]?.at).toContain(time(60))
  // A route that no detector watches is seen at the next look, 10 s later at most.
  const { resolved_at: resolved } = found[0] ?? {}
  expect(resolved?.slice(0, 19) ?? '').toSatisfy((at: string) => at >= time(90) && at <= time(101))
})

test('two empty peers are one finding; the second joins it when its time has come', async () => {
  const found = await untrusted(begin(peerUp(p2)), [30, peerUp(p3)])
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({
    status: 'open',
    metrics: { peers: ['192.0.2.2', '192.0.2.3'] },
  })
})

test.each<[string, Step[]]>([
  ['the router says that the table is empty: End-of-RIB', [begin(peerUp(p2)), [1, endOfRib(p2)]]],
  ['the router says so: its counter is 0', [begin(peerUp(p2)), [9, statistics(p2, [7, 0])]]],
  ['it goes down within a minute', [begin(peerUp(p2)), [50, peerDown(p2, 4)]]],
  ['it speaks within a minute', [begin(peerUp(p2)), [50, announce(p2, '10.9.0.0/24')]]],
  ['it speaks another family', [begin(peerUp(p2, { sent: [family(2, 1)] }))]],
  ['nobody has routes', [[0, initiation('r1'), peerUp(p1), peerUp(p2)]]],
])('nothing: %s', async (_, steps) => {
  expect(await untrusted(...steps)).toEqual([])
})

test('a counter that is not 0 speaks against it', async () => {
  expect(await untrusted(begin(peerUp(p2)), [9, statistics(p2, [7, 4])])).toHaveLength(1)
})
