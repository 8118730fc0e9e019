import { RecordBuffer } from '../records.ts'
import { captureError, NO_LINK_TYPE, type OnPacket, type PacketReader } from './packets.ts'
import { viewOf } from '../cursor.ts'

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6
const OPTION_TIME_RESOLUTION = 9
const OPTION_TIME_OFFSET = 14

/** The end of the year 9999: later is a wrong resolution, taken for no time at all. */
const MAX_TIME_US = 253_402_300_799_999_999n

/** Interfaces a section may describe; more is a hostile file. */
const MAX_INTERFACES = 65536

interface Interface {
  readonly linkType: number
  readonly unitsPerSecond: bigint
  readonly offsetSeconds: bigint
  readonly snapOctets: number
}

/**
 * pcapng file, draft-ietf-opsawg-pcapng: blocks { type => U32, length => U32, body, length => U32 },
 * in the byte order of their section. Packets are in Enhanced, Simple and (obsolete) Packet blocks;
 * every other block is passed over.
 */
export function createPcapngReader(onPacket: OnPacket): PacketReader {
  let little = false
  let interfaces: Interface[] = []

  return new RecordBuffer((bytes, at, end, offset) => {
    const view = viewOf(bytes)
    if (end - at < 12) return -12
    const isSection = view.getUint32(at) === SECTION_HEADER
    if (isSection) {
      const magic = view.getUint32(at + 8)
      if (magic !== 0x1a2b3c4d && magic !== 0x4d3c2b1a)
        throw captureError(offset, 'no pcapng section')
      little = magic === 0x4d3c2b1a
      interfaces = []
    } else if (offset === 0) throw captureError(offset, 'no pcapng file')
    const total = view.getUint32(at + 4, little)
    if (total < 12 || total % 4 !== 0) throw captureError(offset, `block of ${total} octets`)
    if (end - at < total) return -total
    const type = isSection ? SECTION_HEADER : view.getUint32(at, little)
    const body = at + 8
    const bodyEnd = at + total - 4
    if (type === INTERFACE_DESCRIPTION && bodyEnd - body >= 8) {
      if (interfaces.length === MAX_INTERFACES) throw captureError(offset, 'too many interfaces')
      interfaces.push(readInterface(view, body, bodyEnd, little))
    } else if ((type === ENHANCED_PACKET || type === OBSOLETE_PACKET) && bodyEnd - body >= 20) {
      const id =
        type === ENHANCED_PACKET ? view.getUint32(body, little) : view.getUint16(body, little)
      const from = interfaces[id]
      const octets = view.getUint32(body + 12, little)
      if (from !== undefined && body + 20 + octets <= bodyEnd) {
        const high = BigInt(view.getUint32(body + 4, little))
        const units = (high << 32n) | BigInt(view.getUint32(body + 8, little))
        onPacket(from.linkType, bytes, body + 20, body + 20 + octets, timeUs(units, from))
      } else onPacket(NO_LINK_TYPE, bytes, body, body, 0)
    } else if (type === SIMPLE_PACKET && bodyEnd - body >= 4) {
      const from = interfaces[0]
      if (from !== undefined) {
        const original = view.getUint32(body, little)
        const snap = from.snapOctets === 0 ? original : Math.min(original, from.snapOctets)
        onPacket(from.linkType, bytes, body + 4, Math.min(body + 4 + snap, bodyEnd), 0)
      } else onPacket(NO_LINK_TYPE, bytes, body, body, 0)
    }
    return total
  }, captureError)
}

function readInterface(view: DataView, body: number, end: number, little: boolean): Interface {
  let unitsPerSecond = 1_000_000n
  let offsetSeconds = 0n
  for (let at = body + 8; at + 4 <= end;) {
    const code = view.getUint16(at, little)
    const length = view.getUint16(at + 2, little)
    const value = at + 4
    if (code === 0 || value + length > end) break
    if (code === OPTION_TIME_RESOLUTION && length >= 1) {
      const resolution = view.getUint8(value)
      unitsPerSecond =
        (resolution & 0x80) !== 0 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(resolution)
    } else if (code === OPTION_TIME_OFFSET && length >= 8) {
      offsetSeconds = view.getBigInt64(value, little)
    }
    at = value + ((length + 3) & ~3)
  }
  return {
    linkType: view.getUint16(body, little),
    unitsPerSecond,
    offsetSeconds,
    snapOctets: view.getUint32(body + 4, little),
  }
}

/** In whole numbers: nanoseconds since 1970 are beyond what a double holds exactly. */
function timeUs(units: bigint, from: Interface): number {
  const us = (units * 1_000_000n) / from.unitsPerSecond + from.offsetSeconds * 1_000_000n
  return us >= 0n && us <= MAX_TIME_US ? Number(us) : 0
}
