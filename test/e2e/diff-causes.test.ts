/**
 * `ribscope diff` on recordings of real routers: what happened is what it says first, of which whom, and everything that came of
 * it is put down to it; what did not happen is not there.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { computeDiff, timeText, type Diff, type DiffQuery } from '@ribscope/api'
import { loadFabric } from '@ribscope/fabric'
import { expect, test, vi } from 'vitest'
import { runCommand } from '../../services/standalone/src/index.ts'
import { withRecordings } from '../../services/standalone/src/offline.ts'
import { openStore } from './store.ts'

// Seconds on an idle machine; a busy one is no failure.
vi.setConfig({ testTimeout: 180_000 })

const LAB = fileURLToPath(new URL('../fixtures/lab/', import.meta.url))

interface Truth {
  readonly started: number
  readonly ended: number
  readonly events: readonly { readonly at: number; readonly what: string }[]
}
const truthOf = (name: string): Truth =>
  JSON.parse(readFileSync(join(LAB, name, 'truth.json'), 'utf8')) as Truth

type Ask = (from: number, to: number, words?: Partial<DiffQuery>) => Promise<Diff>

/** @param work asks for differences between instants in UNIX seconds */
function played(name: string, work: (ask: Ask, truth: Truth) => Promise<void>): Promise<void> {
  const paths = [join(LAB, name)]
  const config = loadFabric(join(LAB, name, 'fabric.yaml')).fabric
  return withRecordings({ paths, config, tailSeconds: 120, openStore }, async ({ db }) => {
    const stored = (seconds: number): string =>
      timeText(Math.round(seconds * 1e6))
        .replace('T', ' ')
        .replace('Z', '')
    await work(
      (from, to, words) =>
        computeDiff(db, { limit: 100, ...words, from: stored(from), to: stored(to) }),
      truthOf(name),
    )
  })
}

const brief = ({ items }: Diff): string[] =>
  items.map(({ cause, entity }) => `${cause} ${entity.name}`)
const routesOf = ({ summary }: Diff): number =>
  Object.values(summary.routes).reduce((sum, each) => sum + each, 0)

test('vip-flap: one group, as before, with everything that moved on other routers', () =>
  played('vip-flap', async (ask, { started, ended }) => {
    const diff = await ask(started - 0.05, ended + 60)
    expect(brief(diff)).toEqual(['node_flapped node3'])
    const [group] = diff.items
    expect(group).toMatchObject({
      vips: ['10.10.21.66/32'],
      prefixes: ['10.10.21.66/32'],
      routers: ['spine1', 'spine2', 'tor1', 'tor2', 'tor3', 'tor4'],
      blast_radius: { vips: 1, routers: 6, prefixes: 1, score: 6 },
      routes: { removed: 0, added: 0 },
    })
    expect(group!.routes.flapped).toBeGreaterThan(3)
    expect(group!.evidence.length).toBeGreaterThan(2)
    expect(group!.findings).toHaveLength(1)
    expect(group!.incidents).toHaveLength(1)
    // In the middle it is gone.
    const middle = await ask(started - 0.05, started + 0.5)
    expect(middle.items[0]).toMatchObject({ cause: 'node_withdrew', entity: { name: 'node3' } })
    expect(middle.items[0]!.routes.removed).toBeGreaterThan(3)
    // Narrower questions.
    const of = async (words: Partial<DiffQuery>): Promise<string[]> =>
      brief(await ask(started - 0.05, ended + 60, words))
    expect(await of({ vip: '10.10.21.66' })).toEqual(['node_flapped node3'])
    expect(await of({ prefix: '10.10.21.0/24', scope: 'vips' })).toEqual(['node_flapped node3'])
    expect(await of({ router: 'spine1' })).toEqual(['node_flapped node3'])
    expect(await of({ vrf: 'default' })).toEqual(['node_flapped node3'])
    for (const words of [
      { vip: '10.10.21.67' },
      { scope: 'evpn' },
      { scope: 'vpn' },
      { router: 'nobody' },
      { vrf: 'K8S' },
    ] as const) {
      expect(await of(words), JSON.stringify(words)).toEqual([])
    }
    // Nothing happened before, and nothing after.
    expect(routesOf(await ask(started - 0.25, started - 0.05))).toBe(0)
    expect(routesOf(await ask(ended + 30, ended + 60))).toBe(0)
  }))

test('node-down: the node, its sessions, its VIPs; then it is back', () =>
  played('node-down', async (ask, { started, ended, events }) => {
    const back = events.find(({ what }) => what === 'revive')!.at
    const down = await ask(started - 0.1, back - 0.1)
    expect(brief(down)).toEqual(['node_down node2'])
    const [group] = down.items
    expect(group).toMatchObject({
      entity: { kind: 'node', name: 'node2' },
      vips: ['10.10.21.66/32', '2001:db8:21::66/128'],
      routers: ['spine1', 'spine2', 'tor1', 'tor2', 'tor3', 'tor4'],
      blast_radius: { vips: 2, routers: 6, score: 12 },
      routes: { added: 0 },
    })
    expect(group!.routes.removed).toBeGreaterThan(10)
    expect(group!.sessions).toMatchObject([
      { kind: 'peer_down', peer: 'node2' },
      { kind: 'peer_down', peer: 'node2' },
    ])
    expect(group!.explanation).toContain('node2 lost all its sessions')
    expect(down.summary).toMatchObject({ sessions_down: 2, sessions_up: 0, feeds_lost: 0 })
    const up = await ask(back - 0.1, ended + 60)
    expect(brief(up)).toEqual(['node_up node2'])
    // From before to after: it came and went, and is as it was.
    const both = await ask(started - 0.1, ended + 60)
    expect(both.summary.routes).toMatchObject({ added: 0, removed: 0 })
    expect(both.items[0]).toMatchObject({ cause: 'node_down', entity: { name: 'node2' } })
    expect(both.items[0]!.findings.length).toBeGreaterThan(0)
  }))

