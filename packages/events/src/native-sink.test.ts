import { describe, expect, test } from 'vitest'
import { BlockPool, NativeSink } from './native-sink.ts'
import { RouterSession } from './session.ts'
import type { Batch } from './sink.ts'
import { announce, initiation, peerUp } from './testing/bytes.ts'

const OPENED_US = 1_795_328_521_000_000

describe('batches', () => {
  test('say which rows they hold, also of blocks that were used before', () => {
    const batches: Batch[] = []
    const sink = new NativeSink({ pool: new BlockPool(), maxRows: 50 })
    const session = new RouterSession({
      collector: 'c',
      source: '10.0.0.1',
      openedUs: OPENED_US,
      out: sink,
    })
    const push = (...octets: number[]): void => {
      session.push(Uint8Array.from(octets), OPENED_US + 1)
      batches.push(...sink.flush())
    }
    push(...initiation('tor1'), ...peerUp({}))
    for (let i = 0; i < 5; i++) {
      const prefixes = Array.from({ length: 30 }, (_, j) => `10.${i}.${j}.0/24`)
      push(...announce({}, ...prefixes))
    }
    const seqs = batches.flatMap(({ firstSeq, lastSeq, rows }) => {
      expect(lastSeq - firstSeq + 1).toBe(rows)
      return Array.from({ length: rows }, (_, i) => firstSeq + i)
    })
    expect(seqs).toEqual(Array.from({ length: session.rows }, (_, i) => i + 1))
    expect(seqs.length).toBe(153)
  })
})
