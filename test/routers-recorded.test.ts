/** Recordings of the lab in this repository: what FRR and GoBGP send, on machines that have neither. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { JsonSink, RouterSession, listRecordings, readRecording } from '@ribscope/events'
import { BmpFramer } from '@ribscope/wire'
import type { Truth } from './lab/scenarios.ts'
import { verdict, type Finding } from './lab/verdict.ts'

const FIXTURES = fileURLToPath(new URL('fixtures/lab/', import.meta.url))
const scenarios = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)

const read = (...path: string[]): Buffer => readFileSync(join(FIXTURES, ...path))

test('every file is the one that SHA256SUMS names, and no other is there', () => {
  const sums = read('SHA256SUMS')
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('  '))
  const files = scenarios.flatMap((name) =>
    readdirSync(join(FIXTURES, name)).map((file) => `${name}/${file}`),
  )
  expect(sums.map(([, file]) => file).sort()).toEqual(files.sort())
  for (const [sum, file = ''] of sums) {
    expect(createHash('sha256').update(read(file)).digest('hex'), file).toBe(sum)
  }
})

describe.each(scenarios)('%s', (name) => {
  const sessions = readdirSync(join(FIXTURES, name)).filter((file) => file.endsWith('.bmp'))

  test.each(sessions)('%s: framed to the last octet, whatever the chunks', (file) => {
    const bytes = read(name, file)
    const frame = (size: number): number[] => {
      const starts: number[] = []
      const framer = new BmpFramer((_message, _start, _end, offset) => starts.push(offset))
      for (let at = 0; at < bytes.length; at += size) framer.push(bytes.subarray(at, at + size))
      expect(framer.pending).toBe(0)
      return starts
    }
    const whole = frame(bytes.length)
    expect(whole.length).toBeGreaterThan(10)
    expect(frame(1448)).toEqual(whole)
    expect(frame(7)).toEqual(whole)
  })

  test.each(sessions)('%s: .times covers it', (file) => {
    const lines = read(name, file.replace(/bmp$/, 'times')).toString('utf8').trim().split('\n')
    expect(lines[0]).toMatch(
      /^# bmp-times 1 router=\w+ session=[12] source=10\.213\.\d+\.\d+ opened=/,
    )
    const rows = lines.slice(1).map((line) => line.split(' ').slice(0, 2).map(Number))
    for (const column of [0, 1]) {
      const values = rows.map((row) => row[column] ?? NaN)
      expect(values).toEqual([...values].sort((a, b) => a - b))
    }
    expect(lines.at(-1)).toMatch(
      new RegExp(`^${read(name, file).length} \\d+\\.\\d{6} end=(stop|fin|rst)$`),
    )
  })

  test('says what was done', () => {
    expect(existsSync(join(FIXTURES, name, 'fabric.yaml'))).toBe(true)
    const truth = JSON.parse(read(name, 'truth.json').toString('utf8'))
    expect(truth.expectNot.length).toBeGreaterThan(20)
    expect(truth.ended).toBeGreaterThan(truth.started)
  })
})

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- parsed JSON, asserted on at once
type Row = Record<string, any>

/** Rows of all tables that one router's recording makes, in order. */
async function rowsOf(name: string, router: string): Promise<Row[]> {
  const [recording] = await listRecordings([join(FIXTURES, name, `${router}.bmp`)])
  if (recording === undefined) throw new Error(`no recording of ${router}`)
  const chunks: Buffer[] = []
  const sink = new JsonSink({
    write: (bytes: Uint8Array) => void chunks.push(Buffer.from(bytes)),
    tables: new Set(['route_events', 'session_events', 'route_errors', 'stats'] as const),
  })
  const { source, openedUs } = recording
  const session = new RouterSession({ collector: 'test', source, openedUs, out: sink })
  for await (const { chunk, rxUs } of readRecording(recording)) {
    session.push(chunk, rxUs)
  }
  session.end(recording.end, recording.endUs)
  sink.flush()
  const text = Buffer.concat(chunks).toString('utf8').trim()
  return text.split('\n').map((line) => JSON.parse(line) as Row)
}

const truthOf = (name: string): Row => JSON.parse(read(name, 'truth.json').toString('utf8'))

