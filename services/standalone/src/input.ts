/** What `decode` reads: a file or standard input; one BMP stream or a capture with several. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { detectInput } from '@ribscope/wire'
import { CommandError, UsageError } from './command.ts'

/** Streams of a capture overlap, so that they come as events. */
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

export interface Input {
  events(): AsyncIterable<InputEvent>
  close(): Promise<void>
}

/** Small enough to stay in the cache, large enough that reads cost nothing. */
const CHUNK_OCTETS = 256 * 1024
/** Octets between looks at signals while a file is read synchronously. */
const TURN_OCTETS = 16 << 20
const DETECT_OCTETS = 6
const YEAR_2000_US = 946_684_800_000_000

/**
 * @param withTimes the receive times of a FILE.times are wanted; without they are not even looked for
 * @throws UsageError when the path cannot be read
 */
export async function openInput(path: string, withTimes = true): Promise<Input> {
  if (path === '-') return standardInput()
  const fd = opened(path)
  try {
    const info = fstatSync(fd)
    if (info.isDirectory()) throw new UsageError(`${path}: a folder, expected a file`)
    const head = new Uint8Array(DETECT_OCTETS)
    const octets = info.isFile() ? readSync(fd, head, 0, DETECT_OCTETS, 0) : 0
    if (!isCapture(head.subarray(0, octets)) && withTimes && path.endsWith('.bmp')) {
      closeSync(fd)
      return await recordingInput(path)
    }
    return {
      events: () => eventsOf(path, head.subarray(0, octets), readAll(fd)),
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

async function standardInput(): Promise<Input> {
  const chunks = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  const first = await chunks.next()
  async function* all(): AsyncGenerator<Uint8Array> {
    for (let next = first; next.done !== true; next = await chunks.next()) yield next.value
  }
  const head = first.done === true ? new Uint8Array(0) : first.value
  return {
    events: () => eventsOf('standard input', head, all()),
    close: () => {
      process.stdin.destroy()
      return Promise.resolve()
    },
  }
}

function isCapture(head: Uint8Array): boolean {
  const kind = detectInput(head)
  return kind === 'pcap' || kind === 'pcapng'
}

async function* eventsOf(
  name: string,
  head: Uint8Array,
  octets: AsyncIterable<Uint8Array>,
): AsyncGenerator<InputEvent> {
  if (isCapture(head)) {
    const { captureEvents } = await import('./capture-input.ts')
    yield* captureEvents(name, octets)
    return
  }
  const us = YEAR_2000_US
  yield { kind: 'open', id: 0, name, source: '0.0.0.0', openedUs: us }
  for await (const chunk of octets) yield { kind: 'data', id: 0, chunk, rxUs: us }
  yield { kind: 'end', id: 0, how: 'stop', us, gap: false }
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
