import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedStore } from '../embedded.ts'
import type { EmbeddedStore } from '../embedded.ts'
import type { StoreSession } from '../store.ts'
import { nativeOfRevision } from './native.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-native-'))
let store: EmbeddedStore
let db: StoreSession

beforeAll(async () => {
  store = await openEmbeddedStore({ dataDir })
  db = await store.plainSession('test', { session_timezone: 'UTC' })
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const native = async (query: string): Promise<Buffer> =>
  Buffer.from((await db.queryBytes(query, 'Native')).body)

/** From this revision on there is an octet behind the type of each column. */
const CUSTOM = 54_454
/** What NativeWriter.cpp puts before a block for a client that has a revision. */
const BLOCK_INFO = Buffer.from('0100 02ffffffff 00'.replaceAll(' ', ''), 'hex')

const EXPRESSIONS = [
  'toUInt8(number)',
  'toInt16(number)',
  'toUInt32(number)',
  'number',
  'toInt128(number)',
  'toUInt256(number)',
  'number / 3',
  'toFloat32(number)',
  'number % 2 = 0',
  'toString(number)',
  "repeat('x', number)",
  'toFixedString(toString(number % 10), 3)',
  'toDate(number)',
  'toDate32(number)',
  "toDateTime(number, 'UTC')",
  "toDateTime64(number, 6, 'Europe/Berlin')",
  'toDecimal32(number, 2)',
  'toDecimal64(number, 2)',
  'toDecimal128(number, 2)',
  'toDecimal256(number, 2)',
  "toIPv4('192.0.2.1')",
  "toIPv6('2001:db8::1')",
  'generateUUIDv4()',
  "CAST(number % 2, 'Enum8(\\'a, b)\\' = 0, \\'it\\\\\\'s (\\' = 1)')",
  "CAST(number % 2 * 1000, 'Enum16(\\'a\\' = 0, \\'b\\' = 1000)')",
  'if(number % 2 = 0, NULL, number)',
  'toNullable(toString(number))',
  "if(number % 2 = 0, NULL, '')",
  'range(number % 4)',
  'arrayMap(x -> toString(x), range(number % 4))',
  'arrayMap(x -> range(x), range(number % 4))',
  'emptyArrayString()',
  "if(number % 2 = 0, [NULL], [toNullable('x')])",
  "map('k', number)",
  "mapFromArrays(range(number % 3), arrayMap(x -> ['y'], range(number % 3)))",
  "tuple(number, 'x', [number])",
  "CAST(tuple(number, 'x'), 'Tuple(a UInt64, `b c` String)')",
  'toLowCardinality(toString(number % 3))',
  'toLowCardinality(toString(number))',
  'toLowCardinality(if(number % 2 = 0, NULL, toString(number)))',
  "[toLowCardinality('x')]",
  'arrayMap(x -> toLowCardinality(toString(x)), range(number % 3))',
  "CAST([], 'Array(LowCardinality(String))')",
  "tuple(toLowCardinality('x'), number)",
  "map(toLowCardinality('k'), number)",
  'toIntervalDay(number)',
  'NULL',
  '[]',
  "CAST(number, 'SimpleAggregateFunction(sum, UInt64)')",
]

describe('Native for a revision', () => {
  // What the columns are is known from the engine's answers with one column each: nothing is walked over here.
  test.each([0, 1, 7, 300])('%i rows of every type', async (rows) => {
    const from = `FROM (SELECT * FROM numbers(${rows}))`
    const list = EXPRESSIONS.filter((each) => each !== 'generateUUIDv4()').map(
      (each, i) => `${each} AS c${i}`,
    )
    const all = await native(`SELECT ${list.join(', ')} ${from}`)
    if (rows === 0) {
      expect(all.length).toBe(0)
      expect(nativeOfRevision(all, CUSTOM)).toHaveLength(0)
      return
    }
    const counts = rows < 128 ? [rows] : [(rows & 127) | 128, rows >> 7]
    const columns: Buffer[] = []
    for (const each of list) {
      const one = (await native(`SELECT ${each} ${from}`)).subarray(1 + counts.length)
      const nameEnd = 1 + (one[0] ?? 0)
      // Types of this list are shorter than 128 octets.
      const typeEnd = nameEnd + 1 + (one[nameEnd] ?? 0)
      columns.push(one.subarray(0, typeEnd), Buffer.from([0]), one.subarray(typeEnd))
    }
    const head = Buffer.from([list.length, ...counts])
    expect(all.equals(Buffer.concat([head, ...columns.filter((_, i) => i % 3 !== 1)]))).toBe(true)
    expect(
      Buffer.from(nativeOfRevision(all, CUSTOM)).equals(
        Buffer.concat([BLOCK_INFO, head, ...columns]),
      ),
    ).toBe(true)
    const without = columns.filter((_, i) => i % 3 !== 1)
    expect(
      Buffer.from(nativeOfRevision(all, CUSTOM - 1)).equals(
        Buffer.concat([BLOCK_INFO, head, ...without]),
      ),
    ).toBe(true)
    expect(nativeOfRevision(all, 0)).toBe(all)
  })

  test('every block of many', async () => {
    const all = await native(
      'SELECT number, toString(number) AS s, toLowCardinality(toString(number % 9)) AS l, range(number % 3) AS a FROM numbers(300000)',
    )
    const coded = nativeOfRevision(all, CUSTOM)
    const blocks = (coded.length - all.length) / (BLOCK_INFO.length + 4)
    expect(Number.isInteger(blocks)).toBe(true)
    expect(blocks).toBeGreaterThan(1)
  })

  test('a type that is not known is said, never guessed', async () => {
    const all = await native('SELECT sumState(number) AS s FROM numbers(3)')
    expect(() => nativeOfRevision(all, CUSTOM)).toThrow(
      /type AggregateFunction .* is not supported/,
    )
  })

  test('a block that was cut', async () => {
    const all = await native('SELECT number, toString(number) AS s FROM numbers(3)')
    for (let size = 1; size < all.length; size++) {
      expect(() => nativeOfRevision(all.subarray(0, size), CUSTOM)).toThrow(/not understood/)
    }
  })
})
