import { open, readdir, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { formatUnixSeconds, parseUnixSeconds } from './time.ts'

/**
 * Recordings: what a router sent in one BMP session, with arrival times.
 *
 *   NAME.bmp     the octets as received
 *   NAME.times   `# bmp-times 1 router=NAME session=N source=IP opened=UNIX_SECONDS`
 *                `OFFSET UNIX_SECONDS` per received chunk, which starts at OFFSET
 *                `OFFSET UNIX_SECONDS end=fin|rst|stop`, OFFSET being the size of the .bmp
 *
 * A .bmp without .times counts as received at its first non-zero BMP timestamp, else 2000-01-01.
 * All other files of a folder are ignored.
 */
export interface Recording {
  /** the .bmp file */
  readonly path: string
  /** the .times file; undefined: there is none */
  readonly timesPath: string | undefined
  readonly router: string
  readonly session: number
  /** address the router connected from */
  readonly source: string
  readonly openedUs: number
  /** `stop`: the recording ended, the session did not */
  readonly end: 'fin' | 'rst' | 'stop'
  readonly endUs: number
  /** octets of the .bmp */
  readonly size: number
}

export interface RecordedChunk {
  readonly offset: number
  readonly chunk: Uint8Array
  readonly rxUs: number
}

/** A recording that cannot be read as one; the message names file and line. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError'
  /** The path was the caller's: for the command line. */
  readonly exitCode = 2
}

const YEAR_2000_US = 946_684_800_000_000
/** Chunks are handed out in pieces of at most this size; the pieces of one chunk share its time. */
const PIECE_OCTETS = 256 * 1024
const HEADER = /^# bmp-times 1(?: |$)/

/**
 * Lists the recordings under the given files and folders (folders are not searched recursively).
 *
 * @returns sorted by router, session, path
 * @throws RecordingError when a path has none, or a .times file is broken
 */
export async function listRecordings(paths: readonly string[]): Promise<Recording[]> {
  const files: string[] = []
  for (const path of paths) {
    const info = await stat(path).catch((cause: unknown) => {
      throw new RecordingError(`${path}: ${systemReason(cause)}`, { cause })
    })
    if (!info.isDirectory()) {
      files.push(path)
      continue
    }
    const names = (await readdir(path)).filter((name) => name.endsWith('.bmp')).sort()
    if (names.length === 0) throw new RecordingError(`${path}: no .bmp file in this folder`)
    for (const name of names) files.push(join(path, name))
  }
  const recordings: Recording[] = []
  for (const file of files) recordings.push(await openRecording(file))
  return recordings.sort(
    (a, b) => compare(a.router, b.router) || a.session - b.session || compare(a.path, b.path),
  )
}

/** Reads the facts of one recording: first and last line of its .times, or its first timestamp. */
export async function openRecording(path: string): Promise<Recording> {
  const timesPath = path.endsWith('.bmp') ? `${path.slice(0, -4)}.times` : undefined
  const bmp = await open(path).catch((cause: unknown) => {
    throw new RecordingError(`${path}: ${systemReason(cause)}`, { cause })
  })
  try {
    const { size } = await bmp.stat()
    const times = timesPath === undefined ? undefined : await openIfPresent(timesPath)
    if (times === undefined || timesPath === undefined) {
      const us = (await firstTimestampUs(bmp)) ?? YEAR_2000_US
      const { router, session } = nameOf(path)
      const source = '0.0.0.0'
      const end = 'stop'
      return {
        path,
        timesPath: undefined,
        router,
        session,
        source,
        openedUs: us,
        end,
        endUs: us,
        size,
      }
    }
    try {
      return { path, timesPath, size, ...(await readEnds(times, timesPath, size)) }
    } finally {
      await times.close()
    }
  } finally {
    await bmp.close()
  }
}

/**
 * The octets of a recording as they arrived. A message is received when the chunk that holds its
 * last octet was.
 *
 * @throws RecordingError when offsets in the .times run backwards or past the file
 */
export async function* readRecording(recording: Recording): AsyncGenerator<RecordedChunk> {
  const bmp = await open(recording.path)
  try {
    const reader = new PieceReader(bmp)
    if (recording.timesPath === undefined) {
      yield* reader.until(recording.size, recording.openedUs)
      return
    }
    let rxUs = recording.openedUs
    for await (const entry of timesOf(recording.timesPath, recording.size)) {
      yield* reader.until(entry.offset, rxUs)
      // A clock that stepped back must not reorder what one session sent.
      rxUs = Math.max(rxUs, entry.us)
    }
    yield* reader.until(recording.size, rxUs)
  } finally {
    await bmp.close()
  }
}

