import { describe, expect, test } from 'vitest'
import { JsonBatchSink } from './json-batches.ts'
import { JSON_TABLES, JsonSink } from './json-sink.ts'
import { RouterSession } from './session.ts'
import type { Batch, RowSink } from './sink.ts'
import { announce, initiation, peerDown, peerUp, statistics, withdraw } from './testing/bytes.ts'

const OPENED_US = 1_795_328_521_000_000

const STREAM = Uint8Array.from([
  ...initiation('tor1'),
  ...peerUp({}),
  ...Array.from({ length: 40 }, (_, i) =>
    announce({}, ...Array.from({ length: 250 }, (_, j) => `10.${i}.${j}.0/24`)),
  ).flat(),
  ...statistics({}, [0, 7]),
  ...withdraw({}, '10.0.0.0/24'),
  ...peerDown({}, 2, [0, 0]),
])

function play(out: RowSink): RouterSession {
  const session = new RouterSession({
    collector: 'c',
    source: '10.0.0.1',
    openedUs: OPENED_US,
    out,
  })
  session.push(STREAM, OPENED_US + 1)
  session.end('fin', OPENED_US + 2)
  return session
}

describe('batches of JSON lines', () => {
  test.each([900_000, 200_000, 1])('hold all rows in order, %i octets at most', (maxOctets) => {
    const text: string[] = []
    const plain = new JsonSink({
      tables: new Set(JSON_TABLES),
      write: (lines) => text.push(Buffer.from(lines).toString()),
    })
    play(plain)
    plain.flush()
    const batches: Batch[] = []
    const sink = new JsonBatchSink({ maxOctets, onBatch: (batch) => batches.push(batch) })
    const session = play(sink)
    expect(sink.pendingRows + batches.reduce((sum, { rows }) => sum + rows, 0)).toBe(session.rows)
    batches.push(...sink.flush())
    expect(sink.pendingRows).toBe(0)
    expect(sink.pendingOctets).toBe(0)
    expect(Buffer.concat(batches.map(({ body }) => body)).toString()).toBe(text.join(''))
    let seq = 1
    for (const { format, table, columns, firstSeq, lastSeq, rows, body } of batches) {
      const lines = Buffer.from(body).toString().trimEnd().split('\n')
      const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
      expect({ format, firstSeq, lastSeq, rows }).toEqual({
        format: 'json',
        firstSeq: seq,
        lastSeq: seq + lines.length - 1,
        rows: lines.length,
      })
      expect(parsed.map((row) => row['seq'])).toEqual(lines.map((_, i) => seq + i))
      for (const row of parsed) expect(Object.keys(row)).toEqual(columns)
      expect(JSON_TABLES).toContain(table)
      expect(columns.includes('nlri')).toBe(table === 'route_events')
      // The lines come from the encoder in pieces of 128 KiB.
      expect(body.length).toBeLessThanOrEqual(Math.max(maxOctets, 140_000))
      seq += lines.length
    }
    expect(new Set(batches.map(({ table }) => table)).size).toBe(3)
  })
})
