import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseFabric } from '@ribscope/fabric'
import { listRecordings } from '@ribscope/events'
import { scenarios } from '@ribscope/simulator'
import type { Value } from '../command.ts'
import { command } from './simulate.ts'

async function run(
  positionals: readonly string[],
  values: Readonly<Record<string, Value>> = {},
): Promise<{ code: number; out: string }> {
  const stdout = new PassThrough()
  const signal = new AbortController().signal
  const code = await command.run({ positionals, values, stdout, stderr: stdout, signal })
  return { code, out: String(stdout.read() ?? '') }
}

describe('ribscope simulate', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ribscope-simulate-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  test('list: every scenario with topology, summary and expectation; --json has all of them', async () => {
    const { code, out } = await run(['list'])
    expect(code).toBe(0)
    expect(out).toMatch(/^A01 {2}T1 {2}v1 from n1 .*\n {9}-> VIP_FLAP critical/)
    const items = JSON.parse((await run(['list'], { json: true })).out) as { id: string }[]
    expect(items.map(({ id }) => id)).toEqual([...scenarios.keys()])
  })

  test('a recording that the product reads, with a fabric.yaml that it accepts without warning', async () => {
    const out = join(folder, 'new', 'A06')
    const config = join(folder, 'fabric.yaml')
    const { code } = await run(['a06'], { out, 'config-out': config })
    expect(code).toBe(0)
    const recordings = await listRecordings([out])
    expect(recordings).toHaveLength(10)
    expect(recordings.filter(({ router }) => router === 'tor1a')).toMatchObject([
      { session: 1, end: 'rst', source: '127.0.2.11' },
      { session: 2, end: 'stop', source: '127.0.2.11' },
    ])
    expect(await readdir(out)).toContain('truth.json')
    expect(await readFile(config, 'utf8')).toBe(await readFile(join(out, 'fabric.yaml'), 'utf8'))
  })

  test.each([...scenarios.keys()].filter((id) => id !== 'A04'))(
    '%s: fabric.yaml has no unknown key and no wrong value',
    async (id) => {
      const out = join(folder, id)
      await run([id], { out })
      const { warnings } = parseFabric(await readFile(join(out, 'fabric.yaml'), 'utf8'), {
        file: id,
      })
      expect(warnings).toEqual([])
    },
  )

  test('--start, --seed and parameters', async () => {
    const out = join(folder, 'B01x')
    await run(['B01'], { out, start: '1700000000', seed: '7', nodes: '5' })
    const truth = JSON.parse(await readFile(join(out, 'truth.json'), 'utf8')) as object
    expect(truth).toMatchObject({ started: 1_700_000_000, seed: 7, parameters: { nodes: 5 } })
  })

  test.each<[string[], Record<string, string>, string]>([
    [[], {}, 'expected one SCENARIO'],
    [['A01', 'A02'], {}, 'expected one SCENARIO'],
    [['Z99'], {}, 'no scenario "Z99"'],
    [['A01'], { seed: 'x' }, '--seed "x"'],
    [['A01'], { start: '-1' }, '--start "-1"'],
    [['C01'], { flaps: '3' }, '--flaps: scenario C01 takes no parameters'],
    [['B01'], { flaps: '3' }, '--flaps: scenario B01 takes --nodes'],
    [['A01'], { out: '/dev/null/x' }, '--out /dev/null/x:'],
  ])('%j %j is refused: %s', async (positionals, values, message) => {
    await expect(run(positionals, values)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(message) as string,
    })
  })

  test('a folder with something else in it is left alone', async () => {
    const out = join(folder, 'A03')
    await expect(run(['C01'], { out })).rejects.toMatchObject({ name: 'CommandError' })
  })
})
