/** Archives of RIS and RouteViews come compressed. */
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

export interface Unpacked {
  /** Pieces of bounded size, however much they unpack to. Ends where the compressed data breaks off. */
  readonly octets: AsyncIterable<Uint8Array>
  /** Why it broke off; '' when it didn't. To be asked when `octets` is at its end. */
  error(): string
}

const CHUNK_OCTETS = 256 * 1024

/** gzip, also several members one after the other. */
export function unpackGzip(packed: AsyncIterable<Uint8Array>): Unpacked {
  let problem = ''
  async function* copies(): AsyncGenerator<Uint8Array> {
    // Whoever reads uses the memory again, and a stream reads ahead.
    for await (const chunk of packed) yield new Uint8Array(chunk)
  }
  async function* octets(): AsyncGenerator<Uint8Array> {
    const source = Readable.from(copies(), { highWaterMark: 1 })
    const gunzip = createGunzip({ chunkSize: CHUNK_OCTETS })
    source.on('error', (error) => gunzip.destroy(error))
    source.pipe(gunzip)
    try {
      for await (const chunk of gunzip) yield chunk as Uint8Array
    } catch (error) {
      if (!isZlibError(error)) throw error
      problem = error.message
    } finally {
      source.destroy()
      gunzip.destroy()
    }
  }
  return { octets: octets(), error: () => problem }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^Z_/.test(String(error.code))
}
