/** What `decode` reads: a file or standard input; one BMP stream, or something with several in it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { DETECT_OCTETS, detectInput, type InputKind } from '@ribscope/wire'
import { CommandError, UsageError } from './command.ts'
import type { OpenBmpFacts } from './obmp-input.ts'

/** Streams of an input overlap, so that they come as events. */
export type InputEvent =
  | {
      readonly kind: 'open'
      readonly id: number
      /** for messages to people */
      readonly name: string
      /** address the octets came from */
      readonly source: string
      readonly openedUs: number
    }
  | {
      readonly kind: 'data'
      readonly id: number
      /** valid until the next event is asked for */
      readonly chunk: Uint8Array
      readonly rxUs: number
      /** what the framing said beside the octets, which are whole messages then */
      readonly about?: OpenBmpFacts
    }
  | {
      readonly kind: 'end'
      readonly id: number
      /** `stop`: the input ended, the session did not */
      readonly how: 'fin' | 'rst' | 'stop'
      readonly us: number
      /** octets are missing from the capture here */
      readonly gap: boolean
    }
  | {
      readonly kind: 'problem'
      /** why the input could not be read to its end: what came before counts */
      readonly text: string
    }
  | {
      readonly kind: 'note'
      /** what was left out though the input was read to its end */
      readonly text: string
    }
  | {
      readonly kind: 'line'
      /** a message of an input that is no BMP, decoded */
      readonly value: object
    }
  | {
      readonly kind: 'total'
      /** what the input held, where the BMP was made of something else */
      readonly messages: number
      readonly octets: number
      /** of what could not be made BMP of */
      readonly errors: number
    }

/** `messages`: a line per message of the input, whatever it is; else sessions of BMP octets. */
export type Wanted = 'messages' | 'rows' | 'count'

export interface Input {
  events(): AsyncIterable<InputEvent>
  close(): Promise<void>
}

/** Small enough to stay in the cache, large enough that reads cost nothing. */
const CHUNK_OCTETS = 256 * 1024
/** Octets between looks at signals while a file is read synchronously. */
const TURN_OCTETS = 16 << 20
const YEAR_2000_US = 946_684_800_000_000

/**
 * @param wanted  only rows have the receive times of a FILE.times: for `count` it is not even looked for
 * @throws UsageError when the path cannot be read
 */
export async function openInput(path: string, wanted: Wanted): Promise<Input> {
  if (path === '-') return standardInput(wanted)
  const fd = opened(path)
  try {
    const info = fstatSync(fd)
    if (info.isDirectory()) throw new UsageError(`${path}: a folder, expected a file`)
    const head = new Uint8Array(DETECT_OCTETS)
    const octets = info.isFile() ? readSync(fd, head, 0, DETECT_OCTETS, 0) : 0
    const kind = detectInput(head.subarray(0, octets))
    if ((kind ?? 'bmp') === 'bmp' && wanted !== 'count' && path.endsWith('.bmp')) {
      closeSync(fd)
      return await recordingInput(path)
    }
    return {
      events: () => {
        // A pipe can't be looked at before it is read.
        return info.isFile()
          ? eventsOf(path, kind, readAll(fd), wanted)
          : sniffed(path, readAll(fd), wanted)
      },
      close: () => {
        closeSync(fd)
        return Promise.resolve()
      },
    }
  } catch (error) {
    if (error instanceof UsageError) closeSync(fd)
    throw error
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new UsageError(`${path}: ${code === 'ENOENT' ? 'no such file' : message}`)
  }
}

async function recordingInput(path: string): Promise<Input> {
  const { openRecording, readRecording } = await import('@ribscope/events')
  const recording = await openRecording(path)
  async function* events(): AsyncGenerator<InputEvent> {
    const { source, openedUs, end, endUs } = recording
    yield { kind: 'open', id: 0, name: path, source, openedUs }
    for await (const { chunk, rxUs } of readRecording(recording)) {
      yield { kind: 'data', id: 0, chunk, rxUs }
    }
    yield { kind: 'end', id: 0, how: end, us: endUs, gap: false }
  }
  return { events, close: () => Promise.resolve() }
}

