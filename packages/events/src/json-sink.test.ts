/** Lists of any length: the sink makes room for each, and writes beyond no buffer. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonSink } from './json-sink.ts'
import { RouterSession } from './session.ts'

const OPENED_US = 1_700_000_000_000_000

function u16(n: number): number[] {
  return [n >> 8, n & 255]
}

/** `count` elements of `octets` octets, all ones: the longest texts. */
function ones(count: number, octets: number): number[] {
  return Array<number>(count * octets).fill(255)
}

function attribute(flags: number, type: number, value: readonly number[]): number[] {
  return value.length === 0 ? [] : [flags | 0x10, type, ...u16(value.length), ...value]
}

function bmpUpdate(attributes: readonly number[], nlri: readonly number[]): Uint8Array {
  const update = [0, 0, ...u16(attributes.length), ...attributes, ...nlri]
  const bgp = [...ones(16, 1), ...u16(19 + update.length), 2, ...update]
  const peer = [...Array<number>(22).fill(0), 192, 0, 2, 1, 0, 0, 0xfd, 0xe8, 192, 0, 2, 1]
  const bytes = Uint8Array.from([3, 0, 0, 0, 0, 0, ...peer, ...Array<number>(8).fill(0), ...bgp])
  new DataView(bytes.buffer).setUint32(1, bytes.length)
  return bytes
}

interface Row {
  readonly as_path: unknown[]
  readonly communities: unknown[]
  readonly ext_communities: unknown[]
  readonly large_communities: unknown[]
  readonly cluster_list: unknown[]
  readonly nlri: string
  readonly seq: number
}

const count = fc.oneof(fc.nat(3), fc.nat(60), fc.nat(600))

test('every list has its elements, whatever the lengths of the others', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          asns: fc.oneof(fc.nat(3), fc.nat(250)),
          communities: count,
          extended: count,
          large: count,
          clusters: count,
          unknownFamily: fc.boolean(),
          routes: fc.integer({ min: 1, max: 40 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      (updates) => {
        const lines: string[] = []
        const decoder = new TextDecoder()
        const sink = new JsonSink({ write: (text) => void lines.push(decoder.decode(text)) })
        const session = new RouterSession({
          collector: 'x',
          source: '192.0.2.1',
          openedUs: OPENED_US,
          out: sink,
        })
        for (const update of updates) {
          const { asns, communities, extended, large, clusters, routes } = update
          const prefixes = Array.from({ length: routes }, (_, i) => [32, 203, 0, 113, i]).flat()
          session.push(
            bmpUpdate(
              [
                ...attribute(0x40, 1, [0]),
                ...attribute(0x40, 2, asns === 0 ? [] : [2, asns, ...ones(asns, 4)]),
                ...attribute(0xc0, 8, ones(communities, 4)),
                ...attribute(0x80, 10, ones(clusters, 4)),
                ...attribute(0x80, 14, update.unknownFamily ? [0x7f, 1, 99, 0, 0, 1, 2, 3] : []),
                ...attribute(0xc0, 16, ones(extended, 8)),
                ...attribute(0xc0, 32, ones(large, 12)),
              ],
              prefixes,
            ),
            OPENED_US,
          )
        }
        sink.flush()
        session.end('fin', OPENED_US)
        const rows = lines
          .join('')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Row)
        const expected = updates.flatMap((update) =>
          Array<typeof update>(update.routes + (update.unknownFamily ? 1 : 0)).fill(update),
        )
        expect(
          rows.map((row) => [
            row.as_path.length,
            row.communities.length,
            row.ext_communities.length,
            row.large_communities.length,
            row.cluster_list.length,
          ]),
        ).toEqual(
          expected.map((update) => [
            update.asns,
            update.communities,
            update.extended,
            update.large,
            update.clusters,
          ]),
        )
      },
    ),
    { numRuns: 150 },
  )
})
