/** Recordings of real daemons, and other projects' streams where they are at hand. */
import fc from 'fast-check'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { CountSink } from './count-sink.ts'
import { JSON_TABLES, JsonSink } from './json-sink.ts'
import { NativeSink } from './native-sink.ts'
import { RouterSession } from './session.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const OWN = join(root, 'test/fixtures/lab')
const SHARED = ['lab/recordings', 'vectors'].map((name) => join(root, '../shared', name))

function bmpFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.bmp'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Not a Buffer: its slices would be views. */
const octetsOf = (file: string): Uint8Array => new Uint8Array(readFileSync(file))

const T0 = 1_800_000_000_000_000

/** @param cuts where TCP cut the stream */
function linesOf(octets: Uint8Array, cuts: readonly number[]): string[] {
  const lines: string[] = []
  const decoder = new TextDecoder()
  const out = new JsonSink({
    write: (bytes) => lines.push(decoder.decode(bytes)),
    tables: new Set(JSON_TABLES),
    withTable: true,
  })
  const session = new RouterSession({ collector: 'c', source: '192.0.2.9', openedUs: T0, out })
  let from = 0
  for (const to of [...cuts, octets.length]) {
    // A buffer that is used again, as a socket's or a file's may be.
    const chunk = octets.slice(from, to)
    session.push(chunk, T0)
    chunk.fill(0xee)
    from = to
  }
  session.end('fin', T0)
  out.flush()
  return lines.join('').split('\n')
}

/**
 * NLRI of a stream, counted with nothing of the code under test: fields of UPDATEs walked by their lengths
 * alone. Without path identifiers, and without families that have no lengths to walk by.
 */
function countNlri(octets: Uint8Array): { announced: number; withdrawn: number } {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
  let announced = 0
  let withdrawn = 0
  const walk = (from: number, to: number, size: (at: number) => number): number => {
    let n = 0
    for (let at = from; at < to; at += size(at)) n++
    return n
  }
  const byBits = (at: number): number => 1 + Math.ceil(view.getUint8(at) / 8)
  const evpn = (at: number): number => 2 + view.getUint8(at + 1)
  for (let at = 0; at < octets.length; at += view.getUint32(at + 1)) {
    if (view.getUint8(at + 5) !== 0) continue
    const update = at + 48
    const end = update + view.getUint16(update + 16)
    const attributes = update + 21 + view.getUint16(update + 19) + 2
    withdrawn += walk(update + 21, attributes - 2, byBits)
    const nlri = attributes + view.getUint16(attributes - 2)
    announced += walk(nlri, end, byBits)
    for (let q = attributes; q < nlri;) {
      const long = (view.getUint8(q) & 0x10) !== 0
      const type = view.getUint8(q + 1)
      const length = long ? view.getUint16(q + 2) : view.getUint8(q + 2)
      const value = q + (long ? 4 : 3)
      q = value + length
      if (type !== 14 && type !== 15) continue
      const form = view.getUint16(value) === 25 ? evpn : byBits
      if (type === 15) withdrawn += walk(value + 3, q, form)
      else announced += walk(value + 5 + view.getUint8(value + 3), q, form)
    }
  }
  return { announced, withdrawn }
}

const own = bmpFiles(OWN)
const shared = bmpFiles(SHARED[0]!)
const recordings = [...own, ...shared]

describe('every NLRI is one row', () => {
  test.each(recordings.map((file) => [relative(root, file), file]))('%s', (_, file) => {
    const octets = octetsOf(file)
    const expected = countNlri(octets)
    for (const out of [new CountSink(), new NativeSink()]) {
      const session = new RouterSession({ collector: 'c', source: '192.0.2.9', openedUs: T0, out })
      session.push(octets, T0)
      expect(session.counters).toMatchObject({ ...expected, errors: session.counters.errors })
      expect(session.pending).toBe(0)
      if (!(out instanceof NativeSink)) continue
      const batches = out.flush()
      const rows = batches.filter(({ table }) => table === 'route_log')
      expect(rows.reduce((sum, batch) => sum + batch.rows, 0)).toBe(
        expected.announced + expected.withdrawn,
      )
      expect(batches.reduce((sum, batch) => sum + batch.rows, 0)).toBe(session.rows)
    }
  })

  test('also those of ../shared/lab', (ctx) => {
    if (shared.length === 0) ctx.skip('../shared/lab/recordings is not there')
    expect(shared.length).toBeGreaterThan(50)
  })
})

describe('rows do not depend on where TCP cut the stream', () => {
  const streams = [...own.slice(0, 3), ...bmpFiles(SHARED[1]!)].filter(
    (file) => octetsOf(file).length < 60_000,
  )
  test.each(streams.map((file) => [relative(root, file), file]))('%s', (_, file) => {
    const octets = octetsOf(file)
    const whole = linesOf(octets, [])
    fc.assert(
      fc.property(fc.array(fc.nat(octets.length), { maxLength: 60 }), (cuts) => {
        expect(
          linesOf(
            octets,
            cuts.sort((a, b) => a - b),
          ),
        ).toEqual(whole)
      }),
      { numRuns: 8 },
    )
  })
})

describe('hostile octets', () => {
  const octets = octetsOf(own.find((file) => file.endsWith('rr1.bmp')) ?? own[0]!)

  test('any change to a stream gives rows or errors, never a throw', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(octets.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 }),
        (changes) => {
          const bytes = new Uint8Array(octets)
          for (const [at, value] of changes) bytes[at] = value
          const lines = linesOf(bytes, [])
          for (const line of lines) if (line !== '') JSON.parse(line)
          const out = new NativeSink()
          const session = new RouterSession({
            collector: 'c',
            source: '1.2.3.4',
            openedUs: T0,
            out,
          })
          session.push(bytes, T0)
          session.tick(T0 + 1e9)
          session.end('rst', T0 + 1e9)
          out.flush()
        },
      ),
      { numRuns: 300 },
    )
  })

  test('an UPDATE of 64 KiB that would make a gigabyte of rows does not', () => {
    const path = new Array<number>(255).fill(0).flatMap((_, i) => [0, 0, 1, i])
    const segments = new Array<number[]>(31).fill([2, 255, ...path]).flat()
    const attributes = [0x50, 2, segments.length >> 8, segments.length & 255, ...segments]
    const room = 65_535 - 23 - attributes.length
    const body = [
      ...[0, 0, attributes.length >> 8, attributes.length & 255, ...attributes],
      ...new Array<number>(room).fill(0),
    ]
    const length = 48 + 19 + body.length
    const message = [
      ...[3, 0, length >> 16, (length >> 8) & 255, length & 255, 0],
      ...new Array<number>(42).fill(0),
      ...new Array<number>(16).fill(255),
      ...[(19 + body.length) >> 8, (19 + body.length) & 255, 2],
      ...body,
    ]
    let octetsOut = 0
    const out = new NativeSink({ onBatch: (batch) => (octetsOut += batch.body.length) })
    const session = new RouterSession({ collector: 'c', source: '1.2.3.4', openedUs: T0, out })
    session.push(Uint8Array.from(message), T0)
    for (const batch of out.flush()) octetsOut += batch.body.length
    expect(session.counters.announced).toBe(room)
    expect(octetsOut).toBeLessThan(32 << 20)
    expect(session.counters.errors).toBeGreaterThan(0)
  })
})