function standardInput(wanted: Wanted): Input {
  return {
    events: () => sniffed('standard input', process.stdin, wanted),
    close: () => {
      process.stdin.destroy()
      return Promise.resolve()
    },
  }
}

/** The events of octets that must be read to know what they are. */
async function* sniffed(
  name: string,
  octets: AsyncIterable<Uint8Array>,
  wanted: Wanted,
  packed?: 'gzip',
): AsyncGenerator<InputEvent> {
  const { head, all } = await peek(octets)
  yield* eventsOf(name, detectInput(head), all, wanted, packed)
}

/** The first octets, as many as are needed to know what it is, and all of them. */
async function peek(
  octets: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const chunks = octets[Symbol.asyncIterator]()
  let head: Uint8Array = new Uint8Array(0)
  let next = await chunks.next()
  while (next.done !== true) {
    const joined = new Uint8Array(head.length + next.value.length)
    joined.set(head)
    joined.set(next.value, head.length)
    head = joined
    // What can be told from less is: a pipe may go on slowly.
    if (head.length >= DETECT_OCTETS) break
    next = await chunks.next()
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head
      while (next.done !== true) {
        next = await chunks.next()
        if (next.done !== true) yield next.value
      }
    } finally {
      await chunks.return?.()
    }
  }
  return { head, all: all() }
}

async function* eventsOf(
  name: string,
  kind: InputKind | undefined,
  octets: AsyncIterable<Uint8Array>,
  wanted: Wanted,
  packed?: 'gzip',
): AsyncGenerator<InputEvent> {
  switch (kind) {
    case 'pcap':
    case 'pcapng': {
      const { captureEvents } = await import('./capture-input.ts')
      yield* captureEvents(name, octets)
      return
    }
    case 'obmp': {
      const { obmpEvents } = await import('./obmp-input.ts')
      yield* obmpEvents(name, octets)
      return
    }
    case 'mrt': {
      const { mrtEvents } = await import('./mrt-input.ts')
      yield* mrtEvents(name, octets, wanted !== 'messages')
      return
    }
    case 'gzip': {
      if (packed !== undefined) throw new UsageError(`${name}: gzip within gzip: unpack it first`)
      const { unpackGzip } = await import('./gzip-input.ts')
      const unpacked = unpackGzip(octets)
      yield* sniffed(name, unpacked.octets, wanted, 'gzip')
      const error = unpacked.error()
      if (error !== '') yield { kind: 'problem', text: `${name}: gzip: ${error}` }
      return
    }
    case 'bzip2':
    case 'xz':
    case 'zstd':
      throw new UsageError(`${name}: ${unpackFirst(kind, name)}`)
    case 'bmp':
    case undefined:
  }
  const us = YEAR_2000_US
  yield { kind: 'open', id: 0, name, source: '0.0.0.0', openedUs: us }
  for await (const chunk of octets) yield { kind: 'data', id: 0, chunk, rxUs: us }
  yield { kind: 'end', id: 0, how: 'stop', us, gap: false }
}

const UNPACKERS = { bzip2: 'bzcat', xz: 'xzcat', zstd: 'zstdcat' }

function unpackFirst(kind: keyof typeof UNPACKERS, name: string): string {
  const file = name === 'standard input' ? '...' : name
  return `${kind}, decompress it first: ${UNPACKERS[kind]} ${file} | ribscope decode -`
}

/** The whole file in one buffer that is used again. */
async function* readAll(fd: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK_OCTETS)
  let sinceTurn = 0
  for (;;) {
    let octets: number
    try {
      octets = readSync(fd, buffer, 0, CHUNK_OCTETS, null)
    } catch (cause) {
      throw new CommandError((cause as Error).message)
    }
    if (octets === 0) return
    yield octets === CHUNK_OCTETS ? buffer : buffer.subarray(0, octets)
    sinceTurn += octets
    if (sinceTurn < TURN_OCTETS) continue
    // Signals are seen only between turns of the event loop.
    sinceTurn = 0
    await turn()
  }
}
