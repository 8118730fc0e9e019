/** The body of a request: decompressed, bounded, in memory while it is small and else in a private file. */
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { HttpException } from './exceptions.ts'

/** A statement, with the values of its parameters, is in memory; data of an insert beyond that are in a file. */
export const MEMORY_OCTETS = 4 << 20

export class Body {
  /** the first octets: all of them when `file` is undefined */
  readonly head: Buffer
  readonly file: string | undefined
  readonly octets: number

  constructor(head: Buffer, file: string | undefined, octets: number) {
    this.head = head
    this.file = file
    this.octets = octets
  }

  /** Writes what is behind an offset to a file of its own; a file that is all of it is handed over. */
  async dataFile(from: number, name: string): Promise<string> {
    if (this.file === undefined) {
      await writeFile(name, this.head.subarray(from), { mode: 0o600, flag: 'wx' })
      return name
    }
    if (from === 0) return this.file
    await pipeline(
      createReadStream(this.file, { start: from }),
      createWriteStream(name, { mode: 0o600, flags: 'wx' }),
    )
    return name
  }

  async remove(): Promise<void> {
    if (this.file !== undefined) await rm(this.file, { force: true })
  }
}

/**
 * @param file name of the file for a large body
 * @throws HttpException when it is larger than allowed, or compressed in a way that is not known or broken
 */
export async function readBody(
  request: IncomingMessage,
  file: string,
  maxOctets: number,
): Promise<Body> {
  const chunks: Buffer[] = []
  let octets = 0
  let out: WriteStream | undefined
  const decoder = decoderOf(request.headers['content-encoding'])
  try {
    for await (const chunk of octetsOf(request, decoder)) {
      octets += chunk.length
      if (octets > maxOctets) {
        throw new HttpException('LIMIT_EXCEEDED', `the body has more than ${maxOctets} octets`)
      }
      if (octets <= MEMORY_OCTETS) chunks.push(chunk)
      else if (out === undefined) {
        out = createWriteStream(file, { mode: 0o600, flags: 'wx' })
        const all = Buffer.concat([...chunks, chunk])
        chunks.splice(0, chunks.length, all.subarray(0, MEMORY_OCTETS))
        await write(out, all)
      } else await write(out, chunk)
    }
    if (out !== undefined) await finish(out)
  } catch (cause) {
    out?.destroy()
    await rm(file, { force: true })
    if (decoder === undefined || cause instanceof HttpException) throw cause
    throw new HttpException('INCORRECT_DATA', `the compressed body is broken: ${textOf(cause)}`)
  }
  return new Body(Buffer.concat(chunks), out === undefined ? undefined : file, octets)
}

/** The request itself is left open: whoever is told why it was not read to its end reads the answer on it. */
function octetsOf(request: IncomingMessage, decoder: Transform | undefined): AsyncIterable<Buffer> {
  if (decoder === undefined) return request.iterator({ destroyOnReturn: false })
  request.once('close', () => {
    if (!request.complete) decoder.destroy(new Error('the request ended early'))
  })
  return request.pipe(decoder)
}

function write(out: WriteStream, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(chunk, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}

function finish(out: WriteStream): Promise<void> {
  return new Promise((resolve, reject) => {
    out.once('error', reject)
    out.end(resolve)
  })
}

interface Zstd {
  createZstdDecompress?: () => Transform
  createZstdCompress?: () => Transform
}

/** Node has it since 22.15. */
const zstd: Zstd = zlib as Zstd

function decoderOf(encoding: string | undefined): Transform | undefined {
  switch (encoding?.toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip()
    case 'deflate':
      return zlib.createInflate()
    case 'br':
      return zlib.createBrotliDecompress()
    case 'zstd':
      if (zstd.createZstdDecompress) return zstd.createZstdDecompress()
  }
  throw new HttpException(
    'NOT_IMPLEMENTED',
    `Content-Encoding ${JSON.stringify(encoding)} is not supported: gzip, deflate or br`,
  )
}

/** @returns the answer as the client asked for it, and its Content-Encoding */
export function encoderOf(
  accepted: string | undefined,
): { readonly name: string; readonly stream: Transform } | undefined {
  const names = (accepted ?? '')
    .toLowerCase()
    .split(',')
    .filter((each) => !/;\s*q=0(?:\.0*)?\s*$/.test(each))
    .map((each) => (each.split(';', 1)[0] ?? '').trim())
  // In the order of ClickHouse.
  if (names.includes('br')) {
    const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 }
    return { name: 'br', stream: zlib.createBrotliCompress({ params }) }
  }
  if (names.includes('gzip')) return { name: 'gzip', stream: zlib.createGzip({ level: 3 }) }
  if (names.includes('zstd') && zstd.createZstdCompress) {
    return { name: 'zstd', stream: zstd.createZstdCompress() }
  }
  if (names.includes('deflate')) {
    return { name: 'deflate', stream: zlib.createDeflate({ level: 3 }) }
  }
  return undefined
}

export const streamOf = (body: Uint8Array): Readable => Readable.from([body], { objectMode: false })

const textOf = (error: unknown): string =>
  error instanceof Error
    ? `${(error as NodeJS.ErrnoException).code ?? ''} ${error.message}`.trim()
    : String(error)