/** Hands out a file in order, in pieces; a piece is the reader's own memory until the next read. */
class PieceReader {
  readonly #file: FileHandle
  #buffer = new Uint8Array(0)
  #at = 0
  #offset = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  async *until(offset: number, rxUs: number): AsyncGenerator<RecordedChunk> {
    while (this.#offset < offset) {
      if (this.#at === this.#buffer.length) {
        const fresh = new Uint8Array(PIECE_OCTETS)
        const { bytesRead } = await this.#file.read(fresh, 0, fresh.length, this.#offset)
        if (bytesRead === 0) return
        this.#buffer = fresh.subarray(0, bytesRead)
        this.#at = 0
      }
      const length = Math.min(this.#buffer.length - this.#at, offset - this.#offset)
      const chunk = this.#buffer.subarray(this.#at, this.#at + length)
      const start = this.#offset
      this.#at += length
      this.#offset += length
      yield { offset: start, chunk, rxUs }
    }
  }
}

interface TimesEntry {
  readonly offset: number
  readonly us: number
}

async function* timesOf(path: string, size: number): AsyncGenerator<TimesEntry> {
  const file = await open(path)
  try {
    let line = 0
    let last = 0
    for await (const text of file.readLines()) {
      line += 1
      if (line === 1 || text === '') continue
      const entry = parseEntry(text)
      if (entry === undefined)
        throw new RecordingError(`${path}:${line}: not OFFSET SECONDS: ${quote(text)}`)
      if (entry.offset < last || entry.offset > size) {
        throw new RecordingError(
          `${path}:${line}: offset ${entry.offset} is ${entry.offset < last ? `before ${last}` : `past the .bmp, which has ${size} octets`}`,
        )
      }
      last = entry.offset
      yield entry
    }
  } finally {
    await file.close()
  }
}

function parseEntry(text: string): (TimesEntry & { end: string | undefined }) | undefined {
  const match = /^(\d{1,15}) (\S+)(?: end=(\S+))?\s*$/.exec(text)
  const us = match?.[2] === undefined ? undefined : parseUnixSeconds(match[2])
  return match === null || us === undefined
    ? undefined
    : { offset: Number(match[1]), us, end: match[3] }
}

async function readEnds(
  file: FileHandle,
  path: string,
  size: number,
): Promise<Pick<Recording, 'router' | 'session' | 'source' | 'openedUs' | 'end' | 'endUs'>> {
  const head = await textAt(file, 0, 4096)
  const first = head.split('\n', 1)[0] ?? ''
  if (!HEADER.test(first))
    throw new RecordingError(`${path}:1: not a '# bmp-times 1' line: ${quote(first)}`)
  const facts = new Map<string, string>()
  for (const word of first.split(' ').slice(3)) {
    const at = word.indexOf('=')
    if (at > 0) facts.set(word.slice(0, at), word.slice(at + 1).trim())
  }
  const openedUs = parseUnixSeconds(facts.get('opened') ?? '')
  if (openedUs === undefined)
    throw new RecordingError(`${path}:1: opened= is missing or not Unix seconds`)
  const session = Number(facts.get('session') ?? '1')
  if (!Number.isSafeInteger(session) || session < 0)
    throw new RecordingError(`${path}:1: session= is not a number`)
  const name = nameOf(path)

  const { size: octets } = await file.stat()
  const tail = (await textAt(file, Math.max(0, octets - 4096), 4096)).trimEnd().split('\n')
  const last = parseEntry(tail[tail.length - 1] ?? '')
  const end = last?.end ?? 'stop'
  if (end !== 'fin' && end !== 'rst' && end !== 'stop') {
    throw new RecordingError(`${path}: last line: end=${quote(end)} is none of fin, rst, stop`)
  }
  if (last?.end !== undefined && last.offset !== size) {
    throw new RecordingError(
      `${path}: last line: end at ${last.offset}, the .bmp has ${size} octets`,
    )
  }
  return {
    router: facts.get('router') ?? name.router,
    session,
    source: facts.get('source') ?? '0.0.0.0',
    openedUs,
    end,
    endUs: Math.max(openedUs, last?.us ?? openedUs),
  }
}

