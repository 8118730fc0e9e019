import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  RecordingWriter,
  listRecordings,
  openRecording,
  readRecording,
  recordingName,
} from './recording.ts'
import type { RecordedChunk } from './recording.ts'
import { initiation, peerUp } from './testing/bytes.ts'
import { timeline } from './timeline.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ribscope-recording-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const put = (name: string, content: string | Uint8Array): Promise<void> =>
  writeFile(join(folder, name), content)

async function chunksOf(path: string): Promise<[offset: number, text: string, seconds: number][]> {
  const chunks: RecordedChunk[] = []
  for await (const chunk of readRecording(await openRecording(path))) chunks.push(chunk)
  return chunks.map(({ offset, chunk, rxUs }) => [
    offset,
    Buffer.from(chunk).toString(),
    rxUs / 1e6,
  ])
}

const HEAD = '# bmp-times 1 router=tor1 session=1 source=127.0.1.11 opened=1000.000001\n'

describe('reading', () => {
  test('each chunk with its time', async () => {
    await put('tor1.bmp', 'abcdef')
    await put('tor1.times', `${HEAD}0 1000.5\n2 1001.25\n5 1002\n6 1003.5 end=fin\n`)
    expect(await chunksOf(join(folder, 'tor1.bmp'))).toEqual([
      [0, 'ab', 1000.5],
      [2, 'cde', 1001.25],
      [5, 'f', 1002],
    ])
    expect(await openRecording(join(folder, 'tor1.bmp'))).toMatchObject({
      router: 'tor1',
      session: 1,
      source: '127.0.1.11',
      openedUs: 1_000_000_001,
      end: 'fin',
      endUs: 1_003_500_000,
      size: 6,
    })
  })

  test('no last line: the recording ended, the session did not', async () => {
    await put('tor1.bmp', 'abc')
    await put('tor1.times', `${HEAD}0 1000.5\n`)
    expect(await openRecording(join(folder, 'tor1.bmp'))).toMatchObject({ end: 'stop' })
    expect(await chunksOf(join(folder, 'tor1.bmp'))).toEqual([[0, 'abc', 1000.5]])
  })

  test('times that run backwards do not: one session is in order', async () => {
    await put('tor1.bmp', 'ab')
    await put('tor1.times', `${HEAD}0 1005\n1 1004\n`)
    expect((await chunksOf(join(folder, 'tor1.bmp'))).map(([, , at]) => at)).toEqual([1005, 1005])
  })

  test('without .times: the first BMP timestamp that is not zero, else 2000', async () => {
    const up = peerUp({ seconds: 1_700_000_000 })
    await put('a.bmp', Uint8Array.from([...initiation('a'), ...peerUp({ seconds: 0 }), ...up]))
    await put('b.bmp', Uint8Array.from(initiation('b')))
    const [a, b] = await listRecordings([folder])
    expect(a).toMatchObject({ router: 'a', openedUs: 1_700_000_000e6, end: 'stop' })
    expect(b).toMatchObject({ router: 'b', openedUs: 946_684_800e6, endUs: 946_684_800e6 })
  })

  test('large chunks come in pieces of one time', async () => {
    await put('tor1.bmp', new Uint8Array(1_000_000))
    await put('tor1.times', `${HEAD}0 1000\n900000 1001\n`)
    const chunks = await chunksOf(join(folder, 'tor1.bmp'))
    expect(chunks.length).toBeGreaterThan(4)
    expect(chunks.reduce((sum, [, text]) => sum + text.length, 0)).toBe(1_000_000)
    expect(chunks.filter(([, , at]) => at === 1001).map(([offset]) => offset)[0]).toBe(900_000)
  })

  test('lists folders and files, by router and session; other files are ignored', async () => {
    for (const name of ['tor2.bmp', 'tor1.2.bmp', 'tor1.bmp', 'truth.json', '10.0.0.1.bmp']) {
      await put(name, '')
    }
    const found = await listRecordings([folder])
    expect(found.map(({ router, session }) => [router, session])).toEqual([
      ['10.0.0.1', 1],
      ['tor1', 1],
      ['tor1', 2],
      ['tor2', 1],
    ])
  })

  test.each([
    ['no such file', 'x.bmp', undefined, /x\.bmp: no such file or folder$/],
    ['no header', 'x.bmp', 'hello\n', /x\.times:1: not a '# bmp-times 1' line: "hello"$/],
    ['no opened', 'x.bmp', '# bmp-times 1 router=x\n', /x\.times:1: opened= is missing/],
    ['an end that is none', 'x.bmp', `${HEAD}0 1000\n3 1001 end=boom\n`, /end="boom" is none of/],
    ['an end elsewhere', 'x.bmp', `${HEAD}2 1001 end=fin\n`, /end at 2, the \.bmp has 3 octets$/],
  ])('refuses %s, naming file and line', async (_, name, times, message) => {
    if (times !== undefined) {
      await put('x.bmp', 'abc')
      await put('x.times', times)
    }
    await expect(openRecording(join(folder, name))).rejects.toThrow(message)
  })

  test.each([
    ['backwards', `${HEAD}0 1000\n2 1001\n1 1002\n`, /x\.times:4: offset 1 is before 2$/],
    ['past the end', `${HEAD}0 1000\n9 1001\n`, /x\.times:3: offset 9 is past the \.bmp/],
    ['no offset', `${HEAD}0 1000\nzero 1001\n0 1002\n`, /x\.times:3: not OFFSET SECONDS/],
  ])('refuses offsets that are %s', async (_, times, message) => {
    await put('x.bmp', 'abc')
    await put('x.times', times)
    await expect(chunksOf(join(folder, 'x.bmp'))).rejects.toThrow(message)
  })

  test('a folder without recordings is refused', async () => {
    await expect(listRecordings([folder])).rejects.toThrow(/no \.bmp file in this folder$/)
  })
})

