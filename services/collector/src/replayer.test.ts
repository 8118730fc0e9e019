import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RecordingWriter, listRecordings } from '@ribscope/events'
import { announce, initiation, peerUp } from '../../../packages/events/src/testing/bytes.ts'
import { createRecorder } from './recorder.ts'
import { replay } from './replayer.ts'
import { Harness, closed, send, until } from './testing/harness.ts'

const FIXTURE = fileURLToPath(new URL('../../../test/fixtures/lab/vip-flap', import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ribscope-replay-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const to = (address: { port: number } | undefined) => ({
  host: '127.0.0.1',
  port: address?.port ?? 0,
})

describe('record and replay', () => {
  test('what is played is what is recorded, octet for octet', async () => {
    const recorder = createRecorder({ host: '127.0.0.1', port: 0, folder })
    await recorder.start()
    const recordings = await listRecordings([FIXTURE])
    const seen: number[] = []
    const result = await replay({
      recordings,
      ...to(recorder.address),
      speed: Infinity,
      onProgress: ({ octets }) => seen.push(octets),
    })
    await recorder.stop()
    const total = recordings.reduce((sum, { size }) => sum + size, 0)
    expect(result).toEqual({ octets: total, sessions: recordings.length, failures: [] })
    expect(seen.at(-1)).toBe(total)
    const kept = await listRecordings([folder])
    expect(kept.map(({ router, source, size }) => [router, source, size])).toEqual(
      // Those of other machines come from this one.
      recordings.map(({ router, size }) => [router, '127.0.0.1', size]),
    )
    for (const [i, { path }] of recordings.entries()) {
      expect((await readFile(kept[i]!.path)).equals(await readFile(path))).toBe(true)
    }
  })

  test.each(['fin', 'rst'] as const)(
    'a session that ended with %s does so again, with all octets',
    async (end) => {
      const octets = Uint8Array.from([
        ...initiation('tor1'),
        ...new Array<number[]>(500).fill(announce({}, '10.0.0.0/8')).flat(),
      ])
      const facts = { sysName: 'tor1', source: '127.0.0.7', openedUs: 1_000_000_000 }
      const source = await mkdtemp(join(folder, 'source-'))
      const writer = await RecordingWriter.create(source, facts)
      await writer.write(octets, 1_000_100_000)
      await writer.end(end, 1_000_200_000)
      const ends: string[] = []
      const recorder = createRecorder(
        { host: '127.0.0.1', port: 0, folder },
        { onEnd: (_, how) => ends.push(how) },
      )
      await recorder.start()
      const recordings = await listRecordings([source])
      await replay({ recordings, ...to(recorder.address), speed: 1 })
      await until('the end is recorded', () => ends.length === 1)
      await recorder.stop()
      expect(await listRecordings([folder])).toMatchObject([
        { router: 'tor1', source: '127.0.0.7', end, size: octets.length },
      ])
    },
  )

  test('a session under way at the end of a recording is stopped, not ended', async () => {
    const opened: string[] = []
    const recorder = createRecorder(
      { host: '127.0.0.1', port: 0, folder },
      { onOpen: (path) => opened.push(path) },
    )
    await recorder.start()
    const harness = await Harness.start()
    const { connect } = await import('node:net')
    const socket = connect(recorder.address!.port, '127.0.0.1')
    socket.on('error', () => undefined)
    send(socket, initiation('../tor1'), peerUp({}))
    await until('recorded', () => opened.length === 1)
    await recorder.stop()
    await closed(socket)
    await harness.stop()
    expect(await readdir(folder)).toEqual(['127.0.0.1.bmp', '127.0.0.1.times'])
    expect(await listRecordings([folder])).toMatchObject([{ end: 'stop' }])
  })

  test('nothing said, nothing recorded; garbage is kept under the address', async () => {
    const recorder = createRecorder({ host: '127.0.0.1', port: 0, folder })
    await recorder.start()
    const { connect } = await import('node:net')
    const silent = connect(recorder.address!.port, '127.0.0.1')
    await once(silent, 'connect')
    silent.destroy()
    const garbage = connect(recorder.address!.port, '127.0.0.1')
    garbage.end('GET / HTTP/1.0\r\n\r\n')
    garbage.resume()
    await closed(garbage)
    await recorder.stop()
    expect((await readdir(folder)).sort()).toEqual(['127.0.0.1.bmp', '127.0.0.1.times'])
    expect(await readFile(join(folder, '127.0.0.1.bmp'), 'utf8')).toBe('GET / HTTP/1.0\r\n\r\n')
  })

  test('pace: twice as fast takes half the time', async () => {
    const facts = { sysName: 'tor1', source: '127.0.0.7', openedUs: 1_000_000_000 }
    const writer = await RecordingWriter.create(folder, facts)
    await writer.write(Uint8Array.from(initiation('tor1')), 1_000_000_000)
    await writer.write(Uint8Array.from(peerUp({})), 1_000_600_000)
    await writer.end('stop', 1_000_600_000)
    const harness = await Harness.start()
    const started = performance.now()
    await replay({
      recordings: await listRecordings([folder]),
      ...to(harness.server.address),
      speed: 2,
    })
    // Not before its time; how much later is the machine's business.
    expect(performance.now() - started).toBeGreaterThan(290)
    await harness.stop()
    expect(harness.rows('session_log')).toBe(4)
  })

  test('sessions stay open while others are sent, and all arrives before they close', async () => {
    const harness = await Harness.start()
    const recordings = await listRecordings([FIXTURE])
    await replay({ recordings, ...to(harness.server.address), speed: Infinity })
    await until('all ended', () => harness.server.sessions().length === 0)
    const ended = harness.log('bmp session ended')
    expect(ended).toHaveLength(recordings.length)
    const octets = ended.reduce((sum, line) => sum + Number(line['octets']), 0)
    expect(octets).toBe(recordings.reduce((sum, { size }) => sum + size, 0))
    await harness.stop()
  })

  test('a collector that closes is named; one that is not there is an error', async () => {
    const harness = await Harness.start({ maxSessions: 1, maxUnidentified: 1 })
    const recordings = await listRecordings([FIXTURE])
    const { failures } = await replay({
      recordings,
      ...to(harness.server.address),
      speed: Infinity,
    })
    expect(failures.length).toBeGreaterThan(0)
    expect(failures[0]).toMatch(/^\w+ session 1: .* after about \d+ of \d+ octets$/)
    const address = harness.server.address
    await harness.stop()
    await expect(replay({ recordings, ...to(address), speed: 1 })).rejects.toThrow(/ECONNREFUSED/)
  })

  test('stops when told', async () => {
    const harness = await Harness.start()
    const recordings = await listRecordings([FIXTURE])
    const signal = AbortSignal.timeout(50)
    const { octets } = await replay({
      recordings,
      ...to(harness.server.address),
      speed: 0.001,
      signal,
    })
    expect(octets).toBeLessThan(recordings.reduce((sum, { size }) => sum + size, 0))
    await harness.stop()
  })
})
