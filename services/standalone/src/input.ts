/** What `decode` reads: a file or standard input; one BMP stream or a capture with several. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { CommandError, UsageError } from './command.ts'
import { captureStreams, isCapture } from './capture-input.ts'

export interface InputStream {
  /** for messages to people */
  readonly name: string
  /** address the octets came from */
  readonly source: string
  readonly openedUs: number
  /** how the session ended, as far as the input tells; `stop`: the input ended, not the session */
  readonly end: 'fin' | 'rst' | 'stop'
  chunks(): AsyncIterable<{ readonly chunk: Uint8Array; readonly rxUs: number }>
}

export interface Input {
  streams(): AsyncIterable<InputStream> | Iterable<InputStream>
  close(): Promise<void>
}

/** Small enough to stay in the cache, large enough that reads cost nothing. */
const CHUNK_OCTETS = 256 * 1024
/** Octets between looks at signals while a file is read synchronously. */
const TURN_OCTETS = 16 << 20
const YEAR_2000_US = 946_684_800_000_000

/**
 * @param withTimes the receive times of a FILE.times are wanted; without they are not even looked for
 * @throws UsageError when the path cannot be read
 */
export async function openInput(path: string, withTimes = true): Promise<Input> {
  if (path === '-') return standardInput()
  const fd = opened(path)
  try {
    if (fstatSync(fd).isDirectory()) throw new UsageError(`${path}: a folder, expected a file`)
    const head = new Uint8Array(4)
    const octets = fstatSync(fd).isFile() ? readSync(fd, head, 0, 4, 0) : 0
    if (octets === 4 && isCapture(head)) {
      return captureInput(path, readAll(fd))
    }
    if (withTimes && path.endsWith('.bmp')) {
      const { openRecording, readRecording } = await import('@ribscope/events')
      const recording = await openRecording(path)
      const { source, openedUs, end } = recording
      closeSync(fd)
      return {
        streams: () => [
          { name: path, source, openedUs, end, chunks: () => readRecording(recording) },
        ],
        close: () => Promise.resolve(),
      }
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return {
    streams: () => [plainStream(path, readAll(fd))],
    close: () => {
      closeSync(fd)
      return Promise.resolve()
    },
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'no such file' : (cause as Error).message
    throw new UsageError(`${path}: ${reason}`)
  }
}

async function standardInput(): Promise<Input> {
  const chunks = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  const first = await chunks.next()
  async function* all(): AsyncGenerator<Uint8Array> {
    for (let next = first; next.done !== true; next = await chunks.next()) yield next.value
  }
  const close = (): Promise<void> => {
    process.stdin.destroy()
    return Promise.resolve()
  }
  if (first.done !== true && first.value.length >= 4 && isCapture(first.value)) {
    return { ...captureInput('standard input', all()), close }
  }
  return { streams: () => [plainStream('standard input', all())], close }
}

function captureInput(name: string, octets: AsyncIterable<Uint8Array>): Input {
  return { streams: () => captureStreams(name, octets), close: () => Promise.resolve() }
}

/** A BMP stream without times: all of it was received at its first BMP timestamp, else in 2000. */
function plainStream(name: string, octets: AsyncIterable<Uint8Array>): InputStream {
  return {
    name,
    source: '0.0.0.0',
    openedUs: YEAR_2000_US,
    end: 'stop',
    async *chunks() {
      for await (const chunk of octets) yield { chunk, rxUs: YEAR_2000_US }
    },
  }
}

/** The whole file in one buffer that is used again: a chunk is valid until the next one is asked for. */
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