test('bmp-reconnect: a feed that is lost changes no route', () =>
  played('bmp-reconnect', async (ask, { started, events }) => {
    const withdrawn = events.find(({ what }) => what === 'withdraw')!.at
    const lost = await ask(started - 0.2, withdrawn - 0.1)
    expect(brief(lost)).toEqual(['feed_lost tor1'])
    expect(routesOf(lost)).toBe(0)
    expect(lost.summary).toMatchObject({ feeds_lost: 1, sessions_down: 0, sessions_up: 0 })
    expect(lost.items[0]!.explanation).toContain('no route changed')
    // What tor1 could not tell is known when it speaks again, and is the withdrawal of that VIP only.
    const all = await ask(started - 0.2, started + 60)
    expect(new Set(brief(all))).toEqual(new Set(['node_withdrew node1', 'feed_resumed tor1']))
    expect(all.items.flatMap(({ prefixes }) => prefixes)).toEqual([
      '10.10.21.67/32',
      '10.10.21.67/32',
    ])
    expect(all.summary.sessions_down).toBe(0)
  }))

test('tor-down: the router first, with what the fabric made of it', () =>
  played('tor-down', async (ask, { started, events }) => {
    const back = events.find(({ what }) => what === 'links up')!.at
    const diff = await ask(started - 0.1, back - 0.1)
    const [first] = diff.items
    expect(first).toMatchObject({ cause: 'router_down', entity: { kind: 'router', name: 'tor2' } })
    expect(first!.routes.removed).toBeGreaterThan(20)
    expect(first!.sessions).toMatchObject([
      { kind: 'peer_down', peer: 'tor2' },
      { kind: 'peer_down', peer: 'tor2' },
    ])
    expect(diff.items.slice(1).every((each) => each.blast_radius.score === 0)).toBe(true)
  }))

test('vm-move: hosts and prefixes move, and are not merely gone here and new there', () =>
  played('vm-move', async (ask, { events }) => {
    const moves = events.filter(({ what }) => what === 'vm moves').map(({ at }) => at)
    const late = events.findLast(({ what }) => what === 'type 5 add')!.at
    // The second move: the host at once, the prefix of its pods after nine seconds.
    const host = await ask(moves[1]! - 0.1, late - 0.1)
    expect(brief(host)).toEqual(['evpn_move 02:aa:00:00:00:01'])
    expect(host.items[0]!.prefixes).toEqual(['mac 02:aa:00:00:00:01 10.200.0.11/32'])
    const pods = await ask(late - 0.1, late + 60)
    expect(brief(pods)).toEqual(['evpn_move 10.201.1.0/24'])
    expect(pods.items[0]!.routers).toHaveLength(6)
    expect(brief(await ask(late - 0.1, late + 60, { scope: 'evpn' }))).toEqual(brief(pods))
    expect(brief(await ask(late - 0.1, late + 60, { scope: 'unicast' }))).toEqual([])
  }))

test('the command, on a recording: text for people, JSON for programs, errors in one line', async () => {
  const run = async (...argv: string[]): Promise<{ code: number; out: string; err: string }> => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const env = {}
    const signal = new AbortController().signal
    const code = await runCommand(argv, { stdout, stderr, env, signal })
    const read = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? ''
    return { code, out: read(stdout), err: read(stderr) }
  }
  const where = [
    '--recording',
    join(LAB, 'node-down'),
    '--config',
    join(LAB, 'node-down/fabric.yaml'),
  ]
  const { started } = truthOf('node-down')
  const from = new Date((started - 0.1) * 1000).toISOString()
  const text = await run('diff', from, '-6s', ...where)
  expect(text.err).toBe('')
  expect(text.code).toBe(0)
  expect(text.out).toMatch(/^node_down node2 {2}2 VIPs x 6 routers/m)
  expect(text.out).toMatch(/^sessions {2}2 down, 0 up; BMP 0 lost$/m)
  expect(text.out).not.toContain('\u001b')
  const json = await run('diff', '+0s', ...where, '--json', '--limit', '1')
  const diff = JSON.parse(json.out) as Diff
  expect(diff.items).toHaveLength(1)
  expect(diff.summary.left_out.groups).toBe(diff.summary.groups - 1)
  expect(diff.summary.groups).toBeGreaterThan(1)
  for (const [argv, message] of [
    [['diff'], 'T1 [T2]'],
    [['diff', 'a', 'b', 'c'], 'T1 [T2]'],
    [['diff', '-5x'], 'T1 "-5x"'],
    [['diff', '+5s'], 'T1 "+5s"'],
    [['diff', 'yesterday', ...where], 'T1 "yesterday"'],
    [['diff', '-5m', '--scope', 'everything'], '--scope'],
    [['diff', '-5m', '-10m', ...where], 'from'],
  ] as const) {
    const { code, err, out } = await run(...argv)
    expect([code, out, err.split('\n').length], err).toEqual([2, '', 2])
    expect(err).toContain(message)
  }
})
