/** Recordings of the lab in this repository: what FRR and GoBGP send, on machines that have neither. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { BmpFramer } from '@ribscope/wire'

const FIXTURES = fileURLToPath(new URL('fixtures/lab/', import.meta.url))
const scenarios = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)

const read = (...path: string[]): Buffer => readFileSync(join(FIXTURES, ...path))

test('every file is the one that SHA256SUMS names, and no other is there', () => {
  const sums = read('SHA256SUMS')
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('  '))
  const files = scenarios.flatMap((name) =>
    readdirSync(join(FIXTURES, name)).map((file) => `${name}/${file}`),
  )
  expect(sums.map(([, file]) => file).sort()).toEqual(files.sort())
  for (const [sum, file = ''] of sums) {
    expect(createHash('sha256').update(read(file)).digest('hex'), file).toBe(sum)
  }
})

describe.each(scenarios)('%s', (name) => {
  const sessions = readdirSync(join(FIXTURES, name)).filter((file) => file.endsWith('.bmp'))

  test.each(sessions)('%s: framed to the last octet, whatever the chunks', (file) => {
    const bytes = read(name, file)
    const frame = (size: number): number[] => {
      const starts: number[] = []
      const framer = new BmpFramer((_message, _start, _end, offset) => starts.push(offset))
      for (let at = 0; at < bytes.length; at += size) framer.push(bytes.subarray(at, at + size))
      expect(framer.pending).toBe(0)
      return starts
    }
    const whole = frame(bytes.length)
    expect(whole.length).toBeGreaterThan(10)
    expect(frame(1448)).toEqual(whole)
    expect(frame(7)).toEqual(whole)
  })

  test.each(sessions)('%s: .times covers it', (file) => {
    const lines = read(name, file.replace(/bmp$/, 'times')).toString('utf8').trim().split('\n')
    expect(lines[0]).toMatch(/^# bmp-times 1 router=\w+ session=1 source=10\.213\.\d+\.\d+ opened=/)
    const rows = lines.slice(1).map((line) => line.split(' ').slice(0, 2).map(Number))
    for (const column of [0, 1]) {
      const values = rows.map((row) => row[column] ?? NaN)
      expect(values).toEqual([...values].sort((a, b) => a - b))
    }
    expect(lines.at(-1)).toMatch(new RegExp(`^${read(name, file).length} \\d+\\.\\d{6} end=stop$`))
  })

  test('says what was done', () => {
    expect(existsSync(join(FIXTURES, name, 'fabric.yaml'))).toBe(true)
    const truth = JSON.parse(read(name, 'truth.json').toString('utf8'))
    expect(truth.expectNot.length).toBeGreaterThan(20)
    expect(truth.ended).toBeGreaterThan(truth.started)
  })
})
