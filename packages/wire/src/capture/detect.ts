import { isBgpMarker } from '../bgp/header.ts'
import {
  BMP_HEADER_OCTETS,
  BMP_ROUTE_MIRRORING,
  DEFAULT_MAX_MESSAGE_OCTETS,
} from '../bmp/framer.ts'
import { BMP_BODY_OFFSET } from '../bmp/route-monitoring-pdu.ts'
import { couldBeMrt } from '../mrt/reader.ts'
import { looksLikeObmp } from '../openbmp/openbmp.ts'

/** `obmp`: OpenBMP, binary or text header. `gzip` and the like: what is in it is for whoever unpacks it. */
export type InputKind =
  'bmp' | 'pcap' | 'pcapng' | 'obmp' | 'mrt' | 'gzip' | 'bzip2' | 'xz' | 'zstd'

/** Octets that `detectInput` wants to see, if the input has as many. */
export const DETECT_OCTETS = 12

/**
 * What kind of input begins like this; undefined for none that is known. BMP and MRT have no magic
 * number, so that for them the first header must be one that could be.
 */
export function detectInput(bytes: Uint8Array): InputKind | undefined {
  if (bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  if (bytes.length >= 4) {
    const magic = ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
    switch (magic) {
      case 0x0a0d0d0a:
        return 'pcapng'
      case 0xa1b2c3d4:
      case 0xd4c3b2a1:
      case 0xa1b23c4d:
      case 0x4d3cb2a1:
      case 0xa1b2cd34:
      case 0x34cdb2a1:
        return 'pcap'
      case 0xfd377a58:
        return 'xz'
      case 0x28b52ffd:
        return 'zstd'
    }
    if (magic >>> 8 === 0x425a68 && bytes[4] === 0x31 && bytes[5] === 0x41) return 'bzip2'
    if (looksLikeObmp(bytes) !== undefined) return 'obmp'
    if (couldBeMrt(bytes)) return 'mrt'
  }
  return bytes.length > 0 && couldBeBmp(bytes, 0) ? 'bmp' : undefined
}

/** Is what is there of a common header (RFC 7854 section 4.1) at `at` one that could be? */
export function couldBeBmp(bytes: Uint8Array, at: number): boolean {
  const left = bytes.length - at
  if (left > 0 && bytes[at] !== 3 && bytes[at] !== 4) return false
  if (left >= 5) {
    const length = bmpLength(bytes, at)
    if (length < BMP_HEADER_OCTETS || length > DEFAULT_MAX_MESSAGE_OCTETS) return false
    if (left >= 6) {
      const type = bytes[at + 5]!
      if (type > BMP_ROUTE_MIRRORING) return false
      // All but Initiation and Termination have a per-peer header.
      if (type !== 4 && type !== 5 && length < BMP_BODY_OFFSET) return false
    }
  }
  return true
}

function bmpLength(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!) >>> 0
  )
}

/** Headers in a row that make a beginning certain. */
const CERTAIN_HEADERS = 3

/**
 * Where BMP begins in bytes that may start inside a message (a capture of a session under way): the
 * first offset from which three headers follow on each other to the end of what is there, or two with a
 * BGP marker among them. -1 when there is none so far. Takes time in proportion to the bytes: chains are
 * counted from the back.
 */
export function findBmpStart(bytes: Uint8Array): number {
  const last = bytes.length - BMP_HEADER_OCTETS
  if (last < 0) return -1
  const headers = new Uint32Array(last + 1)
  const markers = new Uint8Array(last + 1)
  let found = -1
  for (let at = last; at >= 0; at--) {
    if (!couldBeBmp(bytes, at)) continue
    const next = at + bmpLength(bytes, at)
    // A header that is there to see must be one.
    if (next <= last && headers[next] === 0) continue
    const marker = isBgpMarker(bytes, at + BMP_BODY_OFFSET, bytes.length)
    headers[at] = 1 + (next <= last ? headers[next]! : 0)
    markers[at] = marker || (next <= last && markers[next] === 1) ? 1 : 0
    if (headers[at]! >= CERTAIN_HEADERS || (markers[at] === 1 && headers[at]! >= 2)) found = at
  }
  return found
}
