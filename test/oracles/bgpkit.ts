/* eslint-disable @typescript-eslint/no-explicit-any -- JSON of another program */
/** bgpkit-parser, through a small Rust program that is built when it is asked for. Unicast only. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathText, type Route, type Segment, type Texts, type Told } from './model.ts'

/** @param root the repository */
export function buildBgpkit(root: string): { program: string } | { missing: string } {
  const target = join(root, '.cache/bgpkit')
  const program = join(target, 'release/ribscope-differential')
  const { error, status, stderr } = spawnSync(
    'cargo',
    ['build', '--release', '--offline', '--locked'],
    {
      cwd: join(root, 'test/differential/bgpkit'),
      env: { ...process.env, CARGO_TARGET_DIR: target },
      encoding: 'utf8',
    },
  )
  if (error !== undefined) return { missing: 'cargo is not installed' }
  if (status !== 0 || !existsSync(program)) {
    const why = stderr.split('\n').find((line) => line.startsWith('error')) ?? 'cargo failed'
    return { missing: `bgpkit-parser can't be built without fetching it first (${why})` }
  }
  return { program }
}

/** What it makes of each BMP message, alone. */
export function runBgpkit(program: string, messages: readonly Uint8Array[]): Told[] {
  const input = Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(message.length)
      return [length, message]
    }),
  )
  const { stdout, error } = spawnSync(program, [], { input, encoding: 'utf8', maxBuffer: 1 << 30 })
  if (error !== undefined) throw error
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => told(JSON.parse(line)))
}

const UNICAST: ReadonlySet<string> = new Set(['1/1', '2/1'])

function told(line: any): Told {
  if (line.panic === true) return { why: 'it panicked' }
  if (line.error !== undefined)
    return { why: `it refused: ${String(line.error).split(/[({ ]/)[0]!}` }
  const elements = line.elements as any[]
  const routes = elements.map((element): Route => {
    const afi = String(element.prefix).includes(':') ? 2 : 1
    const texts: Texts = { prefix: element.prefix, path_id: String(element.path_id ?? 0) }
    if (element.announce !== true) return { action: 'withdraw', afi, safi: 1, texts }
    const text = (value: string | number | null): string => String(value ?? '')
    texts.next_hop = text(element.next_hop)
    texts.as_path = pathText(
      ((element.as_path ?? []) as [number, number[]][]).map(([type, asns]): Segment => ({
        type,
        asns,
      })),
    )
    texts.origin = text(element.origin).toLowerCase()
    texts.local_pref = text(element.local_pref)
    texts.med = text(element.med)
    texts.communities = element.communities.join(' ')
    texts.large_communities = element.large.join(' ')
    return { action: 'announce', afi, safi: 1, texts }
  })
  const addPath = elements.some((element) => element.path_id !== null)
  return { routes, addPath, families: UNICAST }
}
