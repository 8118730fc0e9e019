/** What mutation starts from: recorded streams, vectors of other projects, captures made of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { SeedKind } from './targets.ts'
import { cutBmp } from './tree.ts'

export interface SeedFile {
  readonly name: string
  readonly kind: SeedKind
  readonly bytes: Uint8Array
}

/** Every stream under the folders; those that aren't there are left out, and said. */
export function readSeeds(folders: readonly string[], say: (line: string) => void): SeedFile[] {
  const seeds: SeedFile[] = []
  for (const folder of folders) {
    if (!existsSync(folder)) {
      say(`no seeds from ${folder}: not there`)
      continue
    }
    const before = seeds.length
    for (const entry of readdirSync(folder, { recursive: true }) as string[]) {
      const path = join(folder, entry)
      if (/\.bmp(\.gz)?$/.test(entry)) seeds.push({ name: entry, kind: 'bmp', bytes: read(path) })
      else if (/\.bgp(\.gz)?$/.test(entry))
        seeds.push({ name: entry, kind: 'bgp', bytes: read(path) })
      else if (/\.(pcap|pcapng)(\.gz)?$/.test(entry))
        seeds.push({ name: entry, kind: 'capture', bytes: read(path) })
      else if (/\.mrt(\.gz)?$/.test(entry))
        seeds.push({ name: entry, kind: 'mrt', bytes: read(path) })
      else if (entry.endsWith('.json')) seeds.push(...hexSeeds(path))
    }
    say(`${seeds.length - before} seed files from ${folder}`)
  }
  for (const seed of seeds.filter(({ kind }) => kind === 'bmp').slice(0, 8)) {
    const bytes = seed.bytes.subarray(0, 4000)
    seeds.push({ name: `${seed.name}.pcap`, kind: 'capture', bytes: pcapOf(bytes) })
    seeds.push({ name: `${seed.name}.pcapng`, kind: 'capture', bytes: pcapngOf(bytes) })
    seeds.push({ name: `${seed.name}.obmp`, kind: 'obmp', bytes: obmpOf(cutBmp(seed.bytes)) })
  }
  return seeds
}

function read(path: string): Uint8Array {
  const bytes = readFileSync(path)
  // No Buffer: its slice() is a view, and mutations would change the seed.
  return new Uint8Array(path.endsWith('.gz') ? gunzipSync(bytes) : bytes)
}

interface HexVector {
  readonly kind?: string
  readonly hex?: string
}

/** `{ vectors: [{ kind, hex }] }`, as the vectors of other projects are kept. */
function hexSeeds(path: string): SeedFile[] {
  let file: { vectors?: HexVector[] }
  try {
    file = JSON.parse(readFileSync(path, 'utf8')) as { vectors?: HexVector[] }
  } catch {
    return []
  }
  if (!Array.isArray(file.vectors)) return []
  return file.vectors.flatMap(({ kind, hex }, i) =>
    hex === undefined
      ? []
      : [
          {
            name: `${path}#${i}`,
            kind: kind === 'bmp' ? ('bmp' as const) : ('bgp' as const),
            bytes: new Uint8Array(Buffer.from(hex, 'hex')),
          },
        ],
  )
}

const SEGMENT_OCTETS = 700

/** Ethernet, IPv4, TCP: SYN, the octets, FIN. */
function packetsOf(payload: Uint8Array): Buffer[] {
  const packet = (sequence: number, flags: number, data: Uint8Array): Buffer => {
    const bytes = Buffer.alloc(54 + data.length)
    bytes.writeUInt16BE(0x0800, 12)
    bytes[14] = 0x45
    bytes.writeUInt16BE(40 + data.length, 16)
    bytes[22] = 64
    bytes[23] = 6
    bytes.set([192, 0, 2, 1, 192, 0, 2, 2], 26)
    bytes.writeUInt16BE(40_000, 34)
    bytes.writeUInt16BE(5000, 36)
    bytes.writeUInt32BE(sequence, 38)
    bytes[46] = 0x50
    bytes[47] = flags
    bytes.set(data, 54)
    return bytes
  }
  const packets = [packet(999, 2, new Uint8Array(0))]
  for (let at = 0; at < payload.length; at += SEGMENT_OCTETS) {
    packets.push(packet(1000 + at, 16, payload.subarray(at, at + SEGMENT_OCTETS)))
  }
  packets.push(packet(1000 + payload.length, 17, new Uint8Array(0)))
  return packets
}

function pcapOf(payload: Uint8Array): Uint8Array {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65_535, 16)
  head.writeUInt32LE(1, 20)
  const records = packetsOf(payload).flatMap((packet, i) => {
    const record = Buffer.alloc(16)
    record.writeUInt32LE(1_700_000_000 + i, 0)
    record.writeUInt32LE(packet.length, 8)
    record.writeUInt32LE(packet.length, 12)
    return [record, packet]
  })
  return new Uint8Array(Buffer.concat([head, ...records]))
}

function pcapngOf(payload: Uint8Array): Uint8Array {
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
    const head = Buffer.alloc(8)
    head.writeUInt32LE(type, 0)
    head.writeUInt32LE(12 + padded.length, 4)
    return Buffer.concat([head, padded, head.subarray(4)])
  }
  const section = Buffer.alloc(16)
  section.writeUInt32LE(0x1a2b3c4d, 0)
  section.writeUInt16LE(1, 4)
  section.fill(0xff, 8)
  const interfaceBody = Buffer.alloc(8)
  interfaceBody.writeUInt16LE(1, 0)
  const packets = packetsOf(payload).map((packet, i) => {
    const head = Buffer.alloc(20)
    head.writeUInt32LE(0x60a24, 4)
    head.writeUInt32LE(i * 1000, 8)
    head.writeUInt32LE(packet.length, 12)
    head.writeUInt32LE(packet.length, 16)
    return block(6, Buffer.concat([head, packet]))
  })
  return new Uint8Array(
    Buffer.concat([block(0x0a0d0d0a, section), block(1, interfaceBody), ...packets]),
  )
}

/** Messages with an OpenBMP header each, binary and text by turns. */
function obmpOf(messages: readonly Uint8Array[]): Uint8Array {
  const parts = messages.slice(0, 6).flatMap((message, i) => {
    if (i % 2 === 1) {
      const lines = [
        'V: 1.7',
        'C_HASH_ID: 0011',
        'R_HASH: 2233',
        'R_IP: 192.0.2.1',
        `L: ${message.length}`,
      ]
      return [Buffer.from(`${lines.join('\n')}\n\n`), message]
    }
    const head = Buffer.alloc(78 + 4 + 2)
    head.write('OBMP', 0, 'latin1')
    head[4] = 1
    head[5] = 7
    head.writeUInt16BE(head.length, 6)
    head.writeUInt32BE(message.length, 8)
    head[12] = 0x80
    head[13] = 12
    head.writeUInt32BE(1_700_000_000, 14)
    head.fill(0x11, 22, 38)
    head.writeUInt16BE(4, 38)
    head.write('coll', 40, 'latin1')
    head.fill(0x22, 44, 60)
    head.set([192, 0, 2, 1], 60)
    head.writeUInt16BE(2, 76)
    head.write('dc', 78, 'latin1')
    head.writeUInt32BE(1, 80)
    return [head, message]
  })
  return new Uint8Array(Buffer.concat(parts))
}
