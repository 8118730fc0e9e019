import { DecodeError } from '../errors.ts'

/** Of a packet whose interface was not described, or that is longer than its block. */
export const NO_LINK_TYPE = -1

/** One captured packet; valid during the call. */
export type OnPacket = (
  linkType: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  /** Capture time in microseconds since 1970; 0 when the file has none for it. */
  timeUs: number,
) => void

/** A reader of a capture file that takes it in pieces of any size. */
export interface PacketReader {
  push(chunk: Uint8Array): void
  /** Octets of an incomplete record. */
  readonly pending: number
}

export function captureError(offset: number, detail: string): DecodeError {
  return new DecodeError('FRAMING', detail, {
    offset,
    path: 'capture',
    spec: 'draft-ietf-opsawg-pcapng, draft-ietf-opsawg-pcap',
  })
}
