import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytesOf, timesOf } from './recording.ts'
import { play, type Played } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { writeScenario } from './write.ts'

const digest = ({ sessions, truth, fabricYaml }: Played): string => {
  const hash = createHash('sha256').update(JSON.stringify(truth)).update(fabricYaml)
  for (const session of sessions) hash.update(bytesOf(session)).update(timesOf(session))
  return hash.digest('hex')
}

const scenario = (id: string): Parameters<typeof play>[0] => {
  const found = scenarios.get(id)
  if (found === undefined) throw new Error(`no scenario ${id}`)
  return found
}

describe('determinism', () => {
  test.each([...scenarios.keys()].filter((id) => id !== 'A04'))(
    '%s: the same seed gives the same bytes',
    (id) => {
      expect(digest(play(scenario(id)))).toBe(digest(play(scenario(id))))
    },
  )

  test('another seed gives other bytes, another start other times', () => {
    const one = digest(play(scenario('A01')))
    expect(digest(play(scenario('A01'), { seed: 2 }))).not.toBe(one)
    expect(digest(play(scenario('A01'), { start: 1_800_000_000 }))).not.toBe(one)
  })
})

describe('recording (DESIGN 4.2)', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ribscope-simulator-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  test('A06: a second session of tor1a; offsets grow, times never fall, the last line has the size', async () => {
    expect(await writeScenario(folder, play(scenario('A06')))).toEqual([])
    const names = (await readdir(folder)).sort()
    expect(names).toContain('tor1a.2.bmp')
    expect(names).toContain('fabric.yaml')
    for (const name of names.filter((each) => each.endsWith('.times'))) {
      const { header, chunks, end } = readTimes(await readFile(join(folder, name), 'utf8'))
      const bmp = await readFile(join(folder, name.replace('.times', '.bmp')))
      expect(header.source).toMatch(/^127\.0\.2\.\d+$/)
      expect(chunks[0]?.offset).toBe(0)
      expect(end.offset).toBe(bmp.length)
      const offsets = [...chunks.map(({ offset }) => offset), end.offset]
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
      const times = [Number(header.opened), ...chunks.map(({ at }) => at), end.at]
      expect(times).toEqual([...times].sort((a, b) => a - b))
      expect(end.how).toBe(name === 'tor1a.times' ? 'rst' : 'stop')
      expect(header.session).toBe(name === 'tor1a.2.times' ? '2' : '1')
    }
    const first = readTimes(await readFile(join(folder, 'tor1a.times'), 'utf8'))
    const second = readTimes(await readFile(join(folder, 'tor1a.2.times'), 'utf8'))
    expect(Number(second.header.opened) - first.end.at).toBe(60)
  })

  test('a folder with another recording in it is left alone', async () => {
    await writeFile(join(folder, 'other.bmp'), '')
    expect(await writeScenario(folder, play(scenario('A06')))).toEqual(['other.bmp'])
  })
})

interface Times {
  readonly header: Record<string, string>
  readonly chunks: { offset: number; at: number }[]
  readonly end: { offset: number; at: number; how: string }
}

/** An independent reader of the format, as the design describes it. */
function readTimes(text: string): Times {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  expect(head).toMatch(/^# bmp-times 1 router=\S+ session=\d+ source=\S+ opened=\d+\.\d{6}$/)
  const header = Object.fromEntries(
    head.split(' ').flatMap((word) => {
      const [key, value] = word.split('=')
      return key !== undefined && value !== undefined ? [[key, value]] : []
    }),
  ) as Record<string, string>
  const last = /^(\d+) (\d+\.\d{6}) end=(fin|rst|stop)$/.exec(lines.at(-1) ?? '')
  expect(last).not.toBeNull()
  const chunks = lines.slice(0, -1).map((line) => {
    const [offset, at] = line.split(' ').map(Number)
    return { offset: offset ?? NaN, at: at ?? NaN }
  })
  return {
    header,
    chunks,
    end: { offset: Number(last?.[1]), at: Number(last?.[2]), how: last?.[3] ?? '' },
  }
}
