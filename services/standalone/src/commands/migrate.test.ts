import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Value } from '../command.ts'
import { command } from './migrate.ts'

async function run(values: Record<string, Value>): Promise<string> {
  let out = ''
  const stdout = new Writable({
    write(chunk: Buffer, _, done) {
      out += chunk.toString()
      done()
    },
  })
  const signal = new AbortController().signal
  expect(await command.run({ values, positionals: [], stdout, stderr: stdout, signal })).toBe(0)
  return out
}

describe('migrate --print', () => {
  test('a cluster: the name where it belongs, once each', async () => {
    const sql = await run({ cluster: 'east-1', print: true })
    expect(sql).toContain('CREATE DATABASE IF NOT EXISTS ribscope ON CLUSTER `east-1`')
    expect(sql).toContain(
      "ENGINE = Distributed('east-1', 'ribscope', 'route_log_local', cityHash64(router))",
    )
    // Views of the detectors are part of the schema.
    expect(sql).toContain('CREATE OR REPLACE VIEW ribscope.ecmp_candidates ON CLUSTER `east-1`')
  })

  test('one node: the statements as they are', async () => {
    const sql = await run({ print: true })
    expect(sql).toContain('CREATE TABLE IF NOT EXISTS ribscope.route_log\n')
    expect(sql).not.toContain('CLUSTER')
  })
})

describe('mistakes are exit 2, in one line', () => {
  test.each(['', 'a b', 'a`b', "a'b", 'a;b', '-a', 'a\nb', '{cluster}', 'a'.repeat(65)])(
    'cluster %j',
    async (cluster) => {
      const failed: unknown = await command
        .run({
          values: { cluster, print: true },
          positionals: [],
          stdout: process.stdout,
          stderr: process.stderr,
          signal: new AbortController().signal,
        })
        .catch((error: unknown) => error)
      expect(failed).toMatchObject({ name: 'UsageError', exitCode: 2 })
      expect((failed as Error).message).toMatch(/^--cluster: not a cluster name: [^\n]+$/)
    },
  )

  test('a cluster of an embedded store', async () => {
    await expect(run({ cluster: 'main', data: 'x' })).rejects.toMatchObject({ exitCode: 2 })
  })
})
