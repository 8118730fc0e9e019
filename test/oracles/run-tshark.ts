/* eslint-disable @typescript-eslint/no-explicit-any -- JSON of another program */
/** The installed tshark over messages: each a TCP connection of its own in a capture file. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const BMP_PORT = 11_019
export const BGP_PORT = 179

/** undefined: tshark is there. */
export function tsharkMissing(): string | undefined {
  const { error, status } = spawnSync('tshark', ['--version'], { stdio: 'ignore' })
  return error === undefined && status === 0 ? undefined : 'tshark is not installed'
}

/** @returns its decode of each message: `{ bmp }` or `{ bgp }`, undefined where it saw neither */
export function runTshark(messages: readonly { bytes: Uint8Array; port: number }[]): any[] {
  const folder = mkdtempSync(join(tmpdir(), 'ribscope-tshark-'))
  try {
    const path = join(folder, 'messages.pcap')
    const { packets, of } = capture(messages)
    writeFileSync(path, packets)
    const { stdout, error } = spawnSync(
      'tshark',
      [
        '-r',
        path,
        '-T',
        'json',
        '--no-duplicate-keys',
        '-J',
        'frame bgp bmp tcp',
        '-d',
        `tcp.port==${BMP_PORT},bmp`,
      ],
      { maxBuffer: 1 << 30, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    )
    if (error !== undefined) throw error
    const result: any[] = []
    for (const packet of JSON.parse(stdout) as any[]) {
      const { layers } = packet._source
      const number = Number(layers.frame['frame.number']) - 1
      const at = of[number]
      if (at === undefined) continue
      // Reassembled in the last segment; an earlier one shows nothing.
      // Octets behind the message look like another one.
      const bmp = Array.isArray(layers.bmp) ? layers.bmp[0] : layers.bmp
      if (bmp !== undefined) result[at] = { bmp: { ...bmp, bgp: bmp.bgp ?? layers.bgp } }
      else if (layers.bgp !== undefined) result[at] = { bgp: layers.bgp }
    }
    return result
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const SEGMENT_OCTETS = 60_000

function capture(messages: readonly { bytes: Uint8Array; port: number }[]): {
  packets: Buffer
  of: number[]
} {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(262_144, 16)
  // LINKTYPE_RAW: IP alone.
  head.writeUInt32LE(101, 20)
  const parts: Buffer[] = [head]
  const of: number[] = []
  for (const [i, { bytes, port }] of messages.entries()) {
    for (let at = 0; at < bytes.length || at === 0; at += SEGMENT_OCTETS) {
      const payload = bytes.subarray(at, at + SEGMENT_OCTETS)
      const packet = Buffer.alloc(40 + payload.length)
      packet[0] = 0x45
      packet.writeUInt16BE(packet.length, 2)
      packet[8] = 64
      packet[9] = 6
      // Address and port together make a connection for each message.
      packet.set([10, 1, (i >> 8) & 255, i & 255, 10, 2, (i >> 16) & 255, 1], 12)
      packet.writeUInt16BE(40_000 + (i % 20_000), 20)
      packet.writeUInt16BE(port, 22)
      packet.writeUInt32BE(1 + at, 24)
      packet[32] = 0x50
      packet[33] = 0x18
      packet.writeUInt16BE(65_535, 34)
      packet.set(payload, 40)
      const record = Buffer.alloc(16)
      record.writeUInt32LE(1_700_000_000, 0)
      record.writeUInt32LE(i % 1_000_000, 4)
      record.writeUInt32LE(packet.length, 8)
      record.writeUInt32LE(packet.length, 12)
      parts.push(record, packet)
      of.push(i)
    }
  }
  return { packets: Buffer.concat(parts), of }
}