/** 'spine1.2.bmp' is the second session of spine1. */
function nameOf(path: string): { router: string; session: number } {
  const stem = basename(path).replace(/\.(bmp|times)$/, '')
  const match = /^(.+)\.([1-9]\d{0,5})$/.exec(stem)
  // An address is a name too, and its last number is not a session.
  if (match?.[1] === undefined || /^\d+(\.\d+){3}$/.test(stem)) return { router: stem, session: 1 }
  return { router: match[1], session: Number(match[2]) }
}

/** Walks common headers only (RFC 7854 section 4.1) to the first per-peer header with a time. */
async function firstTimestampUs(file: FileHandle): Promise<number | undefined> {
  const head = Buffer.alloc(48)
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(head, 0, 48, at)
    if (bytesRead < 48 || (head[0] !== 3 && head[0] !== 4)) return undefined
    const length = head.readUInt32BE(1)
    if (length < 6) return undefined
    const type = head[5] ?? 0
    if (type <= 3 || type === 6) {
      const us = head.readUInt32BE(40) * 1_000_000 + head.readUInt32BE(44)
      if (us > 0) return us
    }
    at += length
  }
}

async function textAt(file: FileHandle, offset: number, octets: number): Promise<string> {
  const buffer = Buffer.alloc(octets)
  const { bytesRead } = await file.read(buffer, 0, octets, offset)
  return buffer.toString('utf8', 0, bytesRead)
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new RecordingError(`${path}: ${systemReason(cause)}`, { cause })
  }
}

/**
 * A file name made of a router's own words: only [A-Za-z0-9._-], at most 64 octets, never a dot
 * file; where nothing is left, the source address (colons become '-').
 */
export function recordingName(sysName: string, source: string): string {
  const kept = sysName.replace(/[^A-Za-z0-9._-]/g, '').slice(0, 64)
  return kept === '' || kept.startsWith('.') ? source.replace(/[^A-Za-z0-9.]/g, '-') : kept
}

/** Writes one recording. Files appear when it is created and are never overwritten. */
export class RecordingWriter {
  readonly path: string
  readonly #bmp: FileHandle
  readonly #times: FileHandle
  #offset = 0

  private constructor(path: string, bmp: FileHandle, times: FileHandle) {
    this.path = path
    this.#bmp = bmp
    this.#times = times
  }

  static async create(
    folder: string,
    facts: { sysName: string; source: string; openedUs: number },
  ): Promise<RecordingWriter> {
    const name = recordingName(facts.sysName, facts.source)
    for (let session = 1; ; session++) {
      const stem = join(folder, session === 1 ? name : `${name}.${session}`)
      const bmp = await open(`${stem}.bmp`, 'wx').catch((cause: unknown) => {
        if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return undefined
        throw new RecordingError(`${stem}.bmp: ${systemReason(cause)}`, { cause })
      })
      if (bmp === undefined) continue
      const times = await open(`${stem}.times`, 'w')
      const opened = formatUnixSeconds(facts.openedUs)
      await times.write(
        `# bmp-times 1 router=${name} session=${session} source=${facts.source} opened=${opened}\n`,
      )
      return new RecordingWriter(`${stem}.bmp`, bmp, times)
    }
  }

  /** @param rxUs when the chunk was received */
  async write(chunk: Uint8Array, rxUs: number): Promise<void> {
    if (chunk.length === 0) return
    // In this order: octets without a time count to the chunk before them, a time without octets is an error.
    for (let done = 0; done < chunk.length;) {
      done += (await this.#bmp.write(chunk, done)).bytesWritten
    }
    await this.#times.write(`${this.#offset} ${formatUnixSeconds(rxUs)}\n`)
    this.#offset += chunk.length
  }

  async end(how: 'fin' | 'rst' | 'stop', atUs: number): Promise<void> {
    await this.#times.write(`${this.#offset} ${formatUnixSeconds(atUs)} end=${how}\n`)
    await this.#bmp.close()
    await this.#times.close()
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)
}

function systemReason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'no such file or folder'
  if (code === 'EACCES') return 'permission denied'
  return cause instanceof Error ? cause.message : String(cause)
}
