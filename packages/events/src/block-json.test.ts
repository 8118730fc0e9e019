/** Blocks of the bus read back: the same lines as JsonSink makes of the same octets; and nothing that a stranger sends does harm. */
import fc from 'fast-check'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { rowsOfBlocks, VIEW_OF } from './block-json.ts'
import { JSON_TABLES, JsonSink } from './json-sink.ts'
import { NativeError } from './native-reader.ts'
import { NativeSink } from './native-sink.ts'
import { RouterSession } from './session.ts'
import type { Batch, RowSink, Table } from './sink.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const FOLDERS = ['test/fixtures/lab', '../shared/lab/recordings', '../shared/vectors']
const MAX_OCTETS = 1 << 17

function streams(): string[] {
  return FOLDERS.map((name) => join(root, name))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.bmp'))
        .map((entry) => join(entry.parentPath, entry.name)),
    )
    .sort()
}

const T0 = 1_800_000_000_000_000

function run(octets: Uint8Array, out: RowSink): void {
  const session = new RouterSession({ collector: 'c', source: '192.0.2.9', openedUs: T0, out })
  session.push(octets, T0)
  session.end('fin', T0 + 7e6)
}

function batchesOf(octets: Uint8Array): { readonly table: Table; readonly body: Uint8Array }[] {
  const batches: Batch[] = []
  const sink = new NativeSink({ maxRows: 500, onBatch: (batch) => batches.push(batch) })
  run(octets, sink)
  sink.flush()
  // This sink makes no others.
  return batches.map(({ table, body }) => ({ table: table as Table, body }))
}

const seqOf = (line: string): number => Number(/"seq":(\d+)/.exec(line)?.[1])

function linesOf(octets: Uint8Array): string[] {
  const lines: string[] = []
  const out = new JsonSink({
    write: (bytes) => lines.push(...new TextDecoder().decode(bytes).trimEnd().split('\n')),
    tables: new Set(JSON_TABLES),
    withTable: true,
  })
  run(octets, out)
  out.flush()
  return lines.sort((a, b) => seqOf(a) - seqOf(b))
}

describe('blocks as JSON', () => {
  test('every stream at hand: line for line what decode prints', { timeout: 60_000 }, () => {
    const tables = new Map<string, number>()
    const all = streams()
    expect(all.length).toBeGreaterThan(20)
    for (const file of all) {
      const octets = new Uint8Array(readFileSync(file)).subarray(0, MAX_OCTETS)
      const read = batchesOf(octets).flatMap(({ table, body }) => {
        const rows = [...rowsOfBlocks(table, body)]
        tables.set(table, (tables.get(table) ?? 0) + rows.length)
        for (const row of rows.slice(0, 5)) {
          const { peer_addr, prefix } = JSON.parse(row.json()) as Record<string, unknown>
          if (table === 'route_log') expect([row.peer, row.prefix]).toEqual([peer_addr, prefix])
        }
        return rows.map((row) => row.json())
      })
      const lines = linesOf(octets)
      const mine = read.sort((a, b) => seqOf(a) - seqOf(b))
      for (const [i, line] of lines.entries())
        if (line !== mine[i]) expect(mine[i], file).toBe(line)
      expect(mine.length, file).toBe(lines.length)
    }
    expect([...tables.keys()].sort()).toEqual(Object.keys(VIEW_OF).sort())
  })

  test('octets that are changed, cut or made up: an error of its own, or rows', () => {
    const file = streams().find((name) => name.includes('vm-move')) ?? ''
    const batches = batchesOf(new Uint8Array(readFileSync(file)).subarray(0, 20_000))
    expect(batches.length).toBeGreaterThan(2)
    let refused = 0
    fc.assert(
      fc.property(
        fc.nat(batches.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (which, changes, cut) => {
          const { table, body } = batches[which]!
          const bad = body.slice(0, cut % 3 === 0 ? cut % body.length : body.length)
          // Half of them where names, types and sizes are.
          for (const [at, octet] of changes) bad[at % (octet % 2 === 0 ? 400 : bad.length)] = octet
          try {
            for (const row of rowsOfBlocks(table, bad)) JSON.parse(row.json())
          } catch (error) {
            if (!(error instanceof NativeError)) throw error
            refused++
          }
        },
      ),
      { numRuns: 300 },
    )
    expect(refused).toBeGreaterThan(100)
  })

  test.each([
    ['rows without columns', [0, 255, 255, 255, 255, 15]],
    ['more rows than octets', [1, 255, 255, 255, 255, 15, 1, 0x61, 5, ...Buffer.from('UInt8')]],
    ['a type that nobody writes', [1, 1, 1, 0x61, 4, ...Buffer.from('JSON'), 0, 0]],
    ['types within types', [1, 1, 1, 0x61, 242, 7, ...Buffer.from('Array('.repeat(163))]],
    ['a size without end', new Array<number>(20).fill(255)],
  ])('%s', (_, octets) => {
    expect(() => [...rowsOfBlocks('stats_log', Uint8Array.from(octets))]).toThrow(NativeError)
  })
})
