/* eslint-disable @typescript-eslint/no-explicit-any -- JSON of other programs */
/** Runs over a folder of streams and oracles: see the README of `../shared/vectors` for its layout. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { cutBgp } from '../fuzz/tree.ts'
import { exabgpTold } from './exabgp.ts'
import { compare, NO_FACTS, Tally, type Told } from './model.ts'
import { netgauzeTold } from './netgauze.ts'
import { readBgp, readBmp, type Message } from './ours.ts'
import { comparePmacct, pmacctLog, unusedLines, type PmacctLog } from './pmacct.ts'
import { BGP_PORT, BMP_PORT, runTshark } from './run-tshark.ts'
import { compareTold } from './told.ts'
import { tsharkTold } from './tshark.ts'

export interface Options {
  /** Run the installed tshark over the hex vectors, which have no decode of its own beside them. */
  readonly tshark: boolean
}

function read(path: string): Uint8Array {
  const bytes = readFileSync(path)
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

function text(path: string): string {
  return Buffer.from(read(path)).toString()
}

function lines(path: string): any[] {
  return text(path)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as unknown)
}

interface Stream {
  readonly file: string
  readonly messages: readonly Message[]
  readonly oracles: readonly string[]
}

export function agree(folder: string, options: Options): { tally: Tally; streams: number } {
  const tally = new Tally()
  const streams = readStreams(folder)
  const logs = new Map<string, PmacctLog>()
  const byOracle = new Map<string, Stream[]>()
  for (const stream of streams) {
    for (const oracle of stream.oracles) {
      const list = byOracle.get(oracle)
      if (list === undefined) byOracle.set(oracle, [stream])
      else list.push(stream)
    }
  }
  for (const [oracle, of] of byOracle) {
    const path = join(folder, oracle)
    if (/\.tshark\.json(\.gz)?$/.test(oracle)) {
      const { messages } = JSON.parse(text(path)) as { messages: any[] }
      for (const stream of of) inOrder(tally, 'TShark', stream, messages.map(tsharkTold))
    } else if (/\.netgauze(-bgp)?\.jsonl(\.gz)?$/.test(oracle)) {
      const told = lines(path).map(netgauzeTold)
      if (of.length === 1)
        inOrder(
          tally,
          'NetGauze',
          of[0]!,
          told.map((line) => line.told),
        )
      else interleaved(tally, 'NetGauze', of, told)
    } else if (/\.pmacct(-bgp)?\.jsonl(\.gz)?$/.test(oracle)) {
      const log = logOf(logs, path)
      for (const stream of of) comparePmacct(tally, stream.file, stream.messages, log)
    }
  }
  for (const [path, log] of logs) unusedLines(tally, path, log)
  hexVectors(folder, tally, options)
  return { tally, streams: streams.length }
}

/** A capture of several connections has one log, of which there may be copies: they are used up together. */
function logOf(logs: Map<string, PmacctLog>, path: string): PmacctLog {
  const content = text(path)
  const key = createHash('sha256').update(content).digest('hex')
  const known = logs.get(key)
  if (known !== undefined) return known
  const log = pmacctLog(lines(path))
  logs.set(key, log)
  return log
}

function readStreams(folder: string): Stream[] {
  const manifest = join(folder, 'manifest.json')
  const listed: { file: string; oracles: string[] }[] = existsSync(manifest)
    ? (JSON.parse(text(manifest)) as { file: string; oracles?: string[] }[]).map((row) => ({
        file: row.file,
        oracles: row.oracles ?? [],
      }))
    : (readdirSync(folder, { recursive: true }) as string[]).map((file) => ({ file, oracles: [] }))
  const all = readdirSync(folder, { recursive: true }) as string[]
  return listed
    .filter(({ file }) => /\.(bmp|bgp)$/.test(file) && existsSync(join(folder, file)))
    .map(({ file, oracles }) => {
      const stem = `${file.replace(/\.(bmp|bgp)$/, '')}.`
      const beside = all.filter((name) => name.startsWith(stem) && name !== file)
      const bytes = read(join(folder, file))
      const messages = file.endsWith('.bmp') ? readBmp(bytes) : readBgp(bytes)
      return { file, messages, oracles: [...new Set([...oracles, ...beside])] }
    })
}

/** Line i is message i. */
function inOrder(tally: Tally, oracle: string, stream: Stream, told: readonly Told[]): void {
  for (const [i, message] of stream.messages.entries()) {
    compareTold(tally, { oracle, stream: stream.file, message: i }, message, told[i])
  }
}