describe('writing', () => {
  test.each([
    ['tor1', 'tor1'],
    ['../../etc/passwd', '192-0-2-1'],
    ['..', '192-0-2-1'],
    ['', '192-0-2-1'],
    ['a b/c\u0000d', 'abcd'],
    ['x'.repeat(200), 'x'.repeat(64)],
    ['.hidden', '192-0-2-1'],
  ])('file name of %j', (sysName, expected) => {
    expect(recordingName(sysName, '192.0.2.1').replaceAll('.', '-')).toBe(expected)
  })

  test('what is written is read; nothing is overwritten', async () => {
    const facts = { sysName: 'tor1', source: '127.0.1.11', openedUs: 1_800_000_000_000_001 }
    const first = await RecordingWriter.create(folder, facts)
    await first.write(Buffer.from('abc'), 1_800_000_000_500_000)
    await first.write(Buffer.from('de'), 1_800_000_001_000_000)
    await first.end('rst', 1_800_000_002_000_000)
    const second = await RecordingWriter.create(folder, facts)
    await second.end('stop', 1_800_000_003_000_000)
    expect(await readFile(join(folder, 'tor1.times'), 'utf8')).toBe(
      '# bmp-times 1 router=tor1 session=1 source=127.0.1.11 opened=1800000000.000001\n' +
        '0 1800000000.500000\n3 1800000001.000000\n5 1800000002.000000 end=rst\n',
    )
    const found = await listRecordings([folder])
    expect(found.map(({ session, end, size }) => [session, end, size])).toEqual([
      [1, 'rst', 5],
      [2, 'stop', 0],
    ])
    expect(await chunksOf(first.path)).toEqual([
      [0, 'abc', 1_800_000_000.5],
      [3, 'de', 1_800_000_001],
    ])
  })
})

describe('timeline', () => {
  test('one clock; ties by router, session, offset', async () => {
    const head = (router: string, session: number, opened: number) =>
      `# bmp-times 1 router=${router} session=${session} source=127.0.0.1 opened=${opened}\n`
    await put('b.bmp', '0123')
    await put('b.times', `${head('b', 1, 10)}0 12\n2 14\n4 15 end=fin\n`)
    await put('a.bmp', '01')
    await put('a.times', `${head('a', 1, 10)}0 12\n1 12\n2 13 end=rst\n`)
    await put('a.2.bmp', '0')
    await put('a.2.times', `${head('a', 2, 12)}0 14\n`)
    const recordings = await listRecordings([folder])
    const seen: string[] = []
    for await (const event of timeline(recordings)) {
      const { router, session } = recordings[event.track]!
      const what = event.kind === 'chunk' ? `@${event.offset}` : event.kind
      seen.push(`${event.us / 1e6} ${router}.${session} ${what}`)
    }
    expect(seen).toEqual([
      '10 a.1 open',
      '10 b.1 open',
      '12 a.1 @0',
      '12 a.1 @1',
      '12 a.2 open',
      '12 b.1 @0',
      '13 a.1 end',
      '14 a.2 @0',
      '14 a.2 end',
      '14 b.1 @2',
      '15 b.1 end',
    ])
  })

  test('two sessions of a router that opened at one instant have numbers of their own', async () => {
    for (const name of ['a.bmp', 'a.2.bmp', 'b.bmp']) await put(name, '')
    const numbers: number[] = []
    for await (const event of timeline(await listRecordings([folder]))) {
      if (event.kind === 'open') numbers.push(event.bmpSession - 946_684_800e6)
    }
    expect(numbers).toEqual([0, 1, 0])
  })

  test('a consumer that stops early leaves no file open', async () => {
    await put('a.bmp', 'x')
    for await (const event of timeline(await listRecordings([folder]))) {
      expect(event.kind).toBe('open')
      break
    }
  })
})
