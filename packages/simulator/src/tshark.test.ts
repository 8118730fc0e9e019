/** The bytes as Wireshark sees them: a second opinion beside @ribscope/wire. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Bytes, concat } from './encode/bytes.ts'
import { bytesOf } from './recording.ts'
import { play } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

const found = spawnSync('tshark', ['--version']).status === 0
if (!found) console.warn('tshark.test.ts skipped: tshark is not installed')

const BMP_PORT = 11_019
const SEGMENT = 1_400

/** One TCP stream per BMP session, as a raw-IP pcap (link type 101). */
function pcap(streams: readonly Uint8Array[]): Uint8Array {
  const file = new Bytes().u32(0xa1b2c3d4).u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(101)
  streams.forEach((stream, index) => {
    for (let at = 0; at < stream.length; at += SEGMENT) {
      const payload = stream.subarray(at, at + SEGMENT)
      const size = 40 + payload.length
      file.u32(1_795_262_400).u32(at).u32(size).u32(size)
      file.u16(0x4500).u16(size).u32(0).u8(64).u8(6).u16(0)
      file.u32(0xc0000200 + index).u32(0xc00002ff)
      file
        .u16(20_000 + index)
        .u16(BMP_PORT)
        .u32(1 + at)
        .u32(1)
        .u16(0x5018)
        .u16(65_535)
        .u32(0)
      file.raw(payload)
    }
  })
  return file.done()
}

interface Seen {
  /** BMP messages by type. */
  readonly types: Map<number, number>
  readonly malformed: number
}

function tshark(folder: string, streams: readonly Uint8Array[]): Seen {
  const path = join(folder, 'scenario.pcap')
  writeFileSync(path, pcap(streams))
  const decode = ['-r', path, '-d', `tcp.port==${BMP_PORT},bmp`]
  const run = (...rest: string[]): string =>
    execFileSync('tshark', [...decode, ...rest], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 * 1024,
    })
  const types = new Map<number, number>()
  for (const type of run('-T', 'fields', '-e', 'bmp.type')
    .split(/[\s,]+/)
    .filter(Boolean)) {
    types.set(Number(type), (types.get(Number(type)) ?? 0) + 1)
  }
  // Expert severity "error", which malformed dissection is too; wrong checksums are not checked.
  const bad = run(
    '-Y',
    '_ws.malformed || _ws.expert.severity == error',
    '-T',
    'fields',
    '-e',
    'frame.number',
  )
  return { types, malformed: bad.split('\n').filter(Boolean).length }
}

describe.skipIf(!found)('tshark', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ribscope-tshark-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  // Not B10 and B14: tshark 4.0 takes the TLV behind a Peer Up's OPENs for BGP (ROUTERS.md, FRR 12).
  test.each(['A01', 'A06', 'A09', 'A17', 'A20', 'B03', 'C01', 'C04', 'C26'])(
    '%s: no malformed message, and as many as were sent',
    (id) => {
      const scenario = scenarios.get(id)
      if (scenario === undefined) throw new Error(id)
      const { sessions, fabric } = play(scenario)
      const { types, malformed } = tshark(folder, sessions.map(bytesOf))
      expect(malformed).toBe(0)
      const total = [...types.values()].reduce((sum, count) => sum + count, 0)
      const sent = [...fabric.routers.values()].reduce(
        (sum, { feed }) => sum + feed.sent.messages,
        0,
      )
      expect(total).toBe(sent)
      expect(types.get(4)).toBe(sessions.length)
    },
  )

  test('and it would notice: a broken attribute length is malformed', () => {
    const scenario = scenarios.get('C01')
    if (scenario === undefined) throw new Error('C01')
    const [first] = play(scenario).sessions
    const stream = first === undefined ? new Uint8Array() : bytesOf(first)
    const rt5 = Buffer.from(stream).indexOf(Buffer.from('0522', 'hex'))
    const broken = concat([
      stream.subarray(0, rt5 + 1),
      Uint8Array.of(0x7f),
      stream.subarray(rt5 + 2),
    ])
    expect(tshark(folder, [broken]).malformed).toBeGreaterThan(0)
  })
})