describe('rows agree with what was done', () => {
  test.each(['tor3', 'tor4'])('vip-flap, %s: each change once, pre-policy', async (router) => {
    const vip = '10.10.21.66/32'
    const changes = (await rowsOf('vip-flap', router)).filter(
      (row) =>
        row['prefix'] === vip &&
        row['rib'] === 'adj_in_pre' &&
        row['peer_bgp_id'] === '10.10.19.13',
    )
    const done = truthOf('vip-flap').events.filter((e: Row) => e['prefix'] === vip)
    const since = changes.filter((row) => Date.parse(`${row['rx_ts']}Z`) / 1000 >= done[0].at)
    // FRR says the same again now and then.
    const actions = since.map((row) => row['action'])
    const told = actions.filter((action, i) => action !== actions[i - 1])
    expect(told).toEqual(done.map((e: Row) => e['what']))
  })

  test.each(['tor1', 'tor2'])(
    'node-down, %s: one Peer Down counts, one Peer Up follows',
    async (router) => {
      const { started } = truthOf('node-down')
      const events = (await rowsOf('node-down', router)).filter(
        (row) =>
          ['peer_up', 'peer_down'].includes(row['kind']) &&
          row['peer_bgp_id'] === '10.10.19.12' &&
          Date.parse(`${row['rx_ts']}Z`) / 1000 > started &&
          (row['kind'] === 'peer_up' || row['counted'] === 1),
      )
      expect(events.map((row) => row['kind'])).toEqual(['peer_down', 'peer_up'])
      // The kernel closed the dead daemon's connection: no NOTIFICATION either way.
      expect(events[0]).toMatchObject({ reason_code: 4, notification_code: 0 })
    },
  )

  test('vm-move, rr1: MAC mobility counts the moves, type 5 follows where it did', async () => {
    const { events } = truthOf('vm-move')
    const { ip, mac } = events.find((e: Row) => e['what'] === 'type 2 add')
    const { prefix } = events.find((e: Row) => e['what'] === 'type 5 add')
    const rows = (await rowsOf('vm-move', 'rr1')).filter((row) => row['rib'] === 'adj_in_pre')
    const heard = (key: string, value: string): Row[] =>
      rows.filter((row) => row[key] === value && row['mm_seq'] !== undefined)
    const of = (row: Row): string => `${row['action']} ${row['rd'].split(':')[0]}`
    expect(heard('host_ip', ip).map((row) => `${of(row)} ${row['mm_seq']}`)).toEqual([
      'announce 10.1.1.1 null',
      'announce 10.1.1.2 0',
      'withdraw 10.1.1.1 null',
      'announce 10.1.1.3 1',
      'withdraw 10.1.1.2 null',
    ])
    expect(heard('mac', mac)).toHaveLength(5)
    expect(heard('prefix', prefix).map(of)).toEqual([
      'announce 10.1.1.1',
      'announce 10.1.1.2',
      'withdraw 10.1.1.1',
      'announce 10.1.1.3',
      'withdraw 10.1.1.2',
    ])
  })

  test('bmp-configured, tor1: a received OPEN of 19 octets costs only itself', async () => {
    const rows = await rowsOf('bmp-configured', 'tor1')
    const ups = rows.filter((row) => row['kind'] === 'peer_up' && row['synthetic'] === 0)
    expect(ups.map((row) => row['peer_bgp_id']).sort()).toEqual(
      ['10.0.0.1', '10.0.0.2', '10.10.19.11'].sort(),
    )
    for (const up of ups) {
      expect(up['received_capabilities']).toEqual([])
      expect(up['local_asn']).toBe(4_200_001_001)
    }
    // Its own AS is in front all the same, and known for what it is.
    const own = rows.filter((row) => row['peer_bgp_id'] === '10.10.19.11' && row['afi'] === 1)
    expect(own.length).toBeGreaterThan(5)
    for (const row of own.filter(({ action }) => action === 'announce')) {
      expect(row).toMatchObject({ as_path: [4_200_001_001, 65_101], own_as_prepended: 1 })
    }
  })

  test.each(scenarios)('%s: nothing is left undecoded but what is not there', async (name) => {
    const kinds = new Set((await errorsOf(name)).map((row) => `${row['code']} ${row['path']}`))
    // GoBGP's Loc-RIB has no AS_PATH on routes of its own; FRR's dummy OPEN has no OPEN in it.
    kinds.delete('MISSING as_path')
    kinds.delete('TRUNCATED peer_up.received_open')
    expect([...kinds]).toEqual([])
  })
})

describe(
  'ribscope analyze says of each recording what was done to the routers',
  { timeout: 120_000 },
  () => {
    const BIN = fileURLToPath(new URL('../bin/ribscope.js', import.meta.url))

    test.each(scenarios)('%s', async (name) => {
      const folder = join(FIXTURES, name)
      const args = ['analyze', folder, '--config', join(folder, 'fabric.yaml')]
      // Throws with what it printed unless it exits 0.
      const done = await promisify(execFile)(process.execPath, [BIN, ...args], {
        maxBuffer: 64 << 20,
      })
      expect(done.stderr).toBe('')
      const { findings, routers } = JSON.parse(done.stdout) as {
        findings: Finding[]
        routers: Row[]
      }
      const sessions = readdirSync(folder).filter((file) => file.endsWith('.bmp'))
      expect(routers.reduce((sum, router) => sum + Number(router['sessions']), 0)).toBe(
        sessions.length,
      )
      // From the first octet: what came while the fabric started is no trouble either.
      expect(verdict({ ...(truthOf(name) as Truth), started: 0 }, findings)).toEqual([])
    })
  },
)

async function errorsOf(name: string): Promise<Row[]> {
  const errors: Row[] = []
  for (const file of readdirSync(join(FIXTURES, name)).filter((f) => f.endsWith('.bmp'))) {
    const rows = await rowsOf(name, file.replace('.bmp', ''))
    expect(rows.length, file).toBeGreaterThan(20)
    errors.push(...rows.filter((row) => row['raw'] !== undefined))
  }
  return errors
}
