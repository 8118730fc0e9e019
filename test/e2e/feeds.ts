/** Test helper: what routers sent, from recordings, byte streams or scenarios, through the collector's code into rows. */
import { readFileSync } from 'node:fs'
import {
  JSON_TABLES,
  JsonSink,
  NativeSink,
  RouterSession,
  listRecordings,
  readRecording,
} from '@ribscope/events'
import type { Batch, SessionEnd } from '@ribscope/events'
import { play, scenarios } from '@ribscope/simulator'

export interface Sent {
  /** stands before the router's name, so that many fabrics share one store */
  readonly fabric: string
  readonly source: string
  readonly openedUs: number
  readonly chunks: readonly { readonly us: number; readonly bytes: Uint8Array }[]
  /** crash: the collector died, so nothing tells the end and no timer runs any more */
  readonly end: SessionEnd | 'crash'
  readonly endUs: number
}

/** A row as `decode --rows --table all` prints it. */
export type Row = Record<string, unknown> & {
  readonly table: string
  readonly router: string
  readonly bmp_session: number
  readonly seq: number
  readonly rx_ts: string
}

/** A folder of recordings, moved in time so that the first session opens at `startUs`. */
export async function recorded(folder: string, fabric: string, startUs: number): Promise<Sent[]> {
  const recordings = await listRecordings([folder])
  const shift = startUs - Math.min(...recordings.map(({ openedUs }) => openedUs))
  const sessions: Sent[] = []
  for (const recording of recordings) {
    const { source, openedUs, end, endUs } = recording
    const chunks: { us: number; bytes: Uint8Array }[] = []
    for await (const { chunk, rxUs } of readRecording(recording)) {
      chunks.push({ us: rxUs + shift, bytes: chunk.slice() })
    }
    const times = { openedUs: openedUs + shift, endUs: endUs + shift }
    sessions.push({ fabric, source, chunks, end, ...times })
  }
  return sessions
}

/** A stream without times: a piece a second, so that dumps end and peers go down at different instants. */
export function stream(path: string, fabric: string, startUs: number): Sent {
  const octets = readFileSync(path)
  const step = Math.ceil(octets.length / 30)
  const chunks: { us: number; bytes: Uint8Array }[] = []
  for (let at = 0; at < octets.length; at += step) {
    chunks.push({ us: startUs + chunks.length * 1e6, bytes: octets.subarray(at, at + step) })
  }
  const endUs = startUs + chunks.length * 1e6
  return { fabric, source: '192.0.2.254', openedUs: startUs, chunks, end: 'fin', endUs }
}

export function simulated(id: string): Sent[] {
  const scenario = scenarios.get(id)
  if (scenario === undefined) throw new Error(`no scenario ${id}`)
  return play(scenario).sessions.map(({ source, openedUs, chunks, end, endUs }) => {
    return { fabric: id, source, openedUs, chunks, end, endUs }
  })
}

/** Long enough for every timer of a collector to fall due: a restart time of at most 4095 s, and the grace. */
const TAIL_US = 4200e6

/**
 * Every session twice through the same code: into blocks for the engine, and into rows as people see them.
 *
 * @param maxRows rows of a batch
 * @param nameOf the router's name in the rows, by its own and that of the fabric
 */
export function rowsOf(
  feed: readonly Sent[],
  maxRows = 65_536,
  nameOf = (name: string, fabric: string): string => `${fabric}/${name}`,
): { batches: Batch[]; rows: Row[]; endUs: number } {
  const batches: Batch[] = []
  const lines: string[] = []
  const decoder = new TextDecoder()
  const last = new Map<string, number>()
  let endUs = 0
  for (const sent of feed) {
    // Two sessions of one instant are two: as the timeline of recordings has it.
    const from = `${sent.fabric} ${sent.source}`
    const openedUs = Math.max(sent.openedUs, (last.get(from) ?? 0) + 1)
    last.set(from, openedUs)
    const native = new NativeSink({ maxRows, onBatch: (batch) => batches.push(keep(batch)) })
    const json = new JsonSink({
      write: (bytes) => {
        lines.push(...decoder.decode(bytes).trimEnd().split('\n'))
      },
      tables: new Set(JSON_TABLES),
      withTable: true,
    })
    for (const out of [native, json]) {
      const session = new RouterSession({
        collector: 'test',
        source: sent.source,
        openedUs,
        out,
        nameRouter: (name) => nameOf(name, sent.fabric),
      })
      for (const { us, bytes } of sent.chunks) session.push(bytes, us)
      if (sent.end !== 'crash') session.end(sent.end, sent.endUs)
      // A session that did not end goes on; its timers do.
      if (sent.end === 'stop') session.tick(sent.endUs + TAIL_US)
    }
    batches.push(...native.flush().map(keep))
    json.flush()
    endUs = Math.max(endUs, sent.endUs + (sent.end === 'stop' ? TAIL_US : 0))
  }
  return { batches, rows: lines.map((line) => JSON.parse(line) as Row), endUs }
}

/** A batch that can be inserted more than once: its memory is not used again. */
const keep = (batch: Batch): Batch => ({
  ...batch,
  body: batch.body.slice(),
  release: () => undefined,
})