/**
 * Lines of several connections in the order of the capture: a line is the next message of the first stream whose
 * next message has the same routes; where none has, it is compared with that of the stream with as many.
 */
function interleaved(
  tally: Tally,
  oracle: string,
  streams: readonly Stream[],
  told: readonly { kind: string; told: Told }[],
): void {
  const left = streams.map((stream) => ({
    stream,
    // Only messages with routes: of the others there is nothing to compare.
    next: stream.messages.flatMap((message, i) =>
      message.routes.length > 0 ? [{ message, i }] : [],
    ),
  }))
  const key = (
    routes: readonly { action: string; texts: object }[],
    names: readonly string[],
  ): string =>
    routes
      .map((route) =>
        names.map((name) => (route.texts as Record<string, string>)[name] ?? '').join(' '),
      )
      .toSorted()
      .join('\n')
  for (const { told: own } of told) {
    if ('why' in own) {
      tally.skip(oracle, own.why)
      continue
    }
    if (own.routes.length === 0) continue
    const names = ['prefix', 'rd', 'as_path', 'next_hop', 'communities', 'labels']
    const wanted = key(own.routes, names)
    const found =
      left.find(
        ({ next }) => next[0] !== undefined && key(next[0].message.routes, names) === wanted,
      ) ??
      left.find(
        ({ next }) =>
          next[0] !== undefined &&
          key(next[0].message.routes, ['prefix']) === key(own.routes, ['prefix']),
      )
    const taken = found?.next.shift()
    if (found === undefined || taken === undefined) {
      compare(
        tally,
        { oracle, stream: streams[0]!.file, message: -1, facts: NO_FACTS },
        [],
        own.routes,
      )
      continue
    }
    const { message, i } = taken
    const place = { oracle, stream: found.stream.file, message: i, facts: message.facts }
    compare(tally, place, message.routes, own.routes)
  }
}

interface HexVector {
  readonly id?: string
  readonly name?: string
  readonly kind?: string
  readonly hex?: string
  readonly expect?: any
}

function hexVectors(folder: string, tally: Tally, options: Options): void {
  const vectors: { id: string; vector: HexVector; bytes: Uint8Array; messages: Message[] }[] = []
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    if (!name.endsWith('.json') || name.includes('.tshark.') || name === 'manifest.json') continue
    let file: { vectors?: HexVector[] }
    try {
      // ExaBGP's extended communities are numbers beyond 2^53.
      file = JSON.parse(
        text(join(folder, name)).replace(/("value": ?)(\d{15,})/g, '$1"$2"'),
      ) as typeof file
    } catch {
      continue
    }
    if (!Array.isArray(file.vectors)) continue
    for (const [i, vector] of file.vectors.entries()) {
      if (vector.hex === undefined) continue
      const bytes = new Uint8Array(Buffer.from(vector.hex, 'hex'))
      const messages = vector.kind === 'bmp' ? readBmp(bytes) : readBgp(bytes)
      vectors.push({ id: `${name}#${vector.id ?? i}`, vector, bytes, messages })
    }
  }
  for (const { id, vector, messages } of vectors) {
    const json = vector.expect?.exabgp_json
    if (json === undefined) continue
    if (vector.expect.addpath !== undefined) {
      tally.skip('ExaBGP', 'it knew of ADD-PATH from its configuration')
      continue
    }
    inOrder(tally, 'ExaBGP', { file: id, messages, oracles: [] }, [exabgpTold(json)])
  }
  if (!options.tshark) return
  const single = vectors.filter(({ vector, bytes }) =>
    vector.kind === 'bmp' ? bytes.length >= 6 : cutBgp(bytes).length >= 1,
  )
  const decoded = runTshark(
    single.map(({ vector, bytes }) => ({
      bytes,
      port: vector.kind === 'bmp' ? BMP_PORT : BGP_PORT,
    })),
  )
  for (const [i, { id, messages }] of single.entries()) {
    const own = decoded[i]
    const each = messages.length === 1 ? [own] : split(own)
    if (each.length !== messages.length) {
      tally.skip('tshark (run)', 'sees another number of messages')
      continue
    }
    const told = each.map((one): Told =>
      one === undefined ? { why: 'not decoded' } : tsharkTold(one),
    )
    inOrder(tally, 'tshark (run)', { file: id, messages, oracles: [] }, told)
  }
}

function split(own: any): any[] {
  if (Array.isArray(own?.bgp)) return own.bgp.map((bgp: any) => ({ bgp }))
  return [own]
}
