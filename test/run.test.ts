/** The frame of the tests themselves: what is skipped is named, what fails is counted. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ribscope-run-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a test file of its own; returns what was printed and the counted line. */
function runTests(source: string): { out: string; code: number; result: string } {
  const report = join(folder, 'report.json')
  writeFileSync(join(folder, 'sample.spec.ts'), source)
  const done = spawnSync(
    process.execPath,
    [
      at('../node_modules/vitest/vitest.mjs'),
      'run',
      `--root=${folder}`,
      '--globals',
      '--reporter=json',
      `--outputFile.json=${report}`,
      `--reporter=${at('skipped.ts')}`,
    ],
    { encoding: 'utf8', env: { ...process.env, VITEST: undefined, NO_COLOR: '1' } },
  )
  const code = done.status ?? -1
  return { out: done.stdout + done.stderr, code, result: count(code, report) }
}

function count(code: number, report: string): string {
  const done = spawnSync(process.execPath, [at('result.mjs'), String(code), report], {
    encoding: 'utf8',
  })
  return done.stdout.trimEnd().split('\n').at(-1) ?? ''
}

describe('npm test', () => {
  test('names what was skipped, with the reason', () => {
    const { out, code, result } = runTests(`
      test('runs', () => {})
      test('with a note', (ctx) => ctx.skip('the lab needs root'))
      describe.skip('bird (not installed)', () => {
        describe('inner', () => { test('one', () => {}); test('two', () => {}) })
      })
      test.skip('a test skipped by name', () => {})
    `)
    expect(code).toBe(0)
    expect(out).toContain(
      [
        'Not tested here: 4',
        '  sample.spec.ts',
        '    1 skipped: the lab needs root',
        '    2 skipped: bird (not installed)',
        '    1 skipped: a test skipped by name',
      ].join('\n'),
    )
    expect(result).toBe('1 passed, 0 failed, 4 skipped')
  })

  test('counts a failed test', () => {
    const { code, result } = runTests(`
      test('good', () => {})
      test('bad', () => expect(1).toBe(2))
    `)
    expect(code).toBe(1)
    expect(result).toBe('1 passed, 1 failed')
  })

  test('counts a file that does not load, and a run without a report, as failures', () => {
    const { code, result } = runTests(`throw new Error('at import')`)
    expect(code).toBe(1)
    expect(result).toBe('0 passed, 1 failed')
    expect(count(1, join(folder, 'no-such-report.json'))).toBe('0 passed, 1 failed')
    expect(count(0, join(folder, 'no-such-report.json'))).toBe('0 passed, 1 failed')
  })
})
