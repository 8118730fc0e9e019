/** BMP out of packet captures: a stream per direction of a TCP connection that speaks BMP. */
import { CommandError } from './command.ts'
import type { InputStream } from './input.ts'

/** pcap in both byte orders and both time resolutions, pcapng. */
const MAGICS = new Set([0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a])

/** @param head the first four octets, or more */
export function isCapture(head: Uint8Array): boolean {
  return MAGICS.has(new DataView(head.buffer, head.byteOffset, head.length).getUint32(0))
}

export async function* captureStreams(
  name: string,
  _octets: AsyncIterable<Uint8Array>,
): AsyncGenerator<InputStream> {
  yield* []
  throw new CommandError(`${name}: a packet capture; this version reads BMP streams only`)
}
