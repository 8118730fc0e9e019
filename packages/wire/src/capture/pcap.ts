import { RecordBuffer } from '../records.ts'
import { captureError, type OnPacket, type PacketReader } from './packets.ts'
import { viewOf } from '../cursor.ts'

const FILE_HEADER_OCTETS = 24
const RECORD_HEADER_OCTETS = 16
/** Of the modified form of old Linux distributions: interface, protocol and packet type behind it. */
const MODIFIED_HEADER_OCTETS = 24

/**
 * pcap file, draft-ietf-opsawg-pcap: a header of 24 octets, whose magic gives byte order and unit of
 * time, then records { seconds => U32, fraction => U32, captured => U32, original => U32, packet }.
 */
export function createPcapReader(onPacket: OnPacket): PacketReader {
  let little = false
  let nanoseconds = false
  let linkType = -1
  let headerOctets = RECORD_HEADER_OCTETS
  return new RecordBuffer((bytes, at, end, offset) => {
    const view = viewOf(bytes)
    if (linkType < 0) {
      if (end - at < FILE_HEADER_OCTETS) return -FILE_HEADER_OCTETS
      const magic = view.getUint32(at)
      const modified = magic === 0xa1b2cd34 || magic === 0x34cdb2a1
      if (modified) headerOctets = MODIFIED_HEADER_OCTETS
      little = magic === 0xd4c3b2a1 || magic === 0x4d3cb2a1 || magic === 0x34cdb2a1
      nanoseconds = magic === 0xa1b23c4d || magic === 0x4d3cb2a1
      if (!little && magic !== 0xa1b2c3d4 && !nanoseconds && !modified)
        throw captureError(offset, 'no pcap file')
      // The upper bits say whether frame check sequences are there.
      linkType = view.getUint32(at + 20, little) & 0xffff
      return FILE_HEADER_OCTETS
    }
    if (end - at < headerOctets) return -headerOctets
    const seconds = view.getUint32(at, little)
    const fraction = view.getUint32(at + 4, little)
    const total = headerOctets + view.getUint32(at + 8, little)
    if (end - at < total) return -total
    const microseconds = nanoseconds ? Math.floor(fraction / 1000) : fraction
    onPacket(linkType, bytes, at + headerOctets, at + total, seconds * 1e6 + microseconds)
    return total
  }, captureError)
}
